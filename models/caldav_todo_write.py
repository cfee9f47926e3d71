"""What programs write of to-dos. With the rights of the user: a project may be closed to him."""

from odoo.exceptions import AccessError, UserError

from ..dav.errors import Forbidden, InvalidData, NoPrivilege
from ..ical.parse import parse
from .caldav_todo import TodoWriter, differing
from .ical_incoming import Options
from .ical_row import CannotKeep, kept_text
from .ical_todo import Todos

#: Fields of a task, by what of an item they come from.
_TASK = {
    "summary": ("name",), "description": ("description",), "due": ("date_deadline",),
    "status": ("state", "date_end"), "priority": ("priority",), "categories": ("tag_ids",),
}  # fmt: skip
_ACTIVITY = {"summary": ("summary",), "description": ("note",), "due": ("date_deadline",)}


class TodoMixin:
    """Of the backend: to-dos that are Odoo's."""

    def _put_todo(self, collection, uid, text):
        items = [item for item in parse(text.encode()).items if item.NAME == "VTODO"]
        item = next((one for one in items if one.recurrence_id is None), None)
        if item is None:
            raise InvalidData("an occurrence without its to-do")
        record, original = collection._todo_records([uid]).get(uid, (None, None))
        try:
            if record is None:
                self._create_todo(text)
            else:
                self._write_todo(collection, uid, record, original, item)
        except CannotKeep as error:
            self._refuse(error.code, error.detail)
        except (AccessError, UserError) as error:
            raise Forbidden(str(error)[:300]) from error

    def _create_todo(self, text):
        _outcome, result = self._upsert(text)
        if result.kind in ("refused", "error"):
            self._refuse(result.reason or _outcome.reason, result.detail or _outcome.detail)

    def _write_todo(self, collection, uid, record, original, item):
        now = TodoWriter(self.user).item(uid, record, original)
        changed = differing(now, item)
        is_task = record._name == "project.task"
        todos = Todos(self.env, self.user, Options(), TodoWriter(self.user).zone)
        values = todos._values(item, record._name)
        names = {
            field for name in changed for field in (_TASK if is_task else _ACTIVITY).get(name, ())
        }  # fmt: skip
        values = {name: value for name, value in values.items() if name in names}
        mine = record.with_user(self.user)
        if values:
            mine.write(todos._with_tags(values))
        self.env["calendar.ical.source"]._note(
            self.user, "caldav", [("VTODO", uid, None, record, kept_text(item))]
        )
        if not is_task and "status" in changed and record.active:
            mine.action_feedback()

    def _delete_todos(self, collection, uids):
        for record, _text in collection._todo_records(uids).values():
            mine = record.with_user(self.user)
            is_project_s = record._name == "project.task" and record.project_id
            if is_project_s and not (record.user_ids == self.user and mine.has_access("unlink")):
                raise NoPrivilege("a task of a project that others work on stays where it is")
            try:
                if is_project_s:
                    # Who tidies up his phone by mistake finds it among the archived ones.
                    mine.active = False
                else:
                    mine.unlink()
            except (AccessError, UserError) as error:
                raise Forbidden(str(error)[:300]) from error

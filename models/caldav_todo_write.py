"""What programs write of to-dos. With the rights of the user: a project may be closed to him."""

from odoo.exceptions import AccessError, UserError

from ..dav.errors import Forbidden, InvalidData, NoPrivilege
from ..ical.parse import parse
from ..ical.text import to_text
from .caldav_todo import TodoWriter, differing
from .caldav_todo_rule import is_done, one_done, repetition_of, same_rules
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
        # That of all comes first.
        items.sort(key=lambda one: one.recurrence_id is not None)
        if not items or items[0].recurrence_id is not None:
            raise InvalidData("an occurrence without its to-do")
        record, original = collection._todo_records([uid]).get(uid, (None, None))
        try:
            if record is None:
                record = self._create_todo(collection, uid, items)
            else:
                self._write_todo(uid, record, original, items)
            is_held = record and record._name == "project.task" and record.recurrence_id
            if len(items) > 1 and record and not is_held:
                self._note_todo(uid, record, to_text(items).replace("\r\n", "\n"))
        except CannotKeep as error:
            self._refuse(error.code, error.detail)
        except (AccessError, UserError) as error:
            raise Forbidden(str(error)[:300]) from error

    def _create_todo(self, collection, uid, items):
        _outcome, result = self._upsert(to_text(items[:1]))
        if result.kind in ("refused", "error"):
            self._refuse(result.reason or _outcome.reason, result.detail or _outcome.detail)
        return collection._todo_records([uid]).get(uid, (None, None))[0]

    def _write_todo(self, uid, record, original, items):
        item = items[0]
        is_task = record._name == "project.task"
        if is_task and record.recurrence_id:
            item = one_done(items)
        writer = TodoWriter(self.user)
        now = writer.item(uid, record, original)
        changed = differing(now, item)
        todos = Todos(self.env, self.user, Options(), writer.zone)
        values = todos._values(item, record._name)
        names = {
            field for name in changed for field in (_TASK if is_task else _ACTIVITY).get(name, ())
        }  # fmt: skip
        values = {name: value for name, value in values.items() if name in names}
        mine = record.with_user(self.user)
        # Rule and reminders before it is closed, upon which Odoo makes the next one.
        rule = self._rule_values(record, now, item, writer.zone) if is_task else {}
        if rule:
            mine.write(rule)
        self._note_todo(uid, record, kept_text(item))
        if values:
            mine.write(todos._with_tags(values))
        if not is_task and "status" in changed and record.active:
            mine.action_feedback()

    def _rule_values(self, task, now, item, zone):
        """What of the rule of a to-do Odoo takes: values of its task.

        :param now: the to-do as its program has got it
        """
        if same_rules(now.rules, item.rules):
            return {}
        if task.recurrence_id and (is_done(item) or is_done(now)):
            # Programs take the rule off what is done; the series goes on.
            return {}
        today = self.env.cr.now().date()
        found = repetition_of(item, zone, today) if task._may_repeat(self.user) else None
        if found is None and task.recurrence_id:
            return {"recurring_task": False}
        return found or {}

    def _note_todo(self, uid, record, text):
        self.env["calendar.ical.source"]._note(
            self.user, "caldav", [("VTODO", uid, None, record, text)]
        )

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

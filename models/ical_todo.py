"""To-dos that come in: as tasks, or as activities of the owner's own contact."""

from dataclasses import dataclass
from datetime import datetime, time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tools import SQL, html2plaintext

from ..ical.sequence import order
from ..ical.values import UTC, is_date
from .ical_html import html_of
from .ical_incoming import Result
from .ical_kept import original_item
from .ical_row import YEARS, CannotKeep, is_cancelled
from .ical_snapshot import plain
from .ical_taken import tags_of

#: A to-do is due until the end of its day.
DAY_END = time(23, 59)
_DONE = "1_done"
_CANCELLED = "1_canceled"


@dataclass(slots=True)
class KnownTodo:
    """A to-do that Odoo has: its record, its text, and when it was taken in."""

    record: object
    text: str | None
    taken: datetime


class Todos:
    """Compares and writes to-dos of one owner.

    :param env: of whoever imports
    :param tzinfo zone: of the owner
    """

    def __init__(self, env, owner, options, zone):
        self.env = env
        self.owner = owner
        self.options = options
        self.zone = zone
        self.known = {}
        self._tags = {}

    def look_up(self, items):
        """What the owner has of these to-dos, from whatever source: in one question."""
        self.known = {}
        uids = sorted({item.uid for item in items if item.NAME == "VTODO"})
        if not uids:
            return
        self._check_rights()
        self.env["calendar.ical.source"].sudo().flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT uid, task_id, activity_id, text, write_date
                  FROM calendar_ical_source
                 WHERE component = 'VTODO' AND user_id = %s AND uid = ANY(%s)
                 ORDER BY write_date
                """,
                self.owner.id,
                uids,
            )
        )
        for uid, task_id, activity_id, text, taken in self.env.cr.fetchall():
            name, res_id = ("project.task", task_id) if task_id else ("mail.activity", activity_id)
            record = self.env[name].sudo().with_context(active_test=False).browse(res_id)
            self.known[uid] = KnownTodo(record, text, taken)

    def _check_rights(self):
        """:raises AccessError: when the owner may not have what is wanted"""
        project = self.options.project
        if self.options.todo_as == "task" and project:
            if not project.with_user(self.owner).has_access("read"):
                raise AccessError(self.env._("The owner of the calendar cannot use this project."))

    def judge(self, outcome):
        """Complete the outcome of a to-do."""
        item = outcome.items[0]
        if item.recurrence_id is not None:
            raise CannotKeep("todo_part")
        known = self.known.get(item.uid)
        if known is None:
            model = "project.task" if self.options.todo_as == "task" else "mail.activity"
            if not self.env[model].with_user(self.owner).has_access("create"):
                raise CannotKeep("todo_rights")
            outcome.plan = self._values(item, model)
            if is_cancelled(item):
                outcome.kind = "cancelled"
            return
        outcome.record = known.record
        values = self._values(item, known.record._name)
        changed = {
            name: value for name, value in values.items()
            if self._shown(known.record, name, known.record[name])
            != self._shown(known.record, name, value)
        }  # fmt: skip
        if not changed:
            outcome.kind, outcome.action = "unchanged", "keep"
            return
        if self._is_older(item, known) and not self.options.force:
            outcome.kind, outcome.action = "older", "keep"
            return
        outcome.kind, outcome.action, outcome.plan = "changed", "update", changed
        if is_cancelled(item):
            outcome.kind = "cancelled"
        fields = known.record._fields
        outcome.changes = [
            (
                fields[name]._description_string(self.env),
                self._shown(known.record, name, known.record[name]),
                self._shown(known.record, name, value),
            )
            for name, value in changed.items()
        ]

    def _is_older(self, item, known):
        written = known.record.write_date
        original = original_item(known.text)
        if original is None or (written - known.taken).total_seconds() >= 1:
            number = original.sequence if original else 0
            return order(item) < (number, written.replace(tzinfo=UTC, microsecond=0))
        return order(item) < order(original)

    def _values(self, item, model):
        if model == "project.task":
            return self._task_values(item)
        return self._activity_values(item)

    def _task_values(self, item):
        state = "01_in_progress"
        if item.status == "COMPLETED" or item.completed or item.percent == 100:
            state = _DONE
        elif is_cancelled(item):
            state = _CANCELLED
        values = {
            "name": self._name(item),
            "description": html_of(item.description) or False,
            "date_deadline": self._deadline(item) or False,
            "priority": priority_of(item.priority),
            "state": state,
            "date_end": self._moment(item.completed) if item.completed else False,
            "tag_ids": [Command.set([self._tag(name) for name in tags_of(item.categories)])],
        }
        start = "planned_date_start"
        if start in self.env["project.task"]._fields and item.start:
            values[start] = self._moment(item.start)
        return values

    def _activity_values(self, item):
        deadline = self._deadline(item)
        day = deadline.replace(tzinfo=UTC).astimezone(self.zone).date() if deadline else None
        done = item.status == "COMPLETED" or item.completed or item.percent == 100
        values = {
            "summary": self._name(item),
            "note": html_of(item.description) or False,
            "active": not (done or is_cancelled(item)),
        }
        if day:
            values["date_deadline"] = day
        return values

    def _name(self, item):
        for text in (item.summary, item.description):
            words = " ".join((text or "").split())
            if words:
                return words[:1000]
        return self.env._("To-do")

    def _deadline(self, item):
        at = item.stop
        if at is None or (item.due is None and item.duration is None):
            at = item.due
        return self._moment(at, DAY_END) if at is not None else None

    def _moment(self, moment, day_time=time()):
        if moment.year not in YEARS:
            raise CannotKeep("year", str(moment.year))
        if is_date(moment):
            moment = datetime.combine(moment, day_time)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)

    def _tag(self, name):
        """The tag of that name; it is made when it is written."""
        if name.lower() not in self._tags:
            found = self.env["project.tags"].sudo().search([("name", "=", name)], limit=1)
            self._tags[name.lower()] = found.id or name
        return self._tags[name.lower()]

    def _shown(self, record, name, value):
        field = record._fields[name]
        if field.type == "html":
            return html2plaintext(value or "").strip()
        if field.type == "many2many":
            if isinstance(value, list):
                ids = [one for one in value[0][2] if isinstance(one, int)]
                names = [one for one in value[0][2] if not isinstance(one, int)]
                names += record.env[field.comodel_name].browse(ids).mapped("name")
                return ", ".join(sorted(names))
            return ", ".join(sorted(value.mapped("name")))
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value) or ""
        return str(value or "")

    # -- writing -------------------------------------------------------------

    def results(self, writer, outcomes):
        """Results of outcomes of to-dos, by the outcome's id.

        As the owner, with his rights: a project may be closed to him.
        """
        found = {}
        created = [outcome for outcome in outcomes if outcome.action == "create"]
        for name in ("project.task", "mail.activity"):
            batch = [one for one in created if ("name" in one.plan) == (name == "project.task")]
            if not batch:
                continue
            model = writer.env[name].with_user(self.owner)
            records = model.create([self._new(name, one.plan) for one in batch])
            for outcome, record in zip(batch, records, strict=True):
                made = {name: [record.id]}
                found[id(outcome)] = Result(outcome, outcome.kind, record.sudo(), made)
        for outcome in outcomes:
            if id(outcome) in found:
                continue
            record = outcome.record.with_env(writer.env)
            result = found[id(outcome)] = Result(outcome, outcome.kind, record)
            if outcome.action == "update":
                record = record.with_user(self.owner)
                result.before = plain(record, list(outcome.plan))
                record.write(self._with_tags(outcome.plan))
        return found

    def _new(self, name, values):
        values = self._with_tags(values)
        if name == "project.task":
            return {
                **values,
                "project_id": self.options.project.id if self.options.project else False,
                "user_ids": [Command.set(self.owner.ids)],
            }
        return {
            **values,
            "res_model_id": self.env["ir.model"]._get_id("res.partner"),
            "res_id": self.owner.sudo().partner_id.id,
            "user_id": self.owner.id,
            "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
        }

    def _with_tags(self, values):
        if "tag_ids" not in values:
            return dict(values)
        Tag = self.env["project.tags"].sudo()
        ids = []
        for tag in values["tag_ids"][0][2]:
            if not isinstance(tag, int):
                key = tag.lower()
                if not isinstance(self._tags.get(key), int):
                    self._tags[key] = Tag.create({"name": tag}).id
                tag = self._tags[key]
            ids.append(tag)
        return {**values, "tag_ids": [Command.set(ids)]}


def day_or_time(moment):
    """What is due at the end of a day is due on that day.

    :param datetime moment: in the zone of whoever has it
    """
    return moment.date() if time(moment.hour, moment.minute) == DAY_END else moment


def priority_of(number):
    """Odoo's four from nine (RFC 5545, 3.8.1.9: 1 is the highest, 0 says nothing)."""
    if not number or number > 5:
        return "0"
    return "3" if number == 1 else "2" if number < 5 else "1"

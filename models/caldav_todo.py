"""A user's to-dos for his programs: the tasks that are his, and his activities.

Owns which they are, under which UID, what they say as VTODO, and what touches them.
"""

import re
from dataclasses import replace
from datetime import time

from odoo import api, models
from odoo.tools import SQL

from ..ical.alarms import from_meaning
from ..ical.items import Todo
from ..ical.text import to_text
from ..ical.values import is_date
from .caldav_calendar import span_of
from .caldav_object import Found
from .ical_html import plain_text
from .ical_kept import original_item
from .ical_meeting import named_zone, utc
from .ical_todo import DAY_END

#: UIDs of what was made in Odoo: kind, number, and the database.
_UID = re.compile(r"odoo-(task|activity)-(\d{1,9})@(.+)")
_MODELS = {"task": "project.task", "activity": "mail.activity"}
#: VTODO's of Odoo's priorities (RFC 5545, 3.8.1.9: 1 is the highest).
PRIORITIES = {"3": 1, "2": 3, "1": 5}
_STATUSES = {
    "1_done": "COMPLETED", "1_canceled": "CANCELLED", "04_waiting_normal": "NEEDS-ACTION",
}  # fmt: skip
TASK = frozenset(
    {
        "name", "description", "date_deadline", "state", "priority", "active", "date_end",
        "project_id", "planned_date_start",
    }
)  # fmt: skip
TASK_RELATIONS = frozenset({"user_ids", "tag_ids", "alarm_ids"})
ACTIVITY = frozenset(
    {"summary", "note", "date_deadline", "user_id", "active", "activity_type_id", "res_name"}
)
#: What of an item comes from Odoo.
TOLD = ("summary", "description", "due", "status", "completed", "percent", "priority", "categories")


class CaldavCollection(models.Model):
    _inherit = "caldav.collection"

    def _query(self):
        if self.kind != "tasks":
            return super()._query()
        env = self.env(user=self.user_id, su=False, context={})
        query = env["project.task"]._search(
            [("user_ids", "in", self.user_id.ids), ("has_template_ancestor", "=", False)]
        )
        query.order = None
        return query

    def _holdings(self, only):
        if self.kind != "tasks":
            return super()._holdings(only)
        tasks = self._query()
        return SQL(
            """
            SELECT uid, 'todo' AS sees, TRUE AS is_part
              FROM (SELECT %(task)s AS uid FROM project_task todo WHERE todo.id IN %(tasks)s
                     UNION
                    SELECT %(activity)s FROM mail_activity todo
                     WHERE todo.user_id = %(user)s AND todo.active) AS own
             WHERE %(only)s
            """,
            task=self._todo_uid("task"), activity=self._todo_uid("activity"),
            tasks=tasks.subselect(), user=self.user_id.id,
            only=SQL("uid IN (%s)", only) if only else SQL("TRUE"),
        )  # fmt: skip

    def _todo_uid(self, kind):
        """SQL of the UID of ``todo``: the one it came with, or one of ours."""
        return SQL(
            """
            COALESCE((SELECT source.uid FROM calendar_ical_source source
                       WHERE source.%s = todo.id AND source.user_id = %s
                         AND source.component = 'VTODO' ORDER BY source.id LIMIT 1),
                     %s || todo.id || %s)
            """,
            SQL.identifier(f"{kind}_id"),
            self.user_id.id,
            f"odoo-{kind}-",
            f"@{self.env['caldav.object']._database()}",
        )

    def _todo_records(self, uids):
        """dict from UID to (record, original text or None), of this user's"""
        found = {}
        sources = self.env["calendar.ical.source"].search(
            [
                ("user_id", "=", self.user_id.id), ("component", "=", "VTODO"),
                ("uid", "in", list(uids)),
            ], order="id desc",
        )  # fmt: skip
        for source in sources:
            record = source.task_id or source.activity_id
            found[source.uid] = record.with_context(active_test=False), source.text
        for uid in uids:
            match = _UID.fullmatch(uid)
            if match and uid not in found and match[3] == self.env["caldav.object"]._database():
                record = self.env[_MODELS[match[1]]].browse(int(match[2])).exists()
                if record:
                    found[uid] = record, None
        return found


class CaldavObject(models.Model):
    _inherit = "caldav.object"

    @api.model
    def _database(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    def _make(self, uids, sees, collection):
        if sees != "todo":
            return super()._make(uids, sees, collection)
        found = {}
        writer = TodoWriter(collection.user_id)
        for uid, (record, text) in collection._todo_records(uids).items():
            made = to_text([writer.item(uid, record, text)])
            found[uid] = Found(made, *span_of(made))
        return found


class TodoWriter:
    """Makes items of tasks and activities.

    :param user: whose they are
    """

    def __init__(self, user):
        self.zone = named_zone(user.tz)
        self.language = user.lang

    def item(self, uid, record, text=None):
        """What Odoo has of it, and of the original what Odoo has no field for.

        :param str text: as it came, or None
        :rtype: Todo
        """
        item = self._task(uid, record) if record._name == "project.task" else (
            self._activity(uid, record))  # fmt: skip
        original = original_item(text)
        if original is None or original.NAME != "VTODO":
            return item
        return merged(original, item)

    def _common(self, uid, record):
        changed = utc(record.write_date)
        link = f"{record.get_base_url()}/mail/view?model={{}}&res_id={{}}"
        return {
            "uid": uid, "stamp": changed, "modified": changed, "created": utc(record.create_date)
        }, link  # fmt: skip

    def _task(self, uid, task):
        common, link = self._common(uid, task)
        done = task.state == "1_done"
        return Todo(
            summary=task.name,
            description=plain_text(task.description) or None,
            start=self._start(task.planned_date_start, task.date_deadline),
            due=self._due(task.date_deadline),
            alarms=self._alarms(task),
            status=_STATUSES.get(task.state, "IN-PROCESS"),
            completed=utc(task.date_end or task.write_date) if done else None,
            percent=100 if done else None,
            priority=PRIORITIES.get(task.priority),
            categories=tuple(task.tag_ids.mapped("name")),
            url=link.format("project.task", task.id),
            **common,
        )

    def _activity(self, uid, activity):
        common, link = self._common(uid, activity)
        activity = activity.with_context(lang=self.language)
        words = activity.summary or activity.activity_type_id.name or ""
        return Todo(
            summary=f"{words}: {activity.res_name}" if activity.res_name else words,
            description=plain_text(activity.note) or None,
            due=activity.date_deadline or None,
            status="NEEDS-ACTION" if activity.active else "COMPLETED",
            url=link.format(activity.res_model, activity.res_id) if activity.res_model else None,
            **common,
        )

    def _start(self, start, deadline):
        """When work on it is planned to begin; a day where its deadline is one (3.8.2.3)."""
        if not start or (deadline and start >= deadline):
            return None
        local = utc(start).astimezone(self.zone)
        return local.date() if is_date(self._due(deadline) or local) else local

    def _alarms(self, task):
        """Its reminders; of what has no start those are before it is due."""
        found = []
        for alarm in task.alarm_ids:
            meaning = alarm._meaning()
            if not task.planned_date_start and meaning.related == "start":
                meaning = replace(meaning, related="end")
            if task.planned_date_start or task.date_deadline or meaning.at:
                found.append(from_meaning(replace(meaning, kind="notification"), alarm.name))
        return tuple(found)

    def _due(self, at):
        """A day where Odoo has the end of one."""
        if not at:
            return None
        local = utc(at).astimezone(self.zone)
        return local.date() if time(local.hour, local.minute) == DAY_END else local


def differing(one, other):
    """Names of the fields in which two items say something else."""
    return {name for name in TOLD if _meaning(name, one) != _meaning(name, other)}


def _meaning(name, item):
    value = getattr(item, name)
    if name == "status":
        # Where nothing is done yet programs have several words for it.
        if item.completed or item.percent == 100:
            return "COMPLETED"
        return value if value in ("COMPLETED", "CANCELLED") else "OPEN"
    if name in ("completed", "percent"):
        return None
    if name == "priority":
        # Odoo has four of the nine.
        return 9 if not value or value > 5 else 1 if value == 1 else 3 if value < 5 else 5
    if name == "categories":
        return {one.lower() for one in value}
    if name == "due" and getattr(value, "tzinfo", None) is not None:
        return value.timestamp()
    return " ".join(value.split()) if isinstance(value, str) else value or None


def merged(original, item):
    """The original, with what Odoo says otherwise."""
    changes = {name: getattr(item, name) for name in differing(original, item)}
    if "status" in changes:
        changes |= {"completed": item.completed, "percent": item.percent}
    if changes:
        changes |= {"stamp": item.stamp, "modified": item.modified, "duration": None}
    return replace(original, uid=item.uid, **changes)


class CaldavTodoTouching(models.AbstractModel):
    """Tasks and activities: what touches them is noted under all of their UIDs."""

    _name = "caldav.todo.touching"
    _inherit = "caldav.touching"
    _description = "In the To-Dos for Other Programs"
    _caldav_kind = ""

    def _caldav_uids(self, ids):
        return SQL(
            """
            SELECT %s || id || %s FROM unnest(%s) AS id
             UNION ALL
            SELECT uid FROM calendar_ical_source WHERE %s = ANY(%s) AND component = 'VTODO'
            """,
            f"odoo-{self._caldav_kind}-",
            f"@{self.env['caldav.object']._database()}",
            ids,
            SQL.identifier(f"{self._caldav_kind}_id"),
            ids,
        )

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._caldav_note()
        return records


class ProjectTask(models.Model):
    _name = "project.task"
    _inherit = ["project.task", "caldav.todo.touching"]
    _caldav_watched = TASK
    _caldav_kind = "task"

    def write(self, vals):
        result = super().write(vals)
        if not TASK_RELATIONS.isdisjoint(vals):
            self._caldav_note()
        return result


class MailActivity(models.Model):
    _name = "mail.activity"
    _inherit = ["mail.activity", "caldav.todo.touching"]
    _caldav_watched = ACTIVITY
    _caldav_kind = "activity"


class CalendarIcalSource(models.Model):
    _inherit = "calendar.ical.source"

    def _note(self, owner, source, rows):
        """To-dos have another UID from now on: the one that they came with."""
        result = super()._note(owner, source, rows)
        todos = {}
        for component, uid, _digest, record, _text in rows:
            if component == "VTODO":
                todos.setdefault(record._name, (record.browse(), []))[1].append((uid, record.id))
        for model, pairs in todos.values():
            model.browse([res_id for _uid, res_id in pairs])._caldav_note()
        return result

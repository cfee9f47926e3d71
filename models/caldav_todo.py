"""A user's to-dos for his programs: the tasks that are his, and his activities.

Owns which they are, under which UID, what they say as VTODO, and what touches them.
"""

import re
from dataclasses import replace

from odoo import api, models
from odoo.tools import SQL

from ..ical.alarms import from_meaning, to_meaning
from ..ical.items import Todo
from ..ical.overlay import own_part, seen_shared, seen_until
from ..ical.parse import parse
from ..ical.text import to_text
from ..ical.values import is_date
from .caldav_calendar import span_of
from .caldav_object import Found
from .caldav_todo_rule import rules_of
from .calendar_reminder_activity import KINDS
from .ical_html import plain_text
from .ical_kept import kept_alarms, original_item
from .ical_meeting import named_zone, utc
from .ical_row import kept_text
from .ical_taken import tags_of
from .ical_todo import day_or_time

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
        "project_id", "planned_date_start", "recurrence_id",
    }
)  # fmt: skip
TASK_RELATIONS = frozenset({"user_ids", "tag_ids", "alarm_ids"})
ACTIVITY = frozenset(
    {"summary", "note", "date_deadline", "user_id", "active", "activity_type_id", "res_name"}
)
ACTIVITY_RELATIONS = frozenset({"alarm_ids"})
_DAY_MINUTES = 1440
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
        return self._todos_of(self.user_id, uids)

    @api.model
    def _todos_of(self, user, uids):
        """dict from UID to (record, original text or None), of what a user has under it"""
        found = {}
        sources = self.env["calendar.ical.source"].search(
            [
                ("user_id", "=", user.id), ("component", "=", "VTODO"),
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

    @api.model
    def _todo_uid_of(self, user, record):
        """The UID under which a user's programs have a task or an activity."""
        kind = record._caldav_kind
        source = self.env["calendar.ical.source"].search(
            [
                ("user_id", "=", user.id), ("component", "=", "VTODO"),
                (f"{kind}_id", "=", record.id),
            ], order="id", limit=1,
        )  # fmt: skip
        return source.uid or f"odoo-{kind}-{record.id}@{self.env['caldav.object']._database()}"


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
            made = to_text(writer.items(uid, record, text))
            found[uid] = Found(made, *span_of(made))
        return found


class TodoWriter:
    """Makes items of tasks and activities.

    :param user: whose they are
    """

    def __init__(self, user):
        self.zone = named_zone(user.tz)
        self.language = user.lang

    def items(self, uid, record, text=None):
        """Its item, and those of a series that Odoo keeps as text only."""
        item = self.item(uid, record, text)
        parts = parse(text.encode()).items[1:] if text and item.rules else ()
        return [item, *parts]

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
        is_held = record._name == "project.task" and bool(record.recurrence_id)
        return merged(original, item, is_held)

    def _common(self, uid, record):
        changed = utc(record.write_date)
        link = f"{record.get_base_url()}/mail/view?model={{}}&res_id={{}}"
        return {
            "uid": uid, "stamp": changed, "modified": changed, "created": utc(record.create_date)
        }, link  # fmt: skip

    def _task(self, uid, task):
        common, link = self._common(uid, task)
        done = task.state == "1_done"
        due = self._due(task.date_deadline)
        start = self._start(task.planned_date_start, task.date_deadline)
        rules = rules_of(task, start or due, due, self.zone)
        return Todo(
            summary=task.name,
            description=plain_text(task.description) or None,
            # 3.8.5.3: a rule counts from DTSTART.
            start=start or (due if rules else None),
            due=due,
            rules=rules,
            alarms=self.alarms(task),
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
            alarms=self.alarms(activity),
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

    def alarms(self, record):
        """The reminders of a task or an activity; of what has no start those are before it
        is due. Programs reckon from midnight where they have a day."""
        found = []
        for alarm in record.alarm_ids:
            if record._name == "project.task":
                meaning = self._task_meaning(alarm, record)
            elif alarm.alarm_type in KINDS:
                meaning = self._activity_meaning(alarm)
            else:
                meaning = None
            if meaning:
                found.append(from_meaning(replace(meaning, kind="notification"), alarm.name))
        return tuple(found)

    def _task_meaning(self, alarm, task):
        """What a reminder says of a task, None without the date that it wants."""
        meaning = alarm._meaning()
        if meaning.at:
            return meaning
        start, due = task.planned_date_start, task.date_deadline
        base = start if meaning.related == "start" and start else due
        if not base:
            return None
        if meaning.related == "start" and not self._start(start, due):
            # It says no start: the deadline is none, or the start is not before it.
            shift = int((base - due).total_seconds() // 60)
            meaning = replace(meaning, related="end", offset=meaning.offset + shift)
            base = due
        if is_date(self._due(due) or base):
            local = utc(base).astimezone(self.zone)
            minutes = local.hour * 60 + local.minute
            meaning = replace(meaning, offset=meaning.offset + minutes)
        return meaning

    def _activity_meaning(self, alarm):
        """What a reminder says of an activity; its DUE is the beginning of its day."""
        meaning = alarm._meaning(allday=True)
        if meaning.at:
            return meaning
        shift = _DAY_MINUTES if meaning.related == "end" else 0
        return replace(meaning, related="end", offset=meaning.offset + shift)

    def _due(self, at):
        """A day where Odoo has the end of one."""
        if not at:
            return None
        return day_or_time(utc(at).astimezone(self.zone))


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
        return {one.lower() for one in tags_of(value)}
    if name == "due" and getattr(value, "tzinfo", None) is not None:
        return value.timestamp()
    return " ".join(value.split()) if isinstance(value, str) else value or None


def merged(original, item, is_held=False):
    """The original, with what Odoo says otherwise.

    :param bool is_held: whether Odoo has its rule, or its end
    """
    changes = {name: getattr(item, name) for name in differing(original, item)}
    if "status" in changes:
        changes |= {"completed": item.completed, "percent": item.percent}
    if is_held:
        changes |= {"rules": item.rules, "rdates": (), "exdates": (), "exrules": ()}
        if item.rules and (original.start is None or "due" in changes):
            changes["start"] = item.start
    if changes:
        changes |= {"stamp": item.stamp, "modified": item.modified, "duration": None}
    # Those that are its reader's own are laid over it.
    alarms = kept_alarms(original.alarms, item.alarms)
    return replace(original, uid=item.uid, alarms=alarms, **changes)


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

    def write(self, vals):
        result = super().write(vals)
        if not ACTIVITY_RELATIONS.isdisjoint(vals):
            self._caldav_note()
        return result


class CalendarAlarm(models.Model):
    _inherit = "calendar.alarm"

    def _caldav_uids(self, ids):
        tasks = SQL(
            "ARRAY(SELECT task_id FROM project_task_calendar_alarm_rel WHERE alarm_id = ANY(%s))",
            ids,
        )
        activities = SQL(
            "ARRAY(SELECT activity_id FROM mail_activity_calendar_alarm_rel"
            " WHERE alarm_id = ANY(%s))",
            ids,
        )
        return SQL(
            "%s UNION ALL %s UNION ALL %s",
            super()._caldav_uids(ids),
            self.env["project.task"]._caldav_uids(tasks),
            self.env["mail.activity"]._caldav_uids(activities),
        )


class CalendarIcalSource(models.Model):
    _inherit = "calendar.ical.source"

    def _note(self, owner, source, rows):
        """To-dos have another UID from now on: the one that they came with. Their reminders
        are their owner's own."""
        rows = [(*row[:-1], self._without_rule(row[-2], row[-1])) for row in rows]
        result = super()._note(owner, source, rows)
        todos = {}
        for component, uid, _digest, record, text in rows:
            if component == "VTODO":
                todos.setdefault(record._name, (record.browse(), []))[1].append((uid, record.id))
                if text:
                    self.env["caldav.overlay"].sudo()._take_todo(owner, uid, record, text)
        for model, pairs in todos.values():
            model.browse([res_id for _uid, res_id in pairs])._caldav_note()
        return result

    @api.model
    def _without_rule(self, record, text):
        """The text of a to-do; a rule that its task has is said by that alone."""
        if not text or record._name != "project.task" or not record.sudo().recurrence_id:
            return text
        return kept_text(replace(original_item(text), rules=()))

    def _take_reminders(self):
        """Keep the reminders of a to-do that came before as its owner's own."""
        record = self.task_id or self.activity_id
        self.env["caldav.overlay"]._take_todo(self.user_id, self.uid, record, self.text)


class CaldavOverlay(models.Model):
    _inherit = "caldav.overlay"

    @api.model
    def _take_todo(self, user, uid, record, text):
        """Keep as his own what of a user's reminders is not what all have.

        :param record: the task or activity
        :param str text: as it came from him
        """
        sent = {to_meaning(alarm) for alarm in original_item(text).alarms}
        shared = {to_meaning(alarm) for alarm in TodoWriter(user).alarms(record.sudo())}
        own = own_part(text)
        if sent == shared:
            seen = seen_until(own)
            own = seen and seen_shared(seen)
        self._put(user, uid, own)

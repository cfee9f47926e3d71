"""Tasks that come again, as RRULE and back.

Odoo makes the next task when one is closed. So each task of a series is a to-do with a UID
of its own, and the one that is open carries the rule: programs see what was done, and what
is next. A rule that a task cannot have stays text.
"""

from dataclasses import replace
from datetime import datetime, time, timedelta

from odoo import api, models
from odoo.tools import SQL

from ..ical.errors import IcalError
from ..ical.items import Todo
from ..ical.overlay import own_alarms, own_part
from ..ical.rules import Rule
from ..ical.text import to_text
from ..ical.values import UTC, is_date
from .ical_todo import DAY_END

CLOSED = ("1_done", "1_canceled")
_FREQUENCIES = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}
_UNITS = {frequency: unit for unit, frequency in _FREQUENCIES.items()}
_LAST_SECOND = time(23, 59, 59)
_DAY = timedelta(days=1)
#: Odoo's months are clamped from then on: 31 January, 28 February, 28 March.
_LAST_SAFE_DAY = 28
#: Parts of a rule that a task has nothing for.
_FOREIGN = (
    "bysecond", "byminute", "byhour", "byyearday", "byweekno", "bysetpos", "other",
)  # fmt: skip


def rules_of(task, start, due, zone):
    """The RRULE of a task as a tuple; empty of one that does not come again (any more).

    :param start, due: as its VTODO says them
    :param zone: of whoever reads it
    """
    series = task.sudo().recurrence_id
    if not series or not due or task.state in CLOSED:
        return ()
    if series._get_last_task_id_per_recurrence_id().get(series.id) != task.id:
        return ()
    until = None
    if series.repeat_type == "until" and series.repeat_until:
        # Odoo compares the day in UTC on which a task is due.
        last = datetime.combine(series.repeat_until, _LAST_SECOND, UTC)
        if is_date(due):
            local = last.astimezone(zone)
            last = local.date() if local.time() >= DAY_END else local.date() - _DAY
        until = last - (due - start)
    frequency = _FREQUENCIES[series.repeat_unit]
    return (str(Rule(freq=frequency, interval=series.repeat_interval, until=until)),)


def repetition_of(item, zone, today):
    """Values of a task that comes again as a to-do says, or None where Odoo cannot do that.

    :param date today: Odoo takes no rule that is over
    """
    base = item.start if item.start is not None else item.stop
    if len(item.rules) != 1 or item.rdates or item.exdates or item.exrules or base is None:
        return None
    try:
        rule = Rule.parse(item.rules[0])
    except IcalError:
        return None
    if item.stop is None or is_date(item.stop) != is_date(base) or not _is_plain(rule, base):
        return None
    values = {
        "recurring_task": True, "repeat_unit": _UNITS[rule.freq],
        "repeat_interval": rule.interval, "repeat_type": "forever", "repeat_until": False,
    }  # fmt: skip
    if rule.until is not None:
        try:
            until = _last_due(rule.until, base, item.stop, zone)
        except OverflowError:
            # Beyond the last year that there is.
            return None
        if until < today:
            return None
        values |= {"repeat_type": "until", "repeat_until": until}
    return values


def same_rules(some, others):
    """Whether two tuples of RRULE say the same."""
    return some == others or sorted(map(_normal, some)) == sorted(map(_normal, others))


def one_done(items):
    """The to-do of these items; if a program has marked its present occurrence as done by a
    part of its own (RECURRENCE-ID), it is done."""
    main = next(item for item in items if item.recurrence_id is None)
    base = main.start if main.start is not None else main.due
    for part in items:
        is_present = is_date(part.recurrence_id or base) == is_date(base)
        if part is not main and is_present and part.recurrence_id == base and is_done(part):
            return replace(main, status="COMPLETED", completed=part.completed, percent=100)
    return main


def is_done(item):
    """Whether a to-do is done, or is not to be done any more."""
    return bool(item.status in ("COMPLETED", "CANCELLED") or item.completed or item.percent == 100)


def _is_plain(rule, base):
    """Whether a rule says nothing but every so many days, weeks, months or years."""
    if rule.freq not in _UNITS or rule.count is not None:
        return False
    if any(getattr(rule, name) for name in _FOREIGN):
        return False
    if rule.freq in ("MONTHLY", "YEARLY") and base.day > _LAST_SAFE_DAY:
        return False
    allowed = {
        "byday": ((0, base.weekday()),) if rule.freq == "WEEKLY" else (),
        "bymonthday": (base.day,) if rule.freq in ("MONTHLY", "YEARLY") else (),
        "bymonth": (base.month,) if rule.freq == "YEARLY" else (),
    }
    if rule.freq == "YEARLY" and rule.bymonthday and not rule.bymonth:
        # Each month.
        return False
    return all(getattr(rule, name) in ((), wanted) for name, wanted in allowed.items())


def _last_due(until, base, due, zone):
    """The day in UTC on which the last one of a series is due."""
    if is_date(due):
        day = until if is_date(until) else _aware(until, zone).astimezone(zone).date()
        last = datetime.combine(day + (due - base), DAY_END, zone)
        return last.astimezone(UTC).date()
    if is_date(until):
        until = datetime.combine(until, _LAST_SECOND)
    last = _aware(until, zone).astimezone(UTC) + (_aware(due, zone) - _aware(base, zone))
    is_reached = _aware(due, zone).astimezone(UTC).time() <= last.time()
    return last.date() if is_reached else last.date() - _DAY


def _aware(moment, zone):
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _normal(text):
    try:
        return str(Rule.parse(text))
    except IcalError:
        return text


class ProjectTask(models.Model):
    _inherit = "project.task"

    def _may_repeat(self, user):
        """Whether a program of this user can let the task come again."""
        self.ensure_one()
        return (
            self.allow_recurring_tasks
            and not self.parent_id
            and self.env["project.task.recurrence"].with_user(user).has_access("create")
        )


class ProjectTaskRecurrence(models.Model):
    _name = "project.task.recurrence"
    _inherit = ["project.task.recurrence", "caldav.touching"]
    _caldav_watched = frozenset({"repeat_interval", "repeat_unit", "repeat_type", "repeat_until"})

    def _caldav_uids(self, ids):
        tasks = SQL("ARRAY(SELECT id FROM project_task WHERE recurrence_id = ANY(%s))", ids)
        return self.env["project.task"]._caldav_uids(tasks)

    @api.model
    def _create_next_occurrences(self, occurrences_from):
        """Whoever has set his own reminders of one has them of the next one as well."""
        made = super()._create_next_occurrences(occurrences_from)
        following = {task.recurrence_id: task for task in made.sudo()}
        for task in occurrences_from.sudo():
            if task.recurrence_id in following:
                self.env["caldav.overlay"].sudo()._hand_on(task, following[task.recurrence_id])
        return made


class CaldavOverlay(models.Model):
    _inherit = "caldav.overlay"

    @api.model
    def _hand_on(self, task, following):
        """Give those who work on a task the reminders that they have set of the one before."""
        later = timedelta(0)
        if task.date_deadline and following.date_deadline:
            later = following.date_deadline - task.date_deadline
        collection = self.env["caldav.collection"]
        for user in following.user_ids:
            uid = collection._todo_uid_of(user, task)
            known = self.search([("user_id", "=", user.id), ("uid", "=", uid)])
            for place, alarms in own_alarms(known.text) if known else ():
                if place is None:
                    alarms = tuple(_later(alarm, later) for alarm in alarms if not alarm.snoozes)
                    uid = collection._todo_uid_of(user, following)
                    self._put(user, uid, own_part(to_text([Todo(uid=uid, alarms=alarms)])))


def _later(alarm, later):
    """An alarm as it is of the next one: nobody has seen that."""
    trigger = alarm.trigger
    if isinstance(trigger, datetime):
        trigger += later
    return replace(alarm, acknowledged=None, trigger=trigger)

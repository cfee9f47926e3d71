"""RRULE to the fields of Odoo's ``calendar.recurrence`` and back.

Only where both give the same occurrences: Odoo keeps a wrong rule silently
(``BYDAY=1MO,3MO`` as the first Monday, a yearly 4th Thursday as a monthly one).
What has no exact fields stays text, and is expanded from it. The way back knows
fields that Odoo has not got: ``year_month``, ``short_month``, ``workdays_only``, the
last day as ``month_by``, the fifth week as ``byday``.
"""

from datetime import date, datetime, time, timedelta

from .rules import Rule
from .values import UTC, is_date

#: The fields of the weekdays, Monday first.
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Values of ``weekday``, Monday first.
WEEKDAY_VALUES = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
#: Values of ``byday``: Odoo has no fifth and no last but one.
BYDAY_VALUES = ("1", "2", "3", "4", "-1")
#: Odoo makes no more occurrences than these, and says nothing.
MAX_COUNT = 720

#: Monday to Friday, as ``Rule.byday`` has them.
_WORKDAYS = tuple((0, day) for day in range(5))
#: The last day that every month has.
_SAFE_DAY = 28

_TYPES = {"DAILY": "daily", "WEEKLY": "weekly", "MONTHLY": "monthly", "YEARLY": "yearly"}


def to_fields(text, start, week_start=None, max_count=MAX_COUNT):
    """The fields of a rule, or None where no fields are exactly it.

    :param str text: value of the one RRULE of an item
    :param start: its DTSTART, date or datetime; the rule has to give it
    :param int week_start: first day of the week that Odoo will use (Monday 0),
        which it takes from the language of the user; without one, rules for
        which it matters are not exact
    :return: dict of field values: rrule_type, interval, end_type, count, until,
        mon ... sun, month_by, day, weekday, byday; those that do not matter are
        left out
    :raises BadRule: when the text is no rule

    >>> to_fields("FREQ=MONTHLY;BYDAY=2TU;COUNT=3", date(2026, 11, 10))["byday"]
    '2'
    >>> to_fields("FREQ=MONTHLY;BYMONTHDAY=1,15", date(2026, 11, 1))
    """
    rule = Rule.parse(text)
    if rule.freq not in _TYPES or rule.other or rule.byyearday or rule.byweekno:
        return None
    if not _same_time(rule, start):
        return None
    found = {
        "DAILY": _daily, "WEEKLY": _weekly, "MONTHLY": _monthly, "YEARLY": _yearly,
    }[rule.freq](rule, start, week_start)  # fmt: skip
    if found is None:
        return None
    ending = _ending(rule, start, max_count)
    return None if ending is None else {**found, **ending}


def _same_time(rule, start):
    """Whether BYHOUR and the like say no more than DTSTART does."""
    wall = start if isinstance(start, datetime) else datetime.combine(start, time.min)
    return (
        set(rule.byhour) <= {wall.hour}
        and set(rule.byminute) <= {wall.minute}
        and set(rule.bysecond) <= {wall.second}
    )


def _plain_days(rule):
    """The weekdays of a BYDAY without numbers, as a set; None with numbers."""
    if any(n for n, _ in rule.byday):
        return None
    return {day for _, day in rule.byday}


def _daily(rule, start, week_start):
    if rule.bymonth or rule.bymonthday:
        return None
    if rule.byday:
        days = _plain_days(rule)
        # "Every day, Monday to Friday" is every week on these days.
        if rule.interval != 1 or days is None or rule.bysetpos or start.weekday() not in days:
            return None
        return _week(1, days)
    # One time a day: the first and the last of the set are that one.
    if not set(rule.bysetpos) <= {1, -1}:
        return None
    return {"rrule_type": "daily", "interval": rule.interval}


def _weekly(rule, start, week_start):
    if rule.bymonth or rule.bymonthday or rule.bysetpos:
        return None
    days = {day for _, day in rule.byday} or {start.weekday()}
    if start.weekday() not in days:
        return None
    wkst = rule.wkst or 0
    # Which days are one week matters when not every week counts. Odoo takes
    # the first day of the week from the language of whoever saves.
    if rule.interval > 1 and week_start != wkst and not _week_start_is_idle(days, start):
        return None
    return _week(rule.interval, days)


def _week_start_is_idle(days, start):
    """Whether the days of the first week are the same whatever day it begins with."""
    patterns = {
        frozenset((day - wkst) % 7 - (start.weekday() - wkst) % 7 for day in days)
        for wkst in range(7)
    }
    return len(patterns) == 1


def _week(interval, days):
    return {
        "rrule_type": "weekly", "interval": interval,
        **{name: number in days for number, name in enumerate(DAYS)},
    }  # fmt: skip


def _monthly(rule, start, week_start):
    if rule.bymonth:
        return None
    return _of_month(rule, start, rule.interval)


def _of_month(rule, start, interval):
    base = {"rrule_type": "monthly", "interval": interval}
    if not rule.byday:
        if rule.bysetpos and not set(rule.bysetpos) <= {1, -1}:
            return None
        if rule.bymonthday in ((), (start.day,)):
            return {**base, "month_by": "date", "day": start.day}
        return None
    if rule.bymonthday or len(rule.byday) != 1:
        return None
    number, day = rule.byday[0]
    if not number:
        # Outlook: BYDAY=TU;BYSETPOS=2.
        if len(rule.bysetpos) != 1:
            return None
        number = rule.bysetpos[0]
    elif not set(rule.bysetpos) <= {1, -1}:
        return None
    if str(number) not in BYDAY_VALUES or start.weekday() != day or not _is_nth(start, number):
        return None
    return {
        **base, "month_by": "day", "byday": str(number), "weekday": WEEKDAY_VALUES[day],
    }  # fmt: skip


def _is_nth(day, number):
    if number > 0:
        return (day.day + 6) // 7 == number
    return (_date(day) + timedelta(days=7)).month != day.month


def _yearly(rule, start, week_start):
    if rule.bymonth not in ((), (start.month,)):
        return None
    if rule.byday:
        # The fourth Thursday of November comes every twelve months; without
        # BYMONTH the number would count the Thursdays of the year.
        if not rule.bymonth or rule.interval > 80:
            return None
        return _of_month(rule, start, 12 * rule.interval)
    if rule.bymonthday and (rule.bymonthday != (start.day,) or not rule.bymonth):
        return None
    if not set(rule.bysetpos) <= {1, -1}:
        return None
    return {"rrule_type": "yearly", "interval": rule.interval}


def _ending(rule, start, max_count):
    if rule.count is not None:
        if rule.until is not None or not 1 <= rule.count <= max_count:
            return None
        return {"end_type": "count", "count": rule.count}
    if rule.until is None:
        return {"end_type": "forever"}
    last = _last_day(rule.until, start)
    return {"end_type": "end_date", "until": last} if last >= _date(start) else None


def _last_day(until, start):
    """The last day on which an occurrence may be: Odoo's ``until`` is inclusive."""
    if is_date(start):
        return _date(until)
    if is_date(until):
        until = datetime.combine(until, time.min)
    elif until.tzinfo is not None and start.tzinfo is not None:
        until = until.astimezone(start.tzinfo)
    # An occurrence on that day, but after UNTIL, is none.
    late = until.replace(tzinfo=None).time() < start.replace(tzinfo=None).time()
    return until.date() - timedelta(days=1) if late else until.date()


def _date(moment):
    return date(moment.year, moment.month, moment.day)


def from_fields(fields, start, week_start=0):
    """The RRULE of Odoo's fields.

    :param dict fields: as :func:`to_fields` gives them
    :param start: DTSTART, which says what kind UNTIL has to be (3.3.10)
    :param int week_start: the first day of the week that Odoo used (Monday 0)
    :return: str

    >>> from_fields({"rrule_type": "weekly", "interval": 2, "mon": True, "end_type": "count",
    ...              "count": 4}, date(2026, 11, 2))
    'FREQ=WEEKLY;COUNT=4;INTERVAL=2;BYDAY=MO'
    """
    kind = fields["rrule_type"]
    parts = {"freq": kind.upper(), "interval": fields.get("interval") or 1}
    if kind == "weekly":
        parts["byday"] = tuple((0, n) for n, name in enumerate(DAYS) if fields.get(name))
        if parts["interval"] > 1 and week_start:
            parts["wkst"] = week_start
    elif kind == "daily" and fields.get("workdays_only"):
        parts["byday"] = _WORKDAYS
    elif kind == "monthly":
        parts |= _day_of_month(fields, start)
    elif kind == "yearly" and fields.get("year_month"):
        parts |= {"bymonth": (int(fields["year_month"]),), **_day_of_month(fields, start)}
    ending = fields.get("end_type") or "forever"
    if ending == "count":
        parts["count"] = fields["count"]
    elif ending == "end_date":
        parts["until"] = _until(fields["until"], start)
    return str(Rule(**parts))


def _day_of_month(fields, start):
    """The parts of a rule that say which day of its month it is."""
    month_by = fields.get("month_by")
    if month_by == "day":
        day = WEEKDAY_VALUES.index(fields["weekday"])
        return {"byday": ((int(fields["byday"]), day),)}
    workdays = fields.get("workdays_only")
    if month_by == "last_day":
        if workdays:
            return {"byday": _WORKDAYS, "bysetpos": (-1,)}
        return {"bymonthday": (-1,)}
    day = fields.get("day") or start.day
    if workdays and day <= _SAFE_DAY - 2:
        # The next working day: all three are in every month.
        return {"bymonthday": (day, day + 1, day + 2), "byday": _WORKDAYS, "bysetpos": (1,)}
    if workdays:
        # The working day before, so that the month stays the same.
        first = min(day, _SAFE_DAY) - 2
        days = tuple(range(first, day + 1))
        return {"bymonthday": days, "byday": _WORKDAYS, "bysetpos": (-1,)}
    if fields.get("short_month") == "last" and day > _SAFE_DAY:
        return {"bymonthday": tuple(range(_SAFE_DAY, day + 1)), "bysetpos": (-1,)}
    return {"bymonthday": (day,)}


def _until(last, start):
    """UNTIL of the kind that DTSTART has: a date, a local time, or UTC (3.3.10)."""
    if is_date(start):
        return last
    end = datetime.combine(last, time(23, 59, 59))
    return end if start.tzinfo is None else end.replace(tzinfo=start.tzinfo).astimezone(UTC)

"""When a rule about a date acts: the date, the delay, the time zone.

Owns the arithmetic. Delays of minutes and hours are lengths of time; days,
working days and months are steps on the calendar of a time zone, so that "one
day before at 9:00" is at 9:00 also when the clocks change in between.
"""

import datetime

import pytz
from dateutil.relativedelta import relativedelta

UTC = pytz.utc
UNITS = ("minutes", "hours", "days", "workdays", "months")
DAY = datetime.timedelta(days=1)
#: How far a moment may be from where a plain length of time would put it. Clocks
#: change by up to three hours; a month has 28 to 31 days.
SLACK = {
    "minutes": datetime.timedelta(),
    "hours": datetime.timedelta(),
    "days": datetime.timedelta(hours=3),
    "workdays": 2 * DAY,
    "months": 4 * DAY,
}
#: A mere date is an hour of a day in a zone that is up to 14 hours off.
DAY_SLACK = 2 * DAY
#: So many days in a row without work: there is no working day.
MAX_PAUSE = 100


class NoWorkday(ValueError):
    """The working hours have no day on which anybody works."""


def moment_of(value, number, unit, before, zone="UTC", hour=0.0, is_workday=None):
    """The moment at which a rule acts.

    :param value: naive ``datetime`` in UTC, or a ``date``
    :param int number: the delay, 0 or more
    :param str unit: one of ``UNITS``
    :param bool before: the delay is counted back from the date
    :param str zone: name of the zone whose calendar counts
    :param float hour: hour of the day that a mere date means there
    :param is_workday: for working days, function of a ``date`` to whether it is one
    :return: naive ``datetime`` in UTC, without microseconds
    :raises NoWorkday: when no working day is near

    >>> moment_of(datetime.datetime(2026, 3, 1, 9, 0), 5, "minutes", True)
    datetime.datetime(2026, 3, 1, 8, 55)

    One day before, over the change to summer time in Madrid: the same hour there.

    >>> moment_of(datetime.datetime(2026, 3, 29, 7, 0), 1, "days", True, "Europe/Madrid")
    datetime.datetime(2026, 3, 28, 8, 0)

    A month after the last of January is the last of February:

    >>> moment_of(datetime.date(2026, 1, 31), 1, "months", False, "Europe/Madrid", 8.5)
    datetime.datetime(2026, 2, 28, 7, 30)

    Two working days before a Monday is the Thursday:

    >>> weekdays = lambda day: day.weekday() < 5
    >>> monday = datetime.datetime(2026, 3, 2, 9, 0)
    >>> moment_of(monday, 2, "workdays", True, is_workday=weekdays)
    datetime.datetime(2026, 2, 26, 9, 0)
    """
    tz = pytz.timezone(zone)
    sign = -1 if before else 1
    if isinstance(value, datetime.datetime):
        local = UTC.localize(value).astimezone(tz).replace(tzinfo=None)
    else:
        local = datetime.datetime.combine(value, datetime.time())
        local += datetime.timedelta(minutes=round(hour * 60))
    if unit == "workdays":
        day = step_workdays(local.date(), sign * number, is_workday, sign)
        moment = _to_utc(datetime.datetime.combine(day, local.time()), tz)
    elif unit in ("days", "months"):
        local += sign * relativedelta(**{unit: number})
        moment = _to_utc(local, tz)
    else:
        start = value if isinstance(value, datetime.datetime) else _to_utc(local, tz)
        moment = start + sign * datetime.timedelta(**{unit: number})
    return moment.replace(microsecond=0)


def step_workdays(day, number, is_workday, direction=1):
    """The working day so many working days away.

    :param date day: where to begin
    :param int number: how many, negative to go back; 0 is the day itself, or the next
        working day in the direction
    :param is_workday: function of a ``date``
    :param int direction: 1 or -1, for a number of 0
    :raises NoWorkday: after ``MAX_PAUSE`` days in a row without work

    >>> weekdays = lambda day: day.weekday() < 5
    >>> step_workdays(datetime.date(2026, 3, 7), 0, weekdays)
    datetime.date(2026, 3, 9)
    >>> step_workdays(datetime.date(2026, 3, 7), 1, weekdays)
    datetime.date(2026, 3, 9)
    """
    step = datetime.timedelta(days=direction if not number else (1 if number > 0 else -1))
    left, pause = abs(number), 0
    if not number:
        day -= step
        left = 1
    while left:
        day += step
        pause += 1
        if is_workday(day):
            left -= 1
            pause = 0
        elif pause > MAX_PAUSE:
            raise NoWorkday(f"no working day near {day}")
    return day


def _to_utc(local, tz):
    """UTC of a wall clock. An hour that the clocks skip is read as before the
    change, one that they repeat as the first (RFC 5545, 3.3.5)."""
    return (
        tz.normalize(tz.localize(local, is_dst=_is_dst(local, tz)))
        .astimezone(UTC)
        .replace(tzinfo=None)
    )


def _is_dst(local, tz):
    try:
        tz.localize(local, is_dst=None)
    except pytz.NonExistentTimeError:
        return False
    except pytz.AmbiguousTimeError:
        return True
    return False


def value_window(first, last, number, unit, before, is_workday=None):
    """Where the dates lie whose moments are between two others.

    Exact for minutes and hours, a little wide for the others. Of a mere date, add
    ``DAY_SLACK`` on both sides.

    :param first: earliest moment, naive ``datetime`` in UTC
    :param last: latest moment
    :return: pair of naive ``datetime``

    >>> start = datetime.datetime(2026, 5, 1)
    >>> value_window(start, start, 2, "hours", True)
    (datetime.datetime(2026, 5, 1, 2, 0), datetime.datetime(2026, 5, 1, 2, 0))
    >>> value_window(start, start, 1, "months", False)
    (datetime.datetime(2026, 3, 28, 0, 0), datetime.datetime(2026, 4, 5, 0, 0))
    """
    sign = 1 if before else -1
    slack = SLACK[unit]
    if unit == "workdays":
        # Dates on days without work have the moments of the working days beside them.
        # The day at UTC may be the one beside that of the zone.
        low = step_workdays(first.date() - DAY, sign * number, is_workday, sign)
        low = step_workdays(low, -1, is_workday)
        high = step_workdays(last.date() + DAY, sign * number, is_workday, sign)
        high = step_workdays(high, 1, is_workday)
        midnight = datetime.time()
        return (
            datetime.datetime.combine(low, midnight) - slack,
            datetime.datetime.combine(high, midnight) + DAY + slack,
        )
    shift = sign * relativedelta(**{unit: number})
    return first + shift - slack, last + shift + slack

"""When a rule about a date acts: the date, the delay, the time zone.

Owns the arithmetic. Delays of minutes and hours are lengths of time; days and
months are steps on the calendar of a time zone, so that "one day before at
9:00" is at 9:00 also when the clocks change in between.
"""

import datetime

import pytz
from dateutil.relativedelta import relativedelta

UTC = pytz.utc
UNITS = ("minutes", "hours", "days", "months")
#: A month has 28 to 31 days, and a zone is at most 14 hours off.
SLACK = datetime.timedelta(days=4)


def moment_of(value, number, unit, before, zone="UTC", hour=0.0):
    """The moment at which a rule acts.

    :param value: naive ``datetime`` in UTC, or a ``date``
    :param int number: the delay, 0 or more
    :param str unit: minutes, hours, days or months
    :param bool before: the delay is counted back from the date
    :param str zone: name of the zone whose calendar counts
    :param float hour: hour of the day that a mere date means there
    :return: naive ``datetime`` in UTC, without microseconds

    >>> moment_of(datetime.datetime(2026, 3, 1, 9, 0), 5, "minutes", True)
    datetime.datetime(2026, 3, 1, 8, 55)

    One day before, over the change to summer time in Madrid: the same hour there.

    >>> moment_of(datetime.datetime(2026, 3, 29, 7, 0), 1, "days", True, "Europe/Madrid")
    datetime.datetime(2026, 3, 28, 8, 0)

    A month after the last of January is the last of February:

    >>> moment_of(datetime.date(2026, 1, 31), 1, "months", False, "Europe/Madrid", 8.5)
    datetime.datetime(2026, 2, 28, 7, 30)
    """
    tz = pytz.timezone(zone)
    sign = -1 if before else 1
    if isinstance(value, datetime.datetime):
        local = UTC.localize(value).astimezone(tz).replace(tzinfo=None)
    else:
        local = datetime.datetime.combine(value, datetime.time())
        local += datetime.timedelta(minutes=round(hour * 60))
    if unit in ("days", "months"):
        local += sign * relativedelta(**{unit: number})
        moment = _to_utc(local, tz)
    else:
        start = value if isinstance(value, datetime.datetime) else _to_utc(local, tz)
        moment = start + sign * datetime.timedelta(**{unit: number})
    return moment.replace(microsecond=0)


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


def value_window(first, last, number, unit, before):
    """Where the dates lie whose moments are between two others; a little wide.

    :param first: earliest moment, naive ``datetime`` in UTC
    :param last: latest moment
    :return: pair of naive ``datetime``

    >>> start = datetime.datetime(2026, 5, 1)
    >>> value_window(start, start, 2, "hours", True)
    (datetime.datetime(2026, 4, 27, 2, 0), datetime.datetime(2026, 5, 5, 2, 0))
    """
    shift = relativedelta(**{unit: number}) * (1 if before else -1)
    return first + shift - SLACK, last + shift + SLACK

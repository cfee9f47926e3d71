"""Value types of RFC 5545, 3.3: text, dates and times, durations, numbers.

A moment is a ``date`` (VALUE=DATE), a ``datetime`` without tzinfo (floating:
the wall clock wherever one is, 3.3.5 form 1), or one with tzinfo (forms 2, 3).

The ``icalendar`` library reads these as well, and the tests hold the two against
each other over every file of the corpus. It is not asked here because it keeps
the custom time zones of all files in one table of the process, so that one
user's file could change what another one's means; because it gives a component
up at the first odd value; and because a moment costs it thirty times as much.
"""

import re
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta, timezone

from .errors import BadValue

UTC = timezone.utc

_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")
_DATE_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)[Tt](\d\d)(\d\d)(\d\d)([Zz]?)")
# What is written in their place: ISO 8601's long form, a space, no seconds.
_LOOSE = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[Tt ]\s*(\d\d?):?(\d\d)(?::?(\d\d))?(?:[.,]\d+)?"
    r"\s*(Z|z|UTC|[+-]\d\d:?\d\d)?)?"
)
_DURATION = re.compile(
    r"([+-])?P(?:(\d{1,7})W)?(?:(\d{1,8})D)?"
    r"(T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,11})S)?)?",
    re.I,
)
_ESCAPE = re.compile(r"\\(.)", re.S)
_TO_ESCAPE = re.compile(r"[\\;,\n]")
# Control characters have no place in text (3.1: TSAFE-CHAR, HTAB alone).
_SPECIAL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\\;,]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def read_text(value):
    r"""TEXT without its escapes (3.3.11). Unknown ones lose their backslash.

    >>> read_text(r"a\, b\nc\\d")
    'a, b\nc\\d'
    """
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def write_text(value):
    r"""TEXT with its escapes (3.3.11); control characters are left out.

    >>> write_text("a, b\r\nc")
    'a\\, b\\nc'
    """
    if not _SPECIAL.search(value):
        return value
    value = _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    return _TO_ESCAPE.sub(lambda found: "\\n" if found[0] == "\n" else "\\" + found[0], value)


def write_plain(value):
    """A value that knows no escapes (URI, tokens): what would break the line is left out."""
    if value.isprintable():
        return value
    return _CONTROL.sub("", value.replace("\n", "").replace("\r", ""))


def split_text(value, separator=","):
    r"""Split a list of TEXT at the separators that are not escaped.

    >>> split_text(r"a\,b,c")
    ['a\\,b', 'c']
    """
    if "\\" not in value:
        return value.split(separator)
    parts = [[]]
    for found in re.finditer(rf"\\.|[^\\{separator}]+|{separator}|\\$", value, re.S):
        if found[0] == separator:
            parts.append([])
        else:
            parts[-1].append(found[0])
    return ["".join(part) for part in parts]


def read_date(value):
    """DATE (3.3.4).

    :raises BadValue: when it is none
    """
    found = _DATE.fullmatch(value)
    if not found:
        raise BadValue(f"{value[:40]!r} is no date")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError as error:
        raise BadValue(f"{value[:40]!r} is no date: {error}") from error


def read_date_time(value):
    """DATE-TIME (3.3.5): aware (UTC) with a Z, else without tzinfo.

    :raises BadValue: when it is none

    >>> read_date_time("20261125T101500Z")
    datetime.datetime(2026, 11, 25, 10, 15, tzinfo=datetime.timezone.utc)
    """
    found = _DATE_TIME.fullmatch(value)
    if not found:
        raise BadValue(f"{value[:40]!r} is no date and time")
    year, month, day, hour, minute, second, utc = found.groups()
    # 3.3.12: 60 is a leap second; Python's clocks have none.
    second = "59" if second == "60" else second
    try:
        return datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second),
            tzinfo=UTC if utc else None,
        )  # fmt: skip
    except ValueError as error:
        raise BadValue(f"{value[:40]!r} is no date and time: {error}") from error


def read_loosely(value):
    """What is meant to be a date or a time but is written otherwise.

    ISO 8601's long form, an offset instead of a zone, 24 o'clock, no seconds.

    :return: date or datetime
    :raises BadValue: when nobody could read it

    >>> read_loosely("2026-11-25T10:15:00+01:00")
    datetime.datetime(2026, 11, 25, 9, 15, tzinfo=datetime.timezone.utc)
    >>> read_loosely("20261125T240000")
    datetime.datetime(2026, 11, 26, 0, 0)
    """
    found = _LOOSE.fullmatch(value.strip())
    if not found:
        raise BadValue(f"{value[:40]!r} is no date")
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
        if found[4] is None:
            return day
        hour, minute, second = int(found[4]), int(found[5]), int(found[6] or 0)
        if (hour, minute, second) == (24, 0, 0):
            hour, day = 0, day + timedelta(days=1)
        moment = datetime(day.year, day.month, day.day, hour, minute, min(second, 59))
        if not found[7]:
            return moment
        return (moment - _offset_of(found[7])).replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise BadValue(f"{value[:40]!r} is no date: {error}") from error


def _offset_of(text):
    if text[0] not in "+-":
        return timedelta(0)
    return read_offset(text.replace(":", ""))


def read_duration(value):
    """DURATION (3.3.6).

    :rtype: timedelta; days are days of the calendar, the rest is exact time
    :raises BadValue: when it is none

    >>> read_duration("-P1DT2H")
    datetime.timedelta(days=-2, seconds=79200)
    """
    found = _DURATION.fullmatch(value.strip())
    if not found or not any(found.group(2, 3, 5, 6, 7)):
        raise BadValue(f"{value[:40]!r} is no duration")
    sign, weeks, days, _, hours, minutes, seconds = found.groups()
    try:
        amount = timedelta(
            weeks=int(weeks or 0), days=int(days or 0), hours=int(hours or 0),
            minutes=int(minutes or 0), seconds=int(seconds or 0),
        )  # fmt: skip
    except OverflowError as error:
        raise BadValue(f"{value[:40]!r} is too long a duration") from error
    return -amount if sign == "-" else amount


def write_duration(amount):
    """DURATION (3.3.6).

    >>> write_duration(timedelta(days=1, minutes=30)), write_duration(-timedelta(minutes=15))
    ('P1DT30M', '-PT15M')
    >>> write_duration(timedelta(0)), write_duration(timedelta(weeks=2))
    ('PT0S', 'P14D')
    """
    sign = "-" if amount < timedelta(0) else ""
    amount = abs(amount)
    hours, rest = divmod(amount.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    days = f"{amount.days}D" if amount.days else ""
    time = "".join(
        f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S"))
        if number
    )  # fmt: skip
    if not days and not time:
        return "PT0S"
    return f"{sign}P{days}{'T' + time if time else ''}"


def read_offset(value):
    """UTC-OFFSET (3.3.14), as a timedelta.

    >>> read_offset("-0330")
    datetime.timedelta(days=-1, seconds=73800)
    """
    found = re.fullmatch(r"([+-]?)(\d\d)(\d\d)(\d\d)?", value.strip().replace(":", ""))
    if not found:
        raise BadValue(f"{value[:40]!r} is no offset from UTC")
    sign, hours, minutes, seconds = found.groups()
    amount = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
    # datetime takes less than a day; no place on Earth has more than 15 hours.
    if amount >= timedelta(hours=24):
        raise BadValue(f"{value[:40]!r} is no offset from UTC")
    return -amount if sign == "-" else amount


def write_offset(amount):
    """UTC-OFFSET (3.3.14).

    >>> write_offset(-timedelta(hours=3, minutes=30)), write_offset(timedelta(0))
    ('-0330', '+0000')
    """
    sign = "-" if amount < timedelta(0) else "+"
    minutes, seconds = divmod(abs(int(amount.total_seconds())), 60)
    tail = f"{seconds:02}" if seconds else ""
    return f"{sign}{minutes // 60:02}{minutes % 60:02}{tail}"


def write_moment(moment):
    """DATE or DATE-TIME, without its parameters; in UTC with a Z.

    >>> write_moment(date(2026, 1, 2)), write_moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    ('20260102', '20260102T030405Z')
    """
    if not isinstance(moment, datetime):
        return f"{moment.year:04}{moment.month:02}{moment.day:02}"
    return (
        f"{moment.year:04}{moment.month:02}{moment.day:02}"
        f"T{moment.hour:02}{moment.minute:02}{moment.second:02}"
        f"{'Z' if is_utc(moment) else ''}"
    )


def is_utc(moment):
    """Whether it is written with a Z: UTC as such, not a zone that has its offset."""
    return moment.tzinfo is UTC or str(moment.tzinfo) in ("UTC", "Etc/UTC")


def is_date(moment):
    """Whether it is a day without a time."""
    return isinstance(moment, date) and not isinstance(moment, datetime)


def add(moment, amount):
    """A moment and a duration: days by the calendar, the rest by the clock (3.3.6).

    A day over a change to daylight saving is a day, whatever hours it has; 24
    hours, which Python cannot tell from a day, count as one.

    :raises BadValue: beyond the year 9999
    """
    try:
        if is_date(moment):
            if amount.seconds:
                moment = datetime(moment.year, moment.month, moment.day)
            return moment + amount
        if moment.tzinfo is None or moment.tzinfo is UTC:
            return moment + amount
        sign = -1 if amount < timedelta(0) else 1
        days = timedelta(days=abs(amount).days)
        rest = abs(amount) - days
        moment = moment + sign * days
        if not rest:
            return moment
        return (moment.astimezone(UTC) + sign * rest).astimezone(moment.tzinfo)
    except OverflowError as error:
        raise BadValue("a moment beyond the year 9999") from error


def same(one, other):
    """Whether two values are written the same.

    Not ``==``: 10:00 in Madrid and 09:00 in UTC are equal moments, and two
    different things to say.
    """
    if one is other:
        return True
    if isinstance(one, datetime) and isinstance(other, datetime):
        return (
            one.replace(tzinfo=None) == other.replace(tzinfo=None)
            and one.fold == other.fold
            and str(one.tzinfo) == str(other.tzinfo)
        )
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one):
        return all(
            same(getattr(one, each.name), getattr(other, each.name))
            for each in fields(one) if each.compare
        )  # fmt: skip
    return one == other


def sameness(value):
    """What two values have in common just when they are :func:`same`; it can be looked up."""
    if isinstance(value, datetime):
        return datetime, value.replace(tzinfo=None), value.fold, str(value.tzinfo)
    if isinstance(value, tuple):
        return type(value), tuple(map(sameness, value))
    if is_dataclass(value):
        found = (getattr(value, each.name) for each in fields(value) if each.compare)
        return type(value), tuple(map(sameness, found))
    return type(value), value

"""How the value of each property is read (RFC 5545, 3.8).

A reader gets a :class:`Reader`, the parameters and the value. It raises
:class:`~ical.errors.BadValue`, or notes on the Reader what it put right.
"""

from datetime import datetime, timedelta, timezone

from . import values
from .errors import BadValue, Repair
from .items import Attachment, Attendee, BusyTime, Conference, Period, Related
from .limits import DEFAULT
from .rules import Rule
from .values import UTC, is_date


class Reader:
    """What the readers know of the file, and the repairs they note.

    ``fixed`` is the line as it should have been written, once a reader has put
    something right that other programs would stumble over.
    """

    __slots__ = (
        "zones", "limits", "chunk", "repairs", "number", "line", "name", "fixed", "_numbers",
    )  # fmt: skip

    def __init__(self, zones, limits=DEFAULT, chunk=None):
        self.zones = zones
        self.limits = limits
        self.chunk = chunk
        self.repairs = []
        self.number = 0
        self.line = ""
        self.name = ""
        self.fixed = None
        self._numbers = None

    def at(self):
        """The line of the file that is being read, or 0."""
        if self.chunk is None:
            return 0
        if self._numbers is None:
            self._numbers = self.chunk.line_numbers()
        return self._numbers[min(self.number, len(self._numbers) - 1)]

    def repair(self, code, line=None):
        """Note what was put right; once a line, however often it is there."""
        text = self.line if line is None else line
        repair = Repair(code, self.at(), text[:200])
        if not self.repairs or self.repairs[-1] != repair:
            self.repairs.append(repair)


def read_text(reader, params, value):
    return values.read_text(value)


def read_word(reader, params, value):
    """A token: CLASS, STATUS, ACTION and the like, in capitals."""
    word = value.strip().upper()
    if not word:
        raise BadValue("an empty value")
    return word


def read_plain(reader, params, value):
    return value.strip()


def read_integer(reader, params, value):
    text = value.strip()
    try:
        number = int(text) if len(text) < 11 else None
    except ValueError:
        number = None
    if number is None or abs(number) >= 2**31:
        raise BadValue(f"{text[:20]!r} is no number")
    return number


def read_natural(reader, params, value):
    number = read_integer(reader, params, value)
    if number < 0:
        raise BadValue(f"{number} is less than nothing")
    return number


def read_geo(reader, params, value):
    # 3.8.1.6: latitude, semicolon, longitude. A comma is common.
    parts = value.replace("\\", "").replace(",", ";").split(";")
    try:
        latitude, longitude = map(float, parts)
    except ValueError as error:
        raise BadValue(f"{value[:40]!r} is no place") from error
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise BadValue(f"{value[:40]!r} is not on Earth")
    return latitude, longitude


def read_moment(reader, params, value):
    """DATE or DATE-TIME with its TZID, with all that is forgiven about them."""
    value = value.strip()
    if not value:
        raise BadValue("an empty value")
    tzid, kind = None, ""
    if params:
        tzid, kind = params.get("TZID"), (params.get("VALUE") or "").upper()
    try:
        moment = values.read_date(value) if len(value) == 8 else values.read_date_time(value)
    except BadValue:
        moment = values.read_loosely(value)
        _fix(reader, params.put(TZID=None) if is_date(moment) else params, moment, "loose_time")
    if is_date(moment):
        return _as_day(reader, params, moment, tzid, kind)
    if kind == "DATE":
        # A day that a program wrote with a time; midnight is how most do it.
        moment = moment.date()
        _fix(reader, params.put(TZID=None), moment, "date_with_time")
        return moment
    if value[13:15] == "60":
        _fix(reader, params, moment, "no_such_time")
    return moment if tzid is None else _in_zone(reader, params, moment, tzid)


def _as_day(reader, params, moment, tzid, kind):
    if kind != "DATE":
        # 3.2.20: the default of all these properties is DATE-TIME.
        _fix(reader, params.put(TZID=None, VALUE="DATE"), moment, "date_without_value")
    elif tzid is not None:
        # 3.2.19: no TZID on a DATE; harmless.
        _fix(reader, params.put(TZID=None), moment, None)
    return moment


def _in_zone(reader, params, moment, tzid):
    if moment.tzinfo is not None:
        # 3.3.5: "The TZID property parameter MUST NOT be applied to ... UTC".
        _fix(reader, params.put(TZID=None), moment, "utc_with_zone")
        return moment
    zone = reader.zones.get(tzid) if reader.zones is not None else None
    if zone is None:
        reader.repair("time_without_zone")
        return moment
    if isinstance(zone, timezone) and zone is not UTC:
        reader.repair("zone_by_offset")
    return moment.replace(tzinfo=zone)


def _fix(reader, params, moment, code):
    """Write the line as it should be; of a list (EXDATE) the whole line is written later."""
    if code:
        reader.repair(code)
    reader.fixed = (params, moment)


def read_utc(reader, params, value):
    """A time that has to be in UTC: DTSTAMP and the like. Others are taken as they are."""
    moment = read_moment(reader, params, value)
    if is_date(moment):
        raise BadValue(f"{value[:40]!r} has no time")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def read_duration(reader, params, value):
    return values.read_duration(value)


def read_many_moments(reader, params, value):
    """EXDATE (3.8.5.1): several, separated by commas."""
    found = []
    for text in value.split(","):
        if text.strip():
            found.append(read_moment(reader, params, text))
        else:
            _fix(reader, params, None, "empty_value")
    return tuple(found)


def read_recurrence_dates(reader, params, value):
    """RDATE (3.8.5.2): dates, times or periods."""
    found = []
    for text in value.split(","):
        if not text.strip():
            _fix(reader, params, None, "empty_value")
        elif "/" in text:
            found.append(read_period(reader, params, text))
        else:
            found.append(read_moment(reader, params.put(VALUE=None) if (
                (params.get("VALUE") or "").upper() == "PERIOD") else params, text))  # fmt: skip
    return tuple(found)


def read_period(reader, params, text):
    """PERIOD (3.3.9)."""
    first, _, second = text.strip().partition("/")
    own = params.put(VALUE=None)
    start = read_moment(reader, own, first)
    if is_date(start):
        # A period of days: from midnight to midnight.
        _fix(reader, params, start, "loose_time")
        start = _midnight(start)
    if second.strip().upper().lstrip("+-").startswith("P"):
        amount = values.read_duration(second)
        if amount < timedelta(0):
            raise BadValue(f"{text[:40]!r} ends before it begins")
        return Period(start, duration=amount)
    end = read_moment(reader, own, second)
    if is_date(end):
        end = _midnight(end)
    if (end.tzinfo is None) != (start.tzinfo is None):
        raise BadValue(f"{text[:40]!r} has two kinds of times")
    if end.tzinfo is not None and str(end.tzinfo) != str(start.tzinfo):
        end = end.astimezone(start.tzinfo)
    if end < start:
        raise BadValue(f"{text[:40]!r} ends before it begins")
    return Period(start, end=end)


def read_busy(reader, params, value):
    kind = (params.get("FBTYPE") or "BUSY").upper()
    periods = [read_period(reader, params, text) for text in value.split(",") if text.strip()]
    return tuple(BusyTime(period, kind) for period in periods)


def _midnight(day):
    return datetime(day.year, day.month, day.day)


def read_rule(reader, params, value):
    rule = Rule.parse(value)
    text = value.strip()
    if rule.loose:
        text = str(rule)
        reader.repair("bad_rule_part")
        reader.fixed = (params, text)
    return (text,)


def read_texts(reader, params, value):
    return (values.read_text(value),)


def read_list_of_texts(reader, params, value):
    """CATEGORIES, RESOURCES (3.8.1.2, 3.8.1.10)."""
    texts = (values.read_text(part).strip() for part in values.split_text(value))
    return tuple(text for text in texts if text)


def read_address(kind):
    def read(reader, params, value):
        uri = value.strip()
        # CN=Foo: bar, unquoted: the value begins at the last "mailto:".
        at = -1 if uri[:7].lower() == "mailto:" else uri.lower().rfind(":mailto:")
        return kind(uri[at + 1 :] if at >= 0 else uri, params)

    return read


def read_addresses(reader, params, value):
    return (read_address(Attendee)(reader, params, value),)


def read_attachment(reader, params, value):
    found = Attachment(value.strip(), params)
    if found.is_inline and len(found.value) * 3 // 4 > reader.limits.inline_bytes:
        reader.repair("attachment_too_large", reader.line[:80])
    return (found,)


def read_conference(reader, params, value):
    uri = value.strip()
    if not uri:
        raise BadValue("an empty value")
    return (Conference(uri, params, reader.name),)


def read_relation(reader, params, value):
    return (Related(values.read_text(value.strip()), params),)


def read_trigger(reader, params, value):
    """TRIGGER (3.8.6.3): a duration, or a time in UTC."""
    if value.strip().upper().lstrip("+-").startswith("P"):
        return values.read_duration(value)
    return read_utc(reader, params.put(VALUE=None), value)

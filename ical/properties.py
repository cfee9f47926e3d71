"""The table from properties to fields: how each is read, and written again.

One entry a property, beside its RFC paragraph. A reader raises
:class:`~ical.errors.BadValue`, or notes on the :class:`Reader` what it put
right; a writer gets the parameters the property had, and returns those it shall
have, so that parameters nobody knows survive the change of a value.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .errors import BadValue, IcalError, Repair
from .items import (
    Attachment,
    Attendee,
    BusyTime,
    Conference,
    Organizer,
    Period,
    Related,
)
from .limits import DEFAULT
from .rules import Rule
from .values import (
    UTC,
    is_date,
    is_utc,
    read_date,
    read_date_time,
    read_duration,
    read_loosely,
    read_text,
    split_text,
    write_duration,
    write_moment,
    write_plain,
    write_text,
)
from .zones import key_of


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


def _text(reader, params, value):
    return read_text(value)


def _word(reader, params, value):
    """A token: CLASS, STATUS, ACTION and the like, in capitals."""
    word = value.strip().upper()
    if not word:
        raise BadValue("an empty value")
    return word


def _plain(reader, params, value):
    return value.strip()


def _integer(reader, params, value):
    text = value.strip()
    try:
        number = int(text) if len(text) < 11 else None
    except ValueError:
        number = None
    if number is None or abs(number) >= 2**31:
        raise BadValue(f"{text[:20]!r} is no number")
    return number


def _natural(reader, params, value):
    number = _integer(reader, params, value)
    if number < 0:
        raise BadValue(f"{number} is less than nothing")
    return number


def _geo(reader, params, value):
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
    tzid, kind = (params.get("TZID"), params.raw("VALUE")) if params else (None, None)
    kind = kind.strip('"').upper() if kind else ""
    try:
        if len(value) == 8:
            moment = read_date(value)
        else:
            moment = read_date_time(value)
            if moment.tzinfo is None and tzid is None and kind != "DATE":
                return moment
            if value[13:15] == "60" and reader.name:
                _fix(reader, params, moment, "no_such_time")
    except BadValue:
        moment = read_loosely(value)
        if reader.name:
            _fix(reader, params.put(TZID=None) if is_date(moment) else params, moment, "loose_time")
    if is_date(moment):
        if kind != "DATE":
            # 3.2.20: the default of all these properties is DATE-TIME.
            _fix(reader, params.put(TZID=None, VALUE="DATE"), moment, "date_without_value")
        elif tzid is not None:
            # 3.2.19: no TZID on a DATE; harmless.
            _fix(reader, params.put(TZID=None), moment, None)
        return moment
    if kind == "DATE":
        # A day that a program wrote with a time; midnight is how most do it.
        moment = moment.date()
        _fix(reader, params.put(TZID=None), moment, "date_with_time")
        return moment
    if tzid is None:
        return moment
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


def _utc(reader, params, value):
    """A time that has to be in UTC: DTSTAMP and the like. Others are taken as they are."""
    moment = read_moment(reader, params, value)
    if is_date(moment):
        raise BadValue(f"{value[:40]!r} has no time")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _duration(reader, params, value):
    return read_duration(value)


def _many_moments(reader, params, value):
    """EXDATE (3.8.5.1): several, separated by commas."""
    found = []
    for text in value.split(","):
        if text.strip():
            found.append(read_moment(reader, params, text))
        else:
            _fix(reader, params, None, "empty_value")
    return tuple(found)


def _recurrence_dates(reader, params, value):
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
        amount = read_duration(second)
        if amount < timedelta(0):
            raise BadValue(f"{text[:40]!r} ends before it begins")
        return Period(start, duration=amount)
    end = read_moment(reader, own, second)
    if is_date(end):
        end = _midnight(end)
    if (end.tzinfo is None) != (start.tzinfo is None):
        raise BadValue(f"{text[:40]!r} has two kinds of times")
    return Period(start, end=end)


def _busy(reader, params, value):
    kind = (params.get("FBTYPE") or "BUSY").upper()
    periods = [read_period(reader, params, text) for text in value.split(",") if text.strip()]
    return tuple(BusyTime(period, kind) for period in periods)


def _midnight(day):
    return datetime(day.year, day.month, day.day)


def _rule(reader, params, value):
    rule = Rule.parse(value)
    text = value.strip()
    if rule.loose:
        text = str(rule)
        reader.repair("bad_rule_part")
        reader.fixed = (params, text)
    return (text,)


def _texts(reader, params, value):
    return (read_text(value),)


def _list_of_texts(reader, params, value):
    """CATEGORIES, RESOURCES (3.8.1.2, 3.8.1.10)."""
    texts = (read_text(part).strip() for part in split_text(value))
    return tuple(text for text in texts if text)


def _address(kind):
    def read(reader, params, value):
        uri = value.strip()
        # CN=Foo: bar, unquoted: the value begins at the last "mailto:".
        at = -1 if uri[:7].lower() == "mailto:" else uri.lower().rfind(":mailto:")
        return kind(uri[at + 1 :] if at >= 0 else uri, params)

    return read


def _addresses(reader, params, value):
    return (_address(Attendee)(reader, params, value),)


def _attachment(reader, params, value):
    found = Attachment(value.strip(), params)
    if found.is_inline and len(found.value) * 3 // 4 > reader.limits.inline_bytes:
        reader.repair("attachment_too_large", reader.line[:80])
    return (found,)


def _conference(reader, params, value):
    uri = value.strip()
    if not uri:
        raise BadValue("an empty value")
    return (Conference(uri, params, reader.name),)


def _relation(reader, params, value):
    return (Related(read_text(value.strip()), params),)


def _trigger(reader, params, value):
    """TRIGGER (3.8.6.3): a duration, or a time in UTC."""
    if value.strip().upper().lstrip("+-").startswith("P"):
        return read_duration(value)
    return _utc(reader, params.put(VALUE=None), value)


# --- Writers: (value, the parameters it had, zones) to (parameters, text)


def _write_text(value, params, zones):
    return params, write_text(value)


def _write_word(value, params, zones):
    return params, write_plain(value)


def _write_integer(value, params, zones):
    return params, str(value)


def _write_geo(value, params, zones):
    return params, f"{value[0]};{value[1]}"


def zone_name(moment, had, zones):
    """TZID of a moment: the name the property had, if it means the same zone."""
    if had and zones is not None and zones.get(had) == moment.tzinfo:
        return had
    return getattr(moment.tzinfo, "tzid", None) or key_of(moment.tzinfo)


def write_one_moment(value, params, zones):
    """DATE, floating, UTC, or local with a TZID; a bare offset becomes UTC (3.3.5)."""
    if is_date(value):
        return params.put(TZID=None, VALUE="DATE"), write_moment(value)
    if (params.get("VALUE") or "").upper() in ("DATE", "PERIOD"):
        params = params.put(VALUE=None)
    if value.tzinfo is None:
        return params.put(TZID=None), write_moment(value)
    if not is_utc(value):
        name = zone_name(value, params.get("TZID"), zones)
        if name:
            return params.put(TZID=name), write_moment(value)
        value = value.astimezone(UTC)
    return params.put(TZID=None), write_moment(value)


def _write_utc(value, params, zones):
    moment = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return params.put(TZID=None, VALUE=None), write_moment(moment)


def _write_duration(value, params, zones):
    return params, write_duration(value)


def _write_trigger(value, params, zones):
    if isinstance(value, timedelta):
        return params.put(VALUE=None, TZID=None), write_duration(value)
    params, text = _write_utc(value, params.put(RELATED=None), zones)
    return params.put(VALUE="DATE-TIME"), text


def _write_recurrence_date(value, params, zones):
    if not isinstance(value, Period):
        return write_one_moment(value, params, zones)
    params, text = write_one_moment(value.start, params, zones)
    if value.end is None:
        return params.put(VALUE="PERIOD"), f"{text}/{write_duration(value.duration)}"
    # Both ends of a period have the TZID of the property.
    end = value.end
    if end.tzinfo is not None:
        end = end.astimezone(value.start.tzinfo if params.get("TZID") else UTC)
    return params.put(VALUE="PERIOD"), f"{text}/{write_moment(end)}"


def _write_busy(value, params, zones):
    def utc(moment):
        return write_moment(moment.astimezone(UTC) if moment.tzinfo else moment)

    end = write_duration(value.period.duration) if value.period.end is None else utc(
        value.period.end)  # fmt: skip
    kind = None if value.kind == "BUSY" and not params.get("FBTYPE") else value.kind
    return params.put(FBTYPE=kind), f"{utc(value.period.start)}/{end}"


def _write_address(value, params, zones):
    return value.params, write_plain(value.uri)


def _write_valued(value, params, zones):
    return value.params, write_plain(value.value)


def _write_conference(value, params, zones):
    # RFC 7986, 5.11: VALUE=URI is a must.
    params = value.params.put(VALUE="URI") if value.source == "CONFERENCE" else value.params
    return params, write_plain(value.uri)


def _write_relation(value, params, zones):
    return value.params, write_text(value.uid)


@dataclass(frozen=True, slots=True)
class Property:
    """One entry: ``many`` values to a field, ``vital`` for when it takes place.

    What is vital and unreadable makes the whole item unreadable: an event at
    a wrong time is worse than none. Anything else is left out.
    """

    name: str
    field: str
    read: object
    write: object
    many: bool = False
    vital: bool = False
    #: RFC 5545 allows it once, and twice would mislead readers
    once: bool = False
    #: it may stand several times, and the first is taken
    repeats: bool = False
    #: fields beside the main one that the property's parameters hold
    also: tuple = ()


_P = Property
_COMMON = (
    _P("UID", "uid", _text, _write_text, once=True),  # 3.8.4.7
    _P("RECURRENCE-ID", "recurrence_id", read_moment, write_one_moment, vital=True, once=True,
       also=("this_and_future",)),  # 3.8.4.4
    _P("SEQUENCE", "sequence", _natural, _write_integer, once=True),  # 3.8.7.4
    _P("DTSTAMP", "stamp", _utc, _write_utc, once=True),  # 3.8.7.2
    _P("CREATED", "created", _utc, _write_utc, once=True),  # 3.8.7.1
    _P("LAST-MODIFIED", "modified", _utc, _write_utc, once=True),  # 3.8.7.3
    _P("DTSTART", "start", read_moment, write_one_moment, vital=True, once=True),  # 3.8.2.4
    _P("DURATION", "duration", _duration, _write_duration, once=True),  # 3.8.2.5
    _P("RRULE", "rules", _rule, _write_word, many=True, vital=True),  # 3.8.5.3
    _P("EXRULE", "exrules", _rule, _write_word, many=True, vital=True),  # RFC 2445, 4.8.5.2
    _P("RDATE", "rdates", _recurrence_dates, _write_recurrence_date, many=True,
       vital=True),  # 3.8.5.2
    _P("EXDATE", "exdates", _many_moments, write_one_moment, many=True, vital=True),  # 3.8.5.1
    _P("SUMMARY", "summary", _text, _write_text),  # 3.8.1.12
    _P("DESCRIPTION", "description", _text, _write_text),  # 3.8.1.5
    _P("LOCATION", "location", _text, _write_text),  # 3.8.1.7
    _P("URL", "url", _plain, _write_word),  # 3.8.4.6
    _P("COMMENT", "comments", _texts, _write_text, many=True),  # 3.8.1.4
    _P("CONTACT", "contacts", _texts, _write_text, many=True),  # 3.8.4.2
    _P("RESOURCES", "resources", _list_of_texts, _write_text, many=True),  # 3.8.1.10
    _P("CATEGORIES", "categories", _list_of_texts, _write_text, many=True),  # 3.8.1.2
    _P("CLASS", "access", _word, _write_word),  # 3.8.1.3
    _P("STATUS", "status", _word, _write_word),  # 3.8.1.11
    _P("PRIORITY", "priority", _natural, _write_integer),  # 3.8.1.9
    _P("GEO", "geo", _geo, _write_geo),  # 3.8.1.6
    _P("COLOR", "color", _text, _write_text),  # RFC 7986, 5.9
    _P("ORGANIZER", "organizer", _address(Organizer), _write_address, once=True),  # 3.8.4.3
    _P("ATTENDEE", "attendees", _addresses, _write_address, many=True),  # 3.8.4.1
    _P("ATTACH", "attachments", _attachment, _write_valued, many=True),  # 3.8.1.1
    _P("CONFERENCE", "conferences", _conference, _write_conference, many=True),  # RFC 7986, 5.11
    # Where Google and Microsoft put the link of the video call.
    _P("X-GOOGLE-CONFERENCE", "conferences", _conference, _write_conference, many=True),
    _P("X-MICROSOFT-SKYPETEAMSMEETINGURL", "conferences", _conference, _write_conference,
       many=True),
    _P("RELATED-TO", "relations", _relation, _write_relation, many=True),  # 3.8.4.5
    _P("REQUEST-STATUS", "request_status", lambda reader, params, value: (value.strip(),),
       _write_word, many=True),  # 3.8.8.3
)  # fmt: skip
_TRANSP = _P("TRANSP", "transparency", _word, _write_word)  # 3.8.2.7
_DTEND = _P("DTEND", "end", read_moment, write_one_moment, once=True)  # 3.8.2.2


def _table(*properties):
    return {entry.name: entry for entry in properties}


#: Component name: property name: entry.
TABLES = {
    "VEVENT": _table(*_COMMON, _DTEND, _TRANSP),
    "VTODO": _table(
        *_COMMON,
        _P("DUE", "due", read_moment, write_one_moment, once=True),  # 3.8.2.3
        _P("COMPLETED", "completed", _utc, _write_utc, once=True),  # 3.8.2.1
        _P("PERCENT-COMPLETE", "percent", _natural, _write_integer),  # 3.8.1.8
    ),
    # 3.6.3: a journal entry may have several descriptions.
    "VJOURNAL": _table(
        *_COMMON, _P("DESCRIPTION", "description", _text, _write_text, repeats=True)
    ),
    "VFREEBUSY": _table(
        *_COMMON, _DTEND, _P("FREEBUSY", "busy", _busy, _write_busy, many=True)
    ),  # 3.8.2.6
    "VALARM": _table(
        _P("ACTION", "action", _word, _write_word),  # 3.8.6.1
        _P("TRIGGER", "trigger", _trigger, _write_trigger, also=("related",)),  # 3.8.6.3
        _P("REPEAT", "repeat", _natural, _write_integer),  # 3.8.6.2
        _P("DURATION", "duration", _duration, _write_duration),  # 3.8.2.5
        _P("SUMMARY", "summary", _text, _write_text),
        _P("DESCRIPTION", "description", _text, _write_text),
        _P("ATTENDEE", "attendees", _addresses, _write_address, many=True),
        _P("ATTACH", "attachments", _attachment, _write_valued, many=True),
        _P("UID", "uid", _text, _write_text),  # RFC 9074, 4
        _P("ACKNOWLEDGED", "acknowledged", _utc, _write_utc),  # RFC 9074, 6.1
        _P("RELATED-TO", "relations", _relation, _write_relation, many=True),  # RFC 9074, 5
        _P("PROXIMITY", "proximity", _word, _write_word),  # RFC 9074, 8.1
    ),
}


def read_property(reader, entry, params, value, found):
    """Read one property into ``found``, the fields of an item by name.

    :return: whether the line is to be kept
    :raises IcalError: when the item cannot do without it
    """
    reader.fixed = None
    if not value.strip() and entry.read not in (_text, _texts, _list_of_texts, _plain):
        # "DTEND:" and the like; an empty text is a text.
        reader.repair("empty_value")
        return False
    try:
        read = entry.read(reader, params, value)
    except IcalError as error:
        if entry.vital:
            raise type(error)(f"{entry.name}: {error.message}", reader.at()) from error
        reader.repair("value_dropped")
        return False
    if entry.many:
        found[entry.field] = found.get(entry.field, ()) + read
    elif entry.field in found:
        if not entry.repeats:
            reader.repair("repeated")
        return not entry.once
    else:
        found[entry.field] = read
        if entry.also:
            _read_also(entry, params, found)
    if reader.fixed is not None:
        reader.fixed = _fixed_line(reader, entry, read, *reader.fixed)
        return bool(reader.fixed)
    return True


def _read_also(entry, params, found):
    if entry.name == "RECURRENCE-ID":
        # 3.2.13. THISANDPRIOR of RFC 2445 is not to be followed.
        found["this_and_future"] = (params.get("RANGE") or "").upper() == "THISANDFUTURE"
    elif isinstance(found["trigger"], timedelta):
        # 3.2.14: START is the default.
        end = (params.get("RELATED") or "").upper() == "END"
        found["related"] = "END" if end else "START"


def _fixed_line(reader, entry, read, params, value):
    if isinstance(value, str):
        return f"{entry.name}{params}:{value}"
    if entry.many:
        if not read:
            return None
        texts = [entry.write(one, params, reader.zones) for one in read]
        return f"{entry.name}{texts[0][0]}:{','.join(text for _, text in texts)}"
    params, text = entry.write(read, params, reader.zones)
    return f"{entry.name}{params}:{text}"


def write_property(entry, item, value, params, zones):
    """The content line of one value.

    :param Params params: those the property had; empty for a new one
    """
    params, text = entry.write(value, params, zones)
    if entry.name == "RECURRENCE-ID":
        params = params.put(RANGE="THISANDFUTURE" if item.this_and_future else None)
    elif entry.name == "TRIGGER" and isinstance(value, timedelta):
        params = params.put(RELATED="END" if item.related == "END" else None)
    name = getattr(value, "source", entry.name)
    return f"{name}{params}:{text}"


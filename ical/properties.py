"""The table from properties to fields: how each is read, and written again.

One entry a property, beside its RFC paragraph; paragraphs without an RFC are of
RFC 5545.
"""

from dataclasses import dataclass
from datetime import timedelta

from . import readers as r
from . import writers as w
from .errors import IcalError
from .items import Organizer


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
    _P("UID", "uid", r.read_text, w.write_text, once=True),  # 3.8.4.7
    _P("RECURRENCE-ID", "recurrence_id", r.read_moment, w.write_one_moment, vital=True, once=True,
       also=("this_and_future",)),  # 3.8.4.4
    _P("SEQUENCE", "sequence", r.read_natural, w.write_integer, once=True),  # 3.8.7.4
    _P("DTSTAMP", "stamp", r.read_utc, w.write_utc, once=True),  # 3.8.7.2
    _P("CREATED", "created", r.read_utc, w.write_utc, once=True),  # 3.8.7.1
    _P("LAST-MODIFIED", "modified", r.read_utc, w.write_utc, once=True),  # 3.8.7.3
    _P("DTSTART", "start", r.read_moment, w.write_one_moment, vital=True, once=True),  # 3.8.2.4
    _P("DURATION", "duration", r.read_duration, w.write_duration, once=True),  # 3.8.2.5
    _P("RRULE", "rules", r.read_rule, w.write_word, many=True, vital=True),  # 3.8.5.3
    _P("EXRULE", "exrules", r.read_rule, w.write_word, many=True, vital=True),  # RFC 2445, 4.8.5.2
    _P("RDATE", "rdates", r.read_recurrence_dates, w.write_recurrence_date, many=True,
       vital=True),  # 3.8.5.2
    # 3.8.5.1
    _P("EXDATE", "exdates", r.read_many_moments, w.write_one_moment, many=True, vital=True),
    _P("SUMMARY", "summary", r.read_text, w.write_text),  # 3.8.1.12
    _P("DESCRIPTION", "description", r.read_text, w.write_text),  # 3.8.1.5
    _P("LOCATION", "location", r.read_text, w.write_text),  # 3.8.1.7
    _P("URL", "url", r.read_plain, w.write_word),  # 3.8.4.6
    _P("COMMENT", "comments", r.read_texts, w.write_text, many=True),  # 3.8.1.4
    _P("CONTACT", "contacts", r.read_texts, w.write_text, many=True),  # 3.8.4.2
    _P("RESOURCES", "resources", r.read_list_of_texts, w.write_text, many=True),  # 3.8.1.10
    _P("CATEGORIES", "categories", r.read_list_of_texts, w.write_text, many=True),  # 3.8.1.2
    _P("CLASS", "access", r.read_word, w.write_word),  # 3.8.1.3
    _P("STATUS", "status", r.read_word, w.write_word),  # 3.8.1.11
    _P("PRIORITY", "priority", r.read_natural, w.write_integer),  # 3.8.1.9
    _P("GEO", "geo", r.read_geo, w.write_geo),  # 3.8.1.6
    _P("COLOR", "color", r.read_text, w.write_text),  # RFC 7986, 5.9
    _P("ORGANIZER", "organizer", r.read_address(Organizer), w.write_address, once=True),  # 3.8.4.3
    _P("ATTENDEE", "attendees", r.read_addresses, w.write_address, many=True),  # 3.8.4.1
    _P("ATTACH", "attachments", r.read_attachment, w.write_valued, many=True),  # 3.8.1.1
    # RFC 7986, 5.11
    _P("CONFERENCE", "conferences", r.read_conference, w.write_conference, many=True),
    # Where Google and Microsoft put the link of the video call.
    _P("X-GOOGLE-CONFERENCE", "conferences", r.read_conference, w.write_conference, many=True),
    _P("X-MICROSOFT-SKYPETEAMSMEETINGURL", "conferences", r.read_conference, w.write_conference,
       many=True),
    _P("RELATED-TO", "relations", r.read_relation, w.write_relation, many=True),  # 3.8.4.5
    _P("REQUEST-STATUS", "request_status", lambda reader, params, value: (value.strip(),),
       w.write_word, many=True),  # 3.8.8.3
)  # fmt: skip
_TRANSP = _P("TRANSP", "transparency", r.read_word, w.write_word)  # 3.8.2.7
_DTEND = _P("DTEND", "end", r.read_moment, w.write_one_moment, once=True)  # 3.8.2.2


def _table(*properties):
    return {entry.name: entry for entry in properties}


#: Component name: property name: entry.
TABLES = {
    "VEVENT": _table(*_COMMON, _DTEND, _TRANSP),
    "VTODO": _table(
        *_COMMON,
        _P("DUE", "due", r.read_moment, w.write_one_moment, once=True),  # 3.8.2.3
        _P("COMPLETED", "completed", r.read_utc, w.write_utc, once=True),  # 3.8.2.1
        _P("PERCENT-COMPLETE", "percent", r.read_natural, w.write_integer),  # 3.8.1.8
    ),
    # 3.6.3: a journal entry may have several descriptions.
    "VJOURNAL": _table(
        *_COMMON,
        _P("DESCRIPTION", "description", r.read_text, w.write_text, repeats=True),
    ),
    "VFREEBUSY": _table(
        *_COMMON, _DTEND, _P("FREEBUSY", "busy", r.read_busy, w.write_busy, many=True)
    ),  # 3.8.2.6
    "VALARM": _table(
        _P("ACTION", "action", r.read_word, w.write_word),  # 3.8.6.1
        _P("TRIGGER", "trigger", r.read_trigger, w.write_trigger, also=("related",)),  # 3.8.6.3
        _P("REPEAT", "repeat", r.read_natural, w.write_integer),  # 3.8.6.2
        _P("DURATION", "duration", r.read_duration, w.write_duration),  # 3.8.2.5
        _P("SUMMARY", "summary", r.read_text, w.write_text),
        _P("DESCRIPTION", "description", r.read_text, w.write_text),
        _P("ATTENDEE", "attendees", r.read_addresses, w.write_address, many=True),
        _P("ATTACH", "attachments", r.read_attachment, w.write_valued, many=True),
        _P("UID", "uid", r.read_text, w.write_text),  # RFC 9074, 4
        _P("ACKNOWLEDGED", "acknowledged", r.read_utc, w.write_utc),  # RFC 9074, 6.1
        _P("RELATED-TO", "relations", r.read_relation, w.write_relation, many=True),  # RFC 9074, 5
        _P("PROXIMITY", "proximity", r.read_word, w.write_word),  # RFC 9074, 8.1
    ),
}


def read_property(reader, entry, params, value, found):
    """Read one property into ``found``, the fields of an item by name.

    :return: whether the line is to be kept
    :raises IcalError: when the item cannot do without it
    """
    reader.fixed = None
    if not value.strip() and entry.read not in (
        r.read_text,
        r.read_texts,
        r.read_list_of_texts,
        r.read_plain,
    ):
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
        reader.fixed = None
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

"""The table from properties to fields: how each is read, and written again.

One entry a property, beside its RFC paragraph; paragraphs without an RFC are of
RFC 5545.
"""

from dataclasses import dataclass
from datetime import timedelta

from . import readers, writers
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
    _P("UID", "uid", readers.read_text, writers.write_text, once=True),  # 3.8.4.7
    _P("RECURRENCE-ID", "recurrence_id", readers.read_moment, writers.write_one_moment, vital=True, once=True,
       also=("this_and_future",)),  # 3.8.4.4
    _P("SEQUENCE", "sequence", readers.read_natural, writers.write_integer, once=True),  # 3.8.7.4
    _P("DTSTAMP", "stamp", readers.read_utc, writers.write_utc, once=True),  # 3.8.7.2
    _P("CREATED", "created", readers.read_utc, writers.write_utc, once=True),  # 3.8.7.1
    _P("LAST-MODIFIED", "modified", readers.read_utc, writers.write_utc, once=True),  # 3.8.7.3
    _P("DTSTART", "start", readers.read_moment, writers.write_one_moment, vital=True, once=True),  # 3.8.2.4
    _P("DURATION", "duration", readers.read_duration, writers.write_duration, once=True),  # 3.8.2.5
    _P("RRULE", "rules", readers.read_rule, writers.write_word, many=True, vital=True),  # 3.8.5.3
    _P("EXRULE", "exrules", readers.read_rule, writers.write_word, many=True, vital=True),  # RFC 2445, 4.8.5.2
    _P("RDATE", "rdates", readers.read_recurrence_dates, writers.write_recurrence_date, many=True,
       vital=True),  # 3.8.5.2
    _P("EXDATE", "exdates", readers.read_many_moments, writers.write_one_moment, many=True, vital=True),  # 3.8.5.1
    _P("SUMMARY", "summary", readers.read_text, writers.write_text),  # 3.8.1.12
    _P("DESCRIPTION", "description", readers.read_text, writers.write_text),  # 3.8.1.5
    _P("LOCATION", "location", readers.read_text, writers.write_text),  # 3.8.1.7
    _P("URL", "url", readers.read_plain, writers.write_word),  # 3.8.4.6
    _P("COMMENT", "comments", readers.read_texts, writers.write_text, many=True),  # 3.8.1.4
    _P("CONTACT", "contacts", readers.read_texts, writers.write_text, many=True),  # 3.8.4.2
    _P("RESOURCES", "resources", readers.read_list_of_texts, writers.write_text, many=True),  # 3.8.1.10
    _P("CATEGORIES", "categories", readers.read_list_of_texts, writers.write_text, many=True),  # 3.8.1.2
    _P("CLASS", "access", readers.read_word, writers.write_word),  # 3.8.1.3
    _P("STATUS", "status", readers.read_word, writers.write_word),  # 3.8.1.11
    _P("PRIORITY", "priority", readers.read_natural, writers.write_integer),  # 3.8.1.9
    _P("GEO", "geo", readers.read_geo, writers.write_geo),  # 3.8.1.6
    _P("COLOR", "color", readers.read_text, writers.write_text),  # RFC 7986, 5.9
    _P("ORGANIZER", "organizer", readers.read_address(Organizer), writers.write_address, once=True),  # 3.8.4.3
    _P("ATTENDEE", "attendees", readers.read_addresses, writers.write_address, many=True),  # 3.8.4.1
    _P("ATTACH", "attachments", readers.read_attachment, writers.write_valued, many=True),  # 3.8.1.1
    _P("CONFERENCE", "conferences", readers.read_conference, writers.write_conference, many=True),  # RFC 7986, 5.11
    # Where Google and Microsoft put the link of the video call.
    _P("X-GOOGLE-CONFERENCE", "conferences", readers.read_conference, writers.write_conference, many=True),
    _P("X-MICROSOFT-SKYPETEAMSMEETINGURL", "conferences", readers.read_conference, writers.write_conference,
       many=True),
    _P("RELATED-TO", "relations", readers.read_relation, writers.write_relation, many=True),  # 3.8.4.5
    _P("REQUEST-STATUS", "request_status", lambda reader, params, value: (value.strip(),),
       writers.write_word, many=True),  # 3.8.8.3
)  # fmt: skip
_TRANSP = _P("TRANSP", "transparency", readers.read_word, writers.write_word)  # 3.8.2.7
_DTEND = _P("DTEND", "end", readers.read_moment, writers.write_one_moment, once=True)  # 3.8.2.2


def _table(*properties):
    return {entry.name: entry for entry in properties}


#: Component name: property name: entry.
TABLES = {
    "VEVENT": _table(*_COMMON, _DTEND, _TRANSP),
    "VTODO": _table(
        *_COMMON,
        _P("DUE", "due", readers.read_moment, writers.write_one_moment, once=True),  # 3.8.2.3
        _P("COMPLETED", "completed", readers.read_utc, writers.write_utc, once=True),  # 3.8.2.1
        _P("PERCENT-COMPLETE", "percent", readers.read_natural, writers.write_integer),  # 3.8.1.8
    ),
    # 3.6.3: a journal entry may have several descriptions.
    "VJOURNAL": _table(
        *_COMMON,
        _P("DESCRIPTION", "description", readers.read_text, writers.write_text, repeats=True),
    ),
    "VFREEBUSY": _table(
        *_COMMON, _DTEND, _P("FREEBUSY", "busy", readers.read_busy, writers.write_busy, many=True)
    ),  # 3.8.2.6
    "VALARM": _table(
        _P("ACTION", "action", readers.read_word, writers.write_word),  # 3.8.6.1
        _P(
            "TRIGGER", "trigger", readers.read_trigger, writers.write_trigger, also=("related",)
        ),  # 3.8.6.3
        _P("REPEAT", "repeat", readers.read_natural, writers.write_integer),  # 3.8.6.2
        _P("DURATION", "duration", readers.read_duration, writers.write_duration),  # 3.8.2.5
        _P("SUMMARY", "summary", readers.read_text, writers.write_text),
        _P("DESCRIPTION", "description", readers.read_text, writers.write_text),
        _P("ATTENDEE", "attendees", readers.read_addresses, writers.write_address, many=True),
        _P("ATTACH", "attachments", readers.read_attachment, writers.write_valued, many=True),
        _P("UID", "uid", readers.read_text, writers.write_text),  # RFC 9074, 4
        _P("ACKNOWLEDGED", "acknowledged", readers.read_utc, writers.write_utc),  # RFC 9074, 6.1
        _P(
            "RELATED-TO", "relations", readers.read_relation, writers.write_relation, many=True
        ),  # RFC 9074, 5
        _P("PROXIMITY", "proximity", readers.read_word, writers.write_word),  # RFC 9074, 8.1
    ),
}


def read_property(reader, entry, params, value, found):
    """Read one property into ``found``, the fields of an item by name.

    :return: whether the line is to be kept
    :raises IcalError: when the item cannot do without it
    """
    reader.fixed = None
    if not value.strip() and entry.read not in (
        readers.read_text,
        readers.read_texts,
        readers.read_list_of_texts,
        readers.read_plain,
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

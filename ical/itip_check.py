"""A strict judge of messages: RFC 5546, 3.2.1 to 3.2.8, to the letter.

For what we send, and for the tests. What comes from others is read by ``itip``, which
forgives. Paragraphs without an RFC are of RFC 5546.
"""

import re
from dataclasses import dataclass

from .errors import IcalError
from .itip import METHODS
from .lines import Split
from .params import split_line

#: Properties of an event that are times.
_TIMES = {"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"}
_UTC = re.compile(r"\d{8}T\d{6}Z")
_NONE, _ONE, _MAYBE, _SOME = (0, 0), (1, 1), (0, 1), (1, None)
#: RFC 5545, 3.6.1: at most once, whatever the method.
_ONCE = dict.fromkeys(
    (
        "CLASS", "CREATED", "DESCRIPTION", "DTEND", "DTSTART", "DURATION", "GEO", "LAST-MODIFIED",
        "LOCATION", "ORGANIZER", "PRIORITY", "RECURRENCE-ID", "RRULE", "SEQUENCE", "STATUS",
        "SUMMARY", "TRANSP", "URL",
    ),
    _MAYBE,
)  # fmt: skip
_ALWAYS = {**_ONCE, "DTSTAMP": _ONE, "UID": _ONE, "ORGANIZER": _ONE}
#: What says nothing but who asks, and of which meeting (3.2.6, 3.2.8).
_BARE = dict.fromkeys(
    (
        "ATTACH", "CATEGORIES", "CLASS", "CONTACT", "CREATED", "DESCRIPTION", "DTEND", "DTSTART",
        "DURATION", "EXDATE", "GEO", "LAST-MODIFIED", "LOCATION", "PRIORITY", "RDATE",
        "RELATED-TO", "RESOURCES", "RRULE", "STATUS", "SUMMARY", "TRANSP", "URL",
    ),
    _NONE,
)  # fmt: skip
#: Method: property: how often (least, most).
PRESENCE = {
    # 3.2.2
    "REQUEST": {
        **_ALWAYS, "ATTENDEE": _SOME, "DTSTART": _ONE, "SUMMARY": _ONE, "REQUEST-STATUS": _NONE,
    },
    # 3.2.3
    "REPLY": {**_ALWAYS, "ATTENDEE": _ONE, "VALARM": _NONE},
    # 3.2.4
    "ADD": {
        **_ALWAYS, "DTSTART": _ONE, "SUMMARY": _ONE, "SEQUENCE": _ONE, "RECURRENCE-ID": _NONE,
        "REQUEST-STATUS": _NONE, "RRULE": _NONE, "RDATE": _NONE, "EXDATE": _NONE,
    },
    # 3.2.5
    "CANCEL": {**_ALWAYS, "SEQUENCE": _ONE, "REQUEST-STATUS": _NONE, "VALARM": _NONE},
    # 3.2.6
    "REFRESH": {
        **_ALWAYS, **_BARE, "ATTENDEE": _ONE, "SEQUENCE": _NONE, "REQUEST-STATUS": _NONE,
        "VALARM": _NONE,
    },
    # 3.2.7
    "COUNTER": {**_ALWAYS, "DTSTART": _ONE, "SUMMARY": _ONE, "ATTENDEE": _SOME},
    # 3.2.8
    "DECLINECOUNTER": {**_ALWAYS, **_BARE, "ATTENDEE": _SOME, "VALARM": _NONE},
}  # fmt: skip
#: Method: the values of STATUS.
STATUSES = {
    "REQUEST": {"TENTATIVE", "CONFIRMED"},
    "ADD": {"TENTATIVE", "CONFIRMED"},
    "COUNTER": {"TENTATIVE", "CONFIRMED", "CANCELLED"},
    "CANCEL": {"CANCELLED"},
}
_ANSWERS = {"NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED"}
_ROLES = {"CHAIR", "REQ-PARTICIPANT", "OPT-PARTICIPANT", "NON-PARTICIPANT"}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that the RFC forbids.

    :param str rule: the paragraph, as "5546 3.2.2"
    """

    rule: str
    text: str

    def __str__(self):
        return f"RFC {self.rule}: {self.text}"


def check(data):
    """What is wrong with a message.

    :param bytes data: as it is sent
    :return: list of Fault; empty when nothing is
    """
    faults = list(_check_octets(data))
    try:
        calendars = Split(data).calendars
    except IcalError as error:
        return [*faults, Fault("5545 3.4", error.message)]
    if len(calendars) != 1:
        return [*faults, Fault("5546 3.2", f"{len(calendars)} calendars in one message")]
    calendar = calendars[0]
    own = _properties(calendar.own())
    method = next((value for name, _params, value in own if name == "METHOD"), None)
    faults += _check_calendar(own)
    if method not in METHODS:
        return [*faults, Fault("5546 1.4", f"METHOD {method}")]
    events = [chunk for chunk in calendar.chunks if chunk.name == "VEVENT"]
    zones = {
        value
        for chunk in calendar.chunks if chunk.name == "VTIMEZONE"
        for name, _params, value in _properties(chunk.own()) if name == "TZID"
    }  # fmt: skip
    others = {chunk.name for chunk in calendar.chunks} - {"VEVENT", "VTIMEZONE"}
    faults += [Fault("5546 3.2", f"{name} in a message about an event") for name in others]
    if not events:
        faults.append(Fault("5546 3.2", "no VEVENT"))
    uids, places = set(), []
    for chunk in events:
        found = _properties(chunk.own())
        faults += _check_event(method, found, chunk.unfolded().count(b"BEGIN:VALARM"), zones)
        uids.update(value for name, _params, value in found if name == "UID")
        places.append(
            next((value for name, _params, value in found if name == "RECURRENCE-ID"), None)
        )
    if len(uids) > 1:
        faults.append(Fault("5546 3.2.2", "components with several UIDs"))
    if len(set(places)) != len(places):
        faults.append(Fault("5546 2.1.5", "two components with one RECURRENCE-ID"))
    return faults


def _properties(own):
    """(name, params, value) of the lines of a component, without its borders."""
    found = []
    for line in own.decode("utf-8", "replace").split("\n"):
        line = line.rstrip("\r")
        if line and line[:6].upper() != "BEGIN:" and line[:4].upper() != "END:":
            found.append(split_line(line))
    return found


def _check_octets(data):
    """RFC 5545, 3.1: lines of at most 75 octets, ended by CRLF; UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        yield Fault("5545 3.1.4", "not UTF-8")
    lines = data.split(b"\r\n")
    if lines[-1]:
        yield Fault("5545 3.1", "the last line does not end")
    for line in lines:
        if len(line) > 75:
            yield Fault("5545 3.1", f"a line of {len(line)} octets")
        if b"\n" in line or b"\r" in line:
            yield Fault("5545 3.1", "a line that is not ended by CRLF")


def _check_calendar(own):
    counts = _counts(own)
    for name in ("VERSION", "PRODID", "METHOD"):
        if counts.get(name) != 1:
            yield Fault("5546 3.2", f"{name} {counts.get(name, 0)} times")
    for name, _params, value in own:
        if name == "VERSION" and value != "2.0":
            yield Fault("5546 3.2", f"VERSION {value}")


def _counts(found):
    counts = {}
    for name, _params, _value in found:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _check_event(method, found, alarms, zones):
    counts = _counts(found)
    if alarms:
        counts["VALARM"] = alarms
    paragraph = f"5546 {_PARAGRAPHS[method]}"
    for name, (least, most) in PRESENCE[method].items():
        number = counts.get(name, 0)
        if number < least or (most is not None and number > most):
            if name == "ATTENDEE" and method == "REPLY" and number == 2 and _delegates(found):
                # 2.2.2: the delegate answers, and names who has sent him.
                continue
            yield Fault(paragraph, f"{method} with {name} {number} times")
    if counts.get("DTEND") and counts.get("DURATION"):
        yield Fault("5545 3.6.1", "both DTEND and DURATION")
    for name, params, value in found:
        yield from _check_property(method, paragraph, name, params, value, zones)


_PARAGRAPHS = {
    "REQUEST": "3.2.2", "REPLY": "3.2.3", "ADD": "3.2.4", "CANCEL": "3.2.5", "REFRESH": "3.2.6",
    "COUNTER": "3.2.7", "DECLINECOUNTER": "3.2.8",
}  # fmt: skip


def _delegates(found):
    return any(
        name == "ATTENDEE" and (params.get("DELEGATED-FROM") or params.get("DELEGATED-TO"))
        for name, params, _value in found
    )


def _check_property(method, paragraph, name, params, value, zones):
    if name == "DTSTAMP" and not _UTC.fullmatch(value):
        yield Fault("5545 3.8.7.2", f"DTSTAMP {value}")
    elif name == "STATUS" and value not in STATUSES.get(method, {value}):
        yield Fault(paragraph, f"{method} with STATUS {value}")
    elif name == "SEQUENCE" and not value.isdigit():
        yield Fault("5545 3.8.7.4", f"SEQUENCE {value}")
    elif name in _TIMES:
        yield from _check_time(name, params, value, zones)
    elif name in ("ATTENDEE", "ORGANIZER"):
        yield from _check_person(method, paragraph, name, params, value)


def _check_time(name, params, value, zones):
    tzid = params.get("TZID")
    if tzid is not None and value.endswith("Z"):
        yield Fault("5545 3.2.19", f"{name} in UTC with a TZID")
    if tzid is not None and not tzid.startswith("/") and tzid not in zones:
        yield Fault("5545 3.6.5", f"no VTIMEZONE for {tzid}")
    if "T" not in value and params.get("VALUE") != "DATE":
        yield Fault("5545 3.3.4", f"{name} is a date without VALUE=DATE")


def _check_person(method, paragraph, name, params, value):
    if value[:7].lower() != "mailto:" or "@" not in value:
        # RFC 6047, 2.3: by mail the addresses are mailto.
        yield Fault("6047 2.3", f"{name} {value}")
    if name == "ORGANIZER":
        return
    answer = params.get("PARTSTAT") or "NEEDS-ACTION"
    if answer not in _ANSWERS:
        yield Fault("5545 3.2.12", f"PARTSTAT {answer}")
    elif method == "REPLY" and answer == "NEEDS-ACTION":
        yield Fault(paragraph, "a REPLY without an answer")
    if (params.get("ROLE") or "CHAIR") not in _ROLES:
        yield Fault("5545 3.2.16", f"ROLE {params.get('ROLE')}")

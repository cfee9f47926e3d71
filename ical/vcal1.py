"""vCalendar 1.0 turned into iCalendar 2.0, line by line.

Old phones and address books still write it. What comes out is a component that
the rest of the package reads, and that others can be given; every line that was
changed is recorded. The specification is "vCalendar, The Electronic Calendaring
and Scheduling Exchange Format", version 1.0 (versit, 1996); paragraphs in
brackets are its own.
"""

import quopri
import re
from datetime import datetime

from .errors import IcalError
from .items import Component
from .params import EMPTY, split_line, split_loosely
from .rules import WEEKDAYS
from .values import (
    UTC,
    is_date,
    read_date_time,
    read_loosely,
    write_duration,
    write_moment,
    write_plain,
    write_text,
)

_TEXTS = {
    "SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT", "CATEGORIES", "RESOURCES",
}  # fmt: skip
_LISTS = {"CATEGORIES", "RESOURCES"}
_ALARMS = {"DALARM": "DISPLAY", "AALARM": "AUDIO", "MALARM": "EMAIL", "PALARM": "DISPLAY"}
_ADDRESS = re.compile(r"<\s*([^<>@\s]+@[^<>\s]+)\s*>")
_QUOTED = re.compile(r';[ \t]*(?:ENCODING[ \t]*=[ \t]*)?"?QUOTED-PRINTABLE', re.I)
_RULE = re.compile(r"(D|W|MP|MD|YM|YD)(\d{1,4})((?:\s+\S+)*)\s*", re.I)


def is_quoted(component):
    """Whether something in it is quoted-printable, whatever VERSION says."""
    return any(
        _QUOTED.search(piece.partition(":")[0]) is not None if isinstance(piece, str)
        else is_quoted(piece)
        for piece in component.content
    )  # fmt: skip


def convert(component, reader):
    """The component as iCalendar 2.0 would have it.

    :param reader: :class:`ical.readers.Reader`, which notes each change
    :rtype: Component
    """
    content, numbers = [], []
    start = _start(component)
    for piece, number in zip(component.content, component.numbers, strict=True):
        if isinstance(piece, str):
            reader.line, reader.number = piece, number
            new = _line(piece, start, reader)
        else:
            new = [convert(piece, reader)]
        content += new
        numbers += [number] * len(new)
    for piece in content:
        if not isinstance(piece, str) and piece.numbers is None:
            piece.numbers = [0] * len(piece.content)
    # RFC 5545, 3.6.1: properties first, then alarms, where old ones were properties.
    pairs = sorted(
        zip(content, numbers, strict=True), key=lambda pair: not isinstance(pair[0], str)
    )
    return Component(component.name, [p for p, _ in pairs], [n for _, n in pairs])


def _start(component):
    for line in component.lines():
        if line[:7].upper() == "DTSTART":
            try:
                return read_date_time(split_line(line)[2].strip())
            except IcalError:
                return None
    return None


def _line(line, start, reader):
    try:
        name, params, value, _ = split_loosely(line)
    except IcalError:
        return [line]
    quoted = (params.get("ENCODING") or "").upper() == "QUOTED-PRINTABLE"
    if quoted:
        value = _unquote(value, params.get("CHARSET"))
        if name not in _TEXTS and name not in _ALARMS:
            # No text, so no escapes: an address, a number.
            value = write_plain(value)
        params = params.put(ENCODING=None, CHARSET=None)
        reader.repair("quoted_printable")
    elif params.get("CHARSET"):
        params = params.put(CHARSET=None)
    new = _property(name, params, value, quoted, start)
    if new is None:
        if not quoted:
            return [line]
        new = [f"{name}{params}:{value}"]
    elif not quoted and new != [line]:
        reader.repair("vcalendar_1")
    return new


def _property(name, params, value, quoted, start):
    """The lines or alarms that a property becomes; None: as it is."""
    if name in _TEXTS:
        return _text(name, params, value, quoted)
    if name in _ALARMS:
        return _alarm(_ALARMS[name], value, start)
    if name == "ATTENDEE":
        return _attendee(params, value)
    if name == "DCREATED":
        return [f"CREATED{params}:{value}"]
    new = _VALUES[name](value.strip()) if name in _VALUES else None
    return None if new is None else [f"{name}{params}:{new}"]


def _text(name, params, value, quoted):
    parts = re.split(r"(?<!\\);", value) if name in _LISTS else [value]
    plain = [part.replace("\\;", ";") for part in parts]
    if quoted:
        return [f"{name}{params}:{','.join(write_text(part) for part in plain)}"]
    if len(parts) > 1:
        return [f"{name}{params}:{','.join(plain)}"]
    return None


def _dates(value):
    return value.replace(";", ",") if ";" in value else None


def _status(value):
    return value.upper().replace(" ", "-") if " " in value else None


def _transparency(value):
    # [2.5.30]: 0 blocks time, any other number does not.
    return ("TRANSPARENT" if int(value) else "OPAQUE") if value.isdecimal() else None


def _place(value):
    # [2.1.8]: longitude, latitude; iCalendar has them the other way round.
    longitude, comma, latitude = value.partition(",")
    return f"{latitude.strip()};{longitude.strip()}" if comma else None


def _unquote(value, charset):
    octets = quopri.decodestring(value.encode("utf-8", "surrogateescape"))
    for encoding in (charset or "utf-8", "utf-8", "cp1252"):
        try:
            return octets.decode(encoding)
        except (LookupError, UnicodeError):
            continue
    return octets.decode("latin-1")


def _attendee(params, value):
    """[2.4.1] ATTENDEE;ROLE=...;STATUS=...;RSVP=YES;EXPECT=...:Name <address>."""
    name, address = "", value.strip()
    # From the last one on: nothing is looked for between all blanks of a long name.
    at = address.rfind("<")
    found = _ADDRESS.fullmatch(address, at) if at >= 0 else None
    if found:
        name, address = address[:at].rstrip(), found[1]
    if address.lower().startswith("mailto:"):
        address = address[7:]
    if "@" not in address:
        return None
    role = (params.get("ROLE") or "").upper()
    status = (params.get("STATUS") or "").upper().replace(" ", "-")
    rsvp = (params.get("RSVP") or "").upper()
    expect = (params.get("EXPECT") or "").upper()
    if role in ("ORGANIZER", "OWNER"):
        return [f"ORGANIZER{EMPTY.put(CN=name or None)}:mailto:{address}"]
    known = {
        "ACCEPTED": "ACCEPTED", "CONFIRMED": "ACCEPTED", "DECLINED": "DECLINED",
        "TENTATIVE": "TENTATIVE", "DELEGATED": "DELEGATED",
        "NEEDS-ACTION": "NEEDS-ACTION", "SENT": "NEEDS-ACTION",
    }  # fmt: skip
    new = EMPTY.put(
        CN=name or params.get("CN"),
        ROLE="NON-PARTICIPANT" if expect == "FYI" else
        "OPT-PARTICIPANT" if expect == "REQUEST" else None,
        PARTSTAT=known.get(status) or params.get("PARTSTAT"),
        RSVP={"YES": "TRUE", "TRUE": "TRUE"}.get(rsvp),
    )  # fmt: skip
    return [f"ATTENDEE{new}:mailto:{address}"]


def _alarm(action, value, start):
    """[2.5.1 ...] run time; snooze time; repeat count; what to say or play."""
    when, snooze, repeat, content = ([part.strip() for part in value.split(";")] + [""] * 4)[:4]
    try:
        moment = read_loosely(when)
    except IcalError:
        return []
    if is_date(moment):
        return []
    lines = [f"ACTION:{action}"]
    if moment.tzinfo is not None:
        lines.append(f"TRIGGER;VALUE=DATE-TIME:{write_moment(moment)}")
    elif isinstance(start, datetime) and start.tzinfo is None:
        # Both local: iCalendar has no local trigger, but a distance.
        lines.append(f"TRIGGER:{write_duration(moment - start)}")
    else:
        lines.append(f"TRIGGER;VALUE=DATE-TIME:{write_moment(moment.replace(tzinfo=UTC))}")
    if repeat.isdecimal() and int(repeat) and snooze.upper().startswith("P"):
        lines += [f"REPEAT:{int(repeat)}", f"DURATION:{snooze}"]
    if action == "DISPLAY" or action == "EMAIL":
        lines.append(f"DESCRIPTION:{write_text(content) or '-'}")
    elif content:
        lines.append(f"ATTACH:{content}")
    return [Component("VALARM", lines)]


def _rule(value):
    """[2.1.9] the basic recurrence grammar: ``W2 MO WE #10``, ``MP1 1+ TU 20301231T000000Z``."""
    found = _RULE.fullmatch(value.strip())
    if not found:
        return None
    kind, interval, rest = found[1].upper(), int(found[2]), found[3].upper().split()
    ending, words = _ending(rest)
    parts = {
        "D": ["FREQ=DAILY"], "W": ["FREQ=WEEKLY"], "MP": ["FREQ=MONTHLY"],
        "MD": ["FREQ=MONTHLY"], "YM": ["FREQ=YEARLY"], "YD": ["FREQ=YEARLY"],
    }[kind]  # fmt: skip
    if interval != 1:
        parts = [*parts, f"INTERVAL={interval}"]
    by = _by(kind, words)
    if by is None:
        return None
    return ";".join([*parts, *by, *ending])


def _ending(words):
    """The last word: ``#10``, ``#0`` for ever, or the date of the end."""
    if words and words[-1].startswith("#") and words[-1][1:].isdecimal():
        count = int(words[-1][1:])
        return ([f"COUNT={count}"] if count else []), words[:-1]
    if words and len(words[-1]) >= 8 and words[-1][:8].isdecimal():
        return [f"UNTIL={words[-1]}"], words[:-1]
    # "If the duration is not specified, the default is #2."
    return ["COUNT=2"], words


def _by(kind, words):
    if kind == "D" or not words:
        return []
    if kind == "W":
        days = [word for word in words if word in WEEKDAYS]
        return [f"BYDAY={','.join(days)}"] if len(days) == len(words) else None
    if kind == "MP":
        return _weekdays_of_month(words)
    numbers = []
    for word in words:
        if word == "LD":
            numbers.append("-1")
        elif re.fullmatch(r"\d{1,3}[+-]?", word):
            number = word.rstrip("+-")
            numbers.append(f"-{number}" if word.endswith("-") else number)
        else:
            return None
    part = {"MD": "BYMONTHDAY", "YM": "BYMONTH", "YD": "BYYEARDAY"}[kind]
    return [f"{part}={','.join(numbers)}"]


def _weekdays_of_month(words):
    """``1+ TU TH 2- FR``: each number counts for the days after it."""
    days, number = [], None
    for word in words:
        if re.fullmatch(r"[1-5][+-]?", word):
            number = f"-{word[0]}" if word.endswith("-") else word[0]
        elif word in WEEKDAYS and number:
            days.append(number + word)
        else:
            return None
    return [f"BYDAY={','.join(days)}"] if days else None


#: Properties of which only the value is written otherwise: what makes it new, or None.
_VALUES = {
    "RRULE": _rule, "EXRULE": _rule, "EXDATE": _dates, "RDATE": _dates, "STATUS": _status,
    "TRANSP": _transparency, "GEO": _place,
}  # fmt: skip

"""An object as the units that two sides can change, each on its own.

Works on content lines, not on meanings: what nobody here understands is a unit as well.
A *unit* is what is taken from one side as a whole: the times of a component, one
attendee, one excluded date, all lines of another property.
"""

import re
from dataclasses import dataclass, field
from hashlib import blake2b

from .errors import BrokenComponent, NotACalendar
from .items import Component
from .lines import ITEMS, Split, unfold
from .overlay import read_chunk
from .params import Params, split_line, unquote
from .text import PRODID, dump, fold

#: They go together: an end before its start is nobody's wish.
TIME, RULE = "TIME", "RULE"
_TOGETHER = {
    "DTSTART": TIME, "DTEND": TIME, "DURATION": TIME, "DUE": TIME, "RRULE": RULE, "EXRULE": RULE,
}  # fmt: skip
#: Several values, each of which is there or not.
_SEVERAL = frozenset({"EXDATE", "RDATE", "CATEGORIES"})
#: Who an object is, and what programs write at each saving: no change by itself.
_UNSAID = frozenset(
    {"UID", "RECURRENCE-ID", "DTSTAMP", "LAST-MODIFIED", "CREATED", "SEQUENCE"}
)  # fmt: skip
#: What RFC 6638, 7 lets servers and clients say of the delivery.
_DELIVERY = frozenset({"SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"})
_MENTIONED = re.compile(rb"SCHEDULE-|METHOD", re.I)
#: What a parameter is when it is not said (RFC 5545, 3.2).
_USUAL = {
    "CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION",
    "RSVP": "FALSE", "VALUE": "DATE-TIME", "RELATED": "START",
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """:param tuple said: what tells it from another one, in any order of the lines
    :param tuple pieces: lines and components, as they stand
    """

    said: tuple
    pieces: tuple

    def __eq__(self, other):
        return isinstance(other, Unit) and self.said == other.said

    __hash__ = None


@dataclass
class Part:
    """One component of an object."""

    name: str
    units: dict
    #: lines of _UNSAID
    lines: list

    @property
    def uid(self):
        line = line_of(self.lines, "UID")
        return split_line(line)[2].strip() if line else ""

    @property
    def said(self):
        return tuple(sorted((key, unit.said) for key, unit in self.units.items()))


@dataclass
class Version:
    """An object as one side has it.

    :param dict parts: by (name of the component, RECURRENCE-ID or "")
    :param dict zones: VTIMEZONE by TZID
    """

    parts: dict = field(default_factory=dict)
    zones: dict = field(default_factory=dict)

    @property
    def uid(self):
        return next((part.uid for part in self.parts.values()), "")

    def fingerprint(self):
        """A word that is the same for what says the same."""
        said = sorted((key, part.said) for key, part in self.parts.items())
        return blake2b(repr(said).encode(), digest_size=16).hexdigest()

    def modified(self):
        """When it was changed last, as it says itself: text that can be compared, or ''."""
        found = [
            (name == "LAST-MODIFIED", value.strip())
            for part in self.parts.values()
            for name, _params, value in map(split_line, part.lines)
            if name in ("LAST-MODIFIED", "DTSTAMP")
        ]
        best = [value for is_first, value in found if is_first] or [one[1] for one in found]
        return max(best, default="")


def read_version(text):
    """An object out of its text.

    :param str text: a calendar that holds one object
    :rtype: Version
    :raises IcalError: when that cannot be read
    """
    found = Version()
    for calendar in Split(text.encode()).calendars:
        for chunk in calendar.chunks:
            if chunk.error:
                raise chunk.error
            if chunk.name not in ITEMS and chunk.name != "VTIMEZONE":
                continue
            component = read_chunk(chunk)
            if component.name == "VTIMEZONE":
                found.zones[_value_of(component, "TZID")] = component
            else:
                key = component.name, _place(component)
                if key in found.parts:
                    raise BrokenComponent("the same component is in it twice", chunk.line)
                found.parts[key] = _part(component)
    if not found.parts:
        raise NotACalendar("there is nothing in it")
    if len({part.uid for part in found.parts.values()}) > 1:
        raise BrokenComponent("it holds several objects")
    return found


def write_version(version):
    """The text of an object."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}"]
    used = {
        params.get("TZID")
        for part in version.parts.values()
        for unit in part.units.values()
        for piece in unit.pieces
        if isinstance(piece, str) and "TZID" in piece.upper()
        for params in (split_line(piece)[1],)
    }
    used |= {
        split_line(line)[1].get("TZID")
        for part in version.parts.values()
        for line in part.lines
        if "TZID" in line.upper()
    }
    for name, zone in version.zones.items():
        if name in used:
            dump(zone, lines)
    for key in sorted(version.parts, key=lambda key: (key[1] != "", key)):
        part = version.parts[key]
        pieces = [*part.lines, *(piece for unit in part.units.values() for piece in unit.pieces)]
        ordered = [one for one in pieces if isinstance(one, str)]
        ordered += [one for one in pieces if not isinstance(one, str)]
        dump(Component(part.name, ordered), lines)
    return fold([*lines, "END:VCALENDAR"])


def line_of(lines, name):
    return next((line for line in lines if split_line(line)[0] == name), None)


# --- Reading


def _value_of(component, name):
    line = line_of(component.lines(), name)
    return split_line(line)[2].strip() if line else ""


def _place(component):
    line = line_of(component.lines(), "RECURRENCE-ID")
    return _canonical(line) if line else ""


def _part(component):
    units, lines, several = {}, [], {}
    for piece in component.content:
        if not isinstance(piece, str):
            several.setdefault(piece.name, []).append((_component_said(piece), piece))
            units.setdefault(piece.name, None)
            continue
        name, params, value = split_line(piece)
        if name in _UNSAID:
            lines.append(piece)
        elif name in _SEVERAL:
            for one in _values(name, value):
                line = f"{name}{params}:{one}"
                said = _canonical(line)
                units[f"{name}:{said}"] = Unit((said,), (line,))
        elif name == "ATTENDEE":
            units[f"{name}:{value.strip().lower()}"] = Unit((_canonical(piece),), (piece,))
        else:
            key = _TOGETHER.get(name, name)
            several.setdefault(key, []).append((_canonical(piece), piece))
            # Its place among the others.
            units.setdefault(key, None)
    for key, pairs in several.items():
        units[key] = Unit(tuple(sorted(said for said, _ in pairs)), tuple(one for _, one in pairs))
    return Part(component.name, units, lines)


def _values(name, value):
    if name != "CATEGORIES":
        return [one.strip() for one in value.split(",") if one.strip()]
    # A comma of a text has a backslash before it (3.3.11).
    found, start, at = [], 0, 0
    while at < len(value):
        if value[at] == "\\":
            at += 1
        elif value[at] == ",":
            found.append(value[start:at])
            start = at + 1
        at += 1
    found.append(value[start:])
    return [one for one in found if one]


def _canonical(line):
    name, params, value = split_line(line)
    said = sorted(
        (key, unquote(raw))
        for key, raw in params
        if key not in _DELIVERY and _USUAL.get(key) != unquote(raw).upper()
    )
    value = value.replace("\\N", "\\n").rstrip("\r")
    if name in ("ATTENDEE", "ORGANIZER"):
        value = value.strip().lower()
    return f"{name} {said} {value}"


def _component_said(component):
    said = sorted(
        repr(_component_said(piece)) if not isinstance(piece, str) else _canonical(piece)
        for piece in component.content
    )
    return f"{component.name} {said}"


# --- What goes out


def without_delivery(text):
    """The text without what is said of the delivery of invitations (RFC 6638, 7), nor that
    it is a message (METHOD)."""
    if not _MENTIONED.search(unfold(text.encode())):
        return text
    return write_version(_with_params(read_version(text), dict.fromkeys(_DELIVERY)))


def not_to_be_sent(version):
    """The object for a server that is to invite nobody: the client has done that.

    RFC 6638, 7.1: SCHEDULE-AGENT=CLIENT with each attendee, and with the organizer.
    """
    return _with_params(
        version,
        {"SCHEDULE-AGENT": "CLIENT", "SCHEDULE-STATUS": None, "SCHEDULE-FORCE-SEND": None},
    )


def _with_params(version, changes):
    parts = {
        key: Part(part.name, {name: _unit_with(name, unit, changes)
                              for name, unit in part.units.items()}, part.lines)
        for key, part in version.parts.items()
    }  # fmt: skip
    return Version(parts, version.zones)


def _unit_with(name, unit, changes):
    if name == "ORGANIZER" or name.startswith("ATTENDEE:"):
        return Unit(unit.said, tuple(_with(piece, changes) for piece in unit.pieces))
    return unit


def _with(line, changes):
    name, params, value = split_line(line)
    return f"{name}{Params(params).put(**changes)}:{value}"

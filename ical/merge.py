"""What two sides have changed of one object, property by property.

Works on content lines, not on meanings: what nobody here understands is merged as well.
A *unit* is what is taken from one side as a whole: the times of a component, one
attendee, one excluded date, all lines of another property. Two sides are in *conflict*
over the units that both have changed, each in its own way.

Each side has a base of its own, the text that it had when both agreed: a server that
writes everything its own way has changed nothing by that.
"""

from dataclasses import dataclass, field
from hashlib import blake2b

from .errors import BrokenComponent, NotACalendar
from .items import Component
from .lines import ITEMS, Split
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
#: What a parameter is when it is not said (RFC 5545, 3.2).
_USUAL = {
    "CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION",
    "RSVP": "FALSE", "VALUE": "DATE-TIME", "RELATED": "START",
}  # fmt: skip
#: Units that say when the occurrences of a series are: overridden ones hang on them.
_SCHEDULE = frozenset({TIME, RULE})


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
        line = _line_of(self.lines, "UID")
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


@dataclass
class Difference:
    """What makes a version of another one.

    :param dict units: by (key of the part, key of the unit), the new Unit or None
    :param dict parts: by key, a new Part or None
    :param Version version: the new one
    """

    units: dict = field(default_factory=dict)
    parts: dict = field(default_factory=dict)
    version: Version = None

    def __bool__(self):
        return bool(self.units or self.parts)


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


def difference(old, new):
    """What of a version is not as it was in another one; without an old one, all.

    :rtype: Difference
    """
    found = Difference(version=new)
    for key in old.parts.keys() | new.parts.keys():
        was, now = old.parts.get(key), new.parts.get(key)
        if was is None or now is None:
            found.parts[key] = now
            continue
        for name in was.units.keys() | now.units.keys():
            one, other = was.units.get(name), now.units.get(name)
            if one != other:
                found.units[key, name] = other
    return found


def in_common(one, other):
    """The version of what both say: where two meet that have no base."""
    found = Version()
    for key in one.parts.keys() & other.parts.keys():
        mine, yours = one.parts[key], other.parts[key]
        same = {
            name: unit for name, unit in mine.units.items() if yours.units.get(name) == unit
        }  # fmt: skip
        found.parts[key] = Part(mine.name, same, mine.lines)
    return found


def conflicts(ours, theirs):
    """What both have changed, each in its own way.

    :param Difference ours, theirs: each from its own base
    :return: set of keys of units and of parts
    """
    found = {
        key for key in ours.units.keys() & theirs.units.keys()
        if ours.units[key] != theirs.units[key]
    }  # fmt: skip
    for key in ours.parts.keys() & theirs.parts.keys():
        one, other = ours.parts[key], theirs.parts[key]
        if (one is None) != (other is None) or one and one.said != other.said:
            found.add(key)
    for one, other in ((ours, theirs), (theirs, ours)):
        # Taken away here, changed there.
        changed = {key for key, _name in other.units}
        for key in one.parts.keys() & changed:
            found.add(key)
            found.update(unit for unit in other.units if unit[0] == key)
        if _moves(one) and _of_occurrences(other):
            found.update(_moves(one), _of_occurrences(other))
    return found


def _moves(change):
    """Units of the whole series that say when its occurrences are."""
    return {key for key in change.units if not key[0][1] and key[1] in _SCHEDULE}


def _of_occurrences(change):
    """What is said of single occurrences, by the times that they had."""
    found = {key for key in change.parts if key[1]}
    found |= {key for key in change.units if key[0][1]}
    found |= {key for key in change.units if key[1][:7] == "EXDATE:" or key[1][:6] == "RDATE:"}
    return found


def apply(version, change, only=None, without=()):
    """A version with the changes of another.

    :param Difference change: what is changed
    :param only: keys, for these alone
    :param without: keys that stay as they are
    :rtype: Version
    """
    parts = {
        key: Part(part.name, dict(part.units), list(part.lines))
        for key, part in version.parts.items()
    }
    zones = {**change.version.zones, **version.zones}

    def wanted(key):
        return key not in without and (only is None or key in only)

    for key, part in change.parts.items():
        if wanted(key):
            if part is None:
                parts.pop(key, None)
            else:
                parts[key] = Part(part.name, dict(part.units), list(part.lines))
    for key, unit in change.units.items():
        if wanted(key) and key[0] in parts:
            _put(parts[key[0]], key[1], unit)
            _raise_to(parts[key[0]], change.version.parts.get(key[0]))
    return Version(parts, zones)


def take(version, other, keys):
    """A version in which these units and parts are as in another one."""
    change = Difference(version=other)
    for key in keys:
        if isinstance(key[0], tuple):
            part = other.parts.get(key[0])
            change.units[key] = part and part.units.get(key[1])
            if key[0] not in version.parts and part:
                change.parts[key[0]] = part
        else:
            change.parts[key] = other.parts.get(key)
    return apply(version, change)


def _put(part, name, unit):
    if unit is None:
        part.units.pop(name, None)
    else:
        part.units[name] = unit


def _raise_to(part, other):
    """What says how new it is, is of the newer one."""
    if other is None:
        return
    for name in ("SEQUENCE", "DTSTAMP", "LAST-MODIFIED"):
        mine, yours = (_line_of(one.lines, name) for one in (part, other))
        if yours and (not mine or _rank(name, yours) > _rank(name, mine)):
            part.lines = [line for line in part.lines if line != mine] + [yours]


def _line_of(lines, name):
    return next((line for line in lines if split_line(line)[0] == name), None)


def _rank(name, line):
    value = split_line(line)[2].strip()
    if name == "SEQUENCE":
        return int(value[:9]) if value[:9].isdigit() else 0
    return value


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


# --- Reading


def _value_of(component, name):
    line = _line_of(component.lines(), name)
    return split_line(line)[2].strip() if line else ""


def _place(component):
    line = _line_of(component.lines(), "RECURRENCE-ID")
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
    return _with_params(text, dict.fromkeys(_DELIVERY))


def not_to_be_sent(text):
    """The text for a server that is to invite nobody: the client has done that.

    RFC 6638, 7.1: SCHEDULE-AGENT=CLIENT with each attendee, and with the organizer.
    """
    return _with_params(
        text, {"SCHEDULE-AGENT": "CLIENT", "SCHEDULE-STATUS": None, "SCHEDULE-FORCE-SEND": None}
    )


def _with_params(text, changes):
    if not any(word in text for word in ("ATTENDEE", "ORGANIZER", "METHOD")):
        return text
    version = read_version(text)
    for part in version.parts.values():
        for key, unit in part.units.items():
            if key == "ORGANIZER" or key.startswith("ATTENDEE:"):
                pieces = tuple(_with(piece, changes) for piece in unit.pieces)
                part.units[key] = Unit(unit.said, pieces)
    return write_version(version)


def _with(line, changes):
    name, params, value = split_line(line)
    return f"{name}{Params(params).put(**changes)}:{value}"

"""Items to text (RFC 5545, 3.1, 3.4 and 3.6).

What was read and not changed comes out as it stood, line for line; of a changed
item only the lines of the changed fields are written anew, in their place. Zones
that the lines name get a VTIMEZONE: the file's own for a custom one, else one
made for the span of the items.
"""

from dataclasses import dataclass, fields
from datetime import datetime

from .errors import CannotWrite
from .items import Alarm, Component, Item
from .params import EMPTY, split_line
from .properties import TABLES, write_property
from .readers import Reader
from .rules import Rule
from .values import same, sameness, write_moment, write_plain, write_text
from .vtimezone import vtimezone
from .zones import Zones, by_name

#: Who wrote the text (3.7.3).
PRODID = "-//crm_automation//iCalendar//EN"

_DEFAULTS = {
    kind: {one.name: one.default for one in fields(kind)}
    for kind in (Alarm, *Item.__subclasses__())
}


def to_text(items, method=None, prodid=PRODID, lines=(), now=None):
    """A whole calendar.

    :param items: iterable of items; may be a generator
    :param str method: METHOD (RFC 5546) when it is a message
    :param lines: further content lines of the calendar itself (X-WR-CALNAME:...)
    :param datetime now: DTSTAMP for items that have none (3.8.7.2 wants one)
    :return: str, lines folded and ended by CRLF
    """
    body = []
    needs = {}
    for item in items:
        written = item_lines(item, now)
        _note_zones(item, written, needs)
        body.append(_joined(written))
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{write_plain(prodid)}"]
    if method:
        head.append(f"METHOD:{method}")
    head += lines
    for name, need in needs.items():
        head += zone_lines(need.tzid, need.first, need.last, need.zones, name)
    return "\r\n".join([_joined(head), *body, "END:VCALENDAR", ""])


def fold(lines):
    """Content lines as octets want them on the wire: at most 75 in a row (3.1).

    >>> fold(["A:" + "ñ" * 40]).encode().split(b"\\r\\n")[0].decode()
    'A:ññññññññññññññññññññññññññññññññññññ'
    """
    return _joined(lines) + "\r\n"


def _joined(lines):
    # Most lines are short and plain; a call for each costs as much as writing them.
    return "\r\n".join(
        [line if len(line) <= 75 and line.isascii() else _fold(line) for line in lines]
    )


def _fold(line):
    if len(line) <= 75 and len(line.encode("utf-8", "replace")) <= 75:
        return line
    if line.isascii():
        parts = [line[:75]]
        parts += [line[at : at + 74] for at in range(75, len(line), 74)]
        return "\r\n ".join(parts)
    octets = line.encode("utf-8", "replace")
    parts = []
    at, room = 0, 75
    while at < len(octets):
        end = min(at + room, len(octets))
        # Not inside a character, although the RFC would let us.
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(octets[at:end].decode())
        at, room = end, 74
    return "\r\n ".join(parts)


def item_lines(item, now=None):
    """The content lines of one item, unfolded, BEGIN and END included.

    :raises CannotWrite: an item without what its kind needs
    """
    if not item.uid:
        raise CannotWrite("an item without UID")
    component = to_component(item)
    lines = []
    dump(component, lines)
    if now is not None and item.stamp is None:
        lines.insert(1, f"DTSTAMP:{write_moment(now)}")
    return lines


def dump(component, lines):
    """Append the content lines of a component, BEGIN and END included."""
    lines.append(f"BEGIN:{component.name}")
    for piece in component.content:
        if isinstance(piece, str):
            lines.append(piece)
        else:
            dump(piece, lines)
    lines.append(f"END:{component.name}")


def to_component(item):
    """The component that says what the item says.

    :return: the very component it was read from, when nothing was changed
    """
    if item.component is None:
        return Component(item.NAME, _all_lines(item, item.NAME) + _alarm_pieces(item))
    changed = changed_fields(item)
    if not changed:
        return item.component
    content = _rewritten(item, item.component, changed - {"alarms"}, item.zones)
    if "alarms" in changed:
        content = _with_alarms(item, content)
    return Component(item.component.name, content)


def changed_fields(item):
    """Names of the fields that are not as they were read; all set ones of a new item."""
    kind = type(item)
    defaults = _DEFAULTS[kind]
    read = item.component.read if item.component is not None else {}
    names = _FIELDS[kind]
    changed = set()
    for name in names:
        value = getattr(item, name)
        old = read.get(name, defaults[name])
        if value is not old and not same(value, old):
            changed.add(name)
    if kind is not Alarm and _alarms_changed(item, read):
        changed.add("alarms")
    return changed


def _field_names(kind, component):
    names = dict.fromkeys(entry.field for entry in TABLES[component].values())
    for entry in TABLES[component].values():
        names.update(dict.fromkeys(entry.also))
    return tuple(names)


_FIELDS = {kind: _field_names(kind, kind.NAME) for kind in Item.__subclasses__()}
_FIELDS[Alarm] = _field_names(Alarm, "VALARM")


def _entries(kind, component):
    """(property that writes a field, the field's default): the first one of each field."""
    owners = {}
    for entry in TABLES[component].values():
        owners.setdefault(entry.field, entry)
    return [(entry, _DEFAULTS[kind][name]) for name, entry in owners.items()]


_ENTRIES = {kind.NAME: _entries(kind, kind.NAME) for kind in Item.__subclasses__()}
_ENTRIES["VALARM"] = _entries(Alarm, "VALARM")


def _alarms_changed(item, read):
    old = read.get("alarms", ())
    if item.alarms is old:
        return False
    return len(item.alarms) != len(old) or any(
        new is not was and (new.component is not was.component or changed_fields(new))
        for new, was in zip(item.alarms, old, strict=True)
    )


def _all_lines(item, name):
    """The lines of a new item: every field that is set, in the table's order."""
    lines = []
    for entry, default in _ENTRIES[name]:
        value = getattr(item, entry.field)
        if entry.many:
            if value:
                lines += _new_lines(entry, item, value, None)
        elif value is not None and (value != default or entry.name == "ACTION"):
            lines.append(write_property(entry, item, value, EMPTY, item_zones(item)))
    return lines


def _new_lines(entry, item, values, zones):
    if entry.name in ("CATEGORIES", "RESOURCES") and values:
        # One property with all of them: what most programs read (3.8.1.2).
        return [f"{entry.name}:{','.join(map(write_text, values))}"]
    return [write_property(entry, item, value, EMPTY, zones) for value in values]


def item_zones(item):
    """The zones of the file it came from, or None."""
    return getattr(item, "zones", None)


def _rewritten(item, component, changed, zones):
    """The content with the properties of the changed fields written anew."""
    table = TABLES[component.name]
    owners = {
        name: entry for name, entry in table.items()
        if entry.field in changed or changed.intersection(entry.also)
    }  # fmt: skip
    reader = Reader(zones)
    left = {
        entry.field: _Left(getattr(item, entry.field)) for entry in owners.values() if entry.many
    }
    written = set()
    places = {}
    content = []
    for piece in component.content:
        entry = None
        if isinstance(piece, str):
            name, params, value = split_line(piece)
            entry = owners.get(name)
        if entry is None:
            content.append(piece)
        elif entry.many:
            content += _kept_values(entry, item, piece, params, value, left[entry.field], reader)
            places[entry.field] = len(content)
        elif entry.field not in written:
            written.add(entry.field)
            new = getattr(item, entry.field)
            if new is not None:
                content.append(write_property(entry, item, new, params, zones))
    return _with_new(item, content, owners, left, written, places, zones)


def _kept_values(entry, item, line, params, value, left, reader):
    """A line of several values: as it stands when all are still there, else what is left."""
    reader.name = entry.name
    values = entry.read(reader, params, value) if value.strip() else ()
    kept = [one for one in values if left.take(one)]
    if len(kept) == len(values):
        return [line] if kept else []
    texts = [entry.write(one, params, reader.zones) for one in kept]
    if not texts:
        return []
    return [f"{entry.name}{texts[0][0]}:{','.join(text for _, text in texts)}"]


class _Left:
    """Values that no line has yet: of many lines with many values each is looked up."""

    def __init__(self, values):
        self.values = dict(enumerate(values))
        self.places = {}
        for place in reversed(self.values):
            self.places.setdefault(sameness(self.values[place]), []).append(place)

    def take(self, value):
        """Whether it is one of them; then it is none any more."""
        places = self.places.get(sameness(value))
        if not places:
            return False
        del self.values[places.pop()]
        return True

    def rest(self):
        return list(self.values.values())


def _with_new(item, content, owners, left, written, places, zones):
    """Add what had no line yet: lists beside their like, the rest before the alarms."""
    added = []
    seen = set()
    for entry in owners.values():
        if entry.field in seen:
            continue
        seen.add(entry.field)
        if entry.many:
            new = _new_lines(entry, item, left[entry.field].rest(), zones)
            at = places.get(entry.field)
            if at is None:
                added += new
            elif new:
                content[at:at] = new
                places = {key: n + len(new) if n >= at else n for key, n in places.items()}
        elif entry.field not in written and getattr(item, entry.field) is not None:
            added.append(write_property(entry, item, getattr(item, entry.field), EMPTY, zones))
    at = next(
        (n for n, piece in enumerate(content) if not isinstance(piece, str)), len(content)
    )  # fmt: skip
    content[at:at] = added
    return content


def alarm_component(alarm, zones=None):
    """The VALARM of an alarm (3.6.6)."""
    if alarm.component is None:
        return Component("VALARM", _all_lines(alarm, "VALARM"))
    changed = changed_fields(alarm)
    if not changed:
        return alarm.component
    return Component("VALARM", _rewritten(alarm, alarm.component, changed, zones))


def _alarm_pieces(item):
    return [alarm_component(alarm, item.zones) for alarm in item.alarms]


def _with_alarms(item, content):
    """The content with the alarms of the item; alarms nobody could read stay."""
    known = [alarm.component for alarm in item.component.read.get("alarms", ())]
    mine = {id(alarm.component): alarm for alarm in item.alarms if alarm.component is not None}
    new = []
    for piece in content:
        if isinstance(piece, str) or not any(piece is one for one in known):
            new.append(piece)
        elif id(piece) in mine:
            new.append(alarm_component(mine.pop(id(piece)), item.zones))
    fresh = [
        alarm for alarm in item.alarms if alarm.component is None or id(alarm.component) in mine
    ]
    return new + [alarm_component(alarm, item.zones) for alarm in fresh]


# --- Time zones


@dataclass(slots=True)
class _Need:
    """A VTIMEZONE that has to be written: the name in the file it is from, and its span."""

    tzid: str
    zones: Zones | None
    first: datetime
    last: datetime | None

    def widen(self, first, last):
        self.first = min(self.first, first)
        self.last = None if last is None or self.last is None else max(self.last, last)


def _note_zones(item, lines, needs):
    """Note which zones the lines name, by TZID.

    Two files may give one name to two custom zones; the second gets another
    name, in the lines as well.
    """
    span = None
    for number, line in enumerate(lines):
        # A TZID in a text is none, but costs only the look.
        if ";TZID=" not in line and ";tzid=" not in line:
            continue
        name, params, value = split_line(line)
        tzid = params.get("TZID")
        if not tzid:
            continue
        span = span or _span(item)
        free = tzid
        count = 1
        while free in needs and not _same_zone(tzid, item.zones, needs[free]):
            count += 1
            free = f"{tzid} {count}"
        if free in needs:
            needs[free].widen(*span)
        else:
            needs[free] = _Need(tzid, item.zones, *span)
        if free != tzid:
            lines[number] = f"{name}{params.put(TZID=free)}:{value}"


def _same_zone(tzid, zones, need):
    if zones is need.zones or by_name(tzid) is not None:
        return tzid == need.tzid
    own = zones.component(tzid) if zones is not None else None
    other = need.zones.component(need.tzid) if need.zones is not None else None
    return own == other


def _span(item):
    """Years that an item touches, as datetimes; the second None for ever."""
    moments = [
        moment for moment in (item.start, item.stop, item.recurrence_id, *item.exdates)
        if moment is not None
    ]  # fmt: skip
    moments += [getattr(moment, "start", moment) for moment in item.rdates]
    years = [moment.year for moment in moments] or [1970]
    for text in item.rules:
        rule = Rule.parse(text)
        if rule.until is None:
            return datetime(min(years), 1, 1), None
        years.append(rule.until.year)
    return datetime(min(years), 1, 1), datetime(min(max(years) + 1, 9999), 1, 1)


def zone_lines(tzid, first, last=None, zones=None, name=None):
    """The lines of the VTIMEZONE of that name; none when nobody knows it.

    :param Zones zones: of the file that the TZID comes from
    :param str name: another name under which it is to be written
    """
    zone = zones.get(tzid) if zones is not None else by_name(tzid)
    if zone is None:
        return []
    own = getattr(zone, "component", None)
    if own is None:
        return list(vtimezone(zone, name or tzid, first, last))
    lines = []
    dump(own, lines)
    if name and name != tzid:
        lines = [f"TZID:{name}" if one[:5].upper() == "TZID:" else one for one in lines]
    return lines

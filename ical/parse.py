"""Bytes to items: tolerant, item by item, with a line number for what is wrong.

The tree and the values are read here, and not by the ``icalendar`` library,
though its answers are what the tests compare with over the whole corpus: it
gives no line numbers, keeps no property as it was written, refuses a component
for one odd value, and takes about five times as long for a real file. Its table
of Windows zones is used.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from . import vcal1
from .errors import BrokenComponent, IcalError, LimitExceeded, MissingProperty, Repair
from .items import KINDS, Alarm, Component
from .limits import DEFAULT
from .lines import ITEMS, TOP, Split, decode
from .params import split_line, split_loosely
from .properties import TABLES, read_property, write_property
from .readers import Reader
from .values import add, is_date, write_duration
from .zones import Zones, by_name

# RFC 5546, 3.2: with these methods a VEVENT may come without DTSTART.
_NO_START = {"REPLY", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER", "ADD"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BORDER = re.compile(r"(BEGIN|END)[ \t]*:(.*)", re.I | re.S)
#: Properties in which a line break may stand.
_TEXTS = {"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT"}


@dataclass(frozen=True, slots=True)
class Failure:
    """A component that cannot be read, and why. The others go on.

    :param IcalError error: with the line of the file
    :param str kind: VEVENT, VTODO, VJOURNAL, VFREEBUSY
    """

    error: IcalError
    kind: str
    uid: str | None = None
    summary: str | None = None
    line: int | None = None


@dataclass(slots=True)
class Calendar:
    """One VCALENDAR: its own properties and what it holds."""

    items: list = field(default_factory=list)
    failures: list = field(default_factory=list)
    repairs: list = field(default_factory=list)
    zones: Zones = None
    #: the calendar's own lines, unfolded, in order
    lines: tuple = ()
    #: subcomponents that are no items: VTIMEZONE, VAVAILABILITY, X-...
    others: tuple = ()
    method: str | None = None
    name: str | None = None
    description: str | None = None
    color: str | None = None
    #: X-WR-TIMEZONE
    zone: object = None
    prodid: str | None = None
    version: str | None = None


@dataclass(slots=True)
class File:
    """What a file holds, all its calendars together."""

    calendars: list
    repairs: list

    @property
    def items(self):
        """The items of all calendars, in order."""
        return [item for calendar in self.calendars for item in calendar.items]

    @property
    def failures(self):
        """What could not be read, of all calendars."""
        return [failure for calendar in self.calendars for failure in calendar.failures]


def parse(data, limits=DEFAULT):
    """Read a file.

    :param bytes data: as it came
    :rtype: File
    :raises LimitExceeded: when the file as a whole is over a limit
    :raises NotACalendar: when there is nothing to read in it
    """
    split = Split(data, limits)
    calendars = []
    for calendar, things in _calendars(split):
        for thing in things:
            (calendar.failures if isinstance(thing, Failure) else calendar.items).append(thing)
        calendars.append(calendar)
    return File(calendars, split.repairs)


def stream(data, limits=DEFAULT):
    """Read a file item by item, without holding them all.

    :return: generator of (Calendar, Item or Failure); the calendars stay empty
    """
    for calendar, things in _calendars(Split(data, limits)):
        for thing in things:
            yield calendar, thing


def parse_item(chunk, calendar, limits=DEFAULT):
    """Read one component.

    :param Chunk chunk: from :class:`ical.lines.Split`
    :param Calendar calendar: from :func:`open_calendar`
    :rtype: Item
    :raises IcalError: when it cannot be read
    """
    if chunk.error is not None:
        raise chunk.error
    component, codes = _component(chunk, limits)
    reader = Reader(calendar.zones, limits, chunk)
    reader.repairs += [Repair(code, chunk.line) for code in codes]
    _tidy(component, reader)
    if calendar.version == "1.0" or vcal1.is_quoted(component):
        component = vcal1.convert(component, reader)
    return _item(component, reader, calendar)


def _calendars(split):
    for chunk in split.calendars:
        calendar = open_calendar(chunk, split.limits)
        yield calendar, _things(chunk, calendar, split.limits)


def open_calendar(calendar_chunk, limits=DEFAULT):
    """The calendar's own properties and time zones; its items are not read.

    Zones first: an event may come before the VTIMEZONE that it needs.
    """
    calendar = Calendar(zones=Zones(limits, calendar_chunk.zone_steps))
    text, code = decode(calendar_chunk.own())
    line = calendar_chunk.line
    if code:
        calendar.repairs.append(Repair(code, line))
    _own_properties(calendar, text, line, limits)
    if not calendar_chunk.bare:
        for value, problem in ((calendar.version, "no_version"), (calendar.prodid, "no_prodid")):
            if not value:
                calendar.repairs.append(Repair(problem, line))
    others = []
    for chunk in calendar_chunk.chunks:
        if chunk.name in ITEMS:
            continue
        try:
            if chunk.error is not None:
                raise chunk.error
            component, _ = _component(chunk, limits)
            _tidy(component, Reader(calendar.zones, limits, chunk))
        except IcalError as error:
            calendar.zones.unread.append((None, error))
            code = "bad_zone" if chunk.name == "VTIMEZONE" else "line_dropped"
            calendar.repairs.append(Repair(code, chunk.line, f"BEGIN:{chunk.name}"))
            continue
        component.numbers = None
        others.append(component)
        if chunk.name == "VTIMEZONE":
            calendar.zones.add(component)
    calendar.others = tuple(others)
    return calendar


def _own_properties(calendar, text, line, limits):
    lines = []
    for content in text.split("\n"):
        content = content.strip("\r")
        if not content.strip():
            continue
        try:
            name, _, value = split_line(content)
        except IcalError:
            calendar.repairs.append(Repair("line_dropped", line, content[:200]))
            continue
        lines.append(content)
        value = value.strip()
        if name in ("X-WR-CALNAME", "NAME"):
            # RFC 7986, 5.1; the X- property is what everybody writes.
            calendar.name = calendar.name or value
        elif name in ("X-WR-CALDESC", "DESCRIPTION"):
            calendar.description = calendar.description or value
        elif name in ("COLOR", "X-APPLE-CALENDAR-COLOR"):
            calendar.color = calendar.color or value
        elif name == "METHOD":
            calendar.method = value.upper() or None
        elif name == "X-WR-TIMEZONE" and value:
            calendar.zone = by_name(value)
        elif name in ("PRODID", "VERSION"):
            setattr(calendar, name.lower(), value)
    calendar.lines = tuple(lines)


def _things(calendar_chunk, calendar, limits):
    seen = set()
    for chunk in calendar_chunk.chunks:
        if chunk.name not in ITEMS:
            continue
        try:
            item = parse_item(chunk, calendar, limits)
        except IcalError as error:
            yield _failure(chunk, error)
            continue
        if item.key in seen:
            repair = Repair("duplicate_uid", chunk.line, f"UID:{item.uid}"[:200])
            item = replace(item, repairs=(*item.repairs, repair))
        seen.add(item.key)
        yield item


def _failure(chunk, error):
    uid = summary = None
    if chunk.end - chunk.start < 1_000_000:
        uid = chunk.identity()[0]
        for line in decode(chunk.own())[0].split("\n"):
            if line[:7].upper() == "SUMMARY":
                summary = line.partition(":")[2][:200].strip()
                break
    if error.line is None:
        error.line = chunk.line
    return Failure(error, chunk.name, uid, summary, chunk.line)


def _component(chunk, limits):
    """(component tree, codes of repairs): lines as they stand, nothing read."""
    text, code = decode(chunk.unfolded())
    codes = [code] if code else []
    if _CONTROL.search(text):
        # 3.1: no control characters but the tab.
        text = _CONTROL.sub("", text)
        codes.append("control_characters")
    lines = text.split("\n")
    if len(lines) > limits.component_lines:
        raise LimitExceeded("component_lines", limits.component_lines, chunk.line)
    top = Component("")
    top.numbers = []
    stack = [top]
    for number, line in enumerate(lines):
        border = line[:1] in "BbEe" and _BORDER.fullmatch(line)
        if border:
            name = border[2].strip(" \t").upper()
            _open_or_close(stack, border[1].upper(), name, number, chunk)
        elif line:
            if len(line) > limits.line_bytes and line[:6].upper() != "ATTACH":
                lines_of_file = chunk.line_numbers()
                raise LimitExceeded("line_bytes", limits.line_bytes, lines_of_file[number])
            stack[-1].content.append(line)
            stack[-1].numbers.append(number)
    found = top.children()
    if len(found) != 1:
        # The scanner, which sees the bytes, took its borders for something else.
        raise BrokenComponent(f"BEGIN:{chunk.name} is written in a way we cannot read", chunk.line)
    return found[0], codes


def _open_or_close(stack, border, name, number, chunk):
    if border == "BEGIN":
        if len(stack) == 1:
            # The scanner's own idea of the name, for the first one.
            name = chunk.name
        elif name in TOP:
            raise BrokenComponent(f"BEGIN:{name} inside of another", chunk.line)
        new = Component(name, numbers=[])
        stack[-1].content.append(new)
        stack[-1].numbers.append(number)
        stack.append(new)
    elif any(component.name == name for component in stack[1:]):
        while stack.pop().name != name:
            pass


def _tidy(component, reader):
    """Join lines that were folded wrongly, leave out what is no property."""
    content, numbers = [], []
    # What has to be joined to the last line, and the length of its last piece.
    tail, length = [], 0
    for piece, number in zip(component.content, component.numbers, strict=True):
        if isinstance(piece, str) and not _is_property(piece):
            if not piece.strip():
                continue
            reader.number, reader.line = number, piece
            link = _link(content[-1] if content else None, length)
            reader.repair("line_dropped" if link is None else "unfolded")
            if link is not None:
                tail += [link, piece]
                length = len(piece)
            continue
        if tail:
            content[-1] += "".join(tail)
            tail = []
        if not isinstance(piece, str):
            _tidy(piece, reader)
        content.append(piece)
        numbers.append(number)
        length = len(piece) if isinstance(piece, str) else 0
    if tail:
        content[-1] += "".join(tail)
    component.content, component.numbers = content, numbers


def _link(before, length):
    """What stands between a line and what was folded off it wrongly; None: no part of it.

    :param int length: of the last piece of the line before
    """
    if not isinstance(before, str):
        return None
    if length >= 60:
        return ""
    # A short line was not folded for its length: the break is one of the text.
    name = re.split("[:;]", before, maxsplit=1)[0].upper()
    return "\\n" if name in _TEXTS or name.startswith("X-") else None


def _is_property(line):
    colon = line.find(":")
    if colon <= 0:
        return False
    semicolon = line.find(";", 0, colon)
    name = line[: semicolon if semicolon > 0 else colon].rstrip()
    if name.upper() in ("BEGIN", "END"):
        return False
    return name.replace("-", "").replace("_", "").replace(".", "").isalnum() and name.isascii()


def _item(component, reader, calendar):
    found = _read(component, TABLES[component.name], reader)
    alarms = []
    for piece in component.children():
        if piece.name == "VALARM":
            alarm = _alarm(piece, reader)
            if alarm is not None:
                alarms.append(alarm)
    found["alarms"] = tuple(alarms)
    if not found.get("uid"):
        _make_uid(component, found, reader)
    if component.name == "VEVENT":
        if found.get("start") is None and calendar.method not in _NO_START:
            raise MissingProperty("an event without DTSTART", reader.chunk.line)
        _check_end(component, found, "end", reader)
    elif component.name == "VTODO":
        _check_end(component, found, "due", reader)
    component.read = found
    component.numbers = None
    return KINDS[component.name](
        **found,
        component=component,
        zones=calendar.zones,
        calendar_zone=calendar.zone,
        method=calendar.method,
        repairs=tuple(reader.repairs),
        line=reader.chunk.line,
    )


def _read(component, table, reader):
    """The fields of a component by name; its lines are put right on the way."""
    found = {}
    content = component.content
    dropped = set()
    for index, piece in enumerate(content):
        if not isinstance(piece, str):
            continue
        reader.line, reader.number = piece, component.numbers[index]
        try:
            name, params, value, loose = split_loosely(piece)
        except BrokenComponent:
            reader.repair("line_dropped")
            dropped.add(index)
            continue
        if loose:
            reader.repair("loose_parameter")
            params = params.requoted()
            content[index] = f"{name}{params}:{value}"
        entry = table.get(name)
        if entry is None:
            continue
        reader.name = name
        if not read_property(reader, entry, params, value, found):
            dropped.add(index)
        elif reader.fixed is not None:
            content[index] = reader.fixed
    if dropped:
        kept = [index for index in range(len(content)) if index not in dropped]
        component.content = [content[index] for index in kept]
        component.numbers = [component.numbers[index] for index in kept]
    return found


def _alarm(component, reader):
    """VALARM, or None when it never goes off; its text stays in either case."""
    found = _read(component, TABLES["VALARM"], reader)
    component.read = found
    component.numbers = None
    if found.get("trigger") is None:
        reader.repair("bad_alarm", "BEGIN:VALARM")
        return None
    return Alarm(**found, component=component)


def _make_uid(component, found, reader):
    """3.8.4.7 wants one. The same content has the same, so that it is found again."""
    text = "\n".join(line for line in component.lines() if not line.upper().startswith("DTSTAMP"))
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
    found["uid"] = f"{digest}@no-uid.invalid"
    reader.number = 0
    reader.repair("no_uid", "")
    component.content.insert(0, f"UID:{found['uid']}")
    component.numbers.insert(0, 0)


def _check_end(component, found, name, reader):
    """Bring start and end to one kind, and into order (3.8.2.2, 3.8.2.3)."""
    start, end, duration = found.get("start"), found.get(name), found.get("duration")
    if start is None:
        return
    if end is None:
        if duration is not None and duration.seconds and is_date(start):
            reader.repair("end_kind", "")
            found["start"] = start = datetime(start.year, start.month, start.day)
            _rewrite(component, found, ("start",), reader)
        if duration is not None and duration < timedelta(0):
            reader.repair("end_before_start", f"DURATION:{write_duration(duration)}")
            found["start"], found["duration"] = add(start, duration), -duration
            _rewrite(component, found, ("start", "duration"), reader)
        return
    if duration is not None:
        reader.repair("end_and_duration", f"DURATION:{write_duration(duration)}")
        del found["duration"]
        _rewrite(component, found, ("duration",), reader)
    new_start, new_end = _one_kind(start, end)
    if new_start is not start or new_end is not end:
        reader.repair("end_kind", "")
    if new_end < new_start:
        reader.repair("end_before_start", "")
        new_start, new_end = new_end, new_start
    elif new_end == new_start and name == "end":
        # A day that ends on its own day is one day, a time is a moment.
        reader.repair("end_not_after_start", "")
    if new_start is not start or new_end is not end:
        found["start"], found[name] = new_start, new_end
        _rewrite(component, found, ("start", name), reader)


def _one_kind(start, end):
    if is_date(start) and not is_date(end):
        return datetime(start.year, start.month, start.day, tzinfo=end.tzinfo), end
    if is_date(end) and not is_date(start):
        return start, datetime(end.year, end.month, end.day, tzinfo=start.tzinfo)
    if not is_date(start) and (start.tzinfo is None) != (end.tzinfo is None):
        if start.tzinfo is None:
            return start.replace(tzinfo=end.tzinfo), end
        return start, end.replace(tzinfo=start.tzinfo)
    return start, end


def _rewrite(component, found, fields, reader):
    """Write the lines of these fields anew, each in its place."""
    table = TABLES[component.name]
    for index in reversed(range(len(component.content))):
        piece = component.content[index]
        if not isinstance(piece, str):
            continue
        name, params, _ = split_line(piece)
        entry = table.get(name)
        if entry is None or entry.field not in fields:
            continue
        if found.get(entry.field) is None:
            del component.content[index], component.numbers[index]
        else:
            component.content[index] = write_property(
                entry, None, found[entry.field], params, reader.zones
            )

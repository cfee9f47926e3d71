"""calendar-data: all of an object, a part of it, or its occurrences (RFC 4791, 9.6)."""

from dataclasses import dataclass, replace

from ..ical.items import Component
from ..ical.params import split_line
from ..ical.text import PRODID, dump, fold, item_lines, to_text
from ..ical.values import is_date
from . import times
from .errors import BadRequest, Forbidden
from .names import caldav

#: What 9.6.5 takes out of an occurrence.
_NO_RULE = {"rules": (), "exrules": (), "rdates": (), "exdates": ()}


@dataclass(frozen=True)
class Part:
    """What is wanted of a component. ``props`` and ``comps`` None: all of them.

    :param dict props: from name to whether the value is wanted
    :param dict comps: from name to Part
    """

    props: dict | None = None
    comps: dict | None = None


@dataclass(frozen=True)
class DataRequest:
    """What is wanted of the text of an object."""

    part: Part | None = None
    expand: times.TimeRange | None = None
    limit: times.TimeRange | None = None
    limit_freebusy: times.TimeRange | None = None

    @property
    def is_plain(self):
        """Whether the text is wanted as it stands."""
        return not (self.part or self.expand or self.limit or self.limit_freebusy)

    def of(self, found, zone, room):
        """The text that is wanted.

        :param CalendarObject found: the object
        :param Room room: of the answer; each occurrence has all the lines of its object
        :raises LimitExceeded: when it has too many occurrences
        :raises TooMany: when they are longer than the answer may be
        """
        if self.expand:
            lines = _head(found)
            for item in _expanded(found, self.expand, zone):
                more = item_lines(item)
                room.take(sum(map(len, more)))
                lines += more
            lines.append("END:VCALENDAR")
            if self.part is None:
                return fold(lines)
            components = [_tree(lines)]
        else:
            items = found.items
            if self.limit:
                items = _limited(found, self.limit, zone)
            if self.limit_freebusy:
                items = [_freebusy(item, self.limit_freebusy, zone) for item in items]
            if self.part is None:
                return to_text(items, lines=_own_lines(found), prodid=_prodid(found))
            pieces = [*found.calendar.lines, *found.calendar.others]
            pieces += [_component(item) for item in items]
            components = [Component("VCALENDAR", pieces)]
        if self.part is not None:
            components = [_cut(component, self.part) for component in components]
        lines = []
        for component in components:
            dump(component, lines)
        return fold(lines)


def read_data(element):
    """What CALDAV:calendar-data asks for.

    :raises DavError: for what cannot be given
    """
    kind = (element.get("content-type") or "text/calendar").strip().lower()
    version = (element.get("version") or "2.0").strip()
    if kind != "text/calendar" or version != "2.0":
        raise Forbidden("only text/calendar 2.0 is there", caldav("supported-calendar-data"))
    ranges, part = {}, None
    for child in element:
        if child.tag == caldav("comp"):
            if _upper(child) != "VCALENDAR" or part is not None:
                raise BadRequest("the outermost component is VCALENDAR")
            part = _part(child)
        for name in ("expand", "limit-recurrence-set", "limit-freebusy-set"):
            if child.tag == caldav(name):
                ranges[name] = times.read_range(child, both=True, error=BadRequest)
    if "expand" in ranges and "limit-recurrence-set" in ranges:
        raise BadRequest("expand or limit-recurrence-set, not both")
    return DataRequest(
        part, ranges.get("expand"), ranges.get("limit-recurrence-set"),
        ranges.get("limit-freebusy-set"),
    )  # fmt: skip


def _upper(element):
    name = (element.get("name") or "").strip().upper()
    if not name:
        raise BadRequest("what is wanted has no name")
    return name


def _part(element):
    props, comps = {}, {}
    tags = {child.tag for child in element}
    for child in element:
        if child.tag == caldav("prop"):
            props[_upper(child)] = (child.get("novalue") or "no").strip().lower() != "yes"
        elif child.tag == caldav("comp"):
            comps[_upper(child)] = _part(child)
    return Part(
        None if caldav("allprop") in tags else props,
        None if caldav("allcomp") in tags else comps,
    )


def _cut(component, part):
    """The component with what is wanted of it."""
    content = []
    for piece in component.content:
        if isinstance(piece, str):
            name, params, _value = split_line(piece)
            if part.props is None or part.props.get(name):
                content.append(piece)
            elif name in part.props:
                content.append(f"{name}{params}:")
        elif part.comps is None:
            content.append(piece)
        elif piece.name in part.comps:
            content.append(_cut(piece, part.comps[piece.name]))
    return Component(component.name, content)


def _expanded(found, span, zone):
    for one in found.occurrences(span.start, span.end, zone):
        changes = dict(_NO_RULE)
        item = one.item
        if one.recurrence_id is not None:
            changes["recurrence_id"] = _plain(one.recurrence_id)
            changes["this_and_future"] = False
        if item.start is not None:
            changes["start"] = _plain(one.start)
        if item.NAME == "VEVENT" and item.end is not None:
            changes["end"] = _plain(one.stop)
        elif item.NAME == "VTODO" and item.due is not None:
            changes["due"] = _plain(one.stop)
        yield replace(item, **changes)


def _plain(moment):
    """A time in UTC; days and floating times are what they are."""
    if is_date(moment) or moment.tzinfo is None:
        return moment
    return times.utc(moment, None)


def _limited(found, span, zone):
    """The main component, and the changed occurrences that matter in the range (9.6.6).

    One matters if it is there, or if it would have been without its change.
    """
    kept = []
    for item in found.items:
        if item.recurrence_id is None or item.this_and_future:
            kept.append(item)
            continue
        was = times.utc(item.recurrence_id, zone)
        length = _length(found, zone)
        start, stop = times.utc(item.start, zone), times.utc(item.stop, zone)
        is_there = (
            start is not None and start < span.end and max(stop or start, start) >= span.start
        )  # fmt: skip
        if is_there or was < span.end and was + length >= span.start:
            kept.append(item)
    return kept


def _length(found, zone):
    """Of an occurrence that nobody has changed."""
    for item in found.items:
        if item.recurrence_id is None and item.start is not None and item.stop is not None:
            return times.utc(item.stop, zone) - times.utc(item.start, zone)
    return times.END - times.END


def _freebusy(item, span, zone):
    if item.NAME != "VFREEBUSY":
        return item
    busy = tuple(
        one
        for one in item.busy
        if times.utc(one.period.start, zone) < span.end
        and times.utc(one.period.stop, zone) > span.start
    )
    return replace(item, busy=busy)


def _component(item):
    lines = item_lines(item)
    return _tree(lines)


def _tree(lines):
    stack = [Component("")]
    for line in lines:
        if line.startswith("BEGIN:"):
            stack.append(Component(line[6:]))
        elif line.startswith("END:"):
            done = stack.pop()
            stack[-1].content.append(done)
        else:
            stack[-1].content.append(line)
    return stack[0].content[0]


def _own_lines(found):
    return [line for line in found.calendar.lines if line[:8].upper() not in ("VERSION:", "PRODID:")
            and line[:7].upper() != "PRODID;"]  # fmt: skip


def _prodid(found):
    return found.calendar.prodid or PRODID


def _head(found):
    return ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_prodid(found)}", *_own_lines(found)]

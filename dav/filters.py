"""calendar-query: which objects match (RFC 4791, 7.8 and 9.7)."""

from dataclasses import dataclass

from ..ical.errors import IcalError
from ..ical.values import is_date, read_date, read_date_time, read_text
from . import times
from .backend import Search
from .errors import Forbidden, InvalidFilter, UnknownCollation
from .names import CALDAV, caldav, split

#: RFC 4791, 7.5, and what most servers have beside (RFC 5051).
COLLATIONS = ("i;ascii-casemap", "i;octet", "i;unicode-casemap")
#: Filters in one query, and time-ranges among them: each is asked of each object, and a
#: time-range walks its series.
MAX_FILTERS, MAX_RANGES = 100, 10
_FILTERS = frozenset(map(caldav, ("comp-filter", "prop-filter", "param-filter")))
_ASCII = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class TextMatch:
    text: str
    collation: str = "i;ascii-casemap"
    negate: bool = False

    def holds(self, value):
        """Whether the text is part of the value (7.5)."""
        return (_folded(self.text, self.collation) in _folded(value, self.collation)) != self.negate


@dataclass(frozen=True, slots=True)
class ParamFilter:
    name: str
    absent: bool = False
    text: TextMatch | None = None

    def holds(self, params):
        values = params.values(self.name)
        if self.absent:
            return not values
        return bool(values) and (self.text is None or any(map(self.text.holds, values)))


@dataclass(frozen=True, slots=True)
class PropFilter:
    name: str
    absent: bool = False
    span: times.TimeRange | None = None
    text: TextMatch | None = None
    params: tuple = ()

    def holds(self, properties, item, zone):
        """Whether one of the properties of that name is as it is wanted.

        :param dict properties: as of ``CalendarObject.properties``
        """
        mine = properties.get(self.name, ())
        if self.absent:
            return not mine
        return any(self._one_holds(params, value, item, zone) for params, value in mine)

    def _one_holds(self, params, value, item, zone):
        if self.text and not self.text.holds(read_text(value)):
            return False
        if self.span and not _in_span(self.span, params, value, item, zone):
            return False
        return all(one.holds(params) for one in self.params)


@dataclass(frozen=True, slots=True)
class CompFilter:
    name: str
    absent: bool = False
    span: times.TimeRange | None = None
    props: tuple = ()
    comps: tuple = ()

    def matches(self, found, zone):
        """Whether an object does. For the outermost one, VCALENDAR.

        :param CalendarObject found: the object
        :param tzinfo zone: where floating times and days are
        """
        if self.absent or self.name != "VCALENDAR":
            return False
        return all(one.holds(found.properties(), None, zone) for one in self.props) and all(
            one._is_in(found, found.components(one.name), zone) for one in self.comps
        )

    def _is_in(self, found, pairs, zone):
        """:param pairs: (component, item) of the name of this filter"""
        if self.absent:
            return not pairs
        chosen = [pair for pair in pairs if self._component_holds(found, *pair, zone)]
        if not chosen or self.span is None:
            return bool(chosen)
        if self.name == "VALARM":
            return any(
                times.alarm_matches(found, item, component, self.span, zone)
                for component, item in chosen if item is not None
            )  # fmt: skip
        return times.matches(found, self.name, chosen, self.span, zone)

    def _component_holds(self, found, component, item, zone):
        if not all(one.holds(found.properties(component), item, zone) for one in self.props):
            return False
        children = component.children()
        return all(
            one._is_in(found, [(child, item) for child in children if child.name == one.name], zone)
            for one in self.comps
        )

    @property
    def is_span_alone(self):
        """Whether all that it wants is that an event lies in a span of time."""
        if len(self.comps) != 1 or self.props:
            return False
        inner = self.comps[0]
        return (
            inner.name == "VEVENT" and inner.span is not None
            and not (inner.absent or inner.props or inner.comps)
        )  # fmt: skip

    def search(self):
        """What of it can be asked of the store: a Search, and whether that is all of it."""
        if len(self.comps) != 1 or self.props or self.comps[0].absent:
            return Search(), not (self.comps or self.props)
        inner = self.comps[0]
        first = last = None
        if inner.span and inner.name in ("VEVENT", "VTODO"):
            first = inner.span.start if inner.span.start != times.BEGIN else None
            last = inner.span.end if inner.span.end != times.END else None
        uid = next(
            (
                one.text.text
                for one in inner.props
                if one.name == "UID" and one.text and not one.text.negate
            ),
            None,
        )
        is_all = not (inner.span or inner.props or inner.comps)
        return Search(inner.name, first, last, uid), is_all


def read_filter(element):
    """The filter of a calendar-query.

    :param element: CALDAV:filter
    :rtype: CompFilter
    :raises InvalidFilter, UnknownCollation:
    :raises Forbidden: when it is more than is worked out
    """
    filters = sum(one.tag in _FILTERS for one in element.iter())
    ranges = sum(one.tag == caldav("time-range") for one in element.iter())
    if filters > MAX_FILTERS or ranges > MAX_RANGES:
        raise Forbidden("more than is filtered by", caldav("supported-filter"))
    found = [one for one in element if split(one.tag)[0] == CALDAV]
    if len(found) != 1 or found[0].tag != caldav("comp-filter"):
        raise InvalidFilter("a filter has one comp-filter")
    filter_ = _comp(found[0])
    if filter_.name != "VCALENDAR" or filter_.span:
        raise InvalidFilter("the outermost component is VCALENDAR, and has no time-range")
    return filter_


def _comp(element):
    parts = _parts(element, "time-range", "prop-filter", "comp-filter")
    return CompFilter(
        _name(element),
        parts["is-not-defined"] != [],
        _span(parts["time-range"]),
        tuple(map(_prop, parts["prop-filter"])),
        tuple(map(_comp, parts["comp-filter"])),
    )


def _prop(element):
    parts = _parts(element, "time-range", "text-match", "param-filter")
    return PropFilter(
        _name(element),
        parts["is-not-defined"] != [],
        _span(parts["time-range"]),
        _text(parts["text-match"]),
        tuple(map(_param, parts["param-filter"])),
    )


def _param(element):
    parts = _parts(element, "text-match")
    return ParamFilter(
        _name(element), parts["is-not-defined"] != [], _text(parts["text-match"])
    )  # fmt: skip


def _parts(element, *names):
    """The children by their names; elements of other namespaces mean nothing to us."""
    found = {name: [] for name in ("is-not-defined", *names)}
    for child in element:
        namespace, local = split(child.tag)
        if namespace != CALDAV:
            continue
        if local not in found:
            raise InvalidFilter(f"{local} does not stand in {split(element.tag)[1]}")
        found[local].append(child)
    if found["is-not-defined"] and any(found[name] for name in names):
        raise InvalidFilter("what is not there has no more to it")
    return found


def _name(element):
    name = (element.get("name") or "").strip().upper()
    if not name:
        raise InvalidFilter("a filter without the name of what it is about")
    return name


def _span(elements):
    if len(elements) > 1:
        raise InvalidFilter("there is one time-range")
    return times.read_range(elements[0]) if elements else None


def _text(elements):
    if not elements:
        return None
    if len(elements) > 1:
        raise InvalidFilter("there is one text-match")
    element = elements[0]
    collation = (element.get("collation") or "default").strip().lower()
    if collation == "default":
        collation = COLLATIONS[0]
    if collation not in COLLATIONS:
        raise UnknownCollation(f"unknown: {collation[:60]}")
    negate = (element.get("negate-condition") or "no").strip().lower()
    if negate not in ("yes", "no"):
        raise InvalidFilter("negate-condition is yes or no")
    return TextMatch(element.text or "", collation, negate == "yes")


def _folded(text, collation):
    if collation == "i;octet":
        return text
    if collation == "i;ascii-casemap":
        return text.translate(_ASCII)
    return text.casefold()


def _in_span(span, params, value, item, zone):
    """Whether a date or time of a property is in the range."""
    try:
        is_day = (params.get("VALUE") or "").upper() == "DATE"
        moment = read_date(value.strip()) if is_day else read_date_time(value.strip())
    except (IcalError, ValueError):
        return False
    tzid = params.get("TZID")
    if tzid and not is_date(moment) and moment.tzinfo is None and item is not None:
        moment = moment.replace(tzinfo=(item.zones and item.zones.get(tzid)) or zone)
    return span.start <= times.utc(moment, zone) < span.end

"""A calendar object as questions see it: its components, and what they mean."""

import contextlib
from dataclasses import dataclass, field
from functools import lru_cache

from ..ical.errors import IcalError, LimitExceeded
from ..ical.expand import occurrences
from ..ical.limits import Limits
from ..ical.params import split_line
from ..ical.parse import parse
from .errors import InvalidData, InvalidObject

#: For one question about one object: a rule that never ends has to.
LIMITS = Limits(occurrences=5_000, steps=60_000)
#: Objects that are kept understood: who asks for a week asks again for the same. Only short
#: ones: understood they take up to a dozen times as much as their text.
KEPT, KEPT_CHARACTERS = 500, 8_000
#: Repairs that mean that what was sent is no iCalendar (RFC 5545, 3.1 and 3.4). What is
#: left of them is what real programs do and everybody understands.
_BROKEN = {
    "byte_order", "control_characters", "no_calendar", "line_dropped", "stray_end", "bad_utf8",
    "quoted_printable", "vcalendar_1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CalendarObject:
    """What is worked out of it is remembered: a filter may ask a hundred times.

    :param Calendar calendar: of ``ical.parse``
    """

    calendar: object
    _known: dict = field(default_factory=dict, compare=False, repr=False)

    @property
    def items(self):
        return self.calendar.items

    def components(self, name):
        """Pairs (component, item) of that name; no item for time zones and the like."""
        found = [(item.component, item) for item in self.items if item.NAME == name]
        found += [(one, None) for one in self.calendar.others if one.name == name]
        return found

    def properties(self, component=None):
        """The properties of a component, or of the calendar itself.

        :return: dict from names to lists of pairs (parameters, value)
        """
        if id(component) not in self._known:
            found = self._known[id(component)] = {}
            for line in self.calendar.lines if component is None else component.lines():
                with contextlib.suppress(IcalError):
                    name, params, value = split_line(line)
                    found.setdefault(name, []).append((params, value))
        return self._known[id(component)]

    def occurrences(self, start, end, zone):
        """:raises LimitExceeded: too many of them"""
        key = start, end, zone
        if key not in self._known:
            try:
                self._known[key] = occurrences(self.items, start, end, zone, LIMITS), None
            except LimitExceeded as error:
                self._known[key] = None, error
        found, error = self._known[key]
        if error:
            raise error
        return found


def parsed(data):
    """What ``ical`` reads of a body.

    :raises InvalidData: for what is no calendar, or holds what cannot be read
    """
    try:
        found = parse(data, LIMITS)
    except IcalError as error:
        raise InvalidData(str(error)) from error
    if found.failures:
        raise InvalidData(str(found.failures[0].error))
    return found


def read_object(text):
    """An object that we serve ourselves; None when it cannot be read."""
    calendar = _kept(text) if len(text) <= KEPT_CHARACTERS else _read(text)
    return CalendarObject(calendar) if calendar else None


def _read(text):
    try:
        calendars = parse(text.encode("utf-8", "surrogatepass"), LIMITS).calendars
    except IcalError:
        return None
    return calendars[0] if calendars else None


_kept = lru_cache(maxsize=KEPT)(_read)


def check_object(data):
    """What is sent, if it is one object that can be stored (RFC 4791, 4.1).

    :param bytes data: as it came
    :return: (text, items): at least one, all of one component and UID
    :raises InvalidData, InvalidObject:
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidData("it is not UTF-8") from error
    if not data.rstrip().upper().endswith(b"END:VCALENDAR"):
        raise InvalidData("it does not end")
    found = parsed(data)
    calendar = found.calendars[0]
    repairs = [*found.repairs, *calendar.repairs]
    repairs += [repair for item in calendar.items for repair in item.repairs]
    broken = next((one for one in repairs if one.code in _BROKEN), None)
    if broken:
        raise InvalidData(f"line {broken.line}: {broken.code}")
    _check_one(found, {repair.code for repair in repairs})
    _check_times(calendar.items)
    return text, calendar.items


def _check_times(items):
    """:raises InvalidData: when something ends where no calendar can say it"""
    try:
        for item in items:
            _ends = item.stop, [period.stop for period in getattr(item, "rdates", ())
                                if hasattr(period, "stop")]  # fmt: skip
    except IcalError as error:
        raise InvalidData(str(error)) from error


def _check_one(found, repairs):
    """:raises InvalidObject: when it is not one object

    :param set repairs: codes of what was put right
    """
    calendar = found.calendars[0]
    if len(found.calendars) != 1 or not calendar.items:
        raise InvalidObject("there has to be one calendar with one object in it")
    if calendar.method:
        raise InvalidObject("a stored object has no METHOD")
    if "no_uid" in repairs:
        raise InvalidObject("it has no UID")
    if len({(item.NAME, item.uid) for item in calendar.items}) != 1:
        raise InvalidObject("there is more than one object in it")
    if "duplicate_uid" in repairs:
        raise InvalidObject("one occurrence stands in it twice")

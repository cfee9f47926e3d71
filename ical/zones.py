"""TZID to tzinfo (RFC 5545, 3.2.19 and 3.6.5).

A name decides before rules: ``Europe/Madrid`` is the zone of that name, whatever
its VTIMEZONE says, because the rules that programs write are cut short or years
old, and because Odoo knows zones by name. Windows names follow the Unicode
table. What remains is read by the rules of its VTIMEZONE.

Nothing is kept between two files but what depends on names alone.
"""

import re
from bisect import bisect_right
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from .errors import BadZone, IcalError, LimitExceeded
from .limits import DEFAULT
from .params import split_line
from .rules import Rule
from .values import UTC, read_date_time, read_loosely, read_offset, read_text

_ZERO = timedelta(0)
# Rules are followed until then; a zone keeps its last offset afterwards.
_LAST_YEAR = 2100
_FIRST_YEAR = 1900
# From which on rules and a name given beside them are compared.
_HINT_YEAR = 2024
# Outlook's display names: "(UTC+01:00) Amsterdam, Berlin", "GMT -0500 (Standard)".
_OFFSET = re.compile(r"\(?(?:UTC|GMT)\s*([+-])\s*(\d\d?):?(\d\d)?\b", re.I)
_UTC_NAMES = {"UTC", "Z", "GMT", "ETC/UTC", "COORDINATED UNIVERSAL TIME"}


@lru_cache(maxsize=1)
def _names():
    """IANA names by their lower-case form; names only, so that no TZID is ever a path."""
    return {name.lower(): name for name in available_timezones()}


@lru_cache(maxsize=2048)
def by_name(tzid):
    """The zone that a TZID names, or None.

    IANA names in any case, Windows names, and IANA names behind a vendor's
    prefix (``/freeassociation.sourceforge.net/Europe/Madrid``).

    >>> by_name("Romance Standard Time").key, by_name("/x.example/2026a/Europe/Madrid").key
    ('Europe/Paris', 'Europe/Madrid')
    >>> by_name("My Zone")
    """
    name = tzid.strip().strip('"').strip()
    if name.upper() in _UTC_NAMES:
        return UTC
    names = _names()
    key = names.get(name.lower())
    if key is None:
        windows = WINDOWS_TO_OLSON.get(name) or _windows().get(name.lower())
        key = names.get(windows.lower()) if windows else None
    if key is None and "/" in name:
        parts = name.strip("/").lower().split("/")
        tails = ("/".join(parts[at:]) for at in range(len(parts)))
        # The longest tail; a single word after a slash is too little to go by.
        key = next((names[tail] for tail in tails if "/" in tail and tail in names), None)
    return ZoneInfo(key) if key else None


@lru_cache(maxsize=1)
def _windows():
    return {name.lower(): olson for name, olson in WINDOWS_TO_OLSON.items()}


def by_offset(tzid):
    """A fixed offset that a TZID spells out, or None.

    >>> by_offset("(UTC+01:00) Amsterdam, Berlin").utcoffset(None)
    datetime.timedelta(seconds=3600)
    """
    found = _OFFSET.search(tzid)
    if not found:
        return None
    amount = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    if amount > timedelta(hours=15):
        return None
    return timezone(-amount if found[1] == "-" else amount)


class RuleZone(tzinfo):
    """A time zone by the rules of its VTIMEZONE.

    Knows gaps and overlaps as PEP 495 and RFC 5545, 3.3.5 want them: a wall
    time that does not exist has the offset from before the gap, one that exists
    twice is the first (with ``fold=1`` the second).

    :param str tzid: its name
    :param onsets: list of (moment in UTC without tzinfo, offset before, offset
        after, whether it is daylight time, name), sorted
    :param tuple before: (offset, is daylight, name) ahead of the first onset
    :param component: the VTIMEZONE as it was read, to be written again; None
        when others would stumble over it
    """

    def __init__(self, tzid, onsets, before, component=None):
        self.tzid = tzid
        self.component = component
        self._onsets = onsets
        self._moments = [onset[0] for onset in onsets]
        self._states = [before] + [(after, dst, name) for _, _, after, dst, name in onsets]
        # The wall time from which the new offset counts, for fold 0 and fold 1.
        walls = [(at + max(b, a), at + min(b, a)) for at, b, a, _, _ in onsets]
        self._walls = ([w[0] for w in walls], [w[1] for w in walls])

    @property
    def since(self):
        """The first moment that its rules speak of, in UTC without tzinfo."""
        return self._moments[0]

    def _state(self, moment):
        if moment is None:
            return self._states[0]
        naive = moment.replace(tzinfo=None, fold=0)
        return self._states[bisect_right(self._walls[moment.fold], naive)]

    def utcoffset(self, moment):
        return self._state(moment)[0]

    def dst(self, moment):
        state = self._state(moment)
        return timedelta(hours=1) if state[1] else _ZERO

    def tzname(self, moment):
        return self._state(moment)[2]

    def fromutc(self, moment):
        naive = moment.replace(tzinfo=None)
        at = bisect_right(self._moments, naive)
        wall = naive + self._states[at][0]
        # The second of two equal wall times: fold=0 would read it as the first.
        fold = bisect_right(self._walls[0], wall) != at
        return wall.replace(tzinfo=self, fold=int(fold))

    def __str__(self):
        return self.tzid

    def __repr__(self):
        return f"RuleZone({self.tzid!r})"

    def __eq__(self, other):
        return (
            isinstance(other, RuleZone)
            and self.tzid == other.tzid
            and self._onsets == other._onsets
            and self._states[0] == other._states[0]
        )

    def __hash__(self):
        return hash(self.tzid)

    def __getinitargs__(self):
        # How tzinfo copies and pickles itself.
        return self.tzid, self._onsets, self._states[0], self.component


def read_vtimezone(component, limits=DEFAULT, budget=None):
    """A VTIMEZONE by its rules (3.6.5).

    :param component: :class:`ical.items.Component`
    :param Budget budget: steps that its rules have together with those of other zones
    :rtype: RuleZone
    :raises BadZone: without a TZID or without a usable observance
    :raises LimitExceeded: when its rules go on and on
    """
    tzid = name_of(component)
    onsets = []
    standard = None
    clean = True
    for part in component.children():
        if part.name not in ("STANDARD", "DAYLIGHT"):
            continue
        try:
            found = _observance(part, limits, limits.onsets - len(onsets), budget)
        except LimitExceeded:
            raise
        except IcalError:
            # One bad observance does not spoil the others, but the text is not
            # to be given to anybody else.
            clean = False
            continue
        onsets += found
        if part.name == "STANDARD" and (standard is None or found[0] < standard):
            standard = found[0]
    if not onsets:
        raise BadZone(f"the time zone {tzid!r} has no usable STANDARD or DAYLIGHT")
    onsets.sort(key=lambda onset: onset[0])
    first = standard or onsets[0]
    # Ahead of all rules the RFC says nothing: winter, as dateutil does.
    before = (first[2], False, first[4]) if standard else (first[1], False, "")
    return RuleZone(tzid, onsets, before, component if clean else None)


def name_of(component):
    """The TZID of a VTIMEZONE.

    :raises BadZone: when it has none
    """
    for line in component.lines():
        name, _, value = split_line(line)
        if name == "TZID" and value.strip():
            return read_text(value.strip())
    raise BadZone("a VTIMEZONE without TZID", None)


def hints(component):
    """Names under which a VTIMEZONE may be known: X-LIC-LOCATION, RFC 7808's alias."""
    for line in component.lines():
        name, _, value = split_line(line)
        if name in ("X-LIC-LOCATION", "TZID-ALIAS-OF"):
            yield value.strip()


def _observance(part, limits, room, budget):
    """Onsets of a STANDARD or DAYLIGHT: see :class:`RuleZone`."""
    found = {"RDATE": [], "RRULE": []}
    for line in part.lines():
        name, _, value = split_line(line)
        if name in ("RDATE", "RRULE"):
            found[name].append(value.strip())
        else:
            found.setdefault(name, value.strip())
    if "DTSTART" not in found or "TZOFFSETTO" not in found:
        raise BadZone("an observance without DTSTART or TZOFFSETTO")
    start = _wall(found["DTSTART"])
    after = read_offset(found["TZOFFSETTO"])
    before = read_offset(found.get("TZOFFSETFROM", found["TZOFFSETTO"]))
    # TZNAME is optional; without one the kind has to do.
    name = read_text(found.get("TZNAME", part.name.title()))
    walls = {start}
    for value in found["RDATE"]:
        walls.update(_wall(text.split("/")[0]) for text in value.split(",") if text.strip())
    for value in found["RRULE"]:
        walls.update(_expand(value, start, before, limits, budget))
        if len(walls) > room:
            raise LimitExceeded("onsets", limits.onsets)
    daylight = part.name == "DAYLIGHT"
    return [(wall - before, before, after, daylight, name) for wall in sorted(walls)]


def _wall(value):
    """DTSTART and RDATE of an observance are wall times; a date or a Z is forgiven.

    Years so early that an offset could lead out of Python's calendar are moved:
    Outlook begins its rules in 1601, some in year 1.
    """
    try:
        moment = read_date_time(value)
    except IcalError:
        moment = read_loosely(value)
        if not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)
    moment = moment.replace(tzinfo=None)
    if moment.year >= 9999:
        raise BadZone("an observance in the year 9999")
    return moment if moment.year > 1 else moment.replace(year=2)


def _expand(value, start, before, limits, budget):
    rule = Rule.parse(value)
    if rule.freq == "YEARLY" and rule.interval == 1 and not rule.count and start.year < _FIRST_YEAR:
        # Nothing but years is lost: the day comes from BYDAY and BYMONTH, and
        # every year of the Gregorian calendar comes again after 400.
        start = start.replace(year=start.year + -(-(_FIRST_YEAR - start.year) // 400) * 400)
    until = rule.until
    if isinstance(until, datetime) and until.tzinfo:
        # 3.3.10: in an observance UNTIL is in UTC.
        until = (until + before).replace(tzinfo=None)
    elif until is not None and not isinstance(until, datetime):
        until = datetime(until.year, until.month, until.day, 23, 59, 59)
    last = datetime(_LAST_YEAR, 12, 31)
    until = min(until, last) if until else last
    return rule.walls(start, start, until, limits, budget)


class Zones:
    """The time zones that one file speaks of.

    ``unread`` holds (TZID or None, exception) of each VTIMEZONE without use.
    """

    def __init__(self, limits=DEFAULT, budget=None):
        self.limits = limits
        self.budget = budget
        self._components = {}
        self._found = {}
        self.unread = []

    def add(self, component):
        """Take note of a VTIMEZONE; of two with one TZID the first counts."""
        try:
            self._components.setdefault(name_of(component), component)
        except IcalError as error:
            self.unread.append((None, error))

    def component(self, tzid):
        """The VTIMEZONE of that TZID as the file has it, or None."""
        return self._components.get(tzid)

    def get(self, tzid):
        """The tzinfo of a TZID, or None: unknown.

        :return: ZoneInfo, RuleZone, a fixed offset, or UTC
        """
        try:
            return self._found[tzid]
        except KeyError:
            found = self._found[tzid] = self._find(tzid)
            return found

    def _find(self, tzid):
        known = by_name(tzid)
        if known is not None:
            return known
        component = self._components.get(tzid) or self._components.get(tzid.strip().strip('"'))
        if component is not None:
            named = [by_name(hint) for hint in hints(component) if by_name(hint) is not None]
            try:
                zone = read_vtimezone(component, self.limits, self.budget)
            except IcalError as error:
                self.unread.append((tzid, error))
                zone = None
            # libical says which zone it means; believed where the rules agree,
            # or where there are none.
            for found in named:
                if zone is None or _alike(zone, found, max(_HINT_YEAR, zone.since.year + 1)):
                    return found
            if zone is not None:
                return zone
        return by_offset(tzid)


def key_of(zone):
    """The IANA name of a tzinfo, or None for a custom zone.

    >>> key_of(ZoneInfo("Europe/Madrid")), key_of(UTC)
    ('Europe/Madrid', 'UTC')
    """
    if zone is UTC:
        return "UTC"
    return getattr(zone, "key", None) or getattr(zone, "zone", None)


def like(zone, year):
    """The IANA name of a zone that has the same offsets for a while, or None.

    For Odoo, which stores names: a custom zone that keeps the time of Madrid in
    the given year and the next is as good as Europe/Madrid.

    :param tzinfo zone: any
    :param int year: from which on
    """
    known = key_of(zone)
    if known:
        return known
    # The places people mean first, then all others by name.
    for name in (*_PLACES, *sorted(_names().values())):
        if "/" in name and _alike(zone, ZoneInfo(name), year):
            return name
    return None


_PLACES = (
    "Europe/Madrid", "Europe/London", "Europe/Lisbon", "Europe/Berlin", "Europe/Athens",
    "Europe/Moscow", "America/New_York", "America/Chicago", "America/Denver",
    "America/Los_Angeles", "America/Mexico_City", "America/Bogota", "America/Sao_Paulo",
    "America/Buenos_Aires", "America/Santiago", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo",
    "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip


def _alike(one, other, year):
    moment = datetime(min(year, _LAST_YEAR), 1, 1, tzinfo=UTC)
    for _ in range(2 * 365 // 5):
        if moment.astimezone(one).utcoffset() != moment.astimezone(other).utcoffset():
            return False
        moment += timedelta(days=5)
    return True

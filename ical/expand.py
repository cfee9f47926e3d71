"""The occurrences of a series in a span of time (RFC 5545, 3.8.5), bounded.

Where the RFC leaves a choice, it is made as ``recurring-ical-events`` makes it,
so that what we show is what others show:

* DTSTART is an occurrence even if the rule does not give it, unless UNTIL is
  before it (3.8.5.3 calls that case undefined);
* of two components with one UID and RECURRENCE-ID the higher SEQUENCE counts;
* an occurrence keeps the length that the first one has on the wall clock: a
  night shift from 22:00 to 06:00 ends at 06:00 also when clocks change;
* UNTIL as a date, where DTSTART has a time, is the midnight that begins it;
* the time zone of the calendar (X-WR-TIMEZONE) is where its UTC and floating
  times are at home.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from .errors import LimitExceeded
from .items import Item, Period, Todo
from .limits import DEFAULT, Budget
from .rules import Rule
from .values import UTC, add, is_date

#: All rules of a series together take so many times the steps of one: nobody has as many.
_RULES = 3
_DAY = timedelta(days=1)
_NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence.

    :param start, stop: as the item has them: dates, floating, or with a zone
    :param Item item: the series' main component, or the changed occurrence
    :param recurrence_id: the start that the rule gave it; None for a single event
    """

    start: date | datetime
    stop: date | datetime
    item: Item
    recurrence_id: date | datetime | None = None


def occurrences(items, start, end, zone=UTC, limits=DEFAULT, budget=None):
    """The occurrences that touch the span from ``start`` to ``end`` (exclusive).

    :param items: iterable of items of any number of series
    :param start, end: datetimes with a zone; or dates and times without, which
        then are local to each item
    :param tzinfo zone: where floating times and days are, for spans with a zone
    :param Budget budget: steps for these series and for others
    :return: list of :class:`Occurrence`, by start
    :raises LimitExceeded: when a series gives too many
    """
    series = {}
    for item in items:
        if item.start is not None or item.stop is not None:
            series.setdefault((item.NAME, item.uid), []).append(item)
    found = []
    span = _Span(start, end, zone)
    for group in series.values():
        found += _Series(group, span, limits, budget).occurrences()
    found.sort(key=lambda one: span.instant(one.start))
    return found


class _Span:
    """The span asked for, comparable with moments of every kind."""

    def __init__(self, start, end, zone):
        self.local = is_date(start) or start.tzinfo is None
        self.zone = zone
        self.start = _as_time(start)
        self.end = _as_time(end)

    def instant(self, moment):
        """Something that can be compared with the span's ends, and sorted."""
        moment = _as_time(moment)
        if self.local:
            return moment.replace(tzinfo=None)
        return _utc(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))

    def touches(self, start, stop):
        """Whether start (inclusive) to stop (exclusive) is in it; a moment counts as itself."""
        start, stop = self.instant(start), self.instant(stop)
        first, last = self.instant(self.start), self.instant(self.end)
        if start >= stop:
            return first <= start < last or first == last == start
        return start < max(last, first + timedelta.resolution) and first < stop

    def walls(self, zone, before, after):
        """The span as wall times of a zone, widened."""
        first, last = self.start, self.end
        if not self.local:
            first, last = (_wall_in(one, zone or self.zone) for one in (first, last))
        return _shift(first, -before - _DAY), _shift(last, after + _DAY)


class _Series:
    """The components of one UID."""

    def __init__(self, items, span, limits, budget):
        self.span = span
        self.limits = limits
        self.budget = Budget(_RULES * limits.steps, budget)
        self.main = None
        self.changes = {}
        self.walls = {}
        later = {}
        for item in items:
            if item.recurrence_id is None:
                if self.main is None or item.sequence > self.main.sequence:
                    self.main = item
                continue
            self._note_change(item, later)
        self.later = sorted(later.items(), key=lambda pair: pair[0])
        self.rules = []
        if self.main is not None:
            self.start = at_home(self.main, self.main.start or self.main.stop)
            self.zone = None if is_date(self.start) else self.start.tzinfo
            self.rules = [Rule.parse(text) for text in self.main.rules]
        self._counted = None

    def _note_change(self, item, later):
        moment = at_home(item, item.recurrence_id)
        at = _key(moment)
        known = self.changes.get(at)
        if known is not None and item.sequence <= known.sequence:
            return
        self.changes[at] = item
        # Outlook names an occurrence of a series of days by its local midnight.
        self.walls[_wall(moment)] = item
        later.pop(at, None)
        if item.this_and_future:
            later[at] = item

    def occurrences(self):
        """All that touch the span, in no order."""
        found, used = [], set()
        gone, gone_days = self._excluded()
        for wall, length in self._times():
            moment = self._moment(wall)
            at = _key(moment)
            if at in gone or wall.date() in gone_days or wall in gone:
                continue
            changed = self.changes.get(at) or self.walls.get(wall)
            if changed is not None:
                used.add(id(changed))
                self._add(found, changed, None, None, moment)
                continue
            item, start, length = self._shifted(at, moment, length)
            self._add(found, item, start, length, moment if self.main.recurs else None)
        for at, item in self.changes.items():
            # Changed occurrences that the rule does not give, or that were moved here.
            if id(item) not in used and at not in gone and not self._is_stale(item):
                self._add(found, item, None, None, item.recurrence_id)
        return found

    def _is_stale(self, item):
        """Whether a changed occurrence is left over from an older rule of the series.

        Some programs repeat the rule in it; a main component with a higher
        SEQUENCE that has no such occurrence any more has done away with it.
        """
        if self.main is None or not (item.rules or item.rdates or item.exdates):
            return False
        if item.sequence >= self.main.sequence:
            return False
        wall = self._wall_here(item.recurrence_id)
        return wall != _wall(self.start) and not self._is_given(wall)

    def _is_given(self, wall):
        """Whether a rule gives that time, which is one of a changed occurrence."""
        counted = [rule for rule in self.rules if rule.count is not None]
        if counted and self._counted is None:
            # They are counted from the start: once for all that are asked for.
            asked = {
                self._wall_here(one.recurrence_id) for one in self.changes.values()
                if one.rules or one.rdates or one.exdates
            }  # fmt: skip
            self._counted = {
                one for rule in counted for one in self._walls_of(rule, min(asked), max(asked))
                if one in asked
            }  # fmt: skip
        others = [rule for rule in self.rules if rule.count is None]
        return wall in (self._counted or ()) or wall in self._rule_walls(others, wall, wall)

    def _add(self, found, item, start, length, recurrence_id):
        if start is None:
            start = at_home(item, item.start or item.stop)
            stop = at_home(item, item.stop or start)
        else:
            stop = length(start)
        if self.span.touches(start, stop):
            if len(found) >= self.limits.occurrences:
                raise LimitExceeded("occurrences", self.limits.occurrences)
            found.append(Occurrence(start, stop, item, recurrence_id))

    def _moment(self, wall):
        if is_date(self.start):
            return wall.date()
        # 3.3.5: a time that does not exist has the offset from before the gap,
        # one that exists twice is the first: fold=0 says both.
        return wall.replace(tzinfo=self.zone)

    def _shifted(self, at, moment, length):
        """RANGE=THISANDFUTURE (3.8.4.4): later occurrences move with that one."""
        number = bisect_left(self.later, at, key=lambda pair: pair[0])
        if not number:
            return self.main, moment, length
        item = self.later[number - 1][1]
        was, now = (at_home(item, one) for one in (item.recurrence_id, item.start))
        shift = _wall(now) - _wall(was)
        if is_date(moment) and not is_date(now):
            moment = _as_time(moment).replace(tzinfo=now.tzinfo)
        return item, moment + shift, _length(item)

    def _times(self):
        """(wall time, length) of each occurrence that may touch the span, once each."""
        if self.main is None:
            return
        length = _length(self.main)
        before, after = self._reach()
        first, last = self.span.walls(self.zone, before, after)
        start = _wall(self.start)
        seen = set()
        for moment in self.main.rdates:
            own = length
            if isinstance(moment, Period):
                own = _fixed(moment.stop - moment.start)
                moment = moment.start
            wall = self._wall_here(moment)
            if wall not in seen and first <= wall <= last:
                seen.add(wall)
                yield wall, own
        if start not in seen and self._start_counts(self.rules):
            seen.add(start)
            yield start, length
        for wall in self._rule_walls(self.rules, first, last):
            if wall not in seen:
                seen.add(wall)
                yield wall, length

    def _start_counts(self, rules):
        untils = [rule.until for rule in rules if rule.until is not None]
        if not untils:
            return True
        start = _wall(self.start)
        return any(self._until(until) >= start for until in untils)

    def _walls_of(self, rule, first, last):
        until = self._until(rule.until) if rule.until is not None else last
        start = _wall(self.start)
        return rule.walls(start, first, min(last, until), self.limits, self.budget)

    def _rule_walls(self, rules, first, last):
        for rule in rules:
            given = 0
            for wall in self._walls_of(rule, first, last):
                given += 1
                if given > self.limits.occurrences:
                    raise LimitExceeded("occurrences", self.limits.occurrences)
                yield wall

    def _until(self, until):
        """UNTIL as a wall time of the series (3.3.10)."""
        if is_date(until):
            return _as_time(until)
        if until.tzinfo is not None and self.zone is not None:
            return _wall_in(until, self.zone)
        wall = until.replace(tzinfo=None)
        return _as_time(wall.date()) if is_date(self.start) else wall

    def _wall_here(self, moment):
        moment = at_home(self.main, moment)
        if is_date(moment):
            return _as_time(moment)
        if moment.tzinfo is not None and self.zone is not None:
            return _wall_in(moment, self.zone)
        return moment.replace(tzinfo=None)

    def _reach(self):
        """How far outside the span a rule's time may lie and still touch it."""
        before, after = _NONE, _NONE
        for item in [self.main, *(item for _, item in self.later)]:
            start, stop = item.start or item.stop, item.stop or item.start
            before = max(before, _wall(stop) - _wall(start))
            if item.recurrence_id is not None:
                moved = _wall(at_home(item, start)) - _wall(at_home(item, item.recurrence_id))
                before, after = max(before, before + moved), max(after, -moved)
        for moment in self.main.rdates:
            if isinstance(moment, Period):
                before = max(before, _wall(moment.stop) - _wall(moment.start))
        return before, after

    def _excluded(self):
        """Moments and days that EXDATE and EXRULE take out (3.8.5.1)."""
        gone, days = set(), set()
        if self.main is None:
            return gone, days
        for moment in self.main.exdates:
            moment = at_home(self.main, moment)
            if is_date(moment):
                days.add(moment)
                gone.add(_key(moment))
            else:
                gone.update((_key(moment), moment.replace(tzinfo=None)))
        if self.main.exrules:
            first, last = self.span.walls(self.zone, *self._reach())
            rules = [Rule.parse(text) for text in self.main.exrules]
            gone.update(_key(self._moment(w)) for w in self._rule_walls(rules, first, last))
        return gone, days


def at_home(item, moment):
    """A UTC or floating time of a calendar with X-WR-TIMEZONE, in that zone."""
    zone = item.calendar_zone
    if zone is None or moment is None or is_date(moment) or isinstance(item, Todo):
        return moment
    if moment.tzinfo is None:
        return moment.replace(tzinfo=zone)
    return moment.astimezone(zone) if moment.tzinfo is UTC else moment


def _length(item):
    """How an occurrence's start gives its end."""
    if item.duration is not None:
        # 3.8.5.3: a nominal duration: days by the calendar, hours by the clock.
        return lambda start: add(start, item.duration)
    start, stop = item.start or item.stop, item.stop or item.start
    return _fixed(_wall(stop) - _wall(start) if _one_zone(start, stop) else stop - start)


def _fixed(amount):
    def stop(start):
        try:
            return start + amount
        except OverflowError:
            return start

    return stop


def _one_zone(start, stop):
    """Whether their distance is one of wall times; it has to be where one is floating."""
    if is_date(start) or is_date(stop) or None in (start.tzinfo, stop.tzinfo):
        return True
    return str(start.tzinfo) == str(stop.tzinfo)


def _key(moment):
    """What identifies an occurrence: its moment in UTC, without tzinfo."""
    return _utc(_as_time(moment))


def _utc(moment):
    return moment.replace(tzinfo=None) - (moment.utcoffset() or _NONE) if (
        moment.year > 1 and moment.year < 9999) else moment.replace(tzinfo=None)  # fmt: skip


def _wall(moment):
    return _as_time(moment).replace(tzinfo=None)


def _wall_in(moment, zone: tzinfo):
    """The wall time in a zone of a moment that has one."""
    if not 1 < moment.year < 9999:
        return moment.replace(tzinfo=None)
    return moment.astimezone(zone).replace(tzinfo=None)


def _as_time(moment):
    return datetime(moment.year, moment.month, moment.day) if is_date(moment) else moment


def _shift(moment, amount):
    try:
        return moment + amount
    except OverflowError:
        return datetime.min if amount < _NONE else datetime.max.replace(microsecond=0)

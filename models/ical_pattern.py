"""A series as Odoo has it, one row for each meeting, said as a rule with exceptions.

The rows are what counts. Odoo cuts a series "for ever" at 720 meetings, counts
biweekly ones from the first day of the week of whoever saved them, and has places
that no rule gives when clocks are put back; what the rule gives beyond the rows is
excluded (EXDATE), and what it does not give is added (RDATE).

A *place* is a start as the rule gives it: naive UTC as Odoo has it, or a date.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time

from ..ical.errors import IcalError
from ..ical.rules import Rule
from ..ical.values import UTC

#: More places than these that are left out at the end are an earlier end (UNTIL).
MANY = 20
#: Odoo's time zones change no clocks after this, and its rows are an hour off.
LAST_CHANGE = datetime(2037, 12, 31)
#: As many of the first places are tried as the beginning of the rule.
TRIES = 12


@dataclass(slots=True)
class Member:
    """A meeting of a series: where it is, and its place, if that is known."""

    at: datetime | date
    place: datetime | date | None
    event: object


@dataclass(slots=True)
class Pattern:
    """DTSTART as a place, RRULE (or None), EXDATE and RDATE as places; each
    member's place is filled in."""

    start: datetime | date
    rule: str | None
    exdates: list
    rdates: list
    #: How much of it had to be put right.
    repairs: int = 0


@dataclass(slots=True)
class Kept:
    """Of a series that is too long: where it begins, and which part of it has rows.

    ``first`` inclusive, ``last`` exclusive; None where there is no end to it.
    """

    start: datetime | date
    first: datetime | date | None = None
    last: datetime | date | None = None

    def has(self, place):
        """Whether a place is in that part."""
        return (self.first is None or place >= self.first) and (
            self.last is None or place < self.last
        )


class Clock:
    """Places and wall times in one zone; without a zone, of whole days."""

    def __init__(self, zone=None):
        self.zone = zone

    def at(self, start):
        """Odoo's ``start`` as a place."""
        return start.date() if self.zone is None else start

    def wall(self, place):
        if self.zone is None:
            return datetime.combine(place, time.min)
        return place.replace(tzinfo=UTC).astimezone(self.zone).replace(tzinfo=None)

    def place(self, wall, rows=()):
        """The place of a wall time.

        :param rows: places that there are
        """
        if self.zone is None:
            return wall.date()
        # A time that does not exist is taken with the offset before (RFC 5545, 3.3.5).
        place = wall.replace(tzinfo=self.zone).astimezone(UTC).replace(tzinfo=None)
        if wall.year > LAST_CHANGE.year and place not in rows:
            flat = wall - self.zone.utcoffset(LAST_CHANGE)
            return flat if flat in rows else place
        return place

    def last_wall(self, until):
        """UNTIL as a wall time."""
        if not isinstance(until, datetime):
            return datetime.combine(until, time.max)
        if until.tzinfo is None or self.zone is None:
            return until.replace(tzinfo=None)
        return until.astimezone(self.zone).replace(tzinfo=None)

    def until(self, place):
        """A place as UNTIL (3.3.10)."""
        return place if self.zone is None else place.replace(tzinfo=UTC)


def find_pattern(rules, members, excluded, added, clock, kept=None):
    """The rule and exceptions that give these meetings, and no others.

    :param rules: texts of rules, the most likely first; the best fit is taken
    :param members: list of :class:`Member`; those whose place is not known get one
    :param excluded: places that were taken out
    :param added: places that are known not to be of the rule
    :param Clock clock: of the series
    :param Kept kept: which part of the series there is, when it is not all of it
    :rtype: Pattern
    """
    best = None
    for text in rules:
        try:
            rule = Rule.parse(text)
            if kept is None:
                found = _fit(rule, text, members, set(excluded), set(added), clock)
            else:
                found = _fit_part(rule, text, members, set(excluded), set(added), clock, kept)
        except IcalError:
            continue
        if found and (best is None or found[0].repairs < best[0].repairs):
            best = found
        if best and not best[0].repairs:
            break
    pattern, places = best or _without_rule(members)
    for member, place in zip(members, places, strict=True):
        member.place = place
    return pattern


def _fit(rule, text, members, excluded, added, clock):
    known = {member.place for member in members if member.place is not None}
    firsts = sorted((known - added or {member.at for member in members}) | excluded)
    start = next((place for place in firsts[:TRIES] if _gives(rule, place, clock)), None)
    if start is None:
        return None
    endless = rule.count is None and rule.until is None
    rows = known | {member.at for member in members if member.place is None}
    last = clock.wall(max(rows)) if endless else datetime.max
    if rule.until is not None:
        last = clock.last_wall(rule.until)
    wall = clock.wall(start)
    expected = {clock.place(each, rows) for each in rule.walls(wall, wall, last)}
    places = _places(members, known, expected - known - excluded)
    taken = set(places)
    missing = expected - taken
    rdates = sorted(taken - expected)
    end = max(taken)
    late = {place for place in missing if place > end}
    if len(late) > MANY or (endless and any(place > end for place in excluded)):
        missing -= late
        excluded = {place for place in excluded if place <= end}
        text = str(replace(rule, count=None, until=clock.until(end)))
    repairs = len(missing - excluded) + len(taken - expected - added)
    return Pattern(start, text, sorted(missing), rdates, repairs), places


def _fit_part(rule, text, members, excluded, added, clock, kept):
    """The same where only a part of the series has rows: the rest is as the rule says."""
    known = {member.place for member in members if member.place is not None}
    rows = known | {member.at for member in members if member.place is None}
    wall, last = clock.wall(kept.start), clock.wall(max(rows))
    if kept.last is not None:
        last = max(last, clock.wall(kept.last))
    if rule.until is not None:
        last = min(last, clock.last_wall(rule.until))
    expected = {clock.place(each, rows) for each in rule.walls(wall, wall, last)}
    expected = {place for place in expected if kept.has(place)}
    places = _places(members, known, expected - known - excluded)
    taken = set(places)
    missing = expected - taken
    # Of what lies outside, only the exceptions are known.
    outside = {place for place in excluded if not kept.has(place)}
    rdates = sorted(taken - expected - {kept.start})
    repairs = len(missing - excluded) + len(taken - expected - added)
    return Pattern(kept.start, text, sorted(missing | outside), rdates, repairs), places


def _gives(rule, place, clock):
    wall = clock.wall(place)
    return next(rule.walls(wall, wall, wall), None) == wall


def _places(members, known, free):
    """The place of each member: its own, else where it is, else the nearest free one.

    :param free: places of the rule that are nobody's; emptied on the way
    """
    places, taken = [], set()
    for member in members:
        place = member.place
        if place is None and member.at in free:
            place = member.at
        elif place is not None and place in taken:
            # Two in one place: a meeting of a series that was copied.
            place = member.at
        free.discard(place)
        taken.add(place)
        places.append(place)
    for number, member in enumerate(members):
        if places[number] is not None:
            continue
        place = min(free, key=lambda one, at=member.at: (abs(one - at), one), default=member.at)
        free.discard(place)
        places[number] = place
    return places


def _without_rule(members):
    places = [member.place or member.at for member in members]
    first = min(places)
    return Pattern(first, None, [], sorted(set(places) - {first}), len(places)), places

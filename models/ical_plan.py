"""Which of the places of a rule have rows at once. Plain Python."""

from datetime import datetime, timedelta

from ..ical.errors import LimitExceeded
from .ical_row import DAY_START
from .ical_rows import HORIZON, MAX_ROWS

#: Rows of a series that begins long ago.
MAX_PAST_ROWS = 5000


def planned(rule, start, clock, now, first=None, room=MAX_ROWS):
    """The places of a rule up to the horizon; a rule with an end has all, if not too many.

    :param Rule rule: see ``ical.rules``
    :param start: the place where the series begins
    :param Clock clock: of the series
    :param datetime now: naive UTC
    :param first: the first place of interest, if not all are
    :param int room: places to come that may have a row
    :return: (list of places, the place from which on they are still to be made, or None)
    :raises LimitExceeded: for rules that give far too many, or search in vain
    """
    wall = clock.wall(start)
    horizon = clock.at(max(now, as_start(start)) + HORIZON)
    endless = rule.count is None and rule.until is None
    last = clock.wall(horizon) if endless else datetime.max
    if rule.until is not None:
        last = clock.last_wall(rule.until)
    # COUNT counts from the beginning.
    begin = wall if first is None else max(wall, clock.wall(first) - timedelta(days=1))
    found, coming = [], 0
    for each in rule.walls(wall, begin, last):
        place = clock.place(each)
        if first is not None and place < first:
            continue
        if as_start(place) >= now:
            coming += 1
        elif len(found) >= MAX_PAST_ROWS:
            raise LimitExceeded("occurrences", MAX_PAST_ROWS)
        if coming > room:
            return found, place
        found.append(place)
    return found, horizon if endless else None


def as_start(place):
    """A place as Odoo's ``start``."""
    return place if isinstance(place, datetime) else datetime.combine(place, DAY_START)

"""tzinfo to VTIMEZONE (RFC 5545, 3.6.5).

The offsets are asked of the zone itself, week by week, and each change found to
the second; changes that come every year by the same rule become an RRULE, the
others stand one by one. So it is right at both changes of each year, also where
no rule exists (Ramadan in Morocco), and the rule that lasts has no end.
"""

from calendar import monthrange
from datetime import datetime, timedelta
from functools import lru_cache

from .rules import WEEKDAYS
from .values import UTC, write_moment, write_offset

_WEEK = timedelta(days=7)
# How far ahead of the first time the zone is asked, at least: enough that a
# rule such as "the last Sunday" shows itself against "the fourth" one.
_YEARS_AHEAD = 15
_LEAST_LAST = 2040
_FIRST, _LAST = 1900, 2200


def vtimezone(zone, tzid, first, last=None):
    """The lines of a VTIMEZONE that is right from ``first`` to ``last`` at least.

    :param tzinfo zone: any; a custom one that was read from a file has its own text
    :param str tzid: the name under which times refer to it
    :param first, last: date or datetime; without ``last`` for a series without end
    :return: tuple of str, unfolded
    """
    begin = min(max(first.year, _FIRST + 1), _LAST - _YEARS_AHEAD) - 1
    end = max(begin + _YEARS_AHEAD, _LEAST_LAST, last.year + 1 if last else 0)
    return _lines(zone, tzid, begin, min(end, _LAST))


@lru_cache(maxsize=512)
def _lines(zone, tzid, begin, end):
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
    key = getattr(zone, "key", None)
    if key and key != tzid:
        # How libical and its users name the real zone behind another name.
        lines.append(f"X-LIC-LOCATION:{key}")
    for part in _observances(zone, begin, end):
        lines += part
    lines.append("END:VTIMEZONE")
    return tuple(lines)


def _state(zone, moment):
    local = moment.astimezone(zone)
    return local.utcoffset(), bool(local.dst()), local.tzname() or ""


def _changes(zone, begin, end):
    """(moment in UTC, state before, state after) of each change of offset."""
    found = []
    at = datetime(begin, 1, 1, tzinfo=UTC)
    final = datetime(end + 1, 1, 1, tzinfo=UTC)
    state = _state(zone, at)
    while at < final:
        following = at + _WEEK
        new = _state(zone, following)
        if new != state:
            low, high = at, following
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                if _state(zone, middle) == state:
                    low = middle
                else:
                    high = middle
            new = _state(zone, high)
            found.append((high, state, new))
            state, at = new, high
        else:
            at = following
    return found


def _observances(zone, begin, end):
    changes = _changes(zone, begin, end)
    groups = {}
    for at, before, after in changes:
        wall = (at + before[0]).replace(tzinfo=None)
        groups.setdefault((before[0], *after), []).append(wall)
    opening = datetime(begin, 1, 1)
    if not changes or changes[0][0] > datetime(begin + 1, 1, 1, tzinfo=UTC):
        # Something has to be in force at the beginning.
        state = _state(zone, opening.replace(tzinfo=UTC))
        yield _part(state[0], *state, opening, None, [])
    for (before, after, dst, name), walls in groups.items():
        alone = []
        for run, rule in _runs(walls, end):
            if rule is None:
                alone += run
                continue
            until = None if run[-1].year >= end else run[-1] - before
            yield _part(before, after, dst, name, run[0], (rule, until), [])
        if alone:
            yield _part(before, after, dst, name, alone[0], None, alone[1:])


def _part(before, after, dst, name, start, rule, rdates):
    kind = "DAYLIGHT" if dst else "STANDARD"
    lines = [
        f"BEGIN:{kind}",
        f"DTSTART:{write_moment(start)}",
        f"TZOFFSETFROM:{write_offset(before)}",
        f"TZOFFSETTO:{write_offset(after)}",
    ]
    if name:
        lines.append(f"TZNAME:{name}")
    if rule:
        text, until = rule
        # 3.3.10: in an observance UNTIL is in UTC.
        tail = f";UNTIL={write_moment(until)}Z" if until else ""
        lines.append(f"RRULE:FREQ=YEARLY;{text}{tail}")
    lines += [f"RDATE:{write_moment(wall)}" for wall in rdates]
    return [*lines, f"END:{kind}"]


def _runs(walls, end):
    """Stretches of consecutive years with one rule: pairs (walls, rule or None).

    A stretch of less than three years that does not last is written date by date.
    """
    run, options = [], None
    for wall in walls:
        new = _options(wall)
        both = options & new if run and wall.year == run[-1].year + 1 else None
        if both:
            run.append(wall)
            options = both
            continue
        if run:
            yield _as_rule(run, options, end)
        run, options = [wall], new
    if run:
        yield _as_rule(run, options, end)


def _as_rule(run, options, end):
    if len(run) < 3:
        return run, None
    return run, _rule(options)


def _options(wall):
    """Every rule that gives this day: (rank, month, weekday, number, time of day)."""
    length = monthrange(wall.year, wall.month)[1]
    time, weekday = wall.time(), wall.weekday()
    found = {(3, wall.month, None, wall.day, time)}
    if wall.day > length - 7:
        found.add((0, wall.month, weekday, -1, time))
    for first in range(max(1, wall.day - 6), wall.day + 1):
        if first + 6 <= length:
            rank = 1 if first in (1, 8, 15, 22) else 2
            found.add((rank, wall.month, weekday, first, time))
    return found


def _rule(options):
    _, month, weekday, number, _ = min(options, key=lambda option: option[:2] + (option[3],))
    if weekday is None:
        return f"BYMONTH={month};BYMONTHDAY={number}"
    if number == -1:
        return f"BYMONTH={month};BYDAY=-1{WEEKDAYS[weekday]}"
    if number in (1, 8, 15, 22):
        return f"BYMONTH={month};BYDAY={number // 7 + 1}{WEEKDAYS[weekday]}"
    days = ",".join(str(number + n) for n in range(7))
    return f"BYMONTH={month};BYMONTHDAY={days};BYDAY={WEEKDAYS[weekday]}"

"""A series that gets other times: which occurrence becomes which.

Every occurrence is a wall time, a datetime without zone. What is kept of one (who has
answered, that it does not take place) goes on with the one that it becomes.
"""

from datetime import timedelta

#: FREQ and what of a wall time says in which period of it that is.
_PERIODS = {
    # Where the clock jumps over a time, it is another one on that day.
    "DAILY": lambda wall, wkst: (wall.date(),),
    "WEEKLY": lambda wall, wkst: (wall.date() - timedelta((wall.weekday() - wkst) % 7),),
    "MONTHLY": lambda wall, wkst: (wall.year, wall.month),
    "YEARLY": lambda wall, wkst: (wall.year,),
}


def successors(old, new, shift, rules):
    """Which of the new times each old one becomes.

    What is there already after the shift stays there. Where both rules have the same
    rhythm, one that is off the new rule becomes that of the same week, month or year:
    the meeting of each Tuesday that of each Wednesday.

    :param old, new: iterables of wall times
    :param timedelta shift: by how much the whole series moves
    :param rules: pair of Rule, the old and the new one, or None for one that is not known
    :return: dict from old to new wall times; what has no successor is not in it

    >>> from datetime import datetime
    >>> from .rules import Rule
    >>> tuesday = Rule.parse("FREQ=WEEKLY;BYDAY=TU"), Rule.parse("FREQ=WEEKLY;BYDAY=WE")
    >>> successors([datetime(2026, 12, 1, 9)], [datetime(2026, 12, 2, 9)], timedelta(0), tuesday)
    {datetime.datetime(2026, 12, 1, 9, 0): datetime.datetime(2026, 12, 2, 9, 0)}
    """
    free = set(new)
    found, left = {}, []
    for wall in sorted(old):
        target = wall + shift
        if target in free:
            found[wall] = target
            free.discard(target)
        else:
            left.append(wall)
    period = _period(*rules)
    if period and left:
        by_period = {}
        for wall in sorted(free):
            by_period.setdefault(period(wall), []).append(wall)
        for wall in left:
            candidates = by_period.get(period(wall + shift))
            if candidates:
                found[wall] = candidates.pop(0)
    return found


def _period(old, new):
    if old is None or new is None or (old.freq, old.interval) != (new.freq, new.interval):
        return None
    find = _PERIODS.get(new.freq)
    return find and (lambda wall: find(wall, new.wkst or 0))

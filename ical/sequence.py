"""SEQUENCE and DTSTAMP: which of two is newer, and what counts as a change.

RFC 5546, 2.1.4 and 2.1.5; RFC 5545, 3.8.7.
"""

from datetime import datetime, timezone

from .items import Item
from .values import same

#: RFC 5546, 2.1.4: a change by the organizer to any of these MUST raise
#: SEQUENCE: DTSTART, DTEND, DURATION, DUE, RRULE, RDATE, EXDATE, STATUS. EXRULE
#: of old files is a kind of EXDATE.
SIGNIFICANT = (
    "start", "end", "duration", "due", "rules", "exrules", "rdates", "exdates", "status",
)  # fmt: skip
#: "changing the location of a meeting from one location to another distant
#: location could effectively impact the participation status": MAY.
ALSO = ("location",)
#: These methods MUST raise it whatever has changed; the answers MUST NOT.
RAISING = frozenset({"ADD", "CANCEL"})
ANSWERS = frozenset({"REPLY", "REFRESH", "COUNTER", "DECLINECOUNTER"})

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def significant_changes(old, new, also=()):
    """Names of the fields whose change attendees have to answer anew.

    The same times said otherwise are no change: an end instead of a duration,
    the same list in another order.

    :param Item old, new: of one kind
    :param also: further fields, such as :data:`ALSO`
    :return: tuple of str
    """
    changed = []
    ends = same(old.stop, new.stop) and same(old.start, new.start)
    for name in (*SIGNIFICANT, *also):
        if not hasattr(new, name) or (ends and name in ("end", "duration", "due")):
            continue
        was, now = getattr(old, name), getattr(new, name)
        if name == "status":
            # A meeting that says nothing of it is as good as confirmed.
            was, now = was or "CONFIRMED", now or "CONFIRMED"
        if isinstance(was, tuple):
            if not _same_set(was, now):
                changed.append(name)
        elif not same(was, now):
            changed.append(name)
    return tuple(changed)


def _same_set(one, other):
    left = list(other)
    for value in one:
        for index, candidate in enumerate(left):
            if same(value, candidate):
                del left[index]
                break
        else:
            return False
    return not left


def next_sequence(old, new, method=None, also=()):
    """The SEQUENCE of the new version, as its organizer has to set it.

    :param Item old: what was sent before, or None
    :param str method: of the message that carries it
    :return: int
    """
    if old is None:
        return new.sequence or 0
    number = old.sequence or 0
    if method in ANSWERS:
        return number
    if method in RAISING or significant_changes(old, new, also):
        return number + 1
    return number


def order(item):
    """Sort key: of two versions of one object the greater is the newer (RFC 5546, 2.1.5).

    SEQUENCE first, DTSTAMP when it is equal.
    """
    return item.sequence or 0, item.stamp or item.modified or _EPOCH


def is_newer(item, known):
    """Whether what came in is to replace what we have.

    An equal one is not: the same message read twice changes nothing.
    """
    return known is None or order(item) > order(known)


def latest(items):
    """Of several with one key the newest, in the order in which the keys appear.

    :param items: iterable of :class:`ical.items.Item`
    :return: list
    """
    found: dict[tuple, Item] = {}
    for item in items:
        key = item.NAME, *item.key
        if key not in found or is_newer(item, found[key]):
            found[key] = item
    return list(found.values())

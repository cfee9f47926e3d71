"""SEQUENCE and DTSTAMP: which of two is newer (RFC 5546, 2.1.5; RFC 5545, 3.8.7).

What raises SEQUENCE is the business of whoever keeps the meetings.
"""

from datetime import datetime, timezone

from .items import Item

#: The methods of answers.
ANSWERS = frozenset({"REPLY", "REFRESH", "COUNTER", "DECLINECOUNTER"})

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


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

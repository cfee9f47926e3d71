"""When the occurrences of an object are, as far as the database can answer for them.

A question about a span of time need not read a text whose occurrences are all known: at
fixed moments, whatever the zone of whoever asks.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from .errors import IcalError, LimitExceeded
from .expand import occurrences
from .items import Period
from .limits import Limits
from .values import UTC, is_date

#: The ends of time, as far as it can be counted in every zone.
FIRST, LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)
#: What of a rule without an end is known: from when, and until when.
BEFORE, AFTER = timedelta(days=400), timedelta(days=1100)
#: Occurrences that are kept of one object.
MAX_KNOWN = 800
_LIMITS = Limits(occurrences=MAX_KNOWN, steps=20_000)


class Known(NamedTuple):
    """Occurrences in naive UTC, all of those that touch a span; None: nothing is known.

    :param list starts, stops: of the occurrences
    :param datetime known_from, known_until: the span
    """

    starts: list | None = None
    stops: list | None = None
    known_from: datetime | None = None
    known_until: datetime | None = None


def known_times(items, now):
    """The occurrences of an object.

    :param items: of one UID
    :param datetime now: with a zone: around it rules without an end are known
    :rtype: Known
    """
    if not items or not all(map(_is_fixed, items)):
        return Known()
    spans = [(FIRST, LAST)]
    if any(item.rules for item in items):
        spans = [(FIRST, now + AFTER), (now - BEFORE, now + AFTER)]
    for first, last in spans:
        try:
            found = occurrences(items, first, last, UTC, _LIMITS)
        except LimitExceeded:
            continue
        except (IcalError, OverflowError):
            break
        return Known(
            [_naive(one.start) for one in found], [_naive(one.stop) for one in found],
            _naive(first), _naive(last),
        )  # fmt: skip
    return Known()


def _is_fixed(item):
    """Whether a component is an event at moments that do not depend on who looks."""
    return item.NAME == "VEVENT" and item.start is not None and all(
        map(_is_moment, (item.start, item.end, item.recurrence_id, *item.rdates, *item.exdates))
    )  # fmt: skip


def _is_moment(value):
    if isinstance(value, Period):
        return _is_moment(value.start) and _is_moment(value.stop)
    if isinstance(value, date):
        return not is_date(value) and value.tzinfo is not None
    return value is None


def _naive(moment):
    return moment.astimezone(UTC).replace(tzinfo=None)

"""time-range: when components are (RFC 4791, 9.9)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..ical import alarms
from ..ical.errors import BadValue, IcalError, LimitExceeded
from ..ical.values import UTC, is_date, read_date_time
from .errors import InvalidFilter

#: The ends of time, as far as it can be counted in every zone.
BEGIN = datetime(2, 1, 1, tzinfo=UTC)
END = datetime(9998, 12, 31, tzinfo=UTC)
_MOMENT, _DAY = timedelta(seconds=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From ``start`` (inclusive) to ``end`` (exclusive), both with a zone."""

    start: datetime
    end: datetime

    @property
    def is_open(self):
        return self.start == BEGIN or self.end == END


def read_range(element, both=False, error=InvalidFilter):
    """The range of an element with the attributes start and end.

    :param bool both: whether neither may be missing
    :raises DavError: of the class ``error``
    """
    start, end = (_moment(element.get(name), error) for name in ("start", "end"))
    if (start is None and end is None) or (both and (start is None or end is None)):
        raise error("a time-range without its ends")
    if start is not None and end is not None and not start < end:
        raise error("a time-range has to end after its start")
    start, end = (_within(start or BEGIN), _within(end or END))
    if start == end:
        # It lies where nothing can be counted: of no length there, and nothing is in it.
        start, end = (BEGIN, BEGIN + _MOMENT) if start == BEGIN else (END - _MOMENT, END)
    return TimeRange(start, end)


def _moment(text, error):
    if text is None:
        return None
    try:
        moment = read_date_time(text.strip())
    except (IcalError, ValueError) as cause:
        raise error("the ends of a time-range are times in UTC") from cause
    if moment.tzinfo is None:
        raise error("the ends of a time-range are times in UTC")
    return moment


def _within(moment):
    return min(max(moment, BEGIN), END)


def matches(found, name, chosen, span, zone):
    """Whether one of the chosen components is in the range.

    :param CalendarObject found: of which they are
    :param str name: of the components
    :param chosen: pairs (component, item)
    """
    if name == "VTIMEZONE":
        return False
    items = {id(item) for _component, item in chosen}
    if name == "VFREEBUSY":
        return any(_freebusy(item, span, zone) for _component, item in chosen)
    if name == "VTODO" and any(not item.recurs for _component, item in chosen):
        if not any(item.recurs for item in found.items):
            return any(_todo(item, span, zone) for _component, item in chosen)
    try:
        if name == "VJOURNAL":
            return _journal(found, items, span, zone)
        return any(id(one.item) in items for one in found.occurrences(span.start, span.end, zone))
    except LimitExceeded:
        # More than can be counted: there will be one of them.
        return True


def _journal(found, items, span, zone):
    """A journal of a day lasts that day; one without a day is never."""
    nearby = found.occurrences(_shifted(span.start, -_DAY), span.end, zone)
    return any(
        utc(one.start, zone) < span.end
        and utc(one.start, zone) + (_DAY if is_date(one.start) else _MOMENT) > span.start
        for one in nearby if id(one.item) in items
    )  # fmt: skip


def _freebusy(item, span, zone):
    if item.start is not None and item.end is not None:
        return span.start <= utc(item.end, zone) and span.end > utc(item.start, zone)
    return any(
        span.start < utc(period.stop, zone) and span.end > utc(period.start, zone)
        for period in busy_periods(item)
    )


def busy_periods(item):
    """The periods of a VFREEBUSY, without those that are free."""
    return [busy.period for busy in item.busy if busy.kind != "FREE"]


def _todo(item, span, zone):
    """The table of 9.9, row by row."""
    start, end = span.start, span.end
    first, due = (utc(one, zone) for one in (item.start, item.due))
    if first is not None and item.duration is not None:
        last = utc(item.stop, zone)
        return start <= last and (end > first or end >= last)
    if first is not None and due is not None:
        return (start < due or start <= first) and (end > first or end >= due)
    if first is not None:
        return start <= first < end
    if due is not None:
        return start < due and end >= due
    made, done = (utc(one, zone) for one in (item.created, item.completed))
    if made is not None and done is not None:
        return (start <= made or start <= done) and (end >= made or end >= done)
    if done is not None:
        return start <= done <= end
    return made is None or end > made


def alarm_matches(found, item, component, span, zone):
    """Whether that alarm of an item goes off in the range."""
    alarm = next((one for one in item.alarms if one.component is component), None)
    if alarm is None or alarm.trigger is None:
        return False
    margin = timedelta(days=1)
    if isinstance(alarm.trigger, timedelta):
        margin += abs(alarm.trigger)
    if alarm.repeat and alarm.duration:
        margin += min(alarm.repeat, 10_000) * abs(alarm.duration)
    try:
        nearby = found.occurrences(_shifted(span.start, -margin), _shifted(span.end, margin), zone)
        if not isinstance(alarm.trigger, timedelta):
            nearby = nearby or found.occurrences(BEGIN, END, zone)[:1]
        return any(
            span.start <= moment < span.end
            for one in nearby if one.item is item
            for moment in alarms.times(alarm, one.start, one.stop, zone)
        )  # fmt: skip
    except BadValue:
        # It goes off when there is no time any more.
        return False
    except (LimitExceeded, OverflowError):
        return True


def _shifted(moment, amount):
    try:
        return _within(moment + amount)
    except OverflowError:
        return BEGIN if amount < timedelta() else END


def utc(moment, zone):
    """A moment with a zone; days begin at midnight in ``zone``. None stays None."""
    if moment is None:
        return None
    if is_date(moment):
        moment = datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if not BEGIN.year <= moment.year <= END.year:
        return BEGIN if moment.year < BEGIN.year else END
    return moment.astimezone(UTC)

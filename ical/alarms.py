"""VALARM: when it goes off, and Odoo's reminders (RFC 5545, 3.6.6; RFC 9074)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .errors import LimitExceeded
from .items import Alarm
from .limits import DEFAULT
from .values import UTC, add, is_date

_MINUTE = timedelta(minutes=1)
#: Far more than anybody wants, and few enough for a column.
MAX_OFFSET = timedelta(minutes=10_000_000)
MAX_REPEAT = 100
#: How often those may come again that go out of the house, or run code.
MOST_REPEATED = {"email": 5, "procedure": 0, "sms": 0}
#: Years in which a fixed time has room for what is reckoned from it.
YEARS = range(1900, 9000)
_TYPES = {"DISPLAY": "notification", "AUDIO": "notification", "EMAIL": "email"}


def times(alarm, start, stop, zone=UTC, limits=DEFAULT):
    """When an alarm goes off for one occurrence, its repetitions included.

    :param start, stop: of the occurrence; days begin at midnight in ``zone``,
        where floating times are as well
    :return: list of datetime in UTC, in order
    :raises LimitExceeded: with more repetitions than occurrences are allowed

    >>> from datetime import date
    >>> [t.hour for t in times(Alarm(trigger=timedelta(hours=9)), date(2026, 1, 1), None)]
    [9]
    """
    first = alarm.trigger
    if isinstance(first, timedelta):
        base = start
        if alarm.related == "END" and stop is not None:
            base = stop
        first = add(_moment(base, zone), first)
    first = _moment(first, zone).astimezone(UTC)
    # 3.8.6.2: REPEAT comes with DURATION or not at all.
    repeat = alarm.repeat if alarm.repeat and alarm.duration else 0
    if repeat > limits.occurrences:
        raise LimitExceeded("occurrences", limits.occurrences)
    return [first, *(first + n * alarm.duration for n in range(1, repeat + 1))]


def pending(item, start, stop, zone=UTC, limits=DEFAULT):
    """Pairs (moment in UTC, alarm) that nobody has seen yet, in order.

    An alarm up to its ACKNOWLEDGED is done (RFC 9074, 6), and one that another
    alarm snoozes is replaced by that (RFC 9074, 5).
    """
    snoozed = {alarm.snoozes for alarm in item.alarms if alarm.snoozes}
    found = []
    for alarm in item.alarms:
        if alarm.uid and alarm.uid in snoozed:
            continue
        for moment in times(alarm, start, stop, zone, limits):
            if alarm.acknowledged is None or moment > alarm.acknowledged:
                found.append((moment, alarm))
    found.sort(key=lambda pair: pair[0])
    return found


def _moment(moment, zone):
    if is_date(moment):
        moment = datetime(moment.year, moment.month, moment.day)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


@dataclass(frozen=True, order=True, slots=True)
class Meaning:
    """What a reminder of Odoo says, however it is written.

    :param str kind: ``notification``, ``email``, or a type of Odoo's alone
    :param int offset: minutes from the start or end, negative before it; None at a fixed time
    :param str related: ``start`` or ``end``
    :param datetime at: the fixed time, in UTC
    :param int repeat: how often it comes again, every so many minutes
    """

    kind: str
    offset: int | None = None
    related: str = "start"
    at: datetime | None = None
    repeat: int = 0
    every: int = 0


def to_meaning(alarm):
    """What of an alarm Odoo can hold, or None where it has nothing like it.

    :rtype: Meaning

    >>> to_meaning(Alarm(action="DISPLAY", trigger=timedelta(minutes=-90)))
    Meaning(kind='notification', offset=-90, related='start', at=None, repeat=0, every=0)
    """
    if alarm.action not in _TYPES or alarm.proximity or alarm.snoozes:
        return None
    kind, trigger = _TYPES[alarm.action], alarm.trigger
    repeat = alarm.repeat if alarm.repeat and alarm.duration else 0
    every = alarm.duration if repeat else timedelta(0)
    if every % _MINUTE or every < timedelta(0) or repeat > MAX_REPEAT:
        return None
    if every > MAX_OFFSET or repeat * every > MAX_OFFSET:
        # The first of the two keeps the product within what a timedelta holds.
        return None
    again = {"repeat": repeat, "every": every // _MINUTE}
    if isinstance(trigger, timedelta):
        if trigger % _MINUTE or abs(trigger) > MAX_OFFSET:
            return None
        return Meaning(kind, trigger // _MINUTE, (alarm.related or "START").lower(), **again)
    if not isinstance(trigger, datetime) or trigger.tzinfo is None or trigger.year not in YEARS:
        return None
    at = trigger.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return Meaning(kind, at=at, **again)


def from_meaning(meaning, text, uid=None):
    """The alarm of a reminder; what Odoo alone can do is a display for others.

    :param Meaning meaning: see there
    :param str text: what it says: 3.6.6 wants DESCRIPTION in DISPLAY and EMAIL,
        and SUMMARY in EMAIL
    :rtype: Alarm
    """
    mail = meaning.kind == "email"
    if meaning.at is not None:
        trigger, related = meaning.at.replace(tzinfo=UTC), "START"
    else:
        trigger, related = timedelta(minutes=meaning.offset), meaning.related.upper()
    return Alarm(
        action="EMAIL" if mail else "DISPLAY",
        trigger=trigger,
        related=related,
        repeat=meaning.repeat or None,
        duration=timedelta(minutes=meaning.every) if meaning.repeat else None,
        description=text,
        summary=text if mail else None,
        uid=uid,
    )

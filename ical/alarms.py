"""VALARM: when it goes off, and Odoo's reminders (RFC 5545, 3.6.6; RFC 9074)."""

from datetime import datetime, timedelta

from .errors import LimitExceeded
from .items import Alarm
from .limits import DEFAULT
from .values import UTC, add, is_date

#: Odoo's units of a reminder, the largest first.
UNITS = (
    ("days", timedelta(days=1)),
    ("hours", timedelta(hours=1)),
    ("minutes", timedelta(minutes=1)),
)
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


def to_fields(alarm):
    """The fields of Odoo's ``calendar.alarm``, or None where it has none like it.

    Odoo reminds some minutes, hours or days before the start, once.

    :return: dict with alarm_type, duration, interval

    >>> to_fields(Alarm(action="DISPLAY", trigger=timedelta(minutes=-90)))
    {'alarm_type': 'notification', 'duration': 90, 'interval': 'minutes'}
    """
    ahead = alarm.trigger
    if not isinstance(ahead, timedelta) or alarm.related != "START" or ahead > timedelta(0):
        return None
    if alarm.action not in _TYPES or alarm.proximity or (alarm.repeat and alarm.duration):
        return None
    ahead = -ahead
    for name, unit in UNITS:
        if not ahead % unit and (ahead or name == "minutes"):
            return {
                "alarm_type": _TYPES[alarm.action], "duration": ahead // unit, "interval": name,
            }  # fmt: skip
    return None


def from_fields(fields, text, uid=None):
    """The alarm of an Odoo reminder.

    :param dict fields: alarm_type, duration, interval
    :param str text: what it says: 3.6.6 wants DESCRIPTION in DISPLAY and EMAIL,
        and SUMMARY in EMAIL
    :rtype: Alarm
    """
    ahead = fields["duration"] * dict(UNITS)[fields["interval"]]
    mail = fields["alarm_type"] == "email"
    return Alarm(
        action="EMAIL" if mail else "DISPLAY",
        trigger=-ahead,
        description=text,
        summary=text if mail else None,
        uid=uid,
    )

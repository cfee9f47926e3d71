"""What can go wrong, as one tree of exceptions; and what was put right.

Every exception has a ``code``, a stable word that a screen can translate, the
line of the file where that is known, and an English message. A *repair* is the
gentler sister: something that a program wrote wrongly and that was understood
all the same.
"""

from dataclasses import dataclass


class IcalError(Exception):
    """Base of all that this package raises.

    :param str message: what is wrong, in English
    :param int line: line of the file, from 1; None where there is none
    """

    code = "error"

    def __init__(self, message, line=None):
        super().__init__(message)
        self.message = message
        self.line = line

    def __str__(self):
        return f"line {self.line}: {self.message}" if self.line else self.message


class LimitExceeded(IcalError):
    """The input is larger, deeper or longer than the limits allow.

    :param str limit: name of the field of :class:`ical.limits.Limits`
    """

    code = "limit"

    def __init__(self, limit, value, line=None):
        super().__init__(f"more than the limit of {value} ({limit})", line)
        self.limit = limit
        self.value = value


class NotACalendar(IcalError):
    """There is no component in the input at all."""

    code = "not_a_calendar"


class BrokenComponent(IcalError):
    """A component that does not end, or whose lines are no properties."""

    code = "broken_component"


class MissingProperty(IcalError):
    """Without this property the component says nothing: DTSTART of an event."""

    code = "missing_property"


class BadValue(IcalError, ValueError):
    """The value of a property cannot be read."""

    code = "bad_value"


class BadRule(BadValue):
    """A recurrence rule that is none."""

    code = "bad_rule"


class UnsupportedRule(BadRule):
    """A rule that is right but beyond us: another calendar than the Gregorian."""

    code = "unsupported_rule"


class BadZone(BadValue):
    """A VTIMEZONE without usable rules."""

    code = "bad_zone"


class CannotWrite(IcalError):
    """An item that RFC 5545 has no text for."""

    code = "cannot_write"


class ItipError(IcalError):
    """A calendar that is no message of RFC 5546, or one that nobody can act on."""

    code = "itip"


class NoMethod(ItipError):
    """The calendar says nothing about what is to be done with it (RFC 5546, 1.4)."""

    code = "no_method"


class UnknownMethod(ItipError):
    """A METHOD that is none of RFC 5546, or one that no mail is answered with."""

    code = "unknown_method"


class MixedMessage(ItipError):
    """Several methods or several UIDs in one message (RFC 5546, 3.2)."""

    code = "mixed"


class CannotAnswer(ItipError):
    """A message cannot be made: nobody organises it, or nobody is invited."""

    code = "cannot_answer"


#: Code of a repair: what was done.
REPAIRS = {
    "bad_utf8": "Bytes that are not UTF-8 were read as Windows-1252",
    "control_characters": "Control characters were left out",
    "byte_order": "UTF-16 was read",
    "no_calendar": "There was no BEGIN:VCALENDAR around it",
    "no_version": "The calendar names no VERSION",
    "no_prodid": "The calendar names no PRODID",
    "unfolded": "A line that continues the one before was joined to it",
    "line_dropped": "A line that is no property was left out",
    "stray_end": "An END did not belong to its BEGIN",
    "no_uid": "A UID was made from the content",
    "duplicate_uid": "Another component of the file has the same UID and RECURRENCE-ID",
    "empty_value": "A property without a value was left out",
    "value_dropped": "A value that cannot be read was left out",
    "repeated": "A property that may stand once stood twice; the first one counts",
    "date_without_value": "A date was not marked as VALUE=DATE",
    "date_with_time": "A date had a time; the time was left out",
    "time_without_zone": "The time zone is unknown; the time is taken as local",
    "utc_with_zone": "A time in UTC named a time zone as well; UTC counts",
    "loose_time": "A time was not written as RFC 5545 wants it",
    "no_such_time": "A time beyond the clock was moved onto it",
    "end_kind": "The end was a time and the start a date, or the other way round",
    "end_not_after_start": "The end is not after the start",
    "end_before_start": "The end is before the start; they were exchanged",
    "end_and_duration": "There was both an end and a duration; the end counts",
    "bad_rule_part": "A part of the recurrence rule was put right",
    "zone_by_offset": "The time zone is known by its distance from UTC only",
    "bad_zone": "The VTIMEZONE has no usable rules",
    "quoted_printable": "Text of vCalendar 1.0 was turned into iCalendar 2.0",
    "vcalendar_1": "A property of vCalendar 1.0 was turned into iCalendar 2.0",
    "bad_alarm": "An alarm that cannot be read was left out of the reminders",
    "attachment_too_large": "An attachment inside the text is over the limit",
    "loose_parameter": "The parameters of a property were put right",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """Something that was understood although it is written wrongly.

    :param str code: a key of :data:`REPAIRS`
    :param int line: line of the file, from 1; 0 where there is none
    :param str text: the line as it stood, cut to 200 characters
    """

    code: str
    line: int = 0
    text: str = ""

    @property
    def message(self):
        """What was done, in English."""
        return REPAIRS[self.code]

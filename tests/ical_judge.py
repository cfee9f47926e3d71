"""What recurring-ical-events makes of a file: the judge of plain tests and Odoo tests."""

from datetime import datetime, timezone

import icalendar
import recurring_ical_events

UTC = timezone.utc

#: Files of which recurring-ical-events says something else, and why we differ.
OTHERWISE = {
    "calendar.ics": "it drops the event whose DTEND is garbage",
    "process-calendar.ics": "it drops events whose DTEND is garbage",
    "process-incoming.ics": "it drops events whose DTEND is garbage",
    "invalid_duration.ics": "it drops the event whose DURATION is garbage",
    "issue_165_missing_event.ics": "it cannot read spaces in BYDAY",
    "parsing_error.ics": "icalendar drops the event of a line it cannot read",
    "event_with_recurrence.ics": "one EXDATE in UTC makes it take floating times for UTC",
    "example-2.ics": "a day that ends on its own day has no length there",
    "broken_latin1.ics": "a day that ends on its own day has no length there",
    "vcal1.vcs": "it does not read vCalendar 1.0",
    "Germany_Holidays.ics": "a day that ends on its own day has no length there",
}


def told(moment, zone=None):
    """A moment as text, in UTC where it has a zone.

    :param tzinfo zone: where floating times are, if anywhere
    """
    if isinstance(moment, datetime):
        if zone is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    return moment.isoformat()


def theirs(data, first, last, zone=None, cancelled=True):
    """List of (UID, start, end) between two moments, or None where it fails.

    :param tzinfo zone: where floating times are, if anywhere
    :param bool cancelled: also what is said to be cancelled
    """
    icalendar.use_zoneinfo()  # forgets the zones of the files before
    found = []
    try:
        for calendar in icalendar.Calendar.from_ical(data, multiple=True):
            query = recurring_ical_events.of(calendar, skip_bad_series=True)
            found += [
                (
                    str(one.get("UID", "")),
                    told(one["DTSTART"].dt, zone),
                    told(one["DTEND"].dt, zone),
                )
                for one in query.between(first, last)
                if cancelled or one.get("STATUS") != "CANCELLED"
            ]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return found

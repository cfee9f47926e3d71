"""What a program does that uses the library ``caldav``; run where that is installed.

Arguments: address, user name, key.
"""

import sys
from datetime import datetime, timezone

import caldav

EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:yearly
DTSTAMP:20270101T000000Z
DTSTART:20270517T080000Z
DTEND:20270517T090000Z
SUMMARY:Vintage
RRULE:FREQ=YEARLY
END:VEVENT
END:VCALENDAR
"""
TODO = EVENT.replace("VEVENT", "VTODO").replace("DTEND", "DUE").replace("yearly", "todo")


def main(url, login, key):
    principal = caldav.DAVClient(url=url, username=login, password=key).principal()
    names = {str(one.url).rstrip("/").split("/")[-1] for one in principal.calendars()}
    assert names >= {"agenda", "tasks"}, names
    calendar = principal.make_calendar(name="Wine", cal_id="wine")
    event = calendar.save_event(EVENT)
    span = tuple(datetime(year, 1, 1, tzinfo=timezone.utc) for year in (2027, 2029))
    found = calendar.search(start=span[0], end=span[1], event=True, expand=True)
    assert len(found) == 2, found
    calendar.save_todo(TODO)
    assert len(calendar.todos()) == 1
    objects = calendar.objects(load_objects=True)
    assert len(list(objects)) == 2
    event.delete()
    _updated, deleted = objects.sync()
    assert len(list(deleted)) == 1
    assert "VFREEBUSY" in calendar.freebusy_request(*span).data
    calendar.delete()
    names = {one.name for one in principal.calendars()}
    assert "Wine" not in names, names


if __name__ == "__main__":
    main(*sys.argv[1:])

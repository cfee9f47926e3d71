"""What a program does with records that the library ``caldav`` shows it as events.

Arguments: address, user name, key, name of the calendar.
"""

import sys
from datetime import date

import caldav

EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:casks
DTSTAMP:20270101T000000Z
DTSTART;VALUE=DATE:20270517
SUMMARY:Casks for Lugo
END:VEVENT
END:VCALENDAR
"""


def main(url, login, key, name):
    principal = caldav.DAVClient(url=url, username=login, password=key).principal()
    [calendar] = [one for one in principal.calendars() if one.name == name]
    event = calendar.save_event(EVENT)
    event.load()
    component = event.icalendar_component
    assert component["SUMMARY"] == "Casks for Lugo", event.data
    del component["DTSTART"]
    component.add("dtstart", date(2027, 5, 18))
    component["SUMMARY"] = "Barrels for Lugo"
    event.save()
    # Read again: nothing has said that it is stored as it was sent.
    [event] = calendar.search(start=date(2027, 5, 18), end=date(2027, 5, 19), event=True)
    assert event.icalendar_component["SUMMARY"] == "Barrels for Lugo", event.data
    daily = EVENT.replace("casks", "daily").replace("SUMMARY", "RRULE:FREQ=DAILY\nSUMMARY")
    try:
        calendar.save_event(daily)
    except caldav.lib.error.DAVError:
        pass
    else:
        raise AssertionError("a record cannot repeat")
    event.delete()
    assert not calendar.events()


if __name__ == "__main__":
    main(*sys.argv[1:])

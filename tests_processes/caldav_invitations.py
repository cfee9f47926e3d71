"""What two people do who use the library ``caldav``; run where that is installed.

Arguments: address, and for each of the two his user name and his key. The first one invites
the second one.
"""

import contextlib
import sys
from datetime import datetime, timezone

import caldav

UID = "invitation-of-the-library"
EVENT = f"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:{UID}
DTSTAMP:20270101T000000Z
DTSTART:20270517T080000Z
DTEND:20270517T090000Z
SUMMARY:Vintage
END:VEVENT
END:VCALENDAR
"""
SPAN = tuple(datetime(2027, 5, day, tzinfo=timezone.utc) for day in (17, 18))


def calendar_of(principal, name="agenda"):
    [found] = [one for one in principal.calendars() if f"/{name}/" in str(one.url)]
    return found


def free_times(principal, other):
    """What the server says of somebody's time.

    The library asks as RFC 6638 has it, and reads the answer as if it were a multistatus,
    which it cannot.
    """
    answers, post = [], principal.client.post
    principal.client.post = lambda *args, **kwargs: answers.append(post(*args, **kwargs))
    with contextlib.suppress(AttributeError):
        principal.freebusy_request(*SPAN, [other])
    principal.client.post = post
    return answers[0].raw


def statuses(event):
    lines = event.icalendar_component["attendee"]
    lines = lines if isinstance(lines, list) else [lines]
    return {
        str(line).lower().removeprefix("mailto:"): (
            line.params.get("PARTSTAT"), line.params.get("SCHEDULE-STATUS")
        )
        for line in lines
    }  # fmt: skip


def main(url, *names):
    clients = [
        caldav.DAVClient(url=url, username=names[at], password=names[at + 1]) for at in (0, 2)
    ]  # fmt: skip
    assert all(client.check_scheduling_support() for client in clients)
    ana, luis = (client.principal() for client in clients)
    address = luis.calendar_user_address_set()[0]
    assert address.startswith("mailto:"), address
    inbox = luis.schedule_inbox()
    known = len(inbox.get_items())
    calendar = calendar_of(ana)
    event = calendar.save_with_invites(EVENT, [ana, luis])
    event.load()
    email = address.removeprefix("mailto:")
    assert statuses(event)[email] == ("NEEDS-ACTION", "1.2"), statuses(event)
    # It is in his calendar, and in his inbox until he answers.
    items = luis.schedule_inbox().get_items()
    assert len(items) == known + 1
    [invitation] = [one for one in items if UID in one.data]
    assert invitation.is_invite_request()
    mine = calendar_of(luis)
    assert mine.event_by_uid(UID).icalendar_component["summary"] == "Vintage"
    invitation.accept_invite(mine)
    assert len(luis.schedule_inbox().get_items()) == known
    event.load()
    assert statuses(event)[email][0] == "ACCEPTED"
    taken = free_times(ana, address)
    assert "2.0;Success" in taken, taken
    assert "FREEBUSY;FBTYPE=BUSY:20270517T080000Z/20270517T090000Z" in taken, taken
    assert "3.7;Invalid calendar user" in free_times(ana, "mailto:nobody@nowhere.example")
    mine.event_by_uid(UID).delete()
    event.load()
    assert statuses(event)[email][0] == "DECLINED"
    event.delete()


if __name__ == "__main__":
    main(*sys.argv[1:])

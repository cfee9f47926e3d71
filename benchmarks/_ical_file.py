"""Files as programs write them: each event with a zone, three guests and an alarm."""

from datetime import datetime, timedelta

GUESTS = 3
#: Whom one meets is one of so many, times ``GUESTS``.
CIRCLE = 200


def address(number, guest):
    """The address of a guest of an event."""
    return f"guest.{number % CIRCLE}.{guest}@example.com"


def realistic(number):
    """A file of so many events: a zone, three guests, an alarm; 5 % recur, with a change."""
    rows = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", "BEGIN:VTIMEZONE",
            "TZID:Europe/Madrid", "BEGIN:STANDARD", "DTSTART:19701025T030000",
            "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100",
            "END:STANDARD", "BEGIN:DAYLIGHT", "DTSTART:19700329T020000",
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
            "END:DAYLIGHT", "END:VTIMEZONE"]  # fmt: skip
    day = datetime(2026, 1, 5, 8)
    for n in range(number):
        start = day + timedelta(hours=n % 9, days=n // 9 % 700)
        event = _event(n, start)
        if n % 20:
            rows += event
            continue
        at = event.index("END:VEVENT")
        rows += [
            *event[:at],
            "RRULE:FREQ=WEEKLY;COUNT=20",
            f"EXDATE;TZID=Europe/Madrid:{start + timedelta(14):%Y%m%dT%H%M%S}",
            *event[at:],
        ]
        moved = start + timedelta(days=7)
        rows += _event(n, moved + timedelta(hours=1), moved)
    return "\r\n".join([*rows, "END:VCALENDAR", ""]).encode()


def _event(n, start, recurrence_id=None):
    def line(text):
        return "\r\n ".join(text[at : at + 74] for at in range(0, len(text), 74))

    text = f"Visit {n}\\, about the offer of this quarter and what is still open. " * 8
    rows = [
        "BEGIN:VEVENT", f"UID:{n:08}-5e2c-4a53-9a0e-6c8d9a1f7b10@bench.example",
        "DTSTAMP:20260101T080000Z", "CREATED:20251201T080000Z", "LAST-MODIFIED:20251202T080000Z",
        "SEQUENCE:1", f"DTSTART;TZID=Europe/Madrid:{start:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Europe/Madrid:{start + timedelta(hours=1):%Y%m%dT%H%M%S}",
        line(f"SUMMARY:Visit to customer {n}\\, reunión con el responsable"),
        line(f"DESCRIPTION:{text}\\n{text[:200]}"),
        line(f"LOCATION:Calle Mayor {n % 90}\\, Madrid"),
        "CATEGORIES:Customer,Visit", "STATUS:CONFIRMED", "TRANSP:OPAQUE", "CLASS:PUBLIC",
        line("ORGANIZER;CN=Ana Ruiz:mailto:ana@example.com"),
    ]  # fmt: skip
    if recurrence_id:
        rows.insert(2, f"RECURRENCE-ID;TZID=Europe/Madrid:{recurrence_id:%Y%m%dT%H%M%S}")
    for guest in range(GUESTS):
        rows.append(line(
            f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;"
            f"CN=Guest {n % CIRCLE} {guest};X-NUM-GUESTS=0:mailto:{address(n, guest)}"
        ))  # fmt: skip
    return [*rows, "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Visit",
            "END:VALARM", "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC", "END:VEVENT"]  # fmt: skip

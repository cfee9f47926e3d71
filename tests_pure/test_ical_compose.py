"""Several calendars as one, and one with what is its reader's own."""

from datetime import date, datetime

import icalendar
import recurring_ical_events

from ical.compose import compose
from ical.items import Event
from ical.overlay import overlay, own_part
from ical.parse import parse
from ical.text import to_text
from ical.zones import by_name

MADRID, BOGOTA = by_name("Europe/Madrid"), by_name("America/Bogota")


def event(uid, zone=MADRID, year=2027, **more):
    start = datetime(year, 3, 1, 9, tzinfo=zone)
    return Event(uid=uid, start=start, end=start.replace(hour=10), **more)


def custom(uid, offset):
    """An event in a zone of the file's own, which is always called the same."""
    return f"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VTIMEZONE
TZID:Our Time
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20270101T000000Z
SUMMARY:;TZID=Our Time:is not a zone
DTSTART;TZID=Our Time:20270301T090000
DTEND;X-A="a;TZID=Our Time:b";TZID="Our Time":20270301T100000
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def starts(octets):
    calendar = icalendar.Calendar.from_ical(octets)
    found = recurring_ical_events.of(calendar).between(datetime(2000, 1, 1), datetime(2060, 1, 1))
    return {str(one["UID"]): one["DTSTART"].dt for one in found}


def test_one_zone_for_all():
    now = datetime(2027, 1, 1)
    texts = [
        to_text([event("one")], now=now), to_text([event("two", BOGOTA)], now=now),
        to_text([event("three", year=2005)], now=now), to_text([event("four", year=2050)], now=now),
    ]  # fmt: skip
    octets = compose(texts, date(2005, 1, 1), date(2051, 1, 1), ["X-WR-CALNAME:All"])
    assert octets.count(b"BEGIN:VTIMEZONE") == 2
    assert octets.count(b"BEGIN:VCALENDAR") == 1
    assert b"\r\nX-WR-CALNAME:All\r\n" in octets
    assert octets.endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")
    items = {item.uid: item for item in parse(octets).items}
    assert [items[uid].start for uid in ("one", "two", "three", "four")] == [
        event("one").start, event("two", BOGOTA).start, event("three", year=2005).start,
        event("four", year=2050).start,
    ]  # fmt: skip
    assert {uid: at.timestamp() for uid, at in starts(octets).items()} == {
        uid: item.start.timestamp() for uid, item in items.items()
    }


def test_nothing():
    assert not parse(compose([], date(2027, 1, 1))).items


def test_two_zones_of_one_name():
    octets = compose(
        [custom("one", "+0500"), custom("two", "-0300"), custom("three", "+0500")],
        date(2027, 1, 1), date(2028, 1, 1),
    )  # fmt: skip
    assert octets.count(b"BEGIN:VTIMEZONE") == 2
    items = {item.uid: item for item in parse(octets).items}
    hours = {uid: item.start.utcoffset().total_seconds() / 3600 for uid, item in items.items()}
    assert hours == {"one": 5, "two": -3, "three": 5}
    assert items["two"].stop.utcoffset() == items["two"].start.utcoffset()
    assert items["two"].summary == ";TZID=Our Time:is not a zone"
    assert b'X-A="a;TZID=Our Time:b"' in octets.replace(b"\r\n ", b"")


SHARED = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:1
DTSTAMP:20270101T000000Z
DTSTART:20270301T090000Z
RRULE:FREQ=DAILY;COUNT=3
SUMMARY:A subject that is so long that it has to be folded over two lines, ñandú
X-SHARED:1
X-MOZ-LASTACK:old
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:1
DTSTAMP:20270101T000000Z
RECURRENCE-ID:20270302T090000Z
DTSTART:20270302T110000Z
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")

SENT = """BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
DTSTART:20270301T090000Z
SUMMARY:Something else
X-MOZ-LASTACK:new
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT5M
X-NOTE:a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m
END:VALARM
END:VEVENT
%sEND:VCALENDAR
"""

OVERRIDE = """BEGIN:VEVENT
UID:1
RECURRENCE-ID:20270302T090000Z
X-MINE:1
END:VEVENT
"""


def sent(override=""):
    return own_part((SENT % override).replace("\n", "\r\n"))


def test_what_is_ones_own():
    own = sent()
    assert "SUMMARY" not in own and "DTSTART" not in own
    text = overlay(SHARED, own)
    first, second = parse(text.encode()).items
    assert [alarm.trigger.total_seconds() for alarm in first.alarms] == [-300]
    assert "X-MOZ-LASTACK:new" in text and "LASTACK:old" not in text
    assert "X-SHARED:1" in text
    # What a meeting of the series has not of its own is that of the series.
    assert [alarm.trigger.total_seconds() for alarm in second.alarms] == [-300]
    before, _second = parse(SHARED.encode()).items
    assert (first.summary, first.start, first.rules) == (
        before.summary, before.start, before.rules
    )  # fmt: skip
    assert overlay(text, own) == text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_one_meeting_has_its_own():
    first, second = parse(overlay(SHARED, sent(OVERRIDE)).encode()).items
    assert len(first.alarms) == 1
    assert second.alarms == ()


def test_no_reminders_at_all():
    own = own_part("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    assert "VALARM" not in overlay(SHARED, own)
    assert "X-MOZ-LASTACK:old" in overlay(SHARED, own)

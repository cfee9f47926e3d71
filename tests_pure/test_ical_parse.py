"""Tolerance: what real programs write wrongly, each repair recorded with its line."""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ical.errors import REPAIRS, BadRule, BadValue, MissingProperty, UnsupportedRule
from ical.items import Event, FreeBusy, Journal, Todo
from ical.limits import Limits
from ical.parse import parse, stream
from ical.text import item_lines

UTC = timezone.utc


def event(*lines, calendar=("VERSION:2.0", "PRODID:x"), uid="UID:u"):
    """A file with one event, as bytes."""
    rows = [
        "BEGIN:VCALENDAR",
        *calendar,
        "BEGIN:VEVENT",
        uid,
        *lines,
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join(row for row in rows if row).encode() + b"\r\n"


def one(data, **limits):
    file = parse(data, Limits(**limits))
    assert not file.failures
    [item] = file.items
    return item


DAY = "DTSTART;VALUE=DATE:20260102"
TIME = "DTSTART:20260102T100000Z"
#: Code of a repair: a file that needs it, and the field that shows what was made of it.
CASES = {
    "bad_utf8": (event(TIME, "SUMMARY:año").decode().encode("latin-1"), "summary", "año"),
    "control_characters": (event(TIME, "SUMMARY:a\x00\x04b"), "summary", "ab"),
    "byte_order": (event(TIME, "SUMMARY:año").decode().encode("utf-16"), "summary", "año"),
    "no_calendar": (b"BEGIN:VEVENT\nUID:u\nDTSTART:20260102\nEND:VEVENT\n", "uid", "u"),
    "no_version": (event(TIME, calendar=["PRODID:x"]), "uid", "u"),
    "no_prodid": (event(TIME, calendar=["VERSION:2.0"]), "uid", "u"),
    "unfolded": (event(TIME, "DESCRIPTION:one", "two"), "description", "one\ntwo"),
    "line_dropped": (event(TIME, "two"), "start", datetime(2026, 1, 2, 10, tzinfo=UTC)),
    "stray_end": (event(TIME, "END:VALARM"), "uid", "u"),
    "no_uid": (event(TIME, uid=""), "sequence", 0),
    "empty_value": (event(TIME, "DTEND:"), "end", None),
    "value_dropped": (event(TIME, "PRIORITY:high"), "priority", None),
    "repeated": (event(TIME, "DTSTART:20270101T000000Z"), "start",
                 datetime(2026, 1, 2, 10, tzinfo=UTC)),
    "date_without_value": (event("DTSTART:20260102"), "start", date(2026, 1, 2)),
    "date_with_time": (event("DTSTART;VALUE=DATE:20260102T000000"), "start", date(2026, 1, 2)),
    "time_without_zone": (event("DTSTART;TZID=Nowhere:20260102T100000"), "start",
                          datetime(2026, 1, 2, 10)),
    "utc_with_zone": (event("DTSTART;TZID=Asia/Tokyo:20260102T100000Z"), "start",
                      datetime(2026, 1, 2, 10, tzinfo=UTC)),
    "loose_time": (event("DTSTART:2026-01-02T10:00:00Z"), "start",
                   datetime(2026, 1, 2, 10, tzinfo=UTC)),
    "no_such_time": (event("DTSTART:20260102T235960Z"), "start",
                     datetime(2026, 1, 2, 23, 59, 59, tzinfo=UTC)),
    "end_kind": (event(DAY, "DTEND:20260102T120000Z"), "start", datetime(2026, 1, 2, tzinfo=UTC)),
    "end_not_after_start": (event(DAY, "DTEND;VALUE=DATE:20260102"), "stop", date(2026, 1, 3)),
    "end_before_start": (event(TIME, "DTEND:20260102T090000Z"), "end",
                         datetime(2026, 1, 2, 10, tzinfo=UTC)),
    "end_and_duration": (event(TIME, "DTEND:20260102T110000Z", "DURATION:PT5H"), "stop",
                         datetime(2026, 1, 2, 11, tzinfo=UTC)),
    "bad_rule_part": (event(TIME, "RRULE:FREQ=DAILY;COUNT=-1;"), "rules", ("FREQ=DAILY",)),
    "zone_by_offset": (event('DTSTART;TZID="(UTC+01:00) Madrid":20260102T100000'), "start",
                       datetime(2026, 1, 2, 9, tzinfo=UTC)),
    "bad_zone": (event(TIME, calendar=["VERSION:2.0", "PRODID:x", "BEGIN:VTIMEZONE", "TZID:z"]),
                 "uid", "u"),
    "quoted_printable": (event(TIME, "SUMMARY;ENCODING=QUOTED-PRINTABLE:a=C3=B1o=", "s"),
                         "summary", "años"),
    "vcalendar_1": (event(TIME, "TRANSP:1", calendar=["VERSION:1.0", "PRODID:x"]),
                    "transparency", "TRANSPARENT"),
    "bad_alarm": (event(TIME, "BEGIN:VALARM", "TRIGGER:soon", "END:VALARM"), "alarms", ()),
    "loose_parameter": (event(TIME, 'SUMMARY;X-A="open:Hello'), "summary", "Hello"),
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_repairs(code):
    data, field, value = CASES[code]
    file = parse(data)
    [item] = file.items
    assert getattr(item, field) == value
    found = [*item.repairs, *file.repairs, *file.calendars[0].repairs]
    [repair] = [repair for repair in found if repair.code == code]
    assert repair.message
    lines = len(data.split(b"\n"))
    assert 1 <= repair.line <= lines


@pytest.mark.parametrize("code", CASES)
def test_what_was_repaired_needs_no_repair_again(code):
    data, field, value = CASES[code]
    [item] = parse(data).items
    again = one("\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *item_lines(item),
                             "END:VCALENDAR"]).encode())  # fmt: skip
    assert again == item
    # A zone that nobody knows, an alarm without moment, an end that is the
    # start: kept as text, and noted each time.
    kept = {"time_without_zone", "bad_alarm", "end_not_after_start", "zone_by_offset"}
    assert {repair.code for repair in again.repairs} <= kept


def test_every_repair_has_a_case():
    elsewhere = {"duplicate_uid", "attachment_too_large"}
    assert set(CASES) | elsewhere == set(REPAIRS)


def test_duplicates_are_both_read():
    data = event(TIME) + event(TIME, "SEQUENCE:1")
    assert [i.repairs for i in parse(data).items] == [(), ()]
    data = event(TIME, "END:VEVENT", "BEGIN:VEVENT", "UID:u", TIME, "SEQUENCE:1")
    first, second = parse(data).items
    assert not first.repairs
    assert [repair.code for repair in second.repairs] == ["duplicate_uid"]
    assert second.sequence == 1


def test_a_repeated_value_that_needs_repair_is_left_alone():
    item = one(event(TIME, "CREATED:20260101T000000Z", "X-A:1", "CREATED:2026-01-02T00:00:00Z"))
    assert item.created == datetime(2026, 1, 1, tzinfo=UTC)
    assert all(isinstance(line, str) for line in item_lines(item))
    acted = one(event(TIME, "BEGIN:VALARM", "TRIGGER:-PT1M", "ACKNOWLEDGED:20260101T000000Z",
                      "ACKNOWLEDGED:2026-01-02T00:00:00Z", "END:VALARM"))  # fmt: skip
    assert "ACKNOWLEDGED:2026-01-02T00:00:00Z" in item_lines(acted)


def test_several_repairs_of_one_item():
    item = one(event("DTSTART:20260102T100000Z", "DTEND:20260102T110000Z", "DURATION:PT5H", uid=""))
    assert {repair.code for repair in item.repairs} == {"no_uid", "end_and_duration"}
    assert "DURATION:PT5H" not in item_lines(item)


def test_an_attachment_over_the_limit_is_kept_and_told():
    data = event(TIME, "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "QUJD" * 100)
    item = one(data, inline_bytes=100)
    assert [repair.code for repair in item.repairs] == ["attachment_too_large"]
    assert one(data).attachments[0].octets() == b"ABC" * 100


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("DTSTART:tomorrow", BadValue),
        ("DTSTART:20260230T100000Z", BadValue),
        ("X-NOTHING:1", MissingProperty),
        (TIME + "\r\nRRULE:FREQ=SOMETIMES", BadRule),
        (TIME + "\r\nRRULE:FREQ=DAILY;UNTL=20261231", BadRule),
        (TIME + "\r\nRRULE:FREQ=YEARLY;BYMONTH=13", BadRule),
        (TIME + "\r\nRRULE:RSCALE=HEBREW;FREQ=YEARLY", UnsupportedRule),
        (TIME + "\r\nEXDATE:yesterday", BadValue),
        (TIME + "\r\nRECURRENCE-ID:then", BadValue),
    ],
)
def test_what_would_be_at_a_wrong_time_is_refused(line, error):
    data = event("SUMMARY:The meeting", *line.split("\r\n"))
    data += event(TIME, uid="UID:other")
    file = parse(data)
    assert [item.uid for item in file.items] == ["other"]
    [failure] = file.failures
    assert type(failure.error) is error
    assert (failure.uid, failure.summary, failure.kind) == ("u", "The meeting", "VEVENT")
    rows = data.decode().split("\r\n")
    wrong = line.split("\r\n")[-1]
    if error is not MissingProperty:
        assert rows[failure.error.line - 1] == wrong
    assert f"line {failure.error.line}" in str(failure.error)


def test_the_same_content_without_uid_has_the_same_uid():
    stamps = "DTSTAMP:20260101T000000Z", "DTSTAMP:20270101T000000Z"
    one_, two = (one(event(TIME, stamp, uid="")) for stamp in stamps)
    assert one_.uid == two.uid
    assert one_.uid != one(event(DAY, uid="")).uid


def test_an_answer_needs_no_start():
    file = parse(event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example",
                       calendar=["VERSION:2.0", "PRODID:x", "METHOD:REPLY"]))  # fmt: skip
    [item] = file.items
    assert item.start is None
    assert item.method == "REPLY"
    assert item.attendees[0].status == "ACCEPTED"


def test_stream_gives_the_same_as_parse(sample):
    data = sample.read_bytes()
    file = parse(data)
    got = [thing for _, thing in stream(data)]
    assert [thing for thing in got if hasattr(thing, "component")] == file.items
    assert len(got) == len(file.items) + len(file.failures)


def test_everything_of_the_full_sample():
    [event_, busy, journal] = parse(sample_bytes("all_properties.ics")).items
    assert isinstance(event_, Event)
    assert isinstance(journal, Journal)
    assert event_.end.utcoffset() == timedelta(0)
    assert event_.description == (
        "Primera línea\nsegunda; con punto y coma, coma y una barra \\ al revés"
    )
    assert event_.geo == (40.4168, -3.7038)
    assert event_.categories == ("Cliente", "Visita", "Visit, important")
    assert event_.contacts == ("Ana, 600 000 000",)
    assert event_.organizer.name == "Ruiz, Ana"
    assert event_.organizer.email == "ana@example.com"
    assert event_.organizer.sent_by == "mailto:sec@example.com"
    luis, room = event_.attendees
    assert luis.delegated_to == ("mailto:eva@example.com", "mailto:max@example.com")
    assert (room.kind, room.status, room.rsvp) == ("ROOM", "ACCEPTED", False)
    assert event_.conferences[0].params.values("FEATURE") == ("AUDIO", "VIDEO")
    assert event_.relations[0].kind == "SIBLING"
    assert [alarm.trigger for alarm in event_.alarms] == [
        timedelta(days=-1), datetime(2026, 12, 1, 8, 30, tzinfo=UTC),
    ]  # fmt: skip
    assert event_.alarms[1].snoozes == "alarm-1@example.com"
    assert isinstance(busy, FreeBusy)
    assert [time.kind for time in busy.busy] == ["BUSY-TENTATIVE"] * 2
    assert busy.busy[0].period.stop == datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert not event_.repairs


def test_what_a_calendar_says_of_itself():
    lines = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n%s\r\nEND:VCALENDAR\r\n"
    new = lines % b"NAME:Ferias\r\nDESCRIPTION:Las de 2026\r\nCOLOR:tomato"
    old = (
        lines % b"X-WR-CALNAME:Ferias\r\nX-WR-CALDESC:Las de 2026\r\nX-APPLE-CALENDAR-COLOR:tomato"
    )
    for data in (new, old):
        [whole] = parse(data).calendars
        assert (whole.name, whole.description, whole.color) == ("Ferias", "Las de 2026", "tomato")


def test_outlook():
    meeting, call = parse(sample_bytes("outlook.ics")).items
    assert str(meeting.start.tzinfo) == "Europe/Paris"
    assert meeting.conferences[0].uri.startswith("https://teams.")
    assert meeting.method == "REQUEST"
    assert call.start.utcoffset() == timedelta(hours=5, minutes=30)


def test_vcalendar_1():
    meeting, call = parse(sample_bytes("vcal1.vcs")).items
    assert meeting.summary == "Reunión; con Ana"
    assert meeting.description == "Línea uno\nLínea dos"
    assert meeting.rules == ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=10",)
    assert meeting.organizer.email == "ana@example.com"
    assert [(a.email, a.rsvp) for a in meeting.attendees] == [("luis@example.com", True)]
    assert meeting.alarms[0].trigger == timedelta(minutes=-15)
    assert (meeting.alarms[0].repeat, meeting.alarms[0].duration) == (2, timedelta(minutes=5))
    assert isinstance(call, Todo)
    assert call.rules == ("FREQ=MONTHLY;BYDAY=1TU,-2FR",)
    assert call.status == "NEEDS-ACTION"


def test_several_calendars_keep_their_method_and_zone():
    one_, two, three = parse(sample_bytes("several.ics")).items
    assert (one_.method, two.method, three.method) == ("PUBLISH", "CANCEL", "CANCEL")
    assert one_.start.utcoffset() == timedelta(hours=3)
    assert two.start.utcoffset() == timedelta(hours=-7)


def test_unquoted_colons_do_not_hide_the_address():
    lines = [
        "ATTENDEE;CN=Sales: Ana:mailto:ana@example.com", "ATTENDEE:ana@example.com",
        "ATTENDEE:MAILTO:", "ORGANIZER:urn:uuid:1",
    ]  # fmt: skip
    item = one(event(TIME, *lines))
    assert [a.email for a in item.attendees] == ["ana@example.com", "ana@example.com", None]
    assert item.organizer.email is None


def sample_bytes(name):
    return (Path(__file__).parent / "ics" / name).read_bytes()


def test_a_quoted_address_is_one_line():
    line = "ATTENDEE;ENCODING=QUOTED-PRINTABLE:mailto:luis=0D=0A@example.com"
    [item] = parse(event(TIME, line)).items
    [attendee] = item.attendees
    assert attendee.uri == "mailto:luis@example.com"


def test_only_an_encoding_joins_lines_that_end_with_an_equals_sign():
    [item] = parse(event("ATTENDEE;ROLE=QUOTED-PRINTABLE:mailto:a@b.example=", TIME)).items
    assert item.start is not None
    assert item.attendees[0].uri == "mailto:a@b.example="
    assert not item.repairs

"""What is sent comes back: the text is the program's, whatever it means to the server."""

from .program import event, expect
from .row import row

ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT15M", "END:VALARM")
START = ("DTSTART:20270301T100000Z", "DTEND:20270301T110000Z", "SUMMARY:Tasting")
ZONE = (
    "BEGIN:VTIMEZONE", "TZID:Own/Zone", "BEGIN:STANDARD", "DTSTART:19701025T030000",
    "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD", "BEGIN:DAYLIGHT", "DTSTART:19700329T020000", "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT", "END:VTIMEZONE",
)  # fmt: skip


def same(dav, *lines, text=None):
    """It is taken with an ETag, and what is served is what was sent."""
    text = text or event("one", *lines)
    made = expect(dav.put(dav.agenda + "one.ics", text), 201)
    assert made.headers.get("ETag"), "no ETag, so the program has to read it again"
    got = expect(dav.ask("GET", dav.agenda + "one.ics"), 200)
    assert got.text == text
    assert got.headers["ETag"] == made.headers["ETag"]
    assert dav.multiget([dav.agenda + "one.ics"]).data("one.ics").replace("\r\n", "\n") == (
        text.replace("\r\n", "\n")
    )


@row("RFC 4791, 5.3.4")
def unknown_properties(dav):
    """Properties and parameters that nobody knows are kept."""
    same(dav, *START, "X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT30M", "X-A;X-B=1,2;X-C=\"a:b\":c",
         "NON-STANDARD;VALUE=TEXT:yes")  # fmt: skip


@row("RFC 5545, 3.3.13")
def structured_location(dav):
    """A value with colons, commas and semicolons is not cut."""
    same(
        dav, *START,
        'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="Rue 1\\nParis";X-TITLE=Place:'
        "geo:48.85,2.29",
    )  # fmt: skip


@row("RFC 5545, 3.6.6")
def alarms_of_all_kinds(dav):
    """Alarms with what programs note in them."""
    same(
        dav, *START, *ALARM[:-1], "UID:a-1", "X-WR-ALARMUID:a-1", "ACKNOWLEDGED:20270301T090000Z",
        ALARM[-1], "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER;VALUE=DATE-TIME:20270301T080000Z",
        "ATTACH;VALUE=URI:Basso", "END:VALARM",
    )  # fmt: skip


@row("RFC 5545, 3.8.4.1")
def attendees(dav):
    """Those who take part, with all that is said of them."""
    same(
        dav, *START, "ORGANIZER;CN=Olga:mailto:olga@o.example",
        'ATTENDEE;CN="Ruiz, Ana";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;'
        "RSVP=TRUE:mailto:p1@b.example", "ATTENDEE;CUTYPE=ROOM:mailto:room@b.example",
    )  # fmt: skip


@row("RFC 5545, 3.1")
def folded_lines(dav):
    """Long lines, folded also inside of a character."""
    text = event("one", *START, "DESCRIPTION:" + "ñ" * 30 + "\r\n " + "é" * 30)
    same(dav, text=text)


@row("RFC 5545, 3.1")
def characters_of_all_kinds(dav):
    """Beyond the basic plane, combining, from right to left."""
    same(dav, *START[:2], "SUMMARY:🍷 e\u0301 \u05d0\u05d1 \\, \\; \\n 日本", "LOCATION:Ö")


@row("RFC 4791, 4.1; RFC 5545, 3.6.5")
def own_time_zone(dav):
    """A zone that is defined in the object."""
    lines = ("DTSTART;TZID=Own/Zone:20270301T100000", "DTEND;TZID=Own/Zone:20270301T110000",
             "SUMMARY:x")  # fmt: skip
    text = event("one", *lines)
    same(dav, text=text.replace("BEGIN:VEVENT", "\r\n".join(ZONE) + "\r\nBEGIN:VEVENT"))


@row("RFC 5545, 3.3.12")
def floating_time(dav):
    """A time that is wherever one is."""
    same(dav, "DTSTART:20270301T100000", "DTEND:20270301T110000", "SUMMARY:x")


@row("RFC 5545, 3.3.4")
def whole_days(dav):
    """Days, one and several."""
    same(dav, "DTSTART;VALUE=DATE:20270301", "DTEND;VALUE=DATE:20270304", "SUMMARY:x")


@row("RFC 5545, 3.8.5")
def series_with_exceptions(dav):
    """A rule, what it does not give, and what was moved."""
    same(
        dav,
        text=event(
            "one", "DTSTART;TZID=Europe/Madrid:20270301T100000", "DURATION:PT1H",
            "RRULE:FREQ=WEEKLY;COUNT=6", "EXDATE;TZID=Europe/Madrid:20270308T100000", "SUMMARY:x",
            more="""
BEGIN:VEVENT
UID:one
DTSTAMP:20270101T000000Z
RECURRENCE-ID;TZID=Europe/Madrid:20270315T100000
DTSTART;TZID=Europe/Madrid:20270316T120000
DURATION:PT2H
SUMMARY:y
END:VEVENT
""",
        ),
    )  # fmt: skip


@row("RFC 4791, 4.1")
def only_a_changed_occurrence(dav):
    """Who is invited to one occurrence has that one alone."""
    same(dav, *START, "RECURRENCE-ID:20270301T090000Z")


@row("RFC 5545, 3.3.10")
def odd_rules(dav):
    """Rules that are right, and seldom."""
    for uid, rule in {
        "hours": "FREQ=HOURLY;INTERVAL=6;BYHOUR=9,15;COUNT=5",
        "last": "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=5",
        "weeks": "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3",
        "days": "FREQ=YEARLY;BYYEARDAY=100,-1;COUNT=4",
        "forever": "FREQ=DAILY",
        "moon": "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR;COUNT=2",
    }.items():
        text = event(uid, *START, f"RRULE:{rule}")
        expect(dav.put(f"{dav.agenda}{uid}.ics", text), 201)
        assert dav.text(f"{uid}.ics") == text, uid


@row("RFC 5545, 3.8.1.1")
def an_attachment(dav):
    """What is attached within."""
    same(dav, *START, "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY;X-N=a.txt:aGVsbG8=",
         "ATTACH:https://example.com/a.pdf")  # fmt: skip


@row("RFC 5545, 3.6.2")
def a_todo(dav):
    """To-dos, in a calendar that takes them."""
    path = dav.make("todos", "VTODO")
    text = event("one", "SUMMARY:x", "DUE:20270301T100000Z", "PERCENT-COMPLETE:50", "PRIORITY:1",
                 "RELATED-TO:other", *ALARM).replace("VEVENT", "VTODO")  # fmt: skip
    made = expect(dav.put(path + "one.ics", text), 201)
    assert made.headers["ETag"] and dav.text("one.ics", path) == text


@row("RFC 5545, 3.6.3")
def a_journal(dav):
    """Journals, in a calendar that takes them."""
    path = dav.make("journal", "VJOURNAL")
    text = event("one", "DTSTART;VALUE=DATE:20270301", "SUMMARY:x", "DESCRIPTION:a",
                 "DESCRIPTION:b").replace("VEVENT", "VJOURNAL")  # fmt: skip
    expect(dav.put(path + "one.ics", text), 201)
    assert dav.text("one.ics", path) == text


@row("RFC 5545, 3.8.1.11")
def cancelled(dav):
    """What was cancelled is there, and cancelled; and it can take place again."""
    same(dav, *START)
    text = event("one", *START, "STATUS:CANCELLED")
    expect(dav.put(dav.agenda + "one.ics", text), 204)
    assert dav.text("one.ics") == text
    assert dav.sync().names == ["one.ics"]
    expect(dav.put(dav.agenda + "one.ics", event("one", *START)), 204)
    assert dav.text("one.ics") == event("one", *START)
    expect(dav.put(dav.agenda + "two.ics", text.replace("UID:one", "UID:two")), 201)
    expect(dav.ask("DELETE", dav.agenda + "two.ics"), 204)


@row("RFC 5545, 3.8.1.11")
def cancelled_occurrence(dav):
    """One occurrence is cancelled, the others are not."""
    text = event(
        "one", "DTSTART:20270301T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3",
        more="BEGIN:VEVENT\nUID:one\nDTSTAMP:20270101T000000Z\nRECURRENCE-ID:20270302T100000Z\n"
        "DTSTART:20270302T100000Z\nDURATION:PT1H\nSTATUS:CANCELLED\nEND:VEVENT",
    )  # fmt: skip
    same(dav, text=text)
    busy = dav.free_busy("20270302T000000Z", "20270303T000000Z").text
    assert "FREEBUSY" not in busy.replace("VFREEBUSY", "")


@row("RFC 4791, 5.3.4")
def etag_moves(dav):
    """A text that is another has another ETag, and one that is the same is served the same."""
    first = dav.store().headers["ETag"]
    changed = event().replace("Tasting", "Dinner")
    second = expect(dav.put(dav.agenda + "one.ics", changed, if_match=first), 204)
    assert second.headers["ETag"] != first
    assert dav.text("one.ics") == changed


@row("RFC 5545, 3.4")
def lines_that_end_with_lf(dav):
    """Many programs write LF alone: it is taken and means the same."""
    expect(dav.put(dav.agenda + "one.ics", event().replace("\r\n", "\n")), 201)
    assert "SUMMARY:Tasting" in dav.text("one.ics").splitlines()


@row("RFC 5545, 3.1.4")
def another_character_set(dav):
    """What Content-Type names as its character set is believed."""
    text = event().replace("Tasting", "Cañas")
    answer = dav.put(dav.agenda + "one.ics", text.encode("latin-1"),
                     content_type="text/calendar; charset=iso-8859-1")  # fmt: skip
    expect(answer, 201)
    assert dav.text("one.ics") == text

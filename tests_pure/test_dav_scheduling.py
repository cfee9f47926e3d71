"""Scheduling (RFC 6638): inbox and outbox, free time, versions, and who may change what."""

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from crm_automation.dav.backend import Entry
from crm_automation.dav.scheduling import MAX_DAYS
from crm_automation.ical import scheduling
from crm_automation.ical.itip import Message
from crm_automation.ical.parse import parse
from crm_automation.tests.rows.program import NAMES, C, D, event
from hypothesis import given
from hypothesis import strategies as st

from dav_memory import NOW, Client

HOME = "/caldav/calendars/ana@x.es/"
AGENDA, INBOX, OUTBOX = HOME + "agenda/", HOME + "inbox/", HOME + "outbox/"
ONE = AGENDA + "one.ics"
ANA = "ORGANIZER;CN=Ana:mailto:ana@x.es"
BEA = "ORGANIZER;CN=Bea:mailto:bea@x.es"
TIMES = ("DTSTART:20270301T100000Z", "DTEND:20270301T110000Z")


def at(hour, day=1):
    return datetime(2027, 3, day, hour, tzinfo=timezone.utc)


def meeting(organizer=ANA, *lines, guests=("ana@x.es", "bea@x.es"), times=TIMES, **answers):
    """The text of a meeting of Ana and Bea; answers by the name before the @."""
    people = [
        f"ATTENDEE;PARTSTAT={answers.get(guest.split('@')[0], 'NEEDS-ACTION')}:mailto:{guest}"
        for guest in guests
    ]
    return event("one", *times, "SUMMARY:Tasting", organizer, *people, *lines)


@pytest.fixture
def client():
    return Client()


def question(*attendees, organizer=ANA, start="20270301T000000Z", end="20270302T000000Z",
             method="REQUEST", more=()):  # fmt: skip
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//X//EN", f"METHOD:{method}",
            "BEGIN:VFREEBUSY", "UID:ask", "DTSTAMP:20270101T000000Z", f"DTSTART:{start}",
            f"DTEND:{end}", organizer, *(f"ATTENDEE:mailto:{one}" for one in attendees), *more,
            "END:VFREEBUSY", "END:VCALENDAR", "",
        ]
    )  # fmt: skip


def ask(client, text, path=OUTBOX, **headers):
    headers.setdefault("content_type", "text/calendar; charset=utf-8")
    return client.ask("POST", path, text, **headers)


def answers(reply):
    """dict from the recipient to (status, text or None)"""
    assert reply.xml.tag == f"{C}schedule-response"
    return {
        one.findtext(f"{C}recipient/{D}href"): (
            one.findtext(f"{C}request-status"), one.findtext(f"{C}calendar-data")
        )
        for one in reply.xml.iterfind(f"{C}response")
    }  # fmt: skip


# --- Where it is, and what it says of itself


def test_a_program_finds_inbox_and_outbox(client):
    found = client.propfind(
        "/caldav/principals/ana@x.es/",
        "<C:schedule-inbox-URL/><C:schedule-outbox-URL/><C:calendar-user-type/>"
        "<C:calendar-user-address-set/>",
    )
    assert found.xml.findtext(f".//{C}schedule-inbox-URL/{D}href") == INBOX
    assert found.xml.findtext(f".//{C}schedule-outbox-URL/{D}href") == OUTBOX
    assert "mailto:ana@x.es" in found.text
    assert "calendar-auto-schedule" in client.ask("OPTIONS", INBOX).headers["DAV"]
    assert "POST" in client.ask("OPTIONS", OUTBOX).headers["Allow"]


def test_what_they_say_of_themselves(client):
    props = (
        "<D:resourcetype/><D:current-user-privilege-set/><D:acl/><D:supported-report-set/>"
        "<C:supported-calendar-component-set/><C:supported-calendar-data/><D:owner/>"
        "<C:max-resource-size/><D:displayname/>"
    )
    inbox = client.propfind(
        INBOX, props + "<C:schedule-default-calendar-URL/><D:sync-token/><CS:getctag/>"
    )
    assert inbox.missing == set()
    assert f"<D:href>{AGENDA}</D:href>" in inbox.text
    assert "<C:schedule-inbox/>" in inbox.text and "schedule-deliver" in inbox.text
    assert "<C:calendar/>" not in inbox.text
    outbox = client.propfind(OUTBOX, props)
    assert outbox.missing == set()
    assert "<C:schedule-outbox/>" in outbox.text
    for name in ("send", "send-invite", "send-reply", "send-freebusy"):
        assert f"<C:schedule-{name}/>" in outbox.text
    assert client.propfind(OUTBOX, "<D:getetag/>", depth="1").names == ["outbox"]
    names = client.ask("PROPFIND", INBOX, f"<D:propfind {NAMES}><D:propname/></D:propfind>")
    assert "schedule-default-calendar-URL" in names.found["inbox"]


def test_others_have_none_that_one_finds(client):
    for name in ("inbox", "outbox"):
        for method in ("PROPFIND", "POST", "GET", "REPORT", "DELETE"):
            path = f"/caldav/calendars/bea@x.es/{name}/"
            assert client.ask(method, path, question("ana@x.es"), depth="0").status == 404


def test_they_stay_as_they_are(client):
    for path in (INBOX, OUTBOX):
        assert client.ask("DELETE", path).status == 405
        assert client.ask("MKCALENDAR", path).status == 405
        refused = client.put(path + "one.ics", event())
        assert (refused.status, refused.condition) == (403, "need-privileges")
        body = (
            f"<D:propertyupdate {NAMES}><D:set><D:prop><D:displayname>x</D:displayname>"
            "</D:prop></D:set></D:propertyupdate>"
        )
        assert "403" in client.ask("PROPPATCH", path, body).text
    client.put(ONE, event())
    moved = client.ask("MOVE", ONE, destination=INBOX + "one.ics")
    assert (moved.status, moved.condition) == (403, "need-privileges")
    assert client.ask("POST", AGENDA, question("ana@x.es")).status == 405


def test_messages_are_read_and_deleted(client):
    entry = Entry("m.ics", "m", "v9")
    text = meeting(BEA).replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST")
    client.backend.version = 9
    client.backend.objects["inbox"]["m.ics"] = (entry, text, 9)
    assert client.propfind(INBOX, "<D:getetag/>", depth="1").names == ["inbox", "m.ics"]
    assert client.ask("GET", INBOX + "m.ics").text == text
    assert client.query('<C:comp-filter name="VEVENT"/>', path=INBOX).names == ["m.ics"]
    token = "<D:sync-token>{}</D:sync-token>"
    body = f"<D:sync-collection {NAMES}>{token}<D:prop><D:getetag/></D:prop></D:sync-collection>"
    first = client.report(INBOX, body.format(""), depth="0")
    assert first.names == ["m.ics"]
    asked = client.ask("COPY", INBOX + "m.ics", destination=ONE)
    assert asked.status == 403
    assert client.ask("DELETE", INBOX + "m.ics").status == 204
    then = client.report(INBOX, body.format(first.xml.findtext(f"{D}sync-token")), depth="0")
    assert then.statuses == {"m.ics": 404}
    assert client.propfind(INBOX, "<C:schedule-tag/>").missing == {"schedule-tag"}


# --- Free time


def test_when_others_have_time(client):
    client.backend.times = {
        "bea@x.es": [
            ("BUSY", at(9), at(10)), ("BUSY", at(10), at(11)), ("BUSY-TENTATIVE", at(10), at(12)),
            ("BUSY", at(23) - timedelta(days=1), at(1)),
        ],
        "ana@x.es": [],
    }  # fmt: skip
    reply = ask(client, question("bea@x.es", "ana@x.es", "nobody@y.es"))
    assert reply.status == 200
    found = answers(reply)
    assert set(found) == {"mailto:bea@x.es", "mailto:ana@x.es", "mailto:nobody@y.es"}
    assert found["mailto:nobody@y.es"] == ("3.7;Invalid calendar user", None)
    status, text = found["mailto:bea@x.es"]
    assert status == "2.0;Success"
    lines = text.split("\r\n")
    assert [line for line in lines if line.startswith("FREEBUSY")] == [
        "FREEBUSY;FBTYPE=BUSY:20270301T000000Z/20270301T010000Z",
        "FREEBUSY;FBTYPE=BUSY:20270301T090000Z/20270301T110000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270301T110000Z/20270301T120000Z",
    ]
    assert "METHOD:REPLY" in lines and "UID:ask" in lines and ANA in lines
    assert "ATTENDEE:mailto:bea@x.es" in lines and "mailto:ana@x.es" not in text.split(ANA)[1]
    assert "FREEBUSY;" not in found["mailto:ana@x.es"][1]
    [item] = parse(text.encode()).items
    assert item.NAME == "VFREEBUSY" and len(item.busy) == 3


def test_the_meeting_that_is_moved_does_not_count(client):
    ask(client, question("bea@x.es", more=("X-CALENDARSERVER-MASK-UID:one",)))
    [(emails, start, end, but)] = client.backend.asked
    assert (emails, start, end, but) == (["bea@x.es"], at(0), at(0, 2), "one")


@pytest.mark.parametrize(
    ("text", "status", "condition"),
    [
        ("nonsense", 403, "valid-calendar-data"),
        (question("bea@x.es", organizer=BEA), 403, "organizer-allowed"),
        (question("bea@x.es", organizer="COMMENT:x"), 403, "organizer-allowed"),
        (question(), 403, "valid-scheduling-message"),
        (question("bea@x.es", method="REPLY"), 403, "valid-scheduling-message"),
        (question("bea@x.es", end="20260101T000000Z"), 403, "valid-scheduling-message"),
        (question("bea@x.es", start="20270301"), 403, "valid-scheduling-message"),
        (question("bea@x.es", start="00010101T000000Z"), 403, "valid-scheduling-message"),
        (question("bea@x.es", start="99991231T000000Z", end="99991231T230000Z"), 403,
         "valid-scheduling-message"),
        (question("bea@x.es", end="20990101T000000Z"), 403, "valid-scheduling-message"),
        (question(*(f"a{n}@x.es" for n in range(501))), 403, "max-attendees-per-instance"),
        (meeting().replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"), 403,
         "valid-scheduling-message"),
        (question("bea@x.es") + "X" * 100_000, 413, "max-resource-size"),
    ],
)  # fmt: skip
def test_what_is_not_answered(client, text, status, condition):
    reply = ask(client, text)
    assert (reply.status, reply.condition) == (status, condition)
    assert not client.backend.asked


def test_other_kinds_of_content_are_not_read(client):
    reply = ask(client, "{}", content_type="application/json")
    assert (reply.status, reply.condition) == (415, "supported-calendar-data")


def test_the_longest_question(client):
    end = at(0) + timedelta(days=MAX_DAYS) - timedelta(seconds=1)
    assert ask(client, question("bea@x.es", end=f"{end:%Y%m%dT%H%M%SZ}")).status == 200
    assert ask(client, question(*(f"a{n}@x.es" for n in range(100)))).status == 200


def test_what_one_has_declined_takes_no_time(client):
    """Of one's own calendar as well (RFC 4791, 7.10)."""
    body = (
        f'<C:free-busy-query {NAMES}><C:time-range start="20270301T000000Z"'
        ' end="20270302T000000Z"/></C:free-busy-query>'
    )
    for answer, kind in (("ACCEPTED", "BUSY:"), ("TENTATIVE", "BUSY-TENTATIVE:"),
                         ("DECLINED", None), ("NEEDS-ACTION", "BUSY:")):  # fmt: skip
        client = Client()
        client.put(ONE, meeting(BEA, ana=answer))
        text = client.report(AGENDA, body).text
        assert (kind is None and "FREEBUSY;" not in text) or f"FBTYPE={kind}" in text


# --- Which version of a meeting it is


def test_the_version_of_a_meeting(client):
    made = client.put(ONE, meeting())
    tag = made.headers["Schedule-Tag"]
    assert re.fullmatch('"[0-9a-f]+"', tag)
    assert client.ask("GET", ONE).headers["Schedule-Tag"] == tag
    assert client.propfind(ONE, "<C:schedule-tag/>").text.count(tag) == 1
    answer = client.query('<C:comp-filter name="VEVENT"/>', "<C:schedule-tag/><C:calendar-data/>")
    assert answer.found["one.ics"]["schedule-tag"].text == tag
    listed = client.propfind(AGENDA, "<C:schedule-tag/><D:getetag/>", depth="1")
    assert listed.found["one.ics"]["schedule-tag"].text == tag
    # What is no meeting of several has none.
    assert "Schedule-Tag" not in client.put(AGENDA + "two.ics", event("two")).headers
    assert "Schedule-Tag" not in client.ask("GET", AGENDA + "two.ics").headers
    assert client.propfind(AGENDA + "two.ics", "<C:schedule-tag/>").missing == {"schedule-tag"}


def tag(text):
    return scheduling.tag_of(text, {"ana@x.es"})


def test_an_answer_of_somebody_else_is_no_other_version():
    first = tag(meeting())
    assert tag(meeting(bea="ACCEPTED")) == first
    stamped = meeting(bea="DECLINED").replace("20270101T000000Z", "20270202T000000Z")
    assert tag(stamped.replace("\r\nATTENDEE", "\r\nLAST-MODIFIED:20270101T000000Z\r\nATTENDEE", 1)
               ) == first  # fmt: skip
    assert tag(scheduling.with_statuses(meeting(), {"bea@x.es": "1.2"})) == first
    folded = meeting().replace("PARTSTAT", "PART\r\n STAT").replace("Tasting", "Tas\r\n ting")
    assert tag(folded) == first
    zone = "BEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"
    assert tag(meeting().replace("BEGIN:VEVENT", zone)) == first


def test_what_is_another_version():
    first = tag(meeting())
    for other in (
        meeting(ana="ACCEPTED"), meeting(times=("DTSTART:20270301T103000Z", TIMES[1])),
        meeting(guests=("ana@x.es", "bea@x.es", "eva@x.es")), meeting(ANA, "LOCATION:Bodega"),
        meeting(ANA, "BEGIN:VALARM", "TRIGGER:-PT5M", "ACTION:AUDIO", "END:VALARM"),
    ):  # fmt: skip
        assert tag(other) not in (first, None)
    assert tag(event()) is None


def test_if_schedule_tag_match(client):
    text = meeting()
    tag = client.put(ONE, text).headers["Schedule-Tag"]
    # Bea has answered: another ETag, the same version.
    entry, _text, version = client.backend.objects["agenda"]["one.ics"]
    client.backend.objects["agenda"]["one.ics"] = (
        replace(entry, etag="another"), meeting(bea="ACCEPTED"), version
    )  # fmt: skip
    assert client.put(ONE, text, if_schedule_tag_match='"x"').status == 412
    assert client.ask("DELETE", ONE, if_schedule_tag_match='"x"').status == 412
    assert client.put(AGENDA + "new.ics", text, if_schedule_tag_match=tag).status == 412
    there = client.ask("MOVE", ONE, destination=AGENDA + "x.ics", if_schedule_tag_match='"x"')
    assert there.status == 412
    changed = client.put(ONE, meeting(ANA, "LOCATION:Bodega"), if_schedule_tag_match=tag)
    assert changed.status == 204
    assert changed.headers["Schedule-Tag"] != tag
    assert client.ask("DELETE", ONE, if_schedule_tag_match=tag).status == 412
    now = changed.headers["Schedule-Tag"]
    assert client.ask("DELETE", ONE, if_schedule_tag_match=now).status == 204


# --- Who may change what


def occurrence(*lines):
    return "\n".join(
        ["BEGIN:VEVENT", "UID:one", "DTSTAMP:20270101T000000Z",
         "RECURRENCE-ID:20270308T100000Z", *lines, "END:VEVENT"]
    )  # fmt: skip


def series(organizer, second, start="DTSTART:20270308T100000Z"):
    return event(
        "one", *TIMES, "RRULE:FREQ=WEEKLY;COUNT=4", organizer, "ATTENDEE:mailto:ana@x.es",
        more=occurrence(start, second, "ATTENDEE:mailto:ana@x.es"),
    )  # fmt: skip


def refusal(reply):
    return reply.status, reply.condition


def test_one_organizer(client):
    refused = client.put(ONE, series(ANA, BEA))
    assert refusal(refused) == (403, "same-organizer-in-all-components")
    assert client.put(ONE, series(ANA, ANA)).status == 201
    assert client.put(ONE, series(ANA, "COMMENT:none")).status == 204


def test_the_organizer_stays(client):
    client.put(ONE, meeting())
    refused = client.put(ONE, meeting(BEA))
    assert refusal(refused) == (403, "allowed-organizer-scheduling-object-change")
    assert client.ask("GET", ONE).text == meeting()
    assert client.put(ONE, meeting(times=("DTSTART:20270302T100000Z",))).status == 204
    # Nobody is invited any more: it is his own again.
    assert client.put(ONE, event("one", *TIMES)).status == 204


def test_who_takes_part_does_not_move_it(client):
    client.put(ONE, meeting(BEA))
    word = "allowed-attendee-scheduling-object-change"
    later = ("DTSTART:20270301T120000Z", "DTEND:20270301T130000Z")
    longer = (TIMES[0], "DTEND:20270301T130000Z")
    for text in (meeting(BEA, times=later), meeting(BEA, times=longer), meeting(ANA)):
        assert refusal(client.put(ONE, text)) == (403, word)
    assert client.put(ONE, meeting(BEA, "LOCATION:x", ana="ACCEPTED")).status == 204
    # The same times, said otherwise.
    same = ("DTSTART:20270301T100000Z", "DURATION:PT1H")
    assert client.put(ONE, meeting(BEA, times=same)).status == 204
    # What the organizer has sent him by mail is newer.
    assert client.put(ONE, meeting(BEA, "SEQUENCE:1", times=later)).status == 204


def test_who_takes_part_does_not_move_an_occurrence(client):
    client.put(ONE, series(BEA, BEA))
    moved = series(BEA, BEA, start="DTSTART:20270309T100000Z")
    assert client.put(ONE, moved).condition == "allowed-attendee-scheduling-object-change"
    other = series(BEA, BEA).replace("RECURRENCE-ID:20270308", "RECURRENCE-ID:20270315")
    assert client.put(ONE, other).condition == "allowed-attendee-scheduling-object-change"
    assert client.put(ONE, other.replace("DTSTART:20270308", "DTSTART:20270315")).status == 204


def test_who_has_nothing_to_do_with_it_changes_it(client):
    """A meeting of others that somebody keeps in his calendar."""
    client.put(ONE, meeting(BEA, guests=("eva@x.es",)))
    changed = meeting(BEA, guests=("eva@x.es",), times=("DTSTART:20270302T100000Z",))
    assert client.put(ONE, changed).status == 204


def test_a_meeting_is_in_one_calendar(client):
    client.ask("MKCALENDAR", HOME + "wine/")
    client.put(ONE, meeting())
    refused = client.put(HOME + "wine/one.ics", meeting())
    assert refusal(refused) == (403, "unique-scheduling-object-resource")
    assert ONE in refused.text
    # What is no meeting of several can be in both.
    client.put(AGENDA + "two.ics", event("two"))
    assert client.put(HOME + "wine/two.ics", event("two")).status == 201


def test_whether_the_organizer_hears_of_it(client):
    for headers, is_told in (
        ({}, True), ({"schedule_reply": "T"}, True), ({"schedule_reply": "f"}, False),
    ):  # fmt: skip
        client.put(ONE, meeting(BEA))
        assert client.ask("DELETE", ONE, **headers).status == 204
        assert client.backend.told[-1] is is_told
    client.put(ONE, meeting(BEA))
    assert client.ask("DELETE", ONE, schedule_reply="maybe").status == 400


# --- What a server says of people


def test_statuses_are_written_where_they_belong():
    text = meeting(ANA, "BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-PT5M",
                   "ATTENDEE:mailto:bea@x.es", "END:VALARM")  # fmt: skip
    told = scheduling.with_statuses(text, {"bea@x.es": "1.2"})
    assert "ATTENDEE;PARTSTAT=NEEDS-ACTION;SCHEDULE-STATUS=1.2:mailto:bea@x.es" in told
    assert told.count("SCHEDULE-STATUS") == 1
    assert scheduling.without(told, ["SCHEDULE-STATUS"]) == text
    assert scheduling.with_statuses(text, {}) == text
    long = text.replace("ATTENDEE;", "ATTENDEE;CN=" + "Ñandú " * 12 + ";")
    told = scheduling.with_statuses(long, {"bea@x.es": "1.2"})
    [changed] = [line for line in told.split("\r\n") if line not in long.split("\r\n")][:1]
    assert changed.startswith("ATTENDEE;CN=") and len(changed.encode()) <= 75
    assert [one.params.get("SCHEDULE-STATUS") for one in parse(told.encode()).items[0].attendees
            ] == [None, "1.2"]  # fmt: skip


@pytest.mark.parametrize("end", ["END: VALARM", "end :valarm", "END:VALARM", "X-NOTHING:1"])
def test_people_of_alarms_are_none_of_the_meeting(end):
    """However their ends are written, and where they have none."""
    person = "ATTENDEE;SCHEDULE-STATUS=1:mailto:bea@x.es\r\n"
    alarms = f"BEGIN: VALARM\r\n{person}{end}\r\n" * 8_000
    text = f"BEGIN:VEVENT\r\n{alarms}END:VEVENT\r\nBEGIN:VEVENT\r\n{person}END:VEVENT\r\n"
    bare = scheduling.without(text, ["SCHEDULE-STATUS"])
    assert bare.count("SCHEDULE-STATUS") == 8_000
    assert bare.endswith("BEGIN:VEVENT\r\nATTENDEE:mailto:bea@x.es\r\nEND:VEVENT\r\n")


def test_who_tells_people():
    text = meeting().replace("ATTENDEE;", "ATTENDEE;SCHEDULE-AGENT=client;", 1)
    [item] = parse(text.encode()).items
    assert [scheduling.agent(one) for one in item.attendees] == ["CLIENT", "SERVER"]
    odd = item.attendees[0].put(SCHEDULE_AGENT="X-PIGEON")
    assert scheduling.agent(odd) == "NONE"
    assert scheduling.agent(None) == "SERVER"


def test_messages_say_nothing_of_it():
    text = scheduling.with_statuses(meeting(), {"bea@x.es": "1.1", "ana@x.es": "1.1"})
    text = text.replace("ORGANIZER;", "ORGANIZER;SCHEDULE-AGENT=SERVER;")
    items = tuple(parse(text.encode()).items)
    sent = Message("REQUEST", items).text(NOW)
    assert "SCHEDULE-" in text and "SCHEDULE-" not in sent
    assert "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bea@x.es" in sent


def test_whose_meeting_a_text_is():
    assert scheduling.organizer_of(meeting()) == "ana@x.es"
    assert scheduling.organizer_of(meeting(BEA).replace("mailto:", "MAILTO:")) == "bea@x.es"
    assert scheduling.organizer_of(event()) is None


# --- Whatever is sent, the server says yes or no


_LINES = (*question("bea@x.es").split("\r\n"), *meeting().split("\r\n"), ANA.lower(), BEA,
          "RECURRENCE-ID:20270308T100000Z", "RECURRENCE-ID;VALUE=DATE:20270308", "SEQUENCE:x",
          "ORGANIZER:", "ATTENDEE;PARTSTAT=:x", "DTSTART:", "DTSTART;VALUE=DATE:20270301", "\0",
          "ATTENDEE;CN=\"a:b", "UID:ñ", "DTSTART;TZID=Nowhere:20270301T100000")  # fmt: skip
_texts = st.lists(st.sampled_from(_LINES), max_size=25).map("\r\n".join)


@given(st.data(), st.sampled_from([question("bea@x.es"), meeting(), series(BEA, BEA)]))
def test_odd_questions_and_meetings(data, text):
    client = Client()
    client.backend.times = {"bea@x.es": [("BUSY", at(9), at(10))]}
    lines = text.split("\r\n")
    for where in data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, max_size=4)):
        lines[where] = data.draw(st.sampled_from(_LINES))
    odd = "\r\n".join(lines)
    assert ask(client, odd).status < 500
    client.put(ONE, text)
    assert client.put(ONE, odd).status < 500
    assert client.ask("GET", ONE).status in (200, 404)
    assert client.ask("DELETE", ONE, if_schedule_tag_match=odd[:20]).status in (400, 404, 412)
    scheduling.with_statuses(odd, {"bea@x.es": "1.2"})


@given(_texts)
def test_lines_in_any_order(text):
    client = Client()
    assert ask(client, text).status < 500
    assert client.put(ONE, text).status < 500
    scheduling.tag_of(text, {"ana@x.es"})
    assert scheduling.without(text, ["X-NOTHING"]) == text

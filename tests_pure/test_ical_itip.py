"""Messages of RFC 5546: made, judged by the strict checker, and read again."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from ical import itip
from ical.errors import (
    CannotAnswer,
    LimitExceeded,
    MissingProperty,
    MixedMessage,
    NoMethod,
    NotACalendar,
    UnknownMethod,
)
from ical.items import Alarm, Attendee, Event, Organizer
from ical.itip_check import check

UTC = timezone.utc
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")
START = datetime(2026, 12, 1, 10, tzinfo=MADRID)
HOUR = timedelta(hours=1)
MEETING = Event(
    uid="tasting-1", start=START, end=START + HOUR, sequence=2, summary="Tasting; with, food",
    location="Bodega", stamp=NOW - HOUR, created=NOW - HOUR,
    organizer=Organizer.of("ana@bodega.example", CN="Ana, the winemaker"),
    attendees=(
        Attendee.of("ana@bodega.example", CN="Ana", ROLE="CHAIR", PARTSTAT="ACCEPTED"),
        Attendee.of("luis@azure.example", CN="Luis", RSVP="TRUE", PARTSTAT="NEEDS-ACTION"),
    ),
    alarms=(Alarm(trigger=-HOUR),),
)  # fmt: skip
SERIES = replace(MEETING, rules=("FREQ=WEEKLY;COUNT=5",))
SECOND = START + timedelta(days=7)
MOVED = replace(MEETING, recurrence_id=SECOND, start=SECOND + HOUR, end=SECOND + 2 * HOUR)
LUIS = "luis@azure.example"

MESSAGES = {
    "request": itip.request([MEETING]),
    "request of days": itip.request(
        [replace(MEETING, start=START.date(), end=START.date() + timedelta(days=2))]
    ),
    "request of a series": itip.request([SERIES, MOVED]),
    "request of one occurrence": itip.request([itip.occurrence(SERIES, SECOND)]),
    "cancel": itip.cancel([MEETING]),
    "cancel one occurrence": itip.cancel([itip.occurrence(SERIES, SECOND)]),
    "uninvite": itip.cancel([MEETING], uninvited=[LUIS, "gone@example.com"]),
    "reply": itip.reply([MEETING], LUIS, "ACCEPTED", "With pleasure"),
    "reply to two occurrences": itip.reply(
        [MOVED, itip.occurrence(SERIES, SECOND + timedelta(days=7))], LUIS, "DECLINED"
    ),
    "delegate": itip.reply([MEETING], LUIS, "DELEGATED", delegate="eva@azure.example"),
    "counter": itip.counter(MEETING, LUIS, START + HOUR, START + 2 * HOUR, "An hour later?"),
    "decline counter": itip.decline_counter(MEETING, LUIS, "Sorry"),
    "refresh": itip.refresh(MEETING, LUIS),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_to_the_letter(name):
    text = MESSAGES[name].text(NOW)
    assert not check(text.encode())
    again = itip.read(text.encode())
    assert again.method == MESSAGES[name].method
    assert again.uid == "tasting-1"
    assert again.organizer == "ana@bodega.example"
    assert all(item.stamp == NOW for item in again.items)


def test_a_request_has_no_reminders():
    [item] = itip.read(MESSAGES["request"].text(NOW).encode()).items
    assert item.alarms == ()
    assert (item.sequence, item.summary) == (2, "Tasting; with, food")
    assert item.start == START and str(item.start.tzinfo) == "Europe/Madrid"


def test_only_the_uninvited_are_named_and_it_is_not_cancelled_for_others():
    [item] = MESSAGES["uninvite"].items
    assert [one.email for one in item.attendees] == [LUIS, "gone@example.com"]
    assert item.status is None
    assert MESSAGES["cancel"].items[0].status == "CANCELLED"


def test_an_answer_names_its_giver_alone_and_echoes_the_sequence():
    [item] = itip.read(MESSAGES["reply"].text(NOW).encode()).items
    [attendee] = item.attendees
    assert (attendee.email, attendee.status, attendee.name) == (LUIS, "ACCEPTED", "Luis")
    assert item.sequence == 2
    assert item.comments == ("With pleasure",)
    assert item.request_status == ("2.0;Success",)


def test_delegation_names_the_delegate():
    [item] = itip.read(MESSAGES["delegate"].text(NOW).encode()).items
    [attendee] = item.attendees
    assert attendee.status == "DELEGATED"
    assert [itip.address_of(one) for one in attendee.delegated_to] == ["eva@azure.example"]


def test_a_proposal():
    message = itip.read(MESSAGES["counter"].text(NOW).encode())
    assert itip.proposed(message) == (START + HOUR, START + 2 * HOUR, "An hour later?")
    assert [one.status for one in message.items[0].attendees] == ["ACCEPTED", "TENTATIVE"]


def test_a_proposal_without_a_time():
    bare = itip.Message("COUNTER", (replace(MEETING, start=None, end=None),))
    with pytest.raises(CannotAnswer):
        itip.proposed(bare)


def test_who_acts_for_the_organizer():
    organizer = Organizer.of("ana@bodega.example", SENT_BY="mailto:Desk@bodega.example")
    message = itip.read(
        itip.request([replace(MEETING, organizer=organizer)]).text(NOW).encode()
    )  # fmt: skip
    assert itip.address_of(message.items[0].organizer.sent_by) == "desk@bodega.example"


@pytest.mark.parametrize(
    "make",
    [
        lambda: itip.request([replace(MEETING, organizer=None)]),
        lambda: itip.request([replace(MEETING, attendees=())]),
        lambda: itip.cancel([replace(MEETING, organizer=None)]),
        lambda: itip.reply([replace(MEETING, organizer=None)], LUIS, "ACCEPTED"),
        lambda: itip.reply([MEETING], LUIS, "NEEDS-ACTION"),
        lambda: itip.refresh(replace(MEETING, organizer=None), LUIS),
        lambda: itip.decline_counter(replace(MEETING, organizer=None), LUIS),
    ],
)
def test_what_cannot_be_said(make):
    with pytest.raises(CannotAnswer):
        make()


def calendar(*lines, method="METHOD:REQUEST"):
    own = filter(None, ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", method])
    return "\r\n".join([*own, *lines, "END:VCALENDAR", ""]).encode()


EVENT = ("BEGIN:VEVENT", "UID:1", "DTSTAMP:20261125T120000Z", "DTSTART:20261201T100000Z")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (calendar(*EVENT, "END:VEVENT", method=""), NoMethod),
        (calendar(*EVENT, "END:VEVENT", method="METHOD:PUBLISH"), NoMethod),
        (calendar(*EVENT, "END:VEVENT", method="METHOD:X-STEAL"), UnknownMethod),
        (calendar("BEGIN:VTODO", "UID:1", "END:VTODO"), UnknownMethod),
        (calendar(*EVENT, "END:VEVENT", "BEGIN:VEVENT", "UID:2", "DTSTART:20261201T100000Z",
                  "END:VEVENT"), MixedMessage),
        (calendar(*EVENT, "END:VEVENT") + calendar(*EVENT, "END:VEVENT", method="METHOD:CANCEL"),
         MixedMessage),
        (calendar("BEGIN:VEVENT", "UID:1", "END:VEVENT"), MissingProperty),
        (calendar(), NotACalendar),
        (b"Hello, I cannot come.", NotACalendar),
        (calendar(*EVENT, "DESCRIPTION:" + "x" * 6_000_000, "END:VEVENT"), LimitExceeded),
        (calendar(*EVENT, *["BEGIN:VALARM", "END:VALARM"] * 3000, "END:VEVENT"), LimitExceeded),
    ],
)  # fmt: skip
def test_what_is_no_message(data, error):
    with pytest.raises(error):
        itip.read(data)


@pytest.mark.parametrize(
    ("name", "change", "fault"),
    [
        ("request", ("METHOD:REQUEST", "METHOD:FROBNICATE"), "5546 1.4"),
        ("request", ("METHOD:REQUEST\r\n", ""), "5546 3.2"),
        ("request", ("DTSTAMP:20261125T120000Z", "DTSTAMP:20261125T120000"), "5545 3.8.7.2"),
        ("request", ("SUMMARY:Tasting\\; with\\, food\r\n", ""), "5546 3.2.2"),
        ("request", ("TZID:Europe/Madrid", "TZID:Europe/Lisbon"), "5545 3.6.5"),
        ("request", ("\r\nSEQUENCE:2", "\nSEQUENCE:2"), "5545 3.1"),
        ("request", ("LOCATION:Bodega", "REQUEST-STATUS:2.0;Success"), "5546 3.2.2"),
        ("request", ("LOCATION:Bodega", "STATUS:CANCELLED"), "5546 3.2.2"),
        ("request", ("LOCATION:Bodega", "LOCATION:" + "x" * 80), "5545 3.1"),
        ("request", ("mailto:luis@azure.example", "urn:luis"), "6047 2.3"),
        ("reply", ("PARTSTAT=ACCEPTED", "PARTSTAT=NEEDS-ACTION"), "5546 3.2.3"),
        ("reply", ("PARTSTAT=ACCEPTED", "PARTSTAT=PERHAPS"), "5545 3.2.12"),
        ("cancel", ("SEQUENCE:2\r\n", ""), "5546 3.2.5"),
        ("cancel", ("STATUS:CANCELLED", "STATUS:CONFIRMED"), "5546 3.2.5"),
        ("refresh", ("DTSTAMP:", "SUMMARY:x\r\nDTSTAMP:"), "5546 3.2.6"),
        ("decline counter", ("DTSTAMP:", "DTSTART:20261201T100000Z\r\nDTSTAMP:"), "5546 3.2.8"),
    ],
)  # fmt: skip
def test_the_judge_sees(name, change, fault):
    text = MESSAGES[name].text(NOW).replace("\r\n ", "")
    assert change[0] in text
    folded = "\r\n".join(
        line if line.startswith("LOCATION:x") else "\r\n ".join(
            [line[:70], *(line[at : at + 70] for at in range(70, len(line), 70))]
        )
        for line in text.replace(*change).split("\r\n")
    )  # fmt: skip
    assert fault in [one.rule for one in check(folded.encode())]

"""Writing: what nobody changed stays as it was, a change changes one property."""

from dataclasses import fields, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ical.errors import CannotWrite
from ical.items import (
    Alarm,
    Attachment,
    Attendee,
    BusyTime,
    Conference,
    Event,
    FreeBusy,
    Organizer,
    Period,
    Related,
    Todo,
)
from ical.lines import Split
from ical.params import EMPTY
from ical.parse import parse
from ical.properties import TABLES
from ical.text import changed_fields, item_lines, to_text
from ical.values import same

UTC = timezone.utc
MADRID = ZoneInfo("Europe/Madrid")
SAMPLES = Path(__file__).parent / "ics"
FULL = parse((SAMPLES / "all_properties.ics").read_bytes()).items[0]


def content_lines(data):
    """The unfolded lines of each item of a file, by the line it begins on."""
    return {
        chunk.line: [line for line in chunk.unfolded().decode().split("\n") if line]
        for chunk in Split(data).chunks()
    }


def clean_samples():
    """Samples that need no repair: what comes out has to be what went in."""
    for path in sorted(SAMPLES.iterdir()):
        for item in parse(path.read_bytes()).items:
            if not item.repairs:
                yield pytest.param(path, item, id=f"{path.name}-{item.line}")


@pytest.mark.parametrize(("path", "item"), clean_samples())
def test_untouched_is_identical_line_for_line(path, item):
    assert item_lines(item) == content_lines(path.read_bytes())[item.line]
    assert changed_fields(item) == set()


def test_untouched_survives_a_second_round(sample):
    items = parse(sample.read_bytes()).items
    for method in {item.method for item in items}:
        mine = [item for item in items if item.method == method]
        text = to_text(mine, method)
        again = parse(text.encode()).items
        assert again == mine
        assert to_text(again, method) == text


#: A new value for every field of an event; None takes the property out.
NEW = {
    "uid": "new@example.com", "recurrence_id": datetime(2026, 12, 8, 10, tzinfo=MADRID),
    "this_and_future": None, "sequence": 8, "stamp": datetime(2026, 12, 1, tzinfo=UTC),
    "created": datetime(2026, 12, 1, tzinfo=UTC), "modified": datetime(2026, 12, 1, tzinfo=UTC),
    "start": datetime(2026, 12, 1, 9, tzinfo=MADRID),
    "end": datetime(2026, 12, 1, 12, tzinfo=MADRID),
    "duration": timedelta(hours=2), "summary": "Otra; visita, más larga",
    "description": "Nueva\nlínea", "location": "Sala \\ 3", "url": "https://example.com/n",
    "comments": ("uno", "tres"), "contacts": ("Eva",), "resources": ("Pizarra",),
    "categories": ("Cliente", "Nuevo"), "access": "PUBLIC", "status": "CONFIRMED", "priority": 9,
    "geo": (1.5, -2.25), "color": "red", "organizer": Organizer.of("eva@example.com", CN="Eva"),
    "attendees": (Attendee.of("new@example.com", RSVP="TRUE"), FULL.attendees[1]),
    "attachments": (Attachment.inline(b"abc", FMTTYPE="text/plain"), FULL.attachments[0]),
    "conferences": (Conference("tel:+34600000000", EMPTY.put(VALUE="URI")),),
    "relations": (Related("parent@example.com"),),
    "rules": ("FREQ=MONTHLY;BYDAY=2TU",), "exrules": ("FREQ=DAILY;COUNT=2",),
    "rdates": (Period(datetime(2026, 12, 24, 10, tzinfo=MADRID), duration=timedelta(hours=3)),
               FULL.rdates[0]),
    "exdates": (*FULL.exdates, datetime(2026, 12, 29, 10, tzinfo=MADRID)),
    "request_status": ("3.1;Invalid",), "transparency": "OPAQUE", "alarms": (FULL.alarms[1],),
}  # fmt: skip
#: Those that RFC 5545 lets stand beside each other only in other constellations.
TOGETHER = {"duration": {"end": None}}


def test_every_field_is_changed_below():
    assert set(NEW) == {one.name for one in fields(Event) if one.compare} - {
        "method", "line",
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in NEW if NEW[name] is not None])
def test_a_change_changes_that_property_only(name):
    others = TOGETHER.get(name, {})
    changed = replace(FULL, **{name: NEW[name]}, **others)
    before, after = item_lines(FULL), item_lines(changed)
    properties = {p for p, entry in TABLES["VEVENT"].items() if entry.field in {name, *others}}
    if name == "alarms":
        assert [line for line in before if line not in after][0].startswith("UID:alarm-1")
        assert "X-ALARM:stays" not in after
        assert [line for line in after if line not in before] == []
        return

    def untouched(lines):
        return [line for line in lines if line.partition(":")[0].split(";")[0] not in properties]

    # The alarms have properties of the same names; there nothing changes either.
    alarm = before.index("BEGIN:VALARM")
    assert untouched(before[:alarm]) == untouched(after[: after.index("BEGIN:VALARM")])
    assert before[alarm:] == after[after.index("BEGIN:VALARM") :]
    assert before != after
    [again] = parse(to_text([changed]).encode()).items
    assert not again.repairs
    for one in fields(Event):
        if one.compare and one.name not in ("line", "method"):
            was, now = getattr(changed, one.name), getattr(again, one.name)
            if isinstance(was, tuple) and one.name != "geo":
                # What is left of a list keeps its place, what is new comes after.
                assert len(was) == len(now)
                assert all(any(same(a, b) for b in now) for a in was)
            else:
                assert same(was, now), one.name


@pytest.mark.parametrize("name", [name for name in NEW if name not in ("uid", "this_and_future")])
def test_a_property_can_be_taken_out(name):
    kind = next(one for one in fields(Event) if one.name == name)
    empty = () if isinstance(kind.default, tuple) else 0 if name == "sequence" else None
    changed = replace(FULL, **{name: empty})
    properties = {p for p, entry in TABLES["VEVENT"].items() if entry.field == name}
    lines = item_lines(changed)
    own = lines[: lines.index("BEGIN:VALARM")] if "BEGIN:VALARM" in lines else lines
    left = [line for line in own if line.partition(":")[0].split(";")[0] in properties]
    assert left == ([] if name != "sequence" else ["SEQUENCE:0"])
    assert "X-LAST:stays" in lines
    assert "X-INSIDE;P=1:stays too" in lines


def test_unknown_parameters_survive_a_change():
    changed = replace(FULL, summary="Nueva", start=datetime(2026, 12, 2, 9, tzinfo=MADRID))
    lines = item_lines(changed)
    assert 'SUMMARY;LANGUAGE=es;ALTREP="http://example.com/alt":Nueva' in lines
    assert "DTSTART;X-WHY=because;TZID=Europe/Madrid:20261202T090000" in lines


def test_one_answer_changes_one_line():
    luis, room = FULL.attendees
    changed = replace(FULL, attendees=(luis, room.put(PARTSTAT="DECLINED")))
    before, after = item_lines(FULL), item_lines(changed)
    assert [line for line in after if line not in before] == [
        "ATTENDEE;CUTYPE=ROOM;CN=Sala 2;PARTSTAT=DECLINED;X-ID=r2:mailto:sala2@example.com"
    ]
    assert len(before) == len(after)


def test_one_alarm_changes_alone():
    first, second = FULL.alarms
    changed = replace(FULL, alarms=(first, replace(second, description="Pronto")))
    before, after = item_lines(FULL), item_lines(changed)
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        ("DESCRIPTION:Ya", "DESCRIPTION:Pronto")
    ]
    more = replace(FULL, alarms=(*FULL.alarms, Alarm(trigger=timedelta(0), description="Ahora")))
    assert [line for line in item_lines(more) if line not in before] == [
        "TRIGGER:PT0S", "DESCRIPTION:Ahora",
    ]  # fmt: skip


def test_a_windows_name_stays_when_the_hour_changes():
    item = parse((SAMPLES / "outlook.ics").read_bytes()).items[0]
    changed = replace(item, start=item.start.replace(hour=9))
    assert 'DTSTART;TZID="Romance Standard Time":20261110T093000' in item_lines(changed)
    assert "TZID:Romance Standard Time" in to_text([changed])
    elsewhere = replace(item, start=datetime(2026, 11, 10, 9, tzinfo=ZoneInfo("Asia/Tokyo")))
    text = to_text([elsewhere])
    assert "DTSTART;TZID=Asia/Tokyo:20261110T090000" in text
    assert "TZID:Asia/Tokyo\r\n" in text


def test_what_cannot_be_written_says_so():
    with pytest.raises(CannotWrite):
        to_text([Event(start=date(2026, 1, 1))])


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.just("\n"), max_size=60)
words = texts.map(str.strip).filter(bool)
emails = st.from_regex(r"[a-z0-9.]{1,8}@[a-z]{1,8}\.example", fullmatch=True)
utc = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, fold=0, tzinfo=UTC)
)
zones = st.sampled_from([None, UTC, MADRID, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")])
#: Both readings of an hour that exists twice have one text (3.3.5): the first.
times = st.builds(lambda moment, zone: moment.replace(tzinfo=zone, fold=0), utc, zones)
days = st.dates(date(2024, 1, 1), date(2030, 1, 1))
spans = st.timedeltas(timedelta(0), timedelta(30)).map(lambda t: timedelta(t.days, t.seconds))
users = st.builds(
    lambda email, name, status: Attendee.of(email, CN=name, PARTSTAT=status, RSVP="TRUE"),
    emails, words.map(lambda name: " ".join(name.split()) or "x"),
    st.sampled_from(["ACCEPTED", "DECLINED", "NEEDS-ACTION"]),
)  # fmt: skip
alarms = st.builds(
    Alarm, action=st.sampled_from(["DISPLAY", "AUDIO", "EMAIL"]),
    trigger=spans.map(lambda t: -t) | spans | utc, description=words, summary=st.none() | words,
    uid=st.none() | emails,
)  # fmt: skip
tuples = {"max_size": 3}


def many(values):
    return st.lists(values, max_size=3).map(tuple)


@st.composite
def items(draw):
    """An event or to-do as a program that uses this package would make it."""
    all_day = draw(st.booleans())
    start = draw(days if all_day else times)
    length = timedelta(days=draw(st.integers(1, 9))) if all_day else draw(spans)
    kind = draw(st.sampled_from([Event, Todo]))
    common = dict(
        uid=draw(words), sequence=draw(st.integers(0, 99)), stamp=draw(utc),
        created=draw(st.none() | utc), start=start, summary=draw(st.none() | texts),
        description=draw(st.none() | texts), location=draw(st.none() | texts),
        categories=tuple(dict.fromkeys(draw(many(words)))), comments=draw(many(texts)),
        access=draw(st.sampled_from([None, "PRIVATE", "CONFIDENTIAL"])),
        status=draw(st.sampled_from([None, "CANCELLED"])),
        priority=draw(st.none() | st.integers(0, 9)),
        geo=draw(st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180))),
        organizer=draw(st.none() | emails.map(Organizer.of)), attendees=draw(many(users)),
        attachments=draw(many(st.binary(min_size=1, max_size=50).map(Attachment.inline))),
        alarms=draw(many(alarms)), rules=draw(st.sampled_from([(), ("FREQ=WEEKLY;COUNT=3",)])),
        exdates=draw(many(days if all_day else times)),
        rdates=draw(many(days if all_day else times)),
    )  # fmt: skip
    if draw(st.booleans()) and not all_day:
        return kind(**common, duration=length)
    end = start + length
    if not all_day:
        end = end.replace(fold=0)
    later = {} if kind is Event and end <= start else {"end" if kind is Event else "due": end}
    return kind(**common, **later)


@settings(suppress_health_check=list(HealthCheck))
@given(st.lists(items(), min_size=1, max_size=3))
def test_item_to_text_to_item(made):
    text = to_text(made)
    assert all(len(line) <= 75 for line in text.encode().split(b"\r\n"))
    read = parse(text.encode())
    assert not read.failures
    for one, again in zip(made, read.items, strict=True):
        assert {repair.code for repair in again.repairs} <= {"end_not_after_start", "duplicate_uid"}
        for each in fields(one):
            if each.compare and each.name not in ("line", "alarms", "attachments"):
                was, now = getattr(one, each.name), getattr(again, each.name)
                assert same(was, now), (each.name, was, now)
        assert again.alarms == tuple(
            replace(alarm, related="START") if isinstance(alarm.trigger, datetime) else alarm
            for alarm in one.alarms
        )
        assert [a.octets() for a in again.attachments] == [a.octets() for a in one.attachments]


@settings(suppress_health_check=list(HealthCheck))
@given(st.lists(items(), min_size=1, max_size=3))
def test_others_read_what_is_written(made):
    text = to_text(made)
    judged = icalendar.Calendar.from_ical(text)
    components = [c for c in judged.subcomponents if c.name in ("VEVENT", "VTODO")]
    for one, component in zip(made, components, strict=True):
        # It reads "\n" after a backslash otherwise than 3.3.11 wants.
        if "\\" not in one.uid:
            assert str(component["UID"]) == one.uid
        start = component["DTSTART"].dt
        assert start == one.start
        assert len(component.walk("VALARM")) == len(one.alarms)
        assert not component.errors
    second = vobject.readOne(text)
    for kind, name in ((Event, "vevent_list"), (Todo, "vtodo_list")):
        mine = [one for one in made if isinstance(one, kind)]
        read = second.contents.get(name.removesuffix("_list"), [])
        assert len(read) == len(mine)
        for one, component in zip(mine, read, strict=True):
            wall = component.dtstart.value
            assert wall.isoformat()[:19] == one.start.isoformat()[:19]


def test_free_busy():
    start = datetime(2026, 12, 1, tzinfo=UTC)
    period = Period(start.astimezone(MADRID), end=(start + timedelta(hours=1)).astimezone(MADRID))
    item = FreeBusy(
        uid="x", stamp=start, start=start, end=start + timedelta(days=1),
        busy=(
            BusyTime(period),
            BusyTime(Period(start, duration=timedelta(hours=2)), "BUSY-TENTATIVE"),
        ),
    )  # fmt: skip
    lines = item_lines(item)
    assert "FREEBUSY:20261201T000000Z/20261201T010000Z" in lines
    assert "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261201T000000Z/PT2H" in lines


def test_a_calendar_of_two_files_has_both_custom_zones():
    one, two, _ = parse((SAMPLES / "several.ics").read_bytes()).items
    text = to_text([one])
    assert "TZOFFSETTO:+0300" in text
    assert "TZOFFSETTO:-0700" in to_text([two])
    # Under one name there can be one only: the second is told apart.
    both = parse(to_text([one, two]).encode()).items
    assert [item.start.utcoffset() for item in both] == [timedelta(hours=3), timedelta(hours=-7)]


def test_dtstamp_for_those_that_have_none():
    item = parse(b"BEGIN:VEVENT\nUID:u\nDTSTART;VALUE=DATE:20260102\nEND:VEVENT").items[0]
    assert "DTSTAMP" not in to_text([item])
    assert "DTSTAMP:20261125T080000Z\r\n" in to_text(
        [item], now=datetime(2026, 11, 25, 8, tzinfo=UTC)
    )

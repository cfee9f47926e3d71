"""Occurrences: changed ones, added and removed ones, and the clocks that change."""

import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ical.errors import LimitExceeded
from ical.expand import occurrences
from ical.limits import Limits
from ical.parse import parse
from ical.rules import WEEKDAYS
from ical.text import to_text

UTC = timezone.utc
#: North and south, half hours, a change at midnight, none at all.
ZONES = [
    "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata",
]  # fmt: skip
FIRST, LAST = datetime(2026, 1, 1), datetime(2028, 1, 1)


def calendar(*lines):
    rows = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *lines, "END:VCALENDAR"]
    return "\r\n".join(rows).encode() + b"\r\n"


def event(*lines):
    return ["BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]


def ours(data, first=FIRST, last=LAST):
    return sorted(
        (told(o.start), told(o.stop)) for o in occurrences(parse(data).items, first, last)
    )


def theirs(data, first=FIRST, last=LAST):
    icalendar.use_zoneinfo()  # forgets the zones of the files before
    query = recurring_ical_events.of(icalendar.Calendar.from_ical(data))
    return sorted(
        (told(one["DTSTART"].dt), told(one["DTEND"].dt)) for one in query.between(first, last)
    )


def told(moment):
    aware = isinstance(moment, datetime) and moment.tzinfo is not None
    return (moment.astimezone(UTC) if aware else moment).isoformat()


@st.composite
def series(draw):
    """An event with a rule that real calendars have, around changes of the clocks."""
    zone = draw(st.sampled_from([*ZONES, "UTC", "floating", "days"]))
    day = draw(st.dates(date(2026, 1, 1), date(2026, 12, 1)))
    near = st.sampled_from(
        [date(2026, 3, 27), date(2026, 3, 7), date(2026, 10, 23), date(2026, 4, 3)]
    )
    day = draw(near) if draw(st.booleans()) else day
    hour, minute = draw(st.sampled_from([0, 1, 2, 3, 9, 23])), draw(st.sampled_from([0, 30]))
    start = datetime(day.year, day.month, day.day, hour, minute)
    length = draw(st.sampled_from([0, 30, 60, 8 * 60, 26 * 60]))
    if zone == "days":
        head, form = ";VALUE=DATE", "%Y%m%d"
        end = start + timedelta(days=1 + length // 600)
    else:
        head = f";TZID={zone}" if "/" in zone else ""
        form = "%Y%m%dT%H%M%SZ" if zone == "UTC" else "%Y%m%dT%H%M%S"
        end = start + timedelta(minutes=length)
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 3))}"]
    if draw(st.booleans()):
        days = draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3, unique=True))
        numbers = st.sampled_from(["1", "2", "-1"]) if freq == "MONTHLY" else st.just("")
        number = draw(numbers)
        parts.append(f"BYDAY={','.join(number + name for name in days)}")
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 60))}")
    lines = [
        f"DTSTART{head}:{start.strftime(form)}", f"DTEND{head}:{end.strftime(form)}",
        f"RRULE:{';'.join(parts)}", "SUMMARY:x",
    ]  # fmt: skip
    shifts = st.integers(0, 40).map(lambda n: (start + timedelta(days=n)).strftime(form))
    gone = draw(st.lists(shifts, max_size=3, unique=True))
    lines += [f"EXDATE{head}:{','.join(gone)}"] if gone else []
    added = draw(st.lists(shifts, max_size=2, unique=True))
    lines += [f"RDATE{head}:{','.join(added)}"] if added else []
    blocks = event(*lines)
    if draw(st.booleans()):
        was = start + timedelta(days=draw(st.integers(0, 20)))
        now = was + timedelta(hours=draw(st.integers(-48, 48)) if zone != "days" else 24)
        blocks += event(
            f"RECURRENCE-ID{head}:{was.strftime(form)}", f"DTSTART{head}:{now.strftime(form)}",
            f"DTEND{head}:{(now + (end - start)).strftime(form)}", "SUMMARY:moved",
        )  # fmt: skip
    return calendar(*blocks)


@settings(suppress_health_check=list(HealthCheck))
@given(series())
def test_occurrences_are_those_of_recurring_ical_events(data):
    assert ours(data) == theirs(data)


@settings(suppress_health_check=list(HealthCheck))
@given(series())
def test_what_is_written_has_the_same_occurrences_elsewhere(data):
    written = to_text(parse(data).items).encode()
    assert theirs(written) == ours(data)


@given(series(), st.integers(0, 600), st.integers(1, 40))
def test_a_span_gives_what_the_whole_has_in_it(data, days, length):
    first = FIRST + timedelta(days=days)
    last = first + timedelta(days=length)
    items = parse(data).items
    zone = ZoneInfo("Asia/Tokyo")
    spans = [(first, last), (first.replace(tzinfo=zone), last.replace(tzinfo=zone))]
    for begin, end in spans:
        whole = occurrences(items, begin - timedelta(days=800), end + timedelta(days=800), zone)
        part = occurrences(items, begin, end, zone)
        expected = [one for one in whole if _touches(one, begin, end, zone)]
        assert [told(one.start) for one in part] == [told(one.start) for one in expected]


def _touches(one, begin, end, zone):
    def plain(moment):
        if not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)
        if begin.tzinfo is None:
            return moment.replace(tzinfo=None)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    start, stop = plain(one.start), plain(one.stop)
    if told(start) == told(stop):
        return told(begin) <= told(start) < told(end)
    return start < end and begin < stop


def test_a_time_that_does_not_exist_keeps_the_offset_from_before():
    # RFC 5545, 3.3.5: 02:30 on 29 March 2026 in Madrid is 01:30 UTC.
    data = calendar(
        *event("DTSTART;TZID=Europe/Madrid:20260328T023000", "RRULE:FREQ=DAILY;COUNT=3")
    )
    found = [start for start, _ in ours(data)]
    assert [start[11:16] for start in found] == ["01:30", "01:30", "00:30"]


def test_a_time_that_exists_twice_is_the_first():
    data = calendar(
        *event("DTSTART;TZID=Europe/Madrid:20261024T023000", "RRULE:FREQ=DAILY;COUNT=3")
    )
    assert [start[11:16] for start, _ in ours(data)] == ["00:30", "00:30", "01:30"]


def test_a_night_shift_ends_at_the_same_hour_and_moves_as_a_whole():
    data = (Path(__file__).parent / "ics" / "davx5.ics").read_bytes()
    found = occurrences(parse(data).items, FIRST, LAST)
    hours = [(f"{one.start:%d %H:%M}", f"{one.stop:%d %H:%M}") for one in found]
    assert hours == [
        ("23 22:00", "24 06:00"), ("24 22:00", "25 06:00"), ("25 22:00", "26 06:00"),
        ("26 23:00", "27 05:00"), ("27 23:00", "28 05:00"),
    ]  # fmt: skip
    assert [one.item.summary for one in found][3:] == ["Turno de noche (más corto)"] * 2
    # The start that the rule gave is what a client asks for.
    assert found[4].recurrence_id.strftime("%d %H:%M") == "27 22:00"


def test_periods_have_their_own_length():
    data = (Path(__file__).parent / "ics" / "thunderbird.ics").read_bytes()
    assert ours(data) == [
        ("2026-11-26T14:00:00+00:00", "2026-11-26T15:30:00+00:00"),
        ("2026-12-18T14:00:00+00:00", "2026-12-18T17:00:00+00:00"),
        ("2027-11-25T14:00:00+00:00", "2027-11-25T15:30:00+00:00"),
    ]


def test_exrule_of_old_files():
    data = calendar(*event(
        "DTSTART:20260105T100000", "RRULE:FREQ=DAILY;COUNT=14", "EXRULE:FREQ=WEEKLY;BYDAY=SA,SU",
    ))  # fmt: skip
    assert len(ours(data)) == 10


def test_exdate_as_a_day_takes_out_the_time():
    data = calendar(*event(
        "DTSTART:20260105T100000", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260106",
    ))  # fmt: skip
    assert [start[8:10] for start, _ in ours(data)] == ["05", "07"]


@pytest.mark.parametrize(
    ("start", "rule", "days"),
    [
        # Numbers and plain days in one BYDAY: dateutil finds none.
        ("DTSTART:20260105T100000", "FREQ=MONTHLY;BYDAY=1MO,FR;COUNT=6", "05 09 16 23 30 02"),
        # All days of that week, and not DTSTART's alone.
        ("DTSTART:20260105T100000", "FREQ=YEARLY;BYWEEKNO=2;COUNT=7", "05 06 07 08 09 10 11"),
        # The start that the rule does not give is there, and is none of the three.
        ("DTSTART:20260106T100000", "FREQ=WEEKLY;BYDAY=MO;COUNT=3", "06 12 19 26"),
        # A day as the end of what has an hour is the midnight that begins it.
        ("DTSTART:20260105T100000", "FREQ=DAILY;UNTIL=20260108", "05 06 07"),
        # A local time as the end is one of the start's zone.
        ("DTSTART;TZID=America/New_York:20260105T200000", "FREQ=DAILY;UNTIL=20260107T200000",
         "06 07 08"),
    ],
)  # fmt: skip
def test_what_programs_read_differently(start, rule, days):
    data = calendar(*event(start, f"RRULE:{rule}"))
    assert " ".join(begin[8:10] for begin, _ in ours(data)[:7]) == days


def test_a_changed_occurrence_is_found_where_it_went_and_not_where_it_was():
    data = calendar(
        *event("DTSTART:20260105T100000Z", "DTEND:20260105T110000Z", "RRULE:FREQ=WEEKLY;COUNT=4"),
        *event("RECURRENCE-ID:20260112T100000Z", "DTSTART:20260301T100000Z",
               "DTEND:20260301T120000Z"),
    )  # fmt: skip
    assert ours(data, datetime(2026, 1, 12), datetime(2026, 1, 13)) == []
    [(start, stop)] = ours(data, datetime(2026, 3, 1), datetime(2026, 3, 2))
    assert (start[11:13], stop[11:13]) == ("10", "12")


def test_the_higher_sequence_counts():
    data = calendar(
        *event("DTSTART:20260105T100000Z", "SEQUENCE:1"),
        *event("DTSTART:20260106T100000Z", "SEQUENCE:2"),
    )
    assert [start[8:10] for start, _ in ours(data)] == ["06"]


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=DAILY;BYHOUR=1,2,3,4,5,6"]
)
def test_too_many_occurrences_end_fast_with_a_typed_error(rule):
    begun = time.process_time()
    items = parse(calendar(*event("DTSTART:20200101T000000Z", f"RRULE:{rule}"))).items
    with pytest.raises(LimitExceeded):
        occurrences(items, FIRST, LAST, limits=Limits(occurrences=1000))
    assert time.process_time() - begun < 2


def test_a_second_s_rule_costs_no_more_than_the_day_asked_for():
    items = parse(
        calendar(*event("DTSTART:20200101T000000Z", "RRULE:FREQ=SECONDLY;INTERVAL=60"))
    ).items
    begun = time.process_time()
    assert len(occurrences(items, FIRST, FIRST + timedelta(days=1))) in range(1440, 1443)
    assert time.process_time() - begun < 2


@settings(suppress_health_check=list(HealthCheck))
@given(st.datetimes(datetime(1, 1, 1), datetime.max), st.sampled_from(ZONES + ["UTC"]),
       st.datetimes(datetime(1, 1, 1), datetime.max))  # fmt: skip
def test_the_ends_of_time(start, zone, asked):
    head = f";TZID={zone}" if "/" in zone else ""
    text = f"{start.year:04}{start:%m%dT%H%M%S}{'' if head else 'Z'}"
    items = parse(
        calendar(*event(f"DTSTART{head}:{text}", "RRULE:FREQ=YEARLY", "DURATION:P3D"))
    ).items
    assume(items)
    for moment in (asked, asked.replace(tzinfo=UTC)):
        try:
            end = moment + timedelta(days=9)
        except OverflowError:
            end = moment
        try:
            occurrences(items, moment, end)
        except LimitExceeded:
            pass

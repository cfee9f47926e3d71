"""Known occurrences: a span of time asked of them has the answer that the text has."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ical.expand import occurrences
from ical.known import AFTER, BEFORE, MAX_KNOWN, known_times
from ical.parse import parse
from ical.values import UTC

NOW = datetime(2027, 3, 1, tzinfo=UTC)
MADRID = "DTSTART;TZID=Europe/Madrid:20270103T103000"


def items(*lines, more=()):
    rows = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:a",
        "DTSTAMP:20270101T000000Z", *lines, "END:VEVENT",
    ]  # fmt: skip
    for part in more:
        rows += ["BEGIN:VEVENT", "UID:a", "DTSTAMP:20270101T000000Z", *part, "END:VEVENT"]
    return parse("\r\n".join([*rows, "END:VCALENDAR", ""]).encode()).items


def is_touched(known, first, last):
    """What the database asks of the lists."""
    first, last = (moment.replace(tzinfo=None) for moment in (first, last))
    return any(
        start < last and (stop > first or start >= stop and start >= first)
        for start, stop in zip(known.starts, known.stops, strict=True)
    )


@given(
    rule=st.sampled_from(
        [
            "", "RRULE:FREQ=WEEKLY;COUNT=9", "RRULE:FREQ=MONTHLY;BYMONTHDAY=3;COUNT=12",
            "RRULE:FREQ=DAILY;UNTIL=20270405T000000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE",
            "RRULE:FREQ=MONTHLY;BYDAY=-1FR",
        ]
    ),
    minutes=st.sampled_from([0, 30, 90, 1500]),
    gone=st.booleans(), moved=st.booleans(), added=st.booleans(),
    offset=st.integers(-60, 500), hours=st.integers(1, 300),
)  # fmt: skip
def test_a_span_has_the_answer_of_the_text(rule, minutes, gone, moved, added, offset, hours):
    lines, more = [MADRID, f"DURATION:PT{minutes}M"], []
    if rule:
        lines.append(rule)
    if gone and rule:
        lines.append("EXDATE;TZID=Europe/Madrid:20270110T103000")
    if added:
        lines.append("RDATE:20270214T090000Z")
    if moved and rule:
        more.append(
            ["RECURRENCE-ID;TZID=Europe/Madrid:20270117T103000", "DTSTART:20270119T180000Z",
             "DTEND:20270119T190000Z"]
        )  # fmt: skip
    found = items(*lines, more=more)
    known = known_times(found, NOW)
    assert known.starts is not None
    first = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=offset)
    last = first + timedelta(hours=hours)
    assert is_touched(known, first, last) == bool(occurrences(found, first, last, UTC))


@pytest.mark.parametrize(
    "lines",
    [
        ["DTSTART;VALUE=DATE:20270103"],
        ["DTSTART:20270103T103000"],
        [MADRID, "RRULE:FREQ=WEEKLY", "EXDATE;VALUE=DATE:20270110"],
        [MADRID, "RRULE:FREQ=SECONDLY"],
        [],
    ],
)
def test_what_depends_on_who_looks_or_is_too_much_is_not_known(lines):
    assert known_times(items(*lines), NOW).known_from is None


def test_a_rule_without_an_end_is_known_for_some_years():
    long_ago = known_times(items("DTSTART:20100103T100000Z", "RRULE:FREQ=DAILY"), NOW)
    assert long_ago.known_from is None, "1,500 of them are more than are kept"
    weekly = known_times(items("DTSTART:20100103T100000Z", "RRULE:FREQ=WEEKLY"), NOW)
    assert len(weekly.starts) <= MAX_KNOWN
    assert weekly.known_until == (NOW + AFTER).replace(tzinfo=None)
    since = known_times(items("DTSTART:19900103T100000Z", "RRULE:FREQ=WEEKLY"), NOW)
    assert since.known_from == (NOW - BEFORE).replace(tzinfo=None)

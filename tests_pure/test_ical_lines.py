"""The scanner: components, UID, digests and line numbers without a parse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ical.errors import IcalError, LimitExceeded, NotACalendar
from ical.limits import Limits
from ical.lines import Split, unfold
from ical.parse import parse

EVENT = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:x\r
BEGIN:VEVENT\r
BEGIN:VALARM\r
UID:alarm\r
TRIGGER:-PT5M\r
END:VALARM\r
UID:one@\r
 example.com\r
RECURRENCE-ID;TZID=Europe/Madrid:20260102T100000\r
SEQUENCE:3\r
DTSTAMP:20260101T000000Z\r
DTSTART:20260102T100000Z\r
END:VEVENT\r
END:VCALENDAR\r
"""


def only(data):
    [chunk] = Split(data).chunks()
    return chunk


def test_identity_is_the_event_s_own():
    uid, recurrence_id, sequence = only(EVENT).identity()
    assert uid == "one@example.com"
    assert recurrence_id == ";TZID=Europe/Madrid:20260102T100000"
    assert sequence == 3


def test_identity_agrees_with_the_parser(sample):
    data = sample.read_bytes()
    items = {item.line: item for item in parse(data).items}
    for chunk in Split(data).chunks():
        if chunk.line in items:
            item = items[chunk.line]
            uid, recurrence_id, sequence = chunk.identity()
            assert uid == item.uid
            assert (recurrence_id is None) == (item.recurrence_id is None)
            assert sequence == item.sequence


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"DTSTAMP:20260101T000000Z", b"DTSTAMP:20261231T235959Z"),
        (b"one@\r\n example.com", b"one@example.com"),
        (b"\r\n", b"\n"),
        (b"SEQUENCE:3", b"SEQU\r\n\tENCE:3"),
    ],
)
def test_digest_is_blind_for_what_means_nothing(old, new):
    assert only(EVENT).digest() == only(EVENT.replace(old, new)).digest()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SEQUENCE:3", b"SEQUENCE:4"),
        (b"TRIGGER:-PT5M", b"TRIGGER:-PT6M"),
        (b"T100000Z", b"T100001Z"),
        (b"UID:one", b"UID:two"),
    ],
)
def test_digest_sees_every_change(old, new):
    assert only(EVENT).digest() != only(EVENT.replace(old, new)).digest()


def test_digest_sees_the_zones_of_the_file(sample):
    data = sample.read_bytes()
    if b"VTIMEZONE" not in data:
        return
    other = data.replace(b"TZOFFSETTO:", b"TZOFFSETTO:+0930\nX-WAS:")
    before, after = Split(data).calendars, Split(other).calendars
    assert all(
        one.chunks[-1].digest(one.context()) != two.chunks[-1].digest(two.context())
        for one, two in zip(before, after, strict=True)
    )


def test_line_numbers_count_the_file_s_lines():
    chunk = only(EVENT)
    assert chunk.line == 4
    unfolded = chunk.unfolded().split(b"\n")
    assert (
        EVENT.split(b"\n")[chunk.line_numbers()[unfolded.index(b"SEQUENCE:3")] - 1]
        == b"SEQUENCE:3\r"
    )


def test_a_character_that_was_folded_in_the_middle():
    text = "BEGIN:VEVENT\nUID:x\nDTSTART:20260101\nSUMMARY:ñandú\nEND:VEVENT\n".encode()
    at = text.index("ñ".encode()) + 1
    [item] = parse(text[:at] + b"\r\n " + text[at:]).items
    assert item.summary == "ñandú"


def test_empty_lines_mean_nothing():
    assert unfold(b"A:1\n\n 2\n\n\nB:3") == b"A:12\nB:3"


def test_an_unclosed_component_does_not_swallow_the_next():
    data = EVENT.replace(b"END:VEVENT\r\n", b"BEGIN:VTODO\r\nUID:t\r\nEND:VTODO\r\n")
    file = parse(data)
    assert [item.uid for item in file.items] == ["t"]
    [failure] = file.failures
    assert failure.uid == "one@example.com"
    assert failure.line == 4
    assert "without its END" in str(failure.error)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"hello", b"<html>BEGIN:VEVENT</html>"])
def test_what_is_no_calendar(data):
    with pytest.raises(NotACalendar):
        Split(data)


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(file_bytes=100), "file_bytes"),
        (Limits(components=1), "components"),
        (Limits(depth=2), "depth"),
        (Limits(component_bytes=100), "component_bytes"),
        (Limits(component_lines=5), "component_lines"),
        (Limits(line_bytes=20), "line_bytes"),
    ],
)
def test_limits(limits, name):
    try:
        [failure] = parse(EVENT, limits).failures
        error = failure.error
    except IcalError as raised:
        error = raised
    assert isinstance(error, LimitExceeded)
    assert error.limit == name


@given(st.lists(st.sampled_from([
    b"BEGIN:VCALENDAR", b"END:VCALENDAR", b"BEGIN:VEVENT", b"END:VEVENT", b"BEGIN:VALARM",
    b"END:VALARM", b"BEGIN:VTODO", b"END:VTODO", b"BEGIN:X", b"END:X", b"UID:a", b" folded", b"",
]), max_size=40))  # fmt: skip
def test_any_nesting_is_survived(lines):
    data = b"\n".join(lines)
    try:
        split = Split(data)
    except NotACalendar:
        assert b"BEGIN:" not in data
        return
    for calendar in split.calendars:
        calendar.context()
        spans = [(chunk.start, chunk.end) for chunk in calendar.chunks]
        assert spans == sorted(spans)
        assert all(one[1] <= two[0] for one, two in zip(spans, spans[1:], strict=False))
        for chunk in calendar.chunks:
            chunk.identity()
            chunk.digest()

"""What is left of a calendar that is only looked at."""

import doctest

from ical import bare as module
from ical.bare import bare
from ical.items import Event
from ical.parse import parse


def test_doctests():
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def without_people(item):
    return (
        item.uid, item.summary, item.start, item.stop, item.description, item.location,
        item.rules, item.exdates, item.status, item.categories,
    )  # fmt: skip


def test_everything_but_people_and_alarms_is_read_as_before(sample):
    data = sample.read_bytes()
    before = [one for one in parse(data).items if isinstance(one, Event)]
    after = parse(bare(data, "PRIVATE", "TRANSPARENT")).items
    after = [one for one in after if isinstance(one, Event)]
    assert list(map(without_people, before)) == list(map(without_people, after))
    for item in after:
        assert not item.attendees
        assert not item.alarms
        assert item.organizer is None
        assert (item.access, item.transparency) == ("PRIVATE", "TRANSPARENT")


def test_utf_16_and_what_does_not_end():
    text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nORGANIZER:mailto:ñ@x.es\r\nBEGIN:VALARM\r\nX:1\r\n"
    assert bare(text.encode("utf-16")) == b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"
    assert bare(b"") == b""

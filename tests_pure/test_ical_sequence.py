"""SEQUENCE and DTSTAMP: RFC 5546, 2.1.4 and 2.1.5."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from ical import sequence
from ical.items import Attendee, Event, Todo

UTC = timezone.utc
START = datetime(2026, 12, 1, 10, tzinfo=ZoneInfo("Europe/Madrid"))
HOUR = timedelta(hours=1)
OLD = Event(
    uid="x", start=START, end=START + HOUR, sequence=3, stamp=datetime(2026, 1, 1, tzinfo=UTC),
    rules=("FREQ=DAILY",), exdates=(START + timedelta(1), START + timedelta(2)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"start": START + HOUR}, ("start",)),
        ({"start": START.astimezone(UTC)}, ("start",)),
        ({"end": START + 2 * HOUR}, ("end",)),
        ({"rules": ("FREQ=WEEKLY",)}, ("rules",)),
        ({"exdates": OLD.exdates[:1]}, ("exdates",)),
        ({"rdates": (START,)}, ("rdates",)),
        ({"status": "CANCELLED"}, ("status",)),
        # Not significant: said otherwise, or of no concern to those who said yes.
        ({"end": None, "duration": HOUR}, ()),
        ({"exdates": OLD.exdates[::-1]}, ()),
        ({"status": "CONFIRMED"}, ()),
        ({"summary": "Other"}, ()),
        ({"location": "Elsewhere"}, ()),
        ({"attendees": (Attendee.of("a@b.example"),)}, ()),
    ],
)
def test_significant_changes(change, names):
    new = replace(OLD, **change)
    assert sequence.significant_changes(OLD, new) == names
    assert sequence.next_sequence(OLD, new) == 3 + bool(names)


def test_the_place_may_count():
    new = replace(OLD, location="Elsewhere")
    assert sequence.next_sequence(OLD, new, also=sequence.ALSO) == 4


def test_a_to_do_that_is_due_later():
    old = Todo(uid="x", start=START, due=START + HOUR)
    assert sequence.significant_changes(old, replace(old, due=START + 2 * HOUR)) == ("due",)


@pytest.mark.parametrize(
    ("method", "number"),
    [("REQUEST", 3), ("PUBLISH", 3), ("CANCEL", 4), ("ADD", 4), ("REPLY", 3), ("COUNTER", 3)],
)
def test_methods(method, number):
    assert sequence.next_sequence(OLD, OLD, method) == number


def test_an_answer_never_raises_it():
    assert sequence.next_sequence(OLD, replace(OLD, start=START + HOUR), "COUNTER") == 3


def test_the_first_one_keeps_its_number():
    assert sequence.next_sequence(None, OLD) == 3
    assert sequence.next_sequence(None, Event(uid="x")) == 0


def test_newer():
    later = replace(OLD, stamp=OLD.stamp + HOUR)
    higher = replace(OLD, sequence=4, stamp=None)
    assert sequence.is_newer(OLD, None)
    assert not sequence.is_newer(OLD, OLD)
    assert sequence.is_newer(later, OLD)
    assert sequence.is_newer(higher, later)
    other = replace(OLD, uid="y")
    assert sequence.latest([OLD, other, higher, later]) == [higher, other]

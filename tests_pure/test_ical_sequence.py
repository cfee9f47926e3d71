"""SEQUENCE and DTSTAMP: RFC 5546, 2.1.5."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from ical import sequence
from ical.items import Event

UTC = timezone.utc
START = datetime(2026, 12, 1, 10, tzinfo=ZoneInfo("Europe/Madrid"))
HOUR = timedelta(hours=1)
OLD = Event(
    uid="x", start=START, end=START + HOUR, sequence=3, stamp=datetime(2026, 1, 1, tzinfo=UTC),
    rules=("FREQ=DAILY",), exdates=(START + timedelta(1), START + timedelta(2)),
)  # fmt: skip


def test_newer():
    later = replace(OLD, stamp=OLD.stamp + HOUR)
    higher = replace(OLD, sequence=4, stamp=None)
    assert sequence.is_newer(OLD, None)
    assert not sequence.is_newer(OLD, OLD)
    assert sequence.is_newer(later, OLD)
    assert sequence.is_newer(higher, later)
    other = replace(OLD, uid="y")
    assert sequence.latest([OLD, other, higher, later]) == [higher, other]

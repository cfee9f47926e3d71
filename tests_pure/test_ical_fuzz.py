"""Hostile input: no exception but our own, bounded in time and memory.

Short here; ``./dev/test --long`` takes ten minutes, as the promise says.
"""

import random
import resource
import time
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ical import alarms
from ical.errors import IcalError
from ical.expand import occurrences
from ical.limits import Limits
from ical.lines import Split
from ical.parse import parse
from ical.recurrence import to_fields
from ical.text import to_text
from ical.values import same

SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parent / "ics").iterdir())]
WORDS = [
    b"BEGIN:VEVENT", b"END:VEVENT", b"BEGIN:VALARM", b"END:VCALENDAR", b"BEGIN:VTIMEZONE",
    b"\r\n",
    b"\n ", b"\r", b"RRULE:FREQ=SECONDLY", b";TZID=", b"VALUE=DATE", b"99999999T999999Z",
    b"P", b"-",
    b"\x00", b"\xff", b"=\r\n", b'"', b":", b";", b",", b"\\", b"^", b"ENCODING=QUOTED-PRINTABLE",
    b"00010101T000000", b"99991231T235959Z", b"99999999999999999999", b"VERSION:1.0", b"#0",
    b"FREQ=YEARLY;BYDAY=-1SU", b"/PT1H", b"EXDATE:", b"DURATION:-P9999999D", b"\xe2\x80\xa8",
]  # fmt: skip
LIMITS = Limits(occurrences=500, steps=5_000)


def drive(data):
    """Everything that is done with a file; only our own exceptions may come out."""
    try:
        file = parse(data, LIMITS)
    except IcalError:
        return 0
    for chunk in Split(data, LIMITS).chunks():
        chunk.identity()
        chunk.digest()
    for item in file.items:
        try:
            [again] = parse(to_text([item], item.method).encode()).items
            assert again == item, differences(again, item)
        except IcalError:
            pass
        for text in item.rules:
            if item.start is not None:
                to_fields(text, item.start)
        for one in _occurrences(item):
            for alarm in item.alarms:
                try:
                    alarms.times(alarm, one.start, one.stop, limits=LIMITS)
                except IcalError:
                    pass
    return len(file.items)


def differences(one, other):
    """The fields that are not the same, for whoever has to find out why."""
    pairs = [
        (f.name, getattr(one, f.name), getattr(other, f.name)) for f in fields(one) if f.compare
    ]
    return [(name, a, b) for name, a, b in pairs if not same(a, b)]


def _occurrences(item):
    try:
        year = min(max(item.start.year, 2), 9990) if item.start is not None else 2026
        first = datetime(year, 1, 1)
        return occurrences([item], first, first + timedelta(days=60), limits=LIMITS)
    except IcalError:
        return []


def mangled(rng):
    """A sample with some bytes taken out, put in, moved or doubled."""
    data = bytearray(rng.choice(SAMPLES))
    for _ in range(rng.randint(1, 12)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            del data[at : at + rng.randint(1, 40)]
        elif kind == 1:
            data[at:at] = rng.choice(WORDS)
        elif kind == 2:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 3:
            end = at + rng.randint(1, 200)
            data[at:at] = data[at:end]
        elif kind == 4:
            other = rng.choice(SAMPLES)
            begin = rng.randrange(len(other))
            data[at:at] = other[begin : begin + rng.randint(1, 300)]
        else:
            data[at : at + rng.randint(1, 20)] = str(rng.randint(-(10**9), 10**9)).encode()
    return bytes(data)


def test_mangled_samples(long):
    end = time.process_time() + (600 if long else 6)
    rng = random.Random(20261125)
    seeds = read = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while time.process_time() < end:
        data = mangled(rng)
        begun = time.process_time()
        try:
            read += drive(data)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} of {data!r}") from error
        assert time.process_time() - begun < 5, data
        seeds += 1
    assert seeds > 100
    assert read > 100
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 * 1024, f"{grown} KiB"


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400))
def test_any_bytes(data):
    drive(data)
    drive(b"BEGIN:VEVENT\nUID:x\nDTSTART:20260101T000000Z\n" + data + b"\nEND:VEVENT\n")


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(
    st.sampled_from(["DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID",
                     "TRIGGER", "GEO", "ATTENDEE", "CATEGORIES", "X-A", "FREEBUSY", "ATTACH"]),
    st.sampled_from(["", ";VALUE=DATE", ";TZID=Europe/Madrid", ";VALUE=PERIOD", ";CN=\"a"]),
    st.text(max_size=30) | st.sampled_from(["20260101", "20260101T000000Z", "PT1H", "FREQ=DAILY",
                                            "20260101T000000/P1D", "-P1W", "1;2"]),
), max_size=8))  # fmt: skip
def test_any_values(lines):
    rows = [f"{name}{params}:{value}" for name, params, value in lines]
    drive("\n".join(["BEGIN:VEVENT", "UID:x", *rows, "END:VEVENT"]).encode("utf-8", "replace"))


HEAD = b"BEGIN:VEVENT\nUID:x\nDTSTART:20260101\n"
END = b"\nEND:VEVENT\n"
CALENDAR = b"BEGIN:VCALENDAR\n"
#: What it is: how it is made.
BOMBS = {
    "nested": lambda: CALENDAR + b"BEGIN:VALARM\n" * 100_000,
    "components": lambda: CALENDAR + b"BEGIN:VEVENT\nEND:VEVENT\n" * 90_000,
    "unclosed": lambda: CALENDAR + b"BEGIN:VEVENT\n" * 90_000,
    "line": lambda: HEAD + b"X-A:" + b"x" * 9_000_000 + END,
    "lines": lambda: HEAD + b"A:1\n" * 2_000_000 + END,
    "folds": lambda: HEAD + b"X-A:" + b"x\n " * 3_000_000 + END,
    "parameters": lambda: HEAD + b"X-A" + b';A="' * 200_000 + b":" + END,
    "quotes": lambda: HEAD + b"DTEND;X=" + b'"a:' * 300_000 + END,
    "soft breaks": lambda: HEAD + b"SUMMARY;ENCODING=QUOTED-PRINTABLE:" + b"a=\n" * 40_000 + END,
    "dates": lambda: HEAD + b"EXDATE:" + b"20260101," * 90_000 + END,
    "wrong lines": lambda: HEAD + b"nothing\n" * 40_000 + END,
    "wrong values": lambda: HEAD + b"GEO:x\n" * 40_000 + END,
    "strays": lambda: CALENDAR + b"X-A:1\nEND:VEVENT\n" * 500_000,
    "long words": lambda: HEAD + b"RRULE:FREQ=DAILY;BYDAY=" + b"MO," * 200_000 + END,
    "texts": lambda: HEAD + b"CATEGORIES:" + b"\\,a," * 150_000 + END,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_end_fast(kind):
    data = BOMBS[kind]()
    begun = time.process_time()
    try:
        for item in parse(data).items:
            to_text([item])
    except IcalError:
        pass
    assert time.process_time() - begun < 20

"""Hostile input: no exception but our own, bounded in time and memory.

Short here; ``./dev/test --long`` takes ten minutes, as the promise says.
"""

import json
import os
import random
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ical_fuzz
from ical.errors import IcalError
from ical.parse import parse
from ical.text import to_text
from ical_fuzz import drive


def fuzz(*options):
    return subprocess.run(
        [sys.executable, ical_fuzz.__file__, *map(str, options)], capture_output=True, text=True
    )


def test_mangled_samples(long, capsys):
    # The short one is the same every time: who changes something else is not to
    # meet a file that nobody has met before.
    seed = os.environ.get("CRM_AUTOMATION_SEED") or (random.randrange(10**9) if long else 20261125)
    with capsys.disabled():
        print(f"\nfuzzing with CRM_AUTOMATION_SEED={seed}", flush=True)
        done = fuzz("--seed", seed, "--seconds", 600 if long else 6)
        print(done.stdout.strip())
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["files"] > 100
    assert found["items"] > 100
    assert found["grown_kib"] * 1024 < ical_fuzz.GROWTH


@settings(suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400))
def test_any_bytes(data):
    drive(data)
    drive(b"BEGIN:VEVENT\nUID:x\nDTSTART:20260101T000000Z\n" + data + b"\nEND:VEVENT\n")


@settings(suppress_health_check=list(HealthCheck))
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

"""iCalendar, against the ``icalendar`` library, in the same run.

10,000 events as programs write them (13 MB): read into items, told apart from
what is known already, written. Each figure is of a process of its own, so that
memory is that of the one thing; seconds are of the processor.
"""

import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from _bars import bar

ROOT = Path(__file__).resolve().parents[1]
EVENTS = 10_000
ROUNDS = 2

#: What is measured: (preparation, the measured part). ``data`` is the file.
PARTS = {
    "icalendar parse": ("import icalendar", "kept = icalendar.Calendar.from_ical(data)"),
    "ical parse": ("from ical.parse import parse", "kept = parse(data)"),
    "ical scan": (
        "from ical.lines import Split",
        "kept = [(c.identity(), c.digest()) for c in Split(data).chunks()]",
    ),
    "icalendar to_ical": (
        "import icalendar; calendar = icalendar.Calendar.from_ical(data)",
        "kept = calendar.to_ical()",
    ),
    "ical to_text, untouched": (
        "from ical.parse import parse; from ical.text import to_text; items = parse(data).items",
        "kept = to_text(items)",
    ),
    # As items that Odoo's records give: nothing is there to be copied.
    "ical to_text, new": (
        "from dataclasses import replace\n"
        "from ical.parse import parse\nfrom ical.text import to_text\n"
        "items = [replace(i, component=None, alarms=tuple(replace(a, component=None)"
        " for a in i.alarms)) for i in parse(data).items]",
        "kept = to_text(items)",
    ),
}
CHILD = """
import json, sys, time
def peak():
    # Not ru_maxrss: it begins with what the process had that started this one.
    words = open("/proc/self/status").read().split()
    return int(words[words.index("VmHWM:") + 1])
data = open(sys.argv[1], "rb").read()
{before}
base = peak()
start = time.process_time()
{measured}
seconds = time.process_time() - start
print(json.dumps([seconds, (peak() - base) / 1024]))
"""


def realistic(number):
    """A file of so many events: a zone, three guests, an alarm; 5 % recur, with a change."""
    rows = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", "BEGIN:VTIMEZONE",
            "TZID:Europe/Madrid", "BEGIN:STANDARD", "DTSTART:19701025T030000",
            "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100",
            "END:STANDARD", "BEGIN:DAYLIGHT", "DTSTART:19700329T020000",
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
            "END:DAYLIGHT", "END:VTIMEZONE"]  # fmt: skip
    day = datetime(2026, 1, 5, 8)
    for n in range(number):
        start = day + timedelta(hours=n % 9, days=n // 9 % 700)
        event = _event(n, start)
        if n % 20:
            rows += event
            continue
        at = event.index("END:VEVENT")
        rows += [
            *event[:at],
            "RRULE:FREQ=WEEKLY;COUNT=20",
            f"EXDATE;TZID=Europe/Madrid:{start + timedelta(14):%Y%m%dT%H%M%S}",
            *event[at:],
        ]
        moved = start + timedelta(days=7)
        rows += _event(n, moved + timedelta(hours=1), moved)
    return "\r\n".join([*rows, "END:VCALENDAR", ""]).encode()


def _event(n, start, recurrence_id=None):
    def line(text):
        return "\r\n ".join(text[at : at + 74] for at in range(0, len(text), 74))

    text = f"Visit {n}\\, about the offer of this quarter and what is still open. " * 8
    rows = [
        "BEGIN:VEVENT", f"UID:{n:08}-5e2c-4a53-9a0e-6c8d9a1f7b10@bench.example",
        "DTSTAMP:20260101T080000Z", "CREATED:20251201T080000Z", "LAST-MODIFIED:20251202T080000Z",
        "SEQUENCE:1", f"DTSTART;TZID=Europe/Madrid:{start:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Europe/Madrid:{start + timedelta(hours=1):%Y%m%dT%H%M%S}",
        line(f"SUMMARY:Visit to customer {n}\\, reunión con el responsable"),
        line(f"DESCRIPTION:{text}\\n{text[:200]}"),
        line(f"LOCATION:Calle Mayor {n % 90}\\, Madrid"),
        "CATEGORIES:Customer,Visit", "STATUS:CONFIRMED", "TRANSP:OPAQUE", "CLASS:PUBLIC",
        line("ORGANIZER;CN=Ana Ruiz:mailto:ana@example.com"),
    ]  # fmt: skip
    if recurrence_id:
        rows.insert(2, f"RECURRENCE-ID;TZID=Europe/Madrid:{recurrence_id:%Y%m%dT%H%M%S}")
    for guest in range(3):
        rows.append(line(
            f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;"
            f"CN=Guest {n} {guest};X-NUM-GUESTS=0:mailto:guest.{n}.{guest}@example.com"
        ))  # fmt: skip
    return [*rows, "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Visit",
            "END:VALARM", "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC", "END:VEVENT"]  # fmt: skip


def measure(name, file):
    """The best of a few rounds: (seconds, MiB above what the process had before)."""
    before, measured = PARTS[name]
    code = CHILD.format(before=before, measured=measured)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    rounds = []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [sys.executable, "-c", code, file], capture_output=True, text=True, check=True,
            env=environment, cwd="/",
        )  # fmt: skip
        rounds.append(json.loads(done.stdout))
    seconds, mebibytes = map(min, zip(*rounds, strict=True))
    print(f"{name:>24}: {seconds:7.2f} s, {mebibytes:6.0f} MiB", flush=True)
    return seconds, mebibytes


def main():
    data = realistic(EVENTS)
    print(f"{EVENTS} events, {len(data) / 1e6:.1f} MB")
    with tempfile.NamedTemporaryFile(suffix=".ics") as file:
        file.write(data)
        file.flush()
        found = {name: measure(name, file.name) for name in PARTS}
    parse, memory = found["icalendar parse"]
    bar("ical_parse", found["ical parse"][0] / parse, "x icalendar's parse", "<=", 1.2)
    bar("ical_parse_memory", found["ical parse"][1] / memory, "x icalendar's", "<=", 1.2)
    bar("ical_scan", found["ical scan"][0] / parse, "x icalendar's parse", "<=", 0.15)
    write = found["icalendar to_ical"][0]
    for kind in ("untouched", "new"):
        ratio = found[f"ical to_text, {kind}"][0] / write
        bar(f"ical_to_text_{kind}", ratio, "x icalendar's to_ical", "<=", 1)


if __name__ == "__main__":
    main()

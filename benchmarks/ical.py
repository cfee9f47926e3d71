"""iCalendar, against the ``icalendar`` library and stock's calendar, in the same run.

10,000 events as programs write them (13 MB): read into items, told apart from
what is known already, written; each of these figures is of a process of its own, so
that memory is that of the one thing, and seconds are of the processor. Then the same
with Odoo (see ``_ical_odoo``). ``BENCH_EVENTS`` names another number.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import session
from _bars import bar
from _ical_file import realistic

ROOT = Path(__file__).resolve().parents[1]
EVENTS = int(os.environ.get("BENCH_EVENTS") or 10_000)
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
    session.start()
    # Not before: Odoo has to know where its addons are.
    import _ical_odoo

    _ical_odoo.main(EVENTS, data, parse)


if __name__ == "__main__":
    main()

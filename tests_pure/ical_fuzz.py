"""Drives the parser with mangled files, in a process of its own with limits.

``python tests_pure/ical_fuzz.py --seed 7 --seconds 600`` prints what was done as
JSON, or ends with the file that it fell over. Each file follows from the seed and
its number alone: ``--seed 7 --number 1234`` tries that one again.
"""

import argparse
import json
import random
import resource
import sys
import time
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

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
#: Octets that the process may grow by; seconds that one file may take.
GROWTH = 200 * 2**20
PATIENCE = 5


def drive(data):
    """Everything that is done with a file; only our own exceptions may come out.

    :return: number of items that were read
    """
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


def mangled(seed, number):
    """A sample with some bytes taken out, put in, moved or doubled."""
    rng = random.Random(f"{seed}:{number}")
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


def _limit(seconds):
    """Let the system end what takes more memory or time than it may."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + GROWTH, size + GROWTH))
    allowed = int(seconds) + 60
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, allowed))


def _peak():
    """KiB of memory that the process has had at the most.

    Not ``ru_maxrss``: it begins with what the process had that started this one.
    """
    words = Path("/proc/self/status").read_text().split()
    return int(words[words.index("VmHWM:") + 1])


def _try(seed, number):
    """Drive one file.

    :return: (items read, seconds)
    """
    data = mangled(seed, number)
    begun = time.process_time()
    try:
        read = drive(data)
        seconds = time.process_time() - begun
        assert seconds < PATIENCE, f"took {seconds:.1f} s"
    except BaseException:
        print(f"seed {seed}, number {number}: {data!r}", file=sys.stderr)
        raise
    return read, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=6, help="of the processor")
    parser.add_argument("--number", type=int, help="one file only")
    options = parser.parse_args()
    if options.number is not None:
        _try(options.seed, options.number)
        return
    _limit(options.seconds)
    before = _peak()
    end = time.process_time() + options.seconds
    number = read = slowest = 0
    while time.process_time() < end:
        items, seconds = _try(options.seed, number)
        number, read, slowest = number + 1, read + items, max(slowest, seconds)
    print(
        json.dumps(
            {
                "seed": options.seed,
                "files": number,
                "items": read,
                "slowest_s": round(slowest, 2),
                "grown_kib": _peak() - before,
            }
        )
    )


if __name__ == "__main__":
    main()

"""What is written, read by khal, the command line's calendar, where it is installed.

Looked for on the path, or where ``CRM_AUTOMATION_KHAL`` says.
"""

import os
import shutil
import subprocess
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ical.expand import occurrences
from ical.parse import parse
from ical.text import to_text
from ical.values import is_date

KHAL = os.environ.get("CRM_AUTOMATION_KHAL") or shutil.which("khal")
UTC = timezone.utc
FIRST, LAST = date(2026, 1, 1), date(2028, 1, 1)
CONFIG = """[calendars]
[[visits]]
path = {folder}/visits
type = calendar
[sqlite]
path = {folder}/khal.db
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
default_timezone = UTC
local_timezone = UTC
"""

pytestmark = pytest.mark.skipif(not KHAL, reason="khal is not installed")


def asked(folder):
    """khal's occurrences: set of (start, title)."""
    done = subprocess.run(
        [KHAL, "-c", str(folder / "config"), "list", "--notstarted", "--day-format", "",
         "--format", "{start-long-full}|{title}", str(FIRST), str(LAST)],
        capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder), "TZ": "UTC"},
    )  # fmt: skip
    # What lasts for days is listed on each of them.
    return {tuple(line.split("|", 1)) for line in done.stdout.splitlines() if "|" in line}


def told(moment):
    if is_date(moment):
        return f"{moment:%Y-%m-%d} 00:00"
    aware = moment.tzinfo is not None
    return f"{moment.astimezone(UTC) if aware else moment:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    "name", ["google.ics", "outlook.ics", "evolution.ics", "apple.ics", "davx5.ics"]
)
def test_khal_sees_the_same_occurrences(name, tmp_path):
    items = parse((Path(__file__).parent / "ics" / name).read_bytes()).items
    events = [item for item in items if item.NAME == "VEVENT" and item.start is not None]
    (tmp_path / "visits").mkdir()
    (tmp_path / "config").write_text(CONFIG.format(folder=tmp_path))
    for number, uid in enumerate(dict.fromkeys(item.uid for item in events)):
        text = to_text(item for item in events if item.uid == uid)
        (tmp_path / "visits" / f"{number}.ics").write_bytes(text.encode())
    end = datetime(LAST.year, LAST.month, LAST.day) + timedelta(days=1)
    mine = occurrences(events, datetime(FIRST.year, 1, 1), end)
    assert asked(tmp_path) == {(told(one.start), one.item.summary or "") for one in mine}

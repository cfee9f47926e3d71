"""What is written, read by khal, the command line's calendar, where it is installed."""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ical.expand import occurrences
from ical.parse import parse
from ical.text import to_text
from ical.values import is_date
from khal_judge import KHAL, MISSING, listed

UTC = timezone.utc
FIRST, LAST = date(2026, 1, 1), date(2028, 1, 1)

pytestmark = pytest.mark.skipif(not KHAL, reason=MISSING)


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
    texts = [
        to_text(item for item in events if item.uid == uid)
        for uid in dict.fromkeys(item.uid for item in events)
    ]
    end = datetime(LAST.year, LAST.month, LAST.day) + timedelta(days=1)
    mine = occurrences(events, datetime(FIRST.year, 1, 1), end)
    seen = listed(tmp_path, texts, FIRST, LAST)
    assert seen == {(told(one.start), one.item.summary or "") for one in mine}

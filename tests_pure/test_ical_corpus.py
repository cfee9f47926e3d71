"""Real files of many programs, and our own samples: read, written, read by others.

``real_file`` is each file of the corpus, where it is (see conftest.py); ``sample``
each of our own. Both go through the same tests.
"""

import warnings
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import icalendar
import pytest
import vobject

from ical.errors import IcalError
from ical.expand import occurrences
from ical.lines import Split
from ical.parse import parse
from ical.text import changed_fields, to_text
from ical_judge import OTHERWISE, theirs, told


def read(path):
    try:
        return parse(path.read_bytes())
    except IcalError as error:
        assert error.message
        return None


def check_read_and_written(path):
    file = read(path)
    if file is None:
        return
    for failure in file.failures:
        assert failure.error.message
        assert failure.error.line
    for item in file.items:
        assert item.uid
        assert changed_fields(item) == set()
    for method in {item.method for item in file.items}:
        mine = [item for item in file.items if item.method == method]
        text = to_text(mine, method)
        again = parse(text.encode())
        assert not again.failures
        assert again.items == mine
        assert to_text(again.items, method) == text
        # Nothing to import the second time: neither by meaning nor by digest.
        digests = [chunk.digest() for chunk in Split(text.encode()).chunks()]
        assert digests == [
            c.digest() for c in Split(to_text(again.items, method).encode()).chunks()
        ]


def counted(data, first, last):
    """(start, end) by recurring-ical-events, or None where it fails."""
    found = theirs(data, first, last)
    return None if found is None else Counter((start, stop) for _uid, start, stop in found)


def ours(file, first, last):
    return Counter(
        (told(one.start), told(one.stop))
        for calendar in file.calendars
        for one in occurrences(
            [item for item in calendar.items if item.NAME == "VEVENT"], first, last
        )
    )


def check_occurrences(path):
    file = read(path)
    years = sorted({item.start.year for item in file.items if item.start}) if file else []
    years = [year for year in years if 2 < year < 9990]
    if not years:
        return
    for year in {years[0], years[-1]}:
        first = datetime(year, 1, 1)
        last = datetime(year + 2, 1, 1)
        mine = ours(file, first, last)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            judged = counted(path.read_bytes(), first, last)
            if judged is not None and path.name not in OTHERWISE:
                assert mine == judged
            for method in {item.method for item in file.items}:
                # What is written has, for others, the occurrences that we see.
                items = [i for i in file.items if i.method == method and not i.calendar_zone]
                text = to_text(items, method)
                again = ours(parse(text.encode()), first, last)
                written = counted(text.encode(), first, last)
                if written is not None and path.name not in OTHERWISE:
                    assert written == again


def check_others_read_it(path):
    file = read(path)
    if file is None:
        return
    for method in {item.method for item in file.items}:
        items = [item for item in file.items if item.method == method]
        text = to_text(items, method)
        icalendar.use_zoneinfo()
        judged = icalendar.Calendar.from_ical(text)
        names = [c.name for c in judged.subcomponents if c.name in ("VEVENT", "VTODO", "VJOURNAL")]
        assert names == [item.NAME for item in items if item.NAME != "VFREEBUSY"]
        try:
            second = vobject.readOne(text)
        except (vobject.base.ParseError, vobject.base.VObjectError, ValueError, AttributeError,
                AssertionError, KeyError, TypeError, IndexError):  # fmt: skip
            # It cannot read much that is right: DATE lists, odd zones, years.
            continue
        events = second.contents.get("vevent", [])
        assert len(events) == sum(item.NAME == "VEVENT" for item in items)


def test_sample_is_read_and_written(sample):
    check_read_and_written(sample)


def test_real_file_is_read_and_written(real_file):
    check_read_and_written(real_file)


def test_occurrences_of_a_sample(sample):
    check_occurrences(sample)


def test_occurrences_of_a_real_file(real_file):
    check_occurrences(real_file)


def test_others_read_a_sample(sample):
    check_others_read_it(sample)


def test_others_read_a_real_file(real_file):
    check_others_read_it(real_file)


@pytest.mark.parametrize("name", ["google.ics", "outlook.ics", "thunderbird.ics", "apple.ics"])
def test_vobject_reads_what_the_large_programs_wrote_through_us(name):
    items = parse((Path(__file__).parent / "ics" / name).read_bytes()).items
    events = [item for item in items if item.NAME == "VEVENT"]
    second = vobject.readOne(to_text(events))
    for item, event in zip(events, second.vevent_list, strict=True):
        assert event.uid.value == item.uid
        assert told(event.dtstart.value) == told(item.start)
        # RDATE;VALUE=PERIOD is beyond it.
        if item.rules and not item.rdates:
            first = item.start.replace(tzinfo=None)
            walls = list(event.getrruleset(addRDate=True))[:3]
            mine = occurrences([item], first, first + timedelta(days=900))[:3]
            assert [told(wall) for wall in walls] == [told(one.start) for one in mine]

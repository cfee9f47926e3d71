"""Time zones: names, rules, and the VTIMEZONE that is made."""

import copy
import pickle
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ical import zones
from ical.errors import BadZone, LimitExceeded
from ical.parse import parse
from ical.text import to_text, zone_lines
from ical.vtimezone import vtimezone
from ical.zones import RuleZone, read_vtimezone

UTC = timezone.utc
#: Rules of all kinds: half hours, a winter with "summer time", Ramadan, none.
PLACES = [
    "Europe/Madrid", "Europe/Dublin", "America/New_York", "America/Santiago", "Africa/Casablanca",
    "Asia/Kolkata", "Asia/Jerusalem", "Australia/Lord_Howe", "Pacific/Chatham", "Africa/Cairo",
    "America/Caracas", "Asia/Pyongyang", "Antarctica/Troll",
]  # fmt: skip

CUSTOM = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VTIMEZONE
TZID:Central
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:x
DTSTART;TZID=Central:20260701T100000
END:VEVENT
END:VCALENDAR
"""


def read(lines):
    """The zone of a VTIMEZONE's lines."""
    [calendar] = parse("\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]).encode()).calendars
    return read_vtimezone(calendar.others[0])


def custom(text=CUSTOM):
    [item] = parse(text.encode()).items
    return item.start.tzinfo


@pytest.mark.parametrize(
    ("tzid", "key"),
    [
        ("Europe/Madrid", "Europe/Madrid"),
        ("europe/madrid", "Europe/Madrid"),
        ('"Romance Standard Time"', "Europe/Paris"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/America/Argentina/Buenos_Aires",
         "America/Argentina/Buenos_Aires"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"),
        ("UTC", "UTC"),
        ("GMT", "UTC"),
    ],
)  # fmt: skip
def test_names(tzid, key):
    assert zones.key_of(zones.by_name(tzid)) == key


@pytest.mark.parametrize("tzid", ["", "../../etc/passwd", "/etc/localtime", "Central", "x" * 9999])
def test_what_is_no_name(tzid):
    assert zones.by_name(tzid) is None


def test_every_windows_name_is_known():
    for name, olson in zones.WINDOWS_TO_OLSON.items():
        assert zones.by_name(name) is not None, (name, olson)


def test_rules_of_a_file_keep_time_as_the_real_zone_does():
    zone, madrid = custom(), ZoneInfo("Europe/Madrid")
    assert isinstance(zone, RuleZone)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment.year < 2029:
        here, there = moment.astimezone(zone), moment.astimezone(madrid)
        assert here.replace(tzinfo=None) == there.replace(tzinfo=None)
        assert (here.utcoffset(), here.fold) == (there.utcoffset(), there.fold)
        assert here.astimezone(UTC) == moment
        moment += timedelta(minutes=30)


ZONE = custom()


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)), st.sampled_from([0, 1]))
def test_wall_times_in_gaps_and_overlaps(wall, fold):
    wall = wall.replace(fold=fold)
    assert (
        wall.replace(tzinfo=ZONE).utcoffset()
        == wall.replace(tzinfo=ZoneInfo("Europe/Madrid")).utcoffset()
    )


def test_a_zone_can_be_copied_and_pickled():
    zone = custom()
    for other in (copy.copy(zone), copy.deepcopy(zone), pickle.loads(pickle.dumps(zone))):
        assert other.tzid == "Central"
        assert other.utcoffset(datetime(2026, 7, 1)) == timedelta(hours=2)


def test_two_files_do_not_know_each_other_s_zones():
    here, there = custom(), custom(CUSTOM.replace("+0100", "+0400").replace("+0200", "+0500"))
    assert here.utcoffset(datetime(2026, 1, 1)) == timedelta(hours=1)
    assert there.utcoffset(datetime(2026, 1, 1)) == timedelta(hours=4)
    assert here != there


def test_two_calendars_of_one_file_do_not_either():
    text = CUSTOM + CUSTOM.replace("UID:x", "UID:y").replace("+0", "-0")
    one, two = parse(text.encode()).items
    assert one.start.utcoffset() == -two.start.utcoffset() == timedelta(hours=2)


def test_a_name_counts_before_rules():
    zone = custom(CUSTOM.replace("Central", "Asia/Tokyo"))
    assert zone == ZoneInfo("Asia/Tokyo")


def test_a_custom_zone_has_a_name_that_odoo_knows():
    assert zones.like(custom(), 2026) == "Europe/Madrid"
    assert zones.like(ZoneInfo("Asia/Tokyo"), 2026) == "Asia/Tokyo"
    odd = custom(CUSTOM.replace("+0100", "+0107").replace("+0200", "+0207"))
    assert zones.like(odd, 2026) is None


def test_a_custom_zone_is_written_as_it_was():
    file = parse(CUSTOM.encode())
    assert CUSTOM.split("BEGIN:VEVENT")[0].split("PRODID:x\n")[1] in to_text(file.items).replace(
        "\r\n", "\n"
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["BEGIN:VTIMEZONE", "END:VTIMEZONE"],
        ["BEGIN:VTIMEZONE", "TZID:x", "END:VTIMEZONE"],
        ["BEGIN:VTIMEZONE", "TZID:x", "BEGIN:STANDARD", "DTSTART:x", "TZOFFSETTO:+01",
         "END:STANDARD", "END:VTIMEZONE"],
    ],
)  # fmt: skip
def test_no_usable_rules(lines):
    with pytest.raises(BadZone):
        read(lines)


def test_a_zone_that_is_broken_in_part_is_written_anew():
    broken = "BEGIN:STANDARD\nDTSTART:junk\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE"
    text = CUSTOM.replace("END:VTIMEZONE", broken)
    [item] = parse(text.encode()).items
    written = to_text([item])
    assert "junk" not in written
    [again] = parse(written.encode()).items
    assert again.start.utcoffset() == timedelta(hours=2)
    assert again.start.replace(month=1).utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize("freq", ["SECONDLY", "MINUTELY", "DAILY;COUNT=100000"])
def test_a_zone_that_changes_all_the_time_is_refused(freq):
    with pytest.raises(LimitExceeded):
        text = CUSTOM.replace("FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", f"FREQ={freq}")
        read(text.split("\n")[3:18])


@pytest.mark.parametrize("start", ["00010101T000000", "16010101T000000", "99990101T000000"])
def test_rules_that_begin_at_the_ends_of_time(start):
    text = CUSTOM.replace("19701025T030000", start)
    [item] = parse(text.encode()).items
    assert item.start.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("place", PLACES)
def test_made_vtimezone_is_right_at_every_change(place):
    real = ZoneInfo(place)
    for year in (1999, 2026):
        zone = read(vtimezone(real, place, datetime(year, 5, 1)))
        moment = datetime(year, 5, 1, tzinfo=UTC)
        while moment.year < year + 13:
            here, there = moment.astimezone(zone), moment.astimezone(real)
            assert here.replace(tzinfo=None) == there.replace(tzinfo=None), moment
            moment += timedelta(hours=19)
        for change in zones_changes(real, year, year + 12):
            for seconds in (-3601, -1, 0, 1, 3601):
                at = change + timedelta(seconds=seconds)
                assert at.astimezone(zone).utcoffset() == at.astimezone(real).utcoffset(), at


def zones_changes(zone, first, last):
    """Moments around which a zone changes, found by halving, apart from the code."""
    at = datetime(first, 5, 1, tzinfo=UTC)
    while at.year < last:
        following = at + timedelta(days=3)
        if at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            low, high = at, following
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                same = middle.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            yield high
        at = following


@pytest.mark.parametrize("place", ["Europe/Madrid", "America/New_York", "Africa/Casablanca"])
def test_others_read_the_made_vtimezone_the_same(place):
    lines = vtimezone(ZoneInfo(place), "Some/Where", datetime(2026, 1, 1))
    component = icalendar.Timezone.from_ical("\r\n".join(lines) + "\r\n")
    zone = component.to_tz(lookup_tzid=False)
    for day in range(0, 800, 3):
        wall = datetime(2026, 1, 2, 12) + timedelta(days=day)
        assert (
            wall.replace(tzinfo=zone).utcoffset()
            == wall.replace(tzinfo=ZoneInfo(place)).utcoffset()
        ), wall


def test_a_rule_without_end_stays_without_end():
    lines = vtimezone(ZoneInfo("Europe/Madrid"), "Europe/Madrid", datetime(2026, 1, 1))
    assert [line for line in lines if line.startswith("RRULE")] == [
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    ]


def test_nobody_s_zone_has_no_text():
    assert zone_lines("Nowhere", datetime(2026, 1, 1)) == []


def test_floating_times_stay_floating():
    text = CUSTOM.replace(";TZID=Central", "").replace(
        "PRODID:x", "PRODID:x\nX-WR-TIMEZONE:Asia/Tokyo"
    )
    [item] = parse(text.encode()).items
    assert item.start == datetime(2026, 7, 1, 10)
    assert item.start.tzinfo is None
    assert "DTSTART:20260701T100000\r\n" in to_text([item])
    assert zones.key_of(item.calendar_zone) == "Asia/Tokyo"

"""Value types, parameters and content lines, each there and back."""

import doctest
import importlib
import pkgutil
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import ical
from ical import params, text, values
from ical.errors import BadValue, BrokenComponent

MODULES = [name for _, name, _ in pkgutil.iter_modules(ical.__path__)]
# What a text may hold: everything but control characters and lone surrogates.
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.just("\n"), max_size=200)
moments = st.dates(date(1600, 1, 1)) | st.datetimes(datetime(1600, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    assert not doctest.testmod(importlib.import_module(f"ical.{name}")).failed


@given(texts)
def test_text_there_and_back(value):
    assert values.read_text(values.write_text(value)) == value


@given(texts)
def test_text_is_read_as_icalendar_reads_it(value):
    # Its escaping of a line break after a backslash is not reversible.
    assume("\\" not in value)
    written = icalendar.vText(value).to_ical().decode()
    assert values.read_text(written) == value
    assert values.write_text(value) == written


@given(st.lists(texts.filter(lambda t: t.strip()), min_size=1, max_size=5))
def test_lists_of_texts(parts):
    written = ",".join(map(values.write_text, parts))
    assert [values.read_text(part) for part in values.split_text(written)] == parts


@given(st.timedeltas(timedelta(-9999), timedelta(9999)).map(
    lambda amount: timedelta(amount.days, amount.seconds)))  # fmt: skip
def test_durations(amount):
    written = values.write_duration(amount)
    assert values.read_duration(written) == amount
    assert icalendar.vDuration.from_ical(written) == amount


@given(moments)
def test_moments(moment):
    written = values.write_moment(moment)
    read = values.read_date if values.is_date(moment) else values.read_date_time
    assert read(written) == moment
    assert icalendar.vDDDTypes.from_ical(written) == moment


@given(st.text(max_size=30))
def test_what_is_no_value_says_so(value):
    for read in (values.read_date, values.read_date_time, values.read_duration,
                 values.read_loosely, values.read_offset):  # fmt: skip
        try:
            read(value)
        except BadValue as error:
            assert str(error)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-25", date(2026, 11, 25)),
        ("2026-11-25 10:15", datetime(2026, 11, 25, 10, 15)),
        ("20261125T1015", datetime(2026, 11, 25, 10, 15)),
        ("20261125T101500+0100", datetime(2026, 11, 25, 9, 15, tzinfo=timezone.utc)),
        ("20261231T240000", datetime(2027, 1, 1)),
    ],
)
def test_loose_moments(written, moment):
    assert values.read_loosely(written) == moment


def test_a_day_is_nominal_and_an_hour_exact():
    # RFC 5545, 3.3.6; on 25 October 2026 Madrid has 25 hours.
    start = datetime(2026, 10, 24, 12, tzinfo=ZoneInfo("Europe/Madrid"))
    assert values.add(start, timedelta(days=1)).isoformat() == "2026-10-25T12:00:00+01:00"
    assert values.add(start, timedelta(hours=23)).isoformat() == "2026-10-25T10:00:00+01:00"
    morning = datetime(2026, 10, 25, 5, tzinfo=ZoneInfo("Europe/Madrid"))
    assert values.add(morning, -timedelta(hours=3)).isoformat() == "2026-10-25T02:00:00+01:00"


def test_same_is_stricter_than_equal():
    madrid = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Madrid"))
    utc = madrid.astimezone(timezone.utc)
    assert madrid == utc
    assert not values.same(madrid, utc)
    assert not values.same((madrid,), (utc,))
    assert values.same((madrid, 1), (madrid, 1))
    assert not values.same(1, True)


@given(texts)
def test_parameters_there_and_back(value):
    value = value.strip()
    assume(value)
    written = params.EMPTY.put(CN=value)
    name, read, rest = params.split_line(f"ATTENDEE{written}:mailto:a@b.example")
    assert (name, rest) == ("ATTENDEE", "mailto:a@b.example")
    assert read.get("CN") == value
    # icalendar takes a backslash in a parameter for an escape, which 3.2 has not.
    assume("\\" not in value)
    assert icalendar.parser.Contentline(f"A{written}:x").parts()[1]["CN"] in (
        value, [value], value.split(","),
    )  # fmt: skip


@given(st.text(max_size=80))
def test_any_line_is_split_or_refused(line):
    try:
        name, found, value = params.split_line(line)
    except BrokenComponent:
        return
    assert name
    assert isinstance(value, str)


def test_a_parameter_that_is_replaced_keeps_its_place():
    _, found, _ = params.split_line('X;A=1;B="x,y";C=3:')
    assert str(found.put(B="z")) == ";A=1;B=z;C=3"
    assert str(found.put(B="x,y")) == ';A=1;B="x,y";C=3'
    assert str(found.put(A=None, D=("p", "q,r"))) == ';B="x,y";C=3;D=p,"q,r"'
    assert found.values("B") == ("x,y",)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=300))
def test_folded_lines_fit_and_unfold(value):
    line = f"SUMMARY:{value}"
    folded = text.fold([line])
    octets = folded.encode()
    assert all(len(row) <= 75 for row in octets.split(b"\r\n"))
    for row in octets.split(b"\r\n"):
        row.decode()
    assert folded.replace("\r\n ", "").rstrip("\r\n") == line.rstrip("\r\n")

"""Moments of rules about dates: every date whose moment is asked for is found."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.moments import DAY_SLACK, NoWorkday, moment_of, step_workdays, value_window

ZONES = ("UTC", "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
HOLIDAYS = {datetime.date(2026, 12, day) for day in range(24, 32)}


def is_workday(day):
    return day.weekday() < 5 and day not in HOLIDAYS


moments = st.datetimes(datetime.datetime(2025, 1, 1), datetime.datetime(2027, 12, 31))
delays = st.one_of(
    st.tuples(st.integers(0, 5000), st.sampled_from(("minutes", "hours"))),
    st.tuples(st.integers(0, 400), st.just("days")),
    st.tuples(st.integers(0, 60), st.just("workdays")),
    st.tuples(st.integers(0, 24), st.just("months")),
)


@settings(max_examples=500)
@given(moments, delays, st.booleans(), st.sampled_from(ZONES))
def test_no_date_is_missed(value, delay, before, zone):
    """A record whose moment is in the window has its date where we look for it."""
    number, unit = delay
    value = value.replace(microsecond=0)
    moment = moment_of(value, number, unit, before, zone, is_workday=is_workday)
    low, high = value_window(moment, moment, number, unit, before, is_workday)
    assert low <= value <= high


@settings(max_examples=500)
@given(
    st.dates(datetime.date(2025, 1, 1), datetime.date(2027, 12, 31)),
    delays, st.booleans(), st.sampled_from(ZONES), st.floats(0, 23.9),
)  # fmt: skip
def test_no_mere_date_is_missed(value, delay, before, zone, hour):
    number, unit = delay
    moment = moment_of(value, number, unit, before, zone, hour, is_workday)
    low, high = value_window(moment, moment, number, unit, before, is_workday)
    assert (low - DAY_SLACK).date() <= value <= (high + DAY_SLACK).date()


@given(st.dates(datetime.date(2026, 1, 1), datetime.date(2026, 11, 1)), st.integers(1, 30))
def test_working_days_there_and_back(day, number):
    there = step_workdays(day, number, is_workday)
    assert is_workday(there)
    if is_workday(day):
        assert step_workdays(there, -number, is_workday) == day


def test_over_a_holiday():
    """Two working days after the 23rd of December: the 1st of January is worked here."""
    assert step_workdays(datetime.date(2026, 12, 23), 2, is_workday) == datetime.date(2027, 1, 4)


def test_nobody_ever_works():
    with pytest.raises(NoWorkday):
        step_workdays(datetime.date(2026, 1, 1), 1, lambda day: False)

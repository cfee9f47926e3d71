"""Periods of a cadence, and the search for time in a diary."""

import datetime
import doctest
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import cadence, diary
from engine.cadence import Cadence, CadenceError
from engine.diary import Diary

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("module", [cadence, diary], ids=lambda m: m.__name__)
def test_doctests(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def targets(given, begin, end, since=None):
    return [period.target for period in given.periods(begin, end, since)]


def test_the_third_of_each_month_for_a_year():
    found = targets(Cadence("date", day=3), date(2027, 1, 4), date(2027, 12, 31))
    assert found == [date(2027, month, 3) for month in range(2, 13)]


def test_fifth_weekdays_are_rare_and_last_ones_are_not():
    year = date(2027, 1, 1), date(2027, 12, 31)
    assert len(targets(Cadence("weekday", week=5, weekday=4), *year)) == 5
    assert len(targets(Cadence("weekday", week=-1, weekday=4), *year)) == 12


def test_every_other_month():
    found = targets(Cadence("date", 2, day=31), date(2027, 1, 1), date(2027, 12, 31))
    assert [day.month for day in found] == [1, 3, 5, 7, 9, 11]


@pytest.mark.parametrize(
    "nothing",
    [
        Cadence("interval", 0), Cadence("interval", -1, "days"), Cadence("date", day=0),
        Cadence("date", day=32), Cadence("year", per_year=0), Cadence("year", per_year=400),
    ],
)  # fmt: skip
def test_a_cadence_that_yields_nothing_is_told(nothing):
    with pytest.raises(CadenceError):
        nothing.periods(date(2027, 1, 1), date(2027, 12, 31))


CADENCES = st.one_of(
    st.builds(
        Cadence,
        st.just("interval"),
        st.integers(1, 40),
        st.sampled_from(["days", "weeks", "months"]),
    ),
    st.builds(Cadence, st.just("year"), per_year=st.integers(1, 60)),
)
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))


@given(CADENCES, DAYS, st.integers(0, 2000))
def test_periods_follow_one_another_without_a_hole(given_cadence, begin, length):
    end = begin + timedelta(days=length)
    found = given_cadence.periods(begin, end)
    assert found[0].first == begin
    assert found[-1].last == end
    for one, other in zip(found, found[1:], strict=False):
        assert one.last + timedelta(days=1) == other.first
    middle = begin + timedelta(days=length // 2)
    since = given_cadence.periods(begin, end, middle)
    assert since == [period for period in found if period.last >= middle]


@given(st.integers(1, 60), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_visits_a_year_are_as_many(number, begin):
    end = cadence.shift_months(begin, 12) - timedelta(days=1)
    assert len(Cadence("year", per_year=number).periods(begin, end)) == number


def moment(day, hour, minute=0):
    return datetime.datetime(2027, 2, day, hour, minute)


def week(**options):
    """From Monday the 1st to Friday the 5th, from 9 to 12."""
    work = {date(2027, 2, day): [(moment(day, 9), moment(day, 12))] for day in range(1, 6)}
    return Diary(work, HOUR, **options)


def book(given_diary, target=3, first=1, last=7):
    return given_diary.book(*(date(2027, 2, day) for day in (first, last, target)))


def test_the_day_that_is_wanted_fills_up_before_its_neighbours():
    found = [book(week_) for week_ in [week()] for _ in range(5)]
    assert found == [moment(3, 9), moment(3, 10), moment(3, 11), moment(4, 9), moment(4, 10)]


def test_the_gap_and_the_quarter_of_an_hour():
    here = week(gap=timedelta(minutes=20))
    assert [book(here) for _ in range(3)] == [moment(3, 9), moment(3, 10, 30), moment(4, 9)]


def test_at_most_so_many_a_day():
    here = week(per_day=1)
    assert [found.day for found in [book(here) for _ in range(5)]] == [3, 4, 2, 5, 1]
    assert book(here) is None


def test_nothing_is_booked_over_something_else():
    here = week()
    here.block(moment(3, 8), moment(3, 10))
    here.block_days(date(2027, 2, 4), date(2027, 2, 5))
    assert book(here) == moment(3, 10)
    assert [book(here) for _ in range(2)] == [moment(3, 11), moment(2, 9)]
    assert book(here, target=5, first=4) is None


def test_too_short_a_time_is_no_time():
    here = Diary({date(2027, 2, 1): [(moment(1, 9), moment(1, 9, 50))]}, HOUR)
    assert not here.open_days(date(2027, 2, 1), date(2027, 2, 9))
    assert book(here, target=1) is None


SPANS = st.lists(st.tuples(st.integers(0, 7 * 96), st.integers(1, 30)), max_size=30)


@given(SPANS, st.integers(0, 60), st.integers(0, 3), st.integers(1, 40))
def test_whatever_is_booked_nothing_overlaps(busy, gap, per_day, number):
    here = week(gap=timedelta(minutes=gap), per_day=per_day)
    taken = []
    for quarter, length in busy:
        begin = moment(1, 0) + quarter * timedelta(minutes=15)
        taken.append((begin, begin + length * timedelta(minutes=15)))
        here.block(*taken[-1])
    for _ in range(number):
        start = book(here)
        if start is None:
            break
        assert moment(start.day, 9) <= start <= moment(start.day, 11)
        for begin, end in taken:
            room = timedelta(minutes=gap)
            assert end + room <= start or start + HOUR + room <= begin
        taken.append((start, start + HOUR))
    if per_day:
        days = [begin.day for begin, end in taken[len(busy) :]]
        assert all(days.count(day) <= per_day for day in days)

"""Rules by fields that Odoo has not got, and which occurrence becomes which."""

import calendar
from datetime import date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_ical_rules import LONG_RULES, rules, starts

from ical import recurrence, replan
from ical.rules import Rule

# --- fields that Odoo has not got


def walls_of(values, start, until=datetime(2028, 12, 31, 23)):
    text = recurrence.from_fields({"interval": 1, "end_type": "forever", **values}, start)
    return list(Rule.parse(text).walls(start, start, until))


def test_the_fifth_week():
    walls = walls_of(
        {"rrule_type": "monthly", "month_by": "day", "byday": "5", "weekday": "TUE"},
        datetime(2026, 12, 29, 10),
    )
    assert [wall.date() for wall in walls[:4]] == [
        date(2026, 12, 29), date(2027, 3, 30), date(2027, 6, 29), date(2027, 8, 31),
    ]  # fmt: skip


def test_the_last_day_and_the_last_working_day_of_the_month():
    values = {"rrule_type": "monthly", "month_by": "last_day"}
    start = datetime(2027, 1, 1, 10)
    assert [wall.day for wall in walls_of(values, start)[:4]] == [31, 28, 31, 30]
    # 31 January 2027 is a Sunday, 28 February too.
    walls = walls_of({**values, "workdays_only": True}, start)
    assert [wall.day for wall in walls[:4]] == [29, 26, 31, 30]


@given(st.integers(1, 31), st.booleans())
def test_short_months_are_skipped_or_have_it_on_their_last_day(day, skip):
    values = {
        "rrule_type": "monthly", "month_by": "date", "day": day,
        "short_month": "skip" if skip else "last",
    }  # fmt: skip
    walls = walls_of(values, datetime(2027, 1, 1, 10))
    lengths = [calendar.monthrange(2027 + n // 12, n % 12 + 1)[1] for n in range(24)]
    if skip:
        assert [wall.day for wall in walls] == [day for length in lengths if day <= length]
    else:
        assert [wall.day for wall in walls] == [min(day, length) for length in lengths]


@given(st.integers(1, 31))
def test_working_days_stay_in_their_month_and_near_the_day(day):
    values = {"rrule_type": "monthly", "month_by": "date", "day": day, "workdays_only": True}
    walls = walls_of(values, datetime(2027, 1, 1, 10))
    assert [(wall.year, wall.month) for wall in walls] == [
        (2027 + n // 12, n % 12 + 1) for n in range(24)
    ]
    for wall in walls:
        assert wall.weekday() < 5
        length = calendar.monthrange(wall.year, wall.month)[1]
        wanted = date(wall.year, wall.month, min(day, length))
        assert abs((wall.date() - wanted).days) <= 2
        if wanted.weekday() < 5:
            assert wall.date() == wanted


def test_the_month_of_a_yearly_rule():
    start = datetime(2027, 1, 10, 10)
    values = {"rrule_type": "yearly", "year_month": "11"}
    by_day = walls_of({**values, "month_by": "day", "byday": "4", "weekday": "THU"}, start)
    assert [wall.date() for wall in by_day] == [date(2027, 11, 25), date(2028, 11, 23)]
    by_date = walls_of({**values, "month_by": "date", "day": 3}, start)
    assert [wall.date() for wall in by_date] == [date(2027, 11, 3), date(2028, 11, 3)]
    leap = {"year_month": "2", "month_by": "date", "day": 29, "short_month": "last"}
    assert [wall.day for wall in walls_of({**values, **leap}, start)] == [28, 29]


def test_daily_on_working_days():
    walls = walls_of({"rrule_type": "daily", "workdays_only": True}, datetime(2027, 1, 1, 10))
    # A Friday, then Monday to Friday.
    assert [wall.day for wall in walls[:6]] == [1, 4, 5, 6, 7, 8]


# --- a series that gets other times


@settings(suppress_health_check=list(HealthCheck))
@given(rules(LONG_RULES), starts, st.integers(-40, 40), st.integers(-23, 23))
def test_a_series_that_is_moved_keeps_each_of_its_times(text, start, days, hours):
    rule = Rule.parse(text)
    old = list(rule.walls(start, start, start + timedelta(days=900)))[:50]
    shift = timedelta(days=days, hours=hours)
    new = [wall + shift for wall in old]
    assert replan.successors(old, new, shift, (rule, rule)) == dict(zip(old, new, strict=True))


@settings(suppress_health_check=list(HealthCheck))
@given(rules(LONG_RULES), rules(LONG_RULES), starts)
def test_nobody_has_two_successors_and_nobody_shares_one(one, other, start):
    rules_ = Rule.parse(one), Rule.parse(other)
    old, new = (list(rule.walls(start, start, start + timedelta(days=400)))[:50] for rule in rules_)
    found = replan.successors(old, new, timedelta(0), rules_)
    assert set(found) <= set(old)
    assert set(found.values()) <= set(new)
    assert len(set(found.values())) == len(found)
    # What stays on the rule stays where it is.
    for wall in set(old) & set(new):
        assert found[wall] == wall

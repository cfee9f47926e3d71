"""Recurrence rules: the walk against dateutil's, its bounds, and Odoo's fields."""

import time
import warnings
from datetime import date, datetime, timedelta
from datetime import time as clock
from zoneinfo import ZoneInfo

import icalendar
import pytest
from dateutil import rrule as dateutil_rrule
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ical import recurrence
from ical.errors import BadRule, LimitExceeded
from ical.limits import Limits
from ical.rules import FREQUENCIES, WEEKDAYS, Rule

LAST = datetime(2032, 1, 1)
#: Frequencies that may have BYYEARDAY.
YEARDAYS = ("YEARLY", "HOURLY", "MINUTELY", "SECONDLY")


def number_list(values, chance=4, size=3):
    """No part, or one with some of the values; one in ``chance`` has it."""
    part = st.lists(values, min_size=1, max_size=size, unique=True).map(
        lambda found: ",".join(map(str, found))
    )
    return st.integers(1, chance).flatmap(lambda n: part if n == 1 else st.just(""))


days = st.sampled_from(WEEKDAYS)
numbered_days = st.builds(
    lambda n, day: f"{n}{day}", st.sampled_from([1, 2, 3, 4, 5, -1, -2]), days
)
month_days = st.integers(1, 31) | st.integers(-31, -1)
year_days = st.integers(1, 366) | st.integers(-366, -1)
weeks = st.integers(1, 53) | st.integers(-53, -1)
endings = st.one_of(
    st.just(""), st.just(""), st.integers(1, 40).map(lambda n: f"COUNT={n}"),
    st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)).map(
        lambda until: f"UNTIL={until:%Y%m%dT%H%M%S}"
    ),
)  # fmt: skip


@st.composite
def rules(draw, frequencies=FREQUENCIES, ending=True):
    """A rule as RFC 5545, 3.3.10 allows it."""
    freq = draw(st.sampled_from(frequencies))
    weekno = draw(number_list(weeks, 8)) if freq == "YEARLY" else ""
    numbered = freq in ("MONTHLY", "YEARLY") and not weekno and draw(st.booleans())
    found = {
        "FREQ": freq,
        "INTERVAL": draw(st.sampled_from(["", 1, 2, 3, 4, 6])),
        "BYMONTH": draw(number_list(st.integers(1, 12))),
        "BYMONTHDAY": draw(number_list(month_days)) if freq != "WEEKLY" else "",
        "BYWEEKNO": weekno,
        "BYYEARDAY": draw(number_list(year_days, 6)) if freq in YEARDAYS and not weekno else "",
        "BYDAY": draw(number_list(numbered_days if numbered else days, 2)),
        "BYHOUR": draw(number_list(st.integers(0, 23), 6)),
        "BYMINUTE": draw(number_list(st.integers(0, 59), 6)),
        "BYSECOND": draw(number_list(st.integers(0, 59), 8)),
    }
    if any(found[key] for key in found if key.startswith("BY")):
        found["BYSETPOS"] = draw(number_list(st.integers(1, 5) | st.integers(-5, -1), 6, 2))
    if not weekno:
        # dateutil numbers the days around New Year wrongly when weeks of a
        # numbered year begin in their middle, so not with BYWEEKNO.
        found["WKST"] = draw(st.sampled_from(["", "", *WEEKDAYS]))
    parts = [f"{key}={value}" for key, value in found.items() if value]
    return ";".join([*parts, draw(endings)] if ending else parts).strip(";")


starts = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)


def judged(text, start, seconds=1):
    """dateutil's occurrences, as far as it finds them in time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            rule = dateutil_rrule.rrulestr(text, dtstart=start)
        except ValueError:
            # "Invalid rrule byxxx generates an empty set."
            return []
    # It searches to the year 9999 for what does not exist; until then we do not wait.
    assume(_finds_something_daily(text) and not _begins_inside_a_set(text, start))
    found = []
    end = time.process_time() + seconds
    try:
        for moment in rule:
            if moment > LAST or len(found) >= 60:
                break
            found.append(moment)
            assume(time.process_time() < end)
    except ValueError:
        pass
    return found


def _finds_something_daily(text):
    short = text.startswith(("FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=HOURLY", "FREQ=DAILY"))
    return not short or not any(
        part in text for part in ("BYMONTHDAY", "BYYEARDAY", "BYSETPOS")
    )  # fmt: skip


def _begins_inside_a_set(text, start):
    """BYSETPOS counts from the first day of the week; dateutil, in the first, from the start."""
    parts = dict(part.split("=") for part in text.split(";"))
    weekly = parts["FREQ"] == "WEEKLY" and "BYSETPOS" in parts
    return weekly and start.weekday() != WEEKDAYS.index(parts.get("WKST", "MO"))


def test_places_in_a_set_count_from_the_first_day_of_the_week():
    # The Monday of the first week is before the start, and the Tuesday is the second.
    start = datetime(2024, 1, 2)
    rule = Rule.parse("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1;COUNT=2")
    walls = list(rule.walls(start, start, LAST))
    assert walls == [datetime(2024, 1, 8), datetime(2024, 1, 15)]


@settings(suppress_health_check=list(HealthCheck))
@given(rules(), starts)
def test_walk_agrees_with_dateutil(text, start):
    expected = judged(text, start)
    rule = Rule.parse(text)
    last = LAST if rule.until is None else min(LAST, rule.until)
    found = []
    try:
        for wall in rule.walls(start, start, last):
            found.append(wall)
            if len(found) >= 60:
                break
    except LimitExceeded:
        assume(False)
    assert found == expected


@given(rules(ending=False), starts, st.integers(0, 1500))
def test_beginning_late_gives_the_same(text, start, days):
    first = start + timedelta(days=days)
    rule = Rule.parse(text)
    try:
        whole = [w for w in rule.walls(start, start, first + timedelta(days=60)) if w >= first]
        late = list(rule.walls(start, first, first + timedelta(days=60)))
    except LimitExceeded:
        assume(False)
    assert late == whole


@given(
    st.sampled_from(["DAILY", "WEEKLY", "WEEKLY;WKST=TH"]), st.integers(1, 40),
    st.integers(1, 300), starts, st.integers(-50, 1500),
)  # fmt: skip
def test_what_is_counted_is_the_same_from_late_on(freq, interval, count, start, days):
    first = start + timedelta(days=days)
    last = first + timedelta(days=90)
    rule = Rule.parse(f"FREQ={freq};INTERVAL={interval};COUNT={count}")
    step = timedelta(days=interval * (1 if freq == "DAILY" else 7))
    all_of_them = [start + turn * step for turn in range(count)]
    expected = [moment for moment in all_of_them if first <= moment <= last]
    assert list(rule.walls(start, first, last)) == expected


@given(rules())
def test_text_there_and_back(text):
    rule = Rule.parse(text)
    assert Rule.parse(str(rule)) == rule
    assert str(Rule.parse(str(rule))) == str(rule)
    # icalendar reads the same parts out of it.
    judge = icalendar.vRecur.from_ical(str(rule))
    assert judge["FREQ"] == [rule.freq]
    assert tuple(judge.get("BYMONTHDAY", ())) == rule.bymonthday
    assert judge.get("COUNT", [None]) == [rule.count]
    assert list(map(str, judge.get("BYDAY", ()))) == [
        f"{n or ''}{WEEKDAYS[day]}" for n, day in rule.byday
    ]


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=SECONDLY", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=40",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=SECONDLY;INTERVAL=86400;BYHOUR=3", "FREQ=YEARLY;BYDAY=53MO;BYMONTH=1",
        "FREQ=YEARLY;BYHOUR=0,1,2,3,4,5,6,7,8,9;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYDAY=MO,TU,WE,TH,FR",
        "FREQ=MINUTELY;COUNT=999999999", "FREQ=SECONDLY;COUNT=999999999;BYYEARDAY=366",
        "FREQ=HOURLY;INTERVAL=999999999", "FREQ=YEARLY;INTERVAL=999999999",
        "FREQ=WEEKLY;INTERVAL=999999999", "FREQ=MONTHLY;INTERVAL=999999999",
        "FREQ=DAILY;BYSETPOS=2", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=7",
    ],
)  # fmt: skip
@pytest.mark.parametrize("start", [datetime(1, 1, 1), datetime(2020, 1, 1), datetime(9998, 12, 31)])
def test_hostile_rules_end_fast(text, start):
    begun = time.process_time()
    for first, last in ((start, datetime.max), (datetime(2026, 1, 1), datetime(2026, 1, 8))):
        try:
            assert sum(1 for _ in Rule.parse(text).walls(start, first, last)) <= 100_000
        except LimitExceeded as error:
            assert error.limit == "steps"
    assert time.process_time() - begun < 5


def test_a_rule_from_long_ago_costs_no_more_than_the_span():
    start, first = datetime(1980, 1, 1, 8), datetime(2026, 6, 1)
    rules_ = {
        "DAILY": 2, "HOURLY": 49, "MINUTELY;INTERVAL=30": 97, "WEEKLY": 1, "DAILY;COUNT=99999": 2,
    }  # fmt: skip
    for freq, number in rules_.items():
        rule = Rule.parse(f"FREQ={freq}")
        walk = rule.walls(start, first, first + timedelta(days=2), Limits(steps=300))
        assert sum(1 for _ in walk) == number


@pytest.mark.parametrize(
    "text",
    ["", "DAILY", "FREQ=", "FREQ=DAILY;UNTIL=", "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYDAY=XX",
     "FREQ=DAILY;BYDAY=0MO", "FREQ=DAILY;BYMONTHDAY=0", "FREQ=DAILY;BYMONTHDAY=32",
     "FREQ=DAILY;INTERVAL=x", "FREQ=DAILY;WKST=1", "FREQ=DAILY;BYEASTER=1", "\x00"],
)  # fmt: skip
def test_what_is_no_rule(text):
    with pytest.raises(BadRule):
        Rule.parse(text)


# --- Odoo's fields


def odoo_occurrences(values, start, week_start):
    """What Odoo 19 makes of its fields: ``calendar.recurrence._get_rrule``."""
    freq = {"daily": 3, "weekly": 2, "monthly": 1, "yearly": 0}[values["rrule_type"]]
    params = {"dtstart": start, "interval": values["interval"]}
    if freq == 1 and values["month_by"] == "date":
        params["bymonthday"] = values["day"]
    elif freq == 1:
        day = recurrence.WEEKDAY_VALUES.index(values["weekday"])
        params["byweekday"] = dateutil_rrule.weekday(day, int(values["byday"]))
    elif freq == 2:
        params["byweekday"] = [n for n, name in enumerate(recurrence.DAYS) if values[name]]
        params["wkst"] = week_start
    if values["end_type"] == "count":
        params["count"] = values["count"]
    elif values["end_type"] == "end_date":
        params["until"] = datetime.combine(values["until"], clock.max)
    return dateutil_rrule.rrule(freq, **params)


LONG_RULES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")


@settings(suppress_health_check=list(HealthCheck))
@given(rules(LONG_RULES), starts, st.integers(0, 6))
def test_fields_are_given_only_where_odoo_makes_the_same(text, start, week_start):
    rule = Rule.parse(text)
    first = next(rule.walls(start, start, LAST), None)
    if first is not None:
        # As programs write it: DTSTART is the rule's own first time.
        start = first
    values = recurrence.to_fields(text, start)
    if values is None:
        return
    last = LAST if rule.until is None else min(LAST, rule.until)
    expected = [wall for wall in rule.walls(start, start, last)][:100]
    made = odoo_occurrences(values, start, week_start).between(
        start - timedelta(1), LAST, inc=True
    )[:100]  # fmt: skip
    assert made == expected
    back = recurrence.from_fields(values, start)
    assert recurrence.to_fields(back, start) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("FREQ=DAILY;INTERVAL=3", {"rrule_type": "daily", "interval": 3, "end_type": "forever"}),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=10;COUNT=5",
         {"rrule_type": "yearly", "interval": 1, "end_type": "count", "count": 5}),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=2TU",
         {"rrule_type": "monthly", "interval": 12, "month_by": "day", "byday": "2",
          "weekday": "TUE", "end_type": "forever"}),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2;UNTIL=20271231",
         {"rrule_type": "monthly", "interval": 1, "month_by": "day", "byday": "2",
          "weekday": "TUE", "end_type": "end_date", "until": date(2027, 12, 30)}),
        ("FREQ=MONTHLY;BYMONTHDAY=10",
         {"rrule_type": "monthly", "interval": 1, "month_by": "date", "day": 10,
          "end_type": "forever"}),
        ("FREQ=DAILY;BYHOUR=10;BYMINUTE=0;BYSECOND=0;COUNT=2",
         {"rrule_type": "daily", "interval": 1, "end_type": "count", "count": 2}),
    ],
)  # fmt: skip
def test_fields(text, values):
    assert recurrence.to_fields(text, datetime(2026, 11, 10, 10)) == values


@pytest.mark.parametrize(
    "text",
    # What Odoo 19 keeps wrongly, or not at all (odoo19-facts.md, 1.8).
    ["FREQ=MONTHLY;BYDAY=1MO,3MO", "FREQ=MONTHLY;BYMONTHDAY=1,15", "FREQ=MONTHLY;BYMONTHDAY=-1",
     "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=YEARLY;BYMONTH=1,7",
     "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "FREQ=DAILY;BYHOUR=9,15", "FREQ=YEARLY;BYYEARDAY=314",
     "FREQ=YEARLY;BYWEEKNO=46;BYDAY=TU", "FREQ=MONTHLY;BYDAY=5TU", "FREQ=MONTHLY;BYDAY=-2TU",
     "FREQ=HOURLY", "FREQ=DAILY;COUNT=1000", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU",
     "FREQ=MONTHLY;BYDAY=TU", "FREQ=WEEKLY;BYDAY=MO", "FREQ=DAILY;UNTIL=20250101"],
)  # fmt: skip
def test_what_odoo_cannot_hold_stays_text(text):
    assert recurrence.to_fields(text, datetime(2026, 11, 10, 10)) is None


def test_the_week_s_first_day_is_known_or_does_not_matter():
    start = datetime(2026, 11, 10, 10)
    text = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU"
    assert recurrence.to_fields(text, start, week_start=0)["sun"]
    assert recurrence.to_fields(text, start, week_start=6) is None
    assert recurrence.to_fields("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", start)["tue"]


def test_until_is_the_last_day_with_an_occurrence():
    madrid = datetime(2026, 11, 10, 10, tzinfo=ZoneInfo("Europe/Madrid"))
    values = recurrence.to_fields("FREQ=DAILY;UNTIL=20261120T085959Z", madrid)
    assert values["until"] == date(2026, 11, 19)
    values = recurrence.to_fields("FREQ=DAILY;UNTIL=20261120T090000Z", madrid)
    assert values["until"] == date(2026, 11, 20)
    assert recurrence.from_fields(values, madrid) == "FREQ=DAILY;UNTIL=20261120T225959Z"
    values = recurrence.to_fields("FREQ=DAILY;UNTIL=20261120", date(2026, 11, 10))
    assert recurrence.from_fields(values, date(2026, 11, 10)) == "FREQ=DAILY;UNTIL=20261120"

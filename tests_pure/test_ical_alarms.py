"""Alarms: when they go off, what is done with them, and Odoo's reminders."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ical import alarms
from ical.errors import LimitExceeded
from ical.items import Alarm, Event, Related
from ical.params import EMPTY

UTC = timezone.utc
MADRID = ZoneInfo("Europe/Madrid")
START = datetime(2026, 12, 1, 10, tzinfo=MADRID)
STOP = datetime(2026, 12, 1, 12, tzinfo=MADRID)


def minutes(number):
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("alarm", "moments"),
    [
        (Alarm(trigger=minutes(-15)), ["08:45"]),
        (Alarm(trigger=minutes(5), related="END"), ["11:05"]),
        (Alarm(trigger=datetime(2026, 12, 1, 7, tzinfo=UTC)), ["07:00"]),
        (Alarm(trigger=minutes(-15), repeat=2, duration=minutes(5)), ["08:45", "08:50", "08:55"]),
        (Alarm(trigger=minutes(-15), repeat=2), ["08:45"]),
    ],
)
def test_times(alarm, moments):
    found = alarms.times(alarm, START, STOP)
    assert [f"{moment:%H:%M}" for moment in found] == moments
    assert all(moment.tzinfo is UTC for moment in found)


def test_a_day_begins_at_the_user_s_midnight():
    alarm = Alarm(trigger=timedelta(hours=-6))
    [moment] = alarms.times(alarm, date(2026, 12, 1), date(2026, 12, 2), MADRID)
    assert moment == datetime(2026, 11, 30, 17, tzinfo=UTC)


def test_a_day_before_is_the_same_hour_also_when_clocks_change():
    start = datetime(2026, 10, 25, 10, tzinfo=MADRID)
    [moment] = alarms.times(Alarm(trigger=timedelta(days=-1)), start, None)
    assert moment.astimezone(MADRID).hour == 10


def test_what_repeats_for_ever_is_refused():
    with pytest.raises(LimitExceeded):
        alarms.times(Alarm(trigger=minutes(0), repeat=10**9, duration=minutes(1)), START, STOP)


def test_seen_and_snoozed_alarms_do_not_go_off_again():
    seen = Alarm(trigger=minutes(-30), acknowledged=datetime(2026, 12, 1, 8, 31, tzinfo=UTC))
    first = Alarm(trigger=minutes(-20), uid="a")
    later = Alarm(trigger=datetime(2026, 12, 1, 8, 58, tzinfo=UTC),
                  relations=(Related("a", EMPTY.put(RELTYPE="SNOOZE")),))  # fmt: skip
    item = Event(uid="x", start=START, end=STOP, alarms=(seen, first, later))
    assert [alarm for _, alarm in alarms.pending(item, START, STOP)] == [later]
    again = Alarm(trigger=minutes(-30), acknowledged=datetime(2026, 12, 1, 8, 29, tzinfo=UTC))
    item = Event(uid="x", start=START, end=STOP, alarms=(again,))
    assert len(alarms.pending(item, START, STOP)) == 1


@given(
    st.sampled_from(["notification", "email"]), st.integers(-20_000, 20_000),
    st.sampled_from(["start", "end"]), st.integers(0, 5), st.integers(1, 90),
)  # fmt: skip
def test_reminders_there_and_back(kind, offset, related, repeat, every):
    meaning = alarms.Meaning(kind, offset, related, repeat=repeat, every=every if repeat else 0)
    alarm = alarms.from_meaning(meaning, "Meeting")
    assert alarms.to_meaning(alarm) == meaning
    assert alarm.description == "Meeting"
    assert (alarm.summary is not None) == (kind == "email")


def test_a_fixed_time_there_and_back():
    meaning = alarms.Meaning("notification", at=datetime(2026, 11, 10, 8))
    alarm = alarms.from_meaning(meaning, "Meeting")
    assert alarm.trigger == datetime(2026, 11, 10, 8, tzinfo=UTC)
    assert alarms.to_meaning(alarm) == meaning


@pytest.mark.parametrize(
    "alarm",
    [
        Alarm(trigger=timedelta(seconds=-9)),
        Alarm(trigger=timedelta(days=-9000)),
        Alarm(trigger=minutes(-5), repeat=1, duration=timedelta(seconds=90)),
        Alarm(trigger=minutes(-5), repeat=1000, duration=minutes(1)),
        Alarm(trigger=minutes(-5), repeat=100, duration=timedelta(days=20_000)),
        Alarm(trigger=minutes(-5), repeat=100, duration=timedelta(days=99_999_999)),
        Alarm(trigger=datetime(9999, 12, 31, 23, tzinfo=UTC)),
        Alarm(trigger=datetime(1, 1, 1, tzinfo=MADRID)),
        Alarm(trigger=minutes(-5), action="PROCEDURE"),
        Alarm(trigger=minutes(-5), proximity="ARRIVE"),
        Alarm(trigger=minutes(-5), relations=(Related("x", EMPTY.put(RELTYPE="SNOOZE")),)),
    ],
)  # fmt: skip
def test_what_odoo_has_no_reminder_for(alarm):
    assert alarms.to_meaning(alarm) is None

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
    st.sampled_from(["notification", "email"]), st.integers(0, 500),
    st.sampled_from(["minutes", "hours", "days"]),
)  # fmt: skip
def test_odoo_s_reminders_there_and_back(kind, duration, interval):
    given_ = {"alarm_type": kind, "duration": duration, "interval": interval}
    alarm = alarms.from_fields(given_, "Meeting")
    back = alarms.to_fields(alarm)
    units = dict(alarms.UNITS)
    assert back["duration"] * units[back["interval"]] == duration * units[interval]
    assert back["alarm_type"] == kind
    assert alarm.trigger <= timedelta(0)
    assert alarm.description == "Meeting"
    assert (alarm.summary is not None) == (kind == "email")


@pytest.mark.parametrize(
    "alarm",
    [
        Alarm(trigger=minutes(5)), Alarm(trigger=START), Alarm(trigger=minutes(-5), related="END"),
        Alarm(trigger=minutes(-5), repeat=1, duration=minutes(1)),
        Alarm(trigger=timedelta(seconds=-9)),
        Alarm(trigger=minutes(-5), action="PROCEDURE"),
        Alarm(trigger=minutes(-5), proximity="ARRIVE"),
    ],
)  # fmt: skip
def test_what_odoo_has_no_reminder_for(alarm):
    assert alarms.to_fields(alarm) is None

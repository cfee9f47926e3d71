"""Meetings that are exported, read by khal: the same occurrences."""

import tempfile
import unittest
from datetime import datetime

from odoo.tests import freeze_time, tagged

from ..ical.text import to_text
from .khal_judge import KHAL, MISSING, listed
from .test_ical_event import NOW, IcalCase

FIRST, LAST = datetime(2027, 1, 1), datetime(2028, 12, 31)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
@unittest.skipUnless(KHAL, MISSING)
class TestKhal(IcalCase):
    def assert_listed(self, *meetings):
        """:param meetings: recordsets, one for each UID"""
        texts = [self.text(events[:1]) for events in meetings]
        self.assert_seen(texts, self.env["calendar.event"].concat(*meetings).filtered("active"))

    def assert_seen(self, texts, events):
        expected = {
            (f"{event.start.date() if event.allday else event.start:%Y-%m-%d %H:%M}", event.name)
            for event in events
        }
        with tempfile.TemporaryDirectory() as folder:
            seen = listed(folder, texts, FIRST.date(), LAST.date())
        self.assertEqual(seen, expected)

    def test_single_meetings(self):
        self.assert_listed(
            self.make_meeting(start=datetime(2027, 3, 28, 0, 30), name="Night of the change"),
            self.make_meeting(
                name="A day", allday=True, start=datetime(2027, 5, 1, 8),
                start_date="2027-05-01", stop_date="2027-05-01",
            ),
        )  # fmt: skip

    def test_a_series_over_both_changes_of_the_clocks(self):
        weekly = self.series(
            datetime(2027, 2, 2, 9), rrule_type="weekly", tue=True, thu=True, count=90
        )
        monthly = self.series(
            datetime(2027, 2, 9, 9), rrule_type="monthly", month_by="day", byday="2",
            weekday="TUE", count=14, name="Monthly",
        )  # fmt: skip
        self.assert_listed(self.meetings(weekly), self.meetings(monthly))

    def test_a_series_with_exceptions(self):
        recurrence = self.series(datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6)
        first, second, third, fourth, *_rest = self.meetings(recurrence)
        third.write({"start": datetime(2027, 4, 1, 15), "stop": datetime(2027, 4, 1, 17)})
        fourth.name = "Elsewhere"
        second.active = False
        first.unlink()
        self.assert_listed(self.meetings(recurrence))

    def test_days_that_repeat(self):
        recurrence = self.series(
            datetime(2027, 3, 20, 8), rrule_type="weekly", sat=True, count=6, allday=True,
            start_date="2027-03-20", stop_date="2027-03-20",
        )  # fmt: skip
        self.assert_listed(self.meetings(recurrence))

    def test_one_meeting_of_a_series(self):
        recurrence = self.series(datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6)
        third = self.meetings(recurrence)[2].with_user(self.seller)
        [found] = third._ical_objects(whole_series=False).values()
        self.assert_seen([to_text(found.items)], third)

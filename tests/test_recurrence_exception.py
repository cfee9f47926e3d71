"""What of a series does not take place, or at another time."""

from datetime import date, datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .common import DAY
from .test_ical_event import NOW, IcalCase


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestException(IcalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Wizard = cls.env["calendar.series.exception"]

    def weekly(self, **values):
        return self.series(
            datetime(2027, 3, 16, 9), **{"rrule_type": "weekly", "tue": True, "count": 8, **values}
        )

    def dialog(self, recurrence, user=None):
        event = self.meetings(recurrence)[0].with_user(user or self.seller)
        action = event.action_series_exceptions()
        return self.Wizard.with_user(user or self.seller).browse(action["res_id"])

    def test_a_date_is_taken_out_and_brought_back(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        dialog = self.dialog(recurrence)
        self.assertFalse(dialog.line_ids)
        dialog.date = date(2027, 3, 30)
        dialog.action_add()
        self.assertFalse(events[2].active)
        self.assertEqual(recurrence.ical_exdates, ["2027-03-30T08:00:00"])
        self.assertEqual(dialog.line_ids.mapped("kind"), ["removed"])
        self.assertIn("30", events[0].with_user(self.seller).exception_summary)
        self.assert_same(recurrence)
        dialog.line_ids.action_bring_back()
        self.assertTrue(events[2].active)
        self.assertFalse(recurrence.ical_exdates)
        self.assertEqual(self.meetings(recurrence), events)
        self.assert_same(recurrence)

    def test_a_deleted_one_is_brought_back(self):
        recurrence = self.weekly()
        self.meetings(recurrence)[2].unlink()
        dialog = self.dialog(recurrence)
        dialog.line_ids.action_bring_back()
        back = self.meetings(recurrence)[2]
        self.assertEqual(back.start, datetime(2027, 3, 30, 8))
        self.assertEqual(back.attendee_ids.partner_id, self.everybody)
        self.assertFalse(recurrence.ical_exdates)
        self.assert_same(recurrence)

    def test_a_moved_one_shows_its_original_date_and_goes_back(self):
        recurrence = self.weekly()
        third = self.meetings(recurrence)[2]
        third.write({"start": third.start + DAY, "stop": third.stop + DAY})
        self.assertTrue(third.is_moved)
        dialog = self.dialog(recurrence)
        line = dialog.line_ids
        self.assertEqual((line.kind, line.place), ("moved", datetime(2027, 3, 30, 8)))
        self.assertEqual(line.start, datetime(2027, 3, 31, 8))
        line.action_bring_back()
        self.assertEqual(third.start, datetime(2027, 3, 30, 8))
        self.assertFalse(third.is_moved)
        self.assert_same(recurrence)

    def test_all_dates_of_a_rule(self):
        recurrence = self.weekly(count=16)
        events = self.meetings(recurrence)
        dialog = self.dialog(recurrence)
        dialog.write(
            {"kind": "rule", "rrule_type": "monthly", "month_by": "day", "byday": "1",
             "weekday": "TUE"}
        )  # fmt: skip
        self.assertEqual(dialog.preview.count("2027"), 3)
        dialog.action_add()
        gone = events.filtered(lambda event: not event.active)
        self.assertEqual([one.start.date() for one in gone],
                         [date(2027, 4, 6), date(2027, 5, 4), date(2027, 6, 1)])  # fmt: skip
        self.assertIn("rule", dialog.line_ids.mapped("kind"))
        self.assert_same(recurrence)
        # It is a rule of the series: what an edit adds is subject to it.
        events[0].with_user(self.seller).write({"count": 20, "recurrence_update": "all_events"})
        days = [event.start.date() for event in self.meetings(recurrence)]
        self.assertNotIn(date(2027, 7, 6), days)
        self.assertIn(date(2027, 7, 13), days)

    def test_a_rule_holds_for_the_meetings_still_to_be_made(self):
        recurrence = self.weekly(end_type="forever")
        self.dialog(recurrence).recurrence_id._series_leave_out_rule("FREQ=MONTHLY;BYDAY=1TU")
        moment = NOW + timedelta(days=200)
        with self.at(moment):
            recurrence._ical_extend_one()
        days = {event.start.date() for event in self.meetings(recurrence)}
        self.assertGreater(max(days), date(2029, 7, 1))
        self.assertFalse([day for day in days if day.day <= 7 and day.weekday() == 1])

    def test_a_date_beyond_those_that_are_made(self):
        recurrence = self.weekly(end_type="forever")
        dialog = self.dialog(recurrence)
        # A Tuesday, after the two years.
        dialog.date = date(2029, 5, 8)
        dialog.action_add()
        with self.at(NOW + timedelta(days=200)):
            recurrence._ical_extend_one()
        days = {event.start.date() for event in self.meetings(recurrence)}
        self.assertIn(date(2029, 5, 1), days)
        self.assertNotIn(date(2029, 5, 8), days)

    def test_what_cannot_be_is_said(self):
        recurrence = self.weekly(count=2)
        dialog = self.dialog(recurrence)
        with self.assertRaises(UserError):
            dialog.action_add()
        dialog.date = date(2027, 3, 17)
        with self.assertRaises(UserError):
            dialog.action_add()
        dialog.write({"kind": "rule", "rrule_type": "weekly", "fri": True})
        with self.assertRaises(UserError):
            dialog.action_add()
        dialog.write({"fri": False, "tue": True})
        with self.assertRaises(UserError):
            # All of them.
            dialog.action_add()
        self.assertEqual(len(self.meetings(recurrence)), 2)

    def test_whose_dialog_it_is(self):
        private = self.weekly(privacy="private")
        for user in (self.manager, self.portal):
            with self.assertRaises(AccessError):
                dialog = self.dialog(private, user)
                dialog.date = date(2027, 3, 30)
                dialog.action_add()
        self.assertEqual(len(self.meetings(private)), 8)
        mine = self.dialog(private)
        with self.assertRaises(AccessError):
            mine.with_user(self.other_seller).read(["date"])

    def test_the_list_is_not_written_by_hand(self):
        recurrence = self.weekly().with_user(self.seller)
        for name in ("ical_exdates", "ical_exrules", "ical_start", "ical_last"):
            with self.assertRaises(AccessError):
                recurrence.write({name: False})


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestDeletedByOdoosDialog(IcalCase):
    """What the calendar asks when a meeting of a series is deleted in it."""

    def deleted(self, how):
        """The meetings left of six, after the third was deleted in that way."""
        series = self.series(
            datetime(2027, 3, 16, 9),
            rrule_type="weekly", tue=True, count=6,
            partner_ids=[(4, self.seller.partner_id.id), (4, self.customer.id)],
        )  # fmt: skip
        events = series.calendar_event_ids.sorted("start")
        wizard = (
            self.env["calendar.popover.delete.wizard"]
            .with_user(self.seller)
            .with_context(default_recurrence=how)
            .create({"calendar_event_id": events[2].id, "delete": how})
        )
        wizard.action_delete()
        self.end_transaction()
        self.env.invalidate_all()
        return series, events

    def test_one(self):
        series, events = self.deleted("one")
        self.assertEqual(series.calendar_event_ids, events[:2] + events[3:])
        left = series.calendar_event_ids.sorted("start")
        left[0].with_user(self.seller).write({"name": "Renamed", "recurrence_update": "all_events"})
        self.end_transaction()
        self.env.invalidate_all()
        self.assertEqual(series.calendar_event_ids.sorted("start"), left, "it does not come back")

    def test_this_and_following(self):
        series, events = self.deleted("next")
        self.assertEqual(series.calendar_event_ids.filtered("active"), events[:2])
        self.assertEqual(events[2:].exists().filtered("active"), events.browse())

    def test_all(self):
        _series, events = self.deleted("all")
        self.assertFalse(events.exists().filtered("active"))

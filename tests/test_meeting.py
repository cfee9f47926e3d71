"""Meetings: booked, moved, cancelled, answered; alone, in series, and in private."""

from odoo.exceptions import ValidationError
from odoo.tests import freeze_time, tagged

from .common import DAY, HOUR, NOW, AutomationCase

SECRET = "Takeover of the vineyard"


class MeetingCase(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "no_mail_to_attendees": True})
        cls.seller.lang = "en_US"
        cls.everybody = cls.seller.partner_id + cls.other_seller.partner_id + cls.customer

    def make_meeting(self, start=NOW + DAY, **values):
        meeting = self.env["calendar.event"].create(
            {
                "name": "Tasting",
                "start": start,
                "stop": start + HOUR,
                "user_id": self.seller.id,
                "partner_ids": [(6, 0, self.everybody.ids)],
                **values,
            }
        )
        self.end_transaction()
        return meeting

    def make_series(self, count=30, **values):
        """A daily series; its meetings in their order."""
        meeting = self.make_meeting(
            recurrency=True, rrule_type="daily", interval=1, end_type="count", count=count, **values
        )
        return meeting.recurrence_id.calendar_event_ids.sorted("start")

    def move(self, meeting, update=False):
        """An hour later.

        :param str update: which meetings of its series with it, as Odoo calls it
        """
        values = {"start": meeting.start + HOUR, "stop": meeting.stop + HOUR}
        if update:
            values["recurrence_update"] = update
        meeting.write(values)

    def of_rule(self, rule):
        self.end_transaction()
        return self.Firing.search([("rule_id", "=", rule.id)])

    def answer_of(self, meeting, partner):
        return meeting.attendee_ids.filtered(lambda attendee: attendee.partner_id == partner)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestMeeting(MeetingCase):
    """One meeting, no series."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ticks = {"notify_responsible": False, "notify_attendees": True}
        cls.booked = cls.make_rule(trigger="meeting_booked", **ticks)
        cls.moved = cls.make_rule(trigger="meeting_moved", **ticks)
        cls.cancelled = cls.make_rule(trigger="meeting_cancelled", **ticks)

    def counts(self):
        return [len(self.of_rule(rule)) for rule in (self.booked, self.moved, self.cancelled)]

    def test_a_to_do_cannot_be_scheduled_on_a_meeting(self):
        with self.assertRaises(ValidationError):
            self.make_rule(
                trigger="meeting_booked",
                activity_type_id=self.env.ref("mail.mail_activity_data_call").id,
            )

    def test_booked(self):
        meeting = self.make_meeting()
        self.assertEqual(self.counts(), [1, 0, 0])
        self.drain()
        firing = self.firings(meeting)
        self.assertEqual(
            set(firing.delivery_ids.mapped("email")),
            {"seller@example.com", "other@example.com", "azure@example.com"},
        )
        bodies = {d.email: d.mail_id.body_html for d in firing.delivery_ids}
        # Each in his own zone, which is named: Madrid is two hours ahead.
        self.assertIn("12:00", bodies["seller@example.com"])
        self.assertIn("Europe/Madrid", bodies["seller@example.com"])

    def test_moved(self):
        meeting = self.make_meeting()
        meeting.write({"start": NOW + 2 * DAY, "stop": NOW + 2 * DAY + HOUR})
        self.assertEqual(self.counts(), [1, 1, 0])

    def test_made_longer_is_moved(self):
        meeting = self.make_meeting()
        meeting.stop += HOUR
        self.assertEqual(self.counts(), [1, 1, 0])

    def test_booked_and_moved_at_once_is_booked(self):
        meeting = self.env["calendar.event"].create(
            {"name": "T", "start": NOW + DAY, "stop": NOW + DAY + HOUR}
        )
        meeting.write({"start": NOW + 2 * DAY, "stop": NOW + 2 * DAY + HOUR})
        self.assertEqual(self.counts(), [1, 0, 0])

    def test_moved_and_back_is_not_moved(self):
        meeting = self.make_meeting()
        meeting.write({"start": NOW + 2 * DAY, "stop": NOW + 2 * DAY + HOUR})
        self.env.cr.flush()
        meeting.write({"start": NOW + DAY, "stop": NOW + DAY + HOUR})
        self.assertEqual(self.counts(), [1, 0, 0])

    def test_something_else_changed(self):
        self.make_meeting().write({"name": "Big tasting", "location": "Cellar"})
        self.assertEqual(self.counts(), [1, 0, 0])

    def test_cancelled_by_archiving(self):
        meeting = self.make_meeting()
        meeting.active = False
        self.assertEqual(self.counts(), [1, 0, 1])
        self.drain()
        firing = self.of_rule(self.cancelled)
        self.assertEqual(firing.state, "done")
        subjects = {d.email: d.mail_id.subject for d in firing.delivery_ids}
        self.assertEqual(subjects["other@example.com"], "Meeting cancelled: Tasting")

    def test_cancelled_by_deleting(self):
        meeting = self.make_meeting()
        meeting.unlink()
        self.assertEqual(self.counts(), [1, 0, 1])
        self.drain()
        firing = self.of_rule(self.cancelled)
        self.assertEqual((firing.state, firing.record_name), ("done", "Tasting"))
        self.assertEqual(
            set(firing.delivery_ids.mapped("email")),
            {"seller@example.com", "other@example.com", "azure@example.com"},
        )

    def test_archived_then_deleted_is_cancelled_once(self):
        meeting = self.make_meeting()
        meeting.active = False
        self.assertEqual(self.counts(), [1, 0, 1])
        meeting.unlink()
        self.assertEqual(self.counts(), [1, 0, 1])

    def test_brought_back_is_neither_moved_nor_cancelled(self):
        meeting = self.make_meeting(active=False)
        meeting.active = True
        self.assertEqual(self.counts(), [0, 0, 0])

    def test_past_meetings_send_nothing(self):
        meeting = self.make_meeting(NOW - DAY)
        meeting.write({"start": NOW - 2 * DAY, "stop": NOW - 2 * DAY + HOUR})
        self.end_transaction()
        meeting.active = False
        self.end_transaction()
        meeting.unlink()
        self.assertEqual(self.counts(), [0, 0, 0])

    def test_who_has_declined_is_left_out(self):
        meeting = self.make_meeting()
        self.drain()
        self.answer_of(meeting, self.customer).do_decline()
        meeting.write({"start": NOW + 2 * DAY, "stop": NOW + 2 * DAY + HOUR})
        self.drain()
        by_email = {d.email: d for d in self.of_rule(self.moved).delivery_ids}
        self.assertEqual(by_email["azure@example.com"].state, "skipped")
        self.assertEqual(by_email["azure@example.com"].reason, "Azure & Sons has declined.")
        self.assertEqual(by_email["other@example.com"].state, "queued")


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestSeries(MeetingCase):
    """Of a series one notice, whatever Odoo does to its rows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ticks = {"notify_responsible": False, "notify_attendees": True}
        cls.booked = cls.make_rule(trigger="meeting_booked", **ticks)
        cls.moved = cls.make_rule(trigger="meeting_moved", **ticks)
        cls.cancelled = cls.make_rule(trigger="meeting_cancelled", **ticks)

    def series(self, **values):
        """A series whose booking is told already."""
        events = self.make_series(**values)
        self.of_rule(self.booked).sudo().unlink()
        return events

    def assertTold(self, booked=0, moved=0, cancelled=0):
        counts = [len(self.of_rule(rule)) for rule in (self.booked, self.moved, self.cancelled)]
        self.assertEqual(counts, [booked, moved, cancelled])

    def test_booked(self):
        events = self.make_series()
        self.assertEqual(len(events), 30)
        self.assertTold(booked=1)
        self.assertEqual(self.of_rule(self.booked).res_id, events[0].id)

    def test_two_series_are_two(self):
        self.make_series(count=3)
        self.make_series(count=3)
        self.assertTold(booked=2)

    def test_all_moved(self):
        events = self.series()
        events[0].write(
            {
                "start": NOW + DAY + HOUR,
                "stop": NOW + DAY + 2 * HOUR,
                "recurrence_update": "all_events",
            }
        )
        self.assertTold(moved=1)
        self.drain()
        firing = self.of_rule(self.moved)
        self.assertEqual(firing.state, "done")
        self.assertEqual(len(firing.delivery_ids.filtered("mail_id")), 3)

    def test_all_moved_from_the_middle(self):
        events = self.series()
        self.move(events[10], "all_events")
        self.assertTold(moved=1)

    def test_this_and_following_moved(self):
        events = self.series()
        self.move(events[10], "future_events")
        self.assertTold(moved=1)
        self.assertEqual(self.of_rule(self.moved).res_id, events[10].id)

    def test_another_rhythm_for_this_and_following(self):
        events = self.series()
        events[10].write({"interval": 2, "recurrence_update": "future_events"})
        self.assertTold(moved=0, cancelled=0)

    def test_one_moved(self):
        events = self.series()
        self.move(events[4], "self_only")
        self.assertTold(moved=1)
        self.assertEqual(self.of_rule(self.moved).res_id, events[4].id)

    def test_all_renamed(self):
        events = self.series(count=5)
        events[0].write({"name": "Big tasting", "recurrence_update": "all_events"})
        self.assertTold()

    def test_all_cancelled_by_archiving(self):
        events = self.series()
        events[0].action_mass_archive("all_events")
        self.assertTold(cancelled=1)

    def test_all_cancelled_by_deleting(self):
        events = self.series()
        events[0].action_mass_deletion("all_events")
        self.assertTold(cancelled=1)
        self.drain()
        self.assertEqual(self.of_rule(self.cancelled).state, "done")

    def test_this_and_following_cancelled(self):
        events = self.series()
        events[10].action_mass_archive("future_events")
        self.assertTold(cancelled=1)

    def test_this_and_following_deleted(self):
        events = self.series()
        events[10].action_mass_deletion("future_events")
        self.assertTold(cancelled=1)

    def test_one_cancelled(self):
        events = self.series(count=5)
        events[2].action_mass_archive("self_only")
        self.assertTold(cancelled=1)
        self.assertEqual(self.of_rule(self.cancelled).res_id, events[2].id)

    def test_one_deleted(self):
        events = self.series(count=5)
        events[2].unlink()
        self.assertTold(cancelled=1)

    def test_booked_after_it_has_begun(self):
        events = self.make_series(count=5, start=NOW - 2 * DAY)
        self.assertTold(booked=1)
        self.assertEqual(self.of_rule(self.booked).res_id, events[2].id)

    def test_booked_when_it_is_over(self):
        self.make_series(count=3, start=NOW - 10 * DAY)
        self.assertTold()

    def test_all_moved_after_it_has_begun(self):
        """Odoo moves the first meeting and makes the others anew: the next one is told."""
        events = self.series(count=5, start=NOW - 2 * DAY)
        self.move(events[3], "all_events")
        self.assertTold(moved=1)
        self.drain()
        firing = self.of_rule(self.moved)
        meeting = self.env["calendar.event"].browse(firing.res_id)
        self.assertEqual((meeting.start, meeting.active), (NOW + HOUR, True))
        self.assertEqual(firing.state, "done", firing.reason)

    def test_all_moved_when_it_is_over(self):
        events = self.series(count=3, start=NOW - 10 * DAY)
        self.move(events[0], "all_events")
        self.assertTold()

    def test_a_series_that_has_begun(self):
        """The meetings that are over are not cancelled; the others are."""
        events = self.series(count=5, start=NOW - 2 * DAY)
        self.assertEqual(len(events.filtered(lambda event: event.stop < NOW)), 2)
        events[0].action_mass_archive("all_events")
        self.assertTold(cancelled=1)
        self.assertGreater(
            self.env["calendar.event"].browse(self.of_rule(self.cancelled).res_id).stop, NOW
        )

    def test_what_a_series_costs_does_not_grow_with_it(self):
        """Of the rules' own: not one query for each of its meetings."""
        costs = []
        for count in (5, 50):
            events = self.series(count=count)
            events.write({"active": False})
            before = self.env.cr.sql_log_count
            self.assertTold(cancelled=1)
            costs.append(self.env.cr.sql_log_count - before)
            self.of_rule(self.cancelled).sudo().unlink()
        self.assertLess(costs[1], costs[0] + 20)

    def test_a_series_is_reminded_of_one_by_one(self):
        rule = self.make_rule(
            trigger="moment", model_id=self.env["ir.model"]._get_id("calendar.event"),
            delay_number=1, delay_unit="hours", delay_before="before", notify_attendees=True,
        )  # fmt: skip
        events = self.series(count=3)
        rule.sudo().enabled_since = NOW - DAY
        with self.at(NOW + DAY - HOUR), self.no_commit():
            self.Rule._enqueue_moments()
            self.Firing._drain()
        firing = self.of_rule(rule)
        self.assertEqual((firing.res_id, firing.state), (events[0].id, "done"))

    def test_what_odoo_leaves_of_a_moved_series_is_not_reminded_of(self):
        rule = self.make_rule(
            trigger="moment", model_id=self.env["ir.model"]._get_id("calendar.event"),
            delay_number=1, delay_unit="hours", delay_before="before", notify_attendees=True,
        )  # fmt: skip
        rule.sudo().enabled_since = NOW - DAY
        events = self.series(count=3)
        events[0].write(
            {
                "start": events[0].start + 3 * HOUR,
                "stop": events[0].stop + 3 * HOUR,
                "recurrence_update": "all_events",
            }
        )
        self.end_transaction()
        # Where the second meeting was.
        with self.at(NOW + 2 * DAY - HOUR), self.no_commit():
            self.Rule._enqueue_moments()
            self.Firing._drain()
        self.assertNotIn(NOW + 2 * DAY - HOUR, self.of_rule(rule).mapped("due_at"))

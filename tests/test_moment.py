"""Rules about dates: before and after, in the right zone, once, and never too late."""

from datetime import date, datetime, timedelta
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import DAY, FIRING_LOG, HOUR, MINUTE, NOW, AutomationCase

LONG_AGO = NOW - timedelta(days=400)


class MomentCase(AutomationCase):
    """A rule is about meetings, five minutes before, unless a test says otherwise.

    The company has no zone of its own, so that of Sergio Seller counts: Madrid.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.partner_id.tz = False

    def make_moment_rule(self, since=LONG_AGO, model="calendar.event", **values):
        values = {
            "trigger": "moment",
            "model_id": self.env["ir.model"]._get_id(model),
            "date_type": "date",
            "delay_number": 5,
            "delay_unit": "minutes",
            "delay_before": "before",
            **values,
        }
        with self.at(since):
            return self.make_rule(**values)

    def make_meeting(self, start, booked=NOW - DAY, **values):
        with self.at(booked):
            meeting = (
                self.env["calendar.event"]
                .with_context(no_mail_to_attendees=True)
                .create(
                    {
                        "name": "Tasting",
                        "start": start,
                        "stop": start + HOUR,
                        "user_id": self.seller.id,
                        "partner_ids": [(6, 0, self.seller.partner_id.ids)],
                        **values,
                    }
                )
            )
            self.end_transaction()
        return meeting

    def lead_of(self, moment, **values):
        """A lead that is created at that moment."""
        with self.at(moment):
            lead = self.make_lead(**values)
            self.env.flush_all()
        return lead

    def look(self, moment):
        """The enqueuer, then a drainer, at that moment."""
        self.end_transaction()
        with self.at(moment), self.no_commit():
            self.Rule._enqueue_moments()
            self.Firing._drain()

    def states(self, record):
        return self.firings(record).sorted("due_at").mapped("state")

    def assertFiresAt(self, record, moment):
        """Not a second before that moment, and once from then on."""
        self.look(moment - timedelta(seconds=1))
        self.assertNotIn("done", self.states(record))
        self.look(moment)
        self.assertEqual(self.states(record), ["done"])
        self.assertEqual(self.firings(record).due_at, moment)
        self.look(moment + MINUTE)
        self.assertEqual(self.states(record), ["done"])


@tagged("post_install", "-at_install")
class TestMomentOfARecord(MomentCase):
    """Which moment a rule means."""

    def test_minutes_before_a_meeting(self):
        self.make_moment_rule()
        self.assertFiresAt(self.make_meeting(NOW), NOW - 5 * MINUTE)

    def test_hours_after_a_meeting_has_begun(self):
        self.make_moment_rule(delay_number=2, delay_unit="hours", delay_before="after")
        self.assertFiresAt(self.make_meeting(NOW), NOW + 2 * HOUR)

    def test_at_the_date_itself(self):
        self.make_moment_rule(delay_number=0, delay_before="after")
        self.assertFiresAt(self.make_meeting(NOW), NOW)

    def test_the_deadline_of_a_meeting_is_its_end(self):
        self.make_moment_rule(date_type="deadline", delay_before="after")
        self.assertFiresAt(self.make_meeting(NOW), NOW + HOUR + 5 * MINUTE)

    def test_days_after_the_creation(self):
        self.make_moment_rule(
            model="crm.lead", date_type="create", delay_before="after", delay_number=5,
            delay_unit="days",
        )  # fmt: skip
        self.assertFiresAt(self.lead_of(NOW), NOW + 5 * DAY)

    def test_months_after_the_creation(self):
        self.make_moment_rule(
            model="crm.lead", date_type="create", delay_before="after", delay_number=2,
            delay_unit="months",
        )  # fmt: skip
        self.assertFiresAt(self.lead_of(NOW), NOW + relativedelta(months=2))

    def test_hours_after_the_last_update(self):
        self.make_moment_rule(
            model="crm.lead", date_type="last_update", delay_before="after", delay_number=3,
            delay_unit="hours",
        )  # fmt: skip
        lead = self.lead_of(NOW - DAY)
        with self.at(NOW):
            lead.write({"name": "More corks"})
            self.env.flush_all()
        self.assertFiresAt(lead, NOW + 3 * HOUR)

    def test_days_after_the_last_action(self):
        self.make_moment_rule(
            model="crm.lead", date_type="last_action", delay_before="after", delay_number=2,
            delay_unit="days",
        )  # fmt: skip
        lead = self.lead_of(NOW - 10 * DAY)
        with self.at(NOW):
            lead.message_post(body="I called them", message_type="comment")
        self.assertFiresAt(lead, NOW + 2 * DAY)

    def test_without_an_action_the_creation_counts_as_the_last(self):
        self.make_moment_rule(
            model="crm.lead", date_type="last_action", delay_before="after", delay_number=2,
            delay_unit="days",
        )  # fmt: skip
        lead = self.lead_of(NOW)
        lead.message_ids.unlink()
        self.assertFiresAt(lead, NOW + 2 * DAY)

    def test_our_own_notice_is_no_last_action(self):
        self.make_moment_rule(
            model="crm.lead", date_type="last_action", delay_before="after", delay_number=2,
            delay_unit="days",
        )  # fmt: skip
        lead = self.lead_of(NOW)
        self.look(NOW + 2 * DAY)
        self.assertEqual(self.states(lead), ["done"])
        self.assertIn("email_outgoing", lead.message_ids.mapped("message_type"))
        self.look(NOW + 4 * DAY)
        self.assertEqual(self.states(lead), ["done"])

    def test_a_further_action_lets_it_fire_again(self):
        self.make_moment_rule(
            model="crm.lead", date_type="last_action", delay_before="after", delay_number=2,
            delay_unit="days",
        )  # fmt: skip
        lead = self.lead_of(NOW)
        self.look(NOW + 2 * DAY)
        with self.at(NOW + 3 * DAY):
            lead.message_post(body="They called", message_type="comment")
        self.look(NOW + 5 * DAY)
        self.assertEqual(self.states(lead), ["done", "done"])

    def test_any_date_field(self):
        field = self.env["ir.model.fields"]._get("crm.lead", "date_open")
        self.make_moment_rule(
            model="crm.lead", date_type="field", date_field_id=field.id, delay_before="after",
            delay_unit="hours", delay_number=1,
        )  # fmt: skip
        lead = self.lead_of(NOW - DAY)
        lead.date_open = NOW
        self.assertFiresAt(lead, NOW + HOUR)

    def test_a_record_without_the_date(self):
        field = self.env["ir.model.fields"]._get("crm.lead", "date_open")
        self.make_moment_rule(
            model="crm.lead", date_type="field", date_field_id=field.id, delay_before="after"
        )
        lead = self.lead_of(NOW, user_id=False)
        self.assertFalse(lead.date_open)
        self.look(NOW + 6 * MINUTE)
        self.assertFalse(self.firings(lead))

    def test_lost_records_are_seen(self):
        field = self.env["ir.model.fields"]._get("crm.lead", "date_closed")
        self.make_moment_rule(
            model="crm.lead", date_type="field", date_field_id=field.id, delay_before="after",
            delay_number=1, delay_unit="hours",
        )  # fmt: skip
        lead = self.lead_of(NOW - DAY, type="opportunity")
        with self.at(NOW):
            lead.action_set_lost()
            self.env.flush_all()
        self.assertFalse(lead.active)
        self.assertFiresAt(lead, NOW + HOUR)


@tagged("post_install", "-at_install")
class TestMomentOfADay(MomentCase):
    """A date without an hour, and the steps of a calendar, in a time zone."""

    def deadline_rule(self, **values):
        return self.make_moment_rule(
            **{
                "model": "crm.lead", "date_type": "deadline", "delay_number": 1,
                "delay_unit": "days", "date_hour": 8.5, **values,
            }
        )  # fmt: skip

    def test_at_the_hour_in_the_zone_of_the_responsible(self):
        self.deadline_rule()
        lead = self.lead_of(NOW - DAY, date_deadline=date(2027, 6, 17))
        # Sergio is in Madrid, two hours ahead of UTC in summer.
        self.assertFiresAt(lead, datetime(2027, 6, 16, 6, 30))

    def test_the_zone_of_the_company_goes_before_that_of_the_responsible(self):
        self.env.company.partner_id.tz = "Atlantic/Canary"
        self.deadline_rule()
        lead = self.lead_of(
            NOW - DAY, date_deadline=date(2027, 6, 17), company_id=self.env.company.id
        )
        self.assertFiresAt(lead, datetime(2027, 6, 16, 7, 30))

    def test_the_zone_of_the_record_goes_first(self):
        self.env.company.partner_id.tz = "Atlantic/Canary"
        self.customer.tz = "Asia/Tokyo"
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_day", "field_description": "Day", "ttype": "date",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
            }
        )  # fmt: skip
        self.make_moment_rule(
            model="res.partner", date_type="field", date_field_id=field.id, delay_number=0,
            delay_before="after", date_hour=9.0, notify_responsible=False, notify_customer=True,
        )  # fmt: skip
        self.customer.x_day = date(2027, 6, 17)
        self.assertFiresAt(self.customer, datetime(2027, 6, 17, 0, 0))

    def test_without_any_zone_that_of_the_owner(self):
        self.manager.tz = "America/New_York"
        self.deadline_rule(notify_emails="boss@example.com")
        lead = self.lead_of(NOW - DAY, date_deadline=date(2027, 6, 17), user_id=False)
        self.assertFiresAt(lead, datetime(2027, 6, 16, 12, 30))

    def test_the_hour_stays_when_summer_time_begins(self):
        self.deadline_rule(delay_number=1, delay_before="after")
        # The clocks change in the night to Sunday the 28th of March.
        lead = self.lead_of(datetime(2027, 3, 1), date_deadline=date(2027, 3, 27))
        self.assertFiresAt(lead, datetime(2027, 3, 28, 6, 30))
        before = self.lead_of(datetime(2027, 3, 1), date_deadline=date(2027, 3, 26))
        self.look(datetime(2027, 3, 27, 7, 30))
        self.assertEqual(self.firings(before).due_at, datetime(2027, 3, 27, 7, 30))

    def test_the_hour_stays_when_summer_time_ends(self):
        self.deadline_rule(delay_number=1, delay_before="before")
        # The clocks change in the night to Sunday the 31st of October.
        lead = self.lead_of(datetime(2027, 10, 1), date_deadline=date(2027, 11, 1))
        self.assertFiresAt(lead, datetime(2027, 10, 31, 7, 30))
        before = self.lead_of(datetime(2027, 10, 1), date_deadline=date(2027, 10, 31))
        self.look(datetime(2027, 10, 30, 6, 30))
        self.assertEqual(self.firings(before).due_at, datetime(2027, 10, 30, 6, 30))

    def test_a_day_before_a_meeting_is_the_same_hour_over_both_changes(self):
        self.make_moment_rule(delay_number=1, delay_unit="days")
        spring = self.make_meeting(datetime(2027, 3, 28, 7, 0), booked=datetime(2027, 3, 1))
        self.assertFiresAt(spring, datetime(2027, 3, 27, 8, 0))
        autumn = self.make_meeting(datetime(2027, 10, 31, 8, 0), booked=datetime(2027, 10, 1))
        self.assertFiresAt(autumn, datetime(2027, 10, 30, 7, 0))

    def test_hours_are_a_length_of_time_over_a_change(self):
        self.make_moment_rule(delay_number=24, delay_unit="hours")
        meeting = self.make_meeting(datetime(2027, 3, 28, 7, 0), booked=datetime(2027, 3, 1))
        self.assertFiresAt(meeting, datetime(2027, 3, 27, 7, 0))

    def test_created_on_the_day_after_its_hour(self):
        """Stock loses it: the pass of the day is over."""
        self.env.company.partner_id.tz = "UTC"
        self.deadline_rule(date_hour=8.0)
        lead = self.lead_of(NOW, date_deadline=NOW.date() + DAY)
        self.look(NOW + MINUTE)
        self.assertEqual(self.states(lead), ["done"])

    def test_a_meeting_of_a_whole_day_begins_in_the_zone_of_its_organiser(self):
        """Odoo keeps 8:00 UTC for it, wherever it is."""
        self.seller.tz = "Asia/Tokyo"
        self.make_moment_rule(delay_number=1, delay_unit="hours", date_hour=9.0)
        meeting = self.make_meeting(
            datetime(2027, 6, 16, 8, 0), allday=True, start_date=date(2027, 6, 16),
            stop_date=date(2027, 6, 16),
        )  # fmt: skip
        self.assertTrue(meeting.allday)
        self.assertFiresAt(meeting, datetime(2027, 6, 15, 23, 0))


@tagged("post_install", "-at_install")
class TestMomentAndChanges(MomentCase):
    """Booked late, moved, no longer matching, too late."""

    def test_booked_inside_the_window(self):
        self.make_moment_rule()
        meeting = self.make_meeting(NOW + 3 * MINUTE, booked=NOW)
        self.look(NOW)
        self.assertEqual(self.states(meeting), ["done"])
        self.assertEqual(self.firings(meeting).delivery_ids.email, "seller@example.com")

    def test_booked_inside_the_window_of_a_rule_just_switched_on(self):
        self.make_moment_rule(since=NOW - MINUTE)
        meeting = self.make_meeting(NOW + 3 * MINUTE, booked=NOW)
        self.look(NOW)
        self.assertEqual(self.states(meeting), ["done"])

    def test_moved_nearer(self):
        self.make_moment_rule()
        meeting = self.make_meeting(NOW + 5 * HOUR)
        self.look(NOW)
        self.assertFalse(self.firings(meeting))
        meeting.write({"start": NOW + 2 * MINUTE, "stop": NOW + HOUR})
        self.look(NOW)
        self.assertEqual(self.states(meeting), ["done"])

    def test_moved_later(self):
        self.make_moment_rule()
        meeting = self.make_meeting(NOW + 20 * MINUTE)
        self.look(NOW)
        self.assertEqual(self.states(meeting), ["pending"])
        meeting.write({"start": NOW + 40 * MINUTE, "stop": NOW + 2 * HOUR})
        self.look(NOW + 15 * MINUTE)
        old, new = self.firings(meeting).sorted("due_at")
        self.assertEqual((old.state, old.reason), ("skipped", "The date was moved."))
        self.assertEqual(new.state, "pending")
        self.look(NOW + 35 * MINUTE)
        self.assertEqual(self.states(meeting), ["skipped", "done"])
        self.assertEqual(new.due_at, NOW + 35 * MINUTE)

    def test_moved_after_the_notice_tells_again(self):
        self.make_moment_rule()
        meeting = self.make_meeting(NOW + 5 * MINUTE)
        self.look(NOW)
        meeting.write({"start": NOW + HOUR, "stop": NOW + 2 * HOUR})
        self.look(NOW + 55 * MINUTE)
        self.assertEqual(self.states(meeting), ["done", "done"])

    def test_moved_away_and_back(self):
        self.make_moment_rule()
        meeting = self.make_meeting(NOW + 5 * MINUTE)
        self.look(NOW - MINUTE)
        meeting.write({"start": NOW + 5 * HOUR, "stop": NOW + 6 * HOUR})
        self.look(NOW)
        self.assertEqual(self.states(meeting), ["skipped"])
        meeting.write({"start": NOW + 5 * MINUTE, "stop": NOW + HOUR})
        self.look(NOW + MINUTE)
        self.assertEqual(sorted(self.states(meeting)), ["done", "skipped"])

    def test_no_longer_matching_when_due(self):
        self.make_moment_rule(filter_domain="[('location', '=', 'Cellar')]")
        meeting = self.make_meeting(NOW, location="Cellar")
        self.look(NOW - 20 * MINUTE)
        self.assertEqual(self.states(meeting), ["pending"])
        meeting.location = "Office"
        self.look(NOW - 5 * MINUTE)
        firing = self.firings(meeting)
        self.assertEqual(firing.state, "skipped")
        self.assertIn("no longer matched", firing.reason)
        self.assertFalse(firing.delivery_ids)

    def test_matching_again_before_it_is_too_late(self):
        self.make_moment_rule(filter_domain="[('location', '=', 'Cellar')]")
        meeting = self.make_meeting(NOW, location="Cellar")
        self.look(NOW - 20 * MINUTE)
        meeting.location = "Office"
        self.look(NOW - 5 * MINUTE)
        meeting.location = "Cellar"
        self.look(NOW - 3 * MINUTE)
        self.assertEqual(sorted(self.states(meeting)), ["done", "skipped"])

    def test_matching_only_after_its_moment(self):
        self.make_moment_rule(filter_domain="[('location', '=', 'Cellar')]")
        meeting = self.make_meeting(NOW)
        self.look(NOW - 5 * MINUTE)
        self.assertFalse(self.firings(meeting))
        meeting.location = "Cellar"
        self.look(NOW - 2 * MINUTE)
        self.assertEqual(self.states(meeting), ["done"])

    def test_archived_before_its_moment(self):
        self.make_moment_rule(filter_domain="[('active', '=', True)]")
        meeting = self.make_meeting(NOW)
        self.look(NOW - 20 * MINUTE)
        meeting.active = False
        self.look(NOW - 5 * MINUTE)
        self.assertEqual(self.states(meeting), ["skipped"])

    def test_a_cancelled_meeting_needs_no_reminder(self):
        self.make_moment_rule()
        meeting = self.make_meeting(NOW)
        self.look(NOW - 20 * MINUTE)
        meeting.active = False
        self.look(NOW - 5 * MINUTE)
        self.assertEqual(self.states(meeting), ["skipped"])
        other = self.make_meeting(NOW, active=False)
        self.look(NOW - 5 * MINUTE)
        self.assertFalse(self.firings(other))

    def test_nothing_for_the_past_when_switched_on(self):
        past = self.make_meeting(NOW - HOUR)
        just_over = self.make_meeting(NOW + 4 * MINUTE)
        ahead = self.make_meeting(NOW + 6 * MINUTE)
        self.make_moment_rule(since=NOW)
        self.look(NOW + MINUTE)
        self.assertFalse(self.firings(past + just_over))
        self.assertEqual(self.states(ahead), ["done"])

    def test_nothing_for_the_time_in_the_archive(self):
        rule = self.make_moment_rule(delay_before="after")
        rule.with_user(self.manager).active = False
        meeting = self.make_meeting(NOW)
        self.look(NOW + 10 * MINUTE)
        with self.at(NOW + HOUR):
            rule.with_user(self.manager).active = True
        self.look(NOW + HOUR)
        self.assertFalse(self.firings(meeting))

    def test_never_after_the_meeting_has_begun(self):
        self.make_moment_rule(lateness_hours=24)
        meeting = self.make_meeting(NOW)
        self.look(NOW - 20 * MINUTE)
        self.look(NOW + MINUTE)
        firing = self.firings(meeting)
        self.assertEqual(firing.state, "expired")
        self.assertFalse(firing.delivery_ids)

    def test_a_failure_is_not_tried_again_after_the_meeting_has_begun(self):
        self.make_moment_rule()
        meeting = self.make_meeting(NOW)
        notice = type(self.Rule)
        with (
            patch.object(notice, "_letter", side_effect=RuntimeError("broken")),
            mute_logger(FIRING_LOG),
        ):
            self.look(NOW - 5 * MINUTE)
        self.assertEqual(self.firings(meeting).tries, 1)
        self.look(NOW + MINUTE)
        self.assertEqual(self.states(meeting), ["expired"])

    def test_within_the_lateness_limit(self):
        self.make_moment_rule(delay_before="after", lateness_hours=2)
        meeting = self.make_meeting(NOW)
        self.look(NOW + 2 * HOUR)
        self.assertEqual(self.states(meeting), ["done"])

    def test_beyond_the_lateness_limit(self):
        self.make_moment_rule(delay_before="after", lateness_hours=2)
        meeting = self.make_meeting(NOW)
        self.look(NOW - MINUTE)
        self.assertEqual(self.states(meeting), ["pending"])
        self.look(NOW + 3 * HOUR)
        firing = self.firings(meeting)
        self.assertEqual(firing.state, "expired")
        self.assertIn("Too late", firing.reason)

    def test_the_jobs_stood_still_for_longer_than_the_limit(self):
        self.make_moment_rule(delay_before="after", lateness_hours=2)
        meeting = self.make_meeting(NOW)
        self.look(NOW - DAY)
        self.look(NOW + DAY)
        firing = self.firings(meeting)
        self.assertEqual(firing.state, "expired")
        self.assertIn("Too late", firing.reason)
        self.look(NOW + DAY + HOUR)
        self.assertEqual(self.states(meeting), ["expired"])

    def test_the_jobs_stood_still_while_the_rule_was_off(self):
        rule = self.make_moment_rule(delay_before="after", lateness_hours=2)
        meeting = self.make_meeting(NOW)
        self.look(NOW - DAY)
        with self.at(NOW - DAY):
            rule.with_user(self.manager).action_disable()
        with self.at(NOW + DAY):
            rule.with_user(self.manager).action_enable()
        self.look(NOW + DAY)
        self.assertFalse(self.firings(meeting))

    def test_old_records_that_come_late_leave_no_line(self):
        self.make_moment_rule(delay_before="after", lateness_hours=2)
        meeting = self.make_meeting(NOW - 30 * DAY, booked=NOW)
        self.look(NOW)
        self.assertFalse(self.firings(meeting))

"""Dates that move, records that go, working days: what the ledger makes of them."""

from datetime import date, datetime, timedelta

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import DAY, HOUR, MINUTE, NOW
from .test_moment import MomentCase

#: Meetings are told of five minutes before.
START = NOW + HOUR


@tagged("post_install", "-at_install")
class TestMovedDate(MomentCase):
    def reminded(self, policy, **values):
        """A meeting that people were reminded of, and that is moved two hours later then."""
        self.make_moment_rule(moved_policy=policy, **values)
        meeting = self.make_meeting(START)
        self.look(START - 5 * MINUTE)
        self.assertEqual(self.firings(meeting).mapped("state"), ["done"])
        with self.at(START - 4 * MINUTE):
            meeting.write({"start": START + 2 * HOUR, "stop": START + 3 * HOUR})
            self.end_transaction()
        return meeting

    def subjects(self, meeting):
        mails = self.firings(meeting).delivery_ids.mail_id
        return [mail.subject for mail in mails.sorted("id")]

    def test_again(self):
        meeting = self.reminded("again")
        self.look(START - 3 * MINUTE)
        self.assertEqual(len(self.firings(meeting)), 1)
        self.look(START + 2 * HOUR - 5 * MINUTE)
        self.assertEqual(self.firings(meeting).mapped("state"), ["done", "done"])

    def test_nothing(self):
        meeting = self.reminded("nothing")
        self.look(START + 2 * HOUR - 5 * MINUTE)
        self.assertEqual(self.firings(meeting).mapped("state"), ["done"])

    def test_correction(self):
        meeting = self.reminded("correction")
        self.look(START - 3 * MINUTE)
        self.assertEqual(self.firings(meeting).mapped("state"), ["done", "done"])
        # Sergio Seller reads Spanish, in Madrid.
        self.assertIn("Tasting", self.subjects(meeting)[-1])
        body = self.firings(meeting).delivery_ids.mail_id.sorted("id")[-1].body_html
        self.assertIn("13:00", body)  # START in Madrid
        self.assertIn("15:00", body)
        self.look(START + 2 * HOUR - 5 * MINUTE)
        self.assertEqual(self.firings(meeting).mapped("state"), ["done"] * 3)

    def test_a_correction_only_tells(self):
        field = self.env["ir.model.fields"]._get("calendar.event", "location")
        meeting = self.reminded(
            "correction", value_ids=[(0, 0, {"field_id": field.id, "value": "Cellar"})]
        )
        meeting.location = "Elsewhere"
        self.look(START - 3 * MINUTE)
        self.assertEqual(self.firings(meeting).mapped("state"), ["done", "done"])
        self.assertEqual(meeting.location, "Elsewhere")

    def test_nobody_was_told_yet(self):
        self.make_moment_rule(moved_policy="correction")
        meeting = self.make_meeting(START)
        with self.at(START - 10 * MINUTE):
            meeting.write({"start": START + 2 * HOUR, "stop": START + 3 * HOUR})
            self.end_transaction()
        self.look(START - 3 * MINUTE)
        self.assertFalse(self.firings(meeting))

    def test_a_correction_of_a_day(self):
        field = self.env["ir.model.fields"]._get("crm.lead", "date_deadline")
        self.make_moment_rule(
            model="crm.lead", date_type="field", date_field_id=field.id, moved_policy="correction",
            delay_number=1, delay_unit="days",
        )  # fmt: skip
        lead = self.lead_of(NOW - DAY, date_deadline=date(2027, 6, 16))
        self.look(NOW)
        with self.at(NOW + HOUR):
            lead.date_deadline = date(2027, 7, 1)
            self.end_transaction()
        self.look(NOW + 2 * HOUR)
        self.assertEqual(self.firings(lead).mapped("state"), ["done", "done"])
        body = self.firings(lead).delivery_ids.mail_id.sorted("id")[-1].body_html
        self.assertIn("16/06/2027", body)
        self.assertIn("01/07/2027", body)

    def test_moved_there_and_back(self):
        """Nothing has moved, on the net."""
        meeting = self.reminded("correction")
        with self.at(START - 3 * MINUTE):
            meeting.write({"start": START, "stop": START + HOUR})
            self.end_transaction()
        corrections = self.firings(meeting).filtered(lambda f: (f.payload or {}).get("moved"))
        self.assertEqual(len(corrections), 1)

    def test_another_delay_counts_anew(self):
        rule = self.make_moment_rule(delay_number=30)
        meeting = self.make_meeting(START)
        self.look(START - 30 * MINUTE)
        rule.delay_number = 5
        self.look(START - 5 * MINUTE)
        self.assertEqual(self.firings(meeting).mapped("state"), ["done", "done"])


@tagged("post_install", "-at_install")
class TestCleanLedger(MomentCase):
    def planned(self):
        rule = self.make_moment_rule()
        meeting = self.make_meeting(START)
        with self.at(START - 20 * MINUTE), self.no_commit():
            self.Rule._enqueue_moments()
        firing = self.firings(meeting)
        self.assertEqual(firing.state, "pending")
        return rule, meeting, firing

    def test_deleting_a_record_ends_what_is_planned(self):
        _rule, meeting, firing = self.planned()
        with self.at(START - 15 * MINUTE):
            meeting.unlink()
        self.assertEqual(firing.state, "cancelled")
        self.assertIn("deleted", firing.reason)

    def test_deleting_a_rule_takes_what_is_planned(self):
        rule, _meeting, firing = self.planned()
        rule.unlink()
        self.assertFalse(firing.exists())

    def test_archiving_a_rule_ends_what_is_planned(self):
        rule, _meeting, firing = self.planned()
        rule.active = False
        self.assertEqual(firing.state, "cancelled")
        self.assertIn("archived", rule.problem)

    def test_what_waits_for_the_deletion_itself_stays(self):
        self.make_rule(
            trigger="deleted", model_id=self.env["ir.model"]._get_id("crm.lead"),
            delay_number=1, delay_unit="hours",
        )  # fmt: skip
        lead = self.make_lead()
        lead.unlink()
        self.end_transaction()
        firing = self.Firing.search([("res_model", "=", "crm.lead"), ("res_id", "=", lead.id)])
        self.assertEqual(firing.state, "pending")


@tagged("post_install", "-at_install")
class TestSoonAfter(MomentCase):
    def next_look(self):
        cron = self.env.ref("crm_automation.ir_cron_enqueuer")
        self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).unlink()
        with self.at(NOW), self.no_commit():
            self.Rule._enqueue_moments()
        return self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).mapped("call_at")

    def test_what_nobody_announces_is_looked_for_as_often_as_its_delay(self):
        self.make_moment_rule(
            model="crm.lead", date_type="last_update", delay_before="after", delay_number=4
        )
        self.assertEqual(self.next_look(), [NOW + 4 * MINUTE])

    def test_what_a_save_announces_is_not_looked_for(self):
        self.make_moment_rule()
        self.assertEqual(self.next_look(), [])


@tagged("post_install", "-at_install")
class TestWorkdays(MomentCase):
    """NOW is a Tuesday; Sergio Seller works in Madrid, Monday to Friday."""

    def setUp(self):
        super().setUp()
        self.calendar = self.env["resource.calendar"].create(
            {"name": "Office", "tz": "Europe/Madrid"}
        )

    def make_rule_in_workdays(self, **values):
        return self.make_moment_rule(
            **{"delay_unit": "workdays", "resource_calendar_id": self.calendar.id, **values}
        )

    def due(self, meeting):
        return self.firings(meeting).mapped("due_at")

    def test_over_a_weekend(self):
        """Two working days before a Monday: the Thursday, at the same hour."""
        self.make_rule_in_workdays(delay_number=2)
        monday = datetime(2027, 6, 21, 10, 0)
        meeting = self.make_meeting(monday)
        self.look(datetime(2027, 6, 17, 9, 59))
        self.assertEqual(self.firings(meeting).mapped("state"), ["pending"])
        self.look(datetime(2027, 6, 17, 10, 0))
        self.assertEqual(self.firings(meeting).mapped("state"), ["done"])
        self.assertEqual(self.due(meeting), [datetime(2027, 6, 17, 10, 0)])

    def test_over_a_holiday(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Feast",
                "calendar_id": self.calendar.id,
                "date_from": datetime(2027, 6, 16, 22, 0),
                "date_to": datetime(2027, 6, 17, 21, 59),
            }
        )
        self.make_rule_in_workdays(delay_number=1)
        meeting = self.make_meeting(datetime(2027, 6, 18, 10, 0))
        self.look(datetime(2027, 6, 16, 10, 0))
        self.assertEqual(self.due(meeting), [datetime(2027, 6, 16, 10, 0)])

    def test_an_event_some_working_days_later(self):
        """Friday and two working days: Tuesday."""
        self.make_rule(delay_unit="workdays", delay_number=2, resource_calendar_id=self.calendar.id)
        friday = datetime(2027, 6, 18, 10, 0)
        lead = self.lead_of(NOW)
        with self.at(friday):
            lead.type = "opportunity"
            self.end_transaction()
        self.assertEqual(self.due(lead), [friday + timedelta(days=4)])

    def test_hours_in_which_nobody_works(self):
        self.calendar.attendance_ids.unlink()
        with self.assertRaisesRegex(ValidationError, "no day on which anybody works"):
            self.make_rule_in_workdays()

    def test_hours_that_are_emptied_later(self):
        rule = self.make_rule_in_workdays(delay_number=1)
        self.make_meeting(datetime(2027, 6, 18, 10, 0))
        self.calendar.attendance_ids.unlink()
        with self.assertLogs("odoo.addons.crm_automation", "WARNING"):
            self.look(NOW)
        failed = self.Firing.search([("rule_id", "=", rule.id)])
        self.assertEqual(failed.state, "failed")
        self.assertIn("Office", failed.reason)

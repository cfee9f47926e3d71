"""Rules about dates: how the jobs are woken, what stops a rule, delays."""

from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.crm_automation_firing_call import LEAD
from .common import DAY, DECISION_LOG, HOUR, MINUTE, NOW
from .test_moment import MomentCase


@tagged("post_install", "-at_install")
class TestMomentRules(MomentCase):
    """Rules that fail, that cannot act, that are switched off and on."""

    def about_rule(self, rule):
        return self.Firing.search([("rule_id", "=", rule.id), ("res_id", "=", 0)])

    def test_a_rule_that_fails_does_not_stop_another(self):
        bad = self.make_moment_rule(sequence=1)
        good = self.make_moment_rule(sequence=2)
        meeting = self.make_meeting(NOW)
        moment = type(self.Rule)._moment

        def fails(rule, *args):
            if rule == bad:
                raise ValueError("this date is no date")
            return moment(rule, *args)

        with patch.object(type(self.Rule), "_moment", fails), mute_logger(DECISION_LOG):
            self.look(NOW - 5 * MINUTE)
            self.look(NOW - 4 * MINUTE)
        self.assertEqual(self.firings(meeting).rule_id, good)
        self.assertEqual(self.states(meeting), ["done"])
        line = self.about_rule(bad)
        self.assertEqual(line.state, "failed")
        self.assertIn("this date is no date", line.reason)

    def test_the_date_field_has_vanished(self):
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_tasting", "field_description": "Tasting", "ttype": "datetime",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
            }
        )  # fmt: skip
        rule = self.make_moment_rule(
            model="crm.lead", date_type="field", date_field_id=field.id, delay_before="after"
        )
        self.assertFalse(rule.problem)
        field.unlink()
        rule.invalidate_recordset()
        self.assertIn("no longer exists", rule.problem)
        other = self.make_moment_rule()
        meeting = self.make_meeting(NOW)
        self.look(NOW - 5 * MINUTE)
        self.look(NOW - 4 * MINUTE)
        line = self.about_rule(rule)
        self.assertEqual((line.state, line.reason), ("failed", rule.problem))
        self.assertEqual(self.firings(meeting).rule_id, other)

    def test_the_app_has_gone(self):
        rule = self.make_moment_rule()
        other = self.make_moment_rule(delay_number=6)
        meeting = self.make_meeting(NOW)
        self.look(NOW - 20 * MINUTE)
        # What the uninstallation of an app leaves of a rule.
        self.env.cr.execute(
            "UPDATE crm_automation_rule SET model_id = NULL, model_name = %s WHERE id = %s",
            ["gone.model", rule.id],
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertIn("gone.model", rule.problem)
        self.look(NOW - 5 * MINUTE)
        line = self.about_rule(rule)
        self.assertEqual((line.state, line.reason), ("failed", rule.problem))
        states = {firing.rule_id: firing.state for firing in self.firings(meeting)}
        self.assertEqual(states, {rule: "failed", other: "done"})

    def test_switched_off_and_on_again(self):
        rule = self.make_moment_rule()
        missed = self.make_meeting(NOW)
        ahead = self.make_meeting(NOW + 10 * MINUTE)
        self.look(NOW - 20 * MINUTE)
        self.assertEqual(self.states(missed + ahead), ["pending", "pending"])
        with self.at(NOW - 10 * MINUTE):
            rule.with_user(self.manager).action_disable()
        self.assertEqual(self.states(missed + ahead), ["cancelled", "cancelled"])
        with self.at(NOW):
            rule.with_user(self.manager).action_enable()
        self.look(NOW)
        self.assertEqual(self.states(ahead), ["pending"])
        self.look(NOW + 5 * MINUTE)
        self.assertEqual(self.states(ahead), ["done"])
        self.assertEqual(self.states(missed), ["cancelled"])
        self.assertFalse(self.firings(ahead).reason)

    def test_an_action_that_writes_does_not_fire_for_ever(self):
        """Stock's "after the last update" does: its own writing is an update."""
        self.make_moment_rule(
            model="crm.lead", date_type="last_update", delay_before="after", delay_number=1,
            delay_unit="hours", set_priority="2",
        )  # fmt: skip
        lead = self.lead_of(NOW)
        for hours in range(1, 7):
            self.look(NOW + hours * HOUR)
        self.assertEqual(lead.priority, "2")
        self.assertEqual(self.states(lead), ["done"])
        with self.at(NOW + 8 * HOUR):
            lead.name = "More corks"
            self.env.flush_all()
        self.look(NOW + 9 * HOUR)
        self.assertEqual(self.states(lead), ["done", "done"])


@tagged("post_install", "-at_install")
class TestMomentWakes(MomentCase):
    """A save that books or moves a date sooner than the job comes wakes it."""

    def woken(self):
        cron = self.env.ref("crm_automation.ir_cron_enqueuer")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        found = bool(triggers)
        triggers.unlink()
        return found

    def setUp(self):
        super().setUp()
        self.rule = self.make_moment_rule()
        self.woken()

    def test_booking_a_near_meeting(self):
        self.make_meeting(NOW + 3 * MINUTE, booked=NOW)
        self.assertTrue(self.woken())

    def test_booking_a_far_meeting(self):
        self.make_meeting(NOW + 2 * HOUR, booked=NOW)
        self.assertFalse(self.woken())

    def test_moving_a_meeting(self):
        meeting = self.make_meeting(NOW + 5 * HOUR, booked=NOW)
        with self.at(NOW):
            meeting.write({"start": NOW + 4 * HOUR, "stop": NOW + 6 * HOUR})
            self.end_transaction()
        self.assertFalse(self.woken())
        with self.at(NOW):
            meeting.write({"start": NOW + 10 * MINUTE, "stop": NOW + 6 * HOUR})
            self.end_transaction()
        self.assertTrue(self.woken())

    def test_changing_something_else(self):
        meeting = self.make_meeting(NOW + 10 * MINUTE, booked=NOW - DAY)
        self.woken()
        with self.at(NOW):
            meeting.location = "Cellar"
            self.end_transaction()
        self.assertFalse(self.woken())

    def test_switching_a_rule_on(self):
        self.rule.with_user(self.manager).action_disable()
        self.woken()
        self.rule.with_user(self.manager).action_enable()
        self.assertTrue(self.woken())

    def test_making_a_rule_that_is_switched_on(self):
        self.make_moment_rule()
        self.assertTrue(self.woken())

    def test_what_is_due_already_wakes_the_drainers_at_once(self):
        """Not a trigger of a later second: Odoo looks for those once a minute only."""
        self.make_moment_rule()
        self.make_meeting(NOW + 3 * MINUTE, booked=NOW)
        self.end_transaction()
        drainers = self.Firing._drainers()
        self.env["ir.cron.trigger"].search([("cron_id", "in", drainers.ids)]).unlink()
        with self.at(NOW), self.no_commit():
            self.Rule._enqueue_moments()
        armed = self.env["ir.cron.trigger"].search([("cron_id", "in", drainers.ids)])
        self.assertEqual(armed.cron_id, drainers)
        self.assertLessEqual(min(armed.mapped("call_at")), NOW)


@tagged("post_install", "-at_install")
class TestDelay(MomentCase):
    """One hour after something has happened."""

    def drain_at(self, moment):
        with self.at(moment):
            self.drain()

    def delayed(self, trigger, **values):
        return self.make_rule(trigger=trigger, delay_number=1, delay_unit="hours", **values)

    def test_an_hour_after_the_conversion(self):
        self.delayed("lead_converted")
        lead = self.lead_of(NOW - DAY)
        with self.at(NOW):
            lead.type = "opportunity"
            self.end_transaction()
        self.drain_at(NOW + 59 * MINUTE)
        self.assertEqual(self.states(lead), ["pending"])
        self.drain_at(NOW + HOUR)
        self.assertEqual(self.states(lead), ["done"])
        self.assertEqual(self.firings(lead).due_at, NOW + HOUR)

    def test_converted_back_within_the_hour(self):
        self.delayed("lead_converted")
        lead = self.lead_of(NOW - DAY)
        with self.at(NOW):
            lead.type = "opportunity"
            self.end_transaction()
        lead.type = "lead"
        self.drain_at(NOW + HOUR)
        self.assertEqual(self.states(lead), ["skipped"])
        self.assertIn("no longer matched", self.firings(lead).reason)

    def test_conditions_are_asked_again(self):
        self.delayed("lead_converted", filter_domain="[('priority', '=', '0')]")
        lead, other = self.lead_of(NOW - DAY), self.lead_of(NOW - DAY)
        with self.at(NOW):
            (lead + other).write({"type": "opportunity"})
            self.end_transaction()
        lead.priority = "2"
        self.drain_at(NOW + HOUR)
        self.assertEqual(self.states(lead), ["skipped"])
        self.assertEqual(self.states(other), ["done"])

    def merge(self, *names):
        with self.at(NOW):
            leads = (
                self.env["crm.lead"]
                .browse()
                .concat(*(self.make_lead(name=name, type="opportunity") for name in names))
            )
            head = leads.merge_opportunity()
            self.end_transaction()
        return head

    def test_an_hour_after_a_merge(self):
        self.delayed("opportunities_merged")
        head = self.merge("Corks", "Labels")
        self.drain_at(NOW + 59 * MINUTE)
        self.assertEqual(self.states(head), ["pending"])
        self.drain_at(NOW + HOUR)
        self.assertEqual(self.states(head), ["done"])

    def test_conditions_are_asked_again_after_a_merge(self):
        self.delayed("opportunities_merged", filter_domain="[('active', '=', True)]")
        head = self.merge("Corks", "Labels")
        head.action_set_lost()
        self.drain_at(NOW + HOUR)
        self.assertEqual(self.states(head), ["skipped"])

    def test_a_job_is_armed_for_the_hour(self):
        self.delayed("lead_converted")
        lead = self.lead_of(NOW - DAY)
        drainers = self.Firing._drainers()
        triggers = self.env["ir.cron.trigger"]
        triggers.search([("cron_id", "in", drainers.ids)]).unlink()
        with self.at(NOW):
            lead.type = "opportunity"
            self.end_transaction()
        armed = triggers.search([("cron_id", "in", drainers.ids)])
        self.assertEqual(armed.mapped("call_at"), [NOW + HOUR - LEAD])

"""The ledger: claiming, ending, trying again, cleaning up."""

from datetime import timedelta
from unittest.mock import patch

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..engine.retry import DELAYS
from ..models.crm_automation_firing_call import LEAD
from .common import FIRING_LOG, AutomationCase


@tagged("post_install", "-at_install")
class TestFiring(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.make_rule()

    def convert(self, *leads):
        for lead in leads:
            lead.type = "opportunity"
        self.end_transaction()

    def test_done_with_its_mail_in_the_queue(self):
        lead = self.make_lead()
        self.convert(lead)
        self.drain()
        firing = self.firings(lead)
        self.assertEqual((firing.state, firing.delivery_state), ("done", "queued"))
        self.assertTrue(firing.finished_at)
        self.assertEqual(firing.delivery_ids.mapped("email"), ["seller@example.com"])
        self.assertEqual(firing.delivery_ids.mail_id.state, "outgoing")
        self.drain()
        self.assertEqual(len(firing.delivery_ids), 1)

    def test_drainers_are_woken(self):
        lead = self.make_lead()
        drainers = self.Firing._drainers()
        self.assertEqual(len(drainers), 2)
        before = self.env["ir.cron.trigger"].search_count([("cron_id", "in", drainers.ids)])
        self.convert(lead)
        after = self.env["ir.cron.trigger"].search_count([("cron_id", "in", drainers.ids)])
        self.assertEqual(after - before, 2)

    def test_no_responsible_is_skipped_with_the_reason(self):
        lead = self.make_lead(user_id=False)
        self.convert(lead)
        self.drain()
        firing = self.firings(lead)
        self.assertEqual((firing.state, firing.delivery_state), ("skipped", "none"))
        self.assertIn("no responsible", firing.reason)

    def test_deleted_record_is_skipped_with_the_reason(self):
        lead = self.make_lead()
        self.convert(lead)
        firing = self.firings(lead)
        lead.unlink()
        self.drain()
        self.assertEqual(firing.state, "skipped")
        self.assertIn("deleted", firing.reason)

    def test_switching_off_cancels_what_is_pending(self):
        lead = self.make_lead()
        self.convert(lead)
        self.rule.with_user(self.manager).action_disable()
        firing = self.firings(lead)
        self.assertEqual(firing.state, "cancelled")
        self.assertTrue(firing.reason)
        self.drain()
        self.assertFalse(firing.delivery_ids)

    def test_owner_archived_later_cancels(self):
        lead = self.make_lead()
        self.convert(lead)
        self.manager.active = False
        self.drain()
        self.assertEqual(self.firings(lead).state, "cancelled")

    def test_an_owner_without_access_holds_up_nobody(self):
        lead = self.make_lead()
        self.convert(lead)
        other_owner = new_test_user(
            self.env,
            "second_manager",
            "base.group_user,sales_team.group_sale_manager",
            email="second@example.com",
        )
        good_rule = self.make_rule(user=other_owner)
        good = self.make_lead(name="Good")
        self.convert(good)
        self.manager.group_ids = self.env.ref("base.group_user")
        self.drain()
        self.assertEqual(self.firings(lead).state, "cancelled")
        self.assertIn("Rosa Manager, may no longer read", self.firings(lead).reason)
        states = {f.rule_id: f.state for f in self.firings(good)}
        self.assertEqual(states[good_rule], "done")

    def test_one_that_fails_does_not_hold_up_the_others(self):
        good, bad = self.make_lead(name="Good"), self.make_lead(name="Bad")
        self.convert(bad, good)
        notice = type(self.env["crm.automation.rule"])
        letter = notice._letter

        def fails_on_bad(rule, firing, record, *args):
            if firing.record_name == "Bad":
                raise RuntimeError("the template is broken")
            return letter(rule, firing, record, *args)

        with patch.object(notice, "_letter", fails_on_bad), mute_logger(FIRING_LOG):
            self.drain()
        self.assertEqual(self.firings(good).state, "done")
        firing = self.firings(bad)
        self.assertEqual((firing.state, firing.tries), ("pending", 1))
        self.assertEqual(
            firing.reason, "It could not be done, and nothing was sent: the template is broken"
        )
        self.assertEqual(firing.run_at - firing.due_at, DELAYS[0])
        self.assertFalse(firing.delivery_ids)

    def test_given_up_after_the_last_try_and_run_again_by_hand(self):
        lead = self.make_lead()
        self.convert(lead)
        firing = self.firings(lead)
        notice = type(self.env["crm.automation.rule"])
        with (
            patch.object(notice, "_letter", side_effect=RuntimeError("broken")),
            mute_logger(FIRING_LOG),
        ):
            for _try in range(len(DELAYS) + 1):
                self.assertEqual(firing.state, "pending")
                firing.run_at = firing.due_at
                self.drain()
        self.assertEqual(firing.state, "failed")
        self.assertEqual(firing.reason, "It could not be done, and nothing was sent: broken")
        firing.with_user(self.manager).action_retry()
        self.drain()
        self.assertEqual(firing.state, "done")

    def test_a_failure_inside_sql_is_undone(self):
        lead = self.make_lead()
        self.convert(lead)
        notice = type(self.env["crm.automation.rule"])

        def breaks_sql(rule, *_args):
            rule.env.cr.execute("SELECT no_such_column FROM crm_lead")

        with (
            patch.object(notice, "_letter", breaks_sql),
            mute_logger(FIRING_LOG, "odoo.sql_db"),
        ):
            self.drain()
        self.assertEqual(self.firings(lead).tries, 1)

    def test_later_tries_arm_the_job(self):
        lead = self.make_lead()
        self.convert(lead)
        firing = self.firings(lead)
        firing.run_at = firing.run_at + timedelta(hours=1)
        self.env.flush_all()
        self.env["ir.cron.trigger"].search([]).unlink()
        self.Firing._arm()
        self.Firing._arm()
        armed = self.env["ir.cron.trigger"].search([("cron_id", "in", self.Firing._drainers().ids)])
        self.assertEqual(armed.mapped("call_at"), [firing.run_at - LEAD])

    def test_old_executions_are_forgotten(self):
        old, new = self.make_lead(), self.make_lead()
        self.convert(old, new)
        self.drain()
        self.firings(old).finished_at -= timedelta(days=200)
        self.Firing._gc_old()
        self.assertFalse(self.firings(old))
        self.assertTrue(self.firings(new))

    def test_deleting_a_rule_takes_its_executions(self):
        lead = self.make_lead()
        self.convert(lead)
        self.rule.with_user(self.manager).unlink()
        self.assertFalse(self.firings(lead))

    def test_batches_end_when_nothing_is_left(self):
        leads = [self.make_lead() for _n in range(5)]
        self.convert(*leads)
        with self.no_commit():
            self.Firing._drain(batch_size=2)
        self.assertEqual({self.firings(lead).state for lead in leads}, {"done"})

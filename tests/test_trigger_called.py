"""Deletions, and rules that a server action calls."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged, users
from odoo.tools import mute_logger

from .common import DECISION_LOG
from .test_trigger import TriggerCase


@tagged("post_install", "-at_install")
class TestDeletedTrigger(TriggerCase):
    def test_what_is_told_is_kept(self):
        self.rule_on("crm.lead", "deleted", notify_responsible=True, notify_customer=True)
        lead = self.make_lead(partner_id=self.customer.id)
        lead.unlink()
        self.assertFired(lead)
        firing = self.firings(lead)
        self.assertEqual((firing.record_name, firing.responsible_id), ("Corks", self.seller))
        self.drain()
        self.assertEqual(firing.state, "done")
        self.assertEqual(
            set(firing.delivery_ids.filtered(lambda d: d.state == "queued").mapped("email")),
            {"seller@example.com", "azure@example.com", "somebody@example.com"},
        )
        mails = firing.delivery_ids.mail_id
        self.assertEqual(len(mails), 3)
        for mail in mails:
            self.assertIn("Corks", mail.subject + mail.body_html)

    def test_conditions_are_asked_before(self):
        self.rule_on("crm.lead", "deleted", filter_domain="[('city', '=', 'Burgos')]")
        here, there = self.make_lead(city="Burgos"), self.make_lead(city="Lugo")
        (here + there).unlink()
        self.assertFired(here)
        self.assertFired(there, times=0)

    def test_a_refused_deletion_leaves_nothing(self):
        self.rule_on("sale.order", "deleted")
        order = self.make_order()
        order.action_confirm()
        self.end_transaction()
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.unlink()
        self.assertFired(order, times=0)
        with self.assertRaises(UserError):
            order.unlink()
        self.assertFired(order, times=0)

    def test_a_deletion_that_is_rolled_back_leaves_nothing(self):
        self.rule_on("crm.lead", "deleted")
        lead = self.make_lead()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            lead.unlink()
            self.env.cr.flush()
            raise ZeroDivisionError
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            lead.unlink()
            raise ZeroDivisionError
        self.assertFired(lead, times=0)

    def test_archived_records_are_seen(self):
        self.rule_on("crm.lead", "deleted")
        lead = self.make_lead(active=False)
        lead.unlink()
        self.assertFired(lead)

    def test_conditions_that_fail_leave_the_deletion_alone_and_a_line_in_the_log(self):
        self.rule_on("crm.lead", "deleted", name_pattern="(a|aa)+$")
        lead = self.make_lead(name="a" * 200 + "!")
        with mute_logger(DECISION_LOG):
            lead.unlink()
            self.end_transaction()
        self.assertFalse(lead.exists())
        firing = self.firings(lead)
        self.assertEqual((firing.state, firing.responsible_id), ("failed", self.seller))
        self.assertIn("takes too long", firing.reason)
        firing.with_user(self.manager).action_retry()
        self.drain()
        self.assertEqual(firing.state, "failed", "told although its conditions were never asked")

    def test_conditions_that_fail_before_a_refused_deletion_leave_nothing(self):
        self.rule_on("sale.order", "deleted", name_pattern="(a|aa)+$")
        order = self.make_order(name="a" * 200 + "!")
        order.action_confirm()
        self.end_transaction()
        with mute_logger(DECISION_LOG), self.assertRaises(UserError):
            order.unlink()
        self.assertFired(order, times=0)

    def test_nothing_can_be_done_with_what_is_gone(self):
        for values in (
            {"set_priority": "1"},
            {"add_follower_ids": [Command.set(self.customer.ids)]},
        ):
            with self.assertRaisesRegex(ValidationError, "only tell"):
                self.rule_on("crm.lead", "deleted", **values)
        rule = self.rule_on("crm.lead", "created", add_follower_ids=[(6, 0, self.customer.ids)])
        with self.assertRaisesRegex(ValidationError, "only tell"):
            rule.with_user(self.manager).trigger = "deleted"


@tagged("post_install", "-at_install")
class TestCalledTrigger(TriggerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.rule_on("crm.lead", "called", notify_responsible=True)
        cls.action = cls.env["ir.actions.server"].create(
            {
                "name": "Tell",
                "model_id": cls.rule.model_id.id,
                "state": "automation_notice",
                "automation_rule_id": cls.rule.id,
            }
        )

    def call(self, records):
        self.action.with_context(
            active_model=records._name, active_ids=records.ids, active_id=records[:1].id
        ).run()

    def test_called_for_one_and_for_several(self):
        leads = self.make_lead() + self.make_lead()
        self.call(leads[0])
        self.assertFired(leads[0])
        self.call(leads)
        self.assertFired(leads[0], times=2)
        self.assertFired(leads[1], times=1)
        self.drain()
        self.assertEqual(set(self.firings(leads).mapped("state")), {"done"})

    def test_called_twice_in_one_transaction(self):
        lead = self.make_lead()
        self.call(lead)
        self.env.cr.flush()
        self.call(lead)
        self.assertFired(lead)

    def test_only_the_rule_that_is_called(self):
        self.rule_on("crm.lead", "called")
        lead = self.make_lead()
        self.call(lead)
        self.end_transaction()
        self.assertEqual(self.firings(lead).rule_id, self.rule)

    def test_conditions_hold_here_too(self):
        self.rule.with_user(self.manager).filter_domain = "[('city', '=', 'Burgos')]"
        here, there = self.make_lead(city="Burgos"), self.make_lead()
        self.call(here + there)
        self.assertFired(here)
        self.assertFired(there, times=0)

    def test_a_rule_that_is_off_is_not_called(self):
        self.rule.with_user(self.manager).action_disable()
        lead = self.make_lead()
        self.call(lead)
        self.assertFired(lead, times=0)

    def test_what_the_action_needs(self):
        other = self.rule_on("crm.lead", "created")
        for values in (
            {"automation_rule_id": False},
            {"automation_rule_id": other.id},
            {"model_id": self.env["ir.model"]._get_id("res.partner")},
        ):
            with self.assertRaisesRegex(ValidationError, "needs an automated action of the same"):
                self.action.copy(values)

    @users("rule_manager")
    def test_only_administrators_make_such_actions(self):
        with self.assertRaises(AccessError):
            self.env["ir.actions.server"].create(
                {
                    "name": "Mine",
                    "model_id": self.rule.sudo().model_id.id,
                    "state": "automation_notice",
                    "automation_rule_id": self.rule.id,
                }
            )
        with self.assertRaises(AccessError):
            self.action.with_env(self.env).write({"automation_rule_id": self.rule.id})

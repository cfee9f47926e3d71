"""The history of the demo: every outcome is there, and nothing of it is ever sent."""

from odoo import fields
from odoo.tests import TransactionCase, tagged

from .common import DAY, MINUTE, AutomationData


@tagged("post_install", "-at_install")
class TestHistory(AutomationData, TransactionCase):
    @classmethod
    def setUpClass(cls):
        # The rules of the demo stay switched on.
        super(AutomationData, cls).setUpClass()
        if not cls.env.ref("crm_automation.firing_lead_capsulas", raise_if_not_found=False):
            cls.skipTest(cls, "a database without demo data")
        ids = cls.env["ir.model.data"].search(
            [("module", "=", "crm_automation"), ("model", "=", "crm.automation.firing")]
        )
        cls.Firing = cls.env["crm.automation.firing"]
        cls.firings = cls.Firing.browse(ids.mapped("res_id"))
        cls.rules = cls.firings.rule_id

    def in_state(self, state):
        return self.firings.filtered(lambda firing: firing.state == state)

    def test_every_outcome(self):
        now = fields.Datetime.now()
        self.assertGreaterEqual(len(self.firings), 15)
        self.assertEqual(len(self.rules), 4)
        self.assertEqual(set(self.in_state("done").mapped("delivery_state")), {"delivered"})
        for state in ("skipped", "failed", "expired"):
            self.assertTrue(self.in_state(state), state)
            self.assertTrue(all(self.in_state(state).mapped("reason")), state)
        for firing in self.firings - self.in_state("pending"):
            self.assertTrue(firing.due_at < firing.finished_at < now)
            self.assertEqual((firing.due_at.second, firing.due_at.microsecond), (0, 0))
            self.assertTrue(self.env[firing.res_model].browse(firing.res_id).exists())
            self.assertEqual(
                firing.record_name, self.env[firing.res_model].browse(firing.res_id).display_name
            )
        # The health page tells of the failures of the last week.
        self.assertLess(max(self.in_state("failed").mapped("finished_at")), now - 7 * DAY)

    def test_rules_and_people_see_it(self):
        for rule in self.rules:
            self.assertTrue(rule.firing_count and rule.last_run)
        luis, marta = (
            self.env["res.users"].search([("login", "=", login)]) for login in ("luis", "marta")
        )
        for user, other in ((luis, marta), (marta, luis)):
            mine = self.firings.with_user(user).search([("id", "in", self.firings.ids)])
            self.assertIn(user, mine.responsible_id)
            self.assertNotIn(other, mine.responsible_id)

    def test_nothing_is_sent_of_it(self):
        self.assertFalse(self.firings.delivery_ids.mail_id)
        self.assertLessEqual(set(self.firings.delivery_ids.mapped("state")), {"sent", "skipped"})
        [pending] = self.in_state("pending")
        self.assertGreater(pending.due_at, fields.Datetime.now())
        same = [("res_model", "=", pending.res_model), ("res_id", "=", pending.res_id)]
        with self.at(pending.due_at - MINUTE), self.no_commit():
            # As for any meeting that begins soon; this one has its row already.
            self.env["crm.automation.rule"]._enqueue_moments()
            self.assertEqual(self.Firing.search(same), pending)
        with self.at(pending.due_at):
            self.drain()
        self.assertEqual(pending.state, "skipped")
        self.assertIn("Conservas del Cantábrico", pending.reason)
        record = [("model", "=", pending.res_model), ("res_id", "=", pending.res_id)]
        self.assertFalse(self.env["mail.mail"].search(record))

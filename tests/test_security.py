"""Two users of two groups, and a portal user, try every action."""

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged, users

from .common import AutomationCase

MODELS = ("crm.automation.rule", "crm.automation.firing", "crm.automation.delivery")


@tagged("post_install", "-at_install")
class TestSecurity(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.make_rule()
        cls.lead = cls.make_lead()
        cls.other_lead = cls.make_lead(user_id=cls.other_seller.id)
        (cls.lead + cls.other_lead).write({"type": "opportunity"})
        cls.end_transaction()

    def setUp(self):
        super().setUp()
        self.drain()

    @users("portal_user")
    def test_portal_sees_nothing(self):
        for model in MODELS:
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].search([])

    @users("seller")
    def test_salesperson_reads_rules_and_writes_none(self):
        rule = self.rule.with_env(self.env)
        self.assertEqual(rule.name, "Rule")
        with self.assertRaises(AccessError):
            rule.name = "Mine"
        with self.assertRaises(AccessError):
            rule.action_disable()
        with self.assertRaises(AccessError):
            rule.unlink()
        with self.assertRaises(AccessError):
            self.env["crm.automation.rule"].create({"name": "Mine", "trigger": "lead_converted"})

    @users("seller")
    def test_salesperson_reads_the_log_of_his_records_only(self):
        firings = self.env["crm.automation.firing"].search([("rule_id", "=", self.rule.id)])
        self.assertEqual(firings.mapped("res_id"), [self.lead.id])
        self.assertEqual(firings.delivery_ids.mapped("email"), ["seller@example.com"])
        hidden = self.firings(self.other_lead).with_env(self.env)
        with self.assertRaises(AccessError):
            hidden.read(["record_name"])
        with self.assertRaises(AccessError):
            self.firings(self.other_lead).delivery_ids.with_env(self.env).read(["email"])

    @users("rule_manager")
    def test_manager_reads_the_whole_log_and_writes_none_of_it(self):
        firings = self.env["crm.automation.firing"].search([("rule_id", "=", self.rule.id)])
        self.assertEqual(set(firings.mapped("res_id")), {self.lead.id, self.other_lead.id})
        for record in (firings[0], firings[0].delivery_ids):
            with self.assertRaises(AccessError):
                record.write({"state": "failed"})
            with self.assertRaises(AccessError):
                record.unlink()
            with self.assertRaises(AccessError):
                record.copy()

    @users("rule_manager")
    def test_owner_cannot_come_from_the_context(self):
        admin = self.env.ref("base.user_admin")
        rule = (
            self.env["crm.automation.rule"]
            .with_context(
                default_owner_id=admin.id, default_enabled=True, default_notify_responsible=True
            )
            .create({"name": "Smuggle"})
        )
        self.assertEqual(rule.owner_id, self.env.user)

    @users("seller")
    def test_salesperson_cannot_run_again(self):
        with self.assertRaises(AccessError):
            self.firings(self.lead).with_env(self.env).action_retry()

    @users("rule_manager")
    def test_other_companies_are_out_of_sight(self):
        company = self.lead.env["res.company"].create({"name": "Elsewhere"})
        self.rule.sudo().company_id = company
        self.rule.sudo().firing_ids.company_id = company
        self.assertNotIn(company, self.env.user.company_ids)
        self.env.flush_all()
        self.env.invalidate_all()
        rules = self.env["crm.automation.rule"].search([("id", "=", self.rule.id)])
        self.assertFalse(rules)
        self.assertFalse(self.env["crm.automation.firing"].search([("rule_id", "=", self.rule.id)]))

    def assertRefused(self, model, **values):
        """A rule writer may not make this rule."""
        with self.assertRaises(ValidationError):
            self.env["crm.automation.rule"].create(
                {
                    "name": "Smuggle",
                    "trigger": "created",
                    "model_id": self.env["ir.model"].sudo()._get_id(model),
                    "notify_emails": "me@example.com",
                    **values,
                }
            )

    @users("rule_manager")
    def test_filter_cannot_ask_for_what_the_writer_may_not_read(self):
        self.assertRefused("res.partner", filter_domain="[('signup_type', '=', 'x')]")

    @users("rule_manager")
    def test_model_that_the_writer_may_not_read(self):
        self.assertRefused("ir.config_parameter")

    def test_every_model_has_access_lines(self):
        for model in MODELS:
            count = self.env["ir.model.access"].search_count([("model_id.model", "=", model)])
            self.assertTrue(count, model)

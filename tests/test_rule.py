"""The definition: its checks, its owner, its sentence."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from .common import AutomationCase


@tagged("post_install", "-at_install")
class TestRule(AutomationCase):
    def test_form_needs_no_technical_knowledge(self):
        with Form(self.Rule.with_user(self.manager)) as form:
            form.name = "Tell the salesperson"
            form.trigger = "lead_converted"
            form.notify_responsible = True
        rule = form.record
        self.assertEqual(rule.model_name, "crm.lead")
        self.assertEqual(rule.owner_id, self.manager)
        self.assertFalse(rule.enabled)
        self.assertEqual(rule.summary, "When a lead becomes an opportunity, mail its responsible.")
        self.assertEqual(
            rule.with_context(lang="es_ES").summary,
            "Cuando un lead se convierte en oportunidad, enviar correo a su responsable.",
        )

    def test_trigger_fixes_the_object(self):
        with self.assertRaises(ValidationError):
            self.make_rule(model_id=self.env["ir.model"]._get("res.partner").id)

    def test_a_rule_that_tells_nobody_is_not_switched_on(self):
        rule = self.make_rule(notify_responsible=False, enabled=False)
        with self.assertRaises(ValidationError):
            rule.action_enable()

    def test_the_buttons_answer_what_xml_rpc_can_send(self):
        rule = self.make_rule(enabled=False)
        self.assertTrue(rule.action_enable())
        self.assertTrue(rule.action_disable())
        self.assertTrue(self.env["crm.automation.firing"].action_retry())

    def test_filter_holds_values_only(self):
        for text in (
            "[('user_id', '=', uid)]",
            "__import__('os')",
            "[('nope', '=', 1)]",
            "[(1,2)]",
        ):
            with self.subTest(text), self.assertRaises(ValidationError):
                self.make_rule(filter_domain=text)

    def test_owner_is_whoever_changes_what_it_does(self):
        rule = self.make_rule()
        self.assertEqual(rule.owner_id, self.manager)
        boss = self.env.ref("base.user_admin")
        rule.with_user(boss).name = "Renamed"
        self.assertEqual(rule.owner_id, self.manager)
        rule.with_user(boss).notify_customer = True
        self.assertEqual(rule.owner_id, boss)

    def test_owner_cannot_be_chosen(self):
        rule = self.make_rule()
        with self.assertRaises(AccessError):
            rule.with_user(self.manager).owner_id = self.env.ref("base.user_admin")

    def test_never_owned_by_the_system(self):
        rule = self.env.ref("crm_automation.rule_lead_converted")
        with self.assertRaises(UserError):
            rule.with_user(self.env.ref("base.user_root")).action_enable()

    def test_copy_is_off_and_has_a_name_of_its_own(self):
        copy = self.make_rule().copy()
        self.assertFalse(copy.enabled)
        self.assertEqual(copy.name, "Rule (copy)")

    def test_neutralized_copy_is_silent(self):
        rule = self.make_rule()
        lead = self.make_lead()
        lead.type = "opportunity"
        self.end_transaction()
        from odoo.tools import file_open

        with file_open("crm_automation/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertFalse(rule.enabled)
        self.assertEqual(self.firings(lead).state, "cancelled")

    def test_a_trigger_that_the_object_knows_nothing_of(self):
        partners = self.env["ir.model"]._get("res.partner").id
        for trigger in ("stage_entered", "state_reached"):
            with self.subTest(trigger), self.assertRaises(ValidationError) as caught:
                self.make_rule(trigger=trigger, model_id=partners, notify_emails="boss@example.com")
            self.assertIn("no such field", str(caught.exception))

"""The story in the browser, in Spanish, and what the database says after it."""

from odoo.tests import HttpCase, tagged

from .common import AutomationData


@tagged("post_install", "-at_install")
class TestTours(AutomationData, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.manager + cls.seller).lang = "es_ES"
        cls.env.ref("base.group_user").implied_ids += cls.env.ref("crm.group_use_lead")

    def test_rule_made_in_the_form_and_lead_converted(self):
        lead = self.make_lead(
            name="Tapones del tour", user_id=self.manager.id, partner_id=self.customer.id
        )
        self.start_tour("/odoo", "crm_automation_lead_converted", login="rule_manager")
        rule = self.Rule.search([("name", "=", "Avisar de la oportunidad")])
        self.assertTrue(rule.enabled)
        self.assertEqual(rule.owner_id, self.manager)
        self.assertEqual(lead.type, "opportunity")
        firing = self.firings(lead)
        self.assertEqual(firing.rule_id, rule)
        # The test's own transaction is older than the browser's requests.
        firing.run_at = self.env.cr.now()
        self.drain()
        self.assertEqual(firing.state, "done")
        self.assertEqual(firing.delivery_ids.mail_id.subject, "Nueva oportunidad: Tapones del tour")

    def test_rule_made_by_recipe_and_found_from_the_opportunity(self):
        lead = self.make_lead(
            name="Corchos del tour", user_id=self.manager.id, partner_id=self.customer.id
        )
        self.start_tour("/odoo", "crm_automation_recipe", login="rule_manager")
        firing = self.firings(lead)
        self.assertEqual(lead.type, "opportunity")
        self.assertEqual(firing.rule_id.owner_id, self.manager)
        self.assertEqual(firing.rule_id.trigger, "lead_converted")
        firing.run_at = self.env.cr.now()
        self.drain()
        self.assertEqual(firing.state, "done")

"""The story in the browser, in Spanish, and what the database says after it."""

import base64
from datetime import timedelta

from odoo import fields
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

    def make_tour_rule(self, **values):
        return self.make_rule(
            name="Regla del tour",
            trigger="created",
            model_id=self.env["ir.model"]._get_id("crm.lead"),
            **values,
        )

    def test_a_rule_is_tried_out(self):
        # The record that the test proposes is the latest that fits.
        self.make_lead(name="Barricas del tour", type="opportunity")
        lead = self.make_lead(
            name="Corchos del tour", type="opportunity", partner_id=self.customer.id
        )
        self.make_tour_rule(enabled=False, notify_customer=True, name_pattern="Corchos")
        mails = self.env["mail.mail"].search_count([])
        self.start_tour("/odoo", "crm_automation_rule_test", login="rule_manager")
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertFalse(self.firings(lead))

    def test_an_execution_is_postponed_skipped_and_sent_by_hand(self):
        self.make_tour_rule(delay_number=1, delay_unit="hours")
        lead = self.make_lead(
            name="Corchos del tour", user_id=self.manager.id, partner_id=self.customer.id
        )
        self.start_tour("/odoo", "crm_automation_by_hand", login="rule_manager")
        firing = self.firings(lead)
        firing.run_at = self.env.cr.now()
        self.drain()
        self.assertEqual(firing.state, "done")

    def test_a_rule_about_dates_is_switched_on_with_what_is_over(self):
        start = fields.Datetime.now() - timedelta(hours=2)
        meeting = self.env["calendar.event"].create(
            {
                "name": "Cata del tour",
                "start": start,
                "stop": start + timedelta(hours=1),
                "user_id": self.manager.id,
            }
        )
        self.end_transaction()
        rule = self.make_rule(
            name="Recordatorio del tour",
            trigger="moment",
            model_id=self.env["ir.model"]._get_id("calendar.event"),
            delay_before="before",
            delay_number=5,
            delay_unit="minutes",
            enabled=False,
        )
        self.start_tour("/odoo", "crm_automation_switch_on", login="rule_manager")
        self.assertTrue(rule.enabled)
        self.assertEqual(self.firings(meeting).payload, {"by_hand": True})

    def test_the_meetings_of_a_selection_are_exported(self):
        start = fields.Datetime.now().replace(microsecond=0) + timedelta(days=1)
        self.env["calendar.event"].create(
            {
                "name": "Cata del tour",
                "start": start,
                "stop": start + timedelta(hours=1),
                "user_id": self.manager.id,
                "partner_ids": [(6, 0, (self.manager.partner_id + self.customer).ids)],
            }
        )
        self.start_tour("/odoo", "crm_automation_export_ical", login="rule_manager")
        wizard = self.env["calendar.export.ical"].search(
            [("file_name", "!=", False)], order="id desc", limit=1
        )
        self.assertEqual((wizard.scope, wizard.create_uid), ("mine", self.manager))
        self.assertIn(b"SUMMARY:Cata del tour", base64.b64decode(wizard.file))

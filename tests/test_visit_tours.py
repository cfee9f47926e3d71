"""Visit plans in the browser, in Spanish, and what the database says after it."""

from odoo.tests import HttpCase, tagged

from .common import AutomationData


@tagged("post_install", "-at_install")
class TestVisitTours(AutomationData, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.manager + cls.seller).lang = "es_ES"
        cls.gold = cls.env["res.partner.category"].create({"name": "GOLD del tour"})
        cls.customers = cls.env["res.partner"].create(
            [
                {
                    "name": f"Cliente {letter} del tour",
                    "email": f"{letter}@example.com",
                    "category_id": [(4, cls.gold.id)],
                    "user_id": letter != "C" and cls.seller.id,
                }
                for letter in "ABC"
            ]
        )

    def test_a_plan_is_made_looked_at_and_booked(self):
        self.start_tour("/odoo", "crm_automation_visit_plan", login="rule_manager")
        plan = self.env["calendar.visit.plan"].search([("name", "=", "Clientes GOLD del tour")])
        self.assertEqual((plan.state, plan.owner_id), ("running", self.manager))
        booked = plan.visit_ids.filtered(lambda visit: visit.state == "booked")
        self.assertGreaterEqual(len(booked), 2 * 11)
        self.assertEqual(booked.partner_id, self.customers[:2])
        self.assertEqual(booked.event_id.user_id, self.seller)
        self.assertEqual({visit.target.day for visit in booked}, {3})
        self.assertEqual((plan.visit_ids - booked).partner_id, self.customers[2])

    def test_the_plots(self):
        plan = (
            self.env["calendar.visit.plan"]
            .with_user(self.manager)
            .create({"name": "Plan del tour", "category_ids": [(6, 0, self.gold.ids)]})
        )
        plan.action_preview()
        plan.action_book()
        self.start_tour("/odoo", "crm_automation_visit_dashboard", login="rule_manager")

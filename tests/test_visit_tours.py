"""Visit plans in the browser, in Spanish, and what the database says after it."""

from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from ..models import calendar_visit_plan_book
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

    def test_the_form_shows_how_far_the_job_is(self):
        plan = (
            self.env["calendar.visit.plan"]
            .with_user(self.manager)
            .create({"name": "Plan del tour", "category_ids": [(6, 0, self.gold.ids)]})
        )
        plan.action_preview()
        half = plan.proposed_count // 2
        with patch.object(calendar_visit_plan_book, "AT_ONCE", 0):
            plan.action_book()
        read = type(plan).web_read
        looks = []

        def work_then_read(plans, specification):
            """The job gets on between one look and the next."""
            found = plans.sudo()
            if len(looks) == 1:
                found._book_part(half)
            elif looks:
                while found._book_part():
                    pass
                found._finish_booking()
            plans.env.invalidate_all()
            looks.append(found.state)
            return read(plans, specification)

        with patch.object(type(plan), "web_read", work_then_read):
            self.start_tour(
                f"/odoo/action-crm_automation.calendar_visit_plan_action/{plan.id}",
                "crm_automation_visit_progress",
                login="rule_manager",
            )
        # Once it is done, nobody looks any more.
        self.assertEqual(looks, ["booking", "booking", "running"])

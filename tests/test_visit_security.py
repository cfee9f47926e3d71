"""Who may do what with visit plans."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, new_test_user, tagged

from .test_visit_plan import DAY, HOUR, NOW, VisitCase


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestVisitSecurity(VisitCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leader = new_test_user(
            cls.env, "leader", "base.group_user,sales_team.group_sale_salesman",
            email="leader@example.com",
        )  # fmt: skip
        cls.employee = new_test_user(cls.env, "employee", "base.group_user")
        cls.team.user_id = cls.leader

    def test_who_sees_what(self):
        plan = self.make_plan(responsible_by="team", responsible_team_id=self.team.id)
        self.book(plan)
        Visit = self.env["calendar.visit"]
        domain = [("plan_id", "=", plan.id)]
        mine = Visit.with_user(self.seller).search(domain)
        self.assertEqual(mine.user_id, self.seller)
        self.assertEqual(len(Visit.with_user(self.leader).search(domain)), 33)
        self.assertEqual(len(Visit.with_user(self.manager).search(domain)), 33)
        stranger = new_test_user(
            self.env, "stranger", "base.group_user,sales_team.group_sale_salesman"
        )
        self.assertFalse(Visit.with_user(stranger).search(domain))
        self.assertFalse(self.env["calendar.visit.plan"].with_user(stranger).search([]))
        for model in ("calendar.visit.report", "calendar.visit.coverage", "calendar.visit.load"):
            Report = self.env[model]
            self.assertLessEqual(Report.with_user(self.seller).search([]).user_id, self.seller)
            self.assertFalse(Report.with_user(stranger).search([("user_id", "=", self.seller.id)]))
            self.assertIn(self.seller, Report.with_user(self.manager).search([]).user_id)
        for user in (self.portal, self.employee):
            for model in (
                "calendar.visit", "calendar.visit.plan", "calendar.visit.report",
                "calendar.visit.coverage", "calendar.visit.load", "calendar.visit.plan.confirm",
            ):  # fmt: skip
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])
            with self.assertRaises(AccessError):
                self.env["calendar.visit.dashboard"].with_user(user).figures()

    def test_a_salesperson_plans_his_own_visits_only(self):
        Plan = self.env["calendar.visit.plan"].with_user(self.seller)
        for values in (
            {"responsible_by": "user", "user_id": self.other_seller.id},
            {"responsible_by": "team", "responsible_team_id": self.team.id},
            {"responsible_by": "salesperson"},
            {"responsible_by": "user", "user_id": self.seller.id,
             "guest_ids": [(6, 0, self.manager.ids)]},
        ):  # fmt: skip
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.make_plan(user=self.seller, **values)
        plan = self.make_plan(user=self.seller, responsible_by="user", user_id=self.seller.id)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            plan.write({"user_id": self.other_seller.id})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            plan.write({"owner_id": self.manager.id})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            Plan.create({"name": "X", "owner_id": self.manager.id, "user_id": self.seller.id,
                         "responsible_by": "user"})  # fmt: skip
        plan.action_preview()
        visit = self.visits(plan)[0].with_user(self.seller)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            visit.user_id = self.other_seller
        plan.action_book()
        self.assertEqual(self.visits(plan, "booked").event_id.user_id, self.seller)

    def test_a_salesperson_does_not_touch_the_plans_of_others(self):
        plan = self.make_plan()
        self.book(plan)
        mine = plan.with_user(self.seller)
        for method in (
            "action_preview", "action_book", "action_stop", "action_cancel", "action_follow",
            "action_draft",
        ):  # fmt: skip
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                getattr(mine, method)()
        with self.assertRaises(AccessError):
            mine.name = "Mine"
        visit = self.visits(plan)[0].with_user(self.seller)
        for change in (
            lambda: visit.write({"start": NOW + DAY}), visit.action_skip, visit.action_find_time,
            visit.unlink,
        ):  # fmt: skip
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                change()

    def test_protected_fields(self):
        plan = self.make_plan()
        for values in ({"state": "running"}, {"owner_id": self.seller.id}, {"failure": "x"}):
            with self.assertRaises(AccessError):
                plan.write(values)
        self.book(plan)
        with self.assertRaises(UserError):
            plan.unlink()

    def test_another_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        plan = self.make_plan()
        self.manager.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        self.assertFalse(
            self.env["calendar.visit.plan"].with_user(self.manager).search([("id", "=", plan.id)])
        )

    def test_private_meetings_stay_private(self):
        """A clash says that the time is taken, and no more; coverage does not tell."""
        plan = self.make_plan()
        self.book(plan)
        self.env["calendar.event"].with_user(self.seller).create(
            {
                "name": "Secret",
                "privacy": "private",
                "start": NOW - DAY,
                "stop": NOW - DAY + HOUR,
                "customer_id": self.customers[0].id,
                "partner_ids": [(6, 0, self.seller.partner_id.ids)],
            }
        )
        self.env.flush_all()
        row = self.env["calendar.visit.coverage"].search(
            [("plan_id", "=", plan.id), ("partner_id", "=", self.customers[0].id)]
        )
        self.assertFalse(row.last_met)

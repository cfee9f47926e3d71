"""The first steps: what each employee is shown, what is done, and where a card leads."""

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import AutomationData


@tagged("post_install", "-at_install")
class TestSteps(AutomationData, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.employee = new_test_user(cls.env, "step_employee", "base.group_user")
        cls.portal = new_test_user(cls.env, "step_portal", "base.group_portal")

    def steps(self, user):
        return self.env["crm.automation.step"].with_user(user).search([])

    def test_each_is_shown_what_he_can_do(self):
        self.assertEqual(self.steps(self.employee).mapped("code"), ["phone", "account", "summary"])
        self.assertEqual(
            self.steps(self.manager).mapped("code"),
            ["recipe", "mail", "plan", "phone", "account", "summary"],
        )
        with self.assertRaises(AccessError):
            self.steps(self.portal)

    def test_a_step_of_another_group_does_not_open(self):
        with self.assertRaises(AccessError):
            self.env.ref("crm_automation.crm_automation_step_recipe").with_user(
                self.employee
            ).action_go()

    def test_every_card_opens_a_screen_that_the_reader_may_see(self):
        for user in (self.employee, self.manager):
            for step in self.steps(user):
                action = step.action_go()
                if action["type"] == "ir.actions.act_window":
                    self.env[action["res_model"]].with_user(user).check_access("read")

    def test_what_is_done_is_ticked_for_him_alone(self):
        phone = self.env.ref("crm_automation.crm_automation_step_phone")
        self.assertFalse(phone.with_user(self.employee).is_done)
        self.env["caldav.key"].with_user(self.employee)._make("My phone", 90)
        self.env.invalidate_all()
        self.assertTrue(phone.with_user(self.employee).is_done)
        self.assertFalse(phone.with_user(self.seller).is_done)
        self.employee.reminder_summary = True
        self.env.invalidate_all()
        summary = self.env.ref("crm_automation.crm_automation_step_summary")
        self.assertTrue(summary.with_user(self.employee).is_done)
        self.assertFalse(summary.with_user(self.seller).is_done)

    def test_openerps_menus_are_under_the_calendar_of_sales(self):
        def names(user):
            Menu = self.env["ir.ui.menu"].with_user(user).with_context(lang="es_ES")
            parent = self.env.ref("crm_automation.menu_sale_calendar")
            shown = Menu._visible_menu_ids()
            return {
                menu.name for menu in Menu.search([("parent_id", "=", parent.id)])
                if menu.id in shown
            }  # fmt: skip

        self.assertLessEqual({"Avisos", "Eventos", "Invitaciones evento"}, names(self.manager))
        admin = self.env.ref("base.user_admin")
        self.assertLessEqual({"Eventos", "Tipos de reunión"}, names(admin))

    def test_in_the_browser(self):
        self.manager.lang = "es_ES"
        self.start_tour("/odoo", "crm_automation_first_steps", login="rule_manager")

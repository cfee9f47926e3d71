"""The reader's question under the mission's article: who approves a leave gets a mail.

With the real app; where it is not installed there is nothing to be tested.
"""

from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user, tagged

from .common import AutomationCase


@tagged("post_install", "-at_install")
class TestLeave(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "hr.leave" not in cls.env:
            cls.skipTest(cls, "hr_holidays is not installed: the leave story was not played")
        cls.approver = new_test_user(
            cls.env, "approver", "base.group_user,hr_holidays.group_hr_holidays_user",
            email="approver@example.com", name="Alba Approver", lang="es_ES",
        )  # fmt: skip
        cls.asker = new_test_user(
            cls.env, "asker", "base.group_user", email="asker@example.com", name="Aitor Asker"
        )
        cls.employee = cls.env["hr.employee"].create(
            {
                "name": "Aitor Asker",
                "user_id": cls.asker.id,
                "leave_manager_id": cls.approver.id,
                "work_email": "asker@example.com",
            }
        )
        cls.manager.group_ids += cls.env.ref("hr_holidays.group_hr_holidays_manager")
        wizard = (
            cls.env["crm.automation.recipe.use"]
            .with_user(cls.manager)
            .create({"recipe_id": cls.env.ref("crm_automation.recipe_leave_request").id})
        )
        cls.rule = cls.Rule.browse(wizard.action_create_and_enable()["res_id"])

    def ask(self, validation):
        kind = self.env["hr.leave.type"].create(
            {
                "name": "Paid leave",
                "requires_allocation": False,
                "leave_validation_type": validation,
                "request_unit": "day",
            }
        )
        day = fields.Date.today() + timedelta(days=14 - fields.Date.today().weekday())
        leave = (
            self.env["hr.leave"]
            .with_user(self.asker)
            .create(
                {
                    "name": "Holidays",
                    "holiday_status_id": kind.id,
                    "employee_id": self.employee.id,
                    "request_date_from": day,
                    "request_date_to": day + timedelta(days=1),
                }
            )
        )
        self.drain()
        return leave

    def test_the_approver_gets_one_mail(self):
        firing = self.firings(self.ask("manager"))
        self.assertEqual((firing.rule_id, firing.state), (self.rule, "done"))
        self.assertEqual(firing.delivery_ids.mapped("email"), ["approver@example.com"])
        self.assertEqual(firing.delivery_ids.role, "approver")
        mail = firing.delivery_ids.mail_id
        self.assertIn("Aitor Asker", mail.body_html)
        self.assertIn("Ausencia", mail.subject)

    def test_also_where_nobody_has_to_approve(self):
        """The state jumps to approved in the same transaction; stock's rule on
        “to approve” never fires there."""
        leave = self.ask("no_validation")
        self.assertEqual(leave.state, "validate")
        self.assertEqual(self.firings(leave).state, "done")

    def test_without_an_approver_the_manager(self):
        self.employee.leave_manager_id = False
        boss = self.env["hr.employee"].create(
            {"name": "Berta Boss", "work_email": "boss@example.com"}
        )
        self.employee.parent_id = boss
        self.employee.leave_manager_id = False
        firing = self.firings(self.ask("hr"))
        self.assertEqual(firing.delivery_ids.mapped("email"), ["boss@example.com"])

    def test_nobody_to_tell_is_said(self):
        self.employee.write({"leave_manager_id": False, "parent_id": False, "department_id": False})
        firing = self.firings(self.ask("hr"))
        self.assertEqual(firing.state, "skipped")
        self.assertIn("nobody to approve it", firing.reason)

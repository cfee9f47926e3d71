"""A task is created in a customer's project: the customer is told, once."""

from odoo.tests import tagged

from .common import AutomationCase


@tagged("post_install", "-at_install")
class TestTask(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls.env["project.project"].create(
            {"name": "Vintage 2027", "partner_id": cls.customer.id}
        )
        cls.rule = cls.make_rule(
            trigger="task_created", notify_responsible=False, notify_customer=True
        )

    def make_task(self, **values):
        values = {"name": "Design the label", "project_id": self.project.id, **values}
        return self.env["project.task"].create(values)

    def assertTold(self, task, *addresses):
        self.drain()
        told = self.firings(task).delivery_ids.filtered(lambda d: d.state == "queued")
        self.assertEqual(sorted(told.mapped("email")), sorted(addresses))

    def test_customer_of_the_project(self):
        task = self.make_task()
        self.assertTold(task, "azure@example.com")
        mail = self.firings(task).delivery_ids.mail_id
        self.assertEqual(mail.subject, "New task: Design the label")
        self.assertIn("in the project “Vintage 2027”", mail.body_html)

    def test_customer_of_the_task_goes_first(self):
        other = self.env["res.partner"].create({"name": "Other", "email": "o@example.com"})
        self.assertTold(self.make_task(partner_id=other.id), "o@example.com")

    def test_customer_of_the_project_when_the_task_has_none(self):
        self.assertTold(self.make_task(partner_id=False), "azure@example.com")

    def test_several_writes_are_one_task(self):
        task = self.make_task()
        self.env.cr.flush()
        task.write({"name": "Redesign", "user_ids": [(6, 0, self.seller.ids)]})
        self.assertTold(task, "azure@example.com")
        task.name = "Again"
        self.drain()
        self.assertEqual(len(self.firings(task)), 1)

    def test_private_task(self):
        self.assertTold(self.make_task(project_id=False, partner_id=self.customer.id))

    def test_template(self):
        self.assertTold(self.make_task(is_template=True))

    def test_subtasks_only_if_asked(self):
        parent = self.make_task()
        self.end_transaction()
        self.assertTold(self.make_task(parent_id=parent.id))
        self.rule.with_user(self.manager).include_subtasks = True
        self.assertTold(self.make_task(parent_id=parent.id), "azure@example.com")

    def test_copies_of_a_recurrence(self):
        task = self.make_task(
            recurring_task=True, repeat_interval=1, repeat_unit="week", repeat_type="forever"
        )
        self.assertTold(task, "azure@example.com")
        recurrence = task.recurrence_id
        task.state = "1_done"
        self.end_transaction()
        copy = recurrence.task_ids - task
        self.assertTrue(copy, "Odoo has made no next task")
        self.assertTold(copy)

    def test_a_stage_that_mails_too_is_said(self):
        stages = self.env["project.task.type"].search([("mail_template_id", "!=", False)])
        stages.mail_template_id = False
        self.rule.invalidate_recordset(["warning"])
        self.assertFalse(self.rule.warning)
        template = self.env["mail.template"].create(
            {"name": "T", "model_id": self.env["ir.model"]._get_id("project.task")}
        )
        self.env["project.task.type"].create(
            {"name": "Inbox", "mail_template_id": template.id, "user_id": False}
        )
        self.rule.invalidate_recordset(["warning"])
        self.assertIn("Inbox", self.rule.warning)

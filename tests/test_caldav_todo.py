"""To-dos: the tasks of a user and his activities, in his programs and back."""

from datetime import date, datetime

from odoo.tests import tagged

from .dav import DavCase, condition, event


def todo(uid="one", *lines):
    own = lines or ("SUMMARY:Buy corks", "DUE;VALUE=DATE:20270305", "X-A:1")
    return event(uid, *own).replace("VEVENT", "VTODO")


@tagged("post_install", "-at_install")
class TestTodos(DavCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls.env["project.project"].create({"name": "Vintage"})
        cls.seller.group_ids += cls.env.ref("project.group_project_user")
        # Odoo gives each new user something to do.
        both = cls.seller + cls.other_seller
        cls.env["project.task"].search([("user_ids", "in", both.ids)]).unlink()

    def setUp(self):
        super().setUp()
        self.tasks = self.home() + "tasks/"

    def make_task(self, **values):
        return self.env["project.task"].create(
            {
                "name": "Press the grapes", "project_id": self.project.id,
                "user_ids": [(6, 0, self.seller.ids)], **values,
            }
        )  # fmt: skip

    def only(self):
        """Name of the one to-do that there is."""
        [name] = self.sync(path=self.tasks)[0]
        return name

    def test_a_task_of_odoo(self):
        task = self.make_task(date_deadline=datetime(2027, 3, 5, 12), priority="3")
        name = self.only()
        got = self.ask("GET", self.tasks + name)
        for line in (
            "SUMMARY:Press the grapes", "DUE;TZID=Europe/Madrid:20270305T130000", "PRIORITY:1",
            "STATUS:IN-PROCESS",
        ):  # fmt: skip
            self.assertIn(line, got.text.split("\r\n"))
        _names, _gone, token = self.sync(path=self.tasks)
        task.state = "1_done"
        self.assertEqual(self.sync(token, self.tasks)[0], {name})
        self.assertIn("STATUS:COMPLETED", self.ask("GET", self.tasks + name).text)
        task.user_ids = self.other_seller
        self.assertEqual(self.sync(token, self.tasks)[1], {name})

    def test_changed_by_a_program(self):
        task = self.make_task(state="02_changes_requested")
        name = self.only()
        text = self.ask("GET", self.tasks + name).text
        renamed = text.replace("Press", "Tread").replace("END:VTODO", "X-A:1\r\nEND:VTODO")
        self.assertEqual(self.put(self.tasks + name, renamed).status_code, 204)
        self.assertEqual(task.name, "Tread the grapes")
        self.assertEqual(task.state, "02_changes_requested")
        self.assertIn("X-A:1", self.ask("GET", self.tasks + name).text)
        self.assertEqual(self.only(), name)
        done = renamed.replace("STATUS:IN-PROCESS", "STATUS:COMPLETED")
        self.assertEqual(self.put(self.tasks + name, done).status_code, 204)
        self.assertEqual(task.state, "1_done")

    def test_a_task_of_a_program(self):
        path = self.tasks + "corks.ics"
        answer = self.put(path, todo())
        self.assertEqual(answer.status_code, 201, answer.text)
        task = self.env["project.task"].search([("name", "=", "Buy corks")])
        self.assertEqual(task.user_ids, self.seller)
        self.assertFalse(task.project_id)
        got = self.ask("GET", path).text
        for line in ("UID:one", "DUE;VALUE=DATE:20270305", "X-A:1", "SUMMARY:Buy corks"):
            self.assertIn(line, got.split("\r\n"))
        task.name = "Buy more corks"
        self.assertIn("SUMMARY:Buy more corks", self.ask("GET", path).text)
        self.assertIn("X-A:1", self.ask("GET", path).text)
        self.assertEqual(self.ask("DELETE", path).status_code, 204)
        self.assertFalse(task.exists())

    def test_an_activity(self):
        activity = self.customer.activity_schedule(
            "mail.mail_activity_data_call", date(2027, 3, 5), "Ask", user_id=self.seller.id
        )
        name = self.only()
        text = self.ask("GET", self.tasks + name).text
        self.assertIn("SUMMARY:Ask: Azure & Sons", text)
        self.assertIn("DUE;VALUE=DATE:20270305", text)
        moved = text.replace("20270305", "20270306")
        answer = self.put(self.tasks + name, moved)
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertEqual((activity.date_deadline, activity.summary), (date(2027, 3, 6), "Ask"))
        done = moved.replace("STATUS:NEEDS-ACTION", "STATUS:COMPLETED")
        self.assertEqual(self.put(self.tasks + name, done).status_code, 204)
        self.assertFalse(activity.exists() and activity.active)

    def test_a_task_of_a_project_is_archived(self):
        """Where Odoo would let him delete it, and nobody else works on it."""
        task = self.make_task()
        name = self.only()
        _names, _gone, token = self.sync(path=self.tasks)
        self.assertEqual(self.ask("DELETE", self.tasks + name).status_code, 204)
        self.assertTrue(task.exists())
        self.assertFalse(task.active)
        self.assertEqual(self.sync(token, self.tasks)[1], {name})

    def test_a_task_that_he_may_not_delete(self):
        task = self.make_task()
        self.env["ir.model.access"].search(
            [("model_id.model", "=", "project.task"), ("perm_unlink", "=", True),
             ("group_id", "!=", self.env.ref("base.group_system").id)]
        ).perm_unlink = False  # fmt: skip
        self.assertEqual(self.ask("DELETE", self.tasks + self.only()).status_code, 403)
        self.assertTrue(task.active)

    def test_a_task_that_others_work_on_stays(self):
        task = self.make_task(user_ids=[(6, 0, (self.seller + self.other_seller).ids)])
        self.assertEqual(self.ask("DELETE", self.tasks + self.only()).status_code, 403)
        self.assertTrue(task.active)

    def test_refusals(self):
        self.make_task()
        self.only()
        answer = self.put(self.tasks + "x.ics", event())
        self.assertEqual(condition(answer), "supported-calendar-component")
        tasks = self.home(self.other_seller) + "tasks/"
        self.assertEqual(self.sync(path=tasks, user=self.other_seller)[0], set())

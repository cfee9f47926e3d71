"""Tasks that come again: their rule in the programs, and what programs say of it."""

from datetime import date, datetime, timedelta

from odoo.tests import tagged

from .common import DAY
from .dav import DavCase
from .test_caldav_todo import todo

#: A Friday; 13 o'clock in Madrid.
DUE = datetime(2099, 3, 6, 12)
WEEK = timedelta(days=7)


@tagged("post_install", "-at_install")
class TestTodoRule(DavCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller.group_ids += cls.env.ref("project.group_project_user")
        cls.env.user.group_ids += cls.env.ref("project.group_project_recurring_tasks")
        cls.project = cls.env["project.project"].create(
            {"name": "Vintage", "allow_recurring_tasks": True}
        )
        # Odoo gives each new user something to do.
        cls.env["project.task"].search([("user_ids", "in", cls.seller.ids)]).unlink()

    def setUp(self):
        super().setUp()
        self.tasks = self.home() + "tasks/"

    def make_task(self, **values):
        values.setdefault("recurring_task", True)
        return self.env["project.task"].create(
            {
                "name": "Press", "project_id": self.project.id, "date_deadline": DUE,
                "user_ids": [(6, 0, self.seller.ids)], "repeat_interval": 2,
                "repeat_unit": "week", "repeat_type": "forever", **values,
            }
        )  # fmt: skip

    def path(self, task):
        uid = self.env["caldav.collection"]._todo_uid_of(self.seller, task)
        return f"{self.tasks}{uid}.ics"

    def text(self, task):
        return self.ask("GET", self.path(task)).text

    def todo(self, task):
        """The to-do alone: time zones have rules as well."""
        return self.text(task).partition("BEGIN:VTODO")[2]

    def lines(self, task):
        return self.todo(task).split("\r\n")

    def change(self, task, *changes):
        text = self.text(task)
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        answer = self.put(self.path(task), text)
        self.assertEqual(answer.status_code, 204, answer.text)

    def following(self, task):
        """Those of its series that came after it."""
        return task.recurrence_id.task_ids.filtered(lambda one: one.id > task.id)

    def test_out(self):
        task = self.make_task()
        lines = self.lines(task)
        self.assertIn("RRULE:FREQ=WEEKLY;INTERVAL=2", lines)
        # A rule counts from a start.
        self.assertIn("DTSTART;TZID=Europe/Madrid:20990306T130000", lines)
        self.assertIn("DUE;TZID=Europe/Madrid:20990306T130000", lines)
        _names, _gone, token = self.sync(path=self.tasks)
        task.write({"repeat_interval": 1, "repeat_unit": "month"})
        self.assertEqual(len(self.sync(token, self.tasks)[0]), 1)
        self.assertIn("RRULE:FREQ=MONTHLY", self.lines(task))
        task.write({"repeat_type": "until", "repeat_until": date(2099, 8, 1)})
        self.assertIn("RRULE:FREQ=MONTHLY;UNTIL=20990801T235959Z", self.lines(task))
        task.planned_date_start = DUE - DAY
        self.assertIn("RRULE:FREQ=MONTHLY;UNTIL=20990731T235959Z", self.lines(task))
        task.recurring_task = False
        self.assertNotIn("RRULE", self.todo(task))

    def test_until_of_days(self):
        # The ends of days in Madrid.
        task = self.make_task(
            date_deadline=datetime(2099, 3, 6, 22, 59), repeat_type="until",
            repeat_until=date(2099, 4, 3),
        )  # fmt: skip
        self.assertIn("RRULE:FREQ=WEEKLY;UNTIL=20990403;INTERVAL=2", self.lines(task))
        self.change(task, ("UNTIL=20990403", "UNTIL=20990501"))
        self.assertEqual(task.repeat_until, date(2099, 5, 1))

    def test_without_a_date_there_is_no_rule(self):
        self.assertNotIn("RRULE", self.todo(self.make_task(date_deadline=False)))

    def test_closed_in_odoo(self):
        task = self.make_task()
        self.text(task)
        _names, _gone, token = self.sync(path=self.tasks)
        task.state = "1_done"
        following = self.following(task)
        self.assertEqual(len(self.sync(token, self.tasks)[0]), 2)
        self.assertNotIn("RRULE", self.todo(task))
        self.assertIn("STATUS:COMPLETED", self.lines(task))
        self.assertIn("RRULE:FREQ=WEEKLY;INTERVAL=2", self.lines(following))
        self.assertIn("DUE;TZID=Europe/Madrid:20990320T130000", self.lines(following))

    def test_closed_by_a_program(self):
        task = self.make_task()
        self.change(task, ("STATUS:IN-PROCESS", "STATUS:COMPLETED"))
        self.assertEqual(task.state, "1_done")
        self.assertEqual(self.following(task).date_deadline, DUE + 2 * WEEK)
        self.assertNotIn("RRULE", self.todo(task))
        # Sent again, nothing comes of it.
        self.change(task, ("SUMMARY:Press", "SUMMARY:Tread"))
        self.assertEqual(len(task.recurrence_id.task_ids), 2)

    def test_closed_by_a_program_that_takes_the_rule_off(self):
        task = self.make_task()
        self.change(
            task,
            ("STATUS:IN-PROCESS", "STATUS:COMPLETED"),
            ("RRULE:FREQ=WEEKLY;INTERVAL=2\r\n", ""),
        )
        self.assertTrue(self.following(task))

    def test_closed_by_a_part_of_its_own(self):
        """As Thunderbird does it."""
        task = self.make_task()
        text = self.text(task)
        uid = next(line for line in text.split("\r\n") if line.startswith("UID:"))

        def part(day):
            return "\r\n".join(
                ["BEGIN:VTODO", uid, "DTSTAMP:20270101T000000Z",
                 f"RECURRENCE-ID:{day:%Y%m%dT%H%M%SZ}", "SUMMARY:Press", "STATUS:COMPLETED",
                 "COMPLETED:20270101T000000Z", "END:VTODO", "END:VCALENDAR"]
            )  # fmt: skip

        answer = self.put(self.path(task), text.replace("END:VCALENDAR", part(DUE + 2 * WEEK)))
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertFalse(self.following(task))
        answer = self.put(self.path(task), text.replace("END:VCALENDAR", part(DUE)))
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertEqual(task.state, "1_done")
        self.assertEqual(self.following(task).date_deadline, DUE + 2 * WEEK)

    def test_a_program_that_moves_it_on_itself(self):
        """As Tasks.org and Apple's Reminders do: it is the same to-do, due later."""
        task = self.make_task()
        self.change(task, ("20990306T130000", "20990320T130000"))
        self.assertEqual(task.date_deadline, DUE + 2 * WEEK)
        self.assertFalse(self.following(task))
        self.assertIn("RRULE:FREQ=WEEKLY;INTERVAL=2", self.lines(task))
        self.assertIn("DTSTART;TZID=Europe/Madrid:20990320T130000", self.lines(task))

    def test_rules_of_programs(self):
        task = self.make_task(recurring_task=False)
        start = ("DUE;", "DTSTART;TZID=Europe/Madrid:20990306T130000\r\nRRULE:{}\r\nDUE;")
        self.change(task, (start[0], start[1].format("FREQ=WEEKLY;BYDAY=FR;WKST=MO")))
        self.assertEqual(
            (task.recurring_task, task.repeat_interval, task.repeat_unit, task.repeat_type),
            (True, 1, "week", "forever"),
        )
        _names, _gone, token = self.sync(path=self.tasks)
        self.change(task, ("RRULE:FREQ=WEEKLY", "RRULE:FREQ=MONTHLY;UNTIL=20991231T000000Z"))
        self.assertEqual(
            (task.repeat_unit, task.repeat_type, task.repeat_until),
            ("month", "until", date(2099, 12, 30)),
        )
        rule = next(line for line in self.lines(task) if line.startswith("RRULE"))
        self.change(task, (f"{rule}\r\n", ""))
        self.assertFalse(task.recurring_task or task.recurrence_id)
        self.assertNotIn("RRULE", self.todo(task))

    def test_rules_that_a_task_cannot_have_are_kept(self):
        for rule in (
            "FREQ=WEEKLY;COUNT=3", "FREQ=WEEKLY;BYDAY=MO,FR", "FREQ=MONTHLY;BYDAY=1FR",
            "FREQ=HOURLY", "FREQ=DAILY;UNTIL=20200101T000000Z", "FREQ=YEARLY;BYMONTHDAY=6",
        ):  # fmt: skip
            with self.subTest(rule):
                task = self.make_task(recurring_task=False)
                self.change(
                    task,
                    ("DUE;", f"DTSTART;TZID=Europe/Madrid:20990306T130000\r\nRRULE:{rule}\r\nDUE;"),
                )
                self.assertFalse(task.recurring_task)
                self.assertIn(f"RRULE:{rule}", self.lines(task))
                task.name = "Tread"
                self.assertIn(f"RRULE:{rule}", self.lines(task))
                self.assertIn("SUMMARY:Tread", self.lines(task))

    def test_until_the_end_of_all_years(self):
        task = self.make_task(recurring_task=False)
        rule = "RRULE:FREQ=DAILY;UNTIL=99991231T235959Z"
        start = "DTSTART;TZID=Europe/Madrid:20990305T130000"
        self.change(task, ("DUE;", f"{start}\r\n{rule}\r\nDUE;"))
        self.assertFalse(task.recurring_task)
        self.assertIn(rule, self.lines(task))

    def test_one_that_a_task_cannot_have_in_the_place_of_its_own(self):
        task = self.make_task()
        self.change(task, ("RRULE:FREQ=WEEKLY;INTERVAL=2", "RRULE:FREQ=WEEKLY;COUNT=3"))
        self.assertFalse(task.recurring_task)
        self.assertIn("RRULE:FREQ=WEEKLY;COUNT=3", self.lines(task))

    def test_where_tasks_do_not_come_again(self):
        self.project.allow_recurring_tasks = False
        task = self.make_task(recurring_task=False)
        self.change(
            task, ("DUE;", "DTSTART;TZID=Europe/Madrid:20990306T130000\r\nRRULE:FREQ=DAILY\r\nDUE;")
        )
        self.assertFalse(task.recurring_task)
        self.assertIn("RRULE:FREQ=DAILY", self.lines(task))

    def test_a_private_to_do_with_parts_of_its_own(self):
        path = self.tasks + "corks.ics"
        lines = ("SUMMARY:Buy corks", "DTSTART;VALUE=DATE:20990305", "DUE;VALUE=DATE:20990305")
        text = todo("corks", *lines, "RRULE:FREQ=DAILY")
        part = todo("corks", "SUMMARY:Bought", "RECURRENCE-ID;VALUE=DATE:20990306", *lines[1:],
                    "STATUS:COMPLETED")  # fmt: skip
        part = part[part.index("BEGIN:VTODO") : part.index("END:VCALENDAR")]
        both = text.replace("END:VCALENDAR", part + "END:VCALENDAR")
        self.assertEqual(self.put(path, both).status_code, 201)
        task = self.env["project.task"].search([("name", "=", "Buy corks")])
        self.assertFalse(task.recurring_task)
        for _again in range(2):
            got = self.ask("GET", path).text
            for line in ("RRULE:FREQ=DAILY", "RECURRENCE-ID;VALUE=DATE:20990306", "SUMMARY:Bought"):
                self.assertIn(line, got.split("\r\n"))
            self.assertEqual(self.put(path, got.replace("Buy", "Get")).status_code, 204)
        self.assertEqual(task.name, "Get corks")

    def test_own_reminders_go_on_with_the_next_one(self):
        task = self.make_task()
        alarms = (
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT20M\r\n"
            "ACKNOWLEDGED:20270101T000000Z\r\nX-MINE:1\r\nEND:VALARM\r\n"
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\n"
            "TRIGGER;VALUE=DATE-TIME:20990306T080000Z\r\nEND:VALARM\r\n"
        )
        self.change(
            task, ("STATUS:IN-PROCESS", "STATUS:COMPLETED"), ("END:VTODO", alarms + "END:VTODO")
        )
        following = self.following(task)
        lines = self.lines(following)
        for line in ("TRIGGER:-PT20M", "TRIGGER;VALUE=DATE-TIME:20990320T080000Z", "X-MINE:1"):
            self.assertIn(line, lines)
        self.assertNotIn("ACKNOWLEDGED", self.text(following))
        own = self.env["calendar.reminder.own"].search([("task_id", "=", following.id)])
        self.assertEqual(own.user_id, self.seller)
        self.assertEqual(len(own), 2)

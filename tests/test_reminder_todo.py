"""Reminders of to-dos that a program has set, and those that all have."""

import importlib.util
from datetime import date, datetime
from pathlib import Path

from odoo.tests import tagged

from .common import DAY, HOUR, MINUTE
from .dav import DavCase
from .reminder import ReminderCase
from .test_reminder_caldav import valarm

LOG = "odoo.addons.crm_automation.models.calendar_reminder_own"
#: 14 o'clock in Madrid.
DUE = datetime(2027, 6, 18, 12)


@tagged("post_install", "-at_install")
class TestReminderTodo(ReminderCase, DavCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls.env["project.project"].create({"name": "Vintage"})
        both = cls.seller + cls.other_seller
        both.group_ids += cls.env.ref("project.group_project_user")
        # Odoo gives each new user something to do.
        cls.env["project.task"].search([("user_ids", "in", both.ids)]).unlink()
        cls.env["mail.activity"].search([]).unlink()
        cls.alarm_all = cls.alarm(30)
        cls.task = cls.env["project.task"].create(
            {
                "name": "Press", "project_id": cls.project.id, "user_ids": [(6, 0, both.ids)],
                "date_deadline": DUE, "alarm_ids": cls.alarm_all.ids,
            }
        )  # fmt: skip

    def name(self, record=None):
        record = record or self.task
        uid = self.env["caldav.collection"]._todo_uid_of(self.seller, record)
        return f"{uid}.ics"

    def path(self, user=None, record=None):
        return f"{self.home(user)}tasks/{self.name(record)}"

    def text(self, user=None, record=None):
        return self.ask("GET", self.path(user, record), user=user).text

    def change(self, change, user=None, record=None):
        text = change(self.text(user, record))
        answer = self.put(self.path(user, record), text, user)
        self.assertIn(answer.status_code, (201, 204), answer.text)

    def told(self, moment):
        return {user for user, _one in self.remind(moment)}

    def own(self, user=None):
        return self.env["calendar.reminder.own"].search(
            [("user_id", "=", (user or self.seller).id)]
        )

    def test_one_s_own_takes_the_place_of_everybody_s_for_oneself(self):
        self.change(lambda text: text.replace("TRIGGER;RELATED=END:-PT30M",
                                              "TRIGGER;RELATED=END:-PT2H"))  # fmt: skip
        self.assertEqual(self.task.alarm_ids, self.alarm_all)
        self.assertIn("-PT2H", self.text())
        self.assertNotIn("-PT30M", self.text())
        self.assertIn("-PT30M", self.text(self.other_seller))
        self.assertEqual(self.told(DUE - 2 * HOUR), {self.seller})
        self.assertEqual(self.told(DUE - 30 * MINUTE), {self.other_seller})
        # It follows the task, and ends with it.
        self.task.date_deadline = DUE + DAY
        self.assertEqual(self.told(DUE + DAY - 2 * HOUR), {self.seller})
        self.task.date_deadline = DUE + 2 * DAY
        self.task.state = "1_done"
        self.assertFalse(self.told(DUE + 2 * DAY - 2 * HOUR))

    def test_one_s_own_goes_with_the_work(self):
        self.change(lambda text: text.replace("-PT30M", "-PT2H"))
        self.remind(DUE - 2 * HOUR - 5 * MINUTE)
        self.task.user_ids = self.other_seller
        self.assertFalse(self.told(DUE - 2 * HOUR))

    def test_none_at_all(self):
        self.change(
            lambda text: text[: text.index("BEGIN:VALARM")] + "END:VTODO\r\nEND:VCALENDAR\r\n"
        )
        self.assertNotIn("VALARM", self.text())
        self.assertEqual(self.told(DUE - 30 * MINUTE), {self.other_seller})

    def test_what_a_program_sends_back_as_it_was_stays_everybody_s(self):
        self.change(lambda text: text.replace("SUMMARY:Press", "SUMMARY:Tread"))
        self.assertFalse(self.own())
        self.task.alarm_ids = self.alarm(5)
        self.assertIn("-PT5M", self.text())
        self.assertNotIn("-PT30M", self.text())
        self.assertEqual(self.told(DUE - 5 * MINUTE), {self.seller, self.other_seller})

    def test_what_only_programs_know_comes_back(self):
        alarm = valarm("-PT45M").replace("ACTION:DISPLAY", "ACTION:X-LIGHT\r\nX-COLOUR:red")
        self.change(lambda text: text.replace("END:VTODO", alarm + "END:VTODO"))
        for line in ("ACTION:X-LIGHT", "X-COLOUR:red", "TRIGGER;RELATED=END:-PT30M"):
            self.assertIn(line, self.text())
        self.assertNotIn("X-LIGHT", self.text(self.other_seller))
        self.assertEqual(self.told(DUE - 30 * MINUTE), {self.seller, self.other_seller})

    def test_seen_in_odoo_is_silent_on_the_phone(self):
        self.remind(DUE - 30 * MINUTE)
        with self.at(DUE - 29 * MINUTE):
            self.rows(self.task).with_user(self.seller).filtered(
                lambda row: row.sudo().partner_id == self.seller_partner
            ).action_dismiss()
        self.assertIn("ACKNOWLEDGED:20270618T113100Z", self.text())
        self.assertNotIn("ACKNOWLEDGED", self.text(self.other_seller))
        # Sent back as it came, it stays everybody's.
        self.change(lambda text: text.replace("SUMMARY:Press", "SUMMARY:Tread"))
        self.assertIn("ACKNOWLEDGED:20270618T113100Z", self.text())
        self.assertFalse(self.own())

    def test_own_ones_seen_in_odoo(self):
        self.change(lambda text: text.replace("-PT30M", "-PT2H"))
        self.remind(DUE - 2 * HOUR)
        with self.at(DUE - HOUR):
            self.rows(self.task).with_user(self.seller).action_dismiss()
        self.assertIn("ACKNOWLEDGED:20270618T110000Z\r\nEND:VALARM", self.text())

    def test_seen_on_the_phone(self):
        self.remind(DUE - 30 * MINUTE)
        self.change(lambda text: text.replace(
            "END:VALARM", "ACKNOWLEDGED:20270618T113100Z\r\nEND:VALARM"))  # fmt: skip
        with self.at(DUE - 28 * MINUTE):
            self.assertFalse(self.Reminder.with_user(self.seller).get_due())
            self.assertTrue(self.Reminder.with_user(self.other_seller).get_due())

    def test_a_to_do_of_a_program(self):
        lines = ("SUMMARY:Buy corks", "DUE:20270618T120000Z")
        text = "\r\n".join(
            ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//X//EN", "BEGIN:VTODO", "UID:corks",
             "DTSTAMP:20270101T000000Z", *lines]
        ) + "\r\n" + valarm("-PT10M").replace("END", "X-MINE:1\r\nEND") + valarm(
            "VALUE=DATE-TIME:20270617T070000Z"
        ).replace("TRIGGER:", "TRIGGER;") + "END:VTODO\r\nEND:VCALENDAR\r\n"  # fmt: skip
        path = self.home() + "tasks/corks.ics"
        answer = self.put(path, text)
        self.assertEqual(answer.status_code, 201, answer.text)
        self.assertIn("X-MINE:1", self.ask("GET", path).text)
        for moment in (datetime(2027, 6, 17, 7), DUE - 10 * MINUTE):
            told = [(user, one["title"]) for user, one in self.remind(moment)]
            self.assertIn((self.seller, "Buy corks"), told)
            self.assertNotIn((self.other_seller, "Buy corks"), told)

    def test_of_a_day_programs_reckon_from_its_midnight(self):
        """And what all have says there the moment at which Odoo reminds."""
        # The end of a day in Madrid.
        self.task.date_deadline = datetime(2027, 6, 18, 21, 59)
        self.assertIn("DUE;VALUE=DATE:20270618", self.text())
        self.assertIn("TRIGGER;RELATED=END:PT23H29M", self.text())
        self.change(lambda text: text.replace("PT23H29M", "-PT15H"))
        self.assertEqual(self.told(datetime(2027, 6, 17, 7)), {self.seller})
        self.assertEqual(self.told(datetime(2027, 6, 18, 21, 29)), {self.other_seller})

    def test_an_activity(self):
        activity = self.customer.activity_schedule(
            "mail.mail_activity_data_call", date(2027, 6, 18), "Ask", user_id=self.seller.id,
            alarm_ids=self.alarm(1, "days").ids,
        )  # fmt: skip
        self.assertIn("TRIGGER;RELATED=END:-PT15H", self.text(record=activity))
        self.change(lambda text: text.replace("-PT15H", "PT8H"), record=activity)
        self.assertIn("TRIGGER;RELATED=END:PT8H", self.text(record=activity))
        self.assertFalse(self.told(datetime(2027, 6, 17, 7)))
        [(user, shown)] = self.remind(datetime(2027, 6, 18, 6))
        self.assertEqual((user, shown["title"]), (self.seller, "Ask"))
        with self.at(datetime(2027, 6, 18, 6, 1)):
            self.rows(activity).with_user(self.seller).action_dismiss()
        self.assertIn("ACKNOWLEDGED:20270618T060100Z", self.text(record=activity))
        activity.alarm_ids = self.alarm(2, "days")
        self.assertIn("TRIGGER;RELATED=END:PT8H", self.text(record=activity))
        self.assertEqual(self.own().activity_id, activity)
        activity.unlink()
        self.assertFalse(self.own())

    def test_a_reminder_that_is_changed_in_odoo_reaches_the_programs(self):
        _names, _gone, token = self.sync(path=f"{self.home()}tasks/")
        self.alarm_all.write({"duration": 20})
        self.assertEqual(self.sync(token, f"{self.home()}tasks/")[0], {self.name()})
        self.assertIn("-PT20M", self.text())

    def test_what_was_there_before_is_noted_by_the_migration(self):
        meeting = self.meet(self.alarm_all, start=DUE)
        own = (
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + valarm("-PT1H")
            + "END:VEVENT\r\nEND:VCALENDAR\r\n"
        )  # fmt: skip
        overlays = self.env["caldav.overlay"]
        for uid, text in ((meeting.ical_uid, own), ("broken", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT")):
            overlays.create({"user_id": self.seller.id, "uid": uid, "text": text})
        self.change(lambda text: text.replace("-PT30M", "-PT2H"))
        # As it was before: the to-do's reminder in its text alone.
        self.env["calendar.reminder.own"].search([]).unlink()
        overlays.search([("uid", "!=", meeting.ical_uid), ("uid", "!=", "broken")]).unlink()
        path = Path(__file__).parents[1] / "migrations/19.0.0.9.0/post-migration.py"
        spec = importlib.util.spec_from_file_location("post_migration", path)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        for _twice in range(2):
            with self.assertLogs(LOG, "WARNING"):
                script.migrate(self.env.cr, "19.0.0.8.0")
            self.env.invalidate_all()
            found = {(own.uid, own.minutes) for own in self.own() if own.kind}
            self.assertEqual(
                found, {(meeting.ical_uid, -60), (self.name().removesuffix(".ics"), -120)}
            )
        self.assertIn("-PT2H", self.text())
        self.assertEqual(self.told(DUE - 2 * HOUR), {self.seller})

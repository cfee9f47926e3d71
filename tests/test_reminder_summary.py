"""The summary in the morning."""

from datetime import datetime

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common import DAY, HOUR, MINUTE, EveryObjectCase
from .reminder import ReminderCase

#: Half past seven in Madrid.
MORNING = datetime(2027, 6, 15, 5, 30)
NINE = datetime(2027, 6, 15, 7)


@tagged("post_install", "-at_install")
class TestReminderSummary(ReminderCase, EveryObjectCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller.with_user(cls.seller).write({"reminder_summary": True})

    def summaries(self, state=None):
        domain = [("kind", "=", "summary")] + ([("state", "=", state)] if state else [])
        return self.Reminder.search(domain)

    def test_off_by_default(self):
        self.assertFalse(self.other_seller.reminder_summary)
        self.meet(start=NINE, user=self.other_seller)
        for hour in range(24):
            self.remind(MORNING + hour * HOUR)
        self.assertFalse(self.summaries("done"))

    def test_what_the_day_brings(self):
        self.meet(start=NINE, name="Morning")
        self.meet(start=NINE + 3 * HOUR, name="Noon", user=self.other_seller,
                  partners=self.seller_partner)  # fmt: skip
        declined = self.meet(start=NINE, name="Declined")
        declined.attendee_ids.state = "declined"
        self.meet(start=NINE + DAY, name="Tomorrow")
        self.meet(start=NINE, name="Theirs", user=self.other_seller)
        tasks = self.env["project.task"].create(
            [
                {"name": name, "project_id": self.project.id, "user_ids": self.seller.ids,
                 "date_deadline": deadline, "state": state}
                for name, deadline, state in (
                    ("Bottle", NINE + 2 * HOUR, "01_in_progress"),
                    ("Label", NINE - 3 * DAY, "01_in_progress"),
                    ("Done", NINE, "1_done"),
                    ("Later", NINE + 2 * DAY, "01_in_progress"),
                )
            ]
        )  # fmt: skip
        self.assertEqual(len(tasks), 4)
        self.remind(MORNING - MINUTE)
        self.assertEqual(self.summaries().state, "pending")
        self.remind(MORNING)
        mail = self.summaries("done").mail_id
        self.assertEqual(mail.recipient_ids, self.seller_partner)
        for word in ("Morning", "Noon", "Bottle", "Label", "09:00", "Europe/Madrid", "junio"):
            self.assertIn(word, mail.body_html)
        for word in ("Declined", "Tomorrow", "Theirs", ">Done<", "Later"):
            self.assertNotIn(word, mail.body_html)
        self.assertIn("2", mail.subject)
        self.remind(MORNING + MINUTE)
        self.assertEqual(len(self.summaries()), 1)

    def test_nothing_no_mail(self):
        self.remind(MORNING)
        self.assertEqual(self.summaries().state, "skipped")

    def test_at_his_hour_and_in_his_zone(self):
        self.meet(start=NINE + 8 * HOUR)
        self.seller.write({"reminder_summary_hour": 9.25, "tz": "America/New_York"})
        self.remind(MORNING)
        self.assertFalse(self.summaries("done"))
        # A quarter past nine in New York.
        self.remind(datetime(2027, 6, 15, 13, 15))
        self.assertIn("America/New_York", self.summaries("done").mail_id.body_html)

    def test_the_last_minute_of_the_day_and_who_does_not_work_here(self):
        portal = self.env["res.users"].create(
            {"name": "Guest", "login": "guest@portal.example", "reminder_summary": True,
             "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
             "reminder_summary_hour": 7.5, "tz": self.seller.tz}
        )  # fmt: skip
        self.seller.reminder_summary_hour = 23.999
        self.meet(start=NINE, partners=portal.partner_id)
        self.remind(MORNING)
        self.assertFalse(self.summaries())
        self.remind(datetime(2027, 6, 15, 21, 59))
        self.assertEqual(self.summaries().partner_id, self.seller_partner)
        self.assertEqual(self.summaries().due_at, datetime(2027, 6, 15, 21, 59))

    def test_an_hour_that_was_missed_and_one_that_is_over(self):
        self.meet(start=NINE + 10 * HOUR)
        self.remind(MORNING + 2 * HOUR)
        self.assertEqual(self.summaries().state, "done")
        self.remind(MORNING + DAY + 6 * HOUR)
        self.assertEqual(len(self.summaries()), 1)

    def test_whose_it_is(self):
        with self.assertRaises(AccessError):
            self.other_seller.with_user(self.seller).write({"reminder_summary": True})

"""Reminders of activities: of a day without an hour, for whoever has it."""

from datetime import date, datetime

from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from .common import DAY, HOUR, MINUTE
from .reminder import ReminderCase

DEADLINE = date(2027, 6, 18)
#: 9 o'clock in Madrid.
DAY_BEFORE, SAME_DAY = datetime(2027, 6, 17, 7), datetime(2027, 6, 18, 7)


@tagged("post_install", "-at_install")
class TestReminderActivity(ReminderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Odoo gives each new user something to do.
        cls.env["mail.activity"].search([]).unlink()
        cls.lead = cls.make_lead(name="Corks")

    @classmethod
    def plan(cls, *alarms, user=None, record=None, **values):
        activity = (record or cls.lead).activity_schedule(
            "mail.mail_activity_data_call", DEADLINE, "Ask", user_id=(user or cls.seller).id,
            alarm_ids=[one.id for one in alarms], **values,
        )  # fmt: skip
        cls.end_transaction()
        return activity

    def test_at_an_hour_of_the_day_before_or_of_the_day(self):
        before, same = self.alarm(15), self.alarm(0)
        three, evening = self.alarm(3, "days"), self.alarm(1, allday_hour=20.5)
        self.plan(before, same, three, evening)
        found = self.Reminder._find(datetime(2027, 6, 10), datetime(2027, 6, 30))
        self.assertEqual(
            [(due.timing.alarm_id, due.due_at) for due in found],
            [
                (three.id, DAY_BEFORE - 2 * DAY), (before.id, DAY_BEFORE),
                (evening.id, datetime(2027, 6, 17, 18, 30)), (same.id, SAME_DAY),
            ],
        )  # fmt: skip

    def test_once_at_its_moment_in_the_zone_of_whoever_has_it(self):
        activity = self.plan(self.alarm(1, "days"))
        other = self.plan(self.alarm(1, "days"), user=self.other_seller)
        self.assertFalse(self.remind(DAY_BEFORE - MINUTE))
        [(user, shown)] = self.remind(DAY_BEFORE)
        self.assertEqual((user, shown["title"]), (self.seller, "Ask"))
        self.assertEqual(shown["lines"], ["Vence: viernes 18 junio 2027", "Corks"])
        opened = self.rows(activity).with_user(self.seller).action_open_record()
        self.assertEqual((opened["res_model"], opened["res_id"]), ("crm.lead", self.lead.id))
        self.assertFalse(self.remind(DAY_BEFORE + MINUTE))
        # 9 o'clock in New York.
        [(user, shown)] = self.remind(DAY_BEFORE + 6 * HOUR)
        self.assertEqual((user, shown["lines"][0]), (self.other_seller, "Due: Friday 18 June 2027"))
        self.assertEqual(len(self.rows(activity | other, "done")), 2)

    def test_moved_given_to_somebody_else_and_done(self):
        moved, given = self.plan(self.alarm(1, "days")), self.plan(self.alarm(1, "days"))
        done, deleted = self.plan(self.alarm(1, "days")), self.plan(self.alarm(1, "days"))
        taken_off = self.plan(self.alarm(1, "days"))
        self.remind(DAY_BEFORE - 10 * MINUTE)
        self.assertEqual(len(self.rows(moved | given | done | deleted, "pending")), 4)
        moved.date_deadline = date(2027, 6, 19)
        given.user_id = self.manager
        self.manager.tz = "Europe/Madrid"
        rows = self.rows(done | deleted)
        done.action_feedback()
        deleted.unlink()
        taken_off.alarm_ids = False
        self.assertEqual([user for user, _one in self.remind(DAY_BEFORE)], [self.manager])
        self.assertEqual(set(rows.mapped("state")), {"cancelled"})
        self.assertEqual(self.rows(taken_off).state, "cancelled")
        [(user, shown)] = self.remind(DAY_BEFORE + DAY)
        self.assertEqual((user, shown["title"]), (self.seller, "Ask"))

    def test_the_mail(self):
        activity = self.plan(self.alarm(1, "days", kind="email"))
        self.remind(DAY_BEFORE)
        mail = self.mails(activity)
        self.assertEqual(mail.recipient_ids, self.seller_partner)
        self.assertEqual(mail.subject, "Recordatorio: Ask")
        for words in ("Vence: viernes 18 junio 2027", "Corks", "?do=snooze-60"):
            self.assertIn(words, mail.body_html)
        self.assertNotIn("do=late", mail.body_html)
        # Nobody who reads the lead reads the seller's reminder.
        self.assertFalse(mail.mail_message_id.model)
        values = self.rows(activity)._page_values()
        self.assertEqual((values["title"], values["may_be_late"]), ("Ask", False))
        with self.at(DAY_BEFORE):
            self.rows(activity)._page_act("snooze-60")
        self.remind(DAY_BEFORE + HOUR)
        self.assertEqual(len(self.mails(activity)), 2)

    def test_without_a_record(self):
        activity = self.env["mail.activity"].create(
            {"summary": "Rest", "user_id": self.seller.id, "date_deadline": DEADLINE,
             "alarm_ids": self.alarm(1, "days").ids}
        )  # fmt: skip
        [(_user, shown)] = self.remind(DAY_BEFORE)
        self.assertEqual((shown["title"], len(shown["lines"])), ("Rest", 1))
        opened = self.rows(activity).with_user(self.seller).action_open_record()
        self.assertEqual((opened["res_model"], opened["res_id"]), (activity._name, activity.id))

    def test_nothing_but_notifications_and_mails(self):
        """A procedure is code, and a to-do about a to-do is of use to nobody."""
        action = self.env["ir.actions.server"].create(
            {"name": "Code", "model_id": self.env["ir.model"]._get_id("mail.activity"),
             "state": "code", "code": "record.unlink()"}
        )  # fmt: skip
        activity = self.plan(
            self.alarm(1, "days", kind="procedure", server_action_id=action.id),
            self.alarm(1, "days", kind="activity"),
        )
        self.assertFalse(self.remind(DAY_BEFORE))
        self.assertFalse(self.rows(activity))

    def test_scheduled_from_the_chatter(self):
        alarm = self.alarm(1, "days")
        wizard = Form(
            self.env["mail.activity.schedule"].with_user(self.seller).with_context(
                active_model="crm.lead", active_ids=self.lead.ids
            )
        )  # fmt: skip
        wizard.summary = "Ask again"
        wizard.alarm_ids.add(alarm)
        wizard.save().action_schedule_activities()
        activity = self.lead.activity_ids.filtered(lambda one: one.summary == "Ask again")
        self.assertEqual(activity.alarm_ids, alarm)
        with Form(activity.with_user(self.seller)) as form:
            form.alarm_ids.remove(alarm.id)
        self.assertFalse(activity.alarm_ids)

    def test_those_of_others(self):
        activity = self.plan(self.alarm(1, "days"), user=self.manager)
        with self.assertRaises(AccessError):
            activity.with_user(self.portal).write({"alarm_ids": False})
        self.manager.tz = "Europe/Madrid"
        self.remind(DAY_BEFORE)
        row = self.rows(activity)
        self.assertEqual(row.partner_id, self.manager.partner_id)
        self.assertFalse(row.with_user(self.seller).search([("id", "=", row.id)]))
        with self.assertRaises(AccessError):
            row.with_user(self.seller).action_dismiss()
        self.assertEqual(row.with_user(self.manager).action_open_record()["res_model"], "crm.lead")

    def test_a_save_calls_the_job(self):
        job = self.env.ref("crm_automation.ir_cron_enqueuer")

        def calls():
            self.end_transaction()
            return self.env["ir.cron.trigger"].search_count([("cron_id", "=", job.id)])

        with self.at(DAY_BEFORE - 20 * MINUTE):
            start = calls()
            far = self.plan(self.alarm(1, "days"))
            self.assertEqual(calls(), start + 1)
            far.summary = "Ask him"
            self.assertEqual(calls(), start + 1)
            far.date_deadline = date(2027, 8, 1)
            self.assertEqual(calls(), start + 1)

    def test_what_is_to_come(self):
        self.plan(self.alarm(1, "days"))
        with self.at(DAY_BEFORE - DAY):
            rows = self.env["calendar.reminder.coming"].with_user(self.seller)._rows()
        self.assertEqual([row["record_name"] for row in rows], ["Ask"])

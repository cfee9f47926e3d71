"""The mail of a reminder, and the page that it links to."""

import base64
import re
from datetime import timedelta

from odoo.exceptions import ValidationError
from odoo.tests import HttpCase, tagged

from .common import MINUTE
from .reminder import START, ReminderCase
from .test_wire import WireCase

MEET = "https://meet.example.com/room?a=1&b=2"


@tagged("post_install", "-at_install")
class TestReminderMail(ReminderCase):
    def body_for(self, event, partner):
        row = self.rows(event).filtered(lambda row: row.partner_id == partner)
        self.assertEqual(row.state, "done")
        return row.mail_id.body_html

    def test_when_where_who_and_what_can_be_answered(self):
        meeting = self.meet(
            self.alarm(15, kind="email"), partners=self.other_partner | self.customer,
            location="Cellar & Sons, 3", videocall_location=MEET,
        )  # fmt: skip
        meeting.attendee_ids.filtered(
            lambda one: one.partner_id == self.customer
        ).state = "tentative"
        self.remind(START - 15 * MINUTE)
        self.assertEqual(len(self.mails(meeting)), 3)
        spanish = self.body_for(meeting, self.seller_partner)
        self.assertIn("13:00 – 14:00 (Europe/Madrid)", spanish)
        self.assertIn("martes 15 junio 2027", spanish)
        american = self.body_for(meeting, self.other_partner)
        self.assertIn("07:00 – 08:00 (America/New_York)", american)
        self.assertIn("Cellar &amp; Sons, 3", american)
        self.assertIn("search?query=Cellar+%26+Sons%2C+3", american)
        self.assertIn('href="https://meet.example.com/room?a=1&amp;b=2"', american)
        self.assertRegex(american, r"Azure &amp; Sons\s*<span[^>]*>Maybe</span>")
        for do in ("late", "snooze-5", "snooze-60"):
            self.assertIn(f"?do={do}", american)
        links = {
            re.search(r"/calendar/reminder/([^?\"]+)", body)[1]
            for body in self.mails(meeting).mapped("body_html")
        }
        self.assertEqual(len(links), 3)
        # A customer without a zone reads that of whoever invites him.
        self.assertIn("(Europe/Madrid)", self.body_for(meeting, self.customer))

    def test_the_mail_around_it(self):
        meeting = self.meet(self.alarm(15, kind="email"), name="Tasting\nBcc: x@example.com")
        self.remind(START - 15 * MINUTE)
        mail = self.mails(meeting)
        self.assertIn("auto-generated", mail.headers)
        self.assertNotIn("\n", mail.subject)
        self.assertIn("seller@example.com", mail.email_from)
        self.assertEqual((mail.model, mail.res_id), (meeting._name, meeting.id))
        self.assertFalse(mail.attachment_ids)
        self.assertNotIn(mail.mail_message_id, meeting.website_message_ids)

    def test_with_a_file_and_the_calendar_file(self):
        file = base64.b64encode(b"bring this")
        alarm = self.alarm(
            15, kind="email", with_ics=True, attachment=file, attachment_name="list.txt"
        )
        meeting = self.meet(alarm, partners=self.other_partner)
        self.remind(START - 15 * MINUTE)
        files = self.mails(meeting).attachment_ids
        self.assertEqual(set(files.mapped("name")), {"list.txt", "meeting.ics"})
        self.assertEqual(files.filtered(lambda one: one.name == "list.txt").raw, b"bring this")
        self.assertEqual(len(files.filtered(lambda one: one.name == "list.txt")), 1)

    def test_a_template_of_one_s_own(self):
        template = self.env.ref("calendar.calendar_template_meeting_reminder").copy(
            {"name": "Mine", "subject": "Soon: {{ object.event_id.name }}",
             "body_html": "<p>Dear <t t-out='object.common_name'/></p>"}
        )  # fmt: skip
        meeting = self.meet(
            self.alarm(15, kind="email", mail_template_id=template.id), partners=self.customer
        )
        self.remind(START - 15 * MINUTE)
        self.assertEqual(set(self.mails(meeting).mapped("subject")), {"Soon: Tasting"})
        self.assertIn("Dear Azure &amp; Sons", self.body_for(meeting, self.customer))

    def test_a_template_about_something_else(self):
        template = self.env["mail.template"].create(
            {"name": "Users", "model_id": self.env["ir.model"]._get_id("res.users"),
             "subject": "Of {{ object.login }}", "body_html": "<p/>"}
        )  # fmt: skip
        alarm = self.alarm(15, kind="email")
        with self.assertRaises(ValidationError):
            alarm.mail_template_id = template
        alarm.invalidate_recordset()
        # A template may become one about something else.
        self.env.cr.execute(
            "UPDATE calendar_alarm SET mail_template_id = %s WHERE id = %s",
            (template.id, alarm.id),
        )
        alarm.invalidate_recordset()
        meeting = self.meet(alarm, partners=self.customer)
        self.remind(START - 15 * MINUTE)
        self.assertEqual(len(self.mails(meeting)), 2)
        self.assertNotIn("Of ", "".join(self.mails(meeting).mapped("subject")))

    def test_one_that_cannot_be_rendered_stops_nobody_else(self):
        template = self.env.ref("calendar.calendar_template_meeting_reminder").copy(
            {"body_html": "<p t-out=\"1 / (object.event_id.name != 'Broken')\"/>"}
        )
        alarm = self.alarm(15, kind="email", mail_template_id=template.id)
        broken = self.meet(alarm, name="Broken")
        whole = self.meet(self.alarm(15, kind="email"))
        with self.assertLogs("odoo.addons.crm_automation.models.calendar_reminder_run") as logs:
            self.remind(START - 15 * MINUTE)
        self.assertEqual(len(logs.output), 1)
        self.assertEqual(self.rows(whole).state, "done")
        row = self.rows(broken)
        self.assertEqual((row.state, row.tries), ("pending", 1))
        self.assertGreater(row.run_at, START - 15 * MINUTE)
        broken.name = "Whole"
        self.remind(START - 13 * MINUTE)
        self.assertEqual((row.state, len(self.mails(broken))), ("done", 1))

    def test_nobody_writes_to_who_has_no_address_or_wants_no_mail(self):
        nobody = self.env["res.partner"].create({"name": "Nobody"})
        self.env["mail.blacklist"]._add(self.customer.email)
        meeting = self.meet(self.alarm(15, kind="email"), partners=nobody | self.customer)
        self.remind(START - 15 * MINUTE)
        self.assertEqual(self.mails(meeting).recipient_ids, self.seller_partner)
        skipped = self.rows(meeting, "skipped")
        self.assertEqual(skipped.partner_id, nobody | self.customer)
        self.assertTrue(all(row.reason for row in skipped))

    def test_who_is_invited_by_his_address_alone(self):
        meeting = self.meet(self.alarm(15, kind="email"))
        self.env["calendar.attendee"].create(
            {"event_id": meeting.id, "address": "eva@example.com", "address_name": "Eva"}
        )
        self.remind(START - 15 * MINUTE)
        self.assertIn("eva@example.com", self.mails(meeting).mapped("email_to"))

    def test_a_private_meeting_is_told_to_those_who_come(self):
        meeting = self.meet(
            self.alarm(15, kind="email"), partners=self.other_partner, privacy="private"
        )
        self.remind(START - 15 * MINUTE)
        self.assertEqual(
            set(self.mails(meeting).mapped("subject")),
            {"Reminder: Tasting", "Recordatorio: Tasting"},
        )

    def test_a_mail_that_is_not_sent_is_tried_again(self):
        meeting = self.meet(self.alarm(15, kind="email"))
        moment = START - 15 * MINUTE
        self.remind(moment)
        row, mail = self.rows(meeting), self.mails(meeting)
        message = mail.message_id
        with self.at(moment):
            mail.write({"state": "exception"})
            mail._postprocess_sent_message([], [], "connection lost", "mail_smtp")
        self.assertEqual((row.state, row.reason), ("pending", "connection lost"))
        self.remind(moment + 2 * MINUTE)
        self.assertEqual((row.state, mail.state), ("done", "outgoing"))
        self.assertEqual(row.mail_id.message_id, message)


@tagged("post_install", "-at_install")
class TestReminderWire(WireCase, ReminderCase):
    """Reminders leave by a real SMTP server."""

    def test_a_lost_connection_loses_no_reminder_and_holds_up_nobody(self):
        """Stock leaves that mail as an exception, and the others until the next hour."""
        self.inbox.cut = 1
        moment = START - 15 * MINUTE
        meetings = [self.meet(self.alarm(15, kind="email"), name=f"No {n}") for n in range(3)]
        self.remind(moment)
        rows = [self.rows(meeting) for meeting in meetings]
        ids = [row.mail_id.message_id for row in rows]
        self.forget_triggers()
        with self.at(moment):
            # What has woken this run: Odoo removes it at its end.
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()
            self.send_queue_badly()
            self.assertEqual(self.mailer_is_woken(), 2)
        self.assertFalse(self.inbox.received)
        self.assertEqual([row.state for row in rows], ["pending", "done", "done"])
        self.assertIn("connection", rows[0].reason)
        with self.at(moment):
            self.send_queue()
        self.assertEqual(len(self.inbox.received), 2)
        self.remind(moment + 2 * MINUTE)
        with self.at(moment + 2 * MINUTE):
            self.send_queue()
        self.assertEqual([row.state for row in rows], ["done"] * 3)
        arrived = [message["Message-ID"] for _to, message in self.inbox.received]
        self.assertEqual(sorted(arrived), sorted(ids))


@tagged("post_install", "-at_install")
class TestReminderPage(ReminderCase, HttpCase):
    def setUp(self):
        super().setUp()
        # The server's own clock is today's.
        self.meeting = self.meet(
            self.alarm(15, kind="email"), partners=self.customer,
            start=self.env.cr.now().replace(microsecond=0) + timedelta(minutes=10),
        )  # fmt: skip
        now = self.env.cr.now()
        with self.no_commit():
            self.Reminder._enqueue_due(now)
            self.Firing._drain()
        self.row = self.rows(self.meeting).filtered(lambda row: row.partner_id == self.customer)
        self.page = f"/calendar/reminder/{self.row._token()}"

    def post(self, do, page=None):
        self.env.flush_all()
        found = self.url_open(page or self.page, data={"do": do})
        self.env.invalidate_all()
        return found

    def test_get_shows_and_changes_nothing(self):
        for query in ("", "?do=late", "?do=snooze-5"):
            page = self.url_open(self.page + query)
            self.assertEqual(page.status_code, 200)
            self.assertIn("Tasting", page.text)
        self.assertEqual(page.headers["Referrer-Policy"], "no-referrer")
        self.assertFalse(self.row.late_at)
        self.assertEqual(len(self.rows(self.meeting)), 2)

    def test_later(self):
        page = self.post("snooze-60")
        self.assertIn("again in 1 hour", page.text)
        again = self.rows(self.meeting).filtered("snooze")
        self.assertEqual((again.partner_id, again.state), (self.customer, "pending"))
        self.assertGreater(again.due_at, self.env.cr.now() + timedelta(minutes=58))
        # Twice is once, later.
        self.post("snooze-5")
        again = self.rows(self.meeting).filtered("snooze")
        self.assertEqual(len(again), 1)
        self.assertLess(again.due_at, self.env.cr.now() + timedelta(minutes=6))

    def test_late_is_told_once_to_who_organizes_it(self):
        self.post("late")
        self.post("late")
        said = self.meeting.message_ids.filtered(lambda one: "Azure" in (one.body or ""))
        self.assertEqual(len(said), 1)
        self.assertEqual(said.author_id, self.customer)
        self.assertEqual(said.notified_partner_ids, self.seller_partner)

    def test_the_secret(self):
        other = self.rows(self.meeting) - self.row
        digest = self.row._token().partition("-")[2]
        for wrong in (f"{other.id}-{digest}", f"{self.row.id}-", "1", "x-y", f"²-{digest}"):
            self.assertEqual(self.url_open(f"/calendar/reminder/{wrong}").status_code, 404)
            self.assertEqual(self.post("late", f"/calendar/reminder/{wrong}").status_code, 404)
        self.assertFalse(self.row.late_at)

    def test_the_links_of_the_invitation_are_revoked(self):
        mail = self.row.mail_id.body_html
        self.assertIn(self.page, mail)
        guest = self.meeting.attendee_ids.filtered(lambda one: one.partner_id == self.customer)
        guest.with_user(self.seller).action_revoke_link()
        self.env.flush_all()
        self.assertEqual(self.url_open(self.page).status_code, 404)
        self.assertEqual(self.url_open(f"/calendar/reminder/{self.row._token()}").status_code, 200)

    def test_who_is_not_invited_any_more(self):
        self.meeting.partner_ids -= self.customer
        self.env.flush_all()
        self.assertEqual(self.url_open(self.page).status_code, 404)
        self.assertEqual(self.post("late").status_code, 404)

    def test_when_it_is_over(self):
        start = self.meeting.start - timedelta(days=20)
        self.env.cr.execute(
            "UPDATE calendar_event SET start = %s, stop = %s WHERE id = %s",
            (start, start + timedelta(hours=1), self.meeting.id),
        )
        self.row.due_at = start
        for do in ("late", "snooze-5", "dismiss"):
            self.assertEqual(self.post(do).status_code, 400)
        # Reminded after the end: there is something to be reminded of, nobody to wait.
        self.row.due_at = start + timedelta(hours=2)
        self.assertEqual(self.post("late").status_code, 400)
        self.assertFalse(self.row.late_at)

    def test_what_is_not_offered(self):
        self.assertEqual(self.post("snooze-99999").status_code, 400)
        self.assertEqual(self.post("unlink").status_code, 400)

    def test_in_the_reader_s_language(self):
        self.customer.lang = "es_ES"
        self.env.flush_all()
        self.assertIn('lang="es-ES"', self.url_open(self.page).text)

"""Reminders between Odoo and a calendar program: one's own, and what was seen."""

from datetime import datetime, timedelta

from odoo.fields import Command
from odoo.tests import tagged

from ..models.ical_taken import MAX_ALARMS
from .common import HOUR, MINUTE
from .dav import DavCase
from .reminder import ReminderCase

START = datetime(2027, 3, 1, 9)


def valarm(trigger):
    lines = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", f"TRIGGER:{trigger}", "END:VALARM")
    return "\r\n".join(lines) + "\r\n"


@tagged("post_install", "-at_install")
class TestReminderCaldav(ReminderCase, DavCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls.alarm(15)
        cls.meeting = cls.meet(cls.shared, start=START, partners=cls.other_partner)

    def name(self, event=None):
        return f"{(event or self.meeting).ical_uid}.ics"

    def text(self, user, event=None):
        return self.ask("GET", self.agenda(user) + self.name(event), user=user).text

    def change(self, user, change, event=None):
        """What his program sends back after he has changed it there."""
        text = change(self.text(user, event))
        answer = self.put(self.agenda(user) + self.name(event), text, user)
        self.assertIn(answer.status_code, (201, 204), answer.text)

    def told(self, moment):
        return {user for user, _one in self.remind(moment)}

    def test_the_organizer_s_phone_sets_his_own(self):
        self.change(
            self.seller,
            lambda text: text.replace("TRIGGER:-PT15M", "TRIGGER:-PT40M")
            .replace("SUMMARY:Tasting", "SUMMARY:Tasting here"),
        )  # fmt: skip
        self.assertEqual(self.meeting.name, "Tasting here")
        self.assertEqual(self.meeting.alarm_ids, self.shared)
        self.assertIn("TRIGGER:-PT40M", self.text(self.seller))
        self.assertIn("TRIGGER:-PT15M", self.text(self.other_seller))
        self.assertEqual(self.told(START - 40 * MINUTE), {self.seller})
        self.assertEqual(self.told(START - 15 * MINUTE), {self.other_seller})

    def test_what_the_organizer_s_phone_sends_back_as_it_was(self):
        """Then the shared ones stay his: a change of them in Odoo reaches him."""
        self.remind(START - 15 * MINUTE)
        with self.at(START - 14 * MINUTE):
            self.rows(self.meeting).with_user(self.seller).filtered(
                lambda row: row.sudo().partner_id == self.seller_partner
            ).action_dismiss()
        self.assertIn("ACKNOWLEDGED:", self.text(self.seller))
        self.assertNotIn("ACKNOWLEDGED:", self.text(self.other_seller))
        self.change(self.seller, lambda text: text.replace("Tasting", "Cellar"))
        self.assertIn("ACKNOWLEDGED:", self.text(self.seller))
        self.meeting.alarm_ids = [Command.set(self.alarm(5).ids)]
        self.assertIn("TRIGGER:-PT5M", self.text(self.seller))
        self.assertEqual(self.told(START - 5 * MINUTE), {self.seller, self.other_seller})

    def test_a_meeting_with_nobody_has_the_reminders_of_the_phone(self):
        alone = self.meet(self.shared, start=START)
        self.change(
            self.seller,
            lambda text: text.replace("END:VEVENT", valarm("-PT7M") + "END:VEVENT"), alone,
        )  # fmt: skip
        self.assertEqual(set(alone.alarm_ids.mapped("duration_minutes")), {7, 15})

    def test_more_reminders_than_anybody_has(self):
        more = "".join(valarm(f"-PT{minutes}M") for minutes in range(60, 90))
        self.change(
            self.other_seller, lambda text: text.replace("END:VEVENT", more + "END:VEVENT")
        )  # fmt: skip
        self.assertEqual(self.text(self.other_seller).count("BEGIN:VALARM"), 31)
        rows = self.env["calendar.reminder.own"].search([("user_id", "=", self.other_seller.id)])
        self.assertEqual(len(rows), MAX_ALARMS)

    def test_guests_who_come_later_get_no_mails_of_the_phone(self):
        alone = self.meet(self.shared, start=START)
        mail = valarm("-PT7M").replace(
            "DISPLAY", "EMAIL\r\nSUMMARY:x\r\nREPEAT:100\r\nDURATION:PT1M"
        )
        self.change(
            self.seller, lambda text: text.replace("END:VEVENT", mail + "END:VEVENT"), alone
        )
        sent = alone.alarm_ids.filtered(lambda alarm: alarm.alarm_type == "email")
        self.assertEqual((sent.duration_minutes, sent.repeat), (7, 5))
        people = (
            f"ORGANIZER:mailto:{self.seller.email_normalized}\r\n"
            f"ATTENDEE:mailto:{self.seller.email_normalized}\r\n"
            f"ATTENDEE:mailto:{self.other_seller.email_normalized}\r\n"
        )
        self.change(
            self.seller, lambda text: text.replace("SUMMARY:Tasting", people + "SUMMARY:Tasting"),
            alone,
        )  # fmt: skip
        self.assertIn(self.other_partner, alone.partner_ids)
        self.assertFalse(alone.alarm_ids)
        self.assertIn("TRIGGER:-PT7M", self.text(self.seller, alone))
        self.assertNotIn("VALARM", self.text(self.other_seller, alone))

    def test_what_a_guest_has_seen_on_his_phone(self):
        self.remind(START - 15 * MINUTE)
        stamp = (START - 14 * MINUTE).strftime("%Y%m%dT%H%M%SZ")
        with self.at(START - 13 * MINUTE):
            self.assertTrue(self.Reminder.with_user(self.other_seller).get_due())
        self.change(
            self.other_seller,
            lambda text: text.replace("END:VALARM", f"ACKNOWLEDGED:{stamp}\r\nEND:VALARM"),
        )
        with self.at(START - 13 * MINUTE):
            self.assertFalse(self.Reminder.with_user(self.other_seller).get_due())
            self.assertTrue(self.Reminder.with_user(self.seller).get_due())

    def test_one_of_a_series_has_its_own(self):
        first = self.meet(
            self.shared, start=START + timedelta(days=1), partners=self.other_partner,
            recurrency=True, rrule_type="daily", interval=1, end_type="count", count=3,
            event_tz="Europe/Madrid",
        )  # fmt: skip
        events = first.recurrence_id.calendar_event_ids.sorted("start")
        second = events[1].start
        own = (
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + valarm("-PT15M") + "END:VEVENT\r\n"
            "BEGIN:VEVENT\r\n"
            f"RECURRENCE-ID:{second:%Y%m%dT%H%M%SZ}\r\n" + valarm("-PT1H") + "END:VEVENT\r\n"
            "END:VCALENDAR\r\n"
        )
        self.env["caldav.overlay"]._put(self.seller, first.ical_uid, own)
        found = self.Reminder._find(START, START + timedelta(days=9), self.seller_partner)
        self.assertEqual(
            [due.due_at for due in found],
            [events[0].start - 15 * MINUTE, second - HOUR, events[2].start - 15 * MINUTE],
        )

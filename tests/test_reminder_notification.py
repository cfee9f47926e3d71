"""The notification in the browser, what is answered to it, and what phones hear of it."""

import re
from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..ical.overlay import acknowledged, overlay, own_part, seen_until
from ..ical.values import UTC
from ..models.calendar_reminder_run import BUS_CLOSE
from .common import DAY, HOUR, MINUTE
from .reminder import START, ReminderCase

DUE = START - 15 * MINUTE


@tagged("post_install", "-at_install")
class TestReminderNotification(ReminderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.meeting = cls.meet(
            cls.alarm(15), partners=cls.other_partner, location="Cellar",
            videocall_location="https://meet.example.com/x",
        )  # fmt: skip

    def mine(self, user=None):
        partner = (user or self.seller).partner_id
        rows = self.rows(self.meeting).filtered(lambda row: row.partner_id == partner)
        return rows.with_user(user or self.seller)

    def due(self, user=None):
        return self.Reminder.with_user(user or self.seller).get_due()

    def overlay_of(self, user, event=None):
        return self.env["caldav.overlay"].search(
            [("user_id", "=", user.id), ("uid", "=", (event or self.meeting).ical_uid)]
        )

    def test_what_it_shows(self):
        sent = dict(self.remind(DUE))
        shown = sent[self.seller]
        self.assertEqual(shown["title"], "Tasting")
        self.assertEqual(
            shown["lines"], ["martes 15 junio 2027, 13:00 – 14:00 (Europe/Madrid)", "Cellar"]
        )
        self.assertEqual(shown["link"], "https://meet.example.com/x")
        self.assertIn("07:00 – 08:00 (America/New_York)", sent[self.other_seller]["lines"][0])

    def test_it_waits_for_a_browser_that_is_opened_later(self):
        self.remind(DUE)
        with self.at(DUE + 5 * MINUTE):
            self.assertEqual([one["id"] for one in self.due()], self.mine().ids)
            self.mine().action_dismiss()
            self.assertFalse(self.due())
            self.assertTrue(self.due(self.other_seller))
        with self.at(START + 2 * HOUR):
            self.assertFalse(self.due(self.other_seller))

    def test_it_is_taken_back_when_the_meeting_is_moved(self):
        self.remind(DUE)
        self.meeting.write({"start": START + HOUR, "stop": START + 2 * HOUR})
        with self.at(DUE + MINUTE):
            self.assertFalse(self.due())

    def test_in_five_minutes_and_in_an_hour(self):
        self.remind(DUE)
        with self.at(DUE + MINUTE):
            self.mine().action_snooze(5)
            self.assertFalse(self.due())
        self.assertFalse(self.remind(DUE + 5 * MINUTE))
        [(user, shown)] = self.remind(DUE + 6 * MINUTE)
        self.assertEqual((user, shown["title"]), (self.seller, "Tasting"))
        again = self.rows(self.meeting).filtered("snooze").with_user(self.seller)
        with self.at(DUE + 7 * MINUTE):
            again.action_snooze(60)
        self.meeting.stop = START + 5 * HOUR
        self.assertEqual(len(self.remind(DUE + 67 * MINUTE)), 1)

    def test_put_off_and_then_moved(self):
        self.remind(DUE)
        with self.at(DUE):
            self.mine().action_snooze(5)
        self.meeting.write({"start": START + HOUR, "stop": START + 2 * HOUR})
        self.assertFalse(self.remind(DUE + 5 * MINUTE))

    def test_other_windows_close_it(self):
        self.remind(DUE)
        closed = []
        with self.at(DUE), patch.object(
            type(self.env["res.users"]), "_bus_send",
            lambda users, kind, message, **_o: closed.append((users, kind, message)),
        ):  # fmt: skip
            self.mine().action_dismiss()
        self.assertEqual(closed, [(self.seller, BUS_CLOSE, self.mine().ids)])

    def test_those_of_others(self):
        self.remind(DUE)
        theirs = self.mine(self.other_seller).with_user(self.seller)
        for call in (theirs.action_dismiss, lambda: theirs.action_snooze(5)):
            with self.assertRaises(AccessError):
                call()
        with self.assertRaises(UserError):
            self.mine().action_snooze(7)
        with self.assertRaises(AccessError):
            self.mine().write({"due_at": START})
        with self.assertRaises(AccessError):
            self.mine().unlink()
        found = self.Reminder.with_user(self.seller).search([])
        self.assertEqual(found.partner_id, self.seller_partner)
        with self.assertRaises(AccessError):
            self.Reminder.with_user(self.portal).search([])
        with self.assertRaises(AccessError):
            self.Reminder.with_user(self.portal).get_due()

    def test_what_was_seen_here_is_silent_on_the_phone(self):
        self.remind(DUE)
        with self.at(DUE + MINUTE):
            self.mine().action_dismiss()
        own = self.overlay_of(self.seller)
        self.assertFalse(self.overlay_of(self.other_seller))
        text = overlay(self.meeting._ical_text(), own.text)
        self.assertIn("ACKNOWLEDGED:20270615T104600Z\r\nEND:VALARM", text)
        self.assertIn("TRIGGER:-PT15M", text)
        self.assertIn("X-MOZ-LASTACK:20270615T104600Z", text)
        self.assertNotIn("X-CRM-AUTOMATION", text)

    def test_his_own_reminders_are_seen_as_well(self):
        phone = self.meeting._ical_text().replace("TRIGGER:-PT15M", "TRIGGER:-PT15M\r\nUID:mine")
        overlays = self.env["caldav.overlay"]
        overlays._put(self.seller, self.meeting.ical_uid, own_part(phone))
        self.remind(DUE)
        with self.at(DUE + MINUTE):
            self.mine().action_dismiss()
            self.mine().action_dismiss()
        text = self.overlay_of(self.seller).text
        self.assertEqual(text.count("ACKNOWLEDGED:20270615T104600Z"), 1)
        self.assertIn("UID:mine", text)

    def test_what_was_seen_on_the_phone_is_silent_here(self):
        own = own_part(self.meeting._ical_text())
        own = acknowledged(own, (DUE + MINUTE).replace(tzinfo=UTC))
        self.assertEqual(seen_until(own), "20270615T104600Z")
        self.remind(DUE)
        with self.at(DUE + MINUTE):
            self.env["caldav.overlay"]._put(self.seller, self.meeting.ical_uid, own)
            self.assertFalse(self.due())
            self.assertTrue(self.due(self.other_seller))

    def set_on_phone(self, user, event, *triggers):
        """What the user's program sends: these reminders and no others."""
        alarms = "".join(
            f"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:{one}\r\nDESCRIPTION:x\r\nEND:VALARM\r\n"
            for one in triggers
        )
        text = re.sub(r"BEGIN:VALARM.*END:VALARM\r\n", "", event._ical_text(), flags=re.S)
        own = own_part(text.replace("END:VEVENT", f"{alarms}END:VEVENT"))
        self.env["caldav.overlay"]._put(user, event.ical_uid, own)

    def test_what_is_set_on_a_phone_is_its_user_s_alone(self):
        self.set_on_phone(self.seller, self.meeting, "-PT30M", "PT5M")
        told = [(user, one["res_id"]) for user, one in self.remind(START - 30 * MINUTE)]
        self.assertEqual(told, [(self.seller, self.meeting.id)])
        told = [user for user, _one in self.remind(DUE)]
        self.assertEqual(told, [self.other_seller])
        self.assertEqual([user for user, _one in self.remind(START + 5 * MINUTE)], [self.seller])
        self.assertFalse(self.remind(START + 6 * MINUTE))

    def test_what_was_planned_follows_the_phone(self):
        self.remind(START - 20 * MINUTE)
        self.set_on_phone(self.seller, self.meeting)
        self.assertEqual([user for user, _one in self.remind(DUE)], [self.other_seller])
        self.set_on_phone(self.seller, self.meeting, "-PT10M")
        self.remind(START - 12 * MINUTE)
        self.set_on_phone(self.seller, self.meeting, "-PT5M")
        self.assertFalse(self.remind(START - 10 * MINUTE))
        with self.at(START - 9 * MINUTE):
            coming = self.env["calendar.reminder.coming"].with_user(self.seller)
            rows = coming.search(coming.action_open()["domain"])
        self.assertEqual(rows.mapped("due_at"), [START - 5 * MINUTE])
        self.assertEqual([user for user, _one in self.remind(START - 5 * MINUTE)], [self.seller])
        self.env["caldav.overlay"]._put(self.seller, self.meeting.ical_uid, None)

    def test_mails_go_on_whatever_the_phone_says(self):
        self.meeting.alarm_ids += self.alarm(15, kind="email")
        self.set_on_phone(self.seller, self.meeting)
        self.remind(DUE)
        self.assertIn(self.seller_partner, self.mails(self.meeting).recipient_ids)

    def test_an_occurrence_that_was_seen(self):
        """Of a series, what was due by then is seen; what comes is not."""
        first = self.meet(
            self.alarm(15), start=START + DAY, recurrency=True, rrule_type="daily", interval=1,
            end_type="count", count=3, event_tz="Europe/Madrid",
        )  # fmt: skip
        events = first.recurrence_id.calendar_event_ids.sorted("start")
        self.remind(DUE + DAY)
        row = self.rows(events[0]).with_user(self.seller)
        with self.at(DUE + DAY):
            row.action_dismiss()
        self.assertTrue(self.overlay_of(self.seller, events[0]))
        self.assertEqual(len(self.remind(DUE + 2 * DAY)), 1)

    def test_to_dos(self):
        lead = self.make_lead()
        activity = self.alarm(15, kind="activity")
        about = self.meet(activity, res_model_id=self.env["ir.model"]._get_id("crm.lead"),
                          res_id=lead.id, start=START + DAY)  # fmt: skip
        alone = self.meet(activity, start=START + DAY, partners=self.other_partner)
        self.remind(DUE + DAY)
        todo = lead.activity_ids.filtered(lambda one: not one.calendar_event_id)
        self.assertEqual((todo.user_id, todo.summary), (self.seller, "Recordatorio: Tasting"))
        self.assertIn("(Europe/Madrid)", todo.note)
        for user in (self.seller, self.other_seller):
            self.assertEqual(len(user.partner_id.activity_ids), 1)
        self.assertEqual(set((self.rows(about) | self.rows(alone)).mapped("state")), {"done"})

    def test_to_dos_at_records_that_he_may_not_read(self):
        """Who has a to-do follows its record: that is not to open it to him."""
        lead = self.make_lead(user_id=self.manager.id)
        rule = self.env.ref("crm.crm_rule_personal_lead")
        self.assertTrue(rule.active)
        self.assertFalse(lead.with_user(self.seller).has_access("read"))
        meeting = self.meet(self.alarm(15, kind="activity"), start=START + DAY)
        meeting.write({"res_model_id": self.env["ir.model"]._get_id("crm.lead"), "res_id": lead.id})
        self.remind(DUE + DAY)
        self.assertEqual(self.rows(meeting).state, "done")
        self.assertNotIn(self.seller_partner, lead.message_partner_ids)
        self.assertIn("Tasting", "".join(self.seller_partner.activity_ids.mapped("summary")))

    def test_to_dos_of_private_meetings(self):
        lead = self.make_lead()
        meeting = self.meet(
            self.alarm(15, kind="activity"), start=START + DAY, privacy="private", name="Surgery",
            res_model_id=self.env["ir.model"]._get_id("crm.lead"), res_id=lead.id,
        )  # fmt: skip
        self.remind(DUE + DAY)
        self.assertEqual(self.rows(meeting).state, "done")
        wanted = [("summary", "like", "Surgery"), ("automated", "=", True)]
        Activity = self.env["mail.activity"]
        self.assertEqual(len(Activity.with_user(self.seller).search(wanted)), 1)
        self.assertFalse(Activity.with_user(self.manager).search(wanted))

    def test_upcoming(self):
        later = self.meet(self.alarm(1, "days"), start=datetime(2027, 6, 20, 9), name="Later")
        self.meet(self.alarm(15), user=self.other_seller, start=START + DAY)
        self.remind(DUE)
        with self.at(DUE + MINUTE):
            self.mine().action_snooze(5)
            action = self.env["calendar.reminder.coming"].with_user(self.seller).action_open()
            rows = (
                self.env["calendar.reminder.coming"].with_user(self.seller).search(action["domain"])
            )
        self.assertEqual(
            [(row.record_name, row.due_at) for row in rows],
            [("Tasting", DUE + 6 * MINUTE), (later.name, datetime(2027, 6, 19, 9))],
        )
        self.assertFalse(
            self.env["calendar.reminder.coming"]
            .with_user(self.other_seller)
            .search(action["domain"])
        )
        self.assertEqual(rows[0].action_open_record()["res_id"], self.meeting.id)

    def test_the_test_button(self):
        for kind in ("notification", "email", "activity"):
            alarm = self.alarm(15, kind=kind).with_user(self.seller)
            with self.at(START - HOUR):
                action = alarm.action_test()
            self.assertIn("Tasting", action["params"]["message"])
            row = self.Reminder.search([("alarm_id", "=", alarm.id)])
            self.assertEqual((row.partner_id, row.state), (self.seller_partner, "done"))
        with self.assertRaises(UserError):
            self.alarm(15).with_user(self.manager).action_test()
        self.assertEqual(len(self.remind(DUE)), 2)

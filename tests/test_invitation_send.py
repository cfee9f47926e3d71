"""What the invited get by mail: of meetings that are made, changed, cancelled."""

import email
import email.policy
import os
from datetime import timedelta
from unittest.mock import patch

import vobject
from icalendar import Calendar

from odoo import fields
from odoo.tests import new_test_user
from odoo.tools.mail import html_to_inner_content

from odoo.addons.crm_automation.ical import itip
from odoo.addons.crm_automation.ical.itip_check import check
from odoo.addons.crm_automation.models.calendar_invitation_send import Meeting
from odoo.addons.crm_automation.models.invitation_plan import Parcel

from .common import AutomationCase

#: What every meeting has that nothing else is said of.
START = "2030-01-07 09:00:00"
STOP = "2030-01-07 10:00:00"


class InvitationCase(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ana = new_test_user(
            cls.env, "ana_invites", "base.group_user,sales_team.group_sale_salesman",
            email="ana@bodega.example", name="Ana", lang="en_US", tz="Europe/Madrid",
        )  # fmt: skip
        cls.guest = cls.env["res.partner"].create(
            {"name": "Eva", "email": "eva@azure.example", "lang": "en_US", "tz": "Asia/Tokyo"}
        )
        cls.second = cls.env["res.partner"].create(
            {"name": "Nils", "email": "nils@azure.example", "lang": "en_US"}
        )
        cls.Outgoing = cls.env["calendar.invitation.outgoing"]
        cls.Event = cls.env["calendar.event"].with_user(cls.ana).with_context(tz="Europe/Madrid")
        cls.settle()

    @classmethod
    def settle(cls):
        cls.end_transaction()
        cls.Outgoing.search([]).unlink()
        cls.env["mail.mail"].search([]).unlink()

    def make(self, guests=None, user=None, **values):
        guests = self.guest if guests is None else guests
        partners = (user or self.ana).partner_id | guests
        return self.Event.with_user(user or self.ana).create(
            {
                "name": "Tasting", "start": START, "stop": STOP,
                "partner_ids": [fields.Command.set(partners.ids)], **values,
            }
        )  # fmt: skip

    def known(self, **values):
        """A meeting of which the invited know."""
        event = self.make(**values)
        self.sent()
        return event

    def sent(self):
        """Do the job: dict from address to the list of his messages, as they leave.

        Each is a pair (Message, the mail).
        """
        self.do_the_job()
        found = {}
        for mail in self.env["mail.mail"].search([], order="id"):
            for one in self.built(mail):
                text = calendar_of(one)
                if text is None:
                    continue
                self.judge(text)
                for to in one["To"].addresses:
                    found.setdefault(to.addr_spec, []).append((itip.read(text), one))
        self.env["mail.mail"].search([]).unlink()
        return found

    def do_the_job(self):
        self.end_transaction()
        with patch.object(type(self.Outgoing), "_commit_batch", lambda *_a, **_k: 99):
            self.Outgoing._send_due()
        failed = self.Outgoing.search([])
        self.assertFalse(failed, failed.mapped("reason"))

    def built(self, mail):
        """The mails as they are handed to the server, read again."""
        server = self.env["ir.mail_server"]
        for values in mail._prepare_outgoing_list():
            values = {
                name: values[name] for name in (
                    "email_from", "email_to", "subject", "body", "body_alternative", "email_cc",
                    "reply_to", "attachments", "message_id", "references", "headers",
                )
            }  # fmt: skip
            built = server._build_email__(
                subtype="html", subtype_alternative="plain", **values
            )  # fmt: skip
            yield email.message_from_bytes(built.as_bytes(), policy=email.policy.default)

    def judge(self, text):
        self.assertEqual(list(map(str, check(text))), [])
        self.assertTrue(Calendar.from_ical(text).walk("VEVENT"))
        self.assertTrue(vobject.readOne(text.decode()).vevent)

    def only(self, address):
        """The one message that this one gets, and nobody else anything."""
        sent = self.sent()
        self.assertEqual(list(sent), [address])
        [pair] = sent[address]
        return pair


def calendar_of(mail):
    for part in mail.walk():
        if part.get_content_type() == "text/calendar":
            return part.get_payload(decode=True)
    return None


class TestInvitationSend(InvitationCase):
    def test_an_invitation(self):
        event = self.make()
        message, mail = self.only("eva@azure.example")
        self.assertEqual(message.method, "REQUEST")
        [item] = message.items
        self.assertEqual((item.uid, item.summary, item.sequence), (event.ical_uid, "Tasting", 0))
        self.assertEqual(str(item.start), "2030-01-07 10:00:00+01:00")
        self.assertCountEqual(
            [one.email for one in item.attendees], ["ana@bodega.example", "eva@azure.example"]
        )
        # In the guest's language and time zone, which is named.
        self.assertEqual(mail["Subject"], "Invitation: Tasting")
        text = mail.get_body(("plain",)).get_content()
        self.assertIn("Asia/Tokyo", text)
        self.assertIn("18:00", text)

    def test_in_the_language_of_who_reads_it(self):
        self.guest.lang = "es_ES"
        self.make(guests=self.guest | self.second)
        sent = self.sent()
        for address, day in (("eva@azure.example", "lunes"), ("nils@azure.example", "Monday")):
            [(_message, mail)] = sent[address]
            self.assertIn(day, mail.get_body(("plain",)).get_content())

    def test_in_the_language_that_was_chosen_for_an_address(self):
        self.guest.lang = "en_US"
        event = self.make()
        event.write(
            {
                "attendee_ids": [
                    fields.Command.create({"address": "lola@otra.example", "language": "es_ES"})
                ]
            }
        )
        [(_message, mail)] = self.sent()["lola@otra.example"]
        self.assertIn("lunes", mail.get_body(("plain",)).get_content())

    def test_who_comes_and_how_to_answer(self):
        event = self.known(guests=self.guest | self.second)
        event.attendee_ids.filtered(lambda one: one.partner_id == self.second).do_accept()
        self.sent()
        event.write({"start": "2030-01-07 11:00:00", "stop": "2030-01-07 12:00:00"})
        eva = event.attendee_ids.filtered(lambda one: one.partner_id == self.guest)
        [(_message, mail)] = self.sent()["eva@azure.example"]
        html = mail.get_body(("html",)).get_content()
        text = html_to_inner_content(html)
        self.assertIn("Nils (Yes)", text)
        self.assertNotIn("Eva (", text)
        for answer in ("accepted", "tentative", "declined"):
            self.assertIn(f'href="{eva._rsvp_url()}?answer={answer}"', html)

    def test_the_parts_that_mail_programs_look_for(self):
        self.make()
        _message, mail = self.only("eva@azure.example")
        self.assertEqual(mail.get_content_type(), "multipart/mixed")
        [alternatives, file] = mail.iter_parts()
        self.assertEqual(
            [part.get_content_type() for part in alternatives.iter_parts()],
            ["text/plain", "text/html", "text/calendar"],
        )
        part = list(alternatives.iter_parts())[-1]
        self.assertEqual(part.get_param("method"), "REQUEST")
        self.assertEqual(part.get_content_charset(), "utf-8")
        self.assertEqual(
            (file.get_content_type(), file.get_filename()), ("application/ics", "invite.ics")
        )
        self.assertEqual(file.get_payload(decode=True), part.get_payload(decode=True))
        self.assertNotIn("X-CRM-Automation-Method", mail)

    def test_no_mail_where_odoo_says_so(self):
        self.Event = self.Event.with_context(no_mail_to_attendees=True)
        event = self.make()
        event.write({"start": "2030-01-08 09:00:00", "stop": "2030-01-08 10:00:00"})
        event.unlink()
        self.assertFalse(self.sent())

    def test_mail_is_blocked_for_all(self):
        self.env["ir.config_parameter"].set_param("calendar.block_mail", "1")
        self.make()
        self.assertFalse(self.sent())

    def test_nobody_is_mailed_twice_by_odoo(self):
        self.make()
        before = self.env["mail.message"].search([], order="id desc", limit=1).id
        self.sent()
        self.assertFalse(
            self.env["mail.message"].search(
                [("id", "<=", before), ("message_type", "=", "user_notification"),
                 ("partner_ids", "in", self.guest.ids)]
            )
        )  # fmt: skip

    def test_a_past_meeting_is_nothing_to_tell(self):
        event = self.make(start="2020-01-07 09:00:00", stop="2020-01-07 10:00:00")
        event.name = "Was it?"
        event.unlink()
        self.assertFalse(self.sent())

    def test_moved(self):
        event = self.known()
        event.write({"start": "2030-01-08 09:00:00", "stop": "2030-01-08 10:00:00"})
        message, mail = self.only("eva@azure.example")
        self.assertEqual(message.method, "REQUEST")
        self.assertEqual(message.items[0].sequence, 1)
        self.assertEqual(mail["Subject"], "Changed: Tasting")

    def test_an_answer_counts_for_what_was_asked(self):
        event = self.known(guests=self.guest | self.second)
        row = event.attendee_ids.filtered(lambda one: one.partner_id == self.guest)
        row._answer("accepted")
        self.sent()
        for change, status in (
            ({"location": "Cellar"}, "ACCEPTED"),
            ({"start": "2030-01-08 09:00:00", "stop": "2030-01-08 10:00:00"}, "NEEDS-ACTION"),
        ):
            event.write(change)
            [(message, _mail)] = self.sent()["eva@azure.example"]
            said = {one.email: one.status for one in message.items[0].attendees}
            self.assertEqual(said["eva@azure.example"], status)
            # The organizer comes to his own meeting.
            self.assertEqual(said["ana@bodega.example"], "ACCEPTED")

    def test_another_place_is_no_new_version(self):
        event = self.known()
        event.location = "Cellar"
        message, _mail = self.only("eva@azure.example")
        self.assertEqual((message.items[0].sequence, message.items[0].location), (0, "Cellar"))

    def test_the_description_disturbs_nobody(self):
        event = self.known()
        event.description = "<p>Bring glasses</p>"
        self.assertFalse(self.sent())

    def test_there_and_back_is_nothing(self):
        event = self.known()
        event.name = "Testing"
        event.flush_recordset()
        self.end_transaction()
        event.name = "Tasting"
        self.assertFalse(self.sent())

    def test_cancelled_and_deleted(self):
        for cancel in (lambda event: event.write({"active": False}), lambda event: event.unlink()):
            event = self.known()
            uid = event.ical_uid
            cancel(event)
            message, mail = self.only("eva@azure.example")
            self.assertEqual((message.method, message.uid), ("CANCEL", uid))
            self.assertEqual(message.items[0].status, "CANCELLED")
            self.assertEqual(message.items[0].sequence, 1)
            self.assertEqual(mail["Subject"], "Cancelled: Tasting")

    def test_made_and_deleted_at_once(self):
        self.make().unlink()
        self.assertFalse(self.sent())

    def test_one_more_and_one_less(self):
        event = self.known()
        event.write({"partner_ids": [
            fields.Command.link(self.second.id), fields.Command.unlink(self.guest.id)
        ]})  # fmt: skip
        sent = self.sent()
        [(request, _mail)] = sent.pop("nils@azure.example")
        [(cancel, mail)] = sent.pop("eva@azure.example")
        self.assertFalse(sent)
        self.assertEqual((request.method, cancel.method), ("REQUEST", "CANCEL"))
        # It goes on for others: it is not cancelled as such.
        self.assertIsNone(cancel.items[0].status)
        self.assertEqual([one.email for one in cancel.items[0].attendees], ["eva@azure.example"])
        self.assertEqual(cancel.items[0].sequence, 1)
        self.assertEqual(mail["Subject"], "Invitation withdrawn: Tasting")
        # Invited again, she has to get what is newer than the cancellation.
        event.write({"partner_ids": [fields.Command.link(self.guest.id)]})
        again, _mail = self.only("eva@azure.example")
        self.assertGreaterEqual(again.items[0].sequence, cancel.items[0].sequence)

    def test_whoever_does_it_knows_it(self):
        event = self.known(guests=self.guest | self.seller.partner_id)
        event.with_user(self.seller).write({"location": "Elsewhere"})
        message, _mail = self.only("eva@azure.example")
        self.assertEqual(message.organizer, "ana@bodega.example")
        told = self.env["mail.message"].search([("author_id", "=", self.seller.partner_id.id)])
        self.assertEqual(told[:1].notification_ids.res_partner_id, self.ana.partner_id)

    def test_deleted_with_and_without_a_word(self):
        for action, methods in (("action_send_mail_and_delete", ["CANCEL"]), ("action_delete", [])):
            event = self.known()
            wizard = self.env["calendar.popover.delete.wizard"].with_user(self.ana).create(
                {"calendar_event_id": event.id}
            )  # fmt: skip
            getattr(wizard, action)()
            self.assertFalse(event.exists())
            sent = self.sent()
            self.assertEqual(
                [one.method for pairs in sent.values() for one, _mail in pairs], methods
            )

    def test_who_wants_no_mail(self):
        self.env["mail.blacklist"]._add("eva@azure.example")
        self.second.message_bounce = 5
        event = self.make(guests=self.guest | self.second | self.customer)
        self.only("azure@example.com")
        self.assertIn("Eva", event.message_ids[:1].body)

    def test_answers_from_outside_come_to_odoo(self):
        domain = self.env["mail.alias.domain"].create({"name": "bodega.example"})
        self.ana.company_id.alias_domain_id = domain
        self.make(guests=self.guest | self.seller.partner_id)
        sent = self.sent()
        [(message, mail)] = sent["eva@azure.example"]
        self.assertEqual(message.organizer, domain.catchall_email)
        # Who is careful believes only the one who organises it.
        self.assertEqual(mail["From"].addresses[0].addr_spec, domain.catchall_email)
        self.assertEqual(mail["From"].addresses[0].display_name, "Ana")
        # Who works here has the meeting in his calendar, under its organizer.
        self.assertEqual(sent["seller@example.com"][0][0].organizer, "ana@bodega.example")
        self.env["ir.config_parameter"].set_param(
            "crm_automation.invitation_answers_to", "organizer"
        )
        self.make()
        message, _mail = self.only("eva@azure.example")
        self.assertEqual(message.organizer, "ana@bodega.example")

    def test_names_make_no_headers(self):
        self.guest.name = "Eva\r\nBcc: all@example.com"
        self.make(name="Tasting\r\nBcc: all@example.com\n\nBEGIN:VEVENT")
        message, mail = self.only("eva@azure.example")
        self.assertNotIn("Bcc", mail)
        self.assertEqual(len(message.items), 1)

    def test_html_in_names_is_text(self):
        self.guest.name = "<img src=x onerror=alert(1)>"
        self.make(name="<script>alert(1)</script>")
        _message, mail = self.only("eva@azure.example")
        html = mail.get_body(("html",)).get_content()
        self.assertNotIn("<script", html)
        self.assertNotIn("<img", html)

    def test_thousands_of_guests(self):
        """One file and one text for all, and no question to the database for each."""
        event = self.known()
        many = int(os.environ.get("CRM_AUTOMATION_LONG") and 10_000 or 1_500)
        [facts] = event._invitation_facts().values()
        people = {f"guest{number}@azure.example": ["Guest", False] for number in range(many)}
        facts["people"] = people
        meeting = Meeting(self.env(su=True), event.ical_uid, event.sudo(), {}, {event.id: facts})
        files = self.env["ir.attachment"].sudo().search_count([("name", "=", "invite.ics")])
        with self.assertQueryCount(__system__=many // 2):
            self.env["calendar.invitation.letter"].sudo()._queue_parcel(
                meeting, Parcel("REQUEST", "new"), set(people)
            )
        mails = self.env["mail.mail"].search([])
        self.assertEqual(len(mails), many)
        self.assertEqual(len(set(mails.mapped("email_to"))), many)
        self.assertEqual(
            self.env["ir.attachment"].sudo().search_count([("name", "=", "invite.ics")]), files + 1
        )
        mails.unlink()

    def test_nobody_invites_in_the_name_of_another(self):
        """A program may give a meeting the UID of somebody else's."""
        event = self.known()
        berta = new_test_user(
            self.env, "berta_invites", "base.group_user,sales_team.group_sale_salesman",
            email="berta@bodega.example", name="Berta",
        )  # fmt: skip
        other = self.make(guests=self.second, user=berta, name="Buy here")
        self.sent()
        other.sudo().ical_uid = event.ical_uid
        self.sent()
        other.attendee_ids.filtered(lambda one: one.partner_id == self.second)._invite("Now!")
        [(message, mail)] = self.sent()["nils@azure.example"]
        self.assertEqual(message.items[0].summary, "Buy here")
        self.assertNotIn("Ana", mail["From"])
        self.assertNotIn("Ana", str(message.items[0].organizer))

    def test_invited_again_by_hand_with_a_message(self):
        event = self.known()
        event.attendee_ids.filtered(lambda one: one.partner_id == self.guest)._invite("See you!")
        message, mail = self.only("eva@azure.example")
        self.assertEqual(message.method, "REQUEST")
        self.assertIn("See you!", mail.get_body(("plain",)).get_content())


class TestInvitationSeries(InvitationCase):
    def series(self, **values):
        event = self.known(
            recurrency=True, rrule_type="weekly", interval=1, mon=True, count=6,
            end_type="count", event_tz="Europe/Madrid", **values,
        )  # fmt: skip
        return event.recurrence_id.calendar_event_ids.sorted("start")

    def test_a_new_series_is_one_invitation(self):
        self.make(
            recurrency=True,
            rrule_type="weekly",
            interval=1,
            mon=True,
            count=6,
            end_type="count",
            event_tz="Europe/Madrid",
        )
        message, _mail = self.only("eva@azure.example")
        [item] = message.items
        self.assertEqual(message.method, "REQUEST")
        self.assertIn("FREQ=WEEKLY", item.rules[0])

    def test_one_occurrence_is_moved(self):
        events = self.series()
        events[2].write(
            {
                "start": events[2].start + timedelta(hours=1),
                "stop": events[2].stop + timedelta(hours=1),
            }
        )
        message, _mail = self.only("eva@azure.example")
        [item] = message.items
        self.assertEqual(str(item.recurrence_id), "2030-01-21 10:00:00+01:00")
        self.assertEqual(str(item.start), "2030-01-21 11:00:00+01:00")

    def test_one_occurrence_is_cancelled(self):
        for cancel in (
            lambda event: event.action_mass_archive("self_only"),
            lambda event: event.unlink(),
        ):
            events = self.series()
            cancel(events[2])
            message, _mail = self.only("eva@azure.example")
            [item] = message.items
            self.assertEqual(message.method, "CANCEL")
            self.assertEqual(str(item.recurrence_id), "2030-01-21 10:00:00+01:00")
            self.assertGreater(item.sequence, 0)

    def test_all_are_moved(self):
        events = self.series()
        uid = events[0].ical_uid
        events[0].write(
            {
                "start": events[0].start + timedelta(hours=2),
                "stop": events[0].stop + timedelta(hours=2),
                "recurrence_update": "all_events",
            }
        )
        message, _mail = self.only("eva@azure.example")
        item = message.items[0]
        self.assertEqual((message.method, item.uid), ("REQUEST", uid))
        self.assertGreater(item.sequence, 0)
        self.assertEqual(str(item.start), "2030-01-07 12:00:00+01:00")

    def test_all_are_renamed(self):
        events = self.series()
        events[1].write({"name": "Dinner", "recurrence_update": "all_events"})
        message, _mail = self.only("eva@azure.example")
        self.assertEqual([item.summary for item in message.items], ["Dinner"])

    def test_this_and_following(self):
        events = self.series()
        uid = events[0].ical_uid
        events[3].write(
            {
                "start": events[3].start + timedelta(hours=2),
                "stop": events[3].stop + timedelta(hours=2),
                "recurrence_update": "future_events",
            }
        )
        sent = self.sent()
        messages = [message for message, _mail in sent.pop("eva@azure.example")]
        self.assertFalse(sent)
        old = [message for message in messages if message.uid == uid]
        [new] = [message for message in messages if message.uid != uid]
        self.assertEqual(new.method, "REQUEST")
        self.assertIn("COUNT=3", new.items[0].rules[0])
        # Of the old one nothing of the second half is left, however it is said.
        gone = sum(len(one.items) for one in old if one.method == "CANCEL")
        cut = any("UNTIL" in one.items[0].rules[0] for one in old if one.method == "REQUEST")
        self.assertTrue(gone == 3 or cut)

    def test_all_are_deleted(self):
        for delete in (
            lambda event: event.action_mass_deletion("all_events"),
            lambda event: event.action_mass_archive("all_events"),
        ):
            events = self.series()
            uid = events[0].ical_uid
            delete(events[0])
            message, _mail = self.only("eva@azure.example")
            self.assertEqual((message.method, message.uid), ("CANCEL", uid))
            self.assertEqual(len(message.items), 1)
            self.assertIsNone(message.items[0].recurrence_id)

    def test_a_guest_of_one_occurrence(self):
        events = self.series()
        events[1].write(
            {"partner_ids": [fields.Command.link(self.second.id)], "recurrence_update": "self_only"}
        )
        message, _mail = self.only("nils@azure.example")
        [item] = message.items
        self.assertEqual(message.method, "REQUEST")
        self.assertEqual(str(item.recurrence_id), "2030-01-14 10:00:00+01:00")
        events[1].write(
            {
                "partner_ids": [fields.Command.unlink(self.second.id)],
                "recurrence_update": "self_only",
            }
        )
        message, _mail = self.only("nils@azure.example")
        self.assertEqual(message.method, "CANCEL")

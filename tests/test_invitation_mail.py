"""Messages about meetings that come by mail, as the programs of others send them."""

import base64
import re
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from .test_invitation_send import InvitationCase

MAILS = Path(__file__).with_name("mails")
THREAD = "odoo.addons.mail.models.mail_thread"
#: When the messages of the files were made, if nothing else is said.
MADE = datetime(2026, 11, 20, 10, 0, 0)
_ENCODED = re.compile(
    r"(Content-Transfer-Encoding: )x-(base64)\n((?:[\w-]+:.*\n)*)\n(.*?)(?=\n--)", re.S
)


def mail_of(name, uid, sequence=0, stamp=MADE, changes=()):
    """A file of ``mails`` with the values of a test, as bytes."""
    text = (MAILS / f"{name}.eml").read_text()
    words = {"UID": uid, "SEQUENCE": str(sequence), "STAMP": f"{stamp:%Y%m%dT%H%M%SZ}"}
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    number = f"{abs(hash((name, uid, sequence, stamp, changes)))}"
    text = re.sub(r"(?im)^(message-id: <)", rf"\g<1>{number}.", text)

    def encode(found):
        data = base64.encodebytes(found[4].replace("\n", "\r\n").encode()).decode()
        return f"{found[1]}{found[2]}\n{found[3]}\n{data}"

    return _ENCODED.sub(encode, text).encode()


def message(method, *lines, sender="eva@azure.example", to="ana@bodega.example", uid="x",
            stamp=MADE, sequence=0, headers=()):  # fmt: skip
    """A mail with a message made by hand."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, f"{method} by hand"
    mail["Message-ID"] = (
        f"<{abs(hash((method, lines, sender, uid, stamp, sequence)))}@hand.example>"
    )
    for name, value in headers:
        mail[name] = value
    mail.set_content("A message")
    text = "\r\n".join(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Hand//", f"METHOD:{method}",
            "BEGIN:VEVENT", f"UID:{uid}", f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}", f"SEQUENCE:{sequence}",
            *lines,
            "END:VEVENT", "END:VCALENDAR", "",
        ]
    )  # fmt: skip
    mail.add_alternative(text, subtype="calendar", params={"method": method})
    return mail.as_bytes()


class GatewayCase(InvitationCase):
    def receive(self, data):
        """A mail has come in."""
        with mute_logger(THREAD):
            self.env["mail.thread"].message_process(False, data)
        self.env.flush_all()

    def state(self, event):
        attendee = event.attendee_ids.filtered(lambda one: one.partner_id == self.guest)
        attendee.invalidate_recordset()
        return attendee.state

    def guest_row(self, event):
        return event.attendee_ids.filtered(lambda one: one.partner_id == self.guest)

    def reviews(self, reason=None):
        found = self.env["calendar.invitation.review"].search([])
        if reason:
            self.assertEqual(found.mapped("reason"), [reason])
        return found

    def assert_believed(self):
        found = self.reviews()
        self.assertFalse(found, found.mapped(lambda one: (one.reason, one.detail)))

    def reply(self, event, status="ACCEPTED", seconds=0, sequence=None, **more):
        sequence = event.ical_sequence if sequence is None else sequence
        lines = more.pop("lines", ())
        line = f"ATTENDEE;PARTSTAT={status}:mailto:eva@azure.example"
        return message(
            "REPLY", "ORGANIZER:mailto:ana@bodega.example", more.pop("attendee", line), *lines,
            uid=event.ical_uid, sequence=sequence, stamp=MADE + timedelta(seconds=seconds), **more,
        )  # fmt: skip


class TestReplies(GatewayCase):
    def test_the_programs_of_others(self):
        for program, state, comment in (
            ("google", "accepted", "Looking forward"),
            ("exchange", "declined", "I am in Lisbon that week."),
            ("apple", "tentative", "Perhaps"),
            ("thunderbird", "accepted", False),
        ):
            with self.subTest(program):
                event = self.known()
                self.receive(mail_of(f"{program}_reply", event.ical_uid))
                self.assert_believed()
                row = self.guest_row(event)
                self.assertEqual((row.state, row.answer_comment), (state, comment))
                self.assertEqual(row.answer_source, "mail")
                self.assertTrue(row.answered_at)
                self.do_the_job()
                self.assertIn("Eva", event.message_ids[0].body)

    def test_a_server_that_writes_for_its_people(self):
        """Nextcloud answers from its own address: who that is, somebody has to say."""
        event = self.known()
        self.receive(mail_of("nextcloud_reply", event.ical_uid))
        review = self.reviews("sender")
        self.assertEqual(self.state(event), "needsAction")
        self.assertEqual(review.user_id, self.ana)
        review.with_user(self.ana).action_apply()
        self.assertEqual(self.state(event), "accepted")
        self.assertEqual((review.state, review.decided_by_id), ("applied", self.ana))

    def test_the_organizer_is_told_as_he_wants(self):
        for notice in ("inbox", "mail", "digest"):
            self.ana.invitation_notice = notice
            event = self.known(name=f"Told by {notice}")
            self.receive(self.reply(event, lines=["COMMENT:With pleasure"]))
            self.do_the_job()
            told = self.env["mail.message"].search(
                [("subject", "ilike", event.name), ("partner_ids", "in", self.ana.partner_id.ids)]
            )  # fmt: skip
            self.assertEqual(len(told), notice != "digest")
            mails = self.env["mail.mail"].search([])
            self.assertEqual(len(mails), notice == "mail")
            if told:
                self.assertIn("With pleasure", told.body)
                inbox = told.notification_ids.filtered(lambda one: one.notification_type == "inbox")
                self.assertEqual(len(inbox), notice == "inbox")
            mails.unlink()
        self.env["res.users"]._invitation_digests()
        [digest] = self.env["mail.mail"].search([])
        self.assertIn("Told by digest", digest.body_html)
        digest.unlink()
        # What was told is not told again.
        self.env["res.users"]._invitation_digests()
        self.assertFalse(self.env["mail.mail"].search([]))

    def test_the_newest_answer_counts_in_whatever_order(self):
        event = self.known()
        first, second = self.reply(event, "ACCEPTED", 1), self.reply(event, "DECLINED", 2)
        self.receive(second)
        self.receive(first)
        self.assertEqual(self.state(event), "declined")
        self.assert_believed()

    def test_the_same_message_again_changes_nothing(self):
        event = self.known()
        self.receive(self.reply(event))
        self.guest_row(event)._answer("declined", source="page")
        self.do_the_job()
        lines = len(event.message_ids)
        self.receive(self.reply(event))
        self.do_the_job()
        self.assertEqual(self.state(event), "declined")
        self.assertEqual(len(event.message_ids), lines)
        self.assert_believed()

    def test_an_answer_to_what_was_moved_since(self):
        event = self.known()
        event.write({"start": "2030-01-08 09:00:00", "stop": "2030-01-08 10:00:00"})
        self.receive(self.reply(event, sequence=0))
        self.assertEqual(self.state(event), "needsAction")
        self.reviews("outdated").with_user(self.ana).action_apply()
        self.assertEqual(self.state(event), "accepted")

    def test_answers_from_nowhere_and_from_the_future(self):
        event = self.known()
        self.receive(self.reply(event, sequence=7))
        self.receive(self.reply(event, seconds=10**9))
        self.assertEqual(set(self.reviews().mapped("reason")), {"ahead", "future"})
        self.assertEqual(self.state(event), "needsAction")
        # A later answer is not outdone by the one from the future.
        self.receive(self.reply(event, "DECLINED", 5))
        self.assertEqual(self.state(event), "declined")

    def test_one_occurrence_and_all(self):
        event = self.known(
            recurrency=True,
            rrule_type="weekly",
            interval=1,
            mon=True,
            count=4,
            end_type="count",
            event_tz="Europe/Madrid",
        )
        events = event.recurrence_id.calendar_event_ids.sorted("start")
        self.receive(
            self.reply(
                event, "DECLINED", 2, lines=["RECURRENCE-ID;TZID=Europe/Madrid:20300114T100000"]
            )
        )
        self.assertEqual(
            [self.state(one) for one in events],
            ["needsAction", "declined", "needsAction", "needsAction"],
        )
        # The answer to all was given before the one to one of them.
        self.receive(self.reply(event, "ACCEPTED", 1))
        self.assertEqual(
            [self.state(one) for one in events], ["accepted", "declined", "accepted", "accepted"]
        )
        self.assert_believed()

    def test_a_proposal(self):
        event = self.known()
        mail = mail_of("exchange_counter", event.ical_uid)
        self.receive(mail)
        self.receive(mail)
        self.assert_believed()
        [proposal] = self.env["calendar.invitation.proposal"].search([])
        self.assertEqual(proposal.attendee_id, self.guest_row(event))
        self.assertEqual(str(proposal.start), "2030-01-07 10:00:00")
        self.assertEqual(str(proposal.stop), "2030-01-07 11:00:00")
        self.assertEqual(proposal.comment, "An hour later?")

    def test_a_proposal_is_refused(self):
        event = self.known()
        self.guest_row(event)._refuse_proposal("Sorry")
        found, _mail = self.only("eva@azure.example")
        self.assertEqual(found.method, "DECLINECOUNTER")
        self.assertEqual(found.items[0].comments, ("Sorry",))

    def test_who_asks_gets_the_meeting_but_not_again_and_again(self):
        event = self.known()
        for number in range(3):
            self.receive(
                message(
                    "REFRESH",
                    "ATTENDEE:mailto:eva@azure.example",
                    "ORGANIZER:mailto:ana@bodega.example",
                    uid=event.ical_uid,
                    stamp=MADE + timedelta(seconds=number),
                )
            )
        found, _mail = self.only("eva@azure.example")
        self.assertEqual((found.method, found.uid), ("REQUEST", event.ical_uid))


class TestDoubt(GatewayCase):
    def test_a_forged_sender(self):
        event = self.known()
        self.receive(self.reply(event, sender="mallory@evil.example"))
        self.reviews("sender")
        self.assertEqual(self.state(event), "needsAction")

    def test_a_sender_whose_domain_disowns_him(self):
        event = self.known()
        failed = [("Authentication-Results", "mx.bodega.example; spf=fail; dmarc=fail (p=reject)")]
        self.receive(self.reply(event, headers=failed))
        self.reviews("authentication")
        self.assertEqual(self.state(event), "needsAction")

    def test_a_stranger(self):
        event = self.known()
        self.receive(
            self.reply(
                event,
                sender="mallory@evil.example",
                attendee="ATTENDEE;PARTSTAT=ACCEPTED:mailto:mallory@evil.example",
            )
        )
        review = self.reviews("stranger")
        with self.assertRaises(UserError):
            review.with_user(self.ana).action_apply()

    def test_who_answers_for_others_as_well(self):
        event = self.known(guests=self.guest | self.second)
        both = "ATTENDEE;PARTSTAT=DECLINED:mailto:nils@azure.example"
        self.receive(self.reply(event, lines=[both]))
        self.assertEqual(self.state(event), "accepted")
        second = event.attendee_ids.filtered(lambda one: one.partner_id == self.second)
        self.assertEqual(second.state, "needsAction")

    def test_an_unknown_meeting(self):
        self.receive(
            message("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:eva@azure.example", uid="unknown")
        )
        review = self.reviews("unknown")
        self.assertFalse(review.user_id)
        self.assertFalse(review.is_applicable)

    def test_passing_it_on(self):
        event = self.known()
        self.receive(
            self.reply(
                event,
                attendee='ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:max@azure.example"'
                ":mailto:eva@azure.example",
            )
        )
        self.assertFalse(self.reviews())
        self.assertEqual(self.state(event), "delegated")
        guest = event.attendee_ids.filtered(lambda one: one.partner_id == self.guest)
        self.assertEqual(guest.delegated_to_ids.address, "max@azure.example")

    def test_passing_it_on_to_whom_it_came_from(self):
        event = self.known()
        self.receive(
            self.reply(
                event,
                attendee='ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:eva@azure.example"'
                ":mailto:eva@azure.example",
            )
        )
        self.assertEqual(self.reviews("delegated").detail, "eva@azure.example")
        self.assertEqual(self.state(event), "needsAction")

    def test_the_same_doubt_is_one_line(self):
        event = self.known()
        for _n in range(3):
            self.receive(self.reply(event, sender="mallory@evil.example"))
        self.assertEqual(len(self.reviews()), 1)
        self.reviews().with_user(self.ana).action_dismiss()
        self.assertEqual(self.reviews().state, "dismissed")

    def test_an_ics_bomb(self):
        event = self.known()
        many = ["ATTENDEE;PARTSTAT=ACCEPTED:mailto:eva@azure.example"] * 30_000
        self.receive(self.reply(event, lines=many))
        self.reviews("limit")
        self.assertEqual(self.state(event), "needsAction")

    def test_fifty_megabytes(self):
        event = self.known()
        self.receive(self.reply(event, lines=["DESCRIPTION:" + "x" * 50_000_000]))
        review = self.reviews("limit")
        self.assertFalse(review.text)

    def test_what_is_broken(self):
        mail = self.reply(self.known()).replace(b"BEGIN:VEVENT", b"BEGIN:NOTHING")
        self.receive(mail)
        self.reviews("unreadable")

    def test_nonsense_in_it_is_text(self):
        event = self.known()
        self.receive(self.reply(event, lines=["COMMENT:<script>alert(1)</script>\\nBcc: a@b.es"]))
        self.assertEqual(self.state(event), "accepted")
        self.do_the_job()
        self.assertIn("alert", event.message_ids[0].body)
        self.assertNotIn("<script", event.message_ids[0].body)

    def test_a_file_that_is_no_message_goes_its_way(self):
        """A calendar without METHOD is an attachment of a mail like any other."""
        lead_alias = self.env["mail.alias.domain"].create({"name": "leads.example"})
        team = self.env["crm.team"].search([], limit=1)
        team.alias_id.write({"alias_name": "fair-news", "alias_domain_id": lead_alias.id})
        mail = message(
            "PUBLISH", "DTSTART:20300107T090000Z", "SUMMARY:Fair", to="fair-news@leads.example"
        )
        before = self.env["crm.lead"].search_count([])
        self.receive(mail)
        self.assertEqual(self.env["crm.lead"].search_count([]), before + 1)
        self.assert_believed()

    def test_an_invitation_to_nobody_here_goes_its_way(self):
        mail = message(
            "REQUEST",
            "DTSTART:20300107T090000Z",
            "ORGANIZER:mailto:eva@azure.example",
            "ATTENDEE:mailto:sales@leads.example",
            to="sales@leads.example",
        )
        with self.assertRaises(ValueError):
            self.receive(mail)


class TestReviewSecurity(GatewayCase):
    def test_whose_business_it_is(self):
        event = self.known()
        self.receive(self.reply(event, sender="mallory@evil.example"))
        self.receive(
            message("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:eva@azure.example", uid="unknown")
        )
        Review = self.env["calendar.invitation.review"]
        mine = self.reviews().filtered("user_id")
        self.assertEqual(Review.with_user(self.ana).search([]), mine)
        self.assertEqual(Review.with_user(self.manager).search([]), self.reviews() - mine)
        self.assertFalse(Review.with_user(self.seller).search([]))
        for user in (self.seller, self.manager, self.portal):
            for action in ("action_apply", "action_dismiss"):
                with self.assertRaises(AccessError):
                    getattr(mine.with_user(user), action)()
        for values in ({"user_id": self.seller.id}, {"state": "applied"}, {"text": "x"}):
            with self.assertRaises(AccessError):
                mine.with_user(self.ana).write(values)
        with self.assertRaises(AccessError):
            Review.with_user(self.ana).create({"reason": "sender"})
        for name in ("calendar.invitation.outgoing", "calendar.invitation.seen"):
            with self.assertRaises(AccessError):
                self.env[name].with_user(self.manager).search([])

    def test_everybody_chooses_for_himself(self):
        self.seller.with_user(self.seller).write({"invitation_notice": "digest"})
        self.assertEqual(self.seller.invitation_notice, "digest")
        with self.assertRaises(AccessError):
            self.ana.with_user(self.seller).write({"invitation_notice": "digest"})

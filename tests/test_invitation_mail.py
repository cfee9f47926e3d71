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
        self.assertEqual(self.reviews("delegated").detail, "max@azure.example")

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


class TestNews(GatewayCase):
    def news(self, method="REQUEST", sequence=0, seconds=0, uid="harvest", lines=(), **more):
        more.setdefault("sender", "olaf@outside.example")
        own = [
            "ORGANIZER;CN=Olaf:mailto:olaf@outside.example",
            "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:ana@bodega.example",
            f"SUMMARY:{more.pop('name', 'Harvest')}",
        ]
        start = more.pop("start", "20300107T090000Z")
        own += [f"DTSTART:{start}", f"DURATION:PT{more.pop('hours', 1)}H"]
        return message(
            method,
            *own,
            *lines,
            uid=uid,
            sequence=sequence,
            stamp=MADE + timedelta(seconds=seconds),
            **more,
        )

    def copies(self, uid="harvest"):
        return self.env["calendar.event"].with_context(active_test=False).search(
            [("ical_uid", "=", uid)], order="start"
        )  # fmt: skip

    def mine(self, event):
        event.attendee_ids.invalidate_recordset()
        return event.attendee_ids.filtered(lambda one: one.partner_id == self.ana.partner_id)

    def test_the_programs_of_others(self):
        for program, number in (("google", 4), ("exchange", 1), ("apple", 1), ("nextcloud", 1)):
            with self.subTest(program):
                self.receive(mail_of(f"{program}_request", program))
                self.assert_believed()
                events = self.copies(program)
                self.assertEqual(len(events), number)
                self.assertEqual(events[0].name, "Harvest")
                self.assertEqual(events[0].location, "Vineyard")
                self.assertEqual(str(events[0].start), "2030-01-07 09:00:00")
                self.assertEqual(
                    set(events.mapped(lambda one: self.mine(one).state)), {"needsAction"}
                )
        # Nobody is invited by the one who was.
        self.assertFalse(self.sent())

    def test_he_is_told(self):
        self.receive(self.news())
        told = self.env["mail.message"].search([("subject", "ilike", "Harvest")])
        self.assertEqual(told.notification_ids.res_partner_id, self.ana.partner_id)

    def test_he_is_told_once_a_day(self):
        self.ana.invitation_notice = "digest"
        self.receive(self.news())
        self.assertFalse(self.env["mail.message"].search([("subject", "ilike", "Harvest")]))
        self.env["res.users"]._invitation_digests()
        self.assertIn("Harvest", self.env["mail.mail"].search([]).body_html)

    def test_the_answer_goes_to_the_organizer(self):
        self.receive(mail_of("exchange_request", "harvest"))
        event = self.copies()
        self.mine(event).with_user(self.ana).do_accept()
        found, mail = self.only("olaf@outside.example")
        self.assertEqual(found.method, "REPLY")
        [attendee] = found.items[0].attendees
        self.assertEqual((attendee.email, attendee.status), ("ana@bodega.example", "ACCEPTED"))
        self.assertEqual(mail["From"].addresses[0].addr_spec, "ana@bodega.example")

    def test_the_answer_to_one_occurrence(self):
        self.receive(mail_of("google_request", "harvest"))
        events = self.copies()
        self.mine(events[1]).with_user(self.ana)._answer("declined", "Away", source="user")
        found, _mail = self.only("olaf@outside.example")
        [item] = found.items
        self.assertEqual(str(item.recurrence_id), "2030-01-14 10:00:00+01:00")
        self.assertEqual(item.comments, ("Away",))
        self.mine(events[0])
        events.attendee_ids.filtered(lambda one: one.partner_id == self.ana.partner_id).with_user(
            self.ana
        )._answer("accepted")
        found, _mail = self.only("olaf@outside.example")
        [item] = found.items
        self.assertIsNone(item.recurrence_id)

    def test_a_change_asks_anew_and_a_trifle_does_not(self):
        self.receive(self.news())
        event = self.copies()
        self.mine(event)._answer("accepted")
        self.receive(self.news(seconds=1, name="Grape harvest"))
        self.assertEqual((event.name, self.mine(event).state), ("Grape harvest", "accepted"))
        self.receive(self.news(sequence=1, seconds=2, start="20300108T090000Z"))
        self.assertEqual(str(event.start), "2030-01-08 09:00:00")
        self.assertEqual(self.mine(event).state, "needsAction")
        self.assert_believed()

    def test_cancelled(self):
        self.receive(mail_of("exchange_request", "harvest"))
        self.receive(mail_of("thunderbird_cancel", "harvest", 1, MADE + timedelta(minutes=1)))
        self.assert_believed()
        self.assertFalse(self.copies().active)

    def test_a_cancellation_that_overtakes_its_invitation(self):
        self.receive(mail_of("thunderbird_cancel", "harvest", 1, MADE + timedelta(minutes=1)))
        self.receive(mail_of("exchange_request", "harvest"))
        self.assertFalse(self.copies().filtered("active"))
        self.assert_believed()

    def test_in_any_order_and_twice(self):
        news = [
            self.news(),
            self.news(sequence=1, seconds=1, start="20300109T090000Z"),
            self.news(sequence=2, seconds=2, start="20300110T090000Z", name="Late harvest"),
        ]
        for uid, order in (("a", (2, 0, 1, 2)), ("b", (0, 2, 1)), ("c", (1, 1, 2, 0))):
            for number in order:
                self.receive(
                    news[number]
                    .replace(b"UID:harvest", f"UID:{uid}".encode())
                    .replace(b"Message-ID: <", f"Message-ID: <{uid}".encode())
                )
            event = self.copies(uid)
            self.assertEqual(
                (event.name, str(event.start)), ("Late harvest", "2030-01-10 09:00:00")
            )
        self.assert_believed()

    def test_a_moved_occurrence_that_overtakes_its_series(self):
        whole = mail_of("google_request", "harvest")
        part = self.news(
            sequence=1,
            seconds=5,
            start="20300115T090000Z",
            lines=["RECURRENCE-ID:20300114T090000Z"],
        )
        cancelled = self.news(
            "CANCEL",
            sequence=1,
            seconds=6,
            start="20300121T090000Z",
            lines=["RECURRENCE-ID:20300121T090000Z"],
        )
        for order in ((whole, part, cancelled), (part, whole, cancelled), (cancelled, part, whole)):
            for mail in order:
                self.receive(mail)
            self.assert_believed()
            events = self.copies().filtered("active")
            self.assertEqual(
                [str(one.start)[:10] for one in events], ["2030-01-07", "2030-01-15", "2030-01-28"]
            )
            self.env["calendar.invitation.seen"].search([]).unlink()
            everything = self.copies()
            everything.recurrence_id.with_context(no_mail_to_attendees=True).unlink()
            everything.exists().with_context(no_mail_to_attendees=True).unlink()
            self.env["mail.message"].search([("message_id", "ilike", "hand.example")]).unlink()

    def test_another_organizer_takes_over(self):
        self.receive(self.news())
        mail = self.news(sequence=1, seconds=1, sender="mallory@evil.example").replace(
            b"olaf@outside", b"mallory@evil"
        )
        self.receive(mail)
        self.reviews("organizer")
        self.assertEqual(self.copies().ical_sequence, 0)

    def test_who_speaks_for_the_organizer(self):
        self.receive(self.news(sender="mallory@evil.example"))
        self.reviews("sender")
        self.assertFalse(self.copies())

    def test_what_is_ours_is_changed_by_nobody_else(self):
        event = self.known()
        self.receive(self.news("CANCEL", sequence=9, uid=event.ical_uid))
        review = self.reviews("own")
        self.assertTrue(event.active)
        with self.assertRaises(UserError):
            review.with_user(self.ana).action_apply()

    def test_our_own_mail_comes_back(self):
        event = self.known(guests=self.guest | self.seller.partner_id)
        event.location = "Cellar"
        sent = self.sent()
        [(_found, mail)] = sent["seller@example.com"]
        self.receive(mail.as_bytes())
        self.assert_believed()
        self.assertEqual(len(self.copies(event.ical_uid)), 1)

    def test_a_forwarded_invitation(self):
        self.receive(self.news(to="seller@example.com"))
        review = self.reviews("not_invited")
        self.assertEqual(review.user_id, self.seller)
        review.with_user(self.seller).action_apply()
        event = self.copies()
        self.assertEqual(event.user_id, self.seller)

    def test_the_organizer_refuses_a_proposal(self):
        self.receive(self.news())
        refusal = message(
            "DECLINECOUNTER",
            "ORGANIZER:mailto:olaf@outside.example",
            "ATTENDEE:mailto:ana@bodega.example",
            "COMMENT:Impossible",
            uid="harvest",
            sender="olaf@outside.example",
        )
        self.receive(refusal)
        self.receive(refusal)
        notes = self.copies().message_ids.filtered(lambda one: "Impossible" in (one.body or ""))
        self.assertEqual(len(notes), 1)


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

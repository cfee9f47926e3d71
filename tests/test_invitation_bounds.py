"""What somebody outside can do with many messages, or with the address of somebody else."""

import time
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import mute_logger

from ..models import calendar_attendee_answer, calendar_invitation_review
from ..models.ical_guest import MAX_MEMBERS
from ..models.ical_row import owner_addresses
from .test_invitation_mail import GatewayCase, message
from .test_invitation_news import news

GATEWAY = "odoo.addons.crm_automation.models.calendar_invitation_gateway"


class TestRecipients(GatewayCase):
    """Whose an invitation is."""

    def owners(self):
        return self.env["calendar.event"].search([("ical_uid", "=", "harvest")]).user_id

    def test_an_address_that_two_users_have(self):
        """Anybody can write any address into his preferences."""
        self.seller.with_user(self.seller).write({"email": "ana@bodega.example"})
        self.receive(news())
        self.assertFalse(self.owners())
        review = self.reviews("claimed")
        self.assertFalse(review.user_id)
        self.assertFalse(review.is_applicable)
        for user in (self.ana, self.seller):
            self.assertFalse(review.with_user(user).search([]))
        # Others to whom it was sent get theirs.
        self.receive(
            news(to="ana@bodega.example, other@example.com", seconds=1,
                 lines=["ATTENDEE:mailto:other@example.com"])
        )  # fmt: skip
        self.assertEqual(self.owners(), self.other_seller)

    def test_whose_login_it_is(self):
        self.ana.login = "Ana@bodega.example"
        self.seller.with_user(self.seller).write({"email": "ana@bodega.example"})
        self.receive(news())
        self.assert_believed()
        self.assertEqual(self.owners(), self.ana)
        self.assertEqual(owner_addresses(self.ana), {"ana@bodega.example"})
        self.assertFalse(owner_addresses(self.seller))
        self.assertEqual(owner_addresses(self.other_seller), {"other@example.com"})

    def test_who_shares_an_address_stays_its_owner(self):
        """In what is his own: two may write from one address."""
        self.seller.email = self.other_seller.email = "shop@example.com"
        for user in (self.seller, self.other_seller):
            self.assertEqual(owner_addresses(user), {"shop@example.com"})

    def test_what_is_doubtful_for_one_is_taken_in_for_others(self):
        """Whatever is in the way."""
        both = "seller@example.com, ana@bodega.example"
        self.receive(news(to=both))
        self.assertEqual(self.owners(), self.ana)
        self.assertEqual(self.reviews("not_invited").user_id, self.seller)
        Gateway = type(self.env["calendar.invitation.gateway"])
        stock = Gateway._write_news

        def write_news(gateway, method, items, seen, event, user):
            found = stock(gateway, method, items, seen, event, user)
            if user == self.seller:
                self.env.cr.execute("SELECT 1 / 0")
            return found

        with (
            patch.object(Gateway, "_write_news", write_news),
            mute_logger(GATEWAY, "odoo.sql_db"),
        ):
            for uid in ("a", "b"):
                self.receive(news(to=both, uid=uid, lines=["ATTENDEE:mailto:seller@example.com"]))
                both = ", ".join(reversed(both.split(", ")))
        refused = self.reviews().filtered(lambda one: one.reason == "refused")
        self.assertEqual(refused.mapped("uid"), ["b", "a"])
        self.assertEqual(refused.user_id, self.seller)
        events = self.env["calendar.event"].search([("ical_uid", "in", ("a", "b"))])
        self.assertEqual((len(events), events.user_id), (2, self.ana))

    def test_the_same_doubt_of_two_users_is_two_lines(self):
        data = news(to="seller@example.com, other@example.com")
        self.receive(data)
        self.assertEqual(set(self.reviews().mapped("reason")), {"not_invited"})
        self.assertEqual(self.reviews().user_id, self.seller | self.other_seller)
        self.receive(data.replace(b"<", b"<again.", 1))
        self.assertEqual(len(self.reviews()), 2)


class TestReviewList(GatewayCase):
    def doubtful(self, number, sender="Mallory <mallory@evil.example>"):
        with mute_logger(GATEWAY):
            self.receive(
                message("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:eva@azure.example",
                        uid=f"unknown {number}", sender=sender)
            )  # fmt: skip

    def test_a_number_of_each_sender_in_a_day(self):
        with patch.object(calendar_invitation_review, "MAX_A_DAY", 3):
            for number in range(5):
                self.doubtful(number, f"Name {number} <mallory@evil.example>")
            self.assertEqual(len(self.reviews()), 3)
            self.doubtful(6, "eva@azure.example")
            self.assertEqual(len(self.reviews()), 4)
            for review in self.reviews():
                review.received_at -= timedelta(days=2)
            self.doubtful(7)
            self.assertEqual(len(self.reviews()), 5)

    def test_what_nobody_decides_is_forgotten(self):
        for number, days in enumerate((1, 170, 190)):
            self.doubtful(number)
            self.reviews()[:1].received_at = fields.Datetime.now() - timedelta(days=days)
        self.env["calendar.invitation.review"]._gc_decided()
        self.assertEqual(len(self.reviews()), 2)
        oldest = fields.Datetime.now() - timedelta(days=180)
        self.assertGreater(min(self.reviews().mapped("received_at")), oldest)


class TestAnswers(GatewayCase):
    """Who has a link, or can write in somebody's name, and does it again and again."""

    def setUp(self):
        super().setUp()
        self.patch(calendar_attendee_answer, "MAX_TOLD", 3)

    def told(self):
        self.env.flush_all()
        return self.Outgoing.search_count([("kind", "=", "answer")])

    def test_by_mail(self):
        event = self.known()
        for seconds in range(7):
            status = "DECLINED" if seconds % 2 else "ACCEPTED"
            self.receive(self.reply(event, status, seconds))
        self.assertEqual(self.told(), 3)
        # The last one counts.
        self.assertEqual(self.state(event), "accepted")
        self.assert_believed()
        # Another's are others, and so are those of tomorrow.
        guest = self.guest_row(event).sudo()
        guest.told_on -= timedelta(days=1)
        self.receive(self.reply(event, "DECLINED", 8))
        self.assertEqual(self.told(), 4)

    def test_on_the_page(self):
        event = self.known()
        guest, before = self.guest_row(event), len(event.message_ids)
        for number in range(6):
            guest._answer("declined" if number % 2 else "accepted", source="page")
        self.assertEqual((len(event.message_ids), guest.state), (before + 3, "declined"))

    def test_one_occurrence_after_the_other(self):
        first = self.known(recurrency=True, rrule_type="daily", interval=1, end_type="count",
                           count=8, event_tz="Europe/Madrid")  # fmt: skip
        events = first.recurrence_id.calendar_event_ids.sorted("start")
        before = len(events.message_ids)
        for event in events:
            self.guest_row(event)._answer("declined", source="page")
        self.assertEqual(len(events.message_ids), before + 3)
        self.assertEqual({self.state(event) for event in events}, {"declined"})

    def test_nobody_resets_it(self):
        guest = self.guest_row(self.known())
        for user in (self.ana, self.seller, self.portal):
            with self.assertRaises(AccessError):
                guest.with_user(user).write({"told_number": 0})


class TestAddresses(GatewayCase):
    """What is said of an attendee stands where addresses do, and is none."""

    #: Odoo takes the square of its length, hours for a megabyte.
    LONG = f"@x,{'a' * 300_000}"
    #: At this Odoo fails.
    DEEP = "(" * 5_000

    def test_in_an_invitation(self):
        said = f'MEMBER="mailto:{self.LONG}";SENT-BY="mailto:{self.DEEP}"'
        begun = time.process_time()
        self.receive(news(lines=[f"ATTENDEE;{said}:mailto:ana@bodega.example"]))
        self.assertLess(time.process_time() - begun, 15)
        self.assert_believed()
        found = self.env["calendar.event"].search([("ical_uid", "=", "harvest")])
        guest = found.attendee_ids.filtered(lambda one: one.partner_id == self.ana.partner_id)
        self.assertEqual((guest.member or "", guest.sent_by or ""), ("", ""))

    def test_many_groups(self):
        groups = ",".join(f'"mailto:g{number}@example.com"' for number in range(MAX_MEMBERS + 9))
        self.receive(news(lines=[f"ATTENDEE;MEMBER={groups}:mailto:ana@bodega.example"]))
        found = self.env["calendar.event"].search([("ical_uid", "=", "harvest")])
        members = [one for one in found.attendee_ids.mapped("member") if one]
        self.assertEqual([len(one.split(",")) for one in members], [MAX_MEMBERS])

    def test_of_somebody_who_is_invited(self):
        Attendee = self.env["calendar.attendee"]
        for text in (self.LONG, self.DEEP):
            begun = time.process_time()
            with self.assertRaises(ValidationError):
                Attendee._normal_address(text)
            self.assertLess(time.process_time() - begun, 5)

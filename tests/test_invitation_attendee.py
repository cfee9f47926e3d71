"""Attendees: their fields, those without a contact, delegation, and who may do what."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.calendar_attendee_delegation import MAX_DELEGATES
from ..models.calendar_event_guest import Invited
from .common import DAY, HOUR, NOW, AutomationCase


class InvitationData:
    """Mixin: a meeting that Sergio organizes; his customer and Olga are invited."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "no_mail_to_attendees": True,
                                       "skip_contact_description": True})  # fmt: skip
        cls.stranger = new_test_user(
            cls.env, "third_seller", "base.group_user,sales_team.group_sale_salesman",
            email="third@example.com", name="Tomás Third", lang="en_US", tz="Europe/Madrid",
        )  # fmt: skip
        cls.meeting = cls.meet("Tasting")

    @classmethod
    def meet(cls, name, user=None, guests=None, **values):
        user = user or cls.seller
        guests = cls.customer + cls.other_seller.partner_id if guests is None else guests
        start = values.pop("start", NOW.replace(year=2031, day=17))
        return cls.env["calendar.event"].with_user(user).create(
            {
                "name": name, "start": start, "stop": start + HOUR, "user_id": user.id,
                "partner_ids": [(6, 0, (user.partner_id + guests).ids)], **values,
            }
        ).with_env(cls.env)  # fmt: skip

    def of(self, who, meeting=None):
        """The attendee of a contact, a user or an address."""
        key = who if isinstance(who, str) else (
            who.partner_id.id if who._name == "res.users" else who.id
        )  # fmt: skip
        attendees = (meeting or self.meeting).attendee_ids
        return attendees.filtered(lambda one: one._key() == key)

    def invite(self, *addresses, meeting=None, user=None):
        people = [Invited(address=address) for address in addresses]
        meeting = meeting or self.meeting
        return meeting.with_user(user or self.seller)._invite(people).with_env(self.env)


@tagged("post_install", "-at_install")
class TestAddressAlone(InvitationData, AutomationCase):
    def test_no_contact_is_made(self):
        partners = self.env["res.partner"].search_count([])
        guest = self.invite("Eva@Example.com")
        self.assertEqual((guest.email, guest.common_name), ("eva@example.com",) * 2)
        self.assertFalse(guest.partner_id)
        self.assertEqual(self.env["res.partner"].search_count([]), partners)
        self.assertEqual(self.meeting.attendee_ids.search([("email", "=", guest.email)]), guest)

    def test_what_is_no_address_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "“eva” is no e-mail address"):
            self.invite("eva")
        with self.assertRaises(ValidationError):
            self.env["calendar.attendee"].create({"event_id": self.meeting.id})

    def test_nobody_is_invited_twice(self):
        guest = self.invite("eva@example.com")
        again = self.invite("eva@example.com", "azure@example.com")
        self.assertEqual(again, guest + self.of(self.customer))
        contact = Invited(partner_id=self.customer.id)
        self.assertEqual(self.meeting._invite([contact]), self.of(self.customer))

    def test_the_form_saves_and_counts(self):
        self.invite("eva@example.com")
        self.of(self.customer).state = "accepted"
        self.assertEqual(self.meeting.attendees_count, 4)
        self.assertEqual((self.meeting.accepted_count, self.meeting.awaiting_count), (2, 2))
        self.meeting.with_user(self.seller).write(
            {"partner_ids": [(3, self.customer.id)], "name": "Dinner"}
        )
        self.assertTrue(self.of("eva@example.com"))
        self.assertFalse(self.of(self.customer))

    def test_the_customer_is_found_behind_an_address(self):
        meeting = self.meet("Alone", guests=self.env["res.partner"])
        self.invite("eva@example.com", meeting=meeting)
        self.assertFalse(meeting.find_partner_customer())

    def test_a_series_has_the_address_in_each_meeting(self):
        self.invite("eva@example.com")
        self.of(self.customer).role = "chair"
        self.meeting.with_user(self.seller).write(
            {"recurrency": True, "rrule_type": "weekly", "end_type": "count", "count": 3,
             "tue": True}
        )  # fmt: skip
        meetings = self.meeting.recurrence_id.calendar_event_ids
        self.assertEqual(len(meetings), 3)
        for meeting in meetings:
            self.assertEqual(len(meeting.attendee_ids), 4)
            self.assertTrue(self.of("eva@example.com", meeting))
            self.assertEqual(self.of(self.customer, meeting).role, "chair")

    def test_a_copy_invites_the_address_too(self):
        self.invite("eva@example.com")
        copy = self.meeting.copy()
        self.assertEqual(len(copy.attendee_ids), 4)
        self.assertTrue(self.of("eva@example.com", copy))

    def test_a_contact_is_made_when_asked(self):
        guest = self.invite("eva@example.com")
        guest.with_user(self.seller).action_make_contact()
        self.assertEqual(guest.partner_id.email, "eva@example.com")
        self.assertIn(guest.partner_id, self.meeting.partner_ids)
        self.assertEqual(len(self.meeting.attendee_ids), 4)

    def test_a_user_who_accepts_has_it_in_his_calendar(self):
        self.stranger.login = "third@example.com"
        guest = self.invite("third@example.com")
        self.assertTrue(guest.with_user(self.stranger).is_mine)
        self.assertNotIn(self.stranger.partner_id, self.meeting.partner_ids)
        guest.with_user(self.stranger).do_accept()
        self.assertEqual((guest.partner_id, guest.state), (self.stranger.partner_id, "accepted"))
        self.assertIn(self.stranger.partner_id, self.meeting.partner_ids)

    def test_who_declines_is_not_busy(self):
        partner = self.other_seller.partner_id
        span = (self.meeting.start, self.meeting.stop)
        self.assertIn(partner.id, partner._get_busy_calendar_events(*span))
        self.assertTrue(partner._busy_times(*span)[partner])
        self.of(self.other_seller).with_user(self.other_seller).do_decline()
        self.assertNotIn(partner.id, partner._get_busy_calendar_events(*span))
        self.assertFalse(partner._busy_times(*span)[partner])


@tagged("post_install", "-at_install")
class TestDelegation(InvitationData, AutomationCase):
    def delegate(self, attendee, user, *addresses, **more):
        people = [Invited(address=address) for address in addresses]
        return attendee.with_user(user)._delegate(people, **more).with_env(self.env)

    def test_a_chain(self):
        olga = self.of(self.other_seller)
        eva = self.delegate(olga, self.other_seller, "eva@example.com")
        self.assertEqual((olga.state, olga.delegated_to_ids), ("delegated", eva))
        self.assertEqual((eva.state, eva.delegated_from_ids), ("needsAction", olga))
        ida = self.delegate(eva, self.seller, "ida@example.com")
        self.assertEqual(ida._delegators(), eva + olga)
        self.assertEqual(self.meeting.awaiting_count, 2)

    def test_nobody_is_in_it_twice(self):
        olga = self.of(self.other_seller)
        eva = self.delegate(olga, self.other_seller, "eva@example.com")
        with self.assertRaisesRegex(UserError, "passed this invitation on already"):
            self.delegate(eva, self.seller, "other@example.com")
        with self.assertRaisesRegex(UserError, "passed this invitation on already"):
            self.delegate(olga, self.other_seller, "other@example.com")
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            eva.delegated_to_ids = olga

    def test_it_ends_somewhere(self):
        last = self.of(self.other_seller)
        with self.assertRaisesRegex(UserError, "5 people at most"):
            self.delegate(last, self.seller, *(f"{n}@example.com" for n in range(6)))
        with self.assertRaisesRegex(UserError, "too often"):
            for number in range(9):
                last = self.delegate(last, self.seller, f"{number}@example.com")

    def test_who_answers_himself_sends_nobody(self):
        olga = self.of(self.other_seller)
        eva = self.delegate(olga, self.other_seller, "eva@example.com")
        olga.with_user(self.other_seller).do_accept()
        self.assertFalse(olga.delegated_to_ids + eva.delegated_from_ids)
        self.assertTrue(eva.exists())

    def test_an_invitation_whose_delegate_is_gone_is_open_again(self):
        olga = self.of(self.other_seller)
        self.delegate(olga, self.other_seller, "eva@example.com").unlink()
        self.assertEqual(olga.state, "needsAction")

    def test_rights(self):
        olga = self.of(self.other_seller)
        with self.assertRaisesRegex(AccessError, "Only Olga Other"):
            self.delegate(olga, self.stranger, "eva@example.com")
        with self.assertRaisesRegex(UserError, "organizer"):
            self.delegate(self.of(self.seller), self.seller, "eva@example.com")


@tagged("post_install", "-at_install")
class TestRights(InvitationData, AutomationCase):
    def as_user(self, user, who=None):
        return self.of(who or self.customer).with_user(user)

    def test_nobody_answers_for_others(self):
        Event = self.meeting.with_user(self.stranger)
        guest = self.as_user(self.stranger)
        tries = {
            "accept": guest.do_accept,
            "decline": guest.do_decline,
            "tentative": guest.do_tentative,
            "write": lambda: guest.write({"state": "accepted"}),
            "forget": lambda: guest.write({"state": "needsAction"}),
            "through the meeting": lambda: Event.write(
                {"attendee_ids": [(1, guest.id, {"state": "accepted"})]}
            ),
            "forget through the meeting": lambda: Event.write(
                {"attendee_ids": [(1, guest.id, {"state": "needsAction"})]}
            ),
            "chain": lambda: guest.write({"delegated_to_ids": [(4, self.of(self.seller).id)]}),
            "revoke": guest.action_revoke_link,
            "role": lambda: guest.write({"role": "chair"}),
            "move": lambda: guest.write({"event_id": self.meeting.id}),
            "remove": guest.unlink,
            "remove by contact": lambda: Event.write({"partner_ids": [(3, self.customer.id)]}),
            "invite": lambda: Event._invite([Invited(address="eva@example.com")]),
            "create": lambda: guest.create(
                {"event_id": self.meeting.id, "address": "eva@example.com"}
            ),
            "wizard": Event.action_invite,
        }
        for name, attempt in tries.items():
            with self.subTest(name), self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
        self.assertEqual(self.of(self.customer).state, "needsAction")

    def test_who_comes_does_not_answer_for_others_either(self):
        guest = self.as_user(self.other_seller)
        with self.assertRaises(AccessError):
            guest.do_accept()
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            guest.create(
                {"event_id": self.meeting.id, "address": "eva@example.com", "state": "accepted"}
            )
        guest.create({"event_id": self.meeting.id, "address": "eva@example.com"})

    def test_nobody_is_sent_without_a_name(self):
        meeting = self.meeting.with_user(self.other_seller)
        with self.assertRaisesRegex(UserError, "who goes instead"):
            meeting.current_status = "delegated"

    def test_who_may(self):
        admin = self.env.ref("base.user_admin")
        for user, who in (
            (self.other_seller, self.other_seller),
            (self.seller, self.customer),
            (admin, self.customer),
        ):
            with self.subTest(user.name):
                self.as_user(user, who).do_decline()
                self.assertEqual(self.of(who).state, "declined")

    def test_portal_users_reach_nothing(self):
        guest = self.as_user(self.portal)
        with self.assertRaises(AccessError):
            guest.read(["state"])
        with self.assertRaises(AccessError):
            guest.do_accept()
        for model in ("calendar.invite", "calendar.invitation.proposal"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.portal).search([])

    def test_moving_a_meeting_forgets_the_answers(self):
        """As in stock Odoo: of a series that another participant moves."""
        self.of(self.customer).state = "accepted"
        self.meeting.with_user(self.other_seller).write({"start": self.meeting.start + DAY})
        self.assertEqual(self.of(self.seller).state, "needsAction")

    @mute_logger("odoo.models")
    def test_tokens_are_read_by_nobody(self):
        guest = self.as_user(self.stranger)
        token = guest.sudo().access_token
        self.env.invalidate_all()
        for user in (self.stranger, self.seller):
            mine = guest.with_user(user)
            with self.assertRaises(AccessError):
                mine.read(["access_token"])
            with self.assertRaises(AccessError):
                mine.search([("access_token", "=", token)])
            with self.assertRaises(AccessError):
                mine.search([], order="access_token")
            self.assertNotIn("access_token", mine.fields_get())
        with self.assertRaises(AccessError):
            self.env["calendar.event"].with_user(self.stranger).search(
                [("attendee_ids.access_token", "=", token)]
            )

    def test_templates_of_meetings_can_still_be_saved(self):
        admin = self.env.ref("base.user_admin")
        for name in ("invitation", "changedate", "reminder", "update", "delete"):
            template = self.env.ref(
                f"calendar.calendar_template_meeting_{name}", raise_if_not_found=False
            )
            if template and template.model == "calendar.attendee":
                template = template.with_user(admin)
                template.body_html = template.body_html + "<p>Until then</p>"
                self.assertIn("Until then", template.copy().body_html)

    def test_guests_of_private_meetings_are_private(self):
        Attendee = self.env["calendar.attendee"].with_user(self.stranger)
        usual = self.meet("Usual", privacy=False)
        self.assertEqual(len(Attendee.search([("event_id", "=", usual.id)])), 3)
        secret = self.meet("Secret", privacy="private", location="Cellar")
        self.seller.with_user(self.seller).calendar_default_privacy = "private"
        for meeting in (secret, usual):
            domain = [("event_id", "=", meeting.id)]
            self.assertFalse(Attendee.search(domain))
            self.assertEqual(len(Attendee.with_user(self.other_seller).search(domain)), 3)
        open_one = self.meet("Open", privacy="public")
        self.assertEqual(len(Attendee.search([("event_id", "=", open_one.id)])), 3)

    def test_nobody_invites_himself(self):
        """Not even to a meeting of which he sees no more than that the time is taken."""
        for private in (False, True):
            self.seller.res_users_settings_id.sudo().calendar_default_privacy = (
                "private" if private else "public"
            )
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.env["calendar.attendee"].with_user(self.stranger).create(
                    {"event_id": self.meeting.id, "partner_id": self.stranger.partner_id.id}
                )

    def test_an_address_of_somebody_else_gives_no_rights(self):
        """One's e-mail one changes oneself: it says nothing of who one is."""
        [guest] = self.meeting.sudo()._invite([Invited(address="guest@azure.example")], {})
        self.stranger.with_user(self.stranger).write({"email": "guest@azure.example"})
        self.assertFalse(guest.with_user(self.stranger).sudo(False).may_answer)
        with self.assertRaises(AccessError):
            self.meeting.with_user(self.stranger)._check_may_invite()
        guest._answer("accepted")
        self.assertNotIn(self.stranger.partner_id, self.meeting.partner_ids)

    def test_delegations_that_were_taken_back_count(self):
        """Each of them has sent a mail."""
        guest = self.of(self.customer)
        for number in range(MAX_DELEGATES):
            guest._delegate([Invited(address=f"friend{number}@example.com")])
            guest._answer("accepted")
        self.assertFalse(guest.delegated_to_ids)
        with self.assertRaises(UserError):
            guest._delegate([Invited(address="one.more@example.com")])

    def test_each_mail_has_the_link_of_its_reader(self):
        guest = self.of(self.customer)
        meeting = self.meeting.with_context(no_mail_to_attendees=False).with_user(self.seller)
        meeting.attendee_ids._send_invitation_emails()
        self.env.cr.flush()
        Outgoing = self.env["calendar.invitation.outgoing"].sudo()
        with patch.object(type(Outgoing), "_commit_batch", lambda *_a, **_k: 99):
            Outgoing._send_due()
        [mail] = self.env["mail.mail"].search([("recipient_ids", "in", self.customer.ids)])
        self.assertIn(guest._rsvp_url(), mail.body_html)
        self.assertNotIn(guest.access_token, mail.body_html)

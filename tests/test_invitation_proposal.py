"""Other times, proposed by those who are invited."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from ..models import calendar_invitation_proposal
from .common import DAY, HOUR, NOW, AutomationCase
from .test_invitation_attendee import InvitationData


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestProposal(InvitationData, AutomationCase):
    def propose(self, who=None, days=1, comment="Better for <me>"):
        start = self.meeting.start + days * DAY
        Proposal = self.env["calendar.invitation.proposal"]
        return Proposal._propose(self.of(who or self.customer), start, start + HOUR, comment)

    def test_the_organizer_takes_it_with_one_click(self):
        olga = self.of(self.other_seller)
        olga.state = "accepted"
        proposal = self.propose()
        self.assertEqual((proposal.state, self.meeting.proposal_count), ("open", 1))
        proposal.with_user(self.seller).action_accept()
        self.assertEqual(self.meeting.start, proposal.start)
        self.assertEqual((proposal.state, proposal.decided_by_id), ("accepted", self.seller))
        self.assertEqual(self.of(self.customer).state, "accepted")
        self.assertEqual(olga.state, "needsAction")
        self.assertEqual(self.of(self.seller).state, "accepted")
        with self.assertRaisesRegex(UserError, "decided on already"):
            proposal.with_user(self.seller).action_decline()

    def test_or_leaves_it(self):
        start = self.meeting.start
        proposal = self.propose()
        proposal.with_user(self.seller).action_decline()
        self.assertEqual((proposal.state, self.meeting.start), ("declined", start))
        self.assertEqual(self.meeting.proposal_count, 0)

    def test_he_is_told(self):
        self.propose()
        message = self.meeting.message_ids[:1]
        self.assertIn("Azure &amp; Sons", message.body)
        self.assertIn("Better for &lt;me&gt;", message.body)
        self.assertIn(self.seller.partner_id, message.notified_partner_ids)

    def test_the_same_again_and_too_many(self):
        first = self.propose()
        self.assertEqual(self.propose(), first)
        for days in (2, 3, 4):
            self.propose(days=days)
        states = self.meeting.proposal_ids.sorted("id").mapped("state")
        self.assertEqual(states, ["replaced", "open", "open", "open"])

    def test_a_number_a_day(self):
        self.propose(days=1)
        with patch.object(calendar_invitation_proposal, "MAX_A_DAY", 3):
            for days in (2, 3):
                self.propose(days=days)
            told = len(self.meeting.message_ids)
            with self.assertRaisesRegex(UserError, "many times"):
                self.propose(days=4)
            self.assertEqual(len(self.meeting.message_ids), told)
            # The same again is none, and another's are others.
            self.propose(days=3)
            self.propose(self.other_seller, days=4)
            self.env.cr.execute(
                "UPDATE calendar_invitation_proposal SET create_date = create_date - interval '2d'"
            )
            self.assertTrue(self.propose(days=5))

    def test_times_that_make_no_sense(self):
        Proposal = self.env["calendar.invitation.proposal"]
        guest, start = self.of(self.customer), self.meeting.start
        for begin, end in (
            (start + HOUR, start), (start, start), (start, start + 40 * DAY),
            (NOW - DAY, NOW - DAY + HOUR), (start, self.meeting.stop),
        ):  # fmt: skip
            with self.subTest(begin=begin, end=end), self.assertRaises(UserError):
                Proposal._propose(guest, begin, end)

    def test_a_clash_is_shown(self):
        proposal = self.propose()
        self.assertFalse(proposal.is_clash)
        self.meet("Other", user=self.other_seller, guests=self.env["res.partner"],
                  start=proposal.start)  # fmt: skip
        proposal.invalidate_recordset()
        self.assertTrue(proposal.is_clash)

    def test_rights(self):
        proposal = self.propose()
        for user in (self.other_seller, self.stranger, self.manager):
            for name in ("action_accept", "action_decline"):
                with self.subTest(f"{user.name}: {name}"), self.assertRaises(AccessError):
                    getattr(proposal.with_user(user), name)()
        Proposal = proposal.with_user(self.stranger)
        self.assertFalse(Proposal.search([("id", "=", proposal.id)]))
        self.assertTrue(Proposal.with_user(self.other_seller).search([("id", "=", proposal.id)]))
        for attempt in (
            lambda: proposal.with_user(self.seller).write({"state": "accepted"}),
            lambda: proposal.with_user(self.seller).unlink(),
            lambda: proposal.with_user(self.seller).create(
                {"attendee_id": self.of(self.customer).id, "start": NOW, "stop": NOW}
            ),
            lambda: proposal.with_user(self.portal).read(["comment"]),
        ):
            with self.assertRaises(AccessError):
                attempt()

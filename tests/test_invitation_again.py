"""Invitations that could not be sent are tried again: a real SMTP server refuses them."""

from odoo.tests import tagged

from odoo.addons.crm_automation.engine.retry import DELAYS

from .test_invitation_send import InvitationCase
from .test_wire import WireCase


@tagged("post_install", "-at_install")
class TestSentAgain(WireCase, InvitationCase):
    def setUp(self):
        super().setUp()
        self.inbox.refuse = self.inbox.cut = 0
        self.inbox.unknown = ()

    def queue(self, guests=None):
        """The mails of a new meeting's invitations, in the queue."""
        self.make(guests=guests)
        self.env.cr.flush()
        self.Outgoing._work(self.Outgoing.search([]))
        mails = self.env["mail.mail"].search([("state", "=", "outgoing")])
        self.forget_triggers()
        return mails

    def try_again(self, mails):
        """As if the moment of the next try had come."""
        mails.again_at = self.env.cr.now()
        self.drain()
        self.send_queue_badly()

    def addressees(self):
        return sorted(to[0] for to, _message in self.inbox.received)

    def test_refused_for_now(self):
        mail = self.queue()
        sent_as = mail.message_id
        self.inbox.refuse = 1
        self.send_queue_badly()
        self.assertEqual((mail.state, mail.failed_number), ("exception", 1))
        self.assertTrue(mail.again_at)
        drainers = self.env["crm.automation.firing"]._drainers()
        armed = self.env["ir.cron.trigger"].search([("cron_id", "in", drainers.ids)])
        self.assertIn(mail.again_at, armed.mapped("call_at"))
        self.drain()
        self.send_queue()
        self.assertFalse(self.inbox.received, "tried again before its time")
        self.try_again(mail)
        [(_to, message)] = self.inbox.received
        self.assertEqual(message["Message-ID"], sent_as)
        self.assertFalse(mail.exists(), "sent mails are removed")

    def test_a_lost_connection(self):
        mails = self.queue(self.guest | self.second)
        self.assertEqual(len(mails), 2)
        self.inbox.cut = 1
        self.send_queue_badly()
        self.send_queue_badly()
        left = mails.exists()
        self.assertEqual(len(left), 1)
        self.assertTrue(left.again_at)
        self.try_again(left)
        self.assertEqual(self.addressees(), ["eva@azure.example", "nils@azure.example"])

    def test_refused_for_good(self):
        mail = self.queue()
        self.inbox.unknown = ("eva@azure.example",)
        self.send_queue_badly()
        self.assertEqual(
            (mail.state, mail.is_sent_again, mail.again_at), ("exception", False, False)
        )

    def test_given_up_in_the_end(self):
        mail = self.queue()
        self.inbox.refuse = len(DELAYS) + 1
        self.send_queue_badly()
        for _try in DELAYS:
            self.assertTrue(mail.again_at)
            self.try_again(mail)
        self.assertFalse(mail.again_at)
        self.assertEqual(mail.failed_number, len(DELAYS) + 1)
        self.inbox.refuse = 0
        self.drain()
        self.send_queue()
        self.assertFalse(self.inbox.received)

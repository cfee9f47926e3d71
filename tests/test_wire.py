"""The message on the wire: a real SMTP server receives it."""

import email
import email.policy
import socket
from unittest.mock import patch

from aiosmtpd.controller import Controller

from odoo import fields
from odoo.tests import tagged
from odoo.tools import config, mute_logger

from .common import AutomationCase


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Inbox:
    """An SMTP server's handler that keeps the messages; refuses some when told.

    ``refuse`` so many are to come again later, ``cut`` so many end the connection
    without a word, and the addresses of ``unknown`` are nobody's.
    """

    def __init__(self):
        self.received = []
        self.refuse = self.cut = 0
        self.unknown = ()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.unknown:
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):
        if self.cut:
            self.cut -= 1
            server.transport.abort()
            return "250 OK"
        if self.refuse:
            self.refuse -= 1
            return "451 Try again later"
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        self.received.append((envelope.rcpt_tos, message))
        return "250 OK"


class WireCase(AutomationCase):
    """Odoo sends to an SMTP server of our own; ``inbox`` is what has arrived."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.inbox = Inbox()
        controller = Controller(cls.inbox, hostname="127.0.0.1", port=free_port())
        controller.start()
        cls.addClassCleanup(controller.stop)
        cls.smtp_port = controller.port
        cls.env["ir.mail_server"].search([]).active = False

    def setUp(self):
        super().setUp()
        self.inbox.received.clear()
        # The test suite holds mail back by itself; here it must leave.
        servers = type(self.env["ir.mail_server"])
        self.patch(servers, "_disable_send", lambda *_args: False)
        options = {"smtp_server": "127.0.0.1", "smtp_port": self.smtp_port, "smtp_ssl": False}
        patcher = patch.dict(config.options, options)
        patcher.start()
        self.addCleanup(patcher.stop)

    def send_queue(self):
        self.env["mail.mail"].process_email_queue()

    def mailer_is_woken(self):
        """How often the mail queue's job has been woken."""
        mailer = self.env.ref("mail.ir_cron_mail_scheduler_action")
        due = [("cron_id", "=", mailer.id), ("call_at", "<=", fields.Datetime.now())]
        return self.env["ir.cron.trigger"].search_count(due)

    def forget_triggers(self):
        """As if all the jobs had run that somebody has woken."""
        self.env["ir.cron.trigger"].search([]).unlink()

    def send_queue_badly(self):
        with mute_logger(
            "odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server"
        ):
            self.send_queue()


@tagged("post_install", "-at_install")
class TestWire(WireCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.make_rule()

    def convert(self, **values):
        lead = self.make_lead(**values)
        lead.type = "opportunity"
        self.drain()
        return lead

    def test_what_the_salesperson_receives(self):
        lead = self.convert()
        self.send_queue()
        [(recipients, message)] = self.inbox.received
        self.assertEqual(recipients, ["seller@example.com"])
        self.assertEqual(message["To"], "Sergio Seller <seller@example.com>")
        self.assertIn("office@example.com", message["From"])
        self.assertTrue(message["Reply-To"])
        self.assertEqual(message["Subject"], "Nueva oportunidad: Corks")
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        self.assertTrue(message["Message-ID"])
        html = message.get_body(("html",)).get_content()
        self.assertIn("El lead «Corks» se ha convertido en oportunidad.", html)
        self.assertIn("Abrir en Odoo", html)
        text = message.get_body(("plain",)).get_content()
        self.assertIn("El lead «Corks» se ha convertido en oportunidad.", text)
        delivery = self.firings(lead).delivery_ids
        self.assertEqual(delivery.state, "sent")
        self.assertEqual(delivery.message_id, message["Message-ID"])
        self.assertEqual(self.firings(lead).delivery_state, "delivered")

    def test_reply_to_of_the_rule(self):
        self.rule.with_user(self.manager).notify_reply_to = "answers@example.com"
        self.convert()
        self.send_queue()
        [(_recipients, message)] = self.inbox.received
        self.assertEqual(message["Reply-To"], "answers@example.com")

    def test_answers_where_odoo_receives_no_mail(self):
        self.env.company.alias_domain_id = False
        self.rule.with_user(self.manager).notify_customer = True
        self.convert(partner_id=self.customer.id)
        self.send_queue()
        answers = {to[0]: message["Reply-To"] for to, message in self.inbox.received}
        self.assertIn("office@example.com", answers["seller@example.com"])
        self.assertIn("seller@example.com", answers["azure@example.com"])

    def test_rolled_back_sends_nothing(self):
        lead = self.make_lead()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            lead.type = "opportunity"
            raise ZeroDivisionError
        self.drain()
        self.send_queue()
        self.assertFalse(self.inbox.received)

    def test_a_refused_mail_is_tried_again_with_the_same_message_id(self):
        self.inbox.refuse = 1
        lead = self.convert()
        delivery = self.firings(lead).delivery_ids
        # As if the drainers that the conversion woke had run already.
        self.env["ir.cron.trigger"].search([]).unlink()
        with mute_logger(
            "odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server"
        ):
            self.send_queue()
        self.assertEqual((delivery.state, delivery.tries), ("retry", 1))
        self.assertIn("Try again later", delivery.reason)
        self.assertEqual(self.firings(lead).delivery_state, "queued")
        self.assertFalse(self.inbox.received)
        drainers = self.Firing._drainers()
        armed = self.env["ir.cron.trigger"].search([("cron_id", "in", drainers.ids)])
        self.assertIn(delivery.retry_at, armed.mapped("call_at"))
        delivery.retry_at = self.env.cr.now()
        self.drain()
        self.send_queue()
        [(_recipients, message)] = self.inbox.received
        self.assertEqual(message["Message-ID"], delivery.message_id)
        self.assertEqual(delivery.state, "sent")

    def test_server_down_is_said_and_tried_again(self):
        lead = self.convert()
        delivery = self.firings(lead).delivery_ids
        with (
            patch.dict(config.options, {"smtp_port": free_port()}),
            mute_logger(
                "odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server"
            ),
        ):
            self.send_queue()
        self.assertEqual(delivery.state, "retry")
        self.assertTrue(delivery.reason)

    def test_a_lost_connection_is_followed_and_holds_up_nobody(self):
        """Stock leaves that mail as an exception, and the others until the next hour."""
        self.inbox.cut = 1
        leads = [self.convert(name=f"Corks {number}") for number in range(3)]
        deliveries = [self.firings(lead).delivery_ids for lead in leads]
        self.forget_triggers()
        # What has woken this run: Odoo removes it at its end.
        self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()
        self.send_queue_badly()
        self.assertFalse(self.inbox.received)
        self.assertEqual([d.state for d in deliveries], ["retry", "queued", "queued"])
        self.assertIn("connection", deliveries[0].reason)
        self.assertEqual(self.mailer_is_woken(), 2)
        self.send_queue()
        self.assertEqual([d.state for d in deliveries], ["retry", "sent", "sent"])
        deliveries[0].retry_at = self.env.cr.now()
        self.drain()
        self.send_queue()
        self.assertEqual(deliveries[0].state, "sent")
        arrived = [message["Message-ID"] for _to, message in self.inbox.received]
        self.assertEqual(sorted(arrived), sorted(d.message_id for d in deliveries))

    def test_more_mails_than_one_run_of_the_mailer_takes(self):
        """Stock takes 1,000, and leaves the others until the next hour."""
        self.env["ir.config_parameter"].set_param("mail.mail.queue.batch.size", 2)
        deliveries = [self.firings(self.convert()).delivery_ids for _n in range(3)]
        self.forget_triggers()
        self.send_queue()
        self.assertEqual(sorted(d.state for d in deliveries), ["queued", "sent", "sent"])
        self.assertEqual(self.mailer_is_woken(), 1)
        self.forget_triggers()
        self.send_queue()
        self.assertEqual([d.state for d in deliveries], ["sent"] * 3)
        self.assertFalse(self.mailer_is_woken(), "woken for nothing")

    def test_a_mail_in_exception_that_nobody_told_of_is_queued_again(self):
        delivery = self.firings(self.convert()).delivery_ids
        delivery.mail_id.write({"state": "exception", "failure_type": "unknown"})
        self.forget_triggers()
        self.drain()
        self.assertTrue(self.mailer_is_woken())
        self.send_queue()
        self.assertEqual(delivery.state, "retry")
        delivery.retry_at = self.env.cr.now()
        self.drain()
        self.send_queue()
        self.assertEqual(delivery.state, "sent")

    def test_a_mail_that_somebody_has_cancelled_or_deleted(self):
        cancelled, deleted = (self.firings(self.convert()).delivery_ids for _n in range(2))
        cancelled.mail_id.cancel()
        deleted.mail_id.unlink()
        self.send_queue()
        for delivery in (cancelled, deleted):
            self.assertEqual(delivery.state, "failed")
            self.assertTrue(delivery.reason)
        self.assertFalse(self.inbox.received)

    def test_the_mailer_is_woken_while_mails_wait(self):
        """Odoo puts off a job of which three workers have died: the mailer by an hour."""
        self.convert()
        self.forget_triggers()
        self.drain()
        self.assertTrue(self.mailer_is_woken())
        self.send_queue()
        self.forget_triggers()
        self.drain()
        self.assertFalse(self.mailer_is_woken(), "woken for nothing")

    def test_an_address_that_is_nobodys_is_not_tried_again(self):
        self.inbox.unknown = ("seller@example.com",)
        self.addCleanup(setattr, self.inbox, "unknown", ())
        delivery = self.firings(self.convert()).delivery_ids
        self.send_queue_badly()
        self.assertEqual(delivery.state, "failed")
        self.assertIn("No such user here", delivery.reason)

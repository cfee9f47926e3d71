"""The mission's stories from the event to the message on the wire."""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .test_wire import WireCase


@tagged("post_install", "-at_install")
class TestWireStories(WireCase):
    def received(self):
        """Address to message, after checking that there is one for each."""
        self.drain()
        self.send_queue()
        found = {}
        for recipients, message in self.inbox.received:
            if message["Auto-Submitted"] != "auto-generated":
                continue  # Odoo's own invitation, for example
            for address in recipients:
                self.assertNotIn(address, found, "two mails to one address")
                found[address] = message
        return found

    def assertWellFormed(self, message, subject, *words):
        self.assertEqual(message["Subject"], subject)
        self.assertIn("office@example.com", message["From"])
        self.assertTrue(message["Reply-To"])
        self.assertTrue(message["Message-ID"])
        for kind in ("html", "plain"):
            text = " ".join(message.get_body((kind,)).get_content().split())
            for word in words:
                self.assertIn(word, text)

    def test_merge(self):
        self.make_rule(trigger="opportunities_merged")
        values = {"type": "opportunity", "partner_id": self.customer.id}
        both = self.make_lead(name="Corks", **values)
        both += self.make_lead(name="Labels", user_id=self.other_seller.id, **values)
        head = both.merge_opportunity()
        lost = "Labels" if head.name == "Corks" else "Corks"
        received = self.received()
        self.assertEqual(set(received), {"seller@example.com", "other@example.com"})
        self.assertWellFormed(
            received["seller@example.com"],
            f"Fusionadas en {head.name}",
            f"«{lost}»",
            "Abrir en Odoo",
        )
        self.assertWellFormed(
            received["other@example.com"], f"Merged into {head.name}", f"“{lost}”", "Open in Odoo"
        )

    def test_merge_one_hour_later(self):
        """The mission's “una hora”: not before, and not if they are merged away meanwhile."""
        rule = self.make_rule(trigger="opportunities_merged", delay_number=1, delay_unit="hours")
        both = self.make_lead(name="Corks", type="opportunity")
        both += self.make_lead(name="Labels", type="opportunity", user_id=self.other_seller.id)
        both.merge_opportunity()
        self.assertFalse(self.received())
        firing = self.Firing.search([("rule_id", "=", rule.id)])
        self.assertEqual(firing.due_at - firing.create_date, timedelta(hours=1))
        firing.run_at = self.env.cr.now()
        self.assertEqual(set(self.received()), {"seller@example.com", "other@example.com"})

    def test_task(self):
        self.make_rule(trigger="task_created", notify_responsible=False, notify_customer=True)
        project = self.env["project.project"].create(
            {"name": "Labels 2027", "partner_id": self.customer.id}
        )
        task = self.env["project.task"].create({"name": "Sketch", "project_id": project.id})
        received = self.received()
        self.assertEqual(set(received), {"azure@example.com"})
        message = received["azure@example.com"]
        self.assertWellFormed(message, "New task: Sketch", "Labels 2027")
        self.assertNotIn("Open in Odoo", message.get_body(("html",)).get_content())
        task.name = "Final sketch"
        self.assertEqual(set(self.received()), {"azure@example.com"})

    def test_meeting_five_minutes_before(self):
        """Each in the zone and the language of the one who reads it."""
        self.other_seller.tz = "Atlantic/Canary"
        rule = self.env.ref("crm_automation.rule_meeting_soon")
        rule.with_user(self.manager).action_enable()
        # A test is one transaction: without this, all is made before the rule is on.
        rule.sudo().enabled_since = self.env.cr.now() - timedelta(minutes=10)
        start = fields.Datetime.now() + timedelta(minutes=4)
        event = (
            self.env["calendar.event"]
            .with_user(self.seller)
            .create(
                {
                    "name": "Tasting",
                    "start": start,
                    "stop": start + timedelta(hours=1),
                    "location": "Cellar",
                    "partner_ids": [(6, 0, (self.seller + self.other_seller).partner_id.ids)],
                }
            )
        )
        self.end_transaction()
        with self.no_commit():
            self.Rule._enqueue_moments()
        received = self.received()
        self.assertEqual(set(received), {"seller@example.com", "other@example.com"})
        self.assertWellFormed(
            received["seller@example.com"], "Recordatorio: Tasting", "(Europe/Madrid)", "Cellar"
        )
        self.assertWellFormed(
            received["other@example.com"], "Reminder: Tasting", "(Atlantic/Canary)", "Cellar"
        )
        with self.no_commit():
            self.Rule._enqueue_moments()
        self.inbox.received.clear()
        self.assertFalse(self.received())
        self.assertEqual(self.firings(event).state, "done")

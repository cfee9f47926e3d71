"""Who is told, in which language, with which words."""

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import AutomationCase


@tagged("post_install", "-at_install")
class TestNotice(AutomationCase):
    def notices(self, lead, **rule):
        """Convert the lead under a rule; return its deliveries."""
        self.make_rule(**rule)
        lead.type = "opportunity"
        self.drain()
        return self.firings(lead).delivery_ids

    def test_language_of_each_recipient(self):
        lead = self.make_lead(partner_id=self.customer.id)
        deliveries = self.notices(lead, notify_customer=True)
        subjects = {d.email: d.mail_id.subject for d in deliveries}
        self.assertEqual(
            subjects,
            {
                "seller@example.com": "Nueva oportunidad: Corks",
                "azure@example.com": "Now an opportunity: Corks",
            },
        )

    def test_facts_in_the_ready_made_text(self):
        lead = self.make_lead(partner_id=self.customer.id, expected_revenue=1234)
        body = self.notices(lead).mail_id.body_html
        self.assertIn("Azure &amp; Sons", body)
        self.assertIn("Comercial", body)  # the label, in Spanish
        self.assertIn("1.234", body)  # the amount, as written in Spain
        self.assertIn(f"/mail/view?model=crm.lead&amp;res_id={lead.id}", body)

    def test_no_link_into_odoo_for_the_customer(self):
        lead = self.make_lead(partner_id=self.customer.id)
        deliveries = self.notices(lead, notify_responsible=False, notify_customer=True)
        self.assertNotIn("/mail/view", deliveries.mail_id.body_html)

    def test_the_customer_reads_nothing_internal(self):
        lead = self.make_lead(
            partner_id=self.customer.id,
            expected_revenue=98765,
        )
        deliveries = self.notices(lead, notify_responsible=False, notify_customer=True)
        body = deliveries.mail_id.body_html
        self.assertIn("Sergio Seller", body)
        for secret in ("98,765", "98765", "Expected Revenue", "Stage", "Sales Team"):
            self.assertNotIn(secret, body)

    def test_customer_of_a_lead_without_contact(self):
        lead = self.make_lead(email_from="Pilar <pilar@example.com>")
        deliveries = self.notices(lead, notify_responsible=False, notify_customer=True)
        self.assertEqual(deliveries.email, "pilar@example.com")
        self.assertEqual(deliveries.mail_id.email_to, "pilar@example.com")

    def test_same_address_is_told_once(self):
        lead = self.make_lead()
        deliveries = self.notices(lead, notify_emails="Seller@Example.com, boss@example.com")
        self.assertEqual(deliveries.mapped("email"), ["seller@example.com", "boss@example.com"])

    def test_who_is_left_out_and_why(self):
        self.customer.email = "not an address"
        lead = self.make_lead(partner_id=self.customer.id, email_from=False)
        deliveries = self.notices(lead, notify_customer=True)
        reasons = {d.role: (d.state, d.reason) for d in deliveries}
        self.assertEqual(reasons["responsible"], ("queued", False))
        self.assertEqual(reasons["customer"][0], "skipped")
        self.assertIn("Azure & Sons has no valid e-mail address", reasons["customer"][1])

    def test_archived_salesperson(self):
        lead = self.make_lead()
        self.seller.active = False
        deliveries = self.notices(lead)
        self.assertEqual(deliveries.state, "skipped")
        self.assertIn("archived", deliveries.reason)

    def test_blacklisted_customer(self):
        self.env["mail.blacklist"]._add("azure@example.com")
        lead = self.make_lead(partner_id=self.customer.id)
        deliveries = self.notices(lead, notify_responsible=False, notify_customer=True)
        self.assertEqual(deliveries.state, "skipped")
        self.assertIn("blacklist", deliveries.reason)

    def test_own_text_with_keywords(self):
        self.seller.phone = "+34 600 000 000"
        lead = self.make_lead(partner_id=self.customer.id, description="<p>Red <b>wine</b></p>")
        mail = self.notices(
            lead,
            content="own",
            subject="%(object_subject)s for %(partner)s, 100 %",
            body="<p>%(object_description)s by %(object_user)s, %(object_user_phone)s; "
            "%(partner)s, %(partner_email)s, no. %(object_id)s</p>",
        ).mail_id
        self.assertEqual(mail.subject, "Corks for Azure & Sons, 100 %")
        self.assertIn("Red *wine*", mail.body_html)
        self.assertIn("by Sergio Seller, +34 600 000 000", mail.body_html)
        self.assertIn("Azure &amp; Sons, azure@example.com", mail.body_html)
        self.assertIn(f"no. {lead.id}", mail.body_html)

    def test_values_cannot_bring_markup_or_header_lines(self):
        lead = self.make_lead(name="<img src=x onerror=alert(1)>\r\nBcc: x@example.com")
        mail = self.notices(
            lead, content="own", subject="%(object_subject)s", body="<p>%(object_subject)s</p>"
        ).mail_id
        self.assertNotIn("\n", mail.subject)
        self.assertNotIn("<img", mail.body_html)

    def test_wrong_text_is_refused_when_saved(self):
        for text in ("%(partner_name)s", "%(partner)"):
            with self.subTest(text), self.assertRaises(ValidationError) as caught:
                self.make_rule(content="own", subject="x", body=f"<p>{text}</p>")
            self.assertIn(text, str(caught.exception))
        with self.assertRaises(ValidationError):
            self.make_rule(content="own", subject="x")

    def test_wrong_addresses_are_refused_when_saved(self):
        for text in ("boss", "a@example.com; nonsense", "a@example.com, @x"):
            with self.subTest(text), self.assertRaises(ValidationError):
                self.make_rule(notify_emails=text)

    def test_message_in_the_chatter_is_internal(self):
        lead = self.make_lead()
        message = self.notices(lead).mail_id.mail_message_id
        self.assertEqual((message.model, message.res_id), ("crm.lead", lead.id))
        self.assertTrue(message.is_internal)
        self.assertIn(message, lead.message_ids)

    def test_task_assignees_are_the_responsibles(self):
        project = self.env["project.project"].create({"name": "P"})
        self.make_rule(trigger="created", model_id=self.env["ir.model"]._get("project.task").id)
        task = self.env["project.task"].create(
            {
                "name": "T",
                "project_id": project.id,
                "user_ids": [(6, 0, (self.seller + self.other_seller).ids)],
            }
        )
        self.drain()
        self.assertEqual(
            set(self.firings(task).delivery_ids.mapped("email")),
            {"seller@example.com", "other@example.com"},
        )

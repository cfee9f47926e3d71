"""The words: ready-made, one's own, an e-mail template; files; the channels."""

import re
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.crm_automation_rule import TRIGGER_MODELS
from .common import FIRING_LOG, AutomationCase
from .test_wire import WireCase

QUEUE = "odoo.addons.crm_automation.models.crm_automation_notice_queue"
RENDER_LOGS = ("odoo.addons.mail.models.mail_render_mixin", FIRING_LOG)
NOW = datetime(2027, 6, 15, 10, 0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class TextCase(AutomationCase):
    def converted(self, *leads):
        for lead in leads:
            lead.type = "opportunity"
        self.drain()

    def mails(self, record):
        return {d.email: d.mail_id for d in self.firings(record).delivery_ids}


@tagged("post_install", "-at_install")
class TestTemplate(TextCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.env["mail.template"].create(
            {
                "name": "Welcome",
                "model_id": cls.env["ir.model"]._get_id("crm.lead"),
                "subject": "Welcome: {{ object.name }}",
                "body_html": "<p>Dear <t t-out='object.partner_id.name'/></p>",
            }
        )
        cls.template.with_context(lang="es_ES").write(
            {
                "subject": "Bienvenido: {{ object.name }}",
                "body_html": "<p>Estimado <t t-out='object.partner_id.name'/></p>",
            }
        )
        cls.values = {"content": "template", "template_id": cls.template.id}

    def test_in_the_language_of_each(self):
        self.make_rule(notify_customer=True, **self.values)
        lead = self.make_lead(partner_id=self.customer.id)
        self.converted(lead)
        mails = self.mails(lead)
        self.assertEqual(mails["seller@example.com"].subject, "Bienvenido: Corks")
        self.assertIn("Estimado Azure &amp; Sons", mails["seller@example.com"].body_html)
        self.assertEqual(mails["azure@example.com"].subject, "Welcome: Corks")
        self.assertIn("Dear Azure &amp; Sons", mails["azure@example.com"].body_html)

    def test_one_rendering_for_each_language_however_many_records(self):
        self.make_rule(
            notify_customer=True, notify_emails="one@example.com, two@example.com", **self.values
        )
        leads = [self.make_lead(name=f"L{n}", partner_id=self.customer.id) for n in range(5)]
        passes = []
        render = type(self.template)._render_field

        def counting(template, field, ids, *args, **kwargs):
            passes.append((field, kwargs["set_lang"], len(ids)))
            return render(template, field, ids, *args, **kwargs)

        with patch.object(type(self.template), "_render_field", counting):
            self.converted(*leads)
        self.assertEqual(
            sorted(passes),
            [("body_html", "en_US", 5), ("body_html", "es_ES", 5),
             ("subject", "en_US", 5), ("subject", "es_ES", 5)],
        )  # fmt: skip
        for number, lead in enumerate(leads):
            self.assertEqual(self.mails(lead)["azure@example.com"].subject, f"Welcome: L{number}")

    def test_of_another_kind_of_record_is_refused(self):
        self.template.model_id = self.env["ir.model"]._get("project.task")
        with self.assertRaises(ValidationError):
            self.make_rule(**self.values)

    def test_none_chosen_is_refused(self):
        with self.assertRaises(ValidationError):
            self.make_rule(content="template")

    def test_of_a_deleted_record_is_refused(self):
        with self.assertRaises(ValidationError):
            self.make_rule(
                trigger="deleted", model_id=self.env["ir.model"]._get_id("crm.lead"), **self.values
            )

    def test_of_a_meeting_that_is_deleted(self):
        """A cancelled meeting may be archived or deleted: of the latter there is
        nothing left to fill in, and the ready-made text is told."""
        self.template.model_id = self.env["ir.model"]._get("calendar.event")
        self.template.body_html = "<p><t t-out='object.name'/></p>"
        rule = self.make_rule(
            trigger="meeting_cancelled", notify_emails="boss@example.com", **self.values
        )
        meeting = self.env["calendar.event"].create(
            {"name": "Tasting", "start": "2099-01-01 10:00:00", "stop": "2099-01-01 11:00:00"}
        )
        meeting.unlink()
        self.drain()
        firing = self.Firing.search([("rule_id", "=", rule.id)])
        self.assertEqual(firing.state, "done", firing.reason)
        by_email = {d.email: d.mail_id for d in firing.delivery_ids}
        self.assertEqual(by_email["boss@example.com"].subject, "Meeting cancelled: Tasting")

    def test_that_fails_for_one_record(self):
        self.seller.lang = "en_US"
        self.template.body_html = "<p><t t-out='10 / object.expected_revenue'/></p>"
        self.make_rule(**self.values)
        bad = self.make_lead(name="Bad", expected_revenue=0)
        good = self.make_lead(name="Good", expected_revenue=5)
        with mute_logger(*RENDER_LOGS):
            self.converted(bad, good)
        self.assertEqual(self.firings(good).state, "done")
        firing = self.firings(bad)
        self.assertEqual((firing.state, firing.tries), ("pending", 1))
        self.assertIn("The e-mail template “Welcome” could not be filled in", firing.reason)
        self.assertFalse(firing.delivery_ids)
        with mute_logger(*RENDER_LOGS):
            for _try in range(5):
                firing.run_at = firing.due_at
                self.drain()
        self.assertEqual(firing.state, "failed")
        self.assertIn("could not be filled in", firing.reason)

    def test_its_own_files_are_attached(self):
        self.template.attachment_ids = [(0, 0, {"name": "terms.txt", "raw": b"x"})]
        self.make_rule(**self.values)
        lead = self.make_lead()
        self.converted(lead)
        mail = self.mails(lead)["seller@example.com"]
        self.assertEqual(mail.attachment_ids.mapped("name"), ["terms.txt"])

    def test_a_line_break_in_its_subject_starts_no_header(self):
        self.make_rule(**self.values)
        lead = self.make_lead(name="Corks\r\nBcc: x@example.com")
        self.converted(lead)
        self.assertNotIn("\n", self.mails(lead)["seller@example.com"].subject)


@tagged("post_install", "-at_install")
class TestOwnText(TextCase):
    def one(self, lead=None, **values):
        lead = lead or self.make_lead(partner_id=self.customer.id)
        values = {"content": "own", "subject": "S", "body": "<p>B</p>", **values}
        self.make_rule(**values)
        self.converted(lead)
        return self.mails(lead)["seller@example.com"]

    def test_all_nine_keywords(self):
        self.seller.phone = "+34 600 000 000"
        with self.at(NOW):
            lead = self.make_lead(partner_id=self.customer.id, description="<p>Red wine</p>")
            self.env.flush_all()
        expected = {
            "object_id": str(lead.id),
            "object_subject": "Corks",
            "object_description": "Red wine",
            "object_date": "15/06/2027 12:00:00 (Europe/Madrid)",
            "partner": "Azure &amp; Sons",
            "partner_email": "azure@example.com",
            "object_user": "Sergio Seller",
            "object_user_email": "seller@example.com",
            "object_user_phone": "+34 600 000 000",
        }
        body = "".join(f"<p>{word}=%({word})s;</p>" for word in expected)
        mail = self.one(lead, body=body)
        for word, value in expected.items():
            self.assertIn(f"{word}={value};", mail.body_html)

    def test_what_is_missing_is_a_stroke(self):
        lead = self.make_lead(partner_id=False, email_from=False, user_id=self.seller.id)
        self.seller.phone = False
        mail = self.one(lead, body="<p>%(partner)s %(partner_email)s %(object_user_phone)s</p>")
        self.assertIn("<p>/ / /</p>", mail.body_html)

    def test_a_per_cent_sign_is_text(self):
        self.assertEqual(self.one(subject="50 % off for %(partner)s").subject,
                         "50 % off for Azure & Sons")  # fmt: skip

    def test_in_the_language_of_each(self):
        lead = self.make_lead(partner_id=self.customer.id)
        rule = self.make_rule(
            content="own", subject="News", body="<p>Hello</p>", notify_customer=True
        )
        # As the dialog of translations does it.
        rule.update_field_translations("subject", {"es_ES": "Noticias"})
        rule.update_field_translations("body", {"es_ES": {"Hello": "Hola"}})
        self.converted(lead)
        mails = self.mails(lead)
        self.assertEqual(mails["seller@example.com"].subject, "Noticias")
        self.assertIn("Hola", mails["seller@example.com"].body_html)
        self.assertEqual(mails["azure@example.com"].subject, "News")
        self.assertIn("Hello", mails["azure@example.com"].body_html)

    def test_with_the_last_message_received(self):
        lead = self.make_lead(partner_id=self.customer.id, description="<p>Old</p>")
        lead.message_post(
            body="Where are my corks?", author_id=self.customer.id, message_type="email",
            subtype_xmlid="mail.mt_comment",
        )  # fmt: skip
        lead.message_post(
            body="He is a nuisance", author_id=self.seller.partner_id.id, message_type="comment",
            subtype_xmlid="mail.mt_note",
        )  # fmt: skip
        body = self.one(lead, with_last_message=True).body_html
        self.assertIn("Where are my corks?", body)
        self.assertNotIn("nuisance", body)
        self.assertNotIn("Old", body)

    def test_with_the_description_where_no_message_has_come(self):
        lead = self.make_lead(description="<p>Needs corks</p>")
        self.assertIn("Needs corks", self.one(lead, with_last_message=True).body_html)

    def test_a_customer_does_not_get_the_description(self):
        """The notes on a lead are the team's own; what he wrote himself he knows."""
        lead = self.make_lead(partner_id=self.customer.id, description="<p>A nuisance</p>")
        self.one(lead, with_last_message=True, notify_customer=True)
        mails = self.mails(lead)
        self.assertIn("A nuisance", mails["seller@example.com"].body_html)
        self.assertNotIn("A nuisance", mails["azure@example.com"].body_html)

    def test_markup_in_a_message_is_text(self):
        lead = self.make_lead(partner_id=self.customer.id, description="&lt;img src=x&gt;")
        self.assertNotIn("<img", self.one(lead, with_last_message=True).body_html)


@tagged("post_install", "-at_install")
class TestChannels(TextCase):
    def test_inbox(self):
        self.make_rule(channel="inbox", notify_customer=True)
        lead = self.make_lead(partner_id=self.customer.id)
        self.converted(lead)
        deliveries = {d.role: d for d in self.firings(lead).delivery_ids}
        self.assertEqual(deliveries["responsible"].state, "sent")
        self.assertFalse(deliveries["responsible"].mail_id)
        self.assertEqual(deliveries["customer"].mail_id.state, "outgoing")
        found = self.env["mail.notification"].search(
            [("res_partner_id", "=", self.seller.partner_id.id), ("mail_message_id", "in",
             lead.message_ids.ids), ("notification_type", "=", "inbox")]
        )  # fmt: skip
        self.assertEqual(len(found), 1)
        self.assertFalse(found.is_read)
        message = found.mail_message_id.with_user(self.seller)
        self.assertEqual(message.subject, "Nueva oportunidad: Corks")
        self.assertTrue(message.needaction)
        self.assertEqual(self.firings(lead).state, "done")

    def test_inbox_about_a_record_that_is_deleted(self):
        self.make_rule(
            trigger="deleted", channel="inbox", model_id=self.env["ir.model"]._get_id("crm.lead")
        )
        lead = self.make_lead()
        firings = [("res_id", "=", lead.id), ("res_model", "=", "crm.lead")]
        lead.unlink()
        self.drain()
        firing = self.Firing.search(firings)
        self.assertEqual((firing.state, firing.delivery_ids.state), ("done", "sent"))

    def test_activity(self):
        self.make_rule(channel="activity", notify_customer=True)
        lead = self.make_lead(partner_id=self.customer.id)
        before = self.env["mail.message"].search([], order="id desc", limit=1).id
        self.converted(lead)
        self.assertEqual(lead.activity_ids.user_id, self.seller)
        self.assertEqual(lead.activity_ids.summary, "Nueva oportunidad: Corks")
        deliveries = {d.role: d for d in self.firings(lead).delivery_ids}
        self.assertEqual(deliveries["responsible"].state, "sent")
        self.assertFalse(deliveries["responsible"].mail_id)
        self.assertEqual(deliveries["customer"].mail_id.state, "outgoing")
        # Instead of a mail, not beside one: Odoo mails whoever gets a to-do.
        since = self.env["mail.message"].search([("id", ">", before)])
        self.assertNotIn(self.seller.partner_id, since.notified_partner_ids)

    def test_a_record_without_a_chatter(self):
        tag = self.env["crm.tag"].create({"name": "Gold"})
        for channel in ("email", "inbox", "activity"):
            with self.subTest(channel):
                rule = self.make_rule(
                    trigger="called", channel=channel, notify_responsible=False,
                    model_id=self.env["ir.model"]._get_id("crm.tag"), notify_customer=True,
                    notify_customer_path="create_uid", notify_emails="boss@example.com",
                )  # fmt: skip
                tag._automation_call(rule)
                self.drain()
                firing = self.Firing.search([("rule_id", "=", rule.id)])
                self.assertEqual(firing.state, "done", firing.reason)
                self.assertIn("boss@example.com", firing.delivery_ids.mapped("email"))

    def test_no_to_do_for_somebody_who_may_not_open_the_record(self):
        self.make_rule(channel="activity", notify_leader=True, notify_responsible=False)
        team = self.env["crm.team"].create(
            {"name": "T", "user_id": self.other_seller.id, "member_ids": [(6, 0, self.seller.ids)]}
        )
        lead = self.make_lead(team_id=team.id)
        self.assertFalse(lead.with_user(self.other_seller).has_access("read"))
        self.converted(lead)
        self.assertFalse(lead.activity_ids)
        self.assertEqual(self.mails(lead)["other@example.com"].state, "outgoing")


@tagged("post_install", "-at_install")
class TestFiles(WireCase):
    def make_file(self, lead, name, user=None, **values):
        return self.env["ir.attachment"].with_user(user or self.env.user).create(
            {"name": name, "raw": b"Corks", "res_model": "crm.lead", "res_id": lead.id, **values}
        )  # fmt: skip

    def received(self):
        self.drain()
        self.send_queue()
        return {
            to[0]: {
                part.get_filename(): part.get_payload(decode=True)
                for part in message.iter_attachments()
            }
            for to, message in self.inbox.received
        }

    def test_the_files_of_the_record(self):
        self.make_rule(with_attachments=True, notify_customer=True)
        lead = self.make_lead(partner_id=self.customer.id)
        self.make_file(lead, "offer.txt")
        self.make_file(lead, "año.txt")
        self.make_file(self.make_lead(), "other.txt")
        lead.type = "opportunity"
        files = {"offer.txt": b"Corks", "año.txt": b"Corks"}
        self.assertEqual(self.received(), {"seller@example.com": files, "azure@example.com": files})

    def test_none_without_the_tick(self):
        self.make_rule()
        lead = self.make_lead()
        self.make_file(lead, "offer.txt")
        lead.type = "opportunity"
        self.assertEqual(self.received(), {"seller@example.com": {}})

    def test_too_many_are_left_out_and_it_is_said(self):
        self.make_rule(with_attachments=True)
        big = self.make_lead(name="Big")
        small = self.make_lead(name="Small", user_id=self.manager.id)
        self.make_file(big, "big.txt", raw=b"x" * 60)
        self.make_file(big, "big2.txt", raw=b"x" * 60)
        self.make_file(small, "small.txt")
        (big + small).write({"type": "opportunity"})
        with patch(f"{QUEUE}.MAX_ATTACHED", 100):
            received = self.received()
        self.assertEqual(received["seller@example.com"], {})
        self.assertEqual(received["manager@example.com"], {"small.txt": b"Corks"})
        firing = self.firings(big)
        self.assertEqual(firing.state, "done")
        self.assertIn("Sent without the attachments", firing.reason)
        self.assertFalse(self.firings(small).reason)

    def test_the_limit_is_ten_megabytes(self):
        self.make_rule(with_attachments=True)
        lead = self.make_lead()
        self.make_file(lead, "big.bin", raw=b"x" * (10 * 2**20 + 1))
        lead.type = "opportunity"
        self.drain()
        self.assertFalse(self.firings(lead).delivery_ids.mail_id.attachment_ids)


class Happening:
    """Lets each trigger happen once. A method for each, named after it."""

    #: What no stranger to the house may read.
    SECRETS = ("98,765", "98765", "Far too rude", "In-house rule", "Secret team", "In-house note",
               "Expected Revenue", "Lost Reason", "Sales Team")  # fmt: skip

    def setUp(self):
        super().setUp()
        team = self.env["crm.team"].create({"name": "Secret team", "user_id": self.manager.id})
        self.lead_values = {
            "partner_id": self.customer.id, "expected_revenue": 98765, "team_id": team.id,
            "description": "<p>In-house note</p>",
        }  # fmt: skip
        self.project = self.env["project.project"].create(
            {"name": "Vintage", "partner_id": self.customer.id}
        )

    def opportunity(self, **values):
        return self.make_lead(type="opportunity", **self.lead_values, **values)

    def meeting(self, **values):
        return self.env["calendar.event"].with_context(no_mail_to_attendees=True).create(
            {
                "name": "Corks", "start": NOW + DAY, "stop": NOW + DAY + HOUR,
                "user_id": self.seller.id, "description": "<p>In-house note</p>",
                "partner_ids": [(6, 0, (self.seller.partner_id + self.customer).ids)], **values,
            }
        )  # fmt: skip

    def happen_lead_converted(self):
        lead = self.make_lead(**self.lead_values)
        lead.type = "opportunity"

    def happen_opportunities_merged(self):
        (self.opportunity() + self.opportunity()).merge_opportunity()

    def happen_won(self):
        self.opportunity().action_set_won()

    def happen_lost(self):
        reason = self.env["crm.lost.reason"].create({"name": "Far too rude"})
        self.opportunity().action_set_lost(lost_reason_id=reason.id)

    def happen_task_created(self):
        self.env["project.task"].create(
            {"name": "Corks", "project_id": self.project.id, "user_ids": [(6, 0, self.seller.ids)]}
        )

    def happen_meeting_booked(self):
        self.meeting()

    def happen_meeting_moved(self):
        meeting = self.meeting()
        self.end_transaction()
        meeting.write({"start": NOW + 2 * DAY, "stop": NOW + 2 * DAY + HOUR})

    def happen_meeting_cancelled(self):
        meeting = self.meeting()
        self.end_transaction()
        meeting.active = False

    def happen_invitation_answered(self):
        meeting = self.meeting()
        self.end_transaction()
        meeting.attendee_ids.filtered(lambda a: a.partner_id == self.customer).do_accept()

    def happen_stage_entered(self):
        lead = self.opportunity()
        lead.stage_id = self.env["crm.stage"].search([("id", "!=", lead.stage_id.id)], limit=1)

    def happen_state_reached(self):
        lead = self.opportunity()
        lead.action_set_won()

    def happen_moment(self):
        self.opportunity()
        self.end_transaction()
        with self.no_commit():
            self.Rule._enqueue_moments()

    def happen_created(self):
        self.opportunity()

    def happen_updated(self):
        lead = self.opportunity()
        lead.write({"expected_revenue": 98765.5, "description": "<p>In-house note, new</p>"})

    def happen_saved(self):
        self.opportunity()

    def happen_deleted(self):
        self.opportunity().unlink()

    def happen_called(self):
        rule = self.Rule.search([("enabled", "=", True)])
        self.opportunity()._automation_call(rule)

    def happened(self, trigger, **values):
        """Deliveries of a rule with the ready-made text, after what it waits for."""
        with self.at(NOW):
            values = {"date_type": "create", "name": "In-house rule", **values}
            if trigger not in TRIGGER_MODELS:
                values["model_id"] = self.env["ir.model"]._get_id("crm.lead")
            rule = self.make_rule(trigger=trigger, **values)
            getattr(self, f"happen_{trigger}")()
            self.drain()
            # Some happen to the record before as well: it enters its first stage.
            firing = self.Firing.search([("rule_id", "=", rule.id)], order="id desc", limit=1)
            rule.with_user(self.manager).action_disable()
            self.end_transaction()
        self.assertEqual(firing.state, "done", firing.reason)
        return firing.delivery_ids

    def triggers(self):
        return [value for value, _label in self.Rule._fields["trigger"].selection]


@tagged("post_install", "-at_install")
class TestReadyMadeText(Happening, AutomationCase):
    def test_of_every_trigger_in_both_languages(self):
        for trigger in self.triggers():
            with self.subTest(trigger):
                deliveries = self.happened(trigger, notify_emails="boss@example.com")
                mails = {d.email: d.mail_id for d in deliveries}
                self.assertEqual(set(mails), {"seller@example.com", "boss@example.com"})
                for mail in mails.values():
                    self.assertIn("Corks", mail.subject)
                    self.assertIn("Corks", mail.body_html)
                    self.assertNotIn("%(", mail.subject + mail.body_html)
                spanish, english = mails["seller@example.com"], mails["boss@example.com"]
                self.assertIn("Enviado por la acción automatizada:", spanish.body_html)
                self.assertNotIn("Enviado", english.body_html)
                # The first sentence is another one; where a stage is the subject, that is.
                sentences = [re.search(r"<p[^>]*>(.+?)</p>", mail.body_html)[1]
                             for mail in (spanish, english)]  # fmt: skip
                self.assertNotEqual(*sentences)
                for word in ("False", "None", "crm.lead", "calendar.event"):
                    self.assertNotIn(word, english.subject)

    def test_a_customer_reads_nothing_internal(self):
        for trigger in self.triggers():
            with self.subTest(trigger):
                deliveries = self.happened(trigger, notify_responsible=False, notify_customer=True)
                mail = deliveries.mail_id
                self.assertEqual(deliveries.email, "azure@example.com")
                for secret in self.SECRETS:
                    self.assertNotIn(secret, f"{mail.subject} {mail.body_html}")
                self.assertNotIn("/mail/view", mail.body_html)

    def test_the_team_reads_what_was_changed(self):
        [delivery] = self.happened("updated")
        self.assertIn("98.765,50", delivery.mail_id.body_html)

    def test_the_leader_reads_why_it_was_lost(self):
        [delivery] = self.happened("lost", notify_responsible=False, notify_leader=True)
        self.assertIn("Far too rude", delivery.mail_id.body_html)

"""Who is told: every tick, each address once, and each one left out with the reason."""

from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged

from .common import AutomationCase


class RecipientCase(AutomationCase):
    def told(self, record, trigger="called", **values):
        """Deliveries of a rule that is called for the record."""
        values = {"notify_responsible": False, **values}
        rule = self.make_rule(
            trigger=trigger, model_id=self.env["ir.model"]._get_id(record._name), **values
        )
        record._automation_call(rule)
        self.drain()
        firing = self.Firing.search([("rule_id", "=", rule.id)])
        self.assertIn(firing.state, ("done", "skipped"), firing.reason)
        return firing.delivery_ids

    def assertTold(self, deliveries, role, *addresses):
        self.assertEqual(
            sorted((d.role, d.email, d.state) for d in deliveries),
            sorted((role, address, "queued") for address in addresses),
        )

    def assertLeftOut(self, deliveries, sentence):
        self.assertEqual((deliveries.state, deliveries.reason), ("skipped", sentence))
        self.assertFalse(deliveries.mail_id)


@tagged("post_install", "-at_install")
class TestTicks(RecipientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team = cls.env["crm.team"].create(
            {
                "name": "Duero",
                "user_id": cls.other_seller.id,
                "technical_user_id": cls.manager.id,
            }
        )

    def test_responsible(self):
        deliveries = self.told(self.make_lead(), notify_responsible=True)
        self.assertTold(deliveries, "responsible", "seller@example.com")

    def test_team_leader(self):
        lead = self.make_lead(team_id=self.team.id)
        self.assertTold(self.told(lead, notify_leader=True), "leader", "other@example.com")

    def test_technical_responsible_of_the_team(self):
        lead = self.make_lead(team_id=self.team.id)
        deliveries = self.told(lead, notify_technical=True)
        self.assertTold(deliveries, "technical", "manager@example.com")

    def test_technical_responsible_of_a_task_is_the_project_manager(self):
        project = self.env["project.project"].create({"name": "P", "user_id": self.manager.id})
        task = self.env["project.task"].create({"name": "T", "project_id": project.id})
        deliveries = self.told(task, notify_technical=True)
        self.assertTold(deliveries, "technical", "manager@example.com")

    def test_approver_or_manager(self):
        lead = self.make_lead(team_id=self.team.id)
        self.assertTold(self.told(lead, notify_approver=True), "approver", "other@example.com")
        project = self.env["project.project"].create({"name": "P", "user_id": self.manager.id})
        task = self.env["project.task"].create({"name": "T", "project_id": project.id})
        self.assertTold(self.told(task, notify_approver=True), "approver", "manager@example.com")

    def test_customer(self):
        lead = self.make_lead(partner_id=self.customer.id)
        self.assertTold(self.told(lead, notify_customer=True), "customer", "azure@example.com")

    def test_the_record_itself_is_the_customer(self):
        deliveries = self.told(self.customer, notify_customer=True)
        self.assertTold(deliveries, "customer", "azure@example.com")

    def test_customer_by_a_path_to_a_contact(self):
        parent = self.env["res.partner"].create({"name": "Group", "email": "group@example.com"})
        self.customer.parent_id = parent
        lead = self.make_lead(partner_id=self.customer.id)
        deliveries = self.told(
            lead, notify_customer=True, notify_customer_path="partner_id.parent_id"
        )
        self.assertTold(deliveries, "customer", "group@example.com")

    def test_customer_by_a_path_to_a_user(self):
        lead = self.make_lead(team_id=self.team.id)
        deliveries = self.told(lead, notify_customer=True, notify_customer_path="team_id.user_id")
        self.assertTold(deliveries, "customer", "other@example.com")

    def test_customer_by_a_path_to_an_address(self):
        lead = self.make_lead(email_from="Pilar <pilar@example.com>")
        deliveries = self.told(lead, notify_customer=True, notify_customer_path="email_from")
        self.assertTold(deliveries, "customer", "pilar@example.com")

    def test_attendees(self):
        partners = self.seller.partner_id + self.customer
        meeting = self.env["calendar.event"].with_context(no_mail_to_attendees=True).create(
            {
                "name": "Tasting",
                "start": "2099-01-01 10:00:00",
                "stop": "2099-01-01 11:00:00",
                "partner_ids": [(6, 0, partners.ids)],
            }
        )  # fmt: skip
        deliveries = self.told(meeting, notify_attendees=True)
        self.assertTold(deliveries, "attendees", "seller@example.com", "azure@example.com")

    def test_customers_of_a_meeting_are_the_invited_from_outside(self):
        partners = self.seller.partner_id + self.customer
        meeting = self.env["calendar.event"].with_context(no_mail_to_attendees=True).create(
            {
                "name": "Tasting",
                "start": "2099-01-01 10:00:00",
                "stop": "2099-01-01 11:00:00",
                "user_id": self.seller.id,
                "partner_ids": [(6, 0, partners.ids)],
            }
        )  # fmt: skip
        deliveries = self.told(meeting, notify_customer=True)
        self.assertTold(deliveries, "customer", "azure@example.com")

    def test_customers_of_a_meeting_are_asked_for_by_conditions(self):
        partners = self.seller.partner_id + self.customer
        rule = self.make_rule(
            trigger="meeting_booked", customer_ids=[(6, 0, self.customer.ids)],
            customer_category_ids=[(0, 0, {"name": "Gold"})],
        )  # fmt: skip
        self.customer.category_id = rule.customer_category_ids
        values = {"name": "T", "start": "2099-01-01 10:00:00", "stop": "2099-01-01 11:00:00"}
        Event = self.env["calendar.event"].with_context(no_mail_to_attendees=True)
        mine = Event.create({**values, "partner_ids": [(6, 0, partners.ids)]})
        other = Event.create({**values, "partner_ids": [(6, 0, self.seller.partner_id.ids)]})
        self.end_transaction()
        self.assertTrue(self.firings(mine))
        self.assertFalse(self.firings(other))

    def test_followers(self):
        lead = self.make_lead()
        lead.message_unsubscribe(lead.message_partner_ids.ids)
        lead.message_subscribe((self.customer + self.other_seller.partner_id).ids)
        deliveries = self.told(lead, notify_followers=True)
        self.assertTold(deliveries, "followers", "azure@example.com", "other@example.com")

    def test_watchers_of_the_record(self):
        lead = self.make_lead(email_cc="Boss <boss@example.com>, bank@example.com")
        deliveries = self.told(lead, notify_watchers=True)
        self.assertTold(deliveries, "watchers", "boss@example.com", "bank@example.com")

    def test_watchers_of_the_rule_are_remembered(self):
        lead = self.make_lead(email_cc="Boss <boss@example.com>")
        deliveries = self.told(
            lead, notify_watchers=True, watcher_emails="BOSS@example.com, bank@example.com"
        )
        self.assertTold(deliveries, "watchers", "boss@example.com", "bank@example.com")
        self.assertEqual(lead.email_cc, "Boss <boss@example.com>, bank@example.com")

    def test_watchers_are_remembered_also_where_nobody_is_told(self):
        lead = self.make_lead()
        rule = self.make_rule(
            trigger="called", model_id=self.env["ir.model"]._get_id("crm.lead"),
            notify_responsible=True, watcher_emails="bank@example.com",
        )  # fmt: skip
        lead._automation_call(rule)
        self.drain()
        self.assertEqual(lead.email_cc, "bank@example.com")
        self.assertEqual(self.firings(lead).delivery_ids.email, "seller@example.com")

    def test_remembering_watchers_does_not_fire_the_rule_again(self):
        lead = self.make_lead()
        self.make_rule(
            trigger="updated", model_id=self.env["ir.model"]._get_id("crm.lead"),
            watcher_emails="bank@example.com",
        )  # fmt: skip
        lead.name = "More corks"
        self.drain()
        self.drain()
        self.assertEqual(lead.email_cc, "bank@example.com")
        self.assertEqual(self.firings(lead).mapped("state"), ["done"])

    def test_extra_addresses(self):
        deliveries = self.told(
            self.make_lead(), notify_emails="Boss <boss@example.com>, bank@example.com"
        )
        self.assertTold(deliveries, "extra", "boss@example.com", "bank@example.com")

    def test_all_of_them_once(self):
        """Several roles in one person: one mail, in the first of the roles."""
        self.team.user_id = self.seller
        lead = self.make_lead(
            team_id=self.team.id, partner_id=self.customer.id, email_cc="AZURE@example.com"
        )
        lead.message_subscribe((self.customer + self.seller.partner_id).ids)
        deliveries = self.told(
            lead, notify_responsible=True, notify_leader=True, notify_customer=True,
            notify_followers=True, notify_watchers=True, notify_emails="seller@example.com",
        )  # fmt: skip
        self.assertEqual(
            [(d.role, d.email) for d in deliveries.filtered("mail_id")],
            [("responsible", "seller@example.com"), ("customer", "azure@example.com")],
        )

    def test_nobody_in_a_role_is_said(self):
        lead = self.make_lead(user_id=False, team_id=False, email_from=False)
        lead.message_unsubscribe(lead.message_partner_ids.ids)
        roles = {
            "responsible": "The record has no responsible.",
            "leader": "The record has no team with a leader.",
            "technical": "The record has no technical responsible.",
            "approver": "The record has nobody to approve it, and no manager.",
            "customer": "The record has no customer.",
            "attendees": "The record has no attendees.",
            "followers": "The record has no followers.",
            "watchers": "The record has no watchers.",
        }
        deliveries = self.told(lead, **{f"notify_{role}": True for role in roles})
        self.assertEqual({d.role: d.reason for d in deliveries}, roles)
        self.assertEqual(set(deliveries.mapped("state")), {"skipped"})
        self.assertEqual(self.firings(lead).state, "skipped")


@tagged("post_install", "-at_install")
class TestLeftOut(RecipientCase):
    def test_no_address(self):
        self.customer.email = False
        lead = self.make_lead(partner_id=self.customer.id, email_from=False)
        self.assertLeftOut(
            self.told(lead, notify_customer=True), "Azure & Sons has no valid e-mail address."
        )

    def test_archived_contact(self):
        lead = self.make_lead(partner_id=self.customer.id)
        self.customer.active = False
        self.assertLeftOut(self.told(lead, notify_customer=True), "Azure & Sons is archived.")

    def test_archived_user(self):
        lead = self.make_lead()
        self.seller.active = False
        self.assertLeftOut(
            self.told(lead, notify_responsible=True), "The user Sergio Seller is archived."
        )

    def test_blacklisted(self):
        self.env["mail.blacklist"]._add("azure@example.com")
        lead = self.make_lead(partner_id=self.customer.id)
        self.assertLeftOut(
            self.told(lead, notify_customer=True),
            "azure@example.com wants no mail (blacklist).",
        )

    def test_the_blacklist_is_not_for_the_team(self):
        self.env["mail.blacklist"]._add("seller@example.com")
        deliveries = self.told(self.make_lead(), notify_responsible=True)
        self.assertTold(deliveries, "responsible", "seller@example.com")

    def test_whoever_did_it(self):
        lead = self.make_lead()
        rule = self.make_rule(skip_actor=True, notify_emails="boss@example.com")
        lead.with_user(self.seller).type = "opportunity"
        self.drain()
        firing = self.Firing.search([("rule_id", "=", rule.id)])
        states = {d.email: (d.state, d.reason) for d in firing.delivery_ids}
        self.assertEqual(
            states,
            {
                "seller@example.com": ("skipped", "Sergio Seller has done it."),
                "boss@example.com": ("queued", False),
            },
        )

    def test_whoever_did_not_do_it(self):
        lead = self.make_lead()
        rule = self.make_rule(skip_actor=True)
        lead.with_user(self.manager).type = "opportunity"
        self.drain()
        firing = self.Firing.search([("rule_id", "=", rule.id)])
        self.assertTold(firing.delivery_ids, "responsible", "seller@example.com")

    def test_left_out_in_one_role_and_told_in_another(self):
        """Declined as an attendee, but the meeting is of interest to its organiser."""
        meeting = self.env["calendar.event"].with_context(no_mail_to_attendees=True).create(
            {
                "name": "Tasting",
                "start": "2099-01-01 10:00:00",
                "stop": "2099-01-01 11:00:00",
                "user_id": self.seller.id,
                "partner_ids": [(6, 0, self.seller.partner_id.ids)],
            }
        )  # fmt: skip
        meeting.attendee_ids.state = "declined"
        deliveries = self.told(meeting, notify_attendees=True, notify_responsible=True)
        self.assertTold(deliveries, "responsible", "seller@example.com")

    def test_one_left_out_does_not_hold_up_the_others(self):
        self.customer.email = False
        lead = self.make_lead(partner_id=self.customer.id, email_from=False)
        deliveries = self.told(lead, notify_customer=True, notify_responsible=True)
        self.assertEqual(
            {d.role: d.state for d in deliveries},
            {"customer": "skipped", "responsible": "queued"},
        )
        self.assertEqual(self.firings(lead).state, "done")


@tagged("post_install", "-at_install")
class TestLanguageAndZone(RecipientCase):
    def mails(self, record, **values):
        return {d.email: d.mail_id for d in self.told(record, **values)}

    def test_each_in_his_language_and_zone(self):
        self.env.company.partner_id.tz = "Atlantic/Canary"
        self.customer.tz = "America/New_York"
        meeting = self.env["calendar.event"].with_context(no_mail_to_attendees=True).create(
            {
                "name": "Tasting",
                "start": "2099-01-01 10:00:00",
                "stop": "2099-01-01 11:00:00",
                "user_id": self.seller.id,
                "partner_ids": [(6, 0, (self.seller.partner_id + self.customer).ids)],
            }
        )  # fmt: skip
        mails = self.mails(meeting, notify_attendees=True, notify_emails="boss@example.com")
        spanish = mails["seller@example.com"].body_html
        self.assertIn("01/01/2099 11:00:00 (Europe/Madrid)", spanish)
        self.assertIn("Abrir en Odoo", spanish)
        english = mails["azure@example.com"].body_html
        self.assertIn("01/01/2099 05:00:00 AM (America/New_York)", english)
        # A bare address is told in the language and the zone of the company.
        bare = mails["boss@example.com"].body_html
        self.assertIn("01/01/2099 10:00:00 AM (Atlantic/Canary)", bare)

    def test_without_any_zone_it_is_utc_and_says_so(self):
        self.env.company.partner_id.tz = False
        meeting = self.env["calendar.event"].create(
            {"name": "T", "start": "2099-01-01 10:00:00", "stop": "2099-01-01 11:00:00"}
        )
        mails = self.mails(meeting, notify_emails="boss@example.com")
        self.assertIn("10:00:00 AM (UTC)", mails["boss@example.com"].body_html)

    def test_a_language_that_is_not_installed_any_more(self):
        self.env.cr.execute(
            "UPDATE res_partner SET lang = 'fr_FR' WHERE id = %s", [self.customer.id]
        )
        self.customer.invalidate_recordset()
        lead = self.make_lead(partner_id=self.customer.id)
        mails = self.mails(lead, notify_customer=True)
        self.assertIn("About", mails["azure@example.com"].subject)

    def test_only_whoever_may_open_it_gets_the_button(self):
        lead = self.make_lead(partner_id=self.portal.partner_id.id)
        self.portal.partner_id.email = "portal@example.com"
        mails = self.mails(lead, notify_responsible=True, notify_customer=True)
        self.assertIn("/mail/view", mails["seller@example.com"].body_html)
        self.assertNotIn("/mail/view", mails["portal@example.com"].body_html)


@tagged("post_install", "-at_install")
class TestCustomerPath(RecipientCase):
    def make_path_rule(self, path, user=None, model="crm.lead"):
        return self.make_rule(
            user=user, trigger="called", model_id=self.env["ir.model"]._get_id(model),
            notify_responsible=False, notify_customer=True, notify_customer_path=path,
        )  # fmt: skip

    def test_good_paths(self):
        for path in ("partner_id", "partner_id.parent_id", "team_id.user_id", "email_from"):
            with self.subTest(path):
                self.assertTrue(self.make_path_rule(path))

    def test_bad_paths_are_refused(self):
        for path in ("nonsense", "partner_id.nonsense", "stage_id", "expected_revenue",
                     "email_from.x", "partner_id.", ".", "partner_id..parent_id"):  # fmt: skip
            with self.subTest(path), self.assertRaises(ValidationError) as caught:
                self.make_path_rule(path)
            self.assertIn("does not lead", str(caught.exception))

    def test_a_field_that_the_writer_may_not_read(self):
        field = type(self.customer)._fields["ref"]
        self.patch(field, "groups", "base.group_system")
        with self.assertRaises(ValidationError):
            self.make_path_rule("partner_id.ref")
        self.patch(field, "groups", None)
        self.assertTrue(self.make_path_rule("partner_id.ref"))

    def test_a_model_that_the_writer_may_not_read(self):
        self.env["ir.model.access"].search([("model_id.model", "=", "crm.team")]).active = False
        self.env.registry.clear_cache()
        with self.assertRaises(ValidationError):
            self.make_path_rule("team_id.user_id")

    def test_a_path_that_has_vanished_since_tells_nobody(self):
        rule = self.make_path_rule("partner_id")
        self.env.cr.execute(
            "UPDATE crm_automation_rule SET notify_customer_path = 'x_gone' WHERE id = %s",
            [rule.id],
        )
        rule.invalidate_recordset()
        lead = self.make_lead(partner_id=self.customer.id)
        lead._automation_call(rule)
        self.drain()
        self.assertEqual(self.firings(lead).delivery_ids.reason, "The record has no customer.")


@tagged("post_install", "-at_install")
class TestSender(RecipientCase):
    def mail(self, **values):
        lead = self.make_lead(partner_id=self.customer.id)
        return self.told(lead, notify_customer=True, **values).mail_id

    def test_the_company(self):
        self.assertIn("office@example.com", self.mail().email_from)

    def test_the_responsible(self):
        mail = self.mail(sender="responsible")
        self.assertEqual(mail.email_from, '"Sergio Seller" <seller@example.com>')

    def test_a_responsible_without_address_leaves_it_to_the_company(self):
        self.seller.email = False
        self.assertIn("office@example.com", self.mail(sender="responsible").email_from)

    def test_another_address(self):
        mail = self.mail(sender="other", sender_email="Sales <sales@example.com>")
        self.assertEqual(mail.email_from, "Sales <sales@example.com>")

    def test_another_address_is_checked(self):
        with self.assertRaises(ValidationError):
            self.mail(sender="other", sender_email="nonsense")

    def test_without_any_address_it_is_said(self):
        self.env.company.email = False
        self.manager.email = False
        lead = self.make_lead()
        rule = self.make_rule()
        lead.type = "opportunity"
        self.drain()
        firing = self.Firing.search([("rule_id", "=", rule.id)])
        self.assertEqual((firing.state, firing.tries), ("pending", 1))
        self.assertIn("There is no sender", firing.reason)

    def test_reply_to_of_the_rule(self):
        mail = self.mail(notify_reply_to="answers@example.com")
        self.assertEqual(mail.reply_to, "answers@example.com")

    def test_answers_come_back_to_the_record(self):
        domain = self.env["mail.alias.domain"].create(
            {"name": "duero.example.com", "catchall_alias": "catchall"}
        )
        self.env.company.alias_domain_id = domain
        self.assertIn("@duero.example.com", self.mail().reply_to)

    def test_without_incoming_mail_a_customer_answers_his_salesperson(self):
        self.env.company.alias_domain_id = False
        self.assertIn("seller@example.com", self.mail().reply_to)

    def test_a_record_in_another_company_speaks_in_its_name(self):
        other = self.env["res.company"].create({"name": "Ebro", "email": "ebro@example.com"})
        self.manager.company_ids += other
        user = new_test_user(
            self.env, "ebro", "sales_team.group_sale_salesman", email="e@example.com",
            company_id=other.id, company_ids=[(6, 0, other.ids)],
        )  # fmt: skip
        lead = self.make_lead(company_id=other.id, user_id=user.id, team_id=False)
        mail = self.told(lead, notify_responsible=True).mail_id
        self.assertIn("ebro@example.com", mail.email_from)
        self.assertIn("Ebro", mail.body_html)

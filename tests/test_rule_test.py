"""Trying a rule out: what it says, that it leaves no trace, and who may."""

from datetime import timedelta

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import DAY, HOUR, MINUTE, NOW, AutomationCase
from .test_moment import MomentCase

TRACES = (
    "mail.mail", "mail.message", "mail.notification", "mail.activity", "mail.followers",
    "crm.automation.firing", "crm.automation.delivery", "ir.cron.trigger",
)  # fmt: skip


class RuleTestMixin:
    def report_of(self, rule, record=None, user=None, **values):
        """The wizard after a test, by a sales manager unless a test says otherwise."""
        wizard = self.env["crm.automation.rule.test"].with_user(user or self.manager).create(
            {"rule_id": rule.id, "res_id": record.id if record else False, **values}
        )  # fmt: skip
        wizard.action_test()
        return wizard

    def outcomes(self, wizard):
        return {line.title: line.outcome for line in wizard.condition_ids}

    def past(self, rule, user=None, **values):
        """Record id to the lines about the past."""
        wizard = self.report_of(rule, user=user, mode="past", **values)
        return wizard, wizard.record_ids.grouped("res_id")


@tagged("post_install", "-at_install")
class TestOneRecord(RuleTestMixin, AutomationCase):
    def test_conditions_one_by_one(self):
        stage = self.env["crm.stage"].create({"name": "Tasting"})
        rule = self.make_rule(
            responsible_ids=[Command.set(self.seller.ids)],
            lead_stage_ids=[Command.set(stage.ids)],
            filter_domain="[('expected_revenue', '>=', 100), ('phone', '!=', False)]",
            name_pattern="Cork",
            history_max=3,
        )
        lead = self.make_lead(type="opportunity", expected_revenue=500, phone=False)
        wizard = self.report_of(rule, lead)
        lines = {line.wanted: line for line in wizard.condition_ids}
        by_title = wizard.condition_ids.grouped("title")
        self.assertEqual(by_title["Responsible"].outcome, "yes")
        self.assertEqual(by_title["Responsible"].value, "Sergio Seller")
        self.assertEqual(by_title["Stage"].outcome, "no")
        self.assertIn("Tasting", by_title["Stage"].wanted)
        self.assertEqual(by_title["Stage"].value, lead.stage_id.name)
        self.assertEqual(by_title["Pattern of the Name"].outcome, "yes")
        self.assertEqual(by_title["Maximum History"].outcome, "yes")
        self.assertEqual(len(by_title["Conditions on Fields"]), 2)
        self.assertEqual(lines["Expected Revenue >= 100"].outcome, "yes")
        phone = next(line for line in wizard.condition_ids if "Phone" in line.wanted)
        self.assertEqual((phone.outcome, phone.value), ("no", "nothing"))
        self.assertIn("2 of its conditions", wizard.verdict)

    def test_all_match(self):
        rule = self.make_rule(responsible_ids=[Command.set(self.seller.ids)])
        wizard = self.report_of(rule, self.make_lead(type="opportunity"))
        self.assertEqual(set(self.outcomes(wizard).values()), {"yes"})
        self.assertIn("All conditions match", wizard.verdict)

    def test_the_pattern_that_is_not_found(self):
        rule = self.make_rule(name_pattern="urgent", history_pattern="refund")
        lead = self.make_lead(type="opportunity")
        lead.message_post(body="Please refund", message_type="comment")
        outcomes = self.outcomes(self.report_of(rule, lead))
        self.assertEqual(outcomes["Pattern of the Name"], "no")
        self.assertEqual(outcomes["Pattern in the History"], "yes")

    def test_what_was_before_is_not_known(self):
        rule = self.make_rule(trigger="won", before_domain="[('expected_revenue', '>', 5)]")
        wizard = self.report_of(rule, self.make_lead(type="opportunity", probability=100))
        line = wizard.condition_ids.filtered(lambda line: "before" in line.title)
        self.assertEqual(line.outcome, "unknown")
        self.assertEqual(line.wanted, "Expected Revenue > 5")

    def test_recipients_with_the_reason_of_who_is_left_out(self):
        rule = self.make_rule(
            notify_leader=True, notify_customer=True, notify_emails="boss@example.com"
        )
        lead = self.make_lead(type="opportunity", team_id=False, partner_id=self.customer.id)
        wizard = self.report_of(rule, lead)
        lines = wizard.recipient_ids.grouped("title")
        self.assertEqual(lines["Responsible"].value, "Sergio Seller <seller@example.com>")
        self.assertEqual(lines["Responsible"].wanted, "By e-mail")
        self.assertEqual(lines["Team leader"].outcome, "no")
        self.assertEqual(lines["Team leader"].wanted, "The record has no team with a leader.")
        self.assertEqual(lines["Extra address"].outcome, "yes")

    def test_each_mail_in_the_language_of_its_recipients(self):
        rule = self.make_rule(notify_customer=True, notify_emails="boss@example.com")
        lead = self.make_lead(type="opportunity", partner_id=self.customer.id)
        wizard = self.report_of(rule, lead)
        self.assertIn("Nueva oportunidad: Corks", wizard.mails)
        self.assertIn("Now an opportunity: Corks", wizard.mails)
        self.assertIn("azure@example.com", wizard.mails)
        self.assertIn("Spanish", wizard.mails)

    def test_the_mail_is_the_one_that_is_sent(self):
        rule = self.make_rule()
        lead = self.make_lead()
        wizard = self.report_of(rule, lead)
        lead.type = "opportunity"
        self.drain()
        mail = self.firings(lead).delivery_ids.mail_id
        self.assertIn(mail.subject, wizard.mails)

    def test_what_the_actions_would_change(self):
        tag = self.env["crm.tag"].create({"name": "Gold"})
        phone = self.env["ir.model.fields"]._get("crm.lead", "phone")
        rule = self.make_rule(
            set_user_id=self.other_seller.id,
            set_priority="2",
            add_tag_ids=[Command.set(tag.ids)],
            value_ids=[Command.create({"field_id": phone.id, "value": "555"})],
            add_follower_ids=[Command.set(self.customer.ids)],
            activity_type_id=self.env.ref("mail.mail_activity_data_call").id,
        )
        lead = self.make_lead(phone="111")
        lines = {
            line.title: (line.value, line.wanted) for line in self.report_of(rule, lead).change_ids
        }
        self.assertEqual(lines["Set Responsible to"], ("Sergio Seller", "Olga Other"))
        self.assertEqual(lines["Phone"], ("111", "555"))
        self.assertEqual(lines["Add Tags"], ("nothing", "Gold"))
        self.assertEqual(lines["Set Priority to"][1], "High")
        self.assertEqual(lines["Schedule an Activity"][1], "Call, for Sergio Seller")
        self.assertIn("Add Followers", lines)

    def test_server_actions_are_named_and_not_run(self):
        rule = self.make_rule()
        rule.sudo().server_action_ids = self.env["ir.actions.server"].create(
            {
                "name": "Rename", "state": "code", "code": "record.write({'name': 'Changed'})",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
            }
        )  # fmt: skip
        lead = self.make_lead()
        wizard = self.report_of(rule, lead)
        self.assertIn("Not run in a test.", wizard.change_ids.mapped("wanted"))
        self.assertEqual(lead.name, "Corks")

    def test_any_model(self):
        partner = self.env["res.partner"].create({"name": "Bottle Ltd", "email": "b@example.com"})
        rule = self.make_rule(
            trigger="created",
            model_id=self.env["ir.model"]._get_id("res.partner"),
            notify_responsible=False,
            notify_customer=True,
            customer_category_ids=[
                Command.create({"name": "Silver"}),
            ],
        )
        wizard = self.report_of(rule, partner)
        self.assertEqual(self.outcomes(wizard), {"Customer Category": "no"})
        self.assertIn("Bottle Ltd", wizard.mails)

    def test_the_button_proposes_a_record_and_shows_it(self):
        lead = self.make_lead(type="opportunity", partner_id=self.customer.id)
        rule = self.make_rule(notify_customer=True)
        action = rule.with_user(self.manager).action_test()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(wizard.res_id, lead.id)
        self.assertTrue(wizard.condition_ids and wizard.mails)

    def test_a_choice_that_changes_empties_the_report(self):
        lead = self.make_lead(type="opportunity")
        wizard = self.report_of(self.make_rule(), lead)
        draft = wizard.new(origin=wizard)
        draft._onchange_choice()
        self.assertFalse(draft.verdict or draft.mails or draft.recipient_ids)

    def test_merge_names_what_is_merged(self):
        lead = self.make_lead(name="Corks", type="opportunity")
        self.make_lead(name="Barrels", type="opportunity", partner_id=self.customer.id)
        rule = self.make_rule(trigger="opportunities_merged")
        mails = self.report_of(rule, lead).mails
        self.assertIn("Corks", mails)
        self.assertIn("Barrels", mails)


@tagged("post_install", "-at_install")
class TestNoTrace(RuleTestMixin, AutomationCase):
    def counts(self):
        self.env.flush_all()
        return {model: self.env[model].sudo().search_count([]) for model in TRACES}

    def row(self, record):
        self.env.flush_all()
        self.env.cr.execute(f"SELECT * FROM {record._table} WHERE id = %s", [record.id])
        return self.env.cr.fetchone()

    def test_a_test_writes_nothing_and_sends_nothing(self):
        """Of everything that a rule does, nothing stays; a template that writes while it
        is filled in is undone as well."""
        template = self.env["mail.template"].create(
            {
                "name": "Writes",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "subject": "{{ object.name }}",
                "body_html": "<p><t t-out=\"object.write({'name': 'Written by a template'})\"/>"
                '<t t-out="object.name"/></p>',
            }
        )
        admin = new_test_user(
            self.env, "template_admin",
            "base.group_system,sales_team.group_sale_manager,mail.group_mail_template_editor",
            email="admin2@example.com",
        )  # fmt: skip
        rule = self.make_rule(
            user=admin, notify_customer=True, notify_followers=True,
            content="template", template_id=template.id, set_priority="3",
            set_user_id=self.other_seller.id,
            add_follower_ids=[Command.set(self.customer.ids)],
            activity_type_id=self.env.ref("mail.mail_activity_data_call").id,
            watcher_emails="watch@example.com",
        )  # fmt: skip
        lead = self.make_lead(type="opportunity", partner_id=self.customer.id)
        lead.message_subscribe(self.seller.partner_id.ids)
        self.end_transaction()
        before, row, rule_row = self.counts(), self.row(lead), self.row(rule)
        wizard = self.report_of(rule, lead, user=admin)
        self.assertIn("Written by a template", wizard.mails)
        self.end_transaction()
        self.assertEqual(self.counts(), before)
        self.assertEqual(self.row(lead), row)
        self.assertEqual(self.row(rule), rule_row)
        self.assertEqual(lead.name, "Corks")
        self.assertNotIn(self.customer, lead.message_partner_ids)

    def test_neither_does_the_look_back(self):
        rule = self.make_rule(trigger="created", model_id=self.env["ir.model"]._get_id("crm.lead"))
        lead = self.make_lead()
        self.drain()
        before, row = self.counts(), self.row(lead)
        for mode in ("past", "now"):
            self.assertTrue(self.report_of(rule, mode=mode).record_ids)
        self.end_transaction()
        self.assertEqual(self.counts(), before)
        self.assertEqual(self.row(lead), row)

    def test_the_rule_keeps_its_owner_and_its_rights(self):
        rule = self.make_rule()
        rule.sudo().write({"as_superuser": True})
        owner = rule.owner_id
        admin = self.env.ref("base.user_admin")
        self.report_of(rule, self.make_lead(), user=admin)
        self.assertEqual((rule.owner_id, rule.sudo().as_superuser), (owner, True))


@tagged("post_install", "-at_install")
class TestRightsOfTest(RuleTestMixin, AutomationCase):
    def test_salesperson_and_portal_cannot_test(self):
        rule, lead = self.make_rule(), self.make_lead()
        for user in (self.seller, self.portal):
            with self.subTest(user.login), self.assertRaises(AccessError):
                rule.with_user(user).action_test()
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.report_of(rule, lead, user=user)

    def test_a_report_is_its_users_own(self):
        second = new_test_user(
            self.env, "second_manager", "base.group_user,sales_team.group_sale_manager"
        )
        wizard = self.report_of(self.make_rule(), self.make_lead())
        self.assertTrue(wizard.recipient_ids)
        for rows in (wizard, wizard.recipient_ids):
            with self.subTest(rows._name), self.assertRaises(AccessError):
                rows.with_user(second).read(["create_date"])

    def test_a_record_that_the_tester_may_not_read(self):
        """The rule's owner may, and even all rights would not help the tester."""
        rule = self.make_rule()
        rule.sudo().as_superuser = True
        company = self.env["res.company"].create({"name": "Elsewhere"})
        lead = self.make_lead(
            name="Hidden", type="opportunity", company_id=company.id, user_id=False, team_id=False
        )
        wizard = self.report_of(rule, lead)
        text = f"{wizard.verdict} {wizard.mails} {wizard.tested_name}"
        self.assertNotIn("seller@example.com", text)
        self.assertFalse(wizard.condition_ids | wizard.recipient_ids)
        _wizard, rows = self.past(
            self.make_rule(trigger="created", model_id=self.env["ir.model"]._get_id("crm.lead"))
        )
        self.assertNotIn(lead.id, rows)

    def test_a_field_that_the_tester_may_not_read(self):
        """An administrator's condition on it tells a sales manager nothing."""
        admin = self.env.ref("base.user_admin")
        admin.email = "admin@example.com"
        rule = self.make_rule(
            user=admin, trigger="created", model_id=self.env["ir.model"]._get_id("res.partner"),
            notify_responsible=False, notify_emails="x@example.com",
            filter_domain="[('signup_type', '=', 'reset')]",
        )  # fmt: skip
        self.customer.sudo().signup_type = "reset"
        line = self.report_of(rule, self.customer).condition_ids
        self.assertEqual(line.outcome, "unknown")

    def test_a_private_meeting_of_others(self):
        meeting = self.env["calendar.event"].with_user(self.seller).create(
            {
                "name": "Doctor", "privacy": "private", "start": NOW, "stop": NOW + HOUR,
                "partner_ids": [Command.set(self.seller.partner_id.ids)],
            }
        )  # fmt: skip
        self.end_transaction()
        rule = self.make_rule(
            trigger="meeting_booked", notify_attendees=True, name_pattern="Doctor"
        )
        wizard = self.report_of(rule, meeting)
        self.assertIn("private", wizard.verdict)
        self.assertFalse(wizard.condition_ids | wizard.recipient_ids)
        self.assertNotIn("Doctor", str(wizard.mails))
        self.assertNotIn("Doctor", str(wizard.tested_name))
        shown = rule.with_user(self.manager)._as_mine()._preview_of(
            meeting.with_user(self.manager)
        )  # fmt: skip
        self.assertNotIn("Doctor", str(shown))
        self.assertNotIn("seller@example.com", str(shown))
        self.assertNotIn(meeting.id, self.past(rule)[1])
        now = self.report_of(rule, mode="now").record_ids
        self.assertNotIn("Doctor", str(now.mapped("record_name")))

    def test_days_are_bounded(self):
        rule = self.make_rule()
        for days in (0, 367):
            with self.subTest(days), self.assertRaises(ValidationError):
                self.report_of(rule, mode="past", days=days)


@tagged("post_install", "-at_install")
class TestPastMoments(RuleTestMixin, MomentCase):
    def test_moments_with_what_was_really_done(self):
        rule = self.make_moment_rule(since=NOW - 3 * DAY)
        done = self.make_meeting(NOW - DAY, booked=NOW - 2 * DAY)
        before = self.make_meeting(NOW - 10 * DAY, booked=NOW - 20 * DAY)
        other = self.make_meeting(NOW - 2 * HOUR, booked=NOW - DAY, name="Archived")
        other.active = False
        ahead = self.make_meeting(NOW + DAY)
        too_old = self.make_meeting(NOW - 40 * DAY, booked=NOW - 41 * DAY)
        self.look(NOW - DAY - 5 * MINUTE)
        with self.at(NOW):
            _wizard, rows = self.past(rule)
        self.assertEqual(rows[done.id].moment, NOW - DAY - 5 * MINUTE)
        self.assertTrue(rows[done.id].matches)
        self.assertIn("Done", rows[done.id].log)
        self.assertEqual(rows[done.id].firing_id, self.firings(done))
        self.assertIn("switched on later", rows[before.id].log)
        self.assertFalse(rows[other.id].matches)
        self.assertFalse(rows[other.id].firing_id)
        self.assertNotIn(ahead.id, rows)
        self.assertNotIn(too_old.id, rows)

    def test_the_moment_of_one_record(self):
        rule = self.make_moment_rule()
        meeting = self.make_meeting(NOW)
        with self.at(NOW - HOUR):
            self.assertIn("the rule acts at", self.report_of(rule, meeting).verdict)
        with self.at(NOW + HOUR):
            self.assertIn("its moment is over", self.report_of(rule, meeting).verdict)

    def test_why_from_the_list(self):
        rule = self.make_moment_rule()
        meeting = self.make_meeting(NOW - HOUR)
        with self.at(NOW):
            wizard, rows = self.past(rule)
            rows[meeting.id].with_user(self.manager).action_explain()
        self.assertEqual((wizard.mode, wizard.tested_name), ("record", "Tasting"))
        self.assertTrue(wizard.condition_ids)


@tagged("post_install", "-at_install")
class TestPastEvents(RuleTestMixin, AutomationCase):
    """Put together from what Odoo keeps; this class keeps the history of changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "tracking_disable": False})
        cls.now = cls.env.cr.now().replace(microsecond=0)

    def aged(self, lead, days):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = %s WHERE id = %s",
            [self.now - timedelta(days=days), lead.id],
        )
        self.env.invalidate_all()

    def lead(self, days=60, **values):
        lead = self.env["crm.lead"].create(
            {"name": "Corks", "type": "opportunity", "user_id": self.seller.id, **values}
        )
        self.end_transaction()
        self.aged(lead, days)
        return lead

    def test_created(self):
        rule = self.make_rule(
            trigger="created", model_id=self.env["ir.model"]._get_id("crm.lead"),
            name_pattern="Cork",
        )  # fmt: skip
        recent, old, other = self.lead(5), self.lead(40), self.lead(5, name="Barrels")
        wizard, rows = self.past(rule)
        self.assertTrue(rows[recent.id].matches)
        self.assertEqual(rows[recent.id].moment, self.now - timedelta(days=5))
        self.assertFalse(rows[other.id].matches)
        self.assertNotIn(old.id, rows)
        self.assertIn("as they are now", wizard.notes)
        self.assertIn(old.id, self.past(rule, days=50)[1])

    def test_stage_entered_is_read_from_the_history(self):
        stages = self.env["crm.stage"].create([{"name": "Tasting"}, {"name": "Bottling"}])
        rule = self.make_rule(
            trigger="stage_entered", model_id=self.env["ir.model"]._get_id("crm.lead"),
            lead_stage_ids=[Command.set(stages[0].ids)],
        )  # fmt: skip
        entered, elsewhere = self.lead(), self.lead()
        entered.stage_id = stages[0]
        elsewhere.stage_id = stages[1]
        self.env.cr.flush()
        _wizard, rows = self.past(rule)
        self.assertTrue(rows[entered.id].matches)
        self.assertNotIn(elsewhere.id, rows)

    def test_updated_says_which_changes_are_not_kept(self):
        watched = self.env["ir.model.fields"]
        for name in ("expected_revenue", "description"):
            watched += watched._get("crm.lead", name)
        rule = self.make_rule(
            trigger="updated", model_id=self.env["ir.model"]._get_id("crm.lead"),
            watched_field_ids=[Command.set(watched.ids)],
        )  # fmt: skip
        changed, other = self.lead(), self.lead()
        changed.expected_revenue = 77
        other.priority = "3"
        self.env.cr.flush()
        wizard, rows = self.past(rule)
        self.assertIn(changed.id, rows)
        self.assertNotIn(other.id, rows)
        self.assertIn("Odoo keeps no history of these fields", wizard.notes)
        self.assertIn("Notes", wizard.notes)

    def test_won_and_lost(self):
        won_rule = self.make_rule(trigger="won")
        lost_rule = self.make_rule(trigger="lost")
        won, lost = self.lead(), self.lead()
        won.action_set_won()
        lost.action_set_lost()
        self.env.cr.flush()
        self.assertEqual(set(self.past(won_rule)[1]) & {won.id, lost.id}, {won.id})
        self.assertEqual(set(self.past(lost_rule)[1]) & {won.id, lost.id}, {lost.id})
        self.assertEqual(len(self.past(won_rule)[1][won.id]), 1)

    def test_converted(self):
        rule = self.make_rule()
        converted, created = self.lead(type="lead"), self.lead()
        converted.convert_opportunity(self.customer)
        self.env.cr.flush()
        _wizard, rows = self.past(rule)
        self.assertTrue(rows[converted.id].matches)
        self.assertNotIn(created.id, rows)
        self.assertEqual(rows[converted.id].firing_id, self.firings(converted))
        self.assertIn("Pending", rows[converted.id].log)

    def test_what_odoo_does_not_keep(self):
        """For a merge there is nothing to look back at: what matches now is shown."""
        rule = self.make_rule(trigger="opportunities_merged", name_pattern="Cork")
        lead, other = self.lead(), self.lead(name="Barrels")
        wizard, rows = self.past(rule)
        self.assertIn("Odoo does not keep when this happened", wizard.notes)
        self.assertFalse(rows[lead.id].moment)
        self.assertNotIn(other.id, rows)

    def test_which_match_now(self):
        rule = self.make_rule(name_pattern="Cork")
        lead, other = self.lead(), self.lead(name="Barrels")
        rows = self.report_of(rule, mode="now").record_ids.mapped("res_id")
        self.assertIn(lead.id, rows)
        self.assertNotIn(other.id, rows)

    def test_of_a_delayed_rule_what_happened_before_it_was_on(self):
        """The delay reaches beyond the moment of switching on; what has happened does not."""
        lead = self.lead(1)
        rule = self.make_rule(
            trigger="created", model_id=self.env["ir.model"]._get_id("crm.lead"), delay_number=3
        )
        row = self.past(rule)[1][lead.id]
        self.assertEqual(row.moment, self.now + timedelta(days=2))
        self.assertIn("switched on later", row.log)

    def test_the_rule_that_is_off_says_so(self):
        rule = self.make_rule(
            trigger="created", model_id=self.env["ir.model"]._get_id("crm.lead"), enabled=False
        )
        lead = self.lead(3)
        self.assertIn("switched off", self.past(rule)[1][lead.id].log)

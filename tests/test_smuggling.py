"""A rule gives nobody more than he has: neither to read, nor to do."""

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged, users
from odoo.tools import mute_logger

from .common import DECISION_LOG, FIRING_LOG, AutomationCase

WIRE = {"name": "Smuggle", "trigger": "lead_converted", "notify_responsible": True}


@tagged("post_install", "-at_install")
class TestSmuggling(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.env.ref("base.user_admin")
        cls.server_action = cls.env["ir.actions.server"].create(
            {
                "name": "Code",
                "model_id": cls.env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": "record.write({'description': 'by ' + env.user.login})",
            }
        )

    def rule_of_admin(self, **values):
        return self.make_rule(user=self.admin, **values)

    # -- code and rights ----------------------------------------------------------

    @users("rule_manager")
    def test_no_server_action_by_a_manager(self):
        Rule = self.env["crm.automation.rule"]
        with self.assertRaises(AccessError):
            Rule.create({**WIRE, "server_action_ids": [(4, self.server_action.id)]})
        rule = Rule.create(WIRE)
        with self.assertRaises(AccessError):
            rule.write({"server_action_ids": [(4, self.server_action.id)]})
        with self.assertRaises(AccessError):
            rule.read(["server_action_ids"])
        with self.assertRaises(AccessError):
            Rule.with_context(default_server_action_ids=[(4, self.server_action.id)]).create(WIRE)

    @users("rule_manager")
    def test_no_rights_of_the_superuser_by_a_manager(self):
        Rule = self.env["crm.automation.rule"]
        with self.assertRaises(AccessError):
            Rule.create({**WIRE, "as_superuser": True})
        with self.assertRaises(AccessError):
            Rule.with_context(default_as_superuser=True).create(WIRE)

    @users("rule_manager")
    def test_no_server_action_written_by_a_manager(self):
        with self.assertRaises(AccessError):
            self.env["ir.actions.server"].create(
                {
                    "name": "Mine",
                    "model_id": self.server_action.model_id.id,
                    "state": "automation_notice",
                }
            )
        with self.assertRaises(AccessError):
            self.server_action.with_env(self.env).write({"code": "pass"})

    def test_all_rights_end_with_the_change_of_a_manager(self):
        rule = self.rule_of_admin(as_superuser=True)
        rule.with_user(self.manager).name = "Only another name"
        self.assertTrue(rule.as_superuser)
        with self.assertRaises(AccessError):
            rule.with_user(self.manager).write({"as_superuser": True})
        rule.with_user(self.manager).notify_emails = "me@example.com"
        self.assertFalse(rule.as_superuser)
        self.assertEqual(rule.owner_id, self.manager)

    def test_code_runs_with_the_rights_of_the_owner(self):
        rule = self.rule_of_admin(server_action_ids=[(4, self.server_action.id)])
        rule.with_user(self.manager).notify_emails = "me@example.com"
        lead = self.make_lead()
        lead.type = "opportunity"
        self.drain()
        self.assertIn("by rule_manager", lead.description)

    @users("rule_manager")
    def test_filters_are_no_code(self):
        for name in ("filter_domain", "before_domain"):
            for text in ("[('user_id', '=', uid)]", "[('id', '=', __import__('os').getpid())]"):
                with self.subTest(name=name, text=text), self.assertRaises(ValidationError):
                    self.env["crm.automation.rule"].create({**WIRE, name: text})

    @users("rule_manager")
    def test_the_filter_of_another_stays_his(self):
        private = (
            self.env["ir.filters"]
            .with_user(self.seller)
            .create(
                {
                    "name": "Mine alone",
                    "model_id": "crm.lead",
                    "domain": "[('expected_revenue', '>', 1000)]",
                    "user_ids": [(6, 0, self.seller.ids)],
                }
            )
        )
        with self.assertRaises(ValidationError):
            self.env["crm.automation.rule"].create({**WIRE, "filter_id": private.id})

    @users("rule_manager")
    def test_recipes_are_read_only(self):
        recipe = self.env.ref("crm_automation.recipe_won").with_env(self.env)
        with self.assertRaises(AccessError):
            recipe.values = '{"trigger": "created"}'
        with self.assertRaises(AccessError):
            recipe.copy()

    # -- what may be set ------------------------------------------------------------

    @users("rule_manager")
    def test_no_field_that_the_writer_may_not_write(self):
        field = self.env["ir.model.fields"].sudo()._get("res.partner", "signup_type")
        with self.assertRaises(ValidationError):
            self.env["crm.automation.rule"].create(
                {
                    "name": "Smuggle",
                    "trigger": "created",
                    "model_id": self.env["ir.model"].sudo()._get_id("res.partner"),
                    "value_ids": [(0, 0, {"field_id": field.id, "value": "reset"})],
                }
            )

    def test_a_value_changed_by_a_manager_makes_him_the_owner(self):
        field = self.env["ir.model.fields"]._get("crm.lead", "description")
        for change in (
            lambda line: line.write({"value": "other"}),
            lambda line: line.unlink(),
            lambda line: line.copy(),
        ):
            rule = self.rule_of_admin(
                as_superuser=True, value_ids=[(0, 0, {"field_id": field.id, "value": "text"})]
            )
            self.assertEqual(rule.owner_id, self.admin)
            change(rule.value_ids.with_user(self.manager))
            self.assertEqual(rule.owner_id, self.manager)
            self.assertFalse(rule.as_superuser)

    @users("rule_manager")
    def test_no_field_of_another_object(self):
        field = self.env["ir.model.fields"].sudo()._get("res.users", "active")
        with self.assertRaises(ValidationError):
            self.env["crm.automation.rule"].create(
                {**WIRE, "value_ids": [(0, 0, {"field_id": field.id, "value": "0"})]}
            )

    def test_a_record_that_the_owner_may_not_write(self):
        """The save stands, the field is as it was, and the log says why."""
        field = self.env["ir.model.fields"]._get("res.company", "phone")
        rule = self.make_rule(
            trigger="updated",
            model_id=self.env["ir.model"]._get_id("res.company"),
            watched_field_ids=[
                (6, 0, self.env["ir.model.fields"]._get("res.company", "email").ids)
            ],
            value_ids=[(0, 0, {"field_id": field.id, "value": "+34 000"})],
        )
        company = self.env.company
        company.phone = "+34 111"
        company.email = "new@example.com"
        with mute_logger(DECISION_LOG, FIRING_LOG, "odoo.addons.base.models.ir_model"):
            self.end_transaction()
            self.drain()
        self.assertEqual((company.email, company.phone), ("new@example.com", "+34 111"))
        firing = self.Firing.search([("rule_id", "=", rule.id)])
        self.assertEqual((firing.state, firing.tries), ("failed", 1))
        self.assertIn("Rosa Manager, may not do that", firing.reason)

    # -- what may be seen -------------------------------------------------------------

    @users("rule_manager")
    def test_no_path_to_what_the_writer_may_not_read(self):
        for path in ("user_id.nothing", "partner_id.signup_type", "name.partner_id", "stage_id"):
            with self.subTest(path), self.assertRaises(ValidationError):
                self.env["crm.automation.rule"].create(
                    {**WIRE, "notify_customer": True, "notify_customer_path": path}
                )

    def test_the_log_of_another_company_stays_there(self):
        """Also that of a rule which is about the records of all companies."""
        rule = self.make_rule(user=self.admin)
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.admin.company_ids += elsewhere
        lead = self.make_lead(company_id=elsewhere.id, team_id=False, user_id=self.admin.id)
        lead.type = "opportunity"
        self.drain()
        firing = self.firings(lead)
        self.assertEqual((firing.rule_id, firing.company_id), (rule, elsewhere))
        for user in (self.manager, self.seller):
            own = self.Firing.with_user(user)
            self.assertFalse(own.search([("id", "=", firing.id)]))
            with self.assertRaises(AccessError):
                firing.delivery_ids.with_user(user).read(["email"])

    def test_what_a_record_was_before_is_for_administrators(self):
        self.make_rule()
        lead = self.make_lead()
        lead.type = "opportunity"
        self.end_transaction()
        with self.assertRaises(AccessError):
            self.firings(lead).with_user(self.manager).read(["payload"])

    def test_a_rule_shows_its_owner_no_private_meeting(self):
        meeting_model = self.env["ir.model"]._get_id("calendar.event")
        rule = self.make_rule(
            trigger="created", model_id=meeting_model, notify_emails="me@example.com",
            notify_responsible=False,
        )  # fmt: skip
        event = (
            self.env["calendar.event"]
            .with_user(self.seller)
            .create(
                {
                    "name": "Doctor",
                    "start": "2040-01-01 09:00:00",
                    "stop": "2040-01-01 10:00:00",
                    "privacy": "private",
                    "location": "Hospital",
                }
            )
        )
        self.drain()
        firing = self.Firing.search([("rule_id", "=", rule.id), ("res_id", "=", event.id)])
        self.assertEqual((firing.state, firing.record_name), ("done", "Busy"))
        mail = firing.delivery_ids.mail_id
        self.assertNotIn("Doctor", mail.subject + mail.body_html)
        self.assertNotIn("Hospital", mail.body_html)
        self.assertFalse(mail.mail_message_id.res_id)

    # -- portal -------------------------------------------------------------------------

    @users("portal_user")
    def test_portal_has_nothing_of_it(self):
        for model in (
            "crm.automation.rule", "crm.automation.rule.value", "crm.automation.recipe",
            "crm.automation.recipe.use", "crm.automation.firing", "crm.automation.delivery",
        ):  # fmt: skip
            with self.subTest(model):
                with self.assertRaises(AccessError):
                    self.env[model].search([])
                with self.assertRaises(AccessError):
                    self.env[model].create({})

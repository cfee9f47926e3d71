"""When what a rule does is done: at once, in the answer of the save, or by the job."""

from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import DECISION_LOG, FIRING_LOG
from .test_action import ACTIONS_LOG, ActionCase


@tagged("post_install", "-at_install")
class TestAtOnce(ActionCase):
    """In the user's own transaction, and on his screen; never in his way."""

    SPEC = {"city": {}, "priority": {}, "referred": {}, "user_id": {"fields": {"login": {}}}}

    def test_the_answer_of_a_save_shows_it(self):
        self.rule_on("crm.lead", set_priority="3", set_user_id=self.other_seller.id)
        lead = self.make_lead()
        [row] = lead.with_user(self.manager).web_save({"city": "Soria"}, self.SPEC)
        self.assertEqual((row["city"], row["priority"]), ("Soria", "3"))
        self.assertEqual(row["user_id"]["login"], "other_seller")

    def test_the_answer_of_a_creation_shows_it(self):
        self.make_rule(
            trigger="created",
            model_id=self.env["ir.model"]._get_id("crm.lead"),
            set_priority="3",
            notify_responsible=False,
        )
        model = self.env["crm.lead"].with_user(self.manager)
        [row] = model.web_save({"name": "New", "city": "Soria"}, self.SPEC)
        self.assertEqual((row["city"], row["priority"]), ("Soria", "3"))

    def test_the_answer_shows_what_a_second_rule_made_of_it(self):
        self.rule_on("crm.lead", set_priority="3")
        self.make_rule(
            trigger="updated",
            model_id=self.env["ir.model"]._get_id("crm.lead"),
            watched_field_ids=[
                Command.set(self.env["ir.model.fields"]._get("crm.lead", "priority").ids)
            ],
            value_ids=self.value_line("crm.lead", "referred", "by the second"),
            notify_responsible=False,
        )
        lead = self.make_lead()
        [row] = lead.with_user(self.manager).web_save({"city": "Soria"}, self.SPEC)
        self.assertEqual((row["priority"], row["referred"]), ("3", "by the second"))

    def test_the_answer_of_saving_several_lines_of_a_list_shows_it(self):
        self.rule_on("crm.lead", set_priority="3")
        leads = self.make_lead() + self.make_lead()
        rows = leads.with_user(self.manager).web_save_multi(
            [{"city": "Soria"}, {"city": "Lugo"}], self.SPEC
        )
        self.assertEqual([(row["city"], row["priority"]) for row in rows],
                         [("Soria", "3"), ("Lugo", "3")])  # fmt: skip

    def test_a_salesperson_who_may_not_do_it_himself(self):
        """What is done, is done with the rights of the rule's owner."""
        team = self.env["crm.team"].create({"name": "North"})
        self.rule_on("crm.lead", set_user_id=self.other_seller.id, set_team_id=team.id)
        lead = self.make_lead().with_user(self.seller)
        lead.city = "Soria"
        self.end_transaction()
        self.assertEqual(lead.sudo().user_id, self.other_seller)
        self.assertEqual(lead.sudo().write_uid, self.manager)
        self.assertEqual(self.firings(lead).actor_id, self.seller)

    def test_it_is_done_once(self):
        self.rule_on("crm.lead", set_priority="3", notify_emails="a@example.com")
        lead = self.make_lead()
        self.touch(lead)
        lead.priority = "1"
        self.end_transaction()
        self.drain()
        self.assertEqual(lead.priority, "1", "the job has done it again")

    def assertFailsAlone(self, lead, sentence):
        """The save stands; the firing says why the action was not done."""
        with mute_logger(DECISION_LOG, FIRING_LOG, "odoo.sql_db"):
            lead.write({"city": "Soria", "referred": "saved"})
            self.drain()
        lead.invalidate_recordset()
        self.assertEqual((lead.city, lead.referred), ("Soria", "saved"))
        firing = self.firings(lead)
        self.assertEqual((firing.state, firing.tries), ("pending", 1))
        self.assertIn(sentence, firing.reason)

    def test_an_action_that_fails_does_not_break_the_save(self):
        self.rule_on("crm.lead", set_priority="3", notify_emails="a@example.com")
        lead = self.make_lead()
        with patch.object(type(self.Rule), "_change_fields", side_effect=ValueError("broken")):
            self.assertFailsAlone(lead, "It could not be done, and nothing was sent: broken")
        self.assertFalse(self.firings(lead).delivery_ids)

    def test_an_action_that_the_database_refuses_does_not_break_the_save(self):
        self.rule_on("crm.lead", value_ids=self.value_line("crm.lead", "probability", "150"))
        self.assertFailsAlone(self.make_lead(), "It could not be done, and nothing was sent")

    def test_a_value_that_stands_for_nothing_any_more(self):
        country = self.env["res.country"].create({"name": "Atlantis", "code": "0A"})
        self.rule_on("crm.lead", value_ids=self.value_line("crm.lead", "country_id", "Atlantis"))
        country.name = "Sunk"
        self.assertFailsAlone(self.make_lead(), "not exactly one")

    def test_it_is_done_by_the_job_when_it_works_again(self):
        self.rule_on("crm.lead", set_priority="3")
        lead = self.make_lead()
        with patch.object(type(self.Rule), "_change_fields", side_effect=ValueError("broken")):
            self.assertFailsAlone(lead, "broken")
        with self.later(minutes=2):
            self.drain()
        self.assertEqual(lead.priority, "3")
        self.assertEqual(self.firings(lead).state, "done")

    def test_an_owner_who_may_not_write(self):
        rule = self.rule_on("crm.team", set_user_id=self.seller.id)
        rule.sudo().owner_id = self.other_seller
        self.end_transaction()
        team = self.env["crm.team"].create({"name": "North", "user_id": False})
        self.end_transaction()
        with mute_logger(DECISION_LOG, FIRING_LOG):
            self.touch(team)
            self.drain()
        self.assertFalse(team.user_id)
        self.assertIn("Olga Other, may not do that", self.firings(team).reason)

    def test_an_owner_who_has_lost_a_field(self):
        admin = self.env.ref("base.user_admin")
        rule = self.rule_on(
            "res.partner",
            user=admin,
            value_ids=self.value_line("res.partner", "signup_type", "x"),
        )
        rule.sudo().owner_id = self.manager
        self.end_transaction()
        with mute_logger(DECISION_LOG, FIRING_LOG):
            self.touch(self.customer)
            self.drain()
        self.assertFalse(self.customer.signup_type)
        self.assertIn("may not do that", self.firings(self.customer).reason)

    # -- delayed -----------------------------------------------------------------

    def test_a_delayed_rule_acts_when_it_is_due(self):
        self.rule_on("crm.lead", set_priority="3", delay_number=2, delay_unit="days")
        lead = self.make_lead()
        self.touch(lead)
        self.drain()
        self.assertEqual((lead.priority, self.firings(lead).state), ("0", "pending"))
        with self.later(days=1, hours=23):
            self.drain()
            self.assertEqual(lead.priority, "0")
        with self.later(days=2, minutes=1):
            self.drain()
        self.assertEqual((lead.priority, self.firings(lead).state), ("3", "done"))

    def test_a_delayed_rule_asks_its_conditions_again(self):
        self.rule_on(
            "crm.lead", set_priority="3", delay_number=2, delay_unit="hours",
            responsible_ids=[Command.set(self.seller.ids)],
        )  # fmt: skip
        lead = self.make_lead()
        self.touch(lead)
        lead.user_id = self.other_seller
        with self.later(hours=3):
            self.drain()
        self.assertEqual((lead.priority, self.firings(lead).state), ("0", "skipped"))


@tagged("post_install", "-at_install")
class TestJobAction(ActionCase):
    """Followers, activities, server actions: by the job."""

    def test_followers(self):
        self.rule_on("crm.lead", add_follower_ids=[Command.set(self.customer.ids)])
        lead = self.make_lead()
        self.touch(lead)
        self.assertNotIn(self.customer, lead.message_partner_ids)
        self.assertDone(lead)
        self.assertIn(self.customer, lead.message_partner_ids)

    def schedule(self, record, **values):
        self.rule_on(
            record._name,
            activity_type_id=self.env.ref("mail.mail_activity_data_call").id,
            activity_summary="Call them",
            **values,
        )
        self.touch(record)
        self.assertDone(record)
        self.assertEqual(record.activity_ids.activity_type_id.get_external_id().popitem()[1],
                         "mail.mail_activity_data_call")  # fmt: skip
        self.assertEqual(record.activity_ids.summary, "Call them")
        return record.activity_ids

    def test_activity_for_the_responsible(self):
        with freeze_time("2030-06-01 12:00:00"):
            activity = self.schedule(self.make_lead(), activity_days=3)
        self.assertEqual(activity.user_id, self.seller)
        self.assertEqual(activity.date_deadline, fields.Date.to_date("2030-06-04"))

    def test_activity_for_somebody(self):
        activity = self.schedule(self.make_lead(), activity_user_id=self.other_seller.id)
        self.assertEqual(activity.user_id, self.other_seller)

    def test_activity_for_the_first_responsible_of_a_task(self):
        task = self.make_task(user_ids=[Command.set(self.other_seller.ids)])
        self.assertEqual(self.schedule(task).user_id, self.other_seller)

    def test_activity_of_a_record_without_responsible_is_the_owners(self):
        self.assertEqual(self.schedule(self.make_lead(user_id=False)).user_id, self.manager)

    def server_action(self, code, model="crm.lead"):
        return self.env["ir.actions.server"].create(
            {
                "name": "Do it",
                "model_id": self.env["ir.model"]._get_id(model),
                "state": "code",
                "code": code,
            }
        )

    def test_server_actions_in_their_order_with_the_rights_of_the_owner(self):
        first, second = (
            self.server_action(f"record.write({{'referred': '{text} ' + env.user.login}})")
            for text in ("first", "second")
        )
        second.sequence, first.sequence = 1, 2
        admin = self.env.ref("base.user_admin")
        rule = self.rule_on(
            "crm.lead", user=admin, server_action_ids=[Command.set((first + second).ids)]
        )
        leads = self.make_lead() + self.make_lead()
        leads.city = "Soria"
        self.end_transaction()
        self.drain()
        self.assertEqual(self.firings(leads).mapped("state"), ["done", "done"])
        self.assertEqual(leads[0].referred, f"first {admin.login}")
        # Of another owner they keep their place, with his rights.
        rule.sudo().owner_id = self.manager
        self.end_transaction()
        leads[1].city = "Lugo"
        self.end_transaction()
        self.drain()
        self.assertEqual(leads[1].referred, "first rule_manager")

    def test_a_server_action_acts_on_every_record(self):
        action = self.server_action("for lead in records: lead.write({'referred': lead.name})")
        self.rule_on(
            "crm.lead",
            user=self.env.ref("base.user_admin"),
            server_action_ids=[Command.set(action.ids)],
        )
        leads = self.make_lead(name="One") + self.make_lead(name="Two")
        leads.city = "Soria"
        self.end_transaction()
        self.drain()
        self.assertEqual(leads.mapped("referred"), ["One", "Two"])

    def test_a_server_action_that_fails_is_its_own_affair(self):
        action = self.server_action("raise UserError('No ' + record.name)")
        self.rule_on(
            "crm.lead",
            user=self.env.ref("base.user_admin"),
            server_action_ids=[Command.set(action.ids)],
            set_priority="3",
        )
        lead = self.make_lead()
        self.touch(lead)
        with mute_logger(FIRING_LOG):
            self.drain()
        firing = self.firings(lead)
        self.assertEqual((firing.state, firing.tries), ("pending", 1))
        self.assertIn("No Corks", firing.reason)
        self.assertEqual((lead.priority, lead.city), ("3", "False and on"))

    def test_a_server_action_may_do_no_more_than_the_owner(self):
        action = self.server_action("env['crm.team'].create({'name': 'Smuggled'})")
        rule = self.rule_on(
            "crm.lead",
            user=self.env.ref("base.user_admin"),
            server_action_ids=[Command.set(action.ids)],
        )
        rule.sudo().owner_id = self.seller
        self.end_transaction()
        lead = self.make_lead()
        self.touch(lead)
        with mute_logger(FIRING_LOG, ACTIONS_LOG):
            self.drain()
        self.assertFalse(self.env["crm.team"].search([("name", "=", "Smuggled")]))
        self.assertIn("Sergio Seller, no puede hacer eso", self.firings(lead).reason)

    def test_only_administrators_attach_server_actions(self):
        action = self.server_action("pass")
        with self.assertRaises(AccessError):
            self.rule_on("crm.lead", server_action_ids=[Command.set(action.ids)])
        rule = self.rule_on("crm.lead", set_priority="1")
        with self.assertRaises(AccessError):
            rule.with_user(self.manager).server_action_ids = action

    def test_a_server_action_of_another_object_is_refused(self):
        action = self.server_action("pass", "res.partner")
        with self.assertRaisesRegex(ValidationError, "about the object of the rule"):
            self.rule_on(
                "crm.lead",
                user=self.env.ref("base.user_admin"),
                server_action_ids=[Command.set(action.ids)],
            )

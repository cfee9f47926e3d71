"""Recipes: what each of them makes, shows before, and does in the end."""

from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import AutomationCase

NOW = datetime(2027, 6, 15, 10, 0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class RecipeCase(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Whoever writes rules about tasks may read tasks.
        cls.manager.group_ids += cls.env.ref("project.group_project_manager")
        cls.Recipe = cls.env["crm.automation.recipe"]
        cls.Wizard = cls.env["crm.automation.recipe.use"].with_user(cls.manager)
        cls.team = cls.env["crm.team"].create(
            {
                "name": "Duero",
                "user_id": cls.other_seller.id,
                "member_ids": [(6, 0, cls.seller.ids)],
            }
        )
        cls.project = cls.env["project.project"].create(
            {"name": "Vintage", "partner_id": cls.customer.id, "user_id": cls.manager.id}
        )

    def wizard(self, recipe):
        return self.Wizard.with_context(**recipe.action_use()["context"]).create({})

    def use(self, name, since=NOW - 400 * DAY):
        """Make and switch on the rule, as the manager does it."""
        recipe = self.env.ref(f"crm_automation.recipe_{name}")
        with self.at(since):
            action = self.wizard(recipe).action_create_and_enable()
        self.end_transaction()
        return self.Rule.browse(action["res_id"])

    def available(self):
        recipes = self.Recipe.with_user(self.manager).search([("is_available", "=", True)])
        self.assertGreaterEqual(len(recipes), 12)
        return recipes

    def look(self, moment):
        self.end_transaction()
        with self.at(moment), self.no_commit():
            self.Rule._enqueue_moments()
            self.Firing._drain()

    def told(self, record):
        """Addresses that have been told of a record, in their order."""
        self.drain()
        firings = self.firings(record)
        for firing in firings:
            self.assertIn(firing.state, ("done", "pending"), firing.reason)
        return sorted(firings.delivery_ids.filtered("mail_id").mapped("email"))

    def opportunity(self, **values):
        return self.make_lead(type="opportunity", team_id=self.team.id, **values)


@tagged("post_install", "-at_install")
class TestRecipeWizard(RecipeCase):
    def test_every_recipe_makes_a_rule(self):
        for recipe in self.available():
            with self.subTest(recipe.name):
                action = self.wizard(recipe).action_create()
                rule = self.Rule.browse(action["res_id"])
                self.assertEqual((rule.name, rule.enabled), (recipe.name, False))
                self.assertEqual(rule.owner_id, self.manager)
                self.assertEqual(rule.model_name, recipe.model_name)
                self.assertFalse(rule.problem)
                self.assertNotIn("nothing happens yet", rule.summary)

    def test_every_recipe_makes_a_rule_that_is_switched_on(self):
        for recipe in self.available():
            with self.subTest(recipe.name):
                action = self.wizard(recipe).action_create_and_enable()
                rule = self.Rule.browse(action["res_id"])
                self.assertTrue(rule.enabled)
                self.assertEqual(rule.owner_id, self.manager)
                self.assertTrue(rule.enabled_since)
                self.end_transaction()

    def test_another_name(self):
        recipe = self.env.ref("crm_automation.recipe_won")
        with Form(self.Wizard.with_context(default_recipe_id=recipe.id)) as form:
            self.assertEqual(form.name, recipe.name)
            form.name = "Hooray"
        self.assertEqual(self.Rule.browse(form.record.action_create()["res_id"]).name, "Hooray")

    def everything(self):
        """How many rows there are of what a preview might leave."""
        self.env.flush_all()
        models = ("crm.automation.rule", "crm.automation.firing", "crm.automation.delivery",
                  "mail.mail", "mail.message", "mail.activity", "mail.notification",
                  "crm.lead", "project.task", "calendar.event")  # fmt: skip
        return {
            name: self.env[name].with_context(active_test=False).search_count([]) for name in models
        }

    def make_samples(self):
        self.opportunity(partner_id=self.customer.id).action_set_won()
        self.opportunity(partner_id=self.customer.id).action_set_lost()
        self.opportunity(partner_id=self.customer.id, priority="3")
        tasks = self.env["project.task"].create(
            [{"name": "T", "project_id": self.project.id, "user_ids": [(6, 0, self.seller.ids)],
              "partner_id": self.customer.id, "state": state}
             for state in ("01_in_progress", "1_done")]
        )  # fmt: skip
        self.assertEqual(tasks.mapped("business_state"), ["open", "done"])
        self.env["calendar.event"].with_context(no_mail_to_attendees=True).create(
            {
                "name": "Tasting",
                "start": "2099-01-01 10:00:00",
                "stop": "2099-01-01 11:00:00",
                "user_id": self.seller.id,
                "partner_ids": [(6, 0, (self.seller.partner_id + self.customer).ids)],
            }
        )
        self.env["sale.order"].create(
            {"partner_id": self.customer.id, "user_id": self.seller.id, "state": "sent"}
        )
        self.end_transaction()

    def test_every_preview_renders_and_leaves_nothing(self):
        self.make_samples()
        before = self.everything()
        for recipe in self.available():
            with self.subTest(recipe.name):
                with Form(self.Wizard.with_context(default_recipe_id=recipe.id)) as form:
                    self.assertTrue(form.summary)
                    self.assertTrue(form.sample)
                    if recipe.model_name != "hr.leave" and "call" not in recipe.name:
                        self.assertTrue(form.recipients, form.sample)
                        self.assertTrue(form.preview_subject, form.recipients)
                        self.assertNotIn("%(", form.preview_subject)
                        self.assertIn("<", form.preview_body)
        self.end_transaction()
        self.assertEqual(self.everything(), before)

    def test_a_preview_shows_a_record_that_the_rule_is_about(self):
        values = {"project_id": self.project.id, "partner_id": self.customer.id}
        done, _open = self.env["project.task"].create(
            [{"name": name, **values} for name in ("Done with it", "Just begun")]
        )
        done.state = "1_done"
        wizard = self.wizard(self.env.ref("crm_automation.recipe_task_closed"))
        self.assertEqual(wizard.sample, "Done with it")
        self.assertEqual(wizard.preview_subject, "Done with it: now Closed")

    def test_a_preview_of_nothing_says_so(self):
        self.env["sale.order"].search([]).with_context(disable_cancel_warning=True)._action_cancel()
        self.env["sale.order"].search([]).unlink()
        recipe = self.env.ref("crm_automation.recipe_quotation_silent")
        wizard = self.wizard(recipe)
        self.assertEqual(wizard.sample, "There is no record of this kind yet.")
        self.assertFalse(wizard.preview_body)

    def test_a_manager_cannot_write_recipes(self):
        recipe = self.env.ref("crm_automation.recipe_won").with_user(self.manager)
        self.assertTrue(recipe.name)
        with self.assertRaises(AccessError):
            recipe.values = '{"trigger": "won"}'
        with self.assertRaises(AccessError):
            recipe.unlink()
        with self.assertRaises(AccessError):
            recipe.create({"name": "N", "description": "D", "model_name": "crm.lead",
                           "values": "{}"})  # fmt: skip

    def test_a_salesperson_uses_none(self):
        recipe = self.env.ref("crm_automation.recipe_won")
        with self.assertRaises(AccessError):
            self.Wizard.with_user(self.seller).create({"recipe_id": recipe.id}).action_create()

    def test_of_an_app_that_is_not_installed(self):
        recipe = self.env.ref("crm_automation.recipe_leave_request")
        if "hr.leave" in self.env:
            # The same with any other app that is missing.
            recipe.model_name = "gone.model"
        self.assertFalse(recipe.is_available)
        self.assertNotIn(recipe, self.available())
        missing = self.Recipe.search([("is_available", "=", False)])
        self.assertIn(recipe, missing)
        wizard = self.wizard(recipe)
        self.assertFalse(wizard.preview_body)
        with self.assertRaises(UserError):
            wizard.action_create()

    def test_in_spanish(self):
        self.manager.lang = "es_ES"
        recipe = self.env.ref("crm_automation.recipe_won")
        rule = self.Rule.browse(self.wizard(recipe).action_create()["res_id"])
        self.assertEqual(
            rule.with_context(lang="es_ES").name, recipe.with_context(lang="es_ES").name
        )


@tagged("post_install", "-at_install")
class TestRecipesInUse(RecipeCase):
    """What each of them promises, from the event to the mail."""

    def test_won(self):
        self.use("won")
        lead = self.opportunity()
        self.assertEqual(self.told(lead), [])
        lead.action_set_won()
        self.assertEqual(self.told(lead), ["other@example.com"])
        lead.name = "More corks"
        self.assertEqual(self.told(lead), ["other@example.com"])

    def test_lost(self):
        self.use("lost")
        lead = self.opportunity()
        reason = self.env["crm.lost.reason"].create({"name": "Too dear"})
        lead.action_set_lost(lost_reason_id=reason.id)
        self.assertEqual(self.told(lead), ["other@example.com"])
        self.assertIn("Too dear", self.firings(lead).delivery_ids.mail_id.body_html)

    def test_task_closed(self):
        self.use("task_closed")
        task, cancelled = self.env["project.task"].create(
            [{"name": name, "project_id": self.project.id} for name in ("Done", "Cancelled")]
        )
        self.assertEqual(self.told(task), [])
        task.state = "1_done"
        cancelled.state = "1_canceled"
        self.assertEqual(self.told(task), ["azure@example.com", "manager@example.com"])
        self.assertEqual(self.told(cancelled), [])

    def test_task_deadline(self):
        self.use("task_deadline")
        with self.at(NOW - 10 * DAY):
            values = {
                "project_id": self.project.id,
                "user_ids": [(6, 0, (self.seller + self.other_seller).ids)],
                "date_deadline": NOW,
            }
            task, closed = self.env["project.task"].create(
                [{"name": name, **values} for name in ("Open", "Closed")]
            )
            closed.state = "1_done"
            self.env.flush_all()
        self.look(NOW - DAY - HOUR)
        self.assertFalse(self.firings(task + closed))
        self.look(NOW - DAY)
        self.assertEqual(self.told(task), ["other@example.com", "seller@example.com"])
        self.assertFalse(self.firings(closed))

    def test_silent_opportunity(self):
        self.use("silent_opportunity")
        with self.at(NOW):
            lead = self.opportunity(partner_id=self.customer.id)
            won = self.opportunity(name="Won")
            won.action_set_won()
            only_a_lead = self.make_lead(name="Lead")
            self.env.flush_all()
        with self.at(NOW + DAY):
            lead.message_post(
                body="I shall think about it", author_id=self.customer.id, message_type="email",
                subtype_xmlid="mail.mt_comment",
            )  # fmt: skip
        self.look(NOW + 14 * DAY)
        self.assertFalse(self.firings(lead + won + only_a_lead))
        self.look(NOW + 15 * DAY)
        self.assertEqual(self.told(lead), ["seller@example.com"])
        self.assertFalse(self.firings(won + only_a_lead))
        body = self.firings(lead).delivery_ids.mail_id.body_html
        self.assertIn("I shall think about it", body)

    def make_order(self, state):
        return self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "user_id": self.seller.id,
                "date_order": NOW,
                "state": state,
            }
        )

    def test_quotation_silent(self):
        self.use("quotation_silent")
        with self.at(NOW):
            sent, draft, cancelled = (self.make_order(s) for s in ("sent", "draft", "cancel"))
            self.env.flush_all()
        self.look(NOW + 7 * DAY - HOUR)
        self.assertFalse(self.firings(sent))
        self.look(NOW + 7 * DAY)
        self.assertEqual(self.told(sent), ["seller@example.com"])
        self.assertFalse(self.firings(draft + cancelled))

    def test_quotation_answered_in_time(self):
        self.use("quotation_silent")
        with self.at(NOW):
            order = self.make_order("sent")
            self.env.flush_all()
        self.look(NOW + 7 * DAY - HOUR / 4)
        self.assertEqual(self.firings(order).state, "pending")
        order.state = "sale"
        self.look(NOW + 7 * DAY)
        self.assertEqual(self.firings(order).state, "skipped")

    def test_escalate(self):
        self.use("escalate")
        lead = self.opportunity()
        lead.priority = "2"
        self.assertEqual(self.told(lead), [])
        lead.priority = "3"
        self.assertEqual(self.told(lead), ["other@example.com"])
        lead.name = "More corks"
        self.assertEqual(self.told(lead), ["other@example.com"])

    def test_escalate_does_not_tell_the_leader_what_he_has_done(self):
        self.use("escalate")
        self.team.user_id = self.manager
        lead = self.opportunity()
        lead.with_user(self.manager).priority = "3"
        self.drain()
        self.assertEqual(self.firings(lead).delivery_ids.state, "skipped")

    def test_urgent_from_usa(self):
        self.use("urgent_from_usa")
        usa = self.env.ref("base.us").id
        urgent = self.make_lead(country_id=usa, priority="3")
        calm = self.make_lead(country_id=usa, priority="2")
        spanish = self.make_lead(country_id=self.env.ref("base.es").id, priority="3")
        self.drain()
        call = urgent.activity_ids
        self.assertEqual(call.activity_type_id, self.env.ref("mail.mail_activity_data_call"))
        self.assertEqual(call.user_id, self.seller)
        self.assertEqual(call.date_deadline, fields.Date.context_today(self.manager))
        self.assertFalse((calm + spanish).activity_ids)
        calm.priority = "3"
        self.drain()
        self.assertEqual(len(calm.activity_ids), 1)
        urgent.name = "Something else"
        self.drain()
        self.assertEqual(len(urgent.activity_ids), 1)

    def test_leads_not_open(self):
        self.use("leads_not_open")
        first = self.env["crm.stage"].search([("business_state", "=", "draft")], limit=1)
        second = self.env["crm.stage"].search([("business_state", "=", "open")], limit=1)
        with self.at(NOW):
            idle = self.make_lead(stage_id=first.id, description="<p>Call me</p>")
            busy = self.make_lead(stage_id=second.id)
            self.env.flush_all()
        self.look(NOW + 5 * DAY)
        self.assertEqual(self.told(idle), ["seller@example.com"])
        self.assertIn("Call me", self.firings(idle).delivery_ids.mail_id.body_html)
        self.assertFalse(self.firings(busy))

    def test_meeting_soon(self):
        self.use("meeting_soon")
        with self.at(NOW - DAY):
            meeting = self.env["calendar.event"].with_context(no_mail_to_attendees=True).create(
                {
                    "name": "Tasting", "start": NOW, "stop": NOW + HOUR, "user_id": self.seller.id,
                    "partner_ids": [
                        (6, 0, (self.seller.partner_id + self.customer
                                + self.other_seller.partner_id).ids)
                    ],
                }
            )  # fmt: skip
            declined = meeting.attendee_ids.filtered(lambda a: a.partner_id == self.customer)
            declined.do_decline()
            self.env.flush_all()
        self.look(NOW - HOUR / 12)
        self.assertEqual(self.told(meeting), ["other@example.com", "seller@example.com"])

    def test_lead_converted(self):
        self.use("lead_converted")
        lead = self.make_lead()
        lead.convert_opportunity(self.customer)
        self.assertEqual(self.told(lead), ["seller@example.com"])
        self.assertEqual(self.told(self.opportunity()), [])

    def test_task_created(self):
        self.use("task_created")
        task = self.env["project.task"].create({"name": "T", "project_id": self.project.id})
        self.assertEqual(self.told(task), ["azure@example.com"])

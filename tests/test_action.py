"""What a rule does: at once in the user's own save, the rest by the job."""

import contextlib
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import mute_logger

from .common import DECISION_LOG, FIRING_LOG, TASTING, EveryObjectCase

ACTIONS_LOG = "odoo.addons.base.models.ir_actions"


class ActionCase(EveryObjectCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stages = {
            state: cls.env["crm.stage"].create({"name": f"x {state}", "business_state": state})
            for state in ("draft", "open", "pending")
        }

    @classmethod
    def rule_on(cls, model, user=None, **values):
        """A rule that acts when the city, or what else is plain there, is changed."""
        watched = {
            "crm.lead": "city", "project.task": "description", "calendar.event": "location",
            "sale.order": "client_order_ref", "res.partner": "city", "crm.team": "name",
        }[model]  # fmt: skip
        return cls.make_rule(
            user=user,
            **{
                "trigger": "updated",
                "model_id": cls.env["ir.model"]._get_id(model),
                "watched_field_ids": [
                    Command.set(cls.env["ir.model.fields"]._get(model, watched).ids)
                ],
                "notify_responsible": False,
                **values,
            },
        )

    @classmethod
    def value_line(cls, model, name, value):
        field = cls.env["ir.model.fields"]._get(model, name)
        return [Command.create({"field_id": field.id, "value": value})]

    def state_row(self, model, value, field="business_state"):
        rows = self.env["ir.model.fields"]._get(model, field).selection_ids
        return rows.filtered(lambda row: row.value == value)

    def make_task(self, **values):
        task = self.env["project.task"].create(
            {"name": "Label", "project_id": self.project.id, **values}
        )
        self.end_transaction()
        return task

    def make_order(self, **values):
        order = self.env["sale.order"].create({"partner_id": self.customer.id, **values})
        self.end_transaction()
        return order

    def make_meeting(self, **values):
        event = self.env["calendar.event"].create({**TASTING, **values})
        self.end_transaction()
        return event

    def touch(self, record):
        name = {
            "crm.lead": "city", "project.task": "description", "calendar.event": "location",
            "sale.order": "client_order_ref", "res.partner": "city", "crm.team": "name",
        }[record._name]  # fmt: skip
        record[name] = f"{record[name]} and on"
        self.end_transaction()

    def assertDone(self, record):
        """The job has nothing left to do, and the firing has ended well."""
        self.drain()
        firing = self.firings(record)
        self.assertEqual((firing.state, firing.reason), ("done", False))

    @contextlib.contextmanager
    def later(self, **delta):
        moment = self.env.cr.now() + timedelta(**delta)
        with freeze_time(moment), patch.object(self.env.cr, "_now", moment):
            yield


@tagged("post_install", "-at_install")
class TestFieldAction(ActionCase):
    """Fields of the form."""

    def test_responsible(self):
        for model, record in (
            ("crm.lead", self.make_lead()),
            ("sale.order", self.make_order(user_id=self.seller.id)),
            ("calendar.event", self.make_meeting(user_id=self.seller.id)),
        ):
            with self.subTest(model):
                self.rule_on(model, set_user_id=self.other_seller.id)
                self.touch(record)
                self.assertEqual(record.user_id, self.other_seller)
                self.assertDone(record)

    def test_responsible_of_a_task_takes_the_place_of_all(self):
        self.rule_on("project.task", set_user_id=self.other_seller.id)
        task = self.make_task(user_ids=[Command.set((self.seller + self.manager).ids)])
        self.touch(task)
        self.assertEqual(task.user_ids, self.other_seller)
        self.assertDone(task)

    def test_team(self):
        team = self.env["crm.team"].create({"name": "North"})
        for model, record in (("crm.lead", self.make_lead()), ("sale.order", self.make_order())):
            with self.subTest(model):
                self.rule_on(model, set_team_id=team.id)
                self.touch(record)
                self.assertEqual(record.team_id, team)

    def test_stage_of_a_lead(self):
        self.rule_on("crm.lead", set_lead_stage_id=self.stages["pending"].id)
        lead = self.make_lead(type="opportunity")
        self.touch(lead)
        self.assertEqual(lead.stage_id, self.stages["pending"])

    def test_stage_of_a_task(self):
        stage = self.env["project.task.type"].create(
            {"name": "Print", "project_ids": [Command.set(self.project.ids)]}
        )
        self.rule_on("project.task", set_task_stage_id=stage.id)
        task = self.make_task()
        self.touch(task)
        self.assertEqual(task.stage_id, stage)

    def test_tags_are_added(self):
        old, new = self.env["crm.tag"].create([{"name": "Old!"}, {"name": "New!"}])
        for model, record in (
            ("crm.lead", self.make_lead(tag_ids=[Command.set(old.ids)])),
            ("sale.order", self.make_order(tag_ids=[Command.set(old.ids)])),
        ):
            with self.subTest(model):
                self.rule_on(model, add_tag_ids=[Command.set(new.ids)])
                self.touch(record)
                self.assertEqual(record.tag_ids, old + new)

    def test_task_tags_are_added(self):
        old, new = self.env["project.tags"].create([{"name": "Old!"}, {"name": "New!"}])
        self.rule_on("project.task", add_task_tag_ids=[Command.set(new.ids)])
        task = self.make_task(tag_ids=[Command.set(old.ids)])
        self.touch(task)
        self.assertEqual(task.tag_ids, old + new)

    def test_priority(self):
        for model, record in (("crm.lead", self.make_lead()), ("project.task", self.make_task())):
            with self.subTest(model):
                self.rule_on(model, set_priority="2")
                self.touch(record)
                self.assertEqual(record.priority, "2")

    def test_several_at_once_on_several_records(self):
        tag = self.env["crm.tag"].create({"name": "New!"})
        self.rule_on(
            "crm.lead",
            set_user_id=self.other_seller.id,
            add_tag_ids=[Command.set(tag.ids)],
            set_priority="1",
            value_ids=self.value_line("crm.lead", "referred", "a friend"),
        )
        leads = self.make_lead() + self.make_lead()
        leads.city = "Burgos"
        self.end_transaction()
        for lead in leads:
            self.assertEqual(
                (lead.user_id, lead.tag_ids, lead.priority, lead.referred),
                (self.other_seller, tag, "1", "a friend"),
            )

    def test_actions_that_an_object_does_not_know_are_refused(self):
        team = self.env["crm.team"].create({"name": "North"})
        for model, values, label in (
            ("res.partner", {"set_team_id": team.id}, "Set Team to"),
            ("sale.order", {"set_priority": "1"}, "Set Priority to"),
            ("project.task", {"set_lead_stage_id": self.stages["open"].id}, "Set Stage to"),
            ("sale.order", {"set_state_id": self.state_row("crm.lead", "done").id}, "Set State to"),
        ):
            with (
                self.subTest(model, label=label),
                self.assertRaisesRegex(ValidationError, f"cannot be done: .*{label}"),
            ):
                self.rule_on(model, notify_emails="a@example.com", **values)

    def test_neither_followers_nor_activities(self):
        rule = self.make_rule(
            trigger="created", model_id=self.env["ir.model"]._get_id("res.country"),
            notify_emails="a@example.com",
        )  # fmt: skip
        for values in (
            {"add_follower_ids": [Command.set(self.customer.ids)]},
            {"activity_type_id": self.env.ref("mail.mail_activity_data_todo").id},
        ):
            with self.assertRaisesRegex(ValidationError, "no such followers or activities"):
                rule.with_user(self.manager).write(values)

    def test_another_object_empties_what_it_does_not_know(self):
        team = self.env["crm.team"].create({"name": "North"})
        rule = self.rule_on(
            "crm.lead",
            set_team_id=team.id,
            set_user_id=self.seller.id,
            set_state_id=self.state_row("crm.lead", "done").id,
            value_ids=self.value_line("crm.lead", "city", "Soria"),
        )
        with Form(rule.with_user(self.manager)) as form:
            form.model_id = self.env["ir.model"]._get("project.task")
        self.assertFalse(rule.set_team_id or rule.set_state_id or rule.value_ids)
        self.assertEqual(rule.set_user_id, self.seller)

    def test_sentence_names_every_action(self):
        rule = self.rule_on(
            "crm.lead",
            set_user_id=self.seller.id,
            set_priority="2",
            set_state_id=self.state_row("crm.lead", "done").id,
            value_ids=self.value_line("crm.lead", "referred", "Soria"),
            add_follower_ids=[Command.set(self.customer.ids)],
            activity_type_id=self.env.ref("mail.mail_activity_data_todo").id,
        )
        for words in (
            "set responsible to Sergio Seller",
            "set priority to High",
            "set state to Closed",
            "set “Referred By” to “Soria”",
            "add followers Azure & Sons",
            "schedule “To-Do”",
        ):
            self.assertIn(words, rule.summary)


@tagged("post_install", "-at_install")
class TestStateAction(ActionCase):
    def test_state_of_a_lead(self):
        for state in ("draft", "open", "pending", "done", "cancelled"):
            with self.subTest(state):
                self.Rule.search([("enabled", "=", True)]).enabled = False
                start = "open" if state != "open" else "draft"
                self.rule_on("crm.lead", set_state_id=self.state_row("crm.lead", state).id)
                lead = self.make_lead(type="opportunity", stage_id=self.stages[start].id)
                self.touch(lead)
                self.assertEqual(lead.business_state, state)
                self.assertDone(lead)

    def test_a_lost_lead_comes_back(self):
        self.rule_on("crm.lead", set_state_id=self.state_row("crm.lead", "pending").id)
        lead = self.make_lead(type="opportunity")
        lead.action_set_lost()
        self.end_transaction()
        self.touch(lead)
        self.assertTrue(lead.active)
        self.assertEqual(lead.business_state, "pending")

    def test_a_won_lead_is_taken_up_again(self):
        self.rule_on("crm.lead", set_state_id=self.state_row("crm.lead", "open").id)
        lead = self.make_lead(type="opportunity")
        lead.action_set_won()
        self.end_transaction()
        self.touch(lead)
        self.assertEqual(lead.business_state, "open")

    def test_a_lead_that_is_in_the_state_stays_in_its_stage(self):
        self.rule_on("crm.lead", set_state_id=self.state_row("crm.lead", "open").id)
        second = self.env["crm.stage"].create({"name": "Second", "business_state": "open"})
        lead = self.make_lead(type="opportunity", stage_id=second.id)
        self.touch(lead)
        self.assertEqual(lead.stage_id, second)

    def test_no_stage_of_that_state_is_said(self):
        self.env["crm.stage"].search([]).business_state = "open"
        self.rule_on("crm.lead", set_state_id=self.state_row("crm.lead", "pending").id)
        lead = self.make_lead(type="opportunity")
        with mute_logger(DECISION_LOG, FIRING_LOG):
            self.touch(lead)
            self.drain()
        self.assertIn("no stage that means “Pending”", self.firings(lead).reason)

    def test_a_won_stage_means_no_other_state(self):
        self.env["crm.stage"].search([("is_won", "=", False)]).business_state = "draft"
        self.assertIn("open", self.env["crm.stage"].search([]).mapped("business_state"))
        self.rule_on("crm.lead", set_state_id=self.state_row("crm.lead", "open").id)
        lead = self.make_lead(type="opportunity")
        with mute_logger(DECISION_LOG, FIRING_LOG):
            self.touch(lead)
            self.drain()
        self.assertEqual(lead.business_state, "draft")
        self.assertIn("no stage that means “Open”", self.firings(lead).reason)

    def test_state_of_a_task(self):
        for state, stored in (("done", "1_done"), ("cancelled", "1_canceled")):
            with self.subTest(state):
                self.Rule.search([("enabled", "=", True)]).enabled = False
                self.rule_on("project.task", set_state_id=self.state_row("project.task", state).id)
                task = self.make_task()
                self.touch(task)
                self.assertEqual((task.business_state, task.state), (state, stored))

    def test_a_closed_task_is_opened(self):
        self.rule_on("project.task", set_state_id=self.state_row("project.task", "open").id)
        task = self.make_task(state="1_done", user_ids=[Command.set(self.seller.ids)])
        self.touch(task)
        self.assertEqual(task.business_state, "open")

    def test_meeting_is_cancelled_and_comes_back(self):
        rule = self.rule_on(
            "calendar.event", set_state_id=self.state_row("calendar.event", "cancelled").id
        )
        event = self.make_meeting()
        self.touch(event)
        self.assertEqual(event.business_state, "cancelled")
        rule.with_user(self.manager).set_state_id = self.state_row("calendar.event", "open")
        self.end_transaction()
        self.touch(event)
        self.assertTrue(event.active)

    def test_states_that_follow_from_something_else_cannot_be_set(self):
        for model, states in (
            ("project.task", ("draft", "pending")),
            ("calendar.event", ("draft", "pending", "done")),
        ):
            for state in states:
                with (
                    self.subTest(model, state=state),
                    self.assertRaisesRegex(ValidationError, "cannot be set"),
                ):
                    self.rule_on(model, set_state_id=self.state_row(model, state).id)

    def test_own_state_of_an_order(self):
        self.rule_on("sale.order", set_state_id=self.state_row("sale.order", "sent", "state").id)
        order = self.make_order()
        self.touch(order)
        self.assertEqual(order.state, "sent")


@tagged("post_install", "-at_install")
class TestValueAction(ActionCase):
    """Other fields, by what a person would type."""

    def assertSets(self, model, name, text, expected, user=None):
        self.Rule.search([("enabled", "=", True)]).enabled = False
        self.rule_on(model, user=user, value_ids=self.value_line(model, name, text))
        record = self.make_lead() if model == "crm.lead" else self.make_order()
        self.touch(record)
        value = record[name]
        if isinstance(expected, float):
            self.assertAlmostEqual(value, expected)
        else:
            self.assertEqual(value, expected)
        self.assertEqual(self.firings(record).payload["applied"], True)

    def assertRefused(self, model, name, text, sentence):
        field = self.env["ir.model.fields"]._get(model, name)
        with self.assertRaisesRegex(ValidationError, sentence) as caught:
            self.rule_on(model, value_ids=self.value_line(model, name, text))
        for jargon in ("invalid literal", "Traceback", "isoformat", "could not convert"):
            self.assertNotIn(jargon, str(caught.exception))
        return field

    def test_each_type(self):
        for name, text, expected in (
            ("referred", "a friend", "a friend"),
            ("referred", "", False),
            ("expected_revenue", "1200.50", 1200.5),
            ("expected_revenue", "1200,50", 1200.5),
            ("color", "7", 7),
            ("color", "-3", -3),
            ("date_deadline", "2030-12-31", fields.Date.to_date("2030-12-31")),
            ("date_deadline", "", False),
        ):
            with self.subTest(name, text=text):
                self.assertSets("crm.lead", name, text, expected)

    def test_html(self):
        self.assertSets("crm.lead", "description", "Call back", "<p>Call back</p>")

    def test_boolean(self):
        for text, expected in (("1", True), ("true", True), ("0", False), ("", False)):
            with self.subTest(text):
                self.assertSets("sale.order", "require_signature", text, expected)

    def test_dates_from_the_moment_of_the_action(self):
        today = fields.Date.to_date("2030-06-01")
        for text, days in (("+7", 7), ("7", 7), ("0", 0), ("-2", -2)):
            with self.subTest(text), freeze_time("2030-06-01 12:00:00"):
                self.assertSets("crm.lead", "date_deadline", text, today + timedelta(days=days))

    def test_days_are_those_of_the_owner(self):
        self.manager.tz = "Pacific/Auckland"
        with freeze_time("2030-06-01 20:00:00"):  # already the second there
            self.assertSets("crm.lead", "date_deadline", "+7", fields.Date.to_date("2030-06-09"))

    def test_moment_from_the_moment_of_the_action(self):
        now = fields.Datetime.now()
        self.rule_on("sale.order", value_ids=self.value_line("sale.order", "commitment_date", "+7"))
        order = self.make_order()
        self.touch(order)
        self.assertLess(abs(order.commitment_date - now - timedelta(days=7)), timedelta(minutes=2))

    def test_moment_of_a_day_and_an_hour(self):
        for text, expected in (
            ("2030-12-31", "2030-12-31 00:00:00"),
            ("2030-12-31 09:30:00", "2030-12-31 09:30:00"),
        ):
            with self.subTest(text):
                moment = fields.Datetime.to_datetime(expected)
                self.assertSets("sale.order", "commitment_date", text, moment)

    def test_selection_by_its_name_or_its_value(self):
        for text in ("Opportunity", "opportunity"):
            with self.subTest(text):
                self.assertSets("crm.lead", "type", text, "opportunity")

    def test_selection_by_its_spanish_name(self):
        self.state_row("crm.lead", "3", "priority").with_context(lang="es_ES").name = "Altísima"
        self.manager.lang = "es_ES"
        spaniard = self.manager
        rule = (
            self.rule_on("crm.lead", notify_emails="a@example.com")
            .with_user(spaniard)
            .with_context(lang="es_ES")
        )
        rule.value_ids = self.value_line("crm.lead", "priority", "Altísima")
        self.end_transaction()
        lead = self.make_lead()
        self.touch(lead)
        self.assertEqual(lead.priority, "3")
        self.assertTrue(self.firings(lead).payload["applied"])

    def test_another_record_by_its_name(self):
        for name, record in (
            ("country_id", self.env.ref("base.es")),
            ("partner_id", self.customer),
            ("user_id", self.other_seller),
        ):
            with self.subTest(name):
                self.assertSets("crm.lead", name, record.name, record)

    def test_another_record_by_its_id_or_none(self):
        self.assertSets("crm.lead", "partner_id", str(self.customer.id), self.customer)
        self.assertSets("crm.lead", "user_id", "", self.env["res.users"])

    def test_another_record_by_its_spanish_name(self):
        self.env.ref("base.es").with_context(lang="es_ES").name = "La piel de toro"
        self.manager.lang = "es_ES"
        rule = (
            self.rule_on("crm.lead", notify_emails="a@example.com")
            .with_user(self.manager)
            .with_context(lang="es_ES")
        )
        rule.value_ids = self.value_line("crm.lead", "country_id", "La piel de toro")
        self.end_transaction()
        lead = self.make_lead()
        self.touch(lead)
        self.assertEqual(lead.country_id, self.env.ref("base.es"))

    def test_what_stands_for_no_value_is_refused(self):
        self.env["res.partner"].create([{"name": "Twin of two"}, {"name": "Twin of two"}])
        for model, name, text, sentence in (
            ("crm.lead", "color", "many", "whole number"),
            ("crm.lead", "color", "1.5", "whole number"),
            ("crm.lead", "color", "99999999999", "whole number"),
            ("crm.lead", "expected_revenue", "a lot", "number"),
            ("crm.lead", "expected_revenue", "nan", "number"),
            ("crm.lead", "expected_revenue", "inf", "number"),
            ("crm.lead", "date_deadline", "soon", "2026-12-31"),
            ("crm.lead", "date_deadline", "31/12/2030", "2026-12-31"),
            ("crm.lead", "date_deadline", "2030-02-31", "2026-12-31"),
            ("crm.lead", "date_deadline", "2030-12-31 and so on", "2026-12-31"),
            ("crm.lead", "date_deadline", "+99999999999", "2026-12-31"),
            ("crm.lead", "date_deadline", "+", "2026-12-31"),
            ("sale.order", "commitment_date", "2030-12-31 25:00:00", "2026-12-31"),
            ("sale.order", "require_signature", "perhaps", "1 or 0"),
            ("crm.lead", "priority", "Highest", "It can be: .*Very High"),
            ("crm.lead", "partner_id", "Nobody of this name", "not exactly one"),
            ("crm.lead", "partner_id", "Twin of two", "not exactly one"),
            ("crm.lead", "partner_id", "99999999", "not exactly one"),
            ("crm.lead", "partner_id", "99999999999", "not exactly one"),
            ("crm.lead", "name", "", "cannot be empty"),
        ):
            with self.subTest(name, text=text):
                self.assertRefused(model, name, text, sentence)

    def test_fields_that_nobody_sets_are_refused(self):
        for model, name in (
            ("crm.lead", "id"),
            ("crm.lead", "create_date"),
            ("crm.lead", "won_status"),
            ("crm.lead", "company_currency"),
            ("crm.lead", "tag_ids"),
        ):
            with self.subTest(name):
                self.assertRefused(model, name, "1", "Choose a field")

    def test_a_field_of_another_object_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "Choose a field of the object"):
            self.rule_on("crm.lead", value_ids=self.value_line("res.partner", "city", "Soria"))

    def test_a_field_that_the_writer_may_not_change_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "may not change the field"):
            self.rule_on(
                "res.partner", value_ids=self.value_line("res.partner", "signup_type", "x")
            )

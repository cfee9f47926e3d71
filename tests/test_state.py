"""OpenERP's five states: what the record shows and what a search finds agree."""

from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..models.crm_automation_target import BUSINESS_STATES
from .common import TASTING, AutomationCase

STATES = [state for state, _label in BUSINESS_STATES]


class StateCase(AutomationCase):
    def assertState(self, records, state):
        """The records are in the state, for whoever looks and whatever he asks."""
        records.invalidate_recordset(["business_state"])
        self.assertEqual(set(records.mapped("business_state")), {state})
        others = [other for other in STATES if other != state]
        for domain in (
            [("business_state", "=", state)],
            [("business_state", "in", [state, others[0]])],
            [("business_state", "not in", others)],
            [("business_state", "!=", others[1])],
            ["!", ("business_state", "in", others)],
        ):
            self.assertEqual(self.found(records, domain), records, domain)
        for domain in (
            [("business_state", "=", others[0])],
            [("business_state", "in", others)],
            [("business_state", "not in", [state])],
            [("business_state", "!=", state)],
            [("business_state", "=", False)],
        ):
            self.assertFalse(self.found(records, domain), domain)

    @staticmethod
    def found(records, domain):
        model = records.with_context(active_test=False)
        return model.search([("id", "in", records.ids), *domain], order="id")

    def assertComputedAsSearched(self, model):
        """Each record of the database is found under the state that it shows."""
        records = self.env[model].with_context(active_test=False).search([])
        self.assertTrue(records)
        by_state = records.grouped("business_state")
        self.assertLessEqual(by_state.keys(), set(STATES))
        for state in STATES:
            found = records.search([("business_state", "=", state)])
            self.assertEqual(set(found.ids), set(by_state.get(state, records.browse()).ids), state)
            rest = records.search([("business_state", "!=", state)])
            self.assertEqual(set(rest.ids), set(records.ids) - set(found.ids), state)


@tagged("post_install", "-at_install")
class TestLeadState(StateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stages = {
            state: cls.env["crm.stage"].create({"name": state, "business_state": state})
            for state in ("draft", "open", "pending")
        }

    def make_opportunity(self, stage="open", **values):
        return self.make_lead(type="opportunity", stage_id=self.stages[stage].id, **values)

    def test_by_the_stage(self):
        for state in ("draft", "open", "pending"):
            with self.subTest(state):
                self.assertState(self.make_opportunity(state), state)

    def test_without_a_stage(self):
        lead = self.make_lead()
        lead.stage_id = False
        self.assertState(lead, "draft")

    def test_a_stage_that_is_told_another_state(self):
        lead = self.make_opportunity("open")
        self.assertState(lead, "open")
        self.stages["open"].business_state = "pending"
        self.assertState(lead, "pending")

    def test_won_whatever_its_stage_says(self):
        lead = self.make_opportunity("pending")
        lead.action_set_won()
        self.assertState(lead, "done")

    def test_lost_whatever_its_stage_says(self):
        for stage in ("draft", "open", "pending"):
            with self.subTest(stage):
                lead = self.make_opportunity(stage)
                lead.action_set_lost()
                self.assertState(lead, "cancelled")

    def test_archived_without_being_lost(self):
        lead = self.make_opportunity("open")
        lead.action_archive()
        self.assertGreater(lead.probability, 0)
        self.assertState(lead, "open")

    def test_restored(self):
        lead = self.make_opportunity("open")
        lead.action_set_lost()
        self.assertState(lead, "cancelled")
        lead.action_restore()
        self.assertState(lead, "open")

    def test_several_at_once(self):
        leads = self.make_opportunity("open") + self.make_opportunity("open")
        self.assertState(leads, "open")

    def test_first_stage_of_each_pipeline_is_draft(self):
        Stage = self.env["crm.stage"]
        team = self.env["crm.team"].create({"name": "North"})
        own = Stage.create(
            [
                {"name": name, "team_ids": [Command.set(team.ids)], "sequence": sequence}
                for sequence, name in enumerate(("First", "Second"), start=50)
            ]
        )
        common = Stage.create({"name": "Very first", "sequence": -1})
        self.assertEqual(set((own + common).mapped("business_state")), {"open"})
        Stage._automation_first_stages_are_draft()
        self.assertEqual((common + own).mapped("business_state"), ["draft", "draft", "open"])

    def test_a_new_database_has_a_draft_stage(self):
        self.assertEqual(self.env.ref("crm.stage_lead1").business_state, "draft")

    def test_a_salesperson_sees_it(self):
        lead = self.make_opportunity("pending").with_user(self.seller)
        self.assertEqual(lead.business_state, "pending")
        self.assertEqual(lead.search([("business_state", "=", "pending")]), lead)

    def test_a_record_that_is_not_saved(self):
        lead = self.env["crm.lead"].new({"name": "x", "stage_id": self.stages["pending"].id})
        self.assertEqual(lead.business_state, "pending")

    def test_all_records_are_found_as_they_show(self):
        self.make_opportunity("draft")
        self.make_opportunity("pending").action_set_lost()
        self.assertComputedAsSearched("crm.lead")


@tagged("post_install", "-at_install")
class TestTaskState(StateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls.env["project.project"].create(
            {"name": "Vintage", "allow_task_dependencies": True}
        )

    def make_task(self, **values):
        values = {"name": "Label", "project_id": self.project.id, "user_ids": False, **values}
        task = self.env["project.task"].create(values)
        self.end_transaction()
        return task

    def test_nobody_has_it(self):
        self.assertState(self.make_task(), "draft")

    def test_somebody_has_it(self):
        self.assertState(self.make_task(user_ids=[Command.set(self.seller.ids)]), "open")

    def test_changes_asked_for_and_approved(self):
        for state in ("02_changes_requested", "03_approved"):
            self.assertState(self.make_task(state=state), "open")

    def test_waiting_for_another(self):
        other = self.make_task()
        waiting = self.make_task(user_ids=[Command.set(self.seller.ids)])
        waiting.depend_on_ids = other
        self.assertEqual(waiting.state, "04_waiting_normal")
        self.assertState(waiting, "pending")
        other.state = "1_done"
        self.assertState(waiting, "open")

    def test_closed(self):
        self.assertState(self.make_task(state="1_done"), "done")
        self.assertState(self.make_task(state="1_canceled"), "cancelled")

    def test_all_records_are_found_as_they_show(self):
        self.make_task()
        self.make_task(state="1_canceled")
        self.assertComputedAsSearched("project.task")


@tagged("post_install", "-at_install")
class TestMeetingState(StateCase):
    def make_meeting(self, guests=None, **values):
        values = {
            **TASTING,
            "partner_ids": [Command.set((guests or self.env["res.partner"]).ids)],
            "user_id": self.manager.id,
            **values,
        }
        event = self.env["calendar.event"].create(values)
        self.end_transaction()
        return event

    def test_nobody_is_invited(self):
        self.assertState(self.make_meeting(), "draft")

    def test_an_answer_is_missing(self):
        event = self.make_meeting(self.customer + self.seller.partner_id)
        self.assertState(event, "pending")
        event.attendee_ids[0].do_accept()
        self.assertState(event, "pending")
        event.attendee_ids[1].do_tentative()
        self.assertState(event, "pending")

    def test_all_have_answered(self):
        event = self.make_meeting(self.customer + self.seller.partner_id)
        event.attendee_ids[0].do_accept()
        event.attendee_ids[1].do_decline()
        self.assertState(event, "open")

    def test_over(self):
        event = self.make_meeting(
            self.customer, start="2020-01-07 09:00:00", stop="2020-01-07 10:00:00"
        )
        self.assertState(event, "done")

    def test_over_as_soon_as_the_clock_says(self):
        event = self.make_meeting(self.customer)
        self.assertState(event, "pending")
        with freeze_time("2030-01-07 09:59:59"):
            self.assertState(event, "pending")
        with freeze_time("2030-01-07 10:00:01"):
            self.assertState(event, "done")

    def test_whole_day(self):
        today = fields.Date.today()
        for days, state in ((2, "draft"), (-2, "done")):
            day = today + timedelta(days=days)
            event = self.make_meeting(allday=True, start_date=day, stop_date=day)
            self.assertState(event, state)

    def test_cancelled_before_and_after(self):
        for start, stop in (
            ("2030-01-07 09:00:00", "2030-01-07 10:00:00"),
            ("2020-01-07 09:00:00", "2020-01-07 10:00:00"),
        ):
            event = self.make_meeting(self.customer, start=start, stop=stop)
            event.active = False
            self.assertState(event, "cancelled")

    def test_all_records_are_found_as_they_show(self):
        self.make_meeting(self.customer).active = False
        self.make_meeting()
        self.assertComputedAsSearched("calendar.event")


@tagged("post_install", "-at_install")
class TestOwnState(StateCase):
    """A kind of record with states of its own keeps them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.env["ir.model"]._get("sale.order")

    def states(self, *values):
        rows = self.env["ir.model.fields"]._get("sale.order", "state").selection_ids
        return [Command.set(rows.filtered(lambda row: row.value in values).ids)]

    def test_the_form_offers_them(self):
        rule = self.make_rule(trigger="created", model_id=self.model.id)
        own = self.env["ir.model.fields"]._get("sale.order", "state")
        self.assertEqual(rule.state_field_id, own)
        self.assertIn(",state,", rule.offered)

    def test_an_object_without_states_is_offered_none(self):
        rule = self.make_rule(
            trigger="created", model_id=self.env["ir.model"]._get_id("res.partner")
        )
        self.assertFalse(rule.state_field_id)
        self.assertNotIn(",state,", rule.offered)

    def test_reached_from_and_to(self):
        rule = self.make_rule(
            trigger="state_reached",
            model_id=self.model.id,
            state_from_ids=self.states("draft", "sent"),
            state_to_ids=self.states("sale"),
        )
        order, cancelled = self.env["sale.order"].create(
            [{"partner_id": self.customer.id, "user_id": self.seller.id} for _ in range(2)]
        )
        cancelled.action_cancel()
        self.end_transaction()
        self.assertFalse(self.firings(order + cancelled))
        order.action_confirm()
        self.end_transaction()
        self.assertEqual(self.firings(order).rule_id, rule)
        cancelled.state = "sale"
        self.end_transaction()
        self.assertFalse(self.firings(cancelled))

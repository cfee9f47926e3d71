"""Saved filters, states and what was before the change as conditions."""

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import DECISION_LOG
from .test_condition import ConditionCase


@tagged("post_install", "-at_install")
class TestConditionFilter(ConditionCase):
    """Saved filters and domains: literals, with the rights of the owner."""

    def make_filter(self, user, domain, model="crm.lead"):
        return self.env["ir.filters"].create(
            {
                "name": "Big ones",
                "model_id": model,
                "domain": domain,
                "user_ids": [Command.set(user.ids)],
            }
        )

    def test_own_saved_filter(self):
        saved = self.make_filter(self.manager, "[('expected_revenue', '>', 1000)]")
        rule = self.rule_on("crm.lead", filter_id=saved.id)
        self.assertMatches(rule, self.make("crm.lead", expected_revenue=2000))
        self.assertNoMatch(rule, self.make("crm.lead", expected_revenue=20))

    def test_saved_filter_of_everybody_on_other_objects(self):
        everybody = self.env["res.users"]
        for model, domain, values in (
            ("project.task", "[('priority', '=', '1')]", {"priority": "1"}),
            ("calendar.event", "[('allday', '=', True)]", {"allday": True}),
            ("sale.order", "[('origin', '=', 'web')]", {"origin": "web"}),
            ("res.partner", "[('city', '=', 'Burgos')]", {"city": "Burgos"}),
        ):
            with self.subTest(model):
                saved = self.make_filter(everybody, domain, model)
                rule = self.rule_on(model, filter_id=saved.id)
                self.assertMatches(rule, self.make(model, **values))
                self.assertNoMatch(rule, self.make(model))

    def test_saved_filter_and_conditions_on_fields_are_both_asked(self):
        saved = self.make_filter(self.manager, "[('expected_revenue', '>', 1000)]")
        rule = self.rule_on(
            "crm.lead", filter_id=saved.id, filter_domain="[('city', '=', 'Burgos')]"
        )
        self.assertMatches(rule, self.make("crm.lead", expected_revenue=2000, city="Burgos"))
        self.assertNoMatch(
            rule,
            self.make("crm.lead", expected_revenue=2000, city="Lugo"),
            self.make("crm.lead", expected_revenue=20, city="Burgos"),
        )

    def test_foreign_private_filter_is_refused(self):
        saved = self.make_filter(self.seller, "[]")
        self.assertRefused("may not read yourself", "crm.lead", filter_id=saved.id)

    def test_filter_of_another_object_is_refused(self):
        saved = self.make_filter(self.manager, "[]", "res.partner")
        self.assertRefused("another kind of record", "crm.lead", filter_id=saved.id)

    def test_formulas_are_refused(self):
        for domain in ("[('user_id', '=', uid)]", "[('create_date', '<', context_today())]"):
            with self.subTest(domain):
                saved = self.make_filter(self.manager, domain)
                self.assertRefused("fixed values only", "crm.lead", filter_id=saved.id)
                self.assertRefused("fixed values only", "crm.lead", filter_domain=domain)
                self.assertRefused("fixed values only", "crm.lead", before_domain=domain)

    def test_a_domain_that_does_not_fit_is_refused(self):
        for domain in ("[('no_such_field', '=', 1)]", "[('name', 'sounds like', 'x')]", "[3]"):
            for field in ("filter_domain", "before_domain"):
                with self.subTest(field, domain=domain):
                    self.assertRefused("does not fit this object", "crm.lead", **{field: domain})

    def test_a_saved_filter_that_is_spoilt_later_fails_with_a_sentence(self):
        saved = self.make_filter(self.manager, "[]")
        self.rule_on("crm.lead", filter_id=saved.id)
        saved.domain = "[('user_id', '=', uid)]"
        lead = self.make("crm.lead")
        with mute_logger(DECISION_LOG):
            self.change(lead)
        firing = self.firings(lead)
        self.assertEqual(firing.state, "failed")
        self.assertIn("fixed values only", firing.reason)

    # -- before the change -----------------------------------------------------------

    def test_before_the_change(self):
        rule = self.rule_on("crm.lead", before_domain="[('city', '=', 'Burgos')]")
        moved, came, stays = (
            self.make("crm.lead", city=city) for city in ("Burgos", "Lugo", "Lugo")
        )
        moved.city, came.city, stays.referred = "Lugo", "Burgos", "x"
        self.end_transaction()
        self.assertEqual(self.firings(moved + came + stays).mapped("res_id"), moved.ids)
        self.assertEqual(self.firings(moved).rule_id, rule)

    def test_before_the_transaction_whatever_it_writes_first(self):
        """The trigger's field is written last, when the database has the new values."""
        rule = self.make_rule(before_domain="[('city', '=', 'Burgos')]")
        left, came = self.make_lead(city="Burgos"), self.make_lead(city="Lugo")
        left.city, came.city = "Lugo", "Burgos"
        self.env.flush_all()
        (left + came).type = "opportunity"
        self.end_transaction()
        self.assertEqual(self.firings(left).rule_id, rule)
        self.assertFalse(self.firings(came))

    def test_nothing_was_before_a_creation(self):
        self.rule_on("crm.lead", trigger="saved", before_domain="[('city', '=', 'Burgos')]")
        lead = self.make("crm.lead", city="Burgos")
        self.assertFalse(self.firings(lead))


@tagged("post_install", "-at_install")
class TestConditionState(ConditionCase):
    """State before and after; those of a model's own where it has some."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stages = cls.env["crm.stage"].create(
            [{"name": state, "business_state": state} for state in ("draft", "open", "pending")]
        )

    def stage(self, state):
        return self.stages.filtered(lambda stage: stage.business_state == state)

    def states(self, *values, model="crm.lead", field="business_state"):
        return [Command.set(self.selections(model, field, *values).ids)]

    def lead_in(self, state):
        return self.make("crm.lead", stage_id=self.stage(state).id)

    def move(self, lead, state):
        self.firings(lead).unlink()
        lead.stage_id = self.stage(state)
        self.end_transaction()
        return bool(self.firings(lead))

    def test_state_to_one_and_several(self):
        rule = self.rule_on("crm.lead", state_to_ids=self.states("pending"))
        self.assertMatches(rule, self.lead_in("pending"))
        self.assertNoMatch(rule, self.lead_in("open"), self.lead_in("draft"))
        rule.with_user(self.manager).state_to_ids = self.selections(
            "crm.lead", "business_state", "pending", "open"
        )
        self.assertMatches(rule, self.lead_in("pending"), self.lead_in("open"))
        self.assertNoMatch(rule, self.lead_in("draft"))

    def test_state_from_is_the_one_before_the_change(self):
        self.rule_on("crm.lead", state_from_ids=self.states("draft"))
        lead = self.lead_in("draft")
        self.assertTrue(self.move(lead, "open"))
        self.assertFalse(self.move(lead, "pending"))
        self.assertFalse(self.move(lead, "draft"))

    def test_state_from_of_a_record_that_stays_is_its_state(self):
        rule = self.rule_on("crm.lead", state_from_ids=self.states("draft"))
        self.assertMatches(rule, self.lead_in("draft"))
        self.assertNoMatch(rule, self.lead_in("open"))

    def test_state_from_several_to_one(self):
        self.rule_on(
            "crm.lead",
            trigger="state_reached",
            state_from_ids=self.states("open", "pending"),
            state_to_ids=self.states("draft"),
        )
        lead = self.lead_in("open")
        self.assertTrue(self.move(lead, "draft"))
        self.assertFalse(self.move(lead, "pending"))
        self.assertTrue(self.move(lead, "draft"))

    def test_own_states_of_an_order(self):
        rule = self.rule_on(
            "sale.order",
            state_from_ids=self.states("draft", model="sale.order", field="state"),
            state_to_ids=self.states("sent", "sale", model="sale.order", field="state"),
        )
        order = self.make("sale.order")
        order.state = "sent"
        self.end_transaction()
        self.assertEqual(self.firings(order).rule_id, rule)
        self.firings(order).unlink()
        order.state = "sale"
        self.end_transaction()
        self.assertFalse(self.firings(order))

    def test_states_of_tasks_and_meetings(self):
        for model, there in (
            ("project.task", {"state": "1_done"}),
            ("calendar.event", {"start": "2020-01-07 09:00:00", "stop": "2020-01-07 10:00:00"}),
        ):
            with self.subTest(model):
                rule = self.rule_on(model, state_to_ids=self.states("done", model=model))
                self.assertMatches(rule, self.make(model, **there))
                self.assertNoMatch(rule, self.make(model))

    def test_states_of_another_object_are_refused(self):
        self.assertRefused(
            "states are those of another kind",
            "sale.order",
            state_to_ids=self.states("done"),
        )

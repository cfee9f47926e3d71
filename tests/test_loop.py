"""Rules that set off themselves and each other: it ends, and the log says where."""

import contextlib
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..engine.changes import MAX_CHAIN
from .common import AutomationCase

#: What each rule of a chain waits for, and what it sets; the next waits for that.
CHAIN = [
    ("city", "referred", "a"),
    ("referred", "street", "b"),
    ("street", "street2", "c"),
    ("street2", "zip", "d"),
    ("zip", "function", "e"),
    ("function", "contact_name", "f"),
    ("contact_name", "color", "7"),
    ("color", "priority", "2"),
    ("priority", "expected_revenue", "9"),
    ("expected_revenue", "date_deadline", "2030-01-01"),
]


class LoopCase(AutomationCase):
    @classmethod
    def rule_on(cls, watched, *sets, model="crm.lead", **values):
        """A rule that sets fields when one is changed.

        :param str watched: name of the field, empty for any
        :param sets: pairs of field name and value
        """
        field = cls.env["ir.model.fields"]._get
        return cls.make_rule(
            **{
                "name": f"{watched} sets {sets}",
                "trigger": "updated",
                "model_id": cls.env["ir.model"]._get_id(model),
                "watched_field_ids": [Command.set(field(model, watched).ids if watched else [])],
                "value_ids": [
                    Command.create({"field_id": field(model, name).id, "value": value})
                    for name, value in sets
                ],
                "notify_responsible": False,
                **values,
            }
        )

    @contextlib.contextmanager
    def later(self, **delta):
        moment = self.env.cr.now() + timedelta(**delta)
        with freeze_time(moment), patch.object(self.env.cr, "_now", moment):
            yield

    def pass_time(self, rounds, **delta):
        """Let jobs run so often, each time later and in a transaction of its own."""
        with contextlib.ExitStack() as stack:
            for _round in range(rounds):
                stack.enter_context(self.later(**delta))
                self.drain()
                self.end_transaction()

    def states(self, record):
        """Rule to the outcomes of its executions on a record."""
        firings = self.firings(record).sorted("id")
        return {rule: rows.mapped("state") for rule, rows in firings.grouped("rule_id").items()}


@tagged("post_install", "-at_install")
class TestOwnDoing(LoopCase):
    """What a rule does itself does not fire it again."""

    def assertFiredOnce(self, record, rule):
        self.pass_time(3, hours=2)
        self.assertEqual(self.states(record), {rule: ["done"]})

    def test_its_own_write_at_once(self):
        rule = self.rule_on("", ("referred", "the rule"))
        lead = self.make_lead()
        lead.city = "Soria"
        self.end_transaction()
        self.assertEqual(lead.referred, "the rule")
        self.assertFiredOnce(lead, rule)

    def test_its_own_write_by_the_job(self):
        rule = self.rule_on("", ("referred", "the rule"), delay_number=1, delay_unit="hours")
        lead = self.make_lead()
        lead.city = "Soria"
        self.assertFiredOnce(lead, rule)
        self.assertEqual(lead.referred, "the rule")

    def test_a_field_that_it_watches_and_sets(self):
        rule = self.rule_on("city", ("city", "Burgos"))
        lead = self.make_lead()
        lead.city = "Soria"
        self.assertFiredOnce(lead, rule)
        self.assertEqual(lead.city, "Burgos")

    def test_created_or_changed(self):
        rule = self.rule_on("", ("referred", "the rule"), trigger="saved")
        lead = self.make_lead()
        self.assertFiredOnce(lead, rule)

    def test_its_notice_followers_and_activity(self):
        rule = self.rule_on(
            "",
            notify_responsible=True,
            notify_watchers=True,
            watcher_emails="watcher@example.com",
            add_follower_ids=[Command.set(self.customer.ids)],
            activity_type_id=self.env.ref("mail.mail_activity_data_todo").id,
        )
        lead = self.make_lead()
        lead.city = "Soria"
        self.assertFiredOnce(lead, rule)
        self.assertIn("watcher@example.com", lead.email_cc)

    def test_its_server_action(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Count",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": "record.write({'color': record.color + 1})",
            }
        )
        rule = self.rule_on(
            "",
            user=self.env.ref("base.user_admin"),
            server_action_ids=[Command.set(action.ids)],
        )
        lead = self.make_lead()
        lead.city = "Soria"
        self.assertFiredOnce(lead, rule)
        self.assertEqual(lead.color, 1)

    def test_messages_that_its_notice_writes(self):
        rule = self.rule_on(
            "", model="mail.message", trigger="created", notify_emails="a@example.com",
            user=self.env.ref("base.user_admin"),
        )  # fmt: skip
        lead = self.make_lead()
        self.pass_time(1, hours=1)
        self.Firing.search([("rule_id", "=", rule.id)]).unlink()
        lead.message_post(body="Hello", message_type="comment")
        self.pass_time(4, hours=1)
        firings = self.Firing.search([("rule_id", "=", rule.id)])
        self.assertEqual(firings.mapped("state"), ["done"])

    def test_a_rule_that_calls_itself(self):
        rule = self.rule_on(
            "", trigger="called", notify_emails="a@example.com",
            user=self.env.ref("base.user_admin"),
        )  # fmt: skip
        action = self.env["ir.actions.server"].create(
            {
                "name": "Call",
                "model_id": rule.model_id.id,
                "state": "automation_notice",
                "automation_rule_id": rule.id,
            }
        )
        rule.with_user(self.env.ref("base.user_admin")).server_action_ids = action
        lead = self.make_lead()
        action.with_context(active_model="crm.lead", active_ids=lead.ids).run()
        self.assertFiredOnce(lead, rule)

    def test_what_sending_writes_cannot_be_watched(self):
        for model in ("crm.automation.firing", "crm.automation.delivery", "mail.mail"):
            with self.subTest(model), self.assertRaisesRegex(ValidationError, "would never end"):
                self.rule_on("", model=model, notify_emails="a@example.com",
                             user=self.env.ref("base.user_admin"))  # fmt: skip

    def test_a_person_fires_it_again_in_another_transaction(self):
        rule = self.rule_on("city", ("city", "Burgos"))
        lead = self.make_lead()
        for _time in range(2):
            lead.city = "Soria"
            self.end_transaction()
            self.assertEqual(lead.city, "Burgos")
        self.drain()
        self.assertEqual(self.states(lead), {rule: ["done", "done"]})


@tagged("post_install", "-at_install")
class TestEachOther(LoopCase):
    """Two rules that set each other off."""

    def test_at_once(self):
        first = self.rule_on("city", ("referred", "from the city"))
        second = self.rule_on("referred", ("city", "from the reference"))
        lead = self.make_lead()
        lead.city = "Soria"
        self.end_transaction()
        self.assertEqual((lead.referred, lead.city), ("from the city", "from the reference"))
        self.drain()
        self.assertEqual(self.states(lead), {first: ["done"], second: ["done"]})
        chains = {firing.rule_id: firing.chain for firing in self.firings(lead)}
        self.assertEqual(chains, {first: False, second: str(first.id)})

    def make_seesaw(self, **values):
        """One makes a high priority low, the other a low one high."""
        return (
            self.rule_on(
                "priority", ("priority", "0"), filter_domain="[('priority', '=', '3')]", **values
            ),
            self.rule_on(
                "priority", ("priority", "3"), filter_domain="[('priority', '=', '0')]", **values
            ),
        )

    def test_seesaw_at_once(self):
        down, up = self.make_seesaw()
        lead = self.make_lead(priority="1")
        lead.priority = "3"
        self.end_transaction()
        self.drain()
        self.assertEqual(self.states(lead), {down: ["done"], up: ["done"]})

    def test_seesaw_over_transactions_stops(self):
        down, up = self.make_seesaw(delay_number=1, delay_unit="hours")
        lead = self.make_lead(priority="1")
        lead.priority = "3"
        self.end_transaction()
        self.pass_time(MAX_CHAIN + 4, hours=2)
        states = self.states(lead)
        self.assertEqual(states, {down: ["done"] * 4 + ["cancelled"], up: ["done"] * 4})
        last = self.firings(lead, "cancelled")
        self.assertIn("have set each other off", last.reason)
        self.assertEqual(last.chain, ",".join([str(down.id), str(up.id)] * 4))

    def test_two_rules_about_messages_stop(self):
        rules = [
            self.rule_on(
                "", model="mail.message", trigger="created", notify_emails=f"{name}@example.com",
                user=self.env.ref("base.user_admin"),
            )
            for name in "ab"
        ]  # fmt: skip
        lead = self.make_lead()
        self.pass_time(1, hours=1)
        domain = [("rule_id", "in", [rule.id for rule in rules])]
        self.Firing.search(domain).unlink()
        lead.message_post(body="Hello", message_type="comment")
        self.pass_time(MAX_CHAIN + 4, hours=1)
        firings = self.Firing.search(domain)
        self.assertEqual(set(firings.mapped("state")), {"done", "cancelled"})
        self.assertFalse(firings.filtered(lambda f: f.state == "pending"))
        self.assertEqual(len(firings), 2 * (MAX_CHAIN + 1))


@tagged("post_install", "-at_install")
class TestChain(LoopCase):
    """Ten rules, each changing what the next one waits for."""

    def make_chain(self, **values):
        return [self.rule_on(watched, (name, value), **values) for watched, name, value in CHAIN]

    def assertStopped(self, lead, rules):
        """The first eight have acted, the ninth says that it is stopped, the tenth slept."""
        states = self.states(lead)
        expected = {rule: ["done"] for rule in rules[:MAX_CHAIN]}
        self.assertEqual(states, expected | {rules[MAX_CHAIN]: ["cancelled"]})
        stopped = self.firings(lead, "cancelled")
        self.assertIn(f"more than {MAX_CHAIN} automated actions", stopped.reason)
        self.assertTrue(stopped.finished_at)
        self.assertEqual(stopped.chain, ",".join(str(rule.id) for rule in rules[:MAX_CHAIN]))
        self.assertEqual((lead.referred, lead.function, lead.priority), ("a", "e", "2"))
        self.assertFalse(lead.expected_revenue or lead.date_deadline)

    def test_at_once(self):
        rules = self.make_chain()
        lead = self.make_lead()
        lead.city = "Soria"
        self.end_transaction()
        self.assertEqual(lead.priority, "2", "not within the user's own transaction")
        self.drain()
        self.assertStopped(lead, rules)

    def test_in_the_answer_of_a_save(self):
        self.make_chain()
        lead = self.make_lead()
        [row] = lead.with_user(self.manager).web_save(
            {"city": "Soria"}, {"priority": {}, "expected_revenue": {}}
        )
        self.assertEqual((row["priority"], row["expected_revenue"]), ("2", 0))

    def test_over_transactions(self):
        rules = self.make_chain(delay_number=1, delay_unit="hours")
        lead = self.make_lead()
        lead.city = "Soria"
        self.end_transaction()
        self.pass_time(len(CHAIN) + 2, hours=2)
        self.assertStopped(lead, rules)

    def test_one_shorter_runs_to_its_end(self):
        rules = self.make_chain()[:MAX_CHAIN]
        self.Rule.search([("id", "not in", [rule.id for rule in rules])]).enabled = False
        lead = self.make_lead()
        lead.city = "Soria"
        self.end_transaction()
        self.drain()
        self.assertEqual(self.states(lead), {rule: ["done"] for rule in rules})

    def test_what_a_person_does_begins_a_new_chain(self):
        rules = self.make_chain()
        lead = self.make_lead()
        lead.city = "Soria"
        self.end_transaction()
        lead.priority = "1"
        self.end_transaction()
        self.drain()
        self.assertEqual(self.states(lead)[rules[MAX_CHAIN]], ["cancelled", "done"])
        self.assertEqual(lead.expected_revenue, 9)

    def test_chains_of_different_length_in_one_batch_keep_their_own(self):
        """A record that a long chain has led to does not stop another one."""
        rules = self.make_chain(delay_number=1, delay_unit="hours")
        old, new = self.make_lead(), self.make_lead()
        old.city = "Soria"
        self.end_transaction()
        self.pass_time(MAX_CHAIN - 1, hours=2)
        self.assertEqual(self.states(old)[rules[MAX_CHAIN - 1]], ["pending"])
        new.color = 3  # what the last of the long chain waits for, by a person
        self.end_transaction()
        self.pass_time(4, hours=10)
        self.assertEqual(self.states(old)[rules[MAX_CHAIN]], ["cancelled"])
        self.assertEqual(self.states(new)[rules[MAX_CHAIN]], ["done"])

"""Odoo's own rules there and back again: never both, by administrators only."""

import ast
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, TransactionCase, tagged

from .common import AutomationData
from .test_take_over import TakeOverCase


@tagged("post_install", "-at_install")
class TestThereAndBack(TakeOverCase):
    def test_never_both(self):
        stock = self.make_stock()
        rule = self.take_over(stock)
        self.assertFalse(stock.active)
        self.assertTrue(rule.enabled)
        self.assertTrue(stock.exists())
        # Somebody takes Odoo's rule out of the archive by hand.
        stock.active = True
        self.end_transaction()
        rule.invalidate_recordset()
        self.assertIn("never both", rule.problem)
        lead = self.make_lead()
        self.assertEqual(self.acts_on(lead), 0)
        stock.active = False
        self.end_transaction()
        self.assertEqual(self.acts_on(self.make_lead()), 1)

    def test_still_switched_off(self):
        stock = self.make_stock()
        rule = self.take_over(stock, enable=False)
        self.assertFalse(stock.active)
        self.assertFalse(rule.enabled)

    def test_a_rule_that_was_off_stays_off(self):
        stock = self.make_stock(active=False)
        with self.assertRaisesRegex(UserError, "stays off"):
            self.take_over(stock)
        rule = self.take_over(stock, enable=False)
        self.assertFalse(rule.enabled)
        line = self.line(stock)
        line.action_give_back()
        self.assertFalse(stock.active)
        self.assertFalse(rule.active)

    def test_given_back(self):
        stock = self.make_stock()
        before = stock.read(["active", "trigger", "filter_domain", "action_server_ids", "last_run"])
        rule = self.take_over(stock)
        line = self.line(stock)
        self.assertTrue(line.is_taken_over)
        line.action_give_back()
        self.end_transaction()
        after = stock.read(["active", "trigger", "filter_domain", "action_server_ids", "last_run"])
        self.assertEqual(after, before)
        self.assertFalse(rule.active or rule.enabled)
        self.assertFalse(line.is_taken_over)
        # And again: the rule with its log is the same.
        self.assertEqual(self.take_over(stock), rule)
        self.assertTrue(rule.active and rule.enabled)
        self.assertFalse(stock.active)

    def test_what_waits_is_cancelled_when_it_is_given_back(self):
        stock = self.make_stock()
        self.take_over(stock)
        lead = self.make_lead()
        self.line(stock).action_give_back()
        self.assertEqual(self.firings(lead).state, "cancelled")

    def test_not_twice(self):
        stock = self.make_stock()
        line = self.line(stock)
        line.action_take_over()
        with self.assertRaisesRegex(UserError, "taken over already"):
            line.action_take_over()
        self.assertEqual(self.Rule.search_count([("stock_rule_id", "=", stock.id)]), 1)

    def test_both_say_where_the_other_is(self):
        stock = self.make_stock()
        rule = self.take_over(stock)
        self.assertIn(rule.name, stock.message_ids[:1].body.striptags())
        self.assertEqual(rule.stock_rule_id, stock.id)
        action = rule.with_user(self.admin).action_open_take_over()
        line = self.env["crm.automation.take.over"].browse(action["res_id"])
        self.assertEqual(line.stock_id, stock.id)

    def test_the_rule_is_not_deleted_while_it_stands_for_another(self):
        stock = self.make_stock()
        rule = self.take_over(stock)
        with self.assertRaisesRegex(UserError, "give it back first"):
            rule.with_user(self.manager).unlink()
        self.line(stock).action_give_back()
        rule.with_user(self.manager).unlink()

    def test_the_uninstallation_gives_all_back(self):
        from ..hooks import uninstall_hook  # noqa: PLC0415

        on, off = self.make_stock(), self.make_stock(active=False)
        self.take_over(on)
        self.take_over(off, enable=False)
        uninstall_hook(self.env)
        self.assertTrue(on.active)
        self.assertFalse(off.active)

    def test_another_rule_of_the_same_number(self):
        """Odoo's module was uninstalled and installed again: its numbers begin anew."""
        stock = self.make_stock()
        rule = self.take_over(stock)
        stock.active = True
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE base_automation SET create_date = create_date + interval '1 day' WHERE id = %s",
            [stock.id],
        )
        self.env.invalidate_all()
        self.assertFalse(rule.problem)

    def test_its_names_in_each_language(self):
        stock = self.make_stock()
        stock.with_context(lang="es_ES").name = "La de Odoo"
        rule = self.take_over(stock)
        self.assertEqual(rule.with_context(lang="es_ES").name, "La de Odoo")
        self.assertEqual(rule.with_context(lang="en_US").name, "Odoo's own")


@tagged("post_install", "-at_install")
class TestRights(TakeOverCase):
    def test_administrators_only(self):
        stock = self.make_stock()
        line = self.line(stock)
        for user in (self.manager, self.seller, self.portal):
            with self.subTest(user=user.login):
                Line = self.env["crm.automation.take.over"].with_user(user)
                with self.assertRaises(AccessError):
                    Line._open()
                with self.assertRaises(AccessError):
                    Line.create({"stock_id": stock.id})
                for method in ("action_take_over", "action_take_over_and_enable",
                               "action_give_back", "read"):  # fmt: skip
                    with self.assertRaises(AccessError):
                        getattr(line.with_user(user), method)()
        self.assertTrue(stock.active)

    def test_a_manager_claims_no_rule_of_odoos(self):
        stock = self.make_stock(active=False)
        values = {"name": "Mine", "trigger": "lead_converted", "notify_responsible": True}
        Rule = self.Rule.with_user(self.manager)
        with self.assertRaises(AccessError):
            Rule.create({**values, "stock_rule_id": stock.id})
        with self.assertRaises(AccessError):
            Rule.with_context(default_stock_rule_id=stock.id).create(values)
        rule = Rule.create(values)
        for name in ("stock_rule_id", "stock_taken_over", "stock_was_active"):
            with self.assertRaises(AccessError):
                rule[name] = 1
            with self.assertRaises(AccessError):
                rule.read([name])

    def test_the_menu(self):
        menu = self.env.ref("crm_automation.menu_sale_automation_take_over")
        Menu = self.env["ir.ui.menu"]
        self.assertIn(menu.id, Menu.with_user(self.admin).load_menus(False))
        self.assertNotIn(menu.id, Menu.with_user(self.manager).load_menus(False))


@tagged("post_install", "-at_install")
class TestTakeOverTour(TakeOverCase, HttpCase):
    def test_taken_over_and_given_back_on_the_screen(self):
        self.admin.lang = "es_ES"
        stock = self.make_stock(name="Look at every lead")
        self.start_tour("/odoo", "crm_automation_take_over", login="admin")
        rule = self.Rule.with_context(active_test=False).search([("stock_rule_id", "=", stock.id)])
        self.assertTrue(stock.active)
        self.assertFalse(rule.active)
        self.assertEqual(rule.owner_id, self.admin)
        self.assertEqual(len(stock.message_ids.filtered(lambda note: rule.name in note.body)), 2)


@tagged("post_install", "-at_install")
class TestWithoutOdoosRules(AutomationData, TransactionCase):
    """What is there where base_automation is not: its place in the registry is hidden."""

    @contextmanager
    def without_odoos_rules(self):
        models = {
            name: model for name, model in self.env.registry.models.items()
            if name != "base.automation"
        }  # fmt: skip
        with patch.object(self.env.registry, "models", models):
            self.env.registry.clear_cache()
            yield
        self.env.registry.clear_cache()

    def test_no_menu_and_an_empty_list(self):
        admin = self.env.ref("base.user_admin")
        menus = {
            self.env.ref(f"crm_automation.menu_{app}_automation_take_over").id
            for app in ("sale", "crm")
        }
        with self.without_odoos_rules():
            shown = self.env["ir.ui.menu"].with_user(admin).load_menus(False)
            self.assertFalse(menus & shown.keys())
            Line = self.env["crm.automation.take.over"].with_user(admin)
            action = Line._open()
            self.assertFalse(Line.search(action["domain"]))
            self.assertIn("there are none", action["help"])

    def test_a_rule_that_was_taken_over_acts_on(self):
        rule = self.make_rule()
        rule.sudo().write({"stock_rule_id": 1, "stock_taken_over": True})
        # Not by its place in the registry: fields of other models lead to it here.
        with patch.object(type(self.Rule), "_stock_rules", lambda _rule: None):
            lead = self.make_lead()
            lead.type = "opportunity"
            self.drain()
            self.assertEqual(self.firings(lead).state, "done")
            rule.unlink()


@tagged("post_install", "-at_install")
class TestScheduledActions(AutomationData, TransactionCase):
    def shown(self, user):
        domain = ast.literal_eval(self.env.ref("crm_automation.ir_cron_action").domain)
        return self.env["ir.cron"].with_user(user).with_context(active_test=False).search(domain)

    def test_the_addons_jobs_and_those_they_wait_for(self):
        admin = self.env.ref("base.user_admin")
        found = self.shown(admin)
        own = self.env["ir.model.data"].search(
            [("module", "=", "crm_automation"), ("model", "=", "ir.cron")]
        )
        self.assertGreater(len(own), 5)
        jobs = self.env["ir.cron"].with_context(active_test=False).browse(own.mapped("res_id"))
        for xmlid in ("mail.ir_cron_mail_scheduler_action", "calendar.ir_cron_scheduler_alarm"):
            jobs += self.env.ref(xmlid)
        for job in jobs:
            with self.subTest(job.name):
                self.assertIn(job, found)
                self.assertNotEqual(job.automation_purpose, job.name, "said in plain words")
        self.assertLess(len(found - jobs), 4)

    def test_the_next_run_is_when_it_is_woken(self):
        job = self.env.ref("crm_automation.ir_cron_drainer_1")
        job.nextcall = datetime(2040, 1, 1)
        self.env["ir.cron.trigger"].search([("cron_id", "=", job.id)]).unlink()
        self.assertEqual(job.automation_next, datetime(2040, 1, 1))
        job._trigger(at=datetime(2039, 1, 1))
        job.invalidate_recordset()
        self.assertEqual(job.automation_next, datetime(2039, 1, 1))
        job.active = False
        self.assertFalse(job.automation_next)

    def test_for_administrators_only(self):
        for user in (self.manager, self.seller, self.portal):
            with self.assertRaises(AccessError):
                self.shown(user)

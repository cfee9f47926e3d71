"""Odoo's own rules taken over, with the real module, and given back.

Where it is not installed there is nothing to take over, and no menu to it.
"""

import ast
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, TransactionCase, tagged

from .common import AutomationCase, AutomationData

#: A Tuesday. Madrid is two hours ahead of UTC then.
NOW = datetime(2027, 6, 15, 10, 0)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class TakeOverCase(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "base.automation" not in cls.env:
            cls.skipTest(cls, "base_automation is not installed: nothing was taken over")
        cls.admin = cls.env.ref("base.user_admin")
        cls.admin.group_ids += cls.env.ref("sales_team.group_sale_manager")
        cls.Stock = cls.env["base.automation"].with_user(cls.admin).with_context(active_test=False)
        # Its patches of the models' methods outlive the transaction.
        cls.addClassCleanup(cls.env["base.automation"]._unregister_hook)
        cls.template = cls.env["mail.template"].create(
            {
                "name": "Look at it",
                "model_id": cls.env["ir.model"]._get_id("crm.lead"),
                "subject": "Look at {{ object.name }}",
                "body_html": "<p>Please look.</p>",
                "use_default_to": False,
                "partner_to": "{{ object.user_id.partner_id.id }}",
                "auto_delete": False,
            }
        )

    def make_stock(self, trigger="on_create", model="crm.lead", actions=None, **values):
        """One of Odoo's rules; without actions it mails the template."""
        model_id = self.env["ir.model"]._get_id(model)
        if actions is None:
            actions = [
                {
                    "state": "mail_post",
                    "mail_post_method": "email",
                    "template_id": self.template.id,
                }
            ]
        stock = self.Stock.create(
            {
                "name": "Odoo's own",
                "model_id": model_id,
                "trigger": trigger,
                "action_server_ids": [
                    Command.create(
                        {
                            "name": "Do it",
                            "model_id": model_id,
                            "usage": "base_automation",
                            **action,
                        }
                    )
                    for action in actions
                ],
                **values,
            }
        )
        self.end_transaction()
        return stock

    def line(self, stock):
        Line = self.env["crm.automation.take.over"].with_user(self.admin)
        Line._open()
        line = Line.search([("stock_id", "=", stock.id), ("create_uid", "=", self.admin.id)])
        line.invalidate_recordset()
        return line

    def take_over(self, stock, enable=True, **values):
        line = self.line(stock)
        line.write(values)
        if enable:
            line.action_take_over_and_enable()
        else:
            line.action_take_over()
        self.end_transaction()
        return line.rule_id

    def field(self, name, model="crm.lead"):
        return self.env["ir.model.fields"]._get(model, name)

    def touch(self, record, **values):
        record.write(values)
        self.end_transaction()

    def acts_on(self, record):
        """How often this addon's rules have acted on a record since the last call."""
        self.drain()
        found = self.firings(record, "done")
        number = len(found)
        found.sudo().unlink()
        return number


@tagged("post_install", "-at_install")
class TestTriggers(TakeOverCase):
    """Each of Odoo's triggers: what it becomes, and that the rule acts like it."""

    def test_a_new_record(self):
        rule = self.take_over(self.make_stock("on_create"))
        self.assertEqual(rule.trigger, "created")
        lead = self.make_lead()
        self.assertEqual(self.acts_on(lead), 1)
        self.touch(lead, city="Soria")
        self.assertEqual(self.acts_on(lead), 0)

    def test_on_create_and_edit_with_fields(self):
        stock = self.make_stock(
            "on_create_or_write", trigger_field_ids=[Command.set(self.field("city").ids)]
        )
        rule = self.take_over(stock)
        self.assertEqual((rule.trigger, rule.watched_field_ids), ("saved", self.field("city")))
        lead = self.make_lead()
        self.assertEqual(self.acts_on(lead), 1)
        self.touch(lead, phone="1")
        self.assertEqual(self.acts_on(lead), 0)
        self.touch(lead, city="Soria")
        self.assertEqual(self.acts_on(lead), 1)

    def test_the_number_of_runs_is_a_difference(self):
        self.assertIn(
            "up to 15 times", self.line(self.make_stock("on_create_or_write")).differences
        )
        self.assertNotIn("15 times", self.line(self.make_stock("on_create")).differences)

    def test_on_update(self):
        rule = self.take_over(self.make_stock("on_write"))
        self.assertEqual(rule.trigger, "updated")

    def test_a_stage(self):
        stage = self.env["crm.stage"].search([], limit=2)[1]
        stock = self.make_stock("on_stage_set")
        stock.trg_field_ref = stage.id
        self.assertEqual(stock.filter_domain, f"[('stage_id', '=', {stage.id})]")
        line = self.line(stock)
        self.assertEqual(line.verdict, "full")
        self.assertIn(stage.name, line.stock_summary)
        rule = self.take_over(stock)
        self.assertEqual((rule.trigger, rule.lead_stage_ids), ("stage_entered", stage))
        self.assertFalse(rule._is_filter(rule.filter_domain))
        lead = self.make_lead(type="opportunity")
        self.assertEqual(self.acts_on(lead), 0)
        self.touch(lead, stage_id=stage.id)
        self.assertEqual(self.acts_on(lead), 1)

    def test_any_stage(self):
        rule = self.take_over(self.make_stock("on_stage_set"))
        self.assertEqual((rule.trigger, rule.watched_field_ids), ("saved", self.field("stage_id")))

    def test_a_user(self):
        rule = self.take_over(self.make_stock("on_user_set"))
        self.assertEqual((rule.trigger, rule.watched_field_ids), ("saved", self.field("user_id")))
        lead = self.make_lead(user_id=False)
        self.assertEqual(self.acts_on(lead), 0)
        self.touch(lead, user_id=self.seller.id)
        self.assertEqual(self.acts_on(lead), 1)

    def test_a_tag_in_part(self):
        tag, other = self.env["crm.tag"].create([{"name": "Hot"}, {"name": "Cold"}])
        stock = self.make_stock("on_tag_set")
        stock.trg_field_ref = tag.id
        line = self.line(stock)
        self.assertEqual(line.verdict, "part")
        self.assertIn("leaves new records out", line.reason)
        rule = self.take_over(stock)
        lead = self.make_lead()
        self.touch(lead, tag_ids=[Command.link(tag.id)])
        self.assertEqual(self.acts_on(lead), 1)
        self.touch(lead, tag_ids=[Command.link(other.id)])
        self.assertEqual(self.acts_on(lead), 0)
        self.assertEqual(rule.watched_field_ids, self.field("tag_ids"))

    def test_a_state_that_is_the_models_own(self):
        sent = self.field("state", "sale.order").selection_ids.filtered(
            lambda state: state.value == "sent"
        )
        stock = self.make_stock("on_state_set", "sale.order", actions=[
            {"state": "followers", "followers_type": "specific",
             "partner_ids": [Command.set(self.seller.partner_id.ids)]},
        ])  # fmt: skip
        stock.trg_selection_field_id = sent
        rule = self.take_over(stock)
        self.assertEqual((rule.trigger, rule.state_to_ids), ("state_reached", sent))
        order = self.env["sale.order"].create({"partner_id": self.customer.id})
        self.end_transaction()
        self.assertEqual(self.acts_on(order), 0)
        self.touch(order, state="sent")
        self.assertEqual(self.acts_on(order), 1)
        self.assertIn(self.seller.partner_id, order.message_partner_ids)

    def test_a_state_that_is_not_openerps(self):
        """A task has OpenERP's five states beside its own: the own one is meant."""
        done = self.field("state", "project.task").selection_ids.filtered(
            lambda state: state.value == "1_done"
        )
        stock = self.make_stock("on_state_set", "project.task", actions=[{"state": "code"}])
        stock.trg_selection_field_id = done
        rule = self.take_over(stock)
        self.assertEqual(rule.trigger, "saved")
        self.assertEqual(rule.filter_domain, "[('state', '=', '1_done')]")

    def test_a_priority(self):
        high = self.field("priority").selection_ids.filtered(lambda row: row.value == "2")
        stock = self.make_stock("on_priority_set")
        stock.trg_selection_field_id = high
        self.take_over(stock)
        lead = self.make_lead()
        self.touch(lead, priority="1")
        self.assertEqual(self.acts_on(lead), 0)
        self.touch(lead, priority="2")
        self.assertEqual(self.acts_on(lead), 1)

    def test_the_archive_and_out_of_it(self):
        self.take_over(self.make_stock("on_archive"))
        lead = self.make_lead()
        self.touch(lead, active=False)
        self.assertEqual(self.acts_on(lead), 1)
        self.touch(lead, active=True)
        self.assertEqual(self.acts_on(lead), 0)
        self.take_over(self.make_stock("on_unarchive"))
        self.touch(lead, active=False)
        self.assertEqual(self.acts_on(lead), 1)
        self.touch(lead, active=True)
        self.assertEqual(self.acts_on(lead), 1)

    def test_a_condition_before_the_change(self):
        stock = self.make_stock("on_write", filter_pre_domain="[('city', '=', 'Soria')]")
        line = self.line(stock)
        self.assertEqual(line.verdict, "full")
        rule = self.take_over(stock)
        self.assertEqual(rule.before_domain, "[('city', '=', 'Soria')]")
        lead = self.make_lead(city="Soria")
        self.touch(lead, city="Lugo")
        self.assertEqual(self.acts_on(lead), 1)
        self.touch(lead, city="Vigo")
        self.assertEqual(self.acts_on(lead), 0)

    def test_what_stays_with_odoo(self):
        code = [{"state": "code", "code": "pass"}]
        reasons = {
            "on_change": "fills it in",
            "on_unlink": "before it is deleted",
            "on_message_received": "waits for a message",
            "on_message_sent": "waits for a message",
            "on_webhook": "called from outside",
        }
        for trigger, reason in reasons.items():
            with self.subTest(trigger=trigger):
                stock = self.make_stock(trigger, actions=code)
                line = self.line(stock)
                self.assertEqual(line.verdict, "no")
                self.assertIn(reason, line.reason)
                self.assertIn("It stays with Odoo", line.comparison)
                with self.assertRaisesRegex(UserError, reason):
                    line.action_take_over()
                self.assertTrue(stock.active)
        known = dict(self.Stock._fields["trigger"]._description_selection(self.env))
        taken = {"on_create", "on_create_or_write", "on_write", "on_stage_set", "on_user_set",
                 "on_tag_set", "on_state_set", "on_priority_set", "on_archive", "on_unarchive",
                 "on_time", "on_time_created", "on_time_updated"}  # fmt: skip
        self.assertEqual(set(known), taken | set(reasons), "each trigger has its place")

    def test_a_formula_stays_with_odoo(self):
        stock = self.make_stock("on_write", filter_domain="[('user_id', '=', uid)]")
        line = self.line(stock)
        self.assertEqual(line.verdict, "no")
        self.assertIn("('user_id', '=', uid)", line.reason)

    def test_a_condition_on_a_field_that_is_gone(self):
        stock = self.make_stock("on_write", filter_domain="[('no_such_field', '=', 1)]")
        self.assertIn("no longer fits", self.line(stock).reason)

    def test_a_rule_on_the_merge_wizard_names_the_recipe(self):
        stock = self.make_stock(
            model="crm.merge.opportunity", actions=[{"state": "code", "code": "pass"}]
        )
        line = self.line(stock)
        self.assertEqual(line.verdict, "no")
        self.assertIn("there is a recipe", line.reason)

    def test_no_actions(self):
        self.assertIn("no actions", self.line(self.make_stock(actions=[])).reason)


@tagged("post_install", "-at_install")
class TestActions(TakeOverCase):
    def test_the_mail_of_a_template(self):
        rule = self.take_over(self.make_stock())
        self.assertEqual((rule.content, rule.template_id), ("template", self.template))
        self.assertTrue(rule.notify_responsible)
        self.assertFalse(rule.server_action_ids)
        lead = self.make_lead()
        self.drain()
        firing = self.firings(lead)
        self.assertEqual(firing.delivery_ids.mapped("email"), ["seller@example.com"])
        self.assertEqual(firing.delivery_ids.mail_id.subject, "Look at Corks")

    def told(self, **values):
        self.template.write({"use_default_to": False, "partner_to": False, **values})
        stock = self.make_stock()
        line = self.line(stock)
        self.assertNotEqual(line.verdict, "no")
        rule = self.take_over(stock)
        told = {name for name in rule._notice_ticks() if rule[name]}
        return rule, told

    def test_recipients_that_the_form_knows(self):
        for path, tick in {
            "object.user_id.email_formatted": "notify_responsible",
            "object.partner_id.email": "notify_customer",
            "object.email_from": "notify_customer",
            "object.team_id.user_id.email": "notify_leader",
            "object.email_cc or ''": "notify_watchers",
        }.items():
            with self.subTest(path=path):
                rule, told = self.told(email_to=f"{{{{ {path} }}}}")
                self.assertEqual(told, {tick})
                self.assertFalse(rule.server_action_ids)

    def test_several_recipients(self):
        rule, told = self.told(
            email_to="office@example.com, {{ object.user_id.email }}",
            email_cc="The Boss <boss@example.com>",
            partner_to=str(self.customer.id),
        )
        self.assertEqual(told, {"notify_responsible"})
        for address in ("office@example.com", "boss@example.com", "azure@example.com"):
            self.assertIn(address, rule.notify_emails)

    def test_a_path_to_somebody_else(self):
        rule, told = self.told(partner_to="{{ object.create_uid.partner_id.id }}")
        self.assertEqual(told, {"notify_customer"})
        self.assertEqual(rule.notify_customer_path, "create_uid")

    def test_default_recipients_are_the_customer(self):
        _rule, told = self.told(use_default_to=True)
        self.assertEqual(told, {"notify_customer"})

    def test_recipients_that_nobody_knows_are_kept_as_a_server_action(self):
        rule, told = self.told(
            email_to="{{ object.user_id.email if object.priority else 'a@b.es' }}"
        )
        self.assertFalse(told)
        self.assertEqual(rule.sudo().server_action_ids.template_id, self.template)
        lead = self.make_lead()
        self.assertEqual(self.acts_on(lead), 1)
        mail = self.env["mail.mail"].search([("model", "=", "crm.lead"), ("res_id", "=", lead.id)])
        self.assertEqual(mail.subject, "Look at Corks")

    def test_what_a_notice_has_not_got_is_kept(self):
        self.template.attachment_ids = self.env["ir.attachment"].create({"name": "a", "raw": b"a"})
        rule, told = self.told(partner_to="{{ object.user_id.partner_id.id }}")
        self.assertFalse(told)
        self.assertTrue(rule.sudo().server_action_ids)

    def test_a_message_in_the_history_is_kept(self):
        stock = self.make_stock(actions=[
            {"state": "mail_post", "mail_post_method": "comment", "template_id": self.template.id},
        ])  # fmt: skip
        rule = self.take_over(stock)
        self.assertEqual(rule.sudo().server_action_ids.mail_post_method, "comment")

    def test_the_sender(self):
        rule, _told = self.told(
            email_from="{{ (object.user_id.email_formatted or user.email_formatted) }}",
            reply_to="answers@example.com",
            email_to="a@example.com",
        )
        self.assertEqual(
            (rule.sender, rule.notify_reply_to), ("responsible", "answers@example.com")
        )

    def test_fields(self):
        team = self.env["crm.team"].create({"name": "Corks team"})
        country = self.env.ref("base.es")
        high = self.field("priority").selection_ids.filtered(lambda row: row.value == "2")
        tag = self.env["crm.tag"].create({"name": "Hot"})
        writes = [
            {"update_path": "user_id", "value": str(self.other_seller.id)},
            {"update_path": "team_id", "value": str(team.id)},
            {"update_path": "country_id", "value": str(country.id)},
            {"update_path": "priority", "selection_value": high.id},
            {"update_path": "city", "value": "Soria"},
            {"update_path": "date_deadline", "value": "2030-01-31"},
            {"update_path": "tag_ids", "value": str(tag.id), "update_m2m_operation": "add"},
        ]
        rule = self.take_over(
            self.make_stock(actions=[{"state": "object_write", **values} for values in writes])
        )
        self.assertFalse(rule.sudo().server_action_ids)
        self.assertEqual((rule.set_user_id, rule.set_team_id), (self.other_seller, team))
        lead = self.make_lead()
        self.assertEqual(
            (lead.user_id, lead.team_id, lead.country_id, lead.priority, lead.city, lead.tag_ids),
            (self.other_seller, team, country, "2", "Soria", tag),
        )
        self.assertEqual(str(lead.date_deadline), "2030-01-31")

    def test_a_calculated_field_is_kept_as_a_server_action(self):
        rule = self.take_over(self.make_stock(actions=[
            {"state": "object_write", "update_path": "city", "evaluation_type": "equation",
             "value": "record.name + '!'"},
            {"state": "object_write", "update_path": "partner_id.city", "value": "Lugo"},
        ]))  # fmt: skip
        self.assertEqual(len(rule.sudo().server_action_ids), 2)
        lead = self.make_lead(partner_id=self.customer.id)
        self.assertEqual(self.acts_on(lead), 1)
        self.assertEqual((lead.city, self.customer.city), ("Corks!", "Lugo"))

    def test_followers_and_an_activity(self):
        kind = self.env.ref("mail.mail_activity_data_call")
        rule = self.take_over(self.make_stock(actions=[
            {"state": "followers", "followers_type": "specific",
             "partner_ids": [Command.set(self.customer.ids)]},
            {"state": "next_activity", "activity_type_id": kind.id, "activity_summary": "Call",
             "activity_date_deadline_range": 2, "activity_date_deadline_range_type": "weeks",
             "activity_user_type": "specific", "activity_user_id": self.other_seller.id},
        ]))  # fmt: skip
        self.assertFalse(rule.sudo().server_action_ids)
        self.assertEqual((rule.activity_days, rule.activity_user_id), (14, self.other_seller))
        lead = self.make_lead()
        self.assertEqual(self.acts_on(lead), 1)
        self.assertIn(self.customer, lead.message_partner_ids)
        self.assertEqual(lead.activity_ids.user_id, self.other_seller)

    def test_an_activity_with_a_note_is_kept(self):
        kind = self.env.ref("mail.mail_activity_data_call")
        rule = self.take_over(self.make_stock(actions=[
            {"state": "next_activity", "activity_type_id": kind.id, "activity_note": "<p>Ask</p>",
             "activity_user_type": "generic", "activity_user_field_name": "user_id"},
        ]))  # fmt: skip
        self.assertTrue(rule.sudo().server_action_ids)

    def test_code_acts_on_each_record_of_a_batch(self):
        code = [{"state": "code", "code": "record.write({'city': record.name})"}]
        rule = self.take_over(self.make_stock("on_write", actions=code))
        leads = self.make_lead(name="One") + self.make_lead(name="Two")
        self.touch(leads, phone="1")
        self.drain()
        self.assertEqual(leads.mapped("city"), ["One", "Two"])
        self.assertEqual(set(self.firings(leads).mapped("rule_id")), {rule})

    def test_the_copies_are_the_new_rules_own(self):
        stock = self.make_stock(actions=[{"state": "code", "code": "pass"}])
        rule = self.take_over(stock)
        self.assertEqual(len(stock.action_server_ids), 1)
        stock.unlink()
        self.assertEqual(len(rule.sudo().server_action_ids), 1)

    def test_rights(self):
        """With the rights of the owner, or with all where that is ticked."""
        stock = self.make_stock()
        line = self.line(stock)
        self.assertIn(self.admin.name, line.differences)
        line.with_all_rights = True
        self.assertIn("Both act with all rights", line.differences)
        rule = self.take_over(stock, with_all_rights=True)
        self.assertTrue(rule.as_superuser)
        self.assertEqual(rule.owner_id, self.admin)
        other = self.take_over(self.make_stock())
        self.assertFalse(other.as_superuser)


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
class TestDates(TakeOverCase):
    """Nothing that is due is lost between the two, and nothing is done twice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.partner_id.tz = False
        cls.code = [{"state": "code", "code": "record.write({'city': (record.city or '') + 'x'})"}]

    @contextmanager
    def stock_job(self):
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda *_args, **_kwargs: 99
        ):
            yield

    def stock_looks(self, moment):
        with self.at(moment), self.stock_job():
            self.env["base.automation"]._cron_process_time_based_actions()
            self.env.flush_all()
        self.end_transaction()

    def look(self, moment):
        self.end_transaction()
        with self.at(moment), self.no_commit():
            self.Rule._enqueue_moments()
            self.Firing._drain()

    def lead_of(self, moment, **values):
        with self.at(moment):
            lead = self.make_lead(**values)
            self.env.flush_all()
        return lead

    def dated(self, **values):
        """Odoo's rule 5 minutes before the conversion date, a moment; or as the values say."""
        return self.make_stock(
            "on_time",
            actions=self.code,
            **{
                "trg_date_id": self.field("date_conversion").id,
                "trg_date_range": 5,
                "trg_date_range_type": "minutes",
                "trg_date_range_mode": "before",
                **values,
            },
        )

    def done(self, *leads):
        """How often either rule has acted on each lead."""
        return [len(lead.city or "") for lead in leads]

    def at_take_over(self, moment, stock):
        with self.at(moment):
            return self.take_over(stock)

    def test_the_rule(self):
        rule = self.take_over(self.dated())
        self.assertEqual((rule.trigger, rule.date_type), ("moment", "field"))
        self.assertEqual(rule.date_field_id, self.field("date_conversion"))
        self.assertEqual(
            (rule.delay_number, rule.delay_unit, rule.delay_before), (5, "minutes", "before")
        )

    def test_what_odoo_misses_is_done_and_nothing_twice(self):
        with self.at(NOW - 2 * DAY):
            stock = self.dated()
        by_odoo = self.lead_of(NOW - DAY, date_conversion=NOW + 5 * MINUTE)
        gap = self.lead_of(NOW - DAY, date_conversion=NOW + 10 * MINUTE)
        later = self.lead_of(NOW - DAY, date_conversion=NOW + 2 * HOUR)
        self.stock_looks(NOW + MINUTE)
        self.assertEqual(self.done(by_odoo, gap, later), [1, 0, 0])
        # Made inside the window: Odoo's next look begins after its moment.
        missed = self.lead_of(NOW + 2 * MINUTE, date_conversion=NOW + 5 * MINUTE)
        self.stock_looks(NOW + 3 * MINUTE)
        self.assertEqual(self.done(missed), [0], "stock misses it")
        # Made since Odoo's last look, with a moment before it; and one whose moment goes by
        # while neither looks.
        late = self.lead_of(NOW + 4 * MINUTE, date_conversion=NOW + 7 * MINUTE + MINUTE / 2)
        self.at_take_over(NOW + 7 * MINUTE, stock)
        everything = (by_odoo, gap, later, late)
        self.look(NOW + 7 * MINUTE)
        self.assertEqual(self.done(*everything), [1, 1, 0, 1])
        new = self.lead_of(NOW + 8 * MINUTE, date_conversion=NOW + 9 * MINUTE)
        self.look(NOW + 8 * MINUTE)
        self.assertEqual(self.done(new), [1], "made inside the window")
        self.look(NOW + 2 * HOUR)
        self.stock_looks(NOW + 2 * HOUR)
        self.assertEqual(self.done(*everything, new), [1, 1, 1, 1, 1])
        # Before its last look Odoo's rule kept no list: that one stays missed.
        self.assertEqual(self.done(missed), [0])

    def test_given_back_nothing_twice_either(self):
        with self.at(NOW - 2 * DAY):
            stock = self.dated()
        first = self.lead_of(NOW - DAY, date_conversion=NOW + 5 * MINUTE)
        second = self.lead_of(NOW - DAY, date_conversion=NOW + HOUR)
        third = self.lead_of(NOW - DAY, date_conversion=NOW + 2 * HOUR)
        self.stock_looks(NOW + MINUTE)
        self.at_take_over(NOW + 2 * MINUTE, stock)
        self.look(NOW + HOUR)
        self.assertEqual(self.done(first, second, third), [1, 1, 0])
        with self.at(NOW + HOUR + MINUTE):
            self.line(stock).action_give_back()
        self.stock_looks(NOW + HOUR + 2 * MINUTE)
        self.look(NOW + HOUR + 2 * MINUTE)
        self.assertEqual(self.done(first, second, third), [1, 1, 0])
        self.stock_looks(NOW + 3 * HOUR)
        self.assertEqual(self.done(first, second, third), [1, 1, 1])

    def test_switched_off_before_it_is_given_back(self):
        with self.at(NOW - 2 * DAY):
            stock = self.dated()
        first = self.lead_of(NOW - DAY, date_conversion=NOW + HOUR)
        second = self.lead_of(NOW - DAY, date_conversion=NOW + 2 * HOUR)
        self.stock_looks(NOW)
        rule = self.at_take_over(NOW + MINUTE, stock)
        self.look(NOW + HOUR)
        rule.action_disable()
        with self.at(NOW + 5 * HOUR):
            self.line(stock).action_give_back()
        self.stock_looks(NOW + 5 * HOUR + MINUTE)
        self.assertEqual(self.done(first, second), [1, 1])

    def test_a_rule_that_never_acted_changes_nothing(self):
        with self.at(NOW - 2 * DAY):
            stock = self.dated()
        self.stock_looks(NOW)
        before = stock.last_run
        with self.at(NOW + MINUTE):
            self.take_over(stock, enable=False)
        with self.at(NOW + HOUR):
            self.line(stock).action_give_back()
        self.assertEqual(stock.last_run, before)

    def test_a_day(self):
        """To Odoo's rule a day is over from midnight UTC; ours acts at 8:00 in Madrid."""
        with self.at(NOW - 9 * DAY):
            stock = self.dated(
                trg_date_id=self.field("date_deadline").id, trg_date_range=1,
                trg_date_range_type="day",
            )  # fmt: skip
        midnight = NOW.replace(hour=0)
        today = self.lead_of(NOW - 5 * DAY, date_deadline=(NOW + DAY).date())
        tomorrow = self.lead_of(NOW - 5 * DAY, date_deadline=(NOW + 2 * DAY).date())
        self.stock_looks(midnight + 10 * MINUTE)
        self.assertEqual(self.done(today, tomorrow), [1, 0])
        # Too late for Odoo's rule, which has done this day.
        missed = self.lead_of(midnight + HOUR, date_deadline=(NOW + DAY).date())
        self.at_take_over(midnight + 2 * HOUR, stock)
        for hours in range(2, 60, 2):
            self.look(midnight + hours * HOUR)
        self.assertEqual(self.done(today, tomorrow, missed), [1, 1, 1])
        skipped = self.firings(today)
        self.assertEqual(skipped.state, "skipped")
        self.assertIn("Odoo's own rule has done it", skipped.reason)

    def test_a_day_wherever_the_record_is(self):
        """Also where the clocks are a day away from UTC."""
        for zone in ("Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Honolulu"):
            with self.subTest(zone=zone):
                self.env.company.partner_id.tz = zone
                with self.at(NOW - 9 * DAY):
                    stock = self.dated(
                        trg_date_id=self.field("date_deadline").id, trg_date_range=1,
                        trg_date_range_type="day",
                    )  # fmt: skip
                leads = [
                    self.lead_of(NOW - 5 * DAY, date_deadline=(NOW + days * DAY).date())
                    for days in (-1, 0, 1, 2, 3)
                ]
                self.stock_looks(NOW - 2 * DAY)
                self.stock_looks(NOW)
                rule = self.at_take_over(NOW + HOUR, stock)
                for hours in range(1, 72, 3):
                    self.look(NOW + hours * HOUR)
                self.assertEqual(self.done(*leads), [1, 1, 1, 1, 1])
                rule.enabled = False

    def test_a_day_given_back(self):
        with self.at(NOW - 9 * DAY):
            stock = self.dated(
                trg_date_id=self.field("date_deadline").id, trg_date_range=1,
                trg_date_range_type="day",
            )  # fmt: skip
        midnight = NOW.replace(hour=0)
        self.stock_looks(midnight - 2 * HOUR)
        today = self.lead_of(NOW - 5 * DAY, date_deadline=(NOW + DAY).date())
        tomorrow = self.lead_of(NOW - 5 * DAY, date_deadline=(NOW + 2 * DAY).date())
        self.at_take_over(midnight - HOUR, stock)
        self.look(midnight + HOUR)
        with self.at(midnight + 2 * HOUR):
            # Before 8:00: today is Odoo's again.
            self.line(stock).action_give_back()
        for hours in range(3, 40, 3):
            self.stock_looks(midnight + hours * HOUR)
        self.assertEqual(self.done(today, tomorrow), [1, 1])

    def test_lost_leads_are_left_out_as_before(self):
        rule = self.take_over(self.dated())
        self.assertIn("active", rule.filter_domain)

    def test_after_the_creation_and_after_the_last_update(self):
        created = self.take_over(
            self.make_stock("on_time_created", actions=self.code, trg_date_range=2)
        )
        self.assertEqual((created.date_type, created.delay_number), ("create", 2))
        self.assertEqual((created.delay_unit, created.delay_before), ("hours", "after"))
        stock = self.make_stock("on_time_updated", actions=self.code, trg_date_range=2)
        line = self.line(stock)
        self.assertIn("sets itself off again", line.differences)
        self.assertEqual(self.take_over(stock).date_type, "last_update")

    def test_a_rule_that_never_ran_does_nothing_for_the_past(self):
        with self.at(NOW - 2 * DAY):
            stock = self.dated()
        past = self.lead_of(NOW - DAY, date_conversion=NOW - HOUR)
        self.assertIn("whole past", self.line(stock).differences)
        self.at_take_over(NOW, stock)
        self.look(NOW)
        self.assertEqual(self.done(past), [0])

    def test_working_days(self):
        """Both ways of counting: nothing is lost, and nothing is done twice."""
        calendar = self.env.company.resource_calendar_id
        for mode in ("before", "after"):
            with self.subTest(mode=mode):
                with self.at(NOW - 9 * DAY):
                    stock = self.dated(
                        trg_date_range=2, trg_date_range_type="day", trg_date_range_mode=mode
                    )
                    stock.trg_date_calendar_id = calendar
                leads = [
                    self.lead_of(NOW - 20 * DAY, date_conversion=NOW + hours * HOUR)
                    for hours in range(-140, 140, 10)
                ]
                self.stock_looks(NOW - 9 * DAY)
                for hours in range(-200, 0, 9):
                    self.stock_looks(NOW + hours * HOUR)
                by_odoo = self.done(*leads)
                line = self.line(stock)
                self.assertEqual(line.verdict, "part")
                self.assertIn("as the first one", line.reason)
                rule = self.at_take_over(NOW, stock)
                self.assertEqual(
                    (rule.delay_unit, rule.resource_calendar_id), ("workdays", calendar)
                )
                for hours in range(0, 240, 12):
                    self.look(NOW + hours * HOUR)
                self.assertIn(0, by_odoo)
                self.assertIn(1, by_odoo)
                self.assertEqual(self.done(*leads), [1] * len(leads))
                rule.enabled = False


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
        for xmlid in ("crm_automation.ir_cron_enqueuer", "crm_automation.ir_cron_drainer_1",
                      "crm_automation.ir_cron_drainer_2", "mail.ir_cron_mail_scheduler_action",
                      "calendar.ir_cron_scheduler_alarm"):  # fmt: skip
            job = self.env.ref(xmlid)
            self.assertIn(job, found)
            self.assertNotEqual(job.automation_purpose, job.name, "said in plain words")
        self.assertLess(len(found), 10)

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

"""Odoo's own rules taken over, with the real module, and given back.

Where it is not installed there is nothing to take over, and no menu to it.
"""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import AutomationCase


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

"""Opportunities are merged: every responsible is told, once, by every path."""

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import AutomationCase


@tagged("post_install", "-at_install")
class TestMerge(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.make_rule(trigger="opportunities_merged")
        values = {"type": "opportunity", "partner_id": cls.customer.id}
        cls.mine = cls.make_lead(name="Corks", **values)
        cls.other = cls.make_lead(name="Labels", user_id=cls.other_seller.id, **values)
        cls.both = cls.mine + cls.other

    def assertTold(self):
        """One firing, on the survivor, with a mail to each of the two."""
        self.drain()
        head = self.both.exists()
        self.assertEqual(len(head), 1)
        firing = self.firings(self.both)
        self.assertEqual((firing.res_id, firing.state), (head.id, "done"))
        self.assertEqual(
            set(firing.delivery_ids.mapped("email")), {"seller@example.com", "other@example.com"}
        )
        return firing

    def test_by_the_wizard(self):
        wizard = (
            self.env["crm.merge.opportunity"]
            .with_context(active_model="crm.lead", active_ids=self.both.ids)
            .create({"user_id": self.seller.id})
        )
        self.assertEqual(wizard.opportunity_ids, self.both)
        wizard.action_merge()
        firing = self.assertTold()
        gone = (self.both - self.both.exists()).ids
        self.assertIn(gone[0], [entry["id"] for entry in firing.payload["merged"]])
        subjects = {d.email: d.mail_id.subject for d in firing.delivery_ids}
        name = self.both.exists().name
        self.assertEqual(
            subjects,
            {
                "seller@example.com": f"Fusionadas en {name}",
                "other@example.com": f"Merged into {name}",
            },
        )
        [body] = [
            d.mail_id.body_html for d in firing.delivery_ids if d.email == "other@example.com"
        ]
        lost = "Labels" if name == "Corks" else "Corks"
        self.assertIn(f"“{lost}” merged into “{name}”.", body)

    def test_by_a_program(self):
        self.both.merge_opportunity()
        self.assertTold()

    def test_by_the_dialog_of_conversion(self):
        self.env["crm.lead2opportunity.partner"].with_context(
            active_model="crm.lead", active_ids=self.mine.ids, active_id=self.mine.id
        ).create({"name": "merge", "duplicated_lead_ids": [(6, 0, self.both.ids)]}).action_apply()
        self.assertTold()

    def test_by_mass_conversion(self):
        self.env["crm.lead2opportunity.partner.mass"].with_context(
            active_model="crm.lead", active_ids=self.both.ids
        ).create(
            {"deduplicate": True, "action": "each_exist_or_create", "force_assignment": False}
        ).action_mass_convert()
        self.assertTold()

    def test_refused_is_not_merged(self):
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.mine.merge_opportunity()
        self.end_transaction()
        self.assertFalse(self.firings(self.both))

    def test_rolled_back_is_not_merged(self):
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.both.merge_opportunity()
            raise ZeroDivisionError
        # A later change of the survivor must not bring the event back.
        self.both.write({"name": "Still two", "type": "lead"})
        self.end_transaction()
        self.assertFalse(self.firings(self.both))

    def test_a_later_change_in_the_transaction_withdraws_nothing(self):
        head = self.both.merge_opportunity()
        self.env.cr.flush()
        head.type = "lead"
        self.env.cr.flush()
        self.assertTold()

    def test_filter_on_the_survivor(self):
        self.rule.with_user(self.manager).filter_domain = "[('type', '=', 'lead')]"
        self.both.merge_opportunity()
        self.end_transaction()
        self.assertFalse(self.firings(self.both))

    def test_the_wizard_as_object_means_the_event(self):
        wizard_model = self.env["ir.model"]._get("crm.merge.opportunity")
        with Form(self.Rule.with_user(self.manager)) as form:
            form.name = "As the mission shows it"
            form.trigger = "created"
            form.model_id = wizard_model
            form.notify_responsible = True
        self.assertEqual(form.record.trigger, "opportunities_merged")
        self.assertEqual(form.record.model_name, "crm.lead")
        rule = self.make_rule(trigger="created", model_id=wizard_model.id)
        self.assertEqual((rule.trigger, rule.model_name), ("opportunities_merged", "crm.lead"))

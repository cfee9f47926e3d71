"""Decided once per rule, record and transaction, on the net change."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import DECISION_LOG, AutomationCase


@tagged("post_install", "-at_install")
class TestDecision(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.make_rule()

    def assertFired(self, record, times=1):
        self.end_transaction()
        self.assertEqual(len(self.firings(record)), times)

    # -- lead converted, by every path -----------------------------------------

    def test_conversion_by_the_method(self):
        lead = self.make_lead()
        lead.convert_opportunity(self.customer)
        self.assertFired(lead)
        firing = self.firings(lead)
        self.assertEqual(firing.state, "pending")
        self.assertEqual(firing.payload, {"old": {"type": "lead"}})
        self.assertEqual(firing.responsible_id, self.seller)
        self.assertEqual(firing.record_name, "Corks")

    def test_conversion_by_a_write(self):
        lead = self.make_lead()
        lead.type = "opportunity"
        self.assertFired(lead)

    def test_conversion_by_the_dialog(self):
        lead = self.make_lead(partner_id=self.customer.id)
        self.env["crm.lead2opportunity.partner"].with_context(
            active_model="crm.lead", active_ids=lead.ids, active_id=lead.id
        ).create(
            {"name": "convert", "action": "exist", "partner_id": self.customer.id}
        ).action_apply()
        self.assertFired(lead)

    def test_conversion_by_the_mass_dialog(self):
        leads = self.make_lead() + self.make_lead(name="Labels")
        self.env["crm.lead2opportunity.partner.mass"].with_context(
            active_model="crm.lead", active_ids=leads.ids
        ).create({"deduplicate": False, "action": "each_exist_or_create"}).action_mass_convert()
        self.assertFired(leads, times=2)

    def test_conversion_by_import(self):
        lead = self.make_lead()
        xmlid = lead._export_rows([["id"]])[0][0]
        result = self.env["crm.lead"].load(["id", "type"], [[xmlid, "opportunity"]])
        self.assertFalse(result["messages"])
        self.assertFired(lead)

    def test_created_as_an_opportunity_is_no_conversion(self):
        self.assertFired(self.make_lead(type="opportunity"), times=0)

    def test_created_and_converted_in_one_transaction_is_no_conversion(self):
        lead = self.env["crm.lead"].create({"name": "At once", "type": "lead"})
        self.env.cr.flush()
        lead.type = "opportunity"
        self.assertFired(lead, times=0)

    def test_several_writes_are_one_conversion(self):
        lead = self.make_lead()
        for values in ({"type": "opportunity"}, {"name": "Other"}, {"expected_revenue": 5}):
            lead.write(values)
            self.env.cr.flush()
        self.assertFired(lead)

    def test_there_and_back_is_no_conversion(self):
        lead = self.make_lead()
        lead.type = "opportunity"
        lead.type = "lead"
        self.assertFired(lead, times=0)

    def test_there_and_back_across_a_savepoint_is_withdrawn(self):
        lead = self.make_lead()
        lead.type = "opportunity"
        with self.env.cr.savepoint():  # a savepoint makes the rules decide
            pass
        self.assertEqual(len(self.firings(lead)), 1)
        lead.type = "lead"
        self.assertFired(lead, times=0)

    def test_a_rolled_back_savepoint_leaves_nothing(self):
        lead = self.make_lead()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            lead.type = "opportunity"
            self.env.cr.flush()
            raise ZeroDivisionError
        self.assertFired(lead, times=0)
        lead.type = "opportunity"
        self.assertFired(lead)

    def test_again_only_after_a_return_to_lead(self):
        lead = self.make_lead()
        lead.type = "opportunity"
        self.assertFired(lead)
        lead.type = "opportunity"
        self.assertFired(lead)
        lead.type = "lead"
        self.end_transaction()
        lead.type = "opportunity"
        self.assertFired(lead, times=2)

    # -- created ---------------------------------------------------------------

    def test_created_fires_once(self):
        partner_model = self.env["ir.model"]._get("res.partner")
        self.make_rule(
            trigger="created", model_id=partner_model.id, notify_responsible=False,
            notify_customer=True,
        )  # fmt: skip
        partner = self.env["res.partner"].create({"name": "New"})
        partner.write({"name": "Newer", "user_id": self.seller.id})
        self.env.cr.flush()
        partner.city = "Burgos"
        self.assertFired(partner)

    # -- conditions and owner ----------------------------------------------------

    def test_filter_decides(self):
        self.rule.with_user(self.manager).filter_domain = "[('expected_revenue', '>', 1000)]"
        small, big = self.make_lead(expected_revenue=10), self.make_lead(expected_revenue=5000)
        (small + big).write({"type": "opportunity"})
        self.assertFired(small, times=0)
        self.assertFired(big)

    def test_a_rule_that_is_off_does_nothing(self):
        self.rule.with_user(self.manager).action_disable()
        lead = self.make_lead()
        lead.type = "opportunity"
        self.assertFired(lead, times=0)

    def test_switching_on_sends_nothing_for_the_past(self):
        self.rule.with_user(self.manager).action_disable()
        lead = self.make_lead()
        lead.type = "opportunity"
        self.end_transaction()
        self.rule.with_user(self.manager).action_enable()
        self.assertFired(lead, times=0)

    def test_an_archived_owner_stops_the_rule(self):
        self.manager.active = False
        self.assertIn("archived", self.rule.problem)
        lead = self.make_lead()
        lead.type = "opportunity"
        self.assertFired(lead, times=0)

    def test_a_rule_sees_only_what_its_owner_sees(self):
        hidden = self.make_lead(user_id=self.other_seller.id)
        self.rule.sudo().owner_id = self.seller
        hidden.type = "opportunity"
        self.assertFired(hidden, times=0)

    def test_company_of_the_rule(self):
        company = self.env["res.company"].create({"name": "Other company"})
        self.manager.company_ids += company
        self.rule.with_user(self.manager).company_id = company
        lead = self.make_lead()
        lead.type = "opportunity"
        self.assertFired(lead, times=1 if not lead.company_id else 0)
        here = self.make_lead(company_id=self.env.company.id)
        here.type = "opportunity"
        self.assertFired(here, times=0)

    def test_company_that_the_owner_has_lost(self):
        company = self.env["res.company"].create({"name": "Lost company"})
        self.manager.company_ids += company
        self.rule.with_user(self.manager).company_id = company
        self.manager.company_ids -= company
        lead = self.make_lead()
        lead.type = "opportunity"
        self.assertFired(lead, times=0)

    # -- never in the way ---------------------------------------------------------

    def test_a_rule_that_fails_does_not_break_the_save(self):
        self.rule.flush_recordset()
        self.env.cr.execute(
            "UPDATE crm_automation_rule SET filter_domain = '[(''gone'', ''='', 1)]' WHERE id = %s",
            [self.rule.id],
        )
        self.rule.invalidate_recordset()
        lead = self.make_lead()
        lead.write({"type": "opportunity", "name": "Saved"})
        with mute_logger(DECISION_LOG):
            self.end_transaction()
        lead.invalidate_recordset()
        self.assertEqual((lead.name, lead.type), ("Saved", "opportunity"))
        firing = self.firings(lead)
        self.assertEqual(firing.state, "failed")
        self.assertIn("conditions of the rule could not be evaluated", firing.reason)

    def test_a_rule_that_fails_does_not_silence_the_others(self):
        good = self.make_rule(sequence=20)
        self.rule.flush_recordset()
        self.env.cr.execute(
            "UPDATE crm_automation_rule SET filter_domain = '[(''gone'', ''='', 1)]' WHERE id = %s",
            [self.rule.id],
        )
        self.rule.invalidate_recordset()
        lead = self.make_lead()
        lead.type = "opportunity"
        with mute_logger(DECISION_LOG):
            self.end_transaction()
        self.assertEqual(self.firings(lead, "pending").rule_id, good)
        self.assertEqual(self.firings(lead, "failed").rule_id, self.rule)

    def test_unwatched_writes_cost_no_query(self):
        lead = self.make_lead()
        lead.read(["name", "probability"])
        self.Rule._watches()

        def write(name):
            lead.write({"name": name})
            self.env.flush_all()

        write("warm")
        count = self.env.cr.sql_log_count
        write("with rule")
        with_rule = self.env.cr.sql_log_count - count
        self.rule.with_user(self.manager).action_disable()
        self.Rule._watches()
        write("warm again")
        count = self.env.cr.sql_log_count
        write("without")
        self.assertEqual(with_rule, self.env.cr.sql_log_count - count)

    def test_watched_writes_read_old_values_in_one_query(self):
        leads = self.make_lead() + self.make_lead() + self.make_lead()
        self.end_transaction()
        self.env.invalidate_all()
        self.Rule._watches()
        count = self.env.cr.sql_log_count
        leads._automation_before({"type"})
        self.assertEqual(self.env.cr.sql_log_count - count, 1)
        count = self.env.cr.sql_log_count
        self.env.cr.flush()  # decides: nothing has changed, nothing is asked
        self.assertEqual(self.env.cr.sql_log_count, count)

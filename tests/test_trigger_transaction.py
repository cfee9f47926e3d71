"""What counts of a transaction: savepoints, repetition, imports."""

from unittest.mock import patch

from odoo.tests import tagged

from .test_trigger import TriggerCase


@tagged("post_install", "-at_install")
class TestTransaction(TriggerCase):
    """Savepoints, repetition, imports."""

    def test_a_change_that_is_rolled_back_and_made_again_acts_again(self):
        rule = self.rule_on("crm.lead", "updated", "city", set_priority="3")
        lead = self.make_lead()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            lead.city = "Burgos"
            self.env.cr.flush()
            self.assertEqual(lead.priority, "3")
            raise ZeroDivisionError
        self.assertFalse(self.firings(lead))
        self.assertEqual(lead.priority, "0")
        lead.city = "Burgos"
        self.assertFired(lead)
        self.assertEqual(self.firings(lead).rule_id, rule)
        self.assertEqual(lead.priority, "3")

    def test_undone_in_a_savepoint_that_is_rolled_back_stands(self):
        self.rule_on("crm.lead", "updated", "city")
        lead = self.make_lead()
        lead.city = "Burgos"
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            lead.city = False
            self.env.cr.flush()
            self.assertFalse(self.firings(lead))
            raise ZeroDivisionError
        self.assertFired(lead)

    def test_undone_later_although_a_savepoint_was_rolled_back(self):
        self.rule_on("crm.lead", "updated", "city")
        lead = self.make_lead()
        lead.city = "Burgos"
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            lead.city = False
            self.env.cr.flush()
            raise ZeroDivisionError
        lead.city = False
        self.assertFired(lead, times=0)

    def test_nested_savepoints(self):
        self.rule_on("crm.lead", "updated", "city")
        lead = self.make_lead()
        with self.env.cr.savepoint():
            lead.city = "Burgos"
            with self.env.cr.savepoint():
                lead.city = "Lugo"
            with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
                lead.city = "Soria"
                raise ZeroDivisionError
        self.assertFired(lead)
        self.assertEqual(lead.city, "Lugo")

    def test_a_repeated_transaction_fires_once(self):
        """Odoo repeats a transaction that lost against another one."""
        self.rule_on("crm.lead", "saved")
        lead = self.make_lead()
        self.firings(lead).unlink()
        savepoint = self.env.cr.savepoint()
        lead.city = "Burgos"
        self.env.cr.flush()
        # What Cursor.rollback() does, as far as the rules can tell.
        savepoint.close(rollback=True)
        self.env.cr.postcommit.clear()
        lead.city = "Burgos"
        self.assertFired(lead)

    def test_import_of_new_records(self):
        self.rule_on("crm.lead", "saved")
        result = self.env["crm.lead"].load(
            ["name", "partner_id"], [["One", "Azure & Sons"], ["Two", ""], ["Three", ""]]
        )
        self.assertFalse(result["messages"])
        leads = self.env["crm.lead"].browse(result["ids"])
        self.end_transaction()
        self.assertEqual(sorted(self.firings(leads).mapped("res_id")), sorted(leads.ids))

    def test_import_of_changes(self):
        self.rule_on("crm.lead", "saved", set_priority="3")
        leads = self.make_lead() + self.make_lead()
        self.firings(leads).unlink()
        leads.priority = "0"
        self.end_transaction()
        self.firings(leads).unlink()
        names = leads._export_rows([["id"]])
        result = self.env["crm.lead"].load(["id", "city"], [[name, "Burgos"] for [name] in names])
        self.assertFalse(result["messages"])
        self.assertFired(leads, times=2)
        self.assertEqual(leads.mapped("priority"), ["3", "3"])

    def test_import_that_is_refused_leaves_nothing(self):
        self.rule_on("crm.lead", "saved")
        before = self.Firing.search_count([])
        result = self.env["crm.lead"].load(
            ["name", "partner_id"], [["One", ""], ["Two", "Nobody of this name"]]
        )
        self.assertTrue(result["messages"])
        self.end_transaction()
        self.assertEqual(self.Firing.search_count([]), before)

    def test_writes_of_others_do_not_take_the_place_of_the_first(self):
        """Who made the change is told, whoever touches the record after him."""
        self.rule_on("crm.lead", "updated", "city")
        lead = self.make_lead()
        lead.with_user(self.seller).city = "Burgos"
        self.end_transaction()
        self.assertEqual(self.firings(lead).actor_id, self.seller)

    def test_without_rules_nothing_is_kept(self):
        lead, asked = self.make_lead(), []
        # A plain function: of a mock Odoo believes that it is to be called at each deletion.
        with patch.object(type(lead), "_automation_changes", asked.append):
            lead.city = "Burgos"
            self.env["crm.lead"].create({"name": "New"})
            lead.unlink()
        self.assertFalse(asked)

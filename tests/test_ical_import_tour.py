"""The import of a file in the browser, in Spanish: looked at first, done, undone."""

from odoo.tests import HttpCase, tagged

from .common import AutomationData


@tagged("post_install", "-at_install")
class TestImportTour(AutomationData, HttpCase):
    def test_a_file_is_looked_at_taken_in_and_undone(self):
        self.manager.lang = "es_ES"
        meetings = self.env["calendar.event"].search_count([])
        self.start_tour("/odoo", "crm_automation_import_ical", login="rule_manager")
        one = self.env["calendar.import"].search([("user_id", "=", self.manager.id)])
        self.assertEqual(one.state, "undone")
        made = one.line_ids.filtered(lambda line: line.result == "undone")
        self.assertEqual(sorted(made.mapped("summary")), ["Cata en el tour", "Ruta en el tour"])
        self.assertEqual(self.env["calendar.event"].search_count([]), meetings)

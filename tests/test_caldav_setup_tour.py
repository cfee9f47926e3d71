"""*Synchronize my Calendar* in the browser, in Spanish."""

from odoo.tests import HttpCase, tagged

from .common import AutomationData


@tagged("post_install", "-at_install")
class TestSetupTour(AutomationData, HttpCase):
    def test_a_key_is_made_seen_once_and_revoked(self):
        keys = self.env["res.users.apikeys"].sudo()
        self.start_tour("/odoo", "crm_automation_caldav_setup", login="seller")
        self.assertFalse(keys.search([("user_id", "=", self.seller.id)]))
        self.assertFalse(self.env["caldav.key"].search([("user_id", "=", self.seller.id)]))

"""An account is connected and looked at in the browser, in Spanish."""

from unittest.mock import patch

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .caldav_web import serving
from .common import AutomationData
from .test_account_connect import FETCH_ALLOWED
from .test_account_sync import event

SECRET = "pssst-4711"


@tagged("post_install", "-at_install")
class TestAccountTour(AutomationData, HttpCase):
    def setUp(self):
        super().setUp()
        self.manager.lang = "es_ES"
        self.env["ir.config_parameter"].set_param(FETCH_ALLOWED, "127.0.0.1")
        self.shelf = self.enterContext(serving(SECRET))

    def sync(self, account):
        """As the job does it, in the transaction of the test."""

        def flush(*_args):
            self.env.flush_all()

        account = account.sudo()
        account.next_sync = self.env.cr.now()
        with patch.object(type(account), "_commit", flush):
            account._turn()
        self.env.invalidate_all()

    def test_an_account_is_connected_and_looked_at(self):
        for name, title in (("a", "Cata en la bodega"), ("b", "Visita")):
            text = event(name, title).replace("\n", "\r\n")
            self.shelf.objects[f"/ana/ventas/{name}.ics"] = text
        with mute_logger("odoo.addons.crm_automation.models.caldav_account_run"):
            self.start_tour(
                "/odoo", "crm_automation_account", login="rule_manager",
                cookies={"caldav_server": self.shelf.url},
            )  # fmt: skip
        account = self.env["caldav.account"].search([("user_id", "=", self.manager.id)])
        self.assertEqual(account.sudo()._open_password(), SECRET)
        calendars = {one.name: one for one in account.calendar_ids}
        self.assertEqual(
            {name: one.enabled for name, one in calendars.items()}, {"Ventas": True, "Casa": False}
        )
        calendars["Casa"].with_user(self.manager).enabled = True
        self.shelf.broken.add("/ana/casa/")
        # A transaction of a test is not taken back.
        with patch.object(self.env.cr, "rollback", lambda: None):
            self.sync(account)
        self.start_tour("/odoo", "crm_automation_account_run", login="rule_manager")

"""Subscriptions in the browser, in Spanish."""

from odoo.tests import HttpCase, tagged

from .test_ical_fetch import WebData
from .test_subscription import calendar, event


@tagged("post_install", "-at_install")
class TestSubscriptionTour(WebData, HttpCase):
    def test_a_calendar_is_read_and_its_meetings_are_looked_at(self):
        self.manager.lang = "es_ES"
        subscription = self.env["calendar.subscription"].with_user(self.manager).create(
            {"name": "Ferias", "url": self.web.url("/ferias.ics")}
        )  # fmt: skip
        self.web.say(
            "/ferias.ics", calendar(event("a", 2, "Feria de Lugo"), event("b", 9, "Otra"))
        )  # fmt: skip
        self.start_tour("/odoo", "crm_automation_subscription", login="rule_manager")
        self.assertEqual((subscription.state, subscription.event_count), ("ok", 2))

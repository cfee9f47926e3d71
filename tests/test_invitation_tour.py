"""The screens of invitations, in a browser."""

from odoo.tests import HttpCase, tagged

from .common import AutomationData
from .test_invitation_attendee import InvitationData


@tagged("post_install", "-at_install")
class TestInvitationTour(InvitationData, AutomationData, HttpCase):
    def test_somebody_is_invited(self):
        self.manager.write({"lang": "es_ES", "tz": self.env.company.resource_calendar_id.tz})
        self.env["calendar.event"].search([]).active = False
        meeting = self.meet("Cata del tour", user=self.manager)
        self.start_tour("/odoo", "crm_automation_invitation", login="rule_manager")
        eva = self.of("eva@example.com", meeting)
        self.assertEqual((eva.common_name, eva.state), ("Eva", "needsAction"))
        self.assertEqual(eva.sent_by_id, self.manager)

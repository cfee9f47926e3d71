from odoo import models

from ..models.calendar_invitation_facts import UNTOLD


class CalendarPopoverDeleteWizard(models.TransientModel):
    _inherit = "calendar.popover.delete.wizard"

    def action_delete(self):
        """Delete without a word to the invited."""
        return super(
            CalendarPopoverDeleteWizard, self.with_context(**{UNTOLD: True})
        ).action_delete()

    def action_send_mail_and_delete(self):
        """The invited get a cancellation, which takes the meeting out of their calendars."""
        return super().action_delete()

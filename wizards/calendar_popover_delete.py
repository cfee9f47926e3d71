from odoo import models

from ..models.calendar_invitation_facts import UNTOLD

#: Key of the context: the invited are told of what is deleted.
TOLD = "tell_the_invited"


class CalendarPopoverDeleteWizard(models.TransientModel):
    _inherit = "calendar.popover.delete.wizard"

    def action_delete(self):
        """Delete without a word to the invited."""
        silent = self.with_context(**{UNTOLD: not self.env.context.get(TOLD)})
        return super(CalendarPopoverDeleteWizard, silent).action_delete()

    def action_send_mail_and_delete(self):
        """The invited get a cancellation, which takes the meeting out of their calendars."""
        return self.with_context(**{TOLD: True}).action_delete()

"""What is said about a private meeting, for those who take part in it.

Odoo keeps the chatter of a meeting to them that is private itself, and not of one that is
private because all of its organizer's are.
"""

from odoo import models


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        result = super()._mail_get_operation_for_mail_message_operation(message_operation)
        if message_operation == "read":
            hidden = self.filtered(lambda event: event.sudo()._check_private_event_conditions())
            # No right to the meeting goes with it: colleagues read and write it.
            result.update(dict.fromkeys(hidden, None))
        return result

    def _mail_group_by_operation_for_mail_message_operation(self, message_operation):
        groups = super()._mail_group_by_operation_for_mail_message_operation(message_operation)
        groups.pop(None, None)
        return groups

from odoo import api, models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def message_route(self, message, message_dict, model=None, thread_id=None, custom_values=None):
        """A mail that is a message about a meeting goes there, and nowhere else."""
        if not message_dict.get("is_bounce"):
            gateway = self.env["calendar.invitation.gateway"].sudo()
            if gateway._take_in(message, message_dict):
                return []
        return super().message_route(message, message_dict, model, thread_id, custom_values)

"""What is said about a private meeting, and what is filed with it, for those who take part.

Odoo keeps the chatter of a meeting to them that is private itself, and not of one that is
private because all of its organizer's are; the files of either it gives to every colleague.
"""

from odoo import api, models
from odoo.fields import Domain


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

    @api.model
    def _hidden_query(self):
        """Query of the private meetings in which the user takes no part; see
        ``_check_private_event_conditions``."""
        user = self.env.user
        settings = self.env["res.users.settings"].sudo()
        private_users = settings._search([("calendar_default_privacy", "=", "private")])
        hidden = Domain("privacy", "=", "private") | (
            Domain("privacy", "=", False) & Domain("user_id", "in", private_users.select("user_id"))
        )
        hidden &= Domain("user_id", "!=", user.id)
        hidden &= Domain("partner_ids", "not in", user.partner_id.ids)
        return self.sudo().with_context(active_test=False)._search(hidden)


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def _inaccessible_comodel_records(self, model_and_ids, operation):
        yield from super()._inaccessible_comodel_records(model_and_ids, operation)
        ids = [] if self.env.su else filter(None, model_and_ids.get("calendar.event", ()))
        for event in self.env["calendar.event"].sudo().browse(ids).exists():
            if event._check_private_event_conditions():
                yield event._name, event.id

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        if not (self.env.su or bypass_access):
            # What is searched by its model Odoo does not look at one by one.
            domain = Domain(domain) & (
                Domain("res_model", "!=", "calendar.event")
                | Domain("res_id", "=", False)
                | Domain("res_id", "not in", self.env["calendar.event"]._hidden_query())
            )
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

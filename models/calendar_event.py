from odoo import api, fields, models
from odoo.fields import Domain


class CalendarEvent(models.Model):
    _name = "calendar.event"
    _inherit = ["calendar.event", "crm.automation.target"]

    # Asked for by every rule about dates, every few minutes.
    start = fields.Datetime(index=True)
    stop = fields.Datetime(index=True)

    @api.depends("active", "stop", "attendee_ids.state")
    def _compute_business_state(self):
        return super()._compute_business_state()

    @api.model
    def _business_state_domains(self):
        """Draft: nobody is invited. Pending: an answer is missing. Open: all have
        answered. Done: over. Cancelled: archived."""
        to_come = Domain("active", "=", True) & Domain("stop", ">=", fields.Datetime.now())
        unanswered = Domain("attendee_ids.state", "in", ("needsAction", "tentative"))
        return {
            "cancelled": Domain("active", "=", False),
            "done": Domain("active", "=", True) & Domain("stop", "<", fields.Datetime.now()),
            "draft": to_come & Domain("attendee_ids", "=", False),
            "pending": to_come & unanswered,
        }

    @api.model
    def _business_state_sources(self):
        return ("active", "stop")

    @api.model
    def _automation_settable_states(self):
        """The others come from the answers and from the clock."""
        return ["open", "cancelled"]

    def _automation_set_state(self, state):
        """Cancel meetings, or bring cancelled ones back."""
        self.write({"active": state != "cancelled"})

from odoo import models


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    def _rsvp_url(self):
        """Address of the page on which the attendee answers."""
        self.ensure_one()
        query = f"token={self.access_token}&id={self.event_id.id}"
        return f"{self.get_base_url()}/calendar/meeting/view?{query}"

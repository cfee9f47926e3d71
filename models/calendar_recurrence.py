from odoo import models


class CalendarRecurrence(models.Model):
    _inherit = "calendar.recurrence"

    def unlink(self):
        """Odoo deletes a series before its meetings, and PostgreSQL empties their
        link to it: it is kept for the rules, which tell of a series once."""
        events = self.with_context(active_test=False).calendar_event_ids
        events._automation_before({"recurrence_id"})
        return super().unlink()

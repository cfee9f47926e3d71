from odoo import models

ANSWERS = ("accepted", "declined", "tentative")


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    def write(self, vals):
        """An answer is an event of the meeting: it is written here, not there."""
        answer = vals.get("state")
        if answer is None:
            return super().write(vals)
        events = self.event_id
        events._automation_before({"business_state"})
        if answer not in ANSWERS or not events._automation_awaits("invitation_answered"):
            return super().write(vals)
        changed = self.filtered(lambda attendee: attendee.state != answer)
        result = super().write(vals)
        for attendee in changed:
            name = attendee.common_name or attendee.partner_id.display_name
            attendee.event_id._automation_event(
                "invitation_answered",
                {"answers": [{"name": name, "state": answer, "partner_id": attendee.partner_id.id}]},
            )
        return result

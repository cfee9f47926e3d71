from odoo import fields, models

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
        # Whoever answers for a series answers once.
        now = fields.Datetime.now()
        by_series = changed.grouped(lambda row: row.event_id.recurrence_id or row.event_id)
        for attendees in by_series.values():
            meetings = attendees.event_id.sorted("start")
            to_come = meetings.filtered(lambda event: event.stop >= now)
            meeting = to_come[:1] or meetings[:1]
            answers = {
                attendee.partner_id or attendee: {
                    "name": attendee.common_name or attendee.partner_id.display_name,
                    "state": answer,
                    "partner_id": attendee.partner_id.id,
                }
                for attendee in attendees
            }
            meeting._automation_event("invitation_answered", {"answers": [*answers.values()]})
        return result

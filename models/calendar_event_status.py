"""OpenERP's status of a meeting: tentative, confirmed, cancelled (STATUS in iCalendar).

A cancelled meeting is an archived one, for Odoo has no other word for it; so its
reminders stop, its time is free again, and the rules about cancelled meetings hold.
"""

from odoo import api, fields, models

STATUS = [("tentative", "Tentative"), ("confirmed", "Confirmed"), ("cancelled", "Cancelled")]


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    is_tentative = fields.Boolean("Tentative")
    event_status = fields.Selection(
        STATUS,
        compute="_compute_event_status",
        inverse="_inverse_event_status",
        store=True,
        help="Whether the meeting takes place. What is tentative may still change; a cancelled "
        "meeting is archived.",
    )

    @api.depends("active", "is_tentative")
    def _compute_event_status(self):
        for event in self:
            if not event.active:
                event.event_status = "cancelled"
            else:
                event.event_status = "tentative" if event.is_tentative else "confirmed"

    def _inverse_event_status(self):
        for event in self:
            event.write(self._status_values(event.event_status))

    @api.model
    def _status_values(self, status):
        if status == "cancelled":
            return {"active": False}
        return {"active": True, "is_tentative": status == "tentative"}

    def write(self, vals):
        if "event_status" in vals and vals.get("recurrence_update") in (
            "all_events", "future_events",
        ):  # fmt: skip
            # A series is told what its fields are to be.
            vals = dict(vals)
            vals.update(self._status_values(vals.pop("event_status")))
        return super().write(vals)

    def action_status_confirmed(self):
        """Confirm it; what was cancelled takes place again."""
        return self._set_status("confirmed")

    def action_status_tentative(self):
        return self._set_status("tentative")

    def action_status_cancelled(self):
        return self._set_status("cancelled")

    def _set_status(self, status):
        """Set it for the meeting, or for those of its series that the form is about."""
        scope = self.env.context.get("recurrence_update")
        for event in self:
            if not event.recurrence_id or scope not in ("all_events", "future_events"):
                event.write(self._status_values(status))
            elif status == "cancelled":
                event.action_mass_archive(scope)
            else:
                event.write({**self._status_values(status), "recurrence_update": scope})
        return True

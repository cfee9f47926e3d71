"""Where the invited are concerned: meetings that are made, changed, cancelled or deleted,
and attendees that come and go. What is noted there is in ``calendar_invitation_facts``.
"""

from odoo import api, models

from .calendar_invitation_facts import TOUCHING


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    @api.model_create_multi
    def create(self, vals_list):
        if not self._invitation_is_told():
            return super().create(vals_list)
        with self._invitation_inside():
            events = super().create(vals_list)
        events._invitation_note_new()
        return events

    def write(self, vals):
        if TOUCHING.isdisjoint(vals) or not self._invitation_is_told():
            return super().write(vals)
        self._invitation_note()
        with self._invitation_inside():
            return super().write(vals)

    def unlink(self):
        if not self._invitation_is_told():
            return super().unlink()
        self._invitation_note()
        with self._invitation_inside():
            return super().unlink()


class CalendarRecurrence(models.Model):
    _inherit = "calendar.recurrence"

    def unlink(self):
        # Its meetings get other names before they are deleted themselves.
        events = self.env["calendar.event"]
        if not events._invitation_is_told():
            return super().unlink()
        self.sudo().with_context(active_test=False).calendar_event_ids._invitation_note()
        with events._invitation_inside():
            return super().unlink()


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    @api.model_create_multi
    def create(self, vals_list):
        events = self.env["calendar.event"]
        if not events._invitation_is_told():
            return super().create(vals_list)
        ids = {vals["event_id"] for vals in vals_list if isinstance(vals.get("event_id"), int)}
        concerned = events.sudo().browse(ids)
        # Of a meeting that this transaction has made there is nothing to note.
        made = concerned.filtered(lambda event: event.create_date == self.env.cr.now())
        made._invitation_note_new()
        (concerned - made)._invitation_note()
        return super().create(vals_list)

    def unlink(self):
        events = self.sudo().event_id
        if events._invitation_is_told():
            events._invitation_note()
        return super().unlink()

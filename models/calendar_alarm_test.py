"""The button *Test* of a reminder: it is delivered at once, to whoever presses it."""

import uuid

from odoo import fields, models
from odoo.exceptions import UserError

from .calendar_alarm import FOR_ALL


class CalendarAlarm(models.Model):
    _inherit = "calendar.alarm"

    def action_test(self):
        """Deliver it to the user, about a meeting of his."""
        self.ensure_one()
        if self.alarm_type in FOR_ALL:
            raise UserError(
                self.env._("Of procedures and text messages there is no test: they would be real.")
            )
        event = self._event_to_test()
        if not event:
            raise UserError(
                self.env._("Book a meeting of your own first: the test is about your next one.")
            )
        now = self.env.cr.now().replace(microsecond=0)
        is_end = self.trigger_related == "end" and not self.trigger_at
        reminder = self.env["calendar.reminder"].sudo().create(
            {
                "alarm_id": self.id,
                "own_key": f"test {uuid.uuid4().hex}",
                "kind": self.alarm_type,
                "res_model": event._name,
                "res_id": event.id,
                "partner_id": self.env.user.partner_id.id,
                "base_at": event.stop if is_end else event.start,
                "due_at": now,
                "run_at": now,
            }
        )  # fmt: skip
        reminder._deliver()
        if reminder.state != "done":
            raise UserError(reminder.reason)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "The reminder was sent to you, about “%(name)s”.", name=event.name
                ),
            },
        }

    def _event_to_test(self):
        """The user's next meeting, one with this reminder first; else his last one."""
        Event = self.env["calendar.event"]
        mine = [("partner_ids", "in", self.env.user.partner_id.ids)]
        coming = [*mine, ("stop", ">", fields.Datetime.now())]
        return (
            Event.search([*coming, ("alarm_ids", "in", self.ids)], order="start", limit=1)
            or Event.search(coming, order="start", limit=1)
            or Event.search(mine, order="start desc", limit=1)
        )

"""What organizers outside have said of meetings: by it a mail is known that comes twice,
late, or after the one that takes it back (RFC 5546, 2.1.5)."""

from odoo import api, fields, models

from ..ical.parse import parse
from ..ical.values import UTC


class CalendarInvitationSeen(models.Model):
    _name = "calendar.invitation.seen"
    _description = "Newest Message of an Organizer"

    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    uid = fields.Char("iCalendar UID", required=True)
    place = fields.Char(help="RECURRENCE-ID; empty for the meeting or series as a whole.")
    sequence = fields.Integer()
    stamp = fields.Datetime(help="DTSTAMP of the message.")
    method = fields.Char()
    event_id = fields.Many2one("calendar.event", index="btree_not_null", ondelete="set null")
    text = fields.Text(help="The occurrence as it came.")

    _unique = models.UniqueIndex("(user_id, uid, COALESCE(place, ''))")

    @api.model
    def _of(self, user, uid):
        """dict from place (None is the whole) to the row"""
        rows = self.sudo().search([("user_id", "=", user.id), ("uid", "=", uid)])
        return {row.place or None: row for row in rows}

    def _itip_order(self):
        """As ``ical.sequence.order`` has it."""
        self.ensure_one()
        return self.sequence, self.stamp.replace(tzinfo=UTC)

    def _item(self):
        """The occurrence that is kept, or None."""
        self.ensure_one()
        items = parse(self.text.encode()).items if self.text else ()
        return items[0] if items else None

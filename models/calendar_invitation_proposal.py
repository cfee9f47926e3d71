from odoo import api, fields, models


class CalendarInvitationProposal(models.Model):
    _name = "calendar.invitation.proposal"
    _description = "Proposed Time"

    attendee_id = fields.Many2one("calendar.attendee", required=True, ondelete="cascade")
    start = fields.Datetime(required=True)
    stop = fields.Datetime(required=True)
    comment = fields.Text()

    @api.model
    def _propose(self, attendee, start, stop, comment=""):
        """An attendee proposes another time (naive UTC)."""
        return self.create(
            {"attendee_id": attendee.id, "start": start, "stop": stop, "comment": comment}
        )

"""The inbox of a user's programs: invitations that he has not answered (RFC 6638, 2.2).

The meetings themselves are in his calendar already. What he deletes here he has seen; he
finds it again when the organizer changes it.
"""

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class CaldavCollection(models.Model):
    _inherit = "caldav.collection"

    kind = fields.Selection(selection_add=[("inbox", "Inbox")], ondelete={"inbox": "cascade"})

    def _domain(self):
        domain = super()._domain()
        if self.kind != "inbox":
            return domain
        open_ = [("partner_id", "=", self.user_id.partner_id.id), ("state", "=", "needsAction")]
        # Another one each day, so that what is over is looked at.
        today = fields.Datetime.to_string(fields.Datetime.now().replace(hour=0, minute=0, second=0))
        coming = Domain("stop", ">=", today)
        return domain & Domain("attendee_ids", "any!", open_) & coming

    def _query(self):
        query = super()._query()
        if self.kind == "inbox":
            query.add_where(self._is_from_somebody())
            query.add_where(self._is_unseen())
        return query

    def _is_from_somebody(self):
        """SQL: somebody else has invited him; who from outside has, wrote a mail."""
        return SQL(
            """
            (calendar_event.user_id IS DISTINCT FROM %(user)s OR EXISTS (
                SELECT FROM calendar_invitation_seen message
                 WHERE message.user_id = %(user)s AND message.uid = calendar_event.ical_uid
                   AND message.method = 'REQUEST'))
            """,
            user=self.user_id.id,
        )

    def _is_unseen(self):
        return SQL(
            """
            NOT EXISTS (
                SELECT FROM caldav_schedule schedule
                 WHERE schedule.user_id = %s AND schedule.uid = calendar_event.ical_uid
                   AND schedule.seen_sequence >= GREATEST(
                       COALESCE(calendar_event.ical_sequence, 0),
                       (SELECT series.ical_sequence FROM calendar_recurrence series
                         WHERE series.id = calendar_event.recurrence_id)))
            """,
            self.user_id.id,
        )

    def _holdings(self, only):
        holdings = super()._holdings(only)
        if self.kind != "inbox":
            return holdings
        # A text is the same here and in the calendar: of all in which he takes part.
        return SQL(
            """
            SELECT holding.uid, holding.sees,
                   (SELECT count(*) FROM calendar_event event
                     WHERE event.ical_uid = holding.uid AND event.active
                       AND (event.user_id = %(user)s OR EXISTS (
                            SELECT FROM calendar_event_res_partner_rel guest
                             WHERE guest.calendar_event_id = event.id
                               AND guest.res_partner_id = %(partner)s)))
                   < (SELECT count(*) FROM calendar_event event
                       WHERE event.ical_uid = holding.uid AND event.active) AS is_part
              FROM (%(holdings)s) holding
            """,
            holdings=holdings, user=self.user_id.id, partner=self.user_id.partner_id.id,
        )  # fmt: skip

    def _own_meetings(self, uids):
        if self.kind == "inbox":
            return self._of(self.user_id, "agenda")._own_meetings(uids)
        return super()._own_meetings(uids)

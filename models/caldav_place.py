"""In which of his calendars a user has a meeting, when it is not his agenda."""

from odoo import api, fields, models
from odoo.tools import SQL


class CaldavPlace(models.Model):
    """Without a calendar he has taken it out of all: he declined, and does not want to see
    it. It counts as long as his answer is that."""

    _name = "caldav.place"
    _description = "Calendar of a Meeting"
    _log_access = False

    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    uid = fields.Char("UID", required=True)
    collection_id = fields.Many2one("caldav.collection", ondelete="cascade", index=True)

    _once = models.UniqueIndex("(user_id, uid)")

    @api.model
    def _put(self, user, uid, collection=None):
        """From now on it is there. Only his calendars change."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO caldav_place (user_id, uid, collection_id) VALUES (%s, %s, %s)
                ON CONFLICT (user_id, uid) DO UPDATE SET collection_id = excluded.collection_id
                """,
                user.id, uid, collection.id if collection else None,
            )
        )  # fmt: skip
        self._changed(user, uid)

    @api.model
    def _take(self, user, uid):
        """From now on it is in his agenda."""
        self.env.cr.execute(
            SQL("DELETE FROM caldav_place WHERE user_id = %s AND uid = %s", user.id, uid)
        )
        if self.env.cr.rowcount:
            self._changed(user, uid)

    def _changed(self, user, uid):
        self.invalidate_model(flush=False)
        self.env["caldav.change"]._note(SQL("SELECT %s", uid), user)

    @api.model
    def _is_in(self, user, collection=None):
        """SQL condition on ``calendar_event``: it is in that calendar, or in his agenda."""
        if collection:
            return SQL(
                "EXISTS (SELECT FROM caldav_place place WHERE place.user_id = %s"
                " AND place.uid = calendar_event.ical_uid AND place.collection_id = %s)",
                user.id, collection.id,
            )  # fmt: skip
        return SQL(
            """
            NOT EXISTS (
                SELECT FROM caldav_place place
                 WHERE place.user_id = %s AND place.uid = calendar_event.ical_uid
                   AND (place.collection_id IS NOT NULL OR EXISTS (
                        SELECT FROM calendar_attendee answer
                         WHERE answer.event_id = calendar_event.id
                           AND answer.partner_id = %s AND answer.state = 'declined')))
            """,
            user.id,
            user.partner_id.id,
        )

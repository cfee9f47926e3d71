"""What a program has put into a calendar and Odoo has no place for: kept as it came."""

from odoo import api, fields, models
from odoo.tools import SQL


class CaldavKept(models.Model):
    """A rule of every second, the year 1, a to-do in a calendar of the user's own: of use to
    his programs only."""

    _name = "caldav.kept"
    _description = "Text That Is Only Kept"
    _log_access = False

    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    uid = fields.Char("UID", required=True)
    collection_id = fields.Many2one(
        "caldav.collection", required=True, ondelete="cascade", index=True
    )
    component = fields.Char(required=True)
    text = fields.Text(required=True)

    _once = models.UniqueIndex("(user_id, uid)")

    @api.model
    def _put(self, collection, uid, component, text):
        """Keep a text; only the user's calendars change."""
        user = collection.user_id
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO caldav_kept (user_id, uid, collection_id, component, text)
                VALUES (%s, %s, %s, %s, %s)
                ON CONFLICT (user_id, uid) DO UPDATE
                   SET collection_id = excluded.collection_id, component = excluded.component,
                       text = excluded.text
                """,
                user.id, uid, collection.id, component, text,
            )
        )  # fmt: skip
        self._changed(user, uid)

    @api.model
    def _take(self, user, uid):
        """Keep it no longer. :return: whether it was there"""
        self.env.cr.execute(
            SQL("DELETE FROM caldav_kept WHERE user_id = %s AND uid = %s", user.id, uid)
        )
        is_there = bool(self.env.cr.rowcount)
        if is_there:
            self._changed(user, uid)
        return is_there

    def _changed(self, user, uid):
        """The stored text is one of this user alone: nobody else's note tells it."""
        self.invalidate_model(flush=False)
        self.env.cr.execute(
            SQL(
                "DELETE FROM caldav_object WHERE uid = %s AND sees = 'kept' AND user_id = %s",
                uid, user.id,
            )
        )  # fmt: skip
        self.env["caldav.change"]._note(SQL("SELECT %s", uid), user)

    @api.model
    def _texts(self, user, uids):
        """dict from UID to text"""
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT uid, text FROM caldav_kept WHERE user_id = %s AND uid = ANY(%s)",
                    user.id,
                    list(uids),
                )
            )
        )

"""What of an object is a user's own: his reminders, and what his program notes."""

from odoo import api, fields, models
from odoo.tools import SQL


class CaldavOverlay(models.Model):
    """The text holds a VEVENT for the whole object, and one for each meeting of a
    series that has its own (RECURRENCE-ID), with nothing else in them."""

    _name = "caldav.overlay"
    _description = "What a User Keeps of a Meeting for Himself"
    _log_access = False

    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    uid = fields.Char("UID", required=True)
    text = fields.Text(required=True)

    _once = models.UniqueIndex("(user_id, uid)")

    @api.model
    def _put(self, user, uid, text):
        """Keep it; False for nothing of his own. Only his calendars change.

        :return: whether that was another one
        """
        if text:
            statement = SQL(
                """
                INSERT INTO caldav_overlay AS old (user_id, uid, text) VALUES (%s, %s, %s)
                ON CONFLICT (user_id, uid) DO UPDATE SET text = excluded.text
                 WHERE old.text <> excluded.text RETURNING id
                """,
                user.id, uid, text,
            )  # fmt: skip
        else:
            statement = SQL(
                "DELETE FROM caldav_overlay WHERE user_id = %s AND uid = %s RETURNING id",
                user.id,
                uid,
            )
        self.env.cr.execute(statement)
        is_changed = bool(self.env.cr.fetchall())
        if is_changed:
            self.invalidate_model(flush=False)
            self.env["caldav.change"]._note(SQL("SELECT %s", uid), user)
        return is_changed

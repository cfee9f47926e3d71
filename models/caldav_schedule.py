"""What is known of a user's meeting as far as it is arranged with others (RFC 6638)."""

from odoo import api, fields, models
from odoo.tools import SQL


class CaldavSchedule(models.Model):
    """Only his own programs are told of it."""

    _name = "caldav.schedule"
    _description = "What Has Become of Messages About a Meeting"
    _log_access = False

    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    uid = fields.Char("UID", required=True)
    statuses = fields.Json(help="Address to the code of what has become of the message to it.")
    seen_sequence = fields.Integer(
        default=-1, help="The version of the invitation that was taken out of the inbox."
    )

    _once = models.UniqueIndex("(user_id, uid)")

    @api.model
    def _put_statuses(self, user, uid, statuses):
        """Keep what has become of the messages; nothing for none."""
        if not statuses and not self._statuses(user, [uid]):
            return
        self._put(user, uid, statuses=statuses or False)

    @api.model
    def _put(self, user, uid, **values):
        row = self.search([("user_id", "=", user.id), ("uid", "=", uid)])
        if row:
            row.write(values)
        else:
            self.create({"user_id": user.id, "uid": uid, **values})
        self.flush_model()
        self.env["caldav.change"]._note(SQL("SELECT %s", uid), user)

    @api.model
    def _statuses(self, user, uids):
        """dict from UID to dict from address to code"""
        self.flush_model()
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT uid, statuses FROM caldav_schedule WHERE user_id = %s"
                    " AND uid = ANY(%s) AND jsonb_typeof(statuses) = 'object'",
                    user.id,
                    list(uids),
                )
            )
        )

    @api.autovacuum
    def _gc_of_nothing(self):
        """Forget what is of no meeting any more."""
        self.env.cr.execute(
            "DELETE FROM caldav_schedule schedule WHERE NOT EXISTS ("
            "SELECT FROM calendar_event event WHERE event.ical_uid = schedule.uid)"
        )

"""The log of what has changed for other calendars: a UID, and who changed it.

Owns how a change is noted, and what it means that somebody has seen it. Users'
transactions only insert, so a save neither waits for readers nor fails from them.

A change carries the id of its transaction, and a reader keeps the snapshot in which
he has looked: what is not visible in it is new to him, in whatever order
transactions commit. A transaction that looks at its own changes has their *round*
closed; what it changes afterwards belongs to the next one.
"""

from odoo import api, fields, models
from odoo.tools import SQL

#: The round of this transaction. A setting that lives with the transaction, and that
#: a rollback to a savepoint takes back like everything else.
ROUND = SQL("COALESCE(NULLIF(current_setting('crm_automation.caldav_round', true), ''), '0')::int")
#: The snapshot in which this transaction looks.
SNAPSHOT = SQL("pg_current_snapshot()::text")
#: Columns of whoever keeps what he has seen: his snapshot, and his own transaction.
SEEN = ("seen_in", "seen_xid", "seen_round")


class BigInteger(fields.Integer):
    """An Integer of eight bytes."""

    _column_type = ("int8", "int8")


class CaldavChange(models.Model):
    _name = "caldav.change"
    _description = "Change for Other Calendars"
    _log_access = False

    uid = fields.Char(
        "UID", required=True, help="Empty: the rights of the user have changed, or may have."
    )
    user_id = fields.Many2one("res.users", "Only for", ondelete="cascade")
    xid = BigInteger("Transaction", required=True, index=True)
    round = fields.Integer(required=True, help="See the module's documentation.")
    made_at = fields.Datetime(required=True)

    _once = models.UniqueIndex("(uid, xid, round, COALESCE(user_id, 0))")

    @api.model
    def _note(self, uids, user=None):
        """Note changes, in the transaction in which they are made.

        :param SQL uids: query of one column; NULL is left out
        :param user: the only one who notices
        """
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO caldav_change (uid, user_id, xid, round, made_at)
                SELECT DISTINCT changed.uid, %s::int, pg_current_xact_id()::text::bigint, %s,
                       now() AT TIME ZONE 'UTC'
                  FROM (%s) AS changed(uid) WHERE changed.uid IS NOT NULL
                ON CONFLICT (uid, xid, round, COALESCE(user_id, 0)) DO NOTHING
                """,
                user.id if user else None,
                ROUND,
                uids,
            )  # fmt: skip
        )

    @api.model
    def _note_events(self, ids):
        """Note a change of the meetings with these ids, as they are in the database."""
        ids = [res_id for res_id in ids if isinstance(res_id, int)]
        if ids:
            self._note(SQL("SELECT ical_uid FROM calendar_event WHERE id = ANY(%s)", ids))

    @api.model
    def _unseen(self, change, reader):
        """Whether a change is new to a reader.

        PostgreSQL expects that a third of the log is. Who asks whether there is one orders by
        ``xid``, so that it begins with the latest, instead of reading the whole log.

        :param str change: alias of the change's table
        :param str reader: alias of a table with the columns of SEEN
        :return: SQL condition
        """
        seen_in, seen_xid, seen_round = (SQL.identifier(reader, name) for name in SEEN)
        xid, number = SQL.identifier(change, "xid"), SQL.identifier(change, "round")
        return SQL(
            "(%(xid)s >= pg_snapshot_xmin(%(seen_in)s::pg_snapshot)::text::bigint"
            " AND NOT pg_visible_in_snapshot(%(xid)s::text::xid8, %(seen_in)s::pg_snapshot)"
            " AND NOT (%(xid)s = %(seen_xid)s AND %(round)s <= %(seen_round)s))",
            xid=xid, seen_in=seen_in, seen_xid=seen_xid, round=number, seen_round=seen_round,
        )  # fmt: skip

    @api.model
    def _seen_now(self):
        """Values of the columns of SEEN for who has looked in this transaction.

        :return: SQL, three values
        """
        return SQL("%s, pg_current_xact_id()::text::bigint, %s", SNAPSHOT, ROUND)

    @api.model
    def _close_round(self):
        """Somebody has looked; what this transaction changes from now on is new to him."""
        self.env.cr.execute(
            SQL("SELECT set_config('crm_automation.caldav_round', (%s + 1)::text, true)", ROUND)
        )

    @api.model
    def _home(self):
        """SQL of the name of where transactions are counted.

        Another cluster counts anew; a backup that is put in place knows nothing of
        what came after it. Each has another name.
        """
        return SQL(
            "(SELECT (SELECT system_identifier FROM pg_control_system())"
            " || '-' || (SELECT timeline_id FROM pg_control_checkpoint())"
            " || '-' || (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )

"""Who was wrong how often: counted for all workers and machines together.

A failure is a row, so that no request waits for another one's or fails from it. Who gets in
by what is remembered does not come here; who proves anew asks one query of two keys.
"""

import hashlib

from odoo import api, fields, models
from odoo.tools import SQL

#: Rows that are kept: older ones are dropped first.
MANY = 100_000
#: Failures by which it is looked whether there are more.
LOOKED_EVERY = 500
_NOW = SQL("clock_timestamp() AT TIME ZONE 'UTC'")
#: Failures that are older do not count.
_RECENT = SQL("%s - interval '1 day'", _NOW)


class CaldavFailure(models.Model):
    _name = "caldav.failure"
    _description = "Failed Login of a Calendar Program"
    _log_access = False

    key = fields.Char(required=True, help="Digest of a name, or of an address.")
    pair = fields.Char("Name and Address", help="Digest of the name and the address together.")
    failed_at = fields.Datetime(required=True)

    _by_key = models.Index("(key, failed_at)")

    @api.model
    def _counted(self, who):
        """How often they were wrong of late.

        :param dict who: kind of key to its value
        :return: dict from kind to (number, seconds since the last one), of those who were;
            of an address the number of names, for one telephone with an old password is not
            to keep out everybody in its house
        """
        kinds = {_digest(kind, value): kind for kind, value in who.items()}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT key, CASE WHEN key = %s THEN count(DISTINCT pair) ELSE count(*) END,
                       extract(epoch FROM %s - max(failed_at))::float
                  FROM caldav_failure WHERE key = ANY(%s) AND failed_at > %s GROUP BY key
                """,
                _digest("address", who.get("address", "")),
                _NOW,
                list(kinds),
                _RECENT,
            )
        )
        return {kinds[key]: (number, seconds) for key, number, seconds in rows}

    @api.model
    def _note(self, who):
        """They were wrong."""
        keys = [_digest(kind, value) for kind, value in who.items()]
        rows = self.env.execute_query(
            SQL(
                "INSERT INTO caldav_failure (key, pair, failed_at)"
                " SELECT unnest(%s), %s, %s RETURNING id",
                keys,
                _pair(who),
                _NOW,
            )
        )
        if any(row_id % LOOKED_EVERY == 0 for (row_id,) in rows):
            self.env.cr.execute(
                SQL(
                    "DELETE FROM caldav_failure"
                    " WHERE id <= (SELECT max(id) FROM caldav_failure) - %s",
                    MANY,
                )
            )

    @api.model
    def _clear(self, who):
        """They were right: what they had wrong before, together, does not count.

        What others had wrong does. Otherwise whoever guesses a name from elsewhere would
        begin anew with each request of that user's telephone, and who has a name of his own
        could guess all others from his address.
        """
        keys = [_digest(kind, value) for kind, value in who.items()]
        self.env.cr.execute(
            SQL("DELETE FROM caldav_failure WHERE key = ANY(%s) AND pair = %s", keys, _pair(who))
        )

    @api.autovacuum
    def _gc_failures(self):
        self.env.cr.execute(SQL("DELETE FROM caldav_failure WHERE failed_at <= %s", _RECENT))


def _pair(who):
    return _digest("pair", "\0".join(value for _kind, value in sorted(who.items())))


def _digest(kind, value):
    """Of a name that is none somebody may have typed a password."""
    text = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()

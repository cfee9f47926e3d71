"""A user's calendar as other programs have it: who reads here reads only SQL.

Owns what belongs to it (by the ORM's own rules), its versions, and how it follows
the log of changes. The texts are ``caldav.object``'s; addresses and XML nobody's
here.
"""

import hashlib

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .caldav_change import BigInteger

#: So many changes are looked up one by one.
FEW = 100


class CaldavCollection(models.Model):
    _name = "caldav.collection"
    _description = "Calendar for Other Programs"

    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    kind = fields.Selection(
        [("agenda", "My meetings"), ("busy", "When I am busy")],
        required=True,
        help="What a feed shows; for what CalDAV shows see there.",
    )
    key = fields.Char(readonly=True, help="Which one of several of its kind.")
    name = fields.Char()
    color = fields.Char()
    version = fields.Integer(required=True, readonly=True)
    epoch = fields.Char(required=True, readonly=True, help="Versions count from here.")
    home = fields.Char(required=True, readonly=True, help="Where transactions are counted.")
    rights = fields.Char(readonly=True, help="Digest of the condition for what belongs to it.")
    forgotten = fields.Integer(readonly=True, help="Deletions up to this version are forgotten.")
    used_on = fields.Date(readonly=True)
    seen_in = fields.Char("Snapshot", readonly=True, help="Empty: look at everything.")
    seen_xid = BigInteger("Transaction", readonly=True)
    seen_round = fields.Integer(readonly=True)

    _once = models.UniqueIndex("(user_id, kind, COALESCE(key, ''))")

    @api.model
    def _of(self, user, kind, key=None):
        """The collection of a user, made when it is not there yet."""
        self.env.flush_all()
        find = SQL(
            "SELECT id FROM caldav_collection"
            " WHERE user_id = %s AND kind = %s AND COALESCE(key, '') = %s",
            user.id, kind, key or "",
        )  # fmt: skip
        found = self.env.execute_query(find)
        if not found:
            home = self.env["caldav.change"]._home()
            [(is_elsewhere,)] = self.env.execute_query(
                SQL(
                    """
                    SELECT EXISTS (SELECT FROM caldav_collection WHERE home <> %s)
                        OR EXISTS (SELECT FROM caldav_change WHERE %s)
                    """,
                    home,
                    _FROM_ELSEWHERE,
                )
            )
            if is_elsewhere:
                self._move_in()
            found = self.env.execute_query(
                SQL(
                    """
                    INSERT INTO caldav_collection (user_id, kind, key, version, epoch, home,
                                                   forgotten, used_on, create_uid, create_date)
                    VALUES (%s, %s, %s, 0, %s, %s, 0, CURRENT_DATE, %s, now() AT TIME ZONE 'UTC')
                    ON CONFLICT (user_id, kind, COALESCE(key, '')) DO NOTHING RETURNING id
                    """,
                    user.id, kind, key, _NEW_EPOCH, home, self.env.uid,
                )
            )  # fmt: skip
        return self.browse(found[0])

    # --- What belongs to it

    def _domain(self):
        """The meetings that belong to it, beside what the user may read at all.

        Hook for further kinds of calendars of meetings.
        """
        user = self.user_id
        domain = Domain("user_id", "=", user.id)
        domain |= Domain("partner_ids", "in", user.partner_id.ids)
        if self.kind == "busy":
            declined = [("partner_id", "=", user.partner_id.id), ("state", "=", "declined")]
            domain &= ~Domain("attendee_ids", "any!", declined)
        else:
            # What is only shown here comes from elsewhere: other programs read it there.
            domain &= Domain("is_overlay", "=", False)
        return domain & Domain("active", "=", True)

    def _sees(self):
        return "busy" if self.kind == "busy" else "full"

    def _query(self):
        """The meetings that it holds now, by the rights of its user."""
        env = self.env(user=self.user_id, su=False, context={})
        query = env["calendar.event"]._search(self._domain())
        query.order = None
        return query

    def _own_meetings(self, uids):
        """Ids of its meetings with these UIDs."""
        query = self._query()
        query.add_where(SQL("calendar_event.ical_uid = ANY(%s)", list(uids)))
        return query.get_result_ids()

    def _holdings(self, only):
        """SQL: (uid, is_part, sees) of what it holds now.

        :param SQL only: query of the UIDs in question, or None for all
        """
        query = self._query()
        query.add_where(SQL("calendar_event.ical_uid IS NOT NULL"))
        if only:
            query.add_where(SQL("calendar_event.ical_uid IN (%s)", only))
        query.groupby = SQL("calendar_event.ical_uid")
        own = query.select(
            SQL("calendar_event.ical_uid AS uid"),
            SQL("count(*) AS number"),
        )
        return SQL(
            """
            SELECT own.uid, %(sees)s AS sees, own.number < (
                       SELECT count(*) FROM calendar_event event
                        WHERE event.ical_uid = own.uid AND event.active) AS is_part
              FROM (%(own)s) own
            """,
            own=own, sees=self._sees(),
        )  # fmt: skip

    # --- Following the changes

    def _catch_up(self, names=None):
        """Take in what has changed since it was looked at last.

        What transactions that are still open have changed is taken in after their
        commit. Of the own transaction it sees everything up to now.

        :param dict names: names for new members, by their UID
        """
        self.ensure_one()
        self.env.flush_all()
        if not self._has_news():
            return
        cr = self.env.cr
        cr.execute(
            SQL(
                """
                SELECT seen_in IS NULL, home = %s, rights,
                       pg_snapshot_xmin(seen_in::pg_snapshot)::text::bigint
                  FROM caldav_collection WHERE id = %s FOR NO KEY UPDATE
                """,
                self.env["caldav.change"]._home(),
                self.id,
            )
        )
        is_new, is_here, rights, since = cr.fetchone()
        if not is_here:
            self._move_in()
            is_new = True
        digest = self._rights()
        self._take_in(names or {}, is_new, is_new or rights != digest, since or 0)
        cr.execute(
            SQL(
                """
                UPDATE caldav_collection
                   SET rights = %s, used_on = CURRENT_DATE, (seen_in, seen_xid, seen_round) = (%s)
                 WHERE id = %s
                """,
                digest,
                self.env["caldav.change"]._seen_now(),
                self.id,
            )
        )
        self.env["caldav.change"]._close_round()
        self.invalidate_recordset(flush=False)

    def _has_news(self):
        """Whether there may be something to take in."""
        [(has_news,)] = self.env.execute_query(
            SQL(
                "SELECT %s FROM caldav_collection WHERE id = %s",
                self._news("caldav_collection"),
                self.id,
            )
        )
        return has_news

    @api.model
    def _news(self, alias):
        """SQL condition on a collection: there may be something to take in.

        Once a day in any case: so it is known which ones are used.

        Whoever asks this reads or writes calendars next. Of large ones PostgreSQL expects more
        work than there is, and would compile each of these queries (JIT) for two seconds to
        run it for some milliseconds: it is told not to, in this transaction.
        """
        change = self.env["caldav.change"]
        return SQL(
            "(set_config('jit', 'off', TRUE) IS NULL OR %(alias)s.seen_in IS NULL"
            " OR %(alias)s.used_on <> CURRENT_DATE"
            " OR %(alias)s.home <> %(home)s OR (SELECT change.id FROM caldav_change change"
            " WHERE (change.user_id IS NULL OR change.user_id = %(alias)s.user_id)"
            " AND %(unseen)s ORDER BY change.xid DESC LIMIT 1) IS NOT NULL)",
            alias=SQL.identifier(alias), home=change._home(),
            unseen=change._unseen("change", alias),
        )  # fmt: skip

    def _rights(self):
        """Digest of the condition for what belongs to it."""
        query = self._query().select()
        return hashlib.md5(repr((query.code, query.params)).encode()).hexdigest()

    def _take_in(self, names, is_new, is_all, since):
        """Write the members that are new, changed or gone, as one version.

        :param bool is_new: whether everything counts as changed
        :param bool is_all: whether to look at everything
        :param int since: transactions before this one have been seen
        """
        touched = self._touched(since)
        is_touched = SQL("TRUE") if is_new else SQL("member.uid IN (SELECT uid FROM touched)")
        only = None if is_all else SQL("SELECT uid FROM touched")
        is_looked_at = SQL("member.uid IN (%s)", only) if only else SQL("TRUE")
        self.env.cr.execute(
            SQL(
                """
                WITH touched AS MATERIALIZED (%(touched)s),
                holding AS MATERIALIZED (%(holdings)s),
                gone AS (
                    UPDATE caldav_member member
                       SET is_gone = TRUE, gone_at = now() AT TIME ZONE 'UTC',
                           version = %(version)s
                     WHERE collection_id = %(id)s AND NOT is_gone AND %(is_looked_at)s
                       AND NOT EXISTS (SELECT FROM holding WHERE holding.uid = member.uid)
                    RETURNING 1),
                kept AS (
                    UPDATE caldav_member member
                       SET version = %(version)s, changed_at = now() AT TIME ZONE 'UTC',
                           is_part = holding.is_part, sees = holding.sees
                      FROM holding
                     WHERE member.collection_id = %(id)s AND NOT member.is_gone
                       AND member.uid = holding.uid
                       AND (%(is_touched)s OR (member.is_part, member.sees)
                                              <> (holding.is_part, holding.sees))
                    RETURNING 1),
                added AS (
                    INSERT INTO caldav_member AS member
                           (collection_id, uid, name, version, changed_at, is_gone, is_part,
                            sees)
                    SELECT %(id)s, holding.uid, %(name)s, %(version)s, now() AT TIME ZONE 'UTC',
                           FALSE, is_part, sees
                      FROM holding
                     WHERE NOT EXISTS (SELECT FROM caldav_member other
                                        WHERE other.collection_id = %(id)s AND NOT other.is_gone
                                          AND other.uid = holding.uid)
                    ON CONFLICT (collection_id, name) DO UPDATE
                       SET uid = excluded.uid, version = excluded.version,
                           changed_at = excluded.changed_at, is_gone = FALSE, gone_at = NULL,
                           is_part = excluded.is_part, sees = excluded.sees
                    RETURNING 1)
                UPDATE caldav_collection SET version = %(version)s
                 WHERE id = %(id)s AND (EXISTS (SELECT FROM gone) OR EXISTS (SELECT FROM kept)
                                        OR EXISTS (SELECT FROM added))
                """,
                touched=touched, holdings=self._holdings(only), id=self.id,
                is_looked_at=is_looked_at, is_touched=is_touched, name=self._new_name(names),
                version=SQL(
                    "(SELECT version + 1 FROM caldav_collection WHERE id = %s)", self.id
                ),
            )
        )  # fmt: skip

    def _touched(self, since):
        """SQL: the UIDs that have changed since it was looked at.

        A few are named: PostgreSQL, which expects a third of the log otherwise, then looks
        for these instead of reading all members and all meetings.
        """
        touched = SQL(
            """
            SELECT DISTINCT change.uid FROM caldav_change change, caldav_collection reader
             WHERE reader.id = %s AND (change.user_id IS NULL OR change.user_id = reader.user_id)
               AND change.xid >= %s AND %s
            """,
            self.id,
            since,
            self.env["caldav.change"]._unseen("change", "reader"),
        )
        found = self.env.execute_query(SQL("%s LIMIT %s", touched, FEW + 1))
        if len(found) > FEW:
            return touched
        return SQL("SELECT unnest(%s::varchar[]) AS uid", [uid for (uid,) in found])

    def _new_name(self, names):
        """SQL: the name of a new member with ``holding.uid``.

        The one that is given, else the one that it had, else its UID, unless that is
        no name, or another's.
        """
        given = SQL("NULL")
        if names:
            given = SQL(
                """
                (SELECT given.name FROM (VALUES %s) AS given(uid, name)
                  WHERE given.uid = holding.uid
                    AND NOT EXISTS (SELECT FROM caldav_member other
                                     WHERE other.collection_id = %s AND NOT other.is_gone
                                       AND other.name = given.name))
                """,
                SQL(", ").join(SQL("(%s, %s)", uid, name) for uid, name in names.items()),
                self.id,
            )
        return SQL(
            """
            COALESCE(%(given)s,
                     (SELECT old.name FROM caldav_member old
                       WHERE old.collection_id = %(id)s AND old.uid = holding.uid AND old.is_gone
                       ORDER BY old.version DESC, old.id DESC LIMIT 1),
                     CASE WHEN (holding.sees <> 'busy' OR %(names_are_ours)s)
                               AND holding.uid ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,199}$'
                               AND NOT EXISTS (SELECT FROM caldav_member other
                                                WHERE other.collection_id = %(id)s
                                                  AND other.name = holding.uid || '.ics')
                          THEN holding.uid
                          ELSE md5(%(id)s || ' ' || holding.uid) END || '.ics')
            """,
            given=given,
            id=self.id,
            # Where names are served, those of hidden meetings say nothing of them.
            names_are_ours=self.kind == "busy",
        )

    @api.model
    def _move_in(self):
        """The database has come from elsewhere: nothing of what was seen there counts."""
        home = self.env["caldav.change"]._home()
        for statement in (
            SQL("DELETE FROM caldav_object"),
            SQL("DELETE FROM caldav_member WHERE is_gone"),
            # Notes of transactions that have not been here yet.
            SQL("DELETE FROM caldav_change WHERE %s", _FROM_ELSEWHERE),
            SQL(
                "UPDATE caldav_collection SET home = %s, epoch = %s, seen_in = NULL, forgotten = 0"
                " WHERE home <> %s",
                home,
                _NEW_EPOCH,
                home,
            ),
        ):
            self.env.cr.execute(statement)


#: Random, without the hyphens that tokens are made of.
_NEW_EPOCH = SQL("left(replace(gen_random_uuid()::text, '-', ''), 12)")
#: Of a change: noted by a transaction that has not been here yet.
_FROM_ELSEWHERE = SQL(
    "xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    " AND xid <> pg_current_xact_id()::text::bigint"
)

"""What nobody needs any more, forgotten once a day."""

from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

#: A calendar that nobody has asked for is dropped.
UNUSED = timedelta(days=180)
#: One that nobody has asked for holds up the log no longer: it looks at everything.
IDLE = timedelta(days=30)
#: Deletions are told for a year; older tokens are invalid then.
TOMBSTONES = timedelta(days=365)
#: What users keep of a meeting, by its UID.
OF_USERS = ("caldav_place", "caldav_overlay", "calendar_reminder_own")
#: No transaction lasts longer than this.
LONGEST = timedelta(days=1)


class CaldavCollection(models.Model):
    _inherit = "caldav.collection"

    @api.model
    def _forget(self):
        """Drop what is unused, old tombstones, texts that are old or of nothing, what users
        keep of meetings that are gone, and the changes that everybody has seen."""
        self.env["caldav.key"].sudo()._look_after()
        now = self.env.cr.now()
        # In the others is what users have made.
        unused = [("used_on", "<", (now - UNUSED).date()), ("kind", "in", ("agenda", "busy"))]
        self.search(unused).unlink()
        self.env.flush_all()
        for statement in (
            *map(self._of_nothing, OF_USERS),
            self._let_go_of_log(now - IDLE),
            self._old_tombstones(now - TOMBSTONES),
            self._texts_of_nobody(),
            self._seen_by_all(now - LONGEST),
        ):
            self.env.cr.execute(statement)
        self.env.invalidate_all(flush=False)

    @api.model
    def _of_nothing(self, table):
        """SQL: the rows of a table whose UID nothing has any more."""
        return SQL(
            """
            DELETE FROM %s own
             WHERE NOT EXISTS (SELECT FROM calendar_event event WHERE event.ical_uid = own.uid)
               AND NOT EXISTS (SELECT FROM caldav_kept kept WHERE kept.uid = own.uid)
            """,
            SQL.identifier(table),
        )

    @api.model
    def _let_go_of_log(self, before):
        """SQL: calendars that nobody asks for look at everything the next time."""
        return SQL("UPDATE caldav_collection SET seen_in = NULL WHERE used_on < %s", before.date())

    @api.model
    def _old_tombstones(self, before):
        """SQL: tombstones, and the versions from which on tokens are valid."""
        return SQL(
            """
            WITH gone AS (DELETE FROM caldav_member WHERE is_gone AND gone_at < %s
                          RETURNING collection_id, version),
                 last AS (SELECT collection_id, max(version) AS version FROM gone
                           GROUP BY collection_id)
            UPDATE caldav_collection SET forgotten = GREATEST(forgotten, last.version)
              FROM last WHERE last.collection_id = caldav_collection.id
            """,
            before,
        )

    @api.model
    def _texts_of_nobody(self):
        """SQL: texts that are old, or that no calendar shows in this way."""
        return SQL(
            """
            DELETE FROM caldav_object object WHERE %s OR NOT EXISTS (
                SELECT FROM caldav_member member
                  JOIN caldav_collection collection ON collection.id = collection_id
                 WHERE NOT member.is_gone AND member.uid = object.uid
                   AND member.sees = object.sees
                   AND COALESCE(object.user_id, 0)
                       = CASE WHEN member.is_part THEN collection.user_id ELSE 0 END)
            """,
            self.env["caldav.object"]._is_old("object"),
        )

    @api.model
    def _seen_by_all(self, before):
        """SQL: changes that everybody has seen; after the old texts have been dropped.

        The texts that are left have seen every change of theirs. Whoever stores one that
        was made before that has begun before.
        """
        return SQL(
            """
            DELETE FROM caldav_change WHERE made_at < %s AND xid < ALL (
                SELECT pg_snapshot_xmin(seen_in::pg_snapshot)::text::bigint
                  FROM caldav_collection WHERE seen_in IS NOT NULL)
            """,
            before,
        )

"""The calendars that CalDAV shows: the agenda, and those that users make for themselves.

Owns which there are, what belongs to each, and what programs say of them (colour, order
and the like), which is each user's own.
"""

from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..ical.errors import IcalError, LimitExceeded
from ..ical.expand import occurrences
from ..ical.known import FIRST, LAST, known_times
from ..ical.parse import parse
from ..ical.values import UTC
from .caldav_object import Found

#: Calendars that one user can make.
MAX_OWN = 200
#: Calendars of each kind that several read.
MAX_SHARED = 100
#: Kinds that one writes into.
WRITABLE = ("main", "own", "tasks")


class CaldavCollection(models.Model):
    _inherit = "caldav.collection"

    kind = fields.Selection(
        selection_add=[
            ("main", "My agenda"),
            ("tasks", "My tasks"),
            ("own", "Own calendar"),
            ("team", "Sales team"),
            ("plan", "Visit plan"),
            ("home", "Home"),
        ],
        ondelete={name: "cascade" for name in ("main", "tasks", "own", "team", "plan", "home")},
    )
    description = fields.Text()
    sort_order = fields.Integer()
    has_order = fields.Boolean(help="Whether a program has given it an order.")
    zone_text = fields.Text("Time Zone", help="VTIMEZONE, as a program has set it.")
    is_transparent = fields.Boolean(help="Its meetings take no time of the user.")
    dead_properties = fields.Json(help="What programs keep with it: names to XML.")
    components = fields.Char(help="Kinds of objects that it takes, with commas between.")

    # --- What belongs to it

    def _domain(self):
        if self.kind == "team":
            return Domain("team_id", "=", int(self.key)) & Domain("active", "=", True)
        if self.kind == "plan":
            visits = Domain("visit_ids.plan_id", "=", int(self.key))
            return visits & Domain("active", "=", True)
        if self.kind != "own":
            return super()._domain()
        user = self.user_id
        mine = Domain("user_id", "=", user.id) | Domain("partner_ids", "in", user.partner_id.ids)
        return mine & Domain("active", "=", True)

    def _query(self):
        query = super()._query()
        if self.kind in ("main", "own"):
            collection = self if self.kind == "own" else None
            query.add_where(self.env["caldav.place"]._is_in(self.user_id, collection))
        return query

    def _holdings(self, only):
        holdings = super()._holdings(only)
        if self.kind in ("team", "plan"):
            return self._without_private(holdings)
        if self.kind not in ("main", "own"):
            return holdings
        return SQL(
            """
            WITH meeting AS MATERIALIZED (%(meetings)s)
            SELECT uid, sees, is_part FROM meeting
             UNION ALL
            SELECT kept.uid, 'kept', TRUE FROM caldav_kept kept
             WHERE kept.collection_id = %(id)s AND %(only)s
               AND NOT EXISTS (SELECT FROM meeting WHERE meeting.uid = kept.uid)
            """,
            meetings=holdings, id=self.id,
            only=SQL("kept.uid IN (%s)", only) if only else SQL("TRUE"),
        )  # fmt: skip

    def _without_private(self, holdings):
        """Of the private meetings of others only that the time is taken, as in Odoo."""
        user = self.user_id
        return SQL(
            """
            SELECT holding.uid, holding.is_part,
                   CASE WHEN EXISTS (
                       SELECT FROM calendar_event event
                    LEFT JOIN res_users_settings settings ON settings.user_id = event.user_id
                        WHERE event.ical_uid = holding.uid AND event.active
                          AND COALESCE(event.privacy, settings.calendar_default_privacy)
                              = 'private'
                          AND event.user_id IS DISTINCT FROM %(user)s
                          AND NOT EXISTS (
                              SELECT FROM calendar_event_res_partner_rel guest
                               WHERE guest.calendar_event_id = event.id
                                 AND guest.res_partner_id = %(partner)s))
                        THEN 'busy' ELSE 'full' END AS sees
              FROM (%(holdings)s) holding
            """,
            holdings=holdings, user=user.id, partner=user.partner_id.id,
        )  # fmt: skip

    # --- The calendars of a user

    @api.model
    def _make_own(self, user, name, values):
        """A calendar of a user's own.

        :param str name: last part of its address
        :param dict values: of the fields above
        """
        collection = self._of(user, "own", name)
        collection.write(values)
        return collection

    def _rename(self, member, name):
        """Give a member another name; the one that it had is a tombstone."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE caldav_collection SET version = version + 1 WHERE id = %(id)s;
                UPDATE caldav_member
                   SET is_gone = TRUE, gone_at = now() AT TIME ZONE 'UTC',
                       version = (SELECT version FROM caldav_collection WHERE id = %(id)s)
                 WHERE id = %(member)s
                """,
                id=self.id, member=member.id,
            )
        )  # fmt: skip
        self.invalidate_recordset(flush=False)
        self.env["caldav.change"]._note(SQL("SELECT %s", member.uid), self.user_id)
        self._catch_up({member.uid: name})

    @api.model
    def _number_of_own(self, user):
        return self.search_count([("user_id", "=", user.id), ("kind", "=", "own")])


class CaldavObject(models.Model):
    _inherit = "caldav.object"

    def _make(self, uids, sees, collection):
        if sees != "kept":
            return super()._make(uids, sees, collection)
        texts = self.env["caldav.kept"]._texts(collection.user_id, uids)
        now = datetime.now(UTC)
        found = {}
        for uid, text in texts.items():
            items = _items_of(text)
            found[uid] = Found(text, *_span_of_items(items), known_times(items, now))
        return found


def span_of(text):
    """From when to when the objects of a text are, in naive UTC; wide where it is not known."""
    return _span_of_items(_items_of(text))


def _items_of(text):
    """Nothing of what cannot be read."""
    try:
        return parse(text.encode()).items
    except IcalError:
        return ()


def _span_of_items(items):
    try:
        if any(item.recurs for item in items):
            starts = [one for item in items for one in (item.start, item.recurrence_id) if one]
            first = min((_utc(one) for one in starts), default=datetime.min)
            return first - timedelta(days=1), None
        found = occurrences(items, FIRST, LAST)
    except (IcalError, LimitExceeded, OverflowError):
        return datetime.min, None
    if not found:
        # A to-do without a date is of any.
        return datetime.min, None
    day = timedelta(days=1)
    first, last = min(_utc(one.start) for one in found), max(_utc(one.stop) for one in found)
    return max(first, datetime.min + day) - day, min(last, datetime.max - day) + day


def _utc(moment):
    """Naive, a day off at most."""
    return datetime(moment.year, moment.month, moment.day) + timedelta(
        hours=getattr(moment, "hour", 0)
    )  # fmt: skip

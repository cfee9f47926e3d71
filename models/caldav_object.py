"""The stored texts: what is served to other calendars, built when it is asked for.

Owns building, and the question whether a text is still true. Only readers write
here: two that build the same text at once are a serialization failure of the second
one, and Odoo repeats its request.
"""

import logging
from datetime import timedelta
from typing import NamedTuple

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL, split_every

from ..ical.known import Known, known_times
from ..ical.parse import parse
from ..ical.rules import Rule
from ..ical.text import to_text
from .caldav_change import SEEN, BigInteger

_logger = logging.getLogger(__name__)

#: Texts that are made at once; what was read for them is forgotten after each batch.
BATCH = 500
#: Days begin up to 14 hours before, and end up to 12 hours after those of UTC. Odoo
#: has them from 08:00 to 18:00.
BEFORE_DAY, AFTER_DAY = timedelta(hours=22), timedelta(hours=18)


#: What its reader sees of a meeting; or what else it is.
SEES = [
    ("full", "Everything"),
    ("busy", "That the time is taken"),
    ("kept", "Text that is only kept"),
    ("todo", "To-do"),
    ("record", "Record"),
]


class Found(NamedTuple):
    """A text and when it is: naive UTC; no stop of what has no end.

    :param Known times: see ``ical.known``
    """

    text: str
    start: object
    stop: object
    times: Known = Known()


class Moments(fields.Json):
    """Moments in naive UTC. Only SQL writes and reads them."""

    _column_type = ("_timestamp", "timestamp[]")


class CaldavObject(models.Model):
    _name = "caldav.object"
    _description = "Text for Other Calendars"
    _log_access = False

    uid = fields.Char("UID", required=True)
    sees = fields.Selection(SEES, required=True)
    user_id = fields.Many2one(
        "res.users",
        "Only for",
        ondelete="cascade",
        index=True,
        help="Who takes part in some meetings of a series only.",
    )
    text = fields.Text(help="One calendar with all of the object. Empty: it cannot be written.")
    span_start = fields.Datetime("From")
    span_stop = fields.Datetime("To", help="Empty: it goes on for ever.")
    starts = Moments("Starts of its Meetings", prefetch=False)
    stops = Moments("Ends of its Meetings", prefetch=False)
    known_from = fields.Datetime(help="Its meetings are known from here; empty: not at all.")
    known_until = fields.Datetime("Known until")
    seen_in = fields.Char("Snapshot", required=True)
    seen_xid = BigInteger("Transaction", required=True)
    seen_round = fields.Integer(required=True)

    _once = models.UniqueIndex("(uid, sees, COALESCE(user_id, 0))")

    @api.model
    def _is_old(self, alias):
        """SQL condition: the text of that row is no longer true."""
        return SQL(
            "EXISTS (SELECT FROM caldav_change change WHERE change.uid = %s"
            " AND change.user_id IS NULL AND %s)",
            SQL.identifier(alias, "uid"),
            self.env["caldav.change"]._unseen("change", alias),
        )

    @api.model
    def _build(self, uids, sees, collection=None):
        """Make and store texts.

        :param uids: of what is there; what is not gets none
        :param str sees: which text
        :param collection: for whose meetings only, when it is not for all
        """
        self.env.flush_all()
        for batch in split_every(BATCH, uids, list):
            found = self._make(batch, sees, collection)
            self._store(found, sees, collection.user_id if collection else None)
            if len(uids) > BATCH:
                self.env.invalidate_all(flush=False)
        self.env["caldav.change"]._close_round()

    @api.model
    def _keep_as_sent(self, uid, text):
        """A program has sent the text of what Odoo has now: it is served as it came.

        When it is, and the rest, is found as of a text that is made here.
        """
        self.env.flush_all()
        events = self.env["calendar.event"].search([("ical_uid", "=", uid)])
        if events:
            items = parse(text.encode()).items
            times = known_times(items, events._ical_now())
            self._store({uid: Found(text, *_span(events, items), times)}, "full", None)
            self.env["caldav.change"]._close_round()

    def _make(self, uids, sees, collection):
        """dict from UID to Found"""
        company = self.env["res.company"].sudo().search([], order="id", limit=1)
        # The same for whoever reads it first.
        context = {"lang": company.partner_id.lang, "tz": company.partner_id.tz}
        Event = self.env(user=SUPERUSER_ID, su=True, context=context)["calendar.event"]
        domain = [("ical_uid", "in", uids), ("active", "=", True)]
        if collection:
            domain.append(("id", "in", collection._own_meetings(uids)))
        events = Event.search(domain, order="start, id")
        rows = events if collection else None
        try:
            with self.env.cr.savepoint(flush=False):
                return self._texts_of(events, sees, rows)
        except psycopg2.Error:
            raise
        except Exception:
            if len(uids) == 1:
                _logger.exception("The object %s cannot be written as iCalendar", uids[0])
                return {uids[0]: Found(None, None, None)}
        # One of them: the others go on.
        found = {}
        for uid in uids:
            found.update(self._make([uid], sees, collection))
        return found

    def _texts_of(self, events, sees, rows):
        now = events._ical_now()
        objects = events._ical_objects(time_only=sees == "busy", rows=rows)
        meetings = events.grouped(lambda event: event.recurrence_id or event)
        texts = {}
        # A series last: it counts where a meeting of its own has the same UID.
        for key in sorted(objects, key=lambda key: key._name):
            items = objects[key].items
            span, times = _span(meetings[key], items), known_times(items, now)
            texts[key.ical_uid] = Found(to_text(items, now=now), *span, times)
        return texts

    def _store(self, found, sees, user):
        if not found:
            return
        seen = self.env["caldav.change"]._seen_now()
        facts = ("text", "span_start", "span_stop", *Known._fields)
        names = ("uid", "sees", "user_id", *facts, *SEEN)
        self.env.cr.execute(
            SQL(
                "INSERT INTO caldav_object (%s) VALUES %s"
                " ON CONFLICT (uid, sees, COALESCE(user_id, 0)) DO UPDATE SET %s",
                SQL(", ").join(map(SQL.identifier, names)),
                SQL(", ").join(
                    SQL(
                        "(%s, %s, %s, %s, %s, %s, %s::timestamp[], %s::timestamp[], %s, %s, %s)",
                        uid,
                        sees,
                        user and user.id,
                        *one[:3],
                        *one.times,
                        seen,
                    )
                    for uid, one in found.items()
                ),
                SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), SQL.identifier("excluded", name))
                    for name in (*facts, *SEEN)
                ),
            )
        )


def _span(events, items):
    """From when to when meetings are; the end of an endless series is None."""
    start = min(
        event.start - (BEFORE_DAY if event.allday else timedelta()) for event in events
    )  # fmt: skip
    stop = max(event.stop + (AFTER_DAY if event.allday else timedelta()) for event in events)
    for item in items:
        for text in item.rules:
            rule = Rule.parse(text)
            if rule.count is None and rule.until is None:
                stop = None
    return start, stop

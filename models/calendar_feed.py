"""A secret address from which any program reads a user's calendar, and nothing else.

Owns who may read what for how long, and the assembled file. Of the secret only a
digest is kept. What a request costs while nothing changes is two queries.
"""

import gzip
import hashlib
import secrets
from datetime import datetime, time, timedelta
from typing import NamedTuple

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ..ical.compose import compose
from ..ical.values import UTC, write_text
from .ical_meeting import named_zone
from .last_use import note_use

#: Meetings and series in one file; of more, the latest ones.
MAX_OBJECTS = 20000
#: How often the last use is written down.
NOTED_EVERY = timedelta(minutes=10)
#: How often programs are asked to look (RFC 7986, 5.7).
REFRESH = "PT1H"
#: The layout of the file: part of its ETag.
LAYOUT = 1


class Served(NamedTuple):
    """The file as a request finds it: its ETag, since when it is so, its octets by gzip."""

    feed_id: int
    etag: str
    made_at: datetime


class CalendarFeed(models.Model):
    _name = "calendar.feed"
    _description = "Calendar Feed"
    _order = "name, id"

    name = fields.Char(
        required=True,
        default=lambda self: self.env._("My calendar"),
        help="Shown as the name of the calendar in the program that reads it.",
    )
    active = fields.Boolean(
        default=True, help="Archived: the address is no longer answered, for good."
    )
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, index=True, ondelete="cascade", copy=False,
        default=lambda self: self.env.user,
    )  # fmt: skip
    audience = fields.Selection(
        [("agenda", "Everything about my meetings"), ("busy", "Only when I am busy")],
        "Shows",
        required=True,
        default="agenda",
        help="Only when I am busy: without subject, place or guests; meetings that you have "
        "declined are left out.",
    )
    period = fields.Selection(
        [("all", "All my meetings"), ("range", "Some days back and ahead")],
        required=True,
        default="range",
        help="How much of your calendar stands in it.",
    )
    days_back = fields.Integer(
        default=90,
        help="How many days of the past stand in it.",
    )
    days_ahead = fields.Integer(
        default=365,
        help="How many days to come stand in it.",
    )
    categ_ids = fields.Many2many(
        "calendar.event.type",
        string="Only with Tags",
        help="Without any, all meetings. Of a series, one meeting with the tag is enough.",
    )
    token_hash = fields.Char(groups=NO_ACCESS, copy=False, readonly=True)
    has_address = fields.Boolean(
        "In Use",
        compute="_compute_has_address",
        help="Only a feed that was given an address can be read.",
    )
    last_used_at = fields.Datetime(
        "Last Read",
        copy=False,
        readonly=True,
        help="When a program last asked for it, to within ten minutes; empty: never.",
    )
    last_program = fields.Char(
        "Last Read by", copy=False, readonly=True, help="What the program calls itself."
    )
    body = fields.Binary(attachment=False, groups=NO_ACCESS, copy=False, readonly=True)
    body_etag = fields.Char(groups=NO_ACCESS, copy=False, readonly=True)
    body_made_at = fields.Datetime(groups=NO_ACCESS, copy=False, readonly=True)

    _token_unique = models.UniqueIndex("(token_hash)")
    _days_positive = models.Constraint(
        "CHECK (days_back BETWEEN 0 AND 36500 AND days_ahead BETWEEN 0 AND 36500)",
        "The days back and ahead are numbers from 0 to 36500.",
    )

    @api.depends("token_hash")
    def _compute_has_address(self):
        for feed in self:
            feed.has_address = bool(feed.sudo().token_hash)

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su and any(
            vals.get("user_id", self.env.uid) != self.env.uid for vals in vals_list
        ):
            raise AccessError(self.env._("A feed shows one's own calendar only."))
        return super().create([{"user_id": self.env.uid, **vals} for vals in vals_list])

    def write(self, vals):
        if not self.env.su and "user_id" in vals:
            raise AccessError(self.env._("A feed shows one's own calendar only."))
        result = super().write(vals)
        if vals.get("active") is False:
            self.sudo().write({"token_hash": False, "body": False, "body_etag": False})
        return result

    # --- The address

    def action_new_address(self):
        """Make an address and show it, this once; the one before is void."""
        self.ensure_one()
        if not self.active:
            raise UserError(self.env._("This feed is revoked. Make another one."))
        self.check_access("write")
        secret = secrets.token_urlsafe(32)
        self.sudo().token_hash = _digest(secret)
        url = f"{self.get_base_url()}/calendar/feed/{secret}.ics"
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Address of the feed %(name)s", name=self.name),
            "res_model": "calendar.feed.address",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_url": url,
                "default_subscribe_url": f"webcal://{url.partition('://')[2]}",
            },
        }

    def action_revoke(self):
        """The address is answered no longer."""
        self.action_archive()

    # --- Being read

    @api.model
    def _served(self, secret, program=None):
        """What a request for this address is answered with.

        :param str secret: out of the address
        :param str program: what the program says it is
        :return: Served, or None where there is nothing to be read
        """
        found = self._look_up(secret)
        if not found:
            return None
        if found.collection_id is None or found.has_news:
            try:
                feed = self.sudo().browse(found.id)
                collection = self.env["caldav.collection"].sudo()._of(feed.user_id, feed.audience)
                collection._catch_up()
            except AccessError:
                return None
            found = self._look_up(secret)
        etag = found.etag()
        made_at = found.body_made_at
        if found.body_etag != etag:
            made_at = self.sudo().browse(found.id)._assemble(found, etag)
        if not found.is_noted:
            note_use(self.browse(), SQL("id = %s", found.id), program)
        return Served(found.id, etag, made_at)

    @api.model
    def _octets(self, served):
        """The file, by gzip."""
        [(body,)] = self.env.execute_query(
            SQL("SELECT body FROM calendar_feed WHERE id = %s", served.feed_id)
        )
        return bytes(body)

    def _look_up(self, secret):
        """All that decides on the answer, by one query."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT feed.id, feed.name, feed.audience, feed.period, feed.days_back,
                       feed.days_ahead,
                       ARRAY(SELECT calendar_event_type_id
                               FROM calendar_event_type_calendar_feed_rel rel
                              WHERE rel.calendar_feed_id = feed.id ORDER BY 1),
                       res_partner.tz, feed.body_etag, feed.body_made_at,
                       COALESCE(feed.last_used_at > %s, FALSE), collection.id, collection.epoch,
                       collection.version, %s
                  FROM calendar_feed feed
                  JOIN res_users ON res_users.id = feed.user_id AND res_users.active
                   AND NOT res_users.share
                  JOIN res_partner ON res_partner.id = res_users.partner_id
             LEFT JOIN caldav_collection collection
                    ON collection.user_id = feed.user_id AND collection.kind = feed.audience
                 WHERE feed.token_hash = %s AND feed.active
                """,
                self.env.cr.now() - NOTED_EVERY,
                self.env["caldav.collection"]._news("collection"),
                _digest(secret),
            )
        )
        return _Found(*rows[0]) if rows else None

    def _assemble(self, found, etag):
        """Put the file together and keep it. :return: since when it is so"""
        collection = self.env["caldav.collection"].browse(found.collection_id)
        texts, first, last = self._select(collection, found)
        lines = [
            "METHOD:PUBLISH",
            f"NAME:{write_text(found.name)}",
            f"X-WR-CALNAME:{write_text(found.name)}",
            f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
            f"X-PUBLISHED-TTL:{REFRESH}",
        ]
        octets = gzip.compress(compose(texts, first, last, lines), 6, mtime=0)
        # Later than the one before by a second at least: that is all a date can say.
        now = self.env.cr.now().replace(microsecond=0)
        made_at = max(now, found.body_made_at + timedelta(seconds=1)) if found.body_made_at else now
        self.env.cr.execute(
            SQL(
                "UPDATE calendar_feed SET body = %s, body_etag = %s, body_made_at = %s"
                " WHERE id = %s",
                psycopg2.Binary(octets),
                etag,
                made_at,
                self.id,
            )
        )
        self.invalidate_recordset(["body", "body_etag", "body_made_at"], flush=False)
        return made_at

    def _select(self, collection, found):
        """(texts, first day, last day or None) of what belongs into the file."""
        first, last = found.span()
        members = collection._members(first=first, last=last)
        if found.categories:
            tagged = {
                uid
                for (uid,) in self.env.execute_query(
                    SQL(
                        """
                        SELECT event.ical_uid FROM calendar_event event
                          JOIN meeting_category_rel rel ON rel.event_id = event.id
                         WHERE rel.type_id = ANY(%s) AND event.active
                        """,
                        found.categories,
                    )
                )
            }
            members = [member for member in members if member.uid in tagged]
        texts = collection._texts(members[-MAX_OBJECTS:])
        [(start, stop)] = self.env.execute_query(
            SQL(
                """
                SELECT min(span_start),
                       CASE WHEN bool_and(span_stop IS NOT NULL) THEN max(span_stop) END
                  FROM caldav_object WHERE uid = ANY(%s)
                """,
                [member.uid for member in texts],
            )
        )
        return texts.values(), start or self.env.cr.now(), stop


class _Found(NamedTuple):
    """A feed and its collection, as ``_look_up`` finds them."""

    id: int
    name: str
    audience: str
    period: str
    days_back: int
    days_ahead: int
    categories: list
    tz: str
    body_etag: str
    body_made_at: datetime
    is_noted: bool
    collection_id: int
    epoch: str
    version: int
    has_news: bool

    def span(self):
        """(first, last) as naive UTC, from midnight to midnight of its user; or Nones."""
        if self.period == "all":
            return None, None
        zone = named_zone(self.tz)
        today = fields.Datetime.now().replace(tzinfo=UTC).astimezone(zone).date()
        days = (today - timedelta(self.days_back), today + timedelta(self.days_ahead + 1))
        return tuple(
            datetime.combine(day, time.min, zone).astimezone(UTC).replace(tzinfo=None)
            for day in days
        )

    def etag(self):
        """What the file depends on, in short."""
        facts = (
            LAYOUT, self.epoch, self.version, self.name, self.audience, self.categories, self.span()
        )  # fmt: skip
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _digest(secret):
    return hashlib.sha256(secret.encode()).hexdigest()

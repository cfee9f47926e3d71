"""When people are busy: with what they have not declined."""

from collections import defaultdict
from typing import NamedTuple

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL


class Span(NamedTuple):
    """Naive UTC; of whole days, the first and the one after the last."""

    start: object
    stop: object
    allday: bool
    is_tentative: bool


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _get_busy_calendar_events(self, start_datetime, end_datetime):
        """Nobody is busy with a meeting that he has declined, or sent somebody else to."""
        result = super()._get_busy_calendar_events(start_datetime, end_datetime)
        events = self.env["calendar.event"].union(*result.values())
        absent = self.env["calendar.attendee"].sudo().search_fetch(
            Domain("event_id", "in", events.ids)
            & Domain("partner_id", "in", self.ids)
            & Domain("state", "in", ("declined", "delegated")),
            ["event_id", "partner_id"],
        )  # fmt: skip
        for attendee in absent:
            partner_id = attendee.partner_id.id
            if partner_id in result:
                result[partner_id] -= attendee.event_id.with_env(self.env)
                if not result[partner_id]:
                    del result[partner_id]
        return result

    def _busy_times(self, start, stop, but=None):
        """When they have other meetings; of what about, nobody is told.

        :param datetime start, stop: naive UTC
        :param but: meetings that do not count
        :return: dict from partner to a list of pairs (start, stop), whole days as such
        """
        result = defaultdict(list)
        for partner, spans in self._busy_spans(start, stop, but).items():
            for span in spans:
                if span.start < stop and span.stop > start:
                    result[partner].append((span.start, span.stop))
        return result

    def _busy_spans(self, start, stop, but=None):
        """See :meth:`_busy_times`; those of the days before and after as well.

        :return: dict from partner to a list of Span
        """
        result = defaultdict(list)
        if not self.ids:
            return result
        for name, columns in (
            ("calendar.event", ["start", "stop", "active", "show_as", "allday", "is_tentative"]),
            ("calendar.attendee", ["partner_id", "state", "event_id"]),
        ):
            self.env[name].flush_model(columns)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT attendee.partner_id,
                       CASE WHEN event.allday THEN date_trunc('day', event.start)
                            ELSE event.start END,
                       CASE WHEN event.allday
                            THEN date_trunc('day', event.stop) + interval '1 day'
                            ELSE event.stop END,
                       COALESCE(event.allday, FALSE),
                       COALESCE(event.is_tentative, FALSE) OR attendee.state = 'tentative'
                  FROM calendar_event event
                  JOIN calendar_attendee attendee ON attendee.event_id = event.id
                 WHERE attendee.partner_id = ANY(%(partners)s) AND event.active
                   AND event.show_as = 'busy'
                   AND COALESCE(attendee.state, '') NOT IN ('declined', 'delegated')
                   AND event.start < %(stop)s + interval '1 day'
                   AND event.stop > %(start)s - interval '1 day'
                   AND event.id <> ALL(%(but)s)
                   AND NOT EXISTS (
                       SELECT FROM caldav_place place
                         JOIN caldav_collection calendar ON calendar.id = place.collection_id
                         JOIN res_users owner ON owner.id = place.user_id
                        WHERE place.uid = event.ical_uid AND calendar.is_transparent
                          AND owner.partner_id = attendee.partner_id)
                 ORDER BY event.start, event.id
                """,
                partners=self.ids,
                start=start,
                stop=stop,
                but=but.ids if but else [],
            )
        )
        for partner_id, *span in rows:
            result[self.browse(partner_id)].append(Span(*span))
        return result

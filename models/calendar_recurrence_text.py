"""Series that go on for ever: their meetings are made ahead, by a job.

Of a series that came from elsewhere the text is kept, and what meetings it gives is said
by ``ical.expand``; of any other its rule.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..ical.errors import IcalError
from ..ical.parse import parse
from .ical_incoming import Options
from .ical_meeting import named_zone
from .ical_plan import as_start
from .ical_row import RowReader
from .ical_rows import HORIZON, MAX_ROWS, SeriesReader
from .ical_series_pattern import SeriesPattern
from .ical_values import SILENT
from .series_spread import like_most

#: A series is looked at again when it is so much shorter than the horizon.
SLACK = timedelta(days=30)
#: Series that one transaction extends.
BATCH = 50


class CalendarRecurrence(models.Model):
    _inherit = "calendar.recurrence"

    @api.model
    def _ical_extend(self, limit=BATCH):
        """Make the next meetings of series that go on beyond what is kept of them.

        Called by a scheduled job; committed series by series in batches.

        :return: number of meetings that were made
        """
        domain = [("ical_last", "<", fields.Datetime.now() + HORIZON - SLACK)]
        made = 0
        ids = self.sudo().search(domain, order="ical_last, id").ids
        for at in range(0, len(ids), limit):
            batch = self.sudo().browse(ids[at : at + limit])
            for recurrence in batch.exists():
                made += recurrence._ical_extend_one()
            left = len(ids) - at - len(batch)
            if not self.env["ir.cron"]._commit_progress(len(batch), remaining=left):
                break
        return made

    def _ical_extend_one(self):
        """Extend one series by its rule; its meetings are like most that there are."""
        self.ensure_one()
        Event = self.env["calendar.event"].with_context(active_test=False)
        events = Event.search([("recurrence_id", "=", self.id)], order="start, id")
        live = events.filtered(lambda event: event.active and event.follow_recurrence)
        if not live or self._series_was_ended(live[-1]):
            # Nobody has use for it any more.
            self.with_context(**SILENT).ical_last = False
            return 0
        usual = like_most(live)
        owner = usual.user_id or self.env.user
        try:
            found, last = self._ical_more(usual, events)
        except (IcalError, UserError):
            found, last = [], None
        sources = self.env["calendar.ical.source"]
        taken = sources._taken_at(self, owner)
        written = max(events.mapped("write_date"))
        places = set(events.mapped(lambda event: event.ical_recurrence_start or event.start))
        writer = self.with_context(**SILENT)
        rows = writer.env["calendar.event"].create(
            [
                self._ical_next(usual, start, stop, place)
                for start, stop, place in found
                if place not in places
            ]
        )
        writer.ical_last = last
        if rows and taken and (written - taken).total_seconds() < 1:
            # Nobody has touched it, and this is no edit either.
            sources._take_again(self)
        return len(rows)

    def _ical_more(self, usual, events):
        """The meetings that are still to be made.

        :param usual: a meeting of it that the others are like
        :param events: all that there are
        :return: (list of (start, stop, place), from where on there are more or None)
        """
        if not self.ical_text or self.ical_start:
            return self._ical_more_by_rule(usual, events)
        owner = usual.user_id or self.env.user
        items = [
            item
            for text in (self.ical_text, *events.mapped("ical_text"))
            if text
            for item in parse(text.encode()).items
            if item.recurrence_id is None or item.this_and_future
        ]
        reader = RowReader(owner, named_zone(owner.tz), {}, Options(), usual.name)
        planner = SeriesReader(reader, fields.Datetime.now(), 0, ())
        return planner.more(items, self.ical_last, self._ical_room(events))

    @staticmethod
    def _ical_room(events):
        now = fields.Datetime.now()
        return max(0, MAX_ROWS - len(events.filtered(lambda event: event.start > now)))

    def _ical_more_by_rule(self, usual, events):
        zone = named_zone(self.event_tz)
        pattern = SeriesPattern(self, events.filtered("active"), usual.allday, zone).pattern()[1]
        begin = self.ical_start or as_start(pattern.start)
        starts, last = self._rule_places(
            self._rule_values(), begin, usual.allday, self.ical_last, self._ical_room(events)
        )
        gaps = self._series_gaps(starts, begin, usual.allday)
        length = usual.stop - usual.start
        return [(at, at + length, at) for at in starts if at not in gaps], last

    def _series_was_ended(self, last):
        """Whether the last meetings were all taken out, which means: no more.

        :param last: the last one that takes place
        """
        place = last.ical_recurrence_start or last.start
        gone = [at for at in self._ical_moments("ical_exdates") if place < at < self.ical_last]
        return len(gone) > 1

    def _ical_next(self, usual, start, stop, place):
        """Values of another meeting like that one."""
        [values] = usual.copy_data()
        follows = start == place
        return {
            **values,
            "start": start,
            "stop": stop,
            "recurrence_id": self.id,
            "follow_recurrence": follows,
            "ical_recurrence_start": False if follows else place,
            "partner_ids": [Command.set(usual.partner_ids.ids)],
            "attendee_ids": [
                Command.create({**guest._carried_values(), "state": guest.state})
                for guest in usual.attendee_ids
            ],
        }

"""Series by a rule that Odoo has no fields for, and series that go on for ever.

Both came from elsewhere: the rule is kept as text, and what meetings it gives is said
by ``ical.expand``.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..ical.errors import IcalError
from ..ical.parse import parse
from .ical_incoming import Options
from .ical_meeting import named_zone
from .ical_row import RowReader
from .ical_rows import HORIZON, MAX_ROWS, SeriesReader
from .ical_writer import SILENT

#: A series is looked at again when it is so much shorter than the horizon.
SLACK = timedelta(days=30)
#: Series that one transaction extends.
BATCH = 50


class CalendarRecurrence(models.Model):
    _inherit = "calendar.recurrence"

    def _get_outliers(self):
        """Of a rule that Odoo does not know, no meeting is known to be outside."""
        ruled = self.filtered("rrule_type")
        return super(CalendarRecurrence, ruled)._get_outliers()

    def _get_rrule(self, dtstart=None):
        if not self.rrule_type:
            raise UserError(
                self.env._(
                    "This series came from another calendar, with a rule that Odoo has no fields "
                    "for. Change single meetings of it, or choose how it repeats from now on."
                )
            )
        return super()._get_rrule(dtstart=dtstart)

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
        """Extend one series by the rule of its text, in what its last meeting is like."""
        self.ensure_one()
        Event = self.env["calendar.event"].with_context(active_test=False)
        events = Event.search([("recurrence_id", "=", self.id)], order="start, id")
        usual = events.filtered(lambda event: event.active and event.follow_recurrence)[-1:]
        if not usual:
            # Nobody has use for it any more.
            self.with_context(**SILENT).ical_last = False
            return 0
        owner = usual.user_id or self.env.user
        zone = named_zone(owner.tz)
        items = [
            item
            for text in (self.ical_text, *events.mapped("ical_text"))
            if text
            for item in parse(text.encode()).items
            if item.recurrence_id is None or item.this_and_future
        ]
        reader = RowReader(owner, zone, {}, Options(), usual.name)
        planner = SeriesReader(reader, fields.Datetime.now(), 0, ())
        now = fields.Datetime.now()
        room = MAX_ROWS - len(events.filtered(lambda event: event.start > now))
        try:
            found, last = planner.more(items, self.ical_last, room)
        except IcalError:
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

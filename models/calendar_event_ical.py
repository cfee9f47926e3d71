"""Meetings as iCalendar: the one way from Odoo's records to items and text.

Everything is read with the rights of whoever asks. A private meeting of others is
what Odoo shows him of it: that the time is taken, under a UID that says no more.
"""

import uuid
from dataclasses import dataclass, field

from odoo import models

from odoo.addons.calendar.models.calendar_event import CalendarEvent as Stock

from ..ical.text import to_text
from .ical_html import plain_text
from .ical_meeting import LISTS, MeetingWriter
from .ical_series import SeriesWriter

#: Namespace of the UIDs under which taken time is shown.
BUSY = uuid.UUID("4d1d8c1e-9a3f-4b7e-8a55-6f0a1f4a9d2b")


@dataclass(slots=True)
class CalendarObject:
    """One UID: an item, or the series first and then its changed meetings."""

    items: list
    #: items of changed meetings by the meeting's id
    changed: dict = field(default_factory=dict)


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    def _ical_objects(self, private_details=True, whole_series=True, time_only=False, rows=None):
        """The meetings as items; a series as a whole, as far as the user may see it.

        :param bool private_details: also say what one's own private meetings are about
        :param bool whole_series: otherwise of a series these meetings only
        :param bool time_only: say of each meeting only that the time is taken
        :param rows: the meetings of series that count; by default all of their series
        :return: dict from meeting, or series for its meetings, to CalendarObject
        """
        # Before the first look at any of them, which would read all that they have.
        self._ical_prepare()
        singles = self.filtered(lambda event: not event.recurrence_id)
        series = self.recurrence_id
        if rows is not None:
            rows = rows.filtered("recurrence_id").sorted(lambda event: (event.start, event.id))
        elif not series:
            rows = self.browse()
        else:
            rows = self.with_context(active_test=False).search(
                [("recurrence_id", "in", series.ids)], order="start, id"
            )
        (rows - self)._ical_prepare()
        writer = MeetingWriter(singles | rows, private_details, time_only)
        objects = {event: CalendarObject([writer.item(event)]) for event in singles}
        by_series = rows.grouped("recurrence_id")
        for recurrence in series:
            events = by_series.get(recurrence)
            if not events:
                continue
            series_writer = SeriesWriter(writer, recurrence, events)
            if whole_series:
                objects[recurrence] = CalendarObject(*series_writer.items())
                continue
            for event, item in series_writer.alone(events & self).items():
                objects[event] = CalendarObject([item])
        return objects

    def _ical_prepare(self):
        """Read what the items need, in one go for all."""
        names = [
            "name", "description", "location", "start", "stop", "allday", "active", "privacy",
            "is_tentative",
            "show_as", "videocall_location", "user_id", "recurrence_id", "follow_recurrence",
            "ical_uid", "ical_sequence", "ical_text", "ical_recurrence_start",
            "create_date", "write_date",
        ]  # fmt: skip
        names += [name for name in LISTS if self._ical_may_read(name)]
        self.fetch(names)

    def _ical_may_read(self, name):
        """Whether the user may read what stands in a field of several records."""
        return self.env[self._fields[name].comodel_name].has_access("read")

    def _ical_text(self, private_details=True, lines=()):
        """The meetings as one calendar.

        :param lines: further lines of the calendar itself
        :return: str
        """
        objects = self._ical_objects(private_details)
        items = [item for found in objects.values() for item in found.items]
        return to_text(items, lines=lines, now=self._ical_now())

    def _ical_now(self):
        return self.env.cr.now().replace(microsecond=0)

    def _ical_busy_uid(self, kind, res_id):
        """UID of taken time: always the same, and never that of the meeting."""
        database = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return str(uuid.uuid5(BUSY, f"{database}:{kind}:{res_id}"))

    def _ical_description(self):
        """The description for guests, as plain text."""
        html = self.description
        if type(self)._get_customer_description is not Stock._get_customer_description:
            # Another module has more to say. Odoo's own only cleans what is clean since
            # it was saved, and that takes longer than all the rest.
            html = self._get_customer_description()
        return plain_text(html)

    def _ical_address(self, partner):
        """The one address of a partner to whom mail can be sent, or None."""
        return partner.email_normalized or None

    def _get_ics_file(self):
        """A changed meeting of a series goes out alone, any other with the series."""
        objects = self._ical_objects()
        now = self._ical_now()
        texts, result = {}, {}
        for event in self:
            key = event.recurrence_id or event
            found = objects[key]
            if event.id in found.changed:
                result[event.id] = to_text([found.changed[event.id]], now=now).encode()
                continue
            if key not in texts:
                texts[key] = to_text(found.items, now=now).encode()
            result[event.id] = texts[key]
        return result

"""A configurable calendar as programs would show it, before anybody does."""

from typing import NamedTuple

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, format_datetime

from ..ical.values import is_date
from ..models.caldav_record_writer import RecordWriter

#: Records that are shown.
SHOWN = 5


class Shown(NamedTuple):
    """A record as it is shown."""

    title: str
    when: str
    rows: list


class CaldavCalendarPreview(models.TransientModel):
    _name = "caldav.calendar.preview"
    _description = "Preview of a Configurable Calendar"

    definition_id = fields.Many2one(
        "caldav.calendar.definition", required=True, readonly=True, ondelete="cascade"
    )
    body = fields.Html(
        compute="_compute_body",
        sanitize=False,
        help="The next records as programs will show them, or what is wrong with the calendar.",
    )

    @api.model
    def _open(self, definition):
        preview = self.create({"definition_id": definition.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview: %(name)s", name=definition.name),
            "res_model": self._name,
            "res_id": preview.id,
            "view_mode": "form",
            "target": "new",
        }

    @api.depends("definition_id")
    def _compute_body(self):
        for preview in self:
            preview.body = self.env["ir.qweb"]._render(
                "crm_automation.caldav_calendar_preview_body", preview._values()
            )

    def _values(self):
        """What the page says: problems, or how many records there are and the next ones."""
        definition = self.definition_id
        problems = list(definition._problems())
        values = {"problems": problems, "shown": [], "count": 0}
        if problems:
            return values
        try:
            with self.env.cr.savepoint():
                query = definition._query(self.env.user)
                values["count"] = len(query)
                values["shown"] = [self._shown(record) for record in self._next(query)]
        except (UserError, ValueError, TypeError, KeyError, psycopg2.Error) as error:
            values["problems"] = [
                self.env._("It cannot be shown: %(error)s", error=str(error).strip())
            ]
        return values

    def _next(self, query):
        """The next records; the last ones where nothing is to come."""
        definition = self.definition_id
        records = definition._model_of(self.env.user).browse(query)
        start = definition._line("DTSTART").field_id.name or definition._line("DUE").field_id.name
        if not start:
            return records[:SHOWN]
        today = fields.Date.context_today(self)
        dated = records.filtered(start).sorted(start)
        coming = dated.filtered(lambda record: fields.Date.to_date(record[start]) >= today)
        return coming[:SHOWN] or dated[-SHOWN:] or records[:SHOWN]

    def _shown(self, record):
        item = RecordWriter(self.definition_id).item("", record)
        ends = getattr(item, "due", None) or item.stop
        labels = dict(self.definition_id.line_ids._fields["property"]._description_selection(
            self.env
        ))  # fmt: skip
        rows = [
            ("LOCATION", item.location), ("DESCRIPTION", item.description),
            ("CATEGORIES", ", ".join(item.categories)), ("STATUS", item.status),
            ("PRIORITY", item.priority),
            ("PERCENT-COMPLETE", getattr(item, "percent", None)),
            ("ORGANIZER", item.organizer and item.organizer.email),
            ("ATTENDEE", ", ".join(one.email for one in item.attendees)),
            ("URL", item.url),
        ]  # fmt: skip
        return Shown(
            item.summary or "",
            " – ".join(dict.fromkeys(self._moment(at) for at in (item.start, ends) if at)),
            [(labels[name], str(value)) for name, value in rows if value not in (None, "")],
        )

    def _moment(self, at):
        if is_date(at):
            return format_date(self.env, at)
        return format_datetime(self.env, at.replace(tzinfo=None))

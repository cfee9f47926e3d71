"""Meetings as a file for other calendars: a selection, a customer, a plan, one's own."""

import base64
import io
import re
import zipfile
from datetime import datetime, time, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..ical.text import to_text
from ..ical.values import UTC
from ..models.ical_meeting import named_zone

#: Meetings that one file may be asked for; of a series, each one counts.
MAX_MEETINGS = 5000


class CalendarExportIcal(models.TransientModel):
    _name = "calendar.export.ical"
    _description = "Export iCal"

    scope = fields.Selection(
        [
            ("selection", "The selected meetings"),
            ("customer", "The meetings of a customer"),
            ("period", "All meetings of a period"),
            ("plan", "The visits of a plan"),
            ("mine", "My calendar"),
        ],
        "What to Export",
        required=True,
        default="mine",
        help="Which meetings go into the file.",
    )
    event_ids = fields.Many2many(
        "calendar.event", string="Meetings", help="What goes into the file."
    )
    has_series = fields.Boolean(compute="_compute_has_series")
    series = fields.Selection(
        [
            ("whole", "The whole series"),
            ("selected", "The selected meetings only"),
        ],
        "Of Meetings that Repeat",
        required=True,
        default="whole",
        help="A meeting alone keeps the name of its series, so that a calendar that has the "
        "series puts it into its place.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        "Customer",
        help="Meetings that he or one of his contacts takes part in go into the file.",
    )
    plan_id = fields.Many2one(
        "calendar.visit.plan",
        "Visit Plan",
        help="Its visits that are booked go into the file, as far as you may see them.",
    )
    date_from = fields.Date("From", help="From this day on; empty: from the first meeting on.")
    date_to = fields.Date("To", help="Up to and including this day.")
    private_details = fields.Boolean(
        "With details of private meetings",
        help="Without it, of private and internal meetings the file says only that the time is "
        "taken. Private meetings of others are never told more about.",
    )
    is_split = fields.Boolean(
        "One file for each meeting", help="All files in one ZIP archive; a series is one file."
    )
    file = fields.Binary(
        attachment=False, readonly=True, help="To be saved, and opened in the other calendar."
    )
    file_name = fields.Char(readonly=True)
    number = fields.Integer(
        "Meetings in the File", readonly=True, help="A series is one meeting that repeats."
    )

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        context = self.env.context
        ids = context.get("active_ids") or []
        if context.get("active_model") == "calendar.event" and ids:
            values.update(scope="selection", event_ids=[fields.Command.set(ids)])
        elif context.get("active_model") == "res.partner" and ids:
            values.update(scope="customer", partner_id=ids[0])
        elif context.get("active_model") == "calendar.visit.plan" and ids:
            values.update(scope="plan", plan_id=ids[0])
        return values

    @api.depends("event_ids.recurrence_id")
    def _compute_has_series(self):
        for wizard in self:
            wizard.has_series = bool(wizard.event_ids.recurrence_id)

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for wizard in self:
            if wizard.date_from and wizard.date_to and wizard.date_from > wizard.date_to:
                raise ValidationError(self.env._("The period ends before it begins."))

    def action_export(self):
        """Make the file, and show it."""
        self.ensure_one()
        events = self._events()
        if not events:
            raise UserError(self.env._("There are no such meetings."))
        whole = self.scope != "selection" or self.series == "whole"
        objects = events._ical_objects(self.private_details, whole)
        content, name = self._pack(events, objects)
        self.write(
            {
                "file": base64.b64encode(content),
                "file_name": name,
                "number": len(objects),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Export iCal"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def _events(self):
        """The meetings of the choice, as the user may see them.

        :raises UserError: when something is missing or there are too many
        """
        Event = self.env["calendar.event"]
        if self.scope == "selection":
            events = self.event_ids
        else:
            events = Event.search(self._domain(), limit=MAX_MEETINGS + 1, order="start, id")
        if len(events) > MAX_MEETINGS:
            raise UserError(
                self.env._(
                    "These are more than %(limit)s meetings. Choose a shorter period, or fewer "
                    "meetings.",
                    limit=MAX_MEETINGS,
                )
            )
        if self.scope == "customer":
            # Who takes part in a private meeting is as private as its subject.
            events = events.filtered(lambda event: not event._check_private_event_conditions())
        return events

    def _domain(self):
        domain = Domain.TRUE
        if self.scope == "customer":
            if not self.partner_id:
                raise UserError(self.env._("Choose the customer."))
            domain &= Domain("partner_ids", "child_of", self.partner_id.ids)
        elif self.scope == "plan":
            if not self.plan_id:
                raise UserError(self.env._("Choose the visit plan."))
            # Through the visits, of which the user sees his own or all.
            visits = self.env["calendar.visit"].search([("plan_id", "=", self.plan_id.id)])
            domain &= Domain("id", "in", visits.event_id.ids)
        elif self.scope == "mine":
            me = self.env.user
            domain &= Domain("user_id", "=", me.id) | Domain("partner_ids", "in", me.partner_id.ids)
            # What is only shown here comes from elsewhere.
            domain &= Domain("is_overlay", "=", False)
        elif not (self.date_from and self.date_to):
            raise UserError(self.env._("Say from when to when."))
        if self.date_from:
            first = self._midnight(self.date_from)
            domain &= Domain("stop", ">", first) | Domain("start", ">=", first)
        if self.date_to:
            domain &= Domain("start", "<", self._midnight(self.date_to + timedelta(days=1)))
        return domain

    def _midnight(self, day):
        """When the day begins for the user, as Odoo keeps it."""
        zone = named_zone(self.env.context.get("tz") or self.env.user.tz)
        return datetime.combine(day, time.min, zone).astimezone(UTC).replace(tzinfo=None)

    def _pack(self, events, objects):
        """(octets, name) of the file."""
        now = events._ical_now()
        base = {
            "selection": self.env._("meetings"),
            "customer": self.partner_id.display_name or "",
            "period": self.env._("meetings"),
            "plan": self.plan_id.name or "",
            "mine": self.env.user.name,
        }[self.scope]
        if not self.is_split:
            items = [item for found in objects.values() for item in found.items]
            return to_text(items, now=now).encode(), f"{_plain_name(base)}.ics"
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, found in enumerate(objects.values(), 1):
                first = found.items[0]
                name = _plain_name(f"{number:04} {first.start:%Y-%m-%d} {first.summary or ''}")
                archive.writestr(f"{name}.ics", to_text(found.items, now=now))
        return stream.getvalue(), f"{_plain_name(base)}.zip"


def _plain_name(text):
    """A file name that every system takes."""
    return re.sub(r"[^\w .-]+", "_", text).strip(" .")[:80] or "calendar"

"""Meetings that come from a subscribed calendar: who may change them.

An *overlay* is only looked at: nobody changes it but the reading of its calendar,
whatever his rights. Of what was *imported*, it is noted that somebody changed it here.
"""

from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .calendar_subscription import IMPORTING, READING, SHOWING


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    subscription_id = fields.Many2one(
        "calendar.subscription",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The subscribed calendar that the meeting comes from; empty: from none.",
    )
    is_overlay = fields.Boolean(
        "Only Shown",
        copy=False,
        readonly=True,
        help="Shown from a subscribed calendar, and cannot be changed here.",
    )
    subscription_color = fields.Integer(related="subscription_id.color")
    subscription_edited = fields.Boolean(
        "Changed Here", copy=False, readonly=True, help="Changed in Odoo since it came."
    )
    subscription_gone = fields.Boolean(
        "Gone There", copy=False, readonly=True, help="Archived since its calendar lost it."
    )
    subscription_kept = fields.Boolean(
        "Kept Here", copy=False, readonly=True, help="Kept although its calendar lost it."
    )

    def _ical_protected(self):
        return super()._ical_protected() | {
            "subscription_id", "is_overlay", "subscription_edited", "subscription_gone",
            "subscription_kept",
        }  # fmt: skip

    def _subscription_is_read(self):
        """Whether it is the reading of a calendar that asks."""
        return self.env.context.get(READING) in (SHOWING, IMPORTING)

    def _subscription_refuse(self):
        """:raises UserError: of what is only shown, to all but the reading of its calendar"""
        shown = self.sudo().filtered("is_overlay") if not self._subscription_is_read() else ()
        if shown:
            raise UserError(
                self.env._(
                    "This comes from a subscribed calendar and is only shown: it is changed "
                    "there. To change it here, let the subscription import its meetings."
                )
            )

    @api.depends("is_overlay")
    def _compute_user_can_edit(self):
        result = super()._compute_user_can_edit()
        for event in self:
            if event.sudo().is_overlay:
                event.user_can_edit = False
        return result

    def write(self, vals):
        self._subscription_refuse()
        result = super().write(vals)
        if not self._subscription_is_read():
            self.sudo()._subscription_edit()
        return result

    def _subscription_edit(self):
        """Remember that somebody changed them here."""
        imported = self.filtered(
            lambda event: event.subscription_id and not event.subscription_edited
        )
        if imported:
            imported.with_context(**{READING: IMPORTING}).write({"subscription_edited": True})

    def unlink(self):
        self._subscription_refuse()
        gone = defaultdict(set)
        if not self._subscription_is_read():
            for event in self.sudo().filtered("subscription_id"):
                gone[event.subscription_id].add(event.ical_uid)
        result = super().unlink()
        for subscription, uids in gone.items():
            subscription._dismiss(uids)
        return result


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    def _named_domains(self):
        """What is only shown happens to nobody here: no rule is about it."""
        domains = super()._named_domains()
        if self.model_name == "calendar.event":
            domains.append((self.env._("Not only shown"), Domain("is_overlay", "=", False)))
        return domains


class CalendarRecurrence(models.Model):
    _inherit = "calendar.recurrence"

    def _subscription_refuse(self):
        """:raises UserError: of a series that is only shown"""
        Event = self.env["calendar.event"].with_context(active_test=False)
        if self and not Event._subscription_is_read():
            Event.sudo().search(
                [("recurrence_id", "in", self.ids), ("is_overlay", "=", True)], limit=1
            )._subscription_refuse()

    def write(self, vals):
        self._subscription_refuse()
        return super().write(vals)

    def unlink(self):
        self._subscription_refuse()
        return super().unlink()

    def _ical_extend_one(self):
        """A series that goes on, goes on as what it is."""
        subscription = self.sudo().calendar_event_ids.subscription_id
        key = SHOWING if "overlay" in subscription.mapped("kind") else IMPORTING
        series = self.with_context(**{READING: key}) if subscription else self
        made = super(CalendarRecurrence, series)._ical_extend_one()
        for one in subscription:
            one._adopt(())
        return made


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    @api.model_create_multi
    def create(self, vals_list):
        events = self.env["calendar.event"].browse(
            {vals["event_id"] for vals in vals_list if vals.get("event_id")}
        )
        events._subscription_refuse()
        return super().create(vals_list)

    def write(self, vals):
        self.event_id._subscription_refuse()
        return super().write(vals)

    def unlink(self):
        self.event_id._subscription_refuse()
        return super().unlink()

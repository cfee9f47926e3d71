"""Editing a series from one of its meetings: see ``series_edit``."""

from odoo import fields, models
from odoo.exceptions import UserError

from .calendar_ical_identity import SCOPE, SCOPES
from .series_edit import SeriesEdit


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    def write(self, vals):
        scope = SCOPES.get(vals.get("recurrence_update"))
        is_series = scope and len(self) == 1 and self.recurrence_id
        if not is_series or vals.get("recurrency") is False:
            # Odoo takes the key out of the caller's own dict.
            return super().write(dict(vals))
        answers = {guest: guest.state for guest in self.attendee_ids}
        result = super(CalendarEvent, self.with_context(**{SCOPE: scope})).write(dict(vals))
        for guest in self.attendee_ids:
            # Of one meeting Odoo takes back its organizer's answer.
            if answers.get(guest, guest.state) != guest.state:
                guest.state = answers[guest]
        return result

    def _rewrite_recurrence(self, values, time_values, recurrence_values):
        self._edit_series(values, time_values, recurrence_values)

    def _update_future_events(self, values, time_values, recurrence_values):
        start = self.start
        self._edit_series(values, time_values, recurrence_values)
        if self.start != start and self.start >= fields.Datetime.now():
            self._tell_new_start()

    def _edit_series(self, values, time_values, recurrence_values):
        """Change all meetings of the series, or this one and those after it.

        :param dict recurrence_values: emptied, for Odoo would apply them again
        """
        self.ensure_one()
        following = self._ical_series_scope() == "future_events"
        edit = SeriesEdit(self, {**values, **time_values}, recurrence_values, following)
        edit.apply()
        recurrence_values.clear()

    def action_mass_deletion(self, recurrence_update_setting):
        """With this and those after it the series has an end."""
        series, allday = self.recurrence_id, self.allday
        place = self.sudo().ical_recurrence_start or self.start
        result = super().action_mass_deletion(recurrence_update_setting)
        if recurrence_update_setting == "future_events" and series.exists():
            series._series_end(place, allday)
        return result

    def action_series_exceptions(self):
        """What of the series does not take place, or at another time."""
        self.ensure_one()
        return self.env["calendar.series.exception"]._open(self)

    def _series_move_back(self):
        """Back to where the series has it."""
        place = self.sudo().ical_recurrence_start
        if place:
            self.write(
                {
                    "start": place,
                    "stop": place + (self.stop - self.start),
                    "follow_recurrence": True,
                }
            )
            self.sudo().ical_recurrence_start = False

    def _tell_new_start(self):
        if self.env.context.get("skip_attendee_notification"):
            return
        template = self.env.ref(
            "calendar.calendar_template_meeting_changedate", raise_if_not_found=False
        )
        self.attendee_ids._notify_attendees(template, force_send=True)


class CalendarRecurrence(models.Model):
    _inherit = "calendar.recurrence"

    def _apply_recurrence(self, *args, **kwargs):
        """The meeting that is repeated is always one of its series.

        Odoo archives it when its day is none of the rule's, and whoever has made it
        is left with a cancelled meeting: it takes the first place.
        """
        if not any(args) and not any(kwargs.values()):
            for recurrence in self.filtered("base_event_id"):
                recurrence._place_base_event()
        return super()._apply_recurrence(*args, **kwargs)

    def _place_base_event(self):
        event = self.base_event_id
        places, _last = self._rule_places(self._rule_values(), event.start, event.allday)
        if not places:
            raise UserError(self.env._("With this rule the series would have no meeting."))
        if event.start in places:
            return
        start = min(places)
        values = {
            "start": start, "stop": start + (event.stop - event.start), "follow_recurrence": True,
        }  # fmt: skip
        event.with_context(
            is_calendar_event_new=True, skip_attendee_notification=True, dont_notify=True
        ).write(values)

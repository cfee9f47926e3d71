"""How a meeting repeats, as its form shows it: the fields of the series, and a preview."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from .calendar_recurrence_identity import RULE
from .calendar_recurrence_rule import FIFTH, MONTHS, MORE_FIELDS, SHORT_MONTH

#: Dates that the preview shows.
SHOWN = 6


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    rrule_type_ui = fields.Selection(selection_add=[("text", "By a Rule (RFC 5545)")])
    month_by = fields.Selection(
        selection=lambda self: self.env["calendar.recurrence"]._selection_month_by(),
        help="A date of the month, a weekday of it, or its last day.",
    )
    byday = fields.Selection(selection_add=FIFTH)
    year_month = fields.Selection(
        MONTHS,
        "Month",
        compute="_compute_recurrence",
        readonly=False,
        help="Month of a meeting that repeats every year; without one, that of its first date.",
    )
    short_month = fields.Selection(
        SHORT_MONTH,
        "Short Months",
        compute="_compute_recurrence",
        readonly=False,
        help="What becomes of a meeting on the 29th, 30th or 31st in a month without that day.",
    )
    workdays_only = fields.Boolean(
        "Working Days Only",
        compute="_compute_recurrence",
        readonly=False,
        help="Monday to Friday. A day of the month that is at the weekend moves to the next "
        "working day; from the 27th on, to the one before, so that the month stays the same.",
    )
    rule_text = fields.Char(
        "Rule",
        compute="_compute_recurrence",
        readonly=False,
        help="A rule as other calendars write it, for what there are no fields for: "
        "FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=10 is the first and the third Monday, ten times.",
    )
    exception_summary = fields.Char(
        "Exceptions",
        compute="_compute_exception_summary",
        help="Days on which the series does not take place; empty: it always does.",
    )
    is_moved = fields.Boolean(compute="_compute_is_moved")
    rule_preview = fields.Char(
        "Next Dates",
        compute="_compute_rule_preview",
        help="What the rule yields as it stands here, before it is saved.",
    )
    rule_problem = fields.Char(
        compute="_compute_rule_preview", help="Why the rule yields no dates."
    )

    @api.model
    def _get_recurrent_fields(self):
        return super()._get_recurrent_fields() | MORE_FIELDS

    @api.depends("recurrence_id", "recurrency")
    def _compute_rrule_type_ui(self):
        result = super()._compute_rrule_type_ui()
        for event in self:
            if event.recurrency and event.recurrence_id and not event.recurrence_id.rrule_type:
                event.rrule_type_ui = "text"
        return result

    @api.depends("recurrence_id", "recurrency", "rrule_type_ui")
    def _compute_recurrence(self):
        by_text = self.filtered(lambda event: event.recurrency and event.rrule_type_ui == "text")
        result = super(CalendarEvent, self - by_text)._compute_recurrence()
        for event in self - by_text:
            event.rule_text = False
        none = dict.fromkeys(self._get_recurrent_fields(), False)
        for event in by_text:
            series = event.recurrence_id
            event.update(
                {
                    **none,
                    "interval": 1,
                    "count": 1,
                    "end_type": "forever",
                    "event_tz": series.event_tz or self.env.context.get("tz") or self.env.user.tz,
                    "rule_text": event._rule_text_now(series),
                }
            )
        return result

    def _rule_text_now(self, series):
        """The rule of the series as text; of a new one what is written already."""
        if not series:
            return self.rule_text
        if not series.rrule_type:
            return series._rule_values()["rule_text"]
        return (series.rrule or "").removeprefix("RRULE:")

    @api.depends(
        "start", "start_date", "allday", "recurrency", "rrule_type_ui",
        *(name for name in RULE if name != "week_start"),
    )  # fmt: skip
    def _compute_rule_preview(self):
        for event in self:
            event.rule_preview = event.rule_problem = False
            if not (event.recurrency and event.start):
                continue
            try:
                event.rule_preview = event._rule_preview()
            except UserError as error:
                event.rule_problem = str(error)

    @api.depends("recurrence_id.ical_exdates", "recurrence_id.ical_exrules")
    def _compute_exception_summary(self):
        for event in self:
            series = event.recurrence_id.sudo()
            event.exception_summary = series and self._exception_words(series, event.allday)

    def _exception_words(self, series, allday):
        clock = series._rule_clock(series._rule_values(), allday)
        gone = series._ical_moments("ical_exdates")
        days = [format_date(self.env, clock.wall(clock.at(place)).date()) for place in gone[:SHOWN]]
        words = ", ".join(days)
        if len(gone) > SHOWN:
            words = self.env._("%(dates)s and %(count)s more", dates=words, count=len(gone) - SHOWN)
        if not gone:
            return False
        return self.env._("Not on %(dates)s", dates=words)

    @api.depends("ical_recurrence_start", "start", "active")
    def _compute_is_moved(self):
        for event in self:
            place = event.ical_recurrence_start
            event.is_moved = bool(event.active and place and place != event.start)

    def _rule_preview(self):
        """The next dates of the rule as it stands in the form."""
        series = self.recurrence_id
        start = self.start
        # Where it is now, a series is told from its beginning.
        values = {name: self[name] for name in RULE if name in self._fields}
        values["week_start"] = series.week_start or "0"
        if self.rrule_type_ui == "text":
            values["rrule_type"] = False
        elif self.rrule_type_ui and self.rrule_type_ui != "custom":
            values["rrule_type"] = self.rrule_type_ui
        Series = self.env["calendar.recurrence"]
        starts, last = Series._rule_places(values, start, self.allday)
        if not starts:
            return self.env._("There is no date.")
        clock = Series._rule_clock(values, self.allday)
        days = [clock.wall(clock.at(one)).date() for one in starts]
        shown = " · ".join(
            format_date(self.env, day, date_format="EEE d MMM y") for day in days[:SHOWN]
        )
        if len(days) <= SHOWN and not last:
            return shown
        if last:
            return self.env._("%(dates)s … without end", dates=shown)
        return self.env._(
            "%(dates)s … %(count)s dates, the last one on %(last)s",
            dates=shown, count=len(days), last=format_date(self.env, days[-1]),
        )  # fmt: skip

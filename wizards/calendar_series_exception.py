"""The dialog about exceptions of a series: what there is, and more of it."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..ical.recurrence import DAYS, from_fields
from ..models.calendar_recurrence_rule import FIFTH, MONTHS

#: Days that the preview names.
SHOWN = 8
_BYDAY = [("1", "First"), ("2", "Second"), ("3", "Third"), *FIFTH, ("-1", "Last")]
_WEEKDAYS = [
    ("MON", "Monday"), ("TUE", "Tuesday"), ("WED", "Wednesday"), ("THU", "Thursday"),
    ("FRI", "Friday"), ("SAT", "Saturday"), ("SUN", "Sunday"),
]  # fmt: skip


class CalendarSeriesException(models.TransientModel):
    _name = "calendar.series.exception"
    _description = "Exceptions of a Series"

    event_id = fields.Many2one("calendar.event", required=True, ondelete="cascade")
    recurrence_id = fields.Many2one(related="event_id.recurrence_id")
    line_ids = fields.One2many(
        "calendar.series.exception.line",
        "wizard_id",
        help="What of the series does not take place, or takes place at another time.",
    )
    kind = fields.Selection(
        [("date", "A date"), ("rule", "All dates of a rule")],
        default="date",
        required=True,
        help="One date, or all dates that a rule gives.",
    )
    date = fields.Date(
        "Not On",
        help="The day on which the meeting does not take place.",
    )
    rrule_type = fields.Selection(
        [("daily", "Days"), ("weekly", "Weeks"), ("monthly", "Months"), ("yearly", "Years")],
        "Frequency",
        default="monthly",
        required=True,
        help="Whether the rule counts in days, weeks, months or years.",
    )
    interval = fields.Integer(
        "Every",
        default=1,
        help="How many days, weeks, months or years it is from one date of the rule to the next.",
    )
    mon, tue, wed, thu, fri, sat, sun = (fields.Boolean() for _day in DAYS)
    month_by = fields.Selection(
        [("date", "Day of the month"), ("day", "Weekday")],
        "Option",
        default="day",
        required=True,
        help="A date such as the 15th, or a weekday such as the second Monday.",
    )
    day = fields.Integer("Day of the Month", default=1, help="From 1 to 31.")
    byday = fields.Selection(
        _BYDAY, "Which One", default="1", help="Of the weekdays of that name in the month."
    )
    weekday = fields.Selection(_WEEKDAYS, help="The day of the week that the rule takes out.")
    year_month = fields.Selection(
        MONTHS, "Month", help="For a rule that counts in years: when in the year."
    )
    end_type = fields.Selection(
        [("forever", "No end"), ("count", "Number of repetitions"), ("end_date", "End date")],
        "Until",
        default="forever",
        required=True,
        help="How long the rule goes on taking out dates.",
    )
    count = fields.Integer("Repeat", default=1, help="After so many dates the rule ends.")
    until = fields.Date("Repeat Until", help="The last day on which the rule takes out a date.")
    preview = fields.Char(
        "Takes Out",
        compute="_compute_preview",
        help="Meetings of the series that fall on a date of the rule.",
    )

    @api.depends(
        "kind", "rrule_type", "interval", *DAYS, "month_by", "day", "byday", "weekday",
        "year_month", "end_type", "count", "until",
    )  # fmt: skip
    def _compute_preview(self):
        for wizard in self:
            wizard.preview = False
            if wizard.kind != "rule" or not wizard.recurrence_id:
                continue
            try:
                days = sorted(wizard.recurrence_id._exrule_hits(wizard._rule_text()))
            except UserError as error:
                wizard.preview = str(error)
                continue
            shown = ", ".join(format_date(self.env, day) for day in days[:SHOWN])
            more = self.env._("%(dates)s and %(count)s more", dates=shown, count=len(days) - SHOWN)
            wizard.preview = more if len(days) > SHOWN else shown or self.env._("No meeting.")

    def _rule_text(self):
        """The rule as text.

        :raises UserError: when the fields say none, in words
        """
        values = {name: self[name] for name in (
            "rrule_type", "interval", *DAYS, "month_by", "day", "byday", "weekday", "year_month",
            "end_type", "count", "until",
        )}  # fmt: skip
        self.recurrence_id._check_rule_values(values)
        return from_fields(values, self.event_id.start.date())

    @api.model
    def _open(self, event):
        """The dialog for the series of that meeting."""
        day = event._get_start_date()
        weekday = DAYS[day.weekday()]
        wizard = self.create(
            {"event_id": event.id, "day": day.day, weekday: True, "weekday": weekday.upper()}
        )
        wizard._fill()
        return wizard._action()

    def _action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Exceptions"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def _check_rights(self):
        """:raises AccessError: for whoever may not change the meetings"""
        self.event_id.check_access("write")
        self.event_id._check_calendar_privacy_write_permissions()

    def _fill(self):
        series = self.recurrence_id
        gone, moved = series._series_exceptions()
        lines = [
            {"kind": "removed", "place": place, "allday": self.event_id.allday} for place in gone
        ]
        lines += [
            {
                "kind": "moved",
                "place": event.sudo().ical_recurrence_start or event.start,
                "allday": event.allday,
                "start": event.start,
                "event_id": event.id,
            }
            for event in moved
        ]
        lines += [{"kind": "rule", "rule": text} for text in series.sudo().ical_exrules or ()]
        self.line_ids.unlink()
        self.line_ids = [(0, 0, line) for line in lines]

    def action_add(self):
        self.ensure_one()
        self._check_rights()
        if self.kind == "rule":
            self.recurrence_id._series_leave_out_rule(self._rule_text())
        elif not self.date:
            raise UserError(self.env._("Say on which day the meeting does not take place."))
        else:
            self.recurrence_id._series_leave_out([self.date])
        self.date = False
        self._fill()
        return self._action()


class CalendarSeriesExceptionLine(models.TransientModel):
    _name = "calendar.series.exception.line"
    _description = "Exception of a Series"
    _order = "place, id"

    wizard_id = fields.Many2one("calendar.series.exception", required=True, ondelete="cascade")
    kind = fields.Selection(
        [("removed", "Does not take place"), ("moved", "Moved"), ("rule", "Rule")],
        "What",
        help="Whether one meeting is taken out or moved, or a rule takes out several.",
    )
    place = fields.Datetime(
        "Original Date", help="When the meeting would be by the rule of the series."
    )
    allday = fields.Boolean()
    start = fields.Datetime("Takes Place On", help="When a moved meeting begins now.")
    event_id = fields.Many2one("calendar.event", "Meeting")
    rule = fields.Char(
        "Exception Rule",
        help="The dates that are left out, as other calendars write it (RFC 5545).",
    )

    def action_bring_back(self):
        """Let it take place again; of a rule, take out no more by it."""
        self.ensure_one()
        wizard = self.wizard_id
        wizard._check_rights()
        if self.kind == "rule":
            wizard.recurrence_id._series_forget_rule(self.rule)
        elif self.kind == "removed":
            wizard.recurrence_id._series_bring_back(self.place)
        else:
            self.event_id._series_move_back()
        wizard._fill()
        return wizard._action()

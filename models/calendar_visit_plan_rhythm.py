"""How often: the rhythm, what it comes to in a year and in days, and its periods.

Owns the fields' dependence on each other, and the checks of the rhythm. The arithmetic
is in ``engine/cadence.py``.
"""

import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import float_compare

from ..engine.cadence import (
    DAY,
    DAYS_IN_YEAR,
    UNIT_DAYS,
    Cadence,
    CadenceError,
    interval_of,
    shift_months,
)


class CalendarVisitPlan(models.Model):
    _inherit = "calendar.visit.plan"

    @api.depends("cadence", "interval_number", "interval_unit")
    def _compute_visits_per_year(self):
        for plan in self:
            if plan.cadence == "year":
                plan.visits_per_year = plan.visits_per_year or 12
            else:
                plan.visits_per_year = plan._yearly()

    @api.depends("cadence", "interval_number", "interval_unit", "visits_per_year")
    def _compute_cycle_days(self):
        for plan in self:
            plan.cycle_days = plan._days_between()

    # Both are what the screen does as well. There, and in a save of what it shows, a
    # number comes along that nobody has typed: it is what the rhythm comes to anyway.

    @api.onchange("visits_per_year")
    def _inverse_visits_per_year(self):
        """So many visits a year, whatever the rhythm was."""
        for plan in self:
            if plan.cadence != "year":
                if _same(plan.visits_per_year, plan._yearly()):
                    continue
                plan.cadence = "year"
            if plan.visits_per_year > 0:
                # The same, for whoever goes back to an interval.
                number, unit = interval_of(DAYS_IN_YEAR / plan.visits_per_year)
                if (plan.interval_number, plan.interval_unit) != (number, unit):
                    plan.update({"interval_number": number, "interval_unit": unit})

    @api.onchange("cycle_days")
    def _inverse_cycle_days(self):
        """A visit every so many days, whatever the rhythm was."""
        for plan in self:
            if _same(plan.cycle_days, plan._days_between()):
                continue
            plan.update(
                {
                    "cadence": "interval",
                    "interval_number": round(plan.cycle_days),
                    "interval_unit": "days",
                }
            )
            # An interval has whole days.
            plan._compute_cycle_days()

    @api.onchange("cadence")
    def _onchange_cadence(self):
        """Dates and weekdays of the month come every so many months."""
        if self.cadence in ("date", "weekday") and self.interval_unit != "months":
            days = self.interval_number * UNIT_DAYS[self.interval_unit]
            self.interval_number = max(1, round(days / UNIT_DAYS["months"]))
            self.interval_unit = "months"

    def _yearly(self):
        """Visits a year, 0 when the cadence yields nothing."""
        try:
            rhythm = self._cadence()
            rhythm.check()
        except CadenceError:
            return 0
        return rhythm.yearly()

    def _days_between(self):
        """Days from one visit to the next on average, 0 when the cadence yields nothing."""
        yearly = self._yearly()
        return DAYS_IN_YEAR / yearly if yearly else 0

    def _cadence(self):
        self.ensure_one()
        return Cadence(
            self.cadence, self.interval_number, self.interval_unit, self.month_day,
            int(self.month_week or 1), int(self.month_weekday or 0), self.visits_per_year,
        )  # fmt: skip

    # -- checks ---------------------------------------------------------------

    @api.constrains(
        "cadence", "interval_number", "month_day", "visits_per_year", "months_ahead",
        "tolerance_days", "per_day", "travel_minutes",
    )  # fmt: skip
    def _check_cadence(self):
        for plan in self:
            try:
                plan._cadence().check()
            except CadenceError as error:
                raise ValidationError(plan._why_no_periods()) from error
            if not 1 <= plan.months_ahead <= 60:
                raise ValidationError(self.env._("Between 1 and 60 months can be booked ahead."))
            if min(plan.tolerance_days, plan.per_day, plan.travel_minutes) < 0:
                raise ValidationError(
                    self.env._("Days, minutes and visits a day cannot be less than none.")
                )

    def _why_no_periods(self):
        return {
            "interval": self.env._("Say after how many days, weeks or months: at least one."),
            "date": self.env._("The day of the month is between 1 and 31, every month or more."),
            "weekday": self.env._("Say in every how many months: at least one."),
            "year": self.env._("There can be between 1 and 366 visits a year."),
        }[self.cadence]

    # -- periods --------------------------------------------------------------

    def _today(self):
        return fields.Date.context_today(self)

    def _first_day(self):
        """The first day on which a visit can still be booked."""
        return max(self.date_from, self._today() + DAY)

    def _horizon(self):
        """The last day on which a period may begin to be booked by now."""
        # A plan that begins later is booked for as long.
        last = shift_months(max(self._today(), self.date_from), self.months_ahead) - DAY
        return min(last, self.date_to or last)

    def _periods(self):
        """The periods that are to come.

        :raises UserError: when there are none
        """
        self.ensure_one()
        if self.date_to and self.date_to < self._first_day():
            raise UserError(
                self.env._(
                    "The period of the plan is over: it ends on %(day)s.",
                    day=fields.Date.to_string(self.date_to),
                )
            )
        horizon = self._horizon()
        periods = self._cadence().periods(
            self.date_from, self.date_to or datetime.date.max, self._first_day(), horizon
        )
        if not periods:
            raise UserError(
                self.env._(
                    "No day between %(first)s and %(last)s fits the rhythm of the plan.",
                    first=fields.Date.to_string(self._first_day()),
                    last=fields.Date.to_string(horizon),
                )
            )
        return periods


def _same(one, other):
    """Whether two numbers are the same as they are kept and shown."""
    return float_compare(one, other, precision_digits=1) == 0

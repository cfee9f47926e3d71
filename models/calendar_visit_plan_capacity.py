"""The working hours of those who visit, week by week: what their load is measured by."""

from odoo import models
from odoo.tools import SQL

from ..engine.cadence import DAY, shift_months
from .bulk import insert_rows


class CalendarVisitPlan(models.Model):
    _inherit = "calendar.visit.plan"

    def _refresh_capacity(self):
        """Take down the working hours of those who visit, as far as the plan reaches."""
        self.ensure_one()
        users = self.env["calendar.visit"].sudo().search_fetch(
            [("plan_id", "=", self.id), ("period_end", ">=", self._today())], ["user_id"]
        ).user_id  # fmt: skip
        if not users:
            return
        today = self._today()
        first = today - today.weekday() * DAY
        last = max(self.date_from, today)
        last = shift_months(last, self.months_ahead + 1)
        rows = []
        for user, intervals in self._work_intervals(users.sudo(), first, last - DAY).items():
            hours = dict.fromkeys(_mondays(first, last), 0.0)
            for start, stop in intervals:
                day = start.date()
                hours[day - day.weekday() * DAY] += (stop - start).total_seconds() / 3600
            rows += [
                {"user_id": user.id, "week": week, "hours": number}
                for week, number in hours.items()
            ]
        insert_rows(
            self.env["calendar.visit.capacity"].sudo(), rows,
            SQL("ON CONFLICT (user_id, week) DO UPDATE SET hours = EXCLUDED.hours"),
        )  # fmt: skip


def _mondays(first, last):
    return [first + number * DAY for number in range(0, (last - first).days, 7)]

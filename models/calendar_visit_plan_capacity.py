"""The working hours of those who visit, week by week: what their load is measured by."""

import datetime
from collections import defaultdict

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
        for user in users:
            zone = self._zone(user)
            begin = datetime.datetime.combine(first, datetime.time(), zone)
            end = datetime.datetime.combine(last, datetime.time(), zone)
            hours = defaultdict(float)
            day = first
            while day < last:
                hours[day] += 0
                day += 7 * DAY
            for start, stop in self._work_intervals(user, begin, end):
                local = start.astimezone(zone).date()
                hours[local - local.weekday() * DAY] += (stop - start).total_seconds() / 3600
            rows += [
                {"user_id": user.id, "week": week, "hours": number}
                for week, number in sorted(hours.items())
            ]
        insert_rows(
            self.env["calendar.visit.capacity"].sudo(), rows,
            SQL("ON CONFLICT (user_id, week) DO UPDATE SET hours = EXCLUDED.hours"),
        )  # fmt: skip

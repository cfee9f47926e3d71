"""Another look for a time for visits that have none.

A plan without enough time does it each night for tens of thousands of them, of which hardly
one is another than before: they are looked through as plain rows, and what is new is written.
"""

import datetime
from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..engine.cadence import DAY, Period
from .bulk import update_rows


class Line(NamedTuple):
    """A visit that is not booked: its columns."""

    id: int
    partner_id: int
    period: datetime.date
    period_end: datetime.date
    target: datetime.date | None
    user_id: int | None
    team_id: int | None
    start: datetime.datetime | None
    stop: datetime.datetime | None
    state: str
    problem: str | None
    other_plan_id: int | None
    by_hand: bool

    def span(self):
        return Period(self.period, self.period_end, self.target)


#: What another look changes, with the types of the columns.
TYPES = {
    "user_id": "int", "team_id": "int", "start": "timestamp", "stop": "timestamp",
    "state": "varchar", "problem": "varchar", "other_plan_id": "int", "by_hand": "bool",
}  # fmt: skip


class CalendarVisitPlan(models.Model):
    _inherit = "calendar.visit.plan"

    def _propose_again(self, visits):
        """Look for a time for lines that have none, or that were left out.

        :param visits: ``calendar.visit`` (sudo)
        :raises UserError: when the days of all of them are over
        """
        lines = self._open_lines(visits)
        if not lines:
            raise UserError(self.env._("The periods of these visits are over."))
        self._propose_lines(lines)

    def _open_lines(self, visits):
        """Those of these visits whose days are not over, as plain rows."""
        self.ensure_one()
        visits.flush_model(Line._fields)
        rows = self.env.execute_query(
            SQL(
                "SELECT %s FROM calendar_visit WHERE id = ANY(%s) ORDER BY period, start, id",
                SQL(", ").join(map(SQL.identifier, Line._fields)),
                visits.ids,
            )
        )
        lines = [Line(*row) for row in rows]
        first_day = self._first_day()
        is_open = {
            span: self._window(span, span.first)[1] >= first_day
            for span in {line.span() for line in lines}
        }
        return [line for line in lines if is_open[line.span()]]

    def _propose_lines(self, lines):
        """Find a time for these lines, or say why there is none.

        :param lines: of :meth:`_open_lines`
        """
        lines = self._freed(lines)
        first_day, length = self._first_day(), self._length()
        customers = self.env["res.partner"].browse({line.partner_id: None for line in lines})
        responsible = {
            customer.id: user.id or None for customer, user in self._responsibles(customers).items()
        }
        visitors = [
            line.user_id if line.user_id and line.by_hand else responsible[line.partner_id]
            for line in lines
        ]
        users = self._at_work(
            self.env["res.users"].sudo().browse({one: None for one in visitors if one})
        )
        teams = {user.id: user.sale_team_id.id or None for user in users}
        others = {} if self.allow_overlap else self._other_plans(customers)
        spans = {line.span() for line in lines}
        windows = {span: self._window(span, first_day) for span in spans}
        last_day = max(last for _first, last in windows.values())
        diaries = self._diaries(users, first_day - DAY, last_day)
        self._block_kept(diaries)
        by_user = {user.id: diary for user, diary in diaries.items()}
        changed = []
        for line, user_id in zip(lines, visitors, strict=True):
            diary, other, span = by_user.get(user_id), others.get(line.partner_id), line.span()
            start, problem = None, "no_slot"
            if diary is None:
                problem = "no_responsible"
            elif other:
                problem = "other_plan"
            else:
                start = self._find(diary, *windows[span], span, (0, 1))
            new = line._replace(
                user_id=user_id,
                team_id=teams.get(user_id),
                start=start,
                stop=start and start + length,
                state="proposed" if start else "unscheduled",
                problem=None if start else problem,
                other_plan_id=other if problem == "other_plan" else None,
                by_hand=False,
            )
            if new != line:
                changed.append(new._asdict())
        update_rows(self.env["calendar.visit"].sudo(), changed, TYPES)

    def _freed(self, lines):
        """The same lines; the times that they have had so far are free for others."""
        dated = [line.id for line in lines if line.start]
        free = {"state": "unscheduled", "start": None, "stop": None}
        self.env["calendar.visit"].sudo().browse(dated).write(free)
        return [line._replace(**free) if line.start else line for line in lines]

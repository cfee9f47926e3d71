"""How a plan goes on from day to day: who joins, who leaves, who visits, and the horizon."""

import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)

#: Losing more than half of so many customers over night is a mistake, until somebody
#: says that it is none.
BRAKE = 20


class CalendarVisitPlan(models.Model):
    _inherit = "calendar.visit.plan"

    def action_follow(self):
        """What the job does each night, now, and without its brake."""
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("running", "stopped"):
            raise UserError(self.env._("Only a plan that is running can go on."))
        self.sudo().write({"owner_id": self.env.uid, "failure": False})
        self._follow(sure=True)
        return self.action_book() if self._waiting("proposed") else True

    @api.model
    def _follow_all(self):
        """Go on with all plans; entry point of the daily job.

        Each in its own transaction: one that cannot go on says why, and is no other's
        business.
        """
        for plan in self.search([("state", "=", "running")]):
            self._commit_batch()
            try:
                with self.env.cr.savepoint():
                    plan._follow_as_owner()
            except psycopg2.extensions.TransactionRollbackError:
                # Somebody is working on it: it goes on tomorrow.
                self.env.cr.rollback()
            except Exception as error:
                if not isinstance(error, UserError):
                    _logger.exception("Visit plan %s", plan.id)
                plan.write({"failure": str(error)})
        self._commit_batch()
        self.env["ir.cron"]._automation_wake("crm_automation.ir_cron_visit_plan_work")

    def _follow_as_owner(self):
        owner = self.owner_id
        if not owner.active:
            raise UserError(
                self.env._("The owner of the plan, %(user)s, is archived.", user=owner.name)
            )
        plan = self.with_user(owner).with_company(self.company_id)
        plan.check_access("write")
        plan._check_own_visits()
        plan._follow()
        values = {"failure": False}
        if plan.state == "running" and plan._waiting("proposed"):
            values["state"] = "booking"
        plan.sudo().write(values)

    def _follow(self, sure=False):
        """Cancel what is no longer wanted, and propose what is missing.

        :param bool sure: also when most customers are gone
        :raises UserError: when the plan cannot go on
        """
        self.ensure_one()
        if self.date_to and self.date_to < self._first_day():
            self._drop_all_proposals()
            self.sudo().write({"state": "done"})
            return
        customers = self._customers()
        self._follow_leavers(customers, sure)
        self._follow_end()
        self._follow_joiners(customers)
        self._follow_responsibles(customers)
        open_visits = self.env["calendar.visit"].sudo().search(
            [("plan_id", "=", self.id), ("state", "=", "unscheduled"), ("by_hand", "=", False)]
        )  # fmt: skip
        lines = self._open_lines(open_visits)
        if lines:
            self._propose_lines(lines)
        self._propose(customers)
        self._refresh_capacity()

    def _follow_leavers(self, customers, sure):
        Visit = self.env["calendar.visit"].sudo()
        future = Visit.search_fetch(
            [("plan_id", "=", self.id), ("state", "=", "booked"),
             ("start", ">", fields.Datetime.now())],
            ["partner_id", "by_hand", "is_leaver"],
        )  # fmt: skip
        wanted = set(customers.ids)
        leaving = future.filtered(lambda visit: visit.partner_id.id not in wanted)
        gone, all_of_them = len(leaving.partner_id), len(future.partner_id)
        if not customers or (not sure and all_of_them >= BRAKE and gone > all_of_them / 2):
            raise UserError(
                self.env._(
                    "%(gone)s of %(all)s customers are no longer in the segment. Nothing was "
                    "cancelled: look at the segment, and press Go On if this is meant.",
                    gone=gone,
                    all=all_of_them,
                )
            )
        kept = leaving.filtered("by_hand")
        kept.filtered(lambda visit: not visit.is_leaver).write({"is_leaver": True})
        (future - leaving).filtered("is_leaver").write({"is_leaver": False})
        cancelled = leaving - kept
        self._take_back(cancelled, "left", {"state": "left"})
        Visit.search(
            [("plan_id", "=", self.id), ("state", "in", ("proposed", "unscheduled")),
             ("partner_id", "not in", customers.ids)]
        ).unlink()  # fmt: skip

    def _take_back(self, visits, reason, values):
        """Remove their meetings, and tell those who know of them."""
        if visits:
            self._tell_cancelled(visits)
            self._tell_colleagues(visits, reason)
            visits._remove_meetings()
            visits.write(values)

    def _follow_end(self):
        """The plan was made shorter: what nobody has changed after its end goes."""
        if self.date_to:
            visits = self._untouched().filtered(lambda visit: visit.period > self.date_to)
            self._take_back(visits, "ended", {"state": "left"})

    def _untouched(self):
        """Meetings to come that nobody has changed (sudo)."""
        return (
            self.env["calendar.visit"]
            .sudo()
            .search_fetch(self._removable_domain(), ["partner_id", "user_id", "period"])
        )

    def _follow_joiners(self, customers):
        """Whoever comes back gets the visits that are left, as one who is new."""
        self.env["calendar.visit"].sudo().search(
            [("plan_id", "=", self.id), ("state", "=", "left"),
             ("partner_id", "in", customers.ids), ("period_end", ">=", self._first_day())]
        ).unlink()  # fmt: skip

    def _follow_responsibles(self, customers):
        """Visits of somebody else from now on are his: untouched ones find a new time."""
        responsible = self._responsibles(customers)
        moved = self._untouched().filtered(
            lambda visit: (
                visit.partner_id in responsible and responsible[visit.partner_id] != visit.user_id
            )
        )
        again = {
            "state": "unscheduled", "event_id": False, "start": False, "stop": False,
            "is_told": False,
        }  # fmt: skip
        self._take_back(moved, "moved", again)

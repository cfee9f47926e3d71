"""What a plan proposes: one line for each customer and period, before anything is booked."""

import datetime
from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..engine.cadence import DAY
from ..engine.diary import spread
from .bulk import insert_rows

#: More customers than that are not looked at without a question.
MANY_CUSTOMERS = 1000
#: More visits than that are more than a request, or a person, can look through.
MAX_VISITS = 100_000
#: Rows of one statement.
PART = 1000


class Missing(NamedTuple):
    """A visit that is not there yet."""

    customer: object
    period: object


class CalendarVisitPlan(models.Model):
    _inherit = "calendar.visit.plan"

    allow_overlap = fields.Boolean(
        "Also Customers of Other Plans",
        help="Without it, a customer whom another plan visits already is not booked.",
    )
    visit_ids = fields.One2many("calendar.visit", "plan_id", "Visits")
    proposed_count = fields.Integer(
        "Proposed Visits", compute="_compute_counts", help="How many wait to be booked."
    )
    unscheduled_count = fields.Integer(
        "Unscheduled Visits",
        compute="_compute_counts",
        help="How many have no time, or something stands against them.",
    )
    booked_count = fields.Integer(
        "Booked Visits", compute="_compute_counts", help="How many have a meeting."
    )
    by_hand_count = fields.Integer(
        "Changed by Hand",
        compute="_compute_counts",
        help="Booked visits whose meeting somebody has changed: the plan leaves them alone.",
    )
    no_email_count = fields.Integer(
        "Without E-mail",
        compute="_compute_counts",
        help="Visits of customers who cannot be written to.",
    )
    progress = fields.Float(compute="_compute_counts", help="In per cent.")

    def _compute_counts(self):
        Visit = self.env["calendar.visit"].sudo()
        found = defaultdict(lambda: defaultdict(int))
        for plan, state, by_hand, without, count in Visit._read_group(
            [("plan_id", "in", self.ids)],
            ["plan_id", "state", "by_hand", "has_no_email"], ["__count"],
        ):  # fmt: skip
            counts = found[plan.id]
            counts[state] += count
            if by_hand and state == "booked":
                counts["by_hand"] += count
            if without and state in ("proposed", "unscheduled", "booked"):
                counts["no_email"] += count
        for plan in self:
            counts = found[plan.id]
            plan.proposed_count = counts["proposed"]
            plan.unscheduled_count = counts["unscheduled"]
            plan.booked_count = counts["booked"]
            plan.by_hand_count = counts["by_hand"]
            plan.no_email_count = counts["no_email"]
            total = counts["proposed"] + counts["booked"]
            plan.progress = 100 * counts["booked"] / total if total else 0

    def action_preview(self):
        """Propose what is missing, and show it; ask first when it is much."""
        self.ensure_one()
        self.check_access("write")
        if self.state in ("booking", "cancelling"):
            raise UserError(self.env._("The plan is being worked on: wait, or stop it."))
        customers = self._customers()
        if len(customers) > MANY_CUSTOMERS and not self.env.context.get("visit_plan_confirmed"):
            wizard = self.env["calendar.visit.plan.confirm"].create(
                {"plan_id": self.id, "customer_count": len(customers)}
            )
            return wizard._open()
        self._drop_proposals()
        self._propose(customers)
        self._refresh_capacity()
        return self.action_open_visits()

    def action_open_visits(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Visits of %(plan)s", plan=self.name),
            "res_model": "calendar.visit",
            "view_mode": "list,kanban,calendar,pivot,graph,form",
            "mobile_view_mode": "kanban",
            "domain": [("plan_id", "=", self.id)],
            "context": {
                **self._calendar_context(),
                "visits_of_any_day": self.cadence in ("interval", "year"),
            },
        }

    def _calendar_context(self):
        """Let the calendar open where the proposals are."""
        first = self.env["calendar.visit"].search(
            [("plan_id", "=", self.id), ("start", ">=", fields.Datetime.now())],
            order="start", limit=1,
        )  # fmt: skip
        return {"initial_date": fields.Datetime.to_string(first.start)} if first else {}

    def _drop_proposals(self):
        """What was proposed and nobody has changed by hand is proposed anew."""
        self.env["calendar.visit"].sudo().search(
            [("plan_id", "in", self.ids), ("state", "in", ("proposed", "unscheduled")),
             ("by_hand", "=", False)]
        ).unlink()  # fmt: skip

    # -- proposing ------------------------------------------------------------

    def _propose(self, customers=None):
        """Add a line for each customer and period that has none yet.

        :param customers: ``res.partner``, those of the plan if None
        :return: how many were added
        :raises UserError: in plain words, when nothing can come of it
        """
        self.ensure_one()
        customers = self._customers() if customers is None else customers
        if not customers:
            raise UserError(self.env._("There are no customers in the segment of the plan."))
        periods = self._periods()
        if len(customers) * len(periods) > MAX_VISITS:
            raise UserError(
                self.env._(
                    "These would be %(visits)s visits: %(customers)s customers, %(periods)s "
                    "times. At most %(limit)s can be planned at once.",
                    visits=len(customers) * len(periods),
                    customers=len(customers),
                    periods=len(periods),
                    limit=MAX_VISITS,
                )
            )
        missing = self._missing(customers, periods)
        if not missing:
            return 0
        rows = self._proposals(missing, customers)
        Visit = self.env["calendar.visit"].sudo()
        for at in range(0, len(rows), PART):
            insert_rows(
                Visit, rows[at : at + PART],
                SQL("ON CONFLICT (plan_id, partner_id, period) DO NOTHING"),
            )  # fmt: skip
        self.invalidate_recordset(["visit_ids"])
        return len(rows)

    def _missing(self, customers, periods):
        """What has no line yet; nor a visit of this plan within the period, which there
        is when the rhythm was changed."""
        self.env["calendar.visit"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT partner_id, period, start::date FROM calendar_visit
                 WHERE plan_id = %s AND period_end >= %s
                """,
                self.id,
                min(period.first for period in periods),
            )
        )
        known, days = set(), defaultdict(list)
        for partner_id, first, day in self.env.cr.fetchall():
            known.add((partner_id, first))
            if day:
                days[partner_id].append(day)
        keys = list(zip(customers, customers.ids, strict=True))
        return [
            Missing(customer, period)
            for period in periods
            for customer, key in keys
            if (key, period.first) not in known
            and not any(period.first <= day <= period.last for day in days[key])
        ]

    def _proposals(self, missing, customers):
        """Rows of ``calendar.visit`` for what is missing, with a time where there is one."""
        responsible = self._responsibles(customers)
        places = self._places(customers, responsible)
        first_day = self._first_day()
        last_day = max(self._window(one.period, first_day)[1] for one in missing)
        users = self.env["res.users"].sudo().union(*responsible.values())
        diaries = self._diaries(users, first_day - DAY, last_day)
        self._block_kept(diaries)
        others = self._other_plans(customers)
        windows = {period: self._window(period, first_day) for _customer, period in missing}
        length = self._length()
        prepared = {}
        for customer in customers:
            user = responsible[customer]
            row = self._customer_row(customer, user)
            other = not self.allow_overlap and others.get(customer.id)
            if not user:
                row["problem"] = "no_responsible"
            elif other:
                row.update(problem="other_plan", other_plan_id=other)
            prepared[customer.id] = row, diaries.get(user), places[customer]
        rows = []
        for customer, period in missing:
            common, diary, place = prepared[customer.id]
            row = {
                **common, "period": period.first, "period_end": period.last,
                "target": period.target,
            }  # fmt: skip
            if not row["problem"]:
                start = self._find(diary, *windows[period], period, place)
                if start:
                    row.update(state="proposed", start=start, stop=start + length)
                else:
                    row["problem"] = "no_slot"
            rows.append(row)
        return rows

    def _customer_row(self, customer, user):
        """What all the visits of a customer have in common, as columns."""
        return {
            "plan_id": self.id,
            "partner_id": customer.id,
            "start": None,
            "stop": None,
            "user_id": user.id or None,
            "team_id": user.sale_team_id.id or None,
            "company_id": self.company_id.id,
            "state": "unscheduled",
            "problem": None,
            "other_plan_id": None,
            "has_no_email": not customer.email,
            "by_hand": False,
            "is_leaver": False,
            "is_told": False,
        }

    def _window(self, period, first_day):
        """The days between which the visit can be."""
        if period.target is None:
            return max(period.first, first_day), period.last
        tolerance = datetime.timedelta(days=self.tolerance_days)
        last = period.target + tolerance
        if self.date_to:
            last = min(last, self.date_to)
        return max(period.target - tolerance, first_day), last

    @api.model
    def _places(self, customers, responsible):
        """The place of each among those of the same visitor: (index, number)."""
        queues = defaultdict(list)
        for customer in customers:
            queues[responsible[customer]].append(customer)
        return {
            customer: (index, len(queue))
            for queue in queues.values()
            for index, customer in enumerate(queue)
        }

    @api.model
    def _find(self, diary, first, last, period, place):
        """When it begins; None without time. What has no day of its own is spread evenly,
        in the order of the customers."""
        target = period.target
        if target is None:
            days = diary.open_days(first, last)
            if not days:
                return None
            target = spread(*place, days)
        return diary.book(first, last, target)

    def _block_kept(self, diaries):
        """Proposals that were changed by hand, and wait to be booked, take their time."""
        kept = self.env["calendar.visit"].sudo().search(
            [("plan_id", "=", self.id), ("state", "=", "proposed"), ("start", "!=", False)]
        )  # fmt: skip
        for visit in kept:
            if visit.user_id in diaries:
                diaries[visit.user_id].block(visit.start, visit.stop)
                zone = self._zone(visit.user_id)
                local = visit.start.replace(tzinfo=datetime.timezone.utc).astimezone(zone)
                diaries[visit.user_id].count(local.date())

    def _other_plans(self, customers):
        """Other plans that visit them from now on.

        :return: dict from the customer's id to the plan's
        """
        found = self.env["calendar.visit"].sudo()._read_group(
            [("partner_id", "in", customers.ids), ("plan_id", "!=", self.id),
             ("state", "=", "booked"), ("start", ">=", fields.Datetime.now())],
            ["partner_id", "plan_id"],
        )  # fmt: skip
        return {partner.id: plan.id for partner, plan in found}

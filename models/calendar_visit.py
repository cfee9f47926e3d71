"""A visit: one customer, one period of a plan. Proposed first, a meeting later.

Its times are what was planned; the meeting has what became of it.
"""

from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from .calendar_event_visit import BY_PLAN, WORKING

UTC = timezone.utc
#: What people change of a visit that is not booked yet.
BY_HAND = frozenset({"start", "stop", "user_id"})
PROBLEMS = [
    ("no_responsible", "Nobody visits this customer"),
    ("no_slot", "No free time"),
    ("clash", "Something else is booked then"),
    ("past", "The time is over"),
    ("other_plan", "Another plan visits this customer"),
]
#: Operators of a search by a number, in SQL.
COMPARED = {name: SQL(name) for name in ("in", "<", ">", "<=", ">=")}


class CalendarVisit(models.Model):
    _name = "calendar.visit"
    _description = "Visit"
    _order = "period, start, id"

    plan_id = fields.Many2one(
        "calendar.visit.plan",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        help="The plan that the visit belongs to.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        "Customer",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        help="Who is visited.",
    )
    period = fields.Date(
        "Period From",
        required=True,
        readonly=True,
        help="First day of the time within which the customer is visited once.",
    )
    period_end = fields.Date(
        "Period To",
        required=True,
        readonly=True,
        help="Last day of the time within which the customer is visited once.",
    )
    target = fields.Date(
        "Day Wanted",
        readonly=True,
        help="What the rhythm of the plan gives; the visit may be some days off it. Empty: any "
        "day of the period.",
    )
    days_from_target = fields.Integer(
        "Days Off Target",
        compute="_compute_days_from_target",
        search="_search_days_from_target",
        help="How many days after the day wanted the visit is planned; less than none: before it.",
    )
    start = fields.Datetime(
        "Planned Start",
        index=True,
        help="The time that is proposed, or was booked; the end moves with it. Empty: none was "
        "found.",
    )
    stop = fields.Datetime(
        "Planned End", help="Time for the way is kept free after it, as the plan says."
    )
    user_id = fields.Many2one(
        "res.users", "Visited by", index=True, help="Who goes to the customer."
    )
    team_id = fields.Many2one(
        "crm.team", "Sales Team", readonly=True, help="The sales team of whoever visits."
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    state = fields.Selection(
        [
            ("proposed", "Proposed"),
            ("unscheduled", "Unscheduled"),
            ("booked", "Booked"),
            ("cancelled", "Cancelled"),
            ("left", "Left the Segment"),
        ],
        required=True,
        readonly=True,
        index=True,
        help="Booked: there is a meeting. Unscheduled: the problem says why there is none. "
        "Left the segment: the plan is about this customer no longer.",
    )
    problem = fields.Selection(
        PROBLEMS,
        readonly=True,
        help="Why the visit has no meeting, or cannot have it then; empty: nothing is in its way.",
    )
    other_plan_id = fields.Many2one(
        "calendar.visit.plan",
        readonly=True,
        ondelete="set null",
        help="Which plan visits this customer already.",
    )
    has_no_email = fields.Boolean(
        "No E-mail", readonly=True, help="The customer cannot be written to about the visit."
    )
    by_hand = fields.Boolean(
        "Changed by Hand", readonly=True, help="The proposal, or the meeting after it was booked."
    )
    is_leaver = fields.Boolean(
        "Kept of a Leaver",
        readonly=True,
        help="The customer has left the segment, but somebody has changed the meeting by hand.",
    )
    is_told = fields.Boolean("Customer Was Told", readonly=True)
    event_id = fields.Many2one(
        "calendar.event",
        "Meeting",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="What was booked; it may have been moved since. Empty: nothing yet.",
    )
    city = fields.Char(related="partner_id.city")
    zip = fields.Char(related="partner_id.zip", string="Postcode")

    _key = models.UniqueIndex(
        "(plan_id, partner_id, period)", "A customer is visited once in a period of a plan."
    )
    _to_book = models.Index("(plan_id, user_id, start) WHERE state = 'proposed'")

    @api.depends("partner_id", "start", "period")
    def _compute_display_name(self):
        for visit in self:
            when = visit.start and fields.Datetime.context_timestamp(visit, visit.start).date()
            visit.display_name = f"{visit.partner_id.display_name}, {when or visit.period}"

    @api.depends("target", "start", "user_id.tz")
    def _compute_days_from_target(self):
        zones = self._zones(self.user_id)
        for visit in self:
            days = 0
            if visit.target and visit.start:
                zone = zones.get(visit.user_id.id, UTC)
                local = visit.start.replace(tzinfo=UTC).astimezone(zone)
                days = (local.date() - visit.target).days
            visit.days_from_target = days

    @api.model
    def _search_days_from_target(self, operator, value):
        if operator not in COMPARED:
            return NotImplemented
        if operator == "in":
            value = tuple(int(number or 0) for number in value)
        self.flush_model(["target", "start", "user_id"])
        groups = self.sudo()._read_group([("target", "!=", False)], ["user_id"])
        zones = self._zones(self.env["res.users"].union(*(user for (user,) in groups)))
        found = SQL(
            """
            SELECT visit.id FROM calendar_visit visit
              LEFT JOIN unnest(%s::int[], %s::text[]) AS zone (user_id, name)
                     ON zone.user_id = visit.user_id
             WHERE COALESCE(
                (visit.start AT TIME ZONE 'UTC' AT TIME ZONE COALESCE(zone.name, 'UTC'))::date
                - visit.target, 0
             ) %s %s
            """,
            list(zones),
            [zone.key for zone in zones.values()],
            COMPARED[operator],
            value,
        )
        return [("id", "in", found)]

    @api.model
    def _zones(self, users):
        """Ids of users to the zones in which they visit."""
        Plan = self.env["calendar.visit.plan"].sudo()
        return {user.id: Plan._zone(user) for user in users.sudo()}

    @api.constrains("start", "stop")
    def _check_times(self):
        for visit in self:
            if visit.start and visit.stop and visit.start >= visit.stop:
                raise ValidationError(self.env._("The visit ends before it begins."))

    # -- by hand --------------------------------------------------------------

    def write(self, vals):
        """Let people move what is only proposed, and mark what does not fit then."""
        if self.env.su:
            return super().write(vals)
        self.check_access("write")
        if not BY_HAND.issuperset(vals):
            raise AccessError(
                self.env._("Only when and by whom a customer is visited is changed by hand.")
            )
        if any(visit.state == "booked" for visit in self):
            raise UserError(self.env._("The visit is booked: change its meeting."))
        if any(visit.state not in ("proposed", "unscheduled") for visit in self):
            raise UserError(self.env._("The visit is cancelled."))
        if "start" in vals and "stop" not in vals:
            # Moved as a whole.
            start = fields.Datetime.to_datetime(vals["start"])
            for visit in self:
                stop = start and start + visit._length()
                super(CalendarVisit, visit).write({**vals, "stop": stop})
        else:
            super().write(vals)
        self._check_visitor()
        self.sudo()._judge()
        return True

    def _check_visitor(self):
        """:raises AccessError: when a salesperson plans the visit of somebody else"""
        if self.plan_id._is_manager():
            return
        if self.user_id - self.env.user:
            raise AccessError(
                self.env._("Only sales managers plan the visits of others: choose yourself.")
            )

    def _length(self):
        if self.start and self.stop:
            return self.stop - self.start
        return self.plan_id._length()

    def _judge(self):
        """Mark what was changed by hand: it is booked only where it fits."""
        clashing = self._clashing()
        now = fields.Datetime.now()
        for visit in self:
            if not visit.user_id:
                problem = "no_responsible"
            elif not visit.start:
                problem = "no_slot"
            elif visit.start <= now:
                problem = "past"
            else:
                problem = "clash" if visit in clashing else False
            visit.write(
                {
                    "by_hand": True,
                    "problem": problem,
                    "state": "unscheduled" if problem else "proposed",
                    "team_id": visit.user_id.sale_team_id.id,
                }
            )

    def _clashing(self, with_proposed=True):
        """Those during which who visits is elsewhere, with one another too.

        :param bool with_proposed: what the plan proposes otherwise is elsewhere as well
        """
        dated = self.filtered(lambda visit: visit.start and visit.stop and visit.user_id)
        if not dated:
            return dated
        first = min(dated.mapped("start")).date()
        last = max(dated.mapped("stop")).date()
        Plan = self.env["calendar.visit.plan"]
        booked = Plan._booked(dated.user_id.sudo(), first, last)
        zones = {user: Plan._zone(user) for user in dated.user_id.sudo()}
        others = with_proposed and self.search(
            [("state", "=", "proposed"), ("id", "not in", self.ids),
             ("plan_id", "in", self.plan_id.ids), ("user_id", "in", dated.user_id.ids),
             ("stop", ">", min(dated.mapped("start"))), ("start", "<", max(dated.mapped("stop")))]
        )  # fmt: skip
        taken = {user: _Taken(booked.get(user, ()), zones[user]) for user in zones}
        for other in others or ():
            taken[other.user_id].add(other.start, other.stop)
        clashing = self.browse()
        for visit in dated:
            if taken[visit.user_id].overlaps(visit.start, visit.stop):
                clashing += visit
            else:
                taken[visit.user_id].add(visit.start, visit.stop)
        return clashing

    def _answer_links(self):
        """Where the customers say whether a day suits them, of those who take part.

        :return: dict from the visit's id to the address
        """
        return {
            visit.id: guest._rsvp_url()
            for visit in self
            for guest in visit.event_id.attendee_ids
            if guest.partner_id == visit.partner_id
        }

    def _remove_meetings(self):
        """Remove their meetings; those that customers know of are cancelled, so that
        their calendars can be told."""
        events = self.event_id.with_context(
            **{BY_PLAN: WORKING}, dont_notify=True, no_mail_to_attendees=True
        )
        told = self.filtered("is_told").event_id
        (events & told).write({"active": False})
        (events - told).unlink()

    def action_skip(self):
        """This customer is not visited in this period, and not proposed again."""
        self._may_change()
        if any(visit.state not in ("proposed", "unscheduled") for visit in self):
            raise UserError(self.env._("Only visits that are not booked can be left out."))
        self.sudo().write({"state": "cancelled", "problem": False})

    def action_find_time(self):
        """Look for another time, for those without one or that were left out."""
        self._may_change()
        if any(visit.state == "booked" for visit in self):
            raise UserError(self.env._("The visit is booked: change its meeting."))
        for plan, visits in self.sudo().grouped("plan_id").items():
            plan.sudo(False)._propose_again(visits)

    def _may_change(self):
        self.check_access("write")

    def action_open_meeting(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Meeting"),
            "res_model": "calendar.event",
            "res_id": self.event_id.id,
            "view_mode": "form",
        }


class _Taken:
    """The time of one person, day by day, so that asking is quick."""

    def __init__(self, booked, zone):
        self.zone = zone
        self.days = set()
        self.spans = {}
        for one in booked:
            if one.allday:
                length = (one.stop.date() - one.start.date()).days
                self.days.update(
                    one.start.date() + timedelta(days=day) for day in range(length + 1)
                )
            else:
                self.add(one.start, one.stop)

    def _dates(self, start, stop):
        day = start.date()
        while day <= stop.date():
            yield day
            day += timedelta(days=1)

    def add(self, start, stop):
        for day in self._dates(start, stop):
            self.spans.setdefault(day, []).append((start, stop))

    def overlaps(self, start, stop):
        local = start.replace(tzinfo=UTC).astimezone(self.zone).date()
        return local in self.days or any(
            begin < stop and start < end
            for day in self._dates(start, stop)
            for begin, end in self.spans.get(day, ())
        )

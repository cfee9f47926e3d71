"""A visit plan: which customers are visited how often, by whom, and when.

Owns the fields, their checks and the plan's life. How often is reckoned in
``calendar_visit_plan_rhythm.py``, whom it is about is in
``calendar_visit_plan_segment.py``, where there is time in ``calendar_visit_plan_time.py``,
the proposals in ``calendar_visit_plan_preview.py``, the meetings in
``calendar_visit_plan_book.py``.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..engine.keywords import unknown_keywords

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Keywords of the meeting's subject, description and place.
KEYWORDS = (
    "partner", "partner_email", "partner_phone", "partner_city", "object_user",
    "object_user_email", "object_user_phone", "plan",
)  # fmt: skip
#: What only the buttons and the jobs write.
PROTECTED = frozenset({"state", "owner_id", "failure"})
#: What has been proposed by it is out of date when it changes.
SHAPING = frozenset(
    {
        "segment_by", "category_ids", "filter_id", "partner_ids", "salesperson_id", "team_id",
        "cadence", "interval_number", "interval_unit", "month_day", "month_week", "month_weekday",
        "visits_per_year", "responsible_by", "user_id", "responsible_team_id", "date_from",
        "date_to", "duration", *WEEKDAYS, "hour_from", "hour_to", "travel_minutes", "per_day",
        "tolerance_days", "allow_overlap", "months_ahead",
    }
)  # fmt: skip


class CalendarVisitPlan(models.Model):
    _name = "calendar.visit.plan"
    _description = "Visit Plan"
    _inherit = ["mail.thread"]
    _order = "name, id"

    name = fields.Char(
        required=True,
        tracking=True,
        help="What the plan is called; customers do not see it.",
    )
    active = fields.Boolean(default=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("booking", "Booking"),
            ("running", "Running"),
            ("stopped", "Stopped"),
            ("done", "Finished"),
            ("cancelling", "Being Cancelled"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        copy=False,
        default="draft",
        tracking=True,
        help="Running: each night it goes on. Stopped: nothing is booked until somebody has it go "
        "on.",
    )
    owner_id = fields.Many2one(
        "res.users",
        readonly=True,
        copy=False,
        default=lambda self: self.env.user,
        help="Who has booked the plan last: with his rights it goes on day by day.",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        help="Customers of other companies are not visited.",
    )
    failure = fields.Text(readonly=True, copy=False, help="Why the daily job could not go on.")

    # How often
    cadence = fields.Selection(
        [
            ("interval", "Every so many days, weeks or months"),
            ("date", "On a date of the month"),
            ("weekday", "On a weekday of the month"),
            ("year", "So many visits a year"),
        ],
        "Rhythm",
        required=True,
        default="interval",
        help="How often each customer is visited.",
    )
    interval_number = fields.Integer(
        "Every",
        default=1,
        help="So many days, weeks or months from one visit to the next.",
    )
    interval_unit = fields.Selection(
        [("days", "Days"), ("weeks", "Weeks"), ("months", "Months")],
        "Unit",
        required=True,
        default="months",
        help="What is counted from one visit to the next.",
    )
    month_day = fields.Integer(
        "Day of the Month", default=1, help="In a shorter month, its last day."
    )
    month_week = fields.Selection(
        [
            ("1", "First"),
            ("2", "Second"),
            ("3", "Third"),
            ("4", "Fourth"),
            ("5", "Fifth"),
            ("-1", "Last"),
        ],
        "Which One",
        default="1",
        help="Of the weekdays of that name in the month.",
    )
    month_weekday = fields.Selection(
        [
            ("0", "Monday"),
            ("1", "Tuesday"),
            ("2", "Wednesday"),
            ("3", "Thursday"),
            ("4", "Friday"),
            ("5", "Saturday"),
            ("6", "Sunday"),
        ],
        "Weekday",
        default="0",
        help="On which day of the week all are visited.",
    )
    visits_per_year = fields.Float(
        compute="_compute_visits_per_year",
        inverse="_inverse_visits_per_year",
        store=True,
        readonly=False,
        digits=(6, 1),
        help="What the rhythm comes to. Type another number, and the rhythm is so many a year.",
    )
    cycle_days = fields.Float(
        "Days Between Visits",
        compute="_compute_cycle_days",
        inverse="_inverse_cycle_days",
        store=True,
        readonly=False,
        digits=(6, 1),
        help="On average. Type another number, and the rhythm is every so many days.",
    )
    date_from = fields.Date(
        "From",
        required=True,
        default=fields.Date.context_today,
        help="No visit is proposed before this day.",
    )
    date_to = fields.Date("Until", help="Empty: until the plan is cancelled.")
    months_ahead = fields.Integer(
        "Months Booked Ahead",
        required=True,
        default=12,
        help="So far ahead meetings are booked; each night the plan goes on from there.",
    )
    tolerance_days = fields.Integer(
        "May Move by (Days)",
        default=4,
        help="How far from its day a visit may be, when there is no time on that day.",
    )

    # The meeting
    title = fields.Char(
        "Subject",
        required=True,
        default=lambda self: self._default_title(),
        help="What each meeting is called; customers see it.",
    )
    description = fields.Html(
        help="Text of each meeting; customers see it in the invitation.",
    )
    duration = fields.Float(
        "Length of a Visit",
        required=True,
        default=1,
        help="Hours and minutes that each visit takes.",
    )
    place_by = fields.Selection(
        [("customer", "The address of the customer"), ("text", "This place")],
        "Place of the Visits",
        required=True,
        default="customer",
        help="Where the visits take place: at each customer, or all of them at one place.",
    )
    place = fields.Char(
        "Which Place", help="The address where all visits take place, as the meetings say it."
    )
    alarm_ids = fields.Many2many(
        "calendar.alarm",
        string="Reminders",
        help="Reminders that each meeting gets.",
    )
    categ_ids = fields.Many2many(
        "calendar.event.type",
        string="Meeting Tags",
        help="Tags that each meeting gets.",
    )
    show_as = fields.Selection(
        [("free", "Available"), ("busy", "Busy")],
        "Show as",
        required=True,
        default="busy",
        help="How the time of the visits looks to others.",
    )
    privacy = fields.Selection(
        [
            ("public", "Public"),
            ("private", "Private"),
            ("confidential", "Only internal users"),
        ],
        help="Empty: as each organizer has it by default.",
    )
    invite_customer = fields.Boolean(
        "Customer Takes Part",
        default=True,
        help="The customer is an attendee of the meeting, and can be sent an invitation.",
    )
    tell_customer = fields.Boolean(
        "Write to the Customers",
        help="Each customer gets one mail with all dates that are booked, and one with those that "
        "are cancelled. Otherwise nothing is sent to them at booking.",
    )
    invite_leader = fields.Boolean(
        "Invite the Team Leader",
        help="The leader of the visitor's team takes part as well.",
    )
    invite_technical = fields.Boolean(
        "Invite the Technical Responsible",
        help="The technical responsible of the team of whoever visits takes part as well.",
    )
    guest_ids = fields.Many2many(
        "res.users",
        string="Also Invited",
        domain=[("share", "=", False)],
        help="Colleagues who take part in every visit.",
    )

    @api.model
    def _default_title(self):
        return self.env._("Visit: %(customer)s", customer="%(partner)s")

    # -- checks ---------------------------------------------------------------

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for plan in self:
            if plan.date_to and plan.date_to < plan.date_from:
                raise ValidationError(self.env._("The plan ends before it begins."))

    @api.constrains("title", "description", "place")
    def _check_keywords(self):
        for plan in self:
            for text in (plan.title, plan.description, plan.place):
                unknown = unknown_keywords(text, KEYWORDS)
                if unknown:
                    raise ValidationError(
                        self.env._(
                            "Unknown keywords: %(unknown)s. There are: %(known)s",
                            unknown=", ".join(unknown),
                            known=", ".join(f"%({keyword})s" for keyword in KEYWORDS),
                        )
                    )

    # -- rights ---------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self._refuse_protected(vals_list)
        if not self.env.su:
            # Said expressly, so that no default out of a context takes their place.
            own = {"owner_id": self.env.uid, "state": "draft", "failure": False}
            vals_list = [{**vals, **own} for vals in vals_list]
        plans = super().create(vals_list)
        plans._check_own_visits()
        return plans

    def write(self, vals):
        self._refuse_protected([vals])
        result = super().write(vals)
        if not self.env.su:
            self._check_own_visits()
        if SHAPING.intersection(vals):
            self._drop_proposals()
        return result

    def _refuse_protected(self, vals_list):
        """:raises AccessError: when somebody writes from outside what the buttons write"""
        if not self.env.su and any(PROTECTED.intersection(vals) for vals in vals_list):
            raise AccessError(self.env._("The state of a plan is changed by its buttons only."))

    def _check_own_visits(self):
        """Only sales managers plan the visits of others.

        :raises AccessError:
        """
        if self.env.su or self._is_manager():
            return
        for plan in self:
            others = plan.responsible_by != "user" or plan.user_id != self.env.user
            if others or plan.owner_id != self.env.user:
                raise AccessError(
                    self.env._("Only sales managers plan the visits of others: choose yourself.")
                )
            if plan.guest_ids or plan.invite_leader or plan.invite_technical:
                raise AccessError(self.env._("Only sales managers invite others to all visits."))

    def _is_manager(self):
        return self.env.user.has_group("sales_team.group_sale_manager")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        booked = self.env["calendar.visit"].sudo().search(
            [("plan_id", "in", self.ids), ("state", "=", "booked")], limit=1
        )  # fmt: skip
        if booked:
            raise UserError(
                self.env._(
                    "The plan “%(plan)s” has booked meetings. Cancel it, and archive it to keep "
                    "what was done.",
                    plan=booked.plan_id.name,
                )
            )

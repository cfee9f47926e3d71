"""What became of the visits: coverage of the customers, and whether the plans were kept."""

from odoo import fields, models
from odoo.tools import SQL


class CalendarVisitReport(models.Model):
    """One row for each visit, as its meeting is by now."""

    _name = "calendar.visit.report"
    _description = "Compliance of Visits"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "partner_id"

    plan_id = fields.Many2one(
        "calendar.visit.plan",
        "Visit Plan",
        readonly=True,
        help="The plan that the visit belongs to.",
    )
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True, help="Who is visited.")
    user_id = fields.Many2one(
        "res.users", "Visited by", readonly=True, help="Who goes to the customer."
    )
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    visit_id = fields.Many2one("calendar.visit", readonly=True)
    date = fields.Datetime(readonly=True, help="When the meeting is, or was planned.")
    outcome = fields.Selection(
        [
            ("held", "Held"),
            ("to_come", "To Come"),
            ("cancelled", "Cancelled"),
            ("unscheduled", "Unscheduled"),
        ],
        readonly=True,
        help="Held: the meeting is over, and was not cancelled. Unscheduled: the period went by "
        "without one.",
    )
    is_moved = fields.Boolean(
        "Moved", readonly=True, help="The meeting is at another time than was planned."
    )
    answer = fields.Selection(
        [
            ("accepted", "Accepted"),
            ("declined", "Declined"),
            ("tentative", "Maybe"),
            ("needsAction", "No Answer Yet"),
            ("none", "Not Invited"),
        ],
        readonly=True,
        help="What the customer has answered to the invitation.",
    )
    planned_count = fields.Integer(
        "Planned",
        readonly=True,
        help="Visits that were booked, or would have been if there had been time.",
    )
    held_count = fields.Integer(
        "Visits Held", readonly=True, help="Those whose meeting is over and was not cancelled."
    )
    moved_count = fields.Integer(
        "Visits Moved",
        readonly=True,
        help="Those whose meeting is at another time than was planned.",
    )
    cancelled_count = fields.Integer(
        "Visits Cancelled",
        readonly=True,
        help="Those that were given up, or whose meeting was cancelled.",
    )
    hours = fields.Float(
        readonly=True, help="How long the visit takes; 0: no time was found for it."
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT r.*, 1 AS planned_count, (outcome = 'held')::int AS held_count,
                   is_moved::int AS moved_count, (outcome = 'cancelled')::int AS cancelled_count
              FROM (
                SELECT v.id, v.id AS visit_id, v.plan_id, v.partner_id, v.team_id, v.company_id,
                       COALESCE(e.user_id, v.user_id) AS user_id,
                       COALESCE(e.start, v.start, v.period::timestamp) AS date,
                       CASE WHEN v.state = 'unscheduled' THEN 'unscheduled'
                            WHEN v.state = 'cancelled' OR NOT COALESCE(e.active, false)
                            THEN 'cancelled'
                            WHEN e.stop <= now() AT TIME ZONE 'UTC' THEN 'held'
                            ELSE 'to_come' END AS outcome,
                       COALESCE(e.active AND e.start <> v.start, false) AS is_moved,
                       COALESCE(a.state, 'none') AS answer,
                       COALESCE(EXTRACT(epoch FROM COALESCE(e.stop, v.stop)
                           - COALESCE(e.start, v.start)) / 3600, 0) AS hours
                  FROM calendar_visit v
                  LEFT JOIN calendar_event e ON e.id = v.event_id
                  LEFT JOIN LATERAL (
                      SELECT state FROM calendar_attendee
                       WHERE event_id = e.id AND partner_id = v.partner_id LIMIT 1
                  ) a ON true
                 WHERE v.state IN ('booked', 'cancelled')
                    OR v.state = 'unscheduled' AND v.period_end < now()
              ) r
            """
        )

    def action_open_visit(self):
        """Its meeting, or the visit itself where there is none."""
        self.ensure_one()
        record = self.visit_id.event_id or self.visit_id
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "view_mode": "form",
        }


class CalendarVisitCoverage(models.Model):
    """One row for each customer of a plan that is at work."""

    _name = "calendar.visit.coverage"
    _description = "Coverage of Customers"
    _auto = False
    _order = "status, last_met, id"
    _rec_name = "partner_id"

    plan_id = fields.Many2one(
        "calendar.visit.plan",
        "Visit Plan",
        readonly=True,
        help="The plan that visits the customer.",
    )
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True, help="Who is visited.")
    user_id = fields.Many2one(
        "res.users", "Visited by", readonly=True, help="Who goes to the customer."
    )
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    status = fields.Selection(
        [
            ("met", "Met Within the Cycle"),
            ("overdue", "Overdue"),
            ("never", "Never Met"),
        ],
        readonly=True,
        help="Overdue: the last meeting is longer ago than the plan has days between visits.",
    )
    last_met = fields.Datetime(
        readonly=True,
        help="End of the last meeting with the customer, a visit or not; empty: there was none.",
    )
    next_booked = fields.Datetime(
        "Next Visit",
        readonly=True,
        help="Start of the next meeting with the customer, a visit or not; empty: none is booked.",
    )
    has_next = fields.Boolean("Next Visit Booked", readonly=True)
    days_since = fields.Integer(
        "Days Since the Last",
        readonly=True,
        aggregator="avg",
        help="How long ago the customer was last met; of several, the average.",
    )
    customer_count = fields.Integer(
        "Customers", readonly=True, help="A customer of two plans counts twice."
    )

    @property
    def _table_query(self):
        # The dates of private meetings are nobody's business, the plans' own excepted.
        return SQL(
            """
            WITH member AS (
                SELECT DISTINCT ON (v.plan_id, v.partner_id)
                       v.id, v.plan_id, v.partner_id, v.user_id, v.team_id, v.company_id,
                       p.cycle_days
                  FROM calendar_visit v JOIN calendar_visit_plan p ON p.id = v.plan_id
                 WHERE p.state IN ('booking', 'running', 'stopped') AND p.active
                   AND v.state IN ('booked', 'proposed', 'unscheduled', 'cancelled')
                   AND v.period_end >= (now() AT TIME ZONE 'UTC')::date
                   AND NOT COALESCE(v.is_leaver, false)
                 ORDER BY v.plan_id, v.partner_id, v.period, v.id
            ), met AS (
                SELECT e.customer_id, e.start, e.stop
                  FROM calendar_event e
                  LEFT JOIN res_users u ON u.id = e.user_id
                  LEFT JOIN res_users_settings s ON s.user_id = u.id
                 WHERE e.active AND e.customer_id IN (SELECT partner_id FROM member)
                   AND (COALESCE(e.privacy, s.calendar_default_privacy, 'public') <> 'private'
                        OR EXISTS (SELECT FROM calendar_visit v WHERE v.event_id = e.id))
            ), times AS (
                SELECT customer_id,
                       MAX(stop) FILTER (WHERE stop <= now() AT TIME ZONE 'UTC') AS last_met,
                       MIN(start) FILTER (WHERE start > now() AT TIME ZONE 'UTC') AS next_booked
                  FROM met GROUP BY customer_id
            )
            SELECT m.id, m.plan_id, m.partner_id, m.user_id, m.team_id, m.company_id,
                   t.last_met, t.next_booked, t.next_booked IS NOT NULL AS has_next,
                   1 AS customer_count,
                   EXTRACT(day FROM now() AT TIME ZONE 'UTC' - t.last_met)::int AS days_since,
                   CASE WHEN t.last_met IS NULL THEN 'never'
                        WHEN t.last_met >= now() AT TIME ZONE 'UTC'
                             - make_interval(days => ceil(m.cycle_days)::int) THEN 'met'
                        ELSE 'overdue' END AS status
              FROM member m LEFT JOIN times t ON t.customer_id = m.partner_id
            """
        )

    def action_open_partner(self):
        """The visits of this customer."""
        self.ensure_one()
        return self.partner_id.action_open_visits()

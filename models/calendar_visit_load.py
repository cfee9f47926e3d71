"""How full the weeks of those who visit are: what is planned against working hours."""

from odoo import fields, models
from odoo.tools import SQL

from ..engine.cadence import DAY


class CalendarVisitCapacity(models.Model):
    """Working hours of a person in a week, holidays and leave left out.

    SQL cannot ask the working hours, and the reports are made by SQL.
    """

    _name = "calendar.visit.capacity"
    _description = "Working Hours of a Week"

    user_id = fields.Many2one("res.users", required=True, index=True, ondelete="cascade")
    week = fields.Date(required=True, help="Its Monday.")
    hours = fields.Float(required=True)

    _key = models.UniqueIndex("(user_id, week)")


class CalendarVisitLoad(models.Model):
    _name = "calendar.visit.load"
    _description = "Load of Visits"
    _auto = False
    _order = "week, user_id"
    _rec_name = "user_id"

    user_id = fields.Many2one("res.users", "Visited by", readonly=True, help="Whose week it is.")
    team_id = fields.Many2one(
        "crm.team", "Sales Team", readonly=True, help="The sales team of whoever visits."
    )
    company_id = fields.Many2one("res.company", readonly=True)
    week = fields.Date(readonly=True, help="Its Monday.")
    proposed_count = fields.Integer(
        "Proposed Visits", readonly=True, help="How many of the week are not booked yet."
    )
    booked_count = fields.Integer(
        "Booked Visits", readonly=True, help="How many of the week have a meeting."
    )
    proposed_hours = fields.Float(
        "Hours Proposed",
        readonly=True,
        help="How long the visits of the week take that are not booked yet.",
    )
    booked_hours = fields.Float(
        "Hours Booked",
        readonly=True,
        help="How long the visits of the week take that have a meeting.",
    )
    other_hours = fields.Float(
        "Hours of Other Meetings",
        readonly=True,
        help="What else the person has to do in the week; a whole day counts as 8 hours.",
    )
    capacity_hours = fields.Float(
        "Working Hours",
        readonly=True,
        help="Those of the person in that week, holidays and leave left out.",
    )
    load = fields.Float(
        "Load (%)",
        readonly=True,
        aggregator="avg",
        help="All meetings in per cent of the working hours; over 100, the week is too full.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            WITH booked AS (
                SELECT v.user_id, date_trunc('week', e.start)::date AS week, 0 AS proposed_count,
                       1 AS booked_count, 0.0 AS proposed_hours,
                       EXTRACT(epoch FROM e.stop - e.start) / 3600 AS booked_hours,
                       0.0 AS other_hours, 0.0 AS capacity_hours
                  FROM calendar_visit v JOIN calendar_event e ON e.id = v.event_id
                 WHERE v.state = 'booked' AND e.active
            ), proposed AS (
                SELECT v.user_id, date_trunc('week', v.start)::date, 1, 0,
                       EXTRACT(epoch FROM v.stop - v.start) / 3600, 0.0, 0.0, 0.0
                  FROM calendar_visit v
                 WHERE v.state = 'proposed' AND v.start IS NOT NULL
            ), other AS (
                SELECT u.id, date_trunc('week', e.start)::date, 0, 0, 0.0, 0.0,
                       CASE WHEN e.allday
                            THEN 8.0 * (e.stop::date - e.start::date + 1)
                            ELSE EXTRACT(epoch FROM e.stop - e.start) / 3600 END, 0.0
                  FROM calendar_event e
                  JOIN calendar_attendee a ON a.event_id = e.id
                  JOIN res_users u ON u.partner_id = a.partner_id
                 WHERE e.active AND e.show_as = 'busy' AND COALESCE(a.state, '') <> 'declined'
                   AND (u.id, date_trunc('week', e.start)::date)
                       IN (SELECT user_id, week FROM calendar_visit_capacity)
                   AND NOT EXISTS (
                       SELECT FROM calendar_visit v
                        WHERE v.event_id = e.id AND v.state = 'booked' AND v.user_id = u.id)
            ), capacity AS (
                SELECT user_id, week, 0, 0, 0.0, 0.0, 0.0, hours FROM calendar_visit_capacity
            ), everything AS (
                SELECT * FROM booked UNION ALL SELECT * FROM proposed
                UNION ALL SELECT * FROM other UNION ALL SELECT * FROM capacity
            ), sums AS (
                SELECT user_id, week, SUM(proposed_count) AS proposed_count,
                       SUM(booked_count) AS booked_count, SUM(proposed_hours) AS proposed_hours,
                       SUM(booked_hours) AS booked_hours, SUM(other_hours) AS other_hours,
                       SUM(capacity_hours) AS capacity_hours
                  FROM everything WHERE user_id IS NOT NULL GROUP BY user_id, week
            )
            SELECT (s.user_id::bigint * 100000 + (s.week - DATE '2000-01-01'))::bigint AS id,
                   s.*, u.company_id, u.sale_team_id AS team_id,
                   CASE WHEN capacity_hours > 0 THEN
                        100 * (proposed_hours + booked_hours + other_hours) / capacity_hours
                   END AS load
              FROM sums s JOIN res_users u ON u.id = s.user_id
            """
        )

    def action_open_visits(self):
        """The visits of this person in this week."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_automation.calendar_visit_action"
        )
        domain = [
            ("user_id", "=", self.user_id.id), ("start", ">=", self.week),
            ("start", "<", self.week + 7 * DAY), ("state", "in", ("proposed", "booked")),
        ]  # fmt: skip
        return {**action, "domain": domain, "context": {}}

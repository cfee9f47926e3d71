"""The figures above the plots of *Visits at a Glance*."""

from datetime import timedelta

from odoo import api, fields, models


class CalendarVisitDashboard(models.AbstractModel):
    _name = "calendar.visit.dashboard"
    _description = "Visits at a Glance"

    @api.model
    def figures(self):
        """What the user may see, in figures; each opens the records that it counts.

        :return: list of dicts of label, value, color and action
        """
        Coverage = self.env["calendar.visit.coverage"]
        Visit = self.env["calendar.visit"]
        now = fields.Datetime.now()
        week = fields.Datetime.to_string(now + timedelta(days=7))
        total = Coverage.search_count([])
        met = Coverage.search_count([("status", "=", "met")])
        coming = [("state", "=", "booked"), ("start", ">=", fields.Datetime.to_string(now))]
        today = fields.Date.to_string(fields.Date.context_today(self))
        open_visits = [("state", "=", "unscheduled"), ("period_end", ">=", today)]
        tiles = [
            (self.env._("Overdue"), Coverage, [("status", "=", "overdue")], "warning"),
            (self.env._("Never met"), Coverage, [("status", "=", "never")], "danger"),
            (self.env._("No next visit"), Coverage, [("has_next", "=", False)], "warning"),
            (self.env._("Visits in 7 days"), Visit, [*coming, ("start", "<", week)], "info"),
            (self.env._("Without a time"), Visit, open_visits, "danger"),
        ]
        covered = {
            "label": self.env._("Met within the cycle"),
            "value": f"{100 * met // total} %" if total else "–",
            "color": "success",
            "action": self._action(self.env._("Coverage of Customers"), Coverage, []),
        }
        return [
            covered,
            *(
                {
                    "label": label,
                    "value": str(model.search_count(domain)),
                    "color": color,
                    "action": self._action(label, model, domain),
                }
                for label, model, domain, color in tiles
            ),
        ]

    @api.model
    def answers_view(self):
        """Id of the plot of the answers."""
        return self.env.ref("crm_automation.calendar_visit_report_view_graph_answers").id

    @api.model
    def _action(self, name, model, domain):
        views = ["list", "graph", "pivot", "calendar"]
        if model._name == "calendar.visit":
            views += ["kanban", "form"]
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model._name,
            "domain": domain,
            "views": [[False, view] for view in views],
            "mobile_view_mode": "kanban",
        }

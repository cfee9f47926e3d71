"""Ways from a plan to its visits and figures, and from customers to a new plan."""

from odoo import api, models
from odoo.fields import Command


class CalendarVisitPlan(models.Model):
    _inherit = "calendar.visit.plan"

    @api.model
    def default_get(self, fields_list):
        """From customers: a plan of just those, visited by who asks for it."""
        values = super().default_get(fields_list)
        context = self.env.context
        ids = context.get("active_ids") or []
        if context.get("active_model") == "res.partner" and ids:
            partners = self.env["res.partner"].browse(ids).exists()
            values.update(
                segment_by="list", partner_ids=[Command.set(partners.ids)], responsible_by="user"
            )
            if len(partners) == 1:
                values["name"] = self.env._("Visits to %(customer)s", customer=partners.name or "")
        elif not self._is_manager():
            values.update(segment_by="salesperson", salesperson_id=self.env.uid)
        if not self._is_manager():
            values.update(responsible_by="user", user_id=self.env.uid)
        return {name: value for name, value in values.items() if name in fields_list}

    def action_open_unscheduled(self):
        return self._visits_by("unscheduled")

    def action_open_booked(self):
        return self._visits_by("booked")

    def action_open_by_hand(self):
        return self._visits_by("by_hand")

    def _visits_by(self, name):
        action = self.action_open_visits()
        action["context"] = {**action["context"], f"search_default_{name}": 1}
        return action

    def action_open_load(self):
        """Visits of each person and week, against working hours."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_automation.calendar_visit_load_action"
        )
        groups = self.env["calendar.visit"]._read_group([("plan_id", "=", self.id)], ["user_id"])
        return {
            **action,
            "domain": [
                ("user_id", "in", [user.id for (user,) in groups]),
                ("week", ">=", self.date_from),
            ],
            "context": {"search_default_with_visits": 1},
            "views": [(False, "pivot"), (False, "graph"), (False, "list")],
        }

    def action_open_coverage(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_automation.calendar_visit_coverage_action"
        )
        return {**action, "domain": [("plan_id", "=", self.id)], "context": {}}

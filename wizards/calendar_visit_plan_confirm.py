"""A question before a plan looks at very many customers: most often it is a mistake."""

from odoo import api, fields, models


class CalendarVisitPlanConfirm(models.TransientModel):
    _name = "calendar.visit.plan.confirm"
    _description = "Very Many Customers"

    plan_id = fields.Many2one("calendar.visit.plan", required=True, readonly=True)
    customer_count = fields.Integer("Customers", readonly=True)
    question = fields.Char(
        compute="_compute_question", help="So many are seldom meant: go back if they are not."
    )

    @api.depends("plan_id", "customer_count")
    def _compute_question(self):
        for wizard in self:
            wizard.question = self.env._(
                "The segment of “%(plan)s” has %(number)s customers. Each of them will be visited.",
                plan=wizard.plan_id.name,
                number=wizard.customer_count,
            )

    def _open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Really %(number)s customers?", number=self.customer_count),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_confirm(self):
        """Propose the visits of all of them."""
        self.ensure_one()
        return self.plan_id.with_context(visit_plan_confirmed=True).action_preview()

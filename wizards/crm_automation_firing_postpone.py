from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


class CrmAutomationFiringPostpone(models.TransientModel):
    _name = "crm.automation.firing.postpone"
    _description = "Postpone Executions"

    firing_ids = fields.Many2many(
        "crm.automation.firing",
        string="Executions",
        required=True,
        help="What is done later than it would be.",
    )
    step = fields.Selection(
        [
            ("hour", "One hour later"),
            ("day", "One day later"),
            ("week", "One week later"),
            ("until", "Until a moment of my choice"),
        ],
        required=True,
        default="day",
        string="Postpone",
        help="Counted from when each is due, or from now where that is over.",
    )
    until = fields.Datetime(
        help="Then it is done, and not before.",
    )

    def action_postpone(self):
        self.ensure_one()
        now = self.env.cr.now().replace(microsecond=0)
        if self.step == "until":
            if not self.until or self.until <= now:
                raise UserError(self.env._("Choose a moment that is still to come."))
            moments = dict.fromkeys(self.firing_ids.ids, self.until)
        else:
            moments = {
                firing.id: max(firing.run_at or firing.due_at, now) + STEPS[self.step]
                for firing in self.firing_ids
            }
        self.firing_ids._postpone(moments)
        return {"type": "ir.actions.act_window_close"}

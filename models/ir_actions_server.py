from odoo import api, fields, models
from odoo.exceptions import ValidationError


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    state = fields.Selection(
        selection_add=[("automation_notice", "Send Notice"), ("code",)],
        ondelete={"automation_notice": "cascade"},
    )
    automation_rule_id = fields.Many2one(
        "crm.automation.rule",
        "Notice",
        domain="[('trigger', '=', 'called'), ('model_id', '=', model_id)]",
        ondelete="set null",
        help="The automated action whose notice is sent: one that waits to be called.",
    )

    @api.constrains("state", "automation_rule_id", "model_id")
    def _check_automation_rule(self):
        for action in self:
            if action.state != "automation_notice":
                continue
            rule = action.automation_rule_id
            if rule.trigger != "called" or rule.model_id != action.model_id:
                raise ValidationError(
                    self.env._(
                        "“Send Notice” needs an automated action of the same object whose "
                        "“When” is “It is called by a server action or a button”."
                    )
                )

    def _run_action_automation_notice_multi(self, eval_context=None):
        records = eval_context.get("records") or eval_context["record"]
        records._automation_call(self.automation_rule_id)

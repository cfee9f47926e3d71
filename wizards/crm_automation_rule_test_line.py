from odoo import fields, models

OUTCOMES = [("yes", "Yes"), ("no", "No"), ("unknown", "Not known now")]


class CrmAutomationRuleTestLine(models.TransientModel):
    _name = "crm.automation.rule.test.line"
    _description = "Line of the Test of an Automated Action"
    _order = "sequence, id"

    wizard_id = fields.Many2one("crm.automation.rule.test", required=True, ondelete="cascade")
    sequence = fields.Integer()
    kind = fields.Selection(
        [("condition", "Condition"), ("recipient", "Recipient"), ("change", "Change")],
        required=True,
    )
    title = fields.Char(help="Which condition, recipient's role or field it is.")
    value = fields.Text(help="What the record says now, or who is meant.")
    wanted = fields.Text(
        help="What the condition asks for, how somebody would be told, or what would be written."
    )
    outcome = fields.Selection(
        OUTCOMES, help="Whether that is satisfied, or somebody would be told."
    )

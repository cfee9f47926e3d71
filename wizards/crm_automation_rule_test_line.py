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
    title = fields.Char()
    value = fields.Text()
    wanted = fields.Text()
    outcome = fields.Selection(OUTCOMES)

from odoo import fields, models


class CrmAutomationRuleTestRecord(models.TransientModel):
    _name = "crm.automation.rule.test.record"
    _description = "Record in the Test of an Automated Action"
    _inherit = ["crm.automation.pointer"]
    _order = "sequence, id"

    wizard_id = fields.Many2one("crm.automation.rule.test", required=True, ondelete="cascade")
    sequence = fields.Integer()
    res_model = fields.Char("Model", required=True)
    res_id = fields.Many2oneReference("Record ID", model_field="res_model", required=True)
    record_name = fields.Char("Record", help="What was looked at.")
    moment = fields.Datetime(
        help="When the rule would have acted; empty: only the conditions were asked."
    )
    matches = fields.Boolean(
        "Matches Now", help="Whether the record satisfies the conditions as it is today."
    )
    firing_id = fields.Many2one("crm.automation.firing", "Execution", ondelete="cascade")
    log = fields.Text(
        "What Was Really Done",
        help="How the log says that it ended; empty: nothing was to be done.",
    )

    def action_explain(self):
        """Test the rule with this record, condition by condition."""
        self.ensure_one()
        wizard = self.wizard_id
        wizard.write({"mode": "record", "res_id": self.res_id})
        return wizard.action_test()

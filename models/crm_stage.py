from odoo import api, fields, models


class CrmStage(models.Model):
    _inherit = "crm.stage"

    business_state = fields.Selection(
        [("draft", "Draft"), ("open", "Open"), ("pending", "Pending")],
        required=True,
        default="open",
        help="What an opportunity in this stage is for the automated actions, as the stages of "
        "OpenERP had it. Won is always done, lost is always cancelled.",
    )

    @api.model
    def _automation_first_stages_are_draft(self):
        """The first stage of each pipeline is where nothing has been done yet."""
        seen = set()
        for stage in self.search([("is_won", "=", False)], order="sequence, id"):
            teams = stage.team_ids.ids or [False]
            if not seen.issuperset(teams):
                stage.business_state = "draft"
            seen.update(teams)

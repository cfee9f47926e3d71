from odoo import fields, models


class CrmTeam(models.Model):
    _inherit = "crm.team"

    technical_user_id = fields.Many2one(
        "res.users",
        "Technical Responsible",
        domain=[("share", "=", False)],
        help="Who answers for the technical side of this team's customers. Automated actions "
        "can tell them.",
    )

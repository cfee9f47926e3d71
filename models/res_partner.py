from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    visit_count = fields.Integer(
        "Visits",
        compute="_compute_visit_count",
        groups="sales_team.group_sale_salesman",
        help="How many are proposed or booked for this customer.",
    )

    def _compute_visit_count(self):
        counts = dict(
            self.env["calendar.visit"]._read_group(
                [("partner_id", "in", self.ids), ("state", "in", ("booked", "proposed"))],
                ["partner_id"], ["__count"],
            )
        )  # fmt: skip
        for partner in self:
            partner.visit_count = counts.get(partner._origin, 0)

    def action_open_visits(self):
        """The visits of this customer that are planned, and were."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_automation.calendar_visit_action"
        )
        return {**action, "domain": [("partner_id", "in", self.ids)], "context": {}}

"""The customer whom a meeting is with, and the sales team whose meeting it is."""

from odoo import api, fields, models


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    customer_id = fields.Many2one(
        "res.partner",
        "Meeting Customer",
        compute="_compute_customer_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        help="Whom the meeting is with: the customer of the opportunity, or the only one who "
        "takes part and is no colleague. Once it is there, only people change it.",
    )
    team_id = fields.Many2one(
        "crm.team",
        "Sales Team",
        compute="_compute_team_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        help="The team of the opportunity, or that of the organizer.",
    )

    @api.depends("partner_ids", "opportunity_id")
    def _compute_customer_id(self):
        for event in self:
            if event.customer_id:
                # Somebody may have chosen it who is not invited himself.
                continue
            event.customer_id = event.opportunity_id.partner_id or self._only_customer(
                event.partner_ids
            )

    @api.model
    def _only_customer(self, partners):
        """The one outsider, or the company of all of them; nobody if there are several."""
        outsiders = partners.filtered(
            lambda partner: (
                partner.partner_share and not partner.commercial_partner_id.ref_company_ids
            )
        )
        if len(outsiders) == 1:
            return outsiders
        companies = outsiders.commercial_partner_id
        return companies if len(companies) == 1 else companies.browse()

    @api.depends("user_id", "opportunity_id")
    def _compute_team_id(self):
        for event in self:
            if event.opportunity_id.team_id:
                event.team_id = event.opportunity_id.team_id
            elif not event.team_id or event.user_id not in event.team_id.member_ids:
                event.team_id = event.user_id.sale_team_id

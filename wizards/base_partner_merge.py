from odoo import models


class PartnerMerge(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """By SQL; the meetings are those of the other partner afterwards, for other
        calendars as well."""
        src_partners._caldav_note()
        return super()._update_foreign_keys(src_partners, dst_partner)

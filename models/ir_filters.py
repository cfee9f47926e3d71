from odoo import models


class IrFilters(models.Model):
    _inherit = "ir.filters"

    def write(self, vals):
        """Rules keep the conditions of their saved filters."""
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

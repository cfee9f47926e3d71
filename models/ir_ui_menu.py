from odoo import models

#: Offered where Odoo's own rules are installed.
STOCK_MENUS = ("menu_sale_automation_take_over", "menu_crm_automation_take_over")


class IrUiMenu(models.Model):
    _inherit = "ir.ui.menu"

    def _load_menus_blacklist(self):
        menus = super()._load_menus_blacklist()
        if "base.automation" in self.env:
            return menus
        found = [
            self.env["ir.model.data"]._xmlid_to_res_id(
                f"crm_automation.{name}", raise_if_not_found=False
            )
            for name in STOCK_MENUS
        ]
        return menus + [menu_id for menu_id in found if menu_id]

"""Rows that point at a record by ``res_model`` and ``res_id``."""

from odoo import models


class CrmAutomationPointer(models.AbstractModel):
    _name = "crm.automation.pointer"
    _description = "Pointer to a Record"

    def action_open_record(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

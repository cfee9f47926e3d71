"""Rows that point at a record by ``res_model`` and ``res_id``."""

from odoo import models


class CrmAutomationPointer(models.AbstractModel):
    _name = "crm.automation.pointer"
    _description = "Pointer to a Record"

    def action_open_record(self):
        self.ensure_one()
        if self.res_model == "mail.activity":
            # What it is about says more, where the user may read that.
            return self.env["mail.activity"].browse(self.res_id).action_open_document()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

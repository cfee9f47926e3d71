"""One object of an imported file: what it is, and what has become of it."""

from odoo import fields, models


class CalendarImportLine(models.Model):
    _name = "calendar.import.line"
    _description = "Object of an Imported Calendar"
    _order = "id"
    _rec_name = "summary"

    import_id = fields.Many2one("calendar.import", required=True, ondelete="cascade")
    file_name = fields.Char("File")
    file_number = fields.Integer("Number of the File")
    line = fields.Integer("Line in the File")
    component = fields.Char("Kind of Component")
    uid = fields.Char("UID")
    summary = fields.Char("Subject")
    when = fields.Char()
    kind = fields.Selection(
        [
            ("new", "New"),
            ("changed", "Changed"),
            ("cancelled", "Cancelled"),
            ("unchanged", "Unchanged"),
            ("older", "Older than in Odoo"),
            ("refused", "Not imported"),
            ("error", "Cannot be read"),
        ],
        "What It Is",
    )
    changes = fields.Text("What Changes")
    reason = fields.Text("Why Not")
    repairs = fields.Text("Warnings", help="What was written wrongly and understood all the same.")
    result = fields.Selection(
        [
            ("written", "Imported"),
            ("failed", "Failed"),
            ("undone", "Undone"),
            ("left", "Left alone: changed since"),
        ],
        "What Has Become of It",
    )
    res_model = fields.Char("Model of the Record")
    res_id = fields.Many2oneReference("Record", model_field="res_model")
    created = fields.Json(groups=fields.NO_ACCESS)
    before = fields.Json(groups=fields.NO_ACCESS)
    written_at = fields.Datetime("Imported on")

    _import_index = models.Index("(import_id, kind)")

    def action_open(self):
        """Show what has become of it in Odoo."""
        self.ensure_one()
        if not self.res_model or self.res_model not in self.env:
            return False
        record = self.env[self.res_model].browse(self.res_id).exists()
        if record._name == "calendar.recurrence":
            record = record.base_event_id or record.calendar_event_ids[:1]
        if not record:
            return False
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
            "target": "current",
        }

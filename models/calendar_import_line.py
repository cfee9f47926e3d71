"""One object of an imported file: what it is, and what has become of it."""

from odoo import fields, models


class CalendarImportLine(models.Model):
    _name = "calendar.import.line"
    _description = "Object of an Imported Calendar"
    _order = "id"
    _rec_name = "summary"

    import_id = fields.Many2one("calendar.import", required=True, ondelete="cascade")
    file_name = fields.Char("File", help="Which of the imported files it was in.")
    file_number = fields.Integer("Number of the File")
    line = fields.Integer(
        "Line in the File", help="Where it begins, for whoever looks it up in an editor."
    )
    component = fields.Char("Kind of Component")
    uid = fields.Char(
        "UID", help="Its name in all calendars: by it Odoo knows whether it has it already."
    )
    summary = fields.Char("Subject", help="What the meeting or to-do is called.")
    when = fields.Char(help="When it begins, a series for the first time.")
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
        help="How it compares with what Odoo has. What is unchanged or older is not written.",
    )
    changes = fields.Text("What Changes", help="Which fields get which other values.")
    reason = fields.Text("Why Not", help="What keeps it from being imported; empty: nothing.")
    repairs = fields.Text("Warnings", help="What was written wrongly and understood all the same.")
    result = fields.Selection(
        [
            ("written", "Imported"),
            ("failed", "Failed"),
            ("undone", "Undone"),
            ("left", "Left alone: changed since"),
        ],
        "What Has Become of It",
        help="Empty: nothing of it is written until now.",
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

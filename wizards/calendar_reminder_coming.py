"""What the user will be reminded of in the next days, reckoned when he looks."""

from datetime import timedelta

from odoo import api, fields, models

#: How far it looks ahead, and how many it lists.
AHEAD = timedelta(days=14)
MAX_ROWS = 200


class CalendarReminderComing(models.TransientModel):
    _name = "calendar.reminder.coming"
    _description = "Reminder to Come"
    _inherit = ["crm.automation.pointer"]
    _order = "due_at, id"

    due_at = fields.Datetime("Due", readonly=True, help="When you will be reminded.")
    alarm_id = fields.Many2one(
        "calendar.alarm",
        "Reminder",
        readonly=True,
        help="Which of the reminders it is; empty: one set in a calendar program, or the summary "
        "of the day.",
    )
    kind = fields.Selection(
        selection=lambda self: (
            self.env["calendar.alarm"]._fields["alarm_type"]._description_selection(self.env)
        ),
        string="Type",
        readonly=True,
        help="How people are reminded.",
    )
    record_name = fields.Char(
        "About", readonly=True, help="The meeting, task or activity that you will be reminded of."
    )
    res_model = fields.Char("Model", readonly=True)
    res_id = fields.Many2oneReference("Record ID", model_field="res_model", readonly=True)
    base_at = fields.Datetime("Date", readonly=True, help="What the moment was reckoned from.")

    @api.model
    def action_open(self):
        """The list of what is to come."""
        rows = self.create(self._rows())
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Upcoming Reminders"),
            "res_model": self._name,
            "view_mode": "list,kanban",
            "mobile_view_mode": "kanban",
            "views": [(False, "list"), (False, "kanban")],
            "domain": [("id", "in", rows.ids)],
            "help": self.env._(
                "<p>You are not to be reminded of anything in the next two weeks.</p>"
            ),
        }

    @api.model
    def _rows(self):
        """Values of the list, of what the user may see."""
        now = fields.Datetime.now()
        partner = self.env.user.partner_id
        Reminder = self.env["calendar.reminder"].sudo()
        rows = [
            {
                "due_at": due.due_at, "alarm_id": due.timing.alarm_id, "kind": due.timing.kind,
                "res_model": due.res_model, "res_id": due.res_id, "base_at": due.base_at,
            }
            for due in Reminder._find(now, now + AHEAD, partner)
        ]  # fmt: skip
        for row in Reminder.search([("partner_id", "=", partner.id), ("state", "=", "pending")]):
            rows.append(
                {
                    "due_at": row.due_at, "alarm_id": row.alarm_id.id, "kind": row.kind,
                    "res_model": row.res_model, "res_id": row.res_id, "base_at": row.base_at,
                }
            )  # fmt: skip
        rows.sort(key=lambda row: row["due_at"])
        rows = rows[:MAX_ROWS]
        for model in {row["res_model"] for row in rows}:
            some = [row for row in rows if row["res_model"] == model]
            records = self.env[model].browse({row["res_id"] for row in some})
            names = {one.id: one.display_name for one in records._filtered_access("read")}
            for row in some:
                row["record_name"] = names.get(row["res_id"])
        return [row for row in rows if row["record_name"]]

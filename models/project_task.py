from odoo import api, fields, models
from odoo.fields import Domain


class ProjectTask(models.Model):
    _name = "project.task"
    _inherit = ["project.task", "crm.automation.target"]

    planned_date_start = fields.Datetime(
        "Planned Start",
        copy=False,
        help="When the work is to begin: calendars show it, and reminders count from it. Empty: "
        "the deadline counts.",
    )
    alarm_ids = fields.Many2many(
        "calendar.alarm",
        "project_task_calendar_alarm_rel",
        "task_id",
        "alarm_id",
        string="Reminders",
        help="Whoever works on the task is reminded. It starts when it is planned to, or is due "
        "if it has only a deadline; it ends at its deadline.",
    )

    @api.depends("state", "user_ids")
    def _compute_business_state(self):
        return super()._compute_business_state()

    @api.model
    def _business_state_domains(self):
        return {
            "done": Domain("state", "=", "1_done"),
            "cancelled": Domain("state", "=", "1_canceled"),
            "pending": Domain("state", "=", "04_waiting_normal"),
            "draft": Domain("state", "=", "01_in_progress") & Domain("user_ids", "=", False),
        }

    @api.model
    def _business_state_sources(self):
        return ("state", "user_ids")

    @api.model
    def _automation_settable_states(self):
        """*Draft* follows from having nobody at work, *pending* from the dependencies."""
        return ["open", "done", "cancelled"]

    def _automation_set_state(self, state):
        """Bring tasks into a business state."""
        values = {"done": "1_done", "cancelled": "1_canceled"}
        self.write({"state": values.get(state, "01_in_progress")})

"""*First steps*: what is worth setting up after the installation, and what is done of it."""

from odoo import api, fields, models


class CrmAutomationStep(models.Model):
    _name = "crm.automation.step"
    _description = "First Step"
    _order = "sequence, id"

    code = fields.Char(
        required=True,
        help="Names the step for the program: `_done_<code>` and `_go_<code>` belong to it.",
    )
    name = fields.Char("Step", required=True, translate=True, help="What is to be set up.")
    description = fields.Text(
        "What it Brings", required=True, translate=True, help="Why it is worth doing."
    )
    icon = fields.Char(required=True, help="A name of Font Awesome 4, as fa-bell.")
    sequence = fields.Integer(default=10, help="The lowest is shown first.")
    group_id = fields.Many2one(
        "res.groups", "For", help="Who is shown this step; empty: every employee."
    )
    is_done = fields.Boolean(
        "Done", compute="_compute_is_done", help="Whether you, or your company, have done it."
    )

    _code_unique = models.Constraint("UNIQUE(code)", "There is such a step already.")

    @api.depends_context("uid", "company")
    def _compute_is_done(self):
        for step in self:
            step.is_done = getattr(step, f"_done_{step.code}")()

    def action_go(self):
        """Open the screen where the step is done."""
        self.ensure_one()
        self.check_access("read")
        return getattr(self, f"_go_{self.code}")()

    def _open(self, action):
        return self.env["ir.actions.act_window"]._for_xml_id(f"crm_automation.{action}")

    def _exists(self, model, domain):
        return bool(self.env[model].search_count(domain, limit=1))

    def _done_recipe(self):
        return self._exists("crm.automation.rule", [("enabled", "=", True)])

    def _go_recipe(self):
        return self._open("crm_automation_recipe_action")

    def _done_mail(self):
        # Who may not read the servers may know that there is one.
        servers = self.env["ir.mail_server"].sudo().search_count([], limit=1)
        return bool(servers) and not self.env["crm.automation.health"].banner()

    def _go_mail(self):
        return self.env["ir.actions.client"]._for_xml_id(
            "crm_automation.crm_automation_health_action"
        )

    def _done_plan(self):
        return self._exists("calendar.visit.plan", [("state", "!=", "draft")])

    def _go_plan(self):
        return {
            **self._open("calendar_visit_plan_action"),
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def _done_phone(self):
        return bool(self.env["caldav.key"]._of_user())

    def _go_phone(self):
        return self.env["caldav.setup"].action_open()

    def _done_account(self):
        return self._exists("caldav.account", [("user_id", "=", self.env.uid)])

    def _go_account(self):
        return self._open("caldav_account_action")

    def _done_summary(self):
        return self.env.user.reminder_summary

    def _go_summary(self):
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("base.action_res_users_my"),
            "res_id": self.env.uid,
        }

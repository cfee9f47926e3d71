"""The health of OCA's ``queue_job``, where it is installed."""

from odoo import api, fields, models

from .crm_automation_firing_queue_job import IDENTITY
from .crm_automation_health import LATE


class CrmAutomationHealth(models.AbstractModel):
    _inherit = "crm.automation.health"

    @api.model
    def _checks(self):
        return [*super()._checks(), "_check_queue_job"]

    @api.model
    def _check_queue_job(self):
        """A warning only: the scheduled drainers do the work meanwhile."""
        if "queue.job" not in self.env:
            return []
        limit = fields.Datetime.now() - LATE
        waiting = self.env["queue.job"].sudo().search(
            [
                ("identity_key", "=like", f"{IDENTITY} %"),
                ("state", "in", ("pending", "enqueued")),
                ("date_created", "<=", limit),
                "|", ("eta", "=", False), ("eta", "<=", limit),
            ],
            order="date_created", limit=1,
        )  # fmt: skip
        if not waiting:
            return []
        return [
            self._finding(
                "queue_job_late",
                "warning",
                self.env._(
                    "The app “Job Queue” is installed, but its runner runs no jobs since "
                    "%(since)s.",
                    since=self._when(waiting.eta or waiting.date_created),
                ),
                self.env._(
                    "Start Odoo with --load=base,web,queue_job (server_wide_modules in odoo.conf), "
                    "or uninstall the app; meanwhile the scheduled actions do its work."
                ),
                buttons=[
                    self._opens(
                        self.env._("Open the Job Queue"),
                        "queue_job.action_queue_job",
                        for_admins=True,
                    )
                ],
                for_admins=True,
            )
        ]

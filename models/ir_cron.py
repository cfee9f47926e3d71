from odoo import api, fields, models


class IrCron(models.Model):
    _inherit = "ir.cron"

    automation_purpose = fields.Char(
        "What It Does",
        compute="_compute_automation_purpose",
        help="What is no longer done when the job is switched off.",
    )
    automation_next = fields.Datetime(
        "Next Run",
        compute="_compute_automation_next",
        help="When it is woken, or comes by itself, whichever is first. Odoo looks once a minute.",
    )

    @api.model
    def _automation_wake(self, name, at=None):
        """Let a job run once this transaction has committed, or at a moment.

        One that somebody has deleted keeps nobody from saving.

        :param str name: external id of the job
        """
        job = self.env.ref(name, raise_if_not_found=False)
        if job:
            job.sudo()._trigger(at=at)

    @api.depends("code", "name")
    @api.depends_context("lang")
    def _compute_automation_purpose(self):
        purposes = self._automation_purposes()
        for cron in self:
            cron.automation_purpose = purposes.get((cron.code or "").split("(")[0], cron.name)

    @api.model
    def _automation_purposes(self):
        """The method that a job calls, to what it does in plain words. Hook for extensions."""
        return {
            "model._enqueue_moments": self.env._(
                "Check action rules: looks for what is due soon by the rules about dates"
            ),
            "model._drain": self.env._("Runs what is due: writes the mails and does the actions"),
            "model._read_due": self.env._("Reads the subscribed calendars that are due"),
            "model._sync_due": self.env._("Brings the calendars of CalDAV accounts in step"),
            "model._run_waiting": self.env._("Writes large iCalendar files, and takes them back"),
            "model._ical_extend": self.env._("Books further meetings of series that have no end"),
            "model._send_due": self.env._(
                "Tells the invited what becomes of meetings, and organizers of answers"
            ),
            "model._invitation_digests": self.env._(
                "Mails the answers of the day to organizers who want them once a day"
            ),
            "model._forget": self.env._("Drops old versions of calendars that nobody reads"),
            "model._work": self.env._("Books the meetings of large visit plans, and cancels them"),
            "model._follow_all": self.env._(
                "Keeps visit plans in step with their customers, day after day"
            ),
            "model.process_email_queue": self.env._(
                "Mail queue: hands the mails to the outgoing server"
            ),
            "model._send_reminder": self.env._("Run event reminders: those of Odoo's calendar"),
            "model._cron_process_time_based_actions": self.env._(
                "Odoo's own rules about dates, those that have not been taken over"
            ),
        }

    @api.depends("nextcall", "active")
    def _compute_automation_next(self):
        groups = self.env["ir.cron.trigger"]._read_group(
            [("cron_id", "in", self.ids)], ["cron_id"], ["call_at:min"]
        )
        woken = {cron.id: moment for cron, moment in groups}
        for cron in self:
            moments = filter(None, (cron.nextcall, woken.get(cron.id)))
            cron.automation_next = cron.active and min(moments, default=False)

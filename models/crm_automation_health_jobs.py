"""The health of the scheduled jobs: there, active, in time, without failures."""

from odoo import api, fields, models
from odoo.tools import config

from .crm_automation_health import COUNTED, LATE

MAIL_QUEUE = "mail.ir_cron_mail_scheduler_action"


class CrmAutomationHealth(models.AbstractModel):
    _inherit = "crm.automation.health"

    @api.model
    def _alarms(self):
        return [
            *super()._alarms(),
            "_check_jobs_missing",
            "_check_jobs_archived",
            "_check_jobs_late",
        ]

    @api.model
    def _checks(self):
        return [*super()._checks(), "_check_jobs_failing"]

    @api.model
    def _tables(self):
        return ["_table_jobs", *super()._tables()]

    # -- what is there --------------------------------------------------------------

    @api.model
    def _jobs(self):
        """The addon's jobs and Odoo's mail queue, archived ones too.

        :return: dict of ``ir.cron``: ``drainers``, ``enqueuers``, ``mail`` and ``all``
        """
        crons = self.env["ir.cron"].sudo().with_context(active_test=False)
        own = crons.search([("model_id.model", "=like", "crm.automation.%")])
        mail = self.env.ref(MAIL_QUEUE, raise_if_not_found=False) or crons
        mail = mail.with_env(crons.env)
        return {
            "drainers": own.filtered(lambda job: "._drain(" in (job.code or "")),
            "enqueuers": own.filtered(lambda job: "._enqueue_moments(" in (job.code or "")),
            "mail": mail,
            "all": own + mail,
        }

    @api.model
    def _late_since(self, job):
        """Since when a job is due and has not begun, or False."""
        limit = fields.Datetime.now() - LATE
        if not job.active:
            return False
        woken = self.env["ir.cron.trigger"].sudo().search(
            [("cron_id", "=", job.id), ("call_at", "<=", limit)], order="call_at", limit=1
        )  # fmt: skip
        moments = [moment for moment in (job.nextcall, woken.call_at) if moment]
        since = min(moments)
        return since if since <= limit else False

    @api.model
    def _begun_at(self, job):
        """When a job began that has not ended; a killed one has not."""
        progress = self.env["ir.cron.progress"].sudo().search(
            [("cron_id", "=", job.id)], order="id desc", limit=1
        )  # fmt: skip
        return progress.create_date if progress.timed_out_counter else False

    @api.model
    def _opens_jobs(self):
        return self._opens(
            self.env._("Open the Scheduled Actions"),
            "crm_automation.ir_cron_action",
            for_admins=True,
        )

    @api.model
    def _threads(self):
        """What is known of the workers that run jobs: this process's own setting."""
        return config["max_cron_threads"]

    # -- checks ---------------------------------------------------------------------

    @api.model
    def _check_jobs_missing(self):
        labels = {
            "drainers": self.env._("work off executions"),
            "enqueuers": self.env._("check rules about dates"),
            "mail": self.env._("send the mails"),
        }
        jobs = self._jobs()
        lost = [label for kind, label in labels.items() if not jobs[kind]]
        if not lost:
            return []
        return [
            self._finding(
                "job_missing",
                "critical",
                self.env._("A scheduled action was deleted: %(jobs)s.", jobs=", ".join(lost)),
                self.env._("Upgrade the app (Apps, CRM Automation, Upgrade): that makes it anew."),
                for_admins=True,
            )
        ]

    @api.model
    def _check_jobs_archived(self):
        jobs = self._jobs()
        found = []
        for kind in ("drainers", "enqueuers", "mail"):
            archived = jobs[kind].filtered(lambda job: not job.active)
            # With one drainer left, the work is done, by fewer workers.
            if not archived or (kind == "drainers" and archived != jobs[kind]):
                continue
            found.append(
                self._finding(
                    "job_archived",
                    "critical" if kind != "enqueuers" or self._has_date_rules() else "warning",
                    self.env._(
                        "The scheduled action “%(job)s” is archived, so %(consequence)s.",
                        job=archived[0].name,
                        consequence=self._consequence(kind),
                    ),
                    self.env._("Activate it again."),
                    detail=self.env._(
                        "Odoo itself archives an action that fails for more than a week."
                    ),
                    buttons=[
                        self._does(self.env._("Activate"), "action_activate_jobs", archived.ids),
                        self._opens_jobs(),
                    ],
                    for_admins=True,
                )
            )
        return found

    @api.model
    def _has_date_rules(self):
        rules = self.env["crm.automation.rule"].sudo()
        return bool(
            rules.search_count([("enabled", "=", True), ("trigger", "=", "moment")], limit=1)
        )

    @api.model
    def _consequence(self, kind):
        return {
            "drainers": self.env._("no rule acts"),
            "enqueuers": self.env._("no rule about a date acts"),
            "mail": self.env._("no mail leaves"),
        }[kind]

    @api.model
    def _check_jobs_late(self):
        jobs = self._jobs()["all"].filtered("active")
        late = {job: since for job in jobs if (since := self._late_since(job))}
        if not late:
            return []
        begun = {job: moment for job in late if (moment := self._begun_at(job))}
        now = fields.Datetime.now()
        if self._threads() == 0:
            fix = self.env._(
                "Start Odoo with workers for jobs: this process runs with max_cron_threads = 0; "
                "set it to 2 in odoo.conf, or start the process that runs the jobs."
            )
        elif begun:
            fix = self.env._(
                "Look in Odoo's log for “%(job)s”: it began at %(moment)s and has not ended. "
                "Restart Odoo if it hangs.",
                job=next(iter(begun)).name,
                moment=self._when(next(iter(begun.values()))),
            )
        else:
            fix = self.env._(
                "See that the Odoo process that runs jobs is up and serves this database "
                "(max_cron_threads, db_name and dbfilter in odoo.conf), and restart it."
            )
        return [
            self._finding(
                "jobs_late",
                # One job that is late while others run may just be a long one.
                "critical" if len(late) == len(jobs) or not begun else "warning",
                self.env._(
                    "Scheduled actions are due and are not run, the first since %(since)s.",
                    since=self._when(min(late.values())),
                ),
                fix,
                detail=self.env._(
                    "Late: %(jobs)s. Last run of any scheduled action: %(last)s.",
                    jobs=", ".join(
                        f"{job.name} ({int((now - since).total_seconds() // 60)} min)"
                        for job, since in late.items()
                    ),
                    last=self._when(self._last_run_of_any()) or self.env._("never"),
                ),
                buttons=[
                    self._does(self.env._("Run Now"), "action_run_jobs"),
                    self._opens_jobs(),
                ],
                for_admins=True,
            )
        ]

    @api.model
    def _last_run_of_any(self):
        crons = self.env["ir.cron"].sudo().with_context(active_test=False)
        return crons.search([("lastcall", "!=", False)], order="lastcall desc", limit=1).lastcall

    @api.model
    def _check_jobs_failing(self):
        return [
            self._finding(
                "job_failing",
                "warning",
                self.env._(
                    "The scheduled action “%(job)s” fails (times in a row: %(count)s).",
                    job=job.name,
                    count=job.failure_count,
                ),
                self.env._("Look in Odoo's log for its error, and run it again by hand."),
                detail=self.env._(
                    "Since %(since)s. If it fails for more than a week, Odoo archives it.",
                    since=self._when(job.first_failure_date),
                ),
                buttons=[self._opens_record(self.env._("Open It"), job)],
                for_admins=True,
            )
            for job in self._jobs()["all"]
            if job.active and job.failure_count
        ]

    # -- tables ---------------------------------------------------------------------

    @api.model
    def _table_jobs(self):
        rows = []
        for job in self._jobs()["all"]:
            state, severity = self.env._("In order"), "ok"
            if not job.active:
                state, severity = self.env._("Archived"), "critical"
            elif since := self._late_since(job):
                state = self.env._("Late since %(since)s", since=self._when(since))
                severity = "critical"
            elif job.failure_count:
                state = self.env._("Fails (times in a row: %(count)s)", count=job.failure_count)
                severity = "warning"
            rows.append(
                [
                    self._cell(job.name),
                    self._cell(self._when(job.lastcall) or self.env._("never")),
                    self._cell(self._when(job.nextcall) if job.active else ""),
                    self._cell(state, severity, [self._opens_record(self.env._("Open It"), job)]),
                ]
            )
        pending = self.env["crm.automation.firing"].search_count(
            [("state", "=", "pending")], limit=COUNTED + 1
        )
        oldest = self.env["crm.automation.firing"].search(
            [("state", "=", "pending")], order="run_at, id", limit=1
        )
        note = self.env._(
            "Workers for jobs in this Odoo process: %(threads)s. Executions that are waiting: "
            "%(pending)s.",
            threads=self._threads(),
            pending=self._number(pending),
        )
        if oldest:
            note += " " + self.env._("The next one: %(moment)s.", moment=self._when(oldest.run_at))
        return {
            **self._grid(
                self.env._("Scheduled Actions"),
                [
                    self.env._("Scheduled Action"),
                    self.env._("Last Run"),
                    self.env._("Next Run"),
                    self.env._("State"),
                ],
                rows,
            ),
            "note": note,
        }

    # -- buttons --------------------------------------------------------------------

    @api.model
    def action_run_jobs(self):
        """Wake all jobs that a notice needs."""
        self._check_administrator()
        for job in self._jobs()["all"].filtered("active"):
            job._trigger()
        return self._done(
            self.env._("The scheduled actions are called. If nothing moves, no worker runs jobs.")
        )

    @api.model
    def action_activate_jobs(self, ids):
        """Take jobs out of the archive, those of this page only."""
        self._check_administrator()
        jobs = self._jobs()["all"].filtered(lambda job: job.id in ids)
        jobs.active = True
        for job in jobs:
            job._trigger()
        return self._done(self.env._("Activated."))

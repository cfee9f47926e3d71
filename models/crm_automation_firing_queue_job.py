"""Where OCA's ``queue_job`` is installed, its workers empty the ledger.

Owns the hand-over of batches; what is done with one is the drainers' code. A job
is one batch and one transaction, which is how queue_job wants it. The scheduled
drainers stay: they do the same work where no job runner is up.
"""

import functools
import logging
from datetime import timedelta

import psycopg2

from odoo import SUPERUSER_ID, api, models

from .crm_automation_firing_drain import BATCH

_logger = logging.getLogger(__name__)

#: Begins the identity of each of our jobs: of the same identity only one waits.
IDENTITY = "crm_automation.firing"
#: A job that has not begun after so long has no runner.
PATIENCE = timedelta(seconds=60)


class CrmAutomationFiring(models.Model):
    _inherit = "crm.automation.firing"

    @api.model
    def _has_queue_job(self):
        return "queue.job" in self.env

    @api.model
    def _wake(self):
        if not self._has_queue_job():
            return super()._wake()
        self._hand_over(f"{IDENTITY} 1")

    @api.model
    def _call_at(self, moment, is_precise=False):
        if not self._has_queue_job():
            return super()._call_at(moment, is_precise)
        self._hand_over(f"{IDENTITY} {moment}", moment)

    @api.model
    def _hand_over(self, identity, moment=None):
        """Let a job do a batch, at once or at a moment, after this transaction's commit.

        Not in this transaction: it may see a job wait that has long begun, and
        that will not see what this transaction commits.
        """
        postcommit = self.env.cr.postcommit
        jobs = postcommit.data.setdefault(IDENTITY, {})
        if not jobs:
            postcommit.add(functools.partial(self._enqueue_jobs, jobs))
        jobs[identity] = moment

    @api.model
    def _enqueue_jobs(self, jobs):
        """Enqueue jobs in a transaction of its own.

        :param dict jobs: identity to the moment, None for at once
        """
        try:
            with self.env.registry.cursor() as cr:
                firing = api.Environment(cr, SUPERUSER_ID, {})[self._name]
                for identity, moment in jobs.items():
                    firing._enqueue_job(identity, moment)
        except Exception:
            # The save is committed, and the scheduled drainers come all the same.
            _logger.warning("No job could be enqueued", exc_info=True)

    @api.model
    def _enqueue_job(self, identity, moment=None):
        now = self.env.cr.now()
        waiting = self.env["queue.job"].search(
            [("identity_key", "=like", f"{IDENTITY} %"),
             ("state", "in", ("pending", "enqueued"))]
        )  # fmt: skip
        if moment and waiting.filtered(lambda job: not job.eta or job.eta <= moment):
            # At its end it looks for the next moment.
            return
        if same := waiting.filtered(lambda job: job.identity_key == identity):
            if max(same[0].eta or same[0].date_created, same[0].date_created) < now - PATIENCE:
                super()._wake()
            return
        self.with_delay(
            identity_key=identity,
            eta=moment,
            max_retries=0,
            description=self.env._("Automated Actions: work off executions"),
        )._drain_batch()
        super()._call_at(max(moment or now, now).replace(microsecond=0) + PATIENCE)

    @api.model
    def _drain_batch(self, limit=BATCH):
        """Do one batch of what is due; the work of a job.

        :return: a sentence for the list of jobs
        """
        from odoo.addons.queue_job.exception import RetryableJobError

        try:
            numbers = []
            for ledger in self._ledgers():
                batch = ledger._claim(limit)
                batch._run()
                self.env.flush_all()
                numbers.append(len(batch))
        except psycopg2.extensions.TransactionRollbackError as error:
            # Another worker was faster with a row: no failure, no try.
            raise RetryableJobError(str(error), seconds=1, ignore_retry=True) from error
        if limit in numbers:
            # In this transaction: who is killed after its commit leaves the jobs for
            # the rest. One that waits, or has begun meanwhile, sees the rest as well.
            for number, _drainer in enumerate(self._drainers(), 1):
                self._enqueue_job(f"{IDENTITY} {number}")
        else:
            self.env["crm.automation.delivery"]._retry_due()
            self._arm()
        return self.env._("Executions: %(number)s", number=sum(numbers))

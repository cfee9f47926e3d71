"""When the drainers run: at once, or when the next execution is due.

Owns the calls of the jobs and the waiting that makes them precise: Odoo looks for
planned jobs about once a minute, so one of them is called before what is due next,
and waits for it.
"""

import time
from datetime import timedelta

import psycopg2

from odoo import api, models
from odoo.tools import SQL, config

#: So much before what is due next a drainer is called: Odoo's workers sleep for 60
#: to 70 seconds.
LEAD = timedelta(seconds=75)
#: After so long a job that was called is in the hands of a worker, if one is free.
TAKEN = timedelta(seconds=3)
#: Seconds that it waits longer for what is due just then.
GRACE = 2
#: Names the lock of the drainer that waits: one is enough.
WAITING_LOCK = 7_304_912


class CrmAutomationFiring(models.Model):
    _inherit = "crm.automation.firing"

    @api.model
    def _wait_for_next(self, deadline):
        """Wait until the next pending firing is due, if that is soon.

        Only within a scheduled job, and only one of them at a time: with fewer than
        two workers for jobs, all others would stand still meanwhile. As they would
        where the other workers are busy for long: then it lets go, and comes back.

        :param float deadline: of the monotonic clock; no waiting beyond it
        :return: whether something is due now
        """
        if not self.env.context.get("cron_id") or config["max_cron_threads"] < 2:
            return False
        cr = self.env.cr
        cr.execute(SQL("SELECT pg_try_advisory_lock(%s)", WAITING_LOCK))
        if not cr.fetchone()[0]:
            return False
        try:
            while True:
                # Each look sees what is there by now.
                cr.rollback()
                is_wanted = self._worker_is_wanted()
                cr.rollback()
                seconds = self._seconds_to_next()
                cr.rollback()
                left = deadline - time.monotonic()
                if seconds is None or seconds > left + GRACE:
                    return False
                if seconds <= 1 and left > -GRACE:
                    # Also when it is to let go: nobody would be called for what is due now,
                    # which may be in the hands of another drainer.
                    time.sleep(max(seconds, 0.1))
                    return True
                if is_wanted or left < 0:
                    return False
                time.sleep(1)
        finally:
            cr.execute(SQL("SELECT pg_advisory_unlock(%s)", WAITING_LOCK))

    @api.model
    def _worker_is_wanted(self):
        """Whether another job has been called, or is due, and no worker has taken it.

        It may be the next one of this very worker, which Odoo kills when all that it has
        to do takes longer than its limit.
        """
        taken = self.env.cr.now() - TAKEN
        query = SQL(
            """
            SELECT FROM ir_cron cron
             WHERE cron.active AND cron.id <> ALL(%s) AND (cron.nextcall <= %s OR EXISTS (
                   SELECT FROM ir_cron_trigger trigger
                    WHERE trigger.cron_id = cron.id AND trigger.call_at <= %s))
             LIMIT 1 FOR SHARE SKIP LOCKED
            """,
            self._drainers().ids,
            taken,
            taken,
        )
        try:
            self.env.cr.execute(query, log_exceptions=False)
        except psycopg2.extensions.TransactionRollbackError:
            # Just now: somebody has taken it.
            return False
        return bool(self.env.cr.rowcount)

    @api.model
    def _seconds_to_next(self):
        """Seconds until the next pending row is due, None without one."""
        due = self._next_due()
        return (due - self.env.cr.now()).total_seconds() if due else None

    @api.model
    def _next_due(self):
        """When what is due next in any ledger is, None without anything."""
        dues = (ledger._next_run() for ledger in self._ledgers())
        return min((due for due in dues if due), default=None)

    @api.model
    def _arm(self):
        """Make sure that a drainer runs when the next pending firing is due."""
        self.env.flush_all()
        due = self._next_due()
        retry = self.env["crm.automation.delivery"]._next_retry()
        now = self.env.cr.now().replace(microsecond=0)
        soon = now + timedelta(seconds=1)
        if due:
            # What is due already is in the hands of another drainer.
            self._call_at(max(due, soon), is_precise=due > now)
        if retry:
            self._call_at(max(retry, soon))

    @api.model
    def _call_at(self, moment, is_precise=False):
        """Let a drainer run at a moment to come. Hook for extensions.

        :param bool is_precise: it is called before, and waits for the moment
        """
        drainer = self._drainers()[:1]
        if not drainer:
            return
        now = self.env.cr.now()
        if is_precise:
            moment -= LEAD
            if moment <= now:
                # At once: Odoo looks for triggers of a later second once a minute only.
                if not self._somebody_waits():
                    drainer._trigger()
                return
        armed = self.env["ir.cron.trigger"].sudo().search_count(
            [("cron_id", "=", drainer.id), ("call_at", "<=", moment), ("call_at", ">", now)],
            limit=1,
        )  # fmt: skip
        if not armed:
            drainer._trigger(at=moment)

    @api.model
    def _somebody_waits(self):
        """Whether a drainer waits for what is due next, whichever that is."""
        self.env.cr.execute(
            SQL(
                """
                SELECT EXISTS (
                    SELECT FROM pg_locks
                    WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND objsubid = 1
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND pid <> pg_backend_pid()
                )
                """,
                WAITING_LOCK,
            )
        )
        return self.env.cr.fetchone()[0]

"""How the jobs empty the ledger.

Owns the drainers: claiming what is due, running it, trying again. Several
scheduled jobs do it side by side; PostgreSQL's row locks share the work out.
"""

import logging
import random
import time
from datetime import timedelta

import psycopg2

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..engine.retry import next_try

_logger = logging.getLogger(__name__)

#: Rows per transaction of a drainer: far below what takes a job's 120 s.
BATCH = 100
#: How often a batch may lose against another worker before the job gives up.
MAX_CONFLICTS = 20


class CrmAutomationFiring(models.Model):
    _inherit = "crm.automation.firing"

    @api.model
    def _drainers(self):
        """The scheduled jobs that empty the ledger, archived ones left out.

        A further one is a duplicate of the first: an ``ir.cron`` runs on one
        worker at a time, so N rows let N workers share the ledger.
        """
        return (
            self.env["ir.cron"]
            .sudo()
            .search([("model_id.model", "=", self._name), ("code", "=", "model._drain()")])
        )

    @api.model
    def _wake(self):
        """Let the drainers run as soon as this transaction has committed."""
        for drainer in self._drainers():
            drainer._trigger()

    @api.model
    def _drain(self, batch_size=BATCH):
        """Do what is due; entry point of the drainers.

        Each batch is a transaction: its firings end, and their mails are
        queued, both or neither. A worker that is killed leaves its batch as it
        found it, for the next one.
        """
        conflicts = 0
        while True:
            started = time.monotonic()
            try:
                # Odoo reads at REPEATABLE READ: the claim must be the first
                # statement of its transaction to see what is free now.
                self._commit_batch()
                batch = self._claim(batch_size)
                batch._run(started)
                self.env.flush_all()
                full = len(batch) == batch_size
                left = self._commit_batch(len(batch), remaining=int(full))
            except psycopg2.extensions.TransactionRollbackError:
                # Another worker was faster with a row: no failure, no try.
                self.env.cr.rollback()
                conflicts += 1
                if conflicts > MAX_CONFLICTS:
                    raise
                time.sleep(random.uniform(0, 0.05) * conflicts)  # noqa: S311
                continue
            if not full or not left:
                break
        self.env["crm.automation.delivery"]._retry_due()
        self._arm()
        self._commit_batch()

    @api.model
    def _commit_batch(self, done=0, remaining=None):
        """Commit, and tell the job how far it is. :return: seconds left"""
        return self.env["ir.cron"]._commit_progress(done, remaining=remaining)

    @api.model
    def _claim(self, limit):
        """Lock and return pending firings that are due and not locked by others."""
        self.env.cr.execute(
            SQL(
                """
                SELECT id FROM crm_automation_firing
                WHERE state = 'pending' AND run_at <= %s
                ORDER BY run_at, id
                LIMIT %s
                FOR NO KEY UPDATE SKIP LOCKED
                """,
                self.env.cr.now(),
                limit,
            )
        )
        return self.browse(row[0] for row in self.env.cr.fetchall())

    def _run(self, started):
        """Run claimed firings, together where that works, else one by one."""
        # One chain at a time: a long one must not stop what another record begins.
        batches = self.sorted(lambda f: (f.rule_id.sequence, f.id)).grouped(
            lambda f: (f.rule_id, f.chain)
        )
        for (rule, _chain), firings in batches.items():
            # The log speaks the language of whoever answers for the rule.
            rule = rule.with_context(lang=rule.owner_id.lang)
            firings = firings.with_env(rule.env)._preflight(rule)
            if not firings:
                continue
            try:
                with self.env.cr.savepoint():
                    rule._fire(firings)
            except psycopg2.extensions.TransactionRollbackError:
                raise
            except Exception:
                for firing in firings:
                    firing._run_alone(rule)
        seconds = time.monotonic() - started
        for firing in self:
            firing.duration = round(1000 * seconds / len(self))

    def _run_alone(self, rule):
        """Run one firing in its own savepoint; a failure is its own."""
        try:
            with self.env.cr.savepoint():
                rule._fire(self)
        except psycopg2.extensions.TransactionRollbackError:
            raise
        except Exception as error:
            _logger.warning("Rule %s failed on %s,%s", rule.id, self.res_model, self.res_id,
                            exc_info=True)  # fmt: skip
            self._fail(error)

    def _preflight(self, rule):
        """End the firings that cannot run, with the reason; return the others."""
        if reason := rule._why_idle():
            self._finish("failed" if rule.model_name not in self.env else "cancelled", reason)
            return self.browse()
        gone = self.filtered(lambda f: (f.payload or {}).get("gone"))
        return gone + (self - gone)._preflight_records(rule)

    def _preflight_records(self, rule):
        """The firings whose record is there, readable, and still as the rule wants it."""
        if not self:
            return self
        there = rule._owner_model().browse(self.mapped("res_id")).exists()
        # Not a search: of an owner who has lost the model altogether it raises.
        readable = set(there._filtered_access("read").ids)
        there = set(there.ids)
        lost = self.filtered(lambda f: f.res_id not in there)
        lost._finish(
            "skipped", self.env._("The record was deleted before the mail could be written.")
        )
        hidden = (self - lost).filtered(lambda f: f.res_id not in readable)
        hidden._finish(
            "skipped",
            self.env._(
                "The owner of the rule, %(owner)s, may not read this record.",
                owner=rule.owner_id.name,
            ),
        )
        return (self - lost - hidden)._preflight_delayed(rule)

    def _preflight_delayed(self, rule):
        """Of a moment that was planned ahead, the conditions are asked again.

        At each try: what has failed may come back when the meeting has begun.
        """
        if rule.trigger != "moment" and not rule.delay_number:
            return self
        planned = self
        now = self.env.cr.now()
        if rule.trigger == "moment":
            records = {row.id: row for row in self.env[rule.model_name].browse(
                planned.mapped("res_id"))}  # fmt: skip
            moved = planned.filtered(lambda f: not rule._still_due(records[f.res_id], f.due_at))
            moved._finish("skipped", self.env._("The date was moved."))
            moved._free_moment()
            late = (planned - moved).filtered(
                lambda f: rule._is_too_late(records[f.res_id], f.due_at, now)
            )
            late._finish(
                "expired", self.env._("Too late: the lateness limit of the rule was over.")
            )
            self -= moved + late
            planned -= moved + late
        try:
            matching = set(rule._matching(planned.mapped("res_id"))) if planned else set()
        except Exception as error:  # noqa: BLE001 - the log says it in a sentence
            planned._finish("failed", rule._why_it_failed(error))
            return self - planned
        others = planned.filtered(lambda f: f.res_id not in matching)
        others._finish(
            "skipped", self.env._("It no longer matched the conditions when it was due.")
        )
        if rule.trigger == "moment":
            others._free_moment()
        return self - others

    def _free_moment(self):
        """Should the date be moved back, or the record match again, before it is too
        late, then the same moment counts again."""
        for firing in self:
            firing.occasion = f"{firing.occasion} ({firing.id})"

    def _fail(self, error):
        """Note a failure, and when the next try is; after the last one, give up."""
        self.ensure_one()
        now = self.env.cr.now().replace(microsecond=0)
        tries = self.tries + 1
        # Rights do not come by waiting.
        again = None if isinstance(error, AccessError) else next_try(tries, now)
        reason = self.rule_id._why_sending_failed(error)
        self.write({"tries": tries, "reason": reason})
        if again:
            self.run_at = again
        else:
            self._finish("failed", reason)

    @api.model
    def _arm(self):
        """Make sure that a drainer runs when the next pending firing is due."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT least(
                    (SELECT min(run_at) FROM crm_automation_firing WHERE state = 'pending'),
                    (SELECT min(retry_at) FROM crm_automation_delivery WHERE state = 'retry')
                )
                """
            )
        )
        if moment := self.env.cr.fetchone()[0]:
            soon = self.env.cr.now().replace(microsecond=0) + timedelta(seconds=1)
            self._call_at(max(moment, soon))

    @api.model
    def _call_at(self, moment):
        """Let a drainer run at a moment to come. Hook for extensions."""
        drainer = self._drainers()[:1]
        if not drainer:
            return
        armed = self.env["ir.cron.trigger"].sudo().search_count(
            [("cron_id", "=", drainer.id), ("call_at", "<=", moment),
             ("call_at", ">", self.env.cr.now())], limit=1,
        )  # fmt: skip
        if not armed:
            drainer._trigger(at=moment)

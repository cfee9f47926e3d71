"""How the jobs empty the ledger.

Owns the drainers: claiming what is due, running it, trying again. Several
scheduled jobs do it side by side; PostgreSQL's row locks share the work out.
"""

import logging
import random
import time

import psycopg2

from odoo import api, models
from odoo.exceptions import AccessError

from .crm_automation_firing_call import LEAD

_logger = logging.getLogger(__name__)

#: Rows per transaction of a drainer: far below what takes a job's 120 s.
BATCH = 100
#: How often a batch may lose against another worker before the job gives up.
MAX_CONFLICTS = 20
#: Key of the context: the workers are told later of the jobs that are called.
UNTOLD = "crm_automation_calls_untold"


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
    def _ledgers(self):
        """The ledgers that the drainers empty. Hook for extensions."""
        return [self]

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
        worked = False
        deadline = time.monotonic() + LEAD.total_seconds()
        alone = batch_size if self._has_killed_a_worker() else 0
        while True:
            limit = 1 if alone > 0 else batch_size
            alone -= 1
            try:
                full = False
                for ledger in self._ledgers():
                    # Odoo reads at REPEATABLE READ: the claim must be the first
                    # statement of its transaction to see what is free now.
                    self._commit_batch()
                    batch = ledger._claim(limit)
                    full = full or len(batch) == limit
                    if limit < batch_size:
                        batch = batch._begin_alone()
                    batch.with_context(**{UNTOLD: worked})._run()
                    self.env.flush_all()
                    left = self._commit_batch(len(batch), remaining=int(full))
                    worked = worked or bool(batch)
            except psycopg2.extensions.TransactionRollbackError:
                # Another worker was faster with a row: no failure, no try.
                conflicts += 1
                if conflicts > MAX_CONFLICTS:
                    raise
                self._give_way(conflicts)
                continue
            if full and left:
                continue
            # What was done has left mails that need a worker to be sent: this one may
            # be the only one that is free.
            if full or worked or not self._wait_for_next(deadline):
                break
        self._look_ahead(tell=worked)

    @api.model
    def _look_ahead(self, tell=False):
        """Queue failed mails again that are due, and be here when the next thing is.

        :param bool tell: also tell the workers of the jobs that were called meanwhile
        """
        conflicts = 0
        while True:
            try:
                self._commit_batch()
                self.env["crm.automation.delivery"]._retry_due()
                self._arm()
                if tell:
                    self.env.cr.postcommit.add(self.env["ir.cron"]._notifydb)
                self._commit_batch()
                return
            except psycopg2.extensions.TransactionRollbackError:
                conflicts += 1
                if conflicts > MAX_CONFLICTS:
                    raise
                self._give_way(conflicts)

    @api.model
    def _give_way(self, conflicts):
        self.env.cr.rollback()
        time.sleep(random.uniform(0, 0.05) * conflicts)  # noqa: S311

    @api.model
    def _has_killed_a_worker(self):
        """Whether the last worker that ran this job has not come back from it."""
        progress = self.env["ir.cron.progress"].sudo()
        return progress.browse(self.env.context.get("ir_cron_progress_id")).timed_out_counter > 1

    @api.model
    def _commit_batch(self, done=0, remaining=None):
        """Commit, and tell the job how far it is. :return: seconds left"""
        return self.env["ir.cron"]._commit_progress(done, remaining=remaining)

    def _run(self):
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
                firings._run_together(rule)
            except psycopg2.extensions.TransactionRollbackError:
                raise
            except Exception as error:
                if len(firings) == 1:
                    firings._fail_alone(rule, error)
                    continue
                for firing in firings:
                    firing._run_alone(rule)

    def _run_together(self, rule):
        """Run firings of one rule in one savepoint: all of them, or none."""
        started = time.monotonic()
        with self.env.cr.savepoint():
            rule._fire(self)
            self.duration = round(1000 * (time.monotonic() - started) / len(self))

    def _run_alone(self, rule):
        """Run one firing in its own savepoint; a failure is its own."""
        try:
            self._run_together(rule)
        except psycopg2.extensions.TransactionRollbackError:
            raise
        except Exception as error:
            self._fail_alone(rule, error)

    def _fail_alone(self, rule, error):
        _logger.warning("Rule %s failed on %s,%s", rule.id, self.res_model, self.res_id,
                        exc_info=error)  # fmt: skip
        self._fail(error)

    def _preflight(self, rule):
        """End the firings that cannot run, with the reason; return the others."""
        if reason := rule._why_idle():
            self._finish("failed" if rule.model_name not in self.env else "cancelled", reason)
            return self.browse()
        gone = self.filtered(lambda f: f._told().get("gone"))
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
        if rule.trigger == "moment":
            # What corrects another notice has no moment of its own.
            corrections = self.filtered(lambda f: f._told().get("moved"))
            planned = corrections + (self - corrections)._preflight_dates(rule)
            self = planned
        planned -= planned.filtered(lambda f: f._is_by_hand("anyway"))
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

    def _preflight_dates(self, rule):
        """The firings whose record has still the same date, and that are not too late."""
        now = self.env.cr.now()
        records = rule.env[rule.model_name].browse(self.mapped("res_id"))
        dates = rule._dates(records)
        by_id = {record.id: record for record in records}
        moved = self.filtered(
            lambda f: (
                not f._is_by_hand()
                and not rule._is_due_at(by_id[f.res_id], dates.get(f.res_id), f.due_at)
            )
        )
        moved._finish("skipped", self.env._("The date was moved."))
        moved._free_moment()
        there = self - moved
        late = there.filtered(lambda f: f._is_late(rule, dates.get(f.res_id), now))
        late._finish("expired", self.env._("Too late: the lateness limit of the rule was over."))
        return there - late

    def _free_moment(self):
        """Should the date be moved back, or the record match again, before it is too
        late, then the same moment counts again."""
        for firing in self:
            firing.write({"occasion": f"{firing.occasion} ({firing.id})", "base_date": False})

    def _fail(self, error):
        # Rights do not come by waiting.
        self._put_off(
            self.rule_id._why_sending_failed(error), passes=not isinstance(error, AccessError)
        )

"""The run of a rule and its log, one row per rule, record and occasion.

Owns the ledger: inserting, claiming, ending, trying again. Several scheduled
jobs (the *drainers*) empty it side by side; PostgreSQL's row locks share the
work out. What is sent is in ``crm.automation.notice``.
"""

import json
import logging
import random
import time
import uuid
from datetime import timedelta

import psycopg2
from psycopg2.extras import Json

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from ..engine.retry import next_try

_logger = logging.getLogger(__name__)

#: Rows per transaction of a drainer: far below what takes a job's 120 s.
BATCH = 100
#: How often a batch may lose against another worker before the job gives up.
MAX_CONFLICTS = 20
GC_LIMIT = 5000

STATES = [
    ("pending", "Pending"),
    ("done", "Done"),
    ("skipped", "Skipped"),
    ("failed", "Failed"),
    ("expired", "Expired"),
    ("cancelled", "Cancelled"),
]
DELIVERY_STATES = [
    ("none", "No mail"),
    ("queued", "On its way"),
    ("delivered", "Delivered"),
    ("partial", "Partly delivered"),
    ("failed", "Not delivered"),
]


class CrmAutomationFiring(models.Model):
    _name = "crm.automation.firing"
    _description = "Execution of an Automated Action"
    _order = "due_at desc, id desc"
    _rec_name = "record_name"

    rule_id = fields.Many2one(
        "crm.automation.rule", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="rule_id.company_id", store=True)
    trigger = fields.Selection(
        selection=lambda self: (
            self.env["crm.automation.rule"]._fields["trigger"]._description_selection(self.env)
        ),
        readonly=True,
        string="What Happened",
    )
    res_model = fields.Char("Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        "Record ID", model_field="res_model", required=True, readonly=True
    )
    record_name = fields.Char("Record", readonly=True)
    responsible_id = fields.Many2one(
        "res.users", readonly=True, index=True, help="Responsible of the record at that moment."
    )
    actor_id = fields.Many2one(
        "res.users", "Done By", readonly=True, help="Who made the change that the rule waits for."
    )
    occasion = fields.Char(
        required=True,
        readonly=True,
        help="Names the transaction or the moment: a rule acts once per record and occasion.",
    )
    payload = fields.Json(readonly=True)
    due_at = fields.Datetime("Due", required=True, readonly=True)
    run_at = fields.Datetime(
        "Next Try", readonly=True, help="Not before this moment; later than due after a failure."
    )
    state = fields.Selection(
        STATES, required=True, readonly=True, default="pending", string="Outcome"
    )
    reason = fields.Text(readonly=True, help="Why it was not done, or not yet.")
    tries = fields.Integer(readonly=True)
    finished_at = fields.Datetime("Finished", readonly=True, index=True)
    duration = fields.Integer(
        "Duration (ms)", readonly=True, aggregator="avg", help="Time the work took."
    )
    delivery_ids = fields.One2many(
        "crm.automation.delivery", "firing_id", string="Recipients", readonly=True
    )
    delivery_state = fields.Selection(
        DELIVERY_STATES, compute="_compute_delivery_state", store=True, string="Delivery"
    )

    _once = models.Constraint(
        "UNIQUE (rule_id, res_model, res_id, occasion)",
        "A rule acts once per record and occasion.",
    )
    _record_idx = models.Index("(res_model, res_id)")
    _pending_idx = models.Index("(run_at, id) WHERE state = 'pending'")

    @api.depends("delivery_ids.state")
    def _compute_delivery_state(self):
        for firing in self:
            states = {state for state in firing.delivery_ids.mapped("state") if state != "skipped"}
            if not states:
                firing.delivery_state = "none"
            elif states & {"queued", "retry"}:
                firing.delivery_state = "queued"
            elif states == {"sent"}:
                firing.delivery_state = "delivered"
            else:
                firing.delivery_state = "partial" if "sent" in states else "failed"

    # -- inserting --------------------------------------------------------------

    @api.model
    def _insert(self, rule, model, hits, changes):
        """Put a firing into the ledger for each change, and wake the drainers.

        This runs in the user's transaction, and is all that runs there.

        :param rule: the ``crm.automation.rule``
        :param str model: model of the records
        :param hits: list of ``engine.changes.Change``
        :param changes: the ``engine.changes.TransactionChanges``
        """
        # Not PostgreSQL's transaction id: ids start anew in a restored copy,
        # and an old row of the same number would silently hold a notice back.
        changes.occasion = changes.occasion or uuid.uuid4().hex
        now = self.env.cr.now().replace(microsecond=0)
        actor = self.env.context.get("automation_actor_id")
        records = self.env[model].browse([hit.res_id for hit in hits])
        rows = [
            (
                rule.id,
                rule.company_id.id or None,
                rule.trigger,
                model,
                record.id,
                record.display_name,
                self.env["crm.automation.notice"]._responsibles(record)[:1].id or None,
                actor,
                changes.occasion,
                Json(self._payload(hit), dumps=_dumps),
                now,
                now,
                "pending",
                0,
                "none",
                SUPERUSER_ID,
                now,
                SUPERUSER_ID,
                now,
            )
            for record, hit in zip(records, hits, strict=True)
        ]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_automation_firing (
                    rule_id, company_id, trigger, res_model, res_id, record_name,
                    responsible_id, actor_id, occasion, payload, due_at, run_at, state, tries,
                    delivery_state, create_uid, create_date, write_uid, write_date
                ) VALUES %s
                ON CONFLICT (rule_id, res_model, res_id, occasion) DO UPDATE
                SET record_name = EXCLUDED.record_name,
                    responsible_id = EXCLUDED.responsible_id,
                    payload = EXCLUDED.payload
                """,
                SQL(", ").join(SQL("%s", row) for row in rows),
            )
        )
        self._wake()

    @api.model
    def _payload(self, hit):
        """What the record will no longer tell when the job comes to it."""
        return {**({"old": hit.old} if hit.old else {}), **hit.facts}

    # -- draining ---------------------------------------------------------------

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
        for rule, firings in (
            self.sorted(lambda f: (f.rule_id.sequence, f.id)).grouped("rule_id").items()
        ):
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
        if not rule.owner_id.active:
            self._finish("cancelled", self.env._("The owner of the rule is archived."))
            return self.browse()
        if rule.model_name not in self.env:
            self._finish(
                "failed", self.env._("The app of this kind of record is no longer installed.")
            )
            return self.browse()
        there = rule._owner_model().browse(self.mapped("res_id")).exists()
        # Not a search: of an owner who has lost the model altogether it raises.
        readable = set(there._filtered_access("read").ids)
        there = set(there.ids)
        gone = self.filtered(lambda f: f.res_id not in there)
        gone._finish(
            "skipped", self.env._("The record was deleted before the mail could be written.")
        )
        hidden = (self - gone).filtered(lambda f: f.res_id not in readable)
        hidden._finish(
            "skipped",
            self.env._(
                "The owner of the rule, %(owner)s, may not read this record.",
                owner=rule.owner_id.name,
            ),
        )
        return self - gone - hidden

    def _finish(self, state, reason=False):
        """End firings.

        :param str state: done, skipped, failed, expired or cancelled
        :param str reason: a sentence for the log
        """
        self.write(
            {
                "state": state,
                "reason": reason,
                "finished_at": self.env.cr.now().replace(microsecond=0),
            }
        )

    def _fail(self, error):
        """Note a failure, and when the next try is; after the last one, give up."""
        self.ensure_one()
        now = self.env.cr.now().replace(microsecond=0)
        tries = self.tries + 1
        again = next_try(tries, now)
        reason = str(error) or type(error).__name__
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
        moment = self.env.cr.fetchone()[0]
        drainer = self._drainers()[:1]
        if not moment or not drainer:
            return
        moment = max(moment, self.env.cr.now().replace(microsecond=0) + timedelta(seconds=1))
        armed = self.env["ir.cron.trigger"].sudo().search_count(
            [("cron_id", "=", drainer.id), ("call_at", "<=", moment),
             ("call_at", ">", self.env.cr.now())], limit=1,
        )  # fmt: skip
        if not armed:
            drainer._trigger(at=moment)

    # -- by hand ------------------------------------------------------------------

    def action_retry(self):
        """Run failed executions again, by hand of whoever may change rules."""
        self.rule_id.check_access("write")
        failed = self.sudo().filtered(lambda firing: firing.state == "failed")
        now = self.env.cr.now().replace(microsecond=0)
        failed.write({"state": "pending", "run_at": now, "tries": 0, "finished_at": False})
        self._wake()

    def action_open_record(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    @api.autovacuum
    def _gc_old(self):
        """Forget what ended long ago (``crm_automation.log_days``, 180 by default)."""
        days = int(self.env["ir.config_parameter"].sudo().get_param("crm_automation.log_days", 180))
        limit = fields.Datetime.now() - timedelta(days=max(days, 1))
        old = self.search([("finished_at", "<", limit)], limit=GC_LIMIT)
        old.unlink()
        return len(old), len(old) == GC_LIMIT


def _dumps(value):
    return json.dumps(value, default=str)

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

from ..engine.changes import MAX_CHAIN, join_facts
from ..engine.moments import moment_of
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
    company_id = fields.Many2one(
        "res.company", readonly=True, index=True, help="Of the record, else of the rule."
    )
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
    payload = fields.Json(
        readonly=True,
        groups="base.group_system",
        help="What the record will no longer tell when the job comes to it: values before the "
        "change, what was merged, a deleted record.",
    )
    chain = fields.Char(
        readonly=True, help="Rules whose actions led to this one, the first one first."
    )
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
    def _insert(self, rule, model, hits, changes, failure=None):
        """Put a firing into the ledger for each change, and wake the drainers.

        This runs in the user's transaction.

        :param rule: the ``crm.automation.rule``
        :param str model: model of the records
        :param hits: list of ``engine.changes.Change``
        :param changes: the ``engine.changes.TransactionChanges``
        :param str failure: the firings have failed already, for this reason
        """
        told = self._told_before(rule, model, hits, changes)
        # Not PostgreSQL's transaction id: ids start anew in a restored copy,
        # and an old row of the same number would silently hold a notice back.
        changes.occasion = changes.occasion or uuid.uuid4().hex
        now = self.env.cr.now().replace(microsecond=0)
        due = moment_of(
            now, rule.delay_number, rule.delay_unit, False, rule.owner_id.sudo().tz or "UTC"
        )
        records = self.env[model].browse(hit.res_id for hit in hits if "gone" not in hit.facts)
        by_id = {record.id: record for record in records}
        rows = []
        for hit in hits:
            payload = join_facts(told.get(hit.res_id, {}), self._payload(hit))
            values = self._record_values(rule, by_id.get(hit.res_id), hit.facts.get("gone"))
            values |= {
                "res_model": model,
                "res_id": hit.res_id,
                "trigger": rule.trigger,
                "occasion": changes.occasion,
                "payload": Json(payload, dumps=_dumps),
                "chain": ",".join(map(str, hit.chain)) or None,
                "due_at": due,
                "run_at": due,
            }
            if reason := failure or hit.facts.get("failure"):
                values |= {"state": "failed", "reason": reason, "finished_at": now}
            elif len(hit.chain) >= MAX_CHAIN:
                values |= {
                    "state": "cancelled",
                    "finished_at": now,
                    "reason": self.env._(
                        "Stopped: more than %(number)s automated actions have set each other "
                        "off. See which of them change what another one waits for.",
                        number=MAX_CHAIN,
                    ),
                }
            rows.append(values)
        self._insert_rows(
            rule,
            rows,
            SQL(
                """
                UPDATE SET record_name = EXCLUDED.record_name,
                           responsible_id = EXCLUDED.responsible_id,
                           payload = EXCLUDED.payload
                """
            ),
        )
        if due > now:
            self._arm()
        elif not failure:
            self._wake()

    @api.model
    def _told_before(self, rule, model, hits, changes):
        """Record id to what business events before the last savepoint have said.

        From the ledger, where a rollback to that savepoint has undone it.
        """
        ids = [hit.res_id for hit in hits if any(isinstance(v, list) for v in hit.facts.values())]
        if not ids or not changes.occasion:
            return {}
        found = self.search(
            [("rule_id", "=", rule.id), ("res_model", "=", model), ("res_id", "in", ids),
             ("occasion", "=", changes.occasion)]
        )  # fmt: skip
        return {firing.res_id: firing.payload or {} for firing in found}

    @api.model
    def _insert_moments(self, rule, moments):
        """Put firings of a rule about dates into the ledger, each moment once.

        :param dict moments: record id to the moment that it is due
        """
        occasions = {
            res_id: fields.Datetime.to_string(moment) for res_id, moment in moments.items()
        }
        # Not offered to the key again: a drainer may be at work on the row, and
        # Odoo's isolation makes that a failure of this job.
        there = {
            (firing.res_id, firing.occasion)
            for firing in self.search(
                [
                    ("rule_id", "=", rule.id),
                    ("res_id", "in", list(occasions)),
                    ("occasion", "in", list(occasions.values())),
                    ("state", "!=", "cancelled"),
                ]
            )
        }
        ids = [res_id for res_id, occasion in occasions.items() if (res_id, occasion) not in there]
        records = self.env[rule.model_name].browse(ids)
        if not records:
            return
        rows = [
            {
                **self._record_values(rule, record),
                "res_model": record._name,
                "res_id": record.id,
                "trigger": rule.trigger,
                "occasion": occasions[record.id],
                "due_at": moments[record.id],
                "run_at": moments[record.id],
            }
            for record in records
        ]
        # Cancelled when the rule was switched off; it is on again.
        self._insert_rows(
            rule,
            rows,
            SQL(
                """
                UPDATE SET state = 'pending', reason = NULL, finished_at = NULL, tries = 0,
                           run_at = EXCLUDED.run_at
                WHERE crm_automation_firing.state = 'cancelled'
                """
            ),
        )

    @api.model
    def _insert_about_rule(self, rule, reason):
        """A failure of the rule as a whole: one line a day."""
        now = self.env.cr.now().replace(microsecond=0)
        self._insert_rows(
            rule,
            [
                {
                    "res_model": rule.model_name or "?",
                    "res_id": 0,
                    "record_name": rule.name,
                    "trigger": rule.trigger,
                    "occasion": f"rule {now.date()}",
                    "due_at": now,
                    "run_at": now,
                    "state": "failed",
                    "reason": reason,
                    "finished_at": now,
                }
            ],
            SQL("NOTHING"),
        )

    @api.model
    def _insert_rows(self, rule, rows, on_conflict):
        """Insert rows of the ledger with one statement.

        :param rows: list of dicts of column values
        :param SQL on_conflict: what to do with a row whose key is there already
        """
        now = self.env.cr.now().replace(microsecond=0)
        common = {
            "rule_id": rule.id,
            "company_id": rule.company_id.id or None,
            "actor_id": self.env.context.get("automation_actor_id"),
            "state": "pending",
            "tries": 0,
            "delivery_state": "none",
            "create_uid": SUPERUSER_ID,
            "create_date": now,
            "write_uid": SUPERUSER_ID,
            "write_date": now,
        }
        empty = dict.fromkeys(
            ("record_name", "responsible_id", "payload", "chain", "reason", "finished_at")
        )
        rows = [{**empty, **common, **row} for row in rows]
        columns = sorted(rows[0])
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_automation_firing (%s) VALUES %s
                ON CONFLICT (rule_id, res_model, res_id, occasion) DO %s
                """,
                SQL(", ").join(map(SQL.identifier, columns)),
                SQL(", ").join(SQL("%s", tuple(row[name] for name in columns)) for row in rows),
                on_conflict,
            )
        )
        self.invalidate_model()

    @api.model
    def _note_applied(self, rule, model, ids, changes):
        """The fields have been changed in the user's own transaction."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_automation_firing
                SET payload = coalesce(payload, '{}'::jsonb) || '{"applied": true}'::jsonb
                WHERE rule_id = %s AND res_model = %s AND res_id IN %s AND occasion = %s
                """,
                rule.id,
                model,
                tuple(ids),
                changes.occasion,
            )
        )
        self.invalidate_model(["payload"])

    @api.model
    def _record_values(self, rule, record, gone=None):
        """What the log says of a record: its name and who answered for it."""
        if gone:
            return {
                "record_name": gone["name"],
                "company_id": gone["record_company_id"] or rule.company_id.id or None,
                "responsible_id": gone["responsible_ids"][:1] and gone["responsible_ids"][0] or None,
            }
        company = record["company_id"] if "company_id" in record._fields else rule.company_id
        return {
            "record_name": rule._name_for_log(record),
            "company_id": (company or rule.company_id).id or None,
            "responsible_id": rule._responsibles(record)[:1].id or None,
        }

    @api.model
    def _payload(self, hit):
        """What the record will no longer tell when the job comes to it."""
        old = {name: value for name, value in hit.old.items() if not name.startswith("@")}
        return {**({"old": old} if old else {}), **hit.facts}

    def _chain(self):
        """Ids of the rules that led here, this firing's own last."""
        self.ensure_one()
        return (*map(int, filter(None, (self.chain or "").split(","))), self.rule_id.id)

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
            moved = planned.filtered(
                lambda f: not rule._still_due(records[f.res_id], f.due_at)
            )
            moved._finish("skipped", self.env._("The date was moved."))
            moved._free_moment()
            late = (planned - moved).filtered(
                lambda f: rule._is_too_late(records[f.res_id], f.due_at, now)
            )
            late._finish("expired", self.env._("Too late: the lateness limit of the rule was over."))
            self -= moved + late
            planned -= moved + late
        try:
            matching = set(rule._matching(planned.mapped("res_id"))) if planned else set()
        except Exception as error:  # noqa: BLE001 - the log says it in a sentence
            planned._finish("failed", rule._why_it_failed(error))
            return self - planned
        others = planned.filtered(lambda f: f.res_id not in matching)
        others._finish("skipped", self.env._("It no longer matched the conditions when it was due."))
        if rule.trigger == "moment":
            others._free_moment()
        return self - others

    def _free_moment(self):
        """Should the date be moved back, or the record match again, before it is too
        late, then the same moment counts again."""
        for firing in self:
            firing.occasion = f"{firing.occasion} ({firing.id})"

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
        failed = self.sudo().filtered(
            # Of a deleted record that could not be asked, nothing is known.
            lambda firing: firing.state == "failed"
            and firing.res_id
            and "failure" not in (firing.payload or {})
        )
        now = self.env.cr.now().replace(microsecond=0)
        failed.write({"state": "pending", "run_at": now, "tries": 0, "finished_at": False})
        self._wake()
        return True

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

"""How executions get into the ledger: one statement, each occasion once."""

import json
import uuid

from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.tools import SQL

from ..engine.changes import MAX_CHAIN, join_facts
from .base import ACTOR, Actor
from .bulk import insert_rows


class CrmAutomationFiring(models.Model):
    _inherit = "crm.automation.firing"

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
        due = now if failure else rule._delayed(now, rule.owner_id.sudo().tz or "UTC")
        records = self.env[model].browse(hit.res_id for hit in hits if "gone" not in hit.facts)
        by_id = {record.id: record for record in records}
        rows = [
            {
                **self._record_values(rule, by_id.get(hit.res_id), hit.facts.get("gone")),
                **self._event_values(hit, told.get(hit.res_id, {})),
                **self._ending(hit, failure, now),
                "res_model": model,
                "trigger": rule.trigger,
                "occasion": changes.occasion,
                "due_at": now if "moved" in hit.facts else due,
                "run_at": now if "moved" in hit.facts else due,
            }
            for hit in hits
        ]
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
        if min(row["due_at"] for row in rows) > now:
            self._arm()
        elif not failure:
            self._wake()

    @api.model
    def _event_values(self, hit, told):
        """What an execution keeps of the change that it is about.

        :param dict told: see :meth:`_told_before`
        """
        return {
            "res_id": hit.res_id,
            "payload": Json(join_facts(told, self._payload(hit)), dumps=_dumps),
            "chain": ",".join(map(str, hit.chain)) or None,
        }

    @api.model
    def _ending(self, hit, failure, now):
        """How an execution has ended that nobody needs to run; else empty."""
        if reason := failure or hit.facts.get("failure"):
            return {"state": "failed", "reason": reason, "finished_at": now}
        if len(hit.chain) < MAX_CHAIN:
            return {}
        reason = self.env._(
            "Stopped: more than %(number)s automated actions have set each other "
            "off. See which of them change what another one waits for.",
            number=MAX_CHAIN,
        )
        return {"state": "cancelled", "reason": reason, "finished_at": now}

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
    def _insert_moments(self, rule, moments, dates):
        """Put firings of a rule about dates into the ledger, each moment once.

        :param dict moments: record id to the moment that it is due
        :param dict dates: record id to the value of the date field, empty without one
        """
        # Not offered to the key again: a drainer may be at work on the row, and
        # Odoo's isolation makes that a failure of this job.
        there = self._moments_there(rule, moments)
        records = self.env[rule.model_name].browse(id_ for id_ in moments if id_ not in there)
        if not records:
            return
        timing = rule._timing()
        rows = [
            {
                **self._moment_values(rule, record, moments[record.id]),
                "due_at": moments[record.id],
                "run_at": moments[record.id],
                "base_date": dates.get(record.id),
                "timing": timing,
            }
            for record in records
        ]
        # Cancelled when the rule was switched off; it is on again.
        self._insert_or_renew(rule, rows, ("run_at", "base_date", "timing"))
        if min(row["due_at"] for row in rows) <= self.env.cr.now():
            # At once: Odoo looks for triggers of a later second once a minute only.
            self._wake()

    @api.model
    def _moment_values(self, rule, record, moment):
        """What names the execution of a moment: its key, and what the log says of it."""
        return {
            **self._record_values(rule, record),
            "res_model": record._name,
            "res_id": record.id,
            "trigger": rule.trigger,
            "occasion": fields.Datetime.to_string(moment),
        }

    @api.model
    def _moments_there(self, rule, moments):
        """Ids of the records whose moment has an execution that is not cancelled.

        :param dict moments: record id to the moment
        """
        occasions = {id_: fields.Datetime.to_string(moment) for id_, moment in moments.items()}
        found = self.search(
            [
                ("rule_id", "=", rule.id),
                ("res_id", "in", list(occasions)),
                ("occasion", "in", list(occasions.values())),
                ("state", "!=", "cancelled"),
            ]
        )
        return {firing.res_id for firing in found if occasions[firing.res_id] == firing.occasion}

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
    def _insert_or_renew(self, rule, rows, names):
        """Insert rows of the ledger; one that is there and was cancelled is waited for again.

        :param names: columns that such a row takes from the new one
        """
        self._insert_rows(
            rule,
            rows,
            SQL(
                """
                UPDATE SET state = 'pending', reason = NULL, finished_at = NULL, tries = 0, %s
                WHERE crm_automation_firing.state = 'cancelled'
                """,
                SQL(", ").join(
                    SQL("%s = EXCLUDED.%s", SQL.identifier(name), SQL.identifier(name))
                    for name in names
                ),
            ),
        )

    @api.model
    def _insert_rows(self, rule, rows, on_conflict):
        """Insert rows of the ledger with one statement.

        :param rows: list of dicts of column values
        :param SQL on_conflict: what to do with a row whose key is there already
        """
        actor = self.env.context.get(ACTOR)
        common = {
            "rule_id": rule.id,
            "company_id": rule.company_id.id or None,
            "actor_id": int(actor) if isinstance(actor, Actor) else None,
            "state": "pending",
            "tries": 0,
            "delivery_state": "none",
        }
        empty = dict.fromkeys(
            (
                "record_name", "responsible_id", "payload", "chain", "reason", "finished_at",
                "base_date", "timing",
            )
        )  # fmt: skip
        insert_rows(
            self,
            [{**empty, **common, **row} for row in rows],
            SQL("ON CONFLICT (rule_id, res_model, res_id, occasion) DO %s", on_conflict),
        )

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
                "responsible_id": next(iter(gone["responsible_ids"]), None),
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


def _dumps(value):
    return json.dumps(value, default=str)

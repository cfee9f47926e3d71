"""The decision: which rules a transaction's changes are for.

Decided on the net change, once per rule, record and transaction, before the commit. In the
user's transaction a rule inserts an execution and changes the record's fields; everything
else is done by a job. What is watched is in ``crm_automation_rule_watch.py``.
"""

import collections
import contextlib
import functools
import logging

import psycopg2

from odoo import api, fields, models

from ..engine.changes import MAX_CHAIN, Change, join_facts
from .base import CHAIN, CHANGES, EVENTS, SCHEDULED, Chain
from .crm_automation_rule_trigger import SERIES_TRIGGERS

_logger = logging.getLogger(__name__)

#: One rule's part in a decision; see ``_decide_model``.
Work = collections.namedtuple(
    "Work", ["rule", "trigger", "mine", "candidates", "known", "hits", "error"]
)

#: Told by the method in which they happen, not found in a record's change.
EVENT_TRIGGERS = frozenset({"opportunities_merged", "invitation_answered", "deleted", "called"})

#: Rounds of decisions for one save from a form.
MAX_ROUNDS = 20


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    # -- deciding ---------------------------------------------------------------

    @api.model
    def _decide_all(self):
        """Decide until nothing waits: what one rule changes is for others."""
        for _round in range(MAX_ROUNDS):
            self.env.flush_all()
            self._decide()
            if SCHEDULED not in self.env.cr.precommit.data:
                break

    @api.model
    def _decide(self):
        """Hand the transaction's net changes to the rules; run before the commit.

        Also run at every savepoint: a decision taken there is taken again when
        the record changes again, and withdrawn when nothing of it is left.
        """
        cr = self.env.cr
        cr.precommit.data.pop(SCHEDULED, None)
        events = cr.precommit.data.pop(EVENTS, ())
        changes = cr.postcommit.data.get(CHANGES)
        if changes is None:
            return
        models_waiting = dict.fromkeys(
            [*changes.waiting_models(), *(model for _trigger, model, *_rest in events)]
        )
        for model in models_waiting:
            watch = self._watches().get(model)
            taken = changes.take(model)
            if watch:
                self._decide_model(changes, model, watch, taken, self._told(events, model))

    @api.model
    def _told(self, events, model):
        """Trigger to the events of a model, as Changes; one for each record and rule."""
        found = collections.defaultdict(dict)
        for trigger, name, res_id, facts, chain in events:
            if name != model:
                continue
            key = (res_id, facts.get("rule_id"))
            if before := found[trigger].get(key):
                # Several answers to one meeting, for example: all in one notice.
                facts = join_facts(before.facts, facts)
            found[trigger][key] = Change(res_id, False, {}, facts, chain)
        return {trigger: list(by_key.values()) for trigger, by_key in found.items()}

    def _decide_model(self, changes, model, watch, taken, told):
        """Decide on the changes of one model. A rule never breaks the save.

        :param changes: the ``engine.changes.TransactionChanges``
        :param taken: the records' net changes
        :param told: trigger to list of Change, for business events
        """
        everything = functools.cache(functools.partial(changes.everything, model))
        work = []
        # Together, so that they are read together.
        rules = self.browse([rule_id for rule_id, _trigger in watch.rules])
        for rule, (rule_id, trigger) in zip(rules, watch.rules, strict=True):
            mine, candidates = rule._events_for_it(told.get(trigger, ())), taken
            if trigger in SERIES_TRIGGERS and (taken or mine):
                # Which meeting of a series stands for it may change with each write.
                candidates = everything()
            known = changes.decided_on(rule_id, model, candidates)
            hits, error = rule._hits(trigger, model, candidates, mine)
            stale = known - changes.applied - {(rule_id, model, c.res_id) for c in hits}
            if hits or stale or error:
                work.append(Work(rule, trigger, mine, candidates, known, hits, error))
        matching = self._ask_together(work)
        for job in work:
            job.rule._settle(changes, model, job, matching.get(job.rule.id))

    def _events_for_it(self, told):
        """Of the business events, those that are for this rule, and not of its own doing."""
        return [
            change for change in told
            if change.facts.get("rule_id", self.id) == self.id
            and change.chain[-1:] != (self.id,)
        ]  # fmt: skip

    def _settle(self, changes, model, job, matching):
        """Bring the ledger to what the rule decides now, or to why it cannot.

        :param Work job: the rule's part in the decision
        :param matching: ids of the records that satisfy its conditions, where they were
            asked already
        """
        if matching is not None and not matching:
            return
        # What stands, should the rule fail: what it had decided before.
        decided, error = job.known, job.error
        if not error:
            with self._never_in_the_way(f"rule {self.id} on {model}") as outcome:
                decided = self._enqueue(changes, model, job.hits, bool(job.mine), matching)
                self._withdraw(changes, job.known - decided - changes.applied)
            error = outcome.error
        if error:
            with self._never_in_the_way(f"noting the failure of rule {self.id}"):
                self._note_failure(changes, model, job.hits or job.candidates, error)
        if job.trigger not in EVENT_TRIGGERS and not job.mine:
            # An event has happened, whatever the record looks like later: only
            # decisions on net changes are taken again.
            # None is taken out: a rollback to a savepoint may bring it back.
            changes.decided |= decided - changes.applied

    def _ask_together(self, work):
        """Rule id to the ids of the changed records that satisfy its conditions.

        All are asked in one savepoint: of many rules on the same event mostly few
        match, and each further savepoint costs the save. A rule that is left out
        asks for itself: all of them where anything goes wrong, or where one changes
        what the next one asks for.
        """
        if len(work) < 2:
            return {}
        found = {}
        with self._never_in_the_way("asking all conditions together") as outcome:
            if any(job.rule._compiled().changes_fields for job in work):
                return {}
            for job in work:
                if job.known or job.error or any("gone" in hit.facts for hit in job.hits):
                    continue
                found[job.rule.id] = set(job.rule._matching([hit.res_id for hit in job.hits]))
        return {} if outcome.error else found

    def _hits(self, trigger, model, candidates, mine):
        """The changes that the trigger waits for, and what went wrong, or None.

        No savepoint: it only looks at what is in the cache, and costs each save
        of a watched field.
        """
        if trigger in EVENT_TRIGGERS:
            return mine, None
        try:
            return mine + self._triggered(trigger, model, candidates), None
        except psycopg2.Error:
            raise  # the transaction is lost
        except Exception as error:
            _logger.warning("Automated actions: rule %s failed", self.id, exc_info=True)
            return [], error

    @contextlib.contextmanager
    def _never_in_the_way(self, what):
        """Undo and log what fails, so that the save and the other rules go on.

        The work starts from a flushed state, so that undoing it loses nothing of
        the user's. A flushing savepoint would run the precommit hooks again.

        :return: an object whose ``error`` is what went wrong, or None
        """
        outcome = Outcome()
        self.env.flush_all()
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            yield outcome
            self.env.flush_all()
        except psycopg2.extensions.TransactionRollbackError:
            raise  # the whole transaction is lost, and Odoo repeats it
        except Exception as error:
            outcome.error = error
            savepoint.close(rollback=True)
            self.env.transaction.clear()
            _logger.warning("Automated actions: %s failed", what, exc_info=True)
        else:
            savepoint.close(rollback=False)

    @api.model
    def _deletions(self, records, rules):
        """What the executions of rules that wait for a deletion will need.

        :param records: about to be deleted
        :param rules: pairs of rule id and trigger
        :return: list of (record, trigger, facts)
        """
        found = []
        if not rules:
            return found
        records = records.sudo().exists()
        for rule_id, trigger in rules:
            rule = self.sudo().browse(rule_id)
            with rule._never_in_the_way(f"rule {rule_id} on a deletion") as outcome:
                asked = records
                if trigger == "meeting_cancelled":
                    now = fields.Datetime.now()
                    asked = asked.filtered(lambda event: event.active and event.stop >= now)  # noqa: B023
                matching = records.browse(rule._matching(asked.ids)) if asked else asked
                if trigger == "meeting_cancelled":
                    matching = self._first_of_each_series(matching)
                found += [
                    (record, trigger, {"rule_id": rule_id, "gone": rule._snapshot(record)})
                    for record in matching
                ]
            if outcome.error:
                speaker = rule.with_context(lang=rule.owner_id.lang)
                failure = speaker._why_it_failed(outcome.error)
                found += [
                    (record, trigger, {
                        "rule_id": rule_id,
                        "gone": speaker._snapshot_for_log(record),
                        "failure": failure,
                    })
                    for record in records
                ]  # fmt: skip
        return found

    # -- the executions -------------------------------------------------------------

    def _enqueue(self, changes, model, triggered, told, matching=None):
        """Insert a firing for each change whose record satisfies the conditions.

        :param bool told: business events are among them, which happen anew each time
        :param matching: ids of the records that do, where they were asked already
        :return: set of (rule id, model, record id)
        """
        self.ensure_one()
        keys = {change.res_id: (self.id, model, change.res_id) for change in triggered}
        self._forget_undone(changes, keys.values())
        triggered = [c for c in triggered if keys[c.res_id] not in changes.applied or told]
        gone = [change for change in triggered if "gone" in change.facts]
        there = [change for change in triggered if "gone" not in change.facts]
        if there:
            if matching is None:
                matching = set(self._matching([change.res_id for change in there]))
            records = self.env[model]
            there = [
                change for change in there
                if change.res_id in matching
                and self._transition_holds(change, records.browse(change.res_id))
            ]  # fmt: skip
        hits = gone + there
        if hits:
            self.env["crm.automation.firing"]._insert(self, model, hits, changes)
            self._act_at_once(changes, model, there)
        return {keys[change.res_id] for change in hits}

    def _forget_undone(self, changes, keys):
        """What has been done before a rollback to a savepoint is done no longer.

        The memory does not see such a rollback; the ledger is rolled back with it.
        """
        done = changes.applied.intersection(keys)
        if done:
            there = self.env["crm.automation.firing"].search(
                [("rule_id", "=", self.id), ("occasion", "=", changes.occasion)]
            )
            changes.applied -= done - {
                (self.id, firing.res_model, firing.res_id) for firing in there
            }

    def _act_at_once(self, changes, model, hits):
        """Change fields in the user's own transaction, so that he sees it.

        What fails here is undone and left to the job, which says why.
        """
        # A correction only tells.
        hits = [c for c in hits if len(c.chain) < MAX_CHAIN and "moved" not in c.facts]
        if self.delay_number or not self._compiled().changes_fields or not hits:
            return
        for chain in dict.fromkeys(change.chain for change in hits):
            ids = [change.res_id for change in hits if change.chain == chain]
            with self._never_in_the_way(f"changing fields by rule {self.id}") as outcome:
                records = self._owner_model().browse(ids)
                self._change_fields(records.with_context(**{CHAIN: Chain((*chain, self.id))}))
            if not outcome.error:
                changes.applied |= {(self.id, model, res_id) for res_id in ids}
                self.env["crm.automation.firing"]._note_applied(self, model, ids, changes)

    def _withdraw(self, changes, keys):
        """Delete firings of this transaction whose reason is gone again."""
        for rule_id, model, res_id in keys:
            self.env["crm.automation.firing"].search(
                [
                    ("rule_id", "=", rule_id),
                    ("res_model", "=", model),
                    ("res_id", "=", res_id),
                    ("occasion", "=", changes.occasion),
                    ("state", "=", "pending"),
                ]
            ).unlink()

    def _note_failure(self, changes, model, hits, error):
        """The rule could not decide: said in the log, once per record and transaction."""
        records = self.env[model].browse([change.res_id for change in hits]).exists()
        there = set(records.ids)
        self.env["crm.automation.firing"]._insert(
            self,
            model,
            [change for change in hits if change.res_id in there],
            changes,
            failure=self.with_context(lang=self.owner_id.lang)._why_it_failed(error),
        )


class Outcome:
    """What became of a piece of work; ``error`` is None while nothing went wrong."""

    error = None

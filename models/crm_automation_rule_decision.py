"""The decision: which rules a transaction's changes are for.

Owns the triggers. Decided on the net change, once per rule, record and
transaction, before the commit. In the user's transaction a rule inserts an
execution and changes the record's fields; everything else is done by a job.
"""

import collections
import contextlib
import dataclasses
import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import MissingError, ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache

from ..engine.changes import MAX_CHAIN, Change, join_facts
from .base import CHAIN, CHANGES, EVENTS, SCHEDULED
from .record_fields import state_field

_logger = logging.getLogger(__name__)

#: What is known of one model: written field to the fields whose old values are
#: then kept; (id, trigger) of its rules; those that wait for deletions; ids of
#: those with a filter before the change.
Watch = collections.namedtuple("Watch", ["remember", "rules", "deletions", "before"])

#: One rule's part in a decision; see ``_decide_model``.
Work = collections.namedtuple(
    "Work", ["rule", "trigger", "mine", "candidates", "known", "hits", "error"]
)

#: Told by the method in which they happen, not found in a record's change.
EVENT_TRIGGERS = frozenset({"opportunities_merged", "invitation_answered", "deleted", "called"})
#: Waited for at the deletion of a record.
DELETION_TRIGGERS = frozenset({"deleted", "meeting_cancelled"})
#: One execution for a whole series of meetings, however many are written.
SERIES_TRIGGERS = frozenset({"meeting_booked", "meeting_moved", "meeting_cancelled"})

#: Rounds of decisions for one save from a form.
MAX_ROUNDS = 20

#: Written by Odoo beside what somebody changes: no change by itself.
NO_CHANGE = frozenset(
    {
        "id", "create_uid", "create_date", "write_uid", "write_date", "parent_path",
        "automated_probability", "duration_tracking", "access_token", "date_last_stage_update",
        "message_main_attachment_id", "message_bounce", "activity_ids", "message_ids",
        "message_follower_ids", "website_message_ids", "attendee_ids",
    }
)  # fmt: skip


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    watched_field_ids = fields.Many2many(
        "ir.model.fields",
        "crm_automation_rule_watched_rel",
        string="Watched Fields",
        domain="[('model_id', '=', model_id), ('store', '=', True), ('ttype', '!=', 'one2many')]",
        help="The rule acts only when one of these has got another value. Empty: any field.",
    )

    # -- what is watched --------------------------------------------------------

    @api.model
    @ormcache()
    def _watches(self):
        """Model name to Watch, for all rules that are switched on."""
        found = {}
        for rule in self.sudo().search([("enabled", "=", True)]):
            if rule.model_name not in self.env:
                continue
            watch = found.setdefault(rule.model_name, Watch({}, [], [], []))
            for written, names in rule._watched_names().items():
                watch.remember[written] = watch.remember.get(written, frozenset()) | names
            watch.rules.append((rule.id, rule.trigger))
            if rule.trigger in DELETION_TRIGGERS:
                watch.deletions.append((rule.id, rule.trigger))
            if rule.before_domain and rule.before_domain != "[]":
                watch.before.append(rule.id)
        return found

    def _watched_names(self):
        """Written field to the frozenset of fields whose old values are kept."""
        self.ensure_one()
        model = self.env[self.model_name]
        names = set(self._trigger_fields())
        found = {name: frozenset({name}) for name in names if name in model._fields}
        if self.trigger in SERIES_TRIGGERS:
            all_names = frozenset(found)
            found = dict.fromkeys(found, all_names)
        state = state_field(model)
        sources = model._business_state_sources() if state == "business_state" else (state,)
        for name in self._before_names():
            # Whichever of them is written first: then the filter is asked.
            for written in sources if name == state else (name,):
                found[written] = found.get(written, frozenset()) | {written}
        if state and (self.trigger == "state_reached" or self.state_from_ids):
            # An answer to an invitation is told under the state's own name.
            for name in (*sources, state):
                found[name] = found.get(name, frozenset()) | {state}
        return found

    def _before_names(self):
        """Names of the fields that the filter before the change asks for."""
        try:
            conditions = self._literal(self.before_domain).iter_conditions()
            names = {condition.field_expr.split(".")[0] for condition in conditions}
        except (ValidationError, ValueError, TypeError):
            return set()  # the decision says that it is no filter
        state = state_field(self.env[self.model_name])
        fields_ = self.env[self.model_name]._fields
        return {name for name in names if name == state or name in fields_ and fields_[name].store}

    def _trigger_fields(self):
        """Names of the fields whose writing may be what the rule waits for."""
        if self.trigger in ("updated", "saved"):
            if self.watched_field_ids:
                return self.watched_field_ids.sudo().mapped("name")
            return [
                name
                for name, field in self.env[self.model_name]._fields.items()
                if field.store and field.type not in ("one2many", "binary", "json")
                and name not in NO_CHANGE
            ]  # fmt: skip
        if self.trigger == "moment":
            name = self._date_field_name()
            return [name] if name else []
        return {
            "lead_converted": ["type"],
            "won": ["won_status"],
            "lost": ["won_status"],
            "stage_entered": ["stage_id"],
            "meeting_booked": ["recurrence_id"],
            "meeting_moved": ["start", "stop", "recurrence_id", "active"],
            "meeting_cancelled": ["active", "start", "stop", "recurrence_id"],
        }.get(self.trigger, [])

    @api.model
    def _before_flags(self, records, rule_ids):
        """Record id to which of the rules' filters before the change it matches.

        The database is asked without a flush: it has what the transaction found,
        and computing what is pending now would mix old values with new ones.
        """
        found = collections.defaultdict(dict)
        for rule in self.sudo().browse(rule_ids):
            # What is wrong is told when the rule is decided.
            with contextlib.suppress(Exception), self.env.cr.savepoint(flush=False):
                domain = Domain("id", "in", records.ids) & rule._literal(rule.before_domain)
                self.env.cr.execute(rule._owner_model()._search(domain).select())
                there = {row[0] for row in self.env.cr.fetchall()}
                # Also that it did not match: a later look must not say it did.
                for res_id in records.ids:
                    found[res_id][f"@before:{rule.id}"] = res_id in there
        return found

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
        waiting = {change.res_id for change in taken}
        everything = None
        work = []
        # Together, so that they are read together.
        rules = self.browse([rule_id for rule_id, _trigger in watch.rules])
        for rule, (rule_id, trigger) in zip(rules, watch.rules, strict=True):
            mine = [
                change for change in told.get(trigger, ())
                if change.facts.get("rule_id", rule_id) == rule_id
                and change.chain[-1:] != (rule_id,)
            ]  # fmt: skip
            candidates, ids = taken, waiting
            if trigger in SERIES_TRIGGERS and (taken or mine):
                # Which meeting of a series stands for it may change with each write.
                everything = everything or changes.everything(model)
                candidates = everything
                ids = {change.res_id for change in everything}
            known = {
                key for key in changes.decided
                if key[0] == rule_id and key[1] == model and key[2] in ids
            }  # fmt: skip
            hits, error = rule._hits(trigger, model, candidates, mine)
            stale = known - changes.applied - {(rule_id, model, c.res_id) for c in hits}
            if hits or stale or error:
                work.append(Work(rule, trigger, mine, candidates, known, hits, error))
        silent = self._silent(work)
        for rule, trigger, mine, candidates, known, hits, error in work:
            if rule.id in silent:
                continue
            # What stands, should the rule fail: what it had decided before.
            decided = known
            if not error:
                with self._never_in_the_way(f"rule {rule.id} on {model}") as outcome:
                    decided = rule._enqueue(changes, model, hits, told=bool(mine))
                    self._withdraw(changes, known - decided - changes.applied)
                error = outcome.error
            if error:
                with self._never_in_the_way(f"noting the failure of rule {rule.id}"):
                    rule._note_failure(changes, model, hits or candidates, error)
            if trigger not in EVENT_TRIGGERS and not mine:
                # An event has happened, whatever the record looks like later: only
                # decisions on net changes are taken again.
                # None is taken out: a rollback to a savepoint may bring it back.
                changes.decided |= decided - changes.applied

    def _silent(self, work):
        """Ids of the rules whose conditions none of their changes satisfies.

        All are asked in one savepoint: of many rules on the same event mostly few
        match, and each further savepoint costs the save. Where anything goes wrong,
        or a rule changes what the next one asks for, nobody is left out here.
        """
        if len(work) < 2:
            return frozenset()
        silent = set()
        with self._never_in_the_way("asking all conditions together") as outcome:
            if any(job.rule._compiled().changes_fields for job in work):
                return frozenset()
            for job in work:
                if job.known or job.error or any("gone" in hit.facts for hit in job.hits):
                    continue
                if not job.rule._matching([hit.res_id for hit in job.hits]):
                    silent.add(job.rule.id)
        return frozenset() if outcome.error else silent

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

    # -- what has happened --------------------------------------------------------

    def _triggered(self, trigger, model, changes):
        """Those of the net changes that are what the trigger waits for.

        Asks the database nothing where the values are in the cache, as they
        are for what has just been written.
        """
        if trigger == "moment":
            self._wake_for(model, changes)
            return []
        records = self.env[model].browse([change.res_id for change in changes])
        is_triggered = getattr(self, f"_is_triggered_{trigger}")
        hits = []
        for change, record in zip(changes, records, strict=True):
            if change.chain and change.chain[-1] == self.id:
                continue  # its own doing
            # A record deleted since has nothing left to be read.
            with contextlib.suppress(MissingError):
                if is_triggered(change, record):
                    hits.append(change)
        if trigger in SERIES_TRIGGERS and hits:
            return self._one_of_each_series(trigger, model, hits, changes)
        return hits

    @staticmethod
    def _value(record, name):
        return record._fields[name].convert_to_read(record[name], record, use_display_name=False)

    def _has_changed(self, change, record, name):
        if name not in change.old:
            return False
        old, new = change.old[name], self._value(record, name)
        if record._fields[name].type == "many2many":
            # Another order of the same is no change.
            return set(old) != set(new)
        return old != new

    def _is_triggered_created(self, change, _record):
        return change.created

    def _is_triggered_updated(self, change, record):
        if change.created:
            return False
        watched = set(self._trigger_fields())
        return any(self._has_changed(change, record, name) for name in watched & change.old.keys())

    def _is_triggered_saved(self, change, record):
        return change.created or self._is_triggered_updated(change, record)

    def _is_triggered_lead_converted(self, change, lead):
        """A lead that the transaction found as a lead is now an opportunity.

        One that is created as an opportunity was never converted.
        """
        return (
            not change.created and change.old.get("type") == "lead" and lead.type == "opportunity"
        )

    def _is_triggered_won(self, change, lead):
        return self._has_become(change, lead, "won_status", "won")

    def _is_triggered_lost(self, change, lead):
        return self._has_become(change, lead, "won_status", "lost")

    def _has_become(self, change, record, name, value):
        return record[name] == value and (change.created or self._has_changed(change, record, name))

    def _is_triggered_stage_entered(self, change, record):
        """Also for a record that is created in a stage."""
        return bool(record.stage_id) and (
            change.created or self._has_changed(change, record, "stage_id")
        )

    def _is_triggered_state_reached(self, change, record):
        name = state_field(record)
        if change.created:
            # There was no state before.
            return not self.state_from_ids and bool(record[name])
        return self._has_changed(change, record, name)

    def _is_triggered_task_created(self, change, task):
        """A new task of a project, no template and no copy made by a recurrence."""
        if not change.created or not task.project_id:
            return False
        if task.is_template or task.has_template_ancestor or task.has_project_template:
            return False
        top = task.parent_id or task
        return not top.recurrence_id or top.id == min(top.recurrence_id.task_ids.ids)

    def _is_triggered_meeting_booked(self, change, event):
        """A new meeting that is still to come; of a series, the one it was booked by."""
        if not change.created or not event.active:
            return False
        if event.recurrence_id and event.recurrence_id.base_event_id != event:
            return False
        return bool(self._next_meeting(event))

    def _is_triggered_meeting_moved(self, change, event):
        if change.created or not event.active or not change.old.get("active", True):
            return False
        if not any(self._has_changed(change, event, name) for name in ("start", "stop")):
            return False
        if self._has_changed(change, event, "recurrence_id"):
            # The meeting by which Odoo moves a whole series.
            return bool(self._next_meeting(event))
        return event.stop >= fields.Datetime.now()

    @api.model
    def _next_meeting(self, event):
        """The meeting if it is still to come, else the next one of its series."""
        now = fields.Datetime.now()
        if event.stop >= now:
            return event
        to_come = event.recurrence_id.calendar_event_ids.filtered(lambda other: other.stop >= now)
        return to_come.sorted("start")[:1]

    def _is_triggered_meeting_cancelled(self, change, event):
        if change.created or event.active or not change.old.get("active"):
            return False
        return change.old.get("stop", event.stop) >= fields.Datetime.now()

    def _one_of_each_series(self, trigger, model, hits, changes):
        """Of the meetings of one series, the first.

        Odoo changes a series by archiving its meetings but one, which goes on in
        a new series with new meetings: that is no cancellation.
        """
        records = self.env[model]
        series_of = {
            change.res_id: series
            for change in changes
            if (series := change.old.get("recurrence_id"))
        }
        moved = {
            series_of[record.id]
            for record in records.browse(series_of).exists()
            if record.active and record.recurrence_id.id not in (False, series_of[record.id])
        }
        kept = {}
        for change in hits:
            record = records.browse(change.res_id)
            series = change.old.get("recurrence_id") or record.recurrence_id.id
            if trigger == "meeting_cancelled" and series in moved:
                continue
            key = f"series {series}" if series else change.res_id
            best = kept.get(key)
            if not best or record.start < records.browse(best.res_id).start:
                kept[key] = change
        if trigger == "meeting_cancelled":
            return list(kept.values())
        # Of a series that has begun, the next meeting is what people want to know.
        return [
            dataclasses.replace(change, res_id=self._next_meeting(records.browse(change.res_id)).id)
            for change in kept.values()
        ]

    @api.model
    def _deletions(self, records, rules):
        """What the executions of rules that wait for a deletion will need.

        :param records: about to be deleted
        :param rules: pairs of rule id and trigger
        :return: list of (record, trigger, facts)
        """
        found = []
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

    @api.model
    def _first_of_each_series(self, events):
        changes = self.env.cr.postcommit.data.get(CHANGES)
        known = changes.everything(events._name) if changes else ()
        old = {change.res_id: change.old for change in known}
        kept = {}
        for event in events.sorted("start"):
            series = event.recurrence_id.id or old.get(event.id, {}).get("recurrence_id")
            kept.setdefault(series or f"event {event.id}", event)
        return events.browse([event.id for event in kept.values()])

    # -- the executions -------------------------------------------------------------

    def _enqueue(self, changes, model, triggered, told=False):
        """Insert a firing for each change whose record satisfies the conditions.

        :return: set of (rule id, model, record id)
        """
        self.ensure_one()
        keys = {change.res_id: (self.id, model, change.res_id) for change in triggered}
        self._forget_undone(changes, keys.values())
        triggered = [c for c in triggered if keys[c.res_id] not in changes.applied or told]
        gone = [change for change in triggered if "gone" in change.facts]
        there = [change for change in triggered if "gone" not in change.facts]
        if there:
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
        hits = [change for change in hits if len(change.chain) < MAX_CHAIN]
        if self.delay_number or not self._compiled().changes_fields or not hits:
            return
        for chain in dict.fromkeys(change.chain for change in hits):
            ids = [change.res_id for change in hits if change.chain == chain]
            with self._never_in_the_way(f"changing fields by rule {self.id}") as outcome:
                records = self._owner_model().browse(ids)
                self._change_fields(records.with_context(**{CHAIN: (*chain, self.id)}))
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

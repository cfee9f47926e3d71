"""Watches every model for the changes that rules wait for.

Owns the hooks (create, write, unlink, stored computed fields) and the one point
where a transaction's changes are handed to the rules. What a change means is
decided in ``crm_automation_rule_decision.py``. A method override, never a patch:
stock's ``base.automation`` deletes patched methods by name whenever a rule is
edited.
"""

from odoo import SUPERUSER_ID, api, models

from ..engine.changes import TransactionChanges
from .record_fields import plain_value

#: Key of the transaction's memory. It hangs on ``postcommit.data``, which lives
#: exactly as long as the transaction; ``precommit.data`` is emptied at every
#: savepoint.
CHANGES = "crm_automation.changes"
SCHEDULED = "crm_automation.scheduled"
#: Business events that wait for a decision. They hang on ``precommit.data``:
#: rolling back to a savepoint undoes what they tell of, and forgets them too.
EVENTS = "crm_automation.events"
#: Context key: ids of the rules whose actions are at work, the latest last; as a
#: ``Chain``, which no client can send.
CHAIN = "automation_chain"
#: Context key: id of the user who has made the changes that are decided on; as an ``Actor``.
ACTOR = "automation_actor_id"
#: Context key of what is taken in from elsewhere, without a word to anybody, and the
#: value that it has to have: an object, which no client can send.
QUIET = "automation_quiet"
SILENCE = object()
#: Context key of a save from a form, whose answer shows what rules have changed.
WEB_SAVE = "automation_web_save"


class Chain(tuple):
    """Ids of rules, in a context."""


class Actor(int):
    """Id of a user, in a context."""


class Base(models.AbstractModel):
    _inherit = "base"

    def _automation_watch(self):
        """What rules want to know of this model, or None.

        One look-up in a cache. While the registry is being built (install,
        update, uninstall) the tables of this addon may be missing.
        """
        if not self.pool.ready or self._transient:
            return None
        if self.env.context.get(QUIET) is SILENCE:
            return None
        return self.env["crm.automation.rule"]._watches().get(self._name)

    def _automation_changes(self):
        """The memory of this transaction, with the decision before its commit."""
        cr = self.env.cr
        changes = cr.postcommit.data.get(CHANGES)
        if changes is None:
            changes = cr.postcommit.data[CHANGES] = TransactionChanges()
        if SCHEDULED not in cr.precommit.data:
            cr.precommit.data[SCHEDULED] = True
            cr.precommit.add(self._automation_decider()._decide)
        return changes

    def _automation_decider(self):
        """The rules, with the rights to decide and the name of who has done it."""
        context = {ACTOR: Actor(self.env.uid)}
        return api.Environment(self.env.cr, SUPERUSER_ID, context)["crm.automation.rule"]

    def _automation_chain(self):
        chain = self.env.context.get(CHAIN)
        return chain if isinstance(chain, Chain) else ()

    def _automation_before(self, names):
        """These fields are about to change: keep the values that rules ask for.

        At most one query, however many records and columns there are.
        """
        watch = self._automation_watch()
        if not watch or watch.remember.keys().isdisjoint(names):
            return
        wanted = frozenset().union(
            *(watch.remember[name] for name in watch.remember.keys() & set(names))
        )
        ids = [res_id for res_id in self._ids if isinstance(res_id, int)]
        changes, chain = self._automation_changes(), self._automation_chain()
        records = self.sudo().browse(changes.missing(self._name, ids, wanted))
        records.fetch([name for name in wanted if self._fields[name].store])
        flags = {}
        if records and watch.before:
            flags = self.env["crm.automation.rule"]._before_flags(records, watch.before)
        for record in records:
            changes.remember(
                self._name,
                record.id,
                {name: plain_value(record, name) for name in wanted} | flags.get(record.id, {}),
                chain,
            )
        # Computed from old values; a stored computed field that is written now
        # would not invalidate what depends on it.
        for name in wanted:
            if not self._fields[name].store:
                records.invalidate_recordset([name], flush=False)
        changes.touch(self._name, ids, chain)

    def _automation_awaits(self, trigger):
        """Whether a rule waits for this business event of the model."""
        watch = self._automation_watch()
        return bool(watch) and any(trigger == name for _rule_id, name in watch.rules)

    def _automation_event(self, trigger, facts):
        """A business event has happened to the record.

        :param str trigger: the trigger of the rules that wait for it
        :param dict facts: what it says of itself, kept with the execution
        """
        self.ensure_one()
        self._automation_changes()
        events = self.env.cr.precommit.data.setdefault(EVENTS, [])
        events.append((trigger, self._name, self.id, facts, self._automation_chain()))

    def _automation_call(self, rule):
        """A server action or a button calls a rule for these records."""
        for record in self:
            record._automation_event("called", {"rule_id": rule.id})

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._automation_created()
        return records

    def _automation_created(self):
        """These records are new: create() says so, and whoever inserts rows past it."""
        if self._automation_watch():
            self._automation_changes().add_created(self._name, self.ids, self._automation_chain())

    def write(self, vals):
        self._automation_before(vals.keys())
        return super().write(vals)

    def unlink(self):
        watch = self._automation_watch()
        if not watch:
            return super().unlink()
        # Told after: a deletion that is refused has not happened.
        events = self.env["crm.automation.rule"]._deletions(self, watch.deletions)
        name, ids = self._name, self.ids
        result = super().unlink()
        self.env["crm.automation.firing"].sudo()._cancel_of_deleted(name, ids)
        for record, trigger, facts in events:
            record._automation_event(trigger, facts)
        return result

    def _compute_field_value(self, field):
        # A stored computed field reaches the database without write().
        if field.store and (watch := self._automation_watch()) and watch.remember:
            self._automation_before({f.name for f in self.pool.field_computed[field] if f.store})
        return super()._compute_field_value(field)

    def web_save(self, vals, specification, next_id=None):
        records = self.with_context(**{WEB_SAVE: True}) if self.pool.ready else self
        return super(Base, records).web_save(vals, specification, next_id=next_id)

    def web_save_multi(self, vals_list, specification):
        records = self.with_context(**{WEB_SAVE: True}) if self.pool.ready else self
        return super(Base, records).web_save_multi(vals_list, specification)

    @api.readonly
    def web_read(self, specification):
        """After a save, the rules decide first: what they change is on the screen."""
        if not self.env.context.get(WEB_SAVE):
            return super().web_read(specification)
        records = self.with_context(**{WEB_SAVE: False})
        if self.env.cr.precommit.data.get(SCHEDULED):
            self._automation_decider()._decide_all()
        return super(Base, records).web_read(specification)

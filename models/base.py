"""Watches every model for the changes that rules wait for.

Owns the hooks (create, write, stored computed fields) and the one point where
a transaction's changes are handed to the rules. What a change means is decided
in ``crm.automation.rule``. A method override, never a patch: stock's
``base.automation`` deletes patched methods by name whenever a rule is edited.
"""

from odoo import SUPERUSER_ID, api, models

from ..engine.changes import TransactionChanges

#: Key of the transaction's memory. It hangs on ``postcommit.data``, which lives
#: exactly as long as the transaction; ``precommit.data`` is emptied at every
#: savepoint.
CHANGES = "crm_automation.changes"
SCHEDULED = "crm_automation.scheduled"
#: Business events that wait for a decision. They hang on ``precommit.data``:
#: rolling back to a savepoint undoes what they tell of, and forgets them too.
EVENTS = "crm_automation.events"


class Base(models.AbstractModel):
    _inherit = "base"

    def _automation_watch(self):
        """What rules want to know of this model, or None.

        One look-up in a cache. While the registry is being built (install,
        update, uninstall) the tables of this addon may be missing.
        """
        if not self.pool.ready or self._transient:
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
            env = api.Environment(cr, SUPERUSER_ID, {"automation_actor_id": self.env.uid})
            cr.precommit.add(env["crm.automation.rule"]._decide)
        return changes

    def _automation_remember(self, names):
        """Keep the values of watched fields before they are overwritten.

        At most one query, however many records and fields there are.
        """
        ids = [res_id for res_id in self._ids if isinstance(res_id, int)]
        changes = self._automation_changes()
        missing = changes.missing(self._name, ids, names)
        records = self.sudo().browse(missing)
        records.fetch(names)
        for record in records:
            changes.remember(
                self._name,
                record.id,
                {
                    name: self._fields[name].convert_to_read(
                        record[name], record, use_display_name=False
                    )
                    for name in names
                },
            )
        changes.touch(self._name, ids)

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
        events.append((trigger, self._name, self.id, facts))

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        if self._automation_watch():
            self._automation_changes().add_created(self._name, records.ids)
        return records

    def write(self, vals):
        watch = self._automation_watch()
        if watch and not watch.fields.isdisjoint(vals):
            self._automation_remember(watch.fields & vals.keys())
        return super().write(vals)

    def _compute_field_value(self, field):
        # A stored computed field reaches the database without write().
        if field.store and (watch := self._automation_watch()) and watch.fields:
            computed = {f.name for f in self.pool.field_computed[field] if f.store}
            if names := watch.fields & computed:
                self._automation_remember(names)
        return super()._compute_field_value(field)

"""What rules wait for: the models, fields and filters that a transaction's memory keeps."""

import collections
import contextlib

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache

from .crm_automation_rule_trigger import SERIES_TRIGGERS
from .record_fields import state_field

#: What is known of one model: written field to the fields whose old values are
#: then kept; (id, trigger) of its rules; those that wait for deletions; ids of
#: those with a filter before the change.
Watch = collections.namedtuple("Watch", ["remember", "rules", "deletions", "before"])

#: Waited for at the deletion of a record.
DELETION_TRIGGERS = frozenset({"deleted", "meeting_cancelled"})
#: Trigger to the fields whose change may be what it waits for.
CHANGING = {
    "lead_converted": ("type",),
    "won": ("won_status",),
    "lost": ("won_status",),
    "stage_entered": ("stage_id",),
    "meeting_booked": ("recurrence_id",),
    "meeting_moved": ("start", "stop", "recurrence_id", "active"),
    "meeting_cancelled": ("active", "start", "stop", "recurrence_id"),
}
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
        return CHANGING.get(self.trigger, ())

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

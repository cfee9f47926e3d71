"""The rule: when what happens to which records, who is told.

Owns the definition, its rights and the decision on a transaction's changes.
What is sent is in ``crm.automation.notice``, the run in
``crm.automation.firing``.
"""

import ast
import collections
import contextlib
import logging

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, MissingError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache

from ..engine.changes import Change
from .base import CHANGES, EVENTS, SCHEDULED

_logger = logging.getLogger(__name__)

#: Which fields of a model are watched, and the (id, trigger) of its rules.
Watch = collections.namedtuple("Watch", ["fields", "rules"])

#: A trigger's watched fields and, where it is about one model only, that model.
TriggerSpec = collections.namedtuple("TriggerSpec", ["model", "fields"])

TRIGGERS = {
    "lead_converted": TriggerSpec("crm.lead", frozenset({"type"})),
    "opportunities_merged": TriggerSpec("crm.lead", frozenset()),
    "task_created": TriggerSpec("project.task", frozenset()),
    "created": TriggerSpec(None, frozenset()),
}
#: Told by the method in which they happen, not found in a record's change.
EVENT_TRIGGERS = frozenset({"opportunities_merged"})
#: The wizard of the mission's own screen. A rule on it means the merge itself,
#: by whatever path: a row of the wizard says neither whether nor what was merged.
MERGE_WIZARD = "crm.merge.opportunity"

#: Changing none of these makes somebody the owner of a rule.
NOT_OWNED = frozenset({"name", "sequence", "active", "owner_id"})


class CrmAutomationRule(models.Model):
    _name = "crm.automation.rule"
    _inherit = ["crm.automation.notice"]
    _description = "Automated Action"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(
        default=10, help="Where several rules fire at the same moment, the lowest goes first."
    )
    enabled = fields.Boolean(
        string="Switched On",
        copy=False,
        help="Only a rule that is switched on acts. Switching it on sends nothing for "
        "what happened before.",
    )
    owner_id = fields.Many2one(
        "res.users",
        readonly=True,
        copy=False,
        help="Whoever last changed what the rule does, or switched it on. The rule sees "
        "and does only what its owner may see and do.",
    )
    owner_archived = fields.Boolean(compute="_compute_owner_archived")
    company_id = fields.Many2one(
        "res.company",
        help="Records of this company only; empty: of all companies of the owner.",
    )
    trigger = fields.Selection(
        [
            ("lead_converted", "A lead becomes an opportunity"),
            ("opportunities_merged", "Opportunities are merged"),
            ("task_created", "A task is created for a customer"),
            ("created", "A record is created"),
        ],
        required=True,
        default="lead_converted",
        string="When",
    )
    model_id = fields.Many2one(
        "ir.model",
        string="Object",
        required=True,
        ondelete="cascade",
        compute="_compute_model_id",
        store=True,
        readonly=False,
        precompute=True,
        domain=[
            ("abstract", "=", False),
            "|",
            ("transient", "=", False),
            ("model", "=", MERGE_WIZARD),
        ],
        help="The kind of record that the rule watches.",
    )
    model_name = fields.Char(related="model_id.model", string="Technical Name")
    include_subtasks = fields.Boolean(
        "Subtasks Too", help="Without this tick, only a task that is no part of another counts."
    )
    warning = fields.Char(compute="_compute_warning")
    model_is_fixed = fields.Boolean(compute="_compute_model_is_fixed")
    filter_domain = fields.Char(
        string="Filter",
        help="Only records that match act. The values are fixed ones: no formulas.",
    )
    summary = fields.Char(compute="_compute_summary", string="In Plain Words")
    firing_ids = fields.One2many("crm.automation.firing", "rule_id")
    firing_count = fields.Integer(compute="_compute_firing_count", string="Executions")
    last_run = fields.Datetime(
        compute="_compute_firing_count", help="When the rule last did something."
    )

    # -- computed -------------------------------------------------------------

    @api.depends("trigger")
    def _compute_model_id(self):
        for rule in self:
            spec = TRIGGERS.get(rule.trigger)
            if spec and spec.model:
                rule.model_id = self.env["ir.model"]._get(spec.model)

    @api.depends("trigger")
    def _compute_model_is_fixed(self):
        for rule in self:
            spec = TRIGGERS.get(rule.trigger)
            rule.model_is_fixed = bool(spec and spec.model)

    @api.depends("owner_id.active")
    def _compute_owner_archived(self):
        for rule in self:
            owner = rule.owner_id.sudo()
            rule.owner_archived = bool(owner and not owner.active)

    def _compute_firing_count(self):
        groups = self.env["crm.automation.firing"]._read_group(
            [("rule_id", "in", self.ids)], ["rule_id"], ["__count", "finished_at:max"]
        )
        found = {rule.id: (count, last) for rule, count, last in groups}
        for rule in self:
            rule.firing_count, rule.last_run = found.get(rule.id, (0, False))

    @api.depends(
        "trigger",
        "model_id",
        "filter_domain",
        "notify_responsible",
        "notify_customer",
        "notify_emails",
    )
    @api.depends_context("lang")
    def _compute_summary(self):
        for rule in self:
            if rule.trigger == "lead_converted":
                when = self.env._("When a lead becomes an opportunity")
            elif rule.trigger == "opportunities_merged":
                when = self.env._("When opportunities are merged")
            elif rule.trigger == "task_created":
                when = self.env._("When a task is created in the project of a customer")
            else:
                name = rule.model_id.sudo().name or self.env._("record")
                when = self.env._("When this is created: %(model)s", model=name)
            if rule.filter_domain and rule.filter_domain != "[]":
                when = self.env._("%(when)s and matches the filter", when=when)
            whom = []
            if rule.notify_responsible:
                whom.append(self.env._("its responsible"))
            if rule.notify_customer:
                whom.append(self.env._("its customer"))
            if rule.notify_emails:
                whom.append(rule.notify_emails)
            if whom:
                rule.summary = self.env._(
                    "%(when)s, mail %(whom)s.", when=when, whom=", ".join(whom)
                )
            else:
                rule.summary = self.env._(
                    "%(when)s, nobody is told: tick who gets the mail.", when=when
                )

    @api.depends("trigger", "notify_customer")
    @api.depends_context("lang")
    def _compute_warning(self):
        for rule in self:
            rule.warning = False
            if rule.trigger == "task_created" and rule.notify_customer:
                # Stock mails the customer by the template of a task's first stage.
                stages = (
                    self.env["project.task.type"]
                    .sudo()
                    .search([("mail_template_id", "!=", False), ("user_id", "=", False)])
                )
                if stages:
                    rule.warning = self.env._(
                        "These task stages already send a mail of their own to the customer, "
                        "so he may get two: %(stages)s. Empty their e-mail template, or leave "
                        "the customer out here.",
                        stages=", ".join(stages.mapped("name")),
                    )

    @api.onchange("model_id")
    def _onchange_model_id(self):
        if self.model_id.model == MERGE_WIZARD:
            self.trigger = "opportunities_merged"

    # -- checks ---------------------------------------------------------------

    @api.constrains("trigger", "model_id")
    def _check_model(self):
        for rule in self:
            spec = TRIGGERS[rule.trigger]
            if spec.model and rule.sudo().model_id.model != spec.model:
                raise ValidationError(
                    self.env._(
                        "“%(trigger)s” happens to one kind of record only: leave the object as "
                        "the form proposes it.",
                        trigger=dict(self._fields["trigger"]._description_selection(self.env))[
                            rule.trigger
                        ],
                    )
                )

    @api.constrains("filter_domain", "model_id")
    def _check_filter_domain(self):
        for rule in self:
            domain = rule._literal_domain()
            # Constraints run with all rights; the filter must need no more than
            # those of whoever saves it.
            model = self.env[rule.sudo().model_id.model].sudo(False)
            try:
                model.with_context(active_test=False).search(domain, limit=1)
            except AccessError as error:
                raise ValidationError(
                    self.env._(
                        "The filter uses something that you may not read yourself:\n%(error)s",
                        error=error,
                    )
                ) from error
            except (ValueError, TypeError, KeyError) as error:
                raise ValidationError(
                    self.env._(
                        "The filter does not fit this object. Open it, remove the line in "
                        "question and save again.\n%(error)s",
                        error=error,
                    )
                ) from error

    def _literal_domain(self):
        """The filter as a Domain.

        :raises ValidationError: when it is no list of fixed values
        """
        self.ensure_one()
        try:
            return Domain(ast.literal_eval(self.filter_domain or "[]"))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
            raise ValidationError(
                self.env._(
                    "The filter may hold fixed values only, no formulas such as the current "
                    "user or today's date: %(filter)s",
                    filter=self.filter_domain,
                )
            ) from error

    @api.constrains("enabled", "notify_responsible", "notify_customer", "notify_emails")
    def _check_somebody_is_told(self):
        for rule in self:
            told = rule.notify_responsible or rule.notify_customer or rule.notify_emails
            if rule.enabled and not told:
                raise ValidationError(
                    self.env._(
                        "The rule “%(name)s” would tell nobody. Tick at least one recipient "
                        "in “Email Actions” before you switch it on.",
                        name=rule.name,
                    )
                )

    # -- owner and cache ------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._read_merge_wizard(vals)
            # Always: whatever is missing here may come from the context.
            self._take_ownership(vals, always=True)
        rules = super().create(vals_list)
        self.env.registry.clear_cache()
        return rules

    def write(self, vals):
        vals = dict(vals)
        self._read_merge_wizard(vals)
        self._take_ownership(vals)
        result = super().write(vals)
        self.env.registry.clear_cache()
        if vals.get("enabled") is False or vals.get("active") is False:
            self._cancel_pending()
        return result

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    @api.model
    def _read_merge_wizard(self, vals):
        """A rule on the merge wizard is a rule on the event of merging."""
        model = self.env["ir.model"].sudo().browse(vals.get("model_id") or [])
        if model.model == MERGE_WIZARD:
            vals["trigger"] = "opportunities_merged"
            vals["model_id"] = self.env["ir.model"]._get_id("crm.lead")

    def _take_ownership(self, vals, always=False):
        """Whoever changes what a rule does answers for it with his rights."""
        if "owner_id" in vals and not self.env.su:
            raise AccessError(self.env._("The owner of a rule cannot be chosen."))
        if self.env.uid != SUPERUSER_ID and (always or not vals.keys() <= NOT_OWNED):
            vals["owner_id"] = self.env.uid

    def action_enable(self):
        """Switch on; the current user becomes the owner."""
        if self.env.uid == SUPERUSER_ID:
            raise UserError(self.env._("A rule is switched on by a person, not by the system."))
        self.write({"enabled": True})

    def action_disable(self):
        self.write({"enabled": False})

    def _cancel_pending(self):
        """Pending executions end, with the reason, when a rule is switched off."""
        pending = (
            self.env["crm.automation.firing"]
            .sudo()
            .search([("rule_id", "in", self.ids), ("state", "=", "pending")])
        )
        pending._finish("cancelled", self.env._("The rule was switched off."))

    # -- decision -------------------------------------------------------------

    @api.model
    @ormcache()
    def _watches(self):
        """Model name to Watch, for all rules that are switched on."""
        found = {}
        for rule in self.sudo().search([("enabled", "=", True)]):
            if rule.model_name not in self.env:
                continue
            names, rules = found.get(rule.model_name, (frozenset(), ()))
            spec = TRIGGERS[rule.trigger]
            found[rule.model_name] = Watch(names | spec.fields, (*rules, (rule.id, rule.trigger)))
        return found

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
            told = [
                (trigger, Change(res_id, False, {}, facts))
                for trigger, name, res_id, facts in events
                if name == model
            ]
            if watch:
                self._decide_model(changes, model, watch, taken, told)

    def _decide_model(self, changes, model, watch, taken, told):
        """Decide on the changes of one model. A rule never breaks the save.

        :param changes: the ``engine.changes.TransactionChanges``
        :param taken: the records' net changes
        :param told: pairs of trigger and Change, for business events
        """
        ids = {change.res_id for change in taken}
        known = {key for key in changes.decided if key[1] == model and key[2] in ids}
        hits = []
        for rule_id, trigger in watch.rules:
            if trigger in EVENT_TRIGGERS:
                triggered = [change for name, change in told if name == trigger]
            else:
                triggered = self._triggered(trigger, model, taken)
            if triggered:
                hits.append((self.browse(rule_id), trigger, triggered))
        decided = set()
        for rule, trigger, triggered in hits:
            # What stands, should the rule fail: what it had decided before.
            keys = {key for key in known if key[0] == rule.id}
            with self._never_in_the_way(f"rule {rule.id} on {model}"):
                keys = rule._enqueue(changes, model, triggered)
            # An event has happened, whatever the record looks like later: only
            # decisions on net changes are taken again.
            if trigger not in EVENT_TRIGGERS:
                decided |= keys
        if known - decided:
            with self._never_in_the_way(f"withdrawing on {model}"):
                self._withdraw(changes, known - decided)
        changes.decided = (changes.decided - known) | decided

    @contextlib.contextmanager
    def _never_in_the_way(self, what):
        """Undo and log what fails, so that the save and the other rules go on.

        The work starts from a flushed state, so that undoing it loses nothing of
        the user's. A flushing savepoint would run the precommit hooks again.
        """
        self.env.flush_all()
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            yield
            self.env.flush_all()
        except psycopg2.extensions.TransactionRollbackError:
            raise  # the whole transaction is lost, and Odoo repeats it
        except Exception:
            savepoint.close(rollback=True)
            self.env.transaction.clear()
            _logger.exception("Automated actions: %s failed", what)
        else:
            savepoint.close(rollback=False)

    @api.model
    def _triggered(self, trigger, model, changes):
        """Those of the net changes that are what the trigger waits for.

        Asks the database nothing where the values are in the cache, as they
        are for what has just been written.
        """
        records = self.env[model].browse([change.res_id for change in changes])
        is_triggered = getattr(self, f"_is_triggered_{trigger}")
        hits = []
        for change, record in zip(changes, records, strict=True):
            # A record deleted since has nothing left to be read.
            with contextlib.suppress(MissingError):
                if is_triggered(change, record):
                    hits.append(change)
        return hits

    @api.model
    def _is_triggered_created(self, change, _record):
        return change.created

    @api.model
    def _is_triggered_lead_converted(self, change, lead):
        """A lead that the transaction found as a lead is now an opportunity.

        One that is created as an opportunity was never converted.
        """
        return (
            not change.created and change.old.get("type") == "lead" and lead.type == "opportunity"
        )

    @api.model
    def _is_triggered_task_created(self, change, task):
        """A new task of a project, no template and no copy made by a recurrence."""
        if not change.created or not task.project_id:
            return False
        if task.is_template or task.has_template_ancestor or task.has_project_template:
            return False
        top = task.parent_id or task
        return not top.recurrence_id or top.id == min(top.recurrence_id.task_ids.ids)

    def _enqueue(self, changes, model, triggered):
        """Insert a firing for each change whose record satisfies the conditions.

        :return: set of (rule id, model, record id)
        """
        self.ensure_one()
        matching = set(self._matching([change.res_id for change in triggered]))
        hits = [change for change in triggered if change.res_id in matching]
        if hits:
            self.env["crm.automation.firing"]._insert(self, model, hits, changes)
        return {(self.id, model, change.res_id) for change in hits}

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

    # -- conditions -----------------------------------------------------------

    def _owner_model(self):
        """The rule's model with the rights and the companies of its owner."""
        self.ensure_one()
        owner = self.owner_id
        # A company that the owner has lost gives him nothing back.
        companies = (self.company_id & owner.company_ids) or owner.company_ids
        return (
            self.env[self.model_name]
            .with_user(owner)
            .with_context(active_test=False, allowed_company_ids=companies.ids)
        )

    def _condition_domain(self):
        """All conditions as one domain. Hook for extensions."""
        domain = self._literal_domain()
        model = self.env[self.model_name]
        if self.trigger == "task_created" and not self.include_subtasks:
            domain &= Domain("parent_id", "=", False)
        if self.company_id and "company_id" in model._fields:
            domain &= Domain("company_id", "in", [self.company_id.id, False])
        return domain

    def _matching(self, ids):
        """The ids among these that satisfy the conditions and that the owner may read."""
        self.ensure_one()
        if not self.owner_id.active or self.company_id - self.owner_id.company_ids:
            return []
        domain = Domain("id", "in", ids) & self._condition_domain()
        return self._owner_model().search(domain).ids

    # -- actions of the form --------------------------------------------------

    def action_open_firings(self):
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "crm_automation.crm_automation_firing_action"
        )
        action["domain"] = [("rule_id", "=", self.id)]
        action["context"] = {}
        return action

    def copy_data(self, default=None):
        return [
            {**vals, "name": self.env._("%(name)s (copy)", name=rule.name)}
            for rule, vals in zip(self, super().copy_data(default=default), strict=True)
        ]

"""The rule: when what happens to which records, who is told and what is done.

Owns the definition, its checks and its rights. How a transaction's changes are
decided is in ``crm_automation_rule_decision.py``, conditions, actions and dates
in the files beside it; what is sent is in ``crm.automation.notice``, the run in
``crm.automation.firing``.
"""

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command

from ..engine.moments import UNITS
from .crm_automation_notice import TICKS
from .record_fields import state_field

#: The wizard of the mission's own screen. A rule on it means the merge itself,
#: by whatever path: a row of the wizard says neither whether nor what was merged.
MERGE_WIZARD = "crm.merge.opportunity"

#: Trigger to the one model that it is about.
TRIGGER_MODELS = {
    "lead_converted": "crm.lead",
    "opportunities_merged": "crm.lead",
    "won": "crm.lead",
    "lost": "crm.lead",
    "task_created": "project.task",
    "meeting_booked": "calendar.event",
    "meeting_moved": "calendar.event",
    "meeting_cancelled": "calendar.event",
    "invitation_answered": "calendar.event",
}

#: Written whenever a notice is sent, also long after: a rule about them would set
#: itself off without end.
OUTGOING = frozenset(
    {
        "crm.automation.firing", "crm.automation.delivery", "mail.mail", "mail.notification",
        "ir.cron.trigger",
    }
)  # fmt: skip

#: Changing none of these makes somebody the owner of a rule.
NOT_OWNED = frozenset({"name", "sequence", "active", "owner_id"})
#: What only administrators may decide, here and on the server (design: D11).
ADMIN_FIELDS = frozenset({"server_action_ids", "as_superuser"})

#: A rule that is on must do something, whichever of these is emptied last.
DEEDS = (
    *(f"notify_{role}" for role in TICKS), "notify_emails", "set_user_id", "set_team_id",
    "set_state_id", "set_lead_stage_id", "set_task_stage_id", "set_priority", "add_tag_ids",
    "add_task_tag_ids", "value_ids", "add_follower_ids", "activity_type_id", "server_action_ids",
)  # fmt: skip

UNIT_LABELS = [
    ("minutes", "Minutes"),
    ("hours", "Hours"),
    ("days", "Days"),
    ("workdays", "Working Days"),
    ("months", "Months"),
]
assert tuple(unit for unit, _label in UNIT_LABELS) == UNITS


class CrmAutomationRule(models.Model):
    _name = "crm.automation.rule"
    _inherit = ["crm.automation.notice"]
    _description = "Automated Action"
    _order = "sequence, id"

    name = fields.Char(
        "Rule Name",
        required=True,
        translate=True,
        help="What the rule is called in the list and in the log.",
    )
    active = fields.Boolean(
        default=True,
        help="An archived rule does nothing, and is shown only when archived ones are looked for.",
    )
    sequence = fields.Integer(
        default=10, help="Where several rules fire at the same moment, the lowest goes first."
    )
    enabled = fields.Boolean(
        string="Switched On",
        copy=False,
        help="Only a rule that is switched on acts. Switching it on sends nothing for "
        "what happened before.",
    )
    enabled_since = fields.Datetime(
        readonly=True, copy=False, help="Nothing that was due before this moment is done."
    )
    owner_id = fields.Many2one(
        "res.users",
        readonly=True,
        copy=False,
        help="Whoever last changed what the rule does, or switched it on. The rule sees "
        "and does only what its owner may see and do.",
    )
    as_superuser = fields.Boolean(
        "With All Rights",
        groups="base.group_system",
        copy=False,
        help="The rule sees and does everything, whatever its owner may. Taken back when "
        "somebody who is no administrator changes the rule.",
    )
    company_id = fields.Many2one(
        "res.company",
        help="Records of this company only; empty: of all companies of the owner.",
    )
    trigger = fields.Selection(
        [
            ("lead_converted", "A lead becomes an opportunity"),
            ("opportunities_merged", "Opportunities are merged"),
            ("won", "An opportunity is won"),
            ("lost", "An opportunity is lost"),
            ("task_created", "A task is created for a customer"),
            ("meeting_booked", "A meeting is booked"),
            ("meeting_moved", "A meeting is moved"),
            ("meeting_cancelled", "A meeting is cancelled"),
            ("invitation_answered", "An invitation is answered"),
            ("stage_entered", "A stage is entered"),
            ("state_reached", "A state is reached"),
            ("moment", "Before or after a date"),
            ("created", "A record is created"),
            ("updated", "A record is changed"),
            ("saved", "A record is created or changed"),
            ("deleted", "A record is deleted"),
            ("called", "It is called by a server action or a button"),
        ],
        required=True,
        default="lead_converted",
        string="When",
        help="What has to happen. Nothing that happened before the rule was switched on counts.",
    )
    model_id = fields.Many2one(
        "ir.model",
        string="Object",
        # Not required in the database: the app may be uninstalled, and the rule says so.
        ondelete="set null",
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
    model_name = fields.Char("Technical Name", compute="_compute_model_name", store=True)
    model_is_fixed = fields.Boolean(compute="_compute_model_is_fixed")
    delay_number = fields.Integer(
        "Delay",
        default=0,
        help="How long after it, or before the date, the rule acts; 0: at once.",
    )
    delay_unit = fields.Selection(
        UNIT_LABELS,
        required=True,
        default="days",
        string="Delay Type",
        help="Of what the delay is: working days are those of the company's calendar.",
    )
    delay_before = fields.Selection(
        [("before", "Before"), ("after", "After")],
        required=True,
        default="after",
        help="Before is possible for rules about a date only.",
    )
    problem = fields.Char(
        compute="_compute_problem", help="Why the rule does nothing, although it is switched on."
    )
    warning = fields.Char(
        compute="_compute_warning",
        help="What to look at before it is switched on; it acts all the same.",
    )
    firing_ids = fields.One2many("crm.automation.firing", "rule_id")
    firing_count = fields.Integer(
        compute="_compute_firing_count",
        string="Executions",
        help="All lines of its log: what was done, what was left out, and what is still to come.",
    )
    last_run = fields.Datetime(
        compute="_compute_firing_count", help="When the rule last did something."
    )

    _delay_not_negative = models.Constraint(
        "CHECK (delay_number >= 0)", "A delay cannot be negative: choose “Before” instead."
    )

    # -- computed -------------------------------------------------------------

    @api.depends("trigger")
    def _compute_model_id(self):
        for rule in self:
            model = TRIGGER_MODELS.get(rule.trigger)
            if model:
                rule.model_id = self.env["ir.model"]._get(model)

    @api.depends("model_id")
    def _compute_model_name(self):
        for rule in self:
            # Kept when the app is gone: it says what the rule was about.
            rule.model_name = rule.model_id.sudo().model or rule.model_name

    @api.depends("trigger")
    def _compute_model_is_fixed(self):
        for rule in self:
            rule.model_is_fixed = rule.trigger in TRIGGER_MODELS

    @api.depends(
        "owner_id.active", "owner_id.company_ids", "company_id.active", "model_id", "active"
    )
    @api.depends_context("lang")
    def _compute_problem(self):
        for rule in self:
            rule.problem = rule.sudo()._why_idle()

    def _why_idle(self):
        """Why the rule cannot act, or False. Hook for extensions."""
        self.ensure_one()
        if not self.active:
            return self.env._("The rule is archived, so it does nothing.")
        if not self.model_id or (self.model_name and self.model_name not in self.env):
            return self.env._(
                "The app of this kind of record (%(model)s) is no longer installed, so the rule "
                "does nothing. Install it again, choose another object, or archive the rule.",
                model=self.model_name or "?",
            )
        if self.owner_id and not self.owner_id.active:
            return self.env._(
                "The owner of this rule, %(owner)s, is archived, so the rule does nothing. "
                "Switch it off and on again to become its owner.",
                owner=self.owner_id.name,
            )
        if self.owner_id and not self._owner_model().has_access("read"):
            return self.env._(
                "The owner of this rule, %(owner)s, may no longer read records of this kind, so "
                "the rule does nothing. Somebody who may can switch it off and on again.",
                owner=self.owner_id.name,
            )
        if self.company_id and not self.company_id.active:
            return self.env._(
                "The company %(company)s is archived, so the rule does nothing.",
                company=self.company_id.name,
            )
        if self.owner_id and self.company_id - self.owner_id.company_ids:
            return self.env._(
                "The owner of this rule, %(owner)s, has no access to the company %(company)s any "
                "more, so the rule does nothing.",
                owner=self.owner_id.name,
                company=self.company_id.name,
            )
        return False

    def _compute_firing_count(self):
        groups = self.env["crm.automation.firing"]._read_group(
            [("rule_id", "in", self.ids)], ["rule_id"], ["__count", "finished_at:max"]
        )
        found = {rule.id: (count, last) for rule, count, last in groups}
        for rule in self:
            rule.firing_count, rule.last_run = found.get(rule.id, (0, False))

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

    @api.onchange("trigger")
    def _onchange_trigger(self):
        if self.trigger != "moment":
            self.delay_before = "after"

    # -- checks ---------------------------------------------------------------

    @api.constrains("trigger", "model_id", "delay_before", "delay_number", "delay_unit")
    def _check_trigger(self):
        for rule in self:
            model = TRIGGER_MODELS.get(rule.trigger)
            if not rule.model_id:
                raise ValidationError(self.env._("Choose the object that the rule is about."))
            if model and rule.sudo().model_id.model != model:
                raise ValidationError(
                    self.env._(
                        "“%(trigger)s” happens to one kind of record only: leave the object as "
                        "the form proposes it.",
                        trigger=rule._label("trigger"),
                    )
                )
            if not rule._knows_trigger():
                raise ValidationError(
                    self.env._(
                        "“%(trigger)s”: records of this object have no such field. Choose another "
                        "trigger or another object.",
                        trigger=rule._label("trigger"),
                    )
                )
            if rule.trigger != "moment" and rule.delay_before == "before":
                raise ValidationError(
                    self.env._(
                        "“%(trigger)s” cannot be told before it happens: choose “After”, or "
                        "“Before or after a date” as the trigger.",
                        trigger=rule._label("trigger"),
                    )
                )
            limits = {
                "minutes": 525600, "hours": 8784, "days": 3660, "workdays": 366, "months": 120,
            }  # fmt: skip
            if rule.delay_number > limits[rule.delay_unit]:
                raise ValidationError(
                    self.env._(
                        "A delay of %(number)s %(unit)s is too long: at most %(limit)s.",
                        number=rule.delay_number,
                        unit=rule._label("delay_unit"),
                        limit=limits[rule.delay_unit],
                    )
                )

    @api.constrains("model_id")
    def _check_model_is_no_trace_of_sending(self):
        for rule in self:
            if rule.model_name in OUTGOING:
                raise ValidationError(
                    self.env._(
                        "“%(model)s” cannot be watched: each notice writes there itself, so the "
                        "rule would never end.",
                        model=rule.sudo().model_id.name,
                    )
                )

    def _knows_trigger(self):
        """Whether the object has what the trigger looks at."""
        model = self.env.get(self.sudo().model_id.model)
        if model is None:
            return True  # its app is gone, which is another problem
        if self.trigger == "stage_entered":
            return "stage_id" in model._fields
        return self.trigger != "state_reached" or bool(state_field(model))

    @api.constrains("enabled", *DEEDS)
    def _check_it_does_something(self):
        for rule in self:
            if rule.enabled and not rule._does_something():
                raise ValidationError(
                    self.env._(
                        "The rule “%(name)s” would do nothing and tell nobody. Tick at least one "
                        "recipient in “Email Actions”, or fill in “Actions”, before you switch "
                        "it on.",
                        name=rule.name,
                    )
                )

    def _does_something(self):
        return self._tells_somebody() or self._has_actions()

    def _label(self, name):
        """What the form shows for the value of a selection field."""
        field = self._fields[name]
        return dict(field._description_selection(self.env)).get(self[name], "")

    # -- owner and cache ------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._read_merge_wizard(vals)
            # Always: whatever is missing here may come from the context.
            self._take_ownership(vals, always=True)
        rules = super().create(vals_list)
        enabled = rules.filtered("enabled")
        enabled.sudo().enabled_since = fields.Datetime.now()
        if enabled:
            self._wake_enqueuer()
        if not self.env.is_system():
            # Neither by a default value of the context.
            rules._give_up_rights({"server_action_ids": [Command.clear()]})
        self.env.registry.clear_cache()
        return rules

    def write(self, vals):
        vals = dict(vals)
        self._read_merge_wizard(vals)
        self._take_ownership(vals)
        if vals.get("enabled") or vals.get("active"):
            # Out of the archive is switched on again as well.
            starting = self.filtered(lambda rule: not (rule.enabled and rule.active))
            super(CrmAutomationRule, starting.sudo()).write(
                {"enabled_since": fields.Datetime.now()}
            )
        result = super().write(vals)
        if not self.env.is_system() and not vals.keys() <= NOT_OWNED:
            # Whoever is no administrator hands on no more than his own rights.
            self._give_up_rights({})
        self.env.registry.clear_cache()
        if vals.get("enabled") is False or vals.get("active") is False:
            self._cancel_pending()
        if vals.get("enabled") or vals.get("active"):
            self._wake_enqueuer()
        return result

    def _is_changed_by_its_lines(self):
        """Whoever changes a value that the rule sets changes the rule."""
        self.write({"value_ids": []})

    def _give_up_rights(self, values):
        """Without the rights of the superuser, and without changing the owner."""
        self.with_user(SUPERUSER_ID).write({"as_superuser": False, **values})

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
        if not self.env.su:
            if {"owner_id", "enabled_since", "checked_at"} & vals.keys():
                raise AccessError(self.env._("The owner of a rule cannot be chosen."))
            if ADMIN_FIELDS & vals.keys() and not self.env.is_system():
                raise AccessError(
                    self.env._("Only administrators may attach server actions to a rule.")
                )
        if self.env.uid != SUPERUSER_ID and (always or not vals.keys() <= NOT_OWNED):
            vals["owner_id"] = self.env.uid

    def action_enable(self):
        """Switch on; the current user becomes the owner."""
        if self.env.uid == SUPERUSER_ID:
            raise UserError(self.env._("A rule is switched on by a person, not by the system."))
        return self.write({"enabled": True})

    def action_disable(self):
        return self.write({"enabled": False})

    def _cancel_pending(self):
        """Pending executions end, with the reason, when a rule is switched off."""
        pending = (
            self.env["crm.automation.firing"]
            .sudo()
            .search([("rule_id", "in", self.ids), ("state", "=", "pending")])
        )
        pending._finish("cancelled", self.env._("The rule was switched off."))

    def _owner_model(self, model=None):
        """The rule's model with the rights and the companies of its owner."""
        self.ensure_one()
        owner = self.owner_id
        # A company that the owner has lost gives him nothing back.
        companies = (self.company_id & owner.company_ids) or owner.company_ids
        records = (
            self.env[model or self.model_name]
            .with_user(owner)
            .with_context(active_test=False, allowed_company_ids=companies.ids)
        )
        return records.sudo() if self.sudo().as_superuser else records

    # -- actions of the form --------------------------------------------------

    def action_open_firings(self):
        self.ensure_one()
        return self.env["crm.automation.firing"]._action_of([("rule_id", "=", self.id)])

    def copy_data(self, default=None):
        return [
            {**vals, "name": self.env._("%(name)s (copy)", name=rule.name)}
            for rule, vals in zip(self, super().copy_data(default=default), strict=True)
        ]

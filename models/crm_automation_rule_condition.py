"""The conditions of a rule: fields of the form, compiled to one domain.

Owns OpenERP's conditions and where each kind of record keeps what they ask for.
All of them must hold. What a domain cannot say (patterns, the history, the
state before) is asked of the records that the domain has found.
"""

import ast
import collections
import html

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from ..engine.patterns import PatternError, PatternTimeout, compile_pattern, matching
from .record_fields import source, state_field

#: Condition to the names under which models keep what it asks for; the first
#: that a model has, and that leads to the right model, counts. Those invited come
#: before the partner: of a meeting, that is its organiser.
SOURCES = {
    "responsible_ids": (("user_id", "user_ids"), "res.users"),
    "customer_ids": (("partner_ids", "partner_id"), "res.partner"),
    "customer_category_ids": (("partner_ids", "partner_id"), "res.partner"),
    "team_ids": (("team_id",), "crm.team"),
    "tag_ids": (("tag_ids",), "crm.tag"),
    "task_tag_ids": (("tag_ids",), "project.tags"),
    "meeting_type_ids": (("categ_ids",), "calendar.event.type"),
    "lead_stage_ids": (("stage_id",), "crm.stage"),
    "task_stage_ids": (("stage_id",), "project.task.type"),
}
PRIORITIES = [("0", "Low"), ("1", "Medium"), ("2", "High"), ("3", "Very high")]


#: See ``_compiled``.
Compiled = collections.namedtuple(
    "Compiled", ["domain", "state_from", "changes_fields", "has_actions"]
)


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    filter_domain = fields.Char(
        string="Conditions on Fields",
        help="Only records that match act. The values are fixed ones: no formulas.",
    )
    filter_id = fields.Many2one(
        "ir.filters",
        "Saved Filter",
        ondelete="restrict",
        domain="[('model_id', '=', model_name)]",
        help="A filter that was saved in a search; it is asked in addition.",
    )
    before_domain = fields.Char(
        "Conditions before the Change",
        help="What the record must have matched before it was changed.",
    )
    name_pattern = fields.Char(
        "Pattern of the Name",
        help="A regular expression that is found in the name; upper and lower case differ. "
        "“urgent.*” finds “urgent” followed by anything.",
    )
    responsible_ids = fields.Many2many(
        "res.users",
        "crm_automation_rule_responsible_rel",
        help="Only records of one of them; empty: of anybody.",
    )
    customer_ids = fields.Many2many(
        "res.partner",
        "crm_automation_rule_customer_rel",
        help="One of these, or a contact of one of these.",
    )
    customer_category_ids = fields.Many2many(
        "res.partner.category",
        "crm_automation_rule_category_rel",
        help="The customer has one of these tags, or one below them.",
    )
    team_ids = fields.Many2many(
        "crm.team",
        "crm_automation_rule_team_rel",
        string="Sales Team",
        help="Only records of one of these teams; empty: of any.",
    )
    tag_ids = fields.Many2many(
        "crm.tag",
        "crm_automation_rule_tag_rel",
        string="Tags",
        help="Only records with one of these tags; empty: with or without.",
    )
    task_tag_ids = fields.Many2many(
        "project.tags",
        "crm_automation_rule_task_tag_rel",
        string="Task Tags",
        help="Only tasks with one of these tags; empty: with or without.",
    )
    meeting_type_ids = fields.Many2many(
        "calendar.event.type",
        "crm_automation_rule_meeting_type_rel",
        string="Meeting Types",
        help="Only meetings with one of these tags; empty: with or without.",
    )
    lead_stage_ids = fields.Many2many(
        "crm.stage",
        "crm_automation_rule_lead_stage_rel",
        string="Stage",
        help="Only leads and opportunities in one of these stages; empty: in any.",
    )
    task_stage_ids = fields.Many2many(
        "project.task.type",
        "crm_automation_rule_task_stage_rel",
        help="Only tasks in one of these stages; empty: in any.",
    )
    state_from_ids = fields.Many2many(
        "ir.model.fields.selection",
        "crm_automation_rule_state_from_rel",
        string="State Before",
        domain="[('field_id', '=', state_field_id)]",
        help="The state that the record was in before the change.",
    )
    state_to_ids = fields.Many2many(
        "ir.model.fields.selection",
        "crm_automation_rule_state_to_rel",
        string="State",
        domain="[('field_id', '=', state_field_id)]",
        help="The state that the record is in now: OpenERP's “Button Pressed”.",
    )
    state_field_id = fields.Many2one("ir.model.fields", compute="_compute_offered")
    priority_from = fields.Selection(
        PRIORITIES,
        help="Only records of this priority or a higher one.",
    )
    priority_to = fields.Selection(
        PRIORITIES,
        help="Only records of this priority or a lower one.",
    )
    history_pattern = fields.Char(
        "Pattern in the History",
        help="A regular expression that is found in the subject or text of one of its messages.",
    )
    history_max = fields.Integer(
        "Maximum History", help="At most so many e-mails have been exchanged; 0: any number."
    )
    include_subtasks = fields.Boolean(
        "Subtasks Too", help="Without this tick, only a task that is no part of another counts."
    )
    offered = fields.Char(
        compute="_compute_offered", help="Conditions that the chosen object can be asked for."
    )
    compiled_domain = fields.Char(
        compute="_compute_compiled_domain",
        help="All conditions in one, as they are asked of the database.",
    )

    @api.depends("model_id", "model_name")
    def _compute_offered(self):
        for rule in self:
            model = self.env.get(rule.model_name) if rule.model_name else None
            rule.state_field_id = False
            names = []
            if model is not None:
                names = [name for name in SOURCES if rule._source(name)]
                if rule.model_name == "res.partner":
                    names += ["customer_ids", "customer_category_ids"]
                state = state_field(model)
                if state:
                    names.append("state")
                    fields_model = self.env["ir.model.fields"].sudo()
                    rule.state_field_id = fields_model._get(rule.model_name, state)
                if "priority" in model._fields:
                    names.append("priority")
                if "message_ids" in model._fields:
                    names.append("history")
            rule.offered = f",{','.join(names)},"

    def _source(self, condition):
        """Name of the field of the rule's model that a condition asks, or None."""
        names, comodel = SOURCES[condition]
        return source(self.env[self.model_name], names, comodel)

    # -- the domain -----------------------------------------------------------

    def _literal(self, text):
        """A text as a Domain.

        :raises ValidationError: when it is no list of fixed values
        :raises ValueError, TypeError: when the list is no domain
        """
        try:
            values = ast.literal_eval(text or "[]")
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
            raise ValidationError(
                self.env._(
                    "The filter may hold fixed values only, no formulas such as the current "
                    "user or today's date: %(filter)s",
                    filter=text,
                )
            ) from error
        return Domain(values)

    def _condition_domain(self):
        """All conditions that a domain can say."""
        self.ensure_one()
        return Domain.AND(domain for _label, domain in self._named_domains())

    @ormcache("self.id")
    def _compiled(self):
        """What each decision needs of the rule: reading it anew costs a query for
        each of its many lists. Kept until a rule or a saved filter changes."""
        rule = self.sudo()
        return Compiled(
            domain=list(rule._condition_domain()),
            state_from=frozenset(rule.state_from_ids.mapped("value")),
            changes_fields=rule._changes_fields(),
            has_actions=rule._has_actions(),
        )

    def _named_domains(self):
        """What each condition is called, and its domain. Hook for extensions.

        :return: list of pairs of text and Domain
        """
        model = self.env[self.model_name]
        found = [(self._title("filter_domain"), self._literal(self.filter_domain))]
        if self.filter_id:
            domain = self._literal(self.filter_id.sudo().domain)
            found.append((self._title("filter_id"), domain))
        found += [(self._title(name), self._domain_of(name)) for name in SOURCES if self[name]]
        if self.state_to_ids:
            values = self.state_to_ids.sudo().mapped("value")
            found.append((self._title("state_to_ids"), Domain(state_field(model), "in", values)))
        if self.priority_from or self.priority_to:
            domain = self._priority_domain(model._fields["priority"])
            found.append((self.env._("Priority"), domain))
        if self.trigger == "task_created" and not self.include_subtasks:
            found.append((self.env._("No part of another task"), Domain("parent_id", "=", False)))
        if self.company_id and "company_id" in model._fields:
            domain = Domain("company_id", "in", [self.company_id.id, False])
            found.append((self._title("company_id"), domain))
        if self._leaves_out_archived(model, Domain.AND(domain for _label, domain in found)):
            found.append((self.env._("Not archived"), Domain(model._active_name, "=", True)))
        found.append((self._title("trigger"), self._lasting_domain()))
        return [(label, domain) for label, domain in found if not domain.is_true()]

    def _title(self, name):
        return self._fields[name]._description_string(self.env)

    def _leaves_out_archived(self, model, domain):
        """Nobody is reminded of what was archived: a cancelled meeting, or what Odoo
        leaves of a series that is moved.

        A lost lead is archived too, but has a closing date; and who asks for
        archived records gets them.
        """
        if self.trigger != "moment" or model._name == "crm.lead" or not model._active_name:
            return False
        if "cancelled" in self.state_to_ids.sudo().mapped("value"):
            return False
        return all(term.field_expr != model._active_name for term in domain.iter_conditions())

    def _domain_of(self, condition):
        ids = self[condition].ids
        name = self._source(condition)
        if condition == "customer_ids":
            if self.model_name == "res.partner":
                return Domain("id", "child_of", ids)
            return Domain.OR(Domain(path, "child_of", ids) for path in self._customer_paths(name))
        if condition == "customer_category_ids":
            # A category of the company counts for its contacts as well.
            paths = ["category_id", "commercial_partner_id.category_id"]
            if self.model_name != "res.partner":
                paths = [f"{to}.{path}" for to in self._customer_paths(name) for path in paths]
            return Domain.OR(Domain(path, "child_of", ids) for path in paths)
        return Domain(name, "in", ids)

    def _customer_paths(self, name):
        """Paths to the customer; a task without one is done for its project's."""
        return [name, "project_id.partner_id"] if self.model_name == "project.task" else [name]

    def _priority_domain(self, field):
        values = [value for value, _label in field._description_selection(self.env)]
        low, high = self.priority_from or "0", self.priority_to or "3"
        return Domain("priority", "in", [value for value in values if low <= value <= high])

    def _lasting_domain(self):
        """What the trigger itself says of the record, and what must still hold
        when a delayed execution is due. Hook for extensions."""
        return {
            "lead_converted": Domain("type", "=", "opportunity"),
            "won": Domain("won_status", "=", "won"),
            "lost": Domain("won_status", "=", "lost"),
            "meeting_booked": Domain("active", "=", True),
            "meeting_moved": Domain("active", "=", True),
        }.get(self.trigger, Domain.TRUE)

    @api.depends(lambda self: self._compiled_domain_sources())
    def _compute_compiled_domain(self):
        for rule in self:
            try:
                rule.compiled_domain = (
                    repr(list(rule._condition_domain())) if rule.model_name in self.env else "[]"
                )
            except (ValidationError, ValueError, KeyError, TypeError):
                # The form is half filled in; saving it says what is wrong.
                rule.compiled_domain = False

    @api.model
    def _compiled_domain_sources(self):
        return (
            *SOURCES, "filter_domain", "filter_id", "state_to_ids", "priority_from",
            "priority_to", "include_subtasks", "company_id", "trigger", "model_name",
        )  # fmt: skip

    # -- asking the records -----------------------------------------------------

    def _matching(self, ids):
        """The ids among these that satisfy the conditions and that the owner may read.

        :raises PatternTimeout: when a pattern takes too long
        """
        self.ensure_one()
        if self._why_idle():
            return []
        domain = Domain("id", "in", ids) & Domain(self._compiled().domain)
        return self._matching_texts(self._owner_model().search(domain)).ids

    def _matching_texts(self, records):
        """The records that satisfy what no domain can say: patterns and the history.

        :raises PatternTimeout: when a pattern takes too long
        """
        if records and self.name_pattern:
            names = [record.display_name for record in records]
            records = self._found(records, self.name_pattern, names)
        if records and (self.history_max or self.history_pattern):
            records = self._matching_history(records)
        return records

    @api.model
    def _found(self, records, pattern, texts):
        hits = matching(pattern, texts)
        return records.browse(record.id for record, hit in zip(records, hits, strict=True) if hit)

    def _matching_history(self, records):
        # Nothing is told of what was said about it to those who do not take part.
        reader = self.owner_id.partner_id
        records = records.filtered(lambda record: not self._is_secret(record, reader))
        if records and self.history_max:
            counts = self._history_counts(records)
            limit = self.history_max
            records = records.filtered(lambda record: counts.get(record.id, 0) <= limit)
        if records and self.history_pattern:
            texts = self._history_texts(records)
            records = self._found(
                records, self.history_pattern, [texts.get(record.id) for record in records]
            )
        return records

    @api.model
    def _history_counts(self, records):
        """Record id to the number of messages that were exchanged about it."""
        groups = (
            self.env["mail.message"]
            .sudo()
            ._read_group(
                [
                    ("model", "=", records._name),
                    ("res_id", "in", records.ids),
                    ("message_type", "in", ("email", "comment", "email_outgoing")),
                    ("is_internal", "=", False),
                    # A note is internal by its subtype only.
                    "|",
                    ("subtype_id", "=", False),
                    ("subtype_id.internal", "=", False),
                ],  # fmt: skip
                ["res_id"],
                ["__count"],
            )
        )
        return dict(groups)

    @api.model
    def _history_texts(self, records):
        """Record id to the subjects and texts of its latest 20 messages."""
        self.env["mail.message"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT res_id, string_agg(line, E'\n') FROM (
                    SELECT res_id, concat_ws(E'\n', subject,
                               left(regexp_replace(body, '<[^>]+>', ' ', 'g'), 5000)) AS line,
                           row_number() OVER (PARTITION BY res_id ORDER BY id DESC) AS place
                    FROM mail_message
                    WHERE model = %s AND res_id IN %s
                      AND message_type NOT IN ('notification', 'user_notification')
                ) AS latest WHERE place <= 20 GROUP BY res_id
                """,
                records._name,
                tuple(records.ids),
            )
        )
        # Bodies are HTML: “R&amp;D” is what somebody reads as “R&D”.
        return {res_id: html.unescape(text or "") for res_id, text in self.env.cr.fetchall()}

    def _transition_holds(self, change, record):
        """Whether the state and the filter before the change are as asked for."""
        if self.before_domain and self.before_domain != "[]":
            if change.created or not change.old.get(f"@before:{self.id}"):
                return False
        wanted = self._compiled().state_from
        if not wanted:
            return True
        if merged := change.facts.get("merged"):
            return any(entry["state"] in wanted for entry in merged)
        name = state_field(record)
        return change.old.get(name, record[name]) in wanted

    # -- checks -----------------------------------------------------------------

    @api.constrains("filter_domain", "filter_id", "before_domain", "model_id")
    def _check_filter_domain(self):
        for rule in self:
            if rule.filter_id and rule.filter_id.sudo().model_id != rule.model_name:
                raise ValidationError(
                    self.env._("The saved filter is about another kind of record.")
                )
            try:
                # Constraints run with all rights; the filter must need no more than
                # those of whoever saves it.
                rule.filter_id.sudo(False).check_access("read")
                model = self.env[rule.sudo().model_id.model].sudo(False)
                for text in (rule.filter_domain, rule.filter_id.sudo().domain, rule.before_domain):
                    model.with_context(active_test=False).search(rule._literal(text), limit=1)
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

    @api.constrains("name_pattern", "history_pattern")
    def _check_patterns(self):
        for rule in self:
            for pattern in (rule.name_pattern, rule.history_pattern):
                try:
                    compile_pattern(pattern or "")
                except PatternError as error:
                    raise ValidationError(
                        self.env._(
                            "This is no regular expression: %(pattern)s (%(error)s). A plain word "
                            "finds itself; put a backslash before signs such as ( ) [ ] * + ?",
                            pattern=pattern,
                            error=error,
                        )
                    ) from error

    @api.constrains(
        "model_id", "state_from_ids", "state_to_ids", "priority_from", "priority_to",
        "history_pattern", "history_max", *SOURCES,
    )  # fmt: skip
    def _check_conditions_fit(self):
        for rule in self:
            asked = [name for name in SOURCES if rule[name]]
            if rule.state_from_ids or rule.state_to_ids:
                asked.append("state")
            if rule.priority_from or rule.priority_to:
                asked.append("priority")
            if rule.history_pattern or rule.history_max:
                asked.append("history")
            missing = [name for name in asked if f",{name}," not in rule.offered]
            labels = [
                self._fields[
                    {"state": "state_to_ids", "priority": "priority_from",
                     "history": "history_pattern"}.get(name, name)
                ]._description_string(self.env)
                for name in missing
            ]  # fmt: skip
            if labels:
                raise ValidationError(
                    self.env._(
                        "Records of this object have nothing that these conditions could be "
                        "asked of: %(names)s. Empty them.",
                        names=", ".join(labels),
                    )
                )
            states = rule.state_from_ids | rule.state_to_ids
            if states.sudo().field_id - rule.state_field_id:
                raise ValidationError(
                    self.env._("The states are those of another kind of record: choose again.")
                )

    @api.onchange("model_id", "trigger")
    def _onchange_model_conditions(self):
        """Conditions that the new object does not know are emptied."""
        for name in SOURCES:
            if f",{name}," not in (self.offered or ""):
                self[name] = False
        self.state_from_ids = self.state_from_ids.filtered(
            lambda state: state.field_id == self.state_field_id
        )
        self.state_to_ids = self.state_to_ids.filtered(
            lambda state: state.field_id == self.state_field_id
        )
        if self.filter_id.model_id != self.model_name:
            self.filter_id = False

    @api.model
    def _why_it_failed(self, error):
        """A sentence for the log that a salesperson understands. Hook for extensions."""
        if isinstance(error, PatternTimeout):
            return self.env._(
                "The pattern “%(pattern)s” takes too long to look for, so nothing was sent. "
                "Whoever writes the rules can simplify it: repetitions inside repetitions such as "
                "(a|aa)+ are the usual reason.",
                pattern=error,
            )
        if isinstance(error, ValidationError):
            return str(error)
        return self.env._(
            "The conditions of the rule could not be evaluated, so nothing was sent: %(error)s",
            error=str(error) or type(error).__name__,
        )

"""What a rule does beside telling people.

Owns the actions: fields to change (in the user's own transaction, so that he
sees it at once), followers, an activity, server actions (by the job). All with
the rights of the rule's owner.
"""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .crm_automation_rule_condition import PRIORITIES
from .record_fields import state_field

#: Action to the condition that knows where models keep the same.
TARGETS = {
    "set_user_id": "responsible_ids",
    "set_team_id": "team_ids",
    "set_lead_stage_id": "lead_stage_ids",
    "set_task_stage_id": "task_stage_ids",
    "add_tag_ids": "tag_ids",
    "add_task_tag_ids": "task_tag_ids",
}


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    set_user_id = fields.Many2one(
        "res.users",
        "Set Responsible to",
        domain=[("share", "=", False)],
        ondelete="restrict",
        help="Who becomes responsible for the record; empty: nobody else.",
    )
    set_team_id = fields.Many2one(
        "crm.team",
        "Set Team to",
        ondelete="restrict",
        help="The team that the record goes to; empty: it stays.",
    )
    set_state_id = fields.Many2one(
        "ir.model.fields.selection",
        "Set State to",
        ondelete="cascade",
        domain="[('field_id', '=', state_field_id)]",
        help="The value of the record's state; empty: it stays.",
    )
    set_lead_stage_id = fields.Many2one(
        "crm.stage",
        "Set Stage to",
        ondelete="restrict",
        help="The stage of leads and opportunities; empty: it stays.",
    )
    set_task_stage_id = fields.Many2one(
        "project.task.type",
        "Set Task Stage to",
        ondelete="restrict",
        help="The stage of tasks; empty: it stays.",
    )
    set_priority = fields.Selection(
        PRIORITIES,
        "Set Priority to",
        help="The record's priority; empty: it stays.",
    )
    add_tag_ids = fields.Many2many(
        "crm.tag",
        "crm_automation_rule_add_tag_rel",
        string="Add Tags",
        help="Tags that leads and opportunities get beside those that they have.",
    )
    add_task_tag_ids = fields.Many2many(
        "project.tags",
        "crm_automation_rule_add_task_tag_rel",
        string="Add Task Tags",
        help="Tags that tasks get beside those that they have.",
    )
    value_ids = fields.One2many(
        "crm.automation.rule.value",
        "rule_id",
        "Other Fields to Change",
        copy=True,
        help="Any other field, with the value that it gets.",
    )
    add_follower_ids = fields.Many2many(
        "res.partner",
        "crm_automation_rule_follower_rel",
        string="Add Followers",
        help="They follow the record from then on, and get what is written in its chatter.",
    )
    activity_type_id = fields.Many2one(
        "mail.activity.type",
        "Schedule an Activity",
        ondelete="restrict",
        domain="['|', ('res_model', '=', False), ('res_model', '=', model_name)]",
        help="A to-do for the responsible of the record; empty: none.",
    )
    activity_summary = fields.Char(
        "Summary",
        translate=True,
        help="What is to be done, in a few words.",
    )
    activity_days = fields.Integer(
        "Due in Days",
        default=1,
        help="In how many days, from the moment of the rule, the to-do is due.",
    )
    activity_user_id = fields.Many2one(
        "res.users",
        "Assigned to",
        domain=[("share", "=", False)],
        ondelete="restrict",
        help="Empty: the responsible of the record.",
    )
    server_action_ids = fields.Many2many(
        "ir.actions.server",
        "crm_automation_rule_server_action_rel",
        string="Server Actions",
        groups="base.group_system",
        copy=False,
        domain="[('model_id', '=', model_id), ('usage', '=', 'ir_actions_server')]",
        help="Run in their order, with the rights of the rule's owner.",
    )

    def _changes_fields(self):
        self.ensure_one()
        return bool(
            self.set_state_id
            or self.set_priority
            or self.value_ids
            or any(self[name] for name in TARGETS)
        )

    def _has_actions(self):
        self.ensure_one()
        return bool(
            self._changes_fields()
            or self.add_follower_ids
            or self.activity_type_id
            or self.sudo().server_action_ids
        )

    @api.constrains(
        *TARGETS, "set_state_id", "set_priority", "value_ids", "add_follower_ids",
        "activity_type_id", "server_action_ids", "model_id", "trigger",
    )  # fmt: skip
    def _check_actions_fit(self):
        for rule in self:
            asked = [name for name, condition in TARGETS.items()
                     if rule[name] and f",{condition}," not in rule.offered]  # fmt: skip
            if rule.set_priority and ",priority," not in rule.offered:
                asked.append("set_priority")
            if rule.set_state_id.sudo().field_id - rule.state_field_id:
                asked.append("set_state_id")
            if asked:
                labels = [self._fields[name]._description_string(self.env) for name in asked]
                raise ValidationError(
                    self.env._(
                        "Records of this object have no such field, so these actions cannot be "
                        "done: %(names)s. Empty them.",
                        names=", ".join(labels),
                    )
                )
            model = self.env.get(rule.model_name) if rule.model_name else None
            # A meeting has a field of activities, but takes none.
            is_lacking = (rule.add_follower_ids and not hasattr(model, "message_subscribe")) or (
                rule.activity_type_id and not hasattr(model, "activity_schedule")
            )
            if is_lacking and model is not None:
                raise ValidationError(
                    self.env._("Records of this object have no such followers or activities.")
                )
            if rule.trigger == "deleted" and rule._has_actions():
                raise ValidationError(
                    self.env._("Nothing can be done with a record that is deleted: only tell.")
                )

    @api.constrains("set_state_id", "model_id")
    def _check_state_can_be_set(self):
        for rule in self.filtered("set_state_id"):
            model = self.env[rule.model_name]
            state = rule.set_state_id.sudo()
            if (
                state_field(model) == "business_state"
                and state.value not in model._automation_settable_states()
            ):
                raise ValidationError(
                    self.env._(
                        "The state “%(state)s” cannot be set: on records of this object it follows "
                        "from something else, such as who works on it or the date.",
                        state=state.name,
                    )
                )

    @api.constrains("server_action_ids", "model_id")
    def _check_server_actions(self):
        for rule in self.sudo():
            if rule.server_action_ids.model_id - rule.model_id:
                raise ValidationError(
                    self.env._("The server actions must be about the object of the rule.")
                )

    @api.onchange("model_id", "trigger")
    def _onchange_model_actions(self):
        """Actions that the new object does not know are emptied."""
        for name, condition in TARGETS.items():
            if f",{condition}," not in (self.offered or ""):
                self[name] = False
        if self.set_state_id.field_id != self.state_field_id:
            self.set_state_id = False
        if self.value_ids.field_id.model_id - self.model_id:
            self.value_ids = False

    # -- doing it -------------------------------------------------------------

    def _change_fields(self, records):
        """Set the fields, with the rights that the records carry."""
        values = {}
        for name, condition in TARGETS.items():
            target = self[name]
            if not target:
                continue
            field = self._source(condition)
            is_many = records._fields[field].type == "many2many"
            values[field] = [(4, row.id) for row in target] if is_many else target.id
        if self.set_user_id and self._source("responsible_ids") == "user_ids":
            values["user_ids"] = [(6, 0, self.set_user_id.ids)]
        if self.set_priority:
            values["priority"] = self.set_priority
        for line in self.value_ids:
            values[line.field_id.sudo().name] = line._converted(records.browse())
        if values:
            records.write(values)
        if self.set_state_id:
            self._set_state(records, self.set_state_id.sudo().value)

    def _set_state(self, records, value):
        if state_field(records) == "business_state":
            records._automation_set_state(value)
        else:
            records.write({"state": value})

    def _act(self, firings, records):
        """Everything that a job does: what the save has not done, and the rest.

        :param firings: ``crm.automation.firing`` of this rule
        :param records: their records, with the rights of the rule's owner, and with
            the chain of rules in the context
        """
        if self._compiled().changes_fields:
            for firing in firings:
                if not firing._told().get("applied"):
                    self._change_fields(records.browse(firing.res_id))
        if self.add_follower_ids:
            records.message_subscribe(partner_ids=self.add_follower_ids.ids)
        if self.activity_type_id:
            self._schedule(records)
        for action in self.sudo().server_action_ids.sorted("sequence"):
            self._run_server_action(action, records)

    def _schedule(self, records):
        day = fields.Date.context_today(self) + relativedelta(days=self.activity_days)
        for record in records:
            user = self.activity_user_id or self._responsibles(record)[:1] or self.owner_id
            record.activity_schedule(
                activity_type_id=self.activity_type_id.id,
                date_deadline=day,
                summary=self.activity_summary or self.activity_type_id.summary,
                user_id=user.id,
            )

    def _run_server_action(self, action, records):
        """One record after the other, as Odoo's own rules do it: code that speaks of
        ``record`` means each of them."""
        for record in records:
            action.with_env(records.env).with_context(
                active_model=record._name, active_id=record.id, active_ids=record.ids
            ).run()

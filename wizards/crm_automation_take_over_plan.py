"""What becomes of one of Odoo's rules: its trigger, its dates and its conditions.

Owns the correspondence of Odoo's triggers to ours, and what stays with Odoo and why.
"""

import ast
import dataclasses

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from ..models.crm_automation_rule import OUTGOING
from ..models.crm_automation_rule_stock import STOCK_UNITS
from ..models.record_fields import state_field

#: Odoo's triggers about a change of a record, to ours.
CHANGES = {
    "on_create": "created",
    "on_create_or_write": "saved",
    "on_write": "updated",
    "on_stage_set": "saved",
    "on_user_set": "saved",
    "on_tag_set": "saved",
    "on_state_set": "saved",
    "on_priority_set": "saved",
    "on_archive": "updated",
    "on_unarchive": "updated",
}
#: Odoo's triggers about dates, to our kinds of dates.
DATES = {"on_time": "field", "on_time_created": "create", "on_time_updated": "last_update"}
#: What is worked out in working days may be due for one rule days before the other: no
#: weekend is too late.
WORKDAYS_LATENESS = 96.0
#: Our condition for a stage, where the model has one.
STAGES = {"crm.lead": "lead_stage_ids", "project.task": "task_stage_ids"}


@dataclasses.dataclass
class Plan:
    """What becomes of one of Odoo's rules.

    :param dict values: of the new rule
    :param list obstacles: why it stays with Odoo; else empty
    :param list losses: what the new rule will not do
    :param list differences: what it will do in another way
    :param list kept: Odoo's actions that are kept as server actions
    """

    values: dict = dataclasses.field(default_factory=dict)
    obstacles: list = dataclasses.field(default_factory=list)
    losses: list = dataclasses.field(default_factory=list)
    differences: list = dataclasses.field(default_factory=list)
    kept: list = dataclasses.field(default_factory=list)

    @property
    def verdict(self):
        if self.obstacles:
            return "no"
        return "part" if self.losses else "full"


class CrmAutomationTakeOver(models.TransientModel):
    _inherit = "crm.automation.take.over"

    def _plan(self, stock):
        """
        :param stock: the ``base.automation``
        :rtype: Plan
        """
        plan = Plan()
        for step in (self._plan_model, self._plan_trigger, self._plan_conditions,
                     self._plan_actions, self._plan_differences):  # fmt: skip
            step(plan, stock)
            if plan.obstacles:
                break
        return plan

    def _plan_model(self, plan, stock):
        model = self.env.get(stock.model_name)
        if model is None:
            plan.obstacles.append(self.env._("The app of its records is no longer installed."))
        elif model._transient:
            plan.obstacles.append(
                self.env._(
                    "It is about a window of Odoo (%(model)s), not about records that stay. For "
                    "merged opportunities there is a recipe.",
                    model=stock.model_id.name,
                )
            )
        elif stock.model_name in OUTGOING:
            plan.obstacles.append(
                self.env._("It is about what sending a notice writes itself: it would never end.")
            )
        plan.values["model_id"] = stock.model_id.id

    # -- when -----------------------------------------------------------------

    def _plan_trigger(self, plan, stock):
        if reason := self._why_it_stays(stock.trigger):
            plan.obstacles.append(reason)
        elif stock.trigger in DATES:
            self._plan_date(plan, stock)
        else:
            self._plan_change(plan, stock)

    def _why_it_stays(self, trigger):
        """Why a trigger stays with Odoo, or None."""
        return {
            "on_change": self.env._(
                "It changes a form while somebody fills it in, before anything is saved."
            ),
            "on_unlink": self.env._(
                "Its actions work on the record just before it is deleted. The rules of this "
                "addon tell people of a deletion when it has happened; they do nothing with the "
                "record."
            ),
            "on_message_received": self.env._("It waits for a message in the record's history."),
            "on_message_sent": self.env._("It waits for a message in the record's history."),
            "on_webhook": self.env._("It is called from outside, at an address of its own."),
        }.get(trigger) or (
            None
            if trigger in CHANGES or trigger in DATES
            else self.env._("Its trigger is one that another app has added.")
        )

    def _plan_change(self, plan, stock):
        watched = stock.trigger_field_ids
        plan.values["trigger"] = CHANGES[stock.trigger]
        model = self.env[stock.model_name]
        if stock.trigger == "on_stage_set" and stock.trg_field_ref:
            if watched.mapped("name") == ["stage_id"]:
                plan.values["trigger"] = "stage_entered"
        if stock.trigger == "on_state_set" and stock.trg_selection_field_id:
            if watched.mapped("name") == [state_field(model)]:
                plan.values["trigger"] = "state_reached"
        if plan.values["trigger"] in ("saved", "updated"):
            plan.values["watched_field_ids"] = [Command.set(watched.ids)]

    def _plan_date(self, plan, stock):
        field = self.env[stock.model_name]._fields.get(stock.trg_date_id.name)
        if not field or not field.store:
            plan.obstacles.append(
                self.env._("Its date is worked out anew each time, so nobody can look for it.")
            )
        elif field.name == "date_automation_last":
            plan.obstacles.append(
                self.env._("Its date is set by Odoo's own rules only, each time that they act.")
            )
        plan.values |= {
            "trigger": "moment",
            "date_type": DATES[stock.trigger],
            "delay_number": stock.trg_date_range,
            "delay_unit": STOCK_UNITS.get(stock.trg_date_range_type, "hours"),
            "delay_before": stock.trg_date_range_mode or "after",
        }
        if stock.trigger == "on_time":
            plan.values["date_field_id"] = stock.trg_date_id.id
        if stock.trg_date_calendar_id and stock.trg_date_range_type == "day":
            plan.values |= {
                "delay_unit": "workdays",
                "resource_calendar_id": stock.trg_date_calendar_id.id,
                "lateness_hours": WORKDAYS_LATENESS,
            }
            plan.losses.append(
                self.env._(
                    "Odoo's rule counts the working day that is going on as the first one, and "
                    "acts when a part of it begins or ends. The new one counts from the next one "
                    "and keeps the hour of the date: up to a working day earlier before a date, "
                    "up to one later after it."
                )
            )

    # -- which records --------------------------------------------------------

    def _plan_conditions(self, plan, stock):
        after = self._literal(plan, stock, stock.filter_domain)
        before = []
        if stock.trigger in CHANGES and stock.trigger != "on_create":
            before = self._literal(plan, stock, stock.filter_pre_domain)
        if plan.obstacles:
            return
        after = self._beside_lost_leads(plan, stock, after)
        if self._take_named_condition(plan, stock, after):
            after = []
        if after:
            plan.values["filter_domain"] = repr(after)
        if before:
            plan.values["before_domain"] = repr(before)
            if plan.values["trigger"] != "updated":
                plan.losses.append(
                    self.env._(
                        "On a new record Odoo's rule does not ask the condition before the "
                        "change; the new rule does, and so leaves new records out."
                    )
                )

    def _beside_lost_leads(self, plan, stock, terms):
        """Odoo's rules about dates see no lost leads, ours do."""
        names = {term.field_expr for term in Domain(terms).iter_conditions()}
        is_about = plan.values["trigger"] == "moment" and stock.model_name == "crm.lead"
        return [("active", "=", True), *terms] if is_about and "active" not in names else terms

    def _take_named_condition(self, plan, stock, terms):
        """The stage or the state of Odoo's trigger, where our form has a field for it.

        :return: whether it says all of the condition
        """
        terms = [tuple(term) for term in terms]
        name = STAGES.get(stock.model_name)
        if plan.values["trigger"] == "stage_entered" and name:
            if terms == [("stage_id", "=", stock.trg_field_ref)]:
                plan.values[name] = [Command.set([stock.trg_field_ref])]
                return True
        state = stock.trg_selection_field_id
        if plan.values["trigger"] == "state_reached":
            if terms == [(state.field_id.name, "=", state.value)]:
                plan.values["state_to_ids"] = [Command.set(state.ids)]
                return True
        return False

    def _literal(self, plan, stock, text):
        """A condition of Odoo's rule as a list, if it is made of fixed values."""
        try:
            terms = ast.literal_eval(text or "[]")
        except (ValueError, SyntaxError, TypeError):
            plan.obstacles.append(
                self.env._(
                    "Its condition is a formula, and the rules of this addon take fixed values "
                    "only: %(condition)s",
                    condition=text,
                )
            )
            return []
        try:
            records = self.env[stock.model_name].with_context(active_test=False)
            records.search(Domain(terms), limit=1)
        except (UserError, ValueError, TypeError, KeyError) as error:
            plan.obstacles.append(
                self.env._(
                    "Its condition no longer fits its records: %(condition)s (%(error)s)",
                    condition=text,
                    error=error,
                )
            )
        return terms

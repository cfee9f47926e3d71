"""One of Odoo's rules and the new one, in plain words, side by side."""

import ast
from collections.abc import Collection

from odoo import models
from odoo.fields import Domain

#: Operators of a condition as a reader writes them.
OPERATORS = {
    "=": "=", "!=": "≠", "in": "=", "not in": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥",
    "ilike": "~", "like": "~",
}  # fmt: skip


class CrmAutomationTakeOver(models.TransientModel):
    _inherit = "crm.automation.take.over"

    def _label_of(self, record, name):
        """What Odoo's own screens show for the value of a selection field."""
        field = record._fields[name]
        return dict(field._description_selection(self.env)).get(record[name], "")

    def _stock_in_words(self, stock):
        deeds = "; ".join(self._action_in_words(action) for action in stock.action_server_ids)
        conditions = self._domain_in_words(stock.model_name, stock.filter_domain)
        when = ", ".join(filter(None, [self._stock_when(stock), conditions]))
        if not deeds:
            return self.env._("%(when)s, nothing happens yet.", when=when)
        return self.env._("%(when)s, %(what)s.", when=when, what=deeds)

    def _stock_when(self, stock):
        trigger = self._label_of(stock, "trigger")
        if stock.trg_date_id:
            values = {
                "trigger": trigger,
                "date": stock.trg_date_id.field_description,
                "delay": self._delay_of(stock),
            }
            if not stock.trg_date_range:
                return self.env._("%(trigger)s: at “%(date)s”", **values)
            if stock.trg_date_range_mode == "before":
                return self.env._("%(trigger)s: %(delay)s before “%(date)s”", **values)
            return self.env._("%(trigger)s: %(delay)s after “%(date)s”", **values)
        if stock.trigger not in ("on_write", "on_create_or_write"):
            return trigger  # it names its field itself
        names = ", ".join(stock.trigger_field_ids.mapped("field_description"))
        return f"{trigger} ({names})" if names else trigger

    def _delay_of(self, stock):
        unit = self._label_of(stock, "trg_date_range_type").lower()
        return f"{stock.trg_date_range} {unit}"

    def _action_in_words(self, action):
        kind = self._label_of(action, "state")
        about = ""
        if action.state == "mail_post":
            about = action.template_id.name
        elif action.state == "object_write":
            about = action.update_field_id.field_description or action.update_path
        elif action.state == "next_activity":
            about = action.activity_type_id.name
        elif action.state in ("followers", "remove_followers"):
            about = ", ".join(action.partner_ids.mapped("name")) or (
                action.followers_partner_field_name
            )
        elif action.name != kind:
            about = action.name
        return f"{kind}: {about}" if about else kind

    def _domain_in_words(self, model_name, text):
        """A condition as a reader says it, or as it is written, where it is too knotty."""
        if not text or text == "[]":
            return ""
        try:
            terms = ast.literal_eval(text)
            if any(term in ("|", "!") for term in terms if isinstance(term, str)):
                return text
            conditions = list(Domain(terms).iter_conditions())
            return ", ".join(self._condition_in_words(model_name, term) for term in conditions)
        except (ValueError, SyntaxError, TypeError, KeyError):
            return text

    def _condition_in_words(self, model_name, term):
        """:raises KeyError: where the field or the operator has no words"""
        field = self.env[model_name]._fields[term.field_expr]
        is_list = isinstance(term.value, Collection) and not isinstance(term.value, str)
        values = list(term.value) if is_list else [term.value]
        if field.relational:
            ids = [value for value in values if value]
            names = self.env[field.comodel_name].sudo().browse(ids).exists().mapped("display_name")
            shown = names + ["–"] * (len(values) - len(ids))
        elif field.type == "selection":
            labels = dict(field._description_selection(self.env))
            shown = [labels.get(value, value) or "–" for value in values]
        elif field.type == "boolean":
            shown = [self._yes_or_no(value) for value in values]
        else:
            shown = ["–" if value is False else value for value in values]
        label = field._description_string(self.env)
        return f"{label} {OPERATORS[term.operator]} {', '.join(map(str, shown))}"

    def _yes_or_no(self, value):
        return self.env._("yes") if value else self.env._("no")

    # -- side by side -----------------------------------------------------------

    def _comparison(self, stock, rule, plan):
        """A table with Odoo's rule and the new one.

        :param rule: the ``crm.automation.rule``, perhaps only proposed; or empty
        """
        rows = [
            (self.env._("Object"), stock.model_id.name, rule.model_id.name),
            (self.env._("When"), self._stock_when(stock), rule and rule._when_in_words()),
            (
                self.env._("Conditions"),
                self._domain_in_words(stock.model_name, stock.filter_domain),
                rule and self._conditions_of(rule),
            ),
            (
                self.env._("Before the change"),
                self._domain_in_words(stock.model_name, stock.filter_pre_domain),
                rule and self._domain_in_words(rule.model_name, rule.before_domain),
            ),
            (
                self.env._("Recipients"),
                "; ".join(self._stock_recipients(stock)),
                rule and ", ".join(rule._recipients_in_words()),
            ),
            (
                self.env._("E-mail template"),
                ", ".join(stock.action_server_ids.template_id.mapped("name")),
                rule.template_id.name,
            ),
            (
                self.env._("Actions"),
                "; ".join(self._action_in_words(action) for action in stock.action_server_ids),
                rule and "; ".join(self._deeds_of(rule, plan)),
            ),
            (
                self.env._("Switched on"),
                self._yes_or_no(stock.active),
                rule and (self._yes_or_no(rule.enabled) if rule.id else self.env._("you choose")),
            ),
        ]
        return self.env["ir.qweb"]._render(
            "crm_automation.take_over_comparison",
            {"rows": [row for row in rows if row[1] or row[2]], "stays": not rule},
        )

    def _list_of(self, sentences):
        return self.env["ir.qweb"]._render(
            "crm_automation.take_over_differences", {"sentences": sentences}
        )

    def _conditions_of(self, rule):
        """All conditions but that before the change; the filter in full."""
        general = {
            rule.env._("matches the conditions on fields"),
            rule.env._("matched other conditions before the change"),
        }
        found = [clause for clause in rule._conditions_in_words() if clause not in general]
        found.append(self._domain_in_words(rule.model_name, rule.filter_domain))
        return ", ".join(filter(None, found))

    def _deeds_of(self, rule, plan):
        kept = rule.server_action_ids if rule.id else plan.kept
        return (
            rule._told_in_words()
            + rule._deeds_in_words()
            + [self._action_in_words(action) for action in kept]
        )

    def _stock_recipients(self, stock):
        """Whom the templates of Odoo's rule are for, as they say it."""
        for template in stock.action_server_ids.template_id:
            if template.use_default_to:
                yield self.env._("those that Odoo finds on the record")
            else:
                texts = (template.email_to, template.partner_to, template.email_cc)
                yield ", ".join(filter(None, texts))

"""Ready-made rules that a consultant starts from.

Owns what a recipe's values mean. They come with the addon: nobody can write
them, and the rule is made with the rights of whoever uses the recipe.
"""

import json

from odoo import api, fields, models
from odoo.fields import Command, Domain

from .record_fields import state_field

#: Keys of the values that name states, and keys that name a record by its XML id.
STATE_KEYS = {"state_from": "state_from_ids", "state_to": "state_to_ids"}
REFERENCES = frozenset({"activity_type_id"})


class CrmAutomationRecipe(models.Model):
    _name = "crm.automation.recipe"
    _description = "Recipe of an Automated Action"
    _order = "sequence, id"

    name = fields.Char(
        required=True,
        translate=True,
        help="What a rule that is made from it is called, unless you change that.",
    )
    description = fields.Text(
        required=True, translate=True, help="What the rule does, and what it is good for."
    )
    icon = fields.Char(default="fa-envelope-o", help="A name of Font Awesome 4, as fa-bell.")
    sequence = fields.Integer(default=10)
    model_name = fields.Char(required=True, help="The recipe is offered where this is installed.")
    values = fields.Text(required=True, help="Fields of the rule, as JSON.")
    is_available = fields.Boolean(compute="_compute_is_available", search="_search_is_available")

    @api.depends("model_name")
    def _compute_is_available(self):
        for recipe in self:
            recipe.is_available = recipe.model_name in self.env

    @api.model
    def _search_is_available(self, operator, value):
        if operator not in ("in", "not in"):
            return NotImplemented
        there = [name for name in self.search([]).mapped("model_name") if name in self.env]
        wanted = (True in value) == (operator == "in")
        return Domain("model_name", "in" if wanted else "not in", there)

    def _rule_values(self):
        """Values of the rule that this recipe makes, without its name."""
        self.ensure_one()
        model = self.env[self.model_name]
        values = {"model_id": self.env["ir.model"]._get_id(self.model_name)}
        for key, value in json.loads(self.values).items():
            if key in STATE_KEYS:
                values[STATE_KEYS[key]] = [Command.set(self._states(model, value))]
            elif key == "watched":
                fields_model = self.env["ir.model.fields"].sudo()
                ids = [fields_model._get(self.model_name, name).id for name in value]
                values["watched_field_ids"] = [Command.set(ids)]
            elif key in REFERENCES:
                values[key] = self.env.ref(value).id
            elif key == "filter_domain":
                values[key] = repr(self._literal_domain(value))
            else:
                values[key] = value
        return values

    def _states(self, model, codes):
        field = self.env["ir.model.fields"].sudo()._get(model._name, state_field(model))
        return field.selection_ids.filtered(lambda state: state.value in codes).ids

    def _literal_domain(self, terms):
        """The domain with XML ids, written as ``ref:…``, replaced by ids."""
        return [
            tuple(
                self.env.ref(part[4:]).id
                if isinstance(part, str) and part.startswith("ref:")
                else part
                for part in term
            )
            if isinstance(term, list)
            else term
            for term in terms
        ]

    def action_use(self):
        """Open the dialog that makes the rule."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Rule from a Recipe"),
            "res_model": "crm.automation.recipe.use",
            "view_mode": "form",
            "target": "new",
            "context": {"default_recipe_id": self.id},
        }

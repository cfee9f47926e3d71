import datetime

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import str2bool

#: Kinds of fields that a text in a form can stand for.
TYPES = (
    "char", "text", "html", "integer", "float", "monetary", "boolean", "selection", "date",
    "datetime", "many2one",
)  # fmt: skip


class CrmAutomationRuleValue(models.Model):
    _name = "crm.automation.rule.value"
    _description = "Value that an Automated Action Sets"
    _order = "sequence, id"

    rule_id = fields.Many2one("crm.automation.rule", required=True, ondelete="cascade", index=True)
    sequence = fields.Integer(default=10)
    model_id = fields.Many2one(related="rule_id.model_id")
    field_id = fields.Many2one(
        "ir.model.fields",
        "Field",
        required=True,
        ondelete="cascade",
        domain="[('model_id', '=', model_id), ('readonly', '=', False), ('store', '=', True), "
        f"('ttype', 'in', {TYPES!r})]",
    )
    value = fields.Char(
        help="Of a selection or another record its name as the screen shows it; of a date "
        "2026-12-31, or a number of days from the moment of the action such as +7; nothing "
        "empties the field.",
    )

    @api.constrains("field_id", "value", "rule_id")
    def _check_value(self):
        for line in self:
            rule, field = line.rule_id, line.field_id.sudo()
            if field.model_id != rule.sudo().model_id or field.ttype not in TYPES:
                raise ValidationError(
                    self.env._("Choose a field of the object that the rule is about.")
                )
            # Constraints run with all rights; the writer of the rule may set no
            # more than he could set himself.
            model = self.env[field.model].sudo(False)
            if not model._has_field_access(model._fields[field.name], "write"):
                raise ValidationError(
                    self.env._(
                        "You may not change the field “%(field)s” yourself.",
                        field=field.field_description,
                    )
                )
            try:
                line._converted(model)
            except (UserError, ValueError) as error:
                raise ValidationError(
                    self.env._(
                        "“%(value)s” is no value for “%(field)s”. %(error)s",
                        value=line.value,
                        field=field.field_description,
                        error=error,
                    )
                ) from error

    def _converted(self, model):
        """The value as ``write`` takes it.

        :param model: the rule's model, with the rights it is looked up with
        :raises ValueError, UserError: when the text stands for no such value
        """
        self.ensure_one()
        field = model._fields[self.field_id.sudo().name]
        text = (self.value or "").strip()
        if field.type == "boolean":
            return str2bool(text or "0")
        if not text:
            return False
        if field.type == "selection":
            return self._selected(field, text)
        if field.type == "many2one":
            return self._found(model.env[field.comodel_name], text).id
        if field.type in ("date", "datetime"):
            return self._date(field, text)
        if field.type == "integer":
            return int(text)
        if field.type in ("float", "monetary"):
            return float(text.replace(",", "."))
        return text

    def _selected(self, field, text):
        for language in (self.env.lang, "en_US"):
            labels = field._description_selection(self.with_context(lang=language).env)
            for value, label in labels:
                if text in (value, label):
                    return value
        raise UserError(
            self.env._("It can be: %(labels)s.", labels=", ".join(label for _v, label in labels))
        )

    def _found(self, comodel, text):
        domain = [("id", "=", int(text))] if text.isdigit() else None
        found = (
            comodel.search(domain)
            if domain
            else comodel.browse(row[0] for row in comodel.name_search(text, operator="=", limit=2))
        )
        if len(found) != 1:
            raise UserError(
                self.env._("There is not exactly one with that name: %(number)s.", number=len(found))
            )
        return found

    def _date(self, field, text):
        if text[0] in "+-" or text.isdigit():
            moment = fields.Datetime.now() + relativedelta(days=int(text))
            return moment if field.type == "datetime" else moment.date()
        day = datetime.date.fromisoformat(text[:10])
        return fields.Datetime.to_datetime(text) if field.type == "datetime" else day

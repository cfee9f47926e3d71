import contextlib
import datetime
import math

import pytz

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
        required=True,
        ondelete="cascade",
        domain="[('model_id', '=', model_id), ('readonly', '=', False), ('store', '=', True), "
        f"('ttype', 'in', {TYPES!r})]",
        help="What the rule writes into. Offered is what may be written.",
    )
    value = fields.Char(
        help="Of a selection or another record its name as the screen shows it; of a date "
        "2026-12-31, or a number of days from the moment of the action such as +7; nothing "
        "empties the field.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.rule_id._is_changed_by_its_lines()
        return lines

    def write(self, vals):
        rules = self.rule_id
        result = super().write(vals)
        (rules | self.rule_id)._is_changed_by_its_lines()
        return result

    def unlink(self):
        rules = self.rule_id
        result = super().unlink()
        rules._is_changed_by_its_lines()
        return result

    @api.constrains("field_id", "value", "rule_id")
    def _check_value(self):
        for line in self:
            rule, field = line.rule_id, line.field_id.sudo()
            fits = field.model_id == rule.sudo().model_id and field.ttype in TYPES
            if not fits or field.readonly or not field.store:
                raise ValidationError(
                    self.env._(
                        "Choose a field of the object that the rule is about, and one that "
                        "somebody can fill in."
                    )
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
            except UserError as error:
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
        :raises UserError: when the text stands for no such value
        """
        self.ensure_one()
        field = model._fields[self.field_id.sudo().name]
        text = (self.value or "").strip()
        if field.type == "boolean":
            return self._boolean(text)
        if not text:
            if field.required:
                raise UserError(self.env._("It cannot be empty."))
            return False
        if field.type == "selection":
            return self._selected(field, text)
        if field.type == "many2one":
            return self._found(model.env[field.comodel_name], text).id
        if field.type in ("date", "datetime"):
            return self._date(field, text)
        if field.type in ("integer", "float", "monetary"):
            return self._number(field, text)
        return text

    def _boolean(self, text):
        try:
            return str2bool(text or "0")
        except ValueError as error:
            raise UserError(self.env._("It can be 1 or 0.")) from error

    def _number(self, field, text):
        with contextlib.suppress(ValueError):
            if field.type == "integer":
                number = int(text)
                if abs(number) < 2**31:
                    return number
            else:
                number = float(text.replace(",", "."))
                if math.isfinite(number):
                    return number
        if field.type == "integer":
            raise UserError(self.env._("It must be a whole number such as 12."))
        raise UserError(self.env._("It must be a number such as 12.50."))

    def _languages(self):
        """The reader's language first. Who runs a rule has another one than who wrote it."""
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        return dict.fromkeys([self.env.lang or "en_US", "en_US", *installed])

    def _selected(self, field, text):
        choices = {}
        for language in self._languages():
            choices[language] = field._description_selection(self.with_context(lang=language).env)
            for value, label in choices[language]:
                if text in (value, label):
                    return value
        labels = next(iter(choices.values()))
        raise UserError(
            self.env._("It can be: %(labels)s.", labels=", ".join(label for _v, label in labels))
        )

    def _found(self, comodel, text):
        if text.isdecimal():
            found = comodel.search([("id", "=", int(text))])
        else:
            for language in self._languages():
                named = comodel.with_context(lang=language)
                found = comodel.browse(
                    row[0] for row in named.name_search(text, operator="=", limit=2)
                )
                if found:
                    break
        if len(found) != 1:
            raise UserError(
                self.env._(
                    "There is not exactly one with that name: %(number)s.", number=len(found)
                )
            )
        return found

    def _date(self, field, text):
        try:
            if text[0] in "+-" or text.isdecimal():
                return self._in_days(field, int(text))
            if field.type == "datetime":
                return self._to_utc(fields.Datetime.to_datetime(text))
            return datetime.date.fromisoformat(text)
        except (ValueError, OverflowError) as error:
            raise UserError(
                self.env._("It can be a date such as 2026-12-31, or days from now such as +7.")
            ) from error

    def _to_utc(self, local):
        """A wall clock of where the owner lives, as Odoo stores it."""
        zone = pytz.timezone(self.rule_id.owner_id.sudo().tz or "UTC")
        return zone.localize(local).astimezone(pytz.utc).replace(tzinfo=None)

    def _in_days(self, field, days):
        step = datetime.timedelta(days=days)
        if field.type == "datetime":
            return fields.Datetime.now() + step
        # The day where the owner lives: a job has no time zone of its own.
        zone = self.rule_id.owner_id.sudo().tz
        return fields.Date.context_today(self.with_context(tz=zone)) + step

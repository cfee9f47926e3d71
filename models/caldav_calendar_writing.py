"""What programs may do with the records of a configurable calendar, as an administrator says.

Owns which of a calendar's properties they change, and what a new record needs to be one of
its records. Whether a user may do it is Odoo's rights' business; how text becomes values is
``caldav_record_reader``'s.
"""

from odoo import Command, api, fields, models
from odoo.fields import Domain

#: Fields that nobody says anything of.
_NEVER = frozenset((*models.MAGIC_COLUMNS, "parent_path"))
_MOMENTS = frozenset({"date", "datetime"})
_NUMBERS = frozenset({"integer", "float"})
_TEXTS = frozenset({"char", "text", "html", "integer", "float", "many2one", "selection"})
#: Types of the fields that programs change, by property. Of the others nobody can tell which
#: value is meant.
WRITTEN = {
    "SUMMARY": _TEXTS, "DESCRIPTION": _TEXTS, "LOCATION": _TEXTS, "URL": frozenset({"char"}),
    "CATEGORIES": frozenset({"char", "many2one", "selection"}), "DTSTART": _MOMENTS,
    "DTEND": _MOMENTS, "DUE": _MOMENTS, "COMPLETED": _MOMENTS, "DURATION": _NUMBERS,
    "PERCENT-COMPLETE": _NUMBERS, "STATUS": frozenset({"selection", "char", "boolean"}),
    "PRIORITY": frozenset({"selection", "integer", "char"}),
}  # fmt: skip
#: Those in which fixed words may stand before and behind the value of a field.
FRAMED = frozenset({"SUMMARY", "LOCATION"})


class CaldavCalendarDefinition(models.Model):
    _inherit = "caldav.calendar.definition"

    may_change = fields.Boolean(
        "Change Records",
        help="What is changed in a program is written into the record, as far as its user may do "
        "that in Odoo. The column Programs Change It says which properties those are; the others "
        "stay as they are in Odoo.",
    )
    may_create = fields.Boolean(
        "Create Records",
        help="What is new in a program becomes a record, with what the conditions ask for: with "
        "[('user_id', '=', uid)] it is the user's own. What would be no record of this calendar "
        "is refused.",
    )
    may_delete = fields.Boolean(
        "Delete Records",
        help="What is deleted in a program is archived in Odoo; where there is no archive, it is "
        "deleted. Only what its user may archive or delete in Odoo.",
    )

    def write(self, vals):
        if "model_id" in vals:
            changed = self.filtered(lambda one: one.model_id.id != vals["model_id"])
            self.env["caldav.record.uid"].sudo()._of(changed).unlink()
        return super().write(vals)

    def _rights_of(self, user):
        """What a user's programs may do in it: some of ``dav.backend.WRITE``."""
        model = self._model_of(user)
        takes_away = "write" if model._active_name else "unlink"
        wanted = (
            ("write-content", self.may_change, "write"),
            ("bind", self.may_create, "create"),
            ("unbind", self.may_delete, takes_away),
        )
        return frozenset(
            right for right, is_allowed, access in wanted
            if is_allowed and model.has_access(access)
        )  # fmt: skip

    def _holds(self, record):
        """Whether a record is one of those that its user sees in this calendar."""
        domain = Domain("id", "=", record.id) & self._domain_of(record.env.user)
        return bool(record.search_count(domain, limit=1))

    def _values_asked(self, model):
        """Values of fields that all of its records have: what its conditions say is equal.

        :param model: as the user sees it
        """
        found = {}
        for name, operator, value in _joined(self._domain_of(model.env.user)):
            field = model._fields.get(name)
            if operator == "in" and isinstance(value, list | tuple) and len(value) == 1:
                operator, [value] = "=", value
            if field is not None and operator == "=" and may_be_set(model, field):
                found |= _value_of(field, value)
        return found


class CaldavCalendarProperty(models.Model):
    _inherit = "caldav.calendar.property"

    is_written = fields.Boolean(
        "Programs Change It",
        compute="_compute_is_written",
        help="Whether a change in a program reaches Odoo: it comes from one field that can be "
        "edited, and the words say which value is meant.",
    )

    @api.depends(
        "property", "source", "field_id", "mapping", "definition_id.model_id",
        "definition_id.line_ids.property", "definition_id.line_ids.source",
    )  # fmt: skip
    def _compute_is_written(self):
        for line in self:
            model = line._model()
            fellows = line.definition_id.line_ids.filtered(
                lambda one, line=line: one.property == line.property
            )
            line.is_written = model is not None and line._may_be_written(model, fellows)

    def _may_be_written(self, model, fellows):
        """Whether what programs say in this property is a value of its field.

        :param model: as whoever writes sees it
        :param fellows: all lines of the property
        """
        field = model._fields.get(self.field_id.name)
        if self.source != "field" or field is None:
            return False
        # Of several values in one text nobody can tell where one ends.
        is_framed = self.property in FRAMED and len(
            fellows.filtered(lambda one: one.source == "field")
        ) == 1  # fmt: skip
        if len(fellows) > 1 and not is_framed:
            return False
        has_words = field.type != "boolean" or bool(self.mapping)
        is_fit = field.type in WRITTEN.get(self.property, ())
        return is_fit and has_words and may_be_set(model, field)


def may_be_set(model, field):
    """Whether whoever looks at the model may set a field of its records."""
    return (
        field.store
        and not field.readonly
        and field.name not in _NEVER
        and model._has_field_access(field, "write")
    )


def _joined(domain):
    """The conditions of a domain that hold for each record that it finds."""
    parts = domain.children if list(domain)[:1] == ["&"] else [domain]
    for part in parts:
        terms = list(part)
        if len(terms) == 1:
            yield terms[0]


def _value_of(field, value):
    """dict with the value that a condition asks for, empty when it is no value of the field."""
    if field.type == "many2many":
        return {field.name: [Command.set([value])]} if type(value) is int else {}
    wanted = {"many2one": int, "selection": str}.get(field.type)
    if field.type == "one2many" or (wanted and type(value) is not wanted):
        return {}
    return {field.name: value}

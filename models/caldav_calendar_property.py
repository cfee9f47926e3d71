"""What each property of a configurable calendar says: a field of the record, or fixed words.

Owns which fields fit which property. Programs have to be told when a value changes, so it
comes from columns: of the record, or of what it points at.
"""

import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .caldav_calendar_definition import EVERYBODY

PROPERTIES = [
    ("SUMMARY", "Title (SUMMARY)"),
    ("DTSTART", "Begins (DTSTART)"),
    ("DTEND", "Ends (DTEND)"),
    ("DUE", "Due (DUE)"),
    ("DURATION", "Hours it takes (DURATION)"),
    ("DESCRIPTION", "Description (DESCRIPTION)"),
    ("LOCATION", "Place (LOCATION)"),
    ("CATEGORIES", "Categories (CATEGORIES)"),
    ("STATUS", "Status (STATUS)"),
    ("PRIORITY", "Priority (PRIORITY)"),
    ("URL", "Link (URL)"),
    ("COMPLETED", "Done on (COMPLETED)"),
    ("PERCENT-COMPLETE", "Percent done (PERCENT-COMPLETE)"),
    ("ORGANIZER", "Organizer (ORGANIZER)"),
    ("ATTENDEE", "Participants (ATTENDEE)"),
]
_TIMES = frozenset({"date", "datetime"})
_NUMBERS = frozenset({"integer", "float"})
_LINKS = frozenset({"many2one", "many2many"})
_WORDS = _LINKS | _NUMBERS | _TIMES | {"char", "text", "html", "selection", "monetary"}
#: Types of fields by property.
TYPES = {
    "SUMMARY": _WORDS, "DESCRIPTION": _WORDS, "LOCATION": _WORDS,
    "CATEGORIES": _LINKS | {"char", "selection"}, "DTSTART": _TIMES, "DTEND": _TIMES,
    "DUE": _TIMES, "COMPLETED": _TIMES, "DURATION": _NUMBERS, "PERCENT-COMPLETE": _NUMBERS,
    "STATUS": frozenset({"selection", "char", "boolean"}),
    "PRIORITY": frozenset({"selection", "integer", "char"}), "URL": frozenset({"char"}),
    "ORGANIZER": frozenset({"many2one"}), "ATTENDEE": _LINKS,
}  # fmt: skip
#: Those that can have fixed words, and those that can be there several times.
CONSTANT = frozenset(
    {"SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "STATUS", "PRIORITY", "URL", "DURATION"}
)
REPEATED = frozenset({"SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "ATTENDEE"})
MAPPED = frozenset({"STATUS", "PRIORITY"})
_ONLY = {"DTEND": "VEVENT", "DUE": "VTODO", "COMPLETED": "VTODO", "PERCENT-COMPLETE": "VTODO"}
#: Words of STATUS (RFC 5545, 3.8.1.11).
STATUSES = {
    "VEVENT": ("TENTATIVE", "CONFIRMED", "CANCELLED"),
    "VTODO": ("NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED"),
}
_PEOPLE = ("res.users", "res.partner")
_HOURS = re.compile(r"\d{1,4}(\.\d{1,2})?")


class CaldavCalendarProperty(models.Model):
    _name = "caldav.calendar.property"
    _description = "Property of a Configurable Calendar"
    _order = "sequence, id"

    definition_id = fields.Many2one(
        "caldav.calendar.definition", required=True, ondelete="cascade", index=True
    )
    model_id = fields.Many2one(related="definition_id.model_id")
    sequence = fields.Integer(default=10)
    property = fields.Selection(
        PROPERTIES,
        required=True,
        default="DESCRIPTION",
        help="Which part of the event or to-do is filled in; in brackets, its name in iCalendar.",
    )
    source = fields.Selection(
        [("field", "The field"), ("constant", "Fixed words")],
        "Comes from",
        required=True,
        default="field",
        help="A field is read from each record; fixed words are the same for all.",
    )
    field_id = fields.Many2one(
        "ir.model.fields",
        ondelete="cascade",
        domain="[('id', 'in', suitable_ids)]",
        help="Offered are those that fit, and whose changes programs can be told of.",
    )
    constant = fields.Char(
        "Words", translate=True, help="What all records of the calendar say here."
    )
    mapping = fields.Char(
        "Values",
        help="What the field's values mean in STATUS and PRIORITY, with commas between: "
        "draft=TENTATIVE, sale=CONFIRMED. A value that is not named here says nothing.",
    )
    suitable_ids = fields.Many2many("ir.model.fields", compute="_compute_suitable_ids")

    @api.depends("definition_id.model_id", "property")
    def _compute_suitable_ids(self):
        for line in self:
            model = line._model()
            names = [] if model is None else [
                name for name, field in model._fields.items()
                if line._fits(field) and is_followed(model, name)
                and (field.groups or "") in EVERYBODY
            ]  # fmt: skip
            line.suitable_ids = self.env["ir.model.fields"].search(
                [("model_id", "=", line.definition_id.model_id.id), ("name", "in", names)]
            )

    @api.constrains("property", "source", "field_id", "constant", "mapping")
    def _check_line(self):
        for line in self:
            problem = next(line._problems(), None)
            if problem:
                raise ValidationError(problem)

    def _model(self):
        return self.definition_id._model()

    def _may_repeat(self):
        return self.property in REPEATED

    def _fits(self, field):
        if field.type not in TYPES.get(self.property, ()):
            return False
        is_of_people = self.property in ("ORGANIZER", "ATTENDEE")
        return not is_of_people or field.comodel_name in _PEOPLE

    def _said(self):
        """What of it decides the text."""
        return [
            self.property, self.source, self.field_id.name, self.constant, self.mapping,
            self.field_id.ttype,
        ]  # fmt: skip

    # --- What is wrong with it

    def _problems(self):
        """Sentences that say why it cannot be shown."""
        self.ensure_one()
        component = self.definition_id.component
        if _ONLY.get(self.property, component) != component:
            kinds = dict(self.definition_id._fields["component"]._description_selection(self.env))
            yield self.env._(
                "%(kind)s have no %(property)s.", kind=kinds[component], property=self.property
            )
        elif self.source == "constant":
            yield from self._problems_of_constant()
        else:
            problem = self._problem_of_field()
            if problem:
                yield problem
            else:
                yield from self._problems_of_mapping()

    def _problems_of_constant(self):
        words, component = (self.constant or "").strip(), self.definition_id.component
        if self.property not in CONSTANT:
            yield self.env._("%(property)s has to come from a field.", property=self.property)
        elif not words:
            yield self.env._("Say which words %(property)s has.", property=self.property)
        elif self.property in MAPPED and not self._is_word(words):
            yield self._wrong_word(words, component)
        elif self.property == "DURATION" and not _HOURS.fullmatch(words):
            yield self.env._("DURATION is a number of hours: 1, or 0.5.")

    def _problem_of_field(self):
        """A sentence, or None."""
        model = self._model()
        name, label = self.field_id.name, self.field_id.field_description
        if self.source != "field" or model is None:
            return None
        if not self.field_id:
            return self.env._("Say from which field %(property)s comes.", property=self.property)
        field = model._fields.get(name)
        if field is None:
            return self.env._(
                "“%(object)s” has no field “%(field)s”.",
                object=self.definition_id.model_id.name, field=label,
            )  # fmt: skip
        if not self._fits(field):
            return self._wrong_type(label)
        if (field.groups or "") not in EVERYBODY:
            return self.env._("Not everybody may read the field “%(field)s”.", field=label)
        if not is_followed(model, name):
            return self.env._(
                "The field “%(field)s” is worked out whenever it is read: nobody can tell "
                "programs when it changes. Take a field that is stored.",
                field=label,
            )
        return None

    def _wrong_type(self, label):
        if self.property in ("ORGANIZER", "ATTENDEE"):
            return self.env._(
                "%(property)s are people: the field “%(field)s” leads to no users or contacts.",
                property=self.property, field=label,
            )  # fmt: skip
        kinds = dict(self.env["ir.model.fields"]._fields["ttype"]._description_selection(self.env))
        wanted = sorted(kinds.get(name, name) for name in TYPES[self.property])
        return self.env._(
            "%(property)s cannot come from the field “%(field)s”: it is of the type %(type)s, "
            "and has to be one of these: %(types)s.",
            property=self.property, field=label,
            type=kinds.get(self.field_id.ttype, self.field_id.ttype), types=", ".join(wanted),
        )  # fmt: skip

    def _problems_of_mapping(self):
        if not self.mapping:
            return
        if self.property not in MAPPED:
            yield self.env._("Only STATUS and PRIORITY have values to be named.")
            return
        keys = self._keys()
        for value, word in self._mapped().items():
            if not self._is_word(word):
                yield self._wrong_word(word, self.definition_id.component)
            elif keys is not None and value not in keys:
                yield self.env._(
                    "The field “%(field)s” has no value “%(value)s”; it has %(values)s.",
                    field=self.field_id.field_description, value=value, values=", ".join(keys),
                )  # fmt: skip

    def _keys(self):
        """The values that the field can have, or None for any."""
        field = self._model()._fields[self.field_id.name]
        if field.type == "boolean":
            return ["true", "false"]
        return field.get_values(self.env) if field.type == "selection" else None

    def _wrong_word(self, word, component):
        if self.property == "PRIORITY":
            return self.env._("“%(word)s” is no PRIORITY: it is 1 (high) to 9 (low).", word=word)
        return self.env._(
            "“%(word)s” is no STATUS; it is one of %(words)s.",
            word=word, words=", ".join(STATUSES[component]),
        )  # fmt: skip

    def _is_word(self, word):
        if self.property == "PRIORITY":
            return word in set("0123456789")
        return word in STATUSES[self.definition_id.component]

    def _mapped(self):
        """dict from values of the field to words, as they were typed."""
        pairs = (pair.partition("=") for pair in (self.mapping or "").split(",") if pair.strip())
        return {value.strip(): word.strip().upper() for value, _sign, word in pairs}


def is_followed(model, path):
    """Whether it is known when the value of a field changes: it is a column, or a column
    of what one points at.

    :param str path: names of fields, with dots between
    """
    name, _dot, rest = path.partition(".")
    field = model._fields.get(name)
    if field is None or getattr(field, "company_dependent", False):
        return False
    if name == "display_name":
        return not rest
    if not field.store:
        if not field.related:
            return False
        return is_followed(model, ".".join([field.related, *([rest] if rest else [])]))
    if field.type == "many2many":
        return not rest
    if not field.column_type:
        return False
    return not rest or (
        field.type == "many2one" and is_followed(model.env[field.comodel_name], rest)
    )

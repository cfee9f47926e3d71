"""OpenERP's configurable calendars: records of any kind in programs, as an administrator says.

Owns what such a calendar shows and to whom, and what is wrong with a definition. How
records become text is ``caldav_record_writer``'s, how calendars follow them ``caldav_record``'s.
"""

import ast
import hashlib
import json

import psycopg2

from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

#: Records that one calendar shows; of more than that the latest.
MAX_RECORDS = 10_000
#: Names under which models keep when something is, as they are proposed.
_STARTS = ("start", "date_start", "date_deadline", "commitment_date", "date_order", "date")
#: Groups that everybody has who has calendars.
EVERYBODY = ("", "base.group_user")


class CaldavCalendarDefinition(models.Model):
    _name = "caldav.calendar.definition"
    _description = "Configurable Calendar"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True, help="What programs call the calendar.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, help="Archived, it is found by no program any more.")
    description = fields.Char(translate=True, help="Programs show it beside the name.")
    color = fields.Char(default="#1E25FF", help="Until the user gives it another one.")
    model_id = fields.Many2one(
        "ir.model",
        "Object",
        required=True,
        ondelete="cascade",
        domain=[("transient", "=", False), ("abstract", "=", False)],
        help="Each of these records is an event or a to-do of the calendar.",
    )
    model_name = fields.Char(related="model_id.model", string="Name of the Object")
    component = fields.Selection(
        [("VEVENT", "Events"), ("VTODO", "To-dos")],
        "Shown as",
        required=True,
        default="VEVENT",
        help="Events stand in the calendar, to-dos in the program's list of tasks.",
    )
    domain = fields.Char(
        default="[]",
        help="Which records. uid is the user who looks: [('user_id', '=', uid)] are his own. "
        "Nobody sees records that he may not read in Odoo.",
    )
    line_ids = fields.One2many(
        "caldav.calendar.property", "definition_id", "Properties", copy=True,
        help="What programs show of each record. Events need a line that says when they begin "
        "(DTSTART).",
    )  # fmt: skip
    is_busy = fields.Boolean(
        "Takes Time", help="Programs show the user as busy then. Without it he is free."
    )
    alarm_ids = fields.Many2many(
        "calendar.alarm",
        "caldav_calendar_definition_alarm_rel",
        string="Reminders",
        help="Programs remind of each of its records then.",
    )
    group_ids = fields.Many2many(
        "res.groups",
        "caldav_calendar_definition_group_rel",
        string="Shown to",
        help="Who finds this calendar in his programs. Empty: all internal users.",
    )

    # --- What is wrong with it

    @api.constrains("model_id", "component", "domain", "line_ids", "active")
    def _check_definition(self):
        for definition in self.filtered("active"):
            problem = next(definition._problems(), None)
            if problem:
                raise ValidationError(problem)

    def _problems(self):
        """Sentences that say why it cannot be shown."""
        self.ensure_one()
        model = self._model()
        if model is None or not model._auto or model._abstract or model._transient:
            yield self.env._("“%(object)s” has no records to show.", object=self.model_id.name)
            return
        for line in self.line_ids:
            yield from line._problems()
        yield from self._problems_of_times()
        yield from self._problems_of_domain()

    def _problems_of_times(self):
        if self.component == "VEVENT" and not self._line("DTSTART"):
            yield self.env._("Events need to begin: say with DTSTART which field says when.")
        single = self.line_ids.filtered(lambda line: not line._may_repeat()).mapped("property")
        for name in sorted({name for name in single if single.count(name) > 1}):
            yield self.env._("%(property)s is there more than once.", property=name)
        ends = [self._line(name) for name in ("DTEND", "DUE") if self._line(name)]
        start, hours = self._line("DTSTART"), self._line("DURATION")
        for end in ends:
            if hours:
                yield self.env._(
                    "%(property)s and DURATION both say when it ends.", property=end.property
                )
            if start and start.field_id.ttype != end.field_id.ttype:
                yield self.env._(
                    "DTSTART and %(property)s must both be dates, or both be dates with times.",
                    property=end.property,
                )
        if hours and not start:
            yield self.env._("DURATION needs DTSTART.")
        if hours and start and start.field_id.ttype == "date":
            yield self.env._("A whole day has no DURATION in hours.")

    def _problems_of_domain(self):
        model = self._model()
        try:
            domain = self._domain_of(self.env.user)
            hidden = _hidden_field(model, domain)
            if hidden:
                yield self.env._(
                    "The conditions ask for the field “%(field)s”, which not everybody may read.",
                    field=hidden,
                )
                return
            with self.env.cr.savepoint():
                model.sudo().search(domain, limit=1)
        except (ValueError, TypeError, KeyError, SyntaxError, UserError, psycopg2.Error) as error:
            yield self.env._("The conditions cannot be asked: %(error)s", error=str(error).strip())

    # --- What it shows

    def _model(self):
        return self.env.get(self.model_name) if self.model_name else None

    def _line(self, name):
        """Its line for a property that is there once."""
        return self.line_ids.filtered(lambda line: line.property == name)[:1]

    def _domain_of(self, user):
        """Which records, when that user looks.

        :raises ValueError: when it is no domain of fixed values and ``uid``
        """
        domain = Domain(_literal(self.domain or "[]", user.id))
        start = self._line("DTSTART").field_id.name
        if start and self.component == "VEVENT":
            domain &= Domain(start, "!=", False)
        return domain

    def _query(self, user):
        """Its records, by the rights of the user."""
        model = self._model_of(user)
        start = model._fields.get(self._line("DTSTART").field_id.name)
        order = f"{start.name} desc, id desc" if start is not None and start.store else "id desc"
        return model._search(self._domain_of(user), limit=MAX_RECORDS, order=order)

    def _model_of(self, user):
        """The model as the user sees it."""
        context = {"lang": user.lang, "tz": user.tz}
        return self.env(user=user, su=False, context=context)[self.model_name]

    def _digest(self, user):
        """Of what decides the text of a record, beside the record."""
        said = [
            [self.component, self.is_busy, user.lang, user.tz],
            [line._said() for line in self.line_ids],
            [
                [alarm.name, str(alarm._meaning(False)), str(alarm._meaning(True))]
                for alarm in self.alarm_ids
            ],
        ]
        return hashlib.md5(json.dumps(said).encode()).hexdigest()

    # --- Who sees it

    @api.model
    def _of_user(self, user, only=None):
        """The calendars that a user has, in their order; a broken one is nobody's.

        :param int only: this one
        """
        domain = Domain("id", "=", only) if only else Domain.TRUE
        domain &= Domain("group_ids", "=", False) | Domain(
            "group_ids", "in", user.all_group_ids.ids
        )
        return self.search(domain).filtered(lambda definition: definition._is_shown_to(user))

    def _is_shown_to(self, user):
        model = self._model()
        if model is None or not self._model_of(user).has_access("read"):
            return False
        # A module that has gone has taken fields with it, or changed them.
        problems = [line._problem_of_field() for line in self.line_ids]
        if any([*problems, *self._problems_of_times()]):
            return False
        try:
            self._query(user)
        except (ValueError, TypeError, KeyError, UserError):
            return False
        return True

    def unlink(self):
        collections = self.env["caldav.collection"].sudo()
        keys = [str(definition_id) for definition_id in self.ids]
        collections.search([("kind", "=", "records"), ("key", "in", keys)]).unlink()
        return super().unlink()

    # --- The form

    @api.onchange("model_id")
    def _onchange_model_id(self):
        """Its fields are others: propose the usual ones."""
        model = self._model()
        commands = [Command.clear()]
        if model is not None:
            names = {"SUMMARY": model._rec_name or "display_name"}
            start = next((name for name in _STARTS if _is_stored(model, name)), None)
            if start:
                names["DTSTART" if self.component == "VEVENT" else "DUE"] = start
            for name, field in names.items():
                field_id = self.env["ir.model.fields"]._get(model._name, field).id
                commands.append(Command.create({"property": name, "field_id": field_id}))
        self.line_ids = commands
        self.domain = "[]"

    def action_preview(self):
        """The next records as programs would show them."""
        return self.env["caldav.calendar.preview"]._open(self)


def _literal(text, user_id):
    """The list of a domain: fixed values, and ``uid`` for the user.

    :raises ValueError: for anything else
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(text) from error
    return ast.literal_eval(_Uid(user_id).visit(tree))


class _Uid(ast.NodeTransformer):
    def __init__(self, user_id):
        self.user_id = user_id

    def visit_Name(self, node):
        return ast.copy_location(ast.Constant(self.user_id), node) if node.id == "uid" else node


def _hidden_field(model, domain):
    """Name of the first field of a domain that is only for some groups, or None."""
    for condition in domain.iter_conditions():
        at = model
        for name in condition.field_expr.split("."):
            field = at._fields.get(name) if at is not None else None
            if field is None:
                break
            if (field.groups or "") not in EVERYBODY:
                return name
            at = model.env[field.comodel_name] if field.relational else None
        if condition.operator in ("any", "not any") and at is not None:
            hidden = _hidden_field(at, Domain(condition.value))
            if hidden:
                return hidden
    return None


def _is_stored(model, name):
    field = model._fields.get(name)
    return field is not None and field.store and field.type in ("date", "datetime")

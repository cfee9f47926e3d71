"""What an invitation says of whoever is invited: OpenERP's fields, RFC 5545's parameters.

An attendee is a contact, or an address alone: Odoo's own required contact is not asked
for, so that inviting somebody from outside fills nobody's address book.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools import email_normalize

from odoo.addons.base.models.res_partner import _lang_get

from .short_address import MAX_ADDRESS, short_address

ROLES = [
    ("chair", "Chair Person"),
    ("req-participant", "Participation required"),
    ("opt-participant", "Optional Participation"),
    ("non-participant", "For information Purpose"),
]
#: Longest name that is taken from outside.
MAX_NAME = 200
#: What is copied with an attendee to another meeting of his series.
CARRIED = (
    "address", "address_name", "role", "cutype", "rsvp", "language", "member", "directory",
    "sent_by_id", "note",
)  # fmt: skip


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"
    # Those who were invited together stay in their order, whoever answers.
    _order = "create_date, id"

    partner_id = fields.Many2one(required=False)
    email = fields.Char(
        related=None,
        compute="_compute_email",
        search="_search_email",
        help="That of the contact, or of whoever is invited by address alone.",
    )
    address = fields.Char(
        "Address Alone",
        index="btree_not_null",
        help="The e-mail address of whoever is invited without being a contact.",
    )
    address_name = fields.Char(
        "Name with the Address",
        help="The name of somebody who is invited by his address alone.",
    )
    state = fields.Selection(
        selection_add=[("delegated", "Delegated")], ondelete={"delegated": "set default"}
    )
    role = fields.Selection(
        ROLES,
        default="req-participant",
        required=True,
        help="What they are in the meeting; their mail program shows it.",
    )
    cutype = fields.Selection(
        [
            ("individual", "Individual"),
            ("group", "Group"),
            ("resource", "Resource"),
            ("room", "Room"),
            ("unknown", "Unknown"),
        ],
        "Invitation Type",
        compute="_compute_cutype",
        store=True,
        readonly=False,
        help="Whether a person is invited, a group, or something like a room.",
    )
    rsvp = fields.Boolean(
        "Required Reply?", default=True, help="Whether the organizer waits for an answer."
    )
    language = fields.Selection(
        _lang_get,
        help="In which language he is written to and reads the page of his invitation. "
        "Without it, the language of his contact.",
    )
    member = fields.Char(
        "Member of",
        help="Addresses of the groups through which he is invited, separated by commas.",
    )
    sent_by_id = fields.Many2one(
        "res.users",
        "Invitation From",
        compute="_compute_sent_by_id",
        store=True,
        readonly=False,
        ondelete="set null",
        help="Who has invited him: the organizer, or whoever has done it for him.",
    )
    sent_by = fields.Char(help="The address of whoever acts in his name.")
    directory = fields.Char(
        "Directory URI",
        size=1000,
        help="Where a directory has more about him, such as ldap://… or https://….",
    )
    note = fields.Text("Personal Message", help="Stands in his invitation, above the meeting.")
    # For lists, calendars and graphs; of private meetings no more than they show.
    event_start = fields.Datetime("Event Date", related="event_id.start")
    event_stop = fields.Datetime("Event End Date", related="event_id.stop")
    event_user_id = fields.Many2one("res.users", "Responsible", related="event_id.user_id")
    event_location = fields.Char("Location", related="event_id.location", related_sudo=False)
    event_categ_ids = fields.Many2many(
        "calendar.event.type", string="Event Type", related="event_id.categ_ids",
        related_sudo=False,
    )  # fmt: skip
    is_mine = fields.Boolean(compute="_compute_is_mine", search="_search_is_mine")

    _somebody = models.Constraint(
        "CHECK (partner_id IS NOT NULL OR address IS NOT NULL)",
        "An attendee is a contact or has an e-mail address.",
    )
    _address_once = models.UniqueIndex(
        "(event_id, address) WHERE partner_id IS NULL",
        "This address is invited to the meeting already.",
    )

    @api.depends("partner_id")
    def _compute_cutype(self):
        for attendee in self:
            attendee.cutype = "group" if attendee.partner_id.is_company else "individual"

    @api.depends("event_id")
    def _compute_sent_by_id(self):
        for attendee in self:
            attendee.sent_by_id = attendee.event_id.user_id

    @api.depends("partner_id.email", "address")
    def _compute_email(self):
        for attendee in self:
            attendee.email = attendee.partner_id.email if attendee.partner_id else attendee.address

    @api.model
    def _search_email(self, operator, value):
        if operator.startswith("not") or operator == "!=":
            return NotImplemented
        return Domain("partner_id.email", operator, value) | (
            Domain("partner_id", "=", False) & Domain("address", operator, value)
        )

    @api.depends("address", "address_name")
    def _compute_common_name(self):
        result = super()._compute_common_name()
        for attendee in self:
            if not attendee.partner_id:
                attendee.common_name = attendee.address_name or attendee.address
        return result

    @api.depends_context("uid")
    @api.depends("partner_id", "address")
    def _compute_is_mine(self):
        for attendee in self:
            attendee.is_mine = attendee._is_of(self.env.user)

    @api.model
    def _search_is_mine(self, operator, value):
        if operator != "in":
            return NotImplemented
        user = self.env.user
        mine = Domain("partner_id", "=", user.partner_id.id)
        address = self._login_address(user)
        if address:
            mine |= Domain("partner_id", "=", False) & Domain("address", "=", address)
        return mine if True in value else ~mine

    def _is_of(self, user):
        """Whether it is the user who is invited."""
        self.ensure_one()
        attendee = self.sudo()
        if attendee.partner_id:
            return attendee.partner_id == user.sudo().partner_id
        return bool(attendee.address) and attendee.address == self._login_address(user)

    @api.model
    def _login_address(self, user):
        """The address by which a user is invited without his contact, or False.

        That of his login: his e-mail he can change himself, to anybody's.
        """
        return email_normalize(user.sudo().login)

    @api.constrains("member", "sent_by")
    def _check_addresses(self):
        for attendee in self:
            for name in ("member", "sent_by"):
                for part in (attendee[name] or "").split(","):
                    if part.strip() and not short_address(part):
                        raise ValidationError(
                            self.env._(
                                "“%(text)s” is no e-mail address (%(field)s).",
                                text=part.strip()[:MAX_ADDRESS],
                                field=attendee._fields[name]._description_string(self.env),
                            )
                        )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._with_address(vals) for vals in vals_list])

    def write(self, vals):
        if vals.get("address"):
            vals = {**vals, "address": self._normal_address(vals["address"])}
        result = super().write(vals)
        if vals.get("state") in ("accepted", "tentative"):
            self.sudo()._link_users()
        return result

    @api.model
    def _with_address(self, vals):
        """Values of a new attendee whose address, if it is all there is, is a clean one."""
        if vals.get("partner_id"):
            return {**vals, "address": False, "address_name": False}
        text = vals.get("address") or vals.get("email") or ""
        name = " ".join((vals.get("address_name") or "").split())[:MAX_NAME]
        vals = {key: value for key, value in vals.items() if key != "email"}
        return {**vals, "address": self._normal_address(text), "address_name": name or False}

    @api.model
    def _normal_address(self, text):
        """:raises ValidationError: when it is no address"""
        address = short_address(text)
        if not address:
            raise ValidationError(
                self.env._("“%(text)s” is no e-mail address.", text=text[:MAX_ADDRESS])
            )
        return address

    def _carried_values(self):
        """What another meeting of the series takes over of this attendee: all but his answer."""
        self.ensure_one()
        fields_ = self._fields
        return {
            "partner_id": self.partner_id.id,
            **{
                name: fields_[name].convert_to_write(self[name], self) for name in CARRIED
            },
        }  # fmt: skip

    def _key(self):
        """Who it is, the same in all meetings: the id of a contact, or an address."""
        self.ensure_one()
        return self.partner_id.id or self.address

    def _in_series(self):
        """The same person in the meetings of the series that are not over; else this one."""
        self.ensure_one()
        series = self.event_id.recurrence_id
        if not series:
            return self
        domain = Domain("event_id.recurrence_id", "=", series.id) & Domain(
            "event_id.stop", ">=", fields.Datetime.now()
        )
        who = Domain("partner_id", "=", self.partner_id.id)
        if not self.partner_id:
            who &= Domain("address", "=", self.address)
        return self | self.search(domain & who)

    # -- contacts ---------------------------------------------------------------

    def _link_users(self):
        """A user who comes, though invited by his address alone, has it in his calendar."""
        alone = self.filtered(lambda one: not one.partner_id)
        if not alone:
            return
        users = self.env["res.users"].search(
            [("login", "in", alone.mapped("address")), ("share", "=", False)]
        )
        for user in users:
            alone.filtered(lambda one, user=user: one._is_of(user))._link_contact(user.partner_id)

    def _link_contact(self, partner):
        """It is a contact after all."""
        for attendee in self.filtered(lambda one: not one.partner_id):
            event = attendee.event_id
            if partner in event.attendee_ids.partner_id:
                continue
            attendee.write({"partner_id": partner.id, "address": False, "address_name": False})
            event.with_context(skip_attendee_notification=True).write(
                {"partner_ids": [Command.link(partner.id)]}
            )

    def action_make_contact(self):
        """Make a contact of an address."""
        self.ensure_one()
        self._check_may_arrange()
        if self.partner_id:
            raise UserError(self.env._("%(name)s is a contact.", name=self.common_name))
        Partner = self.env["res.partner"]
        partner = Partner.search([("email_normalized", "=", self.address)], limit=1)
        partner = partner or Partner.create(
            {"name": self.common_name, "email": self.address, "lang": self.language}
        )
        self.sudo()._link_contact(partner.sudo())
        return True

    def action_open_event(self):
        """The meeting."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.event_id.display_name,
            "res_model": "calendar.event",
            "res_id": self.event_id.id,
            "view_mode": "form",
        }

"""OpenERP's wizard *Invite People*: to a meeting, to a new one for a lead or a task, or
in one's own place."""

import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.misc import clean_context

from odoo.addons.base.models.res_partner import _lang_get

from ..models.calendar_attendee_invitation import ROLES
from ..models.calendar_event_guest import Invited

#: Objects that the wizard makes a meeting for.
MODELS = ("crm.lead", "project.task")


class CalendarInvite(models.TransientModel):
    _name = "calendar.invite"
    _description = "Invite People"

    event_ids = fields.Many2many(
        "calendar.event", string="Meetings", readonly=True, help="What people are invited to."
    )
    attendee_id = fields.Many2one(
        "calendar.attendee",
        "In the Place of",
        readonly=True,
        help="Who does not come; those who are chosen here come instead.",
    )
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True)
    mode = fields.Selection(
        [("meeting", "To a meeting"), ("new", "To a new meeting"), ("delegate", "Delegation")],
        compute="_compute_mode",
    )
    has_series = fields.Boolean(compute="_compute_mode")
    scope = fields.Selection(
        [
            ("this", "This meeting only"),
            ("following", "This and those that follow"),
            ("all", "All meetings of the series to come"),
        ],
        "Of the Series",
        required=True,
        default="all",
        help="Of which meetings of the series they become attendees.",
    )

    # The meeting, where it is not there yet; its time can be chosen in any case.
    name = fields.Char("Subject", help="What the new meeting is called.")
    location = fields.Char(help="Where the new meeting takes place; empty: that is not known yet.")
    start = fields.Datetime(help="Another time than the meeting has now moves the meeting.")
    duration = fields.Float(
        "Duration (hours)",
        default=1,
        help="How long the meeting takes.",
    )

    type = fields.Selection(
        [
            ("internal", "Internal User"),
            ("partner", "Partner Contacts"),
            ("external", "External Email"),
            ("team", "Sales Team"),
            ("category", "Customer Category"),
        ],
        "Select whom you want to Invite",
        required=True,
        default="internal",
        help="Several kinds can be chosen one after the other: all of them are invited.",
    )
    user_ids = fields.Many2many(
        "res.users",
        string="Users",
        domain="[('share', '=', False)]",
        help="Colleagues with a login in Odoo.",
    )
    partner_id = fields.Many2one("res.partner", "Company", help="Offers all its contacts.")
    contact_ids = fields.Many2many(
        "res.partner",
        "calendar_invite_contact_rel",
        string="Contacts",
        help="People of the company that was chosen.",
    )
    emails = fields.Text(
        "Addresses",
        help="Separated by lines, commas or semicolons, each alone or as Name <address>.",
    )
    make_contacts = fields.Boolean(
        "Make Contacts of New Addresses", help="Without it, they are invited by address alone."
    )
    team_ids = fields.Many2many(
        "crm.team",
        string="Sales Teams",
        help="All members of these teams.",
    )
    category_ids = fields.Many2many(
        "res.partner.category",
        string="Categories",
        help="All contacts with one of these categories.",
    )
    is_confirmed = fields.Boolean(
        "Invite all of them to the same meeting",
        help="Without this tick so many customers are not invited.",
    )

    role = fields.Selection(
        ROLES,
        required=True,
        default="req-participant",
        help="What they are in the meeting; their mail program shows it.",
    )
    rsvp = fields.Boolean(
        "Required Reply?",
        default=True,
        help="Their mail program asks them for an answer.",
    )
    language = fields.Selection(
        _lang_get, help="For addresses alone; contacts are written to in their own language."
    )
    note = fields.Text("Personal Message", help="Stands in the invitation, above the meeting.")
    send_mail = fields.Boolean(
        "Send mail?",
        default=True,
        help="Without it they are entered, and hear nothing.",
    )

    slot_ids = fields.One2many(
        "calendar.invite.slot",
        "invite_id",
        "Free for All",
        readonly=True,
        help="The next times within working hours when nobody has anything else.",
    )
    are_slots_known = fields.Boolean(readonly=True)

    @api.model
    def _open(self, events=None, attendee=None, record=None):
        """The wizard, as a window.

        :param events: meetings to invite to
        :param attendee: who sends somebody else in his place
        :param record: lead or task that a meeting is made for
        """
        return self.create(self._first_values(events, attendee, record))._again()

    @api.model
    def _first_values(self, events, attendee, record):
        if attendee:
            return {"attendee_id": attendee.id, "role": attendee.role}
        if events:
            return {
                "event_ids": [fields.Command.set(events.ids)],
                **(self._times_of(events) if len(events) == 1 else {}),
            }
        now = fields.Datetime.now()
        values = {
            "res_model": record._name,
            "res_id": record.id,
            "name": record.display_name,
            "start": now.replace(minute=0, second=0) + datetime.timedelta(hours=2),
        }
        if record.partner_id:
            values["contact_ids"] = [fields.Command.set(record.partner_id.ids)]
        return values

    @api.model
    def _times_of(self, event):
        hours = (event.stop - event.start).total_seconds() / 3600
        return {"start": event.start, "duration": hours}

    def _again(self):
        """The same window, with what has been found since."""
        self.ensure_one()
        title = self.env._("Invite People")
        if self.attendee_id:
            title = self.env._("Delegate")
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    @api.depends("event_ids.recurrence_id", "attendee_id")
    def _compute_mode(self):
        for wizard in self:
            found = "meeting" if wizard.event_ids else "new"
            wizard.mode = "delegate" if wizard.attendee_id else found
            wizard.has_series = len(wizard.event_ids) == 1 and bool(wizard.event_ids.recurrence_id)

    @api.onchange("partner_id")
    def _onchange_partner_id(self):
        """Choosing a company offers all its contacts."""
        company = self.partner_id
        if company:
            people = self.env["res.partner"].search(
                [("id", "child_of", company.commercial_partner_id.id), ("is_company", "=", False),
                 ("type", "=", "contact")]
            )  # fmt: skip
            self.contact_ids |= people or company

    def _record(self):
        """The lead or task, or that of the meeting; else the meeting itself."""
        if self.res_model in MODELS:
            return self.env[self.res_model].browse(self.res_id).exists()
        event = self.event_ids[:1] or self.attendee_id.event_id
        linked = event.res_model and event.res_id and event.res_model in MODELS
        return self.env[event.res_model].browse(event.res_id).exists() if linked else event

    def action_add_technical(self):
        """The technical responsible, in one click."""
        self._add(
            "technical",
            self.env.user.sale_team_id.technical_user_id,
            self.env._("Nobody is the technical responsible of this sales team or project."),
        )
        return self._again()

    def action_add_supervisor(self):
        """The one who leads the sales team, in one click."""
        self._add(
            "leader",
            self.env.user.sale_team_id.user_id,
            self.env._("This sales team has no leader."),
        )
        return self._again()

    def _add(self, role, otherwise, complaint):
        """Add who has a role for the record, as the notices of rules find him."""
        self.ensure_one()
        record = self._record()
        Rule = self.env["crm.automation.rule"]
        found = getattr(Rule, f"_find_{role}")(record) if record else []
        partners = self.env["res.partner"].browse([one for one, _address in found if one])
        users = partners.sudo().user_ids.filtered(lambda user: not user.share) or otherwise.sudo()
        if not (users or partners):
            raise UserError(complaint)
        self.user_ids |= self.env["res.users"].browse(users.ids)
        self.contact_ids |= partners - users.partner_id.with_env(self.env)

    # -- doing it --------------------------------------------------------------------

    def action_invite(self):
        """Invite them all."""
        self.ensure_one()
        people = self._people_to_invite()
        if self.attendee_id:
            self.attendee_id._delegate(people, note=self.note or "", send=self.send_mail)
            return self._done(self.env._("The invitation was passed on."))
        events = self._events()
        before = events.sudo().attendee_ids
        values = {
            "role": self.role,
            "rsvp": self.rsvp,
            "note": self.note or False,
            "sent_by_id": self.env.uid,
        }
        invited = events._invite(people, values) - before.with_env(self.env)
        alone = invited.filtered(lambda one: not one.partner_id)
        if self.language:
            alone.sudo().language = self.language
        if self.send_mail:
            self._first_ones(invited)._invite(self.note or "")
        number = len({attendee._key() for attendee in invited})
        return self._done(
            self.env._("%(number)s people were invited.", number=number)
            if number
            else self.env._("All of them were invited already.")
        )

    def _first_ones(self, attendees):
        """Whom to tell: of a series once, and of nothing that is over."""
        now = fields.Datetime.now()
        found = attendees.filtered(lambda one: one.event_id.stop >= now)
        series = found.filtered("recurrence_id").sorted(lambda one: one.event_id.start)
        first = {}
        for attendee in series:
            first.setdefault((attendee.recurrence_id, attendee._key()), attendee)
        return (found - series).union(*first.values())

    def _events(self):
        """The meetings they are invited to; made, or moved, if that is wanted."""
        if self.mode == "new":
            return self._new_event()
        events = self.event_ids.exists()
        if len(events) != 1:
            return events
        if self.start and self.start != events.start:
            self._move(events)
        return self._in_scope(events)

    def _in_scope(self, event):
        """A meeting, and those of its series that are meant as well."""
        series = event.recurrence_id
        if not series or self.scope == "this":
            return event
        after = event.start if self.scope == "following" else fields.Datetime.now()
        return event | event.search(
            Domain("recurrence_id", "=", series.id) & Domain("start", ">=", after)
        )

    def _move(self, event):
        if not event.user_can_edit:
            raise UserError(
                self.env._("Only those who take part in the meeting move it to another time.")
            )
        length = event.stop - event.start
        event.write({"start": self.start, "stop": self.start + length})

    def _new_event(self):
        # Odoo would link the meeting with the wizard, in which it was asked for.
        context = {
            key: value for key, value in clean_context(self.env.context).items()
            if not key.startswith("active_")
        }  # fmt: skip
        Event = self.env(context=context)["calendar.event"]
        return Event.create(self._new_values()).with_env(self.env)

    def _new_values(self):
        record = self._record()
        if record._name not in MODELS:
            raise UserError(self.env._("What the meeting is for does not exist any more."))
        record.check_access("read")
        if not (self.name and self.start and self.duration > 0):
            raise UserError(self.env._("A meeting needs a subject, a time and a duration."))
        values = {
            "name": self.name,
            "location": self.location,
            "start": self.start,
            "stop": self.start + datetime.timedelta(hours=self.duration),
            "partner_ids": [fields.Command.link(self.env.user.partner_id.id)],
            "user_id": self.env.uid,
        }
        if record._name == "crm.lead":
            values["opportunity_id"] = record.id
        else:
            values["res_model_id"] = self.env["ir.model"]._get_id(record._name)
            values["res_id"] = record.id
        return values

    def _done(self, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": "success",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _invited_contacts(self):
        """All who were chosen and are contacts (``res.partner``)."""
        partners = self.contact_ids | self.user_ids.partner_id
        partners |= self.team_ids.sudo().member_ids.partner_id.with_env(self.env)
        return partners._origin | self._of_categories()

    def _of_categories(self):
        if not self.category_ids:
            return self.env["res.partner"]
        return self.env["res.partner"].search(
            [("category_id", "child_of", self.category_ids.ids)]
        )  # fmt: skip

    def _as_invited(self, partners, recipients):
        """list of ``Invited``, nobody twice."""
        found = {partner.id: Invited(partner_id=partner.id) for partner in partners}
        emails = set(partners.mapped("email_normalized"))
        for one in recipients:
            if one.address not in emails:
                found[one.address] = Invited(address=one.address, name=one.name or None)
        return list(found.values())

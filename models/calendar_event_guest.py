"""Inviting people to a meeting, and what else a meeting does with those who come."""

from dataclasses import dataclass

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import email_normalize


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody to invite: a contact, or an address with perhaps a name."""

    partner_id: int | None = None
    address: str | None = None
    name: str | None = None


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    proposal_ids = fields.One2many("calendar.invitation.proposal", "event_id", "Proposed Times")
    proposal_count = fields.Integer(
        compute="_compute_proposal_count",
        compute_sudo=True,
        help="Other times that somebody has proposed and nobody has decided on.",
    )

    @api.depends("proposal_ids.state")
    def _compute_proposal_count(self):
        for event in self:
            is_open = event.proposal_ids.filtered(lambda one: one.state == "open")
            event.proposal_count = len(is_open)

    @api.depends("attendee_ids.partner_id")
    def _compute_attendees_count(self):
        """Odoo counts the contacts only."""
        result = super()._compute_attendees_count()
        for event in self:
            alone = event.attendee_ids.filtered(lambda one: not one.partner_id)
            settled = event.attendee_ids.filtered(lambda one: one.state == "delegated")
            event.attendees_count += len(alone)
            event.awaiting_count += len(alone) - len(settled)
        return result

    def find_partner_customer(self):
        self.ensure_one()
        organizer = self.user_id.partner_id
        return self.attendee_ids.partner_id.filtered(lambda one: one != organizer)[:1]

    # -- inviting ----------------------------------------------------------------

    def _invite(self, people, values=None):
        """Invite people; nobody is told of it.

        Who is invited already stays as he is, with his answer.

        :param people: list of ``Invited``
        :param dict values: of the new attendees
        :return: the attendees of these people, new and old, of all meetings
        :raises AccessError: when the user has nothing to do with a meeting
        """
        self._check_may_invite()
        events = self.sudo().with_context(
            no_mail_to_attendees=True, skip_attendee_notification=True
        )
        Attendee = events.env["calendar.attendee"]
        found, rows, contacts = Attendee, [], {}
        for event in events:
            there = {attendee._key(): attendee for attendee in event.attendee_ids}
            # A contact who was invited by his address alone is not invited twice.
            by_address = {
                email: attendee for attendee in event.attendee_ids
                if (email := email_normalize(attendee.email or ""))
            }  # fmt: skip
            for one in dict.fromkeys(people):
                known = there.get(one.partner_id or one.address)
                if known is None and not one.partner_id:
                    known = by_address.get(one.address)
                if known is not None:
                    found |= known
                    continue
                who = (
                    {"partner_id": one.partner_id}
                    if one.partner_id
                    else {"address": one.address, "address_name": one.name}
                )
                rows.append({**(values or {}), **who, "event_id": event.id, "state": "needsAction"})
                if one.partner_id:
                    contacts.setdefault(event, []).append(Command.link(one.partner_id))
        made = Attendee.create(rows)
        for event, commands in contacts.items():
            event.write({"partner_ids": commands})
        return (found | made).with_env(self.env)

    def action_invite(self):
        """The wizard of invitations, for these meetings."""
        self._check_may_invite()
        return self.env["calendar.invite"]._open(events=self)

    def action_open_proposals(self):
        """The times that guests have proposed."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "domain": [("event_id", "=", self.id)],
            "name": self.env._("Proposed Times"),
            "res_model": "calendar.invitation.proposal",
            "view_mode": "list,kanban,form",
            "mobile_view_mode": "kanban",
        }

    @api.model
    def _attendees_values(self, partner_commands):
        """A contact who is an attendee already is not made one again."""
        commands = super()._attendees_values(partner_commands)
        if len(self) != 1:
            return commands
        there = set(self.sudo().attendee_ids.partner_id.ids)
        return [
            command for command in commands
            if command[0] != Command.CREATE or command[2]["partner_id"] not in there
        ]  # fmt: skip

    # -- copies --------------------------------------------------------------------

    def copy_data(self, default=None):
        """Odoo makes the meetings of a series of the first one: with its guests as they
        are, those without a contact too."""
        values_list = super().copy_data(default)
        if default and "attendee_ids" in default:
            return values_list
        for event, values in zip(self, values_list, strict=True):
            if event._has_own_guests():
                values["attendee_ids"] = [
                    Command.create(guest._carried_values()) for guest in event.attendee_ids
                ]
        return values_list

    def copy(self, default=None):
        copies = super().copy(default)
        for event, new in zip(self, copies, strict=True):
            if event._has_own_guests():
                new._take_guests(event)
        return copies

    def _has_own_guests(self):
        """Whether more is known of the guests than which contacts they are."""
        self.ensure_one()
        return any(
            not guest.partner_id
            or not guest.rsvp
            or guest.role != "req-participant"
            or guest.cutype not in ("individual", "group")
            or guest.language or guest.member or guest.note
            for guest in self.attendee_ids
        )  # fmt: skip

    def _take_guests(self, other):
        """Invite whom another meeting has invited by address, and in the same roles."""
        self.ensure_one()
        mine = {attendee._key(): attendee for attendee in self.attendee_ids}
        for guest in other.attendee_ids:
            values = guest._carried_values()
            if guest._key() in mine:
                mine[guest._key()].write(values)
            else:
                self.env["calendar.attendee"].create({**values, "event_id": self.id})

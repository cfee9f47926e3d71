"""Who goes in whose place: OpenERP's *delegated to* and *delegated from*.

Whoever is invited may pass his invitation on, and the one who gets it may do so again
(RFC 5546, 3.2.2.3). Nobody is in such a chain twice.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from .calendar_event_guest import Invited

#: How many people one may delegate to, how long a chain may be, and how many delegates
#: a meeting may have: a link that was mailed must not become a way to mail to anybody.
MAX_DELEGATES, MAX_CHAIN, MAX_IN_MEETING = 5, 5, 50


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    delegated_to_ids = fields.Many2many(
        "calendar.attendee", "calendar_attendee_delegation_rel", "delegator_id", "delegate_id",
        copy=False, readonly=True,
        help="Who comes in this person's place.",
    )  # fmt: skip
    delegated_from_ids = fields.Many2many(
        "calendar.attendee", "calendar_attendee_delegation_rel", "delegate_id", "delegator_id",
        copy=False, readonly=True,
        help="In whose place this person comes.",
    )  # fmt: skip

    delegations_made = fields.Integer(
        "Delegates So Far",
        copy=False,
        readonly=True,
        help="Also those whose delegation was taken back: each has got a mail.",
    )

    @api.constrains("delegated_to_ids", "delegated_from_ids")
    def _check_delegation(self):
        for attendee in self:
            if attendee in attendee._delegators():
                raise ValidationError(
                    self.env._(
                        "The invitation of %(name)s would come back to where it began.",
                        name=attendee.common_name,
                    )
                )
            if attendee.delegated_to_ids.event_id - attendee.event_id:
                raise ValidationError(self.env._("A delegate goes to the same meeting."))

    def _delegators(self):
        """All in whose place they go, up the chain; themselves where it is a circle."""
        found = self.browse()
        above = self.delegated_from_ids
        while above - found:
            found |= above
            above = above.delegated_from_ids
        return found

    def _delegate(self, people, comment="", source="user", send=True, note=""):
        """Pass the invitation on.

        :param people: list of ``Invited``
        :param str comment: for the organizer
        :param bool send: whether the delegates are mailed
        :param str note: for the delegates
        :return: the delegates
        :raises UserError: when it cannot be
        """
        self.ensure_one()
        self._check_may_answer()
        attendee = self.sudo()
        event = attendee.event_id
        attendee._check_delegates(people)
        values = {
            "role": attendee.role,
            "rsvp": True,
            "note": note or False,
            "sent_by_id": self.env.uid if self.env.user._is_internal() else False,
        }
        delegates = event._invite(people, values)
        if attendee in delegates or delegates & attendee._delegators():
            raise UserError(
                self.env._(
                    "%(names)s has passed this invitation on already.",
                    names=", ".join((delegates & attendee._delegators()).mapped("common_name"))
                    or attendee.common_name,
                )
            )
        attendee.delegated_to_ids |= delegates
        attendee.delegations_made += len(people)
        attendee._answer("delegated", comment, source=source)
        if send:
            delegates._invite(note)
        return delegates

    def _delegate_by_mail(self, email, comment=""):
        """One person passes his invitation on by mail, of a meeting or of a series.

        :param str email: the address that is to come instead (RFC 5546, 2.2.2)
        :return: whether that was possible
        """
        try:
            with self.env.cr.savepoint():
                for number, attendee in enumerate(self.sorted(lambda one: one.event_id.start)):
                    attendee._delegate(
                        [Invited(address=email)], comment, source="mail", send=not number
                    )
        except (UserError, ValidationError):
            return False
        return True

    def _check_delegates(self, people):
        if self.event_id.user_id and self.partner_id == self.event_id.user_id.partner_id:
            raise UserError(self.env._("The organizer of a meeting cannot send somebody else."))
        if self.delegations_made + len(people) > MAX_DELEGATES:
            raise UserError(
                self.env._(
                    "An invitation can be passed on to %(limit)s people at most.",
                    limit=MAX_DELEGATES,
                )
            )
        depth, above = 0, self.delegated_from_ids
        while above and depth < MAX_CHAIN:
            depth, above = depth + 1, above.delegated_from_ids
        if depth >= MAX_CHAIN:
            raise UserError(self.env._("This invitation has been passed on too often."))
        passed_on = sum(self.event_id.attendee_ids.mapped("delegations_made"))
        if passed_on + len(people) > MAX_IN_MEETING:
            raise UserError(
                self.env._("A meeting can have %(limit)s delegates at most.", limit=MAX_IN_MEETING)
            )

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state") in ("accepted", "declined", "tentative"):
            # Who answers himself after all sends nobody in his place.
            back = self.sudo()._who_sends_others()
            if back:
                back.delegated_to_ids = False
        return result

    def _who_sends_others(self):
        # Asked at each answer, and nearly always nobody.
        self.flush_model(["delegated_to_ids"])
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT delegator_id FROM calendar_attendee_delegation_rel"
                " WHERE delegator_id = ANY(%s)",
                self.ids,
            )
        )
        return self.browse(key for (key,) in rows)

    def unlink(self):
        # An invitation whose delegates are gone is open again.
        left = self.sudo().delegated_from_ids - self
        result = super().unlink()
        orphans = left.filtered(lambda one: one.state == "delegated" and not one.delegated_to_ids)
        orphans.write({"state": "needsAction"})
        return result

    def action_delegate(self):
        """The wizard of invitations, for whoever is to go instead."""
        self.ensure_one()
        self._check_may_answer()
        return self.env["calendar.invite"]._open(attendee=self)

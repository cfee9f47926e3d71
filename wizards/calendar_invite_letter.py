"""The mail that the invited get, before it is sent."""

from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ..models.calendar_invitation_letter import Reader
from ..models.calendar_invitation_send import Meeting
from ..models.invitation_plan import Parcel


class CalendarInvite(models.TransientModel):
    _inherit = "calendar.invite"

    letter = fields.Html(
        "E-mail",
        readonly=True,
        help="What the first one of them would get. Nothing is sent by looking at it.",
    )

    def action_see_letter(self):
        """Show what the first one of them would get; nobody is invited by that."""
        self.ensure_one()
        people = self._people_to_invite()
        event = self.event_ids.exists()[:1]
        if self.mode == "new":
            event = self.env["calendar.event"].new(self._new_values())
        else:
            event._check_may_invite()
        self.letter = self._letter_to(people, event)
        return self._again()

    def _letter_to(self, people, event):
        """HTML of the invitation of the first one, in his language and zone.

        :param people: list of ``Invited``
        :raises UserError: when nobody is told, with the reason
        """
        whole = self._told_with(event)
        event = event.sudo()
        own = event._invitation_own_addresses(event.user_id)
        readers = [self._reader(one) for one in people]
        readers = [one for one in readers if one.email and one.email not in own]
        if not readers:
            raise UserError(self.env._("Nobody of them gets an e-mail."))
        facts = self._facts_with(readers, event, whole)
        is_whole = event.recurrence_id and self.scope == "all"
        parcel = Parcel("REQUEST", "new", None if is_whole else (event.id,))
        meeting = Meeting(self.env, event.ical_uid, whole, {}, facts)
        Letter = self.env["calendar.invitation.letter"]
        lang, tz = Letter._tongue(meeting, readers[0])
        Letter = Letter.with_context(lang=lang, tz=tz)
        values = Letter._letter_values(meeting, parcel, self.note or "")
        return Letter.env["ir.qweb"]._render(
            "crm_automation.invitation_letter",
            {**values, "greeting": Letter._greeting(readers[0]), "url": "#"},
        )

    def _told_with(self, event):
        """The meetings that the letter may tell of: of a series, those of one organizer to
        which the user may invite (sudo)."""
        series = event.sudo().recurrence_id.calendar_event_ids
        mine = series.filtered(lambda one: one.user_id == event.sudo().user_id)
        return mine.with_env(self.env)._may_invite().sudo() or event.sudo()

    def _facts_with(self, readers, event, whole):
        """What the invited will know of a meeting, or of the whole series."""
        facts = {key: one for key, one in whole._invitation_facts().items() if one}
        if event.id not in facts:
            raise UserError(
                self.env._("The organizer of this meeting works elsewhere, and tells the invited.")
            )
        for key in self._in_scope(event).ids or [event.id]:
            if key in facts:
                named = {one.email: (one.name, one.partner.id) for one in readers}
                facts[key]["people"] = {**facts[key]["people"], **named}
        first = facts[event.id]
        if self.start:
            length = timedelta(hours=self.duration)
            stop = self.start + (length if self.mode == "new" else event.stop - event.start)
            first["start"] = fields.Datetime.to_string(self.start)
            first["stop"] = fields.Datetime.to_string(stop)
        if first["stop"] < fields.Datetime.to_string(fields.Datetime.now()):
            raise UserError(self.env._("This meeting is over: nobody is told of it."))
        return facts

    def _reader(self, invited):
        partner = self.env["res.partner"].sudo().browse(invited.partner_id or ())
        email = invited.address or partner.email_normalized
        name = invited.name or partner.name or email
        attendee = self.env["calendar.attendee"]
        if invited.address:
            attendee = attendee.new({"language": self.language})
        return Reader(email, name, partner, attendee)

"""Odoo's ways of mailing the attendees, which lead to the addon's own messages."""

from odoo import models

from .calendar_invitation_facts import UNTOLD


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    def _send_invitation_emails(self):
        self._invite()

    def _notify_attendees(self, mail_template, notify_author=False, force_send=False):
        """Invitations and changes of the date are messages of the addon; the rest, such as
        reminders, is mailed by Odoo."""
        if mail_template and not isinstance(mail_template, str):
            if mail_template == self.env.ref(
                "calendar.calendar_template_meeting_invitation", raise_if_not_found=False
            ):
                self._invite()
                return False
            if mail_template == self.env.ref(
                "calendar.calendar_template_meeting_changedate", raise_if_not_found=False
            ):
                # Told of the meeting's change itself, of which this is one.
                return False
        return super()._notify_attendees(
            mail_template, notify_author=notify_author, force_send=force_send
        )

    def _invite(self, comment=""):
        """Send these attendees their invitation, after the commit, whether or not they
        have it already.

        :param str comment: a personal message, plain text
        """
        events = self.sudo().event_id
        if self.env.context.get(UNTOLD) or not self.pool.ready:
            return
        noted = events._invitation_noted()["asked"] if events else {}
        for event, attendees in self.sudo().grouped("event_id").items():
            if not event._invitation_is_ours():
                continue
            asked = attendees.filtered(lambda one: one._should_notify_attendee())
            emails = {attendee._invitation_address() for attendee in asked} - {None}
            if not emails:
                continue
            # Somebody else may have a meeting of the same UID.
            key = event.ical_uid, event.user_id.id
            entry = noted.setdefault(key, {"emails": [], "comment": "", "user_id": key[1]})
            entry["emails"] = sorted(emails.union(entry["emails"]))
            entry["comment"] = comment or entry["comment"]

    def _refuse_proposal(self, comment=""):
        """Tell the attendee that the organizer does not take up the time that he has
        proposed, after the commit (RFC 5546, 3.2.8).

        :param str comment: why, plain text
        """
        self.ensure_one()
        event = self.sudo().event_id
        email = self.sudo()._invitation_address()
        if email and event._invitation_is_ours():
            data = {"event_id": event.id, "email": email, "comment": comment}
            self.env["calendar.invitation.outgoing"]._note(
                [{"kind": "declined", "uid": event.ical_uid, "data": data}]
            )

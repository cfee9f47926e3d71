"""What a program's text of a meeting means for the others: who is to be told what (RFC 6638,
3.2). The telling itself is the invitations' business.
"""

from odoo import fields

from ..ical import scheduling
from ..ical.parse import parse
from .calendar_invitation_letter import BOUNCES
from .ical_row import owner_addresses
from .ical_values import SILENT

#: RFC 6638, 3.2.9: sent by mail; brought into the calendar; not delivered.
SENT, DELIVERED, FAILED = "1.1", "1.2", "5.1"


def with_guests(events):
    """Those of the meetings to which somebody but their organizer is invited.

    :param events: as superuser
    """
    return events.filtered(
        lambda event: any(
            not guest.partner_id or guest.partner_id != event.user_id.partner_id
            for guest in event.attendee_ids
        )
    )


class Sending:
    """Made before the meetings are written; what is to be told is worked out afterwards.

    :param env: as superuser
    :param user: who writes
    :param str text: as it came
    :param events: the meetings of that UID for which he is responsible in Odoo
    """

    def __init__(self, env, user, uid, text, events):
        self.env = env(user=user.id, su=True)
        self.user = user.with_env(self.env)
        self.uid = uid
        self.events = events.with_env(self.env)
        self.has_guests = "ATTENDEE" in text
        self.items, self.organizer = (), None
        self.is_organizer = self.is_guest = False
        if scheduling.is_of_several(text):
            self._read(text)

    def _read(self, text):
        self.addresses = owner_addresses(self.user)
        self.items = [item for item in parse(text.encode()).items if item.NAME == "VEVENT"]
        self.organizer = next((item.organizer for item in self.items if item.organizer), None)
        if self.organizer is None:
            return
        self.is_organizer = self.organizer.email in self.addresses
        self.is_guest = not self.is_organizer and any(
            one.email in self.addresses for item in self.items for one in item.attendees
        )
        # As it is before it is written.
        series = self.events.recurrence_id
        known = [*self.events.mapped("ical_sequence"), *series.mapped("ical_sequence")]
        self.sequence = max(known, default=-1)
        self.times = {event.id: (event.start, event.stop) for event in self.events}
        self.states = {one.event_id.id: one.state for one in self._mine(self.events)}

    @property
    def is_of_several(self):
        """Whether the user arranges it with others, or others with him."""
        return self.is_organizer or self.is_guest

    @property
    def is_answer(self):
        """Whether it is an invitation from outside that he has, and not a newer one: of that
        only his own part is taken."""
        if not (self.is_guest and self.events) or self._newest() > self.sequence:
            return False
        known = self.events[:1]._invitation_original()
        return bool(
            known and known.organizer and known.organizer.email == self.organizer.email
            and any(one.email in self.addresses for one in known.attendees)
        )  # fmt: skip

    def note(self):
        """The meetings are about to be written."""
        is_alone = not self.has_guests and self.organizer is None
        if self.is_organizer or (is_alone and with_guests(self.events)):
            # Who meets nobody any more has to tell those whom he did.
            self.events._invitation_note()

    def tell(self, events):
        """The meetings are written.

        :param events: those that there are now
        :return: whether something is another now than it was sent
        """
        events = events.with_env(self.env)
        statuses, is_changed = {}, False
        coming = events.filtered(
            lambda event: event.active and event.stop > fields.Datetime.now()
        )  # fmt: skip
        if self.is_organizer:
            (events - self.events)._invitation_note_new()
            is_changed = self._ask_anew(events)
            self._send_anew(coming)
            statuses = self._statuses(coming)
        elif self.is_guest and scheduling.agent(self.organizer) == "SERVER":
            if self._reply(coming) and self.organizer.email:
                statuses = {self.organizer.email: SENT}
        self.env["caldav.schedule"]._put_statuses(self.user, self.uid, statuses)
        return is_changed

    # -- the organizer's ---------------------------------------------------------------

    def _ask_anew(self, events):
        """Answers are to the time that was asked for; a program may not say so (3.2.8)."""
        now = {event.id: (event.start, event.stop) for event in events if event.active}
        moved = events.filtered(
            lambda event: event.id in now and self.times.get(event.id, now[event.id])
            != now[event.id]
        )  # fmt: skip
        if not moved:
            return False
        answered = moved.attendee_ids.filtered(
            lambda one: one.state != "needsAction" and one.partner_id != self.user.partner_id
        )
        answered.with_context(**SILENT).write({"state": "needsAction"})
        is_late = self._newest() <= self.sequence
        if is_late:
            (moved.recurrence_id[:1] or moved[:1]).write({"ical_sequence": self.sequence + 1})
        return bool(answered) or is_late

    def _newest(self):
        return max((item.sequence for item in self.items), default=0)

    def _send_anew(self, events):
        """SCHEDULE-FORCE-SEND (7.2): the invitation once more."""
        asked = {
            one.email for item in self.items for one in item.attendees
            if (one.params.get(scheduling.FORCE) or "").upper() == "REQUEST"
            and scheduling.agent(one) == "SERVER"
        }  # fmt: skip
        if asked:
            guests = events.attendee_ids.filtered(
                lambda one: one._invitation_address() in asked
            )  # fmt: skip
            self.env["calendar.invitation.gateway"]._refresh(guests)

    def _statuses(self, events):
        """What becomes of the messages: dict from address to code."""
        guests = events.attendee_ids
        told = {one._invitation_address(): one for one in guests}
        said = {
            one.email: one for item in self.items for one in item.attendees
            if one.email in told and one.email not in self.addresses
            and scheduling.agent(one) == "SERVER"
        }  # fmt: skip
        if not said:
            return {}
        inside = self.env["res.users"]._whose(said)
        refused = set(
            self.env["mail.blacklist"].search([("email", "in", list(said))]).mapped("email")
        )
        is_blocked = self.env["ir.config_parameter"].get_param("calendar.block_mail")
        statuses = {}
        for email in said:
            is_lost = (
                is_blocked or email in refused or told[email].partner_id.message_bounce >= BOUNCES
            )
            statuses[email] = DELIVERED if email in inside else FAILED if is_lost else SENT
        return statuses

    # -- the answer to an organizer outside --------------------------------------------

    def _mine(self, events):
        return events.attendee_ids.filtered(lambda one: one.partner_id == self.user.partner_id)

    def _reply(self, events):
        """Tell the organizer what the user has answered with what he has put there.

        :return: whether there was something to tell
        """
        is_forced = (self.organizer.params.get(scheduling.FORCE) or "").upper() == "REPLY"
        answered = self._mine(events).filtered(
            lambda one: (
                one.state in ("accepted", "declined", "tentative")
                and (is_forced or one.state != self.states.get(one.event_id.id))
            )
        )
        for state, guests in answered.grouped("state").items():
            guests.with_context(**SILENT).write(
                {"answered_at": fields.Datetime.now(), "answer_source": "caldav"}
            )
            guests._speaker().sudo()._announce(state, "", "caldav", guests)
        return bool(answered)

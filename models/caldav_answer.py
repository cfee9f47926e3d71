"""What somebody who takes part in a meeting may change of it: his answer, his reminders.

Whatever else his program sends is left alone, and he is told by getting no ETag; only when
it moves the meeting is it refused (RFC 6638, 3.2.2.1).
"""

from collections import defaultdict
from datetime import datetime

from odoo import fields

from ..dav.scheduling import AttendeeChange
from ..ical import scheduling
from ..ical.overlay import own_part
from ..ical.parse import parse
from ..ical.values import UTC, is_date
from .ical_row import DAY_START, owner_addresses
from .ical_values import SILENT

_STATES = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}


def answer(user, guests, state, comment="", is_told=True):
    """A user's answer, as his program has given it.

    :param guests: his own rows, of any meetings
    :param bool is_told: whether organizers hear of it; of what is over they never do
    """
    now = fields.Datetime.now()
    told = guests.filtered(lambda guest: is_told and guest.event_id.stop > now)
    (guests - told).with_context(**SILENT).filtered(lambda guest: guest.state != state).write(
        {"state": state}
    )
    by_meeting = told.with_user(user).sudo().grouped(
        lambda guest: guest.event_id.recurrence_id or guest.event_id
    )  # fmt: skip
    for rows in by_meeting.values():
        rows._answer(state, comment, source="caldav")


class Answer:
    """:param env: as superuser
    :param user: whose answer it is
    :param events: the meetings of that UID in which he takes part
    :param bool is_telling: whether the organizer hears of it
    """

    def __init__(self, env, user, events, is_telling=True):
        self.env = env
        self.user = user
        self.events = events
        self.is_telling = is_telling
        self.addresses = owner_addresses(user)

    def take(self, uid, text):
        """Take what is his out of the text.

        :raises AttendeeChange: when it moves the meeting
        """
        items = [item for item in parse(text.encode()).items if item.NAME == "VEVENT"]
        main = next((item for item in items if item.recurrence_id is None), None)
        changed = {
            self._place(item.recurrence_id): item
            for item in items
            if item.recurrence_id is not None
        }
        # Who takes an occurrence out of his calendar does not come to it.
        taken_out = {self._place(at) for at in main.exdates} if main is not None else set()
        answers = defaultdict(lambda: self.env["calendar.attendee"])
        for event in self.events:
            place = event.ical_recurrence_start or event.start
            item = changed.get(place, main)
            if item is None:
                continue
            self._check_time(event, item)
            self._take_time(event, item)
            state = self._state(item)
            if place in taken_out and place not in changed and event.recurrence_id:
                state = "declined"
            if state:
                answers[state] |= self._mine(event).filtered(
                    lambda guest, state=state: guest.state != state
                )
        self._answer(uid, answers, main or items[0])
        self._keep_own(uid, text)

    def _mine(self, event):
        return event.attendee_ids.filtered(
            lambda guest: guest.partner_id == self.user.partner_id
        )  # fmt: skip

    def _place(self, at):
        """The start that the series gives an occurrence, as Odoo has it."""
        if is_date(at):
            return datetime.combine(at, DAY_START)
        if at.tzinfo is None:
            return None
        return at.astimezone(UTC).replace(tzinfo=None)

    def _check_time(self, event, item):
        """Of a meeting that does not repeat, and of an occurrence that has its own lines."""
        if item.start is None or (event.recurrence_id and item.recurrence_id is None):
            return
        start = self._place(item.start)
        if start is not None and not event.allday and start != event.start:
            raise AttendeeChange("only the organizer moves a meeting")

    def _take_time(self, event, item):
        """Whether it takes time of his: of what he shares with colleagues it is not said."""
        show_as = "free" if item.transparency == "TRANSPARENT" else "busy"
        if event.user_id == self.user and event.show_as != show_as:
            event.with_context(**SILENT).show_as = show_as

    def _state(self, item):
        return next(
            (_STATES.get(one.status) for one in item.attendees if one.email in self.addresses),
            None,
        )

    def _answer(self, uid, answers, item):
        is_told = self.is_telling and scheduling.agent(item.organizer) == "SERVER"
        known = self.events[:1]._invitation_original()
        said = [one for one in item.comments if not known or one not in known.comments]
        comment = "\n".join(said).strip()
        for state, guests in answers.items():
            answer(self.user, guests, state, comment, is_told)
        if any(answers.values()) and is_told and item.organizer and item.organizer.email:
            inside = self.events[:1]._invitation_is_ours()
            self.env["caldav.schedule"]._put_statuses(
                self.user, uid, {item.organizer.email: "1.2" if inside else "1.1"}
            )

    def _keep_own(self, uid, text):
        """His reminders and notes, unless they are those that all have."""
        own = own_part(text)
        overlays = self.env["caldav.overlay"]
        has_own = overlays.search_count([("user_id", "=", self.user.id), ("uid", "=", uid)])
        shared = self.env["caldav.object"].search(
            [("uid", "=", uid), ("sees", "=", "full"), ("user_id", "in", (False, self.user.id))]
        )  # fmt: skip
        if has_own or not any(own == own_part(one.text) for one in shared if one.text):
            overlays._put(self.user, uid, own)

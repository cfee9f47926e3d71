"""What somebody who takes part in a meeting may change of it: his answer, his reminders.

Whatever else his program sends is left alone, and he is told by getting no ETag.
"""

from datetime import datetime

from ..ical.overlay import own_part
from ..ical.parse import parse
from ..ical.values import UTC, is_date
from .ical_row import DAY_START, owner_addresses
from .ical_values import SILENT

_STATES = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}


class Answer:
    """:param env: as superuser
    :param user: whose answer it is
    :param events: the meetings of that UID in which he takes part
    """

    def __init__(self, env, user, events):
        self.env = env
        self.user = user
        self.events = events
        self.addresses = owner_addresses(user)

    def take(self, uid, text):
        """Take what is his out of the text."""
        items = [item for item in parse(text.encode()).items if item.NAME == "VEVENT"]
        main = next((item for item in items if item.recurrence_id is None), None)
        changed = {
            self._place(item): item for item in items if item.recurrence_id is not None
        }  # fmt: skip
        for event in self.events:
            place = event.ical_recurrence_start or event.start
            item = changed.get(place, main)
            if item is not None:
                self._answer(event, item)
        self._keep_own(uid, text)

    def _place(self, item):
        """The start that the series gives that occurrence, as Odoo has it."""
        at = item.recurrence_id
        if is_date(at):
            return datetime.combine(at, DAY_START)
        if at.tzinfo is None:
            return None
        return at.astimezone(UTC).replace(tzinfo=None)

    def _answer(self, event, item):
        state = next(
            (_STATES.get(one.status) for one in item.attendees if one.email in self.addresses),
            None,
        )
        if not state:
            return
        mine = event.attendee_ids.filtered(
            lambda guest: guest.partner_id == self.user.partner_id and guest.state != state
        )
        if mine:
            mine.with_context(**SILENT).write({"state": state})

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

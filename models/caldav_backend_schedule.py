"""Of the backend: inbox, free time of others, and what of a text is of its reader alone
(RFC 6638)."""

from dataclasses import replace

from odoo.tools import SQL

from ..dav.errors import NotFound
from ..ical import scheduling
from ..ical.values import UTC
from .ical_meeting import named_zone


class ScheduleMixin:
    """Of the backend: what is arranged with others."""

    # --- Inbox

    def inbox(self):
        self._ensure("inbox", "")
        [row] = self._rows(SQL("collection.kind = 'inbox'"))
        return replace(self._calendar(row), name="inbox", role="inbox")

    def _as_message(self, text):
        """A text as the message that it came with."""
        return text.replace("\r\n", "\r\nMETHOD:REQUEST\r\n", 1)

    def _delete_message(self, uid):
        """He has seen it: until it is changed he does not find it again."""
        meetings = self._meetings([uid])
        if not meetings:
            raise NotFound("it is gone")
        sequence = max(
            [*meetings.mapped("ical_sequence"), *meetings.recurrence_id.mapped("ical_sequence")]
        )
        self.env["caldav.schedule"]._put(self.user, uid, seen_sequence=sequence)

    # --- What of a text is of its reader alone

    def _as_read(self, pairs):
        """Pairs (entry, text) with what has become of the user's messages; what is between
        the organizer's program and its server is none of the others' business."""
        several = {entry.uid for entry, text in pairs if scheduling.is_of_several(text)}
        if not several:
            return pairs
        statuses = self.env["caldav.schedule"]._statuses(self.user, several)
        return [(entry, self._of_reader(text, statuses.get(entry.uid))) for entry, text in pairs]

    def _of_reader(self, text, statuses):
        if "SCHEDULE-" in text and scheduling.organizer_of(text) not in self.person().emails:
            text = scheduling.without(text, scheduling.OWN, kinds=("ATTENDEE",))
        return scheduling.with_statuses(text, statuses) if statuses else text

    # --- Free time

    def busy(self, emails, start, end, but=None):
        """Of internal users whom the user sees in Odoo; of others nothing is known."""
        whose = self.env["res.users"]._whose(emails)
        ids = [user.id for user in whose.values()]
        users = self.env["res.users"].with_user(self.user).search([("id", "in", ids)]).sudo()
        first, last = (moment.astimezone(UTC).replace(tzinfo=None) for moment in (start, end))
        left_out = self._meetings([but]) if but else None
        spans = users.partner_id._busy_spans(first, last, left_out)
        busy = {
            user: [self._span(one, named_zone(user.tz)) for one in spans[user.partner_id]]
            for user in users
        }
        return {address: busy[user] for address, user in whose.items() if user in busy}

    def _span(self, span, zone):
        """(kind, start, stop) in UTC; whole days are those of where he is."""
        own = zone if span.allday else UTC
        start, stop = (
            moment.replace(tzinfo=own).astimezone(UTC) for moment in (span.start, span.stop)
        )  # fmt: skip
        return "BUSY-TENTATIVE" if span.is_tentative else "BUSY", start, stop

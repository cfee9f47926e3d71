"""What attendees say by mail: REPLY, COUNTER and REFRESH (RFC 5546, 3.2.3, 3.2.6, 3.2.7)."""

from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ..ical import itip
from ..ical.errors import CannotAnswer
from ..ical.itip_state import NEWER, OLDER, REPLAY, judge_answer
from ..ical.sequence import order
from ..ical.values import UTC, is_date
from .calendar_invitation_gateway import Doubt
from .ical_row import DAY_START, DAY_STOP

STATES = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
#: What is read of a meeting that is answered.
FETCHED = (
    "name", "start", "stop", "allday", "active", "user_id", "recurrence_id", "ical_uid",
    "ical_text", "ical_sequence", "ical_recurrence_start", "is_overlay",
)  # fmt: skip
#: One who asks for the meeting again and again gets it that often.
REFRESH_PAUSE = timedelta(minutes=10)


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    itip_refreshed_at = fields.Datetime("Asked for the Meeting", copy=False, readonly=True)

    def _itip_known(self):
        """``order`` of the last answer that came as a message, or None."""
        return (self.itip_sequence, self.itip_stamp.replace(tzinfo=UTC)) if self.itip_stamp else (
            None)  # fmt: skip


class CalendarInvitationGateway(models.AbstractModel):
    _inherit = "calendar.invitation.gateway"

    def _from_attendee(self, found, mail, user=None):
        """Take in what an attendee says of one meeting.

        :param Message found: the message
        :param Mail mail: see ``calendar_invitation_gateway``
        :param user: only meetings that he organizes: he has decided to believe it
        :return: True
        :raises Doubt: when it is not to be believed; then nothing is taken
        """
        events = self._events_of(found.uid)
        if user:
            events = events.filtered(lambda event: event.user_id == user)
        if not events:
            raise Doubt("unknown")
        changed = []
        for item in found.items:
            changed += self._from_attendee_item(found.method, item, mail, events)
        for work in changed:
            work()
        return True

    def _events_of(self, uid):
        """The meetings of that UID whose organizer is a user of this database."""
        Events = self.env["calendar.event"].sudo().with_context(active_test=False)
        events = Events.search_fetch([("ical_uid", "=", uid)], list(FETCHED), order="start, id")
        # Whoever reads one thing of a user reads a hundred.
        events.user_id.fetch(["partner_id"])
        return events.filtered(lambda event: event.active and event._invitation_is_ours()) or (
            events.filtered(lambda event: event._invitation_is_ours())
        )

    def _from_attendee_item(self, method, item, mail, events):
        """What is to be done, as functions.

        :raises Doubt: see :meth:`_from_attendee`
        """
        event = events[:1]
        line = next((one for one in item.attendees if one.email == mail.sender), None)
        line = line or (item.attendees[0] if len(item.attendees) == 1 else None)
        if line is None or not line.email:
            raise Doubt("sender", event)
        mail.check_sender(line.email, event)
        rows = self._rows_of(item, line.email, events)
        if not rows:
            raise Doubt("stranger", event, detail=line.email)
        if method == "REFRESH":
            return [lambda: self._refresh(rows)]
        rows = self._newer_rows(item, rows, mail)
        if not rows:
            return []
        if method == "COUNTER":
            return [lambda: self._propose(item, rows)]
        return self._reply(item, line, rows)

    def _rows_of(self, item, email, events):
        """The attendee's rows: of the whole, or of the occurrence that is meant."""
        if item.recurrence_id is not None:
            place = self._place_of(item, item.recurrence_id, events)
            events = events.filtered(
                lambda event: (event.ical_recurrence_start or event.start) == place
            )
        Attendees = self.env["calendar.attendee"].sudo()
        Attendees.flush_model(["event_id", "partner_id"])
        Attendees.partner_id.flush_model(["email_normalized"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT guest.id FROM calendar_attendee guest
                LEFT JOIN res_partner partner ON partner.id = guest.partner_id
                WHERE guest.event_id = ANY(%s)
                  AND (guest.partner_id IS NULL OR partner.email_normalized = %s)
                ORDER BY guest.id
                """,
                events.ids,
                email,
            )
        )
        found = Attendees.browse(key for (key,) in rows)
        found.fetch(
            ["event_id", "partner_id", "address", "state", "common_name", "answer_comment",
             "itip_sequence", "itip_stamp", "told_number", "told_on"]
        )  # fmt: skip
        return found.filtered(lambda one: one.partner_id or one._invitation_address() == email)

    def _place_of(self, item, at, events):
        """A moment of a message as Odoo has it (naive UTC)."""
        if is_date(at):
            return fields.Datetime.to_datetime(at).replace(hour=DAY_START.hour)
        if at.tzinfo is None:
            at = at.replace(tzinfo=item.calendar_zone or UTC)
        return at.astimezone(UTC).replace(tzinfo=None, microsecond=0)

    def _newer_rows(self, item, rows, mail):
        """Those for which it is a new answer.

        :raises Doubt: when it is an answer to something else for all of them
        """
        now = fields.Datetime.now().replace(tzinfo=UTC)
        newer, verdicts = rows.browse(), set()
        for row in rows:
            event, series = row.event_id, row.event_id.recurrence_id
            sequence = series.ical_sequence if series else event.ical_sequence
            if series and item.recurrence_id is not None:
                sequence = max(sequence, event.ical_sequence)
            verdict = judge_answer(item, sequence, row._itip_known(), now)
            verdicts.add(verdict)
            if verdict == NEWER or (mail.is_trusted and verdict not in (REPLAY, OLDER)):
                newer += row
        doubtful = verdicts - {NEWER, REPLAY, OLDER}
        if doubtful and not newer:
            raise Doubt(sorted(doubtful)[0], rows[0].event_id)
        return newer

    def _answer_order(self, item):
        """By these values the same message, and older ones, are known."""
        sequence, stamp = order(item)
        now = fields.Datetime.now()
        stamp = min(stamp.astimezone(UTC).replace(tzinfo=None), now)
        return {"itip_sequence": sequence, "itip_stamp": stamp}

    def _reply(self, item, line, rows):
        comment = _comment_of(item, line)
        state = STATES.get(line.status)
        if line.status == "DELEGATED":
            delegate = next(iter(line.delegated_to), None)
            email = itip.address_of(delegate)
            if not email or not rows._delegate_by_mail(email, comment):
                raise Doubt("delegated", rows[0].event_id, detail=email or "")
            return [lambda: rows.write(self._answer_order(item))]
        if state is None:
            raise Doubt("unreadable", rows[0].event_id, detail=line.status[:40])
        return [lambda: rows._write_answer(state, comment, "mail", **self._answer_order(item))]

    def _propose(self, item, rows):
        """A COUNTER is a proposal that the organizer takes up or not (3.2.7)."""
        row = rows.sorted(lambda one: one.event_id.start)[:1]
        try:
            start, stop, comment = itip.proposed(itip.Message("COUNTER", (item,)))
        except CannotAnswer as error:
            raise Doubt("time", row.event_id) from error
        if is_date(start):
            start = fields.Datetime.to_datetime(start).replace(hour=DAY_START.hour)
            stop = fields.Datetime.to_datetime(stop) - timedelta(days=1)
            stop = max(start.replace(hour=DAY_STOP.hour), stop.replace(hour=DAY_STOP.hour))
        else:
            start, stop = (self._place_of(item, one, row.event_id) for one in (start, stop))
        rows.write(self._answer_order(item))
        self.env["calendar.invitation.proposal"].sudo()._propose(
            row, start, stop, comment or _comment_of(item)
        )

    def _refresh(self, rows):
        """A REFRESH asks for the meeting as it is now (3.2.6)."""
        now = fields.Datetime.now()
        due = rows.filtered(
            lambda row: not row.itip_refreshed_at or now - row.itip_refreshed_at > REFRESH_PAUSE
        )
        if due:
            due.write({"itip_refreshed_at": now})
            due._invite()


def _comment_of(item, line=None):
    """What the attendee says to it.

    Google writes it into a parameter, and Exchange into the description.
    """
    if item.comments:
        return "\n".join(item.comments).strip()
    if line is not None and line.params.get("X-RESPONSE-COMMENT"):
        return line.params.get("X-RESPONSE-COMMENT").strip()
    is_exchange = item.component is not None and any(
        line.startswith("X-MICROSOFT-") for line in item.component.lines()
    )
    return (item.description or "").strip() if is_exchange else ""

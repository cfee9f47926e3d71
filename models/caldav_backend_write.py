"""What programs write into calendars: one object at a time, each judged first.

The organizer of a meeting changes it; whoever takes part changes his own answer and his
reminders, whatever his program sends. What Odoo has no place for is kept as text.
"""

from dataclasses import replace
from typing import NamedTuple

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, split_every

from ..dav.backend import Written
from ..dav.errors import Forbidden, InvalidData, InvalidObject, NotFound
from ..ical import scheduling
from ..ical.overlay import own_part, seen_shared, seen_until
from ..ical.parse import parse
from .caldav_answer import Answer, answer
from .caldav_record_write import RecordMixin
from .caldav_sending import Sending, with_guests
from .caldav_todo_write import TodoMixin
from .ical_incoming import UID_BYTES, Options
from .ical_row import is_cancelled, owner_addresses
from .ical_values import SILENT

#: Meetings that are deleted at once.
BATCH = 250
#: Where the digests of what came by CalDAV belong.
SOURCE = "caldav"
#: Refusals of what is right, but more than Odoo can hold.
NO_PLACE = frozenset(
    {"year", "too_many", "no_occurrence", "unsupported_rule", "limit", "not_written"}
)  # fmt: skip


def is_all_cancelled(text):
    """Whether nothing of a meeting takes place."""
    items = parse(text.encode()).items
    return all(is_cancelled(item) for item in items if item.NAME == "VEVENT")


def _check_uid(uid):
    if len(uid.encode()) > UID_BYTES or "\0" in uid:
        raise InvalidObject("its UID is too long")


class Own(NamedTuple):
    """Which rows of a user there are for a UID."""

    kept: bool
    place: bool
    overlay: bool


class WriteMixin(TodoMixin, RecordMixin):
    """Of the backend: PUT, DELETE, MOVE."""

    #: who works out whom to tell of what is written
    sending = Sending
    #: whether the others hear of answers and of cancellations
    is_telling = True
    #: where the digests of what came belong, and whether it invites whom it names
    source = SOURCE
    may_invite = True

    def put(self, calendar, name, uid, component, text, entry):
        _check_uid(uid)
        collection = self.collections.browse(calendar.id)
        self._take_turn(collection)
        if collection.kind == "records":
            return self._put_record(calendar, name, uid, text, entry)
        sent = text
        if "SCHEDULE-" in text:
            # What the server says itself, and what is asked of it once.
            text = scheduling.without(text, (scheduling.STATUS, scheduling.FORCE))
        if collection.kind == "tasks":
            self._put_todo(collection, uid, text)
            is_same = False
        elif component != "VEVENT":
            self._keep(collection, uid, component, text)
            is_same = True
        else:
            is_same = self._put_meeting(collection, uid, text, sent)
        collection._catch_up({uid: name})
        calendar = replace(calendar, token=collection._token())
        made = next(iter(self.entries(calendar, uid=uid)), None)
        if made is None and collection.kind == "tasks" and entry is not None:
            # An activity that is done is gone.
            return Written(entry, False, False)
        if made is None:
            raise Forbidden("it is no part of this calendar")
        if made.id.sees in ("kept", "todo"):
            return Written(made, entry is None, is_same)
        if is_same and not made.id.is_part and not self._own(uid).overlay:
            self._store(uid, text)
            if scheduling.is_of_several(sent):
                is_same = dict(self.texts(calendar, [made])).get(made) == sent
            return Written(made, entry is None, is_same)
        return Written(made, entry is None, False)

    def _take_turn(self, collection):
        """One writes into a calendar after the other.

        Who has waited finds that it has changed, and Odoo repeats his request: then his
        condition is looked at again.
        """
        self.env.cr.execute(
            SQL("SELECT FROM caldav_collection WHERE id = %s FOR NO KEY UPDATE", collection.id)
        )

    def _keep(self, collection, uid, component, text):
        if self._meetings([uid]):
            # One UID is one thing.
            raise InvalidObject("a meeting has this UID")
        self.env["caldav.kept"]._put(collection, uid, component, text)

    def _put_meeting(self, collection, uid, text, sent):
        """
        :param str text: without what is between the program and its server
        :param str sent: as it came
        :return: whether Odoo has now what was sent, and nobody else has a say in it
        """
        meetings = self._meetings([uid])
        own = meetings.filtered(lambda event: event.user_id == self.user)
        sending = self.sending(self.env, self.user, uid, sent, own)
        if (meetings and not own) or sending.is_answer:
            Answer(self.env, self.user, own or meetings, self.is_telling).take(uid, text)
            self._place(collection, uid)
            return False
        answers = self._answers(own)
        reminders = {event: self._shared_reminders(event) for event in own}
        sending.note()
        outcome, result = self._upsert(text, sending.is_organizer)
        reason = result.reason or outcome.reason
        if result.kind in ("refused", "error"):
            if meetings or reason not in NO_PLACE:
                self._refuse(reason, result.detail or outcome.detail)
            self._keep(collection, uid, "VEVENT", text)
            return True
        if is_all_cancelled(text):
            # Odoo has it archived; to its program it is there, and cancelled.
            self.env["caldav.kept"]._put(collection, uid, "VEVENT", text)
            return True
        if self._own(uid).kept:
            self.env["caldav.kept"]._take(self.user, uid)
        is_restored = self._restore(answers)
        is_restored |= self._restore_reminders(uid, text, reminders)
        is_changed = False
        if sending.is_of_several:
            mine = self._meetings([uid]).filtered(lambda event: event.user_id == self.user)
            is_changed = sending.tell(mine)
        self._place(collection, uid)
        return not is_restored and not is_changed

    def _upsert(self, text, invite=False):
        # What is newer was asked by the condition of the request.
        options = Options(source=self.source, force=True, invite=invite and self.may_invite)
        Event = self.env["calendar.event"]
        outcomes = Event._ical_compare(text.encode(), self.user, options)
        if len(outcomes) != 1:
            raise InvalidObject("there is more than one object in it")
        [result] = Event._ical_upsert(outcomes, self.user, options)
        return outcomes[0], result

    def _refuse(self, reason, detail):
        env = self.env(context={"lang": self.user.lang})
        words = env["calendar.event"]._ical_reason(reason, detail)
        if reason in ("private", "not_organizer"):
            raise Forbidden(words)
        raise InvalidData(words)

    def _meetings(self, uids):
        """The meetings with these UIDs that are the user's, cancelled ones included."""
        return self.env["calendar.event"].with_context(active_test=False).search(
            [
                ("ical_uid", "in", uids),
                "|", ("user_id", "=", self.user.id),
                ("partner_ids", "in", self.user.partner_id.ids),
            ]
        )  # fmt: skip

    # --- Answers

    def _answers(self, events):
        """What the others have answered themselves: dict from attendee to (state, times)."""
        return {
            guest: (guest.state, guest.event_id.start, guest.event_id.stop)
            for guest in events.attendee_ids
            if guest.partner_id != self.user.partner_id
            and (guest.answered_at
                 or any(user._is_internal() for user in guest.partner_id.user_ids))
        }  # fmt: skip

    def _restore(self, answers):
        """An organizer's program says what it last knew of them: they know better.

        Of a meeting that was moved they are asked again.
        """
        is_restored = False
        for guest, (state, start, stop) in answers.items():
            if guest.exists() and guest.state != state:
                event = guest.event_id
                if (event.start, event.stop) == (start, stop):
                    guest.with_context(**SILENT).state = state
                    is_restored = True
        return is_restored

    def _shared_reminders(self, event):
        """Those of a meeting's reminders that are for all who come.

        Where nobody else came, those that a program can set were its user's alone.
        """
        if self._has_others(event):
            return event.alarm_ids
        return event.alarm_ids.filtered(
            lambda alarm: alarm.alarm_type not in ("notification", "email")
        )

    def _has_others(self, event):
        return any(guest.partner_id != self.user.partner_id for guest in event.attendee_ids)

    def _restore_reminders(self, uid, text, before):
        """Of a meeting with guests the reminders that a program has sent are its user's own,
        and not everybody's.

        :param dict before: meeting to the reminders that all had
        """
        is_own = False
        for event in self._meetings([uid]).filtered(lambda one: one.user_id == self.user):
            was = before.get(event, event.alarm_ids.browse())
            if event.alarm_ids != was and self._has_others(event):
                event.with_context(**SILENT).alarm_ids = was
                is_own = True
        if is_own:
            self.env["caldav.overlay"]._put(self.user, uid, own_part(text))
        elif self._own(uid).overlay:
            # Those that all have: only that he has seen them is his own.
            seen = seen_until(own_part(text))
            self.env["caldav.overlay"]._put(self.user, uid, seen and seen_shared(seen))
        return is_own

    # --- Where it is

    def _place(self, collection, uid):
        places = self.env["caldav.place"]
        if collection.kind == "own":
            places._put(self.user, uid, collection)
        elif self._own(uid).place:
            places._take(self.user, uid)

    def _own(self, uid):
        """What of an object is kept for this user alone."""
        [row] = self.env.execute_query(
            SQL(
                """
                SELECT EXISTS (SELECT FROM caldav_kept WHERE user_id = %(user)s AND uid = %(uid)s),
                       EXISTS (SELECT FROM caldav_place WHERE user_id = %(user)s AND uid = %(uid)s),
                       EXISTS (SELECT FROM caldav_overlay
                                WHERE user_id = %(user)s AND uid = %(uid)s)
                """,
                user=self.user.id, uid=uid,
            )
        )  # fmt: skip
        return Own(*row)

    def _store(self, uid, text):
        """Serve it as it came, until somebody changes it."""
        self.env["caldav.object"]._keep_as_sent(uid, text)

    # --- Taking away

    def delete(self, calendar, entry, is_told=True):
        # Whoever looks next finds it gone.
        if calendar.role == "inbox":
            self._delete_message(entry.uid)
        else:
            self._delete_all(calendar, [entry], is_told)

    def _delete_all(self, calendar, entries, is_told=True):
        kept = [entry.uid for entry in entries if entry.id.sees == "kept"]
        for uid in kept:
            self.env["caldav.kept"]._take(self.user, uid)
        todos = [entry.uid for entry in entries if entry.id.sees == "todo"]
        if todos:
            self._delete_todos(self.collections.browse(calendar.id), todos)
        records = [entry.uid for entry in entries if entry.id.sees == "record"]
        if records:
            self._delete_records(self.collections.browse(calendar.id), records)
        uids = [entry.uid for entry in entries if entry.id.sees == "full"]
        for batch in split_every(BATCH, uids, list):
            self._delete_meetings(batch, is_told)
            if len(uids) > BATCH:
                # What was read for them: of a large calendar that is half a gigabyte.
                self.env.invalidate_all()

    def _delete_meetings(self, uids, is_told):
        events = self._meetings(uids)
        own = events.filtered(lambda event: event.user_id == self.user)
        others = events - own
        own_uids = set(own.mapped("ical_uid"))
        declined = others.filtered(lambda event: event.ical_uid not in own_uids)
        self._decline(declined, is_told)
        if is_told:
            self._decline_outside(own)
        if self.is_telling:
            told = with_guests(own).filtered(self._has_told)
            told.with_user(self.user).sudo()._invitation_note()
        self._unlink(own)

    def _has_told(self, event):
        """Whether its guests know of it: of a meeting that came without an organizer they
        were never told."""
        original = event._invitation_original()
        return not original or bool(original.organizer) or not original.attendees

    def _decline_outside(self, events):
        """Those who have invited him from outside hear that he does not come."""
        coming = events.filtered(
            lambda event: event.active and event.stop > fields.Datetime.now()
            and scheduling.is_of_several(event.ical_text or event.recurrence_id.ical_text or "")
            and not event._invitation_is_ours()
        )  # fmt: skip
        mine = self._mine(coming).filtered(lambda guest: guest.state != "declined")
        env = self.env(context={"lang": self.user.lang})
        for guests in mine.grouped(lambda guest: guest.event_id.ical_uid).values():
            original = guests[0].event_id._invitation_original()
            addresses = owner_addresses(self.user)
            is_invited = original and any(one.email in addresses for one in original.attendees)
            if is_invited and scheduling.agent(original.organizer) == "SERVER":
                env["calendar.invitation.outgoing"]._reply_of(guests, "declined")

    def _mine(self, events):
        partner = self.user.partner_id
        return events.attendee_ids.filtered(lambda guest: guest.partner_id == partner)

    def _unlink(self, events):
        """Delete them, with the user's own rights."""
        if not events:
            return
        series = events.recurrence_id
        rows = events.with_user(self.user).with_context(**SILENT)
        try:
            rows.check_access("unlink")
        except AccessError as error:
            raise Forbidden("the user may not delete it") from error
        try:
            series.sudo().with_context(**SILENT).filtered(
                lambda one: one.calendar_event_ids <= events
            ).unlink()
            rows.unlink()
        except UserError as error:
            raise Forbidden(str(error)[:200]) from error

    def _decline(self, events, is_told):
        """Of the meetings of somebody else: he says no, and sees them no more."""
        mine = self._mine(events).filtered(lambda guest: guest.state != "declined")
        answer(self.user, mine, "declined", is_told=is_told)
        for uid in set(events.mapped("ical_uid")):
            self.env["caldav.place"]._put(self.user, uid)

    def move(self, calendar, entry, target, name):
        source = self.collections.browse(calendar.id)
        collection = self.collections.browse(target.id)
        if "tasks" in (source.kind, collection.kind) and source != collection:
            raise Forbidden("to-dos of Odoo stay where they are")
        if "records" in (source.kind, collection.kind) and source != collection:
            raise Forbidden("records of Odoo stay where they are")
        uid = entry.uid
        # What it takes the place of is gone from there.
        collection._catch_up()
        if entry.id.sees == "kept":
            texts = self.env["caldav.kept"]._texts(self.user, [uid])
            if uid not in texts:
                raise NotFound("it is gone")
            self.env["caldav.kept"]._put(collection, uid, entry.component, texts[uid])
        elif entry.id.sees == "full":
            self._place(collection, uid)
        if source == collection:
            collection._rename(entry.id, name)
        else:
            source._catch_up()
            collection._catch_up({uid: name})

"""What programs write into calendars: one object at a time, each judged first.

The organizer of a meeting changes it; whoever takes part changes his own answer and his
reminders, whatever his program sends. What Odoo has no place for is kept as text.
"""

from dataclasses import replace
from typing import NamedTuple

from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..dav.backend import Written
from ..dav.errors import Forbidden, InvalidData, InvalidObject, NotFound
from ..ical.overlay import own_part, seen_shared, seen_until
from .caldav_answer import Answer
from .caldav_todo_write import TodoMixin
from .ical_incoming import UID_BYTES, Options
from .ical_values import SILENT

#: Where the digests of what came by CalDAV belong.
SOURCE = "caldav"
#: Refusals of what is right, but more than Odoo can hold.
NO_PLACE = frozenset(
    {"year", "too_many", "no_occurrence", "unsupported_rule", "limit", "not_written"}
)  # fmt: skip


class Own(NamedTuple):
    """Which rows of a user there are for a UID."""

    kept: bool
    place: bool
    overlay: bool


class WriteMixin(TodoMixin):
    """Of the backend: PUT, DELETE, MOVE."""

    def put(self, calendar, name, uid, component, text, entry):
        if len(uid.encode()) > UID_BYTES or "\0" in uid:
            raise InvalidObject("its UID is too long")
        collection = self.collections.browse(calendar.id)
        self._take_turn(collection)
        if collection.kind == "tasks":
            self._put_todo(collection, uid, text)
            is_same = False
        elif component != "VEVENT":
            self._keep(collection, uid, component, text)
            is_same = True
        else:
            is_same = self._put_meeting(collection, uid, text)
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
            return Written(made, entry is None, True)
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

    def _put_meeting(self, collection, uid, text):
        """:return: whether Odoo has now what was sent, and nobody else has a say in it"""
        meetings = self._meetings([uid])
        own = meetings.filtered(lambda event: event.user_id == self.user)
        if meetings and not own:
            self._put_answer(meetings, uid, text)
            self._place(collection, uid)
            return False
        answers = self._answers(own)
        reminders = {event: event.alarm_ids for event in own}
        outcome, result = self._upsert(text)
        reason = result.reason or outcome.reason
        if result.kind in ("refused", "error"):
            if meetings or reason not in NO_PLACE:
                self._refuse(reason, result.detail or outcome.detail)
            self._keep(collection, uid, "VEVENT", text)
            return True
        if self._own(uid).kept:
            self.env["caldav.kept"]._take(self.user, uid)
        is_restored = self._restore(answers)
        is_restored |= self._restore_reminders(uid, text, reminders)
        self._place(collection, uid)
        return not is_restored

    def _upsert(self, text):
        # What is newer was asked by the condition of the request.
        options = Options(source=SOURCE, force=True)
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

    def _put_answer(self, meetings, uid, text):
        Answer(self.env, self.user, meetings).take(uid, text)

    def _answers(self, events):
        """What colleagues have answered themselves: dict from attendee to (state, times)."""
        return {
            guest: (guest.state, guest.event_id.start, guest.event_id.stop)
            for guest in events.attendee_ids
            if guest.partner_id != self.user.partner_id
            and any(user._is_internal() for user in guest.partner_id.user_ids)
        }

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

    def _restore_reminders(self, uid, text, before):
        """Of a meeting with guests the reminders that a program has sent are its user's own,
        and not everybody's.

        :param dict before: meeting to the reminders that all had
        """
        is_own = False
        for event in self._meetings([uid]).filtered(lambda one: one.user_id == self.user):
            was = before.get(event, event.alarm_ids.browse())
            if event.alarm_ids != was and event.attendee_ids.partner_id - self.user.partner_id:
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

    def delete(self, calendar, entry):
        # Whoever looks next finds it gone.
        self._delete_all(calendar, [entry])

    def _delete_all(self, calendar, entries):
        kept = [entry.uid for entry in entries if entry.id.sees == "kept"]
        for uid in kept:
            self.env["caldav.kept"]._take(self.user, uid)
        todos = [entry.uid for entry in entries if entry.id.sees == "todo"]
        if todos:
            self._delete_todos(self.collections.browse(calendar.id), todos)
        uids = [entry.uid for entry in entries if entry.id.sees == "full"]
        if uids:
            self._delete_meetings(uids)

    def _delete_meetings(self, uids):
        events = self._meetings(uids)
        own = events.filtered(lambda event: event.user_id == self.user)
        others = events - own
        own_uids = set(own.mapped("ical_uid"))
        declined = others.filtered(lambda event: event.ical_uid not in own_uids)
        self._decline(declined)
        self._unlink(own)

    def _unlink(self, events):
        """Delete them, with the user's own rights; nobody is told."""
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

    def _decline(self, events):
        """Of the meetings of somebody else: he says no, and sees them no more."""
        partner = self.user.partner_id
        mine = events.attendee_ids.filtered(lambda guest: guest.partner_id == partner)
        mine.with_context(**SILENT).filtered(lambda guest: guest.state != "declined").write(
            {"state": "declined"}
        )
        for uid in set(events.mapped("ical_uid")):
            self.env["caldav.place"]._put(self.user, uid)

    def move(self, calendar, entry, target, name):
        source = self.collections.browse(calendar.id)
        collection = self.collections.browse(target.id)
        if "tasks" in (source.kind, collection.kind) and source != collection:
            raise Forbidden("to-dos of Odoo stay where they are")
        uid = entry.uid
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

"""How an account writes into a user's calendar: as the CalDAV server does, and quietly."""

from collections import Counter
from datetime import date

from odoo.tools import SQL

from ..ical.compose import compose
from ..ical.versions import without_delivery
from .caldav_backend import OdooBackend
from .caldav_sending import Sending
from .ical_incoming import Options


class Quiet(Sending):
    """Of what a sync brings nobody is told: that was done where it was written."""

    def note(self):
        """Nothing is noted."""

    def tell(self, events):
        return False


class AccountBackend(OdooBackend):
    """As the CalDAV server writes, under a source of its own; nobody is invited."""

    source = "account"
    is_telling = may_invite = False
    sending = Quiet

    def put_together(self, collection, texts):
        """Write meetings with a few questions for all of them.

        :param collection: caldav.collection
        :param dict texts: by UID
        :return: set of the UIDs that are written; the others want to be looked at one by one
        """
        self._take_turn(collection)
        texts = self._plain(texts)
        own = self._meetings(list(texts))
        answers = self._answers(own)
        reminders = {event: self._shared_reminders(event) for event in own}
        done = self._write(texts)
        self._restore(answers)
        for uid in done & set(own.mapped("ical_uid")):
            self._restore_reminders(uid, texts[uid], reminders)
        places = self._placed(done)
        for uid in done if collection.kind == "own" else places:
            self._place(collection, uid)
        return done

    def _plain(self, texts):
        """Those of the texts that are of a meeting of his or of a new one, and of nothing that
        is kept for him alone."""
        meetings = self._meetings(list(texts)).grouped("ical_uid")
        kept = self._kept_alone(texts)
        return {
            uid: without_delivery(text) for uid, text in texts.items()
            if uid not in kept and self._is_his(uid, text, meetings.get(uid))
        }  # fmt: skip

    def _is_his(self, uid, text, meetings):
        if not meetings:
            return True
        own = meetings.filtered(lambda event: event.user_id == self.user)
        return meetings == own and not Quiet(self.env, self.user, uid, text, own).is_answer

    def _kept_alone(self, uids):
        """Those of the UIDs of which he has a text of his own."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT uid FROM caldav_kept WHERE user_id = %(user)s AND uid = ANY(%(uids)s)
                 UNION
                SELECT uid FROM caldav_overlay WHERE user_id = %(user)s AND uid = ANY(%(uids)s)
                """,
                user=self.user.id, uids=list(uids),
            )
        )  # fmt: skip
        return {uid for (uid,) in rows}

    def _write(self, texts):
        """:return: set of the UIDs that Odoo has taken as they are"""
        if not texts:
            return set()
        options = Options(source=self.source, force=True)
        Event = self.env["calendar.event"]
        outcomes = Event._ical_compare(
            compose(texts.values(), date(1970, 1, 1)), self.user, options
        )
        number = Counter(one.key for one in outcomes)
        # What is cancelled as a whole, or in part unreadable, is no plain case.
        plain = [
            one for one in outcomes
            if number[one.key] == 1 and (one.kind, one.action) in (
                ("new", "create"), ("changed", "update"))
        ]  # fmt: skip
        results = Event._ical_upsert(plain, self.user, options)
        return {one.outcome.key for one in results if one.record and one.kind == one.outcome.kind}

    def _placed(self, uids):
        """Those that lie in a calendar that is not the agenda."""
        return set(
            self.env["caldav.place"]
            .search([("user_id", "=", self.user.id), ("uid", "in", list(uids))])
            .mapped("uid")
        )

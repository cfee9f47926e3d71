"""The side of Odoo: what of a user's calendar another server is told, and what is written.

Reads and writes as his calendar programs do, by the same ways, and tells nobody of it.
"""

import hashlib

from odoo import SUPERUSER_ID
from odoo.tools import SQL

from ..dav.errors import DavError
from ..ical.errors import IcalError
from ..ical.params import Params, split_line
from ..ical.parse import parse
from ..ical.scheduling import agent
from ..ical.versions import (
    Part,
    Version,
    read_version,
    without_delivery,
    write_version,
)
from .caldav_collection_read import InvalidToken
from .caldav_sync_backend import AccountBackend
from .caldav_sync_version import not_inviting
from .ical_values import SILENT

#: Key of the context in which a sync writes: nobody has to be woken for it.
SYNCING = "crm_automation_account"
#: Fields by which Odoo's own synchronizers know what is theirs.
OTHERS = ("google_id", "microsoft_id", "ms_universal_event_id")
#: What is said of a meeting that is private: when it is, with these parameters.
_WHEN = frozenset({
    "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "DTSTAMP",
    "SEQUENCE", "TRANSP", "STATUS", "CLASS",
})  # fmt: skip
_HOW = frozenset({"TZID", "VALUE", "RANGE"})


def _only_when(line):
    name, params, value = split_line(line)
    return f"{name}{Params(pair for pair in params if pair[0] in _HOW)}:{value}"


def _is_private(part):
    """RFC 5545, 3.8.1.3: a word that nobody knows is PRIVATE."""
    unit = part.units.get("CLASS")
    return any(
        split_line(line)[2].strip().upper() != "PUBLIC" for line in (unit.pieces if unit else ())
    )  # fmt: skip


class Here:
    """:param calendar: caldav.account.calendar"""

    def __init__(self, calendar):
        context = {**SILENT, SYNCING: True, "lang": calendar.user_id.lang}
        env = calendar.env(user=SUPERUSER_ID, su=True, context=context)
        self.env = env
        self.calendar = calendar.with_env(env)
        self.user = self.calendar.user_id
        self.collection = self.calendar._collection()
        self.backend = AccountBackend(env, self.user.id)
        self.backend.source = f"account:{calendar.id}"

    # --- What has changed

    def changes(self, token):
        """(versions by UID, UIDs that are gone, token, whether it is everything)"""
        self.collection._catch_up()
        is_full = not token
        try:
            changed, gone, following, _is_all = self.collection._changes_since(token or "")
        except InvalidToken:
            changed, gone, following, _is_all = self.collection._changes_since("")
            is_full = True
        versions = {one.uid: self.collection._etag(one) for one in changed}
        left = {one.uid for one in gone} - versions.keys()
        left -= {one.uid for one in self.collection._members(uids=left)} if left else set()
        return versions, left, following, is_full

    def not_ours(self, uids):
        """Those of which another synchronizer of Odoo is in charge."""
        Event = self.env["calendar.event"]
        names = [name for name in OTHERS if Event._fields.get(name) and Event._fields[name].store]
        if not names or not uids:
            return set()
        conditions = SQL(" OR ").join(SQL("%s IS NOT NULL", SQL.identifier(name)) for name in names)
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT ical_uid FROM calendar_event WHERE ical_uid = ANY(%s) AND (%s)",
                list(uids), conditions,
            )
        )  # fmt: skip
        found = {uid for (uid,) in rows}
        # As they come back from there.
        pairs = {uid.removesuffix("@google.com"): uid for uid in uids}
        for name in names:
            rows = self.env.execute_query(
                SQL(
                    "SELECT %(name)s FROM calendar_event WHERE %(name)s = ANY(%(ids)s)",
                    name=SQL.identifier(name), ids=list(pairs),
                )
            )  # fmt: skip
            found.update(pairs[one] for (one,) in rows)
        return found

    def only_theirs(self, uids):
        """Those that this user has in step with another calendar of an account of his."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT other.uid FROM caldav_account_object other
                  JOIN caldav_account_calendar calendar ON calendar.id = other.calendar_id
                 WHERE calendar.user_id = %s AND calendar.id <> %s AND calendar.place = 'own'
                   AND other.has_here AND other.dirty_here IS DISTINCT FROM 'gone'
                   AND other.uid = ANY(%s)
                """,
                self.user.id, self.calendar.id, list(uids),
            )
        )  # fmt: skip
        return {uid for (uid,) in rows} if self.calendar.place == "own" else set()

    def members(self, uids):
        """Members by UID, as they are now."""
        self.collection._catch_up()
        return {one.uid: one for one in self.collection._members(uids=list(uids))}

    def texts(self, members):
        """Texts by UID, as they go out; what cannot be written is left out."""
        return {member.uid: text for member, text in self.collection._texts(members).items()}

    def version(self, member):
        return self.collection._etag(member)

    # --- What goes out

    def hides(self, text, came_from):
        """What of a private meeting does not go out: ``busy``, ``none``, or nothing."""
        if self.calendar.private_out == "full" or came_from == "there":
            return ""
        is_private = any(map(_is_private, read_version(text).parts.values()))
        return self.calendar.private_out if is_private else ""

    def outward(self, text, came_from):
        """What the server is told of it."""
        if self.hides(text, came_from):
            text = self._busy(text)
        return not_inviting(text)

    def says_more(self, text):
        """Whether it says more than when."""
        return read_version(self._busy(text)).fingerprint() != read_version(text).fingerprint()

    def _busy(self, text):
        """When it is, and nothing else."""
        version = read_version(text)
        parts = {key: self._busy_part(part) for key, part in version.parts.items()}
        return write_version(Version(parts, version.zones))

    def _busy_part(self, part):
        lines = [_only_when(line) for line in part.lines if split_line(line)[0] in _WHEN]
        for unit in part.units.values():
            said = (piece for piece in unit.pieces if isinstance(piece, str))
            lines += [_only_when(line) for line in said if split_line(line)[0] in _WHEN]
        return Part(part.name, {}, [*lines, f"SUMMARY:{self.env._('Busy')}"])

    # --- Writing

    def _written_into(self):
        """The calendar of Odoo.

        :raises DavError: when nothing is written into it
        """
        if self.collection.kind not in ("main", "own"):
            raise DavError("nothing is written into this calendar")
        return self.collection

    def _target(self):
        found = self._written_into()
        return self.backend.calendar("agenda" if found.kind == "main" else found.key)

    def tells(self, text):
        """Whether what is done to a meeting there is told by Odoo: its organizer is said to
        be none of that server's (RFC 6638, 7.1), as in all that Odoo has written there."""
        try:
            items = parse((text or "").encode()).items
        except IcalError:
            return False
        organizers = [item.organizer for item in items if item.NAME == "VEVENT"]
        return any(one and agent(one) != "SERVER" for one in organizers)

    def put(self, uid, text, is_telling=False):
        """Write an object.

        :param bool is_telling: whether an organizer hears of an answer; see :meth:`tells`
        :raises DavError: when Odoo does not take it
        """
        self.backend.is_telling = is_telling
        text = without_delivery(text)
        [component] = {part.name for part in read_version(text).parts.values()}
        calendar = self._target()
        entry = next(iter(self.backend.entries(calendar, uid=uid)), None)
        name = entry.name if entry else f"{self._name(uid)}.ics"
        with self.env.cr.savepoint():
            self.backend.put(calendar, name, uid, component, text, entry)

    def put_together(self, texts):
        """Write many meetings with few questions.

        :param dict texts: by UID
        :return: set of the UIDs that are written; the others are for :meth:`put`
        """
        with self.env.cr.savepoint():
            done = self.backend.put_together(self._written_into(), texts)
        self.collection._catch_up({uid: f"{self._name(uid)}.ics" for uid in done})
        return done

    def _name(self, uid):
        # As the database names them.
        text = f"{self.collection.id} {uid}"
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def bring(self, uid):
        """Bring a meeting into this calendar, out of another one of his."""
        self.backend._place(self._written_into(), uid)
        self.collection._catch_up({uid: f"{self._name(uid)}.ics"})

    def delete(self, uid, is_telling=False):
        """Take an object away; one that is gone is gone.

        :param bool is_telling: whether the guests of a meeting of his hear of it
        """
        self.backend.is_telling = is_telling
        calendar = self._target()
        entry = next(iter(self.backend.entries(calendar, uid=uid)), None)
        if entry:
            with self.env.cr.savepoint():
                self.backend.delete(calendar, entry, is_told=False)

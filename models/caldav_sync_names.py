"""Which objects they are: by their UIDs, wherever on the server they lie now.

What has another address, or has come into another calendar of the account, is the same
object: it is not deleted and made anew.
"""

from ..engine.addresses import FetchError
from ..ical.errors import IcalError
from ..sync.plan import OUT
from .caldav_sync_plan import title_of
from .caldav_sync_version import version_of
from .ical_incoming import UID_BYTES

#: What a row that has come to another address has nothing to wait for any more.
FREE = {
    "hold": False, "reason": False, "failures": 0, "next_try": False, "is_allowed": False,
}  # fmt: skip


class NamesMixin:
    """Of a step."""

    def _identify(self, found):
        """Which UID the texts have; a row of that UID that Odoo made is the same one."""
        named = []
        for row in self.rows.filtered(lambda one: one.id in found):
            text = found[row.id]
            if text is None or isinstance(text, FetchError):
                continue
            try:
                version = version_of(text.text)
                uid = version.uid.replace("\0", "")
            except IcalError as error:
                found[row.id] = error
                continue
            if not uid:
                found[row.id] = IcalError("it has no UID")
            elif len(uid.encode()) > UID_BYTES:
                found[row.id] = IcalError("its UID is too long")
            elif row.uid and row.uid != uid:
                self._replaced(row, text)
                continue
            elif not row.uid:
                named.append((row, uid, title_of(version)))
                continue
            row.summary = title_of(version)
        uids = [uid for _row, uid, _summary in named]
        there = self.sync._search([("uid", "in", uids)])
        twins = {row.uid: row for row in there if row.hold != "twice"}
        left = self._left_elsewhere([uid for uid in uids if uid not in twins])
        for row, uid, summary in named:
            # Two of one UID may be in these very rows.
            twin = twins.get(uid) or left.get(uid, self.sync.rows)
            twins[uid] = self._name(row, uid, summary, twin)

    def _replaced(self, row, text):
        """Another object has its address: it is not there any more, and the other one is new."""
        path = row.path
        self.rows -= row
        row.write({"path": False, "etag": False, "seen_etag": False,
                   "dirty_there": "gone" if row.has_there else False})  # fmt: skip
        self.sync.rows.flush_model()
        self.sync.rows.create(
            {
                "calendar_id": self.calendar.id, "path": path, "seen_etag": text.etag,
                "dirty_there": "changed", "came_from": "there",
            }
        )  # fmt: skip

    def _name(self, row, uid, summary, twin):
        """:return: the row that stands for that UID"""
        is_there = twin.dirty_there == "changed" or (
            twin.has_there and twin.dirty_there not in ("gone", "missing")
        )
        if twin and not (twin.path or twin.has_there):
            # It was made on both sides, or put there by a try that was cut off.
            row.write({name: twin[name] for name in ("dirty_here", "came_from", "print_sent")})
            self.rows -= twin
            twin.unlink()
        elif twin and is_there:
            self._wait(row, "twice", self._words("twice"))
            row.write({"dirty_there": False, "has_there": True, "etag": row.seen_etag,
                       "uid": uid, "summary": summary})  # fmt: skip
            self.rows -= row
            return twin
        elif twin:
            self._take_place(twin, row, row.seen_etag)
            return twin
        row.write({"uid": uid, "summary": summary})
        return row

    # --- Moved

    def _left_elsewhere(self, uids):
        """Rows, by UID, of what is gone from another calendar of the account."""
        if not uids or self.calendar.direction == OUT:
            return {}
        found = self.sync.rows.search(
            [
                ("account_id", "=", self.calendar.account_id.id),
                ("calendar_id", "!=", self.calendar.id), ("calendar_id.enabled", "=", True),
                ("calendar_id.direction", "!=", OUT), ("uid", "in", uids),
                ("has_there", "=", True), ("dirty_there", "in", ("gone", "missing")),
            ]
        )  # fmt: skip
        return {row.uid: row for row in found if row.hold != "twice"}

    def _follow(self):
        """What is gone may have come to another address before it was seen to go."""
        gone = self.rows.filtered(
            lambda one: one.dirty_there == "gone" and one.has_there and one.uid
        )
        if not gone or self.calendar.direction == OUT:
            return
        others = self.sync.rows.search(
            [
                ("account_id", "=", self.calendar.account_id.id),
                ("calendar_id.enabled", "=", True), ("calendar_id.direction", "!=", OUT),
                ("id", "not in", gone.ids),
                ("uid", "in", gone.mapped("uid")), ("path", "!=", False),
                ("hold", "in", ("twice", "elsewhere")), ("dirty_there", "!=", "gone"),
            ]
        )  # fmt: skip
        there = {row.uid: row for row in others}
        for row in gone.filtered(lambda one: one.uid in there):
            other = there[row.uid]
            self._take_place(row, other, other.seen_etag or other.etag)

    def _take_place(self, row, other, etag):
        """What a row stands for is from now on where another one is, which is needed no more."""
        calendar, path = other.calendar_id, other.path
        self.rows -= row | other
        other.unlink()
        values = {"path": path, "etag": False, "seen_etag": etag, "dirty_there": "changed", **FREE}
        if row.calendar_id != calendar:
            self.journal.note(
                row, "moved", "here", reason=f"{row.calendar_id.name} → {calendar.name}"
            )
            if row.has_here:
                # In Odoo it is looked at again, too.
                self._here_of(calendar).bring(row.uid)
                values.update(version=False, dirty_here="changed")
            values["calendar_id"] = calendar.id
        row.write(values)

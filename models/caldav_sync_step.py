"""Some objects of a calendar brought in step: read, planned, written here, then there.

What is written in Odoo is committed before anything is written there; what was written
there is noted afterwards. If it ends in between, the server says that it is not as it
was known, and the two versions turn out to be the same.
"""

from datetime import timedelta

from odoo.exceptions import UserError

from ..dav.errors import DavError
from ..engine.addresses import FetchError
from ..engine.retry import next_try
from ..ical.errors import IcalError
from ..sync.errors import OF_ONE
from ..sync.plan import OUT
from ..sync.remote import Text
from .caldav_sync_here import Here
from .caldav_sync_plan import Plan, print_of, title_of, version_of
from .ical_incoming import UID_BYTES

#: How long an object that is not taken is left alone when it was tried often.
LATER = timedelta(days=1)


class Step:
    """:param CalendarSync sync: see there
    :param rows: caldav.account.object
    """

    def __init__(self, sync, rows):
        self.sync = sync
        self.rows = rows
        self.remote = sync.remote
        self.calendar = sync.calendar
        self.journal = sync.journal
        self.tasks = []
        self.wrote_here = False

    def run(self):
        """:return: whether something was written in Odoo"""
        asked = {row.id: row.path for row in self.rows if row.dirty_there == "changed"}
        self.sync._commit()
        found = self._read_there(asked)
        self.here = Here(self.calendar)
        self._identify(found)
        self._plan(found)
        self.sync._commit()
        self._write_there()
        self.sync._commit()
        return self.wrote_here

    # --- There

    def _read_there(self, asked):
        """Texts by row; None for what is gone, an error for what cannot be read."""
        texts = self._texts(list(asked.values())) if asked else {}
        found = {}
        for row, path in asked.items():
            try:
                found[row] = texts[path] if path in texts else self.remote.get(path)
            except FetchError as error:
                if error.code not in OF_ONE and error.code != "too_large":
                    raise
                found[row] = error
        return found

    def _texts(self, paths):
        """Texts by path; none when all together are too much."""
        try:
            return self.remote.texts(paths)
        except FetchError as error:
            if error.code != "too_large":
                raise
            return {}

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
            row.summary = title_of(version)
            if not uid:
                found[row.id] = IcalError("it has no UID")
            elif len(uid.encode()) > UID_BYTES:
                found[row.id] = IcalError("its UID is too long")
            elif row.uid and row.uid != uid:
                found[row.id] = IcalError("another one has taken its place")
            elif not row.uid:
                named.append((row, uid))
        there = self.sync._search([("uid", "in", [uid for _row, uid in named])])
        twins = {row.uid: row for row in there if row.hold != "twice"}
        for row, uid in named:
            # Two of one UID may be in these very rows.
            twins[uid] = self._name(row, uid, twins.get(uid, self.sync.rows))

    def _name(self, row, uid, twin):
        """:return: the row that stands for that UID"""
        is_there = twin.dirty_there == "changed" or (
            twin.has_there and twin.dirty_there not in ("gone", "missing")
        )
        if twin and not twin.path:
            # It was made on both sides, or put there by a try that was cut off.
            twin_is_here = twin.dirty_here
            row.write({"dirty_here": twin_is_here, "came_from": twin.came_from})
            self.rows -= twin
            twin.unlink()
        elif twin and is_there:
            self._wait(row, "twice", self._words("twice"))
            row.write({"dirty_there": False, "has_there": True, "etag": row.seen_etag})
            self.rows -= row
            row.uid = uid
            return twin
        elif twin:
            # It has moved to another address there.
            values = {
                "path": row.path, "seen_etag": row.seen_etag, "dirty_there": "changed",
                "hold": False, "next_try": False,
            }  # fmt: skip
            self.rows -= row
            row.unlink()
            twin.write(values)
            return twin
        row.uid = uid
        return row

    # --- The plan

    def _plan(self, found):
        rows = self.rows.filtered("uid")
        for row in self.rows - rows:
            self._plan_nameless(row, found.get(row.id))
        lost = rows.filtered(lambda one: one.has_there and found.get(one.id, one) is None)
        for row in lost:
            self._plan_lost(row)
        rows -= lost
        members = self.here.members(rows.mapped("uid"))
        wanted = [
            members[row.uid] for row in rows
            if row.uid in members
            and (row.id in found or self.here.version(members[row.uid]) != row.version)
        ]  # fmt: skip
        texts = self.here.texts(wanted)
        new = [row.uid for row in rows if not row.has_here]
        claimed = self.here.only_theirs(new) | self.here.not_ours(new) if new else set()
        for row in rows.filtered(lambda one: one.uid in claimed):
            self._wait(row, "elsewhere", self._words("elsewhere"))
        rows = rows.filtered(lambda one: one.uid not in claimed)
        for row in rows - self._bring_new(rows, members, found):
            if not row.summary and row.uid in texts:
                row.summary = title_of(version_of(texts[row.uid]))
            try:
                Plan(self, row, members.get(row.uid), texts.get(row.uid), found.get(row.id)).do()
            except (DavError, IcalError, UserError) as error:
                self._fail(row, str(error), "here")

    def _bring_new(self, rows, members, found):
        """What Odoo has not got is brought together. :return: the rows that are done"""
        new = rows.filtered(
            lambda row: (
                isinstance(found.get(row.id), Text)
                and not (row.has_here or row.dirty_here or row.has_there)
                and row.uid not in members
                and "BEGIN:VEVENT" in found[row.id].text
            )
        )
        if len(new) < 2 or self.calendar.direction == OUT:
            return self.rows.browse()
        try:
            written = self.here.put_new({row.uid: found[row.id].text for row in new})
        except (IcalError, UserError):
            # One of them is the reason: each on its own.
            return self.rows.browse()
        self.wrote_here = True
        made = self.here.members(written)
        texts = self.here.texts(made.values())
        done = new.filtered(lambda row: row.uid in texts)
        for row in done:
            Plan(self, row, made[row.uid], texts[row.uid], found[row.id]).brought()
        return done

    def _plan_nameless(self, row, text):
        if text is None:
            row.unlink()
        else:
            self._wait(row, "unreadable", self._why(text))
            row.write({"has_there": True, "etag": row.seen_etag, "dirty_there": False})
            self.journal.note(row, "failed", "there", reason=row.reason)

    def _plan_lost(self, row):
        """It was listed, and is not there: nothing is deleted before all that is gone is
        known."""
        if row.etag:
            row.write({"dirty_there": "gone", "seen_etag": False})
        else:
            # It was never seen there since it was written there.
            self._not_kept(row)

    def _not_kept(self, row):
        """The server has taken it, and does not have it: that is no deletion."""
        row.write(
            {
                "has_there": False, "dirty_there": False, "seen_etag": False, "etag": False,
                "dirty_here": "changed" if row.has_here else False, "print_here": False,
                "version": False,
            }
        )  # fmt: skip
        self._fail(row, self._words("not_kept"), "there")

    def _wait(self, row, hold, reason):
        row.write({"hold": hold, "reason": reason})

    def _fail(self, row, reason, side):
        """It is not taken: tried again later, less and less often."""
        now = row.env.cr.now()
        failures = row.failures + 1
        if failures == 1:
            self.journal.note(row, "failed", side, reason=reason)
        row.write(
            {
                "failures": failures, "reason": reason[:500], "hold": "refused" if failures > 3
                else False, "next_try": next_try(failures, now) or now + LATER,
            }
        )  # fmt: skip

    def _words(self, code):
        return self.calendar.env["caldav.account"]._word(code)

    def _why(self, error):
        return self.calendar.env["caldav.account"]._why(error)

    # --- Writing there

    def _write_there(self):
        """Each on its own; then what the server has made of it is read."""
        for task in self.tasks:
            try:
                if task.text is None:
                    self.remote.delete(task.path, task.etag)
                else:
                    task.new_etag = self.remote.put(task.path, task.text, task.etag)
                task.done = True
            except FetchError as error:
                if error.code != "changed" and error.code not in OF_ONE:
                    # What was written is known, whatever comes of the rest.
                    self._record({})
                    self.sync._commit()
                    raise
                task.error = error
        written = [task.path for task in self.tasks if task.done and task.text is not None]
        try:
            served = self.remote.texts(written) if written else {}
        except FetchError:
            served = {}
        self._record(served)

    def _record(self, served):
        rows = self.rows.browse(task.row for task in self.tasks)
        for task, row in zip(self.tasks, rows, strict=True):
            if task.done:
                self._record_one(task, row, served.get(task.path))
            elif task.error is not None:
                self._record_error(task, row)

    def _record_one(self, task, row, text):
        if task.text and not row.summary:
            row.summary = title_of(version_of(task.text))
        if task.text is None:
            self.journal.note(row, "deleted", "there", before=task.before)
            row.unlink()
            return
        values = {
            "path": task.path, "has_here": True, "has_there": True, "version": task.version,
            "text_here": task.here, "print_here": print_of(task.here), "dirty_here": False,
            "dirty_there": False, "text_there": task.text, "print_there": print_of(task.text),
            "etag": task.new_etag or False, "seen_etag": False, "hold": False, "reason": False,
            "failures": 0, "next_try": False, "is_allowed": False, "choice": False,
        }  # fmt: skip
        if text is not None:
            same = not task.new_etag or text.etag == task.new_etag
            if same and (task.new_etag or print_of(text.text) == values["print_there"]):
                values.update(etag=text.etag, text_there=text.text,
                              print_there=print_of(text.text))  # fmt: skip
            else:
                # Somebody was quicker, or it was not written as it was sent.
                values.update(dirty_there="changed", seen_etag=text.etag)
        elif not task.new_etag:
            values.update(dirty_there="changed")
        row.write(values)
        self.journal.note(row, task.kind, "there", before=task.before,
                          after=values["print_there"])  # fmt: skip

    def _record_error(self, task, row):
        error = task.error
        if error.code == "changed":
            # Read again, and planned again.
            row.write({"path": task.path, "dirty_there": "changed", "seen_etag": False})
            row.failures += 1
            if row.failures > 5:
                self._fail(row, self._why(error), "there")
        elif error.code == "missing" and task.etag:
            row.write({"dirty_there": "gone"})
        else:
            self._fail(row, self._why(error), "there")

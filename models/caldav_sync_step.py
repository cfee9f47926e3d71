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
from .caldav_sync_here import Here
from .caldav_sync_names import NamesMixin
from .caldav_sync_plan import Plan, is_meeting, title_of
from .caldav_sync_send import SendMixin
from .caldav_sync_version import version_of

#: How long an object that is not taken is left alone when it was tried often.
LATER = timedelta(days=1)


class Step(NamesMixin, SendMixin):
    """:param CalendarSync sync: see there
    :param rows: caldav.account.object
    """

    def __init__(self, sync, rows):
        self.sync = sync
        self.rows = rows
        self.remote = sync.remote
        self.calendar = sync.calendar
        self.journal = sync.journal
        #: what is to be written in Odoo, and there
        self.writes, self.tasks = [], []
        self.wrote_here = False

    def run(self):
        """:return: whether something was written in Odoo"""
        asked = {row.id: row.path for row in self.rows if row.dirty_there == "changed"}
        self.sync._commit()
        found = self._read_there(asked)
        self.here = Here(self.calendar)
        self._identify(found)
        self._follow()
        self._plan(found)
        self._write_here()
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
            return self.sync.ahead.texts(paths)
        except FetchError as error:
            if error.code != "too_large":
                raise
            return {}

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
        for row in rows:
            if not row.summary and row.uid in texts:
                row.summary = title_of(version_of(texts[row.uid]))
            try:
                Plan(self, row, members.get(row.uid), texts.get(row.uid), found.get(row.id)).do()
            except (DavError, IcalError, UserError) as error:
                self._fail(row, str(error), "here")

    def _write_here(self):
        """What is planned for Odoo: together as far as possible, the rest one by one."""
        writes = {one.plan.row.uid: one for one in self.writes}
        done = self._write_together(writes)
        for uid in writes.keys() - done:
            one = writes[uid]
            try:
                self.here.put(uid, one.text, self.here.tells(one.plan.there.text))
            except (DavError, IcalError, UserError) as error:
                self._fail(one.plan.row, str(error), "here")
                del writes[uid]
        if not writes:
            return
        self.wrote_here = True
        members = self.here.members(writes)
        texts = self.here.texts(members.values())
        for uid, one in writes.items():
            try:
                one.plan.written(one, members.get(uid), texts.get(uid))
            except (DavError, IcalError) as error:
                self._fail(one.plan.row, str(error), "here")

    def _write_together(self, writes):
        """:return: set of the UIDs that are written"""
        texts = {uid: one.text for uid, one in writes.items() if is_meeting(one.text)}
        if len(texts) < 2:
            return set()
        try:
            return self.here.put_together(texts)
        except (DavError, IcalError, UserError):
            # One of them is the reason: each on its own.
            return set()

    def _here_of(self, calendar):
        return self.here if calendar == self.calendar else Here(calendar)

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

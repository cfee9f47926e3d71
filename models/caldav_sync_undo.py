"""Taking back what a run has done: each side as it was, where nobody has changed it since.

The sides are not alike then, and stay so until one of them changes again.
"""

from ..dav.errors import DavError
from ..engine.addresses import FetchError
from ..ical.errors import IcalError
from ..sync.errors import OF_ONE
from ..sync.remote import RemoteCalendar
from .caldav_sync_here import Here
from .caldav_sync_plan import print_of


class Undo:
    """:param calendar, transport, address, journal: as of ``CalendarSync``"""

    def __init__(self, calendar, transport, address, journal):
        self.calendar = calendar
        self.account = calendar.account_id
        self.remote = RemoteCalendar(transport, address)
        self.rows = calendar.env["caldav.account.object"]

    def run(self):
        """Take back what was asked for."""
        runs = self.account.run_ids.filtered(lambda run: run.undo == "asked")
        for run in runs:
            # The last ones first: what was done twice goes back step by step.
            changes = run.change_ids.filtered(
                lambda one: one.can_undo and one.calendar_id == self.calendar
            )
            for change in changes.sorted("id", reverse=True):
                undo = self._here if change.side == "here" else self._there
                change.undo = "undone" if undo(change) else "left"
                self.account._commit()
            if not run.change_ids.filtered("can_undo"):
                run.undo = "done"
                self.account._commit()

    def _row(self, change):
        row = self.rows.search(
            [("calendar_id", "=", self.calendar.id), ("uid", "=", change.uid)], limit=1
        )
        return row or self.rows.create(
            {
                "calendar_id": self.calendar.id, "uid": change.uid, "summary": change.summary,
                "came_from": change.side,
            }
        )  # fmt: skip

    def _here(self, change):
        here = Here(self.calendar)
        row = self._row(change)
        member = here.members([change.uid]).get(change.uid)
        text = here.texts([member]).get(change.uid) if member else None
        if not self._is_as_left(change, text and here.outward(text, row.came_from)):
            return False
        try:
            if change.before_text:
                here.put(change.uid, change.before_text)
            else:
                here.delete(change.uid)
        except DavError:
            return False
        member = here.members([change.uid]).get(change.uid)
        text = here.texts([member]).get(change.uid) if member else None
        text = text and here.outward(text, row.came_from)
        row.write(
            {
                "has_here": bool(text), "text_here": text or False, "dirty_here": False,
                "print_here": print_of(text) if text else False,
                "version": here.version(member) if member else False,
            }
        )  # fmt: skip
        return True

    def _there(self, change):
        row = self._row(change)
        path = row.path or self.remote.new_path(change.uid)
        before, uid = change.before_text, change.uid
        self.account._commit()
        try:
            found = self.remote.get(path)
            if not self._is_as_left(change, found and found.text):
                return False
            if before:
                self.remote.put(path, before, found and found.etag)
                found = self.remote.get(path)
            elif found:
                self.remote.delete(path, found.etag)
                found = None
        except FetchError as error:
            if error.code in OF_ONE or error.code in ("changed", "too_large"):
                return False
            raise
        row = self.rows.search([("calendar_id", "=", self.calendar.id), ("uid", "=", uid)], limit=1)
        row.write(
            {
                "path": path, "has_there": bool(found), "dirty_there": False, "seen_etag": False,
                "etag": found.etag if found else False,
                "text_there": found.text if found else False,
                "print_there": print_of(found.text) if found else False,
            }
        )  # fmt: skip
        return True

    def _is_as_left(self, change, text):
        """Whether nobody has changed it since."""
        if change.kind == "deleted":
            return not text
        try:
            return bool(text) and print_of(text) == change.after_print
        except IcalError:
            return False

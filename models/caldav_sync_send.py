"""What is written on the server: after the commit, a few objects at a time; and what came of it."""

from ..engine.addresses import FetchError
from ..sync.errors import OF_ONE
from .caldav_sync_plan import title_of
from .caldav_sync_version import print_of, version_of

#: Xandikos says this of a calendar that another request is writing into.
LOCKED = 423


class SendMixin:
    """Of a step."""

    def _write_there(self):
        """Each on its own; then what the server has made of it is read."""
        try:
            # First what takes a UID away: it may be written elsewhere.
            self._send_all([task for task in self.tasks if task.text is None])
            self._send_all([task for task in self.tasks if task.text is not None])
        except FetchError:
            # What was written is known, whatever comes of the rest.
            self._record({})
            self.sync._commit()
            raise
        written = [task.path for task in self.tasks if task.done and task.text is not None]
        try:
            served = self.remote.texts(written) if written else {}
        except FetchError:
            served = {}
        self._record(served)

    def _send_all(self, tasks):
        """:raises FetchError: when the account is the reason, and no object"""
        transport = self.sync.transport
        transport.is_patient |= self.calendar.writes_singly
        try:
            transport.at_once(self._send, tasks)
        except FetchError as error:
            is_locked = error.facts.get("status") == LOCKED
            if transport.is_patient or not (error.code == "server" or is_locked):
                raise
            # Some servers do not bear several at once: from now on one after the other, and
            # the next time too where it was said so.
            transport.is_patient = True
            self.calendar.writes_singly = is_locked
            transport.at_once(self._send, [one for one in tasks if not (one.done or one.error)])

    def _send(self, task):
        """Write one there, unless it is late. In a thread: it knows the server only."""
        if self.sync.is_late:
            return
        try:
            if task.text is None:
                self.remote.delete(task.path, task.etag)
            else:
                task.new_etag = self.remote.put(task.path, task.text, task.etag)
            task.done = True
        except FetchError as error:
            if error.code != "changed" and error.code not in OF_ONE:
                raise
            task.error = error

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
            "print_sent": False,
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

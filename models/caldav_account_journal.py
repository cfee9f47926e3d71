"""What a turn of an account has done: noted on the way, kept with what it tells of."""

import time
from collections import Counter

from .bulk import insert_rows
from .caldav_account_log import COUNTS


class Journal:
    """What a turn has done; a line of the history that is written when there is something.

    :param account: caldav.account
    """

    def __init__(self, account):
        self.account = account
        self.requests = 0
        self.started = time.monotonic()
        self.run_id = self._kept_id = None
        self.notes = []
        self.run_date = account.env.cr.now().replace(microsecond=0)

    def _run(self):
        runs = self.account.env["caldav.account.run"]
        run = runs.browse(self.run_id)
        if not run:
            run = runs.create(
                {
                    "account_id": self.account.id,
                    "date": self.run_date,
                    "last_date": self.run_date,
                    "result": "done",
                }
            )
            self.run_id = run.id
        return run

    def note(self, row, kind, side, before="", after="", lost="", reason=""):
        """One object: what was done with it on which side.

        :param str before: text of that side before
        :param str after: fingerprint of that side afterwards
        :param str lost: of a conflict, the version that did not count
        """
        self.notes.append(
            {
                "calendar_id": row.calendar_id.id,
                "uid": row.uid or None,
                "summary": row.summary or row.uid or None,
                "kind": kind,
                "side": side,
                "date": row.env.cr.now().replace(microsecond=0),
                "reason": reason or None,
                "before_text": before or None,
                "after_print": after or None,
                "lost_text": lost or None,
            }
        )

    def flush(self):
        """Write what was noted; called before each commit."""
        if not self.notes:
            return
        run = self._run()
        self.account.env.flush_all()
        more = {"run_id": run.id, "account_id": self.account.id}
        insert_rows(run.env["caldav.account.change"], [{**note, **more} for note in self.notes])
        for name, count in Counter(COUNTS[note["kind"]] for note in self.notes).items():
            run[name] += count
        self.notes = []

    def keep(self):
        """The transaction is committed."""
        self._kept_id = self.run_id

    def forget(self):
        """The transaction is rolled back, and what was noted in it."""
        self.notes = []
        self.run_id = self._kept_id

    def close(self, result, message):
        """The end of the turn."""
        self.flush()
        runs = self.account.env["caldav.account.run"]
        now = runs.env.cr.now().replace(microsecond=0)
        duration = round(time.monotonic() - self.started, 2)
        if not self.run_id:
            # Nothing was done: the same as the last time is no line of its own.
            result = "unchanged" if result == "done" else result
            last = self.account.run_ids[:1]
            requests = last.request_count + self.requests
            if last._is_again(result, message, request_count=requests):
                return
        self._run().write(
            {
                "result": result, "message": message or False, "duration": duration,
                "last_date": now, "request_count": self.requests,
            }
        )  # fmt: skip
        self.account.invalidate_recordset(["run_ids"])

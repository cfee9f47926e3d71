"""When accounts are brought in step, by whom, and what came of it.

A worker takes an account by a lock of its database session, which dies with it, and
holds no transaction while the server is asked: so one account is in one pair of hands,
and a slow server keeps nobody else waiting.
"""

import logging
import time
from collections import Counter
from datetime import timedelta

import psycopg2

from odoo import api, models
from odoo.tools import SQL

from ..engine.addresses import FetchError, read_address
from ..engine.backoff import next_read
from ..engine.secret_box import CannotOpen
from ..sync.discover import is_same_house, starts
from ..sync.errors import NEEDS_USER, OF_ONE, RemoteError
from .bulk import insert_rows
from .caldav_account_log import COUNTS
from .caldav_sync import CalendarSync
from .caldav_sync_undo import Undo

_logger = logging.getLogger(__name__)

#: Names the locks of accounts.
ACCOUNT_LOCK = 7_304_913
#: Seconds of one turn of one account; what is left is done in its next one.
TURN = 60
#: A password that is not accepted is not tried often: some servers lock the user out.
DENIED = timedelta(days=1)
#: How often a step may lose against somebody who writes in Odoo.
MAX_CONFLICTS = 20


class CaldavAccount(models.Model):
    _inherit = "caldav.account"

    @api.model
    def _sync_due(self):
        """Bring in step what is due; entry point of the jobs."""
        tried = set()
        while True:
            self._commit()
            account = self._take(tried)
            if not account:
                break
            tried.add(account.id)
            try:
                account._turn()
            finally:
                self._leave(account)
            due = len(set(self._due()) - tried)
            if not self.env["ir.cron"]._commit_progress(1, remaining=due):
                break

    def _commit(self):
        """Keep what was done; no transaction is open then."""
        self.env["ir.cron"]._commit_progress()

    @api.model
    def _due(self):
        """Ids of the accounts that are to be brought in step, the longest due first."""
        due = self.search(
            [
                ("enabled", "=", True), ("user_id.active", "=", True),
                ("next_sync", "<=", self.env.cr.now()),
                ("calendar_ids.enabled", "=", True),
            ], order="next_sync, id",
        )  # fmt: skip
        return [*due.ids, *(found for found in self._with_news() if found not in due.ids)]

    @api.model
    def _with_news(self):
        """Ids of the accounts whose owners have changed something in Odoo."""
        self.env.flush_all()
        return [
            account
            for (account,) in self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT account.id
                      FROM caldav_account account
                      JOIN caldav_account_calendar calendar ON calendar.account_id = account.id
                      JOIN res_users ON res_users.id = account.user_id
                      JOIN caldav_collection collection ON collection.id = calendar.collection_id
                     WHERE account.enabled AND account.failures = 0 AND calendar.enabled
                       AND calendar.direction <> 'in' AND calendar.here_token IS NOT NULL
                       AND res_users.active
                       AND (calendar.here_token
                                <> collection.epoch || '-' || collection.version
                            OR EXISTS (
                            SELECT FROM caldav_change change
                             WHERE %(unseen)s AND (
                                   change.user_id = account.user_id
                                OR change.user_id IS NULL AND (
                                   EXISTS (SELECT FROM caldav_member member
                                            WHERE member.collection_id = collection.id
                                              AND member.uid = change.uid)
                                OR EXISTS (SELECT FROM calendar_event event
                                            WHERE event.ical_uid = change.uid
                                              AND (event.user_id = account.user_id
                                                   OR calendar.place = 'team'
                                                   OR EXISTS (
                                                   SELECT FROM calendar_event_res_partner_rel guest
                                                    WHERE guest.calendar_event_id = event.id
                                                      AND guest.res_partner_id
                                                          = res_users.partner_id)))))))
                    """,
                    unseen=self.env["caldav.change"]._unseen("change", "collection"),
                )
            )
        ]

    @api.model
    def _take(self, tried):
        """An account that is due and in nobody's hands, locked."""
        for account_id in self._due():
            if account_id in tried:
                continue
            self.env.cr.execute(
                SQL("SELECT pg_try_advisory_lock(%s, %s)", ACCOUNT_LOCK, account_id)
            )
            if not self.env.cr.fetchone()[0]:
                continue
            # Somebody may just have done it.
            self._commit()
            self.env.invalidate_all()
            if account_id in self._due():
                return self.browse(account_id)
            self._leave(self.browse(account_id))
        return self.browse()

    @api.model
    def _leave(self, account):
        self.env.cr.rollback()
        self.env.cr.execute(SQL("SELECT pg_advisory_unlock(%s, %s)", ACCOUNT_LOCK, account.id))
        self._commit()

    # --- One turn

    def _turn(self):
        """Bring one account in step, whatever comes of it."""
        self = self.with_context(lang=self.user_id.lang)
        journal = Journal(self)
        conflicts = 0
        while True:
            try:
                only_out = not self.next_sync or self.next_sync > self.env.cr.now()
                self.state = "working"
                self._commit()
                self._ended(journal, *self._try(journal, only_out), only_out)
                self._commit()
                return
            except psycopg2.extensions.TransactionRollbackError:
                # Somebody has written what we were about to: it is looked at again.
                journal.forget()
                self.env.cr.rollback()
                self.env.invalidate_all()
                conflicts += 1
                if conflicts > MAX_CONFLICTS:
                    raise
                time.sleep(0.05 * conflicts)

    def _try(self, journal, only_out):
        """:return: (whether nothing is left, error or None)"""
        try:
            password = self._open_password()
            address = starts(self.url, self._resolve)[0]
            calendars = self.calendar_ids.filtered("enabled")
            with self._transport(address, password, TURN) as transport:
                try:
                    return self._go_through(transport, calendars, journal, only_out)
                finally:
                    journal.requests += transport.count
        except psycopg2.extensions.TransactionRollbackError:
            raise
        except (FetchError, CannotOpen) as error:
            journal.forget()
            self.env.cr.rollback()
            self.env.invalidate_all()
            return True, error
        except Exception as error:
            _logger.exception("Account %s could not be brought in step", self.id)
            journal.forget()
            self.env.cr.rollback()
            self.env.invalidate_all()
            return True, error

    def _go_through(self, transport, calendars, journal, only_out):
        is_done, error = True, None
        for calendar in calendars:
            address = read_address(calendar.url)[0]
            origin = starts(self.url)[0]
            if address.origin not in transport.told:
                is_ours = address.scheme == "https" and is_same_house(origin.host, address.host)
                if not is_ours:
                    raise RemoteError("elsewhere", host=address.base)
                transport.tell(address)
            try:
                if not only_out:
                    Undo(calendar, transport, address, journal).run()
                is_done &= CalendarSync(calendar, transport, address, journal).run(only_out)
                if calendar.is_gone:
                    calendar.is_gone = False
            except RemoteError as failed:
                if failed.code not in OF_ONE:
                    raise
                # This calendar only: the others go on.
                journal.forget()
                self.env.cr.rollback()
                self.env.invalidate_all()
                error = failed
                calendar.is_gone = failed.code == "missing"
                self._commit()
        return is_done, error

    def _ended(self, journal, is_done, error, only_out):
        now = self.env.cr.now().replace(microsecond=0)
        held = self.env["caldav.account.object"].search_count(
            [
                ("account_id", "=", self.id),
                ("hold", "in", ("brake", "conflict", "refused", "unreadable")),
            ]
        )
        values = {"state": "ok", "message": False, "failures": 0, "last_sync": now}
        result = "done" if is_done else "partial"
        if error is not None:
            needs_user = isinstance(error, CannotOpen) or (
                getattr(error, "code", "") in NEEDS_USER | OF_ONE | {"elsewhere"}
            )
            failures = self.failures + 1
            asked = error.facts.get("retry_after") if isinstance(error, FetchError) else None
            wait = next_read(failures, self._interval(), asked)
            if getattr(error, "code", "") == "denied":
                wait = max(wait, DENIED)
            values.update(
                state="asks" if needs_user else "waiting", failures=failures,
                message=self._reason(error), last_sync=self.last_sync, next_sync=now + wait,
            )  # fmt: skip
            result = "error"
        elif not is_done:
            values.update(state="working", next_sync=now)
        elif not only_out:
            values["next_sync"] = now + self._interval()
        if held and error is None:
            values["message"] = self.env._("Waiting for your decision: %(count)s.", count=held)
            values["state"] = "asks"
            result = "asks" if is_done else result
        self.write(values)
        if only_out and error is None and not journal.run_id:
            return
        journal.close(result, values["message"])

    def _reason(self, error):
        if isinstance(error, (FetchError, CannotOpen)):
            return self._why(error)
        return self.env._("Odoo could not do it: %(error)s", error=type(error).__name__)


class Journal:
    """What a turn has done; a line of the history that is written when there is something.

    :param account: caldav.account
    """

    def __init__(self, account):
        self.account = account
        self.requests = 0
        self.started = time.monotonic()
        self.run_id = None
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

    def forget(self):
        """The transaction is rolled back, and what was noted in it."""
        self.notes = []

    def close(self, result, message):
        """The end of the turn."""
        self.flush()
        runs = self.account.env["caldav.account.run"]
        now = runs.env.cr.now().replace(microsecond=0)
        duration = round(time.monotonic() - self.started, 2)
        if not self.run_id and result in ("done", "asks"):
            # Nothing was done: the same as the last time is no line of its own.
            result = "unchanged" if result == "done" else result
            last = self.account.run_ids[:1]
            if (last.result, last.message or False) == (result, message or False):
                last.write(
                    {
                        "last_date": now, "times": last.times + 1,
                        "request_count": last.request_count + self.requests,
                    }
                )  # fmt: skip
                return
        self._run().write(
            {
                "result": result, "message": message or False, "duration": duration,
                "last_date": now, "request_count": self.requests,
            }
        )  # fmt: skip
        self.account.invalidate_recordset(["run_ids"])

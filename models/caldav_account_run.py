"""When accounts are brought in step, by whom, and what came of it.

A worker takes an account by a lock of its database session, which dies with it, and
holds no transaction while the server is asked: so one account is in one pair of hands,
and a slow server keeps nobody else waiting.
"""

import logging
import time
from datetime import timedelta

import psycopg2

from odoo import api, models
from odoo.tools import SQL

from ..engine.addresses import FetchError
from ..engine.backoff import next_read
from ..engine.secret_box import CannotOpen
from ..sync.discover import starts
from .caldav_account_journal import Journal
from .caldav_account_turn import Turn

_logger = logging.getLogger(__name__)

#: Names the locks of accounts.
ACCOUNT_LOCK = 7_304_913
#: Seconds of one turn of one account; what is left is done in its next one.
TURN = 60
#: A password that is not accepted is not tried often: some servers lock the user out.
DENIED = timedelta(days=1)
#: How often a turn may lose against somebody who writes in Odoo, and the seconds that are
#: waited in between: each time so much longer.
MAX_CONFLICTS, WAIT = 10, 0.05


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
                ("user_id.share", "=", False),
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
                       AND COALESCE(calendar.failures, 0) = 0
                       AND calendar.direction <> 'in' AND calendar.here_token IS NOT NULL
                       AND res_users.active AND NOT res_users.share
                       AND (calendar.here_token
                                <> collection.epoch || '-' || collection.version
                            OR (
                            SELECT change.id FROM caldav_change change
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
                                                          = res_users.partner_id)))))
                             ORDER BY change.xid DESC LIMIT 1) IS NOT NULL)
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
        lost = None
        for turn in range(2 * MAX_CONFLICTS):
            time.sleep(WAIT * turn)
            try:
                only_out = not self.next_sync or self.next_sync > self.env.cr.now()
                self.state = "working"
                self._commit()
                # After so many it is only said that it did not work.
                found = self._try(journal, only_out) if turn < MAX_CONFLICTS else (False, lost)
                self._ended(journal, *found, only_out)
                self._commit()
                return
            except psycopg2.extensions.TransactionRollbackError as error:
                # Somebody has written what we were about to: it is looked at again.
                lost = error
                self._start_anew(journal)
        _logger.warning("Account %s loses against others who write it; it waits", self.id)

    def _start_anew(self, journal):
        """The transaction is lost, and what was noted in it."""
        journal.forget()
        self.env.cr.rollback()
        self.env.invalidate_all()

    def _try(self, journal, only_out):
        """:return: (whether nothing is left, error or None)"""
        try:
            password = self._open_password()
            address = starts(self.url, self._resolve)[0]
            with self._transport(address, password, TURN) as transport:
                try:
                    return Turn(self, transport, journal, only_out).run()
                finally:
                    journal.requests += transport.count
        except psycopg2.extensions.TransactionRollbackError:
            raise
        except (FetchError, CannotOpen) as error:
            self._start_anew(journal)
            return True, error
        except Exception as error:
            _logger.exception("Account %s could not be brought in step", self.id)
            self._start_anew(journal)
            return True, error

    def _ended(self, journal, is_done, error, only_out):
        """Say how far it is, and when it is looked at again.

        :param error: why nothing could be done; None also when some calendars have failed
        """
        now = self.env.cr.now().replace(microsecond=0)
        calendars = self.calendar_ids.filtered("enabled")
        if error is not None:
            values, result = self._failed_values(error, now), "error"
            calendars._note_state(values["state"], values["message"], next_try=False)
        else:
            values, result = self._done_values(calendars, is_done), "done"
            if not is_done:
                values["next_sync"], result = now, "partial"
            elif not only_out:
                values["next_sync"] = now + self._interval()
            if any(calendars.mapped("failures")):
                result = "error"
            elif values["state"] == "asks" and is_done:
                result = "asks"
            values["last_sync"] = now
        self.write(values)
        if only_out and error is None and not journal.run_id and result != "error":
            return
        journal.close(result, values["message"])

    def _failed_values(self, error, now):
        failures = self.failures + 1
        asked = error.facts.get("retry_after") if isinstance(error, FetchError) else None
        wait = next_read(failures, self._interval(), asked)
        if getattr(error, "code", "") == "denied":
            wait = max(wait, DENIED)
        return {
            "state": self._state_of(error), "message": self._reason(error), "failures": failures,
            "next_sync": now + wait,
        }  # fmt: skip

    def _done_values(self, calendars, is_done):
        """The account is as its worst calendar is."""
        values = {"state": "ok" if is_done else "working", "message": False, "failures": 0}
        states = calendars.mapped("state")
        for state in ("asks", "waiting"):
            if state in states:
                values["state"] = state
                break
        messages = [(one.name, one.message) for one in calendars if one.message]
        if len(calendars) == 1:
            values["message"] = messages[0][1] if messages else False
        elif messages:
            values["message"] = "\n".join(": ".join(pair) for pair in messages)
        return values

    def _reason(self, error):
        known = (FetchError, CannotOpen, psycopg2.extensions.TransactionRollbackError)
        if isinstance(error, known):
            return self._why(error)
        return self.env._("Odoo could not do it: %(error)s", error=type(error).__name__)

"""How a subscribed calendar is read: when, by whom, and what came of it.

Nothing is locked while the other server is waited for. Whoever has its answer locks
the subscription, and gives way to another who has it.
"""

import hashlib
import logging
import time

import psycopg2

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..engine.addresses import read_address
from ..engine.backoff import FIRST, next_read
from ..ical.errors import IcalError
from .ical_fetch import FetchFailed

_logger = logging.getLogger(__name__)

#: Octets that the button reads itself; the job takes what is larger.
AT_ONCE = 2_000_000
#: Seconds that somebody waits for at a button.
BUTTON_SECONDS = 20
#: How often the job may lose against another worker.
MAX_CONFLICTS = 20


class CalendarSubscription(models.Model):
    _inherit = "calendar.subscription"

    @api.model
    def _read_due(self):
        """Read what is due; entry point of the job.

        Each is claimed and read in transactions of its own. Another worker takes
        another one.
        """
        conflicts = 0
        while True:
            try:
                self._commit()
                claimed = self._claim()
                self._commit()
                if not claimed:
                    break
                claimed._read()
                if not self._commit(1):
                    break
            except psycopg2.extensions.TransactionRollbackError:
                # Somebody else has written to it: it is still due, or has been read.
                conflicts += 1
                self.env.cr.rollback()
                if conflicts > MAX_CONFLICTS:
                    raise

    @api.model
    def _commit(self, done=0):
        """Commit, and tell the job how far it is. :return: seconds left"""
        due = self.search_count(self._due_domain()) if done else None
        return self.env["ir.cron"]._commit_progress(done, remaining=due)

    @api.model
    def _due_domain(self):
        return [
            ("enabled", "=", True),
            ("user_id.active", "=", True),
            ("user_id.share", "=", False),
            ("next_read", "<=", self.env.cr.now()),
        ]

    @api.model
    def _claim(self):
        """The one that is due the longest, put off for a while.

        A calendar that ends the worker with it is not the first again at once.
        """
        query = self._search(self._due_domain(), order="next_read, id", limit=1)
        self.env.cr.execute(SQL("%s FOR NO KEY UPDATE OF %s SKIP LOCKED",
                                query.select(), SQL.identifier(self._table)))  # fmt: skip
        claimed = self.browse(row[0] for row in self.env.cr.fetchall())
        claimed.next_read = self.env.cr.now() + FIRST
        claimed.flush_recordset()
        return claimed

    def action_refresh(self):
        """Read it now."""
        self.ensure_one()
        self.check_access("write")
        text = self.sudo()._read(at_once=True)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if self.state in ("error", "asks") else "success",
                "message": text,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _read(self, at_once=False):
        """Read it, whatever comes of it.

        :param bool at_once: somebody is waiting for it
        :return: what came of it, in a sentence for its owner
        """
        self.ensure_one()
        self = self.with_context(lang=self.user_id.lang)
        started = time.monotonic()
        url, error, answer = self.url, None, None
        if at_once:
            self.env["ical.fetch"]._take_button()
        try:
            answer = self.env["ical.fetch"]._fetch(
                url,
                etag=self.etag,
                modified=self.last_modified,
                **({"timeout": BUTTON_SECONDS} if at_once else {}),
            )
        except FetchFailed as failed:
            error = failed
        if not at_once:
            # What has happened here meanwhile is to be seen.
            self._commit()
        if not self._lock() or self.url != url:
            return self.env._("It is being read at this moment.")
        if error:
            return self._failed(str(error), started, error.retry_after)
        if at_once and len(answer.content) > AT_ONCE:
            self.next_read = self.env.cr.now()
            self._wake()
            return self.env._("This is a large calendar: it is read in the background.")
        return self._take(answer, started)

    def _lock(self):
        """Keep others out until the commit. :return: whether they were not there before"""
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "SELECT 1 FROM calendar_subscription WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED",
                self.id,
            )
        )
        return bool(self.env.cr.fetchone())

    def _take(self, answer, started):
        digest = hashlib.sha256(answer.content).hexdigest()
        if answer.status == "unchanged" or digest == self.content_digest:
            return self._unchanged(started)
        try:
            with self.env.cr.savepoint():
                counts = self._apply(answer.content)
        except psycopg2.extensions.TransactionRollbackError:
            raise
        except IcalError as error:
            return self._failed(self._why_unreadable(answer, error), started)
        except Exception as error:
            _logger.warning("Subscription %s could not be taken in", self.id, exc_info=error)
            reason = (
                str(error)
                if isinstance(error, UserError)
                else self.env._("Odoo could not take it in: %(error)s", error=type(error).__name__)
            )
            return self._failed(reason, started)
        self._keep_way(answer)
        self.write(
            {
                "etag": answer.etag,
                "last_modified": answer.last_modified,
                "content_digest": digest,
            }
        )
        return self._done(counts, started)

    def _keep_way(self, answer):
        """Where https has worked, webcal is https from now on."""
        if len(read_address(self.url)) > 1 and answer.address.startswith("https:"):
            self.url = answer.address

    def _why_unreadable(self, answer, error):
        if answer.media_type == "text/html" or answer.content.lstrip()[:1] == b"<":
            return self.env._(
                "What lies at this address is a web page, not a calendar. Look there for the "
                "address of the calendar itself: it is often called iCal, and ends in .ics."
            )
        return self.env._(
            "What lies at this address is no calendar that can be read (%(error)s).", error=error
        )

    def _failed(self, reason, started, asked=None):
        failures = self.failures + 1
        self.write(
            {
                **self._stamp(failures, asked),
                "state": "error",
                "message": reason,
            }
        )
        self._note("error", started, {"message": reason})
        return reason

    def _unchanged(self, started):
        self.write(
            {
                **self._stamp(),
                "state": "asks" if self.held else "ok",
                "message": self.message if self.held else False,
            }
        )
        if not self.run_ids[:1]._is_again("unchanged", False):
            self._note("unchanged", started, {})
        return self.message or self.env._("Nothing has changed there.")

    def _done(self, counts, started):
        message = False
        if self.held:
            message = self.env._(
                "%(count)s of the meetings that came from this calendar are no longer in it. "
                "That may be a mistake there: nothing was removed.",
                count=len(self.held),
            )
        self.write({**self._stamp(), "state": "asks" if self.held else "ok", "message": message})
        remarks = "\n".join(filter(None, (message, counts["message"]))) or False
        self._note("asks" if self.held else "done", started, {**counts, "message": remarks})
        return message or self.env._(
            "Read: %(created)s new, %(changed)s changed, %(gone)s cancelled or removed.",
            created=counts["created_count"],
            changed=counts["changed_count"],
            gone=counts["cancelled_count"] + counts["removed_count"],
        )

    def _stamp(self, failures=0, asked=None):
        now = self.env.cr.now().replace(microsecond=0)
        return {
            "failures": failures,
            "last_read": now,
            "next_read": now + next_read(failures, self._interval(), asked),
        }

    def _note(self, result, started, values):
        """Write a line of the history."""
        now = self.env.cr.now().replace(microsecond=0)
        self.env["calendar.subscription.run"].create(
            {
                "subscription_id": self.id,
                "date": now,
                "last_date": now,
                "result": result,
                "duration": round(time.monotonic() - started, 2) if started else 0,
                **values,
            }
        )
        self.invalidate_recordset(["run_ids"])

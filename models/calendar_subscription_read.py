"""How a subscribed calendar is read: when, by whom, and what becomes of what is gone.

Nothing is locked and nothing is open while the other server is waited for. Whoever
has its answer locks the subscription, and gives way to another who has it.
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
from ..ical.bare import bare
from ..ical.errors import IcalError
from .calendar_subscription import IMPORTING, READING, SHOWING
from .ical_fetch import FetchFailed
from .ical_incoming import Options

_logger = logging.getLogger(__name__)

#: More than so many, and more than this part of all, are not removed without asking.
BRAKE_COUNT, BRAKE_PART = 10, 0.5
#: Octets that the button reads itself; the job takes what is larger.
AT_ONCE = 2_000_000
#: Seconds that somebody waits for at a button.
BUTTON_SECONDS = 20
#: Reasons that a run lists.
MAX_REMARKS = 20
#: How often the job may lose against another worker.
MAX_CONFLICTS = 20
ACCESS = {"private": "PRIVATE", "confidential": "CONFIDENTIAL", "public": "PUBLIC"}
TRANSPARENCY = {"free": "TRANSPARENT", "busy": "OPAQUE", "as_said": ""}


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
        error = answer = None
        try:
            answer = self.env["ical.fetch"]._fetch(
                self.url,
                etag=self.etag,
                modified=self.last_modified,
                **({"timeout": BUTTON_SECONDS} if at_once else {}),
            )
        except FetchFailed as failed:
            error = failed
        if not self._lock():
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

    def _apply(self, content):
        """Bring the meetings up to what the calendar says.

        :return: dict of counts, and ``remarks``
        """
        overlay = self.kind == "overlay"
        owner = self.user_id
        if overlay:
            content = bare(content, ACCESS[self.privacy], TRANSPARENCY[self.show_as])
        options = Options(todo_as="none", source=self._source())
        Event = (
            self.env["calendar.event"]
            .with_user(owner)
            .with_company(owner.company_id)
            .with_context(**{READING: SHOWING if overlay else IMPORTING})
        )
        outcomes = Event._ical_compare(content, owner, options)
        results = Event._ical_upsert(self._wanted(outcomes), owner, options)
        created = {event_id for one in results for event_id in one.created.get(Event._name, ())}
        self._adopt(created)
        remarks = self._remarks(Event, outcomes, results)
        counts = {
            f"{name}_count": sum(one.kind == kind for one in results)
            for name, kind in (("created", "new"), ("changed", "changed"),
                               ("cancelled", "cancelled"))
        }  # fmt: skip
        counts.update(
            failed_count=len(remarks),
            removed_count=self._follow_absence(outcomes),
            message="\n".join(remarks[:MAX_REMARKS]) or False,
        )
        return counts

    def _wanted(self, outcomes):
        """Those that are to be taken in."""
        mine = set(self._events().mapped("ical_uid"))
        dismissed = set(self.dismissed or ())
        return [
            one
            for one in outcomes
            if not (one.kind == "new" and one.key in dismissed) and not self._is_there(one, mine)
        ]

    def _is_there(self, outcome, mine):
        """Whether its owner has it otherwise: then it is not shown a second time.

        :param mine: set of the UIDs that came from here
        """
        return bool(self.kind == "overlay" and outcome.record and outcome.key not in mine)

    def _adopt(self, created):
        """What was made is of this subscription, and so are all meetings of its series.

        :param created: ids of meetings
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE calendar_event SET subscription_id = %(id)s, is_overlay = %(overlay)s
                 WHERE subscription_id IS NULL
                   AND (id = ANY(%(created)s)
                        OR recurrence_id IN (SELECT recurrence_id FROM calendar_event
                                              WHERE subscription_id = %(id)s
                                                AND recurrence_id IS NOT NULL))
                """,
                id=self.id,
                overlay=self.kind == "overlay",
                created=list(created),
            )
        )
        self.env["calendar.event"].invalidate_model(["subscription_id", "is_overlay"])

    def _remarks(self, Event, outcomes, results):
        """What was not taken, and why, as texts."""
        mine = set(self._events().mapped("ical_uid"))
        bad = ("refused", "error")
        reasons = [
            (one, Event._ical_reason(one.reason, one.detail)) for one in outcomes if one.kind in bad
        ]
        reasons += [
            (one.outcome, Event._ical_reason(one.reason, one.detail))
            for one in results
            if one.kind in bad and one.outcome.kind not in bad
        ]
        there = self.env._("It is in your calendar already.")
        reasons += [(one, there) for one in outcomes if self._is_there(one, mine)]
        return [": ".join(filter(None, (one.summary or one.key, text))) for one, text in reasons]

    def _follow_absence(self, outcomes):
        """Bring back what is there again; let go of what is gone there.

        :return: number of what was let go
        """
        present = {one.key for one in outcomes}
        events = self._events()
        back = events.filtered(lambda one: one.subscription_gone and one.ical_uid in present)
        cancelled = {one.key for one in outcomes if one.kind == "cancelled"}
        back.filtered(lambda one: one.ical_uid not in cancelled).write({"active": True})
        back.write({"subscription_gone": False})
        events.filtered(lambda one: one.subscription_kept and one.ical_uid in present).write(
            {"subscription_kept": False}
        )
        self.held = False
        # What has no name could be what seems to be gone.
        if self.vanished == "keep" or None in present:
            return 0
        gone, total = self._gone(events, present)
        nothing_left = not any(one.component == "VEVENT" for one in outcomes)
        many = len(gone) > BRAKE_COUNT and len(gone) > BRAKE_PART * total
        if gone and (nothing_left or many):
            self.held = sorted(gone)
            return 0
        return self._remove(gone)

    def _gone(self, events, present):
        """(UIDs that the calendar has no more, number of all that are here)"""
        now = self.env.cr.now()
        there = events.filtered("active").grouped("ical_uid")
        gone = {
            uid
            for uid, rows in there.items()
            if uid not in present
            and not any(rows.mapped("subscription_kept"))
            and not (self.keep_past and max(rows.mapped("stop")) < now)
        }
        return gone, len(there)

    def _remove(self, uids):
        """Archive or delete, as the owner has chosen. :return: number of what is gone

        :param uids: of the meetings
        """
        events = self._events().filtered(lambda one: one.active and one.ical_uid in uids)
        if self.vanished == "delete":
            return self._delete(events)
        events.write({"active": False, "subscription_gone": True})
        return len(set(events.mapped("ical_uid")))

    def _delete(self, events):
        """Delete meetings, whole series, except what was changed here.

        :return: number of what was deleted
        """
        edited = set(events.filtered("subscription_edited").mapped("ical_uid"))
        events = events.filtered(lambda one: one.ical_uid not in edited)
        number = len(set(events.mapped("ical_uid")))
        series = events.recurrence_id
        events.unlink()
        series.filtered(lambda one: not one.calendar_event_ids).unlink()
        return number

    def _remove_held(self):
        for subscription in self:
            number = subscription._remove(set(subscription.held or ()))
            subscription._note("done", 0.0, {"removed_count": number})
            subscription._answered()

    # -- what came of it --

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
        last = self.run_ids[:1]
        if last.result == "unchanged":
            last.write({"last_date": self.env.cr.now(), "times": last.times + 1})
        else:
            self._note("unchanged", started, {})
        return self.env._("Nothing has changed there.")

    def _done(self, counts, started):
        message = False
        if self.held:
            message = self.env._(
                "%(count)s of the meetings that came from this calendar are no longer in it. "
                "That may be a mistake there: nothing was removed.",
                count=len(self.held),
            )
        self.write({**self._stamp(), "state": "asks" if self.held else "ok", "message": message})
        self._note("asks" if self.held else "done", started, counts)
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

"""One calendar brought in step with one of Odoo: what has changed on both sides.

Notes it in the rows (``caldav.account.object``) together with the token that it was
found by, and commits, before anything is done about it: so a run can end at any point.
No transaction is open while the server is asked. What is done about it is in
``caldav_sync_step.py``.
"""

import time
from datetime import timedelta

import psycopg2

from ..sync.ahead import ReadAhead
from ..sync.errors import RemoteError, TokenLost
from ..sync.plan import IN, brakes
from ..sync.remote import RemoteCalendar
from .bulk import insert_rows, update_rows
from .caldav_sync_here import Here
from .caldav_sync_step import Step

#: Everything is listed once in a while: some servers lose a change, or their token, and
#: do not say so.
LIST_EVERY = timedelta(days=1)
#: Pages of one listing.
MAX_PAGES = 500
#: Objects that are worked on between two commits: what is new there is quick, what is to be
#: written there is a request for each.
NEW, BATCH = 250, 100
#: Seconds that have to be left for a batch.
LEAST = 12
#: How often an object may lose against somebody who writes it in Odoo, and the seconds
#: that are waited in between: each time so much longer.
MAX_CONFLICTS, WAIT = 5, 0.1


class CalendarSync:
    """:param calendar: caldav.account.calendar, as superuser
    :param Transport transport: that is open
    :param Address address: of the calendar there
    :param journal: notes what is done; see ``caldav_account_run.Journal``
    """

    def __init__(self, calendar, transport, address, journal):
        self.calendar = calendar
        self.account = calendar.account_id
        self.transport = transport
        self.remote = RemoteCalendar(transport, address)
        self.ahead = ReadAhead(self.remote)
        self.journal = journal
        self.rows = calendar.env["caldav.account.object"]
        self.wrote_here = False

    @property
    def is_late(self):
        """Whether nothing is to be begun any more: the next turn goes on."""
        return self.transport.left < LEAST

    def look(self, only_out=False):
        """Note what has changed on both sides.

        :param bool only_out: what has changed in Odoo only
        :raises FetchError: when the server cannot be gone on with
        """
        self._look_here()
        self._commit()
        if not only_out:
            self._look_there()
        self._prove()
        self._hold_back("here")
        self._commit()

    def work(self, deletes):
        """Do what there is to do.

        :param bool deletes: with what is gone there. Before that all that is new in the
            calendars of the account is to be known: it may have moved
        :return: whether nothing is left to do
        :raises FetchError: when the server cannot be gone on with
        """
        if deletes:
            self._hold_back("there")
            self._commit()
        while True:
            while rows := self._next_batch(deletes):
                if self.is_late:
                    return False
                following = self._next_batch(deletes, rows)
                self.ahead.following = following.filtered(
                    lambda row: row.dirty_there == "changed"
                ).mapped("path")
                self._do(rows)
                self._hold_back("here")
                if deletes:
                    # What was read may turn out to be gone.
                    self._hold_back("there")
                self._commit()
            if not self.wrote_here:
                return True
            # What was written in Odoo is seen, and what somebody has changed meanwhile.
            self.wrote_here = False
            self._look_here()
            self._hold_back("here")
            self._commit()

    def _do(self, rows):
        """One step; where somebody writes in Odoo what it writes, object by object."""
        try:
            self.wrote_here |= Step(self, rows).run()
        except psycopg2.extensions.TransactionRollbackError:
            self.forget()
            for row in rows.exists():
                if not self.is_late:
                    self._do_one(row)

    def _do_one(self, row):
        for turn in range(MAX_CONFLICTS):
            time.sleep(WAIT * turn)
            try:
                self.wrote_here |= Step(self, row).run()
                return
            except psycopg2.extensions.TransactionRollbackError:
                self.forget()
                if not row.exists():
                    return
        step = Step(self, row)
        step._fail(row, step._words("edited"), "here")
        self._commit()

    def forget(self):
        """The transaction is lost, and what was noted in it."""
        self.account._start_anew(self.journal)

    def _commit(self):
        self.journal.flush()
        self.account._commit()
        self.journal.keep()

    # --- What has changed in Odoo

    def _look_here(self):
        here = Here(self.calendar)
        versions, gone, token, is_full = here.changes(self.calendar.here_token)
        known = self._known("uid", "version, has_here, dirty_here")
        if is_full:
            gone = {uid for uid, row in known.items() if row[2]} - versions.keys()
        dirty, new = [], []
        for uid, version in versions.items():
            row = known.get(uid)
            if row is None:
                new.append(uid)
            elif row[1] != version or not row[2]:
                dirty.append((row[0], "changed"))
            elif row[3]:
                dirty.append((row[0], None))
        dirty += [(known[uid][0], "gone") for uid in gone if uid in known and known[uid][2]]
        update_rows(
            self.rows, [{"id": row, "dirty_here": value} for row, value in dirty],
            {"dirty_here": "varchar"},
        )  # fmt: skip
        if self.calendar.direction != IN and new:
            left = here.not_ours(new)
            insert_rows(self.rows, [self._new(uid=uid) for uid in new if uid not in left])
        self.calendar.here_token = token

    def _new(self, uid=None, path=None, etag=None):
        return {
            "calendar_id": self.calendar.id, "account_id": self.account.id, "uid": uid,
            "path": path, "seen_etag": etag, "has_here": False, "has_there": False,
            "dirty_here": "changed" if uid else None, "dirty_there": "changed" if path else None,
            "came_from": "here" if uid else "there",
        }  # fmt: skip

    def _known(self, key, names):
        """Columns of the rows, by one of them; of two with one UID the one that counts."""
        self.rows.flush_model()
        self.rows.env.cr.execute(
            f"SELECT {key}, id, {names} FROM caldav_account_object"  # noqa: S608 - names of ours
            f" WHERE calendar_id = %s AND {key} IS NOT NULL"
            " ORDER BY hold IS NOT DISTINCT FROM 'twice' DESC",
            [self.calendar.id],
        )
        return {row[0]: row[1:] for row in self.rows.env.cr.fetchall()}

    # --- What has changed there

    def _look_there(self):
        calendar = self.calendar
        now = calendar.env.cr.now()
        token, ctag, can_sync = calendar.sync_token, calendar.ctag, calendar.can_sync
        is_stale = not calendar.listed_at or calendar.listed_at < now - LIST_EVERY
        self._commit()
        if can_sync == "yes" and token and not is_stale:
            if self._follow(token):
                return
        elif can_sync == "no" and not is_stale:
            found = self.remote.ctag()
            if found and found == ctag:
                return
        self._list_all()

    def _follow(self, token):
        """Page after page of what has changed since a token.

        :return: whether the server knows it still
        """
        for _page in range(MAX_PAGES):
            try:
                page = self.remote.changes(token)
            except TokenLost:
                return False
            self._note(page.changed, page.gone, False)
            self.calendar.sync_token = page.token
            self._commit()
            if page.is_all:
                return True
            if page.token == token:
                break
            token = page.token
        raise RemoteError("endless", host=self.remote.address.host)

    def _list_all(self):
        """Everything, and so what is no longer listed."""
        listed, token, ctag = None, "", ""
        if self.remote.can_sync():
            try:
                listed, token = self._list_by_token()
            except RemoteError as error:
                if error.code not in ("refused", "forbidden", "missing", "odd", "server"):
                    raise
        if listed is None:
            # Before the listing: what comes in between is a change then.
            ctag = self.remote.ctag()
            listed = self.remote.listing()
        self._note(listed, set(), True)
        self.calendar.write(
            {
                "sync_token": token or False, "ctag": ctag or False,
                "can_sync": "yes" if token else "no", "listed_at": self.calendar.env.cr.now(),
            }
        )  # fmt: skip
        self._commit()

    def _list_by_token(self):
        listed, token = {}, ""
        for _page in range(MAX_PAGES):
            page = self.remote.changes(token)
            listed.update(page.changed)
            for path in page.gone:
                listed.pop(path, None)
            if page.is_all:
                return listed, page.token
            if page.token == token:
                break
            token = page.token
        raise RemoteError("endless", host=self.remote.address.host)

    def _note(self, changed, gone, is_full):
        """Write down what the server has said.

        :param dict changed: ETags by path
        :param set gone: paths that it says are gone
        :param bool is_full: whether what is not in it is no longer listed
        """
        known = self._known("path", "etag, seen_etag, has_there, dirty_there, uid")
        dirty, new, forgotten = [], [], []
        for path, etag in changed.items():
            row = known.get(path)
            if row is None:
                new.append(self._new(path=path, etag=etag))
            elif row[1] != etag or not row[3]:
                if (row[2], row[4]) != (etag, "changed"):
                    dirty.append((row[0], "changed", etag))
            elif row[4]:
                dirty.append((row[0], None, etag))
        lost = set(known) - changed.keys() if is_full else set()
        for path in gone | lost:
            row = known.get(path)
            if row is None or row[4] == "gone":
                continue
            if row[3]:
                dirty.append((row[0], "gone" if path in gone else "missing", None))
            elif not row[5]:
                # It was never read.
                forgotten.append(row[0])
        update_rows(
            self.rows,
            [
                {"id": row, "dirty_there": value, "seen_etag": etag}
                for row, value, etag in dirty
            ],
            {"dirty_there": "varchar", "seen_etag": "varchar"},
        )  # fmt: skip
        # What comes back, or is another one now, has nothing to wait for.
        there = self.rows.browse(row for row, value, _etag in dirty if value in (None, "changed"))
        free = {"hold": False, "reason": False, "failures": 0, "next_try": False}
        there.filtered(lambda one: one.hold in ("brake", "unreadable", "refused")).write(free)
        # Which one it is is found out anew.
        there.filtered(lambda one: one.hold == "twice").write({**free, "uid": False})
        self.rows.browse(forgotten).unlink()
        insert_rows(self.rows, new)

    # --- Deletions

    def _prove(self):
        """What is no longer listed is asked for by itself: an answer of 404 is a proof."""
        missing = self._search([("dirty_there", "=", "missing"), ("hold", "=", False)])
        total = self._count([("has_there", "=", True)])
        asked = missing.filtered(lambda row: not row.is_allowed)
        if brakes(len(asked), total, *self._brake()):
            asked.write({"hold": "brake"})
            missing -= asked
        paths = {row.id: row.path for row in missing}
        self._commit()
        found = {}
        for row, path in paths.items():
            if self.is_late:
                break
            found[row] = self.remote.get(path)
        for row in self.rows.browse(found):
            text = found[row.id]
            row.dirty_there = "changed" if text else "gone"
            row.seen_etag = text.etag if text else False
        self._commit()

    def _hold_back(self, side):
        """More deletions than are done without asking wait for their owner.

        :param str side: where they are gone
        """
        gone = self._search(
            [
                (f"dirty_{side}", "=", "gone"), (f"has_{side}", "=", True),
                ("is_allowed", "=", False), ("hold", "in", (False, "brake")),
            ]
        )  # fmt: skip
        total = self._count([(f"has_{side}", "=", True)])
        other = "has_there" if side == "here" else "has_here"
        told = gone.filtered(other)
        if brakes(len(told), total, *self._brake()):
            told.write({"hold": "brake"})

    def _brake(self):
        return self.account.brake_count, self.account.brake_percent

    # --- What is to be done

    def _search(self, domain, **options):
        return self.rows.search([("calendar_id", "=", self.calendar.id), *domain], **options)

    def _count(self, domain):
        return self.rows.search_count([("calendar_id", "=", self.calendar.id), *domain])

    def _work_domain(self):
        return [
            "|", ("dirty_here", "!=", False), ("dirty_there", "in", ("changed", "gone")),
            ("hold", "in", (False, "refused")),
            "|", ("next_try", "=", False), ("next_try", "<=", self.rows.env.cr.now()),
        ]  # fmt: skip

    def _next_batch(self, deletes, but=None):
        """What has no UID yet first: it may be what Odoo has as well. What is gone there last:
        how much that is must be known before anything is deleted.

        :param but: rows that are being worked on
        """
        unread, there = [("uid", "=", False)], [("dirty_there", "!=", "gone")]
        work = [*self._work_domain(), *([("id", "not in", but.ids)] if but else [])]
        for first in (unread, there, *([[]] if deletes else [])):
            found = self._search([*first, *work], limit=NEW if first is unread else BATCH)
            if found:
                break
        return found

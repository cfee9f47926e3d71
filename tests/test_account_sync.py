"""What another server says is not believed where meetings would be lost by it.

The server is one of this file: it says what no server should.
"""

from unittest.mock import patch

import psycopg2

from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from ..engine.addresses import FetchError, read_address
from ..models import caldav_sync
from ..models.caldav_account_run import Journal
from ..models.caldav_sync import CalendarSync
from ..models.caldav_sync_here import Here
from ..models.ical_incoming import UID_BYTES
from ..sync.errors import RemoteError
from ..sync.remote import RemoteCalendar, Text
from .test_account_rights import AccountData

EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//X//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20270101T000000Z
DTSTART:20270301T100000Z
DTEND:20270301T110000Z
SUMMARY:{summary}
{more}END:VEVENT
END:VCALENDAR
"""


def event(uid, summary="Lunch", more=""):
    return EVENT.format(uid=uid, summary=summary, more=more)


class Shelf(RemoteCalendar):
    """A calendar in memory.

    ``lies`` are ETags of what it lists and has not got.
    """

    def __init__(self, address):
        super().__init__(None, address)
        self.objects, self.lies, self.count = {}, {}, 0
        self.stores = self.tells = True
        #: texts of one answer, objects that can be written
        self.at_once = self.room = 1000

    def at(self, name):
        return f"{self.path}{name}.ics"

    def keep(self, name, text):
        self.count += 1
        self.objects[self.at(name)] = Text(f'"{self.count}"', text)

    def can_sync(self):
        return False

    def ctag(self):
        return ""

    def listing(self):
        return {**{path: one.etag for path, one in self.objects.items()}, **self.lies}

    def texts(self, paths):
        if len(paths) > self.at_once:
            raise FetchError("too_large", host="dav.example.com", limit=1)
        return {path: self.objects[path] for path in paths if path in self.objects}

    def get(self, path):
        return self.objects.get(path)

    def put(self, path, text, etag=None):
        there = self.objects.get(path)
        if (there and there.etag) != etag:
            raise RemoteError("changed", host="dav.example.com", status=412)
        if not self.room:
            raise FetchError("timeout", host="dav.example.com")
        self.room -= 1
        self.count += 1
        if self.stores:
            self.objects[path] = Text(f'"{self.count}"', text)
        return f'"{self.count}"' if self.tells else ""

    def delete(self, path, etag):
        self.objects.pop(path, None)


class Connected:
    left = 60.0
    count = 0


class SyncData(AccountData):
    """Mixin: the calendar of the account, and the server that has it."""

    def setUp(self):
        super().setUp()
        self.calendar.write({"enabled": True, "place": "own"})
        address = read_address(self.calendar.url)[0]
        self.shelf = Shelf(address)
        self.address = address
        # The transaction of a test is not ended.
        self.startPatcher(patch.object(type(self.account), "_commit", self.flush))
        self.startPatcher(
            patch.object(caldav_sync, "RemoteCalendar", lambda _transport, _address: self.shelf)
        )

    def flush(self, *_args):
        self.env.flush_all()

    def sync(self):
        calendar = self.calendar.sudo()
        calendar.sync_token = calendar.listed_at = False
        journal = Journal(self.account.sudo())
        is_done = CalendarSync(calendar, Connected(), self.address, journal).run()
        self.env.invalidate_all()
        return is_done

    def rows(self, *uids):
        rows = self.calendar.sudo().object_ids
        return rows.filtered(lambda row: row.uid in uids) if uids else rows

    def here(self):
        """Titles of what Odoo has, by UID."""
        meetings = self.env["calendar.event"].search([("user_id", "=", self.seller.id)])
        return {one.ical_uid: one.name for one in meetings if one.ical_uid}

    def make(self, uid="made", summary="Mine", more=""):
        """A meeting in that calendar of Odoo, made in Odoo."""
        Here(self.calendar.sudo()).put(uid, event(uid, summary, more))


@tagged("post_install", "-at_install")
class TestAccountLoss(SyncData, TransactionCase):
    def test_listed_and_not_found(self):
        for number in range(60):
            self.shelf.keep(str(number), event(f"u{number}"))
        self.sync()
        self.assertEqual(len(self.here()), 60)
        self.shelf.lies = {path: '"new"' for path in self.shelf.objects}
        self.shelf.objects = {}
        self.sync()
        self.assertEqual(len(self.here()), 60)
        self.assertEqual(set(self.rows().mapped("hold")), {"brake"})

    def test_one_that_is_listed_and_not_found(self):
        for number in range(3):
            self.shelf.keep(str(number), event(f"u{number}"))
        self.sync()
        del self.shelf.objects[self.shelf.at("1")]
        self.shelf.lies = {self.shelf.at("1"): '"new"'}
        self.sync()
        self.assertEqual(set(self.here()), {"u0", "u2"})

    def test_written_and_not_kept(self):
        self.make()
        self.shelf.stores = self.shelf.tells = False
        self.sync()
        self.assertIn("made", self.here())
        row = self.rows("made")
        self.assertFalse(row.has_there)
        self.assertEqual((row.failures, row.dirty_here), (1, "changed"))
        self.assertTrue(row.reason)
        # Later it does.
        self.shelf.stores = True
        row.next_try = False
        self.sync()
        self.assertTrue(self.rows("made").has_there)
        self.assertIn(self.shelf.at("made"), self.shelf.objects)

    def test_kept_under_another_name(self):
        self.make()
        self.shelf.stores = self.shelf.tells = False
        self.sync()
        self.shelf.keep("renamed", event("made", "Mine"))
        self.sync()
        self.assertEqual(self.here(), {"made": "Mine"})
        self.assertEqual(self.rows("made").path, self.shelf.at("renamed"))
        self.assertEqual(list(self.shelf.objects), [self.shelf.at("renamed")])


@tagged("post_install", "-at_install")
class TestAccountOdd(SyncData, TransactionCase):
    """One odd object is nobody else's business."""

    def test_a_long_uid(self):
        self.shelf.keep("long", event("x" * (UID_BYTES + 1)))
        self.shelf.keep("good", event("good"))
        self.assertTrue(self.sync())
        self.assertEqual(set(self.here()), {"good"})
        self.assertEqual(self.rows().filtered(lambda row: not row.uid).hold, "unreadable")

    def test_another_one_has_its_address(self):
        self.shelf.keep("made", "nothing that can be read")
        self.make()
        self.make("other")
        self.assertTrue(self.sync())
        self.assertEqual(self.rows("made").failures, 1)
        self.assertTrue(self.rows("other").has_there)
        self.assertEqual(self.shelf.objects[self.shelf.at("made")].text[:7], "nothing")

    def test_together_they_are_too_large(self):
        self.shelf.at_once = 1
        for number in range(3):
            self.shelf.keep(str(number), event(f"u{number}"))
        self.assertTrue(self.sync())
        self.assertEqual(len(self.here()), 3)

    def test_what_was_written_before_the_end_is_known(self):
        for number in range(3):
            self.make(f"u{number}")
        self.shelf.room = 2
        with self.assertRaises(FetchError):
            self.sync()
        self.env.invalidate_all()
        self.assertEqual(len(self.rows().filtered("has_there")), 2)
        self.assertEqual(self.account.sudo().run_ids.change_ids.mapped("side"), ["there"] * 2)

    @mute_logger("odoo.addons.crm_automation.models.caldav_account_run")
    def test_what_the_database_does_not_take(self):
        account = self.account.sudo()

        def lost(*_args):
            raise psycopg2.errors.UniqueViolation("twice")

        with (
            patch.object(type(account), "_go_through", lost),
            patch.object(self.env.cr, "rollback", lambda: None),
        ):
            is_done, error = account._try(Journal(account), False)
        account._ended(Journal(account), is_done, error, False)
        self.assertEqual((account.failures, account.state), (1, "waiting"))
        self.assertGreater(account.next_sync, self.env.cr.now())

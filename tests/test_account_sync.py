"""What another server says is not believed where meetings would be lost by it.

The server is one of this file: it says what no server should.
"""

from contextlib import suppress
from unittest.mock import patch

import psycopg2

from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from ..engine.addresses import FetchError, read_address
from ..models import caldav_sync
from ..models.caldav_account_journal import Journal
from ..models.caldav_account_turn import Turn
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
    is_patient = True

    def at_once(self, work, items):
        for item in items:
            work(item)


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
        self.connected = Connected()

    def flush(self, *_args):
        self.env.flush_all()

    def sync(self):
        calendar = self.calendar.sudo()
        calendar.sync_token = calendar.listed_at = False
        journal = Journal(self.account.sudo())
        sync = CalendarSync(calendar, self.connected, self.address, journal)
        sync.look()
        is_done = sync.work(False) and sync.work(True)
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
        # assertRaises() would take back what is looked at here.
        with suppress(FetchError):
            self.assertFalse(self.sync(), "it was gone on with")
        self.assertEqual(len(self.rows().filtered("has_there")), 2)
        self.assertEqual(self.account.sudo().run_ids.change_ids.mapped("side"), ["there"] * 2)

    def test_what_there_is_no_time_for_is_written_the_next_time(self):
        for number in range(8):
            self.make(f"u{number}")
        put = self.shelf.put

        def take_ten_seconds(*args):
            self.connected.left -= 10
            return put(*args)

        self.shelf.put = take_ten_seconds
        self.assertFalse(self.sync(), "it did not notice how late it is")
        # The last one begins with twenty seconds left.
        self.assertEqual(len(self.shelf.objects), 5)
        self.assertEqual(len(self.rows().filtered("has_there")), 5)
        self.assertFalse(any(self.rows().mapped("reason")))
        self.connected.left = 60
        self.assertTrue(self.sync())
        self.assertEqual(len(self.shelf.objects), 8)

    @mute_logger("odoo.addons.crm_automation.models.caldav_account_run")
    def test_what_the_database_does_not_take(self):
        account = self.account.sudo()

        def lost(*_args):
            raise psycopg2.errors.UniqueViolation("twice")

        with (
            patch.object(Turn, "run", lost),
            patch.object(self.env.cr, "rollback", lambda: None),
        ):
            is_done, error = account._try(Journal(account), False)
        account._ended(Journal(account), is_done, error, False)
        self.assertEqual((account.failures, account.state), (1, "waiting"))
        self.assertGreater(account.next_sync, self.env.cr.now())


@tagged("post_install", "-at_install")
class TestAccountMoved(SyncData, TransactionCase):
    """One UID is one object, wherever it lies."""

    def meeting(self, uid="a"):
        return self.env["calendar.event"].search([("ical_uid", "=", uid)])

    def kinds(self):
        return sorted(self.account.sudo().run_ids.change_ids.mapped("kind"))

    def move(self, old, new):
        self.shelf.objects[self.shelf.at(new)] = self.shelf.objects.pop(self.shelf.at(old))

    def test_to_another_address(self):
        self.shelf.keep("one", event("a"))
        self.sync()
        meeting = self.meeting()
        self.move("one", "two")
        self.sync()
        self.assertEqual(self.meeting(), meeting)
        self.assertEqual(self.kinds(), ["created"])
        self.assertEqual(self.rows().mapped("path"), [self.shelf.at("two")])

    def test_copied_and_then_deleted(self):
        self.shelf.keep("one", event("a"))
        self.shelf.keep("b", event("b"))
        self.sync()
        meeting = self.meeting()
        self.shelf.keep("two", event("a", "Lunch there"))
        self.sync()
        self.assertIn("twice", self.rows().mapped("hold"))
        self.assertEqual(meeting.name, "Lunch")
        # The copy is changed, and then the first one goes.
        self.shelf.keep("two", event("a", "Dinner"))
        self.sync()
        self.assertEqual(meeting.name, "Lunch")
        del self.shelf.objects[self.shelf.at("one")]
        self.sync()
        self.assertEqual(self.meeting(), meeting)
        self.assertEqual(meeting.name, "Dinner")
        self.assertEqual(self.rows("a").path, self.shelf.at("two"))
        self.assertEqual(self.kinds(), ["changed", "created", "created"])

    def test_two_change_places(self):
        self.shelf.keep("one", event("a", "A"))
        self.shelf.keep("two", event("b", "B"))
        self.sync()
        meetings = self.meeting("a"), self.meeting("b")
        self.shelf.keep("one", event("b", "B"))
        self.shelf.keep("two", event("a", "A"))
        self.sync()
        self.assertEqual((self.meeting("a"), self.meeting("b")), meetings)
        self.assertEqual(self.kinds(), ["created", "created"])
        self.assertEqual(self.rows("a").path, self.shelf.at("two"))
        self.assertEqual(self.rows("b").path, self.shelf.at("one"))
        self.assertEqual(self.shelf.count, 4)

    def test_another_one_takes_its_address(self):
        self.shelf.keep("one", event("a"))
        self.shelf.keep("c", event("c"))
        self.sync()
        self.shelf.keep("one", event("b"))
        self.sync()
        self.assertEqual(set(self.here()), {"b", "c"})
        self.assertEqual(self.kinds(), ["created", "created", "created", "deleted"])

    def test_all_answer_with_the_same_text(self):
        """A server that mixes them up takes nothing away."""
        for number in range(15):
            self.shelf.keep(str(number), event(f"u{number}"))
        self.sync()
        for number in range(15):
            self.shelf.keep(str(number), event("u0"))
        self.sync()
        self.assertEqual(len(self.here()), 15)
        self.assertIn("brake", self.rows().mapped("hold"))


INVITED = (
    "ORGANIZER{agent}:mailto:eva@azure.example\n"
    "ATTENDEE;PARTSTAT={state}{agent}:mailto:seller@example.com\n"
)
INVITING = (
    "ORGANIZER{agent}:mailto:seller@example.com\n"
    "ATTENDEE;PARTSTAT=NEEDS-ACTION{agent}:mailto:eva@azure.example\n"
)
OURS, THEIRS = ";SCHEDULE-AGENT=CLIENT", ""


@tagged("post_install", "-at_install")
class TestAccountTold(SyncData, TransactionCase):
    """The others hear of it once: by Odoo, or by the other server."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller.email = "seller@example.com"
        cls.env["res.partner"].create({"name": "Eva", "email": "eva@azure.example"})

    def told(self):
        """Kinds of what is to be sent."""
        self.env.cr.precommit.run()
        outgoing = self.env["calendar.invitation.outgoing"].sudo().search([])
        kinds = outgoing.mapped("kind")
        outgoing.unlink()
        return kinds

    def accept(self, agent):
        """He is invited by somebody outside, and accepts there."""
        self.shelf.keep("a", event("a", more=INVITED.format(agent=agent, state="NEEDS-ACTION")))
        self.sync()
        self.assertEqual(self.told(), [])
        self.shelf.keep("a", event("a", more=INVITED.format(agent=agent, state="ACCEPTED")))
        self.sync()
        mine = self.env["calendar.event"].search([("ical_uid", "=", "a")]).attendee_ids.filtered(
            lambda one: one.partner_id == self.seller.partner_id
        )  # fmt: skip
        self.assertEqual(mine.state, "accepted")
        return self.told()

    def test_an_answer_that_their_server_sends(self):
        self.assertEqual(self.accept(THEIRS), [])

    def test_an_answer_that_is_left_to_us(self):
        self.assertEqual(self.accept(OURS), ["reply"])

    def remove(self):
        """His own meeting with a guest, deleted there."""
        self.shelf.objects.pop(self.rows("a").path)
        self.sync()
        self.assertNotIn("a", self.here())
        return self.told()

    def test_a_cancellation_that_their_server_sends(self):
        self.shelf.keep("a", event("a", more=INVITING.format(agent=THEIRS)))
        self.sync()
        self.assertEqual(self.told(), [])
        guests = self.env["calendar.event"].search([("ical_uid", "=", "a")]).attendee_ids
        self.assertIn("eva@azure.example", guests.mapped("email"))
        self.assertEqual(self.remove(), [])

    def test_a_cancellation_of_what_odoo_has_sent(self):
        self.make("a", more=INVITING.format(agent=THEIRS))
        self.sync()
        self.assertIn("SCHEDULE-AGENT=CLIENT", self.shelf.objects[self.shelf.at("a")].text)
        self.told()
        self.assertEqual(self.remove(), ["changed"])


SECRET = (
    "LOCATION:Clinic\nRESOURCES:Bed\nSTYLED-DESCRIPTION:ill\nX-NOTE:ill\nRRULE:FREQ=DAILY;COUNT=2\n"
    "RELATED-TO:doctor\nBEGIN:PARTICIPANT\nUID:doctor\nEND:PARTICIPANT\n"
    "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:ill\nTRIGGER:-PT5M\nEND:VALARM\n"
)


@tagged("post_install", "-at_install")
class TestAccountPrivate(SyncData, TransactionCase):
    def choose(self, private_out):
        self.calendar.with_user(self.seller).private_out = private_out

    def there(self):
        [found] = self.shelf.objects.values()
        return found.text

    def test_busy_says_when_and_nothing_else(self):
        self.choose("busy")
        here = Here(self.calendar.sudo())
        for line in ("CLASS:PRIVATE", "CLASS;X-A=1:CONFIDENTIAL", "CLA\n SS:PRIVATE", "class:X-B"):
            with self.subTest(line=line):
                text = here.outward(event("a", "Doctor", f"{line}\n{SECRET}"), "here")
                names = {one.partition(":")[0].partition(";")[0] for one in text.split()}
                self.assertEqual(
                    names - {"BEGIN", "END", "VERSION", "PRODID"},
                    {"UID", "DTSTAMP", "DTSTART", "DTEND", "RRULE", "CLASS", "SUMMARY"},
                )
                self.assertNotIn("Doctor", text)
        for line in ("CLASS:PUBLIC\n", "CLASS:public\n", ""):
            self.assertIn("Doctor", here.outward(event("a", "Doctor", line), "here"))

    def test_a_new_one_says_when(self):
        self.choose("busy")
        self.make("a", "Doctor", "CLASS:PRIVATE\nLOCATION:Clinic\n")
        self.sync()
        self.assertIn("DTSTART:20270301T100000Z", self.there())
        self.assertNotIn("Clinic", self.there())
        self.make("a", "Doctor", "CLASS:PRIVATE\nTRANSP:TRANSPARENT\nLOCATION:Clinic\n")
        self.sync()
        self.assertIn("TRANSP:TRANSPARENT", self.there())
        self.assertNotIn("Clinic", self.there())

    def test_what_is_chosen_later(self):
        self.make("a", "Doctor", "CLASS:PRIVATE\nLOCATION:Clinic\n")
        self.sync()
        self.assertIn("Clinic", self.there())
        self.choose("busy")
        self.sync()
        self.assertNotIn("Clinic", self.there())
        self.assertNotIn("Doctor", self.there())
        self.choose("none")
        self.sync()
        self.assertEqual(self.shelf.objects, {})
        self.assertEqual(self.here(), {"a": "Doctor"})
        self.choose("full")
        self.sync()
        self.assertIn("Clinic", self.there())

    def test_what_becomes_private(self):
        self.choose("none")
        self.make("a", "Doctor")
        self.sync()
        self.assertIn("Doctor", self.there())
        self.make("a", "Doctor", "CLASS:PRIVATE\n")
        self.sync()
        self.assertEqual(self.shelf.objects, {})
        self.assertEqual(self.here(), {"a": "Doctor"})

"""What other calendars are given: who has which meetings, since when, in which words."""

import random
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, new_test_user, tagged

from ..ical.parse import parse
from ..models.caldav_collection_read import InvalidToken
from ..models.ical_meeting import MeetingWriter
from .test_ical_event import IcalCase
from .test_meeting import HOUR

NOW = datetime(2027, 2, 1, 9, 0)
COLLECTION = "odoo.addons.crm_automation.models.caldav_collection"
ALARM = """BEGIN:VCALENDAR
BEGIN:VEVENT
X-MOZ-LASTACK:20270201T090000Z
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT7M
END:VALARM
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")
HOLIDAY = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Town//EN
BEGIN:VEVENT
UID:holiday-1
DTSTAMP:20270101T000000Z
DTSTART;VALUE=DATE:20270920
SUMMARY:Harvest festival
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


class CaldavCase(IcalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Collection = cls.env["caldav.collection"]
        cls.agenda = cls.collection(cls.seller)

    @classmethod
    def collection(cls, user, kind="agenda"):
        collection = cls.Collection._of(user, kind)
        collection._catch_up()
        return collection

    def changes(self, collection, token):
        """(UIDs changed, UIDs gone, next token)"""
        collection._catch_up()
        changed, gone, following, _all = collection._changes_since(token)
        return {one.uid for one in changed}, {one.uid for one in gone}, following

    def texts(self, collection):
        """dict from UID to text"""
        collection._catch_up()
        return {
            member.uid: text for member, text in collection._texts(collection._members()).items()
        }

    def assert_noticed(self, uids, act):
        """The agenda hears of exactly these UIDs, and of nothing when it asks again."""
        self.agenda._catch_up()
        token = self.agenda._token()
        act()
        changed, gone, token = self.changes(self.agenda, token)
        self.assertEqual(changed | gone, set(uids))
        self.assertEqual(self.changes(self.agenda, token), (set(), set(), token))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestChanges(CaldavCase):
    """Whatever touches a meeting is heard of, once."""

    def test_a_meeting(self):
        meeting = self.make_meeting()
        uid = meeting.ical_uid
        self.assertIn(uid, self.texts(self.agenda))
        tag = self.env["calendar.event.type"].create({"name": "Harvest"})
        alarm = self.env["calendar.alarm"].search([("alarm_type", "=", "notification")], limit=1)
        guest = self.env["res.partner"].create({"name": "Guest", "email": "guest@example.com"})
        for values in (
            {"name": "Other"}, {"start": meeting.start + HOUR, "stop": meeting.stop + HOUR},
            {"privacy": "private"}, {"show_as": "free"}, {"categ_ids": [(4, tag.id)]},
            {"alarm_ids": [(4, alarm.id)]}, {"partner_ids": [(4, guest.id)]},
            {"user_id": self.other_seller.id}, {"videocall_location": "https://meet.example.com/1"},
        ):  # fmt: skip
            with self.subTest(values):
                self.assert_noticed([uid], lambda values=values: meeting.write(values))
        for act in (
            lambda: self.answer_of(meeting, self.customer).write({"state": "declined"}),
            lambda: tag.write({"name": "Vintage"}),
            lambda: alarm.write({"duration": 77}),
            lambda: guest.write({"email": "other.guest@example.com"}),
            lambda: self.other_seller.write({"tz": "America/Bogota"}),
            lambda: tag.unlink(),
            lambda: guest.write({"meeting_ids": [(3, meeting.id)]}),
            lambda: self.answer_of(meeting, guest).unlink(),
            lambda: meeting.action_archive(),
            lambda: meeting.action_unarchive(),
            lambda: meeting.unlink(),
        ):
            with self.subTest(act):
                self.assert_noticed([uid], act)

    def test_what_does_not_matter(self):
        meeting = self.make_meeting()
        other = self.make_meeting(
            user_id=self.other_seller.id, partner_ids=[(6, 0, self.other_seller.partner_id.ids)]
        )
        self.assert_noticed([], lambda: meeting.message_post(body="Well"))
        self.assert_noticed([], lambda: meeting.write({"notes": "<p>For us</p>"}))
        self.assert_noticed([], lambda: other.write({"name": "Other"}))

    def test_rolled_back_to_a_savepoint(self):
        meeting = self.make_meeting()

        def act():
            savepoint = self.env.cr.savepoint()
            meeting.name = "Other"
            self.env.flush_all()
            self.agenda._catch_up()
            self.env.invalidate_all(flush=False)
            savepoint.rollback()
            savepoint.close(rollback=False)

        self.assert_noticed([], act)
        self.assertEqual(meeting.name, "Tasting")

    def test_few_changes_and_many(self):
        """They are taken in by other ways, and are the same."""
        for few in (100, 1):
            meetings = self.make_meeting() | self.make_meeting() | self.make_meeting()
            uids = meetings.mapped("ical_uid")
            with self.subTest(few=few), patch(f"{COLLECTION}.FEW", few):
                self.assert_noticed(uids, lambda rows=meetings: rows.write({"name": "Other"}))
                self.assert_noticed(
                    uids[:2], lambda rows=meetings: (rows[0].unlink(), rows[1].write({"name": "Q"}))
                )
                self.assert_noticed(uids[2:], meetings[2].unlink)

    def test_what_costs_seconds_in_a_large_calendar(self):
        """PostgreSQL does not compile what it will have done in milliseconds."""
        self.env.cr.execute("SET LOCAL jit = on")
        self.agenda._catch_up()
        self.env.cr.execute("SHOW jit")
        self.assertEqual(self.env.cr.fetchone(), ("off",))

    def test_changed_again_after_one_has_looked(self):
        """In one transaction: what a client writes, and what rules make of it."""
        meeting = self.make_meeting()
        self.assertIn("Tasting", self.texts(self.agenda)[meeting.ical_uid])
        for name in ("One", "Two", "Three"):
            self.assert_noticed([meeting.ical_uid], lambda name=name: meeting.write({"name": name}))
            self.assertIn(f"SUMMARY:{name}", self.texts(self.agenda)[meeting.ical_uid])

    def test_a_series_is_one_object_that_outlives_its_rewriting(self):
        recurrence = self.series(datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6)
        uid = recurrence.ical_uid
        self.agenda._catch_up()
        [member] = self.agenda._members(uids=[uid])
        event = self.meetings(recurrence)[1]
        self.assert_noticed(
            [uid],
            lambda: event.write(
                {
                    "start": event.start + HOUR, "stop": event.stop + HOUR,
                    "recurrence_update": "all_events",
                }
            ),
        )  # fmt: skip
        [again] = self.agenda._members(uids=[uid])
        self.assertEqual((again.id, again.name), (member.id, member.name))
        self.assertGreater(again.version, member.version)
        self.assertIn("110000", self.texts(self.agenda)[uid])
        recurrence = self.env["calendar.recurrence"].sudo().search([("ical_uid", "=", uid)])
        later = self.meetings(recurrence)[3]
        self.assert_noticed([uid], lambda: self.meetings(recurrence)[1].unlink())
        later.write({"recurrency": False, "recurrence_update": "future_events"})
        changed, _gone, _token = self.changes(self.agenda, self.agenda._token())
        self.assertIn(uid, changed | {m.uid for m in self.agenda._members()})
        self.assertEqual(
            set(self.texts(self.agenda)),
            set(self.env["calendar.event"].search(self.agenda._domain()).mapped("ical_uid")),
        )

    def test_in_some_meetings_of_a_series(self):
        recurrence = self.series(
            datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6,
            user_id=self.other_seller.id,
        )  # fmt: skip
        self.meetings(recurrence)[:4].write({"partner_ids": [(3, self.seller.partner_id.id)]})
        own = self.texts(self.agenda)[recurrence.ical_uid]
        self.assertEqual(self.read_by_others(own), self.mark(self.meetings(recurrence)[4:]))
        other = self.collection(self.other_seller)
        whole = self.texts(other)[recurrence.ical_uid]
        self.assertEqual(self.read_by_others(whole), self.mark(self.meetings(recurrence)))

    def test_one_file_in_two_calendars(self):
        """Each has his own copy under the one UID, and neither sees that of the other."""
        data = HOLIDAY.encode()
        for user in (self.seller, self.other_seller):
            Event = self.env["calendar.event"].with_user(user)
            Event._ical_upsert(Event._ical_compare(data, user), user)
        other = self.collection(self.other_seller)
        mine = self.env["calendar.event"].search(
            [("ical_uid", "=", "holiday-1"), ("user_id", "=", self.seller.id)]
        )
        mine.name = "Day off, and mine"
        self.assertIn("SUMMARY:Day off\\, and mine", self.texts(self.agenda)["holiday-1"])
        self.assertIn("SUMMARY:Harvest festival", self.texts(other)["holiday-1"])
        mine.unlink()
        self.assertNotIn("holiday-1", self.texts(self.agenda))
        self.assertIn("SUMMARY:Harvest festival", self.texts(other)["holiday-1"])

    def test_merged_partners(self):
        double = self.env["res.partner"].create({"name": "Double", "email": "azure@example.com"})
        meeting = self.make_meeting(partner_ids=[(6, 0, (self.seller.partner_id + double).ids)])
        self.env.flush_all()
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        self.assert_noticed(
            [meeting.ical_uid], lambda: wizard._merge((double + self.customer).ids, self.customer)
        )


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestTokens(CaldavCase):
    """Tokens, names, tombstones."""

    def test_only_tokens_of_its_own(self):
        self.make_meeting()
        self.agenda._catch_up()
        token = self.agenda._token()
        epoch = self.agenda.epoch
        for wrong in (
            "x", "-", "é", f"{epoch}", f"{epoch}-{self.agenda.version + 1}",
            self.collection(self.other_seller)._token(), f"{token}-1-1", "9" * 5000,
        ):  # fmt: skip
            with self.subTest(wrong[:20]), self.assertRaises(InvalidToken):
                self.agenda._changes_since(wrong)

    def test_in_pages(self):
        meetings = self.env["calendar.event"]
        for _number in range(5):
            meetings += self.make_meeting()
        self.agenda._catch_up()
        found, token, pages, is_all = [], "", 0, False
        while not is_all:
            changed, gone, token, is_all = self.agenda._changes_since(token, limit=2)
            self.assertLessEqual(len(changed) + len(gone), 2)
            found += [member.uid for member in changed]
            pages += 1
            if pages == 1:
                # In the middle of it, one that was told already changes.
                self.env["calendar.event"].search([("ical_uid", "=", found[0])]).name = "Other"
                self.agenda._catch_up()
        self.assertEqual(set(found), set(meetings.mapped("ical_uid")))
        self.assertEqual(found[0], found[-1])
        self.assertEqual(token, self.agenda._token())

    def test_a_deletion_is_told(self):
        meeting = self.make_meeting()
        uid = meeting.ical_uid
        self.agenda._catch_up()
        token = self.agenda._token()
        meeting.active = False
        changed, gone, _token = self.changes(self.agenda, token)
        self.assertEqual((changed, gone), (set(), {uid}))
        # Who begins anew does not hear of what he never had.
        self.assertNotIn(uid, self.changes(self.agenda, "")[1])
        meeting.active = True
        self.assertEqual(self.changes(self.agenda, token)[:2], ({uid}, set()))
        self.assertEqual(len(self.agenda._members(uids=[uid])), 1)

    def test_names(self):
        meeting = self.make_meeting()
        self.agenda._catch_up({meeting.ical_uid: "given by him.ics"})
        [member] = self.agenda._members(names=["given by him.ics"])
        self.assertEqual(member.uid, meeting.ical_uid)
        strange = self.make_meeting()
        strange.sudo().ical_uid = "../a/b?c d"
        taken = self.make_meeting()
        self.agenda._catch_up({taken.ical_uid: "given by him.ics"})
        by_uid = {member.uid: member.name for member in self.agenda._members()}
        self.assertEqual(by_uid[taken.ical_uid], f"{taken.ical_uid}.ics")
        self.assertRegex(by_uid["../a/b?c d"], r"^[0-9a-f]{32}\.ics$")
        # It comes back under its name; another may have that in between.
        token = self.agenda._token()
        meeting.active = False
        self.agenda._catch_up()
        other = self.make_meeting()
        self.agenda._catch_up({other.ical_uid: "given by him.ics"})
        meeting.active = True
        self.agenda._catch_up()
        changed, gone, _next, _all = self.agenda._changes_since(token)
        self.assertEqual(
            {(one.uid, one.name) for one in changed},
            {
                (other.ical_uid, "given by him.ics"),
                (meeting.ical_uid, f"{meeting.ical_uid}.ics"),
            },
        )
        self.assertFalse(gone)

    def leave_out_others(self):
        """Changes that earlier transactions have noted are not to meet those of this one."""
        self.env.cr.execute(
            "DELETE FROM caldav_change WHERE xid <> pg_current_xact_id()::text::bigint"
        )

    def test_a_restored_database(self):
        self.leave_out_others()
        meeting = self.make_meeting()
        self.texts(self.agenda)
        other = self.collection(self.other_seller)
        token, epoch = self.agenda._token(), self.agenda.epoch
        # As it was written in a cluster that has counted further.
        self.env.cr.execute(
            "UPDATE caldav_collection SET home = 'elsewhere',"
            " seen_in = '900000000000:900000000000:', seen_xid = 899999999999"
        )
        self.env.cr.execute(
            "UPDATE caldav_object SET text = 'wrong', seen_in = '900000000000:900000000000:'"
        )
        self.env.cr.execute("UPDATE caldav_change SET xid = 900000000005")
        self.env.invalidate_all()
        self.assertIn("Tasting", self.texts(self.agenda)[meeting.ical_uid])
        self.assertNotEqual(self.agenda.epoch, epoch)
        with self.assertRaises(InvalidToken):
            self.agenda._changes_since(token)
        self.assert_noticed([meeting.ical_uid], lambda: meeting.write({"name": "Other"}))
        self.assertIn(meeting.ical_uid, self.texts(other))
        self.assertNotEqual(self.agenda.epoch, other.epoch)

    def test_a_database_from_elsewhere_that_nobody_has_read_yet(self):
        """Its changes were counted there; no calendar says so."""
        meeting = self.make_meeting()
        self.env.flush_all()
        self.Collection.search([]).unlink()
        self.env.cr.execute("UPDATE caldav_change SET xid = 900000000000 + id")
        self.env.invalidate_all()
        self.assertIn("Tasting", self.texts(self.collection(self.seller))[meeting.ical_uid])

    def test_what_users_keep_of_a_meeting_goes_with_it(self):
        """Also when it is deleted in Odoo; as long as it is in the archive, it stays."""
        meetings = [self.make_meeting(), self.make_meeting(), self.make_meeting()]
        uids = [meeting.ical_uid for meeting in meetings]
        for uid in uids:
            self.env["caldav.place"]._put(self.seller, uid)
            self.env["caldav.overlay"]._put(self.seller, uid, ALARM)
        meetings[1].active = False
        meetings[2].unlink()
        self.Collection._forget()
        for name in ("caldav.place", "caldav.overlay", "calendar.reminder.own"):
            rows = self.env[name].search([("uid", "in", uids)])
            self.assertEqual(set(rows.mapped("uid")), set(uids[:2]), name)

    def test_what_is_forgotten(self):
        self.leave_out_others()
        meeting, gone = self.make_meeting(), self.make_meeting()
        self.texts(self.agenda)
        gone_uid = gone.ical_uid
        gone.unlink()
        self.agenda._catch_up()
        old = f"{self.agenda.epoch}-{self.agenda.version - 1}"
        unused = self.collection(self.other_seller)
        self.env.cr.execute("UPDATE caldav_member SET gone_at = gone_at - interval '366 days'")
        self.env.cr.execute("UPDATE caldav_change SET xid = 3, made_at = made_at - interval '2 d'")
        unused.used_on = self.env.cr.now() - timedelta(days=182)
        self.Collection._forget()
        self.assertFalse(unused.exists())
        with self.assertRaises(InvalidToken):
            self.agenda._changes_since(old)
        kept = self.env["caldav.object"].search([]).mapped("uid")
        self.assertIn(meeting.ical_uid, kept)
        self.assertNotIn(gone_uid, kept)
        self.assertFalse(self.env["caldav.change"].search([("xid", "=", 3)]))
        self.assertIn(meeting.ical_uid, self.texts(self.agenda))
        # A calendar that nobody has asked for in weeks looks at everything.
        self.agenda.used_on = self.env.cr.now() - timedelta(days=32)
        self.Collection._forget()
        self.env.invalidate_all()
        self.assertFalse(self.agenda.seen_in)
        self.assertIn(meeting.ical_uid, self.changes(self.agenda, self.agenda._token())[0])


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestTexts(CaldavCase):
    """What is served."""

    def test_only_what_has_changed_is_written_anew(self):
        meetings = [self.make_meeting(name=f"Number {number}") for number in range(6)]
        self.texts(self.agenda)
        meetings[2].name = "Other"
        built = []
        store = type(self.env["caldav.object"])._store

        def noted(self, found, sees, user):
            built.extend(found)
            return store(self, found, sees, user)

        with patch.object(type(self.env["caldav.object"]), "_store", noted):
            texts = self.texts(self.agenda)
            self.texts(self.collection(self.other_seller))
        self.assertEqual(built, [meetings[2].ical_uid])
        self.assertIn("SUMMARY:Other", texts[meetings[2].ical_uid])

    def test_one_query_for_a_list(self):
        for _number in range(4):
            self.make_meeting()
        self.texts(self.agenda)
        with self.assertQueryCount(1):
            members = self.agenda._members()
        with self.assertQueryCount(2):
            self.agenda._texts(members)
        with self.assertQueryCount(1):
            self.agenda._catch_up()

    def test_busy_says_no_more(self):
        meeting = self.make_meeting(location="Cellar")
        declined = self.make_meeting()
        self.answer_of(declined, self.seller.partner_id).state = "declined"
        texts = self.texts(self.collection(self.seller, "busy"))
        self.assertIn(meeting.ical_uid, texts)
        self.assertNotIn(declined.ical_uid, texts)
        for word in ("Tasting", "Cellar", "Azure", "seller@", meeting.ical_uid):
            self.assertNotIn(word, texts[meeting.ical_uid])
        self.assertIn(declined.ical_uid, self.texts(self.agenda))

    def test_one_that_cannot_be_written(self):
        good, bad = self.make_meeting(), self.make_meeting(name="Bad")
        item = MeetingWriter.item

        def broken(writer, event):
            if event.id == bad.id:
                raise ValueError("It cannot be written")
            return item(writer, event)

        with (
            patch.object(MeetingWriter, "item", broken),
            self.assertLogs("odoo.addons.crm_automation.models.caldav_object", "ERROR"),
        ):
            texts = self.texts(self.agenda)
        self.assertIn(good.ical_uid, texts)
        self.assertNotIn(bad.ical_uid, texts)

    def test_span_of_time(self):
        early = self.make_meeting(start=datetime(2027, 3, 1, 9))
        late = self.make_meeting(start=datetime(2027, 5, 1, 9))
        endless = self.series(
            datetime(2027, 4, 1, 9), rrule_type="daily", end_type="forever"
        )  # fmt: skip
        self.agenda._catch_up()

        def between(first, last):
            return {member.uid for member in self.agenda._members(first=first, last=last)}

        day = timedelta(days=1)
        self.assertEqual(between(early.start - day, early.stop + day), {early.ical_uid})
        # RFC 4791, 9.9: what ends where the span begins is not in it.
        self.assertEqual(between(early.stop, early.stop + day), set())
        self.assertNotIn(early.ical_uid, between(early.stop + day, None))
        self.assertEqual(
            between(late.start - day, late.stop + day), {late.ical_uid, endless.ical_uid}
        )
        self.assertEqual(between(datetime(2099, 1, 1), None), {endless.ical_uid})

    def test_what_is_his_own(self):
        meeting = self.make_meeting()
        other = self.collection(self.other_seller)
        self.texts(self.agenda)
        self.texts(other)
        token = other._token()
        Overlay = self.env["caldav.overlay"]
        self.assert_noticed(
            [meeting.ical_uid], lambda: Overlay._put(self.seller, meeting.ical_uid, ALARM)
        )
        self.assertFalse(Overlay._put(self.seller, meeting.ical_uid, ALARM))
        self.assertIn("TRIGGER:-PT7M", self.texts(self.agenda)[meeting.ical_uid])
        self.assertNotIn("TRIGGER:-PT7M", self.texts(other)[meeting.ical_uid])
        self.assertEqual(self.changes(other, token), (set(), set(), token))
        self.assert_noticed(
            [meeting.ical_uid], lambda: Overlay._put(self.seller, meeting.ical_uid, False)
        )
        self.assertNotIn("PT7M", self.texts(self.agenda)[meeting.ical_uid])


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestRights(CaldavCase):
    """Who has what, against the ORM's own answer."""

    def test_nobody_reads_by_rpc(self):
        self.texts(self.agenda)
        for user in (self.seller, self.manager, self.env.ref("base.user_admin")):
            for model in ("caldav.change", "caldav.object", "caldav.member", "caldav.overlay"):
                with self.subTest(user=user.login, model=model), self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])
        own = self.Collection.with_user(self.other_seller)
        self.collection(self.other_seller)
        self.assertEqual(own.search([]).user_id, self.other_seller)
        with self.assertRaises(AccessError):
            self.agenda.with_user(self.other_seller).read(["epoch"])
        with self.assertRaises(AccessError):
            own.search([]).write({"name": "Other"})
        with self.assertRaises(AccessError):
            self.Collection.with_user(self.portal).search([])

    def test_against_the_orm(self):
        choose = random.Random(20270201)
        archived = new_test_user(self.env, "gone", "base.group_user", email="gone@example.com")
        users = [
            self.seller, self.other_seller, self.manager, self.portal,
            self.env.ref("base.user_admin"), archived,
        ]  # fmt: skip
        Event = self.env["calendar.event"].with_context(skip_contact_description=True)
        partners = [*(user.partner_id for user in users), self.customer]
        values = []
        for number in range(300):
            start = NOW + timedelta(hours=choose.randrange(2000))
            guests = choose.sample(partners, choose.randrange(4))
            values.append(
                {
                    "name": f"Secret {number}",
                    "start": start,
                    "stop": start + HOUR,
                    "allday": choose.random() < 0.1,
                    "privacy": choose.choice([False, "public", "private", "confidential"]),
                    "user_id": choose.choice([False, *(user.id for user in users)]),
                    "partner_ids": [(6, 0, [partner.id for partner in guests])],
                    "active": choose.random() < 0.9,
                }
            )
        events = Event.create(values)
        for number in range(12):
            self.series(
                NOW + timedelta(days=number), rrule_type="daily", count=5,
                privacy=choose.choice([False, "private"]), user_id=choose.choice(users).id,
                partner_ids=[(6, 0, choose.choice(partners).ids)],
            )  # fmt: skip
        archived.active = False
        for user in users:
            with self.subTest(user.login):
                self.assert_as_the_orm_says(user)
        # Whoever is not an employee any more loses what he does not take part in.
        self.other_seller.write({"group_ids": [(6, 0, self.env.ref("base.group_portal").ids)]})
        for event in choose.sample(events, 60):
            event.write(
                choose.choice(
                    [
                        {"user_id": choose.choice(users[:3]).id},
                        {"partner_ids": [(6, 0, choose.choice(partners).ids)]},
                        {"active": not event.active},
                    ]
                )
            )
        for user in users:
            with self.subTest(user.login, again=True):
                self.assert_as_the_orm_says(user)

    def assert_as_the_orm_says(self, user):
        self.env.flush_all()
        self.env.invalidate_all()
        mine = self.env["calendar.event"].with_user(user).search(
            ["|", ("user_id", "=", user.id), ("partner_ids", "in", user.partner_id.ids)]
        )  # fmt: skip
        hidden = mine.filtered(lambda event: event._check_private_event_conditions())
        self.assertFalse(hidden)
        texts = self.texts(self.collection(user))
        expected = mine.grouped("ical_uid")
        self.assertEqual(set(texts), set(expected))
        self.assertTrue(texts)
        names = {event.ical_uid: event.name for event in mine}
        for uid, text in texts.items():
            items = parse(text.encode()).items
            self.assertEqual({item.uid for item in items}, {uid})
            self.assertEqual(items[0].summary, names[uid])
            self.assertEqual(self.read_by_others(text, datetime(2020, 1, 1)),
                             self.mark(expected[uid]))  # fmt: skip

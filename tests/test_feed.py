"""Feeds: what is read under a secret address, by whom, and what it costs."""

import gzip
import hashlib
from datetime import timedelta

import icalendar
from werkzeug.http import http_date, parse_date

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import file_open, mute_logger

from .common import AutomationData

HOUR = timedelta(hours=1)


class FeedData(AutomationData):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "no_mail_to_attendees": True})
        cls.start = fields.Datetime.now().replace(minute=0, second=0) + timedelta(days=1)
        cls.meeting = cls.meet("Tasting")

    @classmethod
    def meet(cls, name, user=None, **values):
        user = user or cls.seller
        return cls.env["calendar.event"].create(
            {
                "name": name, "start": cls.start, "stop": cls.start + HOUR, "user_id": user.id,
                "partner_ids": [(6, 0, (user.partner_id + cls.customer).ids)], **values,
            }
        )  # fmt: skip

    def feed(self, user=None, **values):
        """(feed, path of its address)"""
        Feed = self.env["calendar.feed"].with_user(user or self.seller)
        feed = Feed.create({"name": "Reparto, y más", **values})
        return feed, self.new_address(feed)

    def new_address(self, feed):
        url = feed.action_new_address()["context"]["default_url"]
        return url[len(feed.get_base_url()) :]


@tagged("post_install", "-at_install")
class TestFeed(FeedData, HttpCase):
    def get(self, path, method="GET", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("Accept-Encoding", "identity")
        self.env.flush_all()
        answer = self.opener.request(
            method, self.base_url() + path, headers=headers, timeout=30, allow_redirects=False
        )
        self.env.invalidate_all()
        return answer

    def names(self, path):
        answer = self.get(path)
        self.assertEqual(answer.status_code, 200)
        calendar = icalendar.Calendar.from_ical(answer.content)
        return sorted(str(event["SUMMARY"]) for event in calendar.walk("VEVENT"))

    def assert_gone(self, path):
        self.assertEqual(self.get(path).status_code, 404)

    def test_the_file(self):
        self.meet("In Bogotá")
        day = self.start.strftime("%a").lower()
        self.meet(
            "Weekly", recurrency=True, rrule_type="weekly", count=3, end_type="count", interval=1,
            event_tz="America/Bogota", **{day: True},
        )  # fmt: skip
        _feed, path = self.feed()
        answer = self.get(path)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["Content-Type"], "text/calendar; charset=utf-8")
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertIn("private", answer.headers["Cache-Control"])
        calendar = icalendar.Calendar.from_ical(answer.content)
        for name in ("NAME", "X-WR-CALNAME"):
            self.assertIn(f"\r\n{name}:Reparto\\, y más\r\n".encode(), answer.content)
        self.assertEqual(calendar["REFRESH-INTERVAL"].to_ical(), b"PT1H")
        zones = [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")]
        self.assertEqual(sorted(zones), ["America/Bogota", "Europe/Madrid"])
        self.assertEqual(self.names(path), ["In Bogotá", "Tasting", "Weekly"])
        self.assertTrue(all(len(line) <= 75 for line in answer.content.split(b"\r\n")))

    def test_conditional(self):
        _feed, path = self.feed()
        first = self.get(path)
        again = self.get(path, If_None_Match=first.headers["ETag"])
        self.assertEqual((again.status_code, again.content), (304, b""))
        self.assertEqual(again.headers["ETag"], first.headers["ETag"])
        weak = self.get(path, If_None_Match=f'"x", W/{first.headers["ETag"]}')
        self.assertEqual(weak.status_code, 304)
        since = self.get(path, If_Modified_Since=first.headers["Last-Modified"])
        self.assertEqual(since.status_code, 304)
        # What the program has counts for more than when it has asked.
        both = self.get(
            path, If_None_Match='"other"', If_Modified_Since=first.headers["Last-Modified"]
        )
        self.assertEqual(both.status_code, 200)
        head = self.get(path, "HEAD")
        self.assertEqual((head.status_code, head.content), (200, b""))
        self.assertEqual(head.headers["ETag"], first.headers["ETag"])

    def test_after_a_deletion(self):
        second = self.meet("Second")
        _feed, path = self.feed()
        first = self.get(path)
        second.unlink()
        answer = self.get(path, If_None_Match=first.headers["ETag"])
        self.assertEqual(answer.status_code, 200)
        self.assertNotIn(b"Second", answer.content)
        # Within one second: a date tells it, too.
        late = self.get(path, If_Modified_Since=first.headers["Last-Modified"])
        self.assertEqual(late.status_code, 200)
        self.assertGreater(
            parse_date(answer.headers["Last-Modified"]), parse_date(first.headers["Last-Modified"])
        )
        self.assertEqual(self.get(path, If_None_Match=answer.headers["ETag"]).status_code, 304)
        self.meeting.active = False
        self.assertEqual(self.names(path), [])

    def test_packed(self):
        _feed, path = self.feed()
        plain = self.get(path)
        packed = self.get(path, Accept_Encoding="gzip, br")
        self.assertEqual(packed.headers["Content-Encoding"], "gzip")
        self.assertEqual(packed.content, plain.content)
        self.assertIn("Accept-Encoding", packed.headers["Vary"])
        self.assertNotEqual(packed.headers["ETag"], plain.headers["ETag"])
        refused = self.get(path, Accept_Encoding="gzip;q=0")
        self.assertNotIn("Content-Encoding", refused.headers)
        for tag in (packed.headers["ETag"], plain.headers["ETag"]):
            self.assertEqual(self.get(path, If_None_Match=tag).status_code, 304)

    def test_its_own_settings_count(self):
        self.meet("Next year", start=self.start + timedelta(days=500),
                  stop=self.start + timedelta(days=500) + HOUR)  # fmt: skip
        feed, path = self.feed(days_ahead=10)
        etag = self.get(path).headers["ETag"]
        self.assertEqual(self.names(path), ["Tasting"])
        tag = self.env["calendar.event.type"].create({"name": "Harvest"})
        for values, expected in (
            ({"period": "all"}, ["Next year", "Tasting"]),
            ({"categ_ids": [(4, tag.id)]}, []),
        ):
            feed.write(values)
            answer = self.get(path, If_None_Match=etag)
            self.assertEqual(answer.status_code, 200)
            etag = answer.headers["ETag"]
            self.assertEqual(self.names(path), expected)
        self.meeting.categ_ids = tag
        self.assertEqual(self.names(path), ["Tasting"])
        feed.name = "Other"
        self.assertIn(b"X-WR-CALNAME:Other", self.get(path, If_None_Match=etag).content)

    def test_a_moving_range(self):
        feed, path = self.feed(days_back=0, days_ahead=3)
        etag = self.get(path).headers["ETag"]
        self.assertEqual(self.names(path), ["Tasting"])
        with self.at(self.start + timedelta(days=5)):
            served = self.env["calendar.feed"].sudo()._served(path.split("/")[-1][:-4])
            self.assertNotEqual(f'"{served.etag}"', etag)
            text = gzip.decompress(feed._octets(served))
        self.assertNotIn(b"Tasting", text)

    def test_only_when_busy(self):
        declined = self.meet("Declined")
        declined.attendee_ids.filtered(
            lambda one: one.partner_id == self.seller.partner_id
        ).state = "declined"
        _feed, path = self.feed(audience="busy")
        self.assertEqual(self.names(path), ["Busy"])
        content = self.get(path).content
        for word in (b"Tasting", b"azure", b"ATTENDEE", self.meeting.ical_uid.encode()):
            self.assertNotIn(word, content)

    def test_two_users(self):
        self.meet("Of the other", self.other_seller)
        _feed, mine = self.feed()
        _other, others = self.feed(self.other_seller)
        self.assertEqual(self.names(mine), ["Tasting"])
        self.assertEqual(self.names(others), ["Of the other"])

    @mute_logger("odoo.http")
    def test_what_is_not_there(self):
        feed, path = self.feed()
        self.assertEqual(self.get(path).status_code, 200)
        secret = path.split("/")[-1][:-4]
        for wrong in (
            "x", secret[:-1], secret.swapcase(), hashlib.sha256(secret.encode()).hexdigest(),
            "x" * 5000, "%00", "%FF%FE", "' OR 1=1",
        ):  # fmt: skip
            with self.subTest(wrong[:20]):
                self.assert_gone(f"/calendar/feed/{wrong}.ics")
        answer = self.get("/calendar/feed/x.ics")
        self.assertNotIn("Set-Cookie", answer.headers)
        for method in ("POST", "PUT", "DELETE"):
            self.assertIn(self.get(path, method).status_code, (400, 405))
        # A new address voids the old one; revoked is revoked for good.
        new = self.new_address(feed)
        self.assert_gone(path)
        self.assertEqual(self.get(new).status_code, 200)
        feed.action_revoke()
        self.assert_gone(new)
        feed.active = True
        self.assert_gone(new)

    @mute_logger("odoo.http")
    def test_an_archived_user(self):
        user = new_test_user(self.env, "leaver", "base.group_user", email="leaver@example.com")
        self.meet("His", user)
        _feed, path = self.feed(user)
        self.assertEqual(self.names(path), ["His"])
        user.active = False
        self.assert_gone(path)

    @mute_logger("odoo.http")
    def test_a_user_of_the_portal(self):
        user = new_test_user(self.env, "leaver", "base.group_user", email="leaver@example.com")
        _feed, path = self.feed(user)
        self.assertEqual(self.get(path).status_code, 200)
        user.group_ids = self.env.ref("base.group_portal")
        self.assert_gone(path)

    def test_last_use(self):
        feed, path = self.feed()
        self.get(path, User_Agent="Test\tProgram/1.0 " + "x" * 500)
        self.assertTrue(feed.last_program.startswith("TestProgram/1.0 xxx"))
        self.assertEqual(len(feed.last_program), 200)
        used_at = feed.last_used_at
        self.get(path, User_Agent="Other")
        self.assertEqual((feed.last_used_at, feed.last_program[:4]), (used_at, "Test"))
        feed.sudo().last_used_at = used_at - timedelta(minutes=11)
        self.get(path, User_Agent="Other")
        self.assertEqual(feed.last_program, "Other")

    def test_what_a_warm_request_costs(self):
        feed, path = self.feed()
        self.get(path)
        secret = path.split("/")[-1][:-4]
        Feed = self.env["calendar.feed"].sudo()
        with self.assertQueryCount(1):
            served = Feed._served(secret)
        with self.assertQueryCount(1):
            Feed._octets(served)

    def test_dates_that_cannot_be(self):
        _feed, path = self.feed(days_back=36500, days_ahead=36500)
        self.assertEqual(self.names(path), ["Tasting"])
        for since in ("yesterday", http_date(0)):
            self.assertEqual(self.get(path, If_Modified_Since=since).status_code, 200)


@tagged("post_install", "-at_install")
class TestFeedRights(FeedData, HttpCase):
    """One's own feeds, and nobody's secrets."""

    def test_secrets(self):
        feed, _path = self.feed()
        for user in (self.seller, self.manager, self.env.ref("base.user_admin")):
            Feed = self.env["calendar.feed"].with_user(user)
            for name in ("token_hash", "body", "body_etag"):
                with self.subTest(user=user.login, name=name):
                    with self.assertRaises(AccessError):
                        Feed.search([(name, "!=", False)])
                    with self.assertRaises(AccessError):
                        Feed.browse(feed.id).read([name])
                    with self.assertRaises(AccessError):
                        Feed.browse(feed.id).write({name: "x"})
                    with self.assertRaises(AccessError):
                        Feed.create({"name": "Mine", name: "x"})

    def test_nobody_elses(self):
        feed, _path = self.feed()
        for user in (self.other_seller, self.manager, self.portal):
            Feed = self.env["calendar.feed"].with_user(user)
            with self.subTest(user.login):
                for act in (
                    lambda Feed=Feed: Feed.browse(feed.id).read(["name"]),
                    lambda Feed=Feed: Feed.browse(feed.id).write({"name": "x"}),
                    lambda Feed=Feed: Feed.browse(feed.id).action_new_address(),
                    lambda Feed=Feed: Feed.browse(feed.id).action_revoke(),
                    lambda Feed=Feed: Feed.browse(feed.id).unlink(),
                    lambda Feed=Feed: Feed.create({"name": "x", "user_id": self.seller.id}),
                ):
                    with self.assertRaises(AccessError):
                        act()
        with self.assertRaises(AccessError):
            feed.write({"user_id": self.other_seller.id})
        with self.assertRaises(AccessError):
            self.env["calendar.feed"].with_user(self.portal).create({"name": "x"})
        own = self.env["calendar.feed"].with_user(self.other_seller).with_context(
            default_user_id=self.seller.id
        ).create({"name": "x"})  # fmt: skip
        self.assertEqual(own.user_id, self.other_seller)

    def test_the_secret_is_in_no_table(self):
        feed, path = self.feed()
        secret = path.split("/")[-1][:-4]
        self.assertEqual(feed.sudo().token_hash, hashlib.sha256(secret.encode()).hexdigest())
        shown = self.env["calendar.feed.address"].with_user(self.seller).with_context(
            default_url=path, default_subscribe_url=path
        ).create({})  # fmt: skip
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM calendar_feed_address WHERE id = %s", [shown.id])
        self.assertNotIn(secret, str(self.env.cr.fetchall()))
        with self.assertRaises(UserError):
            feed.action_revoke()
            feed.action_new_address()

    def test_neutralized(self):
        feed, _path = self.feed()
        self.env.flush_all()
        with file_open("crm_automation/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertFalse(feed.active)
        self.assertFalse(feed.sudo().token_hash)

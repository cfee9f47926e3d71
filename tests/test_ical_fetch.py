"""Reading addresses from Odoo: the administrator's list, and errors in words.

What a hostile server can do is tried in ``tests_pure/test_fetch.py``.
"""

import gzip
import time

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import TransactionCase, tagged

from ..models.ical_fetch import ALLOWED, FetchFailed
from .common import AutomationData
from .web import serving

CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//\r\nEND:VCALENDAR\r\n"


class WebData(AutomationData):
    """Mixin: ``web`` is a server of our own, which an administrator has allowed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        context = serving()
        cls.web = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        cls.allow("127.0.0.1")

    def setUp(self):
        super().setUp()
        self.web.answers.clear()
        self.web.asked.clear()

    @classmethod
    def allow(cls, text):
        cls.env["ir.config_parameter"].set_param(ALLOWED, text)


class WebCase(WebData, TransactionCase):
    """A TransactionCase with that server."""


@tagged("post_install", "-at_install")
class TestFetch(WebCase):
    def fetch(self, path, **options):
        return self.env["ical.fetch"].with_user(self.seller)._fetch(self.web.url(path), **options)

    def refused(self, url, **options):
        with self.assertRaises(FetchFailed) as caught:
            self.env["ical.fetch"].with_user(self.seller)._fetch(url, **options)
        self.assertNotIn("secret", str(caught.exception))
        return caught.exception

    def test_an_answer_and_the_same_again(self):
        self.web.say("/a.ics", CALENDAR, ETag='"1"')
        answer = self.fetch("/a.ics")
        self.assertEqual((answer.status, answer.content), ("ok", CALENDAR))
        self.web.say("/a.ics", b"", 304)
        self.assertEqual(self.fetch("/a.ics", etag=answer.etag).status, "unchanged")
        self.assertEqual(self.web.asked[1][1]["If-None-Match"], '"1"')

    def test_private_networks_are_the_administrators(self):
        self.web.say("/secret", CALENDAR)
        url = self.web.url("/secret")
        self.allow("")
        error = self.refused(url)
        self.assertEqual(error.code, "private")
        self.assertIn("administrator", str(error))
        self.allow("not a / network")
        self.assertEqual(self.refused(url).code, "private")
        self.assertFalse(self.web.asked)
        self.allow("10.0.0.0/8, 127.0.0.0/8")
        self.assertEqual(self.fetch("/secret").content, CALENDAR)

    def test_a_redirect_to_the_inside(self):
        self.allow("localhost")
        self.web.say("/secret", b"", 302, Location=self.web.url("/inside"))
        self.web.say("/inside", CALENDAR)
        self.assertEqual(self.refused(self.web.url("/secret", "localhost")).code, "private")
        self.assertEqual([path for path, _headers in self.web.asked], ["/secret"])

    def test_every_answer_is_said_in_words(self):
        for status in (204, 401, 404, 418, 429, 500, 503):
            self.web.say("/secret", b"", status, Retry_After=7)
            error = self.refused(self.web.url("/secret", login="ana:secret@"))
            self.assertIn("127.0.0.1", str(error))
            self.assertIn(str(status), str(error))
            self.assertEqual(error.retry_after, 7)
        codes = ("file:///secret", "http://127.0.0.1:22/secret", "secret")
        self.assertEqual([self.refused(url).code for url in codes], ["scheme", "port", "address"])

    def test_time_and_size(self):
        def drip(handler):
            handler.send_response_only(200)
            handler.end_headers()
            for _second in range(200):
                handler.wfile.write(b"X")
                time.sleep(0.05)

        self.web.answers["/drip"] = drip
        started = time.monotonic()
        self.assertEqual(self.refused(self.web.url("/drip"), timeout=0.5).code, "timeout")
        self.assertLess(time.monotonic() - started, 3)
        self.web.say("/bomb", gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")
        error = self.refused(self.web.url("/bomb"), limit=1_000_000)
        self.assertEqual(error.code, "too_large")
        self.assertIn("1.0 MB", str(error))

    def test_the_setting(self):
        settings = self.env["res.config.settings"].create({"fetch_allowed": "nas.example:5001"})
        settings.execute()
        self.assertEqual(self.env["ir.config_parameter"].get_param(ALLOWED), "nas.example:5001")
        with self.assertRaisesRegex(ValidationError, "10.0.0.0/99"):
            self.env["res.config.settings"].create({"fetch_allowed": "10.0.0.0/99"})
        with self.assertRaises(AccessError):
            self.env["res.config.settings"].with_user(self.manager).create({"fetch_allowed": "x"})

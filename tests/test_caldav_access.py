"""Who gets in: keys of CalDAV, passwords without a second factor, and nobody else."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.res_users import ResUsers

from ..engine.throttle import Throttle
from ..models import caldav_access
from .dav import DavCase


@tagged("post_install", "-at_install")
class TestAccess(DavCase):
    def setUp(self):
        super().setUp()
        caldav_access._PROVED.clear()
        calm = {name: Throttle(free=1000) for name in caldav_access.THROTTLE}
        self.patch(caldav_access, "THROTTLE", calm)

    def status(self, login, secret):
        return self.ask("PROPFIND", "/caldav/", auth=(login, secret), Depth="0").status_code

    def test_keys(self):
        seller = self.seller
        past = fields.Datetime.now() - timedelta(days=1)
        for scope, expiration, status in (
            ("caldav", None, 207), ("caldav", past, 401), ("rpc", None, 401), (None, None, 401),
        ):  # fmt: skip
            with self.subTest(scope):
                key = self.make_key(seller, scope, expiration)
                self.assertEqual(self.status(seller.login, key), status)
        self.assertEqual(self.status("SELLER", self.keys[seller]), 207)
        self.assertEqual(self.status(seller.login, self.keys[self.other_seller]), 401)
        self.assertEqual(self.status(seller.login, ""), 401)
        self.assertEqual(self.status("nobody", self.keys[seller]), 401)

    def test_a_key_that_was_revoked(self):
        """Although it was remembered."""
        key = self.make_key(self.seller)
        self.assertEqual(self.status(self.seller.login, key), 207)
        self.assertEqual(self.status(self.seller.login, key), 207)
        keys = self.env["res.users.apikeys"].sudo().search([("user_id", "=", self.seller.id)])
        keys.unlink()
        self.assertEqual(self.status(self.seller.login, key), 401)

    def test_a_user_who_is_archived(self):
        key = self.keys[self.other_seller]
        self.assertEqual(self.status("other_seller", key), 207)
        self.other_seller.active = False
        self.assertEqual(self.status("other_seller", key), 401)

    def test_a_portal_user(self):
        portal = new_test_user(self.env, "portal_two", "base.group_portal")
        self.assertEqual(self.status("portal_two", self.make_key(portal)), 401)
        self.assertEqual(self.status("portal_two", "portal_two"), 401)

    @mute_logger("odoo.addons.base.models.res_users")
    def test_passwords(self):
        self.assertEqual(self.status("seller", "sellerxx"), 207)
        self.assertEqual(self.status("seller", "wrong"), 401)
        self.seller.password = "another one"
        self.assertEqual(self.status("seller", "sellerxx"), 401)
        self.assertEqual(self.status("seller", "another one"), 207)

    def test_no_password_with_a_second_factor(self):
        with patch.object(ResUsers, "_mfa_type", lambda user: "totp"):
            self.assertEqual(self.status("seller", "sellerxx"), 401)
            self.assertEqual(self.status("seller", self.keys[self.seller]), 207)

    @mute_logger("odoo.addons.base.models.res_users")
    def test_guessing(self):
        self.patch(
            caldav_access, "THROTTLE",
            {"login": Throttle(free=3, first=60), "address": Throttle(free=100)},
        )  # fmt: skip
        self.assertEqual([self.status("seller", "wrong") for _ in range(4)], [401] * 3 + [429])
        answer = self.ask("GET", "/caldav/", auth=("seller", "x"))
        self.assertEqual(answer.headers["Retry-After"], "60")
        self.assertEqual(self.status("seller", self.keys[self.seller]), 429)
        self.assertEqual(self.status("other_seller", self.keys[self.other_seller]), 207)

    def test_odd_headers(self):
        for value in ("Basic", "Basic %%%", "Basic eA==", "Bearer x", "Basic " + "A" * 9000, "é"):
            answer = self.ask(
                "PROPFIND", "/caldav/", auth=False, Authorization=value.encode("latin-1"), Depth="0"
            )
            self.assertIn(answer.status_code, (400, 401), value)
            if answer.status_code == 401:
                self.assertIn("Basic", answer.headers["WWW-Authenticate"])

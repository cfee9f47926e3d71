"""Who gets in: keys of CalDAV, passwords without a second factor, and nobody else."""

import plistlib
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.res_users import ResUsers

from ..engine.throttle import Throttle
from ..models import caldav_access, caldav_failure
from .common import AutomationData
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

    def test_octets_that_are_no_names(self):
        key = self.keys[self.seller]
        for login, secret in (
            ("a\0b", "c"), ("seller\0", key), ("seller", f"{key}\0"), ("seller", "\0" + key),
            (b"\xff", b"c"), (b"seller", b"\xff\xfe"), ("x" * 5000, "c"), ("", "c"),
        ):  # fmt: skip
            with self.subTest(login=login, secret=secret):
                self.assertEqual(self.status(login, secret), 401)

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
        # Nobody is kept out by others who guess: a key cannot be guessed.
        self.assertEqual(self.status("seller", "sellerxx"), 429)
        caldav_access._PROVED.clear()
        self.assertEqual(self.status("seller", self.keys[self.seller]), 207)
        self.assertEqual(self.status("other_seller", self.keys[self.other_seller]), 207)

    @mute_logger("odoo.addons.base.models.res_users")
    def test_who_is_right_begins_anew(self):
        self.patch(
            caldav_access, "THROTTLE",
            {"login": Throttle(free=3, first=60), "address": Throttle(free=100)},
        )  # fmt: skip
        failures = self.env["caldav.failure"]
        for _round in range(3):
            caldav_access._PROVED.clear()
            self.assertEqual([self.status("seller", "wrong") for _ in range(2)], [401] * 2)
            self.assertEqual(failures.search_count([]), 4)
            self.assertEqual(self.status("SELLER", "sellerxx"), 207)
            self.assertFalse(failures.search_count([]))

    def test_who_is_right_leaves_what_others_had_wrong(self):
        failures, address = self.env["caldav.failure"], "192.0.2.7"
        for login, place in (
            ("seller", address), ("seller", "192.0.2.8"), ("other_seller", address),
        ):  # fmt: skip
            failures._note({"login": login, "address": place})
        who = {"login": "seller", "address": address}
        self.assertEqual([number for number, _ago in failures._counted(who).values()], [2, 2])
        found = self.env["caldav.access"]._user_id("seller", self.keys[self.seller], address)
        self.assertEqual(found, self.seller.id)
        # Guessed from elsewhere, and another name from here.
        self.assertEqual([number for number, _ago in failures._counted(who).values()], [1, 1])

    def test_an_address_counts_by_names(self):
        """A telephone with an old password does not keep out its house."""
        failures, address = self.env["caldav.failure"], "192.0.2.7"
        for _ in range(30):
            failures._note({"login": "other_seller", "address": address})
        counted = failures._counted({"login": "seller", "address": address})
        self.assertEqual({kind: found[0] for kind, found in counted.items()}, {"address": 1})
        for number in range(3):
            failures._note({"login": f"name {number}", "address": address})
        counted = failures._counted({"login": "other_seller", "address": address})
        self.assertEqual(
            {kind: found[0] for kind, found in counted.items()}, {"login": 30, "address": 4}
        )

    @mute_logger("odoo.addons.base.models.res_users")
    def test_what_is_kept_of_failures(self):
        failures = self.env["caldav.failure"]
        self.assertEqual(self.status("my secret by mistake", "wrong"), 401)
        self.assertNotIn("secret", "".join(failures.search([]).mapped("key")))
        failures.search([]).failed_at = fields.Datetime.now() - timedelta(hours=25)
        self.env.flush_all()
        self.assertFalse(failures._counted({"login": "my secret by mistake"}))
        failures._note({"login": "seller"})
        failures._gc_failures()
        self.assertEqual(failures.search_count([]), 1)
        self.patch(caldav_failure, "MANY", 10)
        self.patch(caldav_failure, "LOOKED_EVERY", 5)
        for _ in range(40):
            failures._note({"login": "seller"})
        self.assertLessEqual(failures.search_count([]), 15)

    def test_what_is_remembered_costs_no_look_at_failures(self):
        failures = type(self.env["caldav.failure"])
        with patch.object(failures, "_counted", return_value={}) as counted:
            for _ in range(3):
                self.assertEqual(self.status(self.seller.login, self.keys[self.seller]), 207)
        self.assertEqual(counted.call_count, 1)

    def test_the_last_use(self):
        keys = self.env["caldav.key"].with_user(self.seller)
        secret, key = keys._make("My phone", 365)
        answer = self.ask(
            "PROPFIND", "/caldav/", auth=("seller", secret), Depth="0", User_Agent="DAVx5/4"
        )
        self.assertEqual(answer.status_code, 207)
        self.assertEqual(key.last_program, "DAVx5/4")
        self.assertTrue(key.last_used_at)

    def test_settings_for_apple(self):
        self.authenticate("seller", "sellerxx")
        profile = plistlib.loads(self.url_open("/caldav-setup/apple").content)
        [account] = profile["PayloadContent"]
        self.assertEqual(account["CalDAVUsername"], "seller")
        self.assertEqual(account["CalDAVPrincipalURL"], "/caldav/principals/seller/")
        self.assertNotIn("CalDAVPassword", account)

    def test_odd_headers(self):
        for value in ("Basic", "Basic %%%", "Basic eA==", "Bearer x", "Basic " + "A" * 9000, "é"):
            answer = self.ask(
                "PROPFIND", "/caldav/", auth=False, Authorization=value.encode("latin-1"), Depth="0"
            )
            self.assertIn(answer.status_code, (400, 401), value)
            if answer.status_code == 401:
                self.assertIn("Basic", answer.headers["WWW-Authenticate"])


@tagged("post_install", "-at_install")
class TestKeys(AutomationData, TransactionCase):
    """A user's keys are his alone."""

    def test_who_sees_them(self):
        Key = self.env["caldav.key"]
        _secret, key = Key.with_user(self.seller)._make("My phone", 365)
        self.assertEqual(Key.with_user(self.seller)._of_user(), key)
        self.assertFalse(Key.with_user(self.other_seller).search([]))
        with self.assertRaises(AccessError):
            key.with_user(self.other_seller).read(["name"])
        for user in (self.seller, self.manager):
            for act in (
                lambda key: key.write({"name": "x"}), lambda key: key.unlink(),
                lambda key: key.create({"name": "x", "user_id": 1, "apikey_id": 1}),
            ):  # fmt: skip
                with self.assertRaises(AccessError):
                    act(key.with_user(user))
        with self.assertRaises(AccessError):
            Key.with_user(self.portal)._make("My phone", 365)
        with self.assertRaises(AccessError):
            self.env["caldav.setup"].with_user(self.portal).create({})

    def test_who_reads_what_programs_write(self):
        for name in ("caldav.kept", "caldav.place", "caldav.overlay", "caldav.object"):
            with self.assertRaises(AccessError):
                self.env[name].with_user(self.manager).search([])

    def test_the_end_of_a_key(self):
        Key = self.env["caldav.key"]
        _secret, key = Key.with_user(self.seller)._make("My phone", 10)
        _secret, later = Key.with_user(self.seller)._make("My car", 100)
        Key._look_after()
        Key._look_after()
        activity = self.env["mail.activity"].search([("user_id", "=", self.seller.id)])
        self.assertEqual(len(activity.filtered(lambda one: "My phone" in one.summary)), 1)
        self.assertFalse(activity.filtered(lambda one: "My car" in one.summary))
        self.env["res.users.apikeys"].sudo().browse(later.apikey_id).unlink()
        Key._look_after()
        self.assertEqual(Key.with_user(self.seller)._of_user(), key)
        self.assertFalse(later.exists())

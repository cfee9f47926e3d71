"""The button that tests a connection: how long it holds a worker, and whom it trusts."""

from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import TransactionCase, tagged

from ..engine.addresses import read_address
from ..models import caldav_account_connect as connect
from ..sync.discover import Calendar, Found, Step
from ..sync.errors import RemoteError
from .test_account_rights import AccountData

FETCH_ALLOWED = "crm_automation.fetch_allowed"


@tagged("post_install", "-at_install")
class TestAccountConnect(AccountData, TransactionCase):
    def test_one_at_a_time(self):
        with self.registry.cursor() as other:
            other.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)", [connect.BUTTON_LOCK, self.seller.id]
            )
            with self.assertRaises(UserError):
                self.account.with_user(self.seller).action_connect()
            # Somebody else does not wait for him.
            self.account.with_user(self.other_seller).sudo()._take_button()

    def test_all_addresses_together_have_one_limit(self):
        clock, given = [0.0], []

        def slow(_transport, address):
            clock[0] += 10
            return Found([Step("server", error=RemoteError("server", host=address.host))])

        def transport(_self, address, _password, seconds):
            given.append(seconds)
            return patch.object(connect, "LEAST", connect.LEAST)

        addresses = [read_address(f"https://{n}.example/")[0] for n in range(4)]
        with (
            patch.object(connect, "starts", lambda *_args: addresses),
            patch.object(connect, "discover", slow),
            patch.object(connect.time, "monotonic", lambda: clock[0]),
            patch.object(type(self.account), "_transport", transport),
        ):
            self.assertTrue(self.account.sudo()._discover().error)
        self.assertEqual(given, [25, 15, 5])

    def test_one_calendar_in_two_homes(self):
        address = read_address("https://dav.example.com/shared/")[0]
        twice = Found(calendars=[Calendar(address, "Shared"), Calendar(address, "Shared")])
        self.account.sudo()._keep_calendars(twice)
        self.account.sudo()._keep_calendars(twice)
        found = self.account.sudo().calendar_ids.filtered(lambda one: one.url == address.url)
        self.assertEqual(len(found), 1)
        self.assertFalse(found.is_gone)

    def test_who_may_stand_for_a_domain(self):
        account = self.account.sudo()
        for host, domain in (
            ("dav.corp.example", "corp.example"), ("corp.example", "Corp.example"),
        ):  # fmt: skip
            with patch.object(connect, "resolve_srv", lambda _domain, host=host: [(host, 443)]):
                self.assertEqual(account._resolve(domain), [(host, 443)])
        for host, domain in (
            ("evil.github.io", "ana.github.io"), ("evilcorp.example", "corp.example"),
        ):  # fmt: skip
            with (
                patch.object(connect, "resolve_srv", lambda _domain, host=host: [(host, 443)]),
                self.assertRaises(RemoteError),
            ):
                account._resolve(domain)

    def test_a_password_that_others_could_read(self):
        account = self.account.with_user(self.seller)
        for url in (
            "https://ana:secret@dav.example.com/", "https://ana@dav.example.com/",
            "http://dav.example.com/",
        ):  # fmt: skip
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                account.url = url
        self.env["ir.config_parameter"].set_param(FETCH_ALLOWED, "dav.example.com 10.1.0.0/16")
        account.url = "http://dav.example.com/"
        account.url = "http://10.1.2.3/"

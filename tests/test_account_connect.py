"""The button that tests a connection: how long it holds a worker, and whom it trusts."""

from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged

from ..engine.addresses import read_address
from ..models import caldav_account_connect as connect
from ..models.ical_fetch import BUTTON_LOCK
from ..sync.discover import Calendar, Found, Step
from ..sync.errors import RemoteError
from .test_account_rights import AccountData

FETCH_ALLOWED = "crm_automation.fetch_allowed"


@tagged("post_install", "-at_install")
class TestAccountConnect(AccountData, TransactionCase):
    def test_one_at_a_time(self):
        with self.registry.cursor() as other:
            other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [BUTTON_LOCK, self.seller.id])
            with self.assertRaises(UserError):
                self.account.with_user(self.seller).action_connect()
            # Somebody else does not wait for him.
            self.env["ical.fetch"].with_user(self.other_seller)._take_button()

    def test_other_addresses_one_at_a_time(self):
        url = "https://dav.example.com/one.ics"
        subscription = self.env["calendar.subscription"].with_user(self.seller).create(
            {"name": "Elsewhere", "url": url}
        )  # fmt: skip
        one = self.env["calendar.import"].with_user(self.seller).create(
            {"origin": "url", "url": url}
        )  # fmt: skip
        fetched = patch.object(type(self.env["ical.fetch"]), "_fetch", side_effect=AssertionError)
        with self.registry.cursor() as other, fetched:
            other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [BUTTON_LOCK, self.seller.id])
            for button in (subscription.action_refresh, one.action_preview):
                with self.assertRaises(UserError):
                    button()

    def test_so_many_of_one_user(self):
        for model, most in (("caldav.account", 10), ("calendar.subscription", 50)):
            mine = self.env[model].with_user(self.other_seller)
            values = [{"name": str(n), "url": f"https://{n}.example/"} for n in range(most)]
            mine.create(values)
            with self.assertRaises(UserError), self.env.cr.savepoint():
                mine.create(values[0])
            # Those of others do not count.
            mine.with_user(self.manager).create(values[0])

    def test_who_is_no_colleague_any_more(self):
        user = new_test_user(self.env, "leaver", groups="base.group_user")
        account = self.make_account(user)
        self.env["caldav.account.calendar"].create(
            {
                "account_id": account.id, "name": "Work", "url": "https://dav.example.com/w/",
                "enabled": True,
            }
        )  # fmt: skip
        account.sudo().next_sync = self.env.cr.now()
        subscription = self.env["calendar.subscription"].with_user(user).create(
            {"name": "Elsewhere", "url": "https://dav.example.com/one.ics"}
        )  # fmt: skip

        def is_due():
            found = self.env["calendar.subscription"]
            return (
                account.id in self.Account._due(),
                subscription.id in found.search(found._due_domain()).ids,
            )

        self.assertEqual(is_due(), (True, True))
        user.group_ids = self.env.ref("base.group_portal")
        self.assertEqual(is_due(), (False, False))

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

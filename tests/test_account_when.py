"""When an account is looked at again: about as often as its owner wants it."""

from datetime import timedelta
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from ..models import caldav_account
from ..models.caldav_account import JITTER
from ..models.caldav_account_journal import Journal
from ..sync.errors import RemoteError
from .test_account_rights import AccountData

#: Accounts of one server, all done at the same moment.
MANY = 100


@tagged("post_install", "-at_install")
class TestAccountWhen(AccountData, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # More than one user may have.
        cls.startClassPatcher(patch.object(caldav_account, "MAX_OWN", 2 * MANY))
        cls.accounts = cls.account.sudo()
        for number in range(MANY - 1):
            cls.accounts |= cls.make_account(name=f"Elsewhere {number}").sudo()

    def end_turns(self, error=None, only_out=False):
        """Minutes until the next one, of each account; None where that was not touched."""
        before = self.env.cr.now().replace(microsecond=0) + timedelta(days=300)
        self.accounts.next_sync = before
        for account in self.accounts:
            account._ended(Journal(account), True, error, only_out)
        now = self.env.cr.now().replace(microsecond=0)
        return [
            None if account.next_sync == before
            else (account.next_sync - now).total_seconds() / 60
            for account in self.accounts
        ]  # fmt: skip

    def expect_spread(self, waits, minutes):
        """Over the whole of what is allowed, and not all at once."""
        self.assertGreaterEqual(min(waits), minutes * (1 - JITTER))
        self.assertLessEqual(max(waits), minutes * (1 + JITTER))
        # That so many are all early, or all late, is no chance.
        self.assertLess(min(waits), minutes)
        self.assertGreater(max(waits), minutes)
        self.assertGreater(len(set(waits)), MANY / 4)

    def test_they_do_not_all_come_at_the_same_moment(self):
        for minutes in (5, 15, 1440):
            with self.subTest(minutes=minutes):
                self.accounts.minutes = str(minutes)
                self.expect_spread(self.end_turns(), minutes)

    def test_what_goes_out_puts_nothing_off(self):
        self.assertEqual(self.end_turns(only_out=True), [None] * MANY)

    def test_after_a_failure_they_wait_as_long_as_they_are_asked_to(self):
        error = RemoteError("busy", host="dav.example.com", status=503, retry_after=7200)
        self.assertGreaterEqual(min(self.end_turns(error)), 120)

"""Who sees an account, and that nobody sees its password."""

import json
import logging
import os
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import TransactionCase, tagged
from odoo.tools import file_open

from ..engine.secret_box import CannotOpen, seal
from ..models.caldav_account import KEY_VARIABLE
from .common import AutomationData

SECRET = "pssst-4711"
KEY = "a key of this server, long enough"


class AccountData(AutomationData):
    """Mixin: an account of the salesperson, with a calendar."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Account = cls.env["caldav.account"]
        cls.account = cls.make_account()
        cls.calendar = cls.env["caldav.account.calendar"].create(
            {
                "account_id": cls.account.id,
                "name": "Work",
                "url": "https://dav.example.com/work/",
            }
        )

    @classmethod
    def make_account(cls, user=None, **values):
        values = {
            "name": "Elsewhere",
            "url": "https://dav.example.com/",
            "login": "sergio",
            "password": SECRET,
            **values,
        }
        return cls.Account.with_user(user or cls.seller).create(values)


@tagged("post_install", "-at_install")
class TestAccountRights(AccountData, TransactionCase):
    def rows(self):
        run = self.env["caldav.account.run"].create(
            {"account_id": self.account.id, "date": self.env.cr.now(), "result": "done"}
        )
        return [
            self.account,
            self.calendar,
            self.env["caldav.account.object"].create(
                {"calendar_id": self.calendar.id, "uid": "a", "text_there": "secret text"}
            ),
            run,
            self.env["caldav.account.change"].create(
                {
                    "run_id": run.id,
                    "kind": "changed",
                    "side": "here",
                    "date": self.env.cr.now(),
                    "before_text": "secret text",
                }
            ),
        ]

    def test_only_its_owner_sees_it(self):
        rows = self.rows()
        admin = self.env.ref("base.user_admin")
        for row in rows:
            with self.subTest(model=row._name):
                mine = row.with_user(self.seller)
                self.assertEqual(mine.search([("id", "=", row.id)]), mine)
                mine.read(["display_name"])
                for user in (self.other_seller, self.manager, admin):
                    other = row.with_user(user)
                    self.assertFalse(other.search([("id", "=", row.id)]))
                    for act in (
                        lambda other=other: other.read(["display_name"]),
                        lambda other=other: other.write({"name": "x"}),
                        lambda other=other: other.unlink(),
                    ):
                        with self.assertRaises(AccessError), self.env.cr.savepoint():
                            act()
                with self.assertRaises(AccessError):
                    row.with_user(self.portal).search([])

    def test_what_somebody_else_does_with_it(self):
        _account, _calendar, row, run, change = self.rows()
        other = self.other_seller
        for act in (
            lambda: self.account.with_user(other).action_connect(),
            lambda: self.account.with_user(other).action_sync(),
            lambda: self.calendar.with_user(other).action_forget(),
            lambda: row.with_user(other).action_delete(),
            lambda: row.with_user(other).action_keep(),
            lambda: run.with_user(other).action_undo(),
            lambda: change.with_user(other).action_restore(),
            lambda: self.calendar.with_user(other).write({"enabled": True}),
            lambda: self.Account.with_user(other).create(
                {"name": "x", "url": "https://a.example/", "user_id": self.seller.id}
            ),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                act()

    def test_its_owner_does_not_write_everything(self):
        _account, _calendar, row, run, change = self.rows()
        for record, values in (
            (self.account, {"state": "ok"}),
            (self.account, {"user_id": self.other_seller.id}),
            (self.account, {"secret": "inside:x"}),
            (self.calendar, {"url": "https://other.example/"}),
            (self.calendar, {"sync_token": "x"}),
            (self.calendar, {"state": "ok"}),
            (self.calendar, {"next_try": False}),
            (row, {"text_there": "x"}),
            (run, {"result": "error"}),
            (change, {"lost_text": "x"}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                record.with_user(self.seller).write(values)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.env["caldav.account.calendar"].with_user(self.seller).create(
                {"account_id": self.account.id, "name": "x", "url": "https://x.example/"}
            )

    # --- The password

    def everything(self, user):
        """All that a user can read of the account, as text."""
        account = self.account.with_user(user)
        account.env.invalidate_all()
        names = [name for name in account.fields_get() if name != "secret"]
        return json.dumps(account.read(names), default=str)

    def test_the_password_is_never_read(self):
        self.assertTrue(self.account.has_password)
        self.assertEqual(self.account.sudo()._open_password(), SECRET)
        self.assertNotIn(SECRET, self.everything(self.seller))
        self.assertNotIn(self.account.sudo().secret, self.everything(self.seller))
        self.assertFalse(self.account.with_user(self.seller).password)
        mine = self.account.with_user(self.seller)
        for act in (
            lambda: mine.read(["secret"]),
            lambda: mine.search([("secret", "like", "inside:a")]),
            lambda: mine.search([], order="secret"),
            lambda: mine._read_group([], ["secret"]),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                act()
        self.assertNotIn(SECRET, str(mine.copy_data()))
        self.assertFalse(mine.copy().sudo().secret)
        forged = self.Account.with_user(self.other_seller).with_context(
            default_secret=self.account.sudo().secret
        )
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            forged.create({"name": "x", "url": "https://evil.example/"})

    def test_the_password_is_not_in_the_database(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT row_to_json(a)::text FROM caldav_account a")
        self.assertNotIn(SECRET, str(self.env.cr.fetchall()))

    def test_the_password_is_not_in_the_log(self):
        with self.assertLogs(level=logging.DEBUG) as logs:
            logging.getLogger("test").debug("begin")
            self.account.with_user(self.seller).action_connect()
        self.assertNotIn(SECRET, "\n".join(logs.output))
        self.assertNotIn(SECRET, self.account.test_report or "")

    def test_a_key_outside_of_the_database(self):
        self.assertFalse(self.account.key_is_outside)
        with patch.dict(os.environ, {KEY_VARIABLE: KEY}):
            self.account.invalidate_recordset()
            self.assertTrue(self.account.key_is_outside)
            # What was sealed before is sealed with it from now on.
            self.assertEqual(self.account.sudo()._open_password(), SECRET)
            self.assertTrue(self.account.sudo().secret.startswith("outside:"))
            self.assertEqual(self.account.sudo()._open_password(), SECRET)
        with self.assertRaises(CannotOpen):
            self.account.sudo()._open_password()
        with patch.dict(os.environ, {KEY_VARIABLE: KEY[::-1]}), self.assertRaises(CannotOpen):
            self.account.sudo()._open_password()

    def test_a_secret_of_another_account(self):
        other = self.make_account(self.other_seller)
        other.sudo().secret = self.account.sudo().secret
        with self.assertRaises(CannotOpen):
            other.sudo()._open_password()
        self.assertNotEqual(seal("a", KEY, "x"), seal("a", KEY, "x"))

    def test_another_server_is_not_told_the_password(self):
        mine = self.account.with_user(self.seller)
        mine.url = "https://dav.example.com/other/path/"
        self.assertTrue(mine.has_password)
        mine.url = "https://evil.example.com/"
        self.assertFalse(mine.has_password)
        mine.write({"url": "https://dav.example.com/", "password": "new"})
        self.assertEqual(mine.sudo()._open_password(), "new")

    def test_what_is_no_choice(self):
        calendar = self.calendar.with_user(self.seller)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            calendar.write({"place": "team"})
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            calendar.write({"place": "team", "team_id": self.env["crm.team"].search([])[0].id})
        self.calendar.writable = False
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            calendar.write({"enabled": True})
        calendar.write({"enabled": True, "direction": "in"})
        for url in ("ftp://a.example/", "https://", "http://a.example:25/"):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.account.with_user(self.seller).url = url

    def test_a_copy_of_the_database_is_silent(self):
        self.env.flush_all()
        with file_open("crm_automation/data/neutralize.sql") as sql:
            self.env.cr.execute(sql.read())
        self.env.invalidate_all()
        self.assertFalse(self.account.enabled)
        self.assertFalse(self.account.sudo().secret)

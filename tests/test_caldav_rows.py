"""What the RFCs ask of a server, asked of Odoo over HTTP, in the octets of the row."""

import base64
import contextlib
import http.client
from urllib.parse import urlsplit

from odoo.tests import tagged
from odoo.tests.common import TEST_CURSOR_COOKIE_NAME

from .dav import DavCase
from .rows import ROWS
from .rows.program import Program, Reply


class OverHttp(Program):
    """The seller's program; what it sends is sent as it is.

    :param DavCase case: whose test it is
    """

    def __init__(self, case, shared):
        self.case = case
        self.user, self.stranger, self.shared = case.seller.login, case.other_seller.login, shared
        secret = f"{self.user}:{case.keys[case.seller]}".encode()
        self.login = f"Basic {base64.b64encode(secret).decode()}"

    def ask(self, method, path, body="", **headers):
        body = body.encode() if isinstance(body, str) else body
        headers = {name.replace("_", "-").title(): value for name, value in headers.items()}
        headers.setdefault("Authorization", self.login)
        headers = {name: value for name, value in headers.items() if value or name != "Authorization"}
        self.case.env.cr.flush()
        self.case.env.cr.clear()
        with self.case.allow_requests():
            key = self.case.opener.cookies[TEST_CURSOR_COOKIE_NAME]
            headers["Cookie"] = f"{TEST_CURSOR_COOKIE_NAME}={key}"
            connection = http.client.HTTPConnection(
                urlsplit(self.case.base_url()).netloc, timeout=120
            )
            with contextlib.closing(connection):
                # A server that has heard enough answers before it has heard all.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(method, path, body or None, headers)
                answer = connection.getresponse()
                text = answer.read().decode()
        return Reply(answer.status, answer.headers, text)


@tagged("post_install", "-at_install")
class TestRows(DavCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller.tz = "Europe/Madrid"
        members = [(6, 0, (cls.seller + cls.other_seller).ids)]
        cls.team = cls.env["crm.team"].create({"name": "North", "member_ids": members})


def _test(row):
    def test(self):
        row.ask(OverHttp(self, f"team-{self.team.id}"))

    test.__doc__ = f"{row.says}: {row.ask.__doc__}"
    return test


for _row in ROWS:
    setattr(TestRows, f"test_{_row.name}", _test(_row))

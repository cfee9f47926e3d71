"""A calendar program that sends what it is told to send, octet by octet."""

import base64
import contextlib
import http.client
from urllib.parse import urlsplit

from odoo.tests.common import TEST_CURSOR_COOKIE_NAME

from .rows.program import Program, Reply


class OverHttp(Program):
    """The seller's program; what it sends is sent as it is.

    :param DavCase case: whose test it is
    """

    def __init__(self, case, shared=None):
        self.case = case
        self.user, self.stranger, self.shared = case.seller.login, case.other_seller.login, shared
        secret = f"{self.user}:{case.keys[case.seller]}".encode()
        self.login = f"Basic {base64.b64encode(secret).decode()}"

    def ask(self, method, path, body="", **headers):
        body = body.encode() if isinstance(body, str) else body
        headers = {name.replace("_", "-").title(): value for name, value in headers.items()}
        headers.setdefault("Authorization", self.login)
        headers = {
            name: value for name, value in headers.items() if value or name != "Authorization"
        }
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

"""Luis's calendars on a running server, and a bare HTTP client for them."""

import base64
import contextlib
import time
import urllib.error
import urllib.request

import odoo.sql_db

import processes
import session

EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//X//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20270101T000000Z
DTSTART:20270301T100000Z
DTEND:20270301T110000Z
SUMMARY:{summary}
X-A;B=1:kept
END:VEVENT
END:VCALENDAR
"""


class Account:
    """Luis's calendars on a running server.

    :param dict more: headers of each request
    """

    def __init__(self, url, key, more=None):
        self.url, self.login, self.key = url, "luis", key
        self.more = more or {}
        self.home = f"{url}/caldav/calendars/luis/"
        self.agenda = f"{self.home}agenda/"

    def ask(self, method, url, body=None, **headers):
        """(status, text)"""
        return self.ask_all(method, url, body, **headers)[:2]

    def ask_all(self, method, url, body=None, **headers):
        """(status, text, headers)"""
        request = urllib.request.Request(url, body and body.encode(), method=method)
        secret = base64.b64encode(f"{self.login}:{self.key}".encode()).decode()
        request.add_header("Authorization", f"Basic {secret}")
        for name, value in {**self.more, **headers}.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers

    def put(self, name, summary):
        text = EVENT.format(uid=name, summary=summary)
        status, answer = self.ask(
            "PUT", f"{self.agenda}{name}.ics", text, Content_Type="text/calendar"
        )
        assert status in (201, 204), answer

    def text(self, name):
        return self.ask("GET", f"{self.agenda}{name}.ics")[1]


@contextlib.contextmanager
def running(log, workers=1, more=None, **choices):
    """A server, and Luis's account on it.

    :param Path log: of the server
    :param dict more: headers of each request of the account
    :param choices: of ``processes.odoo_server``
    """
    with session.environment() as env:
        luis = env["res.users"].search([("login", "=", "luis")])
        key = env["res.users.apikeys"].with_user(luis).sudo()._generate("caldav", "Test", None)
    odoo.sql_db.close_all()
    with processes.odoo_server(log, 0, workers, **choices) as server:
        account = Account(server.url, key, more)
        end = time.monotonic() + 90
        while True:
            try:
                assert account.ask("PROPFIND", account.home, Depth="0")[0] == 207
                break
            except urllib.error.URLError:
                assert time.monotonic() < end, log.read_text()[-3000:]
                time.sleep(0.3)
        yield account
        assert "Traceback" not in log.read_text()
    odoo.sql_db.close_all()


def forget_meetings():
    """Delete what Luis has, committed."""
    with session.environment() as env:
        luis = env["res.users"].search([("login", "=", "luis")])
        events = env["calendar.event"].with_context(active_test=False)
        events.search([("user_id", "=", luis.id)]).unlink()
    odoo.sql_db.close_all()

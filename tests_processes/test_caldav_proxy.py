"""Our CalDAV server behind a proxy that has the encryption, the name and the port.

Odoo is reached as the proxy reaches it; what it says has to be true outside. And the
choice of a database: a calendar program cannot make it.
"""

import contextlib
import http.client
import http.cookiejar
import json
import plistlib
import re
import urllib.request
from urllib.parse import urljoin, urlsplit

import pytest

import odoo.sql_db

import session
from caldav_account import EVENT, Account, forget_meetings, running

#: By the rule that the first word of a server's name is its database.
FILTER = "--db-filter=^%d$"
NAME = f"{session.DATABASE}.example.com"
PUBLIC = f"https://{NAME}"
#: What Odoo itself says.
NO_DATABASE = "No database is selected"
#: Then it is us who are asked where no database is.
WITH_OURS = "--load=base,rpc,web,crm_automation"


def through_the_proxy(name):
    return {
        "X-Forwarded-Host": name, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7",
    }  # fmt: skip


@pytest.fixture(scope="module")
def behind(registry, tmp_path_factory):
    """Luis's account; the public address of a path is that of the proxy."""
    log = tmp_path_factory.mktemp("proxy") / "odoo.log"
    with running(
        log, more=through_the_proxy(NAME), options=["--proxy-mode", FILTER], names_database=False
    ) as account:
        account.home_path = urlsplit(account.home).path
        yield account


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    forget_meetings()


class Browser:
    """Somebody who is logged in, through the proxy."""

    def __init__(self, account, login):
        self.account = account
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        params = {"db": session.DATABASE, "login": login, "password": login}
        assert self.call("/web/session/authenticate", params)["uid"]

    def get(self, path, body=None, **headers):
        request = urllib.request.Request(self.account.url + path, body)
        for name, value in {**self.account.more, **headers}.items():
            request.add_header(name.replace("_", "-"), value)
        with self.opener.open(request, timeout=60) as answer:
            return answer.read()

    def call(self, path, params):
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
        answer = json.loads(self.get(path, body.encode(), Content_Type="application/json"))
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def do(self, model, method, *args):
        path = f"/web/dataset/call_kw/{model}/{method}"
        return self.call(path, {"model": model, "method": method, "args": args, "kwargs": {}})


@pytest.fixture
def known_address(behind):
    """As in use: an administrator has logged in by the public address."""
    with session.environment() as env:
        parameters = env["ir.config_parameter"]
        before = parameters.get_param("web.base.url")
        parameters.set_param("web.base.url.freeze", False)
    odoo.sql_db.close_all()
    Browser(behind, "admin")
    yield PUBLIC
    with session.environment() as env:
        env["ir.config_parameter"].set_param("web.base.url", before)
    odoo.sql_db.close_all()


def ask_bare(account, method, path, headers=None):
    """(status, headers, text) without a name or password, and without following."""
    connection = http.client.HTTPConnection(urlsplit(account.url).netloc, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, headers=headers or account.more)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


# --- Behind the proxy


@pytest.mark.parametrize("method", ["GET", "PROPFIND"])
@pytest.mark.parametrize("path", ["/.well-known/caldav", "/webdav/x/calendars/", "/webdav"])
def test_programs_are_led_to_the_public_address(behind, method, path):
    status, headers, _text = ask_bare(behind, method, path)
    assert status == 301
    assert urljoin(PUBLIC + path, headers["Location"]) == f"{PUBLIC}/caldav/"


def test_every_address_in_an_answer_is_public(behind):
    behind.put("one", "One")
    body = """
        <D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop>
        <D:current-user-principal/><D:principal-URL/><D:owner/><C:calendar-home-set/>
        <C:schedule-inbox-URL/><C:schedule-outbox-URL/></D:prop></D:propfind>"""
    seen = set()
    for path in ("/caldav/", "/caldav/principals/luis/", behind.home_path):
        status, text = behind.ask(
            "PROPFIND", behind.url + path, body, Depth="1", Content_Type="text/xml"
        )
        assert status == 207 and "127.0.0.1" not in text
        seen |= {urljoin(PUBLIC + path, href) for href in re.findall("href>([^<]+)</", text)}
    assert f"{PUBLIC}{behind.home_path}agenda/" in seen
    assert all(address.startswith((f"{PUBLIC}/caldav/", "mailto:")) for address in seen), seen


@pytest.mark.parametrize("public", [PUBLIC, f"{PUBLIC}:443", PUBLIC.upper(), ""])
def test_move(behind, public):
    behind.put("one", "One")
    path = f"{behind.home_path}agenda/two.ics"
    assert behind.ask("MOVE", f"{behind.agenda}one.ics", Destination=public + path)[0] == 201
    assert "SUMMARY:One" in behind.text("two")
    assert behind.ask("GET", f"{behind.agenda}one.ics")[0] == 404


def test_copy(behind):
    """A meeting is in one of his calendars only: what is refused is that, and no address."""
    behind.put("one", "One")
    target = f"{PUBLIC}{behind.home_path}agenda/two.ics"
    status, text = behind.ask("COPY", f"{behind.agenda}one.ics", Destination=target)
    assert status in (403, 409) and "no-uid-conflict" in text


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
def test_an_address_of_another_server(behind, method):
    behind.put("one", "One")
    path = f"{behind.home_path}agenda/two.ics"
    for server in (behind.url, "https://other.example.com"):
        status, _text = behind.ask(method, f"{behind.agenda}one.ics", Destination=server + path)
        assert status == 400, server


def test_files_have_public_addresses(behind, known_address):
    behind.put("one", "One")
    url = f"{behind.agenda}one.ics?action=attachment-add"
    status, _text, headers = behind.ask_all(
        "POST", url, "a menu", Content_Type="text/plain",
        Content_Disposition='attachment; filename="menu.txt"',
    )  # fmt: skip
    assert status == 201 and headers["Cal-Managed-ID"]
    text = behind.text("one").replace("\r\n ", "")
    address = re.search(r"^ATTACH[^:]*:(\S+)", text, re.M)[1]
    assert address.startswith(f"{PUBLIC}/")
    assert behind.ask("GET", behind.url + address.removeprefix(PUBLIC)) == (200, "a menu")


def test_what_a_user_is_told_to_write_into_his_program(behind, known_address):
    browser = Browser(behind, "luis")
    setup = browser.do("caldav.setup", "action_open")["res_id"]
    [told] = browser.do("caldav.setup", "read", [setup], ["url", "calendar_url", "is_plain"])
    assert told["url"] == f"{PUBLIC}/caldav/"
    assert told["calendar_url"] == f"{PUBLIC}{behind.home_path}agenda/"
    assert not told["is_plain"], "nobody is warned of what is encrypted"


def test_settings_for_apple(behind, known_address):
    [account] = plistlib.loads(Browser(behind, "luis").get("/caldav-setup/apple"))["PayloadContent"]
    assert (account["CalDAVHostName"], account["CalDAVPort"]) == (NAME, 443)
    assert account["CalDAVUseSSL"] is True


# --- Several databases


def paths(account):
    home = urlsplit(account.home).path
    return ["/caldav", "/caldav/", home, f"{home}agenda/a.ics", "/.well-known/caldav", "/webdav/x"]


def test_a_name_that_leads_to_no_database(behind):
    headers = through_the_proxy("other.example.com")
    for path in paths(behind):
        status, _headers, text = ask_bare(behind, "PROPFIND", path, headers)
        assert status == 404 and NO_DATABASE in text, path


@pytest.fixture(scope="module")
def several(registry, tmp_path_factory):
    """Luis's account on an Odoo that has more databases than one, at one name; the proxy
    says which one is meant."""
    with session.environment() as env:
        env.cr.execute("SELECT count(*) FROM pg_database WHERE datdba = current_user::regrole"
                       " AND datallowconn AND NOT datistemplate")  # fmt: skip
        assert env.cr.fetchone()[0] > 1
    log = tmp_path_factory.mktemp("several") / "odoo.log"
    with running(
        log, more={"X-Odoo-Database": session.DATABASE}, options=[WITH_OURS], names_database=False
    ) as account:
        yield account


def test_a_proxy_that_says_which_one(several):
    several.put("one", "One")
    assert "SUMMARY:One" in several.text("one")


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "PROPFIND", "PUT", "REPORT", "MKCALENDAR"])
def test_several_databases(several, method):
    """Whoever has to do something about it is told what."""
    stranger = Account(several.url, several.key)
    text = EVENT.format(uid="one", summary="One")
    for path in paths(several):
        status, said = stranger.ask(method, stranger.url + path, text)
        assert status == 404 and "dbfilter" in said and "X-Odoo-Database" in said, path

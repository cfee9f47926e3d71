"""What another server can do to us: redirects, odd answers, where the password goes."""

import base64
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from crm_automation.engine.addresses import Allowed, FetchError, follow, read_address
from crm_automation.sync.discover import discover
from crm_automation.sync.errors import RemoteError
from crm_automation.sync.remote import RemoteCalendar
from crm_automation.sync.transport import AT_ONCE, Answer, Transport, dict_of

PRINCIPAL = "<current-user-principal><href>{}</href></current-user-principal>"
HOME = "<c:calendar-home-set><href>{}</href></c:calendar-home-set>"
CALENDAR = (
    "<displayname>Work</displayname><resourcetype><collection/><c:calendar/></resourcetype>"
    "<a:calendar-color>#FF0000FF</a:calendar-color>"
)
TOKEN = base64.b64encode(b"ana:pssst").decode()


def multistatus(path, props):
    return (
        '<?xml version="1.0"?><multistatus xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
        f' xmlns:a="http://apple.com/ns/ical/"><response><href>{path}</href><propstat><prop>'
        f"{props}</prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
    ).encode()


class Server:
    """``answers`` maps (method, path) to (status, headers, body)."""

    def __init__(self):
        self.answers, self.asked = {}, []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self):
                self.close_connection = True
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    return
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.asked.append((self.command, self.path, self.headers.get("Authorization")))
                status, headers, body = server.answers.get(
                    (self.command, self.path), (404, {}, b"")
                )
                self.send_response_only(status)
                for name, value in {"Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                """Quiet."""

        self.web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.web.daemon_threads = True
        threading.Thread(target=self.web.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.web.server_address[1]}"

    def say(self, path, body, status=207, method="PROPFIND", **headers):
        self.answers[method, path] = (status, headers, body)


@pytest.fixture
def server():
    one = Server()
    yield one
    one.web.shutdown()


@pytest.fixture
def other():
    one = Server()
    yield one
    one.web.shutdown()


def look(server, path="/", seconds=20):
    [address] = read_address(server.url + path)
    with Transport(address, "ana", "pssst", Allowed.listed("127.0.0.1"), seconds=seconds) as one:
        return discover(one, address)


def codes(found):
    return [(step.code, step.error and step.error.code) for step in found.steps]


def test_by_the_well_known_address(server):
    server.answers["PROPFIND", "/.well-known/caldav"] = (301, {"Location": "/dav/"}, b"")
    server.say("/dav/", multistatus("/dav/", PRINCIPAL.format("/dav/ana/")))
    server.say("/dav/ana/", multistatus("/dav/ana/", HOME.format("/dav/home/")))
    server.say("/dav/home/", multistatus("/dav/home/work/", CALENDAR))
    found = look(server)
    assert codes(found) == [("server", None), ("principal", None), ("home", None),
                            ("calendars", None)]  # fmt: skip
    [calendar] = found.calendars
    assert (calendar.name, calendar.color) == ("Work", "#ff0000")
    assert calendar.address.url == f"{server.url}/dav/home/work/"
    assert {auth for _method, _path, auth in server.asked} == {f"Basic {TOKEN}"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_server_gets_no_password(server, other, status):
    where = {"Location": f"{other.url}/dav/"}
    server.answers["PROPFIND", "/.well-known/caldav"] = (status, where, b"")
    other.say("/dav/", b"", 401, **{"WWW-Authenticate": 'Basic realm="x"'})
    found = look(server)
    assert codes(found) == [("server", "elsewhere")]
    assert found.error.facts["host"] == other.url
    assert other.asked == [("PROPFIND", "/dav/", None)]


def test_what_lies_elsewhere_gets_no_password(server, other):
    server.say("/.well-known/caldav", multistatus("/", PRINCIPAL.format(f"{other.url}/ana/")))
    assert codes(look(server))[-1] == ("principal", "elsewhere")
    server.say("/.well-known/caldav", multistatus("/", PRINCIPAL.format("/ana/")))
    server.say("/ana/", multistatus("/ana/", HOME.format(f"{other.url}/home/")))
    assert codes(look(server))[-1] == ("calendars", "elsewhere")
    assert not other.asked


class Redirected(Transport):
    """Servers with certificates of their own names, which no test has: what is asked of
    one is answered by the other, as after a redirect."""

    def __init__(self, origin, where, body):
        super().__init__(origin, "ana", "pssst", Allowed.listed(""))
        self.where, self.body, self.asked = where, body, []

    def ask(self, method, address, body=b"", **headers):
        is_first = not self.asked
        self.asked.append((address.host, address.origin in self.told))
        if is_first:
            is_told = self.where.origin in self.told
            return Answer(207, dict_of({}), self.body, self.where, is_told)
        return Answer(404, dict_of({}), b"", address)


@pytest.mark.parametrize(
    "props",
    [
        PRINCIPAL.format("https://p1.evil.example/ana/"),
        HOME.format("https://p1.evil.example/home/"),
        CALENDAR,
    ],
)
def test_no_house_but_that_of_the_address_is_told(props):
    """Whoever a redirect leads to names his own servers, and is none of ours."""
    named, where, mine = (
        read_address(f"https://{host}/x/")[0]
        for host in ("dav.bodega.example", "dav.evil.example", "p1.bodega.example")
    )
    transport = Redirected(named, where, multistatus("/x/", props))
    assert discover(transport, named).error.code == "elsewhere"
    assert transport.told == {named.origin}
    assert transport.asked == [(named.host, True)]
    # One of the same house is told, wherever it was named.
    body = multistatus("/x/", props.replace("evil", "bodega"))
    transport = Redirected(named, mine, body)
    discover(transport, named)
    assert mine.origin in transport.told and transport.asked[-1] == ("p1.bodega.example", True)


def test_members_of_other_places_are_not_taken(server, other):
    more = "".join(
        f"<response><href>{href}</href><propstat><prop><getetag>1</getetag></prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response>"
        for href in ("/work/a.ics", "/other/b.ics", f"{other.url}/x/c.ics", "/work/../d.ics",
                     "/work/", "/work/deep/e.ics", "http://[")
    )  # fmt: skip
    body = multistatus("/x", "").replace(b"</multistatus>", more.encode() + b"</multistatus>")
    server.say("/work/", body)
    [address] = read_address(f"{server.url}/work/")
    with Transport(address, "ana", "pssst", Allowed.listed("127.0.0.1")) as one:
        with pytest.raises(RemoteError):
            RemoteCalendar(one, address).listing()
        server.say("/work/", body.replace(b"http://[", b"/"))
        assert set(RemoteCalendar(one, address).listing()) == {"/work/a.ics"}


BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<multistatus xmlns="DAV:">&b;</multistatus>'
)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (BOMB, 207, "odd"),
        (b"<html>", 207, "odd"),
        (b"", 207, "odd"),
        (b'<x xmlns="DAV:"/>', 207, "odd"),
        (b"\xff\xfe", 207, "odd"),
        (b"", 200, "refused"),
        (b"", 401, "denied"),
        (b"", 403, "denied"),
        (b"", 500, "server"),
        (b"", 503, "busy"),
    ],
)
def test_answers_that_are_none(server, body, status, code):
    for path in ("/.well-known/caldav", "/"):
        server.say(path, body, status)
    found = look(server)
    assert codes(found) == [("server", code)]
    assert "pssst" not in repr(found) and TOKEN not in repr(found)


def test_redirects_without_an_end(server):
    server.answers["PROPFIND", "/.well-known/caldav"] = (301, {"Location": "/x"}, b"")
    server.answers["PROPFIND", "/x"] = (301, {"Location": "/.well-known/caldav"}, b"")
    assert codes(look(server)) == [("server", "redirects")]


def test_a_private_address_is_not_asked(server):
    [address] = read_address(server.url + "/")
    with Transport(address, "ana", "pssst", Allowed()) as one:
        assert codes(discover(one, address)) == [("server", "port")] or not server.asked


def test_writing_follows_no_redirect(server, other):
    server.say("/work/a.ics", b"", 307, "PUT", Location=f"{other.url}/a.ics")
    [address] = read_address(f"{server.url}/work/")
    with Transport(address, "ana", "pssst", Allowed.listed("127.0.0.1")) as one:
        with pytest.raises(RemoteError):
            RemoteCalendar(one, address).put("/work/a.ics", "text")
    assert not other.asked


def test_a_slow_server_is_left(server):
    gate = threading.Event()

    class Slow(tuple):
        def __iter__(self):
            gate.wait(10)
            return super().__iter__()

    server.answers["PROPFIND", "/.well-known/caldav"] = Slow((207, {}, b""))
    found = look(server, seconds=1)
    gate.set()
    assert codes(found) == [("server", "timeout")]


def test_a_body_without_an_end(server, monkeypatch):
    monkeypatch.setattr("crm_automation.sync.transport.LIMIT", 10_000)
    server.say("/.well-known/caldav", b"x" * 20_000)
    server.say("/", b"x" * 20_000)
    found = look(server)
    assert codes(found) == [("server", "too_large")]


def test_a_text_that_is_too_large(server, monkeypatch):
    monkeypatch.setattr("crm_automation.sync.remote.MAX_TEXT", 1000)
    server.say("/work/a.ics", b"x" * 2000, 200, "GET")
    [address] = read_address(f"{server.url}/work/")
    with Transport(address, "ana", "pssst", Allowed.listed("127.0.0.1")) as one:
        calendar = RemoteCalendar(one, address)
        with pytest.raises(FetchError):
            calendar.get("/work/a.ics")
        assert calendar.get("/work/b.ics") is None


def test_a_text_with_a_nul(server):
    server.say("/work/a.ics", b"SUMMARY:a\0b", 200, "GET")
    [address] = read_address(f"{server.url}/work/")
    with Transport(address, "ana", "pssst", Allowed.listed("127.0.0.1")) as one:
        assert RemoteCalendar(one, address).get("/work/a.ics").text == "SUMMARY:ab"


def test_a_status_that_is_no_number(server):
    body = multistatus("/work/", CALENDAR).replace(
        b"HTTP/1.1 200", "HTTP/1.1 \N{SUPERSCRIPT TWO}".encode()
    )
    server.say("/work/", body)
    [address] = read_address(f"{server.url}/work/")
    with Transport(address, "ana", "pssst", Allowed.listed("127.0.0.1")) as one:
        assert not RemoteCalendar(one, address).can_sync()


def at_once(server, work, items, seconds=20):
    [address] = read_address(server.url)
    with Transport(address, "ana", "pssst", Allowed.listed("127.0.0.1"), seconds=seconds) as one:
        one.at_once(lambda item: work(one, item), items)
        return one.count


def test_a_few_at_a_time(server):
    number, most, lock = [0], [0], threading.Lock()

    class Slow(dict):
        def get(self, key, default):
            with lock:
                number[0] += 1
                most[0] = max(most[0], number[0])
            time.sleep(0.05)
            with lock:
                number[0] -= 1
            return 204, {}, b""

    server.answers = Slow()
    [address] = read_address(server.url)
    count = at_once(
        server, lambda one, item: one.ask("PUT", follow(address, f"/{item}"), b"x"), range(12)
    )
    assert count == 12
    assert sorted(path for _method, path, _auth in server.asked) == sorted(
        f"/{item}" for item in range(12)
    )
    assert {auth for _method, _path, auth in server.asked} == {f"Basic {TOKEN}"}
    assert 1 < most[0] <= AT_ONCE


def test_after_a_failure_nothing_is_begun(server):
    done = []

    def work(_one, item):
        if item == 5:
            raise RemoteError("server", host="x")
        time.sleep(0.02)
        done.append(item)

    with pytest.raises(RemoteError):
        at_once(server, work, range(100))
    assert len(done) <= 5 + AT_ONCE


def test_all_that_are_slow_are_left_together(server):
    class Drip(dict):
        def get(self, key, default):
            time.sleep(30)

    server.answers = Drip()
    [address] = read_address(server.url)
    begun = time.monotonic()
    with pytest.raises(FetchError) as error:
        at_once(server, lambda one, item: one.ask("PUT", address, b"x"), range(8), seconds=1)
    assert error.value.code == "timeout"
    assert time.monotonic() - begun < 5


def test_a_server_that_is_asked_patiently(server):
    [address] = read_address(server.url)
    threads = set()
    with Transport(address, "ana", "pssst", Allowed.listed("127.0.0.1"), seconds=20) as one:
        one.is_patient = True
        one.at_once(lambda _item: threads.add(threading.get_ident()), range(20))
    assert threads == {threading.get_ident()}

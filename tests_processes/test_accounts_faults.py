"""Servers that fail, forget, lie or die while an account is brought in step.

Between Odoo and the server stands a proxy that does to each request what a test wants.
"""

import contextlib
import http.client
import http.server
import re
import threading
import time
import unittest.mock

import pytest
from remote_servers import LONG, PEERS, Program, event, peer
from test_accounts import change, here, joined, look, luis, make, sync

import processes
import session

pytestmark = pytest.mark.skipif(not PEERS.is_dir(), reason="the other servers cannot be had")

#: The rows that matter most are tried with both of them, the others when there is time.
on_both = pytest.mark.parametrize("server", ["radicale", "xandikos"], indirect=True)
on_radicale = pytest.mark.parametrize("server", ["radicale"], indirect=True)
#: Of a turn, so many steps are looked at one by one.
STEPS = 40
EMPTY = '<?xml version="1.0"?><multistatus xmlns="DAV:">{}</multistatus>'


class Proxy:
    """``rule`` is a function of (method, path, body) to (status, headers, body) instead of
    what the server says, to None for that, or to a function of the server's answer."""

    def __init__(self, port):
        self.target = port
        self.rule = None
        self.asked = []

    def forward(self, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=60)
        with contextlib.closing(connection):
            # Addresses in the answer are to be the proxy's: they are made of this.
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self):
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy = self.server.proxy
        proxy.asked.append((self.command, self.path))
        headers = {name: value for name, value in self.headers.items()
                   if name.lower() not in ("accept-encoding", "connection")}  # fmt: skip
        said = proxy.rule and proxy.rule(self.command, self.path, body)
        if said is None or callable(said):
            answer = proxy.forward(self.command, self.path, body, headers)
            said = said(answer) if callable(said) else answer
        status, headers, body = said
        self.send_response_only(status)
        length = headers.pop("X-Length", len(body))
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_args):
        """Quiet."""


@pytest.fixture(params=["radicale", "xandikos"] if LONG else ["radicale"])
def server(request):
    with peer(request.param) as found:
        yield found


@contextlib.contextmanager
def serving(proxy):
    """The proxy, at an ``url`` of its own."""
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    web.proxy = proxy
    proxy.url = f"http://127.0.0.1:{web.server_address[1]}/"
    threading.Thread(target=web.serve_forever, args=(0.05,), daemon=True).start()
    yield proxy
    web.shutdown()
    web.server_close()


@pytest.fixture
def proxy(server):
    with serving(Proxy(server.port)) as found:
        yield found


@pytest.fixture
def program(server):
    return Program(f"{server.home}work/").make()


@pytest.fixture
def account(proxy, program):
    with joined(proxy.url) as account_id:
        yield account_id


def is_not(*methods):
    """Rule: these get that answer."""

    def rule(status, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return lambda method, path, body: (status, headers, b"") if method in methods else None

    return rule


def retry(account_id):
    """Whatever waits is tried at once."""
    with session.environment() as env:
        env["caldav.account"].browse(account_id).write({"failures": 0})
        rows = env["caldav.account.object"].search([("account_id", "=", account_id)])
        rows.write({"next_try": False})
        rows.filtered(lambda row: row.hold == "refused").write({"hold": False, "failures": 0})
    sync(account_id)


@on_both
@pytest.mark.parametrize("status", [500, 401, 403, 404, 429, 503, 507])
def test_no_to_reading(account, program, proxy, status):
    program.put("a.ics", event("a"))
    sync(account)
    make(name="Here")
    program.put("b.ics", event("b"))
    proxy.rule = is_not("REPORT", "PROPFIND")(status, Retry_After="7200")
    sync(account)
    state, message, _counts, result = look(account)
    assert (state, result) == (
        "asks" if status in (401, 403, 404, 507) else "waiting", "error"
    ), message  # fmt: skip
    assert message and "alice" not in message
    assert here() == ["Here", "a"] and sorted(program.by_summary()) == ["a", "b"]
    with session.environment() as env:
        one = env["caldav.account"].browse(account)
        wait = (one.next_sync - env.cr.now()).total_seconds()
    assert wait > (7100 if status != 401 else 80_000)
    proxy.rule = None
    retry(account)
    assert look(account)[0] == "ok"
    assert here() == ["Here", "a", "b"] == sorted(program.by_summary())


@on_both
@pytest.mark.parametrize("status", [500, 401, 403, 404, 409, 412, 429, 507])
def test_no_to_writing(account, program, proxy, status):
    program.put("a.ics", event("a"))
    sync(account)
    make(name="Here")
    change("a", location="Cellar")
    proxy.rule = is_not("PUT")(status)
    sync(account)
    assert here() == ["Here", "a"] and sorted(program.by_summary()) == ["a"]
    proxy.rule = None
    retry(account)
    retry(account)
    assert look(account)[0] == "ok", look(account)
    texts = program.by_summary()
    assert sorted(texts) == ["Here", "a"] and "Cellar" in texts["a"]


@on_both
def test_a_server_that_comes_back_empty(account, program, proxy):
    for name in "abcd":
        program.put(f"{name}.ics", event(name))
    make(name="Here")
    # The second time its own writing is known: what was made and deleted since the last token
    # some do not mention.
    sync(account, 2)
    for name in list(program.names()):
        program.delete(name)
    sync(account)
    assert look(account)[0] == "asks"
    assert here() == ["Here", "a", "b", "c", "d"]
    # It says so again, and that changes nothing.
    sync(account)
    assert here() == ["Here", "a", "b", "c", "d"] and not program.names()
    with session.environment() as env:
        rows = env["caldav.account.object"].search([("hold", "=", "brake")])
        assert len(rows) == 5
        rows[:2].with_user(luis(env)).action_keep()
        rows[2:].with_user(luis(env)).action_delete()
        kept = sorted(rows[:2].mapped("summary"))
    sync(account, 2)
    assert here() == kept == sorted(program.by_summary())
    assert look(account)[0] == "ok"


@on_both
def test_a_listing_that_is_empty_proves_nothing(account, program, proxy):
    for name in "abc":
        program.put(f"{name}.ics", event(name))
    sync(account)
    with session.environment() as env:
        env["caldav.account.calendar"].search([]).write({"sync_token": False, "listed_at": False})

    def empty(method, path, body):
        if method == "REPORT" and b"sync-collection" in body:
            return 207, {}, EMPTY.format("<sync-token>http://x/</sync-token>").encode()
        return None

    proxy.rule = empty
    sync(account)
    assert here() == ["a", "b", "c"]
    proxy.rule = None
    with session.environment() as env:
        env["caldav.account.calendar"].search([]).write({"sync_token": False, "listed_at": False})
    sync(account)
    assert here() == ["a", "b", "c"] == sorted(program.by_summary())
    assert look(account)[0] == "ok"


@on_both
def test_a_token_that_is_lost(account, program, proxy):
    program.put("a.ics", event("a"))
    sync(account)
    with session.environment() as env:
        env["caldav.account.calendar"].search([("enabled", "=", True)]).sync_token = "http://lost"
    program.put("b.ics", event("b"))
    program.delete("a.ics")
    make(name="Here")
    sync(account)
    assert here() == ["Here", "b"] == sorted(program.by_summary())


@on_radicale
def test_pages_that_repeat(account, program, proxy):
    program.put("a.ics", event("a"))
    sync(account)

    def again(answer):
        status, headers, body = answer
        more = b"<response><href>/alice/work/</href><status>HTTP/1.1 507 X</status></response>"
        body = re.sub(rb"<sync-token>.*?</sync-token>", b"<sync-token>http://x/</sync-token>", body)
        return status, headers, body.replace(b"</multistatus>", more + b"</multistatus>")

    proxy.rule = lambda method, path, body: again if b"sync-collection" in body else None
    sync(account)
    assert look(account)[0] == "waiting" and len(proxy.asked) < 60
    assert here() == ["a"] == sorted(program.by_summary())


@on_radicale
def test_etags_that_change_for_nothing(account, program, proxy):
    program.put("a.ics", event("a"))
    sync(account)
    count = [0]

    def other(answer):
        count[0] += 1
        status, headers, body = answer
        mark = f"{count[0]:04}".encode()
        body = re.sub(rb'(<getetag>"[0-9a-f]{8})[0-9a-f]{4}', rb"\g<1>" + mark, body)
        return status, headers, body

    proxy.rule = lambda method, path, body: other if method == "REPORT" else None
    sync(account, 3)
    assert here() == ["a"] == sorted(program.by_summary())
    assert not any(method in ("PUT", "DELETE") for method, _path in proxy.asked)


@on_both
def test_bodies_that_are_cut(account, program, proxy):
    program.put("a.ics", event("a"))
    sync(account)
    program.put("b.ics", event("b"))

    def cut(answer):
        status, headers, body = answer
        return status, {**headers, "X-Length": len(body)}, body[: len(body) // 2]

    proxy.rule = lambda method, path, body: cut if method == "REPORT" else None
    sync(account)
    assert look(account)[0] == "waiting"
    assert here() == ["a"]
    proxy.rule = None
    retry(account)
    assert here() == ["a", "b"]


def test_a_server_that_is_killed(account, program, proxy, server):
    for number in range(12):
        program.put(f"{number}.ics", event(f"u{number}"))
    for number in range(3):
        make(name=f"Here {number}")
    puts = [0]

    def kill(method, path, body):
        puts[0] += method == "PUT"
        if puts[0] == 2 and server.process.poll() is None:
            server.stop()
        return (502, {}, b"") if server.process.poll() is not None else None

    proxy.rule = kill
    sync(account)
    assert look(account)[0] == "waiting"
    server.start()
    proxy.rule = None
    retry(account)
    everything = sorted([f"u{n}" for n in range(12)] + [f"Here {n}" for n in range(3)])
    assert here() == everything == sorted(program.by_summary())
    assert len(program.names()) == 15


def test_somebody_writes_in_between(account, program, proxy):
    program.put("a.ics", event("a", more="LOCATION:Old\r\n"))
    sync(account)
    change("a", description="Notes")
    done = []

    def slip_in(method, path, body):
        if method == "PUT" and not done:
            done.append(True)
            program.put("a.ics", event("a", more="LOCATION:New\r\n"))

    proxy.rule = slip_in
    sync(account)
    sync(account)
    text = program.by_summary()["a"]
    assert "LOCATION:New" in text and "Notes" in text
    assert here() == ["a"] and len(program.names()) == 1


def test_a_worker_dies_at_any_step(account, program, proxy):
    program.put("a.ics", event("a", more="LOCATION:Old\r\n"))
    make(name="Here")

    def work(env):
        env["caldav.account"].browse(account).next_sync = env.cr.now()
        env.cr.commit()
        env["caldav.account"]._sync_due()

    for round_ in range(14):
        step = 25 + round_ * 23
        tag = f"n{round_}"
        with session.environment() as env:
            found = env["calendar.event"].search(
                [("name", "=", "a"), ("user_id", "=", luis(env).id)]
            )
            if found:
                found.description = tag
        name = f"x{round_}"
        program.put(f"{name}.ics", event(name))
        make(name=f"m{round_}")
        processes.Worker(work, die_at=step).join()
        retry(account)
        retry(account)
        expected = sorted(["a", "Here"] + [f"{k}{n}" for n in range(round_ + 1) for k in "xm"])
        assert here() == expected == sorted(program.by_summary()), step
        assert len(program.names()) == len(expected), step
        assert round_ == 0 or tag in program.by_summary()["a"], step
    assert look(account)[0] == "ok"


def test_a_merge_that_is_not_taken_at_once(account, program, proxy):
    program.put("a.ics", event("a", more="LOCATION:Old\r\n"))
    sync(account)
    program.put("a.ics", event("a", more="LOCATION:New\r\n"))
    change("a", description="Notes")
    proxy.rule = is_not("PUT")(500)
    sync(account)
    with session.environment() as env:
        found = env["calendar.event"].search([("name", "=", "a"), ("user_id", "=", luis(env).id)])
        assert found.location == "New" and "Notes" in found.description
    proxy.rule = None
    retry(account)
    text = program.by_summary()["a"]
    assert "LOCATION:New" in text and "Notes" in text


def test_the_clock_of_the_server_jumps(account, program, proxy):
    """What it says of the time, in headers and in properties, decides nothing."""
    program.put("a.ics", event("a", more="LOCATION:Old\r\n"))
    sync(account)
    for year in (1971, 2099, 2026):

        def at(answer, year=year):
            status, headers, body = answer
            moment = f"Fri, 01 Jan {year} 00:00:00 GMT"
            headers = {name: value for name, value in headers.items()
                       if name.lower() not in ("date", "last-modified")}  # fmt: skip
            return status, {**headers, "Date": moment, "Last-Modified": moment}, body

        proxy.rule = lambda method, path, body, at=at: at
        program.put(f"{year}.ics", event(f"t{year}"))
        change("a", location=f"L{year}")
        make(name=f"H{year}")
        sync(account)
        assert look(account)[0] == "ok"
        assert f"LOCATION:L{year}" in program.by_summary()["a"]
    expected = sorted(["a", *(f"{kind}{year}" for kind in "tH" for year in (1971, 2026, 2099))])
    assert here() == expected == sorted(program.by_summary())
    sync(account)
    assert look(account)[3] == "unchanged"


@pytest.mark.parametrize("often", [2, 100])
def test_somebody_keeps_writing_in_odoo(account, program, proxy, often):
    """Each time that Odoo is about to write a meeting, somebody else has just written it."""
    program.put("a.ics", event("a", more="LOCATION:Old\r\n"))
    program.put("b.ics", event("b", more="LOCATION:Old\r\n"))
    sync(account)
    for name in "ab":
        program.put(f"{name}.ics", event(name, more="LOCATION:New\r\n"))

    def work(env):
        from odoo.addons.crm_automation.models.caldav_sync_here import Here

        turns = []

        def quicker(method):
            def put(self, *args):
                if len(turns) < often and "a" in (args[0] if args else ()):
                    turns.append(True)
                    with env.registry.cursor() as cr:
                        cr.execute("UPDATE calendar_event SET videocall_location = %s"
                                   " WHERE ical_uid = 'a'", [f"https://{len(turns)}"])  # fmt: skip
                return method(self, *args)

            return put

        env["caldav.account"].browse(account).next_sync = env.cr.now()
        env.cr.commit()
        with (
            unittest.mock.patch.object(Here, "put", quicker(Here.put)),
            unittest.mock.patch.object(Here, "put_together", quicker(Here.put_together)),
        ):
            env["caldav.account"]._sync_due()
        return len(turns)

    assert processes.Worker(work).join()[0] >= 2
    with session.environment() as env:
        mine = env["calendar.event"].search([("user_id", "=", luis(env).id)])
        places = dict(mine.mapped(lambda one: (one.name, one.location)))
        row = env["caldav.account.object"].search([("uid", "=", "a")])
        reason = row.reason
    assert places["b"] == "New"
    if often == 2:
        assert places["a"] == "New" and look(account)[0] == "ok"
        return
    # It waits, and says why; the next time it works.
    assert places["a"] == "Old" and "mismo momento" in reason and row
    retry(account)
    assert "LOCATION:New" in program.by_summary()["a"] and look(account)[0] == "ok"
    with session.environment() as env:
        found = env["calendar.event"].search([("user_id", "=", luis(env).id), ("name", "=", "a")])
        assert found.location == "New"


@pytest.mark.parametrize("status", [423, 500])
def test_a_server_that_bears_no_two_at_once(account, program, proxy, status):
    for number in range(12):
        make(name=f"Here {number}")
    under_way, refused, lock = set(), [], threading.Lock()

    def one_by_one(method, path, body):
        if method != "PUT":
            return None
        with lock:
            others = bool(under_way)
            under_way.add(path)
        if others:
            refused.append(path)
            under_way.discard(path)
            return status, {}, b""

        def later(answer):
            time.sleep(0.05)
            under_way.discard(path)
            return answer

        return later

    proxy.rule = one_by_one
    sync(account)
    assert look(account)[0] == "ok" and len(program.names()) == 12
    assert refused and len(refused) < 6
    if status == 423:
        # It has said so: the next time they are written one after the other at once.
        refused.clear()
        with session.environment() as env:
            for meeting in env["calendar.event"].search([("user_id", "=", luis(env).id)]):
                meeting.with_user(luis(env)).location = "Elsewhere"
        sync(account)
        assert look(account)[0] == "ok" and not refused
        assert all("LOCATION:Elsewhere" in text for text in program.texts().values())


def test_its_owner_presses_the_button_between_any_two_steps(account, program):
    """What he writes of his account is no failure of the job: it begins anew."""
    program.put("a.ics", event("a", "There"))

    for step in range(1, STEPS):
        with session.environment() as env:
            env["caldav.account"].browse(account).next_sync = env.cr.now()
        worker = processes.Worker(lambda env: env["caldav.account"]._sync_due(), stop_at=step)
        if worker.wait_stopped():
            with session.environment() as env:
                env["caldav.account"].browse(account).with_user(luis(env)).action_sync()
            worker.go_on()
        worker.join()
    sync(account)
    assert look(account)[0] == "ok"
    assert here() == ["There"]


def test_what_was_written_unheard_is_no_change_of_theirs(account, program, proxy):
    """The server has taken it, and Odoo has not heard so: who deletes it here deletes it."""
    program.put("a.ics", event("a"))
    sync(account)
    change("a", location="Cellar")

    def unheard(method, path, body):
        return (lambda answer: (500, {}, b"")) if method == "PUT" else None

    proxy.rule = unheard
    sync(account)
    assert "LOCATION:Cellar" in program.by_summary()["a"]
    proxy.rule = None
    with session.environment() as env:
        env["calendar.event"].search([("name", "=", "a"), ("user_id", "=", luis(env).id)]).unlink()
    retry(account)
    assert here() == [] == sorted(program.by_summary())


@pytest.mark.parametrize("has_arrived", [True, False])
def test_what_was_made_and_sent_unheard_is_no_news_of_theirs(account, program, proxy, has_arrived):
    """A new meeting that Odoo deletes again does not come back from the server."""
    sync(account)
    make(name="a")

    def unheard(method, path, body):
        if method != "PUT":
            return None
        return (lambda answer: (500, {}, b"")) if has_arrived else (500, {}, b"")

    proxy.rule = unheard
    sync(account)
    assert list(program.by_summary()) == ["a"] * has_arrived
    proxy.rule = None
    with session.environment() as env:
        env["calendar.event"].search([("name", "=", "a"), ("user_id", "=", luis(env).id)]).unlink()
    retry(account)
    retry(account)
    assert here() == [] == sorted(program.by_summary())
    assert look(account)[0] == "ok"

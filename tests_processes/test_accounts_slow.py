"""A server that takes its time keeps nobody waiting who has nothing to do with it."""

import threading
import time

import pytest
from remote_servers import PEERS, Program, event, peer
from test_accounts import choose, connect, forget, here, look, make, person
from test_accounts_faults import Proxy, serving

import odoo.sql_db

import processes
import session

pytestmark = pytest.mark.skipif(not PEERS.is_dir(), reason="the other servers cannot be had")

#: Seconds that the slow one takes for an answer, unless a test is over before.
SLOW = 30
#: Seconds within which the other one is in step: far less.
QUICK = 10


@pytest.fixture
def server():
    with peer("radicale") as found:
        yield found


class Slow(Proxy):
    """``hurry`` ends its being slow; ``is_asked`` is set at its first request since then."""

    def __init__(self, port):
        super().__init__(port)
        self.hurry, self.is_asked = threading.Event(), threading.Event()
        self.hurry.set()
        self.rule = self.take_time

    def take_time(self, _method, _path, _body):
        if not self.hurry.is_set():
            self.is_asked.set()
            self.hurry.wait(SLOW)


@pytest.fixture
def slow(server):
    with serving(Slow(server.port)) as found:
        yield found
        found.hurry.set()


@pytest.fixture
def programs(server):
    """On a calendar of each."""
    return {
        owner: Program(f"{server.url}{owner}/work/", owner, owner).make()
        for owner in ("luis", "ana")
    }


@pytest.fixture
def accounts(server, slow, programs):
    """Ids by owner: Luis's server is the slow one, and both are due, his first."""
    urls = {"luis": slow.url, "ana": server.url}
    made = {owner: connect(url, owner, owner, owner) for owner, url in urls.items()}
    for account_id in made.values():
        choose(account_id, place="agenda")
    for owner, program in programs.items():
        program.put("a.ics", event(f"there-{owner}", "There"))
    slow.hurry.clear()
    with session.environment() as env:
        for owner, second in (("luis", 1), ("ana", 2)):
            due = f"2026-01-01 00:00:0{second}"
            env["caldav.account"].browse(made[owner]).next_sync = due
    yield made
    slow.hurry.set()
    with session.environment() as env:
        env["caldav.account"].search([]).unlink()
        for owner in made:
            forget(env, owner)


def work(env):
    env["caldav.account"]._sync_due()


def open_transactions():
    """How many others have one open."""
    with session.environment() as env:
        env.cr.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
        )
        return env.cr.fetchone()[0]


def test_two_workers(accounts, slow):
    held = processes.Worker(work)
    assert slow.is_asked.wait(QUICK)
    begun = time.monotonic()
    processes.Worker(work).join()
    assert time.monotonic() - begun < QUICK
    assert not slow.hurry.is_set() and here("luis") == []
    assert look(accounts["ana"])[0] == "ok" and here("ana") == ["There"]
    # Nothing is locked that its owner may want to write meanwhile.
    assert open_transactions() == 0
    with session.environment() as env:
        account = env["caldav.account"].browse(accounts["luis"])
        assert account.state == "working"
        env.cr.execute("SET LOCAL lock_timeout = '1s'")
        account.with_user(person(env, "luis")).name = "Slow"
        env.flush_all()
    slow.hurry.set()
    held.join()
    assert look(accounts["luis"])[0] == "ok" and here("luis") == ["There"]


def test_the_jobs_of_a_whole_odoo(accounts, slow, programs, tmp_path):
    """One of the two jobs waits; what others change goes out within seconds all the same."""
    log = tmp_path / "odoo.log"
    with session.environment() as env:
        env["caldav.account"]._wake()
    odoo.sql_db.close_all()
    with processes.odoo_server(log, 2):
        assert slow.is_asked.wait(180), log.read_text()[-3000:]
        begun = time.monotonic()
        make("ana", name="Here")
        while "Here" not in programs["ana"].by_summary():
            assert time.monotonic() - begun < QUICK, log.read_text()[-3000:]
            time.sleep(0.2)
        assert look(accounts["luis"])[0] == "working" and here("luis") == []
        slow.hurry.set()
    odoo.sql_db.close_all()

"""Accounts in step with real servers, each in a process of its own."""

import contextlib
import time
import types

import pytest
from remote_servers import Program, any_peer, event

import odoo.sql_db

import processes
import session


@contextlib.contextmanager
def our_own(log):
    """Odoo itself, where Ana has her calendars."""
    with session.environment() as env:
        ana = env["res.users"].search([("login", "=", "ana")])
        key = env["res.users.apikeys"].with_user(ana).sudo()._generate("caldav", "Test", None)
    odoo.sql_db.close_all()
    with processes.odoo_server(log, 0) as server:
        found = types.SimpleNamespace(
            url=f"{server.url}/caldav/", home=f"{server.url}/caldav/calendars/ana/",
            login="ana", password=key,
        )  # fmt: skip
        program = Program(found.home, "ana", key)
        end = time.monotonic() + 90
        while True:
            with contextlib.suppress(OSError):
                assert program.ask("PROPFIND", found.home, Depth="0")[0] == 207
                break
            assert time.monotonic() < end, log.read_text()[-3000:]
            time.sleep(0.3)
        yield found
    odoo.sql_db.close_all()
    with session.environment() as env:
        ana = env["res.users"].search([("login", "=", "ana")])
        env["caldav.collection"].search(
            [("user_id", "=", ana.id), ("kind", "=", "own")]
        ).unlink()  # fmt: skip
        events = env["calendar.event"].with_context(active_test=False)
        events.search([("user_id", "=", ana.id), ("ical_uid", "!=", False)]).unlink()


@pytest.fixture(params=["radicale", "xandikos", "sabredav", "davical", "own"])
def server(request, tmp_path):
    if request.param == "own":
        with our_own(tmp_path / "odoo.log") as found:
            yield found
        return
    others = any_peer(request.param)
    if others is None:
        pytest.skip(f"{request.param} cannot be had")
    with others as found:
        found.login = found.password = "alice"
        yield found


@pytest.fixture
def program(server):
    return Program(f"{server.home}work/", server.login, server.password).make()


@pytest.fixture
def account(server, program):
    """The id of Luis's account; it is connected, and the calendar is in step with his agenda."""
    with joined(server.url, server.login, server.password) as account_id:
        yield account_id


@contextlib.contextmanager
def joined(url, *secrets):
    """An account whose calendar is in step with Luis's agenda, and then nothing of it."""
    account_id = connect(url, *secrets)
    choose(account_id, place="agenda")
    yield account_id
    with session.environment() as env:
        env["caldav.account"].search([]).unlink()
        forget(env)


def forget(env, owner="luis"):
    events = env["calendar.event"].with_context(active_test=False)
    events.search([("user_id", "=", person(env, owner).id)]).unlink()


def person(env, login):
    return env["res.users"].search([("login", "=", login)])


def luis(env):
    return person(env, "luis")


def connect(url, login="alice", password="alice", owner="luis"):
    with session.environment() as env:
        forget(env, owner)
        env["ir.config_parameter"].set_param("crm_automation.fetch_allowed", "127.0.0.1")
        made = env["caldav.account"].with_user(person(env, owner)).create(
            {"name": "Elsewhere", "url": url, "login": login, "password": password}
        )  # fmt: skip
        made.action_connect()
        assert made.state == "ok", made.test_report
        return made.id


def choose(account_id, name="work", **values):
    with session.environment() as env:
        account = env["caldav.account"].browse(account_id)
        calendar = account.calendar_ids.filtered(lambda one: f"/{name}/" in one.url)
        calendar.with_user(account.user_id).write({"enabled": True, **values})
        return calendar.id


def sync(account_id, rounds=1):
    """Let the job do what is due."""

    def work(env):
        account = env["caldav.account"].browse(account_id)
        account.next_sync = env.cr.now()
        env.cr.commit()
        env["caldav.account"]._sync_due()

    for _round in range(rounds):
        processes.Worker(work).join()


def look(account_id):
    """(state, message, counts of the last run)"""
    with session.environment() as env:
        account = env["caldav.account"].browse(account_id)
        run = account.run_ids[:1]
        names = (
            "created_count",
            "changed_count",
            "deleted_count",
            "conflict_count",
            "failed_count",
        )
        return account.state, account.message, tuple(run[name] for name in names), run.result


def make(owner="luis", **values):
    with session.environment() as env:
        user = person(env, owner)
        values = {
            "name": "Here", "start": "2027-03-02 09:00:00", "stop": "2027-03-02 10:00:00",
            "user_id": user.id, "partner_ids": user.partner_id.ids, **values,
        }  # fmt: skip
        return env["calendar.event"].with_user(user).create(values).id


def change(title, owner="luis", **values):
    with session.environment() as env:
        user = person(env, owner)
        found = env["calendar.event"].search([("user_id", "=", user.id), ("name", "=", title)])
        assert len(found) == 1, found.mapped("name")
        found.with_user(user).write(values)


def here(owner="luis"):
    """Titles of the meetings of Luis, or of another one."""
    with session.environment() as env:
        found = env["calendar.event"].search([("user_id", "=", person(env, owner).id)])
        return sorted(found.mapped("name"))


def test_first_time_both_ways(account, program):
    program.put("a.ics", event("a", "There"))
    program.put("b.ics", event("b", "Weekly", more="RRULE:FREQ=WEEKLY;COUNT=3\r\n"))
    make(name="Here")
    sync(account)
    assert look(account) == ("ok", False, (3, 0, 0, 0, 0), "done")
    assert here() == ["Here", "There", "Weekly", "Weekly", "Weekly"]
    assert sorted(program.by_summary()) == ["Here", "There", "Weekly"]
    sync(account, 2)
    assert look(account)[2:] == ((0, 0, 0, 0, 0), "unchanged")


def test_changes_go_both_ways(account, program):
    program.put("a.ics", event("a", "There", more="X-A;B=1:kept\r\nLOCATION:Old\r\n"))
    sync(account)
    change("There", name="Renamed")
    sync(account)
    text = program.by_summary()["Renamed"]
    assert "LOCATION:Old" in text and "X-A;B=1:kept" in text
    # Each side changes something else: both survive.
    program.put("a.ics", text.replace("LOCATION:Old", "LOCATION:New"))
    change("Renamed", description="Notes")
    sync(account)
    assert look(account)[0] == "ok"
    text = program.by_summary()["Renamed"]
    assert "LOCATION:New" in text and "Notes" in text
    with session.environment() as env:
        found = env["calendar.event"].search(
            [("name", "=", "Renamed"), ("user_id", "=", luis(env).id)]
        )  # fmt: skip
        assert found.location == "New" and "Notes" in found.description
    sync(account)
    assert look(account)[3] == "unchanged"


def test_deletions_go_both_ways(account, program):
    for name in "abc":
        program.put(f"{name}.ics", event(name))
    sync(account)
    program.delete("a.ics")
    with session.environment() as env:
        env["calendar.event"].search(
            [("name", "=", "b"), ("user_id", "=", luis(env).id)]
        ).with_user(luis(env)).unlink()  # fmt: skip
    sync(account)
    assert here() == ["c"]
    assert sorted(program.by_summary()) == ["c"]
    with session.environment() as env:
        changes = env["caldav.account.change"].search([("kind", "=", "deleted")])
        assert sorted((one.summary, one.side) for one in changes) == [("a", "here"), ("b", "there")]

"""What the owner of an account chooses: directions, conflicts, private meetings, undoing."""

import re
import time

import pytest
from remote_servers import PEERS, Program, event, peer
from test_accounts import change, choose, connect, forget, here, joined, look, luis, make, sync

import odoo.sql_db

import processes
import session

pytestmark = pytest.mark.skipif(not PEERS.is_dir(), reason="the other servers cannot be had")


@pytest.fixture
def server():
    with peer("radicale") as found:
        yield found


@pytest.fixture
def program(server):
    return Program(f"{server.home}work/").make()


@pytest.fixture
def account(server, program):
    with joined(server.url) as account_id:
        yield account_id


def both_change(account, program):
    program.put("a.ics", event("a", more="LOCATION:Old\r\n"))
    sync(account)
    program.put("a.ics", event("a", more="LOCATION:Theirs\r\nLAST-MODIFIED:20990101T000000Z\r\n"))
    change("a", location="Ours")


def location():
    with session.environment() as env:
        return env["calendar.event"].search(
            [("user_id", "=", luis(env).id), ("name", "=", "a")]).location  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "counts"), [("odoo", "Ours"), ("remote", "Theirs"), ("newest", "Theirs")]
)
def test_one_counts_and_the_other_is_kept(account, program, policy, counts):
    choose(account, policy=policy)
    both_change(account, program)
    sync(account)
    loser = {"Ours": "Theirs", "Theirs": "Ours"}[counts]
    assert location() == counts
    assert f"LOCATION:{counts}" in program.by_summary()["a"]
    assert look(account)[2][3] == 1
    with session.environment() as env:
        kept = env["caldav.account.change"].search([("kind", "=", "conflict")])
        assert len(kept) == 1 and f"LOCATION:{loser}" in kept.lost_text
        kept.with_user(luis(env)).action_restore()
    sync(account)
    assert location() == loser
    assert f"LOCATION:{loser}" in program.by_summary()["a"]


@pytest.mark.parametrize("counts", ["here", "there"])
def test_the_owner_is_asked(account, program, counts):
    choose(account, policy="ask")
    both_change(account, program)
    sync(account, 2)
    assert location() == "Ours" and "LOCATION:Theirs" in program.by_summary()["a"]
    state, _message, _counts, _result = look(account)
    assert state == "asks"
    with session.environment() as env:
        row = env["caldav.account.object"].search([("hold", "=", "conflict")])
        getattr(row.with_user(luis(env)), f"action_take_{counts}")()
    sync(account)
    value = {"here": "Ours", "there": "Theirs"}[counts]
    assert location() == value and f"LOCATION:{value}" in program.by_summary()["a"]
    assert look(account)[0] == "ok"


def test_only_in(account, program):
    choose(account, direction="in")
    program.put("a.ics", event("a", more="LOCATION:Old\r\n"))
    program.put("b.ics", event("b"))
    make(name="Here")
    sync(account)
    assert here() == ["Here", "a", "b"] and len(program.names()) == 2
    change("a", location="Ours")
    with session.environment() as env:
        env["calendar.event"].search([("name", "=", "b")]).with_user(luis(env)).unlink()
    sync(account, 2)
    assert "LOCATION:Old" in program.by_summary()["a"] and len(program.names()) == 2
    assert location() == "Ours" and here() == ["Here", "a"]
    program.put("b.ics", event("b", "B again"))
    program.put("a.ics", event("a", "A", more="LOCATION:Old\r\n"))
    sync(account)
    assert here() == ["A", "B again", "Here"]
    change("A", description="Notes")
    program.delete("a.ics")
    sync(account)
    # It was changed here: it stays.
    assert here() == ["A", "B again", "Here"]


def test_only_out(account, program):
    program.put("x.ics", event("x"))
    choose(account, direction="out")
    make(name="Here")
    make(name="Gone")
    sync(account)
    assert here() == ["Gone", "Here"] and sorted(program.by_summary()) == ["Gone", "Here", "x"]
    change("Here", location="Cellar")
    with session.environment() as env:
        env["calendar.event"].search([("name", "=", "Gone")]).with_user(luis(env)).unlink()
    sync(account)
    assert "LOCATION:Cellar" in program.by_summary()["Here"]
    assert sorted(program.by_summary()) == ["Here", "x"]


@pytest.mark.parametrize("choice", ["busy", "none", "full"])
def test_private_meetings(account, program, choice):
    choose(account, private_out=choice)
    make(name="Doctor", privacy="private", location="Hospital", description="Knee")
    make(name="Open")
    program.put("p.ics", event("p", "Theirs", more="CLASS:PRIVATE\r\n"))
    sync(account)
    text = "".join(program.texts().values())
    assert ("Hospital" in text, "Doctor" in text, "Knee" in text) == ((choice == "full"),) * 3
    assert len(program.names()) == (2 if choice == "none" else 3)
    assert here() == ["Doctor", "Open", "Theirs"]
    if choice == "busy":
        # Moved there: it keeps here what they do not know.
        [(name, old)] = [
            one for one in program.texts().items()
            if "SUMMARY:Theirs" not in one[1] and "SUMMARY:Open" not in one[1]
        ]  # fmt: skip
        program.put(name, re.sub(r"(DT(?:START|END).*T)(\d\d)0000", later, old))
        sync(account, 2)
        with session.environment() as env:
            one = env["calendar.event"].search([("name", "=", "Doctor")])
            assert (one.location, one.start.hour) == ("Hospital", 11)
            assert "Knee" in one.description
        assert "Hospital" not in "".join(program.texts().values())


def later(found):
    """Two hours."""
    return f"{found[1]}{int(found[2]) + 2:02}0000"


def test_a_run_is_taken_back(account, program):
    for name in ("a", "b", "c"):
        program.put(f"{name}.ics", event(name, more="LOCATION:Old\r\n"))
    make(name="Here", location="Old")
    sync(account)
    program.put("a.ics", event("a", more="LOCATION:New\r\n"))
    program.delete("b.ics")
    program.put("d.ics", event("d"))
    change("Here", location="New")
    change("c", location="New")
    make(name="Made")
    sync(account)
    assert look(account)[2] == (2, 3, 1, 0, 0)
    change("c", location="Newer")
    with session.environment() as env:
        run = env["caldav.account"].browse(account).run_ids[0]
        run.with_user(luis(env)).action_undo()
    sync(account)
    with session.environment() as env:
        run = env["caldav.account.run"].search([("undo", "=", "done")])
        lines = {(one.summary, one.side): one.undo for one in run.change_ids}
    assert lines == {
        ("a", "here"): "undone", ("b", "here"): "undone", ("d", "here"): "undone",
        ("Here", "there"): "undone", ("c", "there"): "undone", ("Made", "there"): "undone",
    }  # fmt: skip
    assert here() == ["Here", "Made", "a", "b", "c"]
    assert location() == "Old"
    texts = program.by_summary()
    assert sorted(texts) == ["Here", "a", "c", "d"]
    assert "LOCATION:New" in texts["a"] and "LOCATION:Old" in texts["Here"]
    # What was changed since goes on its way; the rest stays as it is.
    assert "LOCATION:Newer" in texts["c"]
    sync(account, 2)
    assert here() == ["Here", "Made", "a", "b", "c"]
    assert sorted(program.by_summary()) == ["Here", "a", "c", "d"]


def test_a_calendar_of_its_own(server, program):
    account_id = connect(server.url)
    try:
        choose(account_id, place="own")
        make(name="Here")
        program.put("a.ics", event("a"))
        sync(account_id)
        # What was in the agenda stays there.
        assert here() == ["Here", "a"] and len(program.names()) == 1
        change("a", location="Cellar")
        sync(account_id)
        assert "Cellar" in program.by_summary()["a"]
    finally:
        with session.environment() as env:
            env["caldav.account"].search([]).unlink()
            forget(env)


def test_guests_are_not_invited_again(account, program):
    with session.environment() as env:
        guest = env["res.partner"].create({"name": "Guest", "email": "guest@example.com"})
        env["calendar.invitation.outgoing"].search([]).unlink()
        partners = [guest.id, luis(env).partner_id.id]
        guests = (
            "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:guest@example.com\r\n"
            f"ORGANIZER:mailto:{luis(env).email}\r\n"
        )
    program.put("a.ics", event("a", more=guests))
    make(name="Here", partner_ids=partners)
    sync(account)
    program.put("a.ics", event("a", "Moved", start="20270302T100000Z", stop="20270302T110000Z",
                               more=guests))  # fmt: skip
    sync(account)
    assert here() == ["Here", "Moved"]
    text = program.by_summary()["Here"].replace("\r\n ", "")
    assert "SCHEDULE-AGENT=CLIENT" in text and "guest@example.com" in text
    with session.environment() as env:
        queued = env["calendar.invitation.outgoing"].search([])
        theirs = env["calendar.event"].search([("name", "=", "Moved")])
        assert not [one for one in queued.mapped("uid") if one == theirs.ical_uid]


def test_what_changes_here_goes_out_within_seconds(account, program, tmp_path):
    sync(account)
    with session.environment() as env:
        env["caldav.account"].browse(account).next_sync = "2099-01-01 00:00:00"
    odoo.sql_db.close_all()
    with processes.odoo_server(tmp_path / "odoo.log", 2):
        # The first one waits until the server is up.
        for title, seconds in (("First", 180), ("Second", 20)):
            make(name=title)
            end = time.monotonic() + seconds
            while title not in program.by_summary():
                assert time.monotonic() < end, (tmp_path / "odoo.log").read_text()[-3000:]
                time.sleep(0.3)
    odoo.sql_db.close_all()


def test_one_pair_of_hands(account, program):
    for number in range(10):
        program.put(f"{number}.ics", event(f"u{number}"))

    def work(env):
        env["caldav.account"]._sync_due()

    with session.environment() as env:
        env["caldav.account"].browse(account).next_sync = env.cr.now()
    workers = [processes.Worker(work) for _n in range(3)]
    for worker in workers:
        worker.join()
    assert here() == sorted(f"u{n}" for n in range(10))
    with session.environment() as env:
        runs = env["caldav.account"].browse(account).run_ids
        assert sum(runs.mapped("created_count")) == 10

"""What Odoo's own synchronizers with Google and Microsoft own is theirs: with their modules."""

import importlib.util

import pytest
from remote_servers import PEERS, Program, event, peer
from test_accounts import here, joined, look, luis, make, sync

import session

MODULES = ("google_calendar", "microsoft_calendar")
if not all(importlib.util.find_spec(f"odoo.addons.{name}") for name in MODULES):
    pytest.skip("Odoo comes without these modules here", allow_module_level=True)

pytestmark = pytest.mark.skipif(not PEERS.is_dir(), reason="the other servers cannot be had")
#: What each of them knows its meetings by.
OWNED = [
    {"google_id": "g00gle"}, {"microsoft_id": "m1crosoft"}, {"ms_universal_event_id": "m1crosoft"},
]  # fmt: skip


@pytest.fixture
def program():
    with peer("radicale") as server:
        found = Program(f"{server.home}work/").make()
        found.server = server
        yield found


@pytest.fixture
def account(program):
    with joined(program.server.url) as account_id:
        yield account_id


def uid_of(title):
    with session.environment() as env:
        return env["calendar.event"].search([("name", "=", title)]).ical_uid


def test_the_modules_are_there():
    with session.environment() as env:
        modules = env["ir.module.module"].search([("name", "in", MODULES)])
        assert modules.mapped("state") == ["installed"] * 2
        names = set(env["calendar.event"]._fields)
    assert names >= {name for owned in OWNED for name in owned}


@pytest.mark.parametrize("owned", OWNED, ids=lambda owned: next(iter(owned)))
def test_what_they_own_does_not_go_out(account, program, owned):
    make(name="Theirs", **owned)
    make(name="Ours")
    sync(account, 2)
    assert sorted(program.by_summary()) == ["Ours"]
    assert here() == ["Ours", "Theirs"] and look(account)[0] == "ok"


@pytest.mark.parametrize("owned", OWNED, ids=lambda owned: next(iter(owned)))
def test_what_they_own_does_not_come_in(account, program, owned):
    """The other server has it as well: it is neither changed, doubled nor deleted."""
    make(name="Theirs", **owned)
    program.put("a.ics", event(uid_of("Theirs"), "Changed"))
    sync(account, 2)
    assert here() == ["Theirs"] and sorted(program.by_summary()) == ["Changed"]
    with session.environment() as env:
        [row] = env["caldav.account.object"].search([("account_id", "=", account)])
        assert row.hold == "elsewhere" and "Google" in row.reason
    program.delete("a.ics")
    sync(account, 2)
    assert here() == ["Theirs"]


def test_as_google_names_it(account, program):
    make(name="Theirs", google_id="g00gle")
    program.put("a.ics", event("g00gle@google.com", "Changed"))
    sync(account, 2)
    assert here() == ["Theirs"] and sorted(program.by_summary()) == ["Changed"]


def test_a_series(account, program):
    with session.environment() as env:
        env["calendar.event"].with_user(luis(env)).create(
            {
                "name": "Weekly", "start": "2027-03-02 09:00:00", "stop": "2027-03-02 10:00:00",
                "user_id": luis(env).id, "partner_ids": luis(env).partner_id.ids,
                "recurrency": True, "rrule_type": "weekly", "tue": True, "interval": 1,
                "end_type": "count", "count": 3,
            }
        ).recurrence_id.google_id = "s3ries"  # fmt: skip
    sync(account, 2)
    assert not program.names() and here() == ["Weekly"] * 3

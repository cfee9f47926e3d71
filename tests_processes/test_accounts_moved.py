"""What has another address there, or is in another calendar now, is the same object."""

import pytest
from remote_servers import PEERS, Program, event, peer
from test_accounts import choose, connect, forget, here, look, luis, sync
from test_accounts_faults import Proxy, serving

import session

pytestmark = pytest.mark.skipif(not PEERS.is_dir(), reason="the other servers cannot be had")
GUESTS = (
    "ORGANIZER:mailto:luis@example.com\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:eva@x.example\r\n"
)


@pytest.fixture(params=["radicale", "xandikos"])
def server(request):
    with peer(request.param) as found:
        yield found


@pytest.fixture
def proxy(server):
    with serving(Proxy(server.port)) as found:
        yield found


@pytest.fixture
def calendars(server):
    """Two of them: which is done first must not matter."""
    return {name: Program(f"{server.home}{name}/").make() for name in ("first", "second")}


@pytest.fixture
def account(proxy, calendars):
    """The id of Luis's account; both calendars are in step with ones of their own."""
    with session.environment() as env:
        env["caldav.account"].search([]).unlink()
    account_id = connect(proxy.url)
    for name in calendars:
        choose(account_id, name, place="own")
    yield account_id
    with session.environment() as env:
        env["caldav.account"].search([]).unlink()
        forget(env)


def move(one, other, name, new=None):
    target = f"{other.url}{new or name}"
    status, text = one.ask("MOVE", f"{one.url}{name}", Destination=target, Overwrite="F")
    if status in (404, 405, 412, 501):
        # It knows no such MOVE: as its programs do it then.
        _status, text = one.ask("GET", f"{one.url}{name}")
        one.delete(name)
        other.put(new or name, text)
    else:
        assert status in (201, 204), text


def name_of(calendar):
    return calendar.url.rstrip("/").rpartition("/")[2]


def meeting(title="a"):
    """(id, answers, place) of a meeting of Luis."""
    with session.environment() as env:
        [found] = env["calendar.event"].search([("user_id", "=", luis(env).id),
                                                ("name", "=", title)])  # fmt: skip
        place = env["caldav.place"].search([("uid", "=", found.ical_uid)])
        calendar = env["caldav.account.calendar"].search(
            [("collection_id", "=", place.collection_id.id)]
        )
        return found.id, found.attendee_ids.mapped("state"), name_of(calendar)


def answer(title="a"):
    with session.environment() as env:
        found = env["calendar.event"].search([("name", "=", title)])
        found.attendee_ids.filtered(lambda one: one.email == "eva@x.example").state = "accepted"


def lines():
    """Kinds of all that was done."""
    with session.environment() as env:
        return sorted(env["caldav.account.change"].search([]).mapped("kind"))


def rows():
    with session.environment() as env:
        found = env["caldav.account.object"].search([])
        return sorted((row.uid, name_of(row.calendar_id), row.hold) for row in found)


def test_renamed(account, calendars):
    first = calendars["first"]
    first.put("a.ics", event("a", more=GUESTS))
    sync(account)
    answer()
    before = meeting()
    sync(account)
    move(first, first, "a.ics", "other.ics")
    sync(account)
    assert meeting() == before
    assert "deleted" not in lines() and lines().count("created") == 1
    assert rows() == [("a", "first", False)]
    # It is written to where it is now.
    with session.environment() as env:
        env["calendar.event"].browse(before[0]).location = "Cellar"
    sync(account)
    assert first.names() == ["other.ics"] and "Cellar" in first.by_summary()["a"]


def test_all_are_renamed(account, calendars):
    """That is no reason to ask about deletions."""
    first = calendars["first"]
    for number in range(15):
        first.put(f"{number}.ics", event(f"u{number}"))
    sync(account)
    before = {number: meeting(f"u{number}") for number in range(15)}
    for number in range(15):
        move(first, first, f"{number}.ics", f"new-{number}.ics")
    sync(account)
    assert {number: meeting(f"u{number}") for number in range(15)} == before
    assert look(account)[0] == "ok" and "deleted" not in lines()


@pytest.mark.parametrize(("source", "target"), [("first", "second"), ("second", "first")])
def test_into_another_calendar(account, calendars, source, target):
    calendars[source].put("a.ics", event("a", more=GUESTS))
    calendars[source].put("b.ics", event("b"))
    sync(account)
    answer()
    sync(account)
    event_id, states, place = meeting()
    assert place == source
    move(calendars[source], calendars[target], "a.ics")
    sync(account)
    assert meeting() == (event_id, states, target)
    assert "deleted" not in lines() and lines().count("moved") == 1
    assert rows() == [("a", target, False), ("b", source, False)]
    assert look(account)[0] == "ok"
    sync(account)
    assert look(account)[3] == "unchanged"
    assert calendars[source].names() == ["b.ics"] and calendars[target].names() == ["a.ics"]


def test_copied_first_and_deleted_later(account, calendars):
    first, second = calendars["first"], calendars["second"]
    first.put("a.ics", event("a", more=GUESTS))
    sync(account)
    event_id, states, _place = meeting()
    second.put("a.ics", event("a", more=GUESTS))
    sync(account)
    assert meeting() == (event_id, states, "first")
    first.delete("a.ics")
    sync(account)
    assert meeting() == (event_id, states, "second")
    sync(account)
    assert rows() == [("a", "second", False)] and look(account)[0] == "ok"


def test_another_object_takes_its_address(account, calendars):
    first = calendars["first"]
    first.put("a.ics", event("a"))
    first.put("c.ics", event("c"))
    sync(account)
    kept = meeting("c")
    move(first, first, "a.ics", "elsewhere.ics")
    before = meeting("a")
    first.put("a.ics", event("b"))
    sync(account)
    assert here() == ["a", "b", "c"]
    assert meeting("a") == before and meeting("c") == kept
    assert look(account)[0] == "ok" and "deleted" not in lines()


def test_a_calendar_that_fails_stops_no_other(account, calendars, proxy):
    calendars["first"].put("a.ics", event("a"))
    calendars["second"].put("b.ics", event("b"))
    proxy.rule = lambda method, path, body: (500, {}, b"") if "/first/" in path else None
    sync(account)
    assert here() == ["b"]
    state, message, _counts, result = look(account)
    assert (state, result) == ("waiting", "error") and "first: " in message
    with session.environment() as env:
        found = {name_of(one): one for one in env["caldav.account"].browse(account).calendar_ids}
        assert found["second"].state == "ok" and not found["second"].message
        assert found["first"].state == "waiting" and found["first"].message in message
        assert found["first"].next_try > env.cr.now()
        assert env["caldav.account"].browse(account).failures == 0
    # It is not asked again before its time, and the other one goes on.
    proxy.asked.clear()
    calendars["second"].put("c.ics", event("c"))
    sync(account)
    assert here() == ["b", "c"] and not any("/first/" in path for _method, path in proxy.asked)
    proxy.rule = None
    with session.environment() as env:
        env["caldav.account"].browse(account).with_user(luis(env)).action_sync()
    sync(account)
    assert here() == ["a", "b", "c"] and look(account)[:2] == ("ok", False)

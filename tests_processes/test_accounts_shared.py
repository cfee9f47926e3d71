"""Two users, each in step with the same calendar elsewhere: no change goes round in circles.

Each has a meeting of his own for what the other one has made; a meeting to which one has
invited the other is one for both.
"""

import re

import pytest
from remote_servers import LONG, PEERS, Program, event, peer
from test_accounts import change, choose, connect, forget, here, look, make, person, sync
from test_accounts_faults import Proxy, serving
from test_invitations import Post, send

import session

pytestmark = pytest.mark.skipif(not PEERS.is_dir(), reason="the other servers cannot be had")

OWNERS = ("luis", "ana")
GUEST = "guest@example.com"
CALM = ("ok", False, (0, 0, 0, 0, 0), "unchanged")


@pytest.fixture(params=["radicale", "xandikos"] if LONG else ["radicale"])
def server(request):
    with peer(request.param) as found:
        yield found


@pytest.fixture
def proxy(server):
    """Between Odoo and the server: it knows what was asked."""
    with serving(Proxy(server.port)) as found:
        yield found


@pytest.fixture
def program(server):
    return Program(f"{server.home}work/").make()


@pytest.fixture
def accounts(proxy, program):
    """Ids of the accounts, by their owners."""
    made = {}
    for owner in OWNERS:
        made[owner] = connect(proxy.url, owner=owner)
        choose(made[owner], place="agenda")
    yield made
    with session.environment() as env:
        env["caldav.account"].search([]).unlink()
        for owner in OWNERS:
            forget(env, owner)


def settle(accounts, rounds=3, order=OWNERS):
    for _round in range(rounds):
        for owner in order:
            sync(accounts[owner])


def writes(proxy):
    """What was written there since the last time."""
    found = [one for one in proxy.asked if one[0] in ("PUT", "DELETE")]
    proxy.asked.clear()
    return found


def expect_calm(accounts, program, proxy):
    """Nobody has anything to do any more."""
    before = program.texts()
    writes(proxy)
    settle(accounts, 1)
    assert not writes(proxy) and program.texts() == before
    assert [look(account) for account in accounts.values()] == [CALM] * len(accounts)


def values(title, name):
    """What each owner's meeting of this title has in a field."""
    with session.environment() as env:
        found = {}
        for owner in OWNERS:
            [one] = env["calendar.event"].search(
                [("user_id", "=", person(env, owner).id), ("name", "=", title)]
            )
            found[owner] = one[name]
        return found


def with_line(text, line):
    """The object, with a line instead of the one of that property."""
    text = re.sub(rf"^{line.partition(':')[0]}[;:].*\n", "", text, flags=re.M)
    return text.replace("END:VEVENT", f"{line}\r\nEND:VEVENT")


def write_there(program, title, line):
    [(name, text)] = [one for one in program.texts().items() if f"SUMMARY:{title}" in one[1]]
    program.put(name, with_line(text, line))


def three_meetings(accounts, program):
    """One of each maker, everywhere."""
    program.put("a.ics", event("a", "There"))
    make(name="Of Luis")
    make("ana", name="Of Ana")
    settle(accounts)
    titles = ["Of Ana", "Of Luis", "There"]
    assert here("luis") == here("ana") == titles == sorted(program.by_summary())
    assert len(program.names()) == 3
    return titles


@pytest.mark.parametrize("editor", [*OWNERS, "there"])
def test_one_edits(accounts, program, proxy, editor):
    titles = three_meetings(accounts, program)
    expect_calm(accounts, program, proxy)
    for title in titles:
        if editor == "there":
            write_there(program, title, "LOCATION:Cellar")
        else:
            change(title, editor, location="Cellar")
    settle(accounts)
    # The other one's account reads, and does not write it once more.
    assert len(writes(proxy)) == (0 if editor == "there" else len(titles))
    for title in titles:
        assert values(title, "location") == dict.fromkeys(OWNERS, "Cellar")
        assert "LOCATION:Cellar" in program.by_summary()[title]
    assert here("luis") == here("ana") == titles and len(program.names()) == 3
    expect_calm(accounts, program, proxy)


def test_all_edit_at_once(accounts, program, proxy):
    """Each another field: all of them are there in the end."""
    titles = three_meetings(accounts, program)
    for title in titles:
        change(title, "luis", location="Cellar")
        change(title, "ana", description="Notes")
        write_there(program, title, "PRIORITY:3")
    settle(accounts)
    for title in titles:
        assert values(title, "location") == dict.fromkeys(OWNERS, "Cellar")
        assert all("Notes" in text for text in values(title, "description").values())
        text = program.by_summary()[title]
        assert all(word in text for word in ("LOCATION:Cellar", "Notes", "PRIORITY:3"))
    assert here("luis") == here("ana") == titles and len(program.names()) == 3
    expect_calm(accounts, program, proxy)


@pytest.mark.parametrize("order", [OWNERS, OWNERS[::-1]], ids=" then ".join)
def test_both_write_the_same_field(accounts, program, proxy, order):
    """One of them counts, for all, and the other one's is kept."""
    three_meetings(accounts, program)
    change("There", "luis", location="Cellar")
    change("There", "ana", location="Terrace")
    settle(accounts, order=order)
    places = set(values("There", "location").values())
    assert len(places) == 1 and places < {"Cellar", "Terrace"}
    [counts] = places
    assert f"LOCATION:{counts}" in program.by_summary()["There"]
    with session.environment() as env:
        [kept] = env["caldav.account.change"].search([("kind", "=", "conflict")])
        assert ({"Cellar", "Terrace"} - places).pop() in kept.lost_text
    expect_calm(accounts, program, proxy)


@pytest.mark.parametrize("editor", [*OWNERS, "there"])
def test_what_one_deletes_stays_away(accounts, program, proxy, editor):
    titles = three_meetings(accounts, program)
    if editor == "there":
        [name] = [name for name, text in program.texts().items() if "SUMMARY:Of Luis" in text]
        program.delete(name)
    else:
        with session.environment() as env:
            user = person(env, editor)
            env["calendar.event"].search(
                [("user_id", "=", user.id), ("name", "=", "Of Luis")]
            ).with_user(user).unlink()  # fmt: skip
    settle(accounts)
    titles.remove("Of Luis")
    assert here("luis") == here("ana") == titles == sorted(program.by_summary())
    expect_calm(accounts, program, proxy)


# --- One meeting of both, with somebody from outside


@pytest.fixture
def post():
    """Takes the mails."""
    made = Post()
    made.controller.start()
    yield made
    made.controller.stop()


def told(post):
    """Addresses to which mails were sent since the last time."""
    send(session.DATABASE)
    found = sorted(to for to, _mail in post.waiting)
    post.waiting.clear()
    return found


@pytest.fixture
def together(accounts, program, post):
    """Luis has invited Ana and a guest; they were told, and all is in step."""
    with session.environment() as env:
        guest = env["res.partner"].create({"name": "Guest", "email": GUEST})
        partners = [person(env, owner).partner_id.id for owner in OWNERS] + guest.ids
        env["calendar.invitation.outgoing"].search([]).unlink()
        ana = person(env, "ana").email
    event_id = make(name="Together", partner_ids=[(6, 0, partners)])
    assert told(post) == sorted([ana, GUEST])
    settle(accounts)
    assert told(post) == [], "they were invited before"
    return event_id


def the_meeting():
    """The one that there is, archived ones included: (id, place, answers by address)."""
    with session.environment() as env:
        events = env["calendar.event"].with_context(active_test=False)
        [found] = events.search([("name", "=", "Together")])
        answers = {one.email: one.state for one in found.attendee_ids}
        return found.id, found.location or "", answers


def test_one_meeting_of_both_is_there_once(accounts, program, proxy, together):
    assert the_meeting()[0] == together
    assert list(program.by_summary()) == ["Together"] and len(program.names()) == 1
    assert len(the_meeting()[2]) == 3
    expect_calm(accounts, program, proxy)


@pytest.mark.parametrize("order", [OWNERS, OWNERS[::-1]], ids=" then ".join)
@pytest.mark.parametrize("editor", ["luis", "there"])
def test_one_meeting_of_both_is_moved(accounts, program, proxy, post, together, editor, order):
    answers = the_meeting()[2]
    if editor == "there":
        write_there(program, "Together", "LOCATION:Cellar")
    else:
        change("Together", location="Cellar")
    settle(accounts, order=order)
    assert the_meeting() == (together, "Cellar", answers)
    assert "LOCATION:Cellar" in program.by_summary()["Together"] and len(program.names()) == 1
    assert len(told(post)) <= 2, "each of the two hears of it at most once"
    expect_calm(accounts, program, proxy)
    assert told(post) == []


def test_one_meeting_of_both_is_cancelled(accounts, program, proxy, post, together):
    with session.environment() as env:
        env["calendar.event"].browse(together).with_user(person(env, "luis")).unlink()
    settle(accounts)
    assert here("luis") == here("ana") == [] == program.names()
    assert told(post).count(GUEST) == 1
    expect_calm(accounts, program, proxy)
    assert told(post) == []

"""Calendars in which only some of it may be done: what they say, and what they refuse."""

import re
from dataclasses import replace

import pytest
from crm_automation.dav.backend import WRITE
from crm_automation.tests.rows.program import C, D, event

from dav_memory import Client

HOME = "/caldav/calendars/ana@x.es/"
AGENDA = HOME + "agenda/"
ONE, TWO = AGENDA + "one.ics", AGENDA + "two.ics"
BEA = ("ORGANIZER:mailto:bea@x.es", "ATTENDEE:mailto:ana@x.es", "ATTENDEE:mailto:bea@x.es")


@pytest.fixture
def client():
    client = Client()
    client.put(ONE, event("one"))
    return client


def change(client, **values):
    kept = client.backend.kept
    kept["agenda"] = replace(kept["agenda"], **values)


def carry(client, method, source, target):
    return client.ask(method, source, destination=f"http://calendar.x.es{target}")


@pytest.mark.parametrize("right", sorted(WRITE))
def test_one_right(client, right):
    change(client, rights=frozenset({right}))
    found = client.propfind(AGENDA, "<D:current-user-privilege-set/>").text
    told = set(re.findall("<D:(write[a-z-]*|bind|unbind)/>", found))
    assert told == {"write-properties", right}
    for needed, ask in (
        ("write-content", lambda: client.put(ONE, event("one"))),
        ("bind", lambda: client.put(TWO, event("two"))),
        ("unbind", lambda: client.ask("DELETE", ONE)),
    ):
        answer = ask()
        if needed == right:
            assert answer.status in (201, 204)
        else:
            assert (answer.status, answer.condition) == (403, "need-privileges")


def test_all_of_them(client):
    found = client.propfind(AGENDA, "<D:current-user-privilege-set/>").text
    assert {"<D:write/>", "<D:bind/>"} <= set(re.findall("<D:[a-z-]+/>", found))


@pytest.mark.parametrize(
    ("method", "target", "rights"),
    [
        ("MOVE", AGENDA + "b.ics", {"bind", "unbind"}),
        ("MOVE", TWO, {"bind", "unbind"}),
        ("COPY", HOME + "wine/b.ics", set()),
    ],
)
def test_what_carrying_needs(client, method, target, rights):
    """RFC 3744, appendix B."""
    client.put(TWO, event("two"))
    client.ask("MKCALENDAR", HOME + "wine/")
    for missing in rights:
        change(client, rights=WRITE - {missing})
        answer = carry(client, method, ONE, target)
        assert (answer.status, answer.condition) == (403, "need-privileges")
    change(client, rights=frozenset(rights))
    assert carry(client, method, ONE, target).status in (201, 204)


def test_copied_over(client):
    client.ask("MKCALENDAR", HOME + "wine/")
    assert carry(client, "COPY", ONE, HOME + "wine/one.ics").status == 201
    wine = client.backend.kept["wine"]
    for rights, status in (({"bind"}, 403), ({"bind", "write-content"}, 204)):
        client.backend.kept["wine"] = replace(wine, rights=frozenset(rights))
        assert carry(client, "COPY", ONE, HOME + "wine/one.ics").status == status


def test_how_often_something_may_come(client):
    asked = "<C:max-instances/>"
    assert client.propfind(AGENDA, asked).missing == {"max-instances"}
    change(client, max_instances=1)
    assert client.propfind(AGENDA, asked).found["agenda"]["max-instances"].text == "1"
    names = client.ask(
        "PROPFIND", AGENDA, '<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>', depth="0"
    )
    assert names.xml.find(f".//{C}max-instances") is not None


def test_what_is_no_meeting_of_its_organizer(client):
    """Who takes part moves it as well, where objects are not meetings."""
    first = event("one", "DTSTART:20270301T100000Z", *BEA)
    client.put(ONE, first)
    moved = first.replace("T100000Z", "T120000Z")
    refused = client.put(ONE, moved)
    assert refused.condition == "allowed-attendee-scheduling-object-change"
    change(client, schedules=False)
    assert client.put(ONE, moved).status == 204


def test_a_refusal_says_why(client):
    """Behind the word of the RFC, for whoever reads the answer."""
    change(client, rights=frozenset())
    answer = client.put(ONE, event("one"))
    assert answer.condition == "need-privileges"
    assert answer.xml.findtext(f"{D}responsedescription") == "this calendar is only read"

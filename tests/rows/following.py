"""sync-collection (RFC 6578): what has changed since."""

from .program import D, event, expect
from .row import row

LIMIT = "<D:limit><D:nresults>{}</D:nresults></D:limit>"


def told(answer):
    """(names that are there, names that are gone)"""
    gone = {name for name, status in answer.statuses.items() if status == 404}
    return {name for name in answer.found if name.endswith(".ics")} - gone, gone


@row("RFC 6578, 3.4")
def sync_from_the_beginning(dav):
    """Without a token: all that is there, and a token."""
    dav.store("one")
    dav.store("two")
    answer = expect(dav.sync(), 207)
    assert told(answer) == ({"one.ics", "two.ics"}, set())
    assert all("getetag" in props for props in answer.found.values())
    assert answer.token


@row("RFC 6578, 4")
def token_is_the_property(dav):
    """The token is a URI, and the property of that name."""
    dav.store("one")
    token = dav.sync().token
    assert ":" in token
    assert dav.propfind(dav.agenda, "<D:sync-token/>").found["agenda"]["sync-token"].text == token


@row("RFC 6578, 3.5")
def nothing_new(dav):
    """Nothing has changed: nothing is told, and the token stays good."""
    dav.store("one")
    token = dav.sync().token
    answer = expect(dav.sync(token), 207)
    assert told(answer) == (set(), set())
    assert told(expect(dav.sync(answer.token), 207)) == (set(), set())


@row("RFC 6578, 3.5.1")
def what_is_new_or_changed(dav):
    """New ones and changed ones, and no others."""
    for uid in ("one", "two"):
        dav.store(uid)
    token = dav.sync().token
    dav.store("three")
    expect(dav.put(dav.agenda + "one.ics", event().replace("Tasting", "Dinner")), 204)
    assert told(dav.sync(token)) == ({"one.ics", "three.ics"}, set())


@row("RFC 6578, 3.5.2")
def what_is_gone(dav):
    """What is gone is told as 404, without properties."""
    dav.store("one")
    token = dav.sync().token
    expect(dav.ask("DELETE", dav.agenda + "one.ics"), 204)
    answer = dav.sync(token)
    assert told(answer) == (set(), {"one.ics"})
    assert answer.xml.find(f".//{D}propstat") is None


@row("RFC 6578, 3.5")
def came_and_went(dav):
    """What came and went in between may be told as gone, and never as there."""
    token = dav.sync().token
    dav.store("one")
    expect(dav.ask("DELETE", dav.agenda + "one.ics"), 204)
    changed, gone = told(dav.sync(token))
    assert not changed and gone <= {"one.ics"}


@row("RFC 6578, 3.5")
def went_and_came(dav):
    """What was deleted and is there again is there."""
    dav.store("one")
    token = dav.sync().token
    expect(dav.ask("DELETE", dav.agenda + "one.ics"), 204)
    dav.store("one")
    assert told(dav.sync(token)) == ({"one.ics"}, set())


@row("RFC 6578, 3.5")
def moved_is_gone_and_new(dav):
    """Moved: gone here, and new there."""
    path = dav.make("wine")
    dav.store("one")
    here, there = dav.sync().token, dav.sync(path=path).token
    expect(dav.ask("MOVE", dav.agenda + "one.ics", destination=path + "a.ics"), 201)
    assert told(dav.sync(here)) == (set(), {"one.ics"})
    assert told(dav.sync(there, path=path)) == ({"a.ics"}, set())


@row("RFC 6578, 3.6")
def pages(dav):
    """With a limit: page after page, each but the last with 507 of the calendar itself."""
    names = {f"e{number}.ics" for number in range(7)}
    for name in sorted(names):
        dav.store(name[:-4])
    token, seen, number = "", [], 0
    while number < 20:
        answer = expect(dav.sync(token, LIMIT.format(3)), 207)
        token, number = answer.token, number + 1
        changed, _gone = told(answer)
        assert len(changed) <= 3
        seen += changed
        if answer.statuses.get("agenda") != 507:
            break
        assert "number-of-matches-within-limits" in answer.text
    assert (number, sorted(seen)) == (3, sorted(names))
    assert told(dav.sync(token)) == (set(), set())


@row("RFC 6578, 3.6")
def pages_of_deletions(dav):
    """Deletions are counted and paged as well."""
    for number in range(5):
        dav.store(f"e{number}")
    token = dav.sync().token
    for number in range(5):
        expect(dav.ask("DELETE", f"{dav.agenda}e{number}.ics"), 204)
    seen = set()
    for _page in range(6):
        answer = expect(dav.sync(token, LIMIT.format(2)), 207)
        token, is_more = answer.token, answer.statuses.get("agenda") == 507
        changed, gone = told(answer)
        assert not changed and len(gone) <= 2
        seen |= gone
        if not is_more:
            break
    assert not is_more and seen == {f"e{number}.ics" for number in range(5)}


@row("RFC 6578, 3.6")
def changes_between_pages(dav):
    """What changes while somebody turns the pages is not missed."""
    for number in range(4):
        dav.store(f"e{number}")
    first = dav.sync("", LIMIT.format(2))
    dav.store("late")
    expect(dav.ask("DELETE", dav.agenda + "e0.ics"), 204)
    state = set(told(first)[0])
    token = first.token
    for _page in range(6):
        answer = expect(dav.sync(token, LIMIT.format(2)), 207)
        changed, gone = told(answer)
        state = (state | changed) - gone
        token = answer.token
        if answer.statuses.get("agenda") != 507:
            break
    assert state == {"e1.ics", "e2.ics", "e3.ics", "late.ics"}


@row("RFC 6578, 3.6")
def a_limit_that_is_enough(dav):
    """A limit that nothing exceeds truncates nothing."""
    dav.store("one")
    dav.store("two")
    answer = dav.sync("", LIMIT.format(2))
    assert "agenda" not in answer.statuses and told(answer)[0] == {"one.ics", "two.ics"}


@row("RFC 6578, 6.5")
def bad_limits(dav):
    """A limit is a number above zero."""
    for number in ("0", "-1", "x", ""):
        assert dav.sync("", LIMIT.format(number)).status in (400, 403), number


@row("RFC 6578, 3.2")
def invalid_tokens(dav):
    """A token that says nothing here is refused by name, and never as "nothing new"."""
    dav.store("one")
    for token in (
        "nonsense",
        "data:,x",
        "http://example.com/sync/1",
        "data:,",
        "0",
        "-1",
        "data:,1",
    ):
        expect(dav.sync(token), 403, "valid-sync-token")


@row("RFC 6578, 3.2")
def tokens_of_the_future(dav):
    """A token of a state that has not been yet: the database was restored."""
    dav.store("one")
    epoch, _, number = dav.sync().token.rpartition("-")
    expect(dav.sync(f"{epoch}-{int(number) + 1000}"), 403, "valid-sync-token")


@row("RFC 6578, 3.2")
def tokens_of_another_epoch(dav):
    """A token of before the database was restored or moved."""
    dav.store("one")
    number = dav.sync().token.rpartition("-")[2]
    expect(dav.sync(f"data:,000000000000-{number}"), 403, "valid-sync-token")


@row("RFC 6578, 3.2")
def sync_of_depth(dav):
    """Depth is 0, or 1 as some programs send; anything else is a bad request."""
    dav.store("one")
    assert told(dav.sync(depth="1"))[0] == {"one.ics"}
    expect(dav.sync(depth="infinity"), 400)
    expect(dav.sync(depth="x"), 400)


@row("RFC 6578, 6.3")
def sync_levels(dav):
    """Level 1 is what there is; a calendar holds no collections, so infinite is the same."""
    dav.store("one")
    body = (
        '<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>{}</D:sync-level>'
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
    for level in ("1", "infinite"):
        assert told(expect(dav.report(dav.agenda, body.format(level), "0"), 207))[0] == {"one.ics"}
    assert dav.report(dav.agenda, body.format("7"), "0").status in (400, 403)


@row("RFC 6578, 3.2")
def sync_without_a_token_element(dav):
    """The element is needed, be it empty."""
    body = '<D:sync-collection xmlns:D="DAV:"><D:prop/></D:sync-collection>'
    expect(dav.report(dav.agenda, body, "0"), 400)


@row("RFC 6578, 3.3")
def sync_with_data(dav):
    """Properties of any kind, the texts as well."""
    dav.store("one")
    answer = dav.sync(props="<D:getetag/><C:calendar-data/><D:no/>")
    assert answer.data("one.ics").count("BEGIN:VEVENT") == 1 and answer.missing == {"no"}


@row("RFC 6578, 3.5")
def sync_etags_are_true(dav):
    """The ETag that is told is the one that is served."""
    dav.store("one")
    etag = dav.sync().found["one.ics"]["getetag"].text
    assert dav.ask("GET", dav.agenda + "one.ics").headers["ETag"] == etag


@row("RFC 6578, 3.5")
def names_in_sync(dav):
    """Names are told as they are written in addresses, there and gone."""
    expect(dav.put(dav.agenda + "a%20%C3%B1.ics", event()), 201)
    answer = dav.sync()
    assert told(answer)[0] == {"a%20%C3%B1.ics"}
    expect(dav.ask("DELETE", dav.agenda + "a%20%C3%B1.ics"), 204)
    assert told(dav.sync(answer.token))[1] == {"a%20%C3%B1.ics"}

"""Calendars that are made, named and deleted, and what programs keep with them."""

from .program import NAMES, comp, event, expect
from .row import row

SET = "<D:set><D:prop>{}</D:prop></D:set>"
REMOVE = "<D:remove><D:prop>{}</D:prop></D:remove>"


@row("RFC 4791, 5.3.1")
def mkcalendar(dav):
    """A calendar with what was said of it."""
    body = (
        f"<C:mkcalendar {NAMES}><D:set><D:prop><D:displayname>Wine &amp; more</D:displayname>"
        "<C:calendar-description>Red</C:calendar-description>"
        "<A:calendar-color>#aa0000ff</A:calendar-color>"
        '<C:supported-calendar-component-set><C:comp name="VEVENT"/>'
        "</C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>"
    )
    expect(dav.ask("MKCALENDAR", dav.home + "wine/", body), 201)
    props = "<D:displayname/><C:calendar-description/><A:calendar-color/>"
    found = dav.propfind(dav.home + "wine/", props).found["wine"]
    assert [one.text for one in found.values()] == ["Wine & more", "Red", "#aa0000ff"]


@row("RFC 4791, 5.3.1")
def mkcalendar_without_a_body(dav):
    """Nothing said, and it is one all the same; names are any."""
    for name in ("plain", "D3A2-4F/", "n%C3%B1%20x/"):
        expect(dav.ask("MKCALENDAR", dav.home + name), 201)
        path = dav.home + name.rstrip("/") + "/"
        assert dav.propfind(path, "<D:resourcetype/>").xml.find(".//{*}calendar") is not None


@row("RFC 4791, 5.3.1.1")
def mkcalendar_where_one_is(dav):
    """What is there is not made again, and stays."""
    dav.store()
    answer = dav.ask("MKCALENDAR", dav.agenda)
    assert answer.status in (403, 405) and answer.condition == "resource-must-be-null"
    assert dav.text("one.ics") == event()


@row("RFC 4791, 5.3.1.1")
def mkcalendar_elsewhere(dav):
    """Only in one's home."""
    for path, statuses in (
        (dav.home + "a/b/", (403, 409)), (dav.root + "x/", (403,)),
        (f"{dav.root}calendars/{dav.stranger}/x/", (403, 404)), (dav.agenda + "b/", (403, 409)),
        (f"{dav.root}calendars/x/", (403, 404)), (dav.home + "%00/", (400, 403)),
        (dav.home + "%2e%2e/", (400, 403, 404, 405)), (dav.home + "a" * 300 + "/", (400, 403, 414)),
    ):  # fmt: skip
        assert dav.ask("MKCALENDAR", path).status in statuses, path


@row("RFC 4791, 5.3.1")
def mkcalendar_is_all_or_nothing(dav):
    """What cannot be set makes no calendar."""
    inner = SET.format("<D:displayname>x</D:displayname><D:getetag>x</D:getetag>")
    body = f"<C:mkcalendar {NAMES}>{inner}</C:mkcalendar>"
    answer = dav.ask("MKCALENDAR", dav.home + "wine/", body)
    assert answer.status in (403, 424, 207), answer.status
    expect(dav.propfind(dav.home + "wine/", "<D:resourcetype/>"), 404)


@row("RFC 4791, 5.3.1")
def mkcalendar_of_nothing_known(dav):
    """A calendar for kinds that there are not."""
    inner = (
        '<C:supported-calendar-component-set><C:comp name="VFOO"/>'
        "</C:supported-calendar-component-set>"
    )
    body = f"<C:mkcalendar {NAMES}>{SET.format(inner)}</C:mkcalendar>"
    assert dav.ask("MKCALENDAR", dav.home + "wine/", body).status in (403, 424)


@row("RFC 4791, 5.3.1")
def mkcalendar_of_bad_xml(dav):
    """A body that is not what it should be."""
    for body in ("<no", f"<D:propertyupdate {NAMES}/>", "text"):
        assert dav.ask("MKCALENDAR", dav.home + "wine/", body).status in (400, 415, 422)
    expect(dav.propfind(dav.home + "wine/", "<D:resourcetype/>"), 404)


@row("RFC 5689, 3")
def extended_mkcol(dav):
    """The other way to make one."""
    kinds = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
    inner = SET.format(kinds + "<D:displayname>Wine</D:displayname>")
    expect(dav.ask("MKCOL", dav.home + "wine/", f"<D:mkcol {NAMES}>{inner}</D:mkcol>"), 201)
    found = dav.propfind(dav.home + "wine/", "<D:displayname/><D:resourcetype/>").found["wine"]
    assert found["displayname"].text == "Wine" and len(found["resourcetype"]) == 2


@row("RFC 5689, 3.3")
def extended_mkcol_of_another_kind(dav):
    """Kinds of collections that there are not here."""
    kinds = "<D:resourcetype><D:collection/><CS:addressbook/></D:resourcetype>"
    body = f"<D:mkcol {NAMES}>{SET.format(kinds)}</D:mkcol>"
    answer = dav.ask("MKCOL", dav.home + "wine/", body)
    assert answer.status in (403, 409) and answer.condition == "valid-resourcetype"


@row("RFC 4918, 9.3")
def mkcol_of_another_type(dav):
    """A body that is no XML."""
    answer = dav.ask("MKCOL", dav.home + "wine/", "x=1", content_type="text/plain")
    expect(answer, 415)


# --- PROPPATCH


@row("RFC 4918, 9.2")
def proppatch(dav):
    """Set, and taken away again."""
    inner = "<D:displayname>Mine</D:displayname><x xmlns='urn:y'><z a='1'>2</z></x>"
    answer = expect(dav.proppatch(dav.agenda, SET.format(inner)), 207)
    assert answer.named(200) == {"displayname", "x"}
    found = dav.propfind(dav.agenda, "<D:displayname/><x xmlns='urn:y'/>").found["agenda"]
    assert found["displayname"].text == "Mine" and found["x"][0].get("a") == "1"
    expect(dav.proppatch(dav.agenda, REMOVE.format("<x xmlns='urn:y'/>")), 207)
    assert dav.propfind(dav.agenda, "<x xmlns='urn:y'/>").missing == {"x"}


@row("RFC 4918, 9.2")
def proppatch_is_atomic(dav):
    """One that is refused, and none is set."""
    before = dav.propfind(dav.agenda, "<D:displayname/>").found["agenda"]["displayname"].text
    answer = dav.proppatch(
        dav.agenda, SET.format("<D:displayname>Other</D:displayname><D:getetag>x</D:getetag>")
    )
    assert answer.named(424) == {"displayname"} and answer.named(403) == {"getetag"}
    after = dav.propfind(dav.agenda, "<D:displayname/>").found["agenda"]["displayname"].text
    assert after == before


@row("RFC 4918, 9.2 and 16")
def protected_properties(dav):
    """What the server says of itself is not set by others."""
    for name in (
        "D:getetag", "D:resourcetype", "D:current-user-principal", "D:sync-token", "D:owner",
        "D:acl", "D:supported-report-set", "D:lockdiscovery", "D:creationdate", "CS:getctag",
        "C:supported-calendar-component-set", "C:max-resource-size", "D:getcontenttype",
    ):  # fmt: skip
        answer = expect(dav.proppatch(dav.agenda, SET.format(f"<{name}>x</{name}>")), 207)
        assert answer.named(403) == {name.split(":")[1]}, name
        assert "cannot-modify-protected-property" in answer.text


@row("RFC 4918, 9.2")
def proppatch_in_order(dav):
    """Instructions are followed in the order in which they stand."""
    one, two = (SET.format(f"<x xmlns='urn:y'>{n}</x>") for n in (1, 2))
    gone = REMOVE.format("<x xmlns='urn:y'/>")
    dav.proppatch(dav.agenda, one + gone + two)
    assert dav.propfind(dav.agenda, "<x xmlns='urn:y'/>").found["agenda"]["x"].text == "2"
    dav.proppatch(dav.agenda, two + gone)
    assert dav.propfind(dav.agenda, "<x xmlns='urn:y'/>").missing == {"x"}


@row("RFC 4918, 9.2")
def remove_what_is_not_there(dav):
    """Taking away what is not there is no error."""
    answer = expect(dav.proppatch(dav.agenda, REMOVE.format("<x xmlns='urn:y'/>")), 207)
    assert answer.named(200) == {"x"}


@row("RFC 4791, 5.2.2 and 5.3.1.1")
def timezone_of_a_calendar(dav):
    """A zone is kept; what is none is refused."""
    zone = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VTIMEZONE\nTZID:Asia/Tokyo\n"
        "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\n"
        "END:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR\n"
    )
    word = "<C:calendar-timezone>{}</C:calendar-timezone>"
    assert dav.proppatch(dav.agenda, SET.format(word.format(zone))).named(200)
    assert "Asia/Tokyo" in dav.propfind(dav.agenda, "<C:calendar-timezone/>").text
    answer = dav.proppatch(dav.agenda, SET.format(word.format("no zone")))
    assert answer.named(403) == {"calendar-timezone"} and "valid-calendar-data" in answer.text
    dav.store("day", "DTSTART;VALUE=DATE:20270302")
    ask = comp('<C:time-range start="20270301T150000Z" end="20270301T160000Z"/>')
    assert dav.matching(ask) == ["day"]


@row("Apple's programs")
def what_apple_sets(dav):
    """Colour, order, and words that only its own programs know, are kept."""
    for path, inner in (
        (dav.agenda, "<A:calendar-color symbolic-color='red'>#FF2968FF</A:calendar-color>"),
        (dav.agenda, "<A:calendar-order>7</A:calendar-order>"),
        (dav.agenda, "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"),
        (dav.home, "<C:default-alarm-vevent-date>x</C:default-alarm-vevent-date>"),
        (dav.agenda, "<C:default-alarm-vevent-datetime>x</C:default-alarm-vevent-datetime>"),
        (dav.home, "<C:calendar-free-busy-set><D:href>/x</D:href></C:calendar-free-busy-set>"),
    ):
        answer = expect(dav.proppatch(path, SET.format(inner)), 207)
        assert not answer.named(403) and answer.named(200), inner
    found = dav.propfind(dav.agenda, "<A:calendar-color/><A:calendar-order/>").found["agenda"]
    assert found["calendar-color"].text == "#FF2968FF" and found["calendar-order"].text == "7"


@row("RFC 8144, 2.3")
def proppatch_minimal(dav):
    """Nothing more to say than that it was done."""
    inner = SET.format("<D:displayname>Mine</D:displayname>")
    answer = dav.proppatch(dav.agenda, inner, prefer="return=minimal")
    assert answer.status in (200, 204) and not answer.text


@row("RFC 4918, 9.2")
def proppatch_of_nothing(dav):
    """A body that sets nothing, or is none."""
    for body in ("", "<no", f"<D:propfind {NAMES}/>", f"<D:propertyupdate {NAMES}/>"):
        assert dav.ask("PROPPATCH", dav.agenda, body).status in (400, 422), body

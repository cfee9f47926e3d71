"""What the protocol's words do: discovery, properties, writes and their refusals."""

import pytest
from crm_automation.dav.errors import BadRequest
from crm_automation.dav.requests import Request
from crm_automation.tests.rows.program import NAMES, C, D, event

from dav_memory import Client

HOME = "/caldav/calendars/ana@x.es/"
AGENDA = HOME + "agenda/"
ONE = AGENDA + "one.ics"


@pytest.fixture
def client():
    return Client()


# --- Discovery


def test_from_the_root_to_the_calendars(client):
    root = client.propfind("/caldav/", "<D:current-user-principal/>")
    principal = root.xml.findtext(f".//{D}current-user-principal/{D}href")
    assert principal == "/caldav/principals/ana@x.es/"
    answer = client.propfind(
        principal,
        "<C:calendar-home-set/><C:calendar-user-address-set/><D:principal-URL/>"
        "<C:schedule-inbox-URL/><D:nothing/>",
    )
    assert answer.xml.findtext(f".//{C}calendar-home-set/{D}href") == HOME
    assert "mailto:ana@x.es" in answer.text
    assert answer.missing == {"nothing"}
    listed = client.propfind(HOME, "<D:resourcetype/><D:displayname/>", depth="1").found
    assert set(listed) == {"ana@x.es", "agenda", "tasks", "team", "inbox", "outbox"}
    assert listed["agenda"]["displayname"].text == "Agenda"
    assert len(listed["agenda"]["resourcetype"]) == 2


def test_options(client):
    for path in ("/caldav/", "/caldav/principals/ana@x.es/", AGENDA, ONE):
        answer = client.ask("OPTIONS", path)
        assert answer.status == 200
        assert "calendar-access" in answer.headers["DAV"]
        assert "access-control" in answer.headers["DAV"]
    assert "PUT" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path",
    [
        "/caldav/principals/bob/", "/caldav/calendars/bob/", "/caldav/calendars/bob/agenda/",
        "/caldav/x", "/other/", HOME + "nothing/", ONE, AGENDA + "a/b.ics",
        "/caldav/calendars/ana@x.es/agenda/%ff.ics", "/caldav/principals/ana@x.es/x/",
    ],
)  # fmt: skip
def test_what_is_not_there(client, path):
    for method in ("GET", "PROPFIND", "DELETE", "REPORT", "PROPPATCH"):
        assert client.ask(method, path, "", depth="0").status == 404, method


def test_unknown_methods(client):
    for method in ("LOCK", "POST", "TRACE", "BREW"):
        answer = client.ask(method, AGENDA)
        assert answer.status == 405
        assert answer.headers["Allow"]
    assert client.ask("MOVE", AGENDA, destination=HOME + "x/").status == 405


# --- PROPFIND


def test_depth(client):
    client.put(ONE, event())
    assert client.propfind(AGENDA, "<D:getetag/>", depth="0").names == ["agenda"]
    assert client.propfind(AGENDA, "<D:getetag/>", depth="1").names == ["agenda", "one.ics"]
    refused = client.propfind(AGENDA, "<D:getetag/>", depth="infinity")
    assert (refused.status, refused.condition) == (403, "propfind-finite-depth")
    assert client.propfind(ONE, "<D:getetag/>", depth="infinity").status == 207
    for odd in ("2", "-1", "foo", "0,1", "infinite"):
        assert client.propfind(AGENDA, "<D:getetag/>", depth=odd).status == 400


def test_allprop_and_propname(client):
    client.put(ONE, event())
    for body in ("", f"<D:propfind {NAMES}><D:allprop/></D:propfind>"):
        answer = client.ask("PROPFIND", ONE, body, depth="0")
        assert set(answer.found["one.ics"]) == {
            "resourcetype", "getetag", "getcontenttype", "getcontentlength", "getlastmodified"
        }  # fmt: skip
    names = client.ask(
        "PROPFIND", AGENDA, f"<D:propfind {NAMES}><D:propname/></D:propfind>", depth="1"
    )
    assert "getetag" in names.found["one.ics"]
    assert {"sync-token", "getctag", "supported-report-set"} <= set(names.found["agenda"])
    body = f"<D:propfind {NAMES}><D:allprop/><D:include><D:acl/></D:include></D:propfind>"
    assert "acl" in client.ask("PROPFIND", AGENDA, body, depth="0").found["agenda"]


def test_minimal(client):
    answer = client.propfind(AGENDA, "<D:displayname/><D:nothing/>", prefer="return=minimal")
    assert "404" not in answer.text
    answer = client.propfind(AGENDA, "<D:nothing/>", brief="t")
    assert answer.found == {"agenda": {}}
    assert client.propfind(AGENDA, "<D:nothing/><x xmlns='urn:y'/>").missing == {"nothing", "x"}


def test_the_properties_of_a_calendar(client):
    names = (
        "resourcetype displayname owner acl current-user-privilege-set supported-report-set"
        " supported-privilege-set acl-restrictions inherited-acl-set principal-collection-set"
        " sync-token current-user-principal"
    )
    caldav = "supported-calendar-component-set supported-calendar-data max-resource-size"
    caldav += " supported-collation-set schedule-calendar-transp"
    props = "".join(f"<D:{name}/>" for name in names.split())
    props += "".join(f"<C:{name}/>" for name in caldav.split()) + "<CS:getctag/>"
    answer = client.propfind(AGENDA, props)
    assert answer.missing == set()
    assert (
        client.propfind(HOME + "team/", "<D:current-user-privilege-set/>").text.count(
            "write-content"
        )
        == 0
    )


@pytest.mark.parametrize(
    "body",
    [
        "<", "<a", "no", "<D:propfind xmlns:D='DAV:'>", "<D:propfind/>",
        "<D:other xmlns:D='DAV:'/>", "<D:propfind xmlns:D='DAV:'/>",
        "<D:propfind xmlns:D='DAV:'><D:prop/><D:allprop/></D:propfind>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><D:propfind xmlns:D='DAV:'>&b;</D:propfind>",
        "<?xml version='1.0' encoding='nothing'?><a/>", "\x00", "<a>\x00</a>",
        "<a>" * 60 + "</a>" * 60,
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>".encode("utf-16"),
    ],
)  # fmt: skip
def test_bad_xml(client, body):
    for method in ("PROPFIND", "PROPPATCH", "REPORT"):
        if isinstance(body, str) and body == "" and method == "PROPFIND":
            continue
        assert client.ask(method, AGENDA, body, depth="0").status in (400, 403), method


def test_a_bomb_of_entities(client):
    bomb = "<!DOCTYPE a [" + "".join(
        f"<!ENTITY e{n} '{f'&e{n - 1};' * 10 if n else 'x' * 10}'>" for n in range(12)
    ) + "]><a>&e11;</a>"  # fmt: skip
    assert client.ask("PROPFIND", AGENDA, bomb, depth="0").status == 400


def test_a_huge_body(client):
    body = "<D:propfind xmlns:D='DAV:'><D:prop>" + "<D:x/>" * 1_000_000
    assert client.ask("PROPFIND", AGENDA, body, depth="0").status == 413


# --- PROPPATCH


def patch(client, path, inner):
    body = f"<D:propertyupdate {NAMES}>{inner}</D:propertyupdate>"
    return client.ask("PROPPATCH", path, body)


def test_proppatch(client):
    set_ = (
        "<D:set><D:prop><D:displayname>Mine &amp; yours</D:displayname>"
        "<A:calendar-color>#ff0000</A:calendar-color><A:calendar-order>3</A:calendar-order>"
        "<x xmlns='urn:y' a='1'>more<z/></x></D:prop></D:set>"
    )
    answer = patch(client, AGENDA, set_)
    assert answer.status == 207 and "403" not in answer.text
    props = "<D:displayname/><A:calendar-color/><A:calendar-order/><x xmlns='urn:y'/>"
    found = client.propfind(AGENDA, props).found["agenda"]
    assert found["displayname"].text == "Mine & yours"
    assert found["x"].get("a") == "1" and len(found["x"]) == 1
    patch(client, AGENDA, "<D:remove><D:prop><x xmlns='urn:y'/></D:prop></D:remove>")
    assert client.propfind(AGENDA, props).missing == {"x"}


def test_proppatch_all_or_nothing(client):
    answer = patch(
        client, AGENDA,
        "<D:set><D:prop><D:displayname>Other</D:displayname><D:getetag>x</D:getetag>"
        "</D:prop></D:set>",
    )  # fmt: skip
    assert "403" in answer.text and "424" in answer.text
    assert "cannot-modify-protected-property" in answer.text
    assert client.backend.kept["agenda"].title == "Agenda"
    for inner in (
        "<D:set><D:prop><C:calendar-timezone>no zone</C:calendar-timezone></D:prop></D:set>",
        "<D:set><D:prop><A:calendar-order>x</A:calendar-order></D:prop></D:set>",
        "<D:set><D:prop><C:supported-calendar-component-set/></D:prop></D:set>",
        "<D:set><D:prop><D:resourcetype/></D:prop></D:set>",
    ):
        assert "403" in patch(client, AGENDA, inner).text
    assert patch(client, AGENDA, "").status == 400


def test_proppatch_of_the_home_and_of_objects(client):
    client.put(ONE, event())
    inner = "<C:default-alarm-vevent-date>x</C:default-alarm-vevent-date>"
    inner = f"<D:set><D:prop>{inner}</D:prop></D:set>"
    assert "403" not in patch(client, HOME, inner).text
    assert (
        "default-alarm-vevent-date"
        in client.propfind(HOME, "<C:default-alarm-vevent-date/>").found["ana@x.es"]
    )
    assert "403" in patch(client, ONE, inner).text


# --- Making and deleting calendars


def test_mkcalendar(client):
    body = (
        f"<C:mkcalendar {NAMES}><D:set><D:prop><D:displayname>Wine</D:displayname>"
        '<C:supported-calendar-component-set><C:comp name="VTODO"/>'
        "</C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>"
    )
    assert client.ask("MKCALENDAR", HOME + "wine/", body).status == 201
    found = client.propfind(HOME + "wine/", "<D:displayname/><C:supported-calendar-component-set/>")
    assert found.found["wine"]["displayname"].text == "Wine"
    assert "VEVENT" not in found.text and "VTODO" in found.text
    again = client.ask("MKCALENDAR", HOME + "wine/", body)
    assert (again.status, again.condition) == (405, "resource-must-be-null")
    assert client.put(HOME + "wine/a.ics", event()).condition == "supported-calendar-component"
    assert client.ask("DELETE", HOME + "wine/").status == 204
    assert client.ask("PROPFIND", HOME + "wine/", depth="0").status == 404


def test_where_calendars_are_made(client):
    assert client.ask("MKCALENDAR", HOME + "a/b/").status == 409
    inside = client.ask("MKCALENDAR", AGENDA + "b/")
    assert inside.status == 409 or inside.condition == "calendar-collection-location-ok"
    assert client.ask("MKCALENDAR", "/caldav/x/").status == 403
    assert client.ask("MKCALENDAR", "/caldav/calendars/bob/x/").status == 404
    assert client.ask("MKCALENDAR", HOME + "plain/").status == 201
    assert client.ask("MKCALENDAR", HOME + "bad/", "<no").status == 400
    assert client.ask("MKCALENDAR", HOME + "bad/", "<D:mkcol xmlns:D='DAV:'/>").status == 400


def test_extended_mkcol(client):
    body = (
        f"<D:mkcol {NAMES}><D:set><D:prop><D:resourcetype><D:collection/><C:calendar/>"
        "</D:resourcetype><D:displayname>Wine</D:displayname></D:prop></D:set></D:mkcol>"
    )
    assert client.ask("MKCOL", HOME + "wine/", body).status == 201
    assert client.ask("MKCOL", HOME + "plain/").condition == "valid-resourcetype"
    assert client.ask("MKCOL", HOME + "x/", "text", content_type="text/plain").status == 415
    bad = body.replace("<D:displayname>Wine</D:displayname>", "<D:getetag/>")
    assert client.ask("MKCOL", HOME + "bad/", bad).status == 424


def test_fixed_calendars_stay(client):
    assert client.ask("DELETE", AGENDA).condition == "need-privileges"
    assert client.ask("DELETE", HOME).status == 405


# --- PUT


def test_put_and_get(client):
    made = client.put(ONE, event(), if_none_match="*")
    assert made.status == 201
    got = client.ask("GET", ONE)
    assert got.text == event() and got.headers["ETag"] == made.headers["ETag"]
    assert client.put(ONE, event(), if_none_match="*").status == 412
    assert client.put(ONE, event(), if_match='"other"').status == 412
    again = client.put(ONE, event(), if_match=made.headers["ETag"])
    assert again.status == 204 and again.headers["ETag"] != made.headers["ETag"]
    assert client.put(ONE, event(), if_match=f'"x", {again.headers["ETag"]}').status == 204
    assert client.put(AGENDA + "new.ics", event("new"), if_match="*").status == 412
    assert client.put(AGENDA + "new.ics", event("new"), if_match='"x"').status == 412


def test_conditional_get(client):
    etag = client.put(ONE, event()).headers["ETag"]
    assert client.ask("GET", ONE, if_none_match=etag).status == 304
    assert client.ask("GET", ONE, if_none_match=f"W/{etag}").status == 304
    assert client.ask("GET", ONE, if_none_match='"x"').status == 200
    assert client.ask("GET", ONE, if_match='"x"').status == 412
    head = client.ask("HEAD", ONE)
    assert head.text == "" and int(head.headers["Content-Length"]) == len(event())


def test_the_header_if(client):
    etag = client.put(ONE, event()).headers["ETag"]
    for header, status in (
        (f"([{etag}])", 204), ('(["x"])', 412), (f'(["x"]) ([{client}])', 400), ("(", 400),
        ("(<opaquelocktoken:1>)", 412), ("(Not <opaquelocktoken:1>)", 204), ("", 400),
        (f"<http://calendar.x.es{ONE}> (Not [\"x\"])", 204),
        (f"<http://calendar.x.es{AGENDA}no.ics> ([\"x\"])", 412),
    ):  # fmt: skip
        answer = client.put(ONE, event(), **{"if": header})
        assert answer.status == status, header
        if status == 204:
            etag = answer.headers["ETag"]
            client.put(ONE, event())
            etag = client.ask("HEAD", ONE).headers["ETag"]


def test_prefer_representation(client):
    answer = client.put(ONE, event(), prefer="return=representation")
    assert answer.text == event() and answer.headers["ETag"]


def test_one_uid_one_object(client):
    client.put(ONE, event())
    answer = client.put(AGENDA + "two.ics", event())
    assert (answer.status, answer.condition) == (403, "no-uid-conflict")
    assert ONE in answer.text
    other = client.put(ONE, event("other"))
    assert (other.status, other.condition) == (403, "no-uid-conflict")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("", "valid-calendar-data"),
        ("no calendar", "valid-calendar-data"),
        ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "valid-calendar-data"),
        (event().replace("END:VCALENDAR\r\n", ""), "valid-calendar-data"),
        (event()[:-40], "valid-calendar-data"),
        (event().replace("END:VEVENT\r\n", ""), "valid-calendar-data"),
        (event().replace("SUMMARY:", "SUMMARY:\x00"), "valid-calendar-data"),
        (event().replace("SUMMARY:Tasting", "no colon"), "valid-calendar-data"),
        (event().replace("DTSTART:20270301T100000Z\r\n", ""), "valid-calendar-data"),
        (event().replace("20270301T100000Z", "yesterday"), "valid-calendar-data"),
        (event("a", "DTSTART:20270301T100000Z", "RRULE:FREQ=OFTEN"), "valid-calendar-data"),
        (event().encode("utf-16"), "valid-calendar-data"),
        (event().replace("Tasting", "Cañas").encode("latin-1"), "valid-calendar-data"),
        (event().replace("UID:one\r\n", ""), "valid-calendar-object-resource"),
        (event() + event(), "valid-calendar-object-resource"),
        (event(more="BEGIN:VEVENT\nUID:two\nDTSTART:20270301T100000Z\nEND:VEVENT"),
         "valid-calendar-object-resource"),
        (event().replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"),
         "valid-calendar-object-resource"),
        (event().replace("VEVENT", "VTODO"), "supported-calendar-component"),
        (event(more="BEGIN:VTODO\nUID:one\nDTSTAMP:20270101T000000Z\nEND:VTODO"),
         "valid-calendar-object-resource"),
        ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", "valid-calendar-object-resource"),
    ],
)  # fmt: skip
def test_bad_data(client, text, condition):
    answer = client.put(ONE, text)
    assert (answer.status, answer.condition) == (403, condition)


def test_other_refusals_of_put(client):
    large = client.put(ONE, event("one", "DTSTART:20270301T100000Z", "X-A:" + "a" * 200_000))
    assert (large.status, large.condition) == (413, "max-resource-size")
    wrong = client.put(ONE, event(), content_type="text/plain")
    assert (wrong.status, wrong.condition) == (415, "supported-calendar-data")
    assert client.put(HOME + "team/a.ics", event()).condition == "need-privileges"
    assert client.put(HOME + "nothing/a.ics", event()).status == 409
    assert client.put(AGENDA, event()).status == 405
    assert client.put(AGENDA + "a/b.ics", event()).status == 409
    assert client.put("/caldav/calendars/bob/agenda/a.ics", event()).status == 404
    assert client.put(AGENDA + "a" * 300, event()).status == 403
    assert client.put(AGENDA + "%00.ics", event()).status == 403
    assert client.put(AGENDA + "%ff.ics", event()).status == 403


def test_another_character_set(client):
    text = event().replace("Tasting", "Cañas")
    made = client.put(ONE, text.encode("latin-1"), content_type="text/calendar; charset=latin-1")
    assert made.status == 201
    assert client.ask("GET", ONE).text == text
    assert client.put(ONE, event(), content_type="text/calendar;charset=none").status == 403
    # Python knows it, and takes the square of a text's length for it.
    puny = event().encode("punycode")
    assert client.put(ONE, puny, content_type="text/calendar; charset=punycode").status == 403


def test_conditions_that_no_program_sends(client):
    for name in ("if_match", "if_none_match", "if"):
        response = client.put(ONE, event(), **{name: "x" + " " * 60_000 + "x"})
        assert response.status == 400, name


@pytest.mark.parametrize("year", ["0001", "0000", "9999", "1600"])
def test_odd_years(client, year):
    text = event("one", f"DTSTART:{year}0101T000000Z", f"DTEND:{year}0101T010000Z",
                 "RRULE:FREQ=YEARLY;COUNT=3")  # fmt: skip
    assert client.put(ONE, text).status in (201, 403)
    for inner in (
        '<C:comp-filter name="VEVENT"><C:time-range start="00010101T000000Z"/></C:comp-filter>',
        '<C:comp-filter name="VEVENT"><C:time-range start="20270101T000000Z"'
        ' end="99991231T235959Z"/></C:comp-filter>',
    ):
        assert client.query(inner, "<C:calendar-data/>").status == 207
    expand = (
        '<C:calendar-data><C:expand start="00010101T000000Z" end="99991231T235959Z"/>'
        "</C:calendar-data>"
    )
    assert client.query('<C:comp-filter name="VEVENT"/>', expand).status == 207


# --- DELETE, MOVE, COPY


def test_delete(client):
    etag = client.put(ONE, event()).headers["ETag"]
    assert client.ask("DELETE", ONE, if_match='"x"').status == 412
    assert client.ask("DELETE", ONE, if_match=etag).status == 204
    assert client.ask("DELETE", ONE).status == 404


def carry(client, method, source, target, **headers):
    return client.ask(method, source, destination=f"http://calendar.x.es{target}", **headers)


def test_move(client):
    client.put(ONE, event())
    client.ask("MKCALENDAR", HOME + "wine/")
    assert carry(client, "MOVE", ONE, HOME + "wine/a.ics").status == 201
    assert client.ask("GET", HOME + "wine/a.ics").text == event()
    assert client.ask("GET", ONE).status == 404
    assert carry(client, "MOVE", HOME + "wine/a.ics", HOME + "wine/b.ics").status == 201
    client.put(ONE, event("two"))
    there = carry(client, "MOVE", ONE, HOME + "wine/b.ics", overwrite="F")
    assert there.status == 412
    assert carry(client, "MOVE", ONE, HOME + "wine/b.ics").status == 204


def test_refusals_of_move_and_copy(client):
    client.put(ONE, event())
    for target, status in (
        ("/caldav/calendars/bob/agenda/a.ics", 403), (HOME + "nothing/a.ics", 409),
        (HOME + "team/a.ics", 403), (HOME + "tasks/a.ics", 403), (ONE, 403), (HOME + "x", 409),
    ):  # fmt: skip
        for method in ("MOVE", "COPY"):
            assert carry(client, method, ONE, target).status == status, (method, target)
    assert carry(client, "COPY", ONE, AGENDA + "b.ics").condition == "no-uid-conflict"
    assert client.ask("COPY", ONE).status == 400
    assert client.ask("COPY", ONE, destination="http://other.x.es/a").status == 400
    client.put(AGENDA + "b.ics", event("b"))
    assert carry(client, "COPY", ONE, AGENDA + "b.ics", overwrite="maybe").status == 400
    assert carry(client, "MOVE", ONE, AGENDA + "b.ics", overwrite="maybe").status == 400


@pytest.mark.parametrize(
    ("base", "server", "is_ours"),
    [
        ("https://cal.x.es", "https://cal.x.es", True),
        ("https://cal.x.es", "https://CAL.x.es:443", True),
        ("https://cal.x.es:443", "https://cal.x.es", True),
        ("https://cal.x.es:8443", "https://cal.x.es:8443", True),
        # A proxy that does not tell how it is reached.
        ("http://cal.x.es", "https://cal.x.es:443", True),
        ("https://cal.x.es", "", True),
        ("https://cal.x.es", "https://cal.x.es:8443", False),
        ("https://cal.x.es", "https://cal.x.es:80", False),
        ("https://cal.x.es", "https://cal.x.es.evil.es", False),
        ("https://cal.x.es", "https://127.0.0.1:8069", False),
    ],
)
def test_whose_address_a_destination_is(base, server, is_ours):
    request = Request("MOVE", ONE, {"destination": f"{server}{AGENDA}b%20c.ics"}, base=base)
    if is_ours:
        assert request.destination == f"{AGENDA}b c.ics"
        return
    with pytest.raises(BadRequest):
        assert request.destination


def test_copy(client):
    client.put(ONE, event())
    client.ask("MKCALENDAR", HOME + "wine/")
    assert carry(client, "COPY", ONE, HOME + "wine/a.ics").status == 201
    assert carry(client, "COPY", ONE, HOME + "wine/a.ics").status == 204
    assert client.ask("GET", HOME + "wine/a.ics").text == client.ask("GET", ONE).text


def test_a_whole_calendar(client):
    client.put(ONE, event())
    client.put(AGENDA + "two.ics", event("two"))
    answer = client.ask("GET", AGENDA)
    assert answer.text.count("BEGIN:VCALENDAR") == 1 and answer.text.count("BEGIN:VEVENT") == 2
    assert client.ask("GET", "/caldav/").status == 200

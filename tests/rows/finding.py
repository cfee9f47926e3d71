"""Where things are, what they say of themselves, and who may do what."""

from .program import NAMES, C, D, event, expect
from .row import row


@row("RFC 6764, 5", is_http=True)
def well_known_redirects(dav):
    """The well-known address leads to the service, whatever method asks."""
    for method in ("GET", "PROPFIND", "OPTIONS"):
        answer = dav.ask(method, "/.well-known/caldav")
        assert answer.status in (301, 307, 308), answer.status
        assert answer.headers["Location"].endswith(dav.root)


@row("RFC 6764, 5", is_http=True)
def well_known_without_login(dav):
    """Nobody has to say who he is to be told where it is."""
    answer = dav.ask("PROPFIND", "/.well-known/caldav", authorization="")
    assert answer.status in (301, 307, 308)


@row("RFC 9110, 11.6.1", is_http=True)
def without_login(dav):
    """Who does not say who he is is told how to."""
    answer = expect(dav.ask("PROPFIND", dav.root, authorization=""), 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@row("RFC 7617, 2", is_http=True)
def broken_login(dav):
    """Credentials that cannot be read are none."""
    for words in ("Basic %%%", "Basic", "Basic " + "QQ==" * 400, "Bearer x", "Basic w7E6w7E=", "x"):
        expect(dav.ask("PROPFIND", dav.root, authorization=words), 401)


@row("RFC 5397, 3")
def current_user_principal(dav):
    """Every resource says whose it is that asks."""
    dav.store()
    for path in (dav.root, dav.home, dav.agenda, dav.agenda + "one.ics"):
        answer = expect(dav.propfind(path, "<D:current-user-principal/>"), 207)
        assert answer.xml.findtext(f".//{D}current-user-principal/{D}href") == dav.principal


@row("RFC 4791, 6.2.1")
def calendar_home_set(dav):
    """The principal says where the calendars are."""
    answer = dav.propfind(dav.principal, "<C:calendar-home-set/>")
    assert answer.xml.findtext(f".//{C}calendar-home-set/{D}href") == dav.home


@row("RFC 6638, 2.4.1")
def calendar_user_addresses(dav):
    """The principal says by which addresses he is known."""
    answer = dav.propfind(dav.principal, "<C:calendar-user-address-set/>")
    hrefs = [one.text for one in answer.xml.iter(f"{D}href")]
    assert any(one.startswith("mailto:") and "@" in one for one in hrefs)


@row("RFC 3744, 4.2")
def principal_url(dav):
    """A principal knows its own address, and is one."""
    answer = dav.propfind(dav.principal, "<D:principal-URL/><D:resourcetype/>")
    assert answer.xml.findtext(f".//{D}principal-URL/{D}href") == dav.principal
    assert answer.xml.find(f".//{D}resourcetype/{D}principal") is not None


@row("RFC 3744, 5.8")
def principal_collection_set(dav):
    """Where principals are to be found."""
    answer = dav.propfind(dav.agenda, "<D:principal-collection-set/>")
    href = answer.xml.findtext(f".//{D}principal-collection-set/{D}href")
    expect(dav.propfind(href, "<D:resourcetype/>"), 207)


@row("RFC 4791, 5.1")
def options_names_the_classes(dav):
    """OPTIONS tells what the server is, at each resource."""
    dav.store()
    for path in (dav.root, dav.principal, dav.home, dav.agenda, dav.agenda + "one.ics"):
        answer = expect(dav.ask("OPTIONS", path), 200)
        classes = {one.strip() for one in answer.headers["DAV"].split(",")}
        assert {"1", "access-control", "calendar-access", "extended-mkcol"} <= classes
        assert "2" not in classes


@row("RFC 9110, 10.2.1")
def options_names_the_methods(dav):
    """Allow is what is allowed here."""
    dav.store()
    allowed = dav.ask("OPTIONS", dav.agenda + "one.ics").headers["Allow"]
    assert {"GET", "PUT", "DELETE", "PROPFIND"} <= set(allowed.split(", "))
    assert "REPORT" in dav.ask("OPTIONS", dav.agenda).headers["Allow"]
    assert "PUT" not in dav.ask("OPTIONS", dav.agenda).headers["Allow"].split(", ")


@row("RFC 4918, 9.1")
def depth_0_and_1(dav):
    """Depth says how much is told of."""
    dav.store()
    assert dav.propfind(dav.agenda, "<D:getetag/>").names == ["agenda"]
    assert dav.propfind(dav.agenda, "<D:getetag/>", "1").names == ["agenda", "one.ics"]


@row("RFC 4918, 9.1")
def depth_infinity(dav):
    """A server may refuse to tell of everything, and says so."""
    answer = dav.propfind(dav.root, "<D:getetag/>", "infinity")
    expect(answer, 403, "propfind-finite-depth")


@row("RFC 4918, 9.1")
def no_depth_is_infinity_or_less(dav):
    """Without Depth a collection is told of, or refused as infinity would be."""
    body = f"<D:propfind {NAMES}><D:prop><D:resourcetype/></D:prop></D:propfind>"
    assert dav.ask("PROPFIND", dav.home, body).status in (207, 403)


@row("RFC 4918, 10.2")
def odd_depths(dav):
    """Another word is a bad request, and no failure."""
    for word in (
        "2",
        "-1",
        "foo",
        "0,1",
        "infinit",
        "1, noroot",
        "\u0661".encode().decode("latin-1"),
    ):
        expect(dav.propfind(dav.agenda, "<D:getetag/>", word), 400)


@row("RFC 4918, 9.1")
def missing_properties(dav):
    """What is not there is told as 404, beside what is."""
    answer = expect(dav.propfind(dav.agenda, "<D:displayname/><D:no/><x xmlns='urn:y'/>"), 207)
    assert answer.missing == {"no", "x"}
    assert "displayname" in answer.found["agenda"]


@row("RFC 4918, 9.1")
def property_without_namespace(dav):
    """A name in no namespace is a name."""
    body = '<propfind xmlns="DAV:"><prop><x xmlns=""/><displayname/></prop></propfind>'
    answer = expect(dav.ask("PROPFIND", dav.agenda, body, depth="0"), 207)
    assert answer.missing == {"x"}


@row("RFC 4918, 9.1")
def property_twice(dav):
    """Asked for twice, told once."""
    answer = expect(dav.propfind(dav.agenda, "<D:displayname/><D:displayname/>"), 207)
    assert len(list(answer.xml.iter(f"{D}displayname"))) == 1


@row("RFC 4918, 9.1")
def empty_propfind_is_allprop(dav):
    """No body asks for all that is usual."""
    dav.store()
    answer = expect(dav.ask("PROPFIND", dav.agenda + "one.ics", depth="0"), 207)
    assert {"resourcetype", "getetag", "getcontenttype"} <= set(answer.found["one.ics"])


@row("RFC 4918, 9.1; RFC 4791, 5.2")
def allprop(dav):
    """allprop gives what RFC 4918 has, and not what is dear."""
    dav.store()
    body = f"<D:propfind {NAMES}><D:allprop/></D:propfind>"
    found = expect(dav.ask("PROPFIND", dav.agenda, body, depth="1"), 207).found
    assert {"getetag", "getcontentlength", "getlastmodified"} <= set(found["one.ics"])
    assert "calendar-data" not in found["one.ics"] and "calendar-timezone" not in found["agenda"]


@row("RFC 4918, 9.1")
def allprop_and_include(dav):
    """And what is named beside."""
    body = (
        f"<D:propfind {NAMES}><D:allprop/><D:include><D:acl/><CS:getctag/></D:include></D:propfind>"
    )
    found = expect(dav.ask("PROPFIND", dav.agenda, body, depth="0"), 207).found["agenda"]
    assert {"displayname", "acl", "getctag"} <= set(found)


@row("RFC 4918, 9.1")
def include_of_what_is_not_there(dav):
    """What include names and is not there is told as 404."""
    body = f"<D:propfind {NAMES}><D:allprop/><D:include><D:no/></D:include></D:propfind>"
    assert expect(dav.ask("PROPFIND", dav.agenda, body, depth="0"), 207).missing == {"no"}


@row("RFC 4918, 9.1")
def propname(dav):
    """Names without values, of what is there."""
    body = f"<D:propfind {NAMES}><D:propname/></D:propfind>"
    found = expect(dav.ask("PROPFIND", dav.agenda, body, depth="0"), 207).found["agenda"]
    assert {"displayname", "sync-token", "supported-report-set"} <= set(found)
    assert not [one for one in found.values() if len(one) or one.text]


@row("RFC 8144, 2.1")
def prefer_minimal(dav):
    """What is not there is left out when that is preferred."""
    for headers in ({"prefer": "return=minimal"}, {"brief": "t"}, {"prefer": "x, return=minimal"}):
        answer = expect(dav.propfind(dav.agenda, "<D:displayname/><D:no/>", **headers), 207)
        assert not answer.missing and "displayname" in answer.found["agenda"]


@row("RFC 8144, 2.1")
def prefer_minimal_of_nothing(dav):
    """A resource with none of them is told of all the same."""
    answer = expect(dav.propfind(dav.agenda, "<D:no/>", prefer="return=minimal"), 207)
    assert answer.found == {"agenda": {}}
    assert answer.xml.find(f".//{D}propstat") is not None


@row("RFC 8144, 3")
def preference_applied(dav):
    """Who prefers is told that it was done."""
    answer = dav.propfind(dav.agenda, "<D:no/>", prefer="return=minimal")
    assert answer.headers.get("Preference-Applied") == "return=minimal"


@row("RFC 4918, 14.7")
def href_is_percent_encoded(dav):
    """Addresses are told as addresses are written."""
    expect(dav.put(dav.agenda + "a%20b%C3%B1.ics", event()), 201)
    hrefs = [one.text for one in dav.propfind(dav.agenda, "<D:getetag/>", "1").xml.iter(f"{D}href")]
    assert dav.agenda + "a%20b%C3%B1.ics" in hrefs


@row("RFC 4791, 4.2")
def resourcetype_of_a_calendar(dav):
    """It is a collection and a calendar; what is in it is neither."""
    dav.store()
    found = dav.propfind(dav.agenda, "<D:resourcetype/>", "1").found
    kinds = [one.tag for one in found["agenda"]["resourcetype"]]
    assert kinds == [f"{D}collection", f"{C}calendar"]
    assert not len(found["one.ics"]["resourcetype"])


@row("RFC 4791, 5.2.3")
def component_set(dav):
    """What a calendar takes."""
    path = dav.make("todos", "VTODO")
    answer = dav.propfind(path, "<C:supported-calendar-component-set/>")
    assert [one.get("name") for one in answer.xml.iter(f"{C}comp")] == ["VTODO"]


@row("RFC 4791, 5.2.3")
def component_set_by_default(dav):
    """A calendar that is made without a word about it takes each kind."""
    answer = dav.propfind(dav.make("any"), "<C:supported-calendar-component-set/>")
    names = {one.get("name") for one in answer.xml.iter(f"{C}comp")}
    assert {"VEVENT", "VTODO", "VJOURNAL"} <= names


@row("RFC 4791, 5.2.4, 5.2.5 and 7.5.1")
def limits_of_a_calendar(dav):
    """What data, how large, compared by which rules."""
    answer = dav.propfind(
        dav.agenda,
        "<C:supported-calendar-data/><C:max-resource-size/><C:supported-collation-set/>",
    )
    assert answer.xml.find(f".//{C}calendar-data").get("content-type") == "text/calendar"
    assert int(answer.xml.findtext(f".//{C}max-resource-size")) >= 100_000
    names = {one.text for one in answer.xml.iter(f"{C}supported-collation")}
    assert {"i;ascii-casemap", "i;octet"} <= names


@row("RFC 3253, 3.1.5; RFC 4791, 7; RFC 6578, 3.2")
def supported_reports(dav):
    """Each report that is told of is to be had."""
    answer = dav.propfind(dav.agenda, "<D:supported-report-set/>")
    reports = {one[0].tag for one in answer.xml.iter(f"{D}report")}
    assert {
        f"{C}calendar-query", f"{C}calendar-multiget", f"{C}free-busy-query",
        f"{D}sync-collection", f"{D}expand-property",
    } <= reports  # fmt: skip


@row("RFC 4791, 5.3.4")
def etags_are_strong(dav):
    """An ETag is in quotes, strong, and the same wherever it is told."""
    etag = dav.store().headers["ETag"]
    assert etag[0] == etag[-1] == '"'
    assert (
        dav.propfind(dav.agenda + "one.ics", "<D:getetag/>").found["one.ics"]["getetag"].text
        == etag
    )
    assert dav.ask("GET", dav.agenda + "one.ics").headers["ETag"] == etag


@row("CalendarServer, ctag")
def ctag_moves(dav):
    """The tag of a calendar moves with what is in it, and only then."""

    def tag():
        return dav.propfind(dav.agenda, "<CS:getctag/>").found["agenda"]["getctag"].text

    first = tag()
    assert tag() == first
    dav.store()
    second = tag()
    assert second != first
    expect(dav.ask("DELETE", dav.agenda + "one.ics"), 204)
    assert tag() not in (first, second)


@row("RFC 3744, 5.4")
def privileges(dav):
    """What one may do: all in one's own calendar, no writing in one that is read."""
    own = dav.propfind(dav.agenda, "<D:current-user-privilege-set/>").text
    assert "<D:write-content/>" in own and "<D:read/>" in own and "<D:bind/>" in own
    read = dav.propfind(f"{dav.home}{dav.shared}/", "<D:current-user-privilege-set/>").text
    assert "<D:read/>" in read and "<D:write-content/>" not in read and "<D:bind/>" not in read


@row("RFC 3744, 5")
def acl_properties(dav):
    """The properties of access control are there, and are true."""
    names = (
        "owner", "acl", "supported-privilege-set", "acl-restrictions", "inherited-acl-set",
        "current-user-privilege-set", "principal-collection-set",
    )  # fmt: skip
    answer = dav.propfind(dav.agenda, "".join(f"<D:{name}/>" for name in names))
    assert not answer.missing
    assert answer.xml.findtext(f".//{D}owner/{D}href") == dav.principal
    assert answer.xml.findtext(f".//{D}ace/{D}principal/{D}href") == dav.principal


@row("RFC 3744, 8.1")
def acl_is_not_written(dav):
    """Who may do what is nothing that programs change."""
    assert dav.ask("ACL", dav.agenda, f"<D:acl {NAMES}/>").status in (403, 405)


@row("RFC 3744, 9.4")
def principal_property_search(dav):
    """A search finds who has the word in his name, in any case of its letters."""

    def search(inner, more=""):
        return expect(
            dav.report(
                f"{dav.root}principals/",
                f"<D:principal-property-search {NAMES}{more}>{inner}"
                "<D:prop><D:displayname/></D:prop></D:principal-property-search>", "0",
            ), 207,
        ).names  # fmt: skip

    def by(words, name="D:displayname"):
        return (
            f"<D:property-search><D:prop><{name}/></D:prop><D:match>{words}</D:match>"
            "</D:property-search>"
        )

    title = dav.propfind(dav.principal, "<D:displayname/>").xml.findtext(f".//{D}displayname")
    mine = [dav.principal.rstrip("/").split("/")[-1]]
    assert search(by(title[:3].upper())) == mine
    assert search(by("nobody has this")) == []
    assert search(by(title) + by("nobody has this")) == []
    assert search(by(title) + by("nobody has this"), ' test="anyof"') == mine
    assert search(by("@", "C:calendar-user-address-set")) == mine


@row("RFC 3744, 9.4")
def principal_search_says_nothing(dav):
    """A search without something to search for is a bad request."""
    body = f"<D:principal-property-search {NAMES}><D:prop/></D:principal-property-search>"
    expect(dav.report(f"{dav.root}principals/", body, "0"), 400)


@row("RFC 3744, 9.5")
def principal_search_property_set(dav):
    """By what can be searched."""
    body = f"<D:principal-search-property-set {NAMES}/>"
    answer = expect(dav.report(f"{dav.root}principals/", body, "0"), 200)
    assert answer.xml.find(f".//{D}displayname") is not None


@row("RFC 3744, 9.3")
def principal_match(dav):
    """Which of them am I?"""
    body = f"<D:principal-match {NAMES}><D:self/></D:principal-match>"
    answer = expect(dav.report(f"{dav.root}principals/", body, "0"), 207)
    assert answer.xml.findtext(f".//{D}href") == dav.principal


@row("RFC 3744, 9.2")
def acl_principal_prop_set(dav):
    """Properties of those of whom the ACL speaks."""
    body = (
        f"<D:acl-principal-prop-set {NAMES}><D:prop><D:displayname/></D:prop>"
        "</D:acl-principal-prop-set>"
    )
    answer = expect(dav.report(dav.agenda, body, "0"), 207)
    assert answer.xml.findtext(f".//{D}href") == dav.principal


@row("RFC 3253, 3.8")
def expand_property(dav):
    """What a property leads to, in its place."""
    body = (
        f'<D:expand-property {NAMES}><D:property name="current-user-principal">'
        '<D:property name="displayname"/></D:property></D:expand-property>'
    )
    answer = expect(dav.report(dav.agenda, body, "0"), 207)
    inner = answer.xml.find(f".//{D}current-user-principal/{D}response")
    assert inner.findtext(f"{D}href") == dav.principal
    assert inner.findtext(f".//{D}displayname")


@row("RFC 3744, 1; RFC 9110, 15.5.5")
def nothing_of_others(dav):
    """Of somebody else's things nobody learns whether they are there."""
    for path in (
        f"{dav.root}principals/{dav.stranger}/", f"{dav.root}calendars/{dav.stranger}/",
        f"{dav.root}calendars/{dav.stranger}/agenda/",
        f"{dav.root}calendars/{dav.stranger}/agenda/x.ics",
    ):  # fmt: skip
        for method in ("PROPFIND", "GET", "DELETE", "REPORT", "PROPPATCH"):
            expect(dav.ask(method, path), 404)
        nowhere = path.replace(dav.stranger, "nobody-at-all")
        assert dav.ask("PROPFIND", path).text == dav.ask("PROPFIND", nowhere).text


@row("RFC 9110, 15.5.5")
def nothing_there(dav):
    """What is not there is 404, for each method that needs it."""
    for path in (dav.agenda + "no.ics", dav.home + "no/", dav.root + "no/"):
        for method in ("PROPFIND", "GET", "DELETE", "REPORT", "PROPPATCH"):
            expect(dav.ask(method, path, depth="0"), 404)


@row("RFC 9110, 9.1 and 15.5.6", is_http=True)
def unknown_methods(dav):
    """A method that nobody knows is refused, with those that are known."""
    for method in ("LOCK", "UNLOCK", "PATCH", "ACL", "POST", "TRACE", "SEARCH", "BREW"):
        answer = dav.ask(method, dav.agenda)
        assert answer.status in (405, 501), (method, answer.status)
        assert answer.status == 501 or "PROPFIND" in answer.headers["Allow"], method


@row("RFC 4918, 18.2; 9.10")
def no_locks(dav):
    """A server of class 1 and 3 has no locks, and says so."""
    body = (
        f"<D:lockinfo {NAMES}><D:lockscope><D:exclusive/></D:lockscope>"
        "<D:locktype><D:write/></D:locktype></D:lockinfo>"
    )
    answer = expect(dav.ask("LOCK", dav.agenda, body), 405)
    assert "LOCK" not in answer.headers["Allow"].split(", ")
    answer = dav.propfind(dav.agenda, "<D:supportedlock/><D:lockdiscovery/>")
    assert not list(answer.xml.iter(f"{D}lockentry"))

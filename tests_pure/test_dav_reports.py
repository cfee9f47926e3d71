"""REPORT: which objects match, what of them is given, what has changed."""

import pytest
from crm_automation.tests.rows.program import NAMES, C, D, event

from dav_memory import Client

HOME = "/caldav/calendars/ana@x.es/"
AGENDA = HOME + "agenda/"
MARCH = ("20270301T000000Z", "20270401T000000Z")
ZONE = "DTSTART;TZID=Europe/Madrid:20270301T120000"


@pytest.fixture
def client():
    return Client()


def store(client, uid, *lines, more="", calendar="agenda"):
    text = event(uid, *lines, more=more)
    if calendar == "tasks":
        text = text.replace("VEVENT", "VTODO")
    answer = client.put(f"{HOME}{calendar}/{uid}.ics", text)
    assert answer.status == 201, answer.text


def span(start, end):
    ends = f' start="{start}"' if start else ""
    ends += f' end="{end}"' if end else ""
    return f"<C:time-range{ends}/>"


def comp(inner, name="VEVENT"):
    return f'<C:comp-filter name="{name}">{inner}</C:comp-filter>'


def prop(name, inner=""):
    return f'<C:prop-filter name="{name}">{inner}</C:prop-filter>'


def match(text, attributes=""):
    return f"<C:text-match {attributes}>{text}</C:text-match>"


def names(client, inner, calendar="agenda"):
    answer = client.query(inner, path=f"{HOME}{calendar}/")
    assert answer.status == 207, answer.text
    return [name.removesuffix(".ics") for name in answer.names]


# --- Time


@pytest.mark.parametrize(
    ("start", "end", "is_in"),
    [
        ("20270301T100000Z", "20270301T110000Z", True),
        ("20270301T110000Z", "20270301T120000Z", False),
        ("20270301T090000Z", "20270301T100000Z", False),
        ("20270301T103000Z", "20270301T103100Z", True),
        ("20270301T105959Z", None, True),
        ("20270301T110000Z", None, False),
        (None, "20270301T100001Z", True),
        (None, "20270301T100000Z", False),
    ],
)
def test_the_edges_of_a_range(client, start, end, is_in):
    store(client, "one")
    assert names(client, comp(span(start, end))) == ["one"] * is_in


def test_events_without_length_and_whole_days(client):
    store(client, "moment", "DTSTART:20270301T100000Z")
    store(client, "day", "DTSTART;VALUE=DATE:20270302")
    store(client, "float", "DTSTART:20270303T000000", "DURATION:PT30M")
    assert names(client, comp(span("20270301T100000Z", "20270301T100001Z"))) == ["moment"]
    assert names(client, comp(span("20270301T090000Z", "20270301T100000Z"))) == []
    # Days and floating times are where the user is: Madrid.
    assert names(client, comp(span("20270301T230000Z", "20270301T233000Z"))) == ["day"]
    assert names(client, comp(span("20270302T230000Z", "20270302T231000Z"))) == ["float"]


def test_recurrences(client):
    store(
        client, "series", ZONE, "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=10",
        "EXDATE;TZID=Europe/Madrid:20270303T120000", "RDATE;TZID=Europe/Madrid:20270401T120000",
        more="""
BEGIN:VEVENT
UID:series
DTSTAMP:20270101T000000Z
RECURRENCE-ID;TZID=Europe/Madrid:20270305T120000
DTSTART;TZID=Europe/Madrid:20270320T120000
DURATION:PT1H
SUMMARY:Moved
END:VEVENT
""",
    )  # fmt: skip

    def on(day, month=3):
        start = f"2027{month:02}{day:02}T000000Z"
        return names(client, comp(span(start, start.replace("T00", "T23")))) == ["series"]

    assert [day for day in range(1, 32) if on(day)] == [1, 2, 4, 6, 7, 8, 9, 10, 20]
    assert on(1, 4)
    summary = comp(span(*MARCH) + prop("SUMMARY", match("Moved")))
    assert names(client, summary) == ["series"]
    summary = comp(span("20270301T000000Z", "20270310T000000Z") + prop("SUMMARY", match("Moved")))
    assert names(client, summary) == []


def test_a_rule_that_never_ends(client):
    store(client, "seconds", "DTSTART:20200101T000000Z", "RRULE:FREQ=SECONDLY")
    store(client, "february", "DTSTART:20200101T000000Z",
          "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")  # fmt: skip
    assert "seconds" in names(client, comp(span(*MARCH)))
    assert "seconds" in names(client, comp(span("20270301T000000Z", None)))
    expand = f'<C:calendar-data><C:expand start="{MARCH[0]}" end="{MARCH[1]}"/></C:calendar-data>'
    answer = client.query(comp(""), expand)
    assert answer.status == 207 and answer.statuses == {"seconds.ics": 507}
    assert "number-of-matches-within-limits" in answer.text
    busy = free_busy(client)
    assert "FREEBUSY;FBTYPE=BUSY:20270301T000000Z/20270401T000000Z" in busy.text


@pytest.mark.parametrize(
    "range_",
    [
        '<C:time-range/>', '<C:time-range start="yesterday"/>', '<C:time-range start="20270301"/>',
        '<C:time-range start="20270301T000000"/>', '<C:time-range start=""/>',
        '<C:time-range start="20270301T000000Z" end="20270301T000000Z"/>',
        '<C:time-range start="20270302T000000Z" end="20270301T000000Z"/>',
        '<C:time-range start="20271301T000000Z"/>',
    ],
)  # fmt: skip
def test_bad_ranges(client, range_):
    store(client, "one")
    answer = client.query(comp(range_))
    assert (answer.status, answer.condition) == (403, "valid-filter")
    data = range_.replace("time-range", "expand")
    assert client.query(comp(""), f"<C:calendar-data>{data}</C:calendar-data>").status == 400


def test_todos(client):
    day = "20270301T{}0000Z".format
    for uid, lines in {
        "start-due": ("DTSTART:" + day("10"), "DUE:" + day("12")),
        "start-length": ("DTSTART:" + day("10"), "DURATION:PT2H"),
        "start": ("DTSTART:" + day("10"),),
        "due": ("DUE:" + day("12"),),
        "done": ("COMPLETED:" + day("12"),),
        "made": ("CREATED:" + day("12"),),
        "nothing": ("SUMMARY:x",),
    }.items():
        store(client, uid, *lines, calendar="tasks")

    def at(start, end):
        return set(names(client, comp(span(day(start), day(end)), "VTODO"), "tasks"))

    assert at("11", "12") == {"start-due", "start-length", "due", "done", "nothing"}
    assert at("13", "14") == {"made", "nothing"}
    assert at("09", "10") == {"nothing"}
    assert at("10", "11") == {"start-due", "start-length", "start", "nothing"}
    assert at("12", "13") == {"start-length", "done", "made", "nothing"}


def test_alarms(client):
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:x\r\nEND:VALARM"
    store(client, "one", "DTSTART:20270301T100000Z", "DURATION:PT1H", alarm)
    store(client, "two", "DTSTART:20270301T100000Z", "DURATION:PT1H")
    inside = comp(span("20270301T094000Z", "20270301T095000Z"), "VALARM")
    outside = comp(span("20270301T100000Z", "20270301T110000Z"), "VALARM")
    assert names(client, comp(inside)) == ["one"]
    assert names(client, comp(outside)) == []
    assert names(client, comp(comp("", "VALARM"))) == ["one"]
    assert names(client, comp(comp("<C:is-not-defined/>", "VALARM"))) == ["two"]
    assert names(client, comp(comp(prop("ACTION", match("display")), "VALARM"))) == ["one"]


# --- Properties


def test_texts_and_parameters(client):
    store(client, "one", ZONE, r"SUMMARY:Cata de Ñora\, y más", "CATEGORIES:Wine,Work",
          'ATTENDEE;CN="Ruiz, Ana";PARTSTAT=ACCEPTED:mailto:ana@x.es')  # fmt: skip
    store(client, "two", ZONE, "SUMMARY:Other", "CREATED:20270210T120000Z",
          "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@x.es")  # fmt: skip
    for inner, expected in (
        (prop("SUMMARY", match("ñora, Y")), []),
        (prop("SUMMARY", match("Ñora, Y")), ["one"]),
        (prop("summary", match("ñora", 'collation="i;unicode-casemap"')), ["one"]),
        (prop("SUMMARY", match("other")), ["two"]),
        (prop("SUMMARY", match("other", 'collation="i;octet"')), []),
        (prop("SUMMARY", match("other", 'negate-condition="yes"')), ["one"]),
        (prop("CATEGORIES", match("wine")), ["one"]),
        (prop("CATEGORIES", "<C:is-not-defined/>"), ["two"]),
        (prop("CATEGORIES"), ["one"]),
        (prop("CREATED", span("20270201T000000Z", "20270301T000000Z")), ["two"]),
        (prop("CREATED", span("20270301T000000Z", None)), []),
        (prop("DTSTART", span("20270301T110000Z", "20270301T110001Z")), ["one", "two"]),
        (prop("ATTENDEE", match("ana@") + '<C:param-filter name="PARTSTAT">'
              + match("accepted") + "</C:param-filter>"), ["one"]),
        (prop("ATTENDEE", '<C:param-filter name="CN"><C:is-not-defined/></C:param-filter>'),
         ["two"]),
        (prop("ATTENDEE", match("bob@") + '<C:param-filter name="PARTSTAT">'
              + match("accepted") + "</C:param-filter>"), []),
        (prop("UID", match("ON")), ["one"]),
        (prop("UID", match("ON", 'collation="i;octet"')), []),
    ):  # fmt: skip
        assert names(client, comp(inner)) == expected, inner
    assert names(client, comp("<C:is-not-defined/>", "VTODO")) == ["one", "two"]
    assert names(client, comp("<C:is-not-defined/>")) == []
    assert names(client, comp("", "VTIMEZONE")) == []
    assert names(client, "") == ["one", "two"]


@pytest.mark.parametrize(
    ("inner", "condition"),
    [
        (comp(prop("SUMMARY", match("x", 'collation="i;none"'))), "supported-collation"),
        (comp(prop("SUMMARY", match("x", 'negate-condition="perhaps"'))), "valid-filter"),
        (comp(prop("")), "valid-filter"),
        (comp("<C:foo/>"), "valid-filter"),
        (comp("<C:is-not-defined/>" + prop("SUMMARY")), "valid-filter"),
        (comp("", ""), "valid-filter"),
        (span(*MARCH), "valid-filter"),
    ],
)
def test_bad_filters(client, inner, condition):
    answer = client.query(inner)
    assert (answer.status, answer.condition) == (403, condition)


@pytest.mark.parametrize(
    "filter_",
    [
        "", "<C:filter/>", "<C:filter><C:prop-filter name='x'/></C:filter>",
        "<C:filter><C:comp-filter name='VEVENT'/></C:filter>",
        "<C:filter><C:comp-filter name='VCALENDAR'/><C:comp-filter name='VCALENDAR'/></C:filter>",
    ],
)  # fmt: skip
def test_no_filter(client, filter_):
    body = f"<C:calendar-query {NAMES}><D:prop><D:getetag/></D:prop>{filter_}</C:calendar-query>"
    answer = client.report(AGENDA, body)
    assert (answer.status, answer.condition) == (403, "valid-filter")


def test_the_zone_of_a_query(client):
    store(client, "day", "DTSTART;VALUE=DATE:20270302")
    zone = "\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VTIMEZONE", "TZID:Asia/Tokyo",
         "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0900", "TZOFFSETTO:+0900",
         "END:STANDARD", "END:VTIMEZONE", "END:VCALENDAR"]
    )  # fmt: skip
    body = (
        f"<C:calendar-query {NAMES}><D:prop><D:getetag/></D:prop><C:filter>"
        f"<C:comp-filter name='VCALENDAR'>{comp(span('20270301T150000Z', '20270301T160000Z'))}"
        "</C:comp-filter></C:filter><C:timezone>{}</C:timezone></C:calendar-query>"
    )
    assert client.report(AGENDA, body.format(zone)).names == ["day.ics"]
    assert client.report(AGENDA, body.format("nothing")).condition == "valid-calendar-data"


# --- What is given


def test_data(client):
    store(client, "one")
    wanted = "<D:getetag/><C:calendar-data/><D:nothing/>"
    answer = client.query(comp(""), wanted)
    assert answer.data("one.ics") == event("one").replace("\r\n", "\n") or answer.data(
        "one.ics"
    ) == event("one")
    assert answer.missing == {"nothing"}
    bad = client.query(comp(""), '<C:calendar-data content-type="text/html"/>')
    assert (bad.status, bad.condition) == (403, "supported-calendar-data")


def test_some_of_the_data(client):
    store(client, "one", ZONE, "SUMMARY:Tasting", "DESCRIPTION:long",
          "BEGIN:VALARM\r\nACTION:AUDIO\r\nTRIGGER:-PT5M\r\nEND:VALARM")  # fmt: skip
    part = (
        '<C:calendar-data><C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT">'
        '<C:prop name="UID"/><C:prop name="SUMMARY" novalue="yes"/></C:comp></C:comp>'
        "</C:calendar-data>"
    )
    lines = client.query(comp(""), part).data("one.ics").split()
    assert lines == [
        "BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:one", "SUMMARY:", "END:VEVENT",
        "END:VCALENDAR",
    ]  # fmt: skip
    part = (
        '<C:calendar-data><C:comp name="VCALENDAR"><C:allprop/><C:comp name="VEVENT"><C:allprop/>'
        "<C:allcomp/></C:comp></C:comp></C:calendar-data>"
    )
    data = client.query(comp(""), part).data("one.ics")
    assert "DESCRIPTION:long" in data and "BEGIN:VALARM" in data


SERIES = (
    ZONE, "DTEND;TZID=Europe/Madrid:20270301T130000", "RRULE:FREQ=DAILY;COUNT=5",
    "EXDATE;TZID=Europe/Madrid:20270302T120000", "SUMMARY:Tasting",
)  # fmt: skip
CHANGED = """
BEGIN:VEVENT
UID:series
DTSTAMP:20270101T000000Z
RECURRENCE-ID;TZID=Europe/Madrid:20270303T120000
DTSTART;TZID=Europe/Madrid:20270303T150000
DTEND;TZID=Europe/Madrid:20270303T160000
SUMMARY:Later
END:VEVENT
"""


def test_expand(client):
    store(client, "series", *SERIES, more=CHANGED)
    ends = 'start="20270302T000000Z" end="20270305T000000Z"'
    data = client.query(comp(""), f"<C:calendar-data><C:expand {ends}/></C:calendar-data>").data(
        "series.ics"
    )
    assert data.count("BEGIN:VEVENT") == 2
    for line in (
        "DTSTART:20270303T140000Z", "RECURRENCE-ID:20270303T110000Z", "DTSTART:20270304T110000Z",
        "RECURRENCE-ID:20270304T110000Z", "DTEND:20270304T120000Z", "SUMMARY:Later",
    ):  # fmt: skip
        assert line in data.split()
    for word in ("RRULE", "EXDATE", "TZID", "VTIMEZONE"):
        assert word not in data


def test_limit_recurrence_set(client):
    store(client, "series", *SERIES, more=CHANGED)
    for ends, number in (
        ('start="20270303T000000Z" end="20270304T000000Z"', 2),
        ('start="20270301T000000Z" end="20270302T000000Z"', 1),
    ):
        wanted = f"<C:calendar-data><C:limit-recurrence-set {ends}/></C:calendar-data>"
        data = client.query(comp(""), wanted).data("series.ics")
        assert data.count("BEGIN:VEVENT") == number
        assert "RRULE" in data


# --- multiget


def test_multiget(client):
    store(client, "one")
    hrefs = "".join(
        f"<D:href>{path}</D:href>"
        for path in (
            AGENDA + "one.ics", AGENDA + "none.ics", "/caldav/calendars/bob/agenda/x.ics",
            "http://calendar.x.es" + AGENDA + "one.ics", "http://other.es/x", "nonsense", "",
            HOME + "tasks/x.ics",
        )
    )  # fmt: skip
    body = (
        f"<C:calendar-multiget {NAMES}><D:prop><D:getetag/><C:calendar-data/></D:prop>{hrefs}"
        "</C:calendar-multiget>"
    )
    answer = client.report(AGENDA, body)
    assert answer.status == 207
    assert "BEGIN:VEVENT" in answer.data("one.ics")
    assert answer.statuses["none.ics"] == 404 and len(answer.statuses) == 5
    none = body.replace(hrefs, "")
    assert client.report(AGENDA, none).status == 400


# --- sync-collection


def sync(client, token="", more="", depth="0", path=AGENDA):
    body = (
        f"<D:sync-collection {NAMES}><D:sync-token>{token}</D:sync-token>"
        f"<D:sync-level>1</D:sync-level>{more}<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
    return client.report(path, body, depth=depth)


def token_of(answer):
    return answer.xml.findtext(f"{D}sync-token")


def test_sync(client):
    store(client, "one")
    store(client, "two")
    first = sync(client)
    assert first.names == ["one.ics", "two.ics"]
    token = token_of(first)
    assert token.startswith("data:,")
    assert token == client.propfind(AGENDA, "<D:sync-token/>").found["agenda"]["sync-token"].text
    idle = sync(client, token)
    assert idle.names == [] and token_of(idle) == token
    store(client, "three")
    client.ask("DELETE", AGENDA + "one.ics")
    second = sync(client, token)
    assert set(second.found) == {"one.ics", "three.ics"}
    assert second.statuses == {"one.ics": 404}


def test_sync_in_pages(client):
    for number in range(5):
        store(client, f"e{number}")
    more = "<D:limit><D:nresults>2</D:nresults></D:limit>"
    token, seen, pages = "", [], 0
    while True:
        answer = sync(client, token, more)
        token, pages = token_of(answer), pages + 1
        seen += [name for name in answer.found if name.endswith(".ics")]
        if answer.statuses.get("agenda") != 507:
            break
    assert (pages, sorted(seen)) == (3, [f"e{number}.ics" for number in range(5)])


@pytest.mark.parametrize(
    "token", ["nonsense", "data:,x", "data:,e-999", "http://example.com/1", "data:,", "data:,e-"]
)
def test_bad_tokens(client, token):
    answer = sync(client, token)
    assert (answer.status, answer.condition) == (403, "valid-sync-token")


def test_bad_syncs(client):
    for number in ("0", "-1", "x", ""):
        more = f"<D:limit><D:nresults>{number}</D:nresults></D:limit>"
        assert sync(client, "", more).status == 400
    assert sync(client, depth="infinity").status == 400
    assert client.report(AGENDA, f"<D:sync-collection {NAMES}/>").status == 400
    answer = sync(client, path=HOME)
    assert (answer.status, answer.condition) == (403, "supported-report")


# --- The others


def free_busy(client, start=MARCH[0], end=MARCH[1]):
    body = f"<C:free-busy-query {NAMES}>{span(start, end)}</C:free-busy-query>"
    return client.report(AGENDA, body)


def test_free_busy(client):
    store(client, "one")
    store(client, "two", "DTSTART:20270301T103000Z", "DTEND:20270301T120000Z", "STATUS:TENTATIVE")
    store(client, "three", "DTSTART:20270302T100000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT")
    store(client, "four", "DTSTART:20270303T100000Z", "DURATION:PT1H", "STATUS:CANCELLED")
    answer = free_busy(client)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/calendar")
    assert [line for line in answer.text.split() if line.startswith("FREEBUSY")] == [
        "FREEBUSY;FBTYPE=BUSY:20270301T100000Z/20270301T110000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270301T110000Z/20270301T120000Z",
    ]
    assert client.report(AGENDA, f"<C:free-busy-query {NAMES}/>").status == 400
    assert free_busy(client, "x").status == 400


def test_principals(client):
    def search(words, name="<D:displayname/>"):
        return client.report(
            "/caldav/principals/",
            f"<D:principal-property-search {NAMES}><D:property-search><D:prop>{name}</D:prop>"
            f"<D:match>{words}</D:match></D:property-search><D:prop><D:displayname/></D:prop>"
            "</D:principal-property-search>", depth="0",
        )  # fmt: skip

    assert search("ruiz").names == ["ana@x.es"]
    assert search("bob").names == []
    assert search("ANA@", "<C:calendar-user-address-set/>").names == ["ana@x.es"]
    for report in ("principal-search-property-set", "acl-principal-prop-set"):
        answer = client.report("/caldav/principals/", f"<D:{report} {NAMES}/>", depth="0")
        assert answer.status in (200, 207)
    answer = client.report(
        "/caldav/principals/", f"<D:principal-match {NAMES}><D:self/></D:principal-match>", "0"
    )
    assert answer.names == ["ana@x.es"]


def test_expand_property(client):
    body = (
        f'<D:expand-property {NAMES}><D:property name="current-user-principal">'
        '<D:property name="displayname"/><D:property name="calendar-home-set"'
        ' namespace="urn:ietf:params:xml:ns:caldav"><D:property name="resourcetype"/>'
        '</D:property></D:property><D:property name="nothing"/></D:expand-property>'
    )
    answer = client.report(AGENDA, body, depth="0")
    assert answer.xml.findtext(f".//{D}displayname") == "Ana Ruiz"
    assert answer.xml.find(f".//{C}calendar-home-set/{D}response") is not None
    assert answer.missing == {"nothing"}
    deep = '<D:property name="current-user-principal">' * 8 + "</D:property>" * 8
    assert client.report(
        AGENDA, f"<D:expand-property {NAMES}>{deep}</D:expand-property>", depth="0"
    ).status in (207, 400)


def test_unknown_reports(client):
    for body in (f"<D:nothing {NAMES}/>", f"<C:calendar-query {NAMES}/>"):
        answer = client.report(HOME, body)
        assert (answer.status, answer.condition) == (403, "supported-report")
    assert client.report(AGENDA, "").status == 400
    assert client.query(comp(""), path=HOME + "agenda/").status == 207


def test_a_query_about_one_object(client):
    store(client, "one")
    assert client.query(comp(span(*MARCH)), path=AGENDA + "one.ics").names == ["one.ics"]
    assert client.query(comp("", "VTODO"), path=AGENDA + "one.ics").names == []

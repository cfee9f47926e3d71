"""calendar-query by words, parts of the data, calendar-multiget, free-busy-query."""

from .moments import MARCH
from .program import ABSENT, DATA, NAMES, comp, event, expect, match, param, prop, span
from .row import row


def two(dav):
    """Two events to be told apart."""
    dav.store("one", "DTSTART:20270301T100000Z", r"SUMMARY:Cata de Ñora\, y más",
              "CATEGORIES:Wine,Work",
              'ATTENDEE;CN="Ruiz, Bo";PARTSTAT=ACCEPTED:mailto:bo@x.example',
              "X-MARK:a")  # fmt: skip
    dav.store("two", "DTSTART:20270302T100000Z", "SUMMARY:Other",
              "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:al@x.example")  # fmt: skip


def found(dav, *inner):
    return dav.matching(comp("".join(inner)))


@row("RFC 4791, 9.7.1")
def by_component(dav):
    """Those with the component, and those without."""
    two(dav)
    assert dav.matching(comp()) == ["one", "two"]
    assert dav.matching(comp("", "VTODO")) == []
    assert dav.matching(comp(ABSENT, "VTODO")) == ["one", "two"]
    assert dav.matching(comp(ABSENT)) == []
    assert dav.matching("") == ["one", "two"]


@row("RFC 4791, 9.7.1")
def by_component_within(dav):
    """A component within another."""
    two(dav)
    dav.store("three", "DTSTART:20270301T100000Z", "BEGIN:VALARM", "ACTION:AUDIO",
              "TRIGGER:-PT5M", "END:VALARM")  # fmt: skip
    assert found(dav, comp("", "VALARM")) == ["three"]
    assert found(dav, comp(ABSENT, "VALARM")) == ["one", "two"]
    assert found(dav, comp(prop("ACTION", match("audio")), "VALARM")) == ["three"]
    assert found(dav, comp(prop("ACTION", match("email")), "VALARM")) == []


@row("RFC 4791, 9.7.2")
def by_property(dav):
    """Those with the property, and those without; names in any case."""
    two(dav)
    assert found(dav, prop("X-MARK")) == ["one"]
    assert found(dav, prop("x-mark")) == ["one"]
    assert found(dav, prop("X-MARK", ABSENT)) == ["two"]


@row("RFC 4791, 9.7.5")
def by_text(dav):
    """Part of the value, unescaped, without regard to case in ASCII."""
    two(dav)
    assert found(dav, prop("SUMMARY", match("OTHER"))) == ["two"]
    assert found(dav, prop("SUMMARY", match("the"))) == ["two"]
    assert found(dav, prop("SUMMARY", match("Ñora, Y"))) == ["one"]


@row("RFC 4791, 9.7.5")
def by_text_negated(dav):
    """negate-condition turns it round, for those that have the property."""
    two(dav)
    assert found(dav, prop("SUMMARY", match("other", 'negate-condition="yes"'))) == ["one"]
    assert found(dav, prop("X-MARK", match("b", 'negate-condition="yes"'))) == ["one"]


@row("RFC 4791, 7.5")
def collations(dav):
    """By octets, by ASCII, and by all letters."""
    two(dav)
    octets, every = 'collation="i;octet"', 'collation="i;unicode-casemap"'
    assert found(dav, prop("SUMMARY", match("other", octets))) == []
    assert found(dav, prop("SUMMARY", match("Other", octets))) == ["two"]
    assert found(dav, prop("SUMMARY", match("ñora"))) == []
    assert found(dav, prop("SUMMARY", match("ñora", every))) == ["one"]
    assert found(dav, prop("SUMMARY", match("other", 'collation="default"'))) == ["two"]


@row("RFC 4791, 7.5.1")
def unknown_collation(dav):
    """A collation that nobody knows is refused by name."""
    answer = dav.query(comp(prop("SUMMARY", match("x", 'collation="i;none"'))))
    expect(answer, 403, "supported-collation")


@row("RFC 4791, 9.7.2")
def several_properties(dav):
    """All of them have to be right."""
    two(dav)
    assert found(dav, prop("SUMMARY", match("Cata")), prop("X-MARK")) == ["one"]
    assert found(dav, prop("SUMMARY", match("Other")), prop("X-MARK")) == []


@row("RFC 4791, 9.7.3")
def by_parameter(dav):
    """A parameter of the same property that has the text."""
    two(dav)
    accepted = param("PARTSTAT", match("ACCEPTED"))
    assert found(dav, prop("ATTENDEE", match("bo@") + accepted)) == ["one"]
    assert found(dav, prop("ATTENDEE", match("al@") + accepted)) == []
    assert found(dav, prop("ATTENDEE", param("CN", ABSENT))) == ["two"]
    assert found(dav, prop("ATTENDEE", param("CN"))) == ["one"]
    assert found(dav, prop("ATTENDEE", param("CN", match("Ruiz, Bo")))) == ["one"]


@row("RFC 4791, 9.7.2")
def by_uid(dav):
    """How programs look for one object."""
    two(dav)
    assert found(dav, prop("UID", match("two", 'collation="i;octet"'))) == ["two"]
    assert found(dav, prop("UID", match("TWO", 'collation="i;octet"'))) == []
    assert found(dav, prop("UID", match("none"))) == []


@row("RFC 4791, 9.7.2")
def of_the_calendar_itself(dav):
    """Properties of VCALENDAR."""
    two(dav)
    assert dav.matching(prop("PRODID", match("X")) + comp()) == ["one", "two"]
    assert dav.matching(prop("METHOD") + comp()) == []


@row("RFC 4791, 7.8")
def query_of_depth_0(dav):
    """Of the calendar itself there is nothing to find."""
    two(dav)
    assert expect(dav.query(comp(), depth="0"), 207).names == []


@row("RFC 4791, 7.8")
def query_of_one_object(dav):
    """An object can be asked about itself."""
    two(dav)
    path = dav.agenda + "one.ics"
    assert dav.query(comp(), path=path, depth="0").names == ["one.ics"]
    assert dav.query(comp(span("20270302T000000Z")), path=path, depth="0").names == []


@row("RFC 4791, 7.8")
def query_for_properties(dav):
    """What is there and what is not, and names alone."""
    dav.store()
    answer = dav.query(comp(), "<D:getetag/><D:getcontenttype/><D:getlastmodified/><D:no/>" + DATA)
    assert answer.missing == {"no"} and len(answer.found["one.ics"]) == 4
    body = (
        f'<C:calendar-query {NAMES}><D:propname/><C:filter><C:comp-filter name="VCALENDAR"/>'
        "</C:filter></C:calendar-query>"
    )
    assert "getetag" in expect(dav.report(dav.agenda, body), 207).found["one.ics"]


@row("RFC 4791, 7.8")
def bad_filters(dav):
    """A filter that says nothing is refused by name."""
    for inner in (
        comp("<C:foo/>"), comp(ABSENT + prop("SUMMARY")), comp("", ""), comp(prop("")),
        comp(prop("SUMMARY", match("x", 'negate-condition="perhaps"'))), span(*MARCH),
        comp(prop("SUMMARY", match("a") + match("b"))),
    ):  # fmt: skip
        answer = dav.query(inner)
        assert answer.status in (400, 403) and answer.condition == "valid-filter", inner


@row("RFC 4791, 9.7")
def no_filter(dav):
    """A query has one filter, about a VCALENDAR."""
    for filter_ in (
        "", "<C:filter/>", "<C:filter><C:comp-filter name='VEVENT'/></C:filter>",
        "<C:filter><C:prop-filter name='UID'/></C:filter>",
    ):  # fmt: skip
        body = f"<C:calendar-query {NAMES}><D:prop/>{filter_}</C:calendar-query>"
        answer = dav.report(dav.agenda, body)
        assert answer.status in (400, 403) and answer.condition == "valid-filter", filter_


@row("RFC 4791, 9.9 and 7.8")
def bad_ranges(dav):
    """A range has ends, in UTC, one after the other."""
    for range_ in (
        "<C:time-range/>", span("yesterday"), span("20270301"), span("20270301T000000"),
        span("20270301T000000Z", "20270301T000000Z"), span("20271301T000000Z"),
        span("20270302T000000Z", "20270301T000000Z"), span("20270301T000000+0100"),
    ):  # fmt: skip
        answer = dav.query(comp(range_))
        assert answer.status in (400, 403) and answer.condition == "valid-filter", range_


@row("RFC 4791, 9.6.5 and 9.6.6")
def bad_expand(dav):
    """So have those of expand, and of limit-recurrence-set."""
    dav.store()
    for word in ("expand", "limit-recurrence-set", "limit-freebusy-set"):
        for ends in ("", 'start="20270301T000000Z"', 'start="x" end="y"',
                     'start="20270302T000000Z" end="20270301T000000Z"'):  # fmt: skip
            data = f"<C:calendar-data><C:{word} {ends}/></C:calendar-data>"
            assert dav.query(comp(), data).status in (400, 403), (word, ends)


@row("RFC 4791, 9.6")
def other_kinds_of_data(dav):
    """Only iCalendar 2.0 is there."""
    dav.store()
    for words in ('content-type="application/calendar+json"', 'version="1.0"'):
        answer = dav.query(comp(), f"<C:calendar-data {words}/>")
        expect(answer, 403, "supported-calendar-data")
    words = '<C:calendar-data content-type="text/calendar" version="2.0"/>'
    assert "BEGIN:VEVENT" in dav.query(comp(), words).data("one.ics")


@row("RFC 4791, 9.6.1")
def part_of_the_data(dav):
    """Some components, some properties, some without their value."""
    dav.store("one", "DTSTART:20270301T100000Z", "SUMMARY:x", "DESCRIPTION:long", "BEGIN:VALARM",
              "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM")  # fmt: skip
    words = (
        '<C:calendar-data><C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT">'
        '<C:prop name="UID"/><C:prop name="SUMMARY" novalue="yes"/></C:comp></C:comp>'
        "</C:calendar-data>"
    )
    for answer in (dav.query(comp(), words), dav.multiget([dav.agenda + "one.ics"], words)):
        assert answer.data("one.ics").split() == [
            "BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:one", "SUMMARY:",
            "END:VEVENT", "END:VCALENDAR",
        ]  # fmt: skip


@row("RFC 4791, 9.6.2 and 9.6.3")
def all_components_all_properties(dav):
    """allprop and allcomp."""
    dav.store("one", "DTSTART:20270301T100000Z", "DESCRIPTION:long", "BEGIN:VALARM",
              "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM")  # fmt: skip
    words = (
        '<C:calendar-data><C:comp name="VCALENDAR"><C:allprop/><C:comp name="VEVENT">{}</C:comp>'
        "</C:comp></C:calendar-data>"
    )
    data = dav.query(comp(), words.format("<C:allprop/><C:allcomp/>")).data("one.ics")
    assert "DESCRIPTION:long" in data and "BEGIN:VALARM" in data
    data = dav.query(comp(), words.format("<C:allprop/>")).data("one.ics")
    assert "DESCRIPTION:long" in data and "VALARM" not in data


@row("RFC 4791, 9.6.7")
def limit_freebusy_set(dav):
    """Of a VFREEBUSY only what lies in the range; events are as they are."""
    dav.store()
    words = (
        '<C:calendar-data><C:limit-freebusy-set start="20270301T000000Z" end="20270302T000000Z"/>'
        "</C:calendar-data>"
    )
    assert "SUMMARY:Tasting" in dav.query(comp(), words).data("one.ics")


@row("RFC 8144, 2.2")
def minimal_reports(dav):
    """Reports leave out what is not there when that is preferred."""
    dav.store()
    answer = dav.query(comp(), "<D:getetag/><D:no/>", prefer="return=minimal")
    assert not answer.missing and "getetag" in answer.found["one.ics"]
    answer = dav.multiget([dav.agenda + "one.ics"], "<D:getetag/><D:no/>", prefer="return=minimal")
    assert not answer.missing


# --- multiget


@row("RFC 4791, 7.9")
def multiget(dav):
    """Each object that is named, with its text."""
    dav.store("one")
    dav.store("two")
    dav.store("three")
    answer = expect(dav.multiget([dav.agenda + "one.ics", dav.agenda + "two.ics"]), 207)
    assert answer.names == ["one.ics", "two.ics"]
    assert "UID:two" in answer.data("two.ics")


@row("RFC 4791, 7.9; RFC 4918, 13")
def multiget_of_what_is_gone(dav):
    """What is not there is told so, each by its own line."""
    dav.store("one")
    answer = dav.multiget([dav.agenda + name for name in ("one.ics", "no.ics", "neither.ics")])
    assert "calendar-data" in answer.found["one.ics"]
    assert answer.statuses == {"no.ics": 404, "neither.ics": 404}


@row("RFC 4791, 7.9")
def multiget_of_others(dav):
    """Of somebody else's, of another calendar, of nothing at all: nothing is told."""
    dav.store("one")
    paths = [
        f"{dav.root}calendars/{dav.stranger}/agenda/x.ics", dav.home + "tasks/x.ics", dav.agenda,
        "nonsense", "http://other.example/x", "/etc/passwd", dav.agenda + "..%2F..", "",
    ]  # fmt: skip
    answer = expect(dav.multiget([dav.agenda + "one.ics", *paths]), 207)
    assert set(answer.statuses.values()) <= {404, 403} and len(answer.statuses) >= 5
    assert answer.data("one.ics")


@row("RFC 4791, 7.9")
def multiget_of_addresses(dav):
    """Whole addresses, and names encoded in another way."""
    dav.store("one")
    answer = dav.multiget([dav.agenda + "%6fne.ics"])
    assert "BEGIN:VEVENT" in answer.text


@row("RFC 4791, 7.9")
def multiget_of_the_same(dav):
    """Named twice, told once at least."""
    dav.store("one")
    answer = expect(dav.multiget([dav.agenda + "one.ics"] * 3), 207)
    assert answer.names == ["one.ics"]


@row("RFC 4791, 7.9")
def multiget_of_nothing(dav):
    """A multiget names something."""
    expect(dav.multiget([]), 400)


@row("RFC 4791, 7.9")
def multiget_of_many(dav):
    """A thousand that are not there are a thousand lines."""
    answer = expect(dav.multiget([f"{dav.agenda}{number}.ics" for number in range(1000)]), 207)
    assert len(answer.statuses) == 1000


# --- free-busy-query


@row("RFC 4791, 7.10")
def free_busy(dav):
    """When time is taken, and how firmly; nothing else is told."""
    dav.store("one")
    dav.store("two", "DTSTART:20270301T103000Z", "DTEND:20270301T120000Z", "STATUS:TENTATIVE")
    dav.store("three", "DTSTART:20270302T100000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT")
    dav.store("four", "DTSTART:20270303T100000Z", "DURATION:PT1H", "STATUS:CANCELLED")
    answer = expect(dav.free_busy(*MARCH), 200)
    assert answer.headers["Content-Type"].startswith("text/calendar")
    assert [line for line in answer.text.split() if line.startswith("FREEBUSY")] == [
        "FREEBUSY;FBTYPE=BUSY:20270301T100000Z/20270301T110000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270301T110000Z/20270301T120000Z",
    ]
    assert "Tasting" not in answer.text and "BEGIN:VFREEBUSY" in answer.text


@row("RFC 4791, 7.10")
def free_busy_of_a_series(dav):
    """Occurrences, cut at the ends of the range."""
    dav.store("one", "DTSTART:20270301T230000Z", "DURATION:PT2H", "RRULE:FREQ=DAILY;COUNT=9",
              "EXDATE:20270302T230000Z")  # fmt: skip
    text = dav.free_busy("20270302T000000Z", "20270304T000000Z").text
    assert [line[-33:] for line in text.split() if line.startswith("FREEBUSY")] == [
        "20270302T000000Z/20270302T010000Z", "20270303T230000Z/20270304T000000Z",
    ]  # fmt: skip


@row("RFC 4791, 7.10")
def bad_free_busy(dav):
    """It has one range."""
    expect(dav.report(dav.agenda, f"<C:free-busy-query {NAMES}/>"), 400)
    assert dav.free_busy("x", "y").status in (400, 403)


@row("RFC 3253, 3.1.5")
def unknown_reports(dav):
    """A report that there is not is refused by name; so is one that is not to be had here."""
    for path, body in (
        (dav.agenda, f"<D:nothing {NAMES}/>"), (dav.home, f"<D:sync-collection {NAMES}/>"),
        (dav.principal, f"<C:calendar-query {NAMES}/>"),
        (dav.agenda, "<D:version-tree xmlns:D='DAV:'/>"),
    ):  # fmt: skip
        answer = dav.report(path, body)
        assert answer.status in (403, 409) and answer.condition == "supported-report", body


@row("RFC 4791, 4.1")
def get_of_a_calendar(dav):
    """A calendar as one file: one VCALENDAR with all that is in it."""
    dav.store("one")
    dav.store("two")
    text = expect(dav.ask("GET", dav.agenda), 200).text
    assert text.count("BEGIN:VCALENDAR") == 1 and text.count("BEGIN:VEVENT") == 2


@row("RFC 4791, 5.3.2")
def a_todo_among_events(dav):
    """In a calendar of both kinds, each is found by its own."""
    path = dav.make("both", "VEVENT", "VTODO")
    dav.store("one", path=path)
    dav.store_todo(path, "two", "DUE:20270301T100000Z")
    assert dav.matching(comp("", "VTODO"), path) == ["two"]
    assert dav.matching(comp(), path) == ["one"]
    text = event("three").replace("VEVENT", "VJOURNAL")
    expect(dav.put(path + "three.ics", text), 403, "supported-calendar-component")

"""What no program should send: it is refused, quickly, and nothing fails."""

import time

from .program import NAMES, comp, event, expect, match, prop, span
from .row import row

ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x")
XML_METHODS = ("PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL")


def refused(dav, body, methods=XML_METHODS, **headers):
    """No method fails, and none is done."""
    for method in methods:
        path = dav.home + "x/" if method.startswith("MK") else dav.agenda
        answer = dav.ask(method, path, body, depth="0", **headers)
        assert 400 <= answer.status < 500, (method, answer.status, answer.text[:200])


class Quick:
    """What is asked within takes no longer than that."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.start = time.monotonic()

    def __exit__(self, kind, *_rest):
        took = time.monotonic() - self.start
        assert kind or took < self.seconds, f"{took:.1f} s"


@row("RFC 4918, 8.2")
def malformed_xml(dav):
    """What is not well-formed."""
    for body in ("<", "<a", "<a>&b;</a>", "<a></b>", "\x00", "<a>\x01</a>", "<a b=c/>", "&"):
        refused(dav, body)


@row("RFC 4918, 8.2")
def wrong_xml(dav):
    """Well-formed, and something else."""
    refused(dav, "<x xmlns='urn:y'/>")
    refused(dav, f"<D:multistatus {NAMES}/>")
    refused(dav, "<propfind><prop/></propfind>")


@row("RFC 4918, 9.1")
def odd_propfinds(dav):
    """Neither this nor that, or both."""
    for inner in ("", "<D:prop/><D:allprop/>", "<D:propname/><D:allprop/>", "<D:include/>"):
        answer = dav.ask(
            "PROPFIND", dav.agenda, f"<D:propfind {NAMES}>{inner}</D:propfind>", depth="0"
        )
        assert answer.status in (400, 422), inner


@row("RFC 4918, 9.1")
def propfind_of_nothing(dav):
    """prop with nothing in it asks for nothing."""
    expect(dav.propfind(dav.agenda, ""), 207)


@row("RFC 3253, 3.6")
def empty_report(dav):
    """A report without a body."""
    for body in ("", "   ", "<"):
        assert dav.report(dav.agenda, body).status in (400, 415, 422)


@row("RFC 4918, 20.6")
def document_types(dav):
    """No document type, in no encoding."""
    refused(dav, "<!DOCTYPE a><a/>")
    refused(dav, "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>")
    refused(
        dav, '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a SYSTEM "x"><a/>'.encode("utf-16")
    )


@row("RFC 4918, 20.6")
def entity_bombs(dav):
    """Entities that expand to more and more."""
    bomb = "<!DOCTYPE a [" + "".join(
        f"<!ENTITY e{n} '{f'&e{n - 1};' * 10 if n else 'x' * 10}'>" for n in range(12)
    ) + f"]><D:propfind {NAMES}><D:prop><D:x>&e11;</D:x></D:prop></D:propfind>"  # fmt: skip
    with Quick(10):
        refused(dav, bomb)


@row("RFC 4918, 20.6")
def external_entities(dav):
    """Nothing is read from elsewhere."""
    body = (
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]>"
        f"<D:propertyupdate {NAMES}><D:set><D:prop><D:displayname>&b;</D:displayname></D:prop>"
        "</D:set></D:propertyupdate>"
    )
    refused(dav, body)


@row("RFC 4918, 20.1")
def deep_xml(dav):
    """Elements within elements within elements."""
    with Quick(10):
        refused(dav, f"<D:propfind {NAMES}>" + "<a>" * 50_000 + "</a>" * 50_000 + "</D:propfind>")
        deep = comp() * 1
        for _level in range(200):
            deep = comp(deep)
        assert 400 <= dav.query(deep).status < 500


@row("RFC 4918, 20.1")
def wide_xml(dav):
    """Very many properties."""
    with Quick(20):
        answer = dav.propfind(dav.agenda, "".join(f"<D:x{n}/>" for n in range(90_000)))
        assert answer.status in (207, 400, 413)
        answer = dav.propfind(dav.agenda, "<D:x/>" * 700_000)
        assert answer.status in (400, 413)


@row("RFC 9110, 15.5.14")
def huge_bodies(dav):
    """30 MB are refused, and not read into memory as anything."""
    with Quick(20):
        answer = dav.put(dav.agenda + "x.ics", event("x") + " " * 30_000_000)
        assert answer.status in (403, 413)
        answer = dav.ask("PROPFIND", dav.agenda, "<D:x xmlns:D='DAV:'>" + " " * 30_000_000)
        assert answer.status in (400, 413)


@row("RFC 4791, 5.3.2.1", is_http=True)
def huge_bodies_of_unknown_length(dav):
    """Also when nobody says beforehand how much it is."""
    with Quick(20):
        answer = dav.put(dav.agenda + "x.ics", iter([b" " * 1_000_000] * 10))
        assert answer.status in (403, 413), answer.status


@row("RFC 4791, 10.1")
def every_second_for_ever(dav):
    """A rule of every second is taken or refused, and never counted to its end."""
    with Quick(30):
        answer = dav.put(dav.agenda + "s.ics", event("s", "DTSTART:20200101T000000Z",
                                                     "RRULE:FREQ=SECONDLY"))  # fmt: skip
        assert answer.status in (201, 403), answer.text
        for ask in (span("20270301T000000Z", "20270401T000000Z"), span("20270301T000000Z")):
            expect(dav.query(comp(ask)), 207)
        words = (
            '<C:calendar-data><C:expand start="20200101T000000Z" end="20300101T000000Z"/>'
            "</C:calendar-data>"
        )
        assert dav.query(comp(), words).status in (207, 403, 507)
        assert dav.free_busy("20200101T000000Z", "20300101T000000Z").status in (200, 403, 507)
        expect(dav.sync(), 207)


@row("RFC 4791, 10.1")
def rules_that_give_nothing(dav):
    """The thirtieth of February is looked for, but not for ever."""
    with Quick(20):
        for uid, rule in {
            "feb": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "mon": "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=31;BYSECOND=59",
            "pos": "FREQ=DAILY;BYHOUR=1;BYSETPOS=366",
        }.items():
            answer = dav.put(f"{dav.agenda}{uid}.ics",
                             event(uid, "DTSTART:20200101T000000Z", f"RRULE:{rule}"))  # fmt: skip
            assert answer.status in (201, 403), (uid, answer.text)
        expect(dav.query(comp(span("20270301T000000Z", "20270401T000000Z"))), 207)


@row("RFC 4791, 10.1")
def many_occurrences(dav):
    """A hundred thousand exceptions and dates."""
    dates = ",".join(f"2027{m:02}{d:02}T{h:02}{n:02}00Z" for m in range(1, 11) for d in range(1, 28)
                     for h in range(8) for n in (0, 30))  # fmt: skip
    with Quick(60):
        answer = dav.put(
            dav.agenda + "x.ics",
            event("x", "DTSTART:20270101T000000Z", "RRULE:FREQ=DAILY", f"RDATE:{dates}"),
        )
        assert answer.status in (201, 403), answer.text[:300]
        expect(dav.query(comp(span("20270301T000000Z", "20270302T000000Z"))), 207)


@row("RFC 5545, 3.3.5")
def year_1_and_9999(dav):
    """The ends of time: taken as they are, or refused, and asked about without failing."""
    for number, lines in enumerate((
        ("DTSTART:00010101T000000Z", "DTEND:00010101T010000Z"),
        ("DTSTART:99991231T230000Z", "DURATION:PT1H"),
        ("DTSTART;VALUE=DATE:99991231",),
        ("DTSTART;VALUE=DATE:00010101", "RRULE:FREQ=YEARLY;COUNT=3"),
        ("DTSTART:99990101T000000Z", "RRULE:FREQ=YEARLY"),
        ("DTSTART;TZID=Pacific/Kiritimati:00010101T000000",),
        ("DTSTART:20270301T000000Z", "DURATION:P9999999D"),
        ("DTSTART:20270301T000000Z", "RRULE:FREQ=YEARLY;INTERVAL=9999999"),
        ("DTSTART:20270301T000000Z", "RRULE:FREQ=DAILY;UNTIL=99991231T235959Z"),
        ("DTSTART:00000101T000000Z",),
        ("DTSTART:20270301T000000Z", "RDATE;VALUE=PERIOD:99991231T230000Z/PT9H"),
        ("DTSTART:20270301T000000Z", "RDATE:99991231T230000Z", "DURATION:PT9H"),
        ("DTSTART:20270301T000000Z", "EXDATE:00010101T000000Z", "RRULE:FREQ=DAILY;COUNT=3"),
        ("DTSTART;TZID=Pacific/Kiritimati:20270301T000000", "DURATION:-P900000D"),
        ("DTSTART:20270301T000000Z", *ALARM, "TRIGGER:-P9999999W", "END:VALARM"),
        ("DTSTART:20270301T000000Z", *ALARM, "TRIGGER:P999999W", "END:VALARM"),
        ("DTSTART:20270301T000000Z", *ALARM, "TRIGGER:PT1H", "REPEAT:99999999",
         "DURATION:P9999W", "END:VALARM"),
        ("DTSTART:20270301T000000Z", *ALARM, "TRIGGER;VALUE=DATE-TIME:00010101T000000Z",
         "END:VALARM"),
    )):  # fmt: skip
        answer = dav.put(f"{dav.agenda}y{number}.ics", event(f"y{number}", *lines))
        assert answer.status in (201, 403), (lines, answer.text[:300])
        if answer.status == 201:
            assert lines[0] in dav.text(f"y{number}.ics")
    for ask in (
        span("00010101T000000Z", "00010102T000000Z"), span("99991231T000000Z", "99991231T235959Z"),
        span("00010101T000000Z"), span(None, "99991231T235959Z"),
        span("20270301T000000Z", "20270302T000000Z"),
    ):  # fmt: skip
        expect(dav.query(comp(ask)), 207)
        expect(dav.query(comp(comp(ask, "VALARM"))), 207)
    assert dav.free_busy("00010101T000000Z", "99991231T235959Z").status in (200, 403, 507)
    words = (
        '<C:calendar-data><C:expand start="00010101T000000Z" end="99991231T235959Z"/>'
        "</C:calendar-data>"
    )
    assert dav.query(comp(), words).status in (207, 403, 507)
    expect(dav.sync(), 207)


@row("RFC 4791, 7.8")
def filters_of_many_texts(dav):
    """Long texts, and many of them."""
    dav.store()
    with Quick(20):
        expect(dav.query(comp(prop("SUMMARY", match("x" * 100_000)))), 207)
        many = "".join(prop("SUMMARY", match(f"x{n}")) for n in range(3_000))
        assert dav.query(comp(many)).status in (207, 400, 403)


@row("RFC 9110, 5.4")
def long_headers(dav):
    """Conditions of a length that no program sends."""
    dav.store()
    for name in ("if_match", "if_none_match", "if"):
        words = {name: '"x" ' + "," * 20_000 + '"y'}
        answer = dav.put(dav.agenda + "one.ics", event(), **words)
        assert 400 <= answer.status < 500 or name == "if_none_match", (name, answer.status)


@row("RFC 3986, 3.3")
def paths_that_lead_out(dav):
    """Dots and slashes lead nowhere."""
    dav.store()
    for path in (
        "%2e%2e/%2e%2e/web", "..%2f..%2fweb", "agenda/%2e%2e/agenda/one.ics", "/agenda/", "//",
        "agenda//one.ics", "agenda/one.ics/", "%ff/", "a%00b/", "agenda;x/",
    ):  # fmt: skip
        for method in ("PROPFIND", "GET", "DELETE", "PUT"):
            answer = dav.ask(method, dav.home + path, event() if method == "PUT" else "", depth="0")
            assert answer.status < 500, (method, path, answer.status)
    assert dav.text("one.ics") == event()


@row("RFC 5545, 3.1")
def odd_icalendar(dav):
    """Names, lines and components of no sense are refused, or kept."""
    for number, text in enumerate((
        event("x", "DTSTART:20270301T100000Z", "SUMMARY:" + "x" * 90_000),
        event("x", "DTSTART:20270301T100000Z", *["BEGIN:VALARM"] * 300),
        event("x", "DTSTART:20270301T100000Z", *["X-A:1"] * 5_000),
        event("x", "DTSTART:20270301T100000Z", "RRULE:" + "FREQ=DAILY;" * 50),
        event("x", "DTSTART;TZID=../../etc/passwd:20270301T100000"),
        event("x", "DTSTART;TZID=" + "a" * 3_000 + ":20270301T100000"),
        event("x", "DTSTART:20270301T100000Z", "DTSTART:20270302T100000Z"),
        event("x", "DTSTART:20270301T250000Z"), event("x", "DTSTART:20270301T100000Z", ":::;;;"),
        event("x", "DTSTART:20270301T100000Z", "ATTENDEE:" + "x" * 3_000),
        event("x", "DTSTART:20270301T100000Z", "DTEND;VALUE=DATE:20270301"),
        event("x", "DTSTART:20270301T100000Z", "DTEND:20200301T100000Z"),
    )):  # fmt: skip
        with Quick(20):
            answer = dav.put(dav.agenda + "x.ics", text)
        assert answer.status in (201, 204, 403, 413), (number, answer.status, answer.text[:300])
        if answer.status == 201:
            expect(dav.query(comp(span("20270301T000000Z", "20270401T000000Z"))), 207)
            dav.ask("DELETE", dav.agenda + "x.ics")


@row("RFC 4918, 9.2")
def properties_without_measure(dav):
    """What is kept with a calendar has an end; what cannot be said in XML again is not kept."""
    big = f"<x xmlns='urn:y'>{'a' * 300_000}</x>"
    answer = dav.proppatch(dav.agenda, f"<D:set><D:prop>{big}</D:prop></D:set>")
    assert answer.status in (403, 413, 507) or answer.named(403) or answer.named(507)
    name = "<D:displayname>" + "n" * 100_000 + "</D:displayname>"
    assert dav.proppatch(dav.agenda, f"<D:set><D:prop>{name}</D:prop></D:set>").status < 500
    expect(dav.propfind(dav.agenda, "<D:displayname/>"), 207)

"""What a client may ask for: as much as people need, and no more than a worker can bear."""

import pytest
from crm_automation.dav import objects, server
from crm_automation.dav.filters import MAX_FILTERS, MAX_RANGES
from crm_automation.dav.freebusy import MAX_ATTENDEES
from crm_automation.dav.reading import MAX_NAMES
from crm_automation.tests.rows.program import NAMES, event

from dav_memory import Client

HOME = "/caldav/calendars/ana@x.es/"
AGENDA = HOME + "agenda/"
DAILY = ("DTSTART:20270101T090000Z", "RRULE:FREQ=DAILY")
YEARS = '<C:expand start="20270101T000000Z" end="20350101T000000Z"/>'


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def small(monkeypatch):
    """Answers of a hundredth, so that the objects may be small as well."""
    monkeypatch.setattr(server, "MAX_ANSWER", 500_000)


def names(number, length=1):
    return "".join(f'<x{count} xmlns="urn:{"x" * length}"/>' for count in range(number))


def vevents(number, inner):
    return f'<C:comp-filter name="VEVENT">{inner}</C:comp-filter>' * number


# --- Answers


def test_occurrences_that_are_longer_than_an_answer(client, small):
    client.store("one", *DAILY, "DESCRIPTION:" + "x" * 50_000)
    answer = client.query(vevents(1, ""), f"<C:calendar-data>{YEARS}</C:calendar-data>")
    assert (answer.status, answer.condition) == (507, "number-of-matches-within-limits")
    short = YEARS.replace("2035", "2027").replace('end="20270101', 'end="20270108')
    answer = client.query(vevents(1, ""), f"<C:calendar-data>{short}</C:calendar-data>")
    assert answer.data("one.ics").count("BEGIN:VEVENT") == 7


def test_the_texts_themselves_have_no_bound(client, small):
    for count in range(8):
        client.store(f"one{count}", *DAILY, "DESCRIPTION:" + "x" * 80_000)
    answer = client.query(vevents(1, ""), "<C:calendar-data/>")
    assert answer.status == 207 and len(answer.names) == 8


@pytest.mark.parametrize("ask", ["query", "propfind"])
def test_names_of_nothing_times_objects(client, small, ask):
    for count in range(10):
        client.store(f"one{count}")

    def asked(props):
        if ask == "query":
            return client.query(vevents(1, ""), props)
        return client.propfind(AGENDA, props, "1")

    assert asked(names(MAX_NAMES)).status == 207
    answer = asked(names(MAX_NAMES, 200))
    assert (answer.status, answer.condition) == (507, "number-of-matches-within-limits")
    assert asked(names(MAX_NAMES + 1)).status == 400


def test_names_of_nothing_behind_addresses(client, small):
    inner = "".join(f'<D:property name="x{count}"/>' for count in range(MAX_NAMES))
    body = f"<D:expand-property {NAMES}>{{}}</D:expand-property>"
    assert client.report(AGENDA, body.format(inner), "0").status == 207
    assert client.report(AGENDA, body.format(inner + '<D:property name="x"/>'), "0").status == 400
    for count in range(150):
        client.store(f"one{count}")
    assert client.report(AGENDA, body.format(inner), "1").status == 507


def test_one_object_by_many_names(client):
    client.store("one")
    paths = [f"{AGENDA}{name}" for name in ("one.ics", "%6fne.ics", "o%6ee.ics", "on%65.ics")]
    answer = client.multiget(paths)
    assert answer.names == ["one.ics"]


@pytest.mark.parametrize("name", ["%00", "%ff", "a%00b.ics", "%ed%a0%80.ics", "x" * 300])
def test_names_that_nothing_has(client, name):
    asked, entries = [], client.backend.entries

    def noted(calendar, names=None, **more):
        asked.extend(names or ())
        return entries(calendar, names, **more)

    client.backend.entries = noted
    client.store("one")
    answer = client.multiget([f"{AGENDA}{name}", f"{AGENDA}one.ics"])
    assert answer.status == 207
    assert answer.text.count("404 Not Found") == 1 and "one.ics" in answer.names
    assert set(asked) <= {"one.ics"}


# --- Work


def test_the_number_of_filters(client):
    client.store("one")
    for inner, status in (
        (vevents(MAX_FILTERS - 1, ""), 207),
        (vevents(MAX_FILTERS, ""), 403),
        (vevents(1, '<C:prop-filter name="UID"/>' * (MAX_FILTERS - 2)), 207),
        (vevents(1, '<C:prop-filter name="UID"/>' * (MAX_FILTERS - 1)), 403),
        (vevents(MAX_RANGES, '<C:time-range start="20270101T000000Z"/>'), 207),
        (vevents(MAX_RANGES + 1, '<C:time-range start="20270101T000000Z"/>'), 403),
    ):
        answer = client.query(inner)
        assert answer.status == status
        assert status == 207 or answer.condition == "supported-filter"


def counted(monkeypatch, module, name):
    calls, real = [], getattr(module, name)

    def count(*args):
        calls.append(args[0])
        return real(*args)

    monkeypatch.setattr(module, name, count)
    return calls


def test_a_series_is_walked_once_for_one_span(client, monkeypatch):
    client.store("one", *DAILY)
    client.store("dense", "DTSTART:20270101T090000Z", "RRULE:FREQ=SECONDLY")
    walked = counted(monkeypatch, objects, "occurrences")
    span = '<C:time-range start="20270101T000000Z" end="20270201T000000Z"/>'
    answer = client.query(vevents(MAX_RANGES, span))
    assert sorted(answer.names) == ["dense.ics", "one.ics"]
    assert len(walked) == 2


def test_lines_are_split_once(client, monkeypatch):
    client.store("one", *DAILY, "SUMMARY:Tasting", *(f"X-A{count}:1" for count in range(100)))
    split = counted(monkeypatch, objects, "split_line")
    wanted = '<C:prop-filter name="SUMMARY"/>' * 20
    assert client.query(vevents(4, wanted)).names == ["one.ics"]
    assert len(split) == len(set(split)) < 120


def test_short_objects_are_kept_understood(client, monkeypatch):
    """Who asks for a week asks again for the same; what is long is nobody's to keep."""
    for count in range(50):
        client.store(f"week{count}", *DAILY)
    client.store("long", *DAILY, "DESCRIPTION:" + "x" * objects.KEPT_CHARACTERS)
    client.put(f"{AGENDA}refused.ics", event("refused").replace("END:VEVENT", "END:VALARM"))
    kept = objects._kept.cache_info().currsize
    read = counted(monkeypatch, objects, "parse")
    span = '<C:time-range start="20270301T000000Z" end="20270308T000000Z"/>'
    for number in (51, 1, 1):
        read.clear()
        assert len(client.query(vevents(1, span)).names) == 51
        assert len(read) == number
    assert objects._kept.cache_info().currsize <= kept + 50
    assert objects._kept.cache_info().maxsize * objects.KEPT_CHARACTERS <= 5_000_000


def test_properties_of_a_calendar(client):
    answer = client.proppatch(AGENDA, f"<D:set><D:prop>{names(MAX_NAMES)}</D:prop></D:set>")
    assert answer.status == 207
    before = client.backend.kept["agenda"].properties
    more = names(MAX_NAMES + 1, 2)
    answer = client.proppatch(AGENDA, f"<D:set><D:prop>{more}</D:prop></D:set>")
    assert answer.status == 400
    assert client.backend.kept["agenda"].properties == before


def test_spans_that_differ_are_walked_each(client):
    client.store("one", "DTSTART:20270101T090000Z")
    spans = (
        '<C:time-range start="20270101T000000Z" end="20270102T000000Z"/>',
        '<C:time-range start="20270103T000000Z" end="20270104T000000Z"/>',
    )
    assert client.query("".join(vevents(1, one) for one in spans)).names == []
    assert client.query(vevents(2, spans[0])).names == ["one.ics"]


# --- Attendees


def of_many(uid, *numbers):
    """A series, of which each occurrence has so many attendees of its own."""
    people = [
        [f"ATTENDEE:mailto:a{count}.{at}@x.es" for count in range(number)]
        for at, number in enumerate(numbers)
    ]
    more = "\n".join(
        line
        for at, own in enumerate(people[1:], 1)
        for line in (
            "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20270101T000000Z",
            f"RECURRENCE-ID:2027010{at + 1}T090000Z", f"DTSTART:2027010{at + 1}T100000Z", *own,
            "END:VEVENT",
        )
    )  # fmt: skip
    return event(uid, *DAILY, *people[0], more=more)


def test_the_number_of_attendees(client):
    client.backend.max_size = 10_000_000
    for numbers, status in (
        ((MAX_ATTENDEES,), 201),
        ((MAX_ATTENDEES + 1,), 403),
        ((0, MAX_ATTENDEES + 1), 403),
        ((MAX_ATTENDEES,) * 4, 201),
        ((MAX_ATTENDEES,) * 4 + (1,), 403),
    ):
        uid = f"m{len(numbers)}-{numbers[-1]}"
        answer = client.put(f"{AGENDA}{uid}.ics", of_many(uid, *numbers))
        assert answer.status == status
        assert status == 201 or answer.condition == "max-attendees-per-instance"
    # However the name is folded.
    folded = of_many("folded", MAX_ATTENDEES + 1).replace("ATTENDEE", "ATTEN\r\n DEE")
    assert client.put(f"{AGENDA}folded.ics", folded).status == 403
    found = client.propfind(AGENDA, "<C:max-attendees-per-instance/>", "0")
    assert f">{MAX_ATTENDEES}</C:max-attendees-per-instance>" in found.text


def test_what_has_more_attendees_already_stays_writable(client):
    client.backend.max_size = 10_000_000
    calendar = client.backend.kept["agenda"]
    text = of_many("old", MAX_ATTENDEES + 9)
    client.backend.put(calendar, "old.ics", "old", "VEVENT", text, None)
    changed = text.replace("RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY")
    assert client.put(f"{AGENDA}old.ics", changed).status == 204
    more = of_many("old", MAX_ATTENDEES + 10)
    answer = client.put(f"{AGENDA}old.ics", more)
    assert (answer.status, answer.condition) == (403, "max-attendees-per-instance")

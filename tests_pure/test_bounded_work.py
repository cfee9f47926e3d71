"""What takes more than its length is bounded: a short text from outside costs no minutes.

Each of these took the square of its size, or a worker's time for each line.
"""

import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from crm_automation.dav import freebusy
from crm_automation.dav.reading import MAX_NAMES, MAX_NAMESPACES, read_xml
from crm_automation.engine import recipients
from crm_automation.ical import merge
from crm_automation.ical.bare import bare
from crm_automation.ical.errors import LimitExceeded
from crm_automation.ical.expand import occurrences
from crm_automation.ical.lines import Split
from crm_automation.ical.parse import parse
from crm_automation.ical.text import item_lines
from crm_automation.ical.values import UTC
from crm_automation.ical.versions import read_version
from crm_automation.sync import remote
from lxml import etree

from dav_memory import Client

AGENDA = "/caldav/calendars/ana@x.es/agenda/"
SPAN = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 6, 1, tzinfo=UTC)


@pytest.fixture
def quickly():
    """Ends in time; what is bounded by seconds takes a fraction of them."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < 4


def calendar(*parts, version="2.0"):
    lines = ["BEGIN:VCALENDAR", f"VERSION:{version}", *parts, "END:VCALENDAR", ""]
    return "\n".join(lines).encode()


def vevent(*lines, start="20270101T000000Z"):
    return "\n".join(["BEGIN:VEVENT", "UID:one", f"DTSTART:{start}", *lines, "END:VEVENT"])


# --- One line, or many of a kind


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        ([f"BEGIN:x{' ' * 60_000}y", "END:x"], "2.0"),
        (["SUMMARY;ENCODING=QUOTED-PRINTABLE:" + "a=\n" * 400_000], "2.0"),
        (["SUMMARY;ENCODING=QUOTED-PRINTABLE:" + "=\n" * 400_000], "2.0"),
        (["CATEGORIES:" + "\\a" * 490_000], "2.0"),
        ([f"ATTENDEE:a{' ' * 60_000}b"], "1.0"),
        (["RRULE:FREQ=DAILY;COUNT=2;" + ";".join(f"X-{n}=1" for n in range(80_000))], "2.0"),
    ],
    ids=["border", "soft breaks", "empty soft breaks", "escapes", "blanks", "parts of a rule"],
)
def test_a_line(lines, version, quickly):
    assert parse(calendar(vevent(*lines), version=version)).calendars


def test_soft_breaks_are_joined_as_before():
    text = "SUMMARY;ENCODING=QUOTED-PRINTABLE:a=\nb=\n=\n=\nc\nLOCATION:d=\nX-E:f"
    [item] = parse(calendar(vevent(text))).items
    assert item.summary == "abc"
    assert "LOCATION:d=" in item.component.lines()


def test_stamps_without_an_end(quickly):
    plain, stamped = (
        next(Split(calendar(vevent(*lines))).chunks()).digest()
        for lines in ((), ["DTSTAMP:20270101T000000Z"] * 80_000)
    )
    assert plain == stamped


def test_names_in_old_invitations():
    for value, name, email in (
        ("Ana Ruiz  < ana@x.es > ", "Ana Ruiz", "ana@x.es"),
        ("A <b> < ana@x.es>", "A <b>", "ana@x.es"),
        ("<ana@x.es>", None, "ana@x.es"),
        ("ana@x.es", None, "ana@x.es"),
    ):
        [item] = parse(calendar(vevent(f"ATTENDEE:{value}"), version="1.0")).items
        [one] = item.attendees
        assert (one.email, one.params.get("CN")) == (email, name)


# --- Rules


def changed(number, *lines, later=False):
    """A series, and so many changed occurrences that its rule does not give."""
    parts = []
    for count in range(number):
        at = f"{SPAN[0] + timedelta(minutes=7 * count + 1):%Y%m%dT%H%M%SZ}"
        parts.append(
            vevent(f"RECURRENCE-ID{';RANGE=THISANDFUTURE' if later else ''}:{at}", *lines, start=at)
        )
    return parts


def series(*parts, rule="FREQ=DAILY"):
    main = vevent("SEQUENCE:5", f"RRULE:{rule}", start="19100101T000000Z")
    return parse(calendar(main, *parts)).items


def test_what_is_left_over_from_an_older_rule(quickly):
    items = series(*changed(80, "RRULE:FREQ=DAILY"), rule="FREQ=DAILY;COUNT=90000")
    found = occurrences(items, *SPAN)
    assert found and all(one.item is items[0] for one in found)


def test_what_a_counted_rule_still_gives_is_not_left_over():
    at = "20270102T000000Z"
    part = vevent(f"RECURRENCE-ID:{at}", "RRULE:FREQ=DAILY", "SUMMARY:Moved", start=at)
    items = series(part, rule="FREQ=DAILY;COUNT=90000")
    assert [one.item.summary for one in occurrences(items, *SPAN)].count("Moved") == 1


def test_changes_of_all_that_follow(quickly):
    items = series(*changed(8_000, later=True))
    begun = time.process_time()
    found = occurrences(items, *SPAN)
    assert time.process_time() - begun < 1.5
    assert found[-1].item is items[-1]


def test_many_rules(quickly):
    rule = "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31;UNTIL=21700101T000000Z;X-N="
    [item] = parse(
        calendar(vevent(*(f"{rule}{n}" for n in range(40)), start="19270101T000000Z"))
    ).items
    assert len(item.rules) == 40
    with pytest.raises(LimitExceeded):
        occurrences([item], datetime(1900, 1, 1, tzinfo=UTC), datetime(8000, 1, 1, tzinfo=UTC))


def zone(name, rule):
    return "\n".join(
        [
            "BEGIN:VTIMEZONE", f"TZID:{name}", "BEGIN:STANDARD", "DTSTART:19701025T030000",
            f"RRULE:{rule}", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0123", "END:STANDARD",
            "END:VTIMEZONE",
        ]
    )  # fmt: skip


@pytest.mark.parametrize("together", [True, False])
def test_many_zones(together, quickly):
    """In one calendar, and each in one of its own."""
    never = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31"
    pairs = [
        (zone(f"Z{n}", never), vevent().replace("START:", f"START;TZID=Z{n}:").replace("Z\n", "\n"))
        for n in range(150)
    ]
    if together:
        data = calendar(*(one for one, _ in pairs), *(one for _, one in pairs))
    else:
        data = b"".join(calendar(*pair) for pair in pairs)
    assert len(parse(data).items) == 150


def test_zones_of_real_files_are_read():
    rule = "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"
    data = calendar(*(zone(f"Z{n}", rule) for n in range(100)), *(
        vevent(f"RECURRENCE-ID:2027{n:04}T000000").replace("DTSTART:", f"DTSTART;TZID=Z{n}:")
        .replace("Z\n", "\n") for n in range(100)
    ))  # fmt: skip
    for item in parse(data).items:
        assert item.start.utcoffset() == timedelta(hours=1, minutes=23)


# --- Requests


def test_namespaces_that_everything_declares_again():
    def body(number, properties):
        names = "".join(f' xmlns:x{n}="u{n}"' for n in range(number))
        inner = "".join(f'<a{n} xmlns="y"/>' for n in range(properties))
        return (
            f'<propertyupdate xmlns="DAV:"{names}><set><prop>{inner}</prop></set></propertyupdate>'
        )  # fmt: skip

    client = Client()
    fits = body(MAX_NAMESPACES - 2, MAX_NAMES)
    assert client.ask("PROPPATCH", AGENDA, fits).status == 207
    assert client.ask("PROPPATCH", AGENDA, body(MAX_NAMESPACES, 1)).status == 400
    # In one place: programs declare them again for each element.
    again = "".join('<a xmlns="y"/>' for n in range(10 * MAX_NAMESPACES))
    assert len(read_xml(f"<a>{again}</a>".encode())) == 10 * MAX_NAMESPACES


def test_one_property_again_and_again():
    client = Client()
    for number, status in ((MAX_NAMES, 207), (MAX_NAMES + 1, 400)):
        inner = '<x xmlns="y"/>' * number
        answer = client.proppatch(AGENDA, f"<D:set><D:prop>{inner}</D:prop></D:set>")
        assert answer.status == status


def test_components_that_only_go_deeper(quickly):
    deep = b"BEGIN:A\n" * 300_000 + b"BEGIN:VALARM\nX:1\n" + b"END:A\n" * 300_000
    assert bare(deep + b"X:2\n") == deep.partition(b"BEGIN:VALARM")[0] + b"END:A\n" * 299_999 + (
        b"X:2\n"
    )


def test_all_that_a_server_has_changed(quickly):
    def version(number):
        lines = ["DTSTAMP:20270101T000000Z"] * 8_000
        return read_version(
            calendar(vevent(*lines, *[f"X-{n}:{number}" for n in range(8_000)])).decode()
        )

    old, new = version(1), version(2)
    found = merge.apply(old, merge.difference(old, new))
    assert found.fingerprint() == new.fingerprint() != old.fingerprint()


def test_what_is_gone_here_and_changed_there(quickly):
    names = [("VEVENT", str(n)) for n in range(20_000)]
    gone, changed = (
        merge.Difference(parts=dict.fromkeys(names)),
        merge.Difference(units={(name, "SUMMARY"): None for name in names}),
    )
    both = {*names, *changed.units}
    assert merge.conflicts(gone, changed) == merge.conflicts(changed, gone) == both


def test_dates_that_are_said_anew(quickly):
    first = datetime(2030, 1, 1, tzinfo=UTC)
    said = ",".join(f"{first + timedelta(minutes=n):%Y%m%dT%H%M%SZ}" for n in range(40_000))
    [item] = parse(calendar(vevent("RRULE:FREQ=DAILY", f"EXDATE:{said}"))).items
    kept = tuple(datetime(2027, 2, 1, tzinfo=UTC) + timedelta(days=n) for n in range(700))
    lines = item_lines(replace(item, exdates=(*kept, item.exdates[7])))
    assert lines.count("EXDATE:20300101T000700Z") == 1
    assert sum(line.startswith("EXDATE") for line in lines) == 701


def spans(number, shift):
    first = datetime(2027, 1, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    return [
        (first + 2 * n * hour + shift, first + (2 * n + 1) * hour + shift) for n in range(number)
    ]


def test_busy_and_perhaps_busy(quickly):
    half = timedelta(minutes=30)
    number = 20_000
    left = freebusy._without(spans(number, half), spans(number, timedelta(0)))
    assert left == [(start + half, stop) for start, stop in spans(number, half)]


def test_what_is_left_of_spans():
    def at(*hours):
        return [(SPAN[0] + timedelta(hours=a), SPAN[0] + timedelta(hours=b)) for a, b in hours]

    for some, taken, left in (
        ([(0, 9)], [(1, 2), (3, 4)], [(0, 1), (2, 3), (4, 9)]),
        ([(0, 2), (3, 5)], [(1, 4)], [(0, 1), (4, 5)]),
        ([(0, 2), (3, 5), (6, 7)], [(0, 9)], []),
        ([(2, 3)], [(0, 1), (4, 5)], [(2, 3)]),
        ([(0, 1), (1, 2)], [], [(0, 1), (1, 2)]),
    ):
        assert freebusy._without(at(*some), at(*taken)) == at(*left)


def test_brackets_that_are_never_closed(quickly):
    found, faults = recipients.read("<" * 100_000)
    assert not found and len(faults) == 1


def test_a_status_of_thousands_of_digits():
    status = f'<response xmlns="DAV:"><status>HTTP/1.1 {"9" * 5_000} x</status></response>'
    assert remote._status(etree.fromstring(status)) == 999_999_999

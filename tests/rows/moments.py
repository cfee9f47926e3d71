"""time-range: when something is, to the second; and what there is of a series."""

from .program import comp, event, expect, match, prop, span
from .row import row

ZONED = "DTSTART;TZID=Europe/Madrid:20270301T120000"
MARCH = ("20270301T000000Z", "20270401T000000Z")


def at(dav, start, end=None, name="VEVENT", path=None):
    """Names of what is in the range."""
    return dav.matching(comp(span(start, end), name), path)


def days(dav, month=3, numbers=range(1, 32), hours=("000000", "230000")):
    """The days of March 2027 on which there is something, in UTC."""
    found = []
    for day in numbers:
        if at(dav, *(f"2027{month:02}{day:02}T{hour}Z" for hour in hours)):
            found.append(day)
    return found


def override(at_, *lines, uid="one"):
    """A changed occurrence, to stand after the event."""
    return "\n".join(
        ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20270101T000000Z", f"RECURRENCE-ID{at_}", *lines,
         "END:VEVENT"]
    )  # fmt: skip


@row("RFC 4791, 9.9")
def edges(dav):
    """What ends when the range begins, or begins when it ends, is not in it."""
    dav.store()
    for start, end, is_in in (
        ("20270301T100000Z", "20270301T110000Z", True),
        ("20270301T110000Z", "20270301T120000Z", False),
        ("20270301T090000Z", "20270301T100000Z", False),
        ("20270301T090000Z", "20270301T100001Z", True),
        ("20270301T105959Z", "20270301T120000Z", True),
        ("20270301T103000Z", "20270301T103001Z", True),
    ):
        assert at(dav, start, end) == ["one"] * is_in, (start, end)


@row("RFC 4791, 9.9")
def open_ranges(dav):
    """A range can go on for ever, either way."""
    dav.store()
    assert at(dav, "20270301T105959Z") == ["one"] and at(dav, "20270301T110000Z") == []
    assert at(dav, None, "20270301T100001Z") == ["one"]
    assert at(dav, None, "20270301T100000Z") == []


@row("RFC 4791, 9.9")
def event_with_duration(dav):
    """DTSTART and DURATION."""
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT90M")
    assert at(dav, "20270301T112959Z", "20270301T120000Z") == ["one"]
    assert at(dav, "20270301T113000Z", "20270301T120000Z") == []


@row("RFC 4791, 9.9")
def event_without_end(dav):
    """A moment is in the range that begins with it, and in none that ends with it."""
    dav.store("one", "DTSTART:20270301T100000Z", "SUMMARY:x")
    assert at(dav, "20270301T100000Z", "20270301T100001Z") == ["one"]
    assert at(dav, "20270301T090000Z", "20270301T100000Z") == []


@row("RFC 4791, 9.9")
def event_of_no_length(dav):
    """DURATION of zero is a moment as well."""
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT0S")
    assert at(dav, "20270301T100000Z", "20270301T100001Z") == ["one"]
    assert at(dav, "20270301T100001Z", "20270301T110000Z") == []


@row("RFC 4791, 9.9 and 7.3")
def whole_day_is_where_one_is(dav):
    """A day without an end lasts a day, in the user's zone: Madrid."""
    dav.store("one", "DTSTART;VALUE=DATE:20270302", "SUMMARY:x")
    assert at(dav, "20270301T225959Z", "20270301T230001Z") == ["one"]
    assert at(dav, "20270301T220000Z", "20270301T230000Z") == []
    assert at(dav, "20270302T225959Z", "20270303T230000Z") == ["one"]
    assert at(dav, "20270302T230000Z", "20270303T230000Z") == []


@row("RFC 4791, 9.9")
def several_days(dav):
    """DTEND of days is the day after."""
    dav.store("one", "DTSTART;VALUE=DATE:20270302", "DTEND;VALUE=DATE:20270305", "SUMMARY:x")
    assert days(dav, numbers=range(1, 8), hours=("110000", "120000")) == [2, 3, 4]


@row("RFC 4791, 7.3")
def floating_is_where_one_is(dav):
    """A floating time is in the user's zone."""
    dav.store("one", "DTSTART:20270303T000000", "DURATION:PT30M")
    assert at(dav, "20270302T230000Z", "20270302T231000Z") == ["one"]
    assert at(dav, "20270303T000000Z", "20270303T001000Z") == []


@row("RFC 4791, 7.3 and 9.8")
def floating_in_the_zone_of_the_query(dav):
    """Or in the zone that the query names."""
    dav.store("one", "DTSTART:20270303T000000", "DURATION:PT30M")
    zone = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VTIMEZONE\nTZID:Asia/Tokyo\n"
        "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\n"
        "END:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR\n"
    )
    ask = comp(span("20270302T150000Z", "20270302T151000Z"))
    assert dav.query(ask).names == []
    assert dav.query(ask, more=f"<C:timezone>{zone}</C:timezone>").names == ["one.ics"]
    expect(dav.query(ask, more="<C:timezone>no</C:timezone>"), 403, "valid-calendar-data")


@row("RFC 4791, 9.9")
def zoned_time(dav):
    """A time in a zone is that moment."""
    dav.store("one", ZONED, "DURATION:PT1H")
    assert at(dav, "20270301T110000Z", "20270301T110001Z") == ["one"]
    assert at(dav, "20270301T120000Z", "20270301T120001Z") == []


@row("RFC 5545, 3.3.10; RFC 4791, 9.9")
def over_a_change_of_clocks(dav):
    """A series keeps its time on the wall: noon in Madrid is 11, then 10 in UTC."""
    dav.store("one", ZONED, "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=8")
    assert at(dav, "20270322T110000Z", "20270322T120000Z") == ["one"]
    assert at(dav, "20270329T110000Z", "20270329T120000Z") == []
    assert at(dav, "20270329T100000Z", "20270329T110000Z") == ["one"]


@row("RFC 4791, 7.4")
def occurrences(dav):
    """Each occurrence counts, and nothing between."""
    dav.store("one", ZONED, "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=3")
    assert days(dav) == [1, 8, 15]


@row("RFC 4791, 7.4; RFC 5545, 3.3.10")
def until(dav):
    """UNTIL is the last one, itself included."""
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT1H",
              "RRULE:FREQ=DAILY;UNTIL=20270304T100000Z")  # fmt: skip
    assert days(dav) == [1, 2, 3, 4]


@row("RFC 4791, 7.4")
def exdate(dav):
    """What was taken out is not there."""
    dav.store("one", ZONED, "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5",
              "EXDATE;TZID=Europe/Madrid:20270302T120000,20270304T120000")  # fmt: skip
    assert days(dav) == [1, 3, 5]


@row("RFC 4791, 7.4; RFC 5545, 3.8.5.1")
def exdate_in_utc(dav):
    """EXDATE is a moment, whatever zone it is written in."""
    dav.store("one", ZONED, "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20270302T110000Z")
    assert days(dav) == [1, 3]


@row("RFC 4791, 7.4")
def rdate(dav):
    """What was added is there, also far from the rule."""
    dav.store("one", ZONED, "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2",
              "RDATE;TZID=Europe/Madrid:20270320T120000,20270325T150000")  # fmt: skip
    assert days(dav) == [1, 2, 20, 25]
    assert at(dav, "20270325T140000Z", "20270325T150000Z") == ["one"]


@row("RFC 4791, 7.4; RFC 5545, 3.8.5.2")
def rdate_without_a_rule(dav):
    """Dates alone are a series, too."""
    dav.store("one", ZONED, "DURATION:PT1H", "RDATE;TZID=Europe/Madrid:20270310T120000")
    assert days(dav) == [1, 10]


@row("RFC 4791, 7.4; RFC 5545, 3.8.5.2")
def rdate_with_a_period(dav):
    """An added one can have a length of its own."""
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT1H",
              "RDATE;VALUE=PERIOD:20270310T100000Z/PT5H")  # fmt: skip
    assert at(dav, "20270310T140000Z", "20270310T150000Z") == ["one"]
    assert at(dav, "20270310T150000Z", "20270310T160000Z") == []


@row("RFC 4791, 7.4")
def moved_occurrence(dav):
    """One that was moved is where it is, and not where it was."""
    more = override(";TZID=Europe/Madrid:20270302T120000",
                    "DTSTART;TZID=Europe/Madrid:20270320T120000", "DURATION:PT1H")  # fmt: skip
    dav.store("one", ZONED, "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3", more=more)
    assert days(dav) == [1, 3, 20]


@row("RFC 4791, 7.4")
def moved_before_the_series(dav):
    """Also before the first one of the rule."""
    more = override(";TZID=Europe/Madrid:20270312T120000",
                    "DTSTART;TZID=Europe/Madrid:20270303T120000", "DURATION:PT1H")  # fmt: skip
    dav.store("one", "DTSTART;TZID=Europe/Madrid:20270310T120000", "DURATION:PT1H",
              "RRULE:FREQ=DAILY;COUNT=3", more=more)  # fmt: skip
    assert days(dav) == [3, 10, 11]


@row("RFC 4791, 7.4")
def longer_occurrence(dav):
    """One that lasts longer."""
    more = override(":20270302T100000Z", "DTSTART:20270302T100000Z", "DTEND:20270302T180000Z")
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3",
              more=more)  # fmt: skip
    assert at(dav, "20270302T170000Z", "20270302T180000Z") == ["one"]
    assert at(dav, "20270303T170000Z", "20270303T180000Z") == []


@row("RFC 4791, 7.4; RFC 5545, 3.8.4.4")
def this_and_future(dav):
    """RANGE=THISANDFUTURE moves those that follow."""
    more = override(";RANGE=THISANDFUTURE:20270303T100000Z", "DTSTART:20270303T150000Z",
                    "DURATION:PT1H")  # fmt: skip
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5",
              more=more)  # fmt: skip
    assert at(dav, "20270304T150000Z", "20270304T160000Z") == ["one"]
    assert at(dav, "20270304T100000Z", "20270304T110000Z") == []


@row("RFC 4791, 7.4; RFC 5545, 3.6.1")
def a_series_of_days(dav):
    """Days, with one of them taken out."""
    dav.store("one", "DTSTART;VALUE=DATE:20270301", "RRULE:FREQ=WEEKLY;COUNT=3",
              "EXDATE;VALUE=DATE:20270308")  # fmt: skip
    assert days(dav, hours=("110000", "120000")) == [1, 15]


@row("RFC 4791, 7.4")
def only_a_changed_one(dav):
    """An occurrence whose series is not here."""
    dav.store("one", "RECURRENCE-ID:20270301T090000Z", "DTSTART:20270305T100000Z", "DURATION:PT1H")
    assert days(dav) == [5]


@row("RFC 4791, 7.4")
def endless_series(dav):
    """A rule without an end, asked about long after."""
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;INTERVAL=2")
    assert at(dav, "20280417T000000Z", "20280418T000000Z") == []
    assert at(dav, "20280424T000000Z", "20280425T000000Z") == ["one"]


@row("RFC 4791, 9.9")
def filter_and_range_of_one_component(dav):
    """The text has to be in a component that is in the range."""
    more = override(":20270303T100000Z", "DTSTART:20270320T100000Z", "DURATION:PT1H",
                    "SUMMARY:Moved")  # fmt: skip
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5",
              "SUMMARY:Tasting", more=more)  # fmt: skip
    moved = prop("SUMMARY", match("Moved"))
    assert dav.matching(comp(span("20270320T000000Z", "20270321T000000Z") + moved)) == ["one"]
    assert dav.matching(comp(span("20270301T000000Z", "20270310T000000Z") + moved)) == []


@row("RFC 4791, 9.9")
def table_of_todos(dav):
    """The eight rows of what a to-do has."""
    path = dav.make("todos", "VTODO")
    day = "20270301T{}0000Z".format
    for uid, lines in {
        "start-due": ("DTSTART:" + day("10"), "DUE:" + day("12")),
        "start-length": ("DTSTART:" + day("10"), "DURATION:PT2H"),
        "start": ("DTSTART:" + day("10"),), "due": ("DUE:" + day("12"),),
        "made-done": ("CREATED:" + day("10"), "COMPLETED:" + day("12")),
        "done": ("COMPLETED:" + day("12"),), "made": ("CREATED:" + day("12"),),
        "nothing": ("SUMMARY:x",),
    }.items():  # fmt: skip
        dav.store_todo(path, uid, *lines)

    def found(start, end):
        return set(at(dav, day(start), day(end), "VTODO", path))

    assert found("11", "12") == {
        "start-due", "start-length", "due", "made-done", "done", "nothing",
    }  # fmt: skip
    assert found("13", "14") == {"made", "nothing"}
    assert found("08", "09") == {"nothing"}
    assert found("10", "11") == {"start-due", "start-length", "start", "made-done", "nothing"}


@row("RFC 4791, 9.9")
def journals(dav):
    """A journal is on its day; one without a day is never."""
    path = dav.make("journal", "VJOURNAL")
    for uid, line in (("day", "DTSTART;VALUE=DATE:20270302"), ("none", "SUMMARY:x")):
        text = event(uid, line).replace("VEVENT", "VJOURNAL")
        expect(dav.put(f"{path}{uid}.ics", text), 201)
    assert at(dav, "20270302T100000Z", "20270302T110000Z", "VJOURNAL", path) == ["day"]
    assert at(dav, "20270304T100000Z", "20270305T110000Z", "VJOURNAL", path) == []


@row("RFC 4791, 9.9")
def alarms(dav):
    """When an alarm goes off, before its event or at a time of its own."""
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "{}", "END:VALARM")
    start = ("DTSTART:20270301T100000Z", "DURATION:PT1H")
    for uid, trigger in (
        ("before", "TRIGGER:-PT15M"), ("after", "TRIGGER;RELATED=END:PT5M"),
        ("own", "TRIGGER;VALUE=DATE-TIME:20270301T080000Z"),
    ):  # fmt: skip
        dav.store(uid, *start, *(line.format(trigger) for line in alarm))
    dav.store("none", *start)

    def ring(first, last):
        return dav.matching(comp(comp(span(f"20270301T{first}Z", f"20270301T{last}Z"), "VALARM")))

    assert ring("094000", "095000") == ["before"]
    assert ring("110000", "111000") == ["after"]
    assert ring("075900", "080100") == ["own"]
    assert ring("100000", "110000") == []


@row("RFC 4791, 9.9")
def alarms_that_repeat(dav):
    """Each time that it goes off."""
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT1H", "BEGIN:VALARM", "ACTION:AUDIO",
              "TRIGGER:-PT30M", "REPEAT:2", "DURATION:PT10M", "END:VALARM")  # fmt: skip
    ask = comp(comp(span("20270301T094500Z", "20270301T095500Z"), "VALARM"))
    assert dav.matching(ask) == ["one"]


@row("RFC 4791, 9.7.2")
def range_of_a_property(dav):
    """A date of a property."""
    dav.store("one", "DTSTART:20270301T100000Z", "CREATED:20270210T120000Z")
    ask = "20270201T000000Z", "20270301T000000Z"
    assert dav.matching(comp(prop("CREATED", span(*ask)))) == ["one"]
    assert dav.matching(comp(prop("CREATED", span("20270301T000000Z")))) == []
    assert dav.matching(comp(prop("COMPLETED", span(*ask)))) == []


# --- expand and limit-recurrence-set


def expanded(dav, *lines, more="", first="20270301T000000Z", last="20270401T000000Z"):
    dav.store("one", *lines, more=more)
    words = f'<C:calendar-data><C:expand start="{first}" end="{last}"/></C:calendar-data>'
    return dav.query(comp(), words).data("one.ics").replace("\r\n", "\n").replace("\n ", "")


@row("RFC 4791, 9.6.5")
def expand_in_utc(dav):
    """Occurrences one by one, in UTC, with no rule and no zone left."""
    text = expanded(dav, ZONED, "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:x")
    assert text.count("BEGIN:VEVENT") == 3
    assert "DTSTART:20270302T110000Z" in text and "RECURRENCE-ID:20270302T110000Z" in text
    for word in ("RRULE", "EXDATE", "RDATE", "TZID", "VTIMEZONE"):
        assert word not in text


@row("RFC 4791, 9.6.5")
def expand_is_bounded(dav):
    """Only what is in the range, at its edges as elsewhere."""
    text = expanded(dav, "DTSTART:20270301T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY",
                    first="20270305T110000Z", last="20270307T100000Z")  # fmt: skip
    assert text.count("BEGIN:VEVENT") == 1 and "DTSTART:20270306T100000Z" in text


@row("RFC 4791, 9.6.5")
def expand_with_changes(dav):
    """Taken out, added, moved, renamed."""
    more = override(":20270303T100000Z", "DTSTART:20270303T150000Z", "DURATION:PT2H", "SUMMARY:y")
    text = expanded(
        dav, "DTSTART:20270301T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4",
        "EXDATE:20270302T100000Z", "RDATE:20270310T100000Z", "SUMMARY:x", more=more,
    )  # fmt: skip
    starts = sorted(line for line in text.split("\n") if line.startswith("DTSTART"))
    assert [line[-16:] for line in starts] == [
        "20270301T100000Z", "20270303T150000Z", "20270304T100000Z", "20270310T100000Z",
    ]  # fmt: skip
    assert "RECURRENCE-ID:20270303T100000Z" in text and text.count("SUMMARY:y") == 1


@row("RFC 4791, 9.6.5")
def expand_days(dav):
    """Days stay days."""
    text = expanded(dav, "DTSTART;VALUE=DATE:20270301", "RRULE:FREQ=WEEKLY;COUNT=2", "SUMMARY:x")
    assert text.count("BEGIN:VEVENT") == 2
    assert "DTSTART;VALUE=DATE:20270308" in text


@row("RFC 4791, 9.6.5")
def expand_what_does_not_repeat(dav):
    """One that stands alone is in UTC as well, and has no RECURRENCE-ID."""
    text = expanded(dav, ZONED, "DTEND;TZID=Europe/Madrid:20270301T130000", "SUMMARY:x")
    assert "DTSTART:20270301T110000Z" in text and "RECURRENCE-ID" not in text


@row("RFC 4791, 9.6.5 and 7.9")
def expand_in_multiget(dav):
    """A multiget can ask for it, too."""
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=9")
    words = (
        '<C:calendar-data><C:expand start="20270302T000000Z" end="20270304T000000Z"/>'
        "</C:calendar-data>"
    )
    data = dav.multiget([dav.agenda + "one.ics"], words).data("one.ics")
    assert data.count("BEGIN:VEVENT") == 2


@row("RFC 4791, 9.6.6")
def limit_recurrence_set(dav):
    """The rule, and of the changed ones only those that matter in the range."""
    more = "\n".join(
        override(f":202703{day:02}T100000Z", f"DTSTART:202703{day:02}T150000Z", "DURATION:PT1H")
        for day in (3, 20)
    )
    dav.store("one", "DTSTART:20270301T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=30",
              more=more)  # fmt: skip
    words = (
        '<C:calendar-data><C:limit-recurrence-set start="20270302T000000Z"'
        ' end="20270305T000000Z"/></C:calendar-data>'
    )
    data = dav.query(comp(), words).data("one.ics")
    assert data.count("BEGIN:VEVENT") == 2 and "RRULE" in data and "20270303T150000Z" in data

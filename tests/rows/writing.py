"""PUT, GET, DELETE, MOVE, COPY: what is stored, where, and on which conditions."""

from .program import D, event, expect
from .row import row


def refused(dav, text, condition, status=403, **headers):
    """It is not stored, the answer says why, and nothing is left of it."""
    expect(dav.put(dav.agenda + "x.ics", text, **headers), status, condition)
    expect(dav.ask("GET", dav.agenda + "x.ics"), 404)


# --- PUT: what is stored


@row("RFC 4791, 5.3.2.1")
def no_uid_conflict(dav):
    """A UID that another object of the calendar has is refused, with where that is."""
    dav.store("one")
    answer = expect(dav.put(dav.agenda + "two.ics", event("one")), 403, "no-uid-conflict")
    assert answer.xml.findtext(f".//{D}href") == dav.agenda + "one.ics"


@row("RFC 4791, 5.3.2.1")
def no_other_uid_for_an_object(dav):
    """An object keeps its UID."""
    dav.store("one")
    expect(dav.put(dav.agenda + "one.ics", event("two")), 403, "no-uid-conflict")
    assert "UID:one" in dav.text("one.ics")


@row("RFC 4791, 5.3.2.1")
def valid_calendar_data(dav):
    """What is no iCalendar is refused by that name."""
    for text in (
        "", "no calendar", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", event()[:-40],
        event().replace("END:VEVENT\r\n", ""), event().replace("SUMMARY:Tasting", "no colon"),
        event().replace("20270301T100000Z", "yesterday"), event().replace("DTSTART", "DTSTRT"),
        event("x", "DTSTART:20270301T100000Z", "RRULE:FREQ=OFTEN"),
        event("x", "DTSTART:20270301T100000Z", "RRULE:COUNT=3"),
        event("x", "DTSTART:20270230T100000Z"),
    ):  # fmt: skip
        refused(dav, text, "valid-calendar-data")


@row("RFC 5545, 3.1")
def control_characters(dav):
    """NUL and its like are in no text."""
    refused(dav, event().replace("Tasting", "a\x00b"), "valid-calendar-data")
    refused(dav, event().replace("Tasting", "a\x08b"), "valid-calendar-data")


@row("RFC 5545, 3.1.4")
def broken_utf8(dav):
    """Octets that are no UTF-8."""
    refused(dav, event().replace("Tasting", "Cañas").encode("latin-1"), "valid-calendar-data")
    refused(dav, event().encode().replace(b"Tasting", b"\xc3\x28"), "valid-calendar-data")


@row("RFC 4791, 4.1")
def two_uids(dav):
    """One object, one UID."""
    other = "BEGIN:VEVENT\nUID:y\nDTSTAMP:20270101T000000Z\nDTSTART:20270301T100000Z\nEND:VEVENT"
    refused(dav, event("x", more=other), "valid-calendar-object-resource")


@row("RFC 4791, 4.1")
def no_uid(dav):
    """An object without a UID."""
    refused(dav, event("x").replace("UID:x\r\n", ""), "valid-calendar-object-resource")


@row("RFC 4791, 4.1")
def a_method(dav):
    """METHOD is for messages."""
    text = event("x").replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST")
    refused(dav, text, "valid-calendar-object-resource")


@row("RFC 4791, 4.1")
def two_kinds(dav):
    """An event and a to-do are not one object."""
    more = "BEGIN:VTODO\nUID:x\nDTSTAMP:20270101T000000Z\nEND:VTODO"
    refused(dav, event("x", more=more), "valid-calendar-object-resource")


@row("RFC 4791, 4.1")
def two_calendars(dav):
    """One object, one VCALENDAR."""
    refused(dav, event("x") + event("x"), "valid-calendar-object-resource")


@row("RFC 4791, 4.1")
def nothing_in_it(dav):
    """A calendar without an object in it."""
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n"
    refused(dav, text, "valid-calendar-object-resource")


@row("RFC 4791, 4.1")
def one_occurrence_twice(dav):
    """An occurrence cannot be two things."""
    refused(dav, event("x", more="\n".join(event("x").splitlines()[3:-1])),
            "valid-calendar-object-resource")  # fmt: skip


@row("RFC 4791, 5.3.2.1")
def supported_calendar_component(dav):
    """A calendar of events takes no to-dos, and the other way round."""
    refused(dav, event("x").replace("VEVENT", "VTODO"), "supported-calendar-component")
    path = dav.make("todos", "VTODO")
    expect(dav.put(path + "x.ics", event("x")), 403, "supported-calendar-component")


@row("RFC 4791, 5.3.2.1")
def supported_calendar_data(dav):
    """Another kind of content."""
    refused(dav, event("x"), "supported-calendar-data", 415, content_type="text/plain")
    refused(dav, "{}", "supported-calendar-data", 415, content_type="application/calendar+json")


@row("RFC 4791, 5.3.2.1 and 5.2.5")
def max_resource_size(dav):
    """More than the stated size is refused by that name; as much as that is not."""
    limit = int(
        dav.propfind(dav.agenda, "<C:max-resource-size/>").xml.findtext(".//{*}max-resource-size")
    )
    fits = event("x", "DTSTART:20270301T100000Z", "X-A:")
    text = fits.replace("X-A:", "X-A:" + "a" * (limit + 1 - len(fits)))
    answer = dav.put(dav.agenda + "x.ics", text)
    assert answer.status in (403, 413) and answer.condition == "max-resource-size"
    expect(dav.put(dav.agenda + "x.ics", text.replace("X-A:a", "X-A:")), 201)


@row("RFC 9110, 12.5; RFC 4791, 5.3.2")
def no_content_type(dav):
    """Without a word about its kind, what is sent into a calendar is iCalendar."""
    expect(dav.ask("PUT", dav.agenda + "one.ics", event(), content_type=""), 201)


@row("RFC 9110, 6.4", is_http=True)
def chunked(dav):
    """A body of unknown length, as Apple's programs send it."""
    expect(
        dav.put(dav.agenda + "one.ics", iter([event()[:30].encode(), event()[30:].encode()])), 201
    )
    assert dav.text("one.ics") == event()


@row("RFC 9110, 10.1.1", is_http=True)
def expect_100(dav):
    """Programs that ask whether to go on."""
    assert dav.put(dav.agenda + "one.ics", event(), expect="100-continue").status in (201, 417)


# --- PUT: where


@row("RFC 4791, 5.3.2")
def into_nothing(dav):
    """The calendar has to be there first."""
    expect(dav.put(dav.home + "no/x.ics", event()), 409)


@row("RFC 4791, 4.2")
def no_collections_in_calendars(dav):
    """A calendar holds objects only."""
    expect(dav.put(dav.agenda + "a/x.ics", event()), 409)
    assert dav.ask("MKCOL", dav.agenda + "a/").status in (403, 409)
    assert dav.ask("MKCALENDAR", dav.agenda + "a/").status in (403, 409)


@row("RFC 9110, 9.3.4")
def put_on_a_collection(dav):
    """A calendar is not written as one file."""
    for path in (dav.agenda, dav.home, dav.root):
        assert dav.put(path, event()).status in (403, 405), path


@row("RFC 3744, 7.1.1")
def read_only_calendar(dav):
    """What is only read is not written, and the answer says so."""
    path = f"{dav.home}{dav.shared}/"
    expect(dav.put(path + "x.ics", event("x")), 403, "need-privileges")
    expect(dav.ask("DELETE", path), 403, "need-privileges")


@row("RFC 4918, 5.2; RFC 3986, 2.1")
def names_of_objects(dav):
    """Any name that can be written: blanks, signs, letters of all kinds."""
    for number, name in enumerate((
        "a%20b.ics", "%C3%B1.ics", "%E6%97%A5.ics", "no-ending", "a+b.ics", "a&b.ics", "a;b=c.ics",
        "a%25b.ics", "a%3Fb.ics", "a%23b.ics", "x@y.ics", "(1).ics", "a%27b.ics",
        "%F0%9F%8D%B7.ics",
    )):  # fmt: skip
        text = event(f"n{number}")
        expect(dav.put(dav.agenda + name, text), 201)
        assert dav.text(name) == text, name
        href = (dav.agenda + name).replace("&", "&amp;")
        assert "BEGIN:VEVENT" in dav.multiget([href]).text, name
        expect(dav.ask("DELETE", dav.agenda + name), 204)


@row("RFC 3986, 6.2.2.2")
def names_are_compared_decoded(dav):
    """%41 is A."""
    expect(dav.put(dav.agenda + "%41.ics", event()), 201)
    assert dav.text("A.ics") == event()
    assert dav.text("%41%2e%69cs") == event()


@row("RFC 9110, 9.3.4")
def long_names(dav):
    """As long as a file's name may be; more is refused, and no failure."""
    expect(dav.put(dav.agenda + "a" * 251 + ".ics", event()), 201)
    assert dav.text("a" * 251 + ".ics") == event()
    assert 400 <= dav.put(dav.agenda + "b" * 5000 + ".ics", event("b")).status < 500


@row("RFC 3986, 3.3")
def names_that_are_none(dav):
    """A slash, NUL, what is no UTF-8, the folder itself."""
    for name in ("a%2Fb.ics", "%00.ics", "%ff.ics", "%0d%0aX:1.ics", "%2e%2e", "."):
        answer = dav.put(dav.agenda + name, event())
        assert 400 <= answer.status < 500, (name, answer.status)


@row("RFC 4791, 4.1")
def long_uids(dav):
    """UIDs are any text."""
    uid = "x" * 200 + "@y.example"
    expect(dav.put(dav.agenda + "one.ics", event(uid)), 201)
    assert "UID:" in dav.text("one.ics")


# --- Conditions


@row("RFC 9110, 13.1.2")
def if_none_match_star(dav):
    """Only if nothing is there."""
    expect(dav.put(dav.agenda + "one.ics", event(), if_none_match="*"), 201)
    expect(dav.put(dav.agenda + "one.ics", event(), if_none_match="*"), 412)


@row("RFC 9110, 13.1.1")
def if_match(dav):
    """Only if it is still that one."""
    first = dav.store().headers["ETag"]
    second = expect(dav.put(dav.agenda + "one.ics", event(), if_match=first), 204).headers["ETag"]
    changed = event().replace("Tasting", "Dinner")
    third = expect(dav.put(dav.agenda + "one.ics", changed, if_match=second), 204)
    if second != third.headers["ETag"]:
        expect(dav.put(dav.agenda + "one.ics", event(), if_match=second), 412)
    assert dav.text("one.ics") == changed


@row("RFC 9110, 13.1.1")
def if_match_star(dav):
    """Only if something is there."""
    expect(dav.put(dav.agenda + "one.ics", event(), if_match="*"), 412)
    dav.store()
    expect(dav.put(dav.agenda + "one.ics", event(), if_match="*"), 204)


@row("RFC 9110, 13.1.1")
def if_match_list(dav):
    """One of several; none of several."""
    etag = dav.store().headers["ETag"]
    expect(dav.ask("DELETE", dav.agenda + "one.ics", if_match='"a", "b"'), 412)
    expect(dav.ask("DELETE", dav.agenda + "one.ics", if_match=f'"a,b",{etag} , "c"'), 204)


@row("RFC 9110, 13.1.1 and 8.8.3.2")
def if_match_is_strong(dav):
    """A weak tag never matches strongly, and a word without quotes is no tag."""
    etag = dav.store().headers["ETag"]
    assert dav.put(dav.agenda + "one.ics", event(), if_match=f"W/{etag}").status == 412
    assert dav.put(dav.agenda + "one.ics", event(), if_match=etag.strip('"')).status in (400, 412)
    assert dav.text("one.ics") == event()


@row("RFC 9110, 13.1.1")
def if_match_on_delete(dav):
    """A deletion has conditions, too."""
    etag = dav.store().headers["ETag"]
    expect(dav.ask("DELETE", dav.agenda + "one.ics", if_match='"other"'), 412)
    expect(dav.ask("DELETE", dav.agenda + "one.ics", if_match=etag), 204)


@row("RFC 9110, 13.1.2")
def if_none_match_tags(dav):
    """Only if it is none of these."""
    etag = dav.store().headers["ETag"]
    expect(dav.put(dav.agenda + "one.ics", event(), if_none_match=f'"x", {etag}'), 412)
    expect(dav.put(dav.agenda + "one.ics", event(), if_none_match='"x"'), 204)


@row("RFC 9110, 13.1.2")
def conditional_get(dav):
    """Who has it already gets no copy: compared weakly, in lists, and for HEAD."""
    etag = dav.store().headers["ETag"]
    path = dav.agenda + "one.ics"
    for words in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        for method in ("GET", "HEAD"):
            answer = expect(dav.ask(method, path, if_none_match=words), 304)
            assert answer.headers["ETag"] == etag and not answer.text
    expect(dav.ask("GET", path, if_none_match='"x"'), 200)


@row("RFC 9110, 13.1.1")
def get_with_if_match(dav):
    """And who wants only that one gets no other."""
    etag = dav.store().headers["ETag"]
    expect(dav.ask("GET", dav.agenda + "one.ics", if_match='"x"'), 412)
    expect(dav.ask("GET", dav.agenda + "one.ics", if_match=etag), 200)


@row("RFC 9110, 13.1.3")
def if_modified_since(dav):
    """A date that is no date is ignored."""
    dav.store()
    for words in ("yesterday", "Mon, 01 Jan 1990 00:00:00 GMT"):
        expect(dav.ask("GET", dav.agenda + "one.ics", if_modified_since=words), 200)


@row("RFC 9110, 9.3.2")
def head(dav):
    """HEAD is GET without the body."""
    dav.store()
    got, told = (dav.ask(method, dav.agenda + "one.ics") for method in ("GET", "HEAD"))
    assert told.status == 200 and not told.text
    for name in ("ETag", "Content-Type"):
        assert told.headers[name] == got.headers[name]
    assert int(told.headers["Content-Length"]) == len(event())


@row("RFC 9110, 14.2")
def ranges_are_ignored(dav):
    """A server without ranges answers with all of it."""
    dav.store()
    answer = expect(dav.ask("GET", dav.agenda + "one.ics", range="bytes=0-9"), 200)
    assert answer.text == event()
    assert "Content-Range" not in answer.headers


@row("RFC 4791, 5.3.2; RFC 9110, 8.3")
def get_says_what_it_is(dav):
    """text/calendar in UTF-8."""
    dav.store()
    kind = dav.ask("GET", dav.agenda + "one.ics").headers["Content-Type"].replace(" ", "").lower()
    assert kind.startswith("text/calendar;charset=utf-8")


@row("RFC 4918, 10.4")
def the_header_if(dav):
    """Lists of conditions, of this resource and of others."""
    etag, path = dav.store().headers["ETag"], dav.agenda + "one.ics"
    for words, status in (
        ('(["x"])', 412), ("(<opaquelocktoken:1>)", 412), (f'(["x"]) ([{etag}])', 200),
        (f"([{etag}])", 200), ('(Not ["x"])', 200), ("(", 400), ("nonsense", 400),
        (f'<{dav.agenda}no.ics> (["x"])', 412),
    ):  # fmt: skip
        expect(dav.ask("GET", path, **{"if": words}), status)


@row("RFC 8144, 3")
def prefer_representation(dav):
    """What was written, at once."""
    answer = dav.put(dav.agenda + "one.ics", event(), prefer="return=representation")
    assert answer.status in (200, 201) and answer.text == event() and answer.headers["ETag"]


# --- DELETE, MOVE, COPY


@row("RFC 9110, 9.3.5")
def delete(dav):
    """Gone is gone."""
    dav.store()
    expect(dav.ask("DELETE", dav.agenda + "one.ics"), 204)
    expect(dav.ask("GET", dav.agenda + "one.ics"), 404)
    expect(dav.ask("DELETE", dav.agenda + "one.ics"), 404)
    dav.store()


@row("RFC 4791, 5.3.3; RFC 4918, 9.6")
def delete_a_calendar(dav):
    """A calendar goes with what is in it."""
    path = dav.make("wine")
    dav.store(path=path)
    expect(dav.ask("DELETE", path), 204)
    expect(dav.propfind(path, "<D:resourcetype/>"), 404)
    assert "wine" not in dav.propfind(dav.home, "<D:resourcetype/>", "1").names
    dav.store()


@row("RFC 4918, 9.6.1")
def delete_a_calendar_is_deep(dav):
    """Depth can be nothing but infinity."""
    path = dav.make("wine")
    expect(dav.ask("DELETE", path, depth="0"), 400)
    expect(dav.ask("DELETE", path, depth="infinity"), 204)


def carry(dav, method, source, target, **headers):
    return dav.ask(method, source, destination=target, **headers)


@row("RFC 4918, 9.9")
def move(dav):
    """Into another calendar, and under another name; it is where it was moved to."""
    path = dav.make("wine")
    dav.store()
    expect(carry(dav, "MOVE", dav.agenda + "one.ics", path + "a.ics"), 201)
    expect(dav.ask("GET", dav.agenda + "one.ics"), 404)
    assert dav.text("a.ics", path) == event()
    expect(carry(dav, "MOVE", path + "a.ics", path + "b.ics"), 201)
    assert dav.text("b.ics", path) == event()


@row("RFC 4918, 10.6")
def move_and_overwrite(dav):
    """Over something else: only if that is allowed."""
    dav.store("one")
    dav.store("two")
    there = dav.agenda + "two.ics"
    expect(carry(dav, "MOVE", dav.agenda + "one.ics", there, overwrite="F"), 412)
    expect(carry(dav, "MOVE", dav.agenda + "one.ics", there, overwrite="x"), 400)
    expect(carry(dav, "MOVE", dav.agenda + "one.ics", there, overwrite="T"), 204)
    assert "UID:one" in dav.text("two.ics")
    expect(dav.ask("GET", dav.agenda + "one.ics"), 404)


@row("RFC 4918, 9.9.4")
def move_into_nothing(dav):
    """The calendar has to be there; itself is no place to move to."""
    dav.store()
    expect(carry(dav, "MOVE", dav.agenda + "one.ics", dav.home + "no/a.ics"), 409)
    expect(carry(dav, "MOVE", dav.agenda + "one.ics", dav.agenda + "one.ics"), 403)
    expect(dav.ask("MOVE", dav.agenda + "one.ics"), 400)
    assert dav.text("one.ics") == event()


@row("RFC 4918, 9.9.4")
def move_to_others(dav):
    """Nothing is put into somebody else's calendar, nor on another server."""
    dav.store()
    there = f"{dav.root}calendars/{dav.stranger}/agenda/a.ics"
    assert carry(dav, "MOVE", dav.agenda + "one.ics", there).status in (403, 404, 409)
    away = "http://other.example/caldav/a.ics"
    assert carry(dav, "MOVE", dav.agenda + "one.ics", away).status in (400, 502)
    expect(carry(dav, "MOVE", dav.agenda + "one.ics", f"{dav.home}{dav.shared}/a.ics"), 403)
    assert dav.text("one.ics") == event()


@row("RFC 4791, 5.3.2.1")
def move_keeps_the_rules(dav):
    """What a calendar does not take is not moved into it either."""
    path = dav.make("todos", "VTODO")
    dav.store()
    answer = carry(dav, "MOVE", dav.agenda + "one.ics", path + "a.ics")
    expect(answer, 403, "supported-calendar-component")


@row("RFC 4791, 5.3.2.1; RFC 4918, 9.8")
def copy_keeps_the_rules(dav):
    """A copy in the same calendar would have the same UID."""
    dav.store()
    answer = carry(dav, "COPY", dav.agenda + "one.ics", dav.agenda + "b.ics")
    expect(answer, 403, "no-uid-conflict")

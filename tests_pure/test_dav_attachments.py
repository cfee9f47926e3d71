"""Managed attachments (RFC 8607): files of objects, added, replaced, taken away, fetched."""

import pytest
from crm_automation.ical.itip import Message
from crm_automation.ical.managed import managed_ids, with_file, without_file
from crm_automation.ical.parse import parse
from crm_automation.tests.rows.program import event
from hypothesis import given
from hypothesis import strategies as st

from dav_memory import NOW, Client

AGENDA = "/caldav/calendars/ana@x.es/agenda/"
ONE = AGENDA + "one.ics"


@pytest.fixture
def client():
    client = Client()
    client.store()
    return client


def add(client, body="octets", action="attachment-add", more="", path=ONE, **headers):
    headers.setdefault("content_disposition", 'attachment; filename="Menú de la cata.pdf"')
    headers.setdefault("content_type", "application/pdf; x=1")
    return client.ask("POST", f"{path}?action={action}{more}", body, **headers)


def attachments(client):
    return parse(client.text("one.ics").encode()).items[0].attachments


def test_what_it_says_of_itself(client):
    answer = client.ask("OPTIONS", AGENDA)
    classes = answer.headers["DAV"].split(", ")
    assert "calendar-managed-attachments" in classes
    assert "calendar-managed-attachments-no-recurrence" in classes
    found = client.propfind(
        AGENDA, "<C:max-attachment-size/><C:max-attachments-per-resource/>"
    ).found["agenda"]  # fmt: skip
    assert found["max-attachment-size"].text == "1000"
    assert found["max-attachments-per-resource"].text == "3"


def test_add(client):
    before = client.ask("GET", ONE).headers["ETag"]
    answer = add(client, if_match=before)
    assert answer.status == 201
    [file] = attachments(client)
    managed_id = answer.headers["Cal-Managed-ID"]
    assert file.params.get("MANAGED-ID") == managed_id
    assert file.media_type == "application/pdf"
    assert file.filename == "Menú de la cata.pdf"
    assert file.params.get("SIZE") == "6"
    now = client.ask("GET", ONE)
    assert answer.headers["ETag"] == now.headers["ETag"] != before
    assert add(client, if_match=before).status == 412
    fetched = client.ask("GET", file.uri.removeprefix("http://calendar.x.es"))
    assert fetched.text == "octets"
    assert fetched.headers["Content-Type"] == "application/pdf"
    assert fetched.headers["Content-Disposition"].startswith("attachment;")
    assert fetched.headers["X-Content-Type-Options"] == "nosniff"
    again = client.ask("GET", file.uri[20:], if_none_match=fetched.headers["ETag"])
    assert again.status == 304
    head = client.ask("HEAD", file.uri[20:])
    assert (head.status, head.headers["Content-Length"], head.text) == (200, "6", "")


def test_as_it_is_now(client):
    answer = add(client, prefer="return=representation")
    assert answer.status == 201
    assert "MANAGED-ID" in answer.text
    managed_id = answer.headers["Cal-Managed-ID"]
    answer = add(
        client, "", "attachment-remove", f"&managed-id={managed_id}",
        prefer="return=representation",
    )  # fmt: skip
    assert answer.status == 200
    assert "MANAGED-ID" not in answer.text


def test_update_and_remove(client):
    old = add(client).headers["Cal-Managed-ID"]
    answer = add(client, "others", "attachment-update", f"&managed-id={old}")
    assert answer.status == 204
    new = answer.headers["Cal-Managed-ID"]
    assert new != old
    assert managed_ids(client.text("one.ics")) == {new}
    assert set(client.backend.files) == {new}
    answer = add(client, "", "attachment-remove", f"&managed-id={new}")
    assert answer.status == 204
    assert not attachments(client)
    assert not client.backend.files
    assert client.ask("GET", f"/caldav/attachments/{new}/x").status == 404


def test_each_component_has_it(client):
    more = event("one", "RECURRENCE-ID:20270308T100000Z", "DTSTART:20270308T120000Z").split(
        "BEGIN:VEVENT"
    )[1].split("END:VEVENT")[0]  # fmt: skip
    text = client.text("one.ics").replace(
        "END:VEVENT", f"RRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\nBEGIN:VEVENT{more}END:VEVENT"
    )
    assert client.put(ONE, text).status == 204
    assert add(client).status == 201
    assert client.text("one.ics").count("ATTACH;") == 2


@pytest.mark.parametrize(
    "action, more, condition",
    [
        ("", "", "valid-action"), ("attachment-x", "", "valid-action"),
        ("attachment-add", "&action=attachment-add", "valid-action"),
        ("attachment-add", "&rid=20270301T100000Z", "valid-rid"),
        ("attachment-add", "&managed-id=1", "valid-managed-id"),
        ("attachment-update", "", "valid-managed-id"),
        ("attachment-update", "&managed-id=nothing", "valid-managed-id"),
        ("attachment-remove", "&managed-id=", "valid-managed-id"),
    ],
)  # fmt: skip
def test_what_is_refused(client, action, more, condition):
    answer = add(client, action=action, more=more)
    assert (answer.status, answer.condition) == (403, condition)


def test_limits(client):
    answer = add(client, "x" * 1001)
    assert (answer.status, answer.condition) == (413, "max-attachment-size")
    assert add(client, "").status == 400
    for _ in range(3):
        assert add(client).status == 201
    answer = add(client)
    assert (answer.status, answer.condition) == (403, "max-attachments-per-resource")


def test_where_it_cannot_be(client):
    assert add(client, path=AGENDA).status == 405
    assert add(client, path=AGENDA + "no.ics").status == 404
    assert add(client, path="/caldav/calendars/ana@x.es/team/no.ics").status == 404
    managed_id = add(client).headers["Cal-Managed-ID"]
    path = f"/caldav/attachments/{managed_id}/x"
    for method in ("PUT", "DELETE", "PROPFIND", "POST", "MOVE"):
        assert client.ask(method, path, "x", depth="0").status in (403, 404, 405), method
    assert client.ask("GET", path).text == "octets"


def test_what_is_put(client):
    """A program gives no MANAGED-ID; one that it leaves out is taken away."""
    text = client.text("one.ics")
    foreign = with_file(text, "VEVENT", "other", "https://a.example/x", "text/plain", "x", 1)
    answer = client.put(ONE, foreign)
    assert (answer.status, answer.condition) == (403, "valid-managed-id")
    answer = client.put(AGENDA + "two.ics", foreign.replace("UID:one", "UID:two"))
    assert (answer.status, answer.condition) == (403, "valid-managed-id")
    managed_id = add(client).headers["Cal-Managed-ID"]
    assert client.put(ONE, client.text("one.ics").replace("Tasting", "Dinner")).status == 204
    assert set(client.backend.files) == {managed_id}
    assert client.put(ONE, text).status == 204
    assert not client.backend.files


@pytest.mark.parametrize(
    "header, name",
    [
        ("", "file"), ("attachment", "file"), ('attachment; filename="a/../b.txt"', "a_.._b.txt"),
        ("attachment; filename*=UTF-8''Vi%C3%B1a.txt", "Viña.txt"),
        ('attachment; filename="x\x01\x02:y"', "x_y"), ('attachment; filename="..."', "file"),
        (f'attachment; filename="{"a" * 500}.pdf"', "a" * 116 + ".pdf"),
    ],
)  # fmt: skip
def test_names(client, header, name):
    assert add(client, content_disposition=header, content_type="nonsense").status == 201
    [file] = attachments(client)
    assert file.filename == name
    assert file.media_type == "application/octet-stream"


def test_others_are_not_told_of_them():
    text = with_file(
        event("one"), "VEVENT", "7", "https://a.example/caldav/attachments/7/x", "a/b", "x", 1
    )
    message = Message("REQUEST", parse(text.encode()).items)
    assert "ATTACH" not in message.text(NOW)


@given(st.text(), st.text(max_size=20))
def test_any_text(text, managed_id):
    managed_ids(text)
    assert managed_id not in managed_ids(without_file(text, managed_id)) or not managed_id

"""Uploads: files, archives, and archives that mean harm."""

import io
import zipfile

import pytest

from engine.archive import ArchiveError, ArchiveLimits, calendar_files

ICS = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def packed(*entries):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


def code_of(data, **limits):
    with pytest.raises(ArchiveError) as caught:
        calendar_files("file", data, ArchiveLimits(**limits))
    return caught.value.code


def test_a_file_is_itself():
    assert calendar_files("a.ics", ICS) == [("a.ics", ICS)]


def test_the_calendars_of_an_archive():
    data = packed(
        ("deep/down/a.ics", ICS), ("b.ICS", ICS), ("notes.txt", b"x"),
        ("__MACOSX/._a.ics", b"x"), (".hidden.ics", b"x"),
    )  # fmt: skip
    assert [name for name, _content in calendar_files("x.zip", data)] == ["a.ics", "b.ICS"]


def test_a_name_is_no_path():
    [(name, _content)] = calendar_files("x.zip", packed(("../../etc/passwd.ics", ICS)))
    assert name == "passwd.ics"


@pytest.mark.parametrize(
    ("data", "limits", "code"),
    [
        (b"", {}, "empty"),
        (packed(("a.txt", b"x")), {}, "empty"),
        (packed(("a.zip", packed(("a.ics", ICS)))), {}, "nested"),
        (packed(("a.ics", b"x" * 2_000_000)), {}, "bomb"),
        (packed(("a.ics", ICS), ("b.ics", ICS)), {"entries": 1}, "too_many"),
        (packed(("a.ics", ICS * 10), ("b.ics", ICS * 10)), {"octets": 400}, "too_large"),
        (packed(("a.ics", ICS))[:40], {}, "broken"),
        (ICS, {"octets": 10}, "too_large"),
    ],
    # An archive has its moment in it: named by its octets, a test has another name each time.
    ids=lambda value: "data" if isinstance(value, bytes) else None,
)
def test_refused(data, limits, code):
    assert code_of(data, **limits) == code


def test_an_archive_that_lies_about_its_sizes():
    data = packed(("a.ics", b"x" * 900_000))
    small = (900_000).to_bytes(4, "little")
    assert small in data
    data = data.replace(small, (10).to_bytes(4, "little"))
    assert code_of(data, octets=100_000) in ("broken", "too_large")

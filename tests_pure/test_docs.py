"""The pages for readers: the files, tests and pictures that they name are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.rst"), *ROOT.glob("docs/**/*.md")])
FOLDERS = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != ".")
#: A file, a folder or a pattern of either, as it stands between accents graves.
NAMED = re.compile(rf"`+((?:{FOLDERS})/[\w./*-]*)`+")
#: A file of tests, and after it those of its tests that a page names.
TESTS = re.compile(r"`(tests\w*/[\w/]+\.py)`\s\((`test_\w+`(?:,\s`test_\w+`)*)\)")
LINK = re.compile(
    r"\]\(([^)\s]+)\)|<([^<>\s]+[^<>\s_])>`__?|image:: (\S+)|^\.\. _[\w-]+: (\S+)$", re.M
)


#: Constant to how the page about security says it.
BOUNDS = {
    ("models/caldav_access.py", "REMEMBERED"): "for {:,} seconds",
    ("dav/reading.py", "MAX_BYTES"): "XML: {:,} octets",
    ("dav/reading.py", "MAX_DEPTH"): "{:,} levels",
    ("dav/reading.py", "MAX_ELEMENTS"): "{:,} elements",
    ("dav/backend.py", "max_size"): "An object: {:,} octets",
    ("dav/requests.py", "MAX_CONDITION"): "conditions: {:,} characters",
    ("dav/reports.py", "MAX_HREFS"): "A report: {:,} addresses",
    ("dav/search.py", "MAX_EXPANDED"): "{:,} expanded",
    ("dav/scheduling.py", "MAX_DAYS"): "{:,} days",
    ("dav/freebusy.py", "MAX_ATTENDEES"): "{:,} attendees",
    ("models/caldav_calendar.py", "MAX_OWN"): "{:,} calendars of his own",
    ("models/caldav_calendar.py", "MAX_SHARED"): "{:,} of teams",
    ("engine/archive.py", "octets"): "{:,} octets unpacked",
    ("engine/archive.py", "entries"): "{:,} entries",
    ("engine/archive.py", "MAX_RATIO"): "more than {:,} times",
    ("ical/limits.py", "components"): "{:,} components",
    ("ical/limits.py", "component_bytes"): "{:,} octets and",
    ("ical/limits.py", "occurrences"): "{:,} occurrences and",
    ("models/calendar_import_work.py", "MAX_OBJECTS"): "{:,} meetings, series and to-dos",
    ("models/calendar_feed.py", "MAX_OBJECTS"): "{:,} meetings and series",
    ("wizards/calendar_export_ical.py", "MAX_MEETINGS"): "an export {:,}",
    ("engine/fetch.py", "LIMIT"): "{:,} octets and",
    ("engine/fetch.py", "SECONDS"): "{:,} seconds for a file",
    ("sync/transport.py", "LIMIT"): "{:,} octets an answer",
    ("sync/transport.py", "SECONDS"): "{:,} seconds a session",
    ("sync/remote.py", "MAX_TEXT"): "{:,} octets an object",
    ("engine/patterns.py", "MAX_PATTERN"): "{:,} characters",
    ("engine/patterns.py", "MAX_TEXT"): "{:,} characters of text",
    ("models/calendar_attendee_answer.py", "MAX_COMMENT"): "comments of {:,} characters",
}


def _read(page):
    return page.read_text(encoding="utf-8")


def _links(page):
    """The files that a page leads to, without addresses and places within a page."""
    found = ("".join(groups).partition("#")[0] for groups in LINK.findall(_read(page)))
    return [page.parent / link for link in found if link and "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page):
    named = [*map(str, _links(page)), *(str(ROOT / name) for name in NAMED.findall(_read(page)))]
    missing = [name for name in named if not _is_there(Path(name))]
    assert not missing


def _is_there(path):
    if "*" not in str(path):
        return path.exists()
    return any(ROOT.glob(str(path.relative_to(ROOT))))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_tests_that_a_page_names_are_there(page):
    missing = []
    for file, names in TESTS.findall(_read(page)):
        text = (ROOT / file).read_text()
        missing += [
            f"{file}: {name}" for name in re.findall(r"test_\w+", names)
            if f"def {name}(" not in text
        ]  # fmt: skip
    assert not missing


def test_every_capability_of_openerp_names_its_tests():
    rows = re.findall(
        r"^\| (\d+) \|.*\| (\w+) \|[^|]*\|([^|]*)\|$", _read(ROOT / "docs/openerp.md"), re.M
    )
    assert [int(number) for number, _state, _tests in rows] == list(range(1, 81))
    assert not [number for number, state, tests in rows if state != "no" and "test" not in tests]


def test_whatever_is_supported_names_its_tests():
    rows = re.findall(r"^\| (.+?) \| (yes|partly|read|deviates)[^|]* \|.*\| ?([^|]*) ?\|$",
                      _read(ROOT / "docs/compliance.md"), re.M)  # fmt: skip
    assert len(rows) > 60
    assert not [what for what, _state, tests in rows if "test" not in tests]


@pytest.mark.parametrize(("file", "name"), BOUNDS, ids=str)
def test_the_bounds_are_those_of_the_code(file, name):
    found = re.search(rf"^ *{name}(?:: int)?(?:, \w+)? = ([\d_]+)", _read(ROOT / file), re.M)
    said = " ".join(_read(ROOT / "docs/security.md").split())
    assert BOUNDS[file, name].format(int(found[1])) in said


def test_every_picture_is_shown():
    shown = {link.resolve() for page in PAGES for link in _links(page)}
    pictures = set((ROOT / "docs/es/img").glob("*.png"))
    assert pictures <= shown

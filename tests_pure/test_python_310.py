"""The code has no name that the oldest Python of the promise (3.10) does not know."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What came with 3.11 to 3.13, as far as somebody could be tempted.
NEWER = re.compile(
    r"\bStrEnum\b|\bReprEnum\b|\bdatetime\.UTC\b|from datetime import[^\n]*\bUTC\b"
    r"|\bimport tomllib\b|\bExceptionGroup\b|except\s*\*|\bTaskGroup\b|asyncio\.timeout\("
    r"|from typing import[^\n]*\b(Self|override|Never|LiteralString|assert_never)\b"
    r"|itertools\.batched|\bbatched\(|hashlib\.file_digest|\bcontextlib\.chdir\b|\.walk_up\b"
    r"|^type [A-Z]\w* =|^\s*def \w+\[|^\s*class \w+\[|@warnings\.deprecated|copy\.replace\("
    r"|operator\.call\(|datetime\.fromisoformat\([^)]*Z[\"']",
    re.MULTILINE,
)
FOLDERS = ("controllers", "dav", "engine", "ical", "migrations", "models", "sync", "wizards")


def test_the_promise_is_that_of_the_project():
    assert 'requires-python = ">=3.10"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_newer_name(folder):
    for path in (ROOT / folder).rglob("*.py"):
        found = NEWER.search(path.read_text())
        assert not found, f"{path.relative_to(ROOT)}: {found[0]}"


@pytest.mark.parametrize("line", ["from enum import StrEnum", "x = datetime.UTC", "import tomllib"])
def test_it_finds_them(line):
    assert NEWER.search(line)

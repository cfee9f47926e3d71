"""Files to read: our own samples, and the corpus of real files where it is.

The corpus is not the project's to give away. It is looked for beside the
checkout, in ``../shared/ics_corpus``, or where ``CRM_AUTOMATION_CORPUS`` says.
"""

import os
import sys
import types
from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
# The addon as a package, without what it imports when Odoo loads it: packages of it
# refer to each other.
_ADDON = sys.modules.setdefault("crm_automation", types.ModuleType("crm_automation"))
_ADDON.__path__ = [str(HERE.parent)]
# Nor what its tests import.
_TESTS = sys.modules.setdefault("crm_automation.tests", types.ModuleType("crm_automation.tests"))
_TESTS.__path__ = [str(HERE.parent / "tests")]
pytest.register_assert_rewrite("crm_automation.tests.rows")
SAMPLES = sorted((HERE / "ics").iterdir())
CORPUS = Path(os.environ.get("CRM_AUTOMATION_CORPUS") or HERE.parents[1] / "shared" / "ics_corpus")
SUFFIXES = {".ics", ".ical", ".ifb", ".vcs"}
#: At the sizes that the promises name, by ./dev/test --long.
LONG = bool(os.environ.get("CRM_AUTOMATION_LONG"))

# Without a deadline: on a busy machine anything takes long. The short ones are the same
# every time: who changes something else is not to meet an example nobody has met before.
settings.register_profile("short", max_examples=60, deadline=None, derandomize=True)
settings.register_profile("long", max_examples=2000, deadline=None)
settings.load_profile("long" if LONG else "short")


def corpus_files():
    """Every file of the corpus; none where it is not."""
    return sorted(path for path in CORPUS.rglob("*") if path.suffix.lower() in SUFFIXES)


def pytest_generate_tests(metafunc):
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", SAMPLES, ids=lambda path: path.name)
    if "real_file" in metafunc.fixturenames:
        files = corpus_files()
        missing = pytest.mark.skip(reason=f"no corpus of real files in {CORPUS}")
        values = files or [pytest.param(None, marks=missing)]
        metafunc.parametrize(
            "real_file", values, ids=lambda p: "/".join(p.parts[-2:]) if p else "none"
        )


@pytest.fixture
def long():
    """Whether the long variants are asked for."""
    return LONG

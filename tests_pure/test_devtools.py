"""The commands of dev/, as far as they can be looked at without a database."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dev"))

from devtools.command_test import _is_path, _kinds  # noqa: E402


@pytest.mark.parametrize("word", ["engine", "data", "models", "owner", "README.rst"])
def test_a_word_that_names_another_file_is_a_name_of_tests(word):
    assert not _is_path(word)


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("tests/test_rule.py", ("odoo",)),
        ("./tests/test_rule.py::TestRule", ("odoo",)),
        ("tests_pure", ("pure",)),
        ("tests_processes/test_ledger.py", ("processes",)),
        ("tests_processes/test_queue_job.py::test_x", ("modules",)),
        ("tests_processes/", ("processes", "modules")),
    ],
)
def test_a_path_of_tests_selects_its_part(path, kinds):
    assert _is_path(path)
    assert _kinds(path) == kinds

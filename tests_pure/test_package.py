"""What holds the package together: its files agree with each other."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ast.literal_eval((ROOT / "__manifest__.py").read_text())


def test_every_data_file_is_loaded():
    listed = {name for key in ("data", "demo") for name in MANIFEST[key]}
    there = {
        str(path.relative_to(ROOT))
        for folder in ("data", "demo", "security", "views")
        for suffix in ("*.xml", "*.csv")
        for path in (ROOT / folder).glob(suffix)
    }
    assert listed == there


def test_odoo_runs_every_test():
    """Odoo's own runner knows the files that tests/__init__.py names."""
    listed = set(re.findall(r"^    (test_\w+),$", (ROOT / "tests/__init__.py").read_text(), re.M))
    assert listed == {path.stem for path in (ROOT / "tests").glob("test_*.py")}


def test_requirements_agree():
    text = (ROOT / "pyproject.toml").read_text()
    project = set(re.findall(r'^    "([^"]+)",$', re.search(
        r"^dependencies = \[\n(.*?)^\]", text, re.S | re.M
    ).group(1), re.M))  # fmt: skip
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert project == {line for line in lines if line and not line.startswith("#")}
    names = {re.split(r"[<>=]", line)[0] for line in project}
    assert names == set(MANIFEST["external_dependencies"]["python"])


def test_the_wheel_holds_all_of_the_addon():
    text = (ROOT / "pyproject.toml").read_text()
    listed = set(re.findall(r'"([^"]+)"', re.search(
        r"^only-include = \[\n(.*?)^\]", text, re.S | re.M
    ).group(1)))  # fmt: skip
    not_addon = {
        "benchmarks", "dev", "docs", "tests_processes", "tests_pure", "pyproject.toml",
        "requirements.txt", "build", "dist",
    }  # fmt: skip
    there = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__pycache__"))}
    assert listed == there - not_addon


@pytest.mark.parametrize("folder", ["dav", "engine", "ical"])
def test_plain_packages_import_no_odoo(folder):
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            assert not [name for name in names if name.split(".")[0] == "odoo"], path

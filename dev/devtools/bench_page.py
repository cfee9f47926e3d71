"""docs/benchmarks.md: what the benchmarks have said, each with when, where and how."""

import ast
import os
import platform
import re
from datetime import date
from pathlib import Path

from .paths import CHECKOUT

PAGE = CHECKOUT / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

What `./dev/bench` has printed; it writes this page. A figure is a promise only as a ratio:
both sides were measured in the same run, on the machine named. Each benchmark has a fresh
copy of the demo database. A bar that is not reached is marked **no**.
"""
_BAR = re.compile(r"BAR (\S+) (\S+) (.*) (<=|>=) (\S+) (PASS|FAIL)")
_SECTION = re.compile(r"^## (\S+)\n", re.M)


def write(script, lines, settings, versions):
    """Put the result of one benchmark on the page, in place of its last one.

    :param Path script: of the benchmark
    :param lines: what it has printed
    :param dict settings: sizes that were asked for, by the names of their variables
    :param str versions: of what was measured
    """
    sections = _sections(PAGE.read_text() if PAGE.exists() else "")
    sections[script.stem] = _section(script, lines, settings, versions)
    PAGE.write_text("\n".join([_HEAD, *(sections[name] for name in sorted(sections))]))


def _sections(text):
    parts = _SECTION.split(text)
    return {
        name: f"## {name}\n{body.rstrip()}\n"
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def _section(script, lines, settings, versions):
    bars = [match.groups() for line in lines if (match := _BAR.fullmatch(line))]
    said = [line for line in lines if line and not line.startswith("BAR ")]
    asked = " ".join([*(f"{name}={value}" for name, value in settings.items()), "./dev/bench"])
    rows = [
        f"| {name.replace('_', ' ')} | {value} {unit.strip()} | {sign} {limit}"
        f" | {'yes' if verdict == 'PASS' else '**no**'} |"
        for name, value, unit, sign, limit, verdict in bars
    ]
    return "\n".join(
        [
            f"## {script.stem}", "",
            ast.get_docstring(ast.parse(script.read_text())), "",
            f"`{asked} {script.stem}`, {date.today()}, {_machine()}, {versions}", "",
            "| what | measured | bar | reached |", "|---|---|---|---|", *rows, "",
            "```", *said, "```", "",
        ]
    )  # fmt: skip


def _machine():
    """The machine, in a few words."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {(names or [platform.machine()])[0]}, {memory:.0f} GiB"

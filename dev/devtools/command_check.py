"""``./dev/check``: linters, translations, and Odoo's log at install, update, uninstall."""

import argparse
import ast
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

from . import python_env, staging
from .paths import ADDON, CHECKOUT, checkout_name
from .say import SetupError, say, step
from .system import run
from .workshop import workshop

#: Lines of Odoo's log that are about this machine, not about the addon.
NOT_OURS = (
    # Odoo says so of every start as root, which is how CI runs.
    "Running as user 'root' is a security risk",
)
PYLINT = [
    "--disable=all", "--load-plugins=pylint_odoo", "--enable=odoolint",
    # A rule has many sides, each in a file of its own.
    "--disable=consider-merging-classes-inherited",
]  # fmt: skip


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev/check", description=__doc__)
    parser.add_argument("--lint", action="store_true", help="only the linters: seconds")
    parser.add_argument(
        "--update-translations",
        action="store_true",
        help="export the terms to i18n/ before they are checked",
    )
    options = parser.parse_args(arguments)
    problems = _lint() + _wheel()
    if not options.lint:
        with workshop() as shop:
            problems += _translations(shop, options.update_translations)
            problems += _logs(shop)
            problems += _upgrade(shop)
    for problem in problems:
        say(f"PROBLEM: {problem}")
    print(f"{len(problems)} problems" if problems else "Everything is clean.")
    return 1 if problems else 0


def _lint():
    bin_dir = python_env.lint_bin()
    problems = []
    with step("ruff, pylint-odoo, the OCA module hooks", "20 s"):
        # What is checked is what git would commit, under the addon's own name.
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=CHECKOUT, capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        files = [name for name in listed if (CHECKOUT / name).is_file()]
        with tempfile.TemporaryDirectory() as folder:
            addon = Path(folder) / ADDON
            for name in files:
                if name.split("/")[0] in staging.OUTSIDE - {"pyproject.toml"}:
                    continue
                target = addon / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((CHECKOUT / name).read_bytes())
            commands = [
                ([bin_dir / "ruff", "check", "--no-cache", "."], CHECKOUT),
                ([bin_dir / "ruff", "format", "--no-cache", "--check", "."], CHECKOUT),
                (
                    [bin_dir / "python", "-m", "pylint", *PYLINT, "--score=n",
                     "--valid-odoo-versions=19.0",
                     "--manifest-required-authors=crm_automation contributors", ADDON],
                    folder,
                ),
                ([bin_dir / "oca-checks-odoo-module", ADDON], folder),
                (
                    # This one check empties texts that are the same in both
                    # languages, and they could not be told from missing ones.
                    [bin_dir / "oca-checks-po", "--disable=po-pretty-format",
                     f"{ADDON}/i18n/es.po"],
                    folder,
                ),
            ]  # fmt: skip
            for command, cwd in commands:
                done = subprocess.run(
                    [str(word) for word in command], cwd=cwd, capture_output=True, text=True
                )
                if done.returncode:
                    output = (done.stdout + done.stderr).strip()
                    problems.append(f"{Path(command[0]).name} {command[1]}:\n{output}")
    return problems


def _wheel():
    """The wheel can be built, and installs as odoo/addons/crm_automation alone."""
    home = f"odoo/addons/{ADDON}/"
    with step("The wheel", "5 s"), tempfile.TemporaryDirectory() as folder:
        python = python_env.lint_bin() / "python"
        try:
            run(
                [str(python), "-m", "build", "--wheel", "--no-isolation", "-o", folder, "."],
                "Building the wheel",
                cwd=CHECKOUT,
            )
        except SetupError as error:
            return [str(error)]
        [wheel] = Path(folder).glob("*.whl")
        names = zipfile.ZipFile(wheel).namelist()
    strange = [name for name in names if not name.startswith(home) and ".dist-info/" not in name]
    missing = {f"{home}__manifest__.py", f"{home}i18n/es.po"} - set(names)
    problems = [f"the wheel holds {name}" for name in strange]
    return problems + [f"the wheel lacks {name}" for name in sorted(missing)]


def _translations(shop, update):
    with step("Translations", "10 s"):
        database = shop.application()
        try:
            arguments = ["--update"] if update else []
            shop.script("translations.py", database, CHECKOUT / "i18n", *arguments)
        except SetupError as error:
            return [f"i18n: {error}"]
    return []


def _warnings(log, what):
    lines = [
        line
        for line in log.splitlines()
        if re.search(r" \d+ (WARNING|ERROR|CRITICAL) ", line)
        and not any(known in line for known in NOT_OURS)
    ]
    return [f"Odoo's log at {what}: {line}" for line in lines]


def _previous_version(folder):
    """The addon as the version before this one had it, from git's history.

    :param Path folder: an empty folder that becomes the addon's
    :return: the version, or None where the history does not reach that far
    """
    name = "__manifest__.py"
    current = staging.manifest()["version"]
    newer = None
    for commit in _git("log", "--format=%H", "--", name).split():
        version = ast.literal_eval(_git("show", f"{commit}:{name}"))["version"]
        if version == current:
            newer = commit
            continue
        # The last state of that version: what stood before the next one began.
        archive = folder.parent / "old.zip"
        _git("archive", "--format=zip", f"--output={archive}", f"{newer}^" if newer else commit)
        zipfile.ZipFile(archive).extractall(folder)
        # Up to 19.0.0.8.0 it asked for a library that nothing imported, and that is not here.
        manifest = folder / name
        manifest.write_text(manifest.read_text().replace('"caldav", ', ""))
        return version
    return None


def _git(*words):
    done = subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def _upgrade(shop):
    """From the version before this one, on a database with data."""
    problems = []
    database = f"upgrade_{checkout_name()}"
    with tempfile.TemporaryDirectory() as folder:
        addons = Path(folder) / "addons"
        (addons / ADDON).mkdir(parents=True)
        old = _previous_version(addons / ADDON)
        if not old:
            say("  No version before this one in git's history: no update from it was tried.")
            return []
        current, shop.addons = shop.addons, addons
        shop.copy(shop.template(), database)
        try:
            with step(f"Update from version {old}", "40 s"):
                shop.odoo_once(database, f"--init={ADDON}", "--with-demo")
                shop.script("leave_data.py", database)
                shop.addons = current
                log = shop.odoo_once(database, f"--update={ADDON}")
                shop.script("use_data.py", database)
            problems += _warnings(log, f"update from {old}")
        except SetupError as error:
            problems.append(f"update from {old}: {error}")
        finally:
            shop.addons = current
            shop.drop(database)
    return problems


def _logs(shop):
    """Install, update and uninstall on a database with data, and read the log."""
    database = f"logs_{checkout_name()}"
    problems = []
    shop.copy(shop.template(), database)
    try:
        for what, options in (
            ("install", [f"--init={ADDON}", "--with-demo"]),
            ("update", [f"--update={ADDON}"]),
        ):
            with step(f"Odoo's log at {what}", "15 s"):
                problems += _warnings(shop.odoo_once(database, *options), what)
        with step("Odoo's log at uninstall", "20 s"):
            shop.script("leave_data.py", database)
            problems += _warnings(shop.script("uninstall.py", database), "uninstall")
        left = shop.cluster.psql(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'crm_automation%'"
            " UNION SELECT name FROM ir_model_data WHERE module = 'crm_automation'",
            database,
        )
        problems += [f"left behind by the uninstall: {name}" for name in left.split()]
    finally:
        shop.drop(database)
    return problems

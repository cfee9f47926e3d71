"""``./dev/test [pytest arguments]``: what is needed, then the tests.

Without a path: the plain tests (no database), the Odoo tests, and the
processes' tests (real commits, workers killed). A path runs that part only;
``tests`` is all Odoo tests, by several workers.
"""

import argparse
import os
import shutil
import subprocess

from . import debian_clients, python_env, staging
from .paths import ADDON, CHECKOUT, checkout_name, state_dir, subdir
from .say import say, step
from .system import free_port, install_debian_packages
from .workshop import INSIDE, workshop

PURE = "tests_pure"
PROCESSES = "tests_processes"
#: Each needs a copy of the database and, for the tours, a browser.
MAX_WORKERS = 4
#: Their tests have a database of their own, with these modules.
QUEUE_JOB = f"{PROCESSES}/test_queue_job.py"
OTHERS = f"{PROCESSES}/test_accounts_others.py"
WITH_MODULES = {QUEUE_JOB: ("queue_job",), OTHERS: ("google_calendar", "microsoft_calendar")}


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev/test", description=__doc__)
    parser.add_argument(
        "--long", action="store_true", help="the long variants, at the sizes the promises name"
    )
    options, rest = parser.parse_known_args(arguments)
    paths = [word for word in rest if not word.startswith("-") and _is_path(word)]
    others = [word for word in rest if word not in paths]
    if not (shutil.which("chromium") or shutil.which("chromium-browser")
            or shutil.which("google-chrome")):  # fmt: skip
        install_debian_packages(["chromium"], "the browser tests")
    results = []
    with workshop() as shop:
        environment = shop.environment
        if options.long:
            environment["CRM_AUTOMATION_LONG"] = "1"
        if not paths or any("ical" in path or path == "tests" for path in paths):
            environment["CRM_AUTOMATION_KHAL"] = python_env.khal() or ""
        if not paths or any("caldav_clients" in path for path in paths):
            environment["CRM_AUTOMATION_CLIENTS"] = python_env.clients() or ""
            environment["CRM_AUTOMATION_TESTER"] = python_env.tester() or ""
            environment["CRM_AUTOMATION_DEBIAN"] = debian_clients.root() or ""
        if not paths or any(PROCESSES in path for path in paths):
            environment["CRM_AUTOMATION_PEERS"] = python_env.peers() or ""
            environment["CRM_AUTOMATION_PHP"] = debian_clients.root(debian_clients.SERVERS) or ""
            environment["CRM_AUTOMATION_PSQL"] = str(shop.cluster.bin / "psql")
            environment.update(shop.cluster.environment)
        kinds = {
            "pure": _pure, "odoo": _odoo, "processes": _processes, "modules": _with_modules,
        }  # fmt: skip
        for kind, run in kinds.items():
            mine = [path for path in paths if kind in _kinds(path)]
            if mine or not paths:
                results.append(run(shop, environment, mine, others))
    # pytest's 5: a selection by name that matches nothing in one of the parts.
    failed = [code for code in results if code not in (0, 5)]
    if all(code == 5 for code in results):
        say("No test was selected.")
        return 5
    return failed[0] if failed else 0


def _is_path(word):
    # Not any file: "-k data" and "-k engine" are names of tests.
    is_tests = word.removeprefix("./").split("/")[0] in ("tests", PURE, PROCESSES)
    return is_tests and (CHECKOUT / word.split("::")[0]).exists()


def _kinds(path):
    path = path.removeprefix("./").rstrip("/")
    if path == PROCESSES:
        return ("processes", "modules")
    if path.split("::")[0] in WITH_MODULES:
        return ("modules",)
    return ({PURE: "pure", PROCESSES: "processes"}.get(path.split("/")[0], "odoo"),)


def _pytest(shop, environment, arguments, cwd):
    command = [str(shop.python), "-m", "pytest", *arguments]
    return subprocess.run(command, env=environment, cwd=cwd).returncode


def _pure(shop, environment, paths, others):
    say("\n=== Plain tests, without a database")
    chosen = paths or [PURE]
    return _pytest(shop, environment, ["-c", f"{PURE}/pytest.ini", *chosen, *others], CHECKOUT)


def _odoo(shop, environment, paths, others):
    say("\n=== Odoo and browser tests")
    database = f"test_{checkout_name()}"
    shop.copy(shop.application(), database)
    if not paths or any("tour" in path or path == "tests" for path in paths):
        with step("Scripts and styles for the browser tests", "20 s"):
            command = [str(shop.python), str(INSIDE / "assets.py")]
            subprocess.run(command, env=shop.inside_environment(database), check=True)
    config = state_dir() / f"{database}.conf"
    config.write_text(
        "[options]\n"
        + "".join(
            f"{key} = {value}\n"
            for key, value in {
                "db_name": database,
                "db_host": shop.cluster.socket,
                "db_user": "odoo",
                "addons_path": ",".join([*map(str, shop.source.addons), str(shop.addons)]),
                "data_dir": shop.data_dir,
                "http_interface": "127.0.0.1",
                "http_port": free_port(8269),
                "screenshots": subdir("screenshots"),
                "list_db": False,
            }.items()
        )
    )
    chosen = [f"{ADDON}/{path.removeprefix('./')}" for path in paths] or [f"{ADDON}/tests"]
    if paths in ([], ["tests"]) and not others:
        # All of them: each worker has a copy of the database. The browser's take longest,
        # and are not to be what is left over for one worker.
        files = sorted(path.name for path in (CHECKOUT / "tests").glob("test_*.py"))
        files.sort(key=lambda name: "tour" not in name)
        chosen = [f"{ADDON}/tests/{name}" for name in files]
        workers = min(os.cpu_count() or 1, MAX_WORKERS)
        others = [
            "-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder",
            "-p", "own_filestore",
        ]  # fmt: skip
        environment = {**environment, **shop.cluster.environment, "PYTHONPATH": str(INSIDE)}
        environment["PATH"] = f"{shop.cluster.bin}:{environment.get('PATH', os.defpath)}"
    arguments = [
        f"--odoo-config={config}", "--odoo-http", "--rootdir", ".", "-p", "no:cacheprovider",
        *chosen, *others,
    ]  # fmt: skip
    try:
        return _pytest(shop, environment, arguments, staging.stage())
    finally:
        shop.drop(database)


def _processes(shop, environment, paths, others):
    say("\n=== Tests with several processes and real commits")
    database = f"processes_{checkout_name()}"
    shop.copy(shop.application(), database)
    chosen = [*(paths or [PROCESSES]), *(f"--ignore={path}" for path in WITH_MODULES)]
    return _with_processes(shop, environment, database, [*chosen, *others])


def _with_modules(shop, environment, paths, others):
    """Each in a database of its own. :return: the worst of their results"""
    codes = []
    for name, modules in WITH_MODULES.items():
        chosen = [path for path in paths if name in path]
        if paths and not chosen and not any(path.rstrip("/").endswith(PROCESSES) for path in paths):
            continue
        say(f"\n=== Tests with {' and '.join(modules)}")
        database = f"modules_{checkout_name()}"
        if all(map(shop.has_module, modules)):
            shop.with_module(",".join(modules), database)
        codes.append(_with_processes(shop, environment, database, [*(chosen or [name]), *others]))
    # pytest's 5, that a selection by name matches nothing, is no failure of its own.
    return max((code for code in codes if code != 5), default=5)


def _with_processes(shop, environment, database, arguments):
    environment = {
        **environment,
        **shop.inside_environment(database, CHECKOUT / PROCESSES),
        # Nothing listens there: these tests look at the queue, not at the wire.
        "CRM_AUTOMATION_SMTP": str(free_port()),
    }
    try:
        return _pytest(shop, environment, ["-c", f"{PROCESSES}/pytest.ini", *arguments], CHECKOUT)
    finally:
        shop.drop(database)

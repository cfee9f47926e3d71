"""``./dev/test [pytest arguments]``: what is needed, then the tests.

Without a path: the plain tests (no database), the Odoo tests, and the
processes' tests (real commits, workers killed; those of accounts with other
servers by themselves), side by side. A path runs that part only; ``tests`` is
all Odoo tests, by several workers.
"""

import argparse
import os
from functools import partial

from . import debian_clients, python_env, staging
from .paths import ADDON, CHECKOUT, checkout_name, state_dir, subdir
from .say import say, step
from .side_by_side import Crew
from .system import free_port, need_browser
from .workshop import INSIDE, workshop

PURE = "tests_pure"
PROCESSES = "tests_processes"
#: Files of it that are a part of their own: they wait for other servers most of the time.
ACCOUNTS = f"{PROCESSES}/test_accounts"
#: Each needs a copy of the database and, for the tours, a browser.
MAX_WORKERS = 4
#: Parts that have a database of their own, with these modules.
WITH_MODULES = {
    "queue": (f"{PROCESSES}/test_queue_job.py", ("queue_job",)),
    "others": (
        f"{PROCESSES}/test_accounts_others.py", ("google_calendar", "microsoft_calendar"),
    ),
}  # fmt: skip


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev/test", description=__doc__)
    parser.add_argument(
        "--long", action="store_true", help="the long variants, at the sizes the promises name"
    )
    parser.add_argument(
        "--in-turn", action="store_true", help="one part after the other, seen as it goes"
    )
    options, rest = parser.parse_known_args(arguments)
    paths = [word for word in rest if not word.startswith("-") and _is_path(word)]
    others = [word for word in rest if word not in paths]
    need_browser("the browser tests")
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
        results = _run_parts(shop, environment, paths, others, options)
    # pytest's 5: a selection by name that matches nothing in one of the parts.
    failed = [code for code in results if code not in (0, 5)]
    if all(code == 5 for code in results):
        say("No test was selected.")
        return 5
    return failed[0] if failed else 0


def _run_parts(shop, environment, paths, others, options):
    """Run the parts that the paths name.

    :return: exit code of each
    """
    chosen = {
        kind: (title, prepare, [path for path in paths if kind in _kinds(path)])
        for kind, (title, prepare) in PARTS.items()
    }
    wanted = {kind: part for kind, part in chosen.items() if part[2] or not paths}
    # At the sizes of the promises, each has the machine to itself.
    is_alone = options.in_turn or options.long or len(wanted) == 1
    # Those of processes, of accounts and of the queue wait more than they compute.
    limit = 1 if is_alone else max(4, os.cpu_count() or 1)
    with Crew(subdir("log", checkout_name()), limit) as crew:
        for kind, (title, prepare, mine) in wanted.items():
            crew.start(kind, title, partial(prepare, shop, environment, mine, others))
    for kind, code in crew.results.items() if len(wanted) > 1 else ():
        say(f"{wanted[kind][0]}: {'passed' if code in (0, 5) else f'FAILED ({code})'}")
    return list(crew.results.values())


def _is_path(word):
    # Not any file: "-k data" and "-k engine" are names of tests.
    is_tests = word.removeprefix("./").split("/")[0] in ("tests", PURE, PROCESSES)
    return is_tests and (CHECKOUT / word.split("::")[0]).exists()


def _kinds(path):
    path = path.removeprefix("./").rstrip("/")
    if path == PROCESSES:
        return ("processes", "accounts", *WITH_MODULES)
    for kind, (name, _modules) in WITH_MODULES.items():
        if path.split("::")[0] == name:
            return (kind,)
    if path.startswith(ACCOUNTS):
        return ("accounts",)
    return ({PURE: "pure", PROCESSES: "processes"}.get(path.split("/")[0], "odoo"),)


def _command(shop, *arguments):
    return [str(shop.python), "-m", "pytest", *arguments]


def _pure(shop, environment, paths, others):
    command = _command(shop, "-c", f"{PURE}/pytest.ini", *(paths or [PURE]), *others)
    return command, environment, CHECKOUT, lambda: None


def _odoo(shop, environment, paths, others):
    database = f"test_{checkout_name()}"
    shop.copy(shop.application(), database)
    if not paths or any("tour" in path or path == "tests" for path in paths):
        with step("Scripts and styles for the browser tests", "20 s"):
            shop.script("assets.py", database)
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
    environment = {**environment, "PYTHONPATH": str(INSIDE)}
    if paths in ([], ["tests"]) and not others:
        # All of them: each worker has a copy of the database. The browser's take longest,
        # and are not to be what is left over for one worker.
        files = sorted(path.name for path in (CHECKOUT / "tests").glob("test_*.py"))
        files.sort(key=lambda name: "tour" not in name)
        chosen = [f"{ADDON}/tests/{name}" for name in files]
        with step("People of the tests", "5 s"):
            shop.script("people.py", database)
        # They wait for the browser and the database half of the time.
        workers = min((os.cpu_count() or 1) + 1, MAX_WORKERS)
        others = [
            "-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder",
            "-p", "own_filestore",
        ]  # fmt: skip
        environment = {**environment, **shop.cluster.environment}
        environment["PATH"] = f"{shop.cluster.bin}:{environment.get('PATH', os.defpath)}"
    command = _command(
        shop, f"--odoo-config={config}", "--odoo-http", "--rootdir", ".",
        "-p", "no:cacheprovider", "-p", "still_heap", *chosen, *others,
    )  # fmt: skip
    return command, environment, staging.stage(), partial(shop.drop, database)


def _processes(kind, shop, environment, paths, others):
    database = f"{kind}_{checkout_name()}"
    shop.copy(shop.application(), database)
    return _with_processes(shop, environment, database, [*_files_of(kind, paths), *others])


def _files_of(kind, paths):
    """What a part of the processes' tests runs: the paths, or its files of the whole folder."""
    if paths and all(_kinds(path) == (kind,) for path in paths):
        return paths
    files = (f"{PROCESSES}/{path.name}" for path in (CHECKOUT / PROCESSES).glob("test_*.py"))
    return sorted(path for path in files if _kinds(path) == (kind,))


def _with_modules(kind, shop, environment, paths, others):
    """In a database of its own, with the modules that they are about."""
    path, modules = WITH_MODULES[kind]
    database = f"{kind}_{checkout_name()}"
    if all(map(shop.has_module, modules)):
        shop.with_module(",".join(modules), database)
    chosen = [one for one in paths if path in one] or [path]
    return _with_processes(shop, environment, database, [*chosen, *others])


def _with_processes(shop, environment, database, arguments):
    environment = {
        **environment,
        **shop.inside_environment(database, CHECKOUT / PROCESSES),
        # Nothing listens there: these tests look at the queue, not at the wire.
        "CRM_AUTOMATION_SMTP": str(free_port()),
    }
    command = _command(
        shop, "-c", f"{PROCESSES}/pytest.ini", "-p", "still_heap", *arguments
    )  # fmt: skip
    return command, environment, CHECKOUT, partial(shop.drop, database)


#: What a part is called, and what makes its command; in the order of their beginning: what
#: takes longest before what is short.
PARTS = {
    "accounts": ("Tests of accounts with other servers", partial(_processes, "accounts")),
    "processes": (
        "Tests with several processes and real commits",
        partial(_processes, "processes"),
    ),
    "odoo": ("Odoo and browser tests", _odoo),
    "queue": ("Tests with OCA's queue_job and its job runner", partial(_with_modules, "queue")),
    "pure": ("Plain tests, without a database", _pure),
    "others": ("Tests with Google's and Microsoft's calendars", partial(_with_modules, "others")),
}

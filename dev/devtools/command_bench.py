"""``./dev/bench [name]``: the promises about speed, each against a named peer.

Every script of benchmarks/ gets a fresh copy of the demo database, with stock's
``base_automation`` installed beside the addon, and prints lines
``BAR <name> <value> <unit> <= or >= <limit> PASS`` or ``FAIL``. What was printed goes to
docs/benchmarks.md. Sizes are set by ``BENCH_…`` in the environment: see the scripts.
"""

import argparse
import os
import subprocess

from . import bench_page, debian_clients, python_env
from .paths import CHECKOUT, checkout_name
from .say import say, step
from .workshop import workshop

SCRIPTS = CHECKOUT / "benchmarks"
PEERS = "base_automation"
#: What is compared with a database that does not have the addon.
WITH_STOCK = ("visit_plans",)


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev/bench", description=__doc__)
    parser.add_argument("name", nargs="?", help="one script, without .py")
    options = parser.parse_args(arguments)
    scripts = sorted(SCRIPTS.glob(f"{options.name or '[a-z]*'}.py"))
    if not scripts:
        say(f"There is no benchmark {options.name} in {SCRIPTS}")
        return 2
    good = True
    with workshop() as shop:
        database = f"bench_{checkout_name()}"
        for script in scripts:
            shop.copy(shop.application(), database)
            try:
                with step(f"Installing {PEERS}, the peer", "15 s"):
                    shop.odoo_once(database, f"--init={PEERS}")
                if script.stem in WITH_STOCK:
                    shop.copy(shop.full_template(), f"{database}_stock")
                good &= _run(shop, database, script)
            finally:
                shop.drop(database)
                shop.drop(f"{database}_stock")
    return 0 if good else 1


def _run(shop, database, script):
    say(f"\n=== {script.name}")
    environment = shop.inside_environment(database, SCRIPTS)
    environment["CRM_AUTOMATION_STOCK"] = f"{database}_stock"
    if script.stem in ("caldav", "accounts"):
        environment["CRM_AUTOMATION_PEERS"] = python_env.peers() or ""
        environment["CRM_AUTOMATION_CLIENTS"] = python_env.clients() or ""
        environment["CRM_AUTOMATION_PHP"] = debian_clients.root(debian_clients.SERVERS) or ""
        environment["CRM_AUTOMATION_PSQL"] = str(shop.cluster.bin / "psql")
        environment |= shop.cluster.environment
    process = subprocess.Popen(
        [str(shop.python), str(script)], env=environment, stdout=subprocess.PIPE, text=True
    )
    lines = []
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line.rstrip())
    if process.wait():
        return False
    settings = {name: value for name, value in os.environ.items() if name.startswith("BENCH_")}
    postgres = subprocess.check_output([shop.cluster.bin / "postgres", "--version"], text=True)
    versions = f"Odoo {shop.source.version}, {postgres.strip()}"
    bench_page.write(script, lines, settings, versions)
    return not any(line.startswith("BAR ") and line.endswith(" FAIL") for line in lines)

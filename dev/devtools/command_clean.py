"""``./dev/clean``: removes all that the other commands made."""

import argparse
import shutil

from . import postgres
from .paths import chaos_name, soak_name, state_dir
from .say import say, step
from .system import is_root


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev/clean", description=__doc__)
    parser.add_argument(
        "--databases", action="store_true", help="only the databases; keeps Odoo and Python"
    )
    options = parser.parse_args(arguments)
    state = state_dir()
    if postgres._binaries():
        # Those with a name are left behind by a ./dev/chaos or ./dev/soak that was killed.
        for name in ("", chaos_name(), soak_name()):
            postgres.Cluster(name).remove()
        if is_root() and not any(postgres.ROOT_CLUSTER.iterdir()):
            postgres.ROOT_CLUSTER.rmdir()
    folders = [state / "data"] if options.databases else [state]
    for folder in folders:
        with step(f"Removing {folder}"):
            shutil.rmtree(folder, ignore_errors=True)
    say("Debian packages that were installed (postgresql, chromium) stay.")
    return 0

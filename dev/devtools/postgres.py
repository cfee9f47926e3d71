"""A PostgreSQL cluster of the project's own, reached by a Unix socket only.

No cluster of the machine is used or changed. It runs while a ``./dev`` command
needs it: each holds a shared lock, and the last one to end stops it.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from .paths import state_dir, subdir
from .say import SetupError, step
from .system import build_lock, install_debian_packages, is_root, run

ROLE = "odoo"  # Odoo refuses the role "postgres".
#: Root may not run PostgreSQL, and the user who does cannot enter /root.
ROOT_CLUSTER = Path("/var/cache/crm_automation-dev")
SETTINGS = """
listen_addresses = ''
max_connections = 200
shared_buffers = 256MB
# Nothing here outlives the demo or the tests: speed over surviving a power cut.
fsync = off
synchronous_commit = off
full_page_writes = off
"""


def _binaries():
    homes = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if (p / "initdb").exists()]
    homes = sorted(homes, key=lambda p: float(p.parent.name))
    if homes and float(homes[-1].parent.name) >= 13:
        return homes[-1]
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Cluster:
    """The private cluster: start, stop, and commands inside it.

    :param str name: of a further cluster beside the one that the commands share
    :param str settings: lines of ``postgresql.conf`` for a new cluster
    """

    def __init__(self, name="", settings=SETTINGS):
        self.name, self.settings = name, settings
        self.bin = _binaries()
        if not self.bin:
            install_debian_packages(["postgresql"], "the database")
            self.bin = _binaries()
        if not self.bin:
            raise SetupError("PostgreSQL 13 or newer is needed, and was not found.")
        self.home = self._home()
        self.data = self.home / "data"
        self.socket = self._socket()
        self.log = self.home / "postgresql.log"
        self.environment = {"PGHOST": str(self.socket), "PGUSER": ROLE, "PGPORT": "5432"}

    def _home(self):
        # The version is part of the path: a newer PostgreSQL makes a new one.
        name = f"postgresql-{self.bin.parent.name}{self.name and f'-{self.name}'}"
        if not is_root():
            return subdir(name)
        digest = hashlib.sha256(str(state_dir()).encode()).hexdigest()[:6]
        home = ROOT_CLUSTER / f"{name}-{digest}"
        home.mkdir(parents=True, exist_ok=True)
        shutil.chown(home, "postgres", "postgres")
        return home

    def _socket(self):
        # A socket's path has at most 107 bytes.
        if len(str(self.home)) < 80:
            path = self.home / "socket"
        else:
            digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:10]
            path = Path(tempfile.gettempdir()) / f"crm_automation-pg-{digest}"
        path.mkdir(mode=0o700, exist_ok=True)
        path.chmod(0o700)
        if is_root():
            shutil.chown(path, "postgres", "postgres")
        owner = path.owner()
        if owner not in (pwd.getpwuid(os.geteuid()).pw_name, "postgres"):
            raise SetupError(f"{path} belongs to somebody else: remove it and start again.")
        return path

    def _as_owner(self, *command):
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        return [*(prefix if is_root() else []), *map(str, command)]

    def running(self):
        status = self._as_owner(self.bin / "pg_ctl", "-D", self.data, "status")
        return subprocess.run(status, capture_output=True, cwd="/").returncode == 0

    def start(self):
        if not (self.data / "PG_VERSION").exists():
            with step("Making a private PostgreSQL cluster", "5 s"):
                shutil.rmtree(self.data, ignore_errors=True)
                run(
                    self._as_owner(
                        self.bin / "initdb", "-D", self.data, "-U", ROLE, "-A", "trust",
                        "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                    ),
                    "initdb",
                    cwd="/",
                )  # fmt: skip
            with (self.data / "postgresql.conf").open("a") as conf:
                conf.write(f"{self.settings}unix_socket_directories = '{self.socket}'\n")
        if not self.running():
            # pg_ctl's child keeps standard output open: give it none.
            run(
                self._as_owner(self.bin / "pg_ctl", "-D", self.data, "-l", self.log, "-w", "start"),
                f"Starting PostgreSQL (see {self.log})",
                cwd="/",
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def stop(self, mode="fast"):
        """Stop the server.

        :param str mode: of ``pg_ctl``; ``immediate`` is a crash, the next start a recovery
        """
        command = self._as_owner(self.bin / "pg_ctl", "-D", self.data, "-m", mode, "stop")
        subprocess.run(command, capture_output=True, cwd="/")

    def remove(self):
        """Stop the server, and delete all that it holds."""
        if (self.data / "PG_VERSION").exists() and self.running():
            self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.socket, ignore_errors=True)

    def psql(self, query, database="postgres"):
        """Run one query and return what it printed, unaligned."""
        command = [self.bin / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]
        command += ["-d", database, "-c", query]
        return run(
            [str(word) for word in command],
            "A database query",
            env={**os.environ, **self.environment},
        ).strip()

    def databases(self):
        return set(self.psql("SELECT datname FROM pg_database").split())

    def drop(self, name):
        self.psql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def create(self, name, template="template0"):
        self.psql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def fetch(self, other, source, target):
        """Make a database from one of another cluster."""
        self.drop(target)
        self.create(target)
        dump = subprocess.Popen(
            [str(other.bin / "pg_dump"), "--no-owner", source],
            env={**os.environ, **other.environment}, stdout=subprocess.PIPE,
        )  # fmt: skip
        run(
            [str(self.bin / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", target],
            f"Copying the database {source}",
            env={**os.environ, **self.environment},
            stdin=dump.stdout,
        )
        if dump.wait():
            raise SetupError(f"pg_dump of {source} failed.")


@contextlib.contextmanager
def cluster():
    """The running cluster, stopped at the end unless another command uses it."""
    path = subdir() / "postgresql.users"
    with path.open("w") as handle:
        with build_lock():
            fcntl.flock(handle, fcntl.LOCK_SH)
            server = Cluster()
            server.start()
        try:
            yield server
        finally:
            with build_lock():
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass
                else:
                    server.stop()

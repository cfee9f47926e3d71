"""Everything a command needs, set up once: Odoo, Python, database, staging.

Three layers of databases, each a copy of the one below:
``tpl_…`` the addon's dependencies with demo data and Spanish, without and with
what is optional (minutes, shared by all checkouts), ``app_…`` with the addon
installed (seconds, per content of the checkout), and the copy that a command
works on.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess

from . import odoo_source, postgres, python_env, staging
from .paths import ADDON, checkout_name, state_dir, subdir
from .say import SetupError, say, step
from .system import build_lock, run

#: The first one is the default of new contacts; English is not there by itself.
LANGUAGES = "es_ES,en_US"
#: Not needed by the addon: the demo and the tests use it where it is installed.
OPTIONAL = "base_automation,hr_holidays"
#: Of whoever calls, and not for what is started.
FORGOTTEN = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
INSIDE = staging.CHECKOUT / "dev/devtools/inside"


class Workshop:
    """What the commands work with."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.source = odoo_source.find_odoo()
        self.python = python_env.odoo_python(self.source)
        self.addons = staging.stage()
        self.data_dir = subdir("data")

    # -- running Odoo -------------------------------------------------------

    @property
    def environment(self):
        clean = {k: v for k, v in os.environ.items() if k not in FORGOTTEN}
        # Compiling Odoo takes seconds at each start. Nothing is written beside the sources,
        # which are the user's or belong to a version of Odoo that several checkouts share.
        return {
            **clean,
            **self.cluster.environment,
            "PYTHONPYCACHEPREFIX": str(subdir("bytecode")),
            # What it has found in the sources of all that is loaded.
            "HYPOTHESIS_STORAGE_DIRECTORY": str(subdir("hypothesis")),
            "PYTHONUNBUFFERED": "1",
        }

    def odoo_options(self, database):
        paths = [*map(str, self.source.addons), str(self.addons)]
        return [
            f"--database={database}",
            f"--db_host={self.cluster.socket}",
            f"--db_user={postgres.ROLE}",
            "--no-database-list",
            "--http-interface=127.0.0.1",
            f"--addons-path={','.join(paths)}",
            f"--data-dir={self.data_dir}",
        ]

    def odoo_command(self, database, *options):
        script = str(INSIDE / "odoo_server.py")
        return [str(self.python), script, "server", *self.odoo_options(database), *options]

    def odoo_once(self, database, *options):
        """Start Odoo, let it do what the options say, and return its log.

        :raises SetupError: with the end of the log, when Odoo fails
        """
        command = self.odoo_command(database, "--stop-after-init", "--no-http", *options)
        log = run(command, "Odoo", env=self.environment, cwd="/")
        if " CRITICAL " in log or "Failed to load registry" in log:
            raise SetupError(f"Odoo failed:\n{log[-3000:]}")
        return log

    # -- databases ----------------------------------------------------------

    def template(self):
        """Name of the database with the dependencies; made when missing."""
        modules = ",".join(sorted(staging.manifest()["depends"]))
        return self._base(None, modules, f"--load-language={LANGUAGES}")

    def full_template(self):
        """Name of the same database with what is optional; made when missing."""
        return self._base(self.template(), OPTIONAL)

    def _base(self, below, modules, *options):
        key = f"{self.source.version} {modules} {LANGUAGES} {below or ''}"
        name = f"tpl_{hashlib.sha256(key.encode()).hexdigest()[:10]}"
        with build_lock():
            if name not in self.cluster.databases():
                building = f"{name}_building"
                self.drop(building)
                if below:
                    self.copy(below, building)
                about = "1 minute" if below else "4 minutes"
                with step(f"Installing {modules} with demo data and Spanish", about):
                    self.odoo_once(building, f"--init={modules}", "--with-demo", *options)
                self._rename(building, name)
        return name

    def application(self):
        """Name of the database with the addon as it now is in the checkout."""
        template = self.full_template()
        digest = hashlib.sha256(f"{staging.addon_digest()} {template}".encode()).hexdigest()[:10]
        name = f"app_{checkout_name()}_{digest}"
        with build_lock():
            if name not in self.cluster.databases():
                for old in self.cluster.databases():
                    if old.startswith(f"app_{checkout_name()}_"):
                        self.drop(old)
                building = f"{name}_building"
                with step(f"Installing {ADDON}", "30 s"):
                    self.copy(template, building)
                    try:
                        self.odoo_once(building, f"--init={ADDON}", "--with-demo")
                        self.script("seed_demo.py", building)
                    except SetupError:
                        self.drop(building)
                        raise
                self._rename(building, name)
        return name

    def with_module(self, module, target):
        """A copy of the application's database with one more module."""
        self.copy(self.application(), target)
        with step(f"Installing {module}", "20 s"):
            self.odoo_once(target, f"--init={module}")

    def has_module(self, module):
        """Whether Odoo finds an addon beside its own."""
        code = f"import importlib.util as u, sys; sys.exit(not u.find_spec('odoo.addons.{module}'))"
        command = [str(self.python), "-c", code]
        return subprocess.run(command, env=self.environment, cwd="/").returncode == 0

    def copy(self, source, target):
        """Copy a database with its files (hard links: they never change)."""
        self.drop(target)
        self.cluster.create(target, source)
        files = self.filestore(source)
        if files.is_dir():
            shutil.copytree(files, self.filestore(target), copy_function=os.link)

    def drop(self, name):
        self.cluster.drop(name)
        shutil.rmtree(self.filestore(name), ignore_errors=True)

    def _rename(self, old, new):
        self.cluster.psql(f'ALTER DATABASE "{old}" RENAME TO "{new}"')
        if self.filestore(old).is_dir():
            self.filestore(old).rename(self.filestore(new))

    def filestore(self, name):
        return self.data_dir / "filestore" / name

    def script(self, name, database, *arguments, **kwargs):
        """Run one of the tools' scripts inside the environment that has Odoo."""
        command = [str(self.python), str(INSIDE / name), *map(str, arguments)]
        return run(command, name, env=self.inside_environment(database), cwd="/", **kwargs)

    def inside_environment(self, database, *folders):
        """Environment of a process that opens a database through ``inside/session.py``.

        :param folders: further folders that it imports from
        """
        return {
            **self.environment,
            "ODOO_OPTIONS": "\n".join(self.odoo_options(database)),
            "ODOO_DATABASE": database,
            "PYTHONPATH": os.pathsep.join(map(str, (INSIDE, *folders))),
        }


@contextlib.contextmanager
def workshop():
    """Set everything up, hand it over, and stop what was started."""
    if shutil.disk_usage(subdir()).free < 4 * 2**30:
        say(f"  Note: less than 4 GB free under {state_dir()}")
    with postgres.cluster() as server:
        with build_lock():
            shop = Workshop(server)
        yield shop


def terminate(process, seconds=20):
    """End a process that we started, kindly first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

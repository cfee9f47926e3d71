"""A running Odoo with a mail catcher beside it."""

import contextlib
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from .paths import subdir
from .say import SetupError, step
from .system import free_port
from .workshop import terminate

HERE = Path(__file__).parent


class Server:
    """A real Odoo server on a database, its mail caught in a folder.

    :param Workshop shop: what to run
    :param str database: name of the database
    :param int port: the HTTP port wanted; the next free one is taken
    :param int workers: 0 is one process with threads
    """

    def __init__(self, shop, database, port=8069, workers=0):
        self.shop = shop
        self.database = database
        self.port = free_port(port)
        self.workers = workers
        self.mail_dir = subdir("mail", database)
        self.smtp_port = free_port()
        self.page_port = free_port(8025)
        self.log = subdir("log") / f"{database}.log"
        self.catcher = self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def mail_page(self):
        return f"http://127.0.0.1:{self.page_port}"

    def forget_mail(self):
        """Remove what an earlier server of the same name has caught."""
        for old in self.mail_dir.glob("*.eml"):
            old.unlink()

    def start(self):
        self.log.write_text("")
        self.start_mail()
        # Where the links of the mails lead: otherwise to port 8069, whoever is there.
        self.shop.cluster.psql(
            f"UPDATE ir_config_parameter SET value = '{self.url}' WHERE key = 'web.base.url'",
            self.database,
        )
        # The copy's jobs have been due since its original was made: no alarm of that.
        self.shop.cluster.psql(
            "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC'"
            " WHERE nextcall < now() AT TIME ZONE 'UTC'",
            self.database,
        )
        with step("Starting Odoo", "10 s"):
            self.start_odoo()

    def start_mail(self):
        # In sessions of their own: a terminal's Ctrl-C reaches this process only,
        # which then ends them. Odoo takes two signals at once badly.
        self.catcher = subprocess.Popen(
            [
                str(self.shop.python), str(HERE / "inside/mail_catcher.py"),
                str(self.mail_dir), str(self.smtp_port), str(self.page_port),
            ],
            env=self.shop.environment, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        if not self.catcher.stdout.readline():
            raise SetupError("The mail catcher did not start.")

    def start_odoo(self):
        options = [
            f"--http-port={self.port}",
            f"--gevent-port={free_port()}",
            f"--workers={self.workers}",
            "--max-cron-threads=2",
            "--smtp=127.0.0.1",
            f"--smtp-port={self.smtp_port}",
            f"--db-filter=^{self.database}$",
        ]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.shop.odoo_command(self.database, *options),
                env=self.shop.environment, stdout=log, stderr=log, cwd="/",
                start_new_session=True,
            )  # fmt: skip
        self._wait()

    def _wait(self, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SetupError(f"Odoo ended at once:\n{self.log.read_text()[-3000:]}")
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                with urllib.request.urlopen(f"{self.url}/web/login", timeout=60):
                    return
            time.sleep(0.3)
        raise SetupError(f"Odoo did not answer within {seconds} s; see {self.log}")

    def stop(self):
        for process in (self.process, self.catcher):
            if process:
                terminate(process)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_error):
        self.stop()

"""Real processes on a real database, to be killed or held at any step.

A step is one SQL statement or commit. The process that runs the tests builds
the registry once; each worker is a fork of it with connections of its own.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path

import odoo.sql_db
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

import session


class Worker:
    """A forked process that runs a function on an environment of its own.

    :param work: called with an environment; what it returns is ``result``
    :param int die_at: SIGKILL before this step, counted from 1
    :param int stop_at: SIGSTOP before this step; ``go_on`` lets it continue
    """

    def __init__(self, work, die_at=0, stop_at=0):
        odoo.sql_db.close_all()
        reader, writer = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(reader)
            self._child(work, die_at, stop_at, writer)
        os.close(writer)
        self._reader = reader
        self.status = None

    def _child(self, work, die_at, stop_at, writer):
        code = 1
        try:
            steps = _count_steps(die_at, stop_at)
            with Registry(session.DATABASE).cursor() as cr:
                result = work(api.Environment(cr, SUPERUSER_ID, {}))
                cr.commit()
            os.write(writer, json.dumps({"result": result, "steps": steps[0]}).encode())
            code = 0
        except BaseException:
            os.write(writer, json.dumps({"error": traceback.format_exc()[-4000:]}).encode())
        finally:
            os._exit(code)

    def wait_stopped(self):
        """Wait until the worker holds. :return: False when it ended instead"""
        _pid, status = os.waitpid(self.pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            return True
        self.status = status
        return False

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def join(self):
        """Wait for the end.

        :return: what the work returned and its number of steps, or None when
            the worker was killed
        :raises AssertionError: when the work failed
        """
        if self.status is None:
            _pid, self.status = os.waitpid(self.pid, 0)
        with os.fdopen(self._reader) as pipe:
            text = pipe.read()
        if os.WIFSIGNALED(self.status):
            assert os.WTERMSIG(self.status) == signal.SIGKILL
            return None
        answer = json.loads(text)
        assert "error" not in answer, answer.get("error")
        return answer["result"], answer["steps"]


@contextlib.contextmanager
def odoo_server(log, cron_workers, workers=1, options=(), names_database=True):
    """A whole Odoo, with worker processes, beside this one on the same database.

    :param Path log: where its log goes
    :param int cron_workers: number of its processes for scheduled jobs
    :param int workers: number of its processes for requests
    :param options: further ones of its command line
    :param bool names_database: whether it is told of our database; else it has all of them,
        and may have no processes for scheduled jobs
    :return: the process; its ``url`` is where it will listen
    """
    ports = []
    for _n in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    script = Path(session.__file__).with_name("odoo_server.py")
    usual = os.environ["ODOO_OPTIONS"].split("\n")
    if not names_database:
        assert not cron_workers, "they would do the jobs of databases that are none of ours"
        usual.remove(f"--database={session.DATABASE}")
    command = [
        sys.executable, str(script), "server", *usual, *options,
        f"--http-port={ports[0]}", f"--gevent-port={ports[1]}", f"--workers={workers}",
        f"--max-cron-threads={cron_workers}", f"--smtp-port={os.environ['CRM_AUTOMATION_SMTP']}",
    ]  # fmt: skip
    # Started by path: what this process imports from is none of its business.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    process.url = f"http://127.0.0.1:{ports[0]}"
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _count_steps(die_at, stop_at):
    steps = [0]
    cursor = odoo.sql_db.Cursor

    def step():
        steps[0] += 1
        if steps[0] == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if steps[0] == stop_at:
            os.kill(os.getpid(), signal.SIGSTOP)

    def counted(method):
        def call(self, *args, **kwargs):
            step()
            return method(self, *args, **kwargs)

        return call

    cursor.execute = counted(cursor.execute)
    cursor.commit = counted(cursor.commit)
    return steps


def wait_until_alone(env, seconds=20):
    """Wait until PostgreSQL has noticed the death of every other process."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        env.cr.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        if not env.cr.fetchone()[0]:
            return
        env.cr.rollback()
        time.sleep(0.01)
    raise AssertionError("a killed process is still connected")

"""OCA's queue_job empties the ledger: the real module, its own runner, no cron.

The server beside these tests runs no scheduled action at all, so that whatever
is done has been done by jobs.
"""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

if not importlib.util.find_spec("odoo.addons.queue_job"):
    pytest.skip(
        "queue_job is not installed: pip install --no-deps odoo-addon-queue-job openupgradelib",
        allow_module_level=True,
    )

import processes
import session
from test_ledger import LONG, convert, drain, make_leads

SERVER = Path(__file__).parents[1] / "dev/devtools/inside/odoo_server.py"


@pytest.fixture(autouse=True)
def no_jobs(one_rule):
    with session.environment() as env:
        env["queue.job"].search([]).unlink()


@contextmanager
def job_server(log):
    """Odoo with queue_job's runner and four jobs at a time; no cron threads."""
    port = free_port()
    command = [
        sys.executable, str(SERVER), "server", *os.environ["ODOO_OPTIONS"].split("\n"),
        "--load=base,web,queue_job", f"--http-port={port}", "--max-cron-threads=0",
        f"--db-filter=^{session.DATABASE}$",
    ]  # fmt: skip
    environment = {**os.environ, "ODOO_QUEUE_JOB_CHANNELS": "root:4"}
    with log.open("a") as stream:
        process = subprocess.Popen(
            command, env=environment, stdout=stream, stderr=stream, cwd="/",
            start_new_session=True,
        )  # fmt: skip
    try:
        wait(lambda: answers(port), 60, log)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/web/login", timeout=60):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def wait(condition, seconds, log):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, log.read_text()[-4000:]
        time.sleep(0.2)


def pending(ids):
    with session.environment() as env:
        return env["crm.automation.firing"].search_count(
            [("res_id", "in", ids), ("res_model", "=", "crm.lead"), ("state", "=", "pending")]
        )


def assert_each_once(ids):
    """Each lead has one execution, done, with one mail."""
    with session.environment() as env:
        firings = env["crm.automation.firing"].search([("res_id", "in", ids)])
        assert sorted(firings.mapped("res_id")) == sorted(ids), "lost or doubled"
        assert set(firings.mapped("state")) == {"done"}, firings.mapped("reason")
        mails = env["mail.mail"].search([("model", "=", "crm.lead"), ("res_id", "in", ids)])
        assert sorted(mails.mapped("res_id")) == sorted(ids), "mails lost or doubled"


def jobs(state=None):
    with session.environment() as env:
        domain = [("method_name", "=", "_drain_batch")]
        if state:
            domain.append(("state", "=", state))
        return env["queue.job"].search_read(domain, ["state", "eta"])


def test_jobs_empty_the_ledger(tmp_path):
    number = 2000 if LONG else 250
    ids = make_leads(number)
    log = tmp_path / "odoo.log"
    with job_server(log):
        begin = time.monotonic()
        processes.Worker(lambda env: convert(ids)).join()
        wait(lambda: not pending(ids), 300 if LONG else 90, log)
        seconds = time.monotonic() - begin
        wait(lambda: not jobs("started"), 30, log)
    assert_each_once(ids)
    assert len(jobs("done")) >= number // 100 + 1
    assert not jobs("failed")
    print(f"\n{number} executions by {len(jobs('done'))} jobs in {seconds:.1f} s")


def test_runner_killed_in_the_middle(tmp_path):
    ids = make_leads(300)
    log = tmp_path / "odoo.log"
    with job_server(log) as process:
        processes.Worker(lambda env: convert(ids)).join()
        wait(lambda: pending(ids) < 300, 60, log)
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = pending(ids)
    with job_server(log):
        # The runner takes up what a dead worker has left after some ten seconds.
        wait(lambda: not pending(ids), 120, log)
    assert_each_once(ids)
    print(f"\nkilled with {left} of 300 left")


def test_at_its_moment(tmp_path):
    """What is due later has a job with that moment, which comes in time."""
    ids = make_leads(1)
    log = tmp_path / "odoo.log"
    with job_server(log):
        with session.environment() as env:
            rule = env.ref("crm_automation.rule_lead_converted")
            rule.write({"delay_number": 1, "delay_unit": "minutes"})
        try:
            convert(ids)
            with session.environment() as env:
                # Not the whole minute.
                firing = env["crm.automation.firing"].search([("res_id", "in", ids)])
                moment = env.cr.now().replace(microsecond=0) + timedelta(seconds=10)
                firing.write({"run_at": moment, "due_at": moment})
                firing._arm()
            assert moment in [job["eta"] for job in jobs("pending")]
            wait(lambda: not pending(ids), 60, log)
        finally:
            with session.environment() as env:
                rule = env.ref("crm_automation.rule_lead_converted")
                rule.write({"delay_number": 0})
    assert_each_once(ids)
    with session.environment() as env:
        firing = env["crm.automation.firing"].search([("res_id", "in", ids)])
        late = (firing.finished_at - moment).total_seconds()
    assert 0 <= late <= 5, late
    print(f"\n{late:.0f} s after its moment")


def test_without_a_runner_one_job_waits_and_the_cron_is_called():
    """queue_job is installed, and nobody has started its runner."""
    ids = make_leads(5)
    for lead_id in ids:
        convert([lead_id])
    [job] = jobs()
    assert job["state"] == "pending"
    with session.environment() as env:
        drainers = env["crm.automation.firing"]._drainers()
        triggers = env["ir.cron.trigger"].search([("cron_id", "in", drainers.ids)])
        assert len(triggers) == 1, "one call of the safety net, not one for each save"
        assert triggers.call_at <= env.cr.now() + timedelta(seconds=61)
        # Minutes later somebody saves again. (The ORM protects this column.)
        env.cr.execute("UPDATE queue_job SET date_created = date_created - interval '10 min'")
    more = make_leads(1)
    convert(more)
    assert len(jobs()) == 1
    with session.environment() as env:
        triggers = env["ir.cron.trigger"].search([("cron_id", "in", drainers.ids)])
        assert min(triggers.mapped("call_at")) <= env.cr.now()
        assert triggers.cron_id == drainers
        ana = env["res.users"].search([("login", "=", "ana")])
        findings = env["crm.automation.health"].with_user(ana).report()["findings"]
        assert "queue_job_late" in {finding["code"] for finding in findings}
    processes.Worker(drain).join()
    assert_each_once(ids + more)


def test_a_save_that_is_older_than_the_job_is_not_forgotten():
    """The job has begun and ended while the save, which has seen it wait, went on."""
    first, second = make_leads(2)
    convert([first])

    def slow_save(env):
        # From here on, this transaction sees what is there now.
        assert env["queue.job"].search([]).state == "pending"
        with session.environment() as other:
            other["queue.job"].search([]).state = "done"
        env["crm.lead"].browse(second).type = "opportunity"
        return env["queue.job"].search([], limit=1).state

    seen, _steps = processes.Worker(slow_save).join()
    assert seen == "pending", "the save is not older than the end of the job"
    assert len(jobs("pending")) == 1, "the second save has a job of its own"


def test_rolled_back_work_enqueues_nothing():
    [lead_id] = make_leads(1)

    def convert_and_fail(env):
        env["crm.lead"].browse(lead_id).type = "opportunity"
        env.cr.flush()
        env.cr.rollback()

    processes.Worker(convert_and_fail).join()
    assert not jobs()

"""Many workers and several servers share one ledger: no double, nobody idle."""

import collections
import re
import time
from datetime import timedelta

import pytest

import processes
import session
from test_ledger import convert, make_leads, states

BATCH = 5


@pytest.fixture
def drainers():
    """Makes it so many jobs that empty the ledger; their ids, the two shipped ones first."""
    made = []

    def make(number):
        with session.environment() as env:
            there = env["crm.automation.firing"]._drainers().sorted("id")
            for _n in range(number - len(there)):
                made.append(there[0].copy().id)
            return (there.ids + made)[:number]

    yield make
    with session.environment() as env:
        processes.wait_until_alone(env)
        env["ir.cron"].browse(made).unlink()


def cron_worker(env, jobs):
    """What a cron worker of Odoo does when it is woken; each batch takes a moment.

    :return: ids of the executions that it ran, and how many that nobody held were
        left each time it had no more to do
    """
    firings = type(env["crm.automation.firing"])
    run, look_ahead, drain = firings._run, firings._look_ahead, firings._drain
    ran, left = [], []

    def slow_run(self, *args):
        ran.extend(self.ids)
        time.sleep(0.05)
        return run(self, *args)

    def counted_look_ahead(self, **kwargs):
        self._commit_batch()
        left.append(len(self._claim(1000)))
        self._commit_batch()
        return look_ahead(self, **kwargs)

    firings._run, firings._look_ahead = slow_run, counted_look_ahead
    firings._drain = lambda self: drain(self, batch_size=BATCH)
    with env.registry.cursor() as cr:
        env.registry["ir.cron"]._process_jobs_loop(cr, job_ids=jobs)
    return ran, left


@pytest.mark.parametrize("number", [2, 4])
def test_no_drainer_is_idle_while_work_waits(drainers, number):
    jobs = drainers(number)
    ids = make_leads(number * 30)
    convert(ids)
    workers = [processes.Worker(lambda env: cron_worker(env, jobs)) for _n in range(number)]
    results = [worker.join()[0] for worker in workers]
    times = collections.Counter(firing for ran, _left in results for firing in ran)
    assert len(times) == len(ids)
    assert set(times.values()) == {1}, "an execution was run twice"
    for ran, left in results:
        assert len(ran) >= BATCH, "a worker got nothing to do"
        # What another has let go, to claim it again: it has lost a race for a row.
        assert max(left) <= BATCH * (number - 1), "a drainer stopped while work waited"
    assert set(states(ids)) == {"done"}
    print(f"\n{number} workers: {[len(ran) for ran, _left in results]} executions")


def test_two_servers_share_the_ledger(drainers, tmp_path):
    """Two whole Odoos with two cron workers each, as on two machines."""
    drainers(4)
    ids = make_leads(600)
    logs = [tmp_path / f"server{number}.log" for number in (1, 2)]
    with processes.odoo_server(logs[0], 2), processes.odoo_server(logs[1], 2):
        end = time.monotonic() + 120
        while not all(log.read_text().count("WorkerCron") >= 2 for log in logs):
            assert time.monotonic() < end, [log.read_text()[-2000:] for log in logs]
            time.sleep(0.2)
        convert(ids)
        while pending():
            assert time.monotonic() < end + 120
            time.sleep(0.2)
    assert set(states(ids)) == {"done"}
    shares = [sum(map(int, re.findall(r"work off executions.*; done (\d+);", log.read_text())))
              for log in logs]  # fmt: skip
    assert sum(shares) == len(ids), shares
    assert min(shares) > 0, "one of the servers did nothing"
    print(f"\ntwo servers: {shares} executions")


def pending():
    with session.environment() as env:
        return env["crm.automation.firing"].search_count([("state", "=", "pending")])


def wait_as_a_job(env):
    """How a drainer waits for what is due next.

    :return: whether that is due now, and after how many seconds
    """
    firings = env["crm.automation.firing"]
    begin = time.monotonic()
    firings = firings.with_context(cron_id=firings._drainers()[:1].id)
    return firings._wait_for_next(begin + 60), time.monotonic() - begin


def hold_mailer(env, seconds):
    """As a worker that runs the mail queue's job."""
    mailer = env.ref("mail.ir_cron_mail_scheduler_action")
    env.cr.execute("SELECT FROM ir_cron WHERE id = %s FOR NO KEY UPDATE", [mailer.id])
    time.sleep(seconds)


def settle_jobs(env):
    """As if all jobs had just run."""
    env["ir.cron.trigger"].search([]).unlink()
    env["ir.cron"].search([]).nextcall = env.cr.now() + timedelta(hours=1)


@pytest.mark.parametrize("is_held", [False, True])
def test_who_waits_lets_go_for_a_job_that_nobody_has_taken(is_held):
    """Mails would wait for more than a minute where the other worker is busy for long."""
    convert(make_leads(1))
    with session.environment() as env:
        now = env.cr.now().replace(microsecond=0)
        env["crm.automation.firing"].search([]).run_at = now + timedelta(seconds=12)
        settle_jobs(env)
        mailer = env.ref("mail.ir_cron_mail_scheduler_action")
        mailer._trigger(at=now - timedelta(seconds=5))
    holder = processes.Worker(lambda env: hold_mailer(env, 15)) if is_held else None
    time.sleep(1)
    (is_due, seconds), _steps = processes.Worker(wait_as_a_job).join()
    assert is_due == is_held
    assert (seconds > 6) == is_held, seconds
    if holder:
        holder.join()


def test_who_waits_lets_go_for_a_job_whose_hour_has_come():
    """Two long ones in a row are more than Odoo allows a worker."""
    convert(make_leads(1))
    with session.environment() as env:
        now = env.cr.now().replace(microsecond=0)
        env["crm.automation.firing"].search([]).run_at = now + timedelta(seconds=12)
        settle_jobs(env)
        job = env.ref("crm_automation.ir_cron_accounts_1")
        job.nextcall = now - timedelta(seconds=5)
    (is_due, seconds), _steps = processes.Worker(wait_as_a_job).join()
    assert not is_due
    assert seconds < 6


def test_what_is_due_is_done_before_anybody_lets_go():
    """It would wait until the workers look by themselves, for more than a minute."""
    convert(make_leads(1))
    with session.environment() as env:
        now = env.cr.now().replace(microsecond=0)
        env["crm.automation.firing"].search([]).run_at = now
        settle_jobs(env)
        mailer = env.ref("mail.ir_cron_mail_scheduler_action")
        mailer._trigger(at=now - timedelta(seconds=5))
    (is_due, _seconds), _steps = processes.Worker(wait_as_a_job).join()
    assert is_due

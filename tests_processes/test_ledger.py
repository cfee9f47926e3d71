"""Once and only once, whoever is killed, and never in a user's way."""

import os
import signal
import time
from datetime import timedelta, timezone

import processes
import session

UTC = timezone.utc
LONG = bool(os.environ.get("CRM_AUTOMATION_LONG"))


def make_leads(number):
    """Leads that Luis has made for himself, committed; their ids."""
    with session.environment() as env:
        luis = env["res.users"].search([("login", "=", "luis")])
        values = [
            {"name": f"Process {n}", "type": "lead", "user_id": luis.id} for n in range(number)
        ]
        # By another, Odoo itself would write him a mail for each.
        return env["crm.lead"].with_user(luis).create(values).ids


def convert(ids):
    with session.environment() as env:
        env["crm.lead"].browse(ids).write({"type": "opportunity"})


def drain(env):
    env["crm.automation.firing"]._drain()


def states(ids):
    """State of each lead's firing, after checking that it is whole.

    A firing is pending without any trace, or done with exactly one mail.
    """
    with session.environment() as env:
        processes.wait_until_alone(env)
        firings = env["crm.automation.firing"].search([("res_id", "in", ids)])
        assert sorted(firings.mapped("res_id")) == sorted(ids), "lost or doubled"
        mails = env["mail.mail"].search([("model", "=", "crm.lead"), ("res_id", "in", ids)])
        for firing in firings:
            own = mails.filtered(lambda mail, firing=firing: mail.res_id == firing.res_id)
            if firing.state == "pending":
                assert not firing.delivery_ids and not own, f"{firing} has left a trace"
            else:
                assert firing.state == "done", (firing.state, firing.reason)
                assert len(firing.delivery_ids) == len(own) == 1
                assert firing.delivery_ids.mail_id == own
        return firings.mapped("state")


def test_killed_between_any_two_steps():
    """A drainer is killed before its first, second, … step, until one gets through."""
    ids = make_leads(3)
    convert(ids)
    step, finished = 0, None
    while finished is None:
        step += 1
        finished = processes.Worker(drain, die_at=step).join()
        found = set(states(ids))
        assert len(found) == 1, "a batch is done as a whole or not at all"
        if finished is None and found == {"done"}:
            # Killed after its commit. The rest of the steps on a fresh batch.
            ids = make_leads(3)
            convert(ids)
    assert set(states(ids)) == {"done"}
    assert step > 10, f"only {step} steps: the counting is broken"
    print(f"\nkilled at each of {step - 1} steps")


def test_two_drainers_share():
    number = 2000 if LONG else 120
    ids = make_leads(number)
    convert(ids)

    def drain_in_small_batches(env):
        done = []
        firing = type(env["crm.automation.firing"])
        run = firing._run

        def noted(self, *args):
            done.extend(self.ids)
            return run(self, *args)

        firing._run = noted
        env["crm.automation.firing"]._drain(batch_size=5)
        return done

    # The first is held at its first batch, so that the second has time to come.
    first = processes.Worker(drain_in_small_batches, stop_at=12)
    assert first.wait_stopped()
    second = processes.Worker(drain_in_small_batches)
    done_second, _steps = second.join()
    first.go_on()
    done_first, _steps = first.join()
    # The second has left exactly what the first had claimed.
    assert done_first and len(done_second) >= number - 5
    assert set(states(ids)) == {"done"}


def test_two_drainers_at_full_speed():
    number = 2000 if LONG else 200
    ids = make_leads(number)
    convert(ids)
    workers = [processes.Worker(drain) for _n in range(2)]
    for worker in workers:
        worker.join()
    assert set(states(ids)) == {"done"}


def run_job(env):
    """The first drainer as a cron worker runs it, with the lock on its own row."""
    drainer = env["crm.automation.firing"]._drainers()[0]
    drainer._trigger(at=env.cr.now())
    env.cr.commit()
    with env.registry.cursor() as cr:
        env.registry["ir.cron"]._process_jobs_loop(cr, job_ids=[drainer.id])


def test_an_execution_that_kills_its_worker_stops_no_other():
    """Memory or time over the limit: Odoo's master ends the worker with SIGKILL."""
    ids = make_leads(12)
    convert(ids)
    poison = ids[4]

    def work(env):
        rule = type(env["crm.automation.rule"])
        fire = rule._fire

        def deadly(self, firings):
            if poison in firings.mapped("res_id"):
                os.kill(os.getpid(), signal.SIGKILL)
            return fire(self, firings)

        rule._fire = deadly
        run_job(env)

    def pending():
        with session.environment() as env:
            processes.wait_until_alone(env)
            firings = env["crm.automation.firing"].search([("res_id", "in", ids)])
            waiting = firings.filtered(lambda firing: firing.state == "pending")
            return waiting.mapped(lambda firing: (firing.res_id, firing.tries, firing.reason))

    deaths = 0
    while len(pending()) > 1:
        deaths += processes.Worker(work).join() is None
        assert deaths <= 2, "once for all of them, once alone"
    [(left, tries, reason)] = pending()
    assert (left, tries) == (poison, 1)
    assert reason
    # Its further tries, without the waiting; in the end it is given up.
    while pending():
        with session.environment() as env:
            env["crm.automation.firing"].search([("res_id", "=", poison)]).run_at = env.cr.now()
        deaths += processes.Worker(work).join() is None
        assert deaths <= 14
    with session.environment() as env:
        firings = env["crm.automation.firing"].search([("res_id", "in", ids)])
        outcome = {firing.res_id: firing.state for firing in firings}
        assert outcome == {res_id: "failed" if res_id == poison else "done" for res_id in ids}
    print(f"\n{deaths} workers died of one execution, which was given up")


def save(env, ids, partner_id):
    """A user's saves: convert leads, rename the customer, edit a lead at work.

    A save that waits for a lock longer than this is an error.
    """
    env.cr.execute("SET lock_timeout = '500ms'")
    for lead in env["crm.lead"].browse(ids):
        lead.write({"type": "opportunity", "description": "saved"})
        env["res.partner"].browse(partner_id).phone = f"+34 {lead.id}"
        env.cr.commit()
    return len(ids)


def test_a_users_save_neither_waits_nor_fails():
    """The job is held at step after step, and the user saves meanwhile."""
    with session.environment() as env:
        luis = env["res.users"].search([("login", "=", "luis")])
        partner_id = luis.partner_id.id

    total = 0
    step, at_work = 1, True
    every = 1 if LONG else 7
    while at_work:
        ids = make_leads(2)
        convert(ids[:1])
        worker = processes.Worker(run_job, stop_at=step)
        at_work = worker.wait_stopped()
        saver = processes.Worker(lambda env, ids=ids: save(env, ids, partner_id))
        total += saver.join()[0]
        if at_work:
            worker.go_on()
        worker.join()
        processes.Worker(drain).join()
        assert set(states(ids)) == {"done"}
        step += every
    assert total > 10
    print(f"\n{total} saves while the job was held at one of {step - every} steps")


def test_looking_for_what_is_due_disturbs_no_drainer():
    """The enqueuer runs while a drainer is held at each step of the same firing."""
    step, at_work, done = 1, True, 0
    while at_work:
        event_id = book_due_meeting(step)
        processes.Worker(enqueue).join()
        worker = processes.Worker(drain, stop_at=step)
        at_work = worker.wait_stopped()
        enqueuer = processes.Worker(lambda env: enqueue(env, timeout=True))
        enqueuer.join()
        if at_work:
            worker.go_on()
        worker.join()
        processes.Worker(enqueue).join()
        processes.Worker(drain).join()
        with session.environment() as env:
            firings = env["crm.automation.firing"].search(
                [("res_model", "=", "calendar.event"), ("res_id", "=", event_id)]
            )
            assert firings.mapped("state") == ["done"], (step, firings.mapped("reason"))
            assert len(firings.delivery_ids) == 1
        done += 1
        step += 1 if LONG else 5
    assert done > 3
    print(f"\nlooked for what is due while a drainer was held at {done} steps")


def enqueue(env, timeout=False):
    if timeout:
        env.cr.execute("SET lock_timeout = '500ms'")
    env["crm.automation.rule"]._enqueue_moments()


def book_due_meeting(number):
    """A meeting in four minutes, of which people are reminded five minutes before."""
    with session.environment() as env:
        luis = env["res.users"].search([("login", "=", "luis")])
        rule = env.ref("crm_automation.rule_meeting_soon")
        if not rule.enabled:
            ana = env["res.users"].search([("login", "=", "ana")])
            rule.with_user(ana).enabled = True
        start = env.cr.now().replace(microsecond=0) + timedelta(minutes=4)
        event = (
            env["calendar.event"]
            .with_user(luis)
            .create({"name": f"Due {number}", "start": start, "stop": start + timedelta(hours=1)})
        )
        return event.id


def test_rolled_back_work_leaves_nothing():
    ids = make_leads(1)

    def convert_and_fail(env):
        env["crm.lead"].browse(ids).type = "opportunity"
        env.cr.flush()
        found = env["crm.automation.firing"].search_count([("res_id", "in", ids)])
        env.cr.rollback()
        return found

    def triggers():
        with session.environment() as env:
            return env["ir.cron.trigger"].search_count([])

    before = triggers()
    found, _steps = processes.Worker(convert_and_fail).join()
    assert found == 1, "the decision was not taken before the rollback"
    with session.environment() as env:
        assert not env["crm.automation.firing"].search_count([("res_id", "in", ids)])
    assert triggers() == before


def drain_as_a_job(env):
    """A drainer as Odoo's jobs call it: it may wait for what is due next.

    :return: moments, in seconds of the clock, at which it began and ended
    """
    began = time.time()
    context = {"cron_id": env["crm.automation.firing"]._drainers()[:1].id}
    env(context=context)["crm.automation.firing"]._drain()
    return began, time.time()


def others_have_run(env):
    """As if workers had taken all other jobs that were called: who waits lets go for them."""
    drainers = env["crm.automation.firing"]._drainers()
    env["ir.cron.trigger"].search([("cron_id", "not in", drainers.ids)]).unlink()
    env["ir.cron"].search([]).nextcall = env.cr.now() + timedelta(hours=1)


def planned(seconds):
    """A firing that is due in so many seconds: its id, and its moment."""
    ids = make_leads(1)
    convert(ids)
    with session.environment() as env:
        firing = env["crm.automation.firing"].search([("res_id", "in", ids)])
        firing.run_at = env.cr.now().replace(microsecond=0) + timedelta(seconds=seconds)
        others_have_run(env)
        return firing.id, firing.run_at.replace(tzinfo=UTC).timestamp()


def finished(firing_id):
    with session.environment() as env:
        firing = env["crm.automation.firing"].browse(firing_id)
        return firing.state, firing.write_date.replace(tzinfo=UTC).timestamp()


def test_a_job_waits_for_the_moment():
    firing_id, moment = planned(4)
    (_began, ended), _steps = processes.Worker(drain_as_a_job).join()
    state, written = finished(firing_id)
    assert state == "done"
    assert moment <= written < moment + 2
    assert ended < moment + 5


def test_only_one_job_waits_and_it_does_what_comes_meanwhile():
    firing_id, moment = planned(10)
    first = processes.Worker(drain_as_a_job)
    time.sleep(2)
    (began, ended), _steps = processes.Worker(drain_as_a_job).join()
    assert ended - began < 2, "the second has waited as well"
    ids = make_leads(1)
    convert(ids)
    (_began, ended), _steps = first.join()
    assert ended < moment, "it went on waiting when there was something to do"
    assert set(states(ids)) == {"done"}
    # Its mail needs a worker now; the job is called again for the rest.
    assert finished(firing_id)[0] == "pending"
    with session.environment() as env:
        drainers = env["crm.automation.firing"]._drainers()
        armed = env["ir.cron.trigger"].search([("cron_id", "in", drainers.ids)])
        assert armed.filtered(lambda trigger: trigger.call_at <= env.cr.now())
        others_have_run(env)
    processes.Worker(drain_as_a_job).join()
    assert finished(firing_id)[0] == "done"


def test_a_killed_job_waits_no_longer():
    firing_id, moment = planned(6)
    first = processes.Worker(drain_as_a_job)
    time.sleep(1)
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    (_began, _ended), _steps = processes.Worker(drain_as_a_job).join()
    state, written = finished(firing_id)
    assert state == "done"
    assert moment <= written < moment + 2

"""Several workers read the subscribed calendars, or die while they do."""

import collections
import time

import pytest

import processes
import session
from web import serving

MANY = 6


def calendar(number):
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Elsewhere//", "BEGIN:VEVENT",
            f"UID:process-{number}", "DTSTAMP:20260101T000000Z", "DTSTART:20990101T090000Z",
            f"SUMMARY:Process {number}", "END:VEVENT", "END:VCALENDAR", "",
        ]
    ).encode()  # fmt: skip


@pytest.fixture
def web():
    with serving() as server:
        yield server


@pytest.fixture
def subscriptions(web):
    """Makes so many that are due; their ids."""

    def make(number):
        for one in range(number):
            web.say(f"/{one}", calendar(one))
        with session.environment() as env:
            env["ir.config_parameter"].set_param("crm_automation.fetch_allowed", "127.0.0.1")
            owner = env["res.users"].search([("login", "=", "luis")])
            made = env["calendar.subscription"].with_user(owner).create(
                [{"name": str(one), "url": web.url(f"/{one}")} for one in range(number)]
            )  # fmt: skip
            return made.ids

    yield make
    with session.environment() as env:
        processes.wait_until_alone(env)
        env["calendar.subscription"].search([])._settle(keep=False)


def read_due(env):
    env["calendar.subscription"]._read_due()


def state_of(ids):
    with session.environment() as env:
        made = env["calendar.subscription"].browse(ids)
        return [(one.state, one.event_count, len(one.run_ids)) for one in made]


def test_each_is_read_by_one_worker(web, subscriptions):
    ids = subscriptions(MANY)
    for path, answer in list(web.answers.items()):

        def slow(handler, answer=answer):
            time.sleep(0.3)
            answer(handler)

        web.answers[path] = slow
    workers = [processes.Worker(read_due) for _n in range(3)]
    for worker in workers:
        worker.join()
    asked = collections.Counter(path for path, _headers in web.asked)
    assert asked == {f"/{one}": 1 for one in range(MANY)}
    assert state_of(ids) == [("ok", 1, 1)] * MANY


def test_a_worker_dies_at_any_step(web, subscriptions):
    ids = subscriptions(2)
    _result, steps = processes.Worker(read_due).join()
    assert state_of(ids) == [("ok", 1, 1)] * 2
    for step in range(1, steps, max(1, steps // 12)):
        with session.environment() as env:
            env["calendar.subscription"].browse(ids)._settle(keep=False)
        ids = subscriptions(2)
        processes.Worker(read_due, die_at=step).join()
        with session.environment() as env:
            processes.wait_until_alone(env)
            made = env["calendar.subscription"].browse(ids)
            # Whatever was read is whole; what was not comes again by itself.
            for one in made:
                assert (one.state, one.event_count, len(one.run_ids)) in (
                    ("new", 0, 0), ("ok", 1, 1)
                ), step  # fmt: skip
            left = made.filtered(lambda one: one.state == "new")
            assert all(one.next_read for one in left)
            left.next_read = env.cr.now()
        processes.Worker(read_due).join()
        assert state_of(ids) == [("ok", 1, 1)] * 2, step


def test_a_button_pressed_while_the_job_reads(web, subscriptions):
    [subscription_id] = subscriptions(1)

    def press(env):
        one = env["calendar.subscription"].browse(subscription_id)
        return one.with_user(one.user_id).action_refresh()["params"]["message"]

    holder = processes.Worker(read_due, stop_at=30)
    assert holder.wait_stopped()
    pressed = processes.Worker(press)
    pressed.join()
    holder.go_on()
    holder.join()
    [(state, events, _runs)] = state_of([subscription_id])
    assert (state, events) == ("ok", 1)

"""Reminders on several processes: each once, and on time by a running server."""

import collections
import email
import email.policy
import json
import os
import random
import time
from datetime import datetime, timedelta

import pytest
from aiosmtpd.controller import Controller

import processes
import session

MIXED = 60
#: How late a reminder may be, in seconds.
LIMIT = 60
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_reminders(registry):
    """A database in which nothing is to be reminded of."""
    with session.environment() as env:
        env["calendar.reminder"].search([]).unlink()
        env["calendar.event"].search([]).write({"alarm_ids": [(5, 0, 0)]})
        env["project.task"].search([("alarm_ids", "!=", False)]).write({"alarm_ids": [(5, 0, 0)]})
        env["ir.config_parameter"].set_param(
            "crm_automation.reminders_since", "2020-01-01 00:00:00"
        )


def alarm(env, kind, **values):
    return env["calendar.alarm"].create(
        {"name": "Process", "alarm_type": kind, "interval": "minutes", **values}
    )


def book(env, moment, name, *alarms, login="luis", **values):
    """A meeting of Luis from a moment on."""
    luis = env["res.users"].search([("login", "=", login)])
    return env["calendar.event"].with_user(luis).with_context(no_mail_to_attendees=True).create(
        {
            "name": name, "start": moment, "stop": moment + HOUR, "user_id": luis.id,
            "alarm_ids": [(6, 0, [one.id for one in alarms])], **values,
        }
    )  # fmt: skip


def due_now(number):
    """Reminders by mail that are due, committed."""
    with session.environment() as env:
        mail = alarm(env, "email", duration=15)
        start = datetime.now().replace(microsecond=0) + timedelta(minutes=10)
        for count in range(number):
            book(env, start, f"Meeting {count}", mail)
        env["calendar.reminder"]._enqueue_due(datetime.now())
        assert env["calendar.reminder"].search_count([("state", "=", "pending")]) == number


def drain(env):
    env["crm.automation.firing"]._drain()


def enqueue(env):
    from odoo.tools import mute_logger

    # Who comes second finds his rows taken, and looks again.
    with mute_logger("odoo.sql_db"):
        env["calendar.reminder"]._enqueue()


def outcome():
    """State to how many reminders, after checking that each has a mail or no trace."""
    with session.environment() as env:
        processes.wait_until_alone(env)
        rows = env["calendar.reminder"].search([])
        mails = env["mail.mail"].search([("model", "=", "calendar.event")])
        own = collections.Counter(mails.mapped("res_id"))
        for row in rows:
            assert own[row.res_id] == (1 if row.state == "done" else 0), row.state
        return collections.Counter(rows.mapped("state"))


def test_two_drainers_and_two_finders():
    due_now(120)
    with session.environment() as env:
        # As if nobody had looked: both find the same.
        env["calendar.reminder"].search([]).unlink()
    finders = [processes.Worker(enqueue) for _n in range(2)]
    for worker in finders:
        worker.join()
    drainers = [processes.Worker(drain) for _n in range(2)]
    for worker in drainers:
        worker.join()
    assert outcome() == {"done": 120}


def test_killed_between_any_two_steps():
    due_now(3)
    step, finished = 0, None
    while finished is None:
        step += 1
        finished = processes.Worker(drain, die_at=step).join()
        found = outcome()
        assert len(found) == 1, "a batch is done as a whole or not at all"
        if finished is None and "done" in found:
            # Killed after its commit. The rest of the steps on a fresh batch.
            with session.environment() as env:
                env["calendar.reminder"].search([]).unlink()
                env["mail.mail"].search([]).unlink()
                env["calendar.event"].search([("name", "=like", "Meeting %")]).unlink()
            due_now(3)
    assert step > 10, f"only {step} steps: the counting is broken"


class Post:
    """Takes mails: of (last word of the subject, address), when they came and which."""

    def __init__(self):
        self.found = collections.defaultdict(list)
        self.mails = collections.defaultdict(list)
        self.controller = Controller(
            self, hostname="127.0.0.1", port=int(os.environ["CRM_AUTOMATION_SMTP"])
        )

    async def handle_DATA(self, _server, _session, envelope):
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        for to in envelope.rcpt_tos:
            key = str(mail["Subject"]).rpartition(" ")[2], to
            self.found[key].append(datetime.now())
            self.mails[key].append((str(mail["Subject"]), mail["Message-ID"]))
        return "250 OK"


def test_sixty_mixed_reminders_of_a_running_server(tmp_path):
    """Through real SMTP, and on the bus, from which the browser has them."""
    post = Post()
    post.controller.start()
    dice = random.Random(9)
    wanted = {}
    try:
        logs = [tmp_path / f"server{number}.log" for number in (1, 2)]
        with processes.odoo_server(logs[0], 2), processes.odoo_server(logs[1], 2):
            end = time.monotonic() + 120
            while not all(log.read_text().count("WorkerCron") >= 2 for log in logs):
                assert time.monotonic() < end, [log.read_text()[-2000:] for log in logs]
                time.sleep(0.2)
            first = datetime.now().replace(microsecond=0) + timedelta(seconds=20)
            with session.environment() as env:
                for number in range(MIXED):
                    moment = first + timedelta(seconds=dice.randrange(60))
                    wanted[str(number)] = moment
                    book_one_of_all(env, number, moment)
            last = max(wanted.values()) + timedelta(seconds=LIMIT)
            while datetime.now() < last and len(arrived(post)) < MIXED:
                time.sleep(0.5)
            found = arrived(post)
    finally:
        post.controller.stop()
    assert found.keys() == wanted.keys()
    late = {number: (found[number] - wanted[number]).total_seconds() for number in wanted}
    print(f"\nreminders: {min(late.values()):.1f} to {max(late.values()):.1f} s after their moment")
    assert min(late.values()) >= -1 and max(late.values()) <= LIMIT
    # The demo's own mails end with other words.
    ours = {key: mails for key, mails in post.mails.items() if key[0].isdigit()}
    twice = {key: mails for key, mails in ours.items() if len(mails) > 1}
    assert not twice, "a mail came twice"


def book_one_of_all(env, number, moment):
    """A reminder that is due at a moment, of one kind after the other."""
    mail, shown = ({"kind": kind} for kind in ("email", "notification"))
    before, minute = {"duration": 5}, timedelta(minutes=1)
    after = {"duration": 3, "trigger_occurs": "after"}
    end = {"duration": 10, "trigger_related": "end"}
    kind, start = [
        (mail | before, moment + 5 * minute),
        (shown | before, moment + 5 * minute),
        (mail | after, moment - 3 * minute),
        (shown | end, moment + 10 * minute - HOUR),
        (mail | {"duration": 0, "trigger_at": moment}, moment + 2 * HOUR),
    ][number % 5]
    if number % 6 == 5:
        luis = env["res.users"].search([("login", "=", "luis")])
        # By himself: Odoo would write to whoever is given a task by somebody else.
        env["project.task"].with_user(luis).create(
            {"name": f"Mixed {number}", "user_ids": luis.ids, "date_deadline": moment + 5 * minute,
             "alarm_ids": [(6, 0, alarm(env, "email", duration=5).ids)]}
        )  # fmt: skip
        return
    book(env, start, f"Mixed {number}", alarm(env, kind.pop("kind"), **kind))


def arrived(post):
    """Number to when it was with its recipient, by mail or on the bus."""
    found = {number: times[0] for (number, _to), times in list(post.found.items())}
    with session.environment() as env:
        for row in env["bus.bus"].search([("message", "like", "crm_automation.reminder")]):
            message = json.loads(row.message)
            if message["type"] != "crm_automation.reminder":
                continue
            for one in message["payload"]:
                number = one["title"].rpartition(" ")[2]
                found.setdefault(number, row.create_date)
    return {number: at for number, at in found.items() if number.isdigit()}

"""How late a reminder's mail leaves, on a running server with Odoo's two job threads.

Forty reminders at odd moments of six minutes, then bursts at one moment each: how
long after its moment each mail is at the SMTP server.
"""

import contextlib
import datetime
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import session
from _bars import bar
from _servers import free_port

REMINDERS = 40
SECONDS = 360
BURSTS = (100, 250, 500, 1000)
#: Between two bursts, in seconds.
PAUSE = 120
LIMIT = 60
#: Minutes before the start.
DELAY = 5
INSIDE = Path(session.__file__).parent


@contextlib.contextmanager
def server(folder):
    """A real Odoo and a real SMTP server, which keeps each mail under its arrival's time."""
    smtp = free_port()
    catcher = subprocess.Popen(
        [sys.executable, str(INSIDE / "mail_catcher.py"), folder, str(smtp), str(free_port())],
        stdout=subprocess.PIPE,
    )
    catcher.stdout.readline()
    odoo = subprocess.Popen(
        [
            sys.executable, str(INSIDE / "odoo_server.py"), *os.environ["ODOO_OPTIONS"].split("\n"),
            f"--database={session.DATABASE}", f"--http-port={free_port()}",
            f"--gevent-port={free_port()}", "--workers=0", "--max-cron-threads=2",
            "--smtp=127.0.0.1", f"--smtp-port={smtp}", "--log-level=warn",
        ],
    )  # fmt: skip
    try:
        yield
    finally:
        for process in (odoo, catcher):
            process.terminate()
            process.wait(30)


def book(moments, name):
    """Meetings whose reminders are due at these moments, as users book them."""
    with session.environment() as env:
        luis = env["res.users"].search([("login", "=", "luis")])
        events = env["calendar.event"].with_user(luis).with_context(no_mail_to_attendees=True)
        delay = datetime.timedelta(minutes=DELAY)
        events.create(
            [
                {
                    "name": f"{name}-{number}",
                    "start": moment + delay,
                    "stop": moment + delay + datetime.timedelta(hours=1),
                    "user_id": luis.id,
                }
                for number, moment in enumerate(moments)
            ]
        )
        env.cr.commit()


def arrivals(folder, name):
    """Number of the meeting to the moment its mail was at the SMTP server."""
    found = {}
    for path in Path(folder).glob("[0-9]*.eml"):
        subject = re.search(rf"^Subject: .*{name}-(\d+)", path.read_text("utf-8"), re.M)
        if subject:
            number = int(subject[1])
            assert number not in found, f"{name}-{number} was sent twice"
            seconds = int(path.name.split("-")[0]) / 1e9
            found[number] = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(
                tzinfo=None
            )
    return found


def wait_for(folder, name, number, until):
    while len(found := arrivals(folder, name)) < number and datetime.datetime.now() < until:
        time.sleep(2)
    return found


def lateness(moments, found):
    return [(found[n] - moment).total_seconds() for n, moment in enumerate(moments) if n in found]


def measure_reminders(folder):
    dice = random.Random(7)
    first = datetime.datetime.now().replace(microsecond=0) + datetime.timedelta(seconds=90)
    moments = [
        first + datetime.timedelta(seconds=dice.randrange(SECONDS)) for _n in range(REMINDERS)
    ]
    book(moments, "Reminder")
    until = max(moments) + datetime.timedelta(seconds=3 * LIMIT)
    found = wait_for(folder, "Reminder", REMINDERS, until)
    late = lateness(moments, found)
    print(
        f"{REMINDERS} reminders: {len(late)} arrived, {min(late):.1f} to {max(late):.1f} s after"
        f" their moment, {statistics.median(late):.1f} s in the middle"
    )
    bar("reminders_arrived", len(late), "mails", ">=", REMINDERS)
    bar("earliest", min(late), "s", ">=", 0)
    bar("latest", max(late), "s", "<=", LIMIT)


def measure_bursts(folder):
    largest = 0
    for number in BURSTS:
        moment = datetime.datetime.now().replace(microsecond=0) + datetime.timedelta(seconds=PAUSE)
        book([moment] * number, f"Burst{number}")
        until = moment + datetime.timedelta(seconds=6 * LIMIT)
        found = wait_for(folder, f"Burst{number}", number, until)
        late = lateness([moment] * number, found)
        print(f"{number} at one moment: {len(late)} arrived, the last {max(late):.1f} s after it")
        if len(late) < number or max(late) > LIMIT:
            break
        largest = number
    bar("burst_within_60_s", largest, "mails", ">=", BURSTS[0])


session.start()
with session.environment() as env:
    env["crm.automation.rule"].search([]).enabled = False
    ana = env["res.users"].search([("login", "=", "ana")])
    env["crm.automation.rule"].with_user(ana).create(
        {
            "name": "Reminder",
            "trigger": "moment",
            "model_id": env["ir.model"]._get_id("calendar.event"),
            "date_type": "date",
            "delay_number": DELAY,
            "delay_unit": "minutes",
            "delay_before": "before",
            "notify_responsible": True,
            "enabled": True,
        }
    )
    # The demo's reminders of its own would only be in the way.
    env["mail.mail"].search([]).unlink()
with tempfile.TemporaryDirectory() as folder, server(folder):
    time.sleep(10)
    measure_reminders(folder)
    measure_bursts(folder)

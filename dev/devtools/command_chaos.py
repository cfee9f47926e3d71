"""``./dev/chaos``: once and only once, proved while everything around is breaking.

A real Odoo with two cron workers, on a PostgreSQL cluster of its own, has to send
a number of notices: half of them because a lead was converted, half because a date
has come, all by saves through Odoo's external interface. Meanwhile

* processes are killed with SIGKILL at random moments: a cron worker with a job in
  its hands, every tenth time the whole server. A kill counts only if the worker
  was in the middle of a job and work was left;
* PostgreSQL is restarted, by turns with "fast" (connections are cut) and
  "immediate" (a crash, then recovery);
* the mail server answers 421, 451 and 554, stalls, and cuts connections, also when
  it has received a mail and before it has said so. Each of these faults passes.

What is under test runs as it is. From outside, once a second, the script moves the
next try of what has failed (crm.automation.delivery.retry_at and
crm.automation.firing.run_at: 1, 5, 30 minutes ... later) to now, in the database;
and wakes the cron workers, as the saves of other users do: a new one of Odoo's
sleeps for a minute. A mail that has failed four times waits until the faults are
over. After the last kill the mail server goes on with its faults until three
quarters of the mails are there; then they stop, and everything has to be done.

It prints the counts, a line "CHECK <what> PASS" or "FAIL" for each promise, and
exits 1 if one is broken:

  done        every execution is done, there is one for each notice, and no other
  none lost   each notice is at the mail server, and the log says "Delivered"
  identity    one Message-ID for each notice: a repeated mail has the same one
  repeats     at most as many as kills, restarts (and ends of Odoo by them) and
              connections cut after a mail was received: only these can part the
              mail server's yes from the database's commit
  re-queued   no mail is left behind as "exception": counts those that stock Odoo
              would have left

The same --seed draws the same faults; when they strike is up to the machine.
"""

import argparse
import collections

from .chaos_run import Chaos
from .chaos_smtp import ChaosSmtp
from .paths import chaos_name
from .private_copy import SETTINGS, private_copy
from .say import listed, say
from .system import free_port
from .workshop import workshop

FULL = {"notices": 2000, "kills": 100, "restarts": 2, "faults": 1.0}
SHORT = {"notices": 200, "kills": 10, "restarts": 1, "faults": 2.0}

#: The executions of our two rules: state, number.
EXECUTIONS = """
    SELECT state, count(*) FROM crm_automation_firing f
    JOIN crm_automation_rule r ON r.id = f.rule_id
    WHERE r.name->>'en_US' LIKE 'Chaos: %' GROUP BY 1
"""
#: Their recipients: Message-ID, state, tries.
DELIVERIES = """
    SELECT message_id, d.state, coalesce(d.tries, 0) FROM crm_automation_delivery d
    JOIN crm_automation_firing f ON f.id = d.firing_id
    JOIN crm_automation_rule r ON r.id = f.rule_id WHERE r.name->>'en_US' LIKE 'Chaos: %'
"""


def main(arguments):
    options = _options(arguments)
    with workshop() as shop, private_copy(shop, chaos_name(), SETTINGS) as private:
        smtp = ChaosSmtp(free_port(), options.seed, options.faults)
        smtp.start()
        chaos = Chaos(private, chaos_name(), smtp, options)
        try:
            chaos.run()
            return _report(chaos)
        finally:
            smtp.stop()


def _options(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev/chaos", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--short", action="store_true", help="200 notices, 10 kills, 1 restart (about a minute)"
    )
    parser.add_argument("--notices", type=int, metavar="N", help="how many (2000)")
    parser.add_argument("--kills", type=int, metavar="K", help="at least so many (100)")
    parser.add_argument("--restarts", type=int, metavar="R", help="of PostgreSQL (2)")
    parser.add_argument(
        "--faults", type=float, metavar="F",
        help="how faulty the mail server is: 1 is about a fault for each 20 mails (1, short: 2)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of what is random (1)")
    parser.add_argument(
        "--patience", type=int, default=600, metavar="SECONDS",
        help="how long to wait for the rest when the faults are over (600)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    for name, value in (SHORT if options.short else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.notices < 1 or options.kills < 0 or options.restarts < 0:
        parser.error("a number is negative")
    options.about = f"{options.kills * 4 // 60 + 1} minutes"
    return options


class Findings:
    """What the ledger, the mail queue and the mail server hold in the end."""

    def __init__(self, chaos):
        self.executions = _counts(chaos, EXECUTIONS)
        #: (Message-ID, state, tries) of each recipient.
        self.deliveries = [
            (message_id, state, int(tries)) for message_id, state, tries in _rows(chaos, DELIVERIES)
        ]
        self.queue = _counts(chaos, "SELECT state, count(*) FROM mail_mail GROUP BY 1")
        # Odoo's other jobs write mails as well.
        self.received = [letter for letter in chaos.smtp.received if "Chaos " in letter.subject]
        self.arrived = {letter.message_id for letter in self.received}
        #: Subject, of which each notice has its own, to its Message-IDs.
        self.identities = collections.defaultdict(set)
        for letter in self.received:
            self.identities[letter.subject].add(letter.message_id)
        self.repeats = len(self.received) - len(self.arrived)
        self.repeats_allowed = (
            len(chaos.kills) + len(chaos.restarts) + chaos.ends + chaos.smtp.cut_after_data
        )


def _report(chaos):
    found = Findings(chaos)
    _print_counts(chaos, found)
    checks = _checks(chaos, found)
    for name, good in checks.items():
        print(f"CHECK {name} {'PASS' if good else 'FAIL'}", flush=True)
    if not all(checks.values()):
        say(f"Odoo's log: {chaos.server.log}")
    return 0 if all(checks.values()) else 1


def _print_counts(chaos, found):
    states = collections.Counter(state for _id, state, _tries in found.deliveries)
    tries = [number for _id, _state, number in found.deliveries if number]
    print(f"""
{chaos.options.notices} notices, {len(chaos.kills)} kills ({_kinds(chaos)})
PostgreSQL restarted: {listed(collections.Counter(chaos.restarts))}
Odoo ended by itself, since the database was away, and was started again: {chaos.ends}
killed in the middle of: {_jobs(chaos)}
saves done again, since they got no answer: {chaos.saves_again}
faults of the mail server: {listed(chaos.smtp.faults)}

executions                    {listed(found.executions)}
mails received                {len(found.received)} ({chaos.early} while the faults went on)
  different Message-IDs       {len(found.arrived)}
  different notices           {len(found.identities)}
  received again              {found.repeats} (allowed: {found.repeats_allowed})
recipients                    {listed(states)}
mails that failed             {len(tries)}, {sum(tries)} times in all; stock leaves exceptions
mails still in the queue      {listed(found.queue)}
""", flush=True)  # fmt: skip


def _checks(chaos, found):
    """Name of each promise to whether it is kept."""
    wanted = chaos.options.notices
    noted = {message_id for message_id, state, _tries in found.deliveries if state == "sent"}
    return {
        "done": found.executions == {"done": wanted},
        "none lost": len(found.arrived) == len(found.deliveries) == wanted
        and noted == found.arrived,
        "identity": len(found.identities) == wanted
        and all(len(ids) == 1 for ids in found.identities.values()),
        "repeats": found.repeats <= found.repeats_allowed,
        "re-queued": not set(found.queue) & {"exception", "outgoing"},
        "kills": len(chaos.kills) >= chaos.options.kills,
        "restarts": len(chaos.restarts) >= chaos.options.restarts,
    }


def _rows(chaos, query):
    return [row.split("|") for row in chaos.cluster.psql(query, chaos.database).splitlines()]


def _counts(chaos, query):
    return {state: int(number) for state, number in _rows(chaos, query)}


def _kinds(chaos):
    return listed(collections.Counter(kind for _job, kind in chaos.kills))


def _jobs(chaos):
    return listed(collections.Counter(job for job, _kind in chaos.kills))

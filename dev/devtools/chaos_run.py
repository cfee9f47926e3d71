"""A running Odoo, its people at work, and what is done to it.

Owns the server, the saves, the kills and the restarts; what is expected of it
all is in ``command_chaos.py``.
"""

import contextlib
import datetime
import http.client
import os
import random
import re
import signal
import threading
import time
import xmlrpc.client

from .rpc import Session
from .say import SetupError, say, step
from .server import Server
from .workshop import terminate

#: Odoo's cron workers are nicer than their master by so much.
CRON_NICENESS = 10
#: Every so many kills it is the whole server: master, workers, all at once.
WHOLE_SERVER_EVERY = 10
#: Seconds between two kills, at random.
PACE = (0.1, 1)
#: Seconds to wait for a worker in another job than the mailer, and in the mailer:
#: it comes last in a worker's round.
PATIENCE = (5, 30)
#: After so many failures a mail is left alone until the faults are over: its next
#: one but one would be the last, as it would be after fifteen hours.
MAX_TRIES = 4
#: Records of one save.
CHUNK = 10
JOB_LINE = re.compile(
    r"\S+ \S+ (?P<pid>\d+) .*ir_cron: Job .* \((?P<id>\d+)\) (?P<what>\w+)"
    r"(.*duration (?P<seconds>[\d.]+)s)?"
)
MAILER = "ir_cron_mail_scheduler_action"
NO_ANSWER = (OSError, http.client.HTTPException, xmlrpc.client.Error)

WORK_LEFT = """
    SELECT (SELECT count(*) FROM crm_automation_firing WHERE state = 'pending')
         + (SELECT count(*) FROM crm_automation_delivery WHERE state IN ('queued', 'retry'))
"""
WORK_NOW = """
    SELECT (SELECT count(*) FROM crm_automation_firing
            WHERE state = 'pending' AND run_at <= now() AT TIME ZONE 'utc')
         + (SELECT count(*) FROM crm_automation_delivery WHERE state = 'queued')
"""
WORK_SOON = f"""
    SELECT count(*) FROM crm_automation_delivery
    WHERE state = 'queued' OR (state = 'retry' AND tries <= {MAX_TRIES})
"""
# Who runs a job holds the lock on its row.
AT_WORK = """
    SELECT DISTINCT substr(application_name, 6)
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE relation = 'ir_cron'::regclass AND mode = 'RowShareLock'
      AND application_name ~ '^odoo-[0-9]+$'
"""
# What a failure has put off for minutes or hours is due now, and the jobs are told.
# A row that a job is at work on is left alone.
HURRY = """
    WITH mails AS (
        UPDATE crm_automation_delivery SET retry_at = now() AT TIME ZONE 'utc' WHERE id IN (
            SELECT id FROM crm_automation_delivery
            WHERE state = 'retry' AND tries <= {tries} AND retry_at > now() AT TIME ZONE 'utc'
            FOR NO KEY UPDATE SKIP LOCKED
        ) RETURNING id
    ), firings AS (
        UPDATE crm_automation_firing SET run_at = now() AT TIME ZONE 'utc' WHERE id IN (
            SELECT id FROM crm_automation_firing
            WHERE state = 'pending' AND tries BETWEEN 1 AND {tries}
              AND run_at > now() AT TIME ZONE 'utc'
            FOR NO KEY UPDATE SKIP LOCKED
        ) RETURNING id
    )
    INSERT INTO ir_cron_trigger (cron_id, call_at)
    SELECT res_id, now() AT TIME ZONE 'utc' FROM ir_model_data
    WHERE module = 'crm_automation' AND name IN ('ir_cron_drainer_1', 'ir_cron_drainer_2')
      AND (SELECT count(*) FROM mails) + (SELECT count(*) FROM firings) > 0;
    -- A job that was killed three times before it came to anything Odoo puts off, the mail
    -- queue for an hour.
    INSERT INTO ir_cron_trigger (cron_id, call_at)
    SELECT job.id, now() AT TIME ZONE 'utc' FROM ir_cron job
    JOIN ir_model_data data ON data.model = 'ir.cron' AND data.res_id = job.id
    WHERE data.module = 'mail' AND data.name = 'ir_cron_mail_scheduler_action'
      AND job.failure_count > 0
      AND NOT EXISTS (SELECT FROM ir_cron_trigger WHERE cron_id = job.id)
"""


def quiet_leads(session):
    """Switch all rules off: what is told from then on is told by rules of one's own.

    :param Session session: of one who writes rules
    :return: ids of the model of leads, and of their date of conversion
    """
    rules = session.call("crm.automation.rule", "search", [("enabled", "=", True)])
    session.call("crm.automation.rule", "write", rules, {"enabled": False})
    [model] = session.call("ir.model", "search", [("model", "=", "crm.lead")])
    [field] = session.call(
        "ir.model.fields", "search", [("model", "=", "crm.lead"), ("name", "=", "date_conversion")]
    )
    return model, field


class ChaosServer(Server):
    """Odoo with worker processes, two of them for jobs; mail goes to a server of ours."""

    def __init__(self, shop, database, smtp_port, port=8469, workers=1):
        super().__init__(shop, database, port, workers)
        self.smtp_port = smtp_port

    def start_mail(self):
        """The mail server is not this one's business."""

    def kill(self):
        """All its processes at once, as when the machine fails."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Ordeal:
    """One Odoo that is killed again and again.

    :param shop: a workshop whose cluster is of this run alone
    :param str database: name of the database
    :param ChaosSmtp smtp: the mail server
    :param options: of the command
    :param server: of :class:`ChaosServer`, how it differs from the usual
    """

    def __init__(self, shop, database, smtp, options, **server):
        self.cluster, self.database, self.smtp = shop.cluster, database, smtp
        self.options = options
        self.random = random.Random(options.seed)
        self.server = ChaosServer(shop, database, smtp.port, **server)
        self.kills = []
        #: How often Odoo has ended by itself, since the database was away.
        self.ends = 0

    def query(self, query):
        return self.cluster.psql(query, self.database)

    def _revive(self):
        """Odoo's master ends when it misses the database at a bad moment: whoever
        runs it as a service has it started again."""
        if self.server.process.poll() is not None:
            self.ends += 1
            self.server.start_odoo()


class Chaos(Ordeal):
    """What happens to one Odoo; ``kills`` are (job that was going on, "worker" or "server")."""

    def __init__(self, shop, database, smtp, options):
        super().__init__(shop, database, smtp, options)
        self._jobs, self._running, self._log_read = {}, {}, 0
        #: Job to how many seconds it takes, about.
        self._seconds = {}
        self.restarts = []
        self._luis = None
        #: Mails received while the faults went on.
        self.early = 0
        self.saved = self.saves_again = 0
        self.tries = MAX_TRIES
        self._share = 0.0
        self._ended = threading.Event()

    def run(self):
        # Odoo's other jobs are nobody's business here.
        self.query(
            "UPDATE ir_cron SET active = false WHERE id NOT IN (SELECT res_id FROM ir_model_data "
            f"WHERE model = 'ir.cron' AND (module = 'crm_automation' OR name = '{MAILER}'))"
        )
        with self.server:
            leads = self._prepare()
            threads = [
                threading.Thread(target=work, daemon=True)
                for work in (lambda: self._save(leads), self._hurry)
            ]
            for thread in threads:
                thread.start()
            try:
                with step(f"Killing {self.options.kills} times", self.options.about):
                    self._kill_all()
                with step("Letting the mail server go on with its faults", "30 s"):
                    self._wait_for_mails(self.options.notices * 3 // 4)
                self.early = len(self.smtp.received)
                self.smtp.scale = 0
                self.tries = 9
                with step("Waiting until all is done", "20 s"):
                    self._wait_until_done()
            finally:
                self._ended.set()
                for thread in threads:
                    thread.join(30)
            terminate(self.server.process)

    # -- people at work -----------------------------------------------------------

    def _prepare(self):
        """Two rules, and a lead for each notice; nothing is due yet."""
        with step(f"Making {self.options.notices} leads", "30 s"):
            ana, luis = (
                Session(self.server.url, self.database, login, login) for login in ("ana", "luis")
            )
            self._luis = luis
            model, field = quiet_leads(ana)
            common = {"notify_responsible": True, "enabled": True}
            ana.call(
                "crm.automation.rule",
                "create",
                [
                    {**common, "name": "Chaos: event", "trigger": "lead_converted"},
                    {
                        **common,
                        "name": "Chaos: date",
                        "trigger": "moment",
                        "model_id": model,
                        "date_type": "field",
                        "date_field_id": field,
                    },
                ],
            )
            leads = []
            kinds = ("lead", "opportunity")
            for first in range(0, self.options.notices, 200):
                numbers = range(first, min(first + 200, self.options.notices))
                leads += luis.call(
                    "crm.lead",
                    "create",
                    [{"name": f"Chaos {n:06d}", "type": kinds[n % 2], "user_id": luis.uid}
                     for n in numbers],
                )  # fmt: skip
            return leads

    def _save(self, leads):
        """The saves that make the notices due: half by an event, half by a date.

        They keep pace with the kills, so that there is work until the end. A save
        that got no answer is done again; it says the same, so it counts once.
        """
        while self.saved < len(leads) and not self._ended.is_set():
            if self.saved >= self._share * len(leads):
                time.sleep(0.02)
                continue
            part = leads[self.saved : self.saved + CHUNK]
            due = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
                seconds=self.random.uniform(0, 5)
            )
            # Leads and opportunities alternate.
            self._save_until_answered(part[::2], {"type": "opportunity"})
            self._save_until_answered(part[1::2], {"date_conversion": f"{due:%Y-%m-%d %H:%M:%S}"})
            self.saved += len(part)

    def _save_until_answered(self, ids, values):
        while ids and not self._ended.is_set():
            try:
                self._luis.call("crm.lead", "write", ids, values)
                return
            except NO_ANSWER:
                self.saves_again += 1
                time.sleep(0.3)

    def _hurry(self):
        """Shorten the waiting times, and knock at the workers as other users' saves do.

        A new cron worker of Odoo sleeps a minute before its first look.
        """
        while not self._ended.wait(1):
            with contextlib.suppress(SetupError):
                self.query(HURRY.format(tries=self.tries))
                self.cluster.psql(f"SELECT pg_notify('cron_trigger', '{self.database}')")

    # -- what is done to them -----------------------------------------------------

    def _kill_all(self):
        wanted = self.options.kills
        restart_at = [
            wanted * n // (self.options.restarts + 1) for n in range(1, self.options.restarts + 1)
        ]
        while len(self.kills) < wanted:
            self._share = max(self._share, (len(self.kills) + 2) / wanted)
            if len(self.kills) in restart_at[len(self.restarts) : len(self.restarts) + 1]:
                self._restart_database()
            time.sleep(self.random.uniform(*PACE))
            victim, job = self._stop_a_worker()
            if (len(self.kills) + 1) % WHOLE_SERVER_EVERY == 0:
                self.server.kill()
                self.kills.append((job, "server"))
                self.server.start_odoo()
            else:
                os.kill(victim, signal.SIGKILL)
                self.kills.append((job, "worker"))
            if len(self.kills) % 10 == 0:
                say(f"  {len(self.kills)} kills, {len(self.smtp.received)} mails received")

    def _stop_a_worker(self, seconds=90):
        """Stop a cron worker that is at work, so that it is killed there and then.

        By turns one that sends mails, and one that does anything else.

        :return: its process id, and its job
        :raises SetupError: when none works although work is left
        """
        begin = fed = time.monotonic()
        while time.monotonic() < begin + seconds:
            self._revive()
            with contextlib.suppress(SetupError, ProcessLookupError):
                mailer = len(self.kills) % 2 == 1
                anyone = time.monotonic() > begin + PATIENCE[mailer]
                if time.monotonic() > fed + 1 and not int(self.query(WORK_NOW)):
                    fed = time.monotonic()
                    self._share += CHUNK / self.options.notices
                for pid in self._workers():
                    job = self._job_of(pid)
                    if not job or not (anyone or (job == MAILER) == mailer):
                        continue
                    # Somewhere in the job, and not just when it is found.
                    time.sleep(self.random.uniform(0, self._seconds.get(job, 1)))
                    if self._job_of(pid) == job and self._stopped_at_work(pid):
                        return pid, job
            time.sleep(0.02)
        raise SetupError(f"No worker was at work for {seconds} s: {self._where()}")

    def _job_of(self, pid):
        """Name of the job that a worker runs, by Odoo's log; None between two jobs."""
        if not self._jobs:
            rows = self.query(
                "SELECT res_id, name FROM ir_model_data WHERE model = 'ir.cron'"
            ).splitlines()
            self._jobs = dict(row.split("|") for row in rows)
        with self.server.log.open(errors="replace") as log:
            log.seek(self._log_read)
            while (line := log.readline()).endswith("\n"):
                self._log_read = log.tell()
                if not (found := JOB_LINE.match(line)):
                    continue
                job = self._jobs.get(found["id"])
                self._running[int(found["pid"])] = found["what"] == "starting" and job
                if found["seconds"]:
                    usual = self._seconds.get(job, 1)
                    self._seconds[job] = (usual + float(found["seconds"])) / 2
        return self._running.get(pid)

    def _stopped_at_work(self, pid):
        os.kill(pid, signal.SIGSTOP)
        stopped = False
        try:
            stopped = pid in self._workers() and int(self.query(WORK_LEFT)) > 0
        finally:
            if not stopped:
                os.kill(pid, signal.SIGCONT)
        return stopped

    def _workers(self):
        """Process ids of the cron workers that run a job right now."""
        nice = os.getpriority(os.PRIO_PROCESS, self.server.process.pid)
        pids = map(int, self.query(AT_WORK).split())
        return {
            pid for pid in pids
            if os.getpriority(os.PRIO_PROCESS, pid) >= min(19, nice + CRON_NICENESS)
        }  # fmt: skip

    def _restart_database(self):
        """Once as an administrator would, once by a crash."""
        mode = ("fast", "immediate")[len(self.restarts) % 2]
        say(f"  PostgreSQL restarts ({mode})")
        self.cluster.stop(mode)
        time.sleep(self.random.uniform(0, 1))
        self.cluster.start()
        self.restarts.append(mode)

    # -- the end --------------------------------------------------------------------

    def _wait_for_mails(self, number):
        self._share = 1
        end = time.monotonic() + 20 + number / 5
        while len(self.smtp.received) < number and time.monotonic() < end:
            self._revive()
            with contextlib.suppress(SetupError):
                if self.saved >= self.options.notices and not int(self.query(WORK_SOON)):
                    return
            time.sleep(0.2)

    def _wait_until_done(self):
        end = time.monotonic() + self.options.patience
        while time.monotonic() < end:
            self._revive()
            with contextlib.suppress(SetupError):
                left = self.query(WORK_LEFT) if self.saved >= self.options.notices else "?"
                if left == "0":
                    return
            time.sleep(0.5)
        say(f"  It did not end within {self.options.patience} s: {self._where()}")

    def _where(self):
        """Where everything is, for the message."""
        try:
            return self.query(
                "SELECT 'executions ' || state, count(*) FROM crm_automation_firing GROUP BY 1 "
                "UNION ALL SELECT 'recipients ' || d.state || ', mail ' || coalesce(m.state, '-'), "
                "count(*) FROM crm_automation_delivery d LEFT JOIN mail_mail m ON m.id = d.mail_id "
                "GROUP BY 1"
            ).replace("\n", "; ")
        except SetupError as error:
            return str(error)

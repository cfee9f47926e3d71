"""An Odoo at work for an hour: who works with it, and what is done to it meanwhile."""

import contextlib
import os
import signal
import threading
import time

from .caldav_keys import make_keys
from .chaos_run import AT_WORK, HURRY, MAILER, Ordeal
from .dav_client import DavClient
from .say import SetupError, say, step
from .soak_account import Account
from .soak_caldav import Program, Shared
from .soak_lane import PATIENCE
from .soak_reminders import Reminders
from .soak_rules import Rules
from .soak_watch import Watch, children
from .workshop import terminate

#: Seconds between two kills, at random.
PACE = (10, 40)
#: In this part of the time the whole server is killed as well, each so many kills.
#: Afterwards a worker of each kind is spared: its memory is to be seen.
EARLY, WHOLE_SERVER_EVERY = 0.25, 4
PROGRAMS = 3
#: Seconds between two measurings, and two lines on the screen.
LOOK, SAY = 15, 60
#: Seconds that Odoo has at the end for what is left.
REST = 900
LEFT = """
    SELECT (SELECT count(*) FROM crm_automation_firing WHERE state = 'pending')
         + (SELECT count(*) FROM crm_automation_delivery WHERE state IN ('queued', 'retry'))
         + (SELECT count(*) FROM calendar_reminder WHERE state = 'pending')
         + (SELECT count(*) FROM calendar_invitation_outgoing WHERE state = 'pending')
         + (SELECT count(*) FROM mail_mail WHERE state = 'outgoing')
"""
# As what a failure has put off in the ledger of the executions.
HURRY_OTHERS = """
    UPDATE calendar_reminder SET run_at = now() AT TIME ZONE 'utc' WHERE id IN (
        SELECT id FROM calendar_reminder
         WHERE state = 'pending' AND tries > 0 AND run_at > now() AT TIME ZONE 'utc'
           FOR NO KEY UPDATE SKIP LOCKED);
    UPDATE calendar_invitation_outgoing SET next_try = NULL WHERE id IN (
        SELECT id FROM calendar_invitation_outgoing
         WHERE state = 'pending' AND next_try > now() AT TIME ZONE 'utc'
           FOR NO KEY UPDATE SKIP LOCKED)
"""
WAKE = """
    INSERT INTO ir_cron_trigger (cron_id, call_at)
    SELECT res_id, now() AT TIME ZONE 'utc' FROM ir_model_data
     WHERE model = 'ir.cron' AND (name = 'ir_cron_mail_scheduler_action'
           OR (module = 'crm_automation' AND name IN
               ('ir_cron_drainer_1', 'ir_cron_drainer_2', 'ir_cron_invitations')))
"""


class Soak(Ordeal):
    """``kills`` are ("http", "cron" or "server", whether it was at work).

    :param str remote: address of the other CalDAV server
    """

    def __init__(self, shop, database, smtp, remote, options):
        super().__init__(shop, database, smtp, options, port=8569, workers=2)
        self.watch = Watch(self.cluster, database)
        #: the last act begins before this; nobody waits for an answer after that
        self.ended, self.over = threading.Event(), threading.Event()
        shared = Shared()
        self.lanes = [
            Rules(self),
            Reminders(self),
            *(Program(self, number, shared) for number in range(PROGRAMS)),
            Account(self, remote),
        ]
        self.spared = set()
        self.left = None

    def client(self, login):
        return DavClient(self.server.url, login, self.keys[login], PATIENCE)

    def run(self):
        self.query(
            # Odoo's other jobs are nobody's business here, nor are the demo's reminders and
            # executions.
            "UPDATE ir_cron SET active = false WHERE id NOT IN (SELECT res_id FROM ir_model_data "
            f"WHERE model = 'ir.cron' AND (module = 'crm_automation' OR name = '{MAILER}'));"
            "DELETE FROM calendar_alarm_calendar_event_rel;"
            "DELETE FROM crm_automation_firing;"
            "DELETE FROM ir_config_parameter WHERE key = 'crm_automation.fetch_allowed';"
            "INSERT INTO ir_config_parameter (key, value)"
            " VALUES ('crm_automation.fetch_allowed', '127.0.0.1')"
        )
        self.keys = make_keys(self.cluster, self.database, ["luis"])
        with self.server:
            with step("Making what they work with", "10 s"):
                for lane in self.lanes:
                    lane.prepare()
            try:
                with step("Soaking", f"{self.options.minutes} minutes"):
                    self._soak()
                with step("Letting Odoo work off what is left", "5 minutes"):
                    self._rest()
                with step("Settling what nobody has answered", "1 minute"):
                    for lane in self.lanes:
                        lane.guarded(lane.settle)
                self._forget()
                self.watch.look(self.server.process.pid)
                self.watch.count("end")
                self.last = self.watch.alive(self.server.process.pid)
            finally:
                self.ended.set()
                self.over.set()
            terminate(self.server.process)

    # -- while they act -------------------------------------------------------------

    def _soak(self):
        length = self.options.minutes * 60
        begin = time.monotonic()
        marks = {"minute 5": min(300, length / 4), "middle": length / 2}
        next_kill = begin + self.random.uniform(*PACE)
        next_look = next_say = begin
        for lane in self.lanes:
            lane.start()
        while (now := time.monotonic()) < begin + length:
            self._revive()
            for moment, at in marks.items():
                if moment not in self.watch.tables and now > begin + at:
                    self.watch.count(moment)
            if now > next_look:
                next_look = now + LOOK
                self.watch.look(self.server.process.pid)
            if now > next_say:
                next_say = now + SAY
                say(f"  minute {(now - begin) / 60:.0f}: {self._line()}")
            if now > next_kill:
                next_kill = now + self.random.uniform(*PACE)
                self._kill(is_early=now < begin + EARLY * length)
            time.sleep(0.5)
        self.ended.set()
        for lane in self.lanes:
            lane.join(2 * PATIENCE)
            if lane.is_alive():
                lane.wrong.append("It did not end.")
        self.watch.count("end of the acts")

    def _line(self):
        acts = sum(lane.counts.total() for lane in self.lanes)
        wrong = sum(len(lane.wrong) for lane in self.lanes)
        return (
            f"{acts} acts, {len(self.smtp.received)} mails, {len(self.kills)} kills, {wrong} wrong"
        )

    def _kill(self, is_early):
        master = self.server.process.pid
        if is_early and len(self.kills) % WHOLE_SERVER_EVERY == WHOLE_SERVER_EVERY - 1:
            self.server.kill()
            self.kills.append(("server", True))
            self.server.start_odoo()
            return
        self.watch.look(master)
        workers = self.watch.by_kind(self.watch.alive(master))
        if not is_early and not self.spared:
            self.spared = {one.pid for kind in ("http", "cron") for one in workers[kind][:1]}
        kind = self.random.choice(("http", "cron"))
        pids = [one.pid for one in workers[kind] if one.pid not in self.spared]
        if not pids:
            return
        busy = self._at_work(pids) if kind == "cron" else []
        victim = self.random.choice(busy or pids)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            self.kills.append((kind, bool(busy)))

    def _at_work(self, pids):
        """Those of the workers that run a job right now."""
        with contextlib.suppress(SetupError):
            working = set(map(int, self.query(AT_WORK).split()))
            return [pid for pid in pids if pid in working]
        return []

    # -- the end ----------------------------------------------------------------------

    def _rest(self):
        """The mail server is well again, and what was put off is due now."""
        self.smtp.scale = 0
        end = time.monotonic() + REST
        next_look = next_wake = 0
        while time.monotonic() < end:
            self._revive()
            with contextlib.suppress(SetupError):
                self.query(HURRY.format(tries=9))
                self.query(HURRY_OTHERS)
                if time.monotonic() > next_wake:
                    next_wake = time.monotonic() + 2 * LOOK
                    self.query(WAKE)
                    self.cluster.psql(f"SELECT pg_notify('cron_trigger', '{self.database}')")
                self.left = int(self.query(LEFT))
                if not self.left and not self._is_at_work():
                    return
            if time.monotonic() > next_look:
                next_look = time.monotonic() + LOOK
                self.watch.look(self.server.process.pid)
            time.sleep(3)
        say(f"  {self.left} are left after {REST} s.")

    def _forget(self):
        """What is done once a day: nothing stays that is to be forgotten by then."""
        admin = self.lanes[0].session("admin")
        for name in ("ir_cron_caldav_forget", "autovacuum_job"):
            cron = self.query(f"SELECT res_id FROM ir_model_data WHERE name = '{name}'")
            admin.call("ir.cron", "method_direct_trigger", [int(cron)])

    def _is_at_work(self):
        pids = children(self.server.process.pid)
        return bool(self._at_work(pids))

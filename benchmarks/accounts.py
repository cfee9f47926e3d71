"""An account in step with Radicale and with Xandikos, beside vdirsyncer, in the same run.

vdirsyncer keeps the same calendar in step with a folder. Both begin with the same events
on the server; then nothing has changed; then ten events on each side. BENCH_EVENTS is
the size of the calendar that is idle, BENCH_FIRST that of the first time.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from caldav import PEERS, free_port, running

import session
from _bars import bar, peak, stopwatch
from _caldav_program import Meeting, Program

EVENTS = int(os.environ.get("BENCH_EVENTS", "10000"))
FIRST = int(os.environ.get("BENCH_FIRST", "2000"))
#: Of what is measured several times the least counts, of both.
ROUNDS = 3
CLIENTS = Path(os.environ.get("CRM_AUTOMATION_CLIENTS") or "/nowhere")
CONFIG = """\
[general]
status_path = "{folder}/status/"
[pair work]
a = "here"
b = "there"
collections = ["work"]
conflict_resolution = "b wins"
[storage here]
type = "filesystem"
path = "{folder}/here/"
fileext = ".ics"
[storage there]
type = "caldav"
url = "{url}"
username = "alice"
password = "alice"
"""


class Peer:
    """A server with so many events in the calendar ``work``, put there before it starts."""

    def __init__(self, name, number):
        self.name, self.folder, self.port = name, Path(tempfile.mkdtemp()), free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.meetings = [Meeting(turn, "acc") for turn in range(number)]

    @contextlib.contextmanager
    def up(self):
        make = self._radicale if self.name == "Radicale" else self._xandikos
        try:
            with make():
                yield self
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def _radicale(self):
        calendar = self.folder / "collection-root/alice/work"
        calendar.mkdir(parents=True)
        (calendar / ".Radicale.props").write_text('{"tag": "VCALENDAR", "D:displayname": "work"}')
        for meeting in self.meetings:
            (calendar / meeting.name).write_text(meeting.text(), newline="")
        command = [
            PEERS / "python", "-m", "radicale", "--server-hosts", f"127.0.0.1:{self.port}",
            "--auth-type", "none", "--storage-filesystem-folder", self.folder,
        ]  # fmt: skip
        self.home = f"{self.url}alice/"
        with running(command, self.port):
            yield

    @contextlib.contextmanager
    def _xandikos(self):
        command = [
            PEERS / "xandikos", "serve", "-d", self.folder, "--defaults",
            "--current-user-principal", "/alice/", "-p", self.port,
        ]  # fmt: skip
        self.home = f"{self.url}alice/calendars/"
        with running(command, self.port):
            program = Program(self.home, "alice", "alice")
            assert program.ask("MKCALENDAR", "/alice/calendars/work/")[0] == 201
        # By its own files: PUTs would take longer than all that is measured.
        calendar = self.folder / "alice/calendars/work"
        for meeting in self.meetings:
            (calendar / meeting.name).write_text(meeting.text(), newline="")
        git = ["git", "-C", calendar, "-c", "user.name=x", "-c", "user.email=x@example.com"]
        for words in (["add", "."], ["commit", "-qm", "x"]):
            subprocess.run([*git, *words], check=True, stdout=subprocess.DEVNULL)
        with running(command, self.port):
            yield

    def program(self):
        program = Program(self.home, "alice", "alice")
        program.path = f"{program.root}work/"
        return program


class Vdirsyncer:
    """The peer."""

    word = "Here"

    def __init__(self, peer):
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "config").write_text(CONFIG.format(folder=self.folder, url=peer.home))
        (self.folder / "here/work").mkdir(parents=True)
        self._run("discover")

    def _run(self, word):
        subprocess.run(
            [CLIENTS / "vdirsyncer", "-v", "CRITICAL", "-c", self.folder / "config", word],
            input="y\n" * 5, text=True, check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def sync(self):
        """(seconds,)"""
        took = []
        with stopwatch(took):
            self._run("sync")
        return tuple(took)

    def number(self):
        return len(list((self.folder / "here/work").glob("*.ics")))

    def change(self, count, word):
        for path in sorted((self.folder / "here/work").glob("*.ics"))[-count:]:
            old, new = b"SUMMARY:", f"SUMMARY:{word} ".encode()
            path.write_bytes(path.read_bytes().replace(old, new))

    def end(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Ours:
    """The account of Luis."""

    word = "Ours"

    def __init__(self, peer):
        with session.environment() as env:
            forget(env)
            env["ir.config_parameter"].set_param("crm_automation.fetch_allowed", "127.0.0.1")
            account = env["caldav.account"].with_user(luis(env)).create(
                {"name": "Bench", "url": peer.url, "login": "alice", "password": "alice"}
            )  # fmt: skip
            account.action_connect()
            calendar = account.calendar_ids.filtered(lambda one: "/work/" in one.url)
            calendar.write({"enabled": True, "place": "agenda"})
            self.id = account.id

    def sync(self):
        """(seconds, requests)"""
        with session.environment() as env:
            account = env["caldav.account"].browse(self.id)
            before = sum(account.run_ids.mapped("request_count"))
            took = []
            while True:
                account.next_sync = env.cr.now()
                env.cr.commit()
                with stopwatch(took):
                    env["caldav.account"]._sync_due()
                env.invalidate_all()
                if account.state != "working":
                    break
            assert account.state == "ok", account.message
            return sum(took), sum(account.run_ids.mapped("request_count")) - before

    def number(self):
        with session.environment() as env:
            return len(set(self._events(env).mapped("ical_uid")))

    def change(self, count, word):
        with session.environment() as env:
            singles = self._events(env).filtered(
                lambda one: not (one.recurrence_id or one.name.startswith("Theirs "))
            )
            for one in singles.sorted("ical_uid")[-count:]:
                one.name = f"{word} {one.name}"

    def _events(self, env):
        return env["calendar.event"].search([("user_id", "=", luis(env).id)])


def luis(env):
    return env["res.users"].search([("login", "=", "luis")])


def forget(env):
    env["caldav.account"].search([]).unlink()
    events = env["calendar.event"].with_context(active_test=False)
    events.search([("user_id", "=", luis(env).id)]).unlink()


def import_time(number):
    """Seconds that Odoo needs for an import of so many."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x"]
    for turn in range(number):
        text = Meeting(turn, "imp").text()
        lines.append(text[text.index("BEGIN:VEVENT") : text.index("END:VCALENDAR")].rstrip())
    data = "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()
    took = []
    with session.environment() as env:
        forget(env)
        events = env["calendar.event"].with_user(luis(env))
        with stopwatch(took):
            events._ical_upsert(events._ical_compare(data, luis(env)), luis(env))
            env.cr.commit()
    return took[0]


def measure(name, number, imported):
    """First time, idle, and ten changes on each side, of both."""
    with Peer(name, number).up() as peer:
        theirs = Vdirsyncer(peer)
        try:
            [first] = theirs.sync()
            [idle] = min(theirs.sync() for _turn in range(ROUNDS))
            [both] = min(changed(theirs, peer, turn) for turn in range(ROUNDS))
            assert theirs.number() == number
        finally:
            theirs.end()
        print(f"{name}, {number}: vdirsyncer first {first:.1f} s, idle {idle:.2f} s, "
              f"10 and 10 {both:.2f} s", flush=True)  # fmt: skip
        ours = Ours(peer)
        before = peak()
        our_first, asked = ours.sync()
        grown = peak() - before
        our_idle, requests = min(ours.sync() for _turn in range(ROUNDS))
        our_both, both_requests = min(
            changed(ours, peer, turn) for turn in range(ROUNDS, 2 * ROUNDS)
        )
        print(
            f"{name}, {number}: ours first {our_first:.1f} s ({asked} requests, {grown:.0f} MiB),"
            f" idle {our_idle:.2f} s ({requests}), 10 and 10 {our_both:.2f} s ({both_requests})",
            flush=True,
        )
        right = ours.number() == number and check(peer)
    word = name.lower()
    if number == FIRST:
        bar(f"{word}_first", our_first, "s", "<=", round(first + imported, 1))
    if number == EVENTS:
        bar(f"{word}_idle_requests", requests, "requests", "<=", 3)
        bar(f"{word}_idle", our_idle, "s", "<=", round(0.5 * idle, 2))
        bar(f"{word}_ten_changes", our_both, "s", "<=", round(0.5 * both, 2))
        bar(f"{word}_memory", grown, "MiB", "<=", 200)
    bar(f"{word}_right_{number}", int(right), "", ">=", 1)


def changed(side, peer, turn):
    """What ten changes on each side take.

    :param side: Vdirsyncer or Ours
    :param int turn: says which ten of the server's
    """
    change_there(peer, range(10 * turn, 10 * turn + 10), "Theirs")
    side.change(10, side.word)
    return side.sync()


def change_there(peer, turns, word):
    program = peer.program()
    for turn in turns:
        meeting = peer.meetings[turn]
        status, text, _took = program.ask("GET", program.path + meeting.name)
        assert status == 200
        text = text.replace("SUMMARY:", f"SUMMARY:{word} ", 1)
        status, _text, _took = program.ask(
            "PUT", program.path + meeting.name, text, Content_Type="text/calendar"
        )
        assert status in (200, 201, 204)


def check(peer):
    """Whether what was changed in Odoo is there, and what was changed there in Odoo."""
    program = peer.program()
    with session.environment() as env:
        events = env["calendar.event"].search([("user_id", "=", luis(env).id)])
        came = set(events.filtered(lambda one: one.name.startswith("Theirs ")).mapped("ical_uid"))
        went = events.filtered(lambda one: one.name.startswith("Ours ")).mapped("ical_uid")
    there = [
        "SUMMARY:Ours " in program.ask("GET", f"{program.path}{uid.partition('@')[0]}.ics")[1]
        for uid in went
    ]
    return len(came) >= 20 and len(there) == 10 and all(there)


def main():
    session.start()
    if not (PEERS.is_dir() and (CLIENTS / "vdirsyncer").exists()):
        print("No peers: they could not be had.")
        return
    imported = import_time(FIRST)
    print(f"import of {FIRST}: {imported:.1f} s", flush=True)
    for name in ("Radicale", "Xandikos"):
        for number in sorted({FIRST, EVENTS}):
            begun = time.monotonic()
            measure(name, number, imported)
            print(f"({time.monotonic() - begun:.0f} s in all)", flush=True)


if __name__ == "__main__":
    main()

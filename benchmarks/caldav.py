"""CalDAV on a calendar of 2,000 events, beside four other servers, in the same run.

Each in a process of its own, asked by the same program; every answer is checked. And our
own with 10,000, to see how it grows; the first of these are imported. The floor is what the
same Odoo takes to answer without any work (``/web/health``), stock's cost its own create and
unlink of such a meeting.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import _php_peers
import session
from _bars import bar, stopwatch
from _caldav_program import Program
from _servers import WORKERS, free_port, running

EVENTS = int(os.environ.get("BENCH_EVENTS", "2000"))
GROWTH = int(os.environ.get("BENCH_GROWTH", "5"))
EVENT = re.compile("BEGIN:VEVENT.*END:VEVENT\r\n", re.S)
PEERS = Path(os.environ.get("CRM_AUTOMATION_PEERS") or "/nowhere")
#: Reads: at most 0.7 times the best peer, plus 3 ms; and at most 1.5 times SabreDAV, or the
#: best peer where it has no answer.
HEAVY = (
    "PROPFIND 1", "sync, initial", "multiget of 100", "week, etags", "week, data",
    "week, expanded", "query, all", "query by UID",
)  # fmt: skip
LIGHT = ("GET", "PROPFIND 0", "sync, idle", "sync, 10 changes")
SABREDAV = "SabreDAV 1.8"
#: Meetings of one import.
BATCH = 500


def memory(process):
    """MiB of the largest of its workers."""
    found = subprocess.run(
        ["ps", "-o", "rss=", "--ppid", str(process.pid)], capture_output=True, text=True
    )
    return max((int(one) for one in found.stdout.split()), default=0) / 1024


@contextlib.contextmanager
def our_server():
    port = free_port()
    script = Path(session.__file__).with_name("odoo_server.py")
    command = [
        sys.executable, script, "server", *os.environ["ODOO_OPTIONS"].split("\n"),
        f"--http-port={port}", f"--gevent-port={free_port()}", f"--workers={WORKERS}",
        "--max-cron-threads=0",
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with running(command, port, environment) as process:
        yield f"http://127.0.0.1:{port}/caldav/", process


@contextlib.contextmanager
def radicale():
    port, folder = free_port(), tempfile.mkdtemp()
    command = [
        PEERS / "python", "-m", "radicale", "--server-hosts", f"127.0.0.1:{port}",
        "--auth-type", "none", "--storage-filesystem-folder", folder,
    ]  # fmt: skip
    try:
        with running(command, port):
            yield f"http://127.0.0.1:{port}/"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def xandikos():
    port, folder = free_port(), tempfile.mkdtemp()
    command = [
        PEERS / "xandikos", "serve", "-d", folder, "--defaults", "--current-user-principal",
        "/alice/", "-p", port,
    ]  # fmt: skip
    try:
        with running(command, port):
            yield f"http://127.0.0.1:{port}/"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stock_costs():
    """(ms of a create, ms of an unlink) of such a meeting by Odoo itself."""
    made, gone = [], []
    start = datetime(2026, 5, 4, 9)
    with session.environment() as env:
        events = env["calendar.event"].with_user(env["res.users"].search([("login", "=", "luis")]))
        for number in range(40):
            with stopwatch(made):
                event = events.create(
                    {
                        "name": f"Stock {number}", "description": "Agenda " * 50,
                        "start": start, "stop": start + timedelta(hours=1),
                    }
                )  # fmt: skip
                env.cr.commit()
            with stopwatch(gone):
                event.unlink()
                env.cr.commit()
    return tuple(sorted(times)[len(times) // 2] * 1000 for times in (made, gone))


def main():
    session.start()
    with session.environment() as env:
        luis = env["res.users"].search([("login", "=", "luis")])
        key = env["res.users.apikeys"].with_user(luis).sudo()._generate("caldav", "Bench", None)
    create, unlink = stock_costs()
    print(f"stock: create {create:.1f} ms, unlink {unlink:.1f} ms", flush=True)
    with our_server() as (url, process):
        ours = Program(url, "luis", key)
        ours.timed("floor", 40, lambda _turn: ours.ask("GET", "/web/health"))
        sizes = [memory(process)]
        ours.run(EVENTS)
        show("ours", ours)
        sizes.append(memory(process))
        grown = Program(url, "luis", key)
        for _turn in range(2):
            grown.run(EVENTS * GROWTH, import_meetings)
            sizes.append(memory(process))
        show(f"ours, {EVENTS * GROWTH} events", grown)
    print(f"largest worker: {', '.join(f'{size:.0f}' for size in sizes)} MiB")
    peers = run_peers()
    judge(ours, grown, peers, create, unlink)
    bar("memory", sizes[1] - sizes[0], "MiB", "<=", 60)
    bar(f"memory_of_{EVENTS * GROWTH}", sizes[2] - sizes[0], "MiB", "<=", 60)
    bar("memory_after_that", sizes[3] - sizes[2], "MiB", "<=", 5)


def import_meetings(meetings, path):
    """Into the calendar at that path, by Odoo itself."""
    from odoo.addons.crm_automation.models.ical_incoming import Options

    options = Options(source="caldav", force=True, invite=False)
    for at in range(0, len(meetings), BATCH):
        some = meetings[at : at + BATCH]
        events = "".join(EVENT.search(meeting.text())[0] for meeting in some)
        text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//b//EN\r\n{events}END:VCALENDAR\r\n"
        with session.environment() as env:
            luis = env["res.users"].search([("login", "=", "luis")])
            outcomes = env["calendar.event"]._ical_compare(text.encode(), luis, options)
            env["calendar.event"]._ical_upsert(outcomes, luis, options)
            calendar = env["caldav.collection"]._of(luis, "own", path.split("/")[-2])
            for meeting in some:
                env["caldav.place"]._put(luis, meeting.uid, calendar)
            calendar._catch_up({meeting.uid: meeting.name for meeting in some})
            env.cr.commit()


def run_peers():
    """dict from name to Program of those that are there."""
    peers = {}
    for name, server, folder in (
        ("Radicale", radicale, PEERS), ("Xandikos", xandikos, PEERS),
        (SABREDAV, _php_peers.sabredav, _php_peers.ROOT),
        ("DAViCal", _php_peers.davical, _php_peers.ROOT),
    ):  # fmt: skip
        if not folder.is_dir():
            print(f"{name} is missing: it could not be had.")
            continue
        with server() as url:
            program = Program(url, "alice", "alice")
            program.run(EVENTS)
        peers[name] = program
        show(name, program)
    print("SabreDAV 4 is missing: it is only in Composer's registry.")
    return peers


def show(name, program):
    times = ", ".join(f"{what} {value:.1f}" for what, value in program.times.items())
    wrong = [what for what, is_right in program.checks.items() if not is_right]
    print(f"{name}: {times}, mixed {program.mixed:.0f}/s; wrong: {wrong or 'nothing'}", flush=True)


def judge(ours, grown, peers, create, unlink):
    sabredav = peers.get(SABREDAV)
    for what, factor, more in [(one, 0.7, 3) for one in HEAVY] + [(one, 1.5, 0) for one in LIGHT]:
        is_there = what in LIGHT and sabredav and what in sabredav.times
        others = [sabredav] if is_there else peers.values()
        best = min((peer.times[what] for peer in others if what in peer.times), default=None)
        if best is not None:
            limit = round(factor * best + more, 1)
            bar(what.replace(" ", "_").replace(",", ""), ours.times[what], "ms", "<=", limit)
    bar("PUT", ours.times["PUT new"], "ms", "<=", round(1.3 * create + 5, 1))
    bar("DELETE", ours.times["DELETE"], "ms", "<=", round(1.3 * unlink + 5, 1))
    if "DAViCal" in peers:
        bar(
            "PUT_and_DAViCal",
            ours.times["PUT new"],
            "ms",
            "<=",
            round(peers["DAViCal"].times["PUT new"], 1),
        )
    bar("PUT_growth", grown.times["PUT new"] / ours.times["PUT new"], "times", "<=", 1.2)
    if sabredav:
        bar("mixed", ours.mixed, "/s", ">=", round(sabredav.mixed))
    wrong = sum(not is_right for one in (ours, grown) for is_right in one.checks.values())
    bar("wrong_answers", wrong, "answers", "<=", 0)


if __name__ == "__main__":
    main()

"""CalDAV on a calendar of 2,000 events, beside four other servers, in the same run.

Each in a process of its own, asked by the same program; every answer is checked. And our
own with 10,000, to see how it grows. The floor is an answer of the same Odoo without any
work, stock's cost its own create and unlink of such a meeting.
"""

import contextlib
import os
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
PEERS = Path(os.environ.get("CRM_AUTOMATION_PEERS") or "/nowhere")
#: Reads: at most 0.7 times the best peer, plus 3 ms; and at most 1.5 times the best peer.
HEAVY = (
    "PROPFIND 1", "sync, initial", "multiget of 100", "week, etags", "week, data",
    "week, expanded", "query, all", "query by UID",
)  # fmt: skip
LIGHT = ("GET", "PROPFIND 0", "sync, idle", "sync, 10 changes")


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
        ours.timed("floor", 40, lambda _turn: ours.ask("OPTIONS", "/caldav/"))
        before = memory(process)
        ours.run(EVENTS)
        show("ours", ours)
        grown = Program(url, "luis", key)
        grown.run(EVENTS * GROWTH)
        show(f"ours, {EVENTS * GROWTH} events", grown)
        after = memory(process)
    peers = run_peers()
    judge(ours, grown, peers, create, unlink)
    bar("memory", after - before, "MiB", "<=", 60)


def run_peers():
    """dict from name to Program of those that are there."""
    peers = {}
    for name, server, folder in (
        ("Radicale", radicale, PEERS), ("Xandikos", xandikos, PEERS),
        ("SabreDAV 1.8", _php_peers.sabredav, _php_peers.ROOT),
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
    for what, factor, more in [(one, 0.7, 3) for one in HEAVY] + [(one, 1.5, 0) for one in LIGHT]:
        best = min(
            (peer.times[what] for peer in peers.values() if what in peer.times), default=None
        )  # fmt: skip
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
    if peers:
        bar("mixed", ours.mixed, "/s", ">=", round(max(one.mixed for one in peers.values())))
    wrong = sum(not is_right for one in (ours, grown) for is_right in one.checks.values())
    bar("wrong_answers", wrong, "answers", "<=", 0)


if __name__ == "__main__":
    main()

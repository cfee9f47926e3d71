"""What a soak has come to: the table of all that was counted, and the promises.

Owns what of memory, connections and rows is too much, and which tables keep what on
purpose.
"""

import collections
import re
import statistics

from .say import listed, say
from .soak_caldav import OWN, SHARED, Program
from .soak_lane import MailLane
from .soak_run import PROGRAMS
from .soak_watch import OF_ODOO

#: Of a process: how many MiB, and how much of what it had in its fifth minute, it may
#: hold more at the end.
MORE_MIB, MORE = 10, 0.15
#: Seconds of a process's life until it has loaded what it needs.
WARM = 300
#: Connections that there may be more at the end than at the most until minute 5.
MORE_CONNECTIONS = 2
ENDED = re.compile(r"Worker\w+ \(\d+\) timeout after")
#: Rows that a table may have more without a reason: of jobs that are at work.
FEW = 20
#: Of meetings that are there at a time.
OBJECTS = PROGRAMS * OWN + SHARED + 2 * PROGRAMS
#: What lanes count that is a change of a meeting.
ACTS = (
    "made", "changed", "deleted", "words", "retired", "meetings", "moved", "cancelled",
    "made in Odoo", "edited in Odoo", "deleted in Odoo", "made there", "edited there",
    "deleted there",
)  # fmt: skip
UNDELIVERED = """
    SELECT mail.state, count(*) FROM mail_mail mail
     WHERE EXISTS (SELECT FROM crm_automation_delivery d WHERE d.mail_id = mail.id)
        OR EXISTS (SELECT FROM calendar_reminder r WHERE r.mail_id = mail.id)
     GROUP BY 1
"""


def report(soak):
    """Print everything. :return: the exit code"""
    letters = list(soak.smtp.received)
    for lane in soak.lanes:
        lane.guarded(lane.judge, letters)
    _print_lanes(soak)
    checks = {lane.name: not lane.wrong for lane in soak.lanes}
    checks |= _mails(soak, letters)
    checks |= _memory(soak)
    checks |= _connections(soak)
    checks |= _tables(soak)
    checks["all done"] = soak.left == 0
    checks["kills"] = len(soak.kills) > 0
    for lane in soak.lanes:
        for line in lane.wrong[:10]:
            print(f"WRONG {lane.name}: {line}")
    for name, good in checks.items():
        print(f"CHECK {name} {'PASS' if good else 'FAIL'}", flush=True)
    if not all(checks.values()):
        say(f"Odoo's log: {soak.server.log}")
    return 0 if all(checks.values()) else 1


def _print_lanes(soak):
    kills = collections.Counter(kind for kind, _at_work in soak.kills)
    busy = sum(kind == "cron" and at_work for kind, at_work in soak.kills)
    print(f"\n{soak.options.minutes:g} minutes, {len(soak.kills)} kills: {listed(kills)};"
          f" workers in the middle of a job: {busy}")  # fmt: skip
    print(f"Odoo ended by itself, and was started again: {soak.ends};"
          f" it has ended workers itself that took too long: {_ended(soak)}")  # fmt: skip
    for lane in soak.lanes:
        print(f"{lane.name + ':':12} {listed(lane.counts)}")
        for fault, number in lane.faults.most_common(5):
            print(f"{'':12} Odoo answered {number} times: {fault}")


def _ended(soak):
    """How many workers Odoo's master has killed: a round of jobs has its time as well."""
    with soak.server.log.open(errors="replace") as log:
        return sum(bool(ENDED.search(line)) for line in log)


def _mails(soak, letters):
    """The mails, and what Odoo says of them."""
    print(f"\nfaults of the mail server: {listed(soak.smtp.faults)}")
    allowed = len(soak.kills) + soak.ends + _ended(soak) + soak.smtp.cut_after_data
    repeats = 0
    for lane in soak.lanes:
        if not isinstance(lane, MailLane):
            continue
        own = [letter for some in lane.own(letters).values() for letter in some]
        different = {letter[:3] for letter in own}
        repeats += len(own) - len(different)
        late = lane.lateness(letters) or [0]
        wanted = sum(least for least, _most in lane.expected.values())
        print(f"{lane.name + ':':12} {wanted} mails expected at least, {len(different)} different"
              f" ones came, {len(own) - len(different)} of them again; seconds after their moment:"
              f" {late[0]:.0f} / {statistics.median(late):.0f} / {late[-1]:.0f}")  # fmt: skip
    print(f"came again: {repeats}, allowed: {allowed}")
    states = {
        table: counted(soak, f"SELECT state, count(*) FROM {table} GROUP BY 1")
        for table in ("crm_automation_firing", "crm_automation_delivery", "calendar_reminder")
    }
    for table, found in states.items():
        print(f"{table}: {listed(found)}")
    undelivered = counted(soak, UNDELIVERED)
    print(f"their mails that are left: {listed(undelivered)};"
          f" all: {listed(counted(soak, 'SELECT state, count(*) FROM mail_mail GROUP BY 1'))}"
    )  # fmt: skip
    failed = sum(found.get("failed", 0) + found.get("expired", 0) for found in states.values())
    return {
        "repeats": repeats <= allowed,
        "none failed": not failed and not {"exception", "outgoing"} & undelivered.keys(),
    }


def _memory(soak):
    print("\nMiB of the processes: least / median / most")
    for kind, some in sorted(soak.watch.by_kind(soak.watch.processes.values()).items()):
        for name, sizes in (
            (f"in their minute {WARM // 60}", [one.at(WARM) for one in some if one.at(WARM)]),
            ("at the end", [one.memory[-1][1] for one in soak.last if one.kind == kind]),
        ):
            if sizes:
                print(f"  {kind:8} {name:16} {min(sizes):.0f} / {statistics.median(sizes):.0f} /"
                      f" {max(sizes):.0f} ({len(sizes)} processes)")  # fmt: skip
    good = True
    for one in soak.last:
        warm, (age, size) = one.at(WARM), one.memory[-1]
        if warm and age > 2 * WARM:
            good &= size <= warm * (1 + MORE) + MORE_MIB
            print(f"  {one.kind} {one.pid}: {warm:.0f} in minute {WARM // 60} of its life,"
                  f" {one.at(age / 2):.0f} after half of it, {size:.0f} after"
                  f" {age / 60:.0f} minutes")  # fmt: skip
    return {"memory": good}


def _connections(soak):
    found = soak.watch.connections
    first = found[: max(len(found) // 4, 1)]
    print(f"\nPostgreSQL's connections: {min(found)} / {statistics.median(found):g} / {max(found)},"
          f" until minute 5 at most {max(first)}, at the end {found[-1]};"
          f" idle in a transaction for five minutes: {soak.watch.idle}")  # fmt: skip
    return {"connections": max(found[-4:]) <= max(first) + MORE_CONNECTIONS and not soak.watch.idle}


def _tables(soak):
    tables = soak.watch.tables
    moments = list(tables)
    bounds = _bounds(soak)
    print(f"\n{'rows':32} {' '.join(f'{name:>16}' for name in moments)}  bytes an act; why")
    good = True
    for name in tables[moments[0]]:
        rows = [tables[moment][name][0] for moment in moments]
        if not any(rows):
            continue
        most, why = bounds.get(name, (FEW, ""))
        if name in OF_ODOO:
            most, why = float("inf"), "Odoo's own"
        grown = rows[-1] - rows[0]
        is_good = grown <= most
        good &= is_good
        size = tables[moments[-1]][name][1] - tables[moments[0]][name][1]
        each = f"{size / grown:8.0f}" if grown > FEW else f"{'':8}"
        print(f"{name:32} {' '.join(f'{number:>16}' for number in rows)}  {each}  {why}"
              f"{'' if is_good else f'  MORE THAN {most}'}")  # fmt: skip
    return {"tables": good}


def _bounds(soak):
    """Table to how many rows it may grow by in all the acts, and why it keeps them."""
    counts = collections.Counter()
    for lane in soak.lanes:
        kind = "program" if isinstance(lane, Program) else lane.name
        for name, number in lane.counts.items():
            counts[kind] += number * (name in ACTS)
            counts[f"{kind} {name}"] += number
    firings = counts["rules leads"] + counts["rules moved"]
    meetings = counts["reminders meetings"] + counts["reminders moved"]
    objects = counts["program made"] + counts["program shared made"]
    synced = counts["account made in Odoo"] + counts["account made there"]
    lost = sum(lane.counts["no answer"] for lane in soak.lanes)
    changes = 3 * (counts["program"] + counts["account"] + counts["reminders"])
    bounds = {
        "crm_automation_firing": (firings, "the log of 180 days"),
        "crm_automation_delivery": (firings, "the log of 180 days"),
        "calendar_reminder": (3 * meetings, "the log of 180 days"),
        "caldav_change": (changes, "a day, for texts and tokens"),
        "caldav_member": (objects + synced, "deletions are told for a year"),
        "caldav_object": (OBJECTS + synced, "the texts of what is there"),
        "caldav_place": (OBJECTS, "of what is there"),
        "calendar_ical_source": (OBJECTS + synced, "of what is there"),
        "caldav_account_object": (synced, "of what is there, and a day of the rest"),
        "caldav_account_run": (
            counts["account"] + counts["account told to ask"], "the log of 90 days",
        ),
        "caldav_account_change": (2 * counts["account"], "the log of 90 days"),
    }  # fmt: skip
    return {name: (most + lost + FEW, why) for name, (most, why) in bounds.items()}


def counted(soak, query):
    rows = (row.rpartition("|") for row in soak.query(query).splitlines())
    return {state: int(number) for state, _bar, number in rows}

"""What a running Odoo holds: memory of its processes, connections, rows and bytes.

Only looks; what of it is too much is ``soak_judge.py``'s.
"""

import collections
import contextlib
import os
import time
from pathlib import Path

from .chaos_run import CRON_NICENESS
from .say import SetupError

MIB = 2**20
PAGE = os.sysconf("SC_PAGE_SIZE")
#: Tables of the addon.
TABLES = """
    SELECT replace(model.model, '.', '_') FROM ir_model model
      JOIN ir_model_data ours ON ours.model = 'ir.model' AND ours.res_id = model.id
       AND ours.module = 'crm_automation'
     WHERE NOT model.transient AND to_regclass(replace(model.model, '.', '_')) IS NOT NULL
       AND NOT EXISTS (SELECT FROM ir_model_data other WHERE other.model = 'ir.model'
                          AND other.res_id = model.id AND other.module <> 'crm_automation')
"""
#: Those of Odoo that grow by what is done there; and one of which nothing may stay.
OF_ODOO = ("bus_bus", "ir_attachment", "mail_mail", "mail_message")
FOR_ODOO = ("ir_cron_trigger",)
CONNECTIONS = """
    SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in transaction%'
                                        AND state_change < now() - interval '5 minutes')
      FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Process:
    """One of Odoo's processes: what it is, and its memory in the course of time."""

    def __init__(self, pid, kind):
        self.pid, self.kind = pid, kind
        self.begin = time.monotonic()
        #: (seconds of its life, MiB)
        self.memory = []

    def at(self, seconds):
        """MiB at an age, as it was measured first afterwards; None: it was not so old."""
        return next((size for age, size in self.memory if age >= seconds), None)


class Watch:
    """:param cluster: of PostgreSQL
    :param str database: name
    """

    def __init__(self, cluster, database):
        self.cluster, self.database = cluster, database
        #: process id to Process, also of those that have ended
        self.processes = {}
        #: numbers of connections; how many of them were idle in a transaction for long
        self.connections, self.idle = [], 0
        #: name of a moment to table to (rows, bytes)
        self.tables = {}

    def query(self, query):
        return self.cluster.psql(query, self.database)

    def look(self, master):
        """Measure once.

        :param int master: process id of the server
        """
        nice = os.getpriority(os.PRIO_PROCESS, master)
        for pid in [master, *children(master)]:
            with contextlib.suppress(OSError, ProcessLookupError):
                size = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / MIB
                if pid not in self.processes:
                    self.processes[pid] = Process(pid, self.kind(pid, master, nice))
                process = self.processes[pid]
                process.memory.append((time.monotonic() - process.begin, size))
        with contextlib.suppress(SetupError):
            number, idle = map(int, self.query(CONNECTIONS).split("|"))
            self.connections.append(number)
            self.idle = max(self.idle, idle)

    def kind(self, pid, master, nice):
        if pid == master:
            return "master"
        if b"\0gevent\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return "gevent"
        is_nicer = os.getpriority(os.PRIO_PROCESS, pid) >= min(19, nice + CRON_NICENESS)
        return "cron" if is_nicer else "http"

    def count(self, moment):
        """Count the rows of all tables.

        :param str moment: its name
        """
        names = sorted({*self.query(TABLES).split(), *OF_ODOO, *FOR_ODOO})
        query = " UNION ALL ".join(
            f"SELECT '{name}', (SELECT count(*) FROM {name}), pg_total_relation_size('{name}')"
            for name in names
        )
        rows = (row.split("|") for row in self.query(query).splitlines())
        self.tables[moment] = {name: (int(number), int(size)) for name, number, size in rows}

    def alive(self, master):
        """Those of the processes that are there now."""
        there = {master, *children(master)}
        return [one for pid, one in self.processes.items() if pid in there]

    def by_kind(self, processes):
        found = collections.defaultdict(list)
        for process in processes:
            found[process.kind].append(process)
        return found


def children(pid):
    """Process ids of the children of a process."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            # The name, in brackets, may hold anything.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(folder.name))
    return sorted(found)

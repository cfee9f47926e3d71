"""Calendars in memory, and a client for them: the protocol without a database."""

from dataclasses import replace
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from crm_automation.dav.backend import Backend, Calendar, Entry, File, Person, Written
from crm_automation.dav.changes import COMPONENTS
from crm_automation.dav.errors import InvalidToken
from crm_automation.dav.requests import Request, decoded
from crm_automation.dav.server import Server
from crm_automation.tests.rows.program import Program, Reply

NOW = datetime(2027, 3, 1, 12, tzinfo=timezone.utc)


class Memory(Backend):
    max_size = 100_000
    max_file_size, max_files = 1_000, 3

    def __init__(self):
        self.user = Person("ana@x.es", "Ana Ruiz", ("ana@x.es",), ZoneInfo("Europe/Madrid"))
        self.home = {}
        self.kept = {
            "agenda": Calendar("agenda", "Agenda", "", fixed=True),
            "tasks": Calendar("tasks", "Tasks", "", components=("VTODO",), fixed=True),
            "team": Calendar("team", "Team", "", rights=frozenset(), fixed=True),
        }
        #: calendar to {name: (Entry, text, version or None when it is gone)}
        self.objects = {name: {} for name in (*self.kept, "inbox")}
        #: of others: address to spans
        self.times = {}
        #: of each deletion, whether an organizer hears of it
        self.told = []
        self.asked = []
        #: MANAGED-ID to (UID, File)
        self.files = {}
        self.version = 0

    def person(self):
        return self.user

    def calendars(self):
        return [replace(one, token=f"e-{self._version(one.name)}") for one in self.kept.values()]

    def _version(self, name):
        return max([0, *(row[2] for row in self.objects[name].values())])

    def home_properties(self):
        return self.home

    def set_home_properties(self, properties):
        self.home = properties

    def make_calendar(self, name, components, values):
        made = Calendar(name, values.pop("title", name), "", components or COMPONENTS[:3])
        self.kept[name] = replace(made, **values)
        self.objects[name] = {}

    def change_calendar(self, calendar, values):
        self.kept[calendar.name] = replace(self.kept[calendar.name], **values)

    def delete_calendar(self, calendar):
        del self.kept[calendar.name], self.objects[calendar.name]

    def entries(self, calendar, names=None, uid=None, search=None):
        return [
            entry
            for entry, text, _version in self.objects[calendar.name].values()
            if text is not None
            and (names is None or entry.name in names)
            and (uid is None or entry.uid == uid)
            and (search is None or search.component in (None, entry.component))
        ]

    def texts(self, calendar, entries):
        for entry in entries:
            yield entry, self.objects[calendar.name][entry.name][1]

    def changes(self, calendar, token, limit=None):
        if token and not (token.startswith("e-") and token[2:].isdigit()):
            raise InvalidToken("foreign")
        since = int(token[2:]) if token else 0
        if since > self.version:
            raise InvalidToken("from the future")
        rows = sorted(
            (row for row in self.objects[calendar.name].values() if row[2] > since),
            key=lambda row: row[2],
        )
        if not token:
            rows = [row for row in rows if row[1] is not None]
        is_all = limit is None or len(rows) <= limit
        rows = rows[:limit]
        token = f"e-{self._version(calendar.name) if is_all else rows[-1][2]}"
        changed = [row[0] for row in rows if row[1] is not None]
        return changed, [row[0].name for row in rows if row[1] is None], token, is_all

    def put(self, calendar, name, uid, component, text, entry):
        self.version += 1
        made = Entry(name, uid, f"v{self.version}", component, NOW.replace(tzinfo=None))
        self.objects[calendar.name][name] = (made, text, self.version)
        return Written(made, entry is None, True)

    def delete(self, calendar, entry, is_told=True):
        self.told.append(is_told)
        self.version += 1
        self.objects[calendar.name][entry.name] = (entry, None, self.version)

    def move(self, calendar, entry, target, name):
        text = self.objects[calendar.name][entry.name][1]
        self.delete(calendar, entry)
        self.put(target, name, entry.uid, entry.component, text, None)

    def add_file(self, calendar, entry, name, media_type, octets):
        self.version += 1
        made = f"f{self.version}"
        self.files[made] = entry.uid, File(name, media_type, octets, made)
        return made

    def keep_files(self, entry, managed_ids):
        self.files = {
            key: one for key, one in self.files.items()
            if one[0] != entry.uid or key in managed_ids
        }  # fmt: skip

    def file(self, managed_id):
        return self.files.get(managed_id, (None, None))[1]

    def inbox(self):
        token = f"e-{self._version('inbox')}"
        return Calendar("inbox", "Inbox", token, rights=frozenset(), fixed=True, role="inbox")

    def busy(self, emails, start, end, but=None):
        self.asked.append((emails, start, end, but))
        return {email: self.times[email] for email in emails if email in self.times}


class Client(Program):
    """Asks a server of its own."""

    user, stranger, shared = "ana@x.es", "bob", "team"

    def __init__(self):
        self.backend = Memory()

    def ask(self, method, path, body="", **headers):
        body = body.encode() if isinstance(body, str) else body
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        path, _mark, query = path.partition("?")
        request = Request(method, decoded(path), headers, body, "http://calendar.x.es", query)
        answer = Server(self.backend, request, now=NOW).answer()
        return Reply(answer.status, answer.headers, answer.body().decode())

"""What comes in, before anything is written: the words of the import's engine."""

import re
from dataclasses import dataclass, field
from hashlib import blake2b

from ..ical.limits import DEFAULT
from ..ical.lines import ITEMS, Split
from ..ical.parse import open_calendar

_METHOD = re.compile(rb"^METHOD[ \t]*[:;][^\n]*", re.M | re.I)
#: Octets of a UID that an index of PostgreSQL takes with certainty.
UID_BYTES = 1000

#: What an object of a file is, compared with what Odoo has.
KINDS = ("new", "changed", "unchanged", "older", "cancelled", "refused", "error")


@dataclass(slots=True)
class Options:
    """How a file is taken in.

    :param bool make_contacts: make contacts of attendees whose address is unknown
    :param str todo_as: ``task``, ``activity``, or ``none``: to-dos are refused
    :param project: project.project of the tasks; empty for private tasks
    :param bool send_mail: invite the attendees of what is new
    :param str source: where the text comes from; what is unchanged is judged by source
    :param bool lock: lock the meetings that are changed; for a caller who does not
        keep others from writing the same objects
    :param bool force: take what is older as well
    :param bool invite: invite whoever is an attendee, be it by address alone
    :param bool reminders: take its reminders; otherwise those that are there stay
    """

    make_contacts: bool = False
    todo_as: str = "task"
    project: object = None
    send_mail: bool = False
    source: str = "file"
    lock: bool = False
    force: bool = False
    invite: bool = False
    reminders: bool = True


@dataclass(slots=True)
class Group:
    """The components of one object: those that share a UID."""

    component: str
    uid: str | None
    #: pairs (Chunk, number of its calendar)
    chunks: list = field(default_factory=list)
    digest: str | None = None

    @property
    def line(self):
        return self.chunks[0][0].line


@dataclass(slots=True)
class Outcome:
    """What an object of the file is, and what taking it in would do.

    :param str key: UID
    :param str kind: one of :data:`KINDS`
    :param record: the event, recurrence, task or activity that Odoo has of it; or None
    :param items: what was read: the one with the rule first; empty when unchanged
    :param changes: list of (label, old text, new text)
    :param repairs: what was written wrongly and understood all the same
    :param str reason: code of why it is refused or cannot be read; see ``_ical_reason``
    :param int line: of the file, where it begins
    :param str action: what is to be done: ``create``, ``update``, ``answer``, ``keep``
        (nothing but to know it the next time), or empty
    """

    key: str | None
    kind: str
    component: str = "VEVENT"
    record: object = None
    items: list = field(default_factory=list)
    changes: list = field(default_factory=list)
    repairs: list = field(default_factory=list)
    reason: str | None = None
    detail: str = ""
    line: int | None = None
    summary: str = ""
    start: object = None
    action: str = ""
    digest: str | None = None
    #: what the comparison has found; the writer goes by it
    plan: object = None


@dataclass(slots=True)
class Result:
    """What has become of an outcome.

    :param dict created: ids by model
    :param dict before: model to {id: values} of what was changed, as plain data
    :param str kind: as of the outcome, or ``error`` when it could not be written
    """

    outcome: Outcome
    kind: str
    record: object = None
    created: dict = field(default_factory=dict)
    before: dict = field(default_factory=dict)
    reason: str | None = None
    detail: str = ""


class Incoming:
    """A file in objects. Nothing is parsed until it is asked for.

    :raises IcalError: when nothing of it can be read
    """

    def __init__(self, data, limits=DEFAULT):
        self.limits = limits
        self.split = Split(data, limits)
        self.groups = self._groups()
        self._calendars = {}

    def calendar(self, number):
        """The calendar of that number: its own properties and time zones."""
        if number not in self._calendars:
            self._calendars[number] = open_calendar(self.split.calendars[number], self.limits)
        return self._calendars[number]

    def _groups(self):
        found = {}
        for number, calendar in enumerate(self.split.calendars):
            method = _METHOD.findall(calendar.own())
            context = blake2b(
                calendar.context() + b"".join(method), digest_size=16).digest()  # fmt: skip
            for chunk in calendar.chunks:
                if chunk.name not in ITEMS:
                    continue
                uid = (chunk.identity()[0] or "").replace("\0", "") or None
                # Without a UID each is an object of its own.
                key = (chunk.name, uid) if uid else (chunk.name, None, len(found))
                group = found.get(key)
                if group is None:
                    group = found[key] = Group(chunk.name, uid)
                    group.digest = []
                group.chunks.append((chunk, number))
                group.digest.append(chunk.digest(context))
        for group in found.values():
            digests = group.digest
            group.digest = (
                digests[0] if len(digests) == 1
                else blake2b(b"".join(sorted(digests)), digest_size=16).digest()
            ).hex()  # fmt: skip
        return list(found.values())

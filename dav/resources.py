"""Paths to resources, and back.

::

    /caldav/                                  root
    /caldav/principals/                       principals
    /caldav/principals/<user>/                principal
    /caldav/calendars/                        homes
    /caldav/calendars/<user>/                 home
    /caldav/calendars/<user>/<calendar>/      calendar
    /caldav/calendars/<user>/<calendar>/<object>
    /caldav/calendars/<user>/inbox/           inbox, with objects
    /caldav/calendars/<user>/outbox/          outbox, always empty
    /caldav/attachments/<MANAGED-ID>/<name>   file of an object
"""

from dataclasses import dataclass

from .backend import Calendar, Entry, File
from .errors import Conflict, Forbidden, NotFound
from .names import caldav

#: Where questions about free time are posted (RFC 6638, 2.1).
OUTBOX = Calendar(
    "outbox", "Outbox", "0", components=("VFREEBUSY",), rights=frozenset(), fixed=True,
    role="outbox",
)  # fmt: skip
#: Octets of the name of an object or a calendar.
MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class Resource:
    """:param str kind: one of those above
    :param str path: with a slash at its end if it is a collection
    """

    kind: str
    path: str
    calendar: Calendar | None = None
    entry: Entry | None = None
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where something is to be, or is.

    :param Calendar calendar: of an object; None for a calendar itself
    :param Entry entry: the object that is there, or None
    """

    name: str
    calendar: Calendar | None
    entry: Entry | None = None


class Tree:
    """The resources that a user has.

    :param Backend backend: of that user
    :param str root: path of all, with slashes around it
    """

    def __init__(self, backend, root):
        self.backend = backend
        self.root = root
        self.person = backend.person()
        self.principal_path = f"{root}principals/{self.person.name}/"
        self.home_path = f"{root}calendars/{self.person.name}/"
        self._calendars = None
        self._known = {}

    @property
    def calendars(self):
        if self._calendars is None:
            self._calendars = list(self.backend.calendars())
        return self._calendars

    def calendar_path(self, calendar):
        return f"{self.home_path}{calendar.name}/"

    def entry_path(self, calendar, entry):
        return f"{self.home_path}{calendar.name}/{entry.name}"

    def calendar(self, name):
        """:raises NotFound:"""
        if name not in self._known:
            self._known[name] = self._look_up(name) if is_name(name) else None
        if self._known[name] is None:
            raise NotFound("there is no such calendar")
        return self._known[name]

    def _look_up(self, name):
        if name == OUTBOX.name:
            return OUTBOX
        return self.backend.inbox() if name == "inbox" else self.backend.calendar(name)

    def entries(self, calendar, names=None):
        """What it holds; see ``Backend.entries``."""
        return [] if calendar.role == "outbox" else self.backend.entries(calendar, names=names)

    def has_calendar(self, name):
        try:
            return bool(self.calendar(name))
        except NotFound:
            return False

    def find(self, path):
        """The resource of a decoded path.

        :raises NotFound: also for what is another user's
        """
        parts = self._parts(path)
        if not parts:
            return Resource("root", self.root)
        if parts[0] == "attachments":
            return self._file(parts, path)
        return self._find(parts, path)

    def _find(self, parts, path):
        if parts[0] not in ("principals", "calendars") or len(parts) > 4:
            raise NotFound("there is nothing here")
        if len(parts) == 1:
            kind = "principals" if parts[0] == "principals" else "homes"
            return Resource(kind, f"{self.root}{parts[0]}/")
        if parts[1] != self.person.name or (parts[0] == "principals" and len(parts) > 2):
            raise NotFound("there is nothing here")
        if parts[0] == "principals":
            return Resource("principal", self.principal_path)
        if len(parts) == 2:
            return Resource("home", self.home_path)
        calendar = self.calendar(parts[2])
        if len(parts) == 3:
            return self.of_calendar(calendar)
        found = None
        if is_name(parts[3]) and not path.endswith("/"):
            found = next(iter(self.entries(calendar, names=[parts[3]])), None)
        if found is None:
            raise NotFound("there is no such object")
        return self.of_entry(calendar, found)

    def _file(self, parts, path):
        file = self.backend.file(parts[1]) if len(parts) == 3 else None
        if file is None:
            raise NotFound("there is nothing here")
        return Resource("file", path, file=file)

    def of_calendar(self, calendar):
        kind = calendar.role or "calendar"
        return Resource(kind, self.calendar_path(calendar), calendar)

    def of_entry(self, calendar, entry):
        return Resource("object", self.entry_path(calendar, entry), calendar, entry)

    def children(self, resource):
        """What a collection holds."""
        if resource.kind == "root":
            return [Resource("principals", f"{self.root}principals/"),
                    Resource("homes", f"{self.root}calendars/")]  # fmt: skip
        if resource.kind == "principals":
            return [Resource("principal", self.principal_path)]
        if resource.kind == "homes":
            return [Resource("home", self.home_path)]
        if resource.kind == "home":
            found = [*self.calendars, self.calendar("inbox"), OUTBOX]
            return [self.of_calendar(one) for one in found]
        if resource.kind in ("calendar", "inbox"):
            calendar = resource.calendar
            return [self.of_entry(calendar, one) for one in self.entries(calendar)]
        return []

    def target(self, path):
        """Where something can be put: in a calendar, or a calendar in the home.

        :raises Conflict: what it would have to be in is not there
        :raises Forbidden: nothing can be put there
        :raises NotFound: it is another user's
        """
        parts = self._parts(path)
        if len(parts) > 1 and parts[1] != self.person.name:
            raise NotFound("there is nothing here")
        if len(parts) < 3 or parts[0] != "calendars":
            raise Forbidden("nothing can be put here", caldav("calendar-collection-location-ok"))
        if not all(map(is_name, parts[2:])):
            raise Forbidden("this is no name that is kept")
        if len(parts) == 3:
            return Target(parts[2], None)
        try:
            calendar = self.calendar(parts[2])
        except NotFound as error:
            raise Conflict("the calendar is not there") from error
        if len(parts) > 4 or path.endswith("/"):
            raise Conflict("there are no collections inside of a calendar")
        entry = next(iter(self.entries(calendar, names=[parts[3]])), None)
        return Target(parts[3], calendar, entry)

    def _parts(self, path):
        if path + "/" == self.root:
            return []
        if not path.startswith(self.root):
            raise NotFound("there is nothing here")
        rest = path[len(self.root) :]
        return rest.removesuffix("/").split("/") if rest else []


def is_name(name):
    """Whether an object or a calendar can have this name."""
    try:
        octets = name.encode()
    except UnicodeEncodeError:
        return False
    return (
        name not in ("", ".", "..") and len(octets) <= MAX_NAME
        and "/" not in name and name.isprintable()
    )  # fmt: skip

"""What the server asks of whoever stores calendars. It knows the user already."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from datetime import timedelta

#: What may be done in a calendar: objects changed, added, taken away (RFC 3744, 3.2, 3.9, 3.10).
WRITE = frozenset({"write-content", "bind", "unbind"})
#: Between noon here and noon anywhere.
_ANYWHERE = timedelta(hours=26)


@dataclass(frozen=True)
class Person:
    """:param str name: the part of the path that is his
    :param tuple emails: his addresses, the first one being the one for mail
    :param tzinfo zone: where he is
    """

    name: str
    title: str
    emails: tuple = ()
    zone: object = None


@dataclass(frozen=True)
class Calendar:
    """:param str name: the part of its path
    :param tuple components: that it takes
    :param str token: of its present state: letters, digits and hyphens
    :param dict properties: XML of the elements that were set, by their names
    :param frozenset rights: which of WRITE the user has
    :param bool fixed: it is always there
    :param str role: ``inbox`` or ``outbox`` (RFC 6638, 2.1 and 2.2); of others empty
    :param int max_instances: occurrences that an object may have (RFC 4791, 5.2.8); None: any
    :param bool schedules: whether its objects are meetings that others are told of (RFC 6638)
    :param id: whatever the backend knows it by
    """

    name: str
    title: str
    token: str
    components: tuple = ("VEVENT",)
    description: str = ""
    color: str = ""
    order: int | None = None
    timezone: str = ""
    transparent: bool = False
    rights: frozenset = WRITE
    fixed: bool = False
    role: str = ""
    max_instances: int | None = None
    schedules: bool = True
    properties: dict = field(default_factory=dict)
    id: object = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An object of a calendar, without its text.

    :param str etag: without quotes
    :param datetime changed_at: naive UTC; None where it is not known
    :param id: whatever the backend knows it by
    :param bool is_sure: found by a Search with a span, and known to lie in it
    """

    name: str
    uid: str
    etag: str
    component: str = "VEVENT"
    changed_at: object = None
    id: object = None
    is_sure: bool = False


@dataclass(frozen=True)
class Written:
    """What a PUT has done.

    :param Entry entry: as it is now
    :param bool is_new: whether it was not there before
    :param bool is_same: whether what will be served is what was sent
    """

    entry: Entry
    is_new: bool
    is_same: bool


@dataclass(frozen=True)
class File:
    """A file that goes with an object (RFC 8607).

    :param str etag: without quotes
    """

    name: str
    media_type: str
    octets: bytes
    etag: str


class Backend(ABC):
    """All calendars of one user. Everything is raised as a DavError."""

    #: Octets of an object.
    max_size = 1_000_000
    #: Whether a UID can be in one of the user's calendars only (RFC 6638, 3.2.4.1). One
    #: that is put into another calendar is moved there.
    unique_uids = False
    #: Octets of a file that goes with an object, and how many of them may.
    max_file_size = 10 * 2**20
    max_files = 20
    #: Scheme and host in the addresses of files; empty: those by which the client came.
    base = ""
    #: Name of the calendar that invitations come to.
    default_calendar = "agenda"

    @abstractmethod
    def person(self):
        """The user, as Person."""

    @abstractmethod
    def calendars(self):
        """His calendars, in order."""

    def calendar(self, name):
        """The calendar of that name, or None."""
        return next((one for one in self.calendars() if one.name == name), None)

    @abstractmethod
    def home_properties(self):
        """What was set on his home: dict from names to XML."""

    @abstractmethod
    def set_home_properties(self, properties):
        """Keep them, in place of all that were."""

    @abstractmethod
    def make_calendar(self, name, components, values):
        """Make a calendar.

        :param components: that it is to take; None for whatever is usual
        :param dict values: some of what a client may set: title, description, color, order,
            timezone, transparent and properties
        """

    @abstractmethod
    def change_calendar(self, calendar, values):
        """:param dict values: as for a new one"""

    @abstractmethod
    def delete_calendar(self, calendar):
        """With all that is in it."""

    @abstractmethod
    def entries(self, calendar, names=None, uid=None, search=None):
        """Its objects as Entry, in a stable order.

        :param names: only these
        :param str uid: only this one
        :param Search search: only what may match
        """

    @abstractmethod
    def texts(self, calendar, entries):
        """Pairs (entry, text) of those that are still there."""

    @abstractmethod
    def changes(self, calendar, token, limit=None):
        """What has changed since a token.

        :param str token: empty for all
        :param int limit: at most so many
        :return: (entries, names of what is gone, token of then, whether that is all)
        :raises InvalidToken: when it says nothing here
        """

    @abstractmethod
    def put(self, calendar, name, uid, component, text, entry):
        """Store an object.

        :param Entry entry: what is there under this name, or None
        :rtype: Written
        """

    @abstractmethod
    def delete(self, calendar, entry, is_told=True):
        """Take an object away.

        :param bool is_told: whether the organizer is to hear of it, who has invited the user
        """

    @abstractmethod
    def move(self, calendar, entry, target, name):
        """To another calendar, or another name. Nothing is there."""

    # --- Files (RFC 8607)

    @abstractmethod
    def add_file(self, calendar, entry, name, media_type, octets):
        """Keep a file with an object.

        :return: its MANAGED-ID
        """

    @abstractmethod
    def keep_files(self, entry, managed_ids):
        """Of the user's object it is only these that still count."""

    @abstractmethod
    def file(self, managed_id):
        """That File, or None where the user has no object that it goes with."""

    # --- Scheduling

    @abstractmethod
    def inbox(self):
        """The messages about meetings that wait for him: a Calendar that is only read."""

    @abstractmethod
    def busy(self, emails, start, end, but=None):
        """When others are busy.

        :param list emails: of whom
        :param datetime start, end: in UTC
        :param str but: the UID of a meeting that does not count
        :return: dict from address to a list of (kind, start, stop), see
            ``freebusy.KINDS``; nothing of those of whom nothing is known
        """


@dataclass(frozen=True)
class Search:
    """What a query is about, as far as it can be told without the texts.

    :param str component: VEVENT, VTODO …; or None
    :param datetime first, last: in UTC; what lies wholly outside does not match
    :param str uid: that the UID contains, in any case of its letters
    """

    component: str | None = None
    first: object = None
    last: object = None
    uid: str | None = None

    def widened(self):
        """For days and floating times that are elsewhere than the store has them."""
        return replace(
            self,
            first=self.first and self.first - _ANYWHERE,
            last=self.last and self.last + _ANYWHERE,
        )

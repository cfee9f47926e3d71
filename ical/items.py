"""What a component means: immutable items with typed fields.

An item holds the component that it was read from. To change one, make another
with ``dataclasses.replace(item, summary="…")``: when it is written, properties
whose fields are as they were read come out as they stood, in their order, with
whatever parameters they had, and so does all that has no field. Only what was
changed is written anew.
"""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from .errors import BadValue, LimitExceeded
from .limits import DEFAULT
from .params import EMPTY, Params
from .values import add, is_date, same

Moment = date | datetime


class Component:
    """A component as it stands: name, and its lines and subcomponents in order.

    ``content`` mixes unfolded lines (str) and :class:`Component`; ``read`` is
    what an item's fields were when it was read, by name.
    """

    __slots__ = ("name", "content", "numbers", "read")

    def __init__(self, name, content=(), numbers=None):
        self.name = name
        self.content = list(content)
        #: unfolded line of each piece of content, while it is being read
        self.numbers = numbers
        self.read = None

    def lines(self):
        """The properties of the component itself."""
        return [piece for piece in self.content if isinstance(piece, str)]

    def children(self):
        """The subcomponents."""
        return [piece for piece in self.content if not isinstance(piece, str)]

    def __eq__(self, other):
        return (
            isinstance(other, Component)
            and self.name == other.name
            and self.content == other.content
        )

    __hash__ = None

    def __repr__(self):
        return f"<Component {self.name}, {len(self.content)} pieces>"


@dataclass(frozen=True, slots=True)
class CalAddress:
    """ORGANIZER or ATTENDEE: an address with parameters (RFC 5545, 3.3.3).

    :param str uri: ``mailto:ana@example.com``, or what else the program wrote
    """

    uri: str
    params: Params = EMPTY

    @classmethod
    def of(cls, email, **params):
        """From a bare address; parameters by name, None for those that are not set.

        >>> str(Attendee.of("a@b.example", CN="Ana", RSVP="TRUE").params)
        ';CN=Ana;RSVP=TRUE'
        """
        return cls(f"mailto:{email}", EMPTY.put(**params))

    def put(self, **params):
        """A copy with parameters replaced in place; None takes one out."""
        return type(self)(self.uri, self.params.put(**params))

    @property
    def email(self):
        """The address in lower case, or None: EMAIL (RFC 7986, 6.2) or the mailto."""
        uri = self.uri.strip()
        if uri[:7].lower() == "mailto:":
            found = uri[7:].partition("?")[0].strip().strip("<>").lower()
            if "@" in found:
                return found
        found = (self.params.get("EMAIL") or "").strip().lower()
        if "@" in found:
            return found
        # Some write the bare address.
        return uri.lower() if "@" in uri and ":" not in uri and "/" not in uri else None

    @property
    def name(self):
        """CN, or None."""
        return self.params.get("CN") or None

    @property
    def sent_by(self):
        """SENT-BY: who acts for the user (3.2.18)."""
        return self.params.get("SENT-BY")


class Organizer(CalAddress):
    """ORGANIZER (3.8.4.3)."""

    __slots__ = ()


class Attendee(CalAddress):
    """ATTENDEE (3.8.4.1), with the defaults of the RFC."""

    __slots__ = ()

    @property
    def role(self):
        """CHAIR, REQ-PARTICIPANT, OPT-PARTICIPANT, NON-PARTICIPANT (3.2.16)."""
        return (self.params.get("ROLE") or "REQ-PARTICIPANT").upper()

    @property
    def status(self):
        """PARTSTAT: NEEDS-ACTION, ACCEPTED, DECLINED, TENTATIVE, DELEGATED (3.2.12)."""
        return (self.params.get("PARTSTAT") or "NEEDS-ACTION").upper()

    @property
    def kind(self):
        """CUTYPE: INDIVIDUAL, GROUP, RESOURCE, ROOM, UNKNOWN (3.2.3)."""
        return (self.params.get("CUTYPE") or "INDIVIDUAL").upper()

    @property
    def rsvp(self):
        """Whether an answer is wanted (3.2.17)."""
        return (self.params.get("RSVP") or "").upper() in ("TRUE", "YES")

    @property
    def delegated_to(self):
        """DELEGATED-TO: addresses (3.2.5)."""
        return self.params.values("DELEGATED-TO")

    @property
    def delegated_from(self):
        """DELEGATED-FROM: addresses (3.2.4)."""
        return self.params.values("DELEGATED-FROM")


@dataclass(frozen=True, slots=True)
class Attachment:
    """ATTACH (3.8.1.1): a link, or the file itself in base64."""

    value: str
    params: Params = EMPTY

    @classmethod
    def link(cls, url, **params):
        """An attachment by its address; FMTTYPE, FILENAME as parameters."""
        return cls(url, EMPTY.put(**params))

    @classmethod
    def inline(cls, octets, **params):
        """An attachment inside the text."""
        text = base64.b64encode(octets).decode()
        return cls(text, EMPTY.put(**params, ENCODING="BASE64", VALUE="BINARY"))

    @property
    def is_inline(self):
        """Whether the file is in the text."""
        return (self.params.get("ENCODING") or "").upper() in ("BASE64", "B") or (
            self.params.get("VALUE") or ""
        ).upper() == "BINARY"

    @property
    def uri(self):
        """The link, or None."""
        return None if self.is_inline else self.value

    @property
    def media_type(self):
        """FMTTYPE (3.2.8), or None."""
        return self.params.get("FMTTYPE")

    @property
    def filename(self):
        """FILENAME (RFC 8607, 4.2) or the name that Apple, Outlook and Evolution write."""
        for name in ("FILENAME", "X-FILENAME", "X-APPLE-FILENAME", "X-ORACLE-FILENAME"):
            if self.params.get(name):
                return self.params.get(name)
        return None

    def octets(self, limits=DEFAULT):
        """The file.

        :raises BadValue: when it is a link, or no base64
        :raises LimitExceeded: when it is too large
        """
        if not self.is_inline:
            raise BadValue("the attachment is a link")
        if len(self.value) * 3 // 4 > limits.inline_bytes:
            raise LimitExceeded("inline_bytes", limits.inline_bytes)
        try:
            return base64.b64decode(self.value)
        except (binascii.Error, ValueError) as error:
            raise BadValue("the attachment is no base64") from error


@dataclass(frozen=True, slots=True)
class Conference:
    """CONFERENCE (RFC 7986, 5.11), or a program's own property that means it.

    ``source`` is the name of the property.
    """

    uri: str
    params: Params = EMPTY
    source: str = "CONFERENCE"

    @property
    def label(self):
        """LABEL (RFC 7986, 6.4)."""
        return self.params.get("LABEL")


@dataclass(frozen=True, slots=True)
class Related:
    """RELATED-TO (3.8.4.5)."""

    uid: str
    params: Params = EMPTY

    @property
    def kind(self):
        """RELTYPE: PARENT, CHILD, SIBLING, SNOOZE (RFC 9074, 5), ..."""
        return (self.params.get("RELTYPE") or "PARENT").upper()


@dataclass(frozen=True, slots=True)
class Period:
    """PERIOD (3.3.9). One of ``end`` and ``duration`` is None, as it was written."""

    start: datetime
    end: datetime | None = None
    duration: timedelta | None = None

    @property
    def stop(self):
        """Its end, however it was written."""
        return self.end if self.end is not None else add(self.start, self.duration)


@dataclass(frozen=True, slots=True)
class BusyTime:
    """One FREEBUSY value (3.8.2.6): FREE, BUSY, BUSY-UNAVAILABLE, BUSY-TENTATIVE."""

    period: Period
    kind: str = "BUSY"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alarm:
    """VALARM (3.6.6; RFC 9074).

    ``trigger`` is a timedelta (before: negative) from the start or, with
    ``related`` "END", from the end; or a datetime in UTC.
    """

    action: str = "DISPLAY"
    trigger: timedelta | datetime | None = None
    related: str = "START"
    repeat: int | None = None
    duration: timedelta | None = None
    summary: str | None = None
    description: str | None = None
    attendees: tuple = ()
    attachments: tuple = ()
    uid: str | None = None
    acknowledged: datetime | None = None
    relations: tuple = ()
    proximity: str | None = None
    component: Component | None = field(default=None, compare=False, repr=False)

    def __eq__(self, other):
        return same(self, other) if isinstance(other, Alarm) else NotImplemented

    __hash__ = None

    @property
    def snoozes(self):
        """UID of the alarm that this one repeats later (RFC 9074, 5), or None."""
        for related in self.relations:
            if related.kind == "SNOOZE":
                return related.uid
        return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Item:
    """What events, to-dos and journal entries have in common."""

    uid: str | None = None
    recurrence_id: Moment | None = None
    #: RANGE=THISANDFUTURE of RECURRENCE-ID (3.2.13)
    this_and_future: bool = False
    sequence: int = 0
    stamp: datetime | None = None
    created: datetime | None = None
    modified: datetime | None = None
    start: Moment | None = None
    duration: timedelta | None = None
    summary: str | None = None
    description: str | None = None
    location: str | None = None
    url: str | None = None
    comments: tuple = ()
    contacts: tuple = ()
    resources: tuple = ()
    categories: tuple = ()
    #: CLASS: PUBLIC (None), PRIVATE, CONFIDENTIAL, or another word
    access: str | None = None
    status: str | None = None
    priority: int | None = None
    geo: tuple | None = None
    color: str | None = None
    organizer: Organizer | None = None
    attendees: tuple = ()
    attachments: tuple = ()
    conferences: tuple = ()
    relations: tuple = ()
    #: RRULE and EXRULE as text: :class:`ical.rules.Rule` reads them
    rules: tuple = ()
    exrules: tuple = ()
    #: dates, times, and periods
    rdates: tuple = ()
    exdates: tuple = ()
    request_status: tuple = ()
    alarms: tuple = ()

    #: the component it was read from; None for a new one
    component: Component | None = field(default=None, compare=False, repr=False)
    #: :class:`ical.zones.Zones` of its file
    zones: object = field(default=None, compare=False, repr=False)
    #: X-WR-TIMEZONE of its calendar as a tzinfo: where its floating times are
    calendar_zone: object = field(default=None, compare=False, repr=False)
    #: METHOD of its calendar (RFC 5546)
    method: str | None = field(default=None, compare=False)
    repairs: tuple = field(default=(), compare=False, repr=False)
    #: line of its BEGIN in the file
    line: int | None = field(default=None, compare=False)

    NAME = ""

    def __eq__(self, other):
        # Not field by field with ==, for which a time that exists twice is
        # never equal to one of another zone object (PEP 495).
        return same(self, other) if isinstance(other, Item) else NotImplemented

    __hash__ = None

    @property
    def key(self):
        """(UID, RECURRENCE-ID): what tells one object from another (RFC 5546, 2.1.5).

        RECURRENCE-ID in UTC where it can be, so that the same moment in another
        zone is the same key.
        """
        at = self.recurrence_id
        if at is None:
            return self.uid, None
        if is_date(at) or at.tzinfo is None:
            return self.uid, at.isoformat()
        # Not astimezone(): it fails in the years 1 and 9999.
        return self.uid, (at.replace(tzinfo=None) - at.utcoffset()).isoformat() + "Z"

    @property
    def recurs(self):
        """Whether it stands for several occurrences."""
        return bool(self.rules or self.rdates)

    @property
    def stop(self):
        """When it is over, exclusive; None when that cannot be said."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Event(Item):
    """VEVENT (3.6.1)."""

    end: Moment | None = None
    #: TRANSP: OPAQUE (None) or TRANSPARENT
    transparency: str | None = None

    NAME = "VEVENT"

    @property
    def stop(self):
        """DTEND, or DTSTART and DURATION, or what 3.6.1 says of neither."""
        if self.end is not None or self.start is None:
            if self.end is not None and self.end == self.start and is_date(self.end):
                # Not exclusive, as 3.8.2.2 wants it: whoever wrote it means the day.
                return add(self.start, timedelta(days=1))
            return self.end
        if self.duration is not None:
            return add(self.start, self.duration)
        # A day lasts a day, a time ends at once.
        return add(self.start, timedelta(days=1)) if is_date(self.start) else self.start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Todo(Item):
    """VTODO (3.6.2)."""

    due: Moment | None = None
    completed: datetime | None = None
    percent: int | None = None

    NAME = "VTODO"

    @property
    def stop(self):
        """DUE, or DTSTART and DURATION."""
        if self.due is not None or self.start is None:
            return self.due
        return add(self.start, self.duration) if self.duration is not None else self.start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Journal(Item):
    """VJOURNAL (3.6.3)."""

    NAME = "VJOURNAL"

    @property
    def stop(self):
        """A journal entry takes no time."""
        return self.start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FreeBusy(Item):
    """VFREEBUSY (3.6.4)."""

    end: Moment | None = None
    busy: tuple = ()

    NAME = "VFREEBUSY"

    @property
    def stop(self):
        """DTEND."""
        return self.end


KINDS = {kind.NAME: kind for kind in (Event, Todo, Journal, FreeBusy)}

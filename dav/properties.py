"""What resources say of themselves: the table of live properties, and the dead ones."""

from datetime import timezone
from email.utils import format_datetime

from .backend import WRITE
from .errors import NotFound
from .filters import COLLATIONS
from .freebusy import MAX_ATTENDEES
from .names import APPLE, CALDAV, CALENDARSERVER, DAV, caldav, dav
from .writing import attribute, element, escape, href

#: Kinds of resources on which each report can be asked for.
REPORTS = {
    caldav("calendar-query"): ("calendar", "inbox", "object"),
    caldav("calendar-multiget"): ("calendar", "home", "inbox", "object"),
    caldav("free-busy-query"): ("calendar", "home"),
    dav("sync-collection"): ("calendar", "inbox"),
    dav("expand-property"): (
        "root", "principals", "principal", "homes", "home", "calendar", "inbox", "outbox",
        "object",
    ),
    dav("principal-property-search"): ("root", "principals", "principal", "home"),
    dav("principal-search-property-set"): ("root", "principals", "principal", "home"),
    dav("principal-match"): ("root", "principals", "home"),
    dav("acl-principal-prop-set"): (
        "root", "principals", "principal", "homes", "home", "calendar", "inbox", "outbox",
        "object",
    ),
}  # fmt: skip
_READ = ("D:read", "D:read-acl", "D:read-current-user-privilege-set")
_WRITE = ("D:write", "D:write-properties", "D:write-content", "D:bind", "D:unbind")
#: Who may change what: a calendar that is only read has colours of its own, too.
_CALENDAR_READ = (*_READ, "C:read-free-busy", "D:write-properties")
#: RFC 6638, 6: what others bring, and what the user may ask of others.
_DELIVER = ("schedule-deliver-invite", "schedule-deliver-reply", "schedule-query-freebusy")
_SEND = ("schedule-send-invite", "schedule-send-reply", "schedule-send-freebusy")
_BOXES = {
    "inbox": (*_READ, "D:unbind", "C:schedule-deliver", *(f"C:{name}" for name in _DELIVER)),
    "outbox": (*_READ, "C:schedule-send", *(f"C:{name}" for name in _SEND)),
}
#: Properties for which the text has to be read.
TEXTUAL = frozenset({dav("getcontentlength"), caldav("schedule-tag")})


class Properties:
    """Properties of resources, for one request.

    :param Tree tree: where they are
    :param Scheduling scheduling: what they are to others
    """

    def __init__(self, tree, scheduling):
        self.tree = tree
        self.scheduling = scheduling
        self.backend = tree.backend
        self._texts = {}
        self._home = None

    def split(self, resource, names):
        """(XML of those that are there, XML of the names of those that are not)"""
        found, missing = [], []
        for name in names:
            value = self.get(resource, name)
            if value is None:
                missing.append(element(name))
            else:
                found.append(value)
        return "".join(found), "".join(missing)

    def get(self, resource, name):
        """A property as XML, or None."""
        live = _LIVE.get(name)
        if live is not None:
            inner = live(self, resource)
            return None if inner is None else element(name, inner)
        return self.dead(resource).get(name)

    def dead(self, resource):
        """What clients have set and we only keep: dict from names to XML."""
        if resource.kind == "calendar":
            return resource.calendar.properties
        if resource.kind in ("home", "principal"):
            if self._home is None:
                self._home = self.backend.home_properties()
            return self._home
        return {}

    def names(self, resource):
        """Names of all that it has."""
        # Looked at by kind: what a text is like is not read to say that it is there.
        live = [name for name, kinds in _KINDS.items() if resource.kind in kinds]
        return [
            *(name for name in live if name == dav("getcontentlength")
              or (name not in TEXTUAL and _LIVE[name](self, resource) is not None)),
            *self.dead(resource),
        ]  # fmt: skip

    def all_names(self, resource):
        """What allprop means: what RFC 4918 defines, and the dead ones (RFC 4918, 9.1)."""
        return [*(name for name in _ALLPROP if resource.kind in _KINDS[name]),
                *self.dead(resource)]  # fmt: skip

    def know(self, entry, text):
        """The text of that object is at hand; those before it are asked for no more."""
        self._texts = {entry: text}

    def know_all(self, calendar, entries):
        """Read the texts of many objects at once."""
        self._texts = dict(self.backend.texts(calendar, entries))

    def text(self, resource):
        """The text of an object."""
        entry = resource.entry
        if entry not in self._texts:
            self._texts.update(self.backend.texts(resource.calendar, [entry]))
        if entry not in self._texts:
            raise NotFound("it is gone")
        return self._texts[entry]

    # --- The live ones

    def resourcetype(self, resource):
        if resource.kind == "object":
            return ""
        if resource.kind == "principal":
            return "<D:collection/><D:principal/>"
        kinds = {
            "calendar": "<C:calendar/>", "inbox": "<C:schedule-inbox/>",
            "outbox": "<C:schedule-outbox/>",
        }  # fmt: skip
        return "<D:collection/>" + kinds.get(resource.kind, "")

    def displayname(self, resource):
        if resource.kind in _STORE:
            return escape(resource.calendar.title)
        if resource.kind in ("principal", "home"):
            return escape(self.tree.person.title)
        return None

    def etag(self, resource):
        return f'"{escape(resource.entry.etag)}"'

    def content_type(self, resource):
        return f"text/calendar; charset=utf-8; component={resource.entry.component.lower()}"

    def content_length(self, resource):
        return str(len(self.text(resource).encode()))

    def last_modified(self, resource):
        at = resource.entry.changed_at
        return http_date(at) if at else None

    def principal(self, _resource):
        return href(self.tree.principal_path)

    def principals(self, _resource):
        return href(f"{self.tree.root}principals/")

    def owner(self, resource):
        if resource.kind in ("root", "principals", "homes"):
            return None
        return self.principal(resource)

    def privileges(self, resource):
        names = _READ
        if resource.calendar is not None and resource.calendar.role:
            names = _BOXES[resource.calendar.role]
        elif resource.calendar is not None:
            names = _of_calendar(resource.calendar)
        elif resource.kind == "home":
            names = (*_READ, "D:write-properties", "D:bind", "D:unbind")
        return "".join(f"<D:privilege><{name}/></D:privilege>" for name in names)

    def acl(self, resource):
        grant = f"<D:grant>{self.privileges(resource)}</D:grant>"
        who = f"<D:principal>{self.principal(resource)}</D:principal>"
        return f"<D:ace>{who}{grant}<D:protected/></D:ace>"

    def acl_restrictions(self, _resource):
        return "<D:grant-only/><D:no-invert/>"

    def supported_privileges(self, _resource):
        def one(name, text, inner=""):
            words = f'<D:description xml:lang="en">{text}</D:description>'
            return (
                f"<D:supported-privilege><D:privilege><{name}/></D:privilege>"
                f"{words}{inner}</D:supported-privilege>"
            )

        read = one("D:read", "Read", one("C:read-free-busy", "See when time is taken"))
        inner = "".join(one(name, name[2:].replace("-", " ")) for name in _WRITE[1:])
        inner = one("D:write", "Write", inner)
        for name, parts in (("schedule-deliver", _DELIVER), ("schedule-send", _SEND)):
            more = "".join(one(f"C:{part}", part.replace("-", " ")) for part in parts)
            inner += one(f"C:{name}", name.replace("-", " "), more)
        return one("D:all", "All", read + inner + one(
            "D:read-acl", "Read who may do what") + one(
            "D:read-current-user-privilege-set", "Read what one may do"))  # fmt: skip

    def nothing(self, _resource):
        return ""

    def reports(self, resource):
        return "".join(
            f"<D:supported-report><D:report>{element(name)}</D:report></D:supported-report>"
            for name, kinds in REPORTS.items() if resource.kind in kinds
        )  # fmt: skip

    def home(self, _resource):
        return href(self.tree.home_path)

    def addresses(self, _resource):
        found = [f"mailto:{escape(email)}</D:href>" for email in self.tree.person.emails]
        # The first one is the one to be written to; Apple looks at the attribute.
        first = '<D:href preferred="1">'
        found = [(first if not at else "<D:href>") + one for at, one in enumerate(found)]
        return "".join([*found, self.principal(None)])

    def emails(self, _resource):
        return "".join(
            f"<CS:email-address>{escape(email)}</CS:email-address>"
            for email in self.tree.person.emails
        )

    def sync_token(self, resource):
        return escape(token_uri(resource.calendar.token))

    def ctag(self, resource):
        return escape(resource.calendar.token)

    def components(self, resource):
        return "".join(f"<C:comp name={attribute(name)}/>" for name in resource.calendar.components)

    def data_kinds(self, _resource):
        return '<C:calendar-data content-type="text/calendar" version="2.0"/>'

    def max_size(self, _resource):
        return str(self.backend.max_size)

    def max_file_size(self, _resource):
        return str(self.backend.max_file_size)

    def max_files(self, _resource):
        return str(self.backend.max_files)

    def collations(self, _resource):
        return "".join(f"<C:supported-collation>{name}</C:supported-collation>"
                       for name in COLLATIONS)  # fmt: skip

    def description(self, resource):
        return escape(resource.calendar.description) or None

    def timezone(self, resource):
        return escape(resource.calendar.timezone) or None

    def color(self, resource):
        return escape(resource.calendar.color) or None

    def order(self, resource):
        order = resource.calendar.order
        return None if order is None else str(order)

    def transparency(self, resource):
        return "<C:transparent/>" if resource.calendar.transparent else "<C:opaque/>"

    def user_type(self, _resource):
        return "INDIVIDUAL"

    def inbox(self, _resource):
        return href(f"{self.tree.home_path}inbox/")

    def outbox(self, _resource):
        return href(f"{self.tree.home_path}outbox/")

    def default_calendar(self, _resource):
        return self.scheduling.default_calendar()

    def schedule_tag(self, resource):
        if resource.calendar.role:
            # Messages have none (RFC 6638, 3.2.10).
            return None
        tag = self.scheduling.tag(self.text(resource))
        return f'"{tag}"' if tag else None

    def attendees(self, _resource):
        return str(MAX_ATTENDEES)

    def instances(self, resource):
        number = resource.calendar.max_instances
        return None if number is None else str(number)


def _of_calendar(calendar):
    """Names of the privileges that its user has in a calendar, and on what is in it."""
    if calendar.rights == WRITE:
        return (*_READ, "C:read-free-busy", *_WRITE)
    return (*_CALENDAR_READ, *(name for name in _WRITE if name[2:] in calendar.rights))


_EVERY = frozenset(
    {"root", "principals", "principal", "homes", "home", "calendar", "inbox", "outbox", "object"}
)
_CALENDAR, _OBJECT = frozenset({"calendar"}), frozenset({"object"})
_LISTED = frozenset({"calendar", "inbox"})
_STORE = frozenset({"calendar", "inbox", "outbox"})
_PRINCIPAL = frozenset({"principal"})

#: The live properties: (name, kinds of resources that have it, how it is said).
_TABLE = (
    (DAV, "resourcetype", _EVERY, Properties.resourcetype),
    (DAV, "displayname", {*_STORE, "principal", "home"}, Properties.displayname),
    (DAV, "getetag", _OBJECT, Properties.etag),
    (DAV, "getcontenttype", _OBJECT, Properties.content_type),
    (DAV, "getcontentlength", _OBJECT, Properties.content_length),
    (DAV, "getlastmodified", _OBJECT, Properties.last_modified),
    (DAV, "current-user-principal", _EVERY, Properties.principal),
    (DAV, "current-user-privilege-set", _EVERY, Properties.privileges),
    (DAV, "principal-collection-set", _EVERY, Properties.principals),
    (DAV, "principal-URL", _PRINCIPAL, Properties.principal),
    (DAV, "alternate-URI-set", _PRINCIPAL, Properties.nothing),
    (DAV, "group-member-set", _PRINCIPAL, Properties.nothing),
    (DAV, "group-membership", _PRINCIPAL, Properties.nothing),
    (DAV, "owner", _EVERY, Properties.owner),
    (DAV, "acl", _EVERY, Properties.acl),
    (DAV, "acl-restrictions", _EVERY, Properties.acl_restrictions),
    (DAV, "supported-privilege-set", _EVERY, Properties.supported_privileges),
    (DAV, "inherited-acl-set", _EVERY, Properties.nothing),
    (DAV, "supported-report-set", _EVERY, Properties.reports),
    (DAV, "sync-token", _LISTED, Properties.sync_token),
    (CALENDARSERVER, "getctag", _LISTED, Properties.ctag),
    (CALENDARSERVER, "email-address-set", _PRINCIPAL, Properties.emails),
    (CALDAV, "calendar-home-set", {"root", "principal", "home"}, Properties.home),
    (CALDAV, "calendar-user-address-set", _PRINCIPAL, Properties.addresses),
    (CALDAV, "calendar-user-type", _PRINCIPAL, Properties.user_type),
    (CALDAV, "schedule-inbox-URL", _PRINCIPAL, Properties.inbox),
    (CALDAV, "schedule-outbox-URL", _PRINCIPAL, Properties.outbox),
    (CALDAV, "schedule-default-calendar-URL", {"inbox"}, Properties.default_calendar),
    (CALDAV, "schedule-tag", _OBJECT, Properties.schedule_tag),
    (CALDAV, "max-instances", _CALENDAR, Properties.instances),
    (CALDAV, "max-attendees-per-instance", {"calendar", "outbox"}, Properties.attendees),
    (CALDAV, "supported-calendar-component-set", _STORE, Properties.components),
    (CALDAV, "supported-calendar-data", _STORE, Properties.data_kinds),
    (CALDAV, "supported-collation-set", {"calendar", "inbox", "object"}, Properties.collations),
    (CALDAV, "max-resource-size", _STORE, Properties.max_size),
    (CALDAV, "max-attachment-size", _CALENDAR, Properties.max_file_size),
    (CALDAV, "max-attachments-per-resource", _CALENDAR, Properties.max_files),
    (CALDAV, "calendar-description", _CALENDAR, Properties.description),
    (CALDAV, "calendar-timezone", _CALENDAR, Properties.timezone),
    (CALDAV, "schedule-calendar-transp", _CALENDAR, Properties.transparency),
    (APPLE, "calendar-color", _CALENDAR, Properties.color),
    (APPLE, "calendar-order", _CALENDAR, Properties.order),
)
_KINDS = {f"{{{space}}}{local}": kinds for space, local, kinds, _how in _TABLE}


def _guarded(kinds, how):
    return lambda properties, resource: (
        how(properties, resource) if resource.kind in kinds else None
    )  # fmt: skip


_LIVE = {f"{{{space}}}{local}": _guarded(kinds, how) for space, local, kinds, how in _TABLE}
_ALLPROP = tuple(
    dav(name)
    for name in (
        "resourcetype",
        "displayname",
        "getetag",
        "getcontenttype",
        "getcontentlength",
        "getlastmodified",
    )  # fmt: skip
)
#: Names that nobody sets, whatever the resource. RFC 4918, 15, has those we do not keep.
LIVE_NAMES = frozenset(_LIVE) | {
    dav(name)
    for name in (
        "creationdate", "getcontentlanguage", "lockdiscovery",
        "supportedlock", "resource-id", "add-member", "quota-available-bytes",
        "quota-used-bytes", "group",
    )
}  # fmt: skip

#: What makes a URI of a token (RFC 6578, 4).
_TOKEN_URI = "data:,"


def http_date(at):
    """A moment as HTTP has it.

    :param datetime at: naive UTC
    """
    return format_datetime(at.replace(microsecond=0, tzinfo=timezone.utc), usegmt=True)


def token_uri(token):
    return _TOKEN_URI + token


def token_of(uri):
    """The token of a URI, or something that is none."""
    return (uri.startswith(_TOKEN_URI) and uri.removeprefix(_TOKEN_URI)) or "-"

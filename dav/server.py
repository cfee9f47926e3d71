"""Which method does what to which resource. One Server answers one request."""

import contextlib
from datetime import datetime

from ..ical.compose import compose
from ..ical.values import UTC, write_text
from .attachments import Attachments
from .changes import Changes
from .errors import BadRequest, DavError, Forbidden, NotAllowed, TooMany, status_of
from .names import caldav, dav
from .properties import REPORTS, TEXTUAL, Properties, http_date
from .reading import expect, names_in, read_xml
from .reports import Reports
from .requests import Request
from .resources import Tree
from .scheduling import Scheduling
from .search import PrincipalReports
from .writes import Writes
from .writing import element, error_body, href_text, multistatus, propstat, response

#: What we are (RFC 4918, 10.1; RFC 3744, 7.2; RFC 4791, 5.1; RFC 5689, 3.1; RFC 6638, 2;
#: RFC 8607, 3.1).
#: No locks: 2 is not among them.
DAV = (
    "1, 3, access-control, calendar-access, calendar-auto-schedule, extended-mkcol,"
    " calendar-managed-attachments, calendar-managed-attachments-no-recurrence"
)
#: Characters of an answer, without texts of objects as they are stored.
MAX_ANSWER = 50_000_000
XML_TYPE = "application/xml; charset=utf-8"
CALENDAR_TYPE = "text/calendar; charset=utf-8"
_COLLECTIONS = ("OPTIONS", "GET", "HEAD", "PROPFIND", "PROPPATCH", "REPORT")
ALLOWED = {
    "root": _COLLECTIONS, "principals": _COLLECTIONS, "principal": _COLLECTIONS,
    "homes": _COLLECTIONS, "home": _COLLECTIONS,
    "calendar": (*_COLLECTIONS, "DELETE"),
    "inbox": _COLLECTIONS, "outbox": (*_COLLECTIONS, "POST"),
    "object": (*_COLLECTIONS, "PUT", "POST", "DELETE", "COPY", "MOVE"),
    "file": ("OPTIONS", "GET", "HEAD"),
    None: ("OPTIONS", "PUT", "MKCALENDAR", "MKCOL"),
}  # fmt: skip
METHODS = frozenset(one for methods in ALLOWED.values() for one in methods)


class Answer:
    """:param pieces: iterable of str, or bytes: the body"""

    def __init__(self, status, headers=None, pieces=()):
        self.status = status
        self.headers = dict(headers or {})
        self.pieces = pieces

    def body(self):
        if isinstance(self.pieces, bytes):
            return self.pieces
        return "".join(self.pieces).encode("utf-8", "replace")


class Room:
    """What an answer may hold beside the texts as they are stored: n times m of something
    is more than was asked with."""

    def __init__(self, characters):
        self.left = characters

    def take(self, characters):
        """:raises TooMany: when there is no more room"""
        self.left -= characters
        if self.left < 0:
            raise TooMany("more than one answer holds")


class Server:
    """:param Backend backend: of the user whose request it is
    :param str root: path of the whole tree
    :param datetime now: with a zone
    """

    def __init__(self, backend, request: Request, root="/caldav/", now=None):
        self.backend = backend
        self.request = request
        self.tree = Tree(backend, root)
        self.scheduling = Scheduling(self)
        self.properties = Properties(self.tree, self.scheduling)
        self.room = Room(MAX_ANSWER)
        self.now = (now or datetime.now(UTC)).replace(microsecond=0)
        self.changes = Changes(self)
        self.writes = Writes(self)
        self.attachments = Attachments(self)

    def answer(self):
        """Do what is asked; a refusal is an answer as well.

        Whoever calls rolls back what was done when the status is 400 or more.
        """
        try:
            status, headers, pieces = self._dispatch()
        except DavError as error:
            return refusal(error)
        headers = dict(headers)
        if status == 207 or (pieces and "Content-Type" not in headers):
            headers.setdefault("Content-Type", XML_TYPE)
        headers["DAV"] = DAV
        if status == 207 and self.request.method in ("PROPFIND", "REPORT"):
            headers |= self._applied()
        if self.request.method == "HEAD":
            headers["Content-Length"] = str(len(Answer(status, {}, pieces).body()))
            pieces = ()
        return Answer(status, headers, pieces)

    def _applied(self):
        """RFC 7240, 3: that what was preferred was done."""
        is_asked = self.request.minimal and self.request.header("prefer")
        return {"Preference-Applied": "return=minimal"} if is_asked else {}

    def _dispatch(self):
        method = self.request.method
        if method not in METHODS:
            raise self._refused(self._kind())
        if method == "OPTIONS":
            return self._options()
        self.request.check_if(self._etag_at)
        if method == "PUT":
            return self.writes.put()
        if method in ("MKCALENDAR", "MKCOL"):
            return self.changes.make(method == "MKCOL")
        resource = self.tree.find(self.request.path)
        if method not in ALLOWED[resource.kind]:
            raise self._refused(resource.kind)
        return self._act(method, resource)

    def _act(self, method, resource):
        if method == "PROPFIND":
            return self._propfind(resource)
        if method == "PROPPATCH":
            return self.changes.proppatch(resource, read_xml(self.request.body))
        if method == "REPORT":
            return self._report(resource, read_xml(self.request.body))
        if method in ("GET", "HEAD"):
            return self._get(resource)
        if method == "POST":
            is_file = resource.kind == "object"
            return self.attachments.post(resource) if is_file else self.scheduling.post()
        writes = self.writes
        return {"DELETE": writes.delete, "MOVE": writes.move, "COPY": writes.duplicate}[method](
            resource
        )

    def allow(self, kind):
        return ", ".join(ALLOWED[kind])

    def quoted(self, path):
        return href_text(path)

    def _refused(self, kind):
        return NotAllowed("that method does nothing here", headers={"Allow": self.allow(kind)})

    def _etag_at(self, path):
        try:
            resource = self.tree.find(path)
        except DavError:
            return None
        return f'"{resource.entry.etag}"' if resource.entry else None

    def _kind(self):
        """Of the resource there; None where there is none."""
        with contextlib.suppress(DavError):
            return self.tree.find(self.request.path).kind
        return None

    def _options(self):
        return 200, {"Allow": self.allow(self._kind()), "Content-Length": "0"}, []

    # --- PROPFIND

    def _propfind(self, resource):
        """RFC 4918, 9.1."""
        root = read_xml(self.request.body)
        depth = self.request.depth("1")
        if depth == "infinity" and resource.kind != "object":
            raise Forbidden("ask level by level", dav("propfind-finite-depth"))
        if root is not None:
            expect(root, dav("propfind"))
        resources = [resource]
        if depth == "1":
            resources += self.tree.children(resource)
        return 207, {}, multistatus(list(self._found(resources, root)))

    def _found(self, resources, root):
        tags = [] if root is None else [child.tag for child in root]
        kinds = {dav("prop"), dav("propname"), dav("allprop")}.intersection(tags)
        if root is not None and len(kinds) != 1:
            raise BadRequest("a propfind asks for prop, propname or allprop")
        if dav("propname") in kinds:
            for one in resources:
                inner = "".join(map(element, self.properties.names(one)))
                yield response(one.path, propstat(inner, 200))
            return
        names = None
        if dav("prop") in kinds:
            names = names_in(root.iterfind(dav("prop")))
        more = [] if root is None else names_in(root.iterfind(dav("include")))
        if names is None or not TEXTUAL.isdisjoint(names):
            self._read_texts(resources)
        for one in resources:
            wanted = names
            if wanted is None:
                wanted = list(dict.fromkeys([*self.properties.all_names(one), *more]))
            found, missing = self.properties.split(one, wanted)
            self.room.take(len(found) + len(missing))
            inner = propstat(found, 200) if found or not missing else ""
            if missing and not self.request.minimal:
                inner += propstat(missing, 404)
            yield response(one.path, inner or propstat("", 200))

    def _read_texts(self, resources):
        """The lengths of all objects are asked for: their texts at once."""
        entries = [one.entry for one in resources if one.entry is not None]
        if entries:
            self.properties.know_all(resources[-1].calendar, entries)

    # --- REPORT

    def _report(self, resource, root):
        if root is None:
            raise BadRequest("a report says what it asks for")
        kinds = REPORTS.get(root.tag)
        if kinds is None or resource.kind not in kinds:
            raise Forbidden("this report cannot be had here", dav("supported-report"))
        reports, principals = Reports(self), PrincipalReports(self)
        ask = {
            caldav("calendar-query"): reports.query,
            caldav("calendar-multiget"): reports.multiget,
            caldav("free-busy-query"): reports.free_busy,
            dav("sync-collection"): reports.sync,
            dav("expand-property"): principals.expand,
            dav("principal-property-search"): principals.property_search,
            dav("principal-search-property-set"): principals.search_set,
            dav("principal-match"): principals.match,
            dav("acl-principal-prop-set"): principals.acl_set,
        }[root.tag]
        return ask(resource, root)

    # --- GET

    def _get(self, resource):
        if resource.kind == "file":
            return self.attachments.get(resource)
        if resource.kind == "object":
            etag = f'"{resource.entry.etag}"'
            self.request.check(etag)
            headers = {
                "ETag": etag, "Content-Type": CALENDAR_TYPE, "Cache-Control": "private, no-cache",
            }  # fmt: skip
            if resource.entry.changed_at:
                headers["Last-Modified"] = http_date(resource.entry.changed_at)
            if self.request.has_current(etag):
                return 304, headers, []
            text = self.properties.text(resource)
            return 200, headers | self.scheduling.headers(text), [text]
        if resource.kind == "calendar":
            return self._whole(resource.calendar)
        text = "This is an address for calendar programs (CalDAV).\n"
        return 200, {"Content-Type": "text/plain; charset=utf-8"}, [text]

    def _whole(self, calendar):
        """All of a calendar as one file."""
        etag = f'"{calendar.token}"'
        headers = {
            "ETag": etag, "Content-Type": CALENDAR_TYPE, "Cache-Control": "private, no-cache",
        }  # fmt: skip
        if self.request.has_current(etag):
            return 304, headers, []
        entries = list(self.backend.entries(calendar))
        texts = [text for _entry, text in self.backend.texts(calendar, entries)]
        first = self.now.date().replace(year=self.now.year - 20, day=1)
        lines = [f"X-WR-CALNAME:{write_text(calendar.title)}"]
        return 200, headers, [compose(texts, first, lines=lines).decode()]


def refusal(error):
    """The answer that says why not."""
    body = error_body(error)
    headers = {"DAV": DAV, **error.headers}
    if body:
        headers["Content-Type"] = XML_TYPE
        return Answer(status_of(error), headers, [body])
    headers["Content-Type"] = "text/plain; charset=utf-8"
    return Answer(status_of(error), headers, [f"{error.message}\n" if error.message else ""])

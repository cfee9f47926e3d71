"""A calendar on a server elsewhere: what has changed in it, its texts, writing into it.

Members are known by the path of their address, written in one way only. What a server
says of other places than this calendar is not taken.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.sax.saxutils import escape

from ..dav.errors import DavError
from ..dav.names import APPLE, CALDAV, CALENDARSERVER, DAV, caldav, dav
from ..dav.reading import read_xml
from ..engine.addresses import follow
from .errors import RemoteError, TokenLost

#: Bounds of an answer: a listing of some ten thousands.
MAX_BYTES, MAX_ELEMENTS = 50_000_000, 1_000_000
#: Octets of a path; longer ones are nobody's, and no index holds them.
MAX_PATH = 1000
#: Octets of one object; larger ones are left where they are.
MAX_TEXT = 2_000_000
NAMES = f'xmlns:D="{DAV}" xmlns:C="{CALDAV}" xmlns:S="{CALENDARSERVER}" xmlns:A="{APPLE}"'
XML = "application/xml; charset=utf-8"
CTAG = f"{{{CALENDARSERVER}}}getctag"
COLOR = f"{{{APPLE}}}calendar-color"


@dataclass(frozen=True)
class Said:
    """What a multistatus says of one address.

    :param int status: of the whole, or None
    :param dict found: elements by their names
    """

    path: str
    status: int | None
    found: dict = field(repr=False)

    def text(self, name):
        element = self.found.get(name)
        return "" if element is None else "".join(element.itertext()).strip()


@dataclass(frozen=True)
class Changes:
    """What has changed since a token.

    :param dict changed: ETags by path
    :param set gone: paths of which the server says that they are gone
    :param bool is_all: whether there is no further page
    """

    changed: dict
    gone: set
    token: str
    is_all: bool = True


@dataclass(frozen=True)
class Text:
    etag: str
    text: str = field(repr=False)


def clean_path(href):
    """The path of an address, written in one way.

    >>> clean_path("https://a.example/x%20y/%7eb"), clean_path("/x y/~b")
    ('/x%20y/~b', '/x%20y/~b')
    """
    return quote(unquote(urlsplit(href.strip()).path), safe="/~!$&'()*+,;=:@-._")


def multistatus(answer):
    """(list of Said, the root element)

    :raises RemoteError: ``odd`` for whatever else it is
    """
    answer.expect(207)
    try:
        root = read_xml(answer.body, MAX_BYTES, MAX_ELEMENTS)
    except DavError as error:
        raise RemoteError("odd", host=answer.address.host) from error
    if root is None or root.tag != dav("multistatus"):
        raise RemoteError("odd", host=answer.address.host)
    return [_said(one, answer.address) for one in root.iterfind(dav("response"))], root


def _said(response, address):
    href = response.findtext(dav("href")) or ""
    try:
        path = clean_path(urljoin(address.url, href.strip()))
    except ValueError as error:
        raise RemoteError("odd", host=address.host) from error
    found = {}
    for propstat in response.iterfind(dav("propstat")):
        if _status(propstat) in (200, None):
            for prop in propstat.iterfind(dav("prop")):
                found.update((one.tag, one) for one in prop)
    return Said(path, _status(response), found)


def _status(element):
    words = (element.findtext(dav("status")) or "").split(maxsplit=2)
    # Python reads no number of thousands of digits.
    return int(words[1][:9]) if len(words) > 1 and words[1].isdecimal() else None


def ask_props(transport, address, props, depth="0"):
    """The Answer to a question for properties.

    :param str props: elements, as XML
    """
    body = f"<D:propfind {NAMES}><D:prop>{props}</D:prop></D:propfind>".encode()
    return transport.ask("PROPFIND", address, body, Depth=depth, Content_Type=XML)


def propfind(transport, address, props, depth="0"):
    """(list of Said, Answer)"""
    answer = ask_props(transport, address, props, depth)
    return multistatus(answer)[0], answer


class RemoteCalendar:
    """:param Transport transport: that is open
    :param Address address: of the calendar
    """

    def __init__(self, transport, address):
        self.transport = transport
        self.address = address
        self.path = clean_path(address.url)
        if not self.path.endswith("/"):
            self.path += "/"

    # --- What has changed

    def can_sync(self):
        """Whether it lists changes since a token."""
        reports = self._prop("<D:supported-report-set/>").found.get(dav("supported-report-set"))
        return reports is not None and reports.find(f".//{dav('sync-collection')}") is not None

    def ctag(self):
        """What changes with any change, or ''. For some servers that is much work."""
        return self._prop("<S:getctag/>").text(CTAG)

    def _prop(self, props):
        said, _answer = propfind(self.transport, self.address, props)
        if not said:
            raise RemoteError("odd", host=self.address.host)
        return said[0]

    def changes(self, token):
        """One page of what has changed since a token, or of everything.

        :raises TokenLost: when the server does not know it
        """
        body = (
            f"<D:sync-collection {NAMES}><D:sync-token>{escape(token)}</D:sync-token>"
            "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        answer = self._report(body, depth="0")
        if token and answer.status in (400, 403, 409, 410, 412):
            raise TokenLost("token", host=self.address.host, status=answer.status)
        said, root = multistatus(answer)
        changed, gone, is_all = {}, set(), True
        for one in said:
            if one.status == 507:
                is_all = False
            elif not self._is_member(one.path):
                continue
            elif one.status in (404, 410):
                gone.add(one.path)
            elif one.text(dav("getetag")):
                changed[one.path] = one.text(dav("getetag"))
        following = (root.findtext(dav("sync-token")) or "").strip()
        if not following:
            raise RemoteError("odd", host=self.address.host)
        return Changes(changed, gone, following, is_all)

    def listing(self):
        """ETags of everything, by path."""
        said, _answer = propfind(
            self.transport, self.address, "<D:getetag/><D:resourcetype/>", depth="1"
        )
        found = {}
        for one in said:
            kind = one.found.get(dav("resourcetype"))
            is_calendar = kind is not None and kind.find(dav("collection")) is not None
            if not is_calendar and self._is_member(one.path) and one.text(dav("getetag")):
                found[one.path] = one.text(dav("getetag"))
        return found

    def _is_member(self, path):
        rest = path[len(self.path) :]
        is_below = path.startswith(self.path) and bool(rest) and "/" not in rest
        return is_below and len(path) <= MAX_PATH

    # --- Texts

    def texts(self, paths):
        """Texts by path. What is not in it may be gone, or was not told: see :meth:`get`."""
        hrefs = "".join(f"<D:href>{escape(path)}</D:href>" for path in paths)
        body = (
            f"<C:calendar-multiget {NAMES}><D:prop><D:getetag/><C:calendar-data/></D:prop>"
            f"{hrefs}</C:calendar-multiget>"
        )
        wanted = set(paths)
        found = {}
        for one in multistatus(self._report(body, depth="1"))[0]:
            text, etag = one.text(caldav("calendar-data")), one.text(dav("getetag"))
            if one.path in wanted and text and etag and len(text) <= MAX_TEXT:
                found[one.path] = Text(etag, text)
        return found

    def get(self, path):
        """The Text at a path; None is the proof that there is nothing."""
        answer = self.transport.ask("GET", self._at(path))
        if answer.status in (404, 410):
            return None
        answer.expect(200)
        if len(answer.body) > MAX_TEXT:
            raise RemoteError("too_large", host=self.address.host, limit=MAX_TEXT, status=413)
        # No database holds a NUL, and no calendar has one.
        text = answer.body.decode("utf-8", "replace").replace("\0", "")
        return Text(answer.headers.get("ETag") or "", text)

    def _report(self, body, depth):
        return self.transport.ask(
            "REPORT", self.address, body.encode(), Depth=depth, Content_Type=XML
        )

    def _at(self, path):
        return follow(self.address, path)

    # --- Writing

    def new_path(self, uid):
        """Where a new object goes: always the same for the same UID, so that a try that
        was cut off is found again."""
        name = "".join(char for char in uid if char.isascii() and (char.isalnum() or char in "-_."))
        if name != uid or len(name) > 120 or name.startswith("."):
            name = hash_of(uid)
        return clean_path(f"{self.path}{name}.ics")

    def put(self, path, text, etag=None):
        """Write an object, if it is as it was; without an ETag, if there is none.

        :return: its new ETag, or '' when the server does not say
        :raises RemoteError: ``changed`` when it is not as it was
        """
        condition = {"If_Match": _strong(etag)} if etag else {"If_None_Match": "*"}
        answer = self.transport.ask(
            "PUT", self._at(path), text.encode(), Content_Type="text/calendar; charset=utf-8",
            **condition,
        ).expect(200, 201, 204)  # fmt: skip
        return answer.headers.get("ETag") or ""

    def delete(self, path, etag):
        """Take an object away, if it is as it was; one that is gone is gone."""
        # RFC 6638, 8.1: nobody is told by the server.
        answer = self.transport.ask(
            "DELETE", self._at(path), If_Match=_strong(etag) if etag else None, Schedule_Reply="F"
        )
        answer.expect(200, 202, 204, 404, 410)


def hash_of(uid):
    """A name for a UID that cannot be one itself."""
    return blake2b(uid.encode(), digest_size=16).hexdigest()


def _strong(etag):
    """What a condition can be made of: some proxies weaken what a server has said."""
    return etag[2:] if etag.startswith("W/") else etag

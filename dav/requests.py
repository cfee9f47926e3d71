"""A request, with what its headers mean."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from .errors import BadRequest, Failed

#: Longest header with conditions: it is searched by patterns.
MAX_CONDITION = 8192
_PORTS = {"http": ":80", "https": ":443"}
_TAG = re.compile(r'\s*(W/)?("[^"]*")\s*(?:,|$)')
_LIST = re.compile(r"\s*(?:<([^>]*)>\s*)?\(([^)]*)\)")
_CONDITION = re.compile(r"\s*(Not\s+)?(?:<([^>]*)>|\[((?:W/)?\"[^\"]*\")\])", re.I)


@dataclass
class Request:
    """:param str path: decoded, with all before it that the server itself has
    :param dict headers: by their names in lower case
    :param bytes body: as it came
    :param str base: scheme and host by which the client reaches us
    :param str query: what stands behind the path, as it came
    """

    method: str
    path: str
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    base: str = "http://localhost"
    query: str = ""

    def header(self, name, default=None):
        return self.headers.get(name, default)

    def depth(self, default, allowed=("0", "1", "infinity")):
        """What Depth says (RFC 4918, 10.2).

        :raises BadRequest: for another word
        """
        value = (self.header("depth") or "").strip().lower()
        if not value:
            return default
        if value not in allowed:
            raise BadRequest(f"Depth: {value[:20]} means nothing here")
        return value

    @property
    def minimal(self):
        """Whether only what is there is wanted (RFC 8144, 2)."""
        if (self.header("brief") or "").strip().lower() == "t":
            return True
        return "return=minimal" in self._preferences()

    @property
    def representation(self):
        """Whether what was written is wanted as it is now (RFC 8144, 3)."""
        return "return=representation" in self._preferences()

    def _preferences(self):
        words = re.split("[,;]", self.header("prefer") or "")
        return {word.replace(" ", "").replace('"', "").lower() for word in words}

    @property
    def overwrite(self):
        """RFC 4918, 10.6. :raises BadRequest: for another word than T or F"""
        value = (self.header("overwrite") or "T").strip().upper()
        if value not in ("T", "F"):
            raise BadRequest("Overwrite is T or F")
        return value == "T"

    @property
    def destination(self):
        """The path of Destination (RFC 4918, 10.3), decoded.

        :raises BadRequest: without one, or one on another server
        """
        value = (self.header("destination") or "").strip()
        if not value:
            raise BadRequest("there is no Destination")
        return self.path_of(value)

    def path_of(self, href):
        """The decoded path of an address or a path.

        :raises BadRequest: for what is none, or is somewhere else
        """
        try:
            parts = urlsplit(href.strip())
        except ValueError as error:
            raise BadRequest("this is no address") from error
        if parts.netloc and _server(parts) != _server(urlsplit(self.base)):
            raise BadRequest("this address is of another server")
        if not parts.path.startswith("/"):
            raise BadRequest("this is no address")
        return decoded(parts.path)

    # --- Conditions

    def condition(self, name):
        """The value of a header that says under which condition the request is to be done.

        :raises BadRequest: when it is longer than any program's
        """
        value = self.header(name)
        if value is not None and len(value) > MAX_CONDITION:
            raise BadRequest(f"{name} is too long")
        return value

    def check(self, etag):
        """Whether the request is to be done, of a resource with this ETag.

        :param str etag: in quotes; None for what is not there
        :raises Failed: when it is not
        """
        match = self.condition("if-match")
        if match is not None and not (_any(match) and etag or etag in _tags(match, is_strong=True)):
            raise Failed("If-Match: it is another one now")
        none = self.condition("if-none-match")
        if none is not None and self.method not in ("GET", "HEAD"):
            if (_any(none) and etag) or (etag and etag in _tags(none)):
                raise Failed("If-None-Match: it is there")

    def has_current(self, etag):
        """Whether the client has this version already (RFC 9110, 13.1.2)."""
        value = self.condition("if-none-match")
        return value is not None and (_any(value) or etag in _tags(value))

    def check_if(self, etag_of):
        """The header If (RFC 4918, 10.4): one of its lists has to hold.

        :param etag_of: function from a path to the ETag there, or None
        :raises Failed: when none does
        :raises BadRequest: when it cannot be read
        """
        value = self.condition("if")
        if value is None:
            return
        at, path, holds, seen = 0, self.path, False, False
        etags = {}
        while value[at:].strip():
            match = _LIST.match(value, at)
            if not match:
                raise BadRequest("If cannot be read")
            at, seen = match.end(), True
            if match[1]:
                path = self.path_of(match[1])
            if path not in etags:
                etags[path] = etag_of(path)
            holds = holds or _holds(match[2], etags[path])
        if not seen:
            raise BadRequest("If cannot be read")
        if not holds:
            raise Failed("If: nothing of it holds")


def _holds(text, etag):
    at, holds = 0, True
    while text[at:].strip():
        match = _CONDITION.match(text, at)
        if not match:
            raise BadRequest("If cannot be read")
        at = match.end()
        # There are no locks: no state token is ever one of a resource.
        is_true = match[2] is None and match[3] == etag
        holds = holds and is_true != bool(match[1])
    return holds


def _any(value):
    return value.strip() == "*"


def _tags(value, is_strong=False):
    """Entity tags of a list, without the mark of weak ones; ours are all strong.

    :param bool is_strong: weak ones are none (RFC 9110, 8.8.3.2)
    """
    found = [] if _any(value) else _TAG.findall(value)
    return [tag for weak, tag in found if not (weak and is_strong)]


def decoded(path):
    """A path without its percent signs; what is no UTF-8 stays unlike anything."""
    return unquote(path, errors="surrogateescape")


def _server(parts):
    """Name and port of an address; where its port is that of its scheme, without.

    Programs write it or not, and a proxy may be the only one who knows the scheme.
    """
    return parts.netloc.lower().removesuffix(_PORTS.get(parts.scheme, ""))

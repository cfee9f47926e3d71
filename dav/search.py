"""REPORT about principals, and properties that lead to others (RFC 3253; RFC 3744, 9)."""

from lxml import etree

from .errors import BadRequest, DavError
from .names import caldav, dav
from .reading import MAX_NAMES, names_in, text_of
from .requests import decoded
from .writing import DECLARED, document, element, escape, multistatus, propstat, response

#: What principals can be searched by, and what each is called.
SEARCHED = {
    dav("displayname"): "Name",
    caldav("calendar-user-address-set"): "Address",
    "{http://calendarserver.org/ns/}email-address-set": "E-mail",
}
#: Levels of DAV:expand-property.
MAX_LEVELS = 5
#: Resources in one answer to it.
MAX_EXPANDED = 2_000


class PrincipalReports:
    """:param server: who has the tree, the properties and the request

    A user finds himself, and nobody else: who else is there is none of his business.
    """

    def __init__(self, server):
        self.tree = server.tree
        self.request = server.request
        self.properties = server.properties
        self.room = server.room
        self.budget = MAX_EXPANDED

    def property_search(self, _resource, root):
        """RFC 3744, 9.4."""
        self.request.depth("0", ("0",))
        searches = root.findall(dav("property-search"))
        if not searches:
            raise BadRequest("a search has something to search for")
        is_any = (root.get("test") or "allof").lower() == "anyof"
        found = [self._is_found(one) for one in searches]
        responses = []
        if any(found) if is_any else all(found):
            names = names_in(root.iterfind(dav("prop")))
            responses = [self._principal(names)]
        return 207, {}, multistatus(responses)

    def _is_found(self, search):
        block, match = search.find(dav("prop")), search.find(dav("match"))
        if block is None or match is None or not len(block):
            raise BadRequest("a search names a property and what is to match")
        words = text_of(match).casefold()
        resource = self.tree.find(self.tree.principal_path)
        return all(
            words in "".join(_text(self.properties.get(resource, one.tag))).casefold()
            for one in block
        )

    def search_set(self, _resource, _root):
        """RFC 3744, 9.5."""
        self.request.depth("0", ("0",))
        inner = "".join(
            "<D:principal-search-property><D:prop>"
            f'{element(name)}</D:prop><D:description xml:lang="en">{title}</D:description>'
            "</D:principal-search-property>"
            for name, title in SEARCHED.items()
        )
        return 200, {"Content-Type": "application/xml; charset=utf-8"}, [
            document(dav("principal-search-property-set"), inner)]  # fmt: skip

    def match(self, _resource, root):
        """RFC 3744, 9.3: the principals that are this user."""
        self.request.depth("0", ("0",))
        if root.find(dav("self")) is None and root.find(dav("principal-property")) is None:
            raise BadRequest("principal-match looks for self")
        names = names_in(root.iterfind(dav("prop")))
        return 207, {}, multistatus([self._principal(names)])

    def acl_set(self, _resource, root):
        """RFC 3744, 9.2: the principals that the ACL speaks of."""
        self.request.depth("0", ("0",))
        names = names_in(root.iterfind(dav("prop")))
        return 207, {}, multistatus([self._principal(names)])

    def _principal(self, names):
        resource = self.tree.find(self.tree.principal_path)
        found, missing = self.properties.split(resource, names)
        inner = propstat(found, 200) if found or not missing else ""
        if missing and not self.request.minimal:
            inner += propstat(missing, 404)
        return response(resource.path, inner or propstat("", 200))

    def expand(self, resource, root):
        """RFC 3253, 3.8."""
        resources = [resource]
        if self.request.depth("0", ("0", "1")) == "1":
            resources += self.tree.children(resource)
        return 207, {}, multistatus([self._expanded(one, root, 1) for one in resources])

    def _expanded(self, resource, wanted, level):
        self.budget -= 1
        if level > MAX_LEVELS or self.budget < 0:
            raise BadRequest("more levels, or more resources, than are expanded")
        if len(wanted) > MAX_NAMES:
            raise BadRequest("more properties than are looked at")
        found, missing = "", ""
        for one in wanted.iterfind(dav("property")):
            name = _name(one)
            value = self.properties.get(resource, name)
            if value is None:
                missing += element(name)
            elif len(one):
                found += element(name, self._behind(value, one, level))
            else:
                found += value
        self.room.take(len(found) + len(missing))
        inner = propstat(found, 200) if found or not missing else ""
        if missing and not self.request.minimal:
            inner += propstat(missing, 404)
        return response(resource.path, inner or propstat("", 200))

    def _behind(self, value, wanted, level):
        """What the addresses in a property lead to, in their place."""
        pieces = []
        for one in _parsed(value).iter(dav("href")):
            address = text_of(one)
            try:
                resource = self.tree.find(decoded(address))
            except DavError:
                pieces.append(f"<D:href>{escape(address)}</D:href>")
                continue
            pieces.append(self._expanded(resource, wanted, level + 1))
        return "".join(pieces)


def _name(one):
    local = (one.get("name") or "").strip()
    namespace = one.get("namespace", "DAV:").strip()
    name = f"{{{namespace}}}{local}" if namespace else local
    try:
        etree.QName(name)
    except ValueError as error:
        raise BadRequest("this is no name of a property") from error
    return name


def _parsed(value):
    return etree.fromstring(f"<x{DECLARED}>{value}</x>".encode())


def _text(value):
    return [] if value is None else _parsed(value).itertext()

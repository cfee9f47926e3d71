"""PROPPATCH, MKCALENDAR and extended MKCOL: what a client says of a calendar."""

from lxml import etree

from .errors import BadRequest, Forbidden, InvalidData, NoPrivilege, NotAllowed, WrongType
from .names import APPLE, caldav, dav
from .properties import LIVE_NAMES
from .reading import MAX_NAMES, expect, read_xml, text_of
from .reports import read_zone
from .writing import document, element, multistatus, propstat, response

#: Octets of all that clients keep with a calendar beside what has a meaning.
MAX_DEAD = 100_000
#: Characters of a name and of a description.
MAX_TITLE, MAX_DESCRIPTION = 500, 20_000
COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY")
_COMPONENT_SET = caldav("supported-calendar-component-set")
_XML = ("application/xml", "text/xml")


class Refused(Exception):
    """A property that cannot be set. :param str condition: element of DAV:error, or None"""

    def __init__(self, condition=None):
        super().__init__(condition)
        self.condition = condition


class Values:
    """What a request sets and removes.

    :param dict values: fields of a calendar, by their names in the backend
    :param dict dead: names to XML, None for those that are removed
    :param dict refused: names to the condition that they fail
    :param dict names: all of them, in their order
    """

    def __init__(self):
        self.values, self.dead, self.refused, self.names = {}, {}, {}, {}
        self.components = None
        self.kinds = ()
        self.number = 0

    def take_in(self, root, is_new, is_calendar=True):
        """:param bool is_new: whether it is about a calendar that is being made"""
        for block in root:
            if block.tag not in (dav("set"), dav("remove")):
                continue
            is_set = block.tag == dav("set")
            for prop in block.iterfind(dav("prop")):
                for one in prop:
                    self._read_one(one, is_set, is_new, is_calendar)
        return self

    def _read_one(self, one, is_set, is_new, is_calendar):
        name = one.tag
        self.names[name] = None
        # Also of those that are said again and again: each is read.
        self.number += 1
        if self.number > MAX_NAMES:
            raise BadRequest("more properties than are kept")
        try:
            if is_new and name == dav("resourcetype"):
                self.kinds = tuple(child.tag for child in one)
            elif is_new and name == _COMPONENT_SET:
                self.components = _components(one)
            elif is_calendar and name in _SETTERS:
                field, how = _SETTERS[name]
                self.values[field] = how(one) if is_set else _EMPTY[field]
            elif name in LIVE_NAMES or name == _COMPONENT_SET:
                self.refused[name] = dav("cannot-modify-protected-property")
            else:
                self.dead[name] = _as_xml(one) if is_set else None
        except Refused as error:
            self.refused[name] = error.condition

    def all_dead(self, before):
        """The dead ones as they will be."""
        found = {name: xml for name, xml in {**before, **self.dead}.items() if xml is not None}
        if sum(len(name) + len(xml) for name, xml in found.items()) > MAX_DEAD:
            raise Forbidden("more properties than are kept")
        return found


def _as_xml(one):
    """An element as it will be served; its prefixes are declared in it."""
    copy = etree.fromstring(etree.tostring(one, with_tail=False))
    etree.cleanup_namespaces(copy)
    return etree.tostring(copy, encoding="unicode")


def _title(one):
    return (one.text or "").strip()[:MAX_TITLE]


def _description(one):
    return (one.text or "")[:MAX_DESCRIPTION]


def _color(one):
    text = text_of(one)
    if len(text) > 50:
        raise Refused()
    return text


def _order(one):
    try:
        order = int(text_of(one)[:20])
    except ValueError as error:
        raise Refused() from error
    return max(-(2**31), min(order, 2**31 - 1))


def _timezone(one):
    text = one.text or ""
    if len(text) > 100_000 or read_zone(text) is None:
        raise Refused(InvalidData.condition)
    return text


def _transparent(one):
    tags = [child.tag for child in one]
    if tags not in ([caldav("opaque")], [caldav("transparent")]):
        raise Refused()
    return tags == [caldav("transparent")]


def _components(one):
    names = [(child.get("name") or "").strip().upper() for child in one.iterfind(caldav("comp"))]
    known = tuple(name for name in COMPONENTS if name in names)
    if not known:
        raise Refused(_COMPONENT_SET)
    return known


_SETTERS = {
    dav("displayname"): ("title", _title),
    caldav("calendar-description"): ("description", _description),
    caldav("calendar-timezone"): ("timezone", _timezone),
    caldav("schedule-calendar-transp"): ("transparent", _transparent),
    f"{{{APPLE}}}calendar-color": ("color", _color),
    f"{{{APPLE}}}calendar-order": ("order", _order),
}
_EMPTY = {
    "title": "", "description": "", "timezone": "", "transparent": False, "color": "",
    "order": None,
}  # fmt: skip


class Changes:
    """:param server: who has the tree, the backend and the request"""

    def __init__(self, server):
        self.server = server
        self.tree = server.tree
        self.backend = server.backend
        self.request = server.request

    def proppatch(self, resource, root):
        """RFC 4918, 9.2: all of it or nothing."""
        expect(root, dav("propertyupdate"))
        is_calendar = resource.kind == "calendar"
        values = Values().take_in(root, is_new=False, is_calendar=is_calendar)
        if not values.names:
            raise BadRequest("a propertyupdate sets or removes something")
        if resource.kind not in ("calendar", "home", "principal"):
            for name in values.names:
                values.refused.setdefault(name, None)
        if not values.refused:
            before = self.server.properties.dead(resource)
            dead = values.all_dead(before)
            if is_calendar:
                changed = dict(values.values)
                if values.dead:
                    changed["properties"] = dead
                self.backend.change_calendar(resource.calendar, changed)
            else:
                self.backend.set_home_properties(dead)
            if self.request.minimal:
                return 200, {"Preference-Applied": "return=minimal"}, []
        return 207, {}, multistatus([response(resource.path, _told(values))])

    def make(self, is_mkcol):
        """RFC 4791, 5.3.1, and RFC 5689."""
        if is_mkcol:
            self._check_type()
        root = read_xml(self.request.body)
        target = self.tree.target(self.request.path)
        if target.calendar is not None:
            raise Forbidden(
                "a calendar cannot be inside of another", caldav("calendar-collection-location-ok")
            )
        if self.tree.has_calendar(target.name):
            raise NotAllowed(
                "there is a calendar of this name", dav("resource-must-be-null"),
                headers={"Allow": self.server.allow("calendar")},
            )  # fmt: skip
        self.request.check(None)
        values = Values()
        if root is not None:
            expect(root, dav("mkcol") if is_mkcol else caldav("mkcalendar"))
            values.take_in(root, is_new=True)
        if is_mkcol and caldav("calendar") not in values.kinds:
            raise Forbidden("only calendars are made here", dav("valid-resourcetype"))
        if values.refused:
            name = dav("mkcol-response") if is_mkcol else caldav("mkcalendar-response")
            return 424, {}, [document(name, _told(values))]
        fields = dict(values.values)
        if values.dead:
            fields["properties"] = values.all_dead({})
        self.backend.make_calendar(target.name, values.components, fields)
        headers = {"Cache-Control": "no-cache"}
        if not is_mkcol or self.request.minimal:
            return 201, headers, []
        return 201, headers, [document(dav("mkcol-response"), _told(values))]

    def _check_type(self):
        """A body of MKCOL that is no XML (RFC 4918, 9.3). :raises WrongType:"""
        kind = (self.request.header("content-type") or "").partition(";")[0].strip().lower()
        if self.request.body.strip() and kind and kind not in _XML:
            raise WrongType("only XML is understood here")

    def delete(self, calendar):
        """Take a calendar away."""
        self.request.depth("infinity", ("infinity",))
        if calendar.fixed:
            raise NoPrivilege("this calendar stays where it is")
        self.backend.delete_calendar(calendar)


def _told(values):
    """What has become of each property: all are set, or none is."""
    if not values.refused:
        return propstat("".join(map(element, values.names)), 200)
    told = ""
    by_condition = {}
    for name, condition in values.refused.items():
        by_condition.setdefault(condition, []).append(name)
    for condition, names in by_condition.items():
        word = element(condition) if condition else ""
        told += propstat("".join(map(element, names)), 403, word)
    others = [name for name in values.names if name not in values.refused]
    if others:
        told += propstat("".join(map(element, others)), 424)
    return told

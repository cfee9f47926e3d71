"""REPORT: questions about calendars (RFC 4791, 7; RFC 6578, 3)."""

from ..ical.errors import IcalError, LimitExceeded
from ..ical.parse import parse
from . import times
from .backend import Search
from .data import DataRequest, read_data
from .errors import BadRequest, Forbidden, InvalidData, InvalidFilter, NotFound
from .filters import CompFilter, read_filter
from .freebusy import free_busy
from .names import caldav, dav
from .objects import read_object
from .properties import TEXTUAL, token_of, token_uri
from .reading import names_in, text_of
from .resources import is_name
from .writing import element, escape, failure, multistatus, propstat, response

#: Objects of one multiget.
MAX_HREFS = 20_000
_DATA = caldav("calendar-data")


class Wanted:
    """Which properties of each object a report is to give.

    :param root: the report, with DAV:prop, DAV:allprop or DAV:propname; nothing of
        these gives the objects alone
    """

    def __init__(self, root):
        self.data, self.is_all, self.is_names = None, False, False
        blocks = root.findall(dav("prop"))
        self.names = [name for name in names_in(blocks) if name != _DATA]
        for child in root:
            if child.tag == dav("prop"):
                for one in child.iterfind(_DATA):
                    self.data = read_data(one)
            elif child.tag == dav("allprop"):
                self.is_all = True
            elif child.tag == dav("propname"):
                self.is_names = True

    @property
    def is_etag_alone(self):
        return self.names == [dav("getetag")] and self.data is None and not (
            self.is_all or self.is_names
        )  # fmt: skip

    @property
    def needs_text(self):
        return self.data is not None or self.is_all or not TEXTUAL.isdisjoint(self.names)


class Reports:
    """The reports of one request.

    :param server: who has the tree, the properties and the request
    """

    def __init__(self, server):
        self.server = server
        self.tree = server.tree
        self.backend = server.backend
        self.request = server.request
        self.properties = server.properties

    # --- calendar-query

    def query(self, resource, root):
        """RFC 4791, 7.8."""
        wanted = Wanted(root)
        filters = root.findall(caldav("filter"))
        if len(filters) != 1:
            raise InvalidFilter("a query has one filter")
        filter_ = read_filter(filters[0])
        zone = self._zone(root, resource.calendar)
        depth = self.request.depth("1")
        if resource.entry is None and depth == "0":
            return self._multistatus(())
        return self._multistatus(
            list(self._matching(resource, filter_, wanted, zone))
        )  # fmt: skip

    def _matching(self, resource, filter_: CompFilter, wanted, zone):
        calendar = resource.calendar
        asked, is_all = filter_.search()
        search = self._where(asked, zone)
        # What the store is sure of is right: unless days and floating times are elsewhere.
        trusts = filter_.is_span_alone and search is asked
        if resource.kind == "object":
            entries = [resource.entry]
        else:
            entries = self.backend.entries(calendar, search=search)
        if is_all and not wanted.needs_text:
            is_right = resource.entry is None or search.component in (
                None, resource.entry.component)  # fmt: skip
            for entry in entries if is_right else ():
                yield self._response(calendar, entry, wanted, None, zone)
            return
        if trusts and not wanted.needs_text:
            for entry in entries:
                if entry.is_sure:
                    yield self._response(calendar, entry, wanted, None, zone)
            entries = [entry for entry in entries if not entry.is_sure]
        for entry, text in self.backend.texts(calendar, entries):
            if trusts and entry.is_sure:
                yield self._response(calendar, entry, wanted, text, zone)
                continue
            found = read_object(text)
            if found is not None and filter_.matches(found, zone):
                yield self._response(calendar, entry, wanted, text, zone, found)

    def _where(self, search, zone):
        """The search, where days and floating times are in that zone."""
        return search if zone == self.tree.person.zone else search.widened()

    def _zone(self, root, calendar):
        """Where floating times are: as it is asked, as the calendar has it, or his own."""
        element_ = root.find(caldav("timezone"))
        if element_ is not None:
            zone = read_zone(element_.text or "")
            if zone is None:
                raise InvalidData("this is no time zone")
            return zone
        if calendar is not None and calendar.timezone:
            return read_zone(calendar.timezone) or self.tree.person.zone
        return self.tree.person.zone or times.UTC

    def _response(self, calendar, entry, wanted, text, zone, found=None):
        """One object, with what is wanted of it.

        :param CalendarObject found: what was read of the text, if it was
        """
        if wanted.is_etag_alone:
            return self._etag_of(calendar, entry)
        resource = self.tree.of_entry(calendar, entry)
        if text is not None:
            self.properties.know(entry, text)
        names = wanted.names
        if wanted.is_names:
            inner = "".join(map(element, self.properties.names(resource)))
            return response(resource.path, propstat(inner, 200))
        if wanted.is_all:
            names = [*names, *self.properties.all_names(resource)]
        there, missing = self.properties.split(resource, names)
        self.server.room.take(len(there) + len(missing))
        if wanted.data is not None:
            try:
                there += element(_DATA, escape(self._data(wanted.data, text, zone, found)))
            except LimitExceeded:
                condition = element(dav("number-of-matches-within-limits"))
                return failure(resource.path, 507, condition)
        inner = ""
        if there or not missing or self.request.minimal:
            inner = propstat(there, 200)
        if missing and not self.request.minimal:
            inner += propstat(missing, 404)
        return response(resource.path, inner)

    def _etag_of(self, calendar, entry):
        """The answer to the question that is asked of thousands at once."""
        etag = element(dav("getetag"), f'"{escape(entry.etag)}"')
        return response(self.tree.entry_path(calendar, entry), propstat(etag, 200))

    def _data(self, data: DataRequest, text, zone, found=None):
        if data.is_plain:
            return text
        found = found or read_object(text)
        return text if found is None else data.of(found, zone, self.server.room)

    # --- calendar-multiget

    def multiget(self, resource, root):
        """RFC 4791, 7.9."""
        wanted = Wanted(root)
        paths = [text_of(one) for one in root.iterfind(dav("href"))]
        if not paths:
            raise BadRequest("a multiget names what it wants")
        if len(paths) > MAX_HREFS:
            raise Forbidden("too many objects", dav("number-of-matches-within-limits"))
        # One path is written in many ways.
        asked = {found[0]: found for found in (self._asked(resource, path) for path in paths)}
        asked = list(asked.values())
        found = self._found(asked, wanted)
        zone = self._zone(root, resource.calendar)

        def responses():
            for path, calendar, name in asked:
                pair = calendar is not None and found.get((calendar.name, name))
                if pair:
                    yield self._response(calendar, pair[0], wanted, pair[1], zone)
                else:
                    yield failure(path, 404)

        return self._multistatus(list(responses()))

    def _found(self, asked, wanted):
        """What is there of it: dict from (calendar, name) to (entry, text or None)."""
        by_calendar, found = {}, {}
        for _path, calendar, name in asked:
            if calendar is not None:
                by_calendar.setdefault(calendar.name, (calendar, []))[1].append(name)
        for calendar, names in by_calendar.values():
            entries = self.backend.entries(calendar, names=names)
            pairs = ((entry, None) for entry in entries)
            if wanted.needs_text:
                pairs = self.backend.texts(calendar, list(entries))
            for entry, text in pairs:
                found[calendar.name, entry.name] = entry, text
        return found

    def _asked(self, resource, href):
        """(path, calendar, name) of an href; no calendar where nothing can be."""
        try:
            path = self.request.path_of(href)
        except BadRequest:
            return href, None, None
        home = self.tree.home_path
        parts = path[len(home) :].split("/") if path.startswith(home) else ()
        if len(parts) != 2 or not is_name(parts[1]):
            return path, None, None
        try:
            calendar = self.tree.calendar(parts[0])
        except NotFound:
            return path, None, None
        if resource.calendar is not None and calendar.name != resource.calendar.name:
            return path, None, None
        return path, calendar, parts[1]

    # --- sync-collection

    def sync(self, resource, root):
        """RFC 6578, 3."""
        self.request.depth("0", ("0", "1"))
        tokens = root.findall(dav("sync-token"))
        if len(tokens) != 1:
            raise BadRequest("a sync-collection has one sync-token")
        level = root.find(dav("sync-level"))
        if level is not None and text_of(level) not in ("1", "infinite"):
            raise BadRequest("sync-level is 1 or infinite")
        wanted = Wanted(root)
        limit = _limit(root)
        uri = text_of(tokens[0])
        calendar = resource.calendar
        changed, gone, token, is_all = self.backend.changes(
            calendar, token_of(uri) if uri else "", limit
        )
        texts = {}
        if wanted.needs_text:
            texts = dict(self.backend.texts(calendar, changed))
        zone = self._zone(root, calendar)
        responses = [
            self._response(calendar, entry, wanted, texts[entry] if texts else None, zone)
            for entry in changed
            if not wanted.needs_text or entry in texts
        ]
        path = self.tree.calendar_path(calendar)
        responses += [failure(path + name, 404) for name in gone]
        if not is_all:
            condition = element(dav("number-of-matches-within-limits"))
            responses.append(failure(path, 507, condition))
        return self._multistatus(
            responses, element(dav("sync-token"), escape(token_uri(token)))
        )  # fmt: skip

    # --- free-busy-query

    def free_busy(self, resource, root):
        """RFC 4791, 7.10."""
        ranges = root.findall(caldav("time-range"))
        if len(ranges) != 1:
            raise BadRequest("a free-busy-query has one time-range")
        span = times.read_range(ranges[0], error=BadRequest)
        calendars = [resource.calendar]
        if resource.kind == "home":
            calendars = [one for one in self.tree.calendars if not one.transparent]
        zone = self._zone(root, resource.calendar)
        searches = [Search(kind, span.start, span.end) for kind in ("VEVENT", "VFREEBUSY")]
        objects = (
            found
            for calendar in calendars
            for search in searches
            for entry, text in self.backend.texts(
                calendar, self.backend.entries(calendar, search=self._where(search, zone))
            )
            if (found := read_object(text)) is not None
        )
        text = free_busy(objects, span, zone, self.server.now, self.tree.person.emails)
        return 200, {"Content-Type": "text/calendar; charset=utf-8"}, [text]

    def _multistatus(self, responses, last=""):
        return 207, {}, multistatus(responses, last)


def _limit(root):
    limits = root.findall(dav("limit"))
    if not limits:
        return None
    number = limits[0].find(dav("nresults"))
    text = text_of(number) if number is not None else ""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9])):
        raise BadRequest("nresults is a number")
    return int(text[:9])


def read_zone(text):
    """The zone of a calendar with one VTIMEZONE, or None."""
    try:
        calendar = parse(text.encode()).calendars[0]
    except (IcalError, UnicodeEncodeError):
        return None
    return next(
        (
            calendar.zones.get(line[5:].strip())
            for one in calendar.others if one.name == "VTIMEZONE"
            for line in one.lines() if line[:5].upper() == "TZID:"
        ),
        None,
    )  # fmt: skip

"""A calendar program: the words it asks with, and what it is told."""

from lxml import etree

D = "{DAV:}"
C = "{urn:ietf:params:xml:ns:caldav}"
NAMES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    ' xmlns:CS="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/"'
)
DATA = "<C:calendar-data/>"


class Program:
    """Subclasses know how a request gets to a server.

    :cvar str user: the part of the path that is the user's
    :cvar str stranger: somebody else's
    :cvar str shared: name of a calendar of the user that he only reads
    """

    user = stranger = shared = None
    root = "/caldav/"

    @property
    def principal(self):
        return f"{self.root}principals/{self.user}/"

    @property
    def home(self):
        return f"{self.root}calendars/{self.user}/"

    @property
    def agenda(self):
        return self.home + "agenda/"

    def ask(self, method, path, body="", **headers):
        """:return: Reply"""
        raise NotImplementedError

    def put(self, path, text, **headers):
        headers.setdefault("content_type", "text/calendar; charset=utf-8")
        return self.ask("PUT", path, text, **headers)

    def store(self, uid="one", *lines, more="", path=None):
        """Put an event that has to be taken; the answer."""
        answer = self.put(f"{path or self.agenda}{uid}.ics", event(uid, *lines, more=more))
        return expect(answer, 201)

    def store_todo(self, path, uid, *lines):
        text = event(uid, *lines).replace("VEVENT", "VTODO")
        return expect(self.put(f"{path}{uid}.ics", text), 201)

    def make(self, name, *components):
        """Make a calendar; its path."""
        kinds = "".join(f'<C:comp name="{one}"/>' for one in components)
        kinds = f"<C:supported-calendar-component-set>{kinds}</C:supported-calendar-component-set>"
        body = (
            f"<C:mkcalendar {NAMES}><D:set><D:prop>{kinds if components else ''}</D:prop></D:set>"
            "</C:mkcalendar>"
        )
        expect(self.ask("MKCALENDAR", f"{self.home}{name}/", body), 201)
        return f"{self.home}{name}/"

    def text(self, name, path=None):
        """The text of an object."""
        return expect(self.ask("GET", (path or self.agenda) + name), 200).text

    def propfind(self, path, props, depth="0", **headers):
        body = f"<D:propfind {NAMES}><D:prop>{props}</D:prop></D:propfind>"
        return self.ask("PROPFIND", path, body, depth=depth, **headers)

    def proppatch(self, path, inner, **headers):
        body = f"<D:propertyupdate {NAMES}>{inner}</D:propertyupdate>"
        return self.ask("PROPPATCH", path, body, **headers)

    def report(self, path, body, depth="1", **headers):
        return self.ask("REPORT", path, body, depth=depth, **headers)

    def query(self, inner, props="<D:getetag/>", path=None, more="", **headers):
        return self.report(
            path or self.agenda,
            f"<C:calendar-query {NAMES}><D:prop>{props}</D:prop><C:filter>"
            f'<C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>{more}'
            "</C:calendar-query>", **headers,
        )  # fmt: skip

    def matching(self, inner, path=None):
        """Names of the objects that match, without their ending."""
        answer = expect(self.query(inner, path=path), 207)
        return [name.removesuffix(".ics") for name in answer.names]

    def multiget(self, paths, props="<D:getetag/>" + DATA, path=None, **headers):
        hrefs = "".join(f"<D:href>{one}</D:href>" for one in paths)
        return self.report(
            path or self.agenda,
            f"<C:calendar-multiget {NAMES}><D:prop>{props}</D:prop>{hrefs}</C:calendar-multiget>",
            **headers,
        )

    def sync(self, token="", more="", path=None, depth="0", props="<D:getetag/>"):
        return self.report(
            path or self.agenda,
            f"<D:sync-collection {NAMES}><D:sync-token>{token}</D:sync-token>"
            f"<D:sync-level>1</D:sync-level>{more}<D:prop>{props}</D:prop></D:sync-collection>",
            depth,
        )

    def free_busy(self, start, end, path=None):
        body = f"<C:free-busy-query {NAMES}>{span(start, end)}</C:free-busy-query>"
        return self.report(path or self.agenda, body)


class Reply:
    """What a server has answered."""

    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def xml(self):
        return etree.fromstring(self.text.encode())

    @property
    def condition(self):
        """The name of the element in DAV:error."""
        root = self.xml
        assert root.tag == f"{D}error", self.text
        return etree.QName(root[0]).localname

    @property
    def found(self):
        """dict from the last part of the path to the properties that are there."""
        found = {}
        for one in self.xml.iterfind(f"{D}response"):
            props = {}
            for stat in one.iterfind(f"{D}propstat"):
                if " 200 " in stat.findtext(f"{D}status"):
                    props |= {etree.QName(p).localname: p for p in stat.find(f"{D}prop")}
            found[_last(one)] = props
        return found

    @property
    def names(self):
        return sorted(self.found)

    @property
    def statuses(self):
        """dict from the last part of the path to the status of what has none but that."""
        return {
            _last(one): int(one.findtext(f"{D}status").split()[1])
            for one in self.xml.iterfind(f"{D}response")
            if one.find(f"{D}status") is not None
        }

    @property
    def missing(self):
        return self.named(404)

    def named(self, status):
        """Names of the properties with that status."""
        return {
            etree.QName(p).localname
            for stat in self.xml.iter(f"{D}propstat")
            if f" {status} " in stat.findtext(f"{D}status")
            for p in stat.find(f"{D}prop")
        }

    @property
    def token(self):
        return self.xml.findtext(f"{D}sync-token")

    def data(self, name):
        """The text of calendar-data; XML has made LF of its CRLF, or not."""
        return self.found[name]["calendar-data"].text


def _last(element):
    return element.findtext(f"{D}href").rstrip("/").split("/")[-1]


def expect(answer, status, condition=None):
    """The answer, if it is that one."""
    assert answer.status == status, f"{answer.status} instead of {status}: {answer.text[:500]}"
    if condition:
        assert answer.condition == condition, answer.text
    return answer


def event(uid="one", *lines, more=""):
    """The text of an event of one hour on 1 March 2027, 10 to 11 in UTC."""
    own = list(lines) or ["DTSTART:20270301T100000Z", "DTEND:20270301T110000Z", "SUMMARY:Tasting"]
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//X//EN", "BEGIN:VEVENT", f"UID:{uid}",
            "DTSTAMP:20270101T000000Z", *own, "END:VEVENT",
            *([more.strip().replace("\n", "\r\n")] if more else ()), "END:VCALENDAR", "",
        ]
    )  # fmt: skip


# --- The words of a filter


def span(start, end=None, word="time-range"):
    ends = f' start="{start}"' if start else ""
    ends += f' end="{end}"' if end else ""
    return f"<C:{word}{ends}/>"


def comp(inner="", name="VEVENT"):
    return f'<C:comp-filter name="{name}">{inner}</C:comp-filter>'


def prop(name, inner=""):
    return f'<C:prop-filter name="{name}">{inner}</C:prop-filter>'


def param(name, inner=""):
    return f'<C:param-filter name="{name}">{inner}</C:param-filter>'


def match(text, attributes=""):
    return f"<C:text-match {attributes}>{text}</C:text-match>"


ABSENT = "<C:is-not-defined/>"

"""From an address, or an e-mail address, to the calendars (RFC 6764, RFC 4791, 6.2).

Each step is noted, so that a user sees how far it went.
"""

from dataclasses import dataclass, field
from urllib.parse import urljoin

from ..dav.names import caldav, dav
from ..engine.addresses import FetchError, read_address
from .errors import RemoteError
from .remote import COLOR, ask_props, multistatus, propfind

WELL_KNOWN = "/.well-known/caldav"
PRINCIPAL = "<D:current-user-principal/><D:resourcetype/><C:calendar-home-set/>"
CALENDAR = (
    "<D:displayname/><D:resourcetype/><A:calendar-color/><C:supported-calendar-component-set/>"
    "<D:current-user-privilege-set/><D:supported-report-set/>"
)
#: Calendars of one account.
MAX_CALENDARS = 200


@dataclass
class Step:
    """:param str code: ``address``, ``server``, ``principal``, ``home``, ``calendars``
    :param FetchError error: why it did not work, or None
    :param str detail: what was found
    """

    code: str
    detail: str = ""
    error: object = None


@dataclass(frozen=True)
class Calendar:
    """A calendar as the server presents it."""

    address: object
    name: str
    color: str = ""
    components: tuple = ("VEVENT",)
    writable: bool = True


@dataclass
class Found:
    steps: list = field(default_factory=list)
    calendars: list = field(default_factory=list)
    home: object = None

    @property
    def error(self):
        """What ended it, or None."""
        return self.steps[-1].error if self.steps else None


def starts(text, resolve=None):
    """Where to begin, the best first.

    :param str text: an address, the name of a server, or an e-mail address
    :param resolve: function of (domain) to list of (host, port), for SRV; or None
    :return: list of Address
    :raises FetchError: when it is none of them

    >>> [one.url for one in starts("ana@example.com")]
    ['https://example.com/']
    >>> [one.url for one in starts("cloud.example/dav")]
    ['https://cloud.example/dav']
    >>> [one.url for one in starts("a@b.example", lambda domain: [("dav." + domain, 8443)])]
    ['https://dav.b.example:8443/', 'https://b.example/']
    """
    text = text.strip()
    if "://" in text:
        return read_address(text)[:1]
    if "@" in text and "/" not in text:
        domain = text.rpartition("@")[2]
        servers = resolve(domain) if resolve else []
        texts = [f"https://{host}:{port}/" for host, port in servers] + [f"https://{domain}/"]
        return [read_address(one)[0] for one in texts]
    return read_address(f"https://{text}")[:1]


def resolve_srv(domain):
    """(host, port) of the secure CalDAV service of a domain (RFC 6764, 3), if that can be
    asked: the library for it is not needed otherwise."""
    try:
        import dns.exception
        import dns.resolver
    except ImportError:
        return []
    try:
        answers = dns.resolver.resolve(f"_caldavs._tcp.{domain}", "SRV", lifetime=5)
    except dns.exception.DNSException:
        return []
    found = sorted(answers, key=lambda one: (one.priority, -one.weight))
    hosts = [(str(one.target).rstrip("."), one.port) for one in found]
    # "." says that there is no such service.
    return [one for one in hosts if one[0]][:3]


def discover(transport, address):
    """Look for the calendars.

    :param Transport transport: that is open
    :param Address address: where the user has said it is
    :rtype: Found
    """
    found = Found()
    code = "server"
    try:
        here = _entrance(transport, address)
        found.steps.append(Step("server", here.address.base))
        code = "principal"
        principal = here.principal
        if principal is None and not here.homes and here.is_calendar:
            _check_host(transport, address, here.address)
            found.calendars = _calendars(transport, here.address, "0")
            found.steps.append(Step("calendars", str(len(found.calendars))))
            return found
        homes = here.homes
        if principal is not None:
            _check_host(transport, address, principal)
            said, answer = propfind(transport, principal, PRINCIPAL)
            homes = _homes(said, answer.address) or homes
            found.steps.append(Step("principal", principal.target))
        code = "home"
        if not homes:
            raise RemoteError("no_home", host=here.address.host)
        found.home = homes[0]
        found.steps.append(Step("home", homes[0].target))
        code = "calendars"
        for home in homes[:5]:
            _check_host(transport, address, home)
            found.calendars += _calendars(transport, home, "1")
        found.calendars = found.calendars[:MAX_CALENDARS]
        found.steps.append(Step("calendars", str(len(found.calendars))))
        if not found.calendars:
            found.steps[-1].error = RemoteError("no_calendars", host=here.address.host)
    except FetchError as error:
        found.steps.append(Step(code, error=error))
    return found


@dataclass
class _Entrance:
    address: object
    principal: object
    homes: list
    is_calendar: bool


def _entrance(transport, address):
    """Who we are there: asked at the address, at the well-known one, and at the root."""
    ways = [address] if address.target != "/" else []
    ways += [_at(address, WELL_KNOWN), _at(address, "/")]
    first = None
    for way in ways:
        try:
            return _asked(transport, way)
        except RemoteError as error:
            if error.code in ("denied", "elsewhere", "busy"):
                raise
            first = first or error
    raise first


def _asked(transport, address):
    answer = ask_props(transport, address, PRINCIPAL)
    if answer.status == 401 and not answer.is_told:
        raise RemoteError("elsewhere", host=answer.address.base, status=401)
    if answer.status == 403 and answer.is_told:
        raise RemoteError("denied", host=answer.address.host, status=403)
    said = multistatus(answer)[0]
    principal = next(
        filter(None, (_href(one, dav("current-user-principal"), answer.address) for one in said)),
        None,
    )
    homes = _homes(said, answer.address)
    is_calendar = any(_is_calendar(one) for one in said)
    if principal is None and not homes and not is_calendar:
        raise RemoteError("no_principal", host=answer.address.host)
    return _Entrance(answer.address, principal, homes, is_calendar)


def _at(address, target):
    return read_address(address.base + target)[0]


def _href(said, name, address):
    element = said.found.get(name)
    href = element.findtext(dav("href")) if element is not None else None
    return _join(address, href) if href else None


def _homes(said, address):
    return [
        _join(address, href.text)
        for one in said
        for href in one.found.get(caldav("calendar-home-set"), ())
        if href.tag == dav("href") and href.text
    ]


def _join(address, href):
    try:
        return read_address(urljoin(address.url, href.strip()))[0]
    except ValueError as error:
        raise RemoteError("odd", host=address.host) from error


def _check_host(transport, origin, address):
    """Whether the password may go there: to the same server, or to one of the same house.

    :param Address origin: that the user has named, wherever redirects have led
    :raises RemoteError: ``elsewhere``
    """
    if address.origin in transport.told:
        return
    if address.scheme == "https" and is_same_house(origin.host, address.host):
        transport.tell(address)
        return
    raise RemoteError("elsewhere", host=address.base)


def is_same_house(host, other):
    """Whether two servers are of one owner, as far as their names tell.

    >>> is_same_house("caldav.icloud.com", "p42-caldav.icloud.com")
    True
    >>> is_same_house("shop.co.uk", "evil.co.uk"), is_same_house("a.example", "b.example")
    (False, False)
    """
    if other.endswith(f".{host}"):
        return True
    parent = host.partition(".")[2]
    # The name below a top-level domain: short ones (co, com, org) belong to nobody.
    owner, _, rest = parent.partition(".")
    return bool(rest) and len(owner) > 3 and other.endswith(f".{parent}")


def _calendars(transport, home, depth):
    said, answer = propfind(transport, home, CALENDAR, depth)
    found = []
    for one in said:
        if not _is_calendar(one):
            continue
        address = _at(answer.address, one.path)
        components = tuple(
            (child.get("name") or "").upper()
            for child in one.found.get(caldav("supported-calendar-component-set"), ())
            if child.get("name")
        )
        name = one.text(dav("displayname")) or one.path.rstrip("/").rpartition("/")[2]
        found.append(
            Calendar(
                address, name[:200], color_of(one.text(COLOR)), components or ("VEVENT",),
                _can_write(one),
            )
        )  # fmt: skip
    return found


def _is_calendar(said):
    kind = said.found.get(dav("resourcetype"))
    return kind is not None and kind.find(caldav("calendar")) is not None


def _can_write(said):
    privileges = said.found.get(dav("current-user-privilege-set"))
    if privileges is None:
        return True
    return any(
        privileges.find(f".//{dav(name)}") is not None for name in ("all", "write", "write-content")
    )


def color_of(text):
    """#rrggbb, or '' for what is no colour.

    >>> color_of("#FF2968FF"), color_of("red")
    ('#ff2968', '')
    """
    digits = text.strip().lower()[1:7]
    is_color = text.strip()[:1] == "#" and len(digits) == 6
    return f"#{digits}" if is_color and all(one in "0123456789abcdef" for one in digits) else ""

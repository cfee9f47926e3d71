"""Addresses that somebody typed: which of them this server goes to.

A server stands inside its network: whoever may give it an address to read could make
it read what only the inside can reach. So a name is asked for once, what it stands
for is judged by the rules of this module, and the connection goes to exactly that
(``fetch.py``). An administrator's list is the only way around.
"""

import ipaddress
import re
from dataclasses import dataclass, field, replace
from datetime import timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote, urljoin, urlsplit

#: Characters of an address.
LONGEST = 4000
#: What of IPv4 nobody can own on the internet: IANA's special-purpose registry,
#: multicast and the reserved rest.
NO_IPV4 = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
#: All that the internet uses of IPv6. What wraps an IPv4 address lies outside
#: (mapped, NAT64) or is left out below (Teredo, 6to4).
GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
NO_IPV6 = [
    ipaddress.ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
DEFAULT_PORTS = {"http": 80, "https": 443}
#: Below 1024 only the web's own two: the others belong to services that take text for
#: commands. Above, calendars are served at any (8443, 5232, 8008), these excepted: those
#: that browsers refuse as well (Fetch Standard, "bad port"), Redis and memcached.
NO_PORTS = frozenset(
    {
        1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667,
        6668, 6669, 6679, 6697, 10080, 11211,
    }
)  # fmt: skip
FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
ENTRY = re.compile(r"(?P<host>(?:\*\.)?[\w.-]+?)(?::(?P<port>\d{1,5}))?", re.ASCII)


class FetchError(Exception):
    """Something that cannot be fetched.

    :param str code: why, a stable word that a screen can translate
    :param facts: what the sentence of a screen needs: ``host``, ``status``, ``limit``,
        ``retry_after`` (seconds). Never a path or a password: both are secrets.
    """

    def __init__(self, code, **facts):
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Address:
    """What is fetched. ``target`` is path and query; credentials are not printed."""

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def origin(self):
        return self.scheme, self.host, self.port

    @property
    def base(self):
        """As far as it may be shown: without path and credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def url(self):
        """Without credentials."""
        return self.base + self.target


def read_address(text):
    """The ways to fetch what somebody typed, the best first.

    ``webcal`` names no way of transport: https, and http where nothing answers there.
    With a password it is https alone.

    :raises FetchError: ``address``, ``scheme`` or ``port``

    >>> read_address(" https://ana:secret@example.com/a b.ics#top ")
    [Address(scheme='https', host='example.com', port=443)]
    >>> read_address("https://ana:secret@example.com/a b.ics#top")[0].url
    'https://example.com/a%20b.ics'
    >>> [one.url for one in read_address("webcal://example.com/feed?x=1")]
    ['https://example.com/feed?x=1', 'http://example.com/feed?x=1']
    >>> [one.base for one in read_address("webcal://ana:secret@example.com:8443/")]
    ['https://example.com:8443']
    """
    text = text.strip()
    scheme = text.partition(":")[0].lower() if "://" in text else ""
    if scheme == "webcal":
        secure = _read("https" + text[len(scheme) :])
        plain = _read("http" + text[len(scheme) :])
        return [secure] if secure.user or secure.password else [secure, plain]
    if scheme == "webcals":
        return [_read("https" + text[len(scheme) :])]
    if scheme and scheme not in DEFAULT_PORTS:
        raise FetchError("scheme")
    return [_read(text)]


def _read(text):
    if len(text) > LONGEST:
        raise FetchError("address")
    # People paste addresses with blanks, and with letters that need quoting.
    text = quote(text, safe="%/:?#[]@!$&'()*+,;=-._~\\|^`{}<>\"")
    if FORBIDDEN.search(text):
        raise FetchError("address")
    try:
        parts = urlsplit(text)
        port = parts.port
        host = unquote(parts.hostname or "").rstrip(".").encode("idna").decode().lower()
    except ValueError as error:
        raise FetchError("address") from error
    if parts.scheme not in DEFAULT_PORTS or not host or FORBIDDEN.search(host) or "/" in host:
        raise FetchError("address")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Address(parts.scheme, host, port, target, user, password)


def follow(address, location):
    """The address that a redirect names.

    Credentials go to the same scheme, host and port only, and what was secret on its
    way stays so: there is no way back from https to http. What a redirect says of
    credentials is not taken.

    :raises FetchError: ``redirect``, ``downgrade``, or as :func:`read_address`

    >>> [start] = read_address("https://ana:secret@example.com/a")
    >>> follow(start, "/b").user, follow(start, "https://other.example/b").user
    ('ana', '')
    """
    if not location:
        raise FetchError("redirect")
    try:
        joined = urljoin(address.url, location.strip())
    except ValueError as error:
        raise FetchError("redirect") from error
    if joined.partition(":")[0].lower() not in DEFAULT_PORTS:
        raise FetchError("redirect")
    found = _read(joined)
    if (address.scheme, found.scheme) == ("https", "http"):
        raise FetchError("downgrade")
    same = found.origin == address.origin
    return replace(
        found,
        user=address.user if same else "",
        password=address.password if same else "",
    )


def is_public(ip):
    """Whether an address belongs to the internet, for a text or an ipaddress object.

    >>> [is_public(ip) for ip in ("93.184.216.34", "2606:4700::1111")]
    [True, True]
    >>> any(map(is_public, ("127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0")))
    False
    >>> any(map(is_public, ("::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "fe80::1%eth0",
    ...                     "2002:7f00:1::", "2001:0:1::", "fd00::1", "ff02::1", "::")))
    False
    """
    ip = ipaddress.ip_address(ip)
    if ip.version == 4:
        return not any(ip in network for network in NO_IPV4)
    return ip in GLOBAL_IPV6 and not any(ip in network for network in NO_IPV6)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an administrator lets through: networks, and hosts with or without a port."""

    networks: tuple = ()
    hosts: frozenset = frozenset()

    @classmethod
    def listed(cls, text):
        """From a list with commas, semicolons or blanks between.

        :raises ValueError: with the entry that is none

        >>> allowed = Allowed.listed("10.1.0.0/16, nas.example:5001 *.corp.example")
        >>> allowed.lets("nas.example", 5001, "192.168.1.9")
        True
        >>> allowed.lets("nas.example", 22, "192.168.1.9")
        False
        >>> allowed.lets("deep.in.corp.example", 443, "192.168.1.9")
        True
        >>> allowed.lets("anything.example", 443, "10.1.2.3")
        True
        """
        networks, hosts = [], set()
        for entry in re.split(r"[\s,;]+", text or ""):
            if not entry:
                continue
            try:
                networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
                continue
            except ValueError:
                match = ENTRY.fullmatch(entry)
            if not match or int(match["port"] or 0) > 65535:
                raise ValueError(entry)
            hosts.add((match["host"].lower(), int(match["port"] or 0)))
        return cls(tuple(networks), frozenset(hosts))

    def names(self, host, port):
        """Whether this host is named, for this port or for all that are usual."""
        names = [host, *("*." + rest for rest in _domains_above(host))]
        return any((name, port) in self.hosts for name in names) or (
            is_usual(port) and any((name, 0) in self.hosts for name in names)
        )

    def trusts(self, host, port):
        """Whether an administrator has written down this very host, or its network.

        >>> Allowed.listed("10.1.0.0/16").trusts("10.1.2.3", 80)
        True
        >>> Allowed.listed("10.1.0.0/16 nas.example").trusts("dav.example", 80)
        False
        """
        try:
            ip = ipaddress.ip_address(host)
        except ValueError:
            return self.names(host, port)
        return self.names(host, port) or any(ip in network for network in self.networks)

    def lets(self, host, port, ip):
        """Whether a connection may go to that address for this host."""
        if self.names(host, port):
            return True
        if not is_usual(port):
            return False
        ip = ipaddress.ip_address(ip)
        return is_public(ip) or any(ip in network for network in self.networks)

    def check_port(self, address):
        """:raises FetchError: ``port``"""
        if not is_usual(address.port) and not self.names(address.host, address.port):
            raise FetchError("port", host=address.host, port=address.port)


def _domains_above(host):
    labels = host.split(".")
    return [".".join(labels[n:]) for n in range(1, len(labels))]


def is_usual(port):
    """Whether calendars are served at this port."""
    return port in DEFAULT_PORTS.values() or (1024 <= port <= 65535 and port not in NO_PORTS)


def retry_after(text, now):
    """Seconds that a server asks to wait (RFC 9110, 10.2.3), or None.

    :param datetime now: aware

    >>> from datetime import datetime
    >>> retry_after("120", datetime(2026, 1, 1, tzinfo=timezone.utc))
    120
    >>> retry_after("Thu, 01 Jan 2026 00:01:00 GMT", datetime(2026, 1, 1, tzinfo=timezone.utc))
    60
    >>> retry_after("soon", datetime(2026, 1, 1, tzinfo=timezone.utc)) is None
    True
    """
    text = (text or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0, int((moment - now).total_seconds()))

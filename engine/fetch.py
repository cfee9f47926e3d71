"""Reading an address over HTTP so that a hostile server gains nothing.

Owns the connection (to the very address that was judged, ``addresses.py``), the
redirects, the time and the size. A session of another library takes the same care
with :class:`CheckedAdapter`.
"""

import contextlib
import contextvars
import ipaddress
import logging
import socket
import threading
import time
import zlib
from dataclasses import dataclass
from datetime import datetime, timezone

import requests
import urllib3
from requests.adapters import HTTPAdapter

from .addresses import Allowed, FetchError, follow, read_address, retry_after

#: Names the addon, and nothing of the server that it runs on.
USER_AGENT = "crm_automation"
#: Octets of a body, as sent and unpacked.
LIMIT = 20_000_000
#: Seconds for all of it: names, redirects and body.
SECONDS = 30
#: Seconds for one connection; a host may have several addresses.
CONNECT_SECONDS = 10
MAX_REDIRECTS = 5
#: Connections of one thread that are watched: it uses one after the other.
WATCHED = 8
MAX_ADDRESSES = 4
CHUNK = 65536
#: Longer ones are not kept: a server makes them up.
LONGEST_VALIDATOR = 1000
CUT = (
    requests.exceptions.ConnectionError,
    urllib3.exceptions.IncompleteRead,
    urllib3.exceptions.ProtocolError,
)
DENIED, MISSING, BUSY = (401, 403, 407), (404, 410), (429, 503)

_reading = contextvars.ContextVar("crm_automation_reading", default=False)
# urllib3 writes whole addresses into the log, and these are secrets.
for _name in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).addFilter(lambda _record: not _reading.get())


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server has answered.

    ``status`` is ``ok``, or ``unchanged`` with nothing else. ``url`` is where it lay in
    the end and ``address`` what to ask for next time; neither has credentials.
    """

    status: str
    url: str
    address: str
    content: bytes = b""
    etag: str = ""
    last_modified: str = ""
    media_type: str = ""


class Clock:
    """The time that is left for all of it; when it is over, the connections end.

    The timeout of a socket is for one wait: a server that sends an octet now and then
    never reaches it.
    """

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.is_over = False
        self._lock = threading.Lock()
        #: by thread
        self._sockets = {}
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True

    def __enter__(self):
        self._timer.start()
        return self

    def __exit__(self, *_error):
        self._timer.cancel()
        with self._lock:
            for sock in self._all():
                sock.close()
            self._sockets.clear()

    @property
    def left(self):
        """:raises FetchError: ``timeout``"""
        left = self.end - time.monotonic()
        if self.is_over or left <= 0:
            raise FetchError("timeout")
        return left

    def watch(self, sock):
        # A descriptor of our own: TLS takes the socket's away.
        with self._lock:
            mine = self._sockets.setdefault(threading.get_ident(), [])
            mine.append(sock.dup())
            # One after the other: those before are closed.
            while len(mine) > WATCHED:
                mine.pop(0).close()

    def _all(self):
        return [sock for found in self._sockets.values() for sock in found]

    def _ring(self):
        self.is_over = True
        with self._lock:
            for sock in self._all():
                # A connection that is closed already needs no end.
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


class CheckedAdapter(HTTPAdapter):
    """Connections to what is allowed, each to the address that was judged.

    The name stays what is asked for: in ``Host``, in SNI, and in the certificate.

    :param Allowed allowed: what beside the internet
    :param Clock clock: ends the connections
    """

    def __init__(self, allowed, clock):
        self._allowed, self._clock = allowed, clock
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args, **kwargs):
        result = super().init_poolmanager(*args, **kwargs)
        connect = self._connect
        classes = {}
        for scheme, pool in urllib3.poolmanager.pool_classes_by_scheme.items():

            class Connection(pool.ConnectionCls):
                def _new_conn(self):
                    return connect(self._dns_host, self.port)

            classes[scheme] = type(pool.__name__, (pool,), {"ConnectionCls": Connection})
        self.poolmanager.pool_classes_by_scheme = classes
        return result

    def proxy_manager_for(self, proxy, **_kwargs):
        """A proxy would ask for the name itself, and go wherever that leads."""
        raise FetchError("proxy")

    def _connect(self, host, port):
        fit = [
            (family, address)
            for family, address in _resolve(host, port, self._clock)
            if self._allowed.lets(host, port, _without_zone(address[0]))
        ]
        if not fit:
            raise FetchError("private", host=host)
        for family, address in fit[:MAX_ADDRESSES]:
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                left = self._clock.left
                self._clock.watch(sock)
                sock.settimeout(min(CONNECT_SECONDS, left))
                sock.connect(address)
                sock.settimeout(left)
                return sock
            except OSError:
                sock.close()
            except FetchError:
                sock.close()
                raise
        raise FetchError("unreachable", host=host)


def _without_zone(ip):
    return ipaddress.ip_address(ip.partition("%")[0])


def _resolve(host, port, clock):
    """List of (family, socket address) of a host.

    The system's resolver cannot be told how long to take: it is waited for.
    """
    found = []

    def ask():
        with contextlib.suppress(OSError, UnicodeError):
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(clock.left)
    clock.left  # noqa: B018 - raises when the time is over
    if not found:
        raise FetchError("unknown_host", host=host)
    known = (socket.AF_INET, socket.AF_INET6)
    return [(family, address) for family, _, _, _, address in found if family in known]


def fetch(text, *, etag="", modified="", limit=LIMIT, seconds=SECONDS, allowed=None, verify=True):
    """Read an address.

    :param str text: the address; may hold credentials, and be ``webcal://``
    :param str etag, modified: what the last answer said of itself
    :param int limit: octets, as sent and unpacked
    :param float seconds: for everything
    :param Allowed allowed: what beside the internet
    :param verify: True, or the path of the certificates to trust
    :return: Fetched
    :raises FetchError: and nothing else
    """
    validators = {
        name: value
        for name, value in {"If-None-Match": etag, "If-Modified-Since": modified}.items()
        if value
    }
    ways = read_address(text)
    with Guard(allowed or Allowed(), Clock(seconds), verify) as guard:
        while True:
            try:
                return _Reader(guard, validators, limit).answer(ways.pop(0))
            except FetchError as error:
                # Not after a wrong certificate: somebody may be in between.
                if not ways or error.code not in ("unreachable", "tls"):
                    raise


class Guard:
    """A session with the care of this module, as context manager.

    :param Allowed allowed: where connections may go beside the internet
    :param Clock clock: for all of it
    :param verify: True, or the path of the certificates to trust
    """

    def __init__(self, allowed, clock, verify):
        self.allowed, self.clock, self.verify = allowed, clock, verify
        self._token = None
        #: A thread has connections of its own.
        self._sessions = {}

    def __enter__(self):
        self._token = _reading.set(True)
        self.clock.__enter__()
        return self

    def __exit__(self, *error):
        for session in self._sessions.values():
            session.close()
        self.clock.__exit__(*error)
        _reading.reset(self._token)

    def _new_session(self):
        session = requests.Session()
        # No proxies and no passwords from the server's environment.
        session.trust_env = False
        session.verify = self.verify
        adapter = CheckedAdapter(self.allowed, self.clock)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def session(self, address):
        """What to ask that address with.

        :raises FetchError: ``port``
        """
        self.allowed.check_port(address)
        thread = threading.get_ident()
        if thread not in self._sessions:
            self._sessions[thread] = self._new_session()
        return self._sessions[thread]

    @contextlib.contextmanager
    def translated(self, address):
        """Errors without the address: those of the libraries hold it."""
        try:
            yield
        except FetchError as error:
            if self.clock.is_over:
                raise FetchError("timeout", host=address.host) from None
            error.facts.setdefault("host", address.host)
            raise
        except Exception as error:  # noqa: BLE001 - what libraries raise at hostile answers has no end
            code = "timeout" if self.clock.is_over else _code(error)
            raise FetchError(code, host=address.host) from None


class _Reader:
    """One way to the address, with its redirects."""

    def __init__(self, guard, validators, limit):
        self.guard, self.validators, self.limit = guard, validators, limit

    def answer(self, address):
        start = address
        for _hop in range(MAX_REDIRECTS + 1):
            with self.guard.translated(address):
                response = self._get(address)
                with response:
                    if not response.is_redirect:
                        return self._fetched(response, address, start)
                    address = follow(address, response.headers.get("Location"))
        raise FetchError("redirects", host=start.host)

    def _get(self, address):
        session = self.guard.session(address)
        auth = None
        if address.user or address.password:
            auth = (address.user.encode(), address.password.encode())
        return session.get(
            address.url,
            auth=auth,
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "text/calendar, */*;q=0.5",
                "Accept-Encoding": "gzip",
                **self.validators,
            },
            timeout=self.guard.clock.left,
            allow_redirects=False,
            stream=True,
        )

    def _fetched(self, response, address, start):
        status = response.status_code
        if status == 304 and self.validators:
            return Fetched("unchanged", address.url, start.url)
        if status not in (200, 203):
            wait = retry_after(response.headers.get("Retry-After"), datetime.now(timezone.utc))
            raise FetchError(_status_code(status), status=status, retry_after=wait)
        headers = response.headers
        return Fetched(
            "ok",
            address.url,
            start.url,
            read_body(response, self.limit, self.guard.clock),
            _validator(headers.get("ETag")),
            _validator(headers.get("Last-Modified")),
            (headers.get("Content-Type") or "").partition(";")[0].strip().lower(),
        )


def read_body(response, limit, clock):
    """The body of an answer, unpacked.

    :param response: of requests, with ``stream=True``
    :param int limit: octets, as sent and unpacked
    :raises FetchError: ``too_large``, ``cut``, ``encoding``, ``timeout``
    """
    announced = response.headers.get("Content-Length") or ""
    announced = int(announced) if announced.isdecimal() else None
    if announced and announced > limit:
        raise FetchError("too_large", limit=limit)
    unpacker = _unpacker(response.headers.get("Content-Encoding"), limit)
    sent, parts, size = 0, [], 0
    # Not unpacked by urllib3, which would unpack all of what a few octets can become.
    while chunk := response.raw.read(CHUNK, decode_content=False):
        sent += len(chunk)
        for part in unpacker.parts(chunk):
            parts.append(part)
            size += len(part)
            if size > limit:
                raise FetchError("too_large", limit=limit)
        if sent > limit:
            raise FetchError("too_large", limit=limit)
    clock.left  # noqa: B018 - a connection that the clock has ended looks complete
    unpacker.end()
    if announced is not None and sent < announced:
        raise FetchError("cut")
    return b"".join(parts)


def _validator(value):
    return value if value and len(value) <= LONGEST_VALIDATOR else ""


def _status_code(status):
    if status in DENIED:
        return "denied"
    if status in MISSING:
        return "missing"
    if status in BUSY:
        return "busy"
    return "server" if status >= 500 else "status"


def _code(error):
    if isinstance(error, requests.exceptions.SSLError):
        return "certificate" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "tls"
    if isinstance(error, requests.exceptions.Timeout):
        return "timeout"
    if isinstance(error, CUT):
        return "cut"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "timeout"
    return "broken"


class _Plain:
    """A body that is sent as it is."""

    def parts(self, chunk):
        yield chunk

    def end(self):
        """Nothing says where it ends but its length."""


class _Gzip:
    """A body that is packed (RFC 1952), unpacked no further than wanted.

    :param int limit: octets of one chunk, unpacked, after which it gives up
    """

    def __init__(self, limit):
        self.limit = limit
        self.stream = zlib.decompressobj(31)
        self.is_empty = True

    def parts(self, chunk):
        """:raises FetchError: ``encoding``"""
        size = 0
        while chunk and size <= self.limit:
            if self.stream.eof:
                # RFC 1952, 2.2: a file is a series of members.
                self.stream = zlib.decompressobj(31)
            self.is_empty = False
            try:
                part = self.stream.decompress(chunk, self.limit + 1 - size)
            except zlib.error:
                raise FetchError("encoding") from None
            size += len(part)
            yield part
            chunk = self.stream.unused_data or self.stream.unconsumed_tail

    def end(self):
        """:raises FetchError: ``cut``"""
        if not (self.is_empty or self.stream.eof):
            raise FetchError("cut")


def _unpacker(encoding, limit):
    """:raises FetchError: ``encoding`` for one that was not asked for"""
    encoding = (encoding or "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return _Gzip(limit)
    if encoding in ("identity", ""):
        return _Plain()
    raise FetchError("encoding")

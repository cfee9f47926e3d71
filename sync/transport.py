"""Requests to a server with a name and a password.

Owns who is told the password: the server that the user has named, and nobody to whom a
redirect leads. Time, size and where a connection may go are ``engine.fetch``'s.
"""

import base64
import contextvars
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timezone

import requests

from ..engine.addresses import FetchError, follow, retry_after
from ..engine.fetch import MAX_REDIRECTS, USER_AGENT, Clock, Guard, read_body
from .errors import RemoteError, code_of

#: Octets of one answer, as sent and unpacked.
LIMIT = 50_000_000
#: Seconds for all requests of one session.
SECONDS = 60
#: Seconds for one wait.
WAIT = 30
#: Requests that are under way together.
AT_ONCE = 4
#: Redirects are followed of what changes nothing.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})


@dataclass(frozen=True)
class Answer:
    """``address`` is where it came from in the end; ``is_told`` whether the password went
    there."""

    status: int
    headers: dict = field(repr=False)
    body: bytes = field(repr=False)
    address: object
    is_told: bool = True

    def expect(self, *statuses):
        """:raises RemoteError: for another status"""
        if self.status in statuses:
            return self
        wait = retry_after(self.headers.get("Retry-After"), datetime.now(timezone.utc))
        raise RemoteError(
            code_of(self.status), status=self.status, host=self.address.host, retry_after=wait
        )


class Transport:
    """A session with one server, as context manager.

    :param Address origin: whose scheme, host and port are told the password
    :param str user, password: a password without a user is a bearer token
    :param Allowed allowed: where connections may go beside the internet
    :param verify: True, or the path of the certificates to trust
    :param float seconds: for everything
    """

    def __init__(self, origin, user, password, allowed, verify=True, seconds=SECONDS):
        self.told = {origin.origin}
        self.user, self.password = user, password
        self.clock = Clock(seconds)
        self.guard = Guard(allowed, self.clock, verify)
        self.count = 0
        #: whether requests are made one after the other only
        self.is_patient = False
        self._counting = threading.Lock()
        self._threads = None

    def __enter__(self):
        self.guard.__enter__()
        return self

    def __exit__(self, *error):
        if self._threads:
            self._threads.shutdown()
        return self.guard.__exit__(*error)

    def tell(self, address):
        """From now on this server is told the password, too."""
        self.told.add(address.origin)

    @property
    def left(self):
        """Seconds."""
        return max(0.0, self.clock.end - time.monotonic())

    def at_once(self, work, items):
        """Call ``work`` with each of the items, with a few of them at a time.

        It runs in threads, each with connections of its own. After it has raised for one of
        them, no further one is begun.

        :raises: what it has raised first, after those that are under way have ended
        """
        lock, left, failed = threading.Lock(), iter(items), []

        def take():
            while not failed:
                with lock:
                    item = next(left, left)
                if item is left:
                    return
                try:
                    work(item)
                except Exception as error:  # noqa: BLE001 - raised below, in the caller's thread
                    failed.append(error)

        number = min(AT_ONCE, len(items) // 2)
        if number < 2 or self.is_patient:
            take()
        else:
            self._threads = self._threads or ThreadPoolExecutor(AT_ONCE)
            # What is known of this thread's doings is known of theirs.
            wait([self._threads.submit(contextvars.copy_context().run, take)
                  for _thread in range(number)])  # fmt: skip
        if failed:
            raise failed[0]

    def meanwhile(self, work):
        """Begin something in a thread of its own.

        :return: Future; None where requests are made one after the other only
        """
        if self.is_patient:
            return None
        self._threads = self._threads or ThreadPoolExecutor(AT_ONCE)
        return self._threads.submit(contextvars.copy_context().run, work)

    def ask(self, method, address, body=b"", **headers):
        """The Answer to a request.

        :param Address address: where
        :param headers: with underscores for hyphens; None is left out
        :raises FetchError: when there is no answer
        """
        headers = {
            name.replace("_", "-"): value for name, value in headers.items() if value is not None
        }
        start = address
        for _hop in range(MAX_REDIRECTS + 1):
            with self.guard.translated(address):
                answer = self._ask_once(method, address, body, headers)
                if answer.status not in (301, 302, 303, 307, 308) or method not in _SAFE:
                    return answer
                address = follow(address, answer.headers.get("Location"))
        raise FetchError("redirects", host=start.host)

    def _ask_once(self, method, address, body, headers):
        with self._counting:
            self.count += 1
        is_told = address.origin in self.told
        sent = {
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            **headers,
            **(self._credentials() if is_told else {}),
        }
        response = self.guard.session(address).request(
            method, address.url, data=body or None, headers=sent, auth=_no_auth,
            timeout=min(WAIT, self.clock.left), allow_redirects=False, stream=True,
        )  # fmt: skip
        with response:
            found = self._body(method, response)
            return Answer(response.status_code, dict_of(response.headers), found, address, is_told)

    def _body(self, method, response):
        status = response.status_code
        if method == "HEAD" or status in (204, 304) or 300 <= status < 400:
            return b""
        try:
            return read_body(response, LIMIT, self.clock)
        except FetchError as error:
            # What it says of an error does not matter so much.
            if status < 400 or error.code == "timeout":
                raise
            return b""

    def _credentials(self):
        if not (self.user or self.password):
            return {}
        if not self.user:
            return {"Authorization": f"Bearer {self.password}"}
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}


def _no_auth(request):
    """Nothing is looked up in the server's own files."""
    return request


def dict_of(headers):
    """Headers without regard to the case of their names."""
    return requests.structures.CaseInsensitiveDict(headers)

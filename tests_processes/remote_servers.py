"""CalDAV servers of others, each a process of its own, and a bare program on them."""

import base64
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

# The servers in PHP are those of the benchmarks.
sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import _php_peers  # noqa: E402

PEERS = Path(os.environ.get("CRM_AUTOMATION_PEERS") or "/nowhere")
#: At the sizes that the promises name, by ./dev/test --long.
LONG = bool(os.environ.get("CRM_AUTOMATION_LONG"))
#: Where alice's calendars are, on those in PHP.
PHP_HOMES = {"sabredav": "calendars/alice/", "davical": "alice/"}
EVENT = """\
BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Elsewhere//\r
BEGIN:VEVENT\r
UID:{uid}\r
DTSTAMP:20270101T000000Z\r
DTSTART:{start}\r
DTEND:{stop}\r
SUMMARY:{summary}\r
{more}END:VEVENT\r
END:VCALENDAR\r
"""


def event(uid, summary=None, start="20270301T100000Z", stop="20270301T110000Z", more=""):
    """Text of a meeting; ``more`` are whole lines with their ends."""
    return EVENT.format(uid=uid, summary=summary or uid, start=start, stop=stop, more=more)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """A server that can be ended and started again on the same port and data.

    :param str home: address of alice's calendars
    :param Path folder: its data
    """

    def __init__(self, command, port, url, home, folder):
        self.command, self.port, self.url = command, port, url
        self.home, self.folder = home, folder
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [str(word) for word in self.command], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + 60
        while True:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 1),
            ):
                return self
            assert self.process.poll() is None and time.monotonic() < end, self.command
            time.sleep(0.1)

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end(self):
        """For good."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


#: Servers that are kept for the next test.
_kept = {}


@contextlib.contextmanager
def peer(name):
    """Radicale or Xandikos, with a user alice whatever her password, and nothing in it."""
    found = _kept.pop(name, None) or _make(name)
    if found.process is None or found.process.poll() is not None:
        found.start()
    try:
        yield found
    finally:
        if name == "radicale":
            # It keeps nothing in its memory of what lies in its folder.
            shutil.rmtree(found.folder / "collection-root", ignore_errors=True)
            _kept[name] = found
        else:
            found.end()


def end_kept():
    """End the servers that no test is to have any more."""
    while _kept:
        _kept.popitem()[1].end()


def _make(name):
    port, folder = free_port(), Path(tempfile.mkdtemp())
    if name == "radicale":
        command = [
            PEERS / "python", "-m", "radicale", "--server-hosts", f"127.0.0.1:{port}",
            "--auth-type", "none", "--storage-filesystem-folder", folder,
        ]  # fmt: skip
        home = f"http://127.0.0.1:{port}/alice/"
    else:
        command = [
            PEERS / "xandikos", "serve", "-d", folder, "--defaults",
            "--current-user-principal", "/alice/", "-p", port,
        ]  # fmt: skip
        home = f"http://127.0.0.1:{port}/alice/calendars/"
    return Peer(command, port, f"http://127.0.0.1:{port}/", home, folder)


@contextlib.contextmanager
def php_peer(name):
    """SabreDAV or DAViCal, which have their calendars in a database."""
    with getattr(_php_peers, name)() as url:
        yield types.SimpleNamespace(url=url, home=f"{url}{PHP_HOMES[name]}")


def any_peer(name):
    """One of all these, as context manager; None where it cannot be had."""
    if name in PHP_HOMES:
        return php_peer(name) if _php_peers.ROOT.is_dir() else None
    return peer(name) if PEERS.is_dir() else None


class Program:
    """A calendar program of alice on a calendar.

    :param str url: of the calendar
    """

    def __init__(self, url, login="alice", password="alice"):
        self.url = url
        self.token = base64.b64encode(f"{login}:{password}".encode()).decode()

    def ask(self, method, url, body=None, **headers):
        """(status, text)"""
        request = urllib.request.Request(url, body and body.encode(), method=method)
        request.add_header("Authorization", f"Basic {self.token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def make(self):
        assert self.ask("MKCALENDAR", self.url)[0] == 201, self.url
        return self

    def put(self, name, text):
        status, answer = self.ask("PUT", f"{self.url}{name}", text, Content_Type="text/calendar")
        assert status in (200, 201, 204), answer

    def delete(self, name):
        assert self.ask("DELETE", f"{self.url}{name}")[0] in (200, 204)

    def names(self):
        body = '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
        _status, text = self.ask("PROPFIND", self.url, body, Depth="1", Content_Type="text/xml")
        hrefs = re.findall(r"<(?:\w+:)?href>([^<]+\.ics)</", text)
        return [urlsplit(href).path.rsplit("/", 1)[1] for href in hrefs]

    def texts(self):
        """Texts by name."""
        return {name: self.ask("GET", self.url + name)[1] for name in self.names()}

    def by_summary(self):
        """Texts by their titles."""
        return {
            re.search(r"SUMMARY:(.*)", text)[1].strip(): text for text in self.texts().values()
        }  # fmt: skip

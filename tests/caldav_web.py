"""A CalDAV server of the tests, with two calendars of one user: real HTTP, objects in memory."""

import base64
import contextlib
import http.server
import re
import threading

MULTISTATUS = (
    '<?xml version="1.0"?><multistatus xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
    ' xmlns:a="http://apple.com/ns/ical/">{}</multistatus>'
)
RESPONSE = (
    "<response><href>{}</href><propstat><prop>{}</prop>"
    "<status>HTTP/1.1 200 OK</status></propstat></response>"
)
ENTRANCE = (
    "<current-user-principal><href>/ana/</href></current-user-principal>"
    "<c:calendar-home-set><href>/ana/</href></c:calendar-home-set>"
)
CALENDAR = (
    "<displayname>{}</displayname><resourcetype><collection/><c:calendar/></resourcetype>"
    "<a:calendar-color>{}</a:calendar-color>"
)
CALENDARS = {"/ana/ventas/": ("Ventas", "#1a7f37"), "/ana/casa/": ("Casa", "#cc3300")}


class Shelf:
    """:param str secret: the password of ana"""

    def __init__(self, secret):
        self.login = "Basic " + base64.b64encode(f"ana:{secret}".encode()).decode()
        #: text by path
        self.objects = {}
        #: paths of calendars that answer with 500
        self.broken = set()

    def answer(self, method, path, body, headers):
        """(status, body, ETag)"""
        if headers.get("Authorization") != self.login:
            return 401, "", ""
        folder = path[: path.rindex("/") + 1]
        if folder in self.broken:
            return 500, "", ""
        if method == "PROPFIND":
            return 207, MULTISTATUS.format(self._properties(path, headers.get("Depth"))), ""
        if method == "REPORT" and b"multiget" in body:
            wanted = re.findall(r"<D:href>([^<]*)</D:href>", body.decode())
            return 207, MULTISTATUS.format("".join(map(self._text, wanted))), ""
        if method == "GET" and path in self.objects:
            return 200, self.objects[path], self._etag(path)
        if method == "PUT" and folder in CALENDARS:
            self.objects[path] = body.decode()
            return 201, "", self._etag(path)
        return 404, "", ""

    def _properties(self, path, depth):
        if path == "/ana/" and depth == "1":
            return "".join(
                RESPONSE.format(one, CALENDAR.format(*CALENDARS[one])) for one in CALENDARS
            )
        if path in CALENDARS:
            members = [one for one in self.objects if one.startswith(path)]
            return RESPONSE.format(path, CALENDAR.format(*CALENDARS[path])) + "".join(
                RESPONSE.format(one, f"<getetag>{self._etag(one)}</getetag><resourcetype/>")
                for one in members
            )
        return RESPONSE.format(path, ENTRANCE)

    def _text(self, path):
        text = self.objects.get(path)
        return text and RESPONSE.format(
            path,
            f"<getetag>{self._etag(path)}</getetag><c:calendar-data>{text}</c:calendar-data>",
        )

    def _etag(self, path):
        return f'"{hash(self.objects[path])}"'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, text, etag = self.server.shelf.answer(self.command, self.path, body, self.headers)
        self.send_response_only(status)
        if etag:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(text.encode())

    do_GET = do_PUT = do_PROPFIND = do_REPORT = _serve  # noqa: N815 - as the library names them

    def log_message(self, *_args):
        """Quiet."""


@contextlib.contextmanager
def serving(secret):
    """The shelf, with its ``url``."""
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    web.shelf = Shelf(secret)
    web.shelf.url = f"http://127.0.0.1:{web.server_address[1]}/"
    threading.Thread(target=web.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield web.shelf
    finally:
        web.shutdown()
        web.server_close()

"""CalDAV over HTTP: who is asking, the request as ``dav`` has it, and its answer.

What is asked is ``dav.server``'s business, what there is ``models/caldav_backend.py``'s.
"""

import functools
import logging
import math
from urllib.parse import quote

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from werkzeug.exceptions import RequestEntityTooLarge

from odoo import SUPERUSER_ID, http
from odoo.exceptions import AccessDenied
from odoo.http import Response, request

from ..dav.errors import TooLarge
from ..dav.names import caldav
from ..dav.reading import MAX_BYTES
from ..dav.requests import Request, decoded
from ..dav.server import DAV, Server, refusal
from ..models.caldav_access import TooManyFailures
from ..models.caldav_backend import OdooBackend

_logger = logging.getLogger(__name__)

ROOT = "/caldav/"
METHODS = [
    "OPTIONS", "GET", "HEAD", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR",
    "MKCOL", "MOVE", "COPY", "POST",
]  # fmt: skip
WRITING = frozenset(
    {"PUT", "DELETE", "PROPPATCH", "MKCALENDAR", "MKCOL", "MOVE", "COPY", "POST"}
)  # fmt: skip
#: Seconds that a request waits for another one of its user.
PATIENCE = 20
#: Names the locks of users' turns.
TURNS = 7_304_913
REALM = 'Basic realm="Odoo", charset="UTF-8"'
#: What the administrator is told, who has no language yet.
NO_DATABASE = (
    "There are several databases at this name, and a calendar program cannot choose one. Let "
    "dbfilter in odoo.conf lead each name to one database, or let the proxy send its name as "
    "X-Odoo-Database.\n"
)
_ROUTE = {
    "type": "http", "auth": "none", "csrf": False, "save_session": False, "readonly": False,
    "methods": METHODS, "sitemap": False, "caldav": True,
}  # fmt: skip


def _of_a_database(answer):
    """Without a database, which only happens where this addon is one of the server-wide
    ones, it is said what is missing."""

    @functools.wraps(answer)
    def found(self, *args, **kwargs):
        if not request.db:
            return Response(NO_DATABASE, status=404, mimetype="text/plain")
        return answer(self, *args, **kwargs)

    return found


def _take_turn(cr, user_id):
    """Let one write into the calendars of a user after the other.

    Before the transaction sees anything: whoever sees what was there before the other one was
    done is refused by the database, and Odoo repeats his request after a wait of seconds, up
    to five times. Programs with several connections would hardly ever get on.

    :raises psycopg2.errors.LockNotAvailable: when it takes too long
    """
    key = [TURNS, user_id]
    cr.execute("SELECT set_config('lock_timeout', %s, TRUE)", [f"{PATIENCE}s"])
    cr.execute("SELECT pg_advisory_lock(%s, %s)", key, log_exceptions=False)
    # It outlives the transaction: the next one begins with what is there now.
    cr.commit()  # pylint: disable=invalid-commit

    connection = cr.connection

    def give_way():
        # Not by the cursor: after a failure it is being closed, and executes nothing more.
        is_idle = connection.get_transaction_status() == TRANSACTION_STATUS_IDLE
        with connection.cursor() as unlocking:
            unlocking.execute("SELECT pg_advisory_unlock(%s, %s)", key)
        if is_idle:
            connection.rollback()

    cr.postcommit.add(give_way)
    cr.postrollback.add(give_way)


class CaldavController(http.Controller):
    @http.route(["/.well-known/caldav", "/.well-known/caldav/"], **_ROUTE)
    @_of_a_database
    def well_known(self, **_params):
        """RFC 6764, 5: where the service is."""
        return self._redirect(ROOT)

    @http.route(["/webdav/<path:rest>", "/webdav"], **_ROUTE)
    @_of_a_database
    def old_path(self, rest="", **_params):
        """Where OpenERP had it: ``/webdav/<database>/calendars/users/<login>/c/…``."""
        parts = [part for part in decoded(rest).split("/") if part]
        if "users" in parts and parts[-1:] != ["users"]:
            login = parts[parts.index("users") + 1]
            return self._redirect(f"{ROOT}calendars/{quote(login, safe='@')}/")
        return self._redirect(ROOT)

    def _redirect(self, path):
        return Response(status=301, headers={"Location": path, "DAV": DAV, "Content-Length": "0"})

    @http.route(["/caldav", "/caldav/", "/caldav/<path:rest>"], **_ROUTE)
    @_of_a_database
    def serve(self, rest="", **_params):
        """Everything else."""
        asked = request.httprequest
        if asked.method == "OPTIONS" and not asked.authorization:
            # Programs look at what a server can do before they say who they are.
            return Response(status=200, headers={"DAV": DAV, "Allow": ", ".join(METHODS[:12])})
        try:
            user_id = self._user_id(asked)
        except TooManyFailures as error:
            seconds = str(math.ceil(error.seconds))
            return Response("Too many failures\n", status=429, headers={"Retry-After": seconds})
        except AccessDenied:
            return Response(status=401, headers={"WWW-Authenticate": REALM})
        env = request.env(user=SUPERUSER_ID, su=True, context={})
        # Odoo writes what is pending in it; that of this request is nobody's, who may not even
        # read by how much amounts are rounded.
        env.transaction.default_env = env
        if asked.method in WRITING:
            try:
                _take_turn(env.cr, user_id)
            except psycopg2.errors.LockNotAvailable:
                env.cr.rollback()
                return Response("Busy\n", status=503, headers={"Retry-After": str(PATIENCE)})
        backend = OdooBackend(env, user_id)
        try:
            body = self._body(asked, backend)
        except TooLarge as error:
            return self._response(refusal(error))
        answer = Server(backend, self._request(asked, body), ROOT).answer()
        if answer.status >= 400:
            # Half of what was asked is nothing that anybody wants.
            env.cr.rollback()
            env.invalidate_all(flush=False)
        return self._response(answer)

    def _user_id(self, asked):
        """:raises AccessDenied:"""
        found = asked.authorization
        if not found or found.type != "basic":
            raise AccessDenied()
        env = request.env(user=SUPERUSER_ID, su=True, context={})
        return env["caldav.access"]._user_id(
            found.username or "", found.password or "", asked.remote_addr or "",
            asked.headers.get("User-Agent"),
        )  # fmt: skip

    def _body(self, asked, backend):
        """The body, unless its length alone says that it is too long."""
        limit, condition = {
            "PUT": (backend.max_size, caldav("max-resource-size")),
            "POST": (backend.max_file_size, caldav("max-attachment-size")),
        }.get(asked.method, (MAX_BYTES, None))
        length = asked.content_length
        if length is not None and length > limit:
            raise TooLarge(f"more than {limit} octets", condition)
        asked.max_content_length = limit
        try:
            # Kept: Odoo repeats a request that another one came in the way of.
            return asked.get_data(cache=True)
        except RequestEntityTooLarge as error:
            raise TooLarge(f"more than {limit} octets", condition) from error

    def _request(self, asked, body):
        headers = {name.lower(): value for name, value in asked.headers.items()}
        # The path as it was sent: what the server has decoded may not be what it was.
        raw = asked.environ.get("RAW_URI") or asked.environ.get("REQUEST_URI") or ""
        path = raw.partition("?")[0] if raw.startswith("/") else quote(asked.path)
        base = asked.host_url.rstrip("/")
        query = asked.query_string.decode("latin-1")
        return Request(asked.method, decoded(path), headers, body, base, query)

    def _response(self, answer):
        response = Response(answer.body(), status=answer.status, headers=answer.headers)
        if "Content-Type" not in answer.headers:
            response.headers.remove("Content-Type")
        if "Content-Length" in answer.headers:
            # Of HEAD it is not that of the body.
            response.headers["Content-Length"] = answer.headers["Content-Length"]
        return response

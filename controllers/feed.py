"""A calendar under a secret address (GET and HEAD): HTTP, and nothing but.

What is in it is ``calendar.feed``'s business.
"""

import gzip

from werkzeug.exceptions import NotFound
from werkzeug.http import http_date, parse_accept_header

from odoo import http
from odoo.http import request

#: Longest secret that is looked up.
MAX_SECRET = 100


class FeedController(http.Controller):
    @http.route(
        "/calendar/feed/<string:secret>.ics", type="http", auth="public", methods=["GET", "HEAD"],
        save_session=False, readonly=False, sitemap=False,
    )  # fmt: skip
    def feed(self, secret):
        """The file; 304 for who has it; 404 for whatever is not to be read."""
        asked = request.httprequest
        Feed = request.env["calendar.feed"].sudo()
        served = None
        if len(secret) <= MAX_SECRET:
            served = Feed._served(secret, asked.headers.get("User-Agent"))
        if served is None:
            raise NotFound()
        is_packed = parse_accept_header(asked.headers.get("Accept-Encoding"))["gzip"] > 0
        tag = f"{served.etag}-gzip" if is_packed else served.etag
        headers = {
            "Content-Type": "text/calendar; charset=utf-8",
            "ETag": f'"{tag}"',
            "Last-Modified": http_date(served.made_at),
            "Cache-Control": "private, max-age=0, must-revalidate",
            "Vary": "Accept-Encoding",
            "X-Robots-Tag": "noindex",
        }
        if self._has_it(asked, served):
            return request.make_response("", headers=headers.items(), status=304)
        headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
        body = Feed._octets(served)
        if is_packed:
            headers["Content-Encoding"] = "gzip"
        else:
            body = gzip.decompress(body)
        return request.make_response(body, headers=headers.items())

    def _has_it(self, asked, served):
        """Whether the program has this version of the file (RFC 9110, 13.2.2)."""
        if "If-None-Match" in asked.headers:
            tags = asked.if_none_match
            return any(tags.contains_weak(one) for one in (served.etag, f"{served.etag}-gzip"))
        since = asked.if_modified_since
        return bool(since) and served.made_at <= since.replace(tzinfo=None)

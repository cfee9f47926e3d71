"""What calendar programs ask is dispatched without what only browsers need."""

import logging
import re

from werkzeug.exceptions import BadRequest, ServiceUnavailable

from odoo import models
from odoo.http import request
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..dav.backend import Backend
from ..dav.reading import MAX_BYTES

#: What Odoo repeats a request for, some times.
BUSY = PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
#: Seconds.
RETRY_AFTER = 2
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _match(cls, path_info):
        """A path with a line break in it: Odoo takes it for one to be redirected, and fails."""
        if path_info.startswith("/caldav") and _CONTROLS.search(path_info):
            raise BadRequest()
        return super()._match(path_info)

    @classmethod
    def _handle_error(cls, exception):
        """Others were always quicker: a program is told to ask again, not that Odoo failed."""
        if isinstance(exception, BUSY) and request.httprequest.path.startswith("/caldav"):
            exception.loglevel = logging.INFO
            return ServiceUnavailable(retry_after=RETRY_AFTER)
        return super()._handle_error(exception)

    @classmethod
    def _pre_dispatch(cls, rule, args):
        """Odoo looks up the language of the visitor by several records, for each request.

        A program has none, and asks a hundred times a minute.
        """
        if not rule.endpoint.routing.get("caldav"):
            return super()._pre_dispatch(rule, args)
        request.dispatcher.pre_dispatch(rule, args)
        asked = request.httprequest
        limit = Backend.max_file_size if asked.method == "POST" else MAX_BYTES
        if (asked.content_length or 0) <= limit:
            # Before Odoo looks for a form in it: some programs call everything one.
            asked.max_content_length = limit
            asked.get_data(cache=True)
        return None

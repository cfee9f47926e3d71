"""What calendar programs ask is dispatched without what only browsers need."""

import re

from werkzeug.exceptions import BadRequest

from odoo import models
from odoo.http import request

from ..dav.reading import MAX_BYTES

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
    def _pre_dispatch(cls, rule, args):
        """Odoo looks up the language of the visitor by several records, for each request.

        A program has none, and asks a hundred times a minute.
        """
        if not rule.endpoint.routing.get("caldav"):
            return super()._pre_dispatch(rule, args)
        request.dispatcher.pre_dispatch(rule, args)
        asked = request.httprequest
        if (asked.content_length or 0) <= MAX_BYTES:
            # Before Odoo looks for a form in it: some programs call everything one.
            asked.max_content_length = MAX_BYTES
            asked.get_data(cache=True)
        return None

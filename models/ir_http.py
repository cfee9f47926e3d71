"""What calendar programs ask is dispatched without what only browsers need."""

from odoo import models
from odoo.http import request

from ..dav.reading import MAX_BYTES


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

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

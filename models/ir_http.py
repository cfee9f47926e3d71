"""What calendar programs ask is dispatched without what only browsers need."""

from odoo import models
from odoo.http import request


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
        return None

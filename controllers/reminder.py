"""The page that a reminder's mail links to: GET shows, POST acts.

HTTP, and nothing but: what is shown and done is ``calendar.reminder``'s business.
"""

from urllib.parse import urlencode

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from .invitation import HEADERS


class ReminderController(http.Controller):
    @http.route(
        "/calendar/reminder/<string:token>", type="http", auth="public",
        methods=["GET", "HEAD"], save_session=False, readonly=True, sitemap=False,
    )  # fmt: skip
    def show(self, token, **asked):
        """What is reminded of, and what can be done; nothing is changed."""
        return self._page(self._reminder(token), asked.get("done"), wanted=asked.get("do"))

    # The secret in the address is what a forged request would have to know.
    @http.route(
        "/calendar/reminder/<string:token>", type="http", auth="public",
        methods=["POST"], csrf=False, save_session=False, sitemap=False,
    )  # fmt: skip
    def act(self, token, **form):
        """Do it, and show the page again."""
        reminder = self._reminder(token)
        try:
            with request.env.cr.savepoint():
                done = reminder._page_act(form.get("do"))
        except UserError as error:
            return self._page(reminder, error=str(error), status=400)
        page = f"/calendar/reminder/{reminder._token()}?{urlencode({'done': done})}"
        return request.redirect(page, code=303, local=True)

    def _reminder(self, token):
        """:raises NotFound: for what is no secret, or none any more"""
        reminder = request.env["calendar.reminder"].sudo()._find_by_token(token)
        if not reminder:
            raise NotFound(request.env._("This link is of no use any more."))
        reader = reminder._readers(reminder)[reminder]
        return reminder.with_context(lang=reader.lang, tz=reader.tz)

    def _page(self, reminder, done=None, wanted=None, error=None, status=200):
        values = reminder._page_values()
        html = reminder.env["ir.ui.view"]._render_template(
            "crm_automation.reminder_page",
            {**values, "done": done, "wanted": wanted, "error": error},
        )
        return request.make_response(html, [*HEADERS.items()], status=status)

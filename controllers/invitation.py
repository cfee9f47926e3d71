"""The page of an invitation (GET shows, POST acts), and Odoo's links of before.

HTTP, and nothing but: what the page says and does is ``calendar.attendee``'s business.
"""

from urllib.parse import urlencode

from werkzeug.exceptions import NotFound
from werkzeug.http import parse_accept_header

from odoo import http
from odoo.exceptions import UserError, ValidationError
from odoo.http import request

from odoo.addons.calendar.controllers.main import CalendarController

#: A page under a secret address is not kept, told to others, or run scripts in.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Content-Type": "text/html; charset=utf-8",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
#: What can be ticked when the page is opened, and what it can say was done.
CHOICES = ("accepted", "tentative", "declined", "delegated", "proposed")


class InvitationController(http.Controller):
    @http.route(
        "/calendar/invitation/<string:token>", type="http", auth="public",
        methods=["GET", "HEAD"], save_session=False, readonly=True, sitemap=False,
    )  # fmt: skip
    def show(self, token, **asked):
        """The meeting, and the form for an answer; nothing is changed."""
        attendee = self._attendee(token)
        form = {
            "answer": asked.get("answer") if asked.get("answer") in CHOICES else None,
            "scope": asked.get("scope"),
        }
        done = asked.get("done") if asked.get("done") in CHOICES else None
        return self._page(attendee, asked.get("tz"), form, done=done)

    # The secret in the address is what a forged request would have to know.
    @http.route(
        "/calendar/invitation/<string:token>", type="http", auth="public",
        methods=["POST"], csrf=False, save_session=False, sitemap=False,
    )  # fmt: skip
    def act(self, token, **form):
        """Take the answer, and show the page again."""
        attendee = self._attendee(token)
        try:
            with request.env.cr.savepoint():
                done = attendee._page_act(form)
        except (UserError, ValidationError) as error:
            return self._page(attendee, form.get("tz"), form, str(error), status=400)
        query = {"done": done}
        if form.get("tz"):
            query["tz"] = form["tz"]
        page = f"/calendar/invitation/{attendee._rsvp_token()}?{urlencode(query)}"
        return request.redirect(page, code=303, local=True)

    @http.route(
        "/calendar/invitation/<string:token>/invitation.ics", type="http", auth="public",
        methods=["GET", "HEAD"], save_session=False, readonly=True, sitemap=False,
    )  # fmt: skip
    def file(self, token):
        """The meeting for his calendar."""
        attendee = self._attendee(token)
        headers = {
            **HEADERS,
            "Content-Type": "text/calendar; charset=utf-8; method=PUBLISH",
            "Content-Disposition": 'attachment; filename="invitation.ics"',
        }
        return request.make_response(attendee._page_file().encode(), [*headers.items()])

    def _attendee(self, token):
        """Whose page it is, in his language.

        :raises NotFound: for what is no secret, or none any more
        """
        attendee = request.env["calendar.attendee"].sudo()._rsvp_find(token)
        if not attendee:
            raise NotFound(request.env._("This link is of no use any more."))
        header = request.httprequest.headers.get("Accept-Language")
        wanted = [code for code, _quality in parse_accept_header(header)]
        return attendee.with_context(lang=attendee._rsvp_language(wanted))

    def _page(self, attendee, zone, form, error=None, done=None, status=200):
        zone = attendee._page_zone(zone, request.cookies.get("tz"))
        values = attendee._page_values(zone, form, error)
        html = attendee.env["ir.ui.view"]._render_template(
            "crm_automation.invitation_page", {**values, "done": done}
        )
        return request.make_response(html, [*HEADERS.items()], status=status)


class CalendarAnswerController(CalendarController):
    """Odoo's links changed something as soon as they were opened, be it by a scanner of
    mails. They lead to the page now, which asks first."""

    @http.route()
    def accept_meeting(self, token, id, **kwargs):  # pylint: disable=redefined-builtin
        return self._to_page(token, "accepted")

    @http.route()
    def decline_meeting(self, token, id, **kwargs):  # pylint: disable=redefined-builtin
        return self._to_page(token, "declined")

    @http.route()
    def accept_recurrence(self, token, id, **kwargs):  # pylint: disable=redefined-builtin
        return self._to_page(token, "accepted", scope="series")

    @http.route()
    def decline_recurrence(self, token, id, **kwargs):  # pylint: disable=redefined-builtin
        return self._to_page(token, "declined", scope="series")

    @http.route()
    def view_meeting(self, token, id, **kwargs):  # pylint: disable=redefined-builtin
        if request.env.user._is_internal():
            return super().view_meeting(token, id, **kwargs)
        return self._to_page(token)

    @http.route(methods=["GET", "POST"])
    def calendar_join_meeting(self, token, **kwargs):
        """Take part in a meeting, once confirmed, for whoever may invite people to it.

        Every employee reads the token, which is in the address of the video call as well:
        it says nothing of who is wanted.
        """
        event = request.env["calendar.event"].sudo()
        event = event.search([("access_token", "=", token)], limit=1) if token else event
        if not event:
            raise NotFound()
        event.with_user(request.env.user)._check_may_invite()
        if request.httprequest.method == "POST":
            return super().calendar_join_meeting(token, **kwargs)
        html = request.env["ir.ui.view"].sudo()._render_template(
            "crm_automation.invitation_join_page",
            {
                "event": event,
                "company": event.user_id.company_id or request.env.company,
                "token": token,
                "csrf_token": request.csrf_token(),
                "lang": request.env.lang,
            },
        )  # fmt: skip
        return request.make_response(html, [*HEADERS.items()])

    def _to_page(self, token, answer=None, scope=None):
        Attendee = request.env["calendar.attendee"].sudo()
        attendee = Attendee.search([("access_token", "=", token)], limit=1) if token else Attendee
        if not attendee:
            raise NotFound()
        query = {key: value for key, value in (("answer", answer), ("scope", scope)) if value}
        page = f"/calendar/invitation/{attendee._rsvp_token()}"
        return request.redirect(f"{page}?{urlencode(query)}" if query else page, code=303)

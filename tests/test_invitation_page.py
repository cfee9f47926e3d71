"""The page of an invitation: what it shows, what it takes, and from whom."""

from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import icalendar
from lxml import html

from odoo import fields, http
from odoo.tests import HttpCase, tagged
from odoo.tests.common import ChromeBrowser
from odoo.tools import mute_logger

from .common import DAY, HOUR, AutomationData
from .test_invitation_attendee import InvitationData


class PageCase(InvitationData, AutomationData, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start = fields.Datetime.now().replace(minute=0, second=0, year=2031, month=6, day=17)
        cls.start = cls.start.replace(hour=8)
        cls.meeting = cls.meet("Cata <b>de vinos</b>", start=cls.start, location="Bodega & Cía")
        cls.customer.tz = "Atlantic/Canary"
        cls.guest = cls.meeting.attendee_ids.filtered(lambda one: one.partner_id == cls.customer)

    def path(self, attendee=None, tail=""):
        return f"/calendar/invitation/{(attendee or self.guest)._rsvp_token()}{tail}"

    def ask(self, path, method="GET", data=None, **headers):
        self.env.flush_all()
        answer = self.opener.request(
            method, self.base_url() + path, data=data, timeout=30, allow_redirects=False,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )  # fmt: skip
        self.env.invalidate_all()
        return answer

    def send(self, attendee=None, **data):
        return self.ask(self.path(attendee), "POST", data)

    def words(self, answer):
        return " ".join(html.fromstring(answer.content).text_content().split())


@tagged("post_install", "-at_install")
class TestPage(PageCase):
    def test_looking_changes_nothing(self):
        before = self.guest.read()
        for tail in ("", "?answer=accepted", "?answer=declined&scope=series", "/invitation.ics"):
            self.assertEqual(self.ask(self.path(tail=tail)).status_code, 200)
            self.assertEqual(self.ask(self.path(tail=tail), "HEAD").status_code, 200)
        self.assertEqual(self.guest.read(), before)

    def test_what_it_shows(self):
        answer = self.ask(self.path())
        words = self.words(answer)
        for part in (
            "Cata <b>de vinos</b>", "Bodega & Cía", "Azure & Sons", "Sergio Seller", "Olga Other",
            "Tuesday, June 17, 2031", "9:00 AM – 10:00 AM (Atlantic/Canary)",
            "10:00 AM – 11:00 AM (Europe/Madrid)", "Needs Action",
        ):  # fmt: skip
            self.assertIn(part, words.replace("\u202f", " "))
        # Names, and no addresses of others.
        self.assertNotIn("other@example.com", answer.text)
        self.assertIn("&lt;b&gt;de vinos", answer.text)
        self.assertNotIn("<script", answer.text)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
        self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
        self.assertTrue(answer.text.lstrip().startswith("<!DOCTYPE html>"))

    def test_in_the_zone_he_chooses(self):
        words = self.words(self.ask(self.path(tail="?tz=Asia/Tokyo"))).replace("\u202f", " ")
        self.assertIn("5:00 PM – 6:00 PM (Asia/Tokyo)", words)
        answer = self.ask(self.path(tail="?tz=%3Cscript%3E"))
        self.assertNotIn("<script", answer.text)
        self.assertIn("(Atlantic/Canary)", self.words(answer))

    def test_in_his_language(self):
        self.customer.lang = "es_ES"
        root = html.fromstring(self.ask(self.path()).content)
        self.assertEqual(root.get("lang"), "es-ES")
        self.assertIn("martes, 17 de junio de 2031", root.text_content())
        self.guest.language = "en_US"
        self.assertIn("Tuesday", self.words(self.ask(self.path())))
        stranger = self.invite("eva@example.com")
        for wanted, day in (("es-MX,es;q=0.9", "martes"), ("en-GB", "Tuesday"), ("xx", "martes")):
            answer = self.ask(self.path(stranger), Accept_Language=wanted)
            self.assertIn(day, self.words(answer), wanted)

    def test_whole_days(self):
        meeting = self.meet("Fair", allday=True, start=self.start)
        page = self.words(self.ask(self.path(self.of(self.customer, meeting))))
        self.assertIn("Tuesday, June 17, 2031", page)
        self.assertNotIn("Another time", page)

    def test_the_file(self):
        answer = self.ask(self.path(tail="/invitation.ics"))
        calendar = icalendar.Calendar.from_ical(answer.content)
        [event] = calendar.walk("VEVENT")
        self.assertEqual(event["UID"], self.meeting.ical_uid)
        self.assertEqual(event["SUMMARY"], "Cata <b>de vinos</b>")

    def test_a_link_that_is_no_link_is_not_followed(self):
        self.meeting.videocall_location = "javascript:alert(1)"
        self.assertNotIn("javascript:", self.ask(self.path()).text)


@tagged("post_install", "-at_install")
class TestPageAnswers(PageCase):
    def test_yes_no_maybe(self):
        for state in ("accepted", "declined", "tentative", "accepted"):
            answer = self.send(answer=state, comment="Hasta luego")
            self.assertEqual(answer.status_code, 303)
            self.assertIn(f"done={state}", answer.headers["Location"])
            self.assertEqual(self.guest.state, state)
        page = self.ask(
            urlsplit(answer.headers["Location"])._replace(netloc="", scheme="").geturl()
        )
        self.assertIn("you have accepted", self.words(page))

    def test_what_it_does_not_take(self):
        for data in ({}, {"answer": "needsAction"}, {"answer": "x"}, {"comment": "y"}):
            answer = self.send(**data)
            self.assertEqual(answer.status_code, 400)
            self.assertIn("Choose an answer.", self.words(answer))
        self.assertEqual(self.guest.state, "needsAction")

    def test_what_he_wrote_is_there_after_an_error(self):
        answer = self.send(answer="delegated", delegate_email="eva@", comment='"><script>x')
        self.assertEqual(answer.status_code, 400)
        self.assertIn("Give the e-mail address", self.words(answer))
        self.assertNotIn("<script", answer.text)
        area = html.fromstring(answer.content).find(".//textarea")
        self.assertEqual(area.text, '"><script>x')

    def test_delegates_to_what_is_no_address(self):
        for text in (f"@x,{'a' * 250_000}", "(" * 5_000):
            answer = self.send(answer="delegated", delegate_email=text)
            self.assertEqual(answer.status_code, 400)
            self.assertIn("Give the e-mail address", self.words(answer))

    def test_delegates(self):
        name = 'Eva <img src=x onerror="1">'
        answer = self.send(answer="delegated", delegate_email="eva@example.com",
                           delegate_name=name)  # fmt: skip
        self.assertEqual(answer.status_code, 303)
        eva = self.of("eva@example.com")
        self.assertEqual((self.guest.state, self.guest.delegated_to_ids), ("delegated", eva))
        self.assertEqual(eva.common_name, name)
        self.assertNotIn("<img src=x", self.ask(self.path()).text)
        self.assertEqual(self.ask(self.path(eva)).status_code, 200)
        self.send(eva, answer="accepted")
        self.assertEqual(eva.state, "accepted")

    def test_delegates_to_a_contact_whose_name_is_not_told(self):
        self.env["res.partner"].create({"name": "Known Person", "email": "known@example.com"})
        self.send(answer="delegated", delegate_email="known@example.com")
        self.assertNotIn("Known Person", self.ask(self.path()).text)

    def test_proposes(self):
        answer = self.send(answer="proposed", day="2031-06-18", time="09:30",
                           tz="Europe/Madrid", comment="Better")  # fmt: skip
        self.assertEqual(answer.status_code, 303)
        [proposal] = self.meeting.proposal_ids
        start = self.start.replace(day=18, hour=7, minute=30)
        self.assertEqual((proposal.start, proposal.stop), (start, start + HOUR))
        self.assertEqual(proposal.comment, "Better")
        self.assertEqual(self.guest.state, "needsAction")
        self.assertIn("You propose: Wednesday", self.words(self.ask(self.path())))
        for data in (
            {"day": "2031-06-18"}, {"day": "x", "time": "y"},
            {"day": "2001-01-01", "time": "10:00"},
            {"day": "0001-01-01", "time": "00:00", "tz": "Asia/Tokyo"},
            {"day": "9999-12-31", "time": "23:59", "tz": "America/New_York"},
        ):  # fmt: skip
            self.assertEqual(self.send(answer="proposed", **data).status_code, 400, data)

    def test_for_a_series(self):
        self.meeting.with_user(self.seller).write(
            {"recurrency": True, "rrule_type": "weekly", "end_type": "count", "count": 3,
             "tue": True}
        )  # fmt: skip
        meetings = self.meeting.recurrence_id.calendar_event_ids.sorted("start")
        mine = meetings.attendee_ids.filtered(lambda one: one.partner_id == self.customer)
        self.send(mine[1], answer="declined")
        self.assertEqual(mine.mapped("state"), ["needsAction", "declined", "needsAction"])
        self.send(mine[1], answer="accepted", scope="series")
        self.assertEqual(set(mine.mapped("state")), {"accepted"})
        others = meetings.attendee_ids.filtered(lambda one: one.partner_id not in
                                                self.customer + self.seller.partner_id)  # fmt: skip
        self.assertEqual(set(others.mapped("state")), {"needsAction"})
        events = icalendar.Calendar.from_ical(
            self.ask(self.path(mine[1], "/invitation.ics")).content
        ).walk("VEVENT")  # fmt: skip
        self.assertEqual(len(events), 1)
        self.assertEqual(events[0]["RRULE"]["COUNT"], [3])

    def test_over_or_cancelled(self):
        over = self.meet("Over", start=fields.Datetime.now().replace(microsecond=0) - 2 * DAY)
        guest = self.of(self.customer, over)
        self.assertIn("This meeting is over.", self.words(self.ask(self.path(guest))))
        self.assertEqual(self.send(guest, answer="accepted").status_code, 400)
        self.meeting.active = False
        page = self.ask(self.path())
        self.assertIn("This meeting was cancelled.", self.words(page))
        self.assertNotIn("Send answer", page.text)
        self.assertEqual(self.send(answer="accepted").status_code, 400)
        self.assertEqual(self.guest.state, "needsAction")


@tagged("post_install", "-at_install")
class TestToken(PageCase):
    def test_of_another(self):
        """The digest of one is of no use for another, nor is a guess."""
        digest = self.guest._rsvp_token().partition("-")[2]
        olga = self.of(self.other_seller)
        own = self.guest.id
        for token in (
            f"{olga.id}-{digest}", f"{own}-{'0' * 32}", f"{own}-{digest[:-1]}", f"{own}", f"{own}-",
            f"-{digest}", f"{own}-{digest}0", "x", f"９-{digest}", f"{2**70}-{digest}",
            f"{own}-{digest.upper()}é", self.guest.access_token, "a" * 5000,
        ):  # fmt: skip
            with self.subTest(token[:50]):
                path = f"/calendar/invitation/{token}"
                self.assertEqual(self.ask(path).status_code, 404)
                self.assertEqual(self.ask(path + "/invitation.ics").status_code, 404)
                data = {"answer": "accepted"}
                self.assertEqual(self.ask(path, "POST", data).status_code, 404)
        self.assertEqual({olga.state, self.guest.state}, {"needsAction"})

    def test_revoked(self):
        path = self.path()
        old = f"/calendar/meeting/view?id={self.meeting.id}&token={self.guest.access_token}"
        self.assertEqual(self.ask(old).status_code, 303)
        self.guest.with_user(self.seller).action_revoke_link()
        self.assertEqual(self.ask(path).status_code, 404)
        self.assertEqual(self.ask(self.path()).status_code, 200)
        # Odoo's own lead to the new one.
        self.assertIn(self.ask(old).status_code, (400, 404))
        self.assertTrue(self.guest.access_token)

    def test_of_who_is_not_invited_any_more(self):
        path = self.path()
        self.guest.unlink()
        self.assertEqual(self.ask(path).status_code, 404)

    def test_whoever_is_logged_in_answers_as_the_invited(self):
        """A link in a mail is opened in whatever browser there is."""
        self.authenticate("seller", "seller")
        self.send(answer="declined")
        self.assertEqual(self.guest.state, "declined")
        self.assertEqual(self.of(self.seller).state, "accepted")


@tagged("post_install", "-at_install")
class TestOldLinks(PageCase):
    def follow(self, path):
        """(status, path, query) of where it leads."""
        answer = self.ask(path)
        where = urlsplit(answer.headers.get("Location", ""))
        return answer.status_code, where.path, parse_qs(where.query)

    def test_they_ask_first(self):
        self.customer.tz = False
        token, meeting = self.guest.access_token, self.meeting.id
        for name, answer, query in (
            ("meeting/accept", "accepted", {"answer": ["accepted"]}),
            ("meeting/decline", "declined", {"answer": ["declined"]}),
            ("recurrence/accept", "accepted", {"answer": ["accepted"], "scope": ["series"]}),
            ("recurrence/decline", "declined", {"answer": ["declined"], "scope": ["series"]}),
            ("meeting/view", None, {}),
        ):
            with self.subTest(name):
                status, path, found = self.follow(f"/calendar/{name}?token={token}&id={meeting}")
                self.assertEqual((status, found), (303, query))
                self.assertEqual(self.guest.state, "needsAction")
                page = self.ask(f"{path}?answer={answer}")
                ticked = html.fromstring(page.content).xpath("//input[@checked]/@value")
                self.assertEqual(ticked, [answer] if answer else [])

    def test_wrong_tokens(self):
        self.env.cr.execute(
            "UPDATE calendar_attendee SET access_token = NULL WHERE id = %s", [self.guest.id]
        )
        self.guest.invalidate_recordset()
        for token in ("", "x", "False"):
            status, *_rest = self.follow(f"/calendar/meeting/accept?token={token}&id=1")
            self.assertIn(status, (400, 404), token)

    def test_a_stranger_does_not_join(self):
        """The token is no secret: it stands in the address of the video call."""
        token = self.meeting.access_token = "join-token"
        self.meeting.privacy = "private"
        self.authenticate("third_seller", "third_seller")
        path = f"/calendar/meeting/join?token={token}"
        with mute_logger("odoo.http"):
            page = self.url_open(path)
            self.assertEqual(page.status_code, 403)
            self.assertNotIn("Cata", page.text)
            data = {"token": token, "csrf_token": http.Request.csrf_token(self)}
            self.assertEqual(self.ask("/calendar/meeting/join", "POST", data).status_code, 403)
        self.assertNotIn(self.stranger.partner_id, self.meeting.partner_ids)

    def test_joining_asks_first(self):
        """Whoever may invite people to it: here because he has made it for another."""
        token = self.meeting.access_token = "join-token"
        self.env.cr.execute(
            "UPDATE calendar_event SET create_uid = %s WHERE id = %s",
            [self.stranger.id, self.meeting.id],
        )
        self.meeting.invalidate_recordset()
        self.authenticate("third_seller", "third_seller")
        path = f"/calendar/meeting/join?token={token}"
        self.env.flush_all()
        page = self.url_open(path)
        self.env.invalidate_all()
        self.assertNotIn(self.stranger.partner_id, self.meeting.partner_ids)
        form = html.fromstring(page.content).find(".//form")
        data = {one.get("name"): one.get("value") for one in form.iter("input")}
        self.assertEqual(self.ask(path, "POST", {"token": token}).status_code, 400)
        self.assertNotIn(self.stranger.partner_id, self.meeting.partner_ids)
        self.assertEqual(self.ask(form.get("action"), "POST", data).status_code, 303)
        self.assertIn(self.stranger.partner_id, self.meeting.partner_ids)


#: Run in each page that opens. The pages have no script, so that the one which thanks
#: is known by its address alone.
ON_OPENING = """
    addEventListener("DOMContentLoaded", () => {
        const wide = document.documentElement.scrollWidth;
        if (wide > window.innerWidth) {
            console.error("it is " + wide + " wide");
        }
        const touched = "button, a.button, .choices > label, summary";
        for (const one of document.querySelectorAll(touched)) {
            if (one.offsetHeight < 44) {
                console.error(one.textContent.trim() + " is too small for a thumb");
            }
        }
        if (location.search.includes("done=tentative")) {
            const thanks = document.querySelector("[role=status]");
            const lang = document.documentElement.lang;
            console.log(thanks && lang === "es-ES" ? "test successful" : "no thanks");
        }
    });
"""


@tagged("post_install", "-at_install")
class TestOnAPhone(PageCase):
    browser_size = "375x667"
    touch_enabled = True

    def test_it_is_answered_with_a_thumb(self):
        self.customer.lang = "es_ES"
        self.meeting.name = "Cata de vinos " + "deLaRiberaDelDuero" * 9
        navigate_to = ChromeBrowser.navigate_to

        def prepared(browser, *args, **kwargs):
            browser._websocket_request(
                "Page.addScriptToEvaluateOnNewDocument", params={"source": ON_OPENING}
            )
            return navigate_to(browser, *args, **kwargs)

        code = """
            document.querySelector("input[value=tentative]").closest("label").click();
            document.querySelector("textarea").value = "Quizá";
            document.querySelector("form[method=post] button").click();
        """
        with patch.object(ChromeBrowser, "navigate_to", prepared):
            self.browser_js(self.path(), code, ready="document.readyState === 'complete'")
        self.env.invalidate_all()
        self.assertEqual(self.guest.state, "tentative")

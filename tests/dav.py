"""A calendar program of our own, against the running test server."""

from lxml import etree

from odoo.tests import HttpCase

from .common import AutomationData

D = "{DAV:}"
C = "{urn:ietf:params:xml:ns:caldav}"
NAMES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'


def event(uid="one", *lines, more=""):
    """The text of an event of one hour on 1 March 2027, 10 to 11 in UTC."""
    own = list(lines) or ["DTSTART:20270301T100000Z", "DTEND:20270301T110000Z", "SUMMARY:Tasting"]
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//X//EN", "BEGIN:VEVENT", f"UID:{uid}",
            "DTSTAMP:20270101T000000Z", *own, "END:VEVENT",
            *([more.strip().replace("\n", "\r\n")] if more else ()), "END:VCALENDAR", "",
        ]
    )  # fmt: skip


class DavCase(AutomationData, HttpCase):
    """The seller's program, unless another one's is meant."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "no_mail_to_attendees": True})
        cls.keys = {}
        for user in (cls.seller, cls.other_seller, cls.manager):
            cls.keys[user] = cls.make_key(user)

    @classmethod
    def make_key(cls, user, scope="caldav", expiration=None):
        keys = cls.env["res.users.apikeys"].with_user(user).sudo()
        return keys._generate(scope, "Test", expiration)

    def home(self, user=None):
        return f"/caldav/calendars/{(user or self.seller).login}/"

    def agenda(self, user=None):
        return self.home(user) + "agenda/"

    def ask(self, method, path, body=None, user=None, auth=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if auth is None:
            user = user or self.seller
            auth = (user.login, self.keys[user])
        self.env.flush_all()
        answer = self.opener.request(
            method, self.base_url() + path, data=body.encode() if isinstance(body, str) else body,
            headers=headers, auth=auth or None, timeout=60, allow_redirects=False,
        )  # fmt: skip
        self.env.invalidate_all()
        return answer

    def put(self, path, text, user=None, **headers):
        headers.setdefault("Content_Type", "text/calendar; charset=utf-8")
        return self.ask("PUT", path, text, user, **headers)

    def propfind(self, path, props, depth="0", user=None, **headers):
        body = f"<D:propfind {NAMES}><D:prop>{props}</D:prop></D:propfind>"
        return self.ask("PROPFIND", path, body, user, Depth=depth, **headers)

    def report(self, path, body, depth="1", user=None):
        return self.ask("REPORT", path, body, user, Depth=depth)

    def sync(self, token="", path=None, user=None):
        """(names changed, names gone, next token)"""
        answer = self.report(
            path or self.agenda(user),
            f"<D:sync-collection {NAMES}><D:sync-token>{token}</D:sync-token>"
            "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>",
            "0", user,
        )  # fmt: skip
        self.assertEqual(answer.status_code, 207, answer.text)
        gone = {
            last(one)
            for one in xml(answer).iterfind(f"{D}response")
            if " 404 " in (one.findtext(f"{D}status") or "")
        }
        return set(found(answer)) - gone, gone, xml(answer).findtext(f"{D}sync-token")

    def query(self, inner, props="<D:getetag/>", path=None, user=None):
        return self.report(
            path or self.agenda(user),
            f"<C:calendar-query {NAMES}><D:prop>{props}</D:prop><C:filter>"
            f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{inner}'
            "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>",
            user=user,
        )

    def meetings(self, uid):
        return self.env["calendar.event"].search([("ical_uid", "=", uid)], order="start")


def xml(answer):
    return etree.fromstring(answer.content)


def last(element):
    return element.findtext(f"{D}href").rstrip("/").split("/")[-1]


def found(answer):
    """dict from the last part of the path to the properties that are there."""
    result = {}
    for one in xml(answer).iterfind(f"{D}response"):
        props = {}
        for stat in one.iterfind(f"{D}propstat"):
            if " 200 " in stat.findtext(f"{D}status"):
                props |= {etree.QName(prop).localname: prop for prop in stat.find(f"{D}prop")}
        result[last(one)] = props
    return result


def condition(answer):
    """The name of the element in DAV:error."""
    return etree.QName(xml(answer)[0]).localname

"""CalDAV scheduling (RFC 6638, 5): when others have time."""

from datetime import datetime

from odoo.tests import tagged

from .dav import C, D, event, found, last, xml
from .test_caldav_scheduling import SELLER, SchedulingCase, unfolded


@tagged("post_install", "-at_install")
class TestFreeTime(SchedulingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_seller.tz = "America/New_York"
        cls.busy = cls.meet(9)

    @classmethod
    def meet(cls, hour, user=None, **values):
        user = user or cls.other_seller
        return cls.env["calendar.event"].create(
            {
                "name": "Secret", "start": datetime(2027, 3, 1, hour), "user_id": user.id,
                "stop": datetime(2027, 3, 1, hour + 1),
                "partner_ids": [(6, 0, user.partner_id.ids)], **values,
            }
        )  # fmt: skip

    def times(self, *addresses, user=None, organizer=SELLER, more=(), end="20270302T000000Z"):
        """dict from address to (status, list of what is taken)"""
        text = "\r\n".join(
            [
                "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "METHOD:REQUEST", "BEGIN:VFREEBUSY",
                "UID:ask", "DTSTAMP:20270101T000000Z", "DTSTART:20270301T000000Z",
                f"DTEND:{end}", organizer, *(f"ATTENDEE:mailto:{one}" for one in addresses),
                *more, "END:VFREEBUSY", "END:VCALENDAR", "",
            ]
        )  # fmt: skip
        answer = self.ask(
            "POST", self.home(user) + "outbox/", text, user, Content_Type="text/calendar"
        )
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertNotIn("Secret", answer.text)
        result = {}
        for one in xml(answer).iterfind(f"{C}response"):
            data = one.findtext(f"{C}calendar-data") or ""
            result[last(one.find(f"{C}recipient"))] = (
                one.findtext(f"{C}request-status"),
                [line[9:] for line in unfolded(data) if line.startswith("FREEBUSY;")],
            )
        return result

    def taken(self, **kwargs):
        return self.times("other@example.com", **kwargs)["mailto:other@example.com"][1]

    def test_when_a_colleague_has_time(self):
        nine = "FBTYPE=BUSY:20270301T090000Z/20270301T100000Z"
        self.assertEqual(
            self.times("other@example.com", "azure@example.com", "nobody@x.example"),
            {
                "mailto:other@example.com": ("2.0;Success", [nine]),
                # A contact without a user: nobody knows.
                "mailto:azure@example.com": ("3.7;Invalid calendar user", []),
                "mailto:nobody@x.example": ("3.7;Invalid calendar user", []),
            },
        )
        self.assertEqual(self.taken(more=[f"X-CALENDARSERVER-MASK-UID:{self.busy.ical_uid}"]),
                         [nine])  # fmt: skip
        own = self.meet(15, user=self.seller)
        mine = self.times("seller@example.com")["mailto:seller@example.com"][1]
        self.assertEqual(mine, ["FBTYPE=BUSY:20270301T150000Z/20270301T160000Z"])
        masked = self.times(
            "seller@example.com", more=[f"X-CALENDARSERVER-MASK-UID:{own.ical_uid}"]
        )
        self.assertEqual(masked["mailto:seller@example.com"][1], [])

    def test_what_takes_time(self):
        for hour, values in ((11, {"show_as": "free"}), (12, {"active": False}), (13, {})):
            made = self.meet(hour, **values)
        made.attendee_ids.with_user(self.other_seller).do_decline()
        self.meet(15, is_tentative=True)
        self.meet(16).attendee_ids.state = "tentative"
        self.assertEqual(
            self.taken(),
            ["FBTYPE=BUSY:20270301T090000Z/20270301T100000Z",
             "FBTYPE=BUSY-TENTATIVE:20270301T150000Z/20270301T170000Z"],
        )  # fmt: skip

    def test_a_day_is_one_where_he_is(self):
        self.busy.unlink()
        self.meet(8, allday=True, start_date="2027-03-01", stop_date="2027-03-01")
        self.assertEqual(
            self.taken(end="20270303T000000Z"),
            ["FBTYPE=BUSY:20270301T050000Z/20270302T050000Z"],
        )

    def test_a_calendar_that_takes_no_time(self):
        home = self.home(self.other_seller)
        self.ask("MKCALENDAR", home + "wine/", user=self.other_seller)
        text = event("one", "DTSTART:20270301T140000Z", "DTEND:20270301T150000Z")
        self.put(home + "wine/one.ics", text, self.other_seller)
        self.assertEqual(len(self.taken()), 2)
        body = (
            '<D:propertyupdate xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set>'
            "<D:prop><C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
            "</D:prop></D:set></D:propertyupdate>"
        )
        self.ask("PROPPATCH", home + "wine/", body, self.other_seller)
        self.assertEqual(len(self.taken()), 1)

    def test_of_whom_one_sees_nothing_in_odoo(self):
        self.env["ir.rule"].create(
            {
                "name": "Hidden", "model_id": self.env["ir.model"]._get_id("res.users"),
                "domain_force": f"[('id', '!=', {self.other_seller.id})]",
            }
        )  # fmt: skip
        self.assertEqual(
            self.times("other@example.com"),
            {"mailto:other@example.com": ("3.7;Invalid calendar user", [])},
        )

    def test_nobody_asks_in_another_name(self):
        text = "ORGANIZER:mailto:other@example.com"
        with self.assertRaises(AssertionError):
            self.times("other@example.com", organizer=text)
        answer = self.ask("POST", self.home(self.other_seller) + "outbox/", "x")
        self.assertEqual(answer.status_code, 404)

    def test_the_principal_says_where(self):
        answer = self.propfind(
            "/caldav/principals/seller/", "<C:schedule-outbox-URL/><C:schedule-inbox-URL/>"
        )
        self.assertEqual(
            xml(answer).findtext(f".//{C}schedule-outbox-URL/{D}href"), self.home() + "outbox/"
        )
        listed = found(self.propfind(self.home(), "<D:resourcetype/>", depth="1"))
        self.assertLessEqual({"inbox", "outbox"}, set(listed))

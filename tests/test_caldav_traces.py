"""What Thunderbird, Apple's Calendar, Evolution and DAVx5 send, in their own words.

From their public sources and from logs of servers: setting up, reading all for the first
time, noticing a change, writing, deleting. Of each answer that is looked at which the
program goes by.
"""

from datetime import datetime

from odoo.tests import tagged

from .dav import DavCase
from .over_http import OverHttp
from .rows.program import C, D, event, expect

CS = "{http://calendarserver.org/ns/}"
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


class TraceCase(DavCase):
    agent = ""

    def setUp(self):
        super().setUp()
        self.program = OverHttp(self)
        self.meeting = self.env["calendar.event"].create(
            {
                "name": "Tasting", "start": datetime(2027, 3, 1, 9), "user_id": self.seller.id,
                "stop": datetime(2027, 3, 1, 10),
                "partner_ids": [(6, 0, (self.seller.partner_id + self.customer).ids)],
            }
        )  # fmt: skip
        self.name = f"{self.meeting.ical_uid}.ics"
        self.path = self.program.agenda + self.name

    def send(self, method, path, body="", **headers):
        headers.setdefault("user_agent", self.agent)
        if body and method != "PUT":
            headers.setdefault("content_type", "application/xml; charset=utf-8")
            body = XML + body
        return self.program.ask(method, path, body, **headers)

    def follow(self, method, path, body, **headers):
        """Send it, and again where it leads."""
        answer = self.send(method, path, body, **headers)
        self.assertIn(answer.status, (301, 302, 307, 308))
        return expect(self.send(method, answer.headers["Location"], body, **headers), 207)

    def href(self, answer, name):
        found = answer.xml.findtext(f".//{name}/{D}href")
        self.assertTrue(found, answer.text)
        return found

    def check_multistatus(self, answer):
        """Every status is a status line, and no property is told twice of one resource."""
        expect(answer, 207)
        self.assertTrue(answer.headers["Content-Type"].startswith("application/xml"))
        for one in answer.xml.iter(f"{D}status"):
            self.assertRegex(one.text, r"^HTTP/1\.1 \d{3} [A-Z]")
        for one in answer.xml.iter(f"{D}response"):
            names = [prop.tag for block in one.iter(f"{D}prop") for prop in block]
            self.assertEqual(len(names), len(set(names)))
        return answer


@tagged("post_install", "-at_install")
class TestThunderbird(TraceCase):
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0"
    names = (
        '<D:propfind xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/"'
        ' xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/"><D:prop>'
    )
    end = "</D:prop></D:propfind>"
    listing = (
        f"{names}<D:resourcetype/><D:owner/><D:displayname/><D:current-user-principal/>"
        f"<D:current-user-privilege-set/><A:calendar-color/><C:calendar-home-set/>{end}"
    )

    def sync(self, token=""):
        token = f"<sync-token>{token}</sync-token>" if token else "<sync-token/>"
        return self.check_multistatus(
            self.send(
                "REPORT", self.program.agenda,
                f'<sync-collection xmlns="DAV:">{token}<sync-level>1</sync-level><prop>'
                "<getcontenttype/><getetag/></prop></sync-collection>", depth="1",
            )
        )  # fmt: skip

    def multiget(self, *paths):
        hrefs = "".join(f"<D:href>{path}</D:href>" for path in paths)
        return self.check_multistatus(
            self.send(
                "REPORT", self.program.agenda,
                '<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
                f"<D:prop><D:getetag/><C:calendar-data/></D:prop>{hrefs}</C:calendar-multiget>",
                depth="1",
            )
        )  # fmt: skip

    def test_set_up(self):
        found = self.follow("PROPFIND", "/.well-known/caldav", self.listing, depth="0")
        principal = self.href(found, f"{D}current-user-principal")
        body = f"{self.names}<D:resourcetype/><C:calendar-home-set/>{self.end}"
        home = self.href(
            expect(self.send("PROPFIND", principal, body, depth="0"), 207), f"{C}calendar-home-set"
        )
        listed = self.check_multistatus(self.send("PROPFIND", home, self.listing, depth="1"))
        agenda = listed.found["agenda"]
        self.assertIn(f"{C}calendar", [one.tag for one in agenda["resourcetype"]])
        self.assertTrue(agenda["displayname"].text)
        # Whether one may write there.
        self.assertTrue(agenda["current-user-privilege-set"].findall(f".//{D}write"))
        self.assertEqual(agenda["owner"][0].text, principal)

    def test_opening_a_calendar(self):
        body = (
            f"{self.names}<D:resourcetype/><D:owner/><D:current-user-principal/>"
            "<D:current-user-privilege-set/><D:supported-report-set/>"
            f"<C:supported-calendar-component-set/><CS:getctag/>{self.end}"
        )
        answer = self.check_multistatus(
            self.send("PROPFIND", self.program.agenda, body, depth="0")
        )  # fmt: skip
        found = answer.found["agenda"]
        self.assertTrue(found["getctag"].text)
        reports = [one[0].tag for one in found["supported-report-set"].iter(f"{D}report")]
        self.assertIn(f"{D}sync-collection", reports)
        components = [one.get("name") for one in found["supported-calendar-component-set"]]
        self.assertEqual(components, ["VEVENT"])
        options = expect(self.send("OPTIONS", self.program.home), 200)
        self.assertIn("calendar-access", options.headers["DAV"])
        body = f"{self.names}<C:calendar-home-set/><C:calendar-user-address-set/>{self.end}"
        answer = self.send("PROPFIND", self.program.principal, body, depth="0")
        addresses = answer.found[self.seller.login]["calendar-user-address-set"]
        self.assertIn("mailto:seller@example.com", [one.text for one in addresses])

    def test_search_for_the_principal(self):
        body = (
            '<D:principal-property-search xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
            "<D:property-search><D:prop><C:calendar-home-set/></D:prop>"
            f"<D:match>{self.program.home}</D:match></D:property-search><D:prop>"
            "<C:calendar-home-set/><C:calendar-user-address-set/><C:schedule-inbox-URL/>"
            "<C:schedule-outbox-URL/></D:prop></D:principal-property-search>"
        )
        answer = self.check_multistatus(
            self.send("REPORT", "/caldav/principals/", body, depth="0")
        )  # fmt: skip
        self.assertEqual(answer.names, [self.seller.login])

    def test_reading_and_writing(self):
        first = self.sync()
        self.assertEqual(first.names, [self.name])
        props = first.found[self.name]
        self.assertTrue(props["getcontenttype"].text.startswith("text/calendar"))
        got = self.multiget(self.path)
        self.assertEqual(got.found[self.name]["getetag"].text, props["getetag"].text)
        self.assertIn("SUMMARY:Tasting", got.data(self.name))
        # It makes one, and reads it again.
        text = event("tb", "DTSTART:20270302T090000Z", "DTEND:20270302T100000Z", "SUMMARY:Mine",
                     "X-MOZ-GENERATION:1")  # fmt: skip
        new = self.program.agenda + "tb.ics"
        kind = "text/calendar; charset=utf-8"
        expect(self.send("PUT", new, text, content_type=kind, if_none_match="*"), 201)
        etag = self.multiget(new).found["tb.ics"]["getetag"].text
        self.assertEqual(
            self.multiget(new).data("tb.ics").replace("\r", ""), text.replace("\r", "")
        )
        # It is changed here and there.
        self.meeting.name = "Dinner"
        second = self.sync(first.token)
        self.assertEqual(second.names, sorted([self.name, "tb.ics"]))
        text = text.replace("Mine", "Ours")
        answer = expect(self.send("PUT", new, text, content_type=kind, if_match=etag), 204)
        self.assertEqual(self.meetings("tb").name, "Ours")
        expect(self.send("PUT", new, text, content_type=kind, if_match=etag), 412)
        expect(self.send("DELETE", new, if_match=answer.headers["ETag"]), 204)
        self.meeting.unlink()
        third = self.sync(second.token)
        self.assertEqual(third.statuses, {self.name: 404, "tb.ics": 404})


@tagged("post_install", "-at_install")
class TestApple(TraceCase):
    agent = "macOS/14.5 (23F79) dataaccessd/1.0"
    names = (
        'xmlns:A="DAV:" xmlns:B="urn:ietf:params:xml:ns:caldav"'
        ' xmlns:C="http://calendarserver.org/ns/" xmlns:D="http://apple.com/ns/ical/"'
        ' xmlns:E="http://me.com/_namespace/"'
    )

    def propfind(self, path, props, depth, **headers):
        body = f"<A:propfind {self.names}><A:prop>{props}</A:prop></A:propfind>"
        headers.setdefault("content_type", "text/xml")
        return self.send("PROPFIND", path, body, depth=depth, brief="t", prefer="return=minimal",
                         **headers)  # fmt: skip

    def test_set_up(self):
        props = "<A:current-user-principal/><A:principal-URL/><A:resourcetype/>"
        answer = self.propfind("/.well-known/caldav", props, "0")
        self.assertIn(answer.status, (301, 302, 307, 308))
        found = expect(self.propfind(answer.headers["Location"], props, "0"), 207)
        principal = self.href(found, f"{D}current-user-principal")
        options = expect(self.send("OPTIONS", principal), 200)
        classes = {one.strip() for one in options.headers["DAV"].split(",")}
        self.assertLessEqual({"1", "access-control", "calendar-access"}, classes)
        props = (
            "<B:calendar-home-set/><B:calendar-user-address-set/><A:current-user-principal/>"
            "<A:displayname/><C:dropbox-home-URL/><C:email-address-set/><C:notification-URL/>"
            "<A:principal-collection-set/><A:principal-URL/><A:resource-id/>"
            "<B:schedule-inbox-URL/><B:schedule-outbox-URL/><A:supported-report-set/>"
        )
        answer = self.check_multistatus(self.propfind(principal, props, "0"))
        self.assertEqual(answer.missing, set())
        found = answer.found[self.seller.login]
        self.assertEqual(found["calendar-home-set"][0].text, self.program.home)
        addresses = [one.text for one in found["calendar-user-address-set"]]
        self.assertIn("mailto:seller@example.com", addresses)
        self.assertEqual(found["email-address-set"][0].text, "seller@example.com")

    def test_listing(self):
        props = (
            "<A:add-member/><C:allowed-sharing-modes/><D:autoprovisioned/><E:bulk-requests/>"
            "<D:calendar-color/><B:calendar-description/><B:calendar-free-busy-set/>"
            "<D:calendar-order/><B:calendar-timezone/><A:current-user-privilege-set/>"
            "<B:default-alarm-vevent-date/><B:default-alarm-vevent-datetime/><A:displayname/>"
            "<C:getctag/><D:language-code/><D:location-code/><B:max-attendees-per-instance/>"
            "<A:owner/><C:pre-publish-url/><C:publish-url/><C:push-transports/><C:pushkey/>"
            "<A:quota-available-bytes/><A:quota-used-bytes/><D:refreshrate/><A:resource-id/>"
            "<A:resourcetype/><B:schedule-calendar-transp/><B:schedule-default-calendar-URL/>"
            "<C:source/><C:subscribed-strip-alarms/><C:subscribed-strip-attachments/>"
            "<C:subscribed-strip-todos/><B:supported-calendar-component-set/>"
            "<B:supported-calendar-component-sets/><A:supported-report-set/><A:sync-token/>"
        )
        answer = self.check_multistatus(self.propfind(self.program.home, props, "1"))
        self.assertEqual(answer.missing, set())
        agenda = answer.found["agenda"]
        for name in (
            "resourcetype", "displayname", "current-user-privilege-set", "getctag", "owner",
            "supported-calendar-component-set", "supported-report-set", "sync-token",
        ):  # fmt: skip
            self.assertIn(name, agenda)
        self.assertEqual(
            [one.get("name") for one in answer.found["tasks"]["supported-calendar-component-set"]],
            ["VTODO"],
        )

    def test_what_it_sets(self):
        for path, inner in (
            (self.program.agenda, "<D:calendar-color>#1BADF8FF</D:calendar-color>"),
            (self.program.agenda, "<D:calendar-order>2</D:calendar-order>"),
            (self.program.home, "<B:default-alarm-vevent-date>BEGIN:VALARM&#13;\nEND:VALARM&#13;\n"
             "</B:default-alarm-vevent-date>"),
            (self.program.agenda, "<A:displayname>Wine</A:displayname>"),
        ):  # fmt: skip
            body = (
                f"<A:propertyupdate {self.names}><A:set><A:prop>{inner}</A:prop></A:set>"
                "</A:propertyupdate>"
            )
            answer = self.check_multistatus(self.send("PROPPATCH", path, body))
            self.assertFalse(answer.named(403) | answer.named(424), inner)

    def test_a_calendar_of_its_own(self):
        path = self.program.home + "6B29FC40-CA47-1067-B31D-00DD010662DA/"
        body = (
            f"<B:mkcalendar {self.names}><A:set><A:prop><B:calendar-free-busy-set><YES/>"
            "</B:calendar-free-busy-set><D:calendar-color>#FF2968FF</D:calendar-color>"
            "<D:calendar-order>5</D:calendar-order><B:calendar-timezone>BEGIN:VCALENDAR&#13;\n"
            "VERSION:2.0&#13;\nBEGIN:VTIMEZONE&#13;\nTZID:Europe/Madrid&#13;\n"
            "BEGIN:STANDARD&#13;\nTZOFFSETFROM:+0200&#13;\nTZOFFSETTO:+0100&#13;\n"
            "DTSTART:19961027T030000&#13;\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU&#13;\n"
            "END:STANDARD&#13;\nEND:VTIMEZONE&#13;\nEND:VCALENDAR&#13;\n</B:calendar-timezone>"
            "<A:displayname>Wine</A:displayname><B:supported-calendar-component-set>"
            '<B:comp name="VEVENT"/></B:supported-calendar-component-set></A:prop></A:set>'
            "</B:mkcalendar>"
        )
        expect(self.send("MKCALENDAR", path, body), 201)
        answer = self.propfind(path, "<A:displayname/><D:calendar-color/>", "0")
        [found] = answer.found.values()
        self.assertEqual(found["displayname"].text, "Wine")
        expect(self.send("DELETE", path), 204)

    def test_reading_and_writing(self):
        """It reads by sync-collection, writes in chunks, and its own properties stay."""
        body = (
            f"<A:sync-collection {self.names}><A:sync-token/><A:sync-level>1</A:sync-level>"
            "<A:prop><A:getcontenttype/><A:getetag/></A:prop></A:sync-collection>"
        )
        first = self.check_multistatus(self.send("REPORT", self.program.agenda, body, depth="1"))
        self.assertEqual(first.names, [self.name])
        body = (
            f"<B:calendar-multiget {self.names}><A:prop><B:calendar-data/><A:getetag/>"
            "<C:created-by/><B:schedule-tag/><C:updated-by/></A:prop>"
            f"<A:href>{self.path}</A:href></B:calendar-multiget>"
        )
        got = self.check_multistatus(
            self.send("REPORT", self.program.agenda, body, depth="1", brief="t")
        )
        self.assertIn("SUMMARY:Tasting", got.data(self.name))
        text = event(
            "C3A1-APPLE", "DTSTART;TZID=Europe/Madrid:20270328T013000",
            "DTEND;TZID=Europe/Madrid:20270328T033000", "SUMMARY:Night",
            "RRULE:FREQ=DAILY;COUNT=3", "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
            'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE="Bodega, Haro"'
            ":geo:42.577,-2.847",
            "BEGIN:VALARM", "X-WR-ALARMUID:A-1", "UID:A-1", "TRIGGER:-PT15M",
            "ATTACH;VALUE=URI:Chord", "ACTION:AUDIO", "X-APPLE-DEFAULT-ALARM:TRUE", "END:VALARM",
            more="BEGIN:VEVENT\nUID:C3A1-APPLE\nDTSTAMP:20270101T000000Z\n"
            "RECURRENCE-ID;TZID=Europe/Madrid:20270329T013000\n"
            "DTSTART;TZID=Europe/Madrid:20270329T043000\n"
            "DTEND;TZID=Europe/Madrid:20270329T053000\nSUMMARY:Moved\nEND:VEVENT",
        )  # fmt: skip
        path = self.program.agenda + "C3A1-APPLE.ics"
        half = len(text) // 2
        answer = self.send(
            "PUT", path, iter([text[:half].encode(), text[half:].encode()]),
            content_type="text/calendar", if_none_match="*",
        )  # fmt: skip
        expect(answer, 201)
        got = expect(self.send("GET", path), 200)
        self.assertEqual(got.text, text)
        starts = self.meetings("C3A1-APPLE").mapped("start")
        self.assertEqual(
            starts, [datetime(2027, 3, 28, 0, 30), datetime(2027, 3, 29, 2, 30),
                     datetime(2027, 3, 29, 23, 30)],
        )  # fmt: skip
        expect(self.send("DELETE", path, if_match=got.headers["ETag"]), 204)


@tagged("post_install", "-at_install")
class TestEvolution(TraceCase):
    agent = "Evolution/3.50.0"
    names = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    names += ' xmlns:CS="http://calendarserver.org/ns/" xmlns:IC="http://apple.com/ns/ical/"'

    def propfind(self, path, props, depth):
        body = f"<D:propfind {self.names}><D:prop>{props}</D:prop></D:propfind>"
        return self.check_multistatus(self.send("PROPFIND", path, body, depth=depth))

    def test_set_up(self):
        props = "<D:resourcetype/><D:current-user-principal/><D:principal-URL/>"
        props += "<C:calendar-home-set/><C:calendar-user-address-set/>"
        body = f"<D:propfind {self.names}><D:prop>{props}</D:prop></D:propfind>"
        found = self.follow("PROPFIND", "/.well-known/caldav", body, depth="0")
        principal = self.href(found, f"{D}current-user-principal")
        home = self.href(self.propfind(principal, props, "0"), f"{C}calendar-home-set")
        props = (
            "<D:resourcetype/><D:displayname/><D:current-user-privilege-set/>"
            "<C:calendar-description/><C:supported-calendar-component-set/>"
            "<IC:calendar-color/><IC:calendar-order/>"
        )
        agenda = self.propfind(home, props, "1").found["agenda"]
        self.assertEqual(len(agenda["resourcetype"]), 2)
        components = agenda["supported-calendar-component-set"]
        self.assertEqual([one.get("name") for one in components], ["VEVENT"])
        self.assertTrue(agenda["current-user-privilege-set"].findall(f".//{D}write-content"))
        options = expect(self.send("OPTIONS", self.program.agenda), 200)
        self.assertIn("calendar-access", options.headers["DAV"])
        self.assertIn("REPORT", options.headers["Allow"])

    def test_reading_and_writing(self):
        agenda = self.program.agenda
        props = "<CS:getctag/>"
        ctag = self.propfind(agenda, props, "0").found["agenda"]["getctag"].text
        body = (
            f"<C:calendar-query {self.names}><D:prop><D:getetag/></D:prop><C:filter>"
            '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter>'
            "</C:filter></C:calendar-query>"
        )
        listed = self.check_multistatus(self.send("REPORT", agenda, body, depth="1"))
        self.assertEqual(listed.names, [self.name])
        etag = listed.found[self.name]["getetag"].text
        body = (
            f"<C:calendar-multiget {self.names}><D:prop><D:getetag/><C:calendar-data/></D:prop>"
            f"<D:href>{self.path}</D:href></C:calendar-multiget>"
        )
        text = self.check_multistatus(self.send("REPORT", agenda, body, depth="1")).data(self.name)
        kind = 'text/calendar; charset="utf-8"'
        changed = text.replace("Tasting", "Dinner").replace("\r", "").replace("\n", "\r\n")
        answer = self.send("PUT", self.path, changed, content_type=kind, if_match=etag)
        expect(answer, 204)
        self.assertEqual(self.meeting.name, "Dinner")
        # It reads again what it has written.
        got = expect(self.send("GET", self.path), 200)
        self.assertIn("SUMMARY:Dinner", got.text)
        self.assertIn("azure@example.com", got.text)
        self.assertTrue(got.headers["ETag"])
        after = self.propfind(agenda, props, "0").found["agenda"]["getctag"].text
        self.assertNotEqual(after, ctag)
        new = agenda + "0a1b2c3d4e5f-evolution.ics"
        text = event("0a1b2c3d4e5f-evolution", "DTSTART:20270302T090000Z", "DURATION:PT1H",
                     "SUMMARY:New", "X-EVOLUTION-CALDAV-ETAG:x")  # fmt: skip
        made = expect(self.send("PUT", new, text, content_type=kind, if_none_match="*"), 201)
        self.assertTrue(self.meetings("0a1b2c3d4e5f-evolution"))
        expect(self.send("DELETE", new, if_match=made.headers["ETag"]), 204)
        expect(self.send("DELETE", self.path, if_match=etag), 412)
        expect(self.send("DELETE", self.path, if_match=got.headers["ETag"]), 204)
        self.assertFalse(self.meeting.exists())


@tagged("post_install", "-at_install")
class TestDavx5(TraceCase):
    agent = "DAVx5/4.4.4-ose (2024/11; dav4jvm; okhttp/4.12.0) Android/14"
    names = 'xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav"'
    names += ' xmlns:CARD="urn:ietf:params:xml:ns:carddav" xmlns:CS="http://calendarserver.org/ns/"'
    names += ' xmlns:ICAL="http://apple.com/ns/ical/"'

    def propfind(self, path, props, depth):
        body = f"<propfind {self.names}><prop>{props}</prop></propfind>"
        return self.check_multistatus(self.send("PROPFIND", path, body, depth=depth))

    def sync(self, token="", limit=""):
        limit = f"<limit><nresults>{limit}</nresults></limit>" if limit else ""
        return self.check_multistatus(
            self.send(
                "REPORT", self.program.agenda,
                f"<sync-collection {self.names}><sync-token>{token}</sync-token>"
                f"<sync-level>1</sync-level>{limit}<prop><getetag/></prop></sync-collection>",
                depth="0",
            )
        )  # fmt: skip

    def test_set_up(self):
        props = (
            "<resourcetype/><displayname/><CAL:calendar-home-set/><CARD:addressbook-home-set/>"
            "<current-user-principal/>"
        )
        body = f"<propfind {self.names}><prop>{props}</prop></propfind>"
        found = self.follow("PROPFIND", "/.well-known/caldav", body, depth="0")
        principal = self.href(found, f"{D}current-user-principal")
        props = (
            "<resourcetype/><displayname/><CAL:calendar-home-set/><CAL:calendar-user-address-set/>"
            "<CS:calendar-proxy-read-for/><CS:calendar-proxy-write-for/><group-membership/>"
        )
        answer = self.propfind(principal, props, "0")
        home = self.href(answer, f"{C}calendar-home-set")
        self.assertEqual(answer.missing, {"calendar-proxy-read-for", "calendar-proxy-write-for"})
        props = (
            "<resourcetype/><displayname/><current-user-privilege-set/><owner/>"
            "<CARD:addressbook-description/><CAL:calendar-description/><ICAL:calendar-color/>"
            "<CAL:calendar-timezone/><CAL:calendar-timezone-id/>"
            "<CAL:supported-calendar-component-set/><CS:source/>"
        )
        listed = self.propfind(home, props, "1")
        agenda, tasks = listed.found["agenda"], listed.found["tasks"]
        self.assertEqual(agenda["owner"][0].text, principal)
        self.assertIn(f"{C}calendar", [one.tag for one in agenda["resourcetype"]])
        self.assertEqual(tasks["supported-calendar-component-set"][0].get("name"), "VTODO")
        self.assertTrue(agenda["current-user-privilege-set"].findall(f".//{D}write-content"))

    def test_reading_and_writing(self):
        agenda = self.program.agenda
        for number in range(5):
            self.put(f"{agenda}n{number}.ics", event(f"n{number}"))
        props = "<CAL:max-resource-size/><supported-report-set/><CS:getctag/><sync-token/>"
        state = self.propfind(agenda, props, "0").found["agenda"]
        self.assertGreater(int(state["max-resource-size"].text), 10_000)
        reports = state["supported-report-set"].iter(f"{D}report")
        self.assertIn(f"{D}sync-collection", [one[0].tag for one in reports])
        token, seen, pages = "", set(), 0
        while True:
            answer = self.sync(token, 2)
            token, pages = answer.token, pages + 1
            seen |= {name for name in answer.found if name.endswith(".ics")}
            if answer.statuses.get("agenda") != 507:
                break
        self.assertEqual((pages, len(seen)), (3, 6))
        self.assertEqual(token, state["sync-token"].text)
        hrefs = "".join(f"<href>{agenda}{name}</href>" for name in sorted(seen))
        body = (
            f"<CAL:calendar-multiget {self.names}><prop><getcontenttype/><getetag/>"
            "<CAL:schedule-tag/>"
            '<CAL:calendar-data content-type="text/calendar" version="2.0"/></prop>'
            f"{hrefs}</CAL:calendar-multiget>"
        )
        got = self.check_multistatus(self.send("REPORT", agenda, body, depth="0"))
        self.assertEqual(set(got.found), seen)
        for props in got.found.values():
            self.assertIn("BEGIN:VEVENT", props["calendar-data"].text)
        # A meeting with others has a reminder more on the telephone.
        etag = got.found[self.name]["getetag"].text
        text = got.data(self.name).replace("\r", "").replace("\n", "\r\n")
        alarm = "BEGIN:VALARM\r\nTRIGGER:-PT25M\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nEND:VALARM"
        text = text.replace("END:VEVENT", f"{alarm}\r\nEND:VEVENT")
        kind = "text/calendar; charset=utf-8"
        expect(self.send("PUT", self.path, text, content_type=kind, if_match=etag), 204)
        # It is its user's own, and not the others'.
        self.assertFalse(self.meeting.alarm_ids)
        own = self.env["calendar.reminder.own"].search([("uid", "=", self.meeting.ical_uid)])
        self.assertEqual(own.mapped("minutes"), [-25])
        stale = self.send("PUT", self.path, text, content_type=kind, if_match=etag)
        self.assertIn(stale.status, (409, 412))
        expect(self.send("DELETE", agenda + "n0.ics", if_match='"other"'), 412)
        expect(self.send("DELETE", agenda + "n0.ics"), 204)
        after = self.sync(token)
        self.assertEqual(after.statuses, {"n0.ics": 404})
        self.assertEqual(set(after.found), {self.name, "n0.ics"})

    def test_a_server_without_its_token(self):
        """The token is of before: it is told so, and reads all again."""
        answer = self.send(
            "REPORT", self.program.agenda,
            f"<sync-collection {self.names}><sync-token>data:,0123456789ab-3</sync-token>"
            "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>", depth="0",
        )  # fmt: skip
        expect(answer, 403, "valid-sync-token")
        self.assertEqual(self.sync().names, [self.name])

    def test_what_lies_back(self):
        """Without sync-collection it asks for what is not older than ninety days."""
        body = (
            f"<CAL:calendar-query {self.names}><prop><getetag/></prop><CAL:filter>"
            '<CAL:comp-filter name="VCALENDAR"><CAL:comp-filter name="VEVENT">'
            '<CAL:time-range start="{}T000000Z"/></CAL:comp-filter></CAL:comp-filter>'
            "</CAL:filter></CAL:calendar-query>"
        )
        for day, names in (("20270301", [self.name]), ("20270302", [])):
            answer = self.send("REPORT", self.program.agenda, body.format(day), depth="1")
            self.assertEqual(self.check_multistatus(answer).names, names)

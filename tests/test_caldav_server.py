"""CalDAV over HTTP: calendars of Odoo in programs, and what they write back."""

from datetime import datetime, timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.tests import tagged

from ..models.caldav_backend import OdooBackend
from .dav import DavCase, condition, event, found

HOUR = timedelta(hours=1)


@tagged("post_install", "-at_install")
class TestDiscovery(DavCase):
    def test_where_it_is(self):
        for method in ("GET", "PROPFIND"):
            answer = self.ask(method, "/.well-known/caldav", auth=False)
            self.assertEqual(answer.status_code, 301)
            self.assertEqual(answer.headers["Location"], "/caldav/")
        answer = self.ask("PROPFIND", "/webdav/odoo/calendars/users/seller/c/Meetings/", auth=False)
        self.assertEqual(answer.headers["Location"], "/caldav/calendars/seller/")
        self.assertEqual(self.ask("GET", "/webdav/odoo/x").headers["Location"], "/caldav/")

    def test_what_it_is(self):
        answer = self.ask("OPTIONS", "/caldav/", auth=False)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("calendar-access", answer.headers["DAV"])
        answer = self.propfind("/caldav/", "<D:current-user-principal/>")
        self.assertEqual(answer.status_code, 207)
        self.assertIn("/caldav/principals/seller/", answer.text)
        answer = self.propfind("/caldav/principals/seller/", "<C:calendar-home-set/>")
        self.assertIn(self.home(), answer.text)
        listed = found(self.propfind(self.home(), "<D:displayname/>", depth="1"))
        self.assertIn("agenda", listed)
        self.assertNotIn("set-cookie", {name.lower() for name in answer.headers})

    def test_a_body_that_is_called_a_form(self):
        """As many a command line does."""
        answer = self.propfind(
            "/caldav/", "<D:current-user-principal/>",
            Content_Type="application/x-www-form-urlencoded",
        )  # fmt: skip
        self.assertEqual(answer.status_code, 207)
        self.assertIn("/caldav/principals/seller/", answer.text)

    def test_nothing_of_others(self):
        self.put(self.agenda() + "one.ics", event())
        for path in (
            "/caldav/principals/seller/", self.home(), self.agenda(), self.agenda() + "one.ics",
        ):  # fmt: skip
            for method in ("GET", "PROPFIND", "PUT", "DELETE", "REPORT", "PROPPATCH"):
                answer = self.ask(method, path, event(), user=self.other_seller)
                self.assertEqual(answer.status_code, 404, (method, path))


@tagged("post_install", "-at_install")
class TestMeetings(DavCase):
    def put_one(self, text=None, uid="one", **headers):
        return self.put(f"{self.agenda()}{uid}.ics", text or event(uid), **headers)

    def get_one(self, uid="one", user=None):
        return self.ask("GET", f"{self.agenda(user)}{uid}.ics", user=user)

    def test_a_meeting_of_a_program(self):
        text = event(
            "one", "DTSTART;TZID=Europe/Madrid:20270301T100000",
            "DTEND;TZID=Europe/Madrid:20270301T113000", "SUMMARY:Cata de Ñora",
            "X-MOZ-LASTACK:20270201T090000Z", "GEO:40.4;-3.7", "LOCATION:Bodega",
            "ATTENDEE;X-A=1;CN=Nobody:mailto:nobody@nowhere.example",
            "ORGANIZER:mailto:x@y.example",
            "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT10M", "END:VALARM",
        )  # fmt: skip
        made = self.put_one(text)
        self.assertEqual(made.status_code, 201, made.text)
        meeting = self.meetings("one")
        self.assertEqual(meeting.name, "Cata de Ñora")
        self.assertEqual(meeting.start, datetime(2027, 3, 1, 9))
        self.assertEqual(meeting.stop, datetime(2027, 3, 1, 10, 30))
        self.assertEqual(meeting.user_id, self.seller)
        self.assertEqual(meeting.alarm_ids.duration_minutes, 10)
        got = self.get_one()
        self.assertEqual(got.content.decode(), text)
        self.assertEqual(got.headers["ETag"], made.headers["ETag"])
        changed = self.put_one(text.replace("Bodega", "Salón"), If_Match=made.headers["ETag"])
        self.assertEqual(changed.status_code, 204)
        self.assertEqual(meeting.location, "Salón")
        old = self.put_one(text, If_Match=made.headers["ETag"])
        self.assertEqual(old.status_code, 412)

    def test_changed_in_odoo(self):
        """Only what was changed is another, and the program hears of it."""
        text = event("one", "DTSTART:20270301T100000Z", "DTEND:20270301T110000Z",
                     "SUMMARY:Tasting", "X-A:1", "GEO:40.4;-3.7")  # fmt: skip
        etag = self.put_one(text).headers["ETag"]
        _names, _gone, token = self.sync()
        self.meetings("one").write({"name": "Other"})
        changed, gone, token = self.sync(token)
        self.assertEqual((changed, gone), ({"one.ics"}, set()))
        got = self.get_one()
        self.assertNotEqual(got.headers["ETag"], etag)
        lines = got.text.split("\r\n")
        self.assertIn("SUMMARY:Other", lines)
        self.assertIn("X-A:1", lines)
        self.assertIn("GEO:40.4;-3.7", lines)
        self.meetings("one").unlink()
        self.assertEqual(self.sync(token)[1], {"one.ics"})
        self.assertEqual(self.get_one().status_code, 404)

    def test_a_meeting_of_odoo(self):
        meeting = self.env["calendar.event"].create(
            {
                "name": "Tasting", "start": datetime(2027, 3, 1, 9), "user_id": self.seller.id,
                "stop": datetime(2027, 3, 1, 10),
                "partner_ids": [(6, 0, (self.seller.partner_id + self.customer).ids)],
            }
        )  # fmt: skip
        names, _gone, token = self.sync()
        [name] = names
        got = self.ask("GET", self.agenda() + name)
        self.assertIn("SUMMARY:Tasting", got.text)
        self.assertIn("azure@example.com", got.text)
        text = got.text.replace("SUMMARY:Tasting", "SUMMARY:Dinner")
        answer = self.put(self.agenda() + name, text, If_Match=got.headers["ETag"])
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertEqual(meeting.name, "Dinner")
        self.assertEqual(len(meeting.attendee_ids), 2)
        self.assertEqual(self.sync(token)[0], {name})
        self.assertEqual(self.ask("DELETE", self.agenda() + name).status_code, 204)
        self.assertFalse(meeting.exists())
        self.assertEqual(self.sync(token)[1], {name})

    def test_a_series(self):
        text = event(
            "one", "DTSTART;TZID=Europe/Madrid:20270301T100000", "DURATION:PT1H",
            "SUMMARY:Weekly", "RRULE:FREQ=WEEKLY;COUNT=4",
            "EXDATE;TZID=Europe/Madrid:20270308T100000",
            more="""
BEGIN:VEVENT
UID:one
DTSTAMP:20270101T000000Z
RECURRENCE-ID;TZID=Europe/Madrid:20270315T100000
DTSTART;TZID=Europe/Madrid:20270315T120000
DURATION:PT1H
SUMMARY:Later
END:VEVENT
""",
        )  # fmt: skip
        self.assertEqual(self.put_one(text).status_code, 201)
        meetings = self.meetings("one")
        self.assertEqual(
            [(one.start.day, one.start.hour, one.name) for one in meetings],
            [(1, 9, "Weekly"), (15, 11, "Later"), (22, 9, "Weekly")],
        )
        self.assertEqual(self.get_one().content.decode(), text)
        span = '<C:time-range start="{0}T000000Z" end="{0}T230000Z"/>'
        for day, names in (("20270308", set()), ("20270315", {"one.ics"})):
            self.assertEqual(set(found(self.query(span.format(day)))), names)
        self.assertEqual(self.ask("DELETE", self.agenda() + "one.ics").status_code, 204)
        gone = self.env["calendar.event"].with_context(active_test=False)
        self.assertFalse(gone.search([("ical_uid", "=", "one")]))
        # Who undoes it there writes the same once more.
        self.assertEqual(self.put_one(text).status_code, 201)
        self.assertEqual(len(self.meetings("one")), 3)

    def test_cancelled_by_a_program(self):
        """In Odoo it is archived; the program has it still, as it has sent it."""
        self.put_one()
        cancelled = event().replace("END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT")
        answer = self.put_one(cancelled)
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertFalse(self.meetings("one"))
        archived = self.env["calendar.event"].with_context(active_test=False)
        meeting = archived.search([("ical_uid", "=", "one")])
        self.assertEqual(meeting.event_status, "cancelled")
        self.assertEqual(self.get_one().content.decode(), cancelled)
        _names, _gone, token = self.sync()
        meeting.action_status_confirmed()
        self.assertEqual(self.sync(token)[0], {"one.ics"})
        self.assertNotIn("CANCELLED", self.get_one().text)
        self.assertEqual(self.put_one(cancelled).status_code, 204)
        self.assertEqual(self.put_one().status_code, 204)
        self.assertEqual(self.meetings("one"), meeting)
        self.assertEqual(self.get_one().content.decode(), event())

    def test_refusals(self):
        self.put_one()
        for path, text, status, word in (
            ("two.ics", event("one"), 403, "no-uid-conflict"),
            ("one.ics", event("two"), 403, "no-uid-conflict"),
            ("two.ics", "nonsense", 403, "valid-calendar-data"),
            ("two.ics", event("two").replace("VEVENT", "VTODO"), 403,
             "supported-calendar-component"),
            ("two.ics", event("two") + " " * 2_000_000, 413, "max-resource-size"),
        ):  # fmt: skip
            answer = self.put(self.agenda() + path, text)
            self.assertEqual((answer.status_code, condition(answer)), (status, word))
        self.assertEqual(self.put_one(If_None_Match="*").status_code, 412)
        self.assertEqual(self.sync()[0], {"one.ics"})

    def test_what_odoo_cannot_hold(self):
        """A rule of every second, the year 1: kept as they are, and found."""
        for uid, lines in {
            "seconds": ("DTSTART:20270101T000000Z", "RRULE:FREQ=SECONDLY"),
            "early": ("DTSTART:00010101T000000Z", "DTEND:00010101T010000Z"),
            "late": (
                "DTSTART:99991231T000000Z",
                "DURATION:PT1H",
            ),
        }.items():
            text = event(uid, *lines)
            answer = self.put_one(text, uid)
            self.assertEqual(answer.status_code, 201, (uid, answer.text))
            self.assertEqual(self.get_one(uid).content.decode(), text)
            self.assertEqual(self.get_one(uid).headers["ETag"], answer.headers["ETag"])
            self.assertFalse(self.meetings(uid))
        span = '<C:time-range start="20270301T000000Z" end="20270302T000000Z"/>'
        self.assertEqual(set(found(self.query(span))), {"seconds.ics"})
        again = self.put_one(event("seconds"), "seconds")
        self.assertEqual(again.status_code, 204)
        self.assertEqual(len(self.meetings("seconds")), 1)
        self.assertEqual(self.ask("DELETE", self.agenda() + "early.ics").status_code, 204)
        self.assertEqual(self.sync()[0], {"seconds.ics", "late.ics"})


class OthersWereQuicker(SerializationFailure):
    pgcode = "40001"


@tagged("post_install", "-at_install")
class TestContention(DavCase):
    def test_come_again(self):
        """When a request was repeated often enough, its program is told to do so later."""
        with (
            patch.object(OdooBackend, "put", side_effect=OthersWereQuicker("too late")),
            patch("odoo.service.model.time.sleep"),
        ):
            answer = self.put(self.agenda() + "one.ics", event())
        self.assertEqual(answer.status_code, 503)
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        self.assertEqual(self.put(self.agenda() + "one.ics", event()).status_code, 201)


@tagged("post_install", "-at_install")
class TestTwoPeople(DavCase):
    """The organizer changes the meeting; who takes part his answer and his reminders."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        partners = cls.seller.partner_id + cls.other_seller.partner_id
        cls.meeting = cls.env["calendar.event"].create(
            {
                "name": "Tasting", "start": datetime(2027, 3, 1, 9), "user_id": cls.seller.id,
                "stop": datetime(2027, 3, 1, 10), "partner_ids": [(6, 0, partners.ids)],
            }
        )  # fmt: skip
        cls.name = cls.meeting.ical_uid + ".ics"

    def answer_of(self, user):
        guests = self.meeting.attendee_ids
        return guests.filtered(lambda one: one.partner_id == user.partner_id).state

    def get(self, user):
        return self.ask("GET", self.agenda(user) + self.name, user=user)

    def test_an_answer(self):
        other = self.other_seller
        got = self.get(other)
        self.assertEqual(got.status_code, 200)
        lines = got.text.replace("\r\n ", "").split("\r\n")
        lines = [
            line.replace("NEEDS-ACTION", "ACCEPTED") if "other@example.com" in line
            else "SUMMARY:Stolen" if line.startswith("SUMMARY") else line
            for line in lines
        ]  # fmt: skip
        alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT7M\r\nEND:VALARM"
        text = "\r\n".join(lines).replace("END:VEVENT", f"{alarm}\r\nEND:VEVENT")
        answer = self.put(self.agenda(other) + self.name, text, other)
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertNotIn("ETag", answer.headers)
        self.assertEqual(self.meeting.name, "Tasting")
        self.assertEqual(self.answer_of(other), "accepted")
        self.assertFalse(self.meeting.alarm_ids)
        self.assertIn("TRIGGER:-PT7M", self.get(other).text)
        self.assertIn("SUMMARY:Tasting", self.get(other).text)
        self.assertNotIn("TRIGGER", self.get(self.seller).text)

    def test_the_organizer_answers_for_nobody(self):
        got = self.get(self.seller)
        self.meeting.attendee_ids.filtered(
            lambda one: one.partner_id == self.other_seller.partner_id
        ).write({"state": "declined"})
        answer = self.put(self.agenda() + self.name, got.text.replace("Tasting", "Dinner"))
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertNotIn("ETag", answer.headers)
        self.assertEqual(self.meeting.name, "Dinner")
        self.assertEqual(self.answer_of(self.other_seller), "declined")

    def test_taken_out_by_who_takes_part(self):
        other = self.other_seller
        self.get(other)
        _names, _gone, token = self.sync(user=other)
        path = self.agenda(other) + self.name
        self.assertEqual(self.ask("DELETE", path, user=other).status_code, 204)
        self.assertTrue(self.meeting.active)
        self.assertEqual(self.answer_of(other), "declined")
        self.assertEqual(self.sync(token, user=other)[1], {self.name})
        self.assertEqual(self.get(other).status_code, 404)
        self.assertEqual(self.get(self.seller).status_code, 200)

    def test_a_program_cannot_take_over(self):
        """Somebody who is not invited makes one of his own under that UID."""
        text = event(self.meeting.ical_uid)
        answer = self.put(self.agenda(self.manager) + "x.ics", text, self.manager)
        self.assertEqual(answer.status_code, 201)
        self.assertEqual(self.meeting.user_id, self.seller)
        self.assertEqual(self.meeting.name, "Tasting")
        self.assertEqual(len(self.meetings(self.meeting.ical_uid)), 2)


@tagged("post_install", "-at_install")
class TestCalendars(DavCase):
    def test_an_own_calendar(self):
        wine = self.home() + "wine/"
        self.assertEqual(self.ask("MKCALENDAR", wine).status_code, 201)
        self.assertEqual(self.put(wine + "one.ics", event()).status_code, 201)
        todo = event("two", "SUMMARY:Buy corks").replace("VEVENT", "VTODO")
        self.assertEqual(self.put(wine + "two.ics", todo).status_code, 201)
        self.assertEqual(self.ask("GET", wine + "two.ics").content.decode(), todo)
        self.assertEqual(self.meetings("one").user_id, self.seller)
        self.assertEqual(self.sync(path=wine)[0], {"one.ics", "two.ics"})
        self.assertEqual(self.sync()[0], set())
        answer = self.ask(
            "MOVE", wine + "one.ics", Destination=f"{self.base_url()}{self.agenda()}a.ics"
        )
        self.assertEqual(answer.status_code, 201, answer.text)
        self.assertEqual(self.sync()[0], {"a.ics"})
        self.assertEqual(self.sync(path=wine)[0], {"two.ics"})
        answer = self.ask(
            "MOVE", self.agenda() + "a.ics", Destination=f"{self.base_url()}{self.agenda()}b.ics"
        )
        self.assertEqual(answer.status_code, 201, answer.text)
        self.assertEqual(self.sync()[0], {"b.ics"})
        self.assertEqual(self.ask("DELETE", wine).status_code, 204)
        self.assertEqual(self.ask("PROPFIND", wine, Depth="0").status_code, 404)
        self.assertTrue(self.meetings("one"))

    def test_put_into_another_calendar_moves(self):
        """How programs move: they write it there, then delete it here."""
        wine = self.home() + "wine/"
        self.ask("MKCALENDAR", wine)
        self.put(self.agenda() + "one.ics", event())
        _names, _gone, token = self.sync()
        self.assertEqual(self.put(wine + "one.ics", event()).status_code, 201)
        self.assertEqual(self.sync(token)[1], {"one.ics"})
        self.assertEqual(self.ask("DELETE", self.agenda() + "one.ics").status_code, 404)
        self.assertEqual(self.ask("GET", wine + "one.ics").content.decode(), event())

    def test_deleted_with_what_is_in_it(self):
        wine = self.home() + "wine/"
        self.ask("MKCALENDAR", wine)
        self.put(wine + "one.ics", event())
        self.assertEqual(self.ask("DELETE", wine).status_code, 204)
        self.assertFalse(self.meetings("one"))
        self.assertEqual(self.ask("DELETE", self.agenda()).status_code, 403)

    def test_properties_are_each_user_s_own(self):
        body = (
            '<D:propertyupdate xmlns:D="DAV:" xmlns:A="http://apple.com/ns/ical/"><D:set><D:prop>'
            "<D:displayname>Wine</D:displayname><A:calendar-color>#aa0000ff</A:calendar-color>"
            '<x xmlns="urn:y">1</x></D:prop></D:set></D:propertyupdate>'
        )
        answer = self.ask("PROPPATCH", self.agenda(), body)
        self.assertEqual(answer.status_code, 207, answer.text)
        props = '<D:displayname/><A:calendar-color xmlns:A="http://apple.com/ns/ical/"/>'
        mine = found(self.propfind(self.agenda(), props + '<x xmlns="urn:y"/>'))["agenda"]
        self.assertEqual((mine["displayname"].text, mine["x"].text), ("Wine", "1"))
        self.assertEqual(mine["calendar-color"].text, "#aa0000ff")
        theirs = found(self.propfind(self.agenda(self.other_seller), props, user=self.other_seller))
        self.assertEqual(theirs["agenda"]["displayname"].text, "My agenda")


@tagged("post_install", "-at_install")
class TestTeam(DavCase):
    """What a sales team does, for those who belong to it: to be read, and no more."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        members = [(6, 0, (cls.seller + cls.other_seller).ids)]
        cls.team = cls.env["crm.team"].create({"name": "North", "member_ids": members})
        cls.meeting = cls.meet("Tasting")
        cls.private = cls.meet("Doctor", privacy="private")

    @classmethod
    def meet(cls, name, **values):
        return cls.env["calendar.event"].create(
            {
                "name": name, "start": datetime(2027, 3, 1, 9), "user_id": cls.other_seller.id,
                "stop": datetime(2027, 3, 1, 10), "team_id": cls.team.id,
                "partner_ids": [(6, 0, cls.other_seller.partner_id.ids)], **values,
            }
        )  # fmt: skip

    def test_it_is_read_only(self):
        path = f"{self.home()}team-{self.team.id}/"
        listed = found(self.propfind(self.home(), "<D:displayname/>", depth="1"))
        self.assertEqual(listed[f"team-{self.team.id}"]["displayname"].text, "North")
        names = self.sync(path=path)[0]
        texts = "".join(self.ask("GET", path + name).text for name in names)
        self.assertIn("SUMMARY:Tasting", texts)
        self.assertNotIn("Doctor", texts)
        self.assertNotIn(self.private.ical_uid, texts + "".join(names))
        self.assertEqual(len(names), 2)
        for name in names:
            self.assertEqual(self.put(path + name, event()).status_code, 403)
            self.assertEqual(self.ask("DELETE", path + name).status_code, 403)
        self.assertEqual(self.put(path + "x.ics", event()).status_code, 403)

    def test_for_others_it_is_not_there(self):
        path = f"{self.home(self.manager)}team-{self.team.id}/"
        answer = self.propfind(path, "<D:displayname/>", user=self.manager)
        self.assertEqual(answer.status_code, 404)
        self.assertEqual(self.ask("MKCALENDAR", path, user=self.manager).status_code, 409)
        self.propfind(f"{self.home()}team-{self.team.id}/", "<D:displayname/>")
        self.team.member_ids = self.other_seller
        answer = self.propfind(f"{self.home()}team-{self.team.id}/", "<D:displayname/>")
        self.assertEqual(answer.status_code, 404)

    def test_becomes_private(self):
        path = f"{self.home()}team-{self.team.id}/"
        _names, _gone, token = self.sync(path=path)
        self.meeting.privacy = "private"
        [name] = self.sync(token, path)[0]
        self.assertNotIn("Tasting", self.ask("GET", path + name).text)

    def test_a_visit_plan(self):
        self.seller.group_ids += self.env.ref("sales_team.group_sale_manager")
        plan = self.env["calendar.visit.plan"].create({"name": "Monthly"})
        self.env["calendar.visit"].create(
            {
                "plan_id": plan.id, "partner_id": self.customer.id, "event_id": self.meeting.id,
                "period": "2027-03-01", "period_end": "2027-03-31",
                "company_id": self.env.company.id, "state": "booked",
            }
        )  # fmt: skip
        path = f"{self.home()}plan-{plan.id}/"
        self.assertEqual(len(self.sync(path=path)[0]), 1)
        self.assertEqual(self.put(path + "x.ics", event()).status_code, 403)

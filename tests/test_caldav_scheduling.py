"""CalDAV scheduling (RFC 6638): who hears of what programs do to meetings with others."""

import re
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.tests import tagged

from ..models import caldav_backend_write
from .dav import DavCase, condition, event, found
from .test_invitation_send import InvitationCase

TIMES = ("DTSTART:20270301T100000Z", "DTEND:20270301T110000Z")
LATER = ("DTSTART:20270302T120000Z", "DTEND:20270302T130000Z")
SELLER = "ORGANIZER;CN=Sergio:mailto:seller@example.com"
EVA = "ORGANIZER;CN=Eva:mailto:eva@azure.example"


def guest(address, status="NEEDS-ACTION", more=""):
    return f"ATTENDEE;PARTSTAT={status};RSVP=TRUE{more}:mailto:{address}"


def unfolded(text):
    return text.replace("\r\n ", "").split("\r\n")


class SchedulingCase(InvitationCase, DavCase):
    """The seller's program writes; what is told is what the job makes of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settle()

    def do_the_job(self):
        # What requests have noted is in the database already.
        self.env.flush_all()
        with patch.object(type(self.Outgoing), "_commit_batch", lambda *_a, **_k: 99):
            self.Outgoing._send_due()
        failed = self.Outgoing.search([])
        self.assertFalse(failed, failed.mapped("reason"))

    def store(self, text, uid="one", user=None, status=None, **headers):
        answer = self.put(f"{self.agenda(user)}{uid}.ics", text, user, **headers)
        self.assertIn(answer.status_code, [status] if status else (201, 204), answer.text)
        return answer

    def get(self, uid="one", user=None, path=None):
        return self.ask("GET", f"{path or self.agenda(user)}{uid}.ics", user=user)

    def delete(self, uid="one", user=None, **headers):
        answer = self.ask("DELETE", f"{self.agenda(user)}{uid}.ics", user=user, **headers)
        self.assertEqual(answer.status_code, 204, answer.text)

    def methods(self):
        """dict from address to the methods of what it gets"""
        return {
            address: [message.method for message, _mail in pairs]
            for address, pairs in self.sent().items()
        }

    def state_of(self, partner, uid="one"):
        rows = self.meetings(uid).attendee_ids.filtered(lambda one: one.partner_id == partner)
        return rows.mapped("state")


@tagged("post_install", "-at_install")
class TestOrganizer(SchedulingCase):
    def text(self, *lines, times=TIMES, guests=("eva@azure.example",)):
        people = map(guest, guests)
        own = guest("seller@example.com", "ACCEPTED")
        return event("one", *times, "SUMMARY:Tasting", SELLER, own, *people, *lines)

    def test_told_once_of_each_change(self):
        self.store(self.text())
        self.assertEqual(self.methods(), {"eva@azure.example": ["REQUEST"]})
        self.store(self.text("DESCRIPTION:Bring glasses"))
        self.assertEqual(self.methods(), {})
        self.store(self.text("SEQUENCE:1", times=LATER))
        message, _mail = self.only("eva@azure.example")
        self.assertEqual((message.method, message.items[0].sequence), ("REQUEST", 1))
        self.assertEqual(message.items[0].start.isoformat(), "2027-03-02T12:00:00+00:00")
        self.delete()
        message, _mail = self.only("eva@azure.example")
        self.assertEqual((message.method, message.uid), ("CANCEL", "one"))
        self.assertEqual(message.items[0].sequence, 2)
        self.assertFalse(self.meetings("one"))

    def test_an_address_that_nobody_knows_is_invited(self):
        self.store(self.text(guests=("new@nowhere.example",)))
        row = self.meetings("one").attendee_ids.filtered("address")
        self.assertEqual((row.address, row.state), ("new@nowhere.example", "needsAction"))
        self.assertEqual(self.methods(), {"new@nowhere.example": ["REQUEST"]})
        self.store(self.text(guests=("eva@azure.example",)))
        self.assertEqual(
            self.methods(), {"new@nowhere.example": ["CANCEL"], "eva@azure.example": ["REQUEST"]}
        )
        self.store(event("one", *TIMES, "SUMMARY:Tasting"))
        self.assertEqual(self.methods(), {"eva@azure.example": ["CANCEL"]})

    def test_what_nobody_organizes_here_is_told_to_nobody(self):
        """A meeting of others that somebody keeps; people without an organizer; the past."""
        past = ("DTSTART:20200301T100000Z", "DTEND:20200301T110000Z")
        for text in (
            event("one", *TIMES, EVA, guest("nils@azure.example")),
            event("one", *TIMES, guest("nils@azure.example")),
            self.text(times=past),
        ):
            self.store(text)
            self.assertEqual(self.methods(), {})
            self.delete()
            self.assertEqual(self.methods(), {})

    def test_a_program_that_tells_them_itself(self):
        """SCHEDULE-AGENT (7.1)."""
        own = guest("nils@azure.example", more=";SCHEDULE-AGENT=CLIENT")
        none = guest("azure@example.com", more=";SCHEDULE-AGENT=NONE")
        self.store(self.text(own, none))
        message, _mail = self.only("eva@azure.example")
        self.assertNotIn("SCHEDULE-", message.text(datetime(2027, 1, 1)))
        text = self.get().text
        self.assertEqual(text.count("SCHEDULE-AGENT=CLIENT"), 1)
        statuses = re.findall("SCHEDULE-STATUS=([0-9.]+):mailto:(.*)", "\n".join(unfolded(text)))
        self.assertEqual(statuses, [("1.1", "eva@azure.example")])
        self.store(self.text(own, none, times=LATER))
        self.assertEqual(self.methods(), {"eva@azure.example": ["REQUEST"]})
        self.delete()
        self.assertEqual(self.methods(), {"eva@azure.example": ["CANCEL"]})

    def test_what_becomes_of_the_messages(self):
        """SCHEDULE-STATUS (7.3): of its server, whatever the program says."""
        self.env["mail.blacklist"]._add("nils@azure.example")
        sent = self.text(
            guest("nils@azure.example", more=";SCHEDULE-STATUS=2.0"), guest("other@example.com")
        )
        made = self.store(sent)
        self.assertNotIn("ETag", made.headers)
        got = self.get()
        lines = "\n".join(unfolded(got.text))
        self.assertEqual(
            dict(re.findall("SCHEDULE-STATUS=([0-9.]+):mailto:(.*)", lines)),
            {"1.1": "eva@azure.example", "5.1": "nils@azure.example", "1.2": "other@example.com"},
        )
        # A program that puts back what it got gets no other.
        again = self.store(got.text, If_Match=got.headers["ETag"])
        self.assertEqual(again.headers["ETag"], self.get().headers["ETag"])
        self.assertEqual(self.get().text, got.text)
        # None of it is for others.
        theirs = self.get(user=self.other_seller).text
        self.assertIn("other@example.com", theirs)
        self.assertNotIn("SCHEDULE-", theirs)

    def test_sent_again_where_the_program_wants_it(self):
        """SCHEDULE-FORCE-SEND (7.2)."""
        self.store(self.text())
        self.sent()
        text = self.text().replace("RSVP=TRUE:mailto:eva",
                                   "RSVP=TRUE;SCHEDULE-FORCE-SEND=REQUEST:mailto:eva")  # fmt: skip
        self.store(text)
        self.assertEqual(self.methods(), {"eva@azure.example": ["REQUEST"]})
        self.assertNotIn("FORCE-SEND", self.get().text)
        # And again, and again: once in a while.
        self.store(text)
        self.assertEqual(self.methods(), {})

    def test_a_colleague_has_it_at_once(self):
        other = self.other_seller
        _names, _gone, token = self.sync(user=other)
        self.store(self.text(guests=("other@example.com",)))
        self.assertEqual(self.sync(token, user=other)[0], {"one.ics"})
        self.assertIn("SUMMARY:Tasting", self.get(user=other).text)
        self.assertEqual(self.methods(), {"other@example.com": ["REQUEST"]})
        self.delete()
        self.assertEqual(self.sync(token, user=other)[1], {"one.ics"})
        self.assertEqual(self.methods(), {"other@example.com": ["CANCEL"]})

    def test_a_program_that_forgets_to_say_that_it_is_moved(self):
        """Answers are to the time that was asked for (3.2.8)."""
        self.store(self.text())
        self.sent()
        row = self.meetings("one").attendee_ids.filtered(lambda one: one.partner_id == self.guest)
        row._answer("accepted", source="mail")
        self.end_transaction()
        self.sent()
        answered = self.text().replace(
            "NEEDS-ACTION;RSVP=TRUE:mailto:eva", "ACCEPTED:mailto:eva"
        )  # fmt: skip
        self.store(answered.replace("20270301", "20270302"))
        self.assertEqual(self.state_of(self.guest), ["needsAction"])
        message, _mail = self.only("eva@azure.example")
        self.assertEqual(message.items[0].sequence, 1)
        said = {one.email: one.status for one in message.items[0].attendees}
        self.assertEqual(said["eva@azure.example"], "NEEDS-ACTION")
        self.assertIn("SEQUENCE:1", self.get().text)

    def test_an_old_text_takes_no_answer_back(self):
        """Schedule-Tag: of what others have answered, programs need not know (3.2.10)."""
        made = self.store(self.text())
        tag = made.headers["Schedule-Tag"]
        got = self.get()
        self.assertEqual(got.headers["Schedule-Tag"], tag)
        row = self.meetings("one").attendee_ids.filtered(lambda one: one.partner_id == self.guest)
        row._answer("accepted", source="mail")
        now = self.get()
        self.assertNotEqual(now.headers["ETag"], got.headers["ETag"])
        self.assertEqual(now.headers["Schedule-Tag"], tag)
        changed = got.text.replace("SUMMARY:Tasting", "SUMMARY:Dinner")
        old = self.put(f"{self.agenda()}one.ics", changed, If_Match=got.headers["ETag"])
        self.assertEqual(old.status_code, 412)
        self.store(changed, If_Schedule_Tag_Match=tag)
        self.assertEqual(self.meetings("one").name, "Dinner")
        self.assertEqual(self.state_of(self.guest), ["accepted"])
        answer = self.put(f"{self.agenda()}one.ics", changed, If_Schedule_Tag_Match=tag)
        self.assertEqual(answer.status_code, 412)
        props = self.propfind(f"{self.agenda()}one.ics", "<C:schedule-tag/>")
        self.assertEqual(
            found(props)["one.ics"]["schedule-tag"].text, self.get().headers["Schedule-Tag"]
        )

    def test_a_series(self):
        text = self.text("RRULE:FREQ=WEEKLY;COUNT=4")
        self.store(text)
        [(message, _mail)] = self.sent()["eva@azure.example"]
        self.assertEqual(message.items[0].rules, ("FREQ=WEEKLY;COUNT=4",))
        self.store(text.replace("RRULE", "EXDATE:20270308T100000Z\r\nRRULE"))
        message, _mail = self.only("eva@azure.example")
        self.assertEqual(message.method, "CANCEL")
        self.assertEqual(message.items[0].recurrence_id.isoformat(), "2027-03-08T10:00:00+00:00")
        self.delete()
        self.assertEqual(self.methods(), {"eva@azure.example": ["CANCEL"]})

    def test_the_organizer_stays(self):
        self.store(self.text())
        answer = self.put(f"{self.agenda()}one.ics", self.text().replace(SELLER, EVA))
        self.assertEqual(answer.status_code, 403)
        self.assertEqual(condition(answer), "allowed-organizer-scheduling-object-change")
        # What was refused has told nobody anything.
        self.assertEqual(self.methods(), {"eva@azure.example": ["REQUEST"]})

    def test_deleted_with_its_calendar(self):
        wine = self.home() + "wine/"
        self.ask("MKCALENDAR", wine)
        self.put(wine + "one.ics", self.text())
        self.sent()
        # Programs move by writing it there and deleting it here.
        self.assertEqual(self.store(self.text()).status_code, 201)
        self.assertEqual(self.methods(), {})
        self.put(wine + "one.ics", self.text())
        self.assertEqual(self.ask("DELETE", wine).status_code, 204)
        self.assertEqual(self.methods(), {"eva@azure.example": ["CANCEL"]})

    def test_deleted_with_a_large_calendar(self):
        """Some at a time, and everybody hears of each."""
        self.patch(caldav_backend_write, "BATCH", 1)
        wine = self.home() + "wine/"
        self.ask("MKCALENDAR", wine)
        for uid in ("one", "two", "three"):
            self.put(f"{wine}{uid}.ics", self.text().replace("UID:one", f"UID:{uid}"))
        self.sent()
        self.assertEqual(self.ask("DELETE", wine).status_code, 204)
        self.assertEqual(self.methods(), {"eva@azure.example": ["CANCEL"] * 3})
        for uid in ("one", "two", "three"):
            self.assertFalse(self.meetings(uid))


@tagged("post_install", "-at_install")
class TestGuest(SchedulingCase):
    """Who is invited by somebody outside, of which he has a meeting of his own in Odoo."""

    def text(self, status="NEEDS-ACTION", *lines, times=TIMES, organizer=EVA):
        mine = guest("seller@example.com", status)
        return event("one", *times, "SUMMARY:Tasting", organizer, mine,
                     guest("eva@azure.example", "ACCEPTED"), *lines)  # fmt: skip

    def reply(self):
        message, _mail = self.only("eva@azure.example")
        self.assertEqual(message.method, "REPLY")
        [mine] = message.items[0].attendees
        return mine.email, mine.status

    def test_an_answer_is_told_once(self):
        self.store(self.text())
        self.assertEqual(self.methods(), {})
        self.store(self.text("ACCEPTED"))
        self.assertEqual(self.reply(), ("seller@example.com", "ACCEPTED"))
        self.assertIn("SCHEDULE-STATUS=1.1", self.get().text.replace("\r\n ", ""))
        self.store(self.text("ACCEPTED", "DESCRIPTION:x"))
        self.assertEqual(self.methods(), {})
        self.store(self.text("TENTATIVE"))
        self.assertEqual(self.reply(), ("seller@example.com", "TENTATIVE"))
        self.assertEqual(self.state_of(self.seller.partner_id), ["tentative"])

    def test_put_with_an_answer(self):
        """A mail program puts the invitation into the calendar as it answers it."""
        self.store(self.text("ACCEPTED"))
        self.assertEqual(self.reply(), ("seller@example.com", "ACCEPTED"))

    def test_only_his_part_is_taken(self):
        self.store(self.text())
        alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT7M", "END:VALARM")
        text = self.text("ACCEPTED", "TRANSP:TRANSPARENT", *alarm)
        self.store(text.replace("Tasting", "Stolen"))
        self.assertEqual(self.meetings("one").name, "Tasting")
        self.assertEqual(self.meetings("one").show_as, "free")
        self.assertIn("TRANSP:TRANSPARENT", self.get().text)
        self.assertIn("TRIGGER:-PT7M", self.get().text)
        answer = self.put(f"{self.agenda()}one.ics", self.text("ACCEPTED", times=LATER))
        self.assertEqual(condition(answer), "allowed-attendee-scheduling-object-change")

    def test_news_that_came_to_his_mail_program(self):
        self.store(self.text("ACCEPTED"))
        self.sent()
        self.store(self.text("NEEDS-ACTION", "SEQUENCE:1", times=LATER))
        self.assertEqual(self.meetings("one").start, datetime(2027, 3, 2, 12))
        self.assertEqual(self.state_of(self.seller.partner_id), ["needsAction"])
        self.assertEqual(self.methods(), {})
        self.store(self.text("DECLINED", "SEQUENCE:1", times=LATER))
        self.assertEqual(self.reply(), ("seller@example.com", "DECLINED"))

    def test_deleting_declines(self):
        self.store(self.text("ACCEPTED"))
        self.sent()
        self.delete()
        self.assertEqual(self.reply(), ("seller@example.com", "DECLINED"))
        for status, headers in (("DECLINED", {}), ("ACCEPTED", {"Schedule_Reply": "F"})):
            self.store(self.text(status))
            self.sent()
            self.delete(**headers)
            self.assertEqual(self.methods(), {})

    def test_a_program_that_answers_itself(self):
        own = EVA.replace(";CN", ";SCHEDULE-AGENT=CLIENT;CN")
        self.store(self.text("ACCEPTED", organizer=own))
        self.store(self.text("TENTATIVE", organizer=own))
        self.assertEqual(self.state_of(self.seller.partner_id), ["tentative"])
        self.assertIn("SCHEDULE-AGENT=CLIENT", self.get().text)
        self.delete()
        self.assertEqual(self.methods(), {})

    def test_what_is_over_is_answered_to_nobody(self):
        past = ("DTSTART:20200301T100000Z", "DTEND:20200301T110000Z")
        self.store(self.text("ACCEPTED", times=past))
        self.store(self.text("DECLINED", times=past))
        self.delete()
        self.assertEqual(self.methods(), {})


class ColleagueCase(SchedulingCase):
    """The seller is invited by a colleague: they have one meeting between them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.meeting = cls.meet("Tasting")

    @classmethod
    def meet(cls, name, organizer=None, user=None, start=datetime(2027, 3, 1, 10), **values):
        organizer = organizer or cls.other_seller
        partners = organizer.partner_id + (user or cls.seller).partner_id
        made = cls.env["calendar.event"].with_user(organizer).sudo().create(
            {
                "name": name, "start": start, "stop": start + timedelta(hours=1),
                "user_id": organizer.id, "partner_ids": [(6, 0, partners.ids)], **values,
            }
        )  # fmt: skip
        cls.settle()
        return made

    def answer(self, status, *lines, user=None):
        """Put it back with another answer."""
        uid, user = self.meeting.ical_uid, user or self.seller
        text = "\r\n".join(
            re.sub("PARTSTAT=[A-Z-]+", f"PARTSTAT={status}", line)
            if user.email in line else line for line in unfolded(self.get(uid, user).text)
        )  # fmt: skip
        more = "\r\n".join([*lines, "END:VEVENT"])
        return self.store(text.replace("END:VEVENT", more), uid, user)

    def told(self, user):
        self.do_the_job()
        messages = self.env["mail.message"].search(
            [("message_type", "=", "user_notification"), ("partner_ids", "=", user.partner_id.id)]
        )  # fmt: skip
        found = messages.mapped("subject")
        messages.unlink()
        return found


@tagged("post_install", "-at_install")
class TestColleague(ColleagueCase):
    def test_an_answer(self):
        self.answer("ACCEPTED")
        self.assertEqual(self.state_of(self.seller.partner_id, self.meeting.ical_uid), ["accepted"])
        row = self.meeting.attendee_ids.filtered(lambda one: one.partner_id != self.meeting.user_id.
                                                 partner_id)  # fmt: skip
        self.assertEqual(row.answer_source, "caldav")
        self.assertEqual(self.told(self.other_seller), ["Sergio Seller has accepted: Tasting"])
        self.answer("ACCEPTED", "X-A:1")
        self.assertEqual(self.told(self.other_seller), [])
        self.assertIn("SCHEDULE-STATUS=1.2", self.get(self.meeting.ical_uid).text)
        self.assertNotIn("SCHEDULE-", self.get(self.meeting.ical_uid, self.other_seller).text)
        self.assertEqual(self.methods(), {})

    def test_deleting_declines(self):
        self.delete(self.meeting.ical_uid)
        self.assertEqual(self.state_of(self.seller.partner_id, self.meeting.ical_uid), ["declined"])
        self.assertEqual(self.told(self.other_seller), ["Sergio Seller has declined: Tasting"])

    def test_deleted_without_a_word(self):
        self.delete(self.meeting.ical_uid, Schedule_Reply="F")
        self.assertEqual(self.told(self.other_seller), [])
        self.assertEqual(self.get(self.meeting.ical_uid).status_code, 404)

    def test_he_does_not_move_it(self):
        uid = self.meeting.ical_uid
        text = self.get(uid).text.replace("20270301T1", "20270302T1")
        for sequence in ("SEQUENCE:0", "SEQUENCE:7"):
            changed = text.replace("SEQUENCE:0", sequence)
            answer = self.put(f"{self.agenda()}{uid}.ics", changed)
            self.assertEqual(answer.status_code, 403)
            self.assertEqual(condition(answer), "allowed-attendee-scheduling-object-change")
        self.assertEqual(self.meeting.start, datetime(2027, 3, 1, 10))

    def test_one_occurrence_is_taken_out(self):
        weekly = {"recurrency": True, "rrule_type": "weekly", "end_type": "count", "count": 3,
                  "interval": 1, "mon": True}  # fmt: skip
        self.meeting = self.meet("Weekly", **weekly)
        uid = self.meeting.ical_uid
        text = self.get(uid).text
        self.assertEqual(len(self.meetings(uid)), 3)
        [start] = [line for line in unfolded(text) if line.startswith("DTSTART")][-1:]
        exdate = start.replace("DTSTART", "EXDATE").replace("20270301", "20270308")
        self.store(text.replace("RRULE", f"{exdate}\r\nRRULE"), uid)
        rows = self.meetings(uid).attendee_ids.filtered(
            lambda one: one.partner_id == self.seller.partner_id
        )
        states = {one.event_id.start.day: one.state for one in rows}
        self.assertEqual(states, {1: "needsAction", 8: "declined", 15: "needsAction"})
        self.assertEqual(self.told(self.other_seller), ["Sergio Seller has declined: Weekly"])


@tagged("post_install", "-at_install")
class TestInbox(ColleagueCase):
    """Invitations that wait for an answer."""

    def inbox(self, token="", user=None):
        return self.sync(token, self.home(user) + "inbox/", user)

    def test_what_waits_for_an_answer(self):
        uid = self.meeting.ical_uid
        self.meet("Over", start=datetime(2020, 1, 7, 9))
        self.meet("His own", organizer=self.seller)
        names, _gone, token = self.inbox()
        self.assertEqual(names, {f"{uid}.ics"})
        text = self.get(uid, path=self.home() + "inbox/").text
        self.assertIn("METHOD:REQUEST", unfolded(text))
        self.assertNotIn("METHOD", self.get(uid).text)
        self.assertEqual(self.inbox(user=self.other_seller)[0], set())
        self.answer("TENTATIVE")
        names, gone, token = self.inbox(token)
        self.assertEqual((names, gone), (set(), {f"{uid}.ics"}))
        self.assertIn("SUMMARY:Tasting", self.get(uid).text)

    def test_what_was_seen(self):
        uid = self.meeting.ical_uid
        token = self.inbox()[2]
        path = f"{self.home()}inbox/{uid}.ics"
        self.assertEqual(self.ask("DELETE", path).status_code, 204)
        self.assertEqual(self.ask("GET", path).status_code, 404)
        self.assertEqual(self.inbox(token)[1], {f"{uid}.ics"})
        self.assertEqual(self.state_of(self.seller.partner_id, uid), ["needsAction"])
        self.assertEqual(self.get(uid).status_code, 200)
        self.assertEqual(self.told(self.other_seller), [])
        token = self.inbox()[2]
        self.meeting.write({"start": datetime(2027, 3, 3, 9), "stop": datetime(2027, 3, 3, 10)})
        self.assertEqual(self.inbox(token)[0], {f"{uid}.ics"})

    def test_others_have_none_that_one_finds(self):
        for name in ("inbox/", "outbox/", f"inbox/{self.meeting.ical_uid}.ics"):
            for method in ("GET", "PROPFIND", "REPORT", "POST", "DELETE"):
                answer = self.ask(method, self.home() + name, user=self.other_seller)
                self.assertEqual(answer.status_code, 404, (method, name))
        self.assertEqual(self.put(self.home() + "inbox/x.ics", event()).status_code, 403)

    def test_a_user_of_the_portal_has_none(self):
        key = self.make_key(self.portal)
        for name in ("inbox/", "outbox/"):
            path = self.home(self.portal) + name
            answer = self.ask("POST", path, "", auth=(self.portal.login, key))
            self.assertEqual(answer.status_code, 401)

"""Meetings as iCalendar: what other programs read is what Odoo has."""

import base64
import io
import zipfile
from datetime import datetime, timedelta, timezone

import icalendar
import recurring_ical_events
import vobject

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, new_test_user, tagged

from ..hooks import fill_ical_uids
from ..ical.parse import parse
from ..wizards import calendar_export_ical
from .test_meeting import HOUR, SECRET, MeetingCase

NOW = datetime(2027, 2, 1, 9, 0)
UTC = timezone.utc
PROTECTED = {
    "calendar.event": ("ical_uid", "ical_sequence", "ical_text", "ical_recurrence_start"),
    "calendar.recurrence": (
        "ical_uid", "ical_sequence", "ical_text", "ical_exdates", "ical_rdates",
    ),
}  # fmt: skip


class IcalCase(MeetingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller.tz = "Europe/Madrid"
        cls.customer.email = "azure@example.com"

    def series(self, start, **values):
        meeting = self.make_meeting(
            start=start,
            **{
                "recurrency": True, "interval": 1, "end_type": "count", "event_tz": "Europe/Madrid",
                **values,
            },
        )  # fmt: skip
        return meeting.recurrence_id or self.env["calendar.recurrence"].search(
            [], order="id desc", limit=1
        )

    def meetings(self, recurrence):
        return recurrence.calendar_event_ids.sorted("start")

    def text(self, events, user=None, **options):
        self.env.flush_all()
        self.env.invalidate_all()
        return events.with_user(user or self.seller)._ical_text(**options)

    def unfolded(self, events):
        return self.text(events).replace("\r\n ", "")

    def mark(self, events):
        """The times that Odoo has: (start, end) in UTC, or days."""
        return sorted(
            (event.start.date(), event.stop.date() + timedelta(days=1)) if event.allday
            else (event.start.replace(tzinfo=UTC), event.stop.replace(tzinfo=UTC))
            for event in events
        )  # fmt: skip

    def read_by_others(self, text, first=datetime(2027, 1, 1), last=datetime(2037, 1, 1)):
        calendar = icalendar.Calendar.from_ical(text)
        found = recurring_ical_events.of(calendar).between(first, last)
        times = [(one["DTSTART"].dt, one["DTEND"].dt) for one in found]
        return sorted(
            tuple(at.astimezone(UTC) if isinstance(at, datetime) else at for at in pair)
            for pair in times
        )

    def assert_same(self, recurrence):
        text = self.text(self.meetings(recurrence)[:1])
        self.assertEqual(self.read_by_others(text), self.mark(self.meetings(recurrence)))
        self.assertTrue(vobject.readOne(text).vevent.uid.value)
        return text


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestOccurrences(IcalCase):
    """The same meetings in other programs, over both changes of the clocks."""

    def test_weekly(self):
        # From winter to the winter after: over both changes.
        recurrence = self.series(
            datetime(2027, 2, 2, 9), rrule_type="weekly", tue=True, thu=True, count=90
        )
        self.assertEqual(len(self.meetings(recurrence)), 90)
        text = self.assert_same(recurrence)
        self.assertEqual(text.count("BEGIN:VEVENT"), 1)
        self.assertEqual(text.count("\r\nRRULE:FREQ=WEEKLY;"), 1)
        self.assertIn("DTSTART;TZID=Europe/Madrid:20270202T100000", text)
        self.assertNotIn("EXDATE", text)

    def test_monthly_by_day_and_by_date(self):
        by_day = self.series(
            datetime(2027, 2, 9, 9), rrule_type="monthly", month_by="day", byday="2",
            weekday="TUE", count=14,
        )  # fmt: skip
        self.assert_same(by_day)
        by_date = self.series(
            datetime(2027, 2, 10, 9), rrule_type="monthly", month_by="date", day=10, count=14
        )
        self.assert_same(by_date)

    def test_yearly_until(self):
        recurrence = self.series(
            datetime(2027, 10, 31, 9), rrule_type="yearly", end_type="end_date",
            until=datetime(2031, 12, 1).date(),
        )  # fmt: skip
        self.assertEqual(len(self.meetings(recurrence)), 5)
        self.assert_same(recurrence)

    def test_biweekly_with_a_week_that_begins_on_sunday(self):
        lang = self.env["res.lang"]._lang_get(self.env.user.lang)
        lang.week_start = "7"
        recurrence = self.series(
            datetime(2027, 2, 2, 9), rrule_type="weekly", interval=2, tue=True, sun=True, count=10
        )
        text = self.assert_same(recurrence)
        self.assertIn("WKST=SU", text)
        self.assertNotIn("RDATE", text)

    def test_whole_days(self):
        recurrence = self.series(
            datetime(2027, 3, 20, 8), rrule_type="weekly", sat=True, count=6, allday=True,
            start_date="2027-03-20", stop_date="2027-03-21",
        )  # fmt: skip
        text = self.assert_same(recurrence)
        self.assertIn("DTSTART;VALUE=DATE:20270320", text)
        self.assertIn("DTEND;VALUE=DATE:20270322", text)

    def test_in_the_hour_that_comes_twice(self):
        # Odoo takes the second 02:30 of the night of 31 October.
        recurrence = self.series(
            datetime(2027, 10, 30, 0, 30),
            rrule_type="daily",
            count=3,
        )
        self.assert_same(recurrence)

    def test_removed_and_moved(self):
        recurrence = self.series(datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6)
        first, second, third, fourth, *_rest = self.meetings(recurrence)
        third.with_user(self.seller).write(
            {"start": datetime(2027, 4, 1, 15), "stop": datetime(2027, 4, 1, 17)}
        )
        second.active = False
        fourth.unlink()
        first.unlink()
        text = self.assert_same(recurrence)
        self.assertEqual(
            recurrence.ical_exdates,
            ["2027-03-16T09:00:00", "2027-03-23T09:00:00", "2027-04-06T08:00:00"],
        )
        self.assertEqual(third.ical_recurrence_start, datetime(2027, 3, 30, 8))
        master, changed = parse(text.encode()).items
        # COUNT goes on counting from the first place.
        self.assertEqual(master.start.replace(tzinfo=None), datetime(2027, 3, 16, 10))
        self.assertEqual(len(master.exdates), 3)
        self.assertEqual(changed.recurrence_id.replace(tzinfo=None), datetime(2027, 3, 30, 10))
        self.assertEqual(changed.uid, master.uid)

    def test_moved_before_places_were_kept(self):
        recurrence = self.series(datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=4)
        second = self.meetings(recurrence)[1]
        second.write({"start": datetime(2027, 3, 24, 9), "stop": datetime(2027, 3, 24, 10)})
        second.sudo().write({"ical_recurrence_start": False})
        text = self.assert_same(recurrence)
        _master, changed = parse(text.encode()).items
        self.assertEqual(changed.recurrence_id.replace(tzinfo=None), datetime(2027, 3, 23, 10))

    def test_a_meeting_that_says_something_else(self):
        recurrence = self.series(datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=4)
        second = self.meetings(recurrence)[1]
        second.location = "The cellar"
        self.answer_of(second, self.customer).state = "declined"
        text = self.assert_same(recurrence)
        master, changed = parse(text.encode()).items
        self.assertEqual((master.location, changed.location), (None, "The cellar"))
        answers = {guest.email: guest.status for guest in changed.attendees}
        self.assertEqual(answers["azure@example.com"], "DECLINED")

    def test_for_ever(self):
        recurrence = self.series(
            datetime(2027, 3, 15, 9), rrule_type="monthly", month_by="date", day=15,
            end_type="forever",
        )  # fmt: skip
        text = self.text(self.meetings(recurrence)[:1])
        self.assertIn("\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY=15\r\n", text)
        self.assertNotIn("EXDATE", text)
        # What follows is taken out: the series ends.
        later = self.meetings(recurrence)[3:]
        later.unlink()
        self.assert_same(recurrence)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestIdentity(IcalCase):
    """UID and SEQUENCE."""

    def weekly(self, **values):
        return self.series(
            datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6, **values
        )

    def test_rows_that_were_there_before(self):
        recurrence = self.weekly()
        single = self.make_meeting()
        self.env.flush_all()
        self.env.cr.execute("UPDATE calendar_event SET ical_uid = NULL")
        self.env.cr.execute("UPDATE calendar_recurrence SET ical_uid = NULL")
        fill_ical_uids(self.env.cr)
        self.env.invalidate_all()
        self.assertTrue(recurrence.ical_uid)
        self.assertEqual(set(self.meetings(recurrence).mapped("ical_uid")), {recurrence.ical_uid})
        self.assertTrue(single.ical_uid)
        self.assertNotEqual(single.ical_uid, recurrence.ical_uid)

    def test_a_single_meeting(self):
        meeting = self.make_meeting()
        uid = meeting.ical_uid
        self.assertEqual(meeting.ical_sequence, 0)
        meeting.write({"name": "Other", "location": "Cellar", "start": meeting.start})
        self.end_transaction()
        self.assertEqual(meeting.ical_sequence, 0)
        meeting.start += HOUR
        meeting.stop += HOUR
        self.end_transaction()
        self.assertEqual(meeting.ical_sequence, 1)
        meeting.active = False
        self.end_transaction()
        self.assertEqual(meeting.ical_sequence, 2)
        self.assertIn("STATUS:CANCELLED", self.text(meeting))
        self.assertEqual(meeting.ical_uid, uid)
        self.assertNotEqual(meeting.copy().ical_uid, uid)

    def test_a_series_that_is_moved_is_the_same(self):
        recurrence = self.weekly()
        uid = recurrence.ical_uid
        self.assertEqual(recurrence.ical_sequence, 0)
        event = self.meetings(recurrence)[1]
        event.write(
            {
                "start": event.start + HOUR, "stop": event.stop + HOUR,
                "recurrence_update": "all_events",
            }
        )  # fmt: skip
        self.end_transaction()
        moved = self.env["calendar.recurrence"].search([("ical_uid", "=", uid)])
        self.assertEqual(len(moved), 1)
        self.assertEqual(moved.ical_sequence, 1)
        self.assertEqual(set(self.meetings(moved).mapped("ical_uid")), {uid})
        self.assert_same(moved)

    def test_this_and_following(self):
        recurrence = self.weekly()
        uid = recurrence.ical_uid
        event = self.meetings(recurrence)[3]
        event.write(
            {
                "start": event.start + HOUR, "stop": event.stop + HOUR,
                "recurrence_update": "future_events",
            }
        )  # fmt: skip
        self.end_transaction()
        self.assertEqual(recurrence.ical_uid, uid)
        self.assertEqual(recurrence.ical_sequence, 1)
        following = event.recurrence_id
        self.assertNotEqual(following, recurrence)
        self.assertNotEqual(following.ical_uid, uid)
        self.assertEqual(following.ical_sequence, 0)
        self.assertEqual(set(self.meetings(following).mapped("ical_uid")), {following.ical_uid})
        self.assert_same(recurrence)
        self.assert_same(following)

    def test_series_ends_as_one_meeting(self):
        recurrence = self.weekly()
        uid = recurrence.ical_uid
        event = self.meetings(recurrence)[0]
        event.write({"recurrency": False, "recurrence_update": "all_events"})
        self.end_transaction()
        self.assertEqual((event.ical_uid, event.ical_sequence), (uid, 1))

    def test_a_meeting_begins_to_repeat(self):
        meeting = self.make_meeting(start=datetime(2027, 3, 16, 9))
        uid = meeting.ical_uid
        meeting.write(
            {
                "recurrency": True, "rrule_type": "weekly", "rrule_type_ui": "weekly", "tue": True,
                "interval": 1, "end_type": "count", "count": 3, "event_tz": "Europe/Madrid",
            }
        )  # fmt: skip
        self.end_transaction()
        recurrence = meeting.recurrence_id
        self.assertEqual((recurrence.ical_uid, recurrence.ical_sequence), (uid, 1))
        self.assertEqual(set(self.meetings(recurrence).mapped("ical_uid")), {uid})

    def test_removing_and_restoring(self):
        recurrence = self.weekly()
        second = self.meetings(recurrence)[1]
        second.active = False
        self.end_transaction()
        self.assertEqual((recurrence.ical_sequence, len(recurrence.ical_exdates)), (1, 1))
        second.active = True
        self.end_transaction()
        self.assertEqual((recurrence.ical_sequence, recurrence.ical_exdates), (2, False))
        # The series as such.
        self.meetings(recurrence)[0].action_mass_archive("all_events")
        self.end_transaction()
        self.assertEqual((recurrence.ical_sequence, recurrence.ical_exdates), (3, False))

    def test_a_series_that_is_deleted_leaves_meetings_of_their_own(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        recurrence.unlink()
        self.assertEqual(len(set(events.mapped("ical_uid"))), len(events))

    def test_it_cannot_be_written_from_outside(self):
        recurrence = self.weekly()
        for record in (self.meetings(recurrence)[0], recurrence):
            for name in PROTECTED[record._name]:
                self.assertTrue(record._fields[name].readonly)
                for user in (self.seller, self.manager):
                    with self.assertRaises(AccessError, msg=(record._name, name)):
                        record.with_user(user).write({name: False})
        with self.assertRaises(AccessError):
            self.env["calendar.event"].with_user(self.seller).create(
                {"name": "x", "ical_uid": recurrence.ical_uid}
            )
        made = self.env["calendar.event"].with_user(self.seller).with_context(
            default_ical_uid="stolen", default_ical_sequence=9
        ).create({"name": "x"})  # fmt: skip
        self.assertNotEqual(made.ical_uid, "stolen")
        self.assertEqual(made.ical_sequence, 0)
        # What is told of a private series is not to be had from the series.
        self.assertNotIn("ical_text", recurrence.with_user(self.seller).read()[0])


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestContent(IcalCase):
    """What a meeting says."""

    def test_all_of_a_meeting(self):
        self.customer.is_company = True
        alarms = self.env["calendar.alarm"].create(
            [
                {"name": "Soon", "alarm_type": "notification", "duration": 15,
                 "interval": "minutes"},
                {"name": "Mail", "alarm_type": "email", "duration": 1, "interval": "days"},
            ]
        )  # fmt: skip
        tag = self.env["calendar.event.type"].create({"name": "Wine, red"})
        meeting = self.make_meeting(
            start=datetime(2027, 7, 1, 8), location="Cellar; left", show_as="free",
            privacy="confidential", videocall_location="https://meet.example.com/x",
            alarm_ids=[(6, 0, alarms.ids)], categ_ids=[(6, 0, tag.ids)],
            description="<p>One<br/>Two &amp; three</p>",
        )  # fmt: skip
        self.answer_of(meeting, self.customer).state = "tentative"
        text = self.text(meeting)
        event = icalendar.Calendar.from_ical(text).walk("VEVENT")[0]
        self.assertEqual(event["SUMMARY"], "Tasting")
        self.assertEqual(event["LOCATION"], "Cellar; left")
        self.assertTrue(event["DESCRIPTION"].startswith("One\nTwo & three"))
        self.assertEqual(event["CLASS"], "CONFIDENTIAL")
        self.assertEqual(event["TRANSP"], "TRANSPARENT")
        self.assertEqual(event["URL"], "https://meet.example.com/x")
        self.assertEqual(event["CATEGORIES"].cats, ["Wine, red"])
        self.assertIn("CONFERENCE;", text)
        self.assertEqual(event["ORGANIZER"], "mailto:seller@example.com")
        self.assertEqual(event["DTSTART"].dt.replace(tzinfo=None), datetime(2027, 7, 1, 10))
        self.assertIn("BEGIN:VTIMEZONE\r\nTZID:Europe/Madrid", text)
        for name in ("DTSTAMP", "CREATED", "LAST-MODIFIED"):
            self.assertEqual(event[name].dt.utcoffset(), timedelta(0))
        guests = {str(one): one.params for one in event["ATTENDEE"]}
        azure = guests["mailto:azure@example.com"]
        self.assertEqual(
            (azure["ROLE"], azure["PARTSTAT"], azure["RSVP"], azure["CUTYPE"]),
            ("REQ-PARTICIPANT", "TENTATIVE", "TRUE", "GROUP"),
        )
        self.assertEqual(guests["mailto:seller@example.com"]["ROLE"], "CHAIR")
        triggers = {str(one["ACTION"]): one["TRIGGER"].dt for one in event.walk("VALARM")}
        self.assertEqual(triggers, {"DISPLAY": timedelta(minutes=-15), "EMAIL": timedelta(days=-1)})
        self.assertEqual(vobject.readOne(text).vevent.summary.value, "Tasting")

    def test_the_text_is_the_same_each_time(self):
        meeting = self.make_meeting()
        self.assertEqual(self.text(meeting), self.text(meeting))

    def test_guests_without_address(self):
        self.customer.email = False
        text = self.text(self.make_meeting())
        self.assertNotIn("mailto:\r\n", text)
        self.assertEqual(text.count("ATTENDEE;"), 2)

    def test_a_meeting_with_nobody_has_no_organizer(self):
        text = self.text(self.make_meeting(partner_ids=[(6, 0, self.seller.partner_id.ids)]))
        self.assertNotIn("ORGANIZER", text)
        self.assertNotIn("ATTENDEE", text)

    def test_what_odoo_cannot_hold_comes_back(self):
        meeting = self.make_meeting(start=datetime(2027, 7, 1, 8), location="Cellar")
        original = (
            self.unfolded(meeting)
            .replace("\r\nEND:VEVENT", "\r\nX-VINTAGE;X-A=b:1982\r\nGEO:42.5;-2.5\r\nEND:VEVENT")
            .replace("ROLE=REQ-PARTICIPANT;", "ROLE=OPT-PARTICIPANT;X-SEAT=4;")
        )
        self.assertEqual(original.count("X-SEAT=4"), 2)
        meeting.sudo().ical_text = original
        self.assertEqual(self.unfolded(meeting), original)
        meeting.location = "Vineyard"
        old, new = original.splitlines(), self.unfolded(meeting).splitlines()
        self.assertEqual(len(old), len(new))
        changed = [line for line in new if line not in old]
        self.assertEqual(
            [line for line in changed if not line.startswith(("DTSTAMP", "LAST-MODIFIED"))],
            ["LOCATION:Vineyard"],
        )

    def test_mail_attachment_of_odoo(self):
        alarm = self.env["calendar.alarm"].create(
            {"name": "Soon", "alarm_type": "notification", "duration": 15, "interval": "minutes"}
        )
        recurrence = self.series(
            datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6,
            alarm_ids=[(6, 0, alarm.ids)],
        )  # fmt: skip
        events = self.meetings(recurrence)
        events[2].write({"start": datetime(2027, 4, 1, 15), "stop": datetime(2027, 4, 1, 16)})
        files = events._get_ics_file()
        self.assertEqual(files.keys(), set(events.ids))
        self.assertEqual(files, events._get_ics_file())
        text = files[events[0].id].decode()
        self.assertEqual(text.count("\r\nRRULE:FREQ=WEEKLY"), 1)
        self.assertEqual(self.read_by_others(text), self.mark(events))
        self.assertIn("SEQUENCE:", files[events[2].id].decode())
        self.assertIn("TRIGGER:-PT15M", text)
        self.assertIn("PARTSTAT=", text)
        moved = parse(files[events[2].id]).items
        self.assertEqual([item.recurrence_id is not None for item in moved], [True])

    def test_queries_do_not_grow_with_the_meetings(self):
        alarm = self.env["calendar.alarm"].search([], limit=2)
        events = self.env["calendar.event"]
        for number in range(60):
            events += self.make_meeting(
                start=NOW + timedelta(days=number + 1), alarm_ids=[(6, 0, alarm.ids)],
                description=f"<p>{number}</p>",
            )  # fmt: skip

        def queries(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.with_user(self.seller)._ical_text()
            return self.env.cr.sql_log_count - before

        queries(events[:1])
        few, many = queries(events[:3]), queries(events)
        self.assertLessEqual(many, few + 2)
        self.assertLess(many, 40)

    def test_queries_do_not_grow_with_the_series(self):
        recurrence = self.series(datetime(2027, 2, 2, 9), rrule_type="daily", count=200)
        first = self.meetings(recurrence)[:1]
        self.text(first)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        first.with_user(self.seller)._ical_text()
        self.assertLess(self.env.cr.sql_log_count - before, 45)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestPrivacy(IcalCase):
    """Private meetings, as each one may see them."""

    def private(self, **values):
        return self.make_meeting(
            name=SECRET, location="The notary", privacy="private",
            partner_ids=[(6, 0, self.seller.partner_id.ids)], **values,
        )  # fmt: skip

    def assert_busy(self, text):
        for word in (SECRET, "notary", "seller@example.com", "DESCRIPTION", "ATTENDEE"):
            self.assertNotIn(word, text)
        self.assertIn("SUMMARY:Busy", text)

    def test_of_others(self):
        meeting = self.private()
        uid = meeting.ical_uid
        for user in (self.other_seller, self.manager):
            text = self.text(meeting, user)
            self.assert_busy(text)
            self.assertNotIn(uid, text)
            self.env.invalidate_all()
            self.assertEqual(self.read_by_others(text), self.mark(meeting))
            # The same name each time, so that it is one thing in the other calendar.
            self.assertEqual(
                parse(text.encode()).items[0].uid,
                parse(self.text(meeting, user).encode()).items[0].uid,
            )
        self.assertIn(SECRET, self.text(meeting))

    def test_series_of_others(self):
        recurrence = self.series(
            datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6, name=SECRET,
            location="The notary", privacy="private",
            partner_ids=[(6, 0, self.seller.partner_id.ids)],
        )  # fmt: skip
        third = self.meetings(recurrence)[2]
        third.write({"start": datetime(2027, 4, 1, 15), "stop": datetime(2027, 4, 1, 17)})
        self.meetings(recurrence)[1].unlink()
        text = self.text(third, self.other_seller)
        self.assert_busy(text)
        self.assertNotIn(recurrence.ical_uid, text)
        self.assertEqual(self.read_by_others(text), self.mark(self.meetings(recurrence)))

    def test_private_by_default(self):
        self.seller.with_user(self.seller).calendar_default_privacy = "private"
        meeting = self.private()
        meeting.privacy = False
        self.assert_busy(self.text(meeting, self.other_seller))
        self.assertIn("CLASS:PRIVATE", self.text(meeting))

    def test_ones_own_without_details(self):
        self.assert_busy(self.text(self.private(), private_details=False))

    def test_portal(self):
        meeting = self.make_meeting(partner_ids=[(6, 0, self.portal.partner_id.ids)])
        other = self.make_meeting()
        recurrence = self.series(
            datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=4,
            partner_ids=[(6, 0, self.portal.partner_id.ids)],
        )  # fmt: skip
        self.assertIn("SUMMARY:Tasting", self.text(meeting, self.portal))
        with self.assertRaises(AccessError):
            self.text(other, self.portal)
        series = self.meetings(recurrence)
        text = self.text(series[:1], self.portal)
        self.assertEqual(self.read_by_others(text), self.mark(series))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestExport(IcalCase):
    """The wizard."""

    def export(self, user=None, context=None, **values):
        self.env.flush_all()
        self.env.invalidate_all()
        Wizard = self.env["calendar.export.ical"].with_user(user or self.seller)
        wizard = Wizard.with_context(**(context or {})).create(values)
        action = wizard.action_export()
        self.assertEqual((action["res_model"], action["res_id"]), (wizard._name, wizard.id))
        return base64.b64decode(wizard.file), wizard

    def names(self, octets):
        return sorted(item.summary for item in parse(octets).items)

    def test_selection(self):
        events = self.make_meeting(name="A") + self.make_meeting(name="B")
        self.make_meeting(name="C")
        octets, wizard = self.export(
            context={"active_model": "calendar.event", "active_ids": events.ids}
        )
        self.assertEqual(wizard.scope, "selection")
        self.assertEqual(self.names(octets), ["A", "B"])

    def test_customer(self):
        child = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.customer.id})
        self.make_meeting(name="A")
        self.make_meeting(name="B", partner_ids=[(6, 0, child.ids)])
        self.make_meeting(name="C", partner_ids=[(6, 0, self.seller.partner_id.ids)])
        self.make_meeting(name=SECRET, privacy="private", user_id=self.manager.id,
                          partner_ids=[(6, 0, self.customer.ids)])  # fmt: skip
        octets, _wizard = self.export(scope="customer", partner_id=self.customer.id)
        # Not even that others meet the customer in private.
        self.assertEqual(self.names(octets), ["A", "B"])

    def test_period_in_the_users_time(self):
        self.make_meeting(start=datetime(2027, 6, 9, 21), name="Before")
        self.make_meeting(start=datetime(2027, 6, 9, 22), name="First")
        self.make_meeting(start=datetime(2027, 6, 10, 21, 30), name="Last")
        self.make_meeting(start=datetime(2027, 6, 10, 22), name="After")
        self.env.flush_all()
        octets, _wizard = self.export(scope="period", date_from="2027-06-10", date_to="2027-06-10")
        self.assertEqual(self.names(octets), ["First", "Last"])

    def test_mine_one_file_each(self):
        self.make_meeting(name="A / B")
        self.make_meeting(name="C", user_id=self.manager.id,
                          partner_ids=[(6, 0, self.manager.partner_id.ids)])  # fmt: skip
        self.series(datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=4)
        octets, wizard = self.export(scope="mine", is_split=True)
        self.assertTrue(wizard.file_name.endswith(".zip"))
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            found = [parse(archive.read(name)).items for name in archive.namelist()]
            self.assertFalse([name for name in archive.namelist() if "/" in name])
        self.assertEqual([len(items) for items in found], [1, 1])

    def test_private_details_are_asked_for(self):
        self.make_meeting(name=SECRET, privacy="private")
        octets, _wizard = self.export(scope="mine")
        self.assertNotIn(SECRET.encode(), octets)
        octets, _wizard = self.export(scope="mine", private_details=True)
        self.assertIn(SECRET.encode(), octets)

    def test_refusals(self):
        with self.assertRaisesRegex(UserError, "no such meetings"):
            self.export(scope="mine")
        with self.assertRaisesRegex(UserError, "from when"):
            self.export(scope="period")
        with self.assertRaisesRegex(UserError, "customer"):
            self.export(scope="customer")
        self.make_meeting()
        self.make_meeting()
        self.patch(calendar_export_ical, "MAX_MEETINGS", 1)
        with self.assertRaisesRegex(UserError, "more than 1 meetings"):
            self.export(scope="mine")

    def test_files_are_ones_own(self):
        self.make_meeting()
        _octets, wizard = self.export(scope="mine")
        for user in (self.other_seller, self.manager):
            with self.assertRaises(AccessError):
                wizard.with_user(user).read(["file"])
        with self.assertRaises(AccessError):
            self.env["calendar.export.ical"].with_user(self.portal).create({"scope": "mine"})
        stranger = new_test_user(self.env, "no_sales", "base.group_user")
        self.assertTrue(self.env["calendar.export.ical"].with_user(stranger).create({}))

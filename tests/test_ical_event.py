"""Meetings as iCalendar: what other programs read is what Odoo has."""

from datetime import datetime, timedelta, timezone

import icalendar
import recurring_ical_events
import vobject

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged

from ..hooks import fill_ical_uids
from ..ical.parse import parse
from .common import HOUR
from .test_meeting import MeetingCase

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
        recurrence = self.series(
            datetime(2027, 2, 2, 9), rrule_type="weekly", interval=2, tue=True, sun=True, count=6
        )
        # As Odoo makes them for somebody whose language has such weeks.
        early, late = self.meetings(recurrence)[:2]
        self.assertEqual(late.start - early.start, timedelta(days=5))
        for event in self.meetings(recurrence).filtered(lambda one: one.start.weekday() == 6):
            event.write({"start": event.start + timedelta(7), "stop": event.stop + timedelta(7)})
        self.meetings(recurrence).sudo().write(
            {"ical_recurrence_start": False, "follow_recurrence": True}
        )
        recurrence.week_start = False
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
        # The first 02:30 of the night of 31 October, in which an hour ends at 02:30.
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
        self.assertTrue(recurrence.sudo().ical_uid)
        self.assertEqual(
            set(self.meetings(recurrence).mapped("ical_uid")), {recurrence.sudo().ical_uid}
        )
        self.assertTrue(single.ical_uid)
        self.assertNotEqual(single.ical_uid, recurrence.sudo().ical_uid)

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
        uid = recurrence.sudo().ical_uid
        self.assertEqual(recurrence.ical_sequence, 0)
        event = self.meetings(recurrence)[1]
        self.move(event, "all_events")
        self.end_transaction()
        moved = self.env["calendar.recurrence"].sudo().search([("ical_uid", "=", uid)])
        self.assertEqual(len(moved), 1)
        self.assertEqual(moved.ical_sequence, 1)
        self.assertEqual(set(self.meetings(moved).mapped("ical_uid")), {uid})
        self.assert_same(moved)

    def test_this_and_following(self):
        recurrence = self.weekly()
        uid = recurrence.sudo().ical_uid
        event = self.meetings(recurrence)[3]
        self.move(event, "future_events")
        self.end_transaction()
        self.assertEqual(recurrence.sudo().ical_uid, uid)
        self.assertEqual(recurrence.ical_sequence, 1)
        following = event.recurrence_id
        self.assertNotEqual(following, recurrence)
        self.assertNotEqual(following.sudo().ical_uid, uid)
        self.assertEqual(following.ical_sequence, 0)
        self.assertEqual(
            set(self.meetings(following).mapped("ical_uid")), {following.sudo().ical_uid}
        )
        self.assert_same(recurrence)
        self.assert_same(following)

    def test_series_ends_as_one_meeting(self):
        recurrence = self.weekly()
        uid = recurrence.sudo().ical_uid
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
        self.assertEqual((recurrence.sudo().ical_uid, recurrence.ical_sequence), (uid, 1))
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
                {"name": "x", "ical_uid": recurrence.sudo().ical_uid}
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
class TestIdentityAsSalesperson(TestIdentity):
    """The same for somebody who has no more rights than a salesperson."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(user=cls.seller)

    def test_a_new_series_is_no_way_to_what_nobody_may_write(self):
        meeting = self.make_meeting()
        with self.assertRaises(AccessError):
            self.env["calendar.recurrence"].create(
                {
                    "base_event_id": meeting.id,
                    "rrule_type": "daily",
                    "calendar_event_ids": [(1, meeting.id, {"ical_uid": "stolen"})],
                }
            )

"""Series that come in: what other programs make of the file is what Odoo has."""

from datetime import datetime, timedelta
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .test_ical_import import ImportCase, calendar, event

NOW = datetime(2027, 2, 1, 9, 0)
DAY = timedelta(days=1)


class SeriesCase(ImportCase):
    def rows(self, series):
        return series.calendar_event_ids.sorted("start")

    def take_series(self, *components):
        """Import, and hold what Odoo has against what others read. :return: the series"""
        data = calendar(*components)
        [result] = self.take(data)
        self.assertEqual(result.kind, "new")
        series = result.record
        self.assertEqual(series._name, "calendar.recurrence")
        last = max(row.start for row in self.rows(series)) + DAY
        expected = self.read_by_others(data.decode(), last=last)
        self.assertEqual(self.mark(self.rows(series)), expected)
        # And so does whoever reads what Odoo says of it.
        text = self.text(self.rows(series))
        self.assertEqual(self.read_by_others(text, last=last), expected)
        self.assertEqual(self.kinds(data), ["unchanged"])
        self.assertEqual(self.kinds(text.encode()), ["unchanged"])
        return series


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestImportSeries(SeriesCase):
    def test_rule_with_fields(self):
        series = self.take_series(event(RRULE="FREQ=WEEKLY;BYDAY=MO,WE;COUNT=8"))
        self.assertEqual(series.rrule_type, "weekly")
        self.assertTrue(series.mon and series.wed and not series.fri)
        self.assertEqual(series.event_tz, "Europe/Madrid")
        # Over the change of the clocks the hour on the wall stays.
        self.assertEqual({row.start.hour for row in self.rows(series)}, {9})
        longer = self.take_series(event("two@x", RRULE="FREQ=WEEKLY;BYDAY=MO;COUNT=8"))
        self.assertEqual({row.start.hour for row in self.rows(longer)}, {8, 9})
        # Odoo goes on with it as with one of its own.
        meeting = self.rows(longer)[2].with_user(self.seller)
        meeting.write({"name": "New", "recurrence_update": "future_events"})
        self.assertEqual(len(meeting.recurrence_id.calendar_event_ids), 6)

    def test_all_of_it_was_deleted(self):
        data = event(RRULE="FREQ=WEEKLY;BYDAY=MO;COUNT=4")
        series = self.take_series(data)
        self.assertEqual(self.kinds(calendar(data)), ["unchanged"])
        # Odoo keeps the series without meetings.
        self.rows(series).with_user(self.seller).unlink()
        self.assertTrue(series.exists())
        self.assertEqual(self.kinds(calendar(data)), ["new"])
        self.assertEqual(len(self.rows(self.take_series(data))), 4)

    def test_rule_without_fields(self):
        rule = "FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=10"
        series = self.take_series(event(RRULE=rule))
        self.assertFalse(series.rrule_type)
        self.assertIn(f"RRULE:{rule}", self.unfolded(self.rows(series)))
        # The first meeting can be taken out; the rule cannot be asked of Odoo.
        self.rows(series)[0].with_user(self.seller).unlink()
        self.assertEqual(len(self.rows(series)), 9)
        meeting = self.rows(series)[0].with_user(self.seller)
        with self.assertRaises(UserError), self.cr.savepoint():
            meeting.write(
                {"start": meeting.start + DAY, "stop": meeting.stop + DAY,
                 "recurrence_update": "all_events"}
            )  # fmt: skip
        meeting.write(
            {"recurrence_update": "all_events", "rrule_type": "daily", "interval": 1,
             "end_type": "count", "count": 3}
        )  # fmt: skip
        self.assertEqual(len(meeting.recurrence_id.calendar_event_ids), 3)

    def test_excluded_and_added_dates(self):
        self.take_series(
            [*event(RRULE="FREQ=DAILY;COUNT=6"),
             "EXDATE;TZID=Europe/Madrid:20270302T100000,20270304T100000",
             "RDATE;TZID=Europe/Madrid:20270320T180000"],
        )  # fmt: skip
        # A rule of exceptions, of old files: others do not know it.
        data = calendar(
            [*event("two@x", RRULE="FREQ=DAILY;COUNT=6"), "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2"]
        )
        rows = self.rows(self.take(data)[0].record)
        self.assertEqual([row.start.day for row in rows], [2, 4, 5, 6])
        text = self.text(rows)
        self.assertIn("EXRULE", text)
        self.assertEqual(self.read_by_others(text), self.mark(rows))

    def test_changed_meetings(self):
        series = self.take_series(
            event(RRULE="FREQ=DAILY;COUNT=6"),
            event(**{"RECURRENCE-ID;TZID=Europe/Madrid": "20270302T100000",
                     "DTSTART;TZID=Europe/Madrid": "20270302T160000",
                     "DTEND;TZID=Europe/Madrid": "20270302T170000"}, SUMMARY="Later", X_FOO="bar"),
            event(**{"RECURRENCE-ID;TZID=Europe/Madrid": "20270303T100000",
                     "DTSTART;TZID=Europe/Madrid": "20270303T100000",
                     "DTEND;TZID=Europe/Madrid": "20270303T110000"}, SUMMARY="Other"),
        )  # fmt: skip
        rows = self.rows(series)
        self.assertEqual(rows.mapped("name"), ["Tasting", "Later", "Other"] + 3 * ["Tasting"])
        self.assertEqual(rows[1].ical_recurrence_start, datetime(2027, 3, 2, 9))
        self.assertIn("X-FOO:bar", self.unfolded(rows))

    def test_cancelled_meeting_of_a_series(self):
        data = calendar(
            event(RRULE="FREQ=DAILY;COUNT=3"),
            event(**{"RECURRENCE-ID;TZID=Europe/Madrid": "20270302T100000",
                     "DTSTART;TZID=Europe/Madrid": "20270302T100000",
                     "DTEND;TZID=Europe/Madrid": "20270302T110000"}, STATUS="CANCELLED"),
        )  # fmt: skip
        series = self.take(data)[0].record
        self.assertEqual(len(self.rows(series)), 2)
        text = self.text(self.rows(series))
        self.assertEqual(len(self.read_by_others(text)), 2)
        self.assertEqual(self.kinds(text.encode()), ["unchanged"])
        # A message about one meeting leaves the others alone.
        message = calendar(
            event(**{"RECURRENCE-ID;TZID=Europe/Madrid": "20270303T100000",
                     "DTSTART;TZID=Europe/Madrid": "20270303T100000",
                     "DTEND;TZID=Europe/Madrid": "20270303T110000"}, SEQUENCE="1"),
            head=["METHOD:CANCEL"],
        )  # fmt: skip
        self.assertEqual(self.kinds(message), ["cancelled"])
        self.take(message)
        self.assertEqual(len(self.rows(series)), 1)
        self.assertEqual(len(self.read_by_others(self.text(self.rows(series)))), 1)

    def test_this_and_following(self):
        self.take_series(
            event(RRULE="FREQ=DAILY;COUNT=6"),
            event(**{"RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Madrid": "20270304T100000",
                     "DTSTART;TZID=Europe/Madrid": "20270304T120000",
                     "DTEND;TZID=Europe/Madrid": "20270304T140000"}, SUMMARY="Noon"),
        )  # fmt: skip

    def test_whole_days(self):
        days = {"DTSTART;TZID=Europe/Madrid": None, "DTEND;TZID=Europe/Madrid": None}
        series = self.take_series(
            [*event(**days, RRULE="FREQ=WEEKLY;COUNT=4"), "DTSTART;VALUE=DATE:20270301",
             "DTEND;VALUE=DATE:20270303", "EXDATE;VALUE=DATE:20270308"]
        )  # fmt: skip
        self.assertTrue(all(self.rows(series).mapped("allday")))

    def test_a_meeting_without_its_series(self):
        data = calendar(
            event(**{"RECURRENCE-ID;TZID=Europe/Madrid": "20270301T100000"}),
            event(**{"RECURRENCE-ID;TZID=Europe/Madrid": "20270308T100000",
                     "DTSTART;TZID=Europe/Madrid": "20270308T120000",
                     "DTEND;TZID=Europe/Madrid": "20270308T130000"}),
        )  # fmt: skip
        [result] = self.take(data)
        rows = self.rows(result.record)
        self.assertEqual(rows.mapped("start"), [datetime(2027, 3, 1, 9), datetime(2027, 3, 8, 11)])
        self.assertEqual(self.kinds(self.text(rows).encode()), ["unchanged"])

    def test_changed_series(self):
        data = calendar(event(RRULE="FREQ=DAILY;COUNT=6"))
        series = self.take(data)[0].record
        rows = self.rows(series)
        changed = calendar(
            [*event(RRULE="FREQ=DAILY;COUNT=8", SUMMARY="New", SEQUENCE="1"),
             "EXDATE;TZID=Europe/Madrid:20270302T100000"]
        )  # fmt: skip
        [outcome] = self.compare(changed)
        self.assertEqual(outcome.kind, "changed")
        labels = [change[0] for change in outcome.changes]
        self.assertEqual(
            labels,
            ["Meeting Subject", "Repetition", "Meetings that are added",
             "Meetings that are cancelled"],
        )  # fmt: skip
        self.take(changed)
        now = self.rows(series)
        self.assertEqual(len(now), 7)
        self.assertEqual(now[0], rows[0])
        self.assertEqual(set(now.mapped("name")), {"New"})
        self.assertFalse(rows[1].active)
        self.assertEqual(self.mark(now), self.read_by_others(changed.decode()))
        self.assertEqual(self.mark(now), self.read_by_others(self.text(now)))
        self.assertEqual(self.kinds(changed), ["unchanged"])
        # Back to what it was: the meeting that was cancelled is there again.
        back = calendar(event(RRULE="FREQ=DAILY;COUNT=6", SEQUENCE="2"))
        self.take(back)
        self.assertEqual(self.rows(series), rows)
        self.assertEqual(self.mark(self.rows(series)), self.read_by_others(self.text(rows)))

    def test_from_one_to_many_and_back(self):
        meeting = self.take(calendar(event()))[0].record
        self.take(calendar(event(RRULE="FREQ=DAILY;COUNT=3", SEQUENCE="1")))
        self.assertEqual(len(meeting.recurrence_id.calendar_event_ids), 3)
        self.assertEqual(len(self.read_by_others(self.text(meeting))), 3)
        single = calendar(event(SEQUENCE="2"))
        self.take(single)
        self.assertFalse(meeting.recurrence_id)
        self.assertEqual(self.kinds(single), ["unchanged"])
        found = self.env["calendar.event"].search([("user_id", "=", self.seller.id)])
        self.assertEqual(found, meeting)

    def test_cancelled_series(self):
        series = self.take(calendar(event(RRULE="FREQ=DAILY;COUNT=3")))[0].record
        data = calendar(event(RRULE="FREQ=DAILY;COUNT=3", STATUS="CANCELLED", SEQUENCE="1"))
        self.assertEqual(self.kinds(data), ["cancelled"])
        self.take(data)
        self.assertFalse(self.rows(series))
        self.assertEqual(self.kinds(data), ["unchanged"])

    def test_an_edited_series_is_not_overwritten(self):
        data = calendar(event(RRULE="FREQ=DAILY;COUNT=3"))
        series = self.take(data)[0].record
        with self.at(NOW + timedelta(hours=1)):
            row = self.rows(series)[1].with_user(self.seller)
            row.write({"start": row.start + DAY / 4, "stop": row.stop + DAY / 4})
            self.end_transaction()
        self.assertEqual(self.kinds(data), ["unchanged"])
        other = calendar(event(RRULE="FREQ=DAILY;COUNT=3", SUMMARY="Old news"))
        self.assertEqual(self.kinds(other), ["older"])


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestImportEndless(SeriesCase):
    def test_two_years_ahead(self):
        series = self.take_series(event(RRULE="FREQ=WEEKLY"))
        rows = self.rows(series)
        self.assertLess(rows[-1].start, NOW + relativedelta(years=2, days=30))
        self.assertGreater(rows[-1].start, NOW + relativedelta(years=2, days=20))
        self.assertIn("RRULE:FREQ=WEEKLY\r\n", self.text(rows[:1]))

    def test_extended(self):
        series = self.take(calendar(event(RRULE="FREQ=MONTHLY;BYDAY=1MO,3MO")))[0].record
        before = self.rows(series)
        before[-1].with_user(self.seller).name = "Renamed"
        later = NOW + relativedelta(years=1)
        with self.at(later), self.no_job_commit():
            made = self.env["calendar.recurrence"]._ical_extend()
            again = self.env["calendar.recurrence"]._ical_extend()
        self.assertEqual((made, again), (22, 0))
        rows = self.rows(series)
        self.assertEqual(len(rows), len(before) + 22)
        self.assertEqual(rows[-1].attendee_ids.state, "accepted")
        self.assertEqual(rows[-1].ical_uid, "one@x")
        text = self.text(rows)
        self.assertEqual(self.read_by_others(text, last=rows[-1].start + DAY), self.mark(rows))

    def no_job_commit(self):
        return patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda *_args, **_options: 99
        )

    def test_dense_and_long(self):
        [result] = self.take(calendar(event("1@x", RRULE="FREQ=HOURLY")))
        self.assertEqual((result.kind, result.reason), ("new", None))
        series = result.record
        rows = self.rows(series)
        self.assertEqual(len(rows), 720)
        long = calendar(
            event("2@x", **{"DTSTART;TZID=Europe/Madrid": "20000103T100000",
                            "DTEND;TZID=Europe/Madrid": "20000103T110000"}, RRULE="FREQ=DAILY")
        )  # fmt: skip
        series = self.take(long)[0].record
        rows = self.rows(series)
        self.assertEqual(len(rows), 720)
        self.assertLess(rows[0].start, NOW)
        self.assertGreater(rows[-1].start, NOW + timedelta(days=600))
        # What is not kept is still told.
        text = self.text(rows[:1])
        self.assertIn("DTSTART;TZID=Europe/Madrid:20000103T100000", text)
        self.assertNotIn("EXDATE", text)
        span = {"first": datetime(2010, 1, 1), "last": datetime(2010, 2, 1)}
        self.assertEqual(len(self.read_by_others(text, **span)), 31)
        rows[5].with_user(self.seller).unlink()
        self.assertEqual(self.text(rows[:1]).count("EXDATE"), 1)

    def test_too_dense(self):
        [outcome] = self.compare(calendar(event(RRULE="FREQ=SECONDLY")))
        self.assertEqual(outcome.kind, "refused")

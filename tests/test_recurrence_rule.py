"""How a meeting repeats: more than Odoo's fields, any rule as text, and no end."""

from datetime import date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import Form, freeze_time, tagged

from ..ical.rules import Rule
from .test_ical_event import NOW, IcalCase

DAILY_FOR_EVER = {"rrule_type": "daily", "interval": 1, "end_type": "forever"}


class RuleCase(IcalCase):
    def days(self, recurrence):
        return [event.start.date() for event in self.meetings(recurrence)]


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestFields(RuleCase):
    def test_the_fifth_friday(self):
        recurrence = self.series(
            datetime(2027, 4, 30, 9), rrule_type="monthly", month_by="day", byday="5",
            weekday="FRI", count=3,
        )  # fmt: skip
        self.assertEqual(
            self.days(recurrence), [date(2027, 4, 30), date(2027, 7, 30), date(2027, 10, 29)]
        )
        self.assertIn("BYDAY=5FR", self.assert_same(recurrence))

    def test_the_last_day_of_the_month(self):
        recurrence = self.series(
            datetime(2027, 1, 31, 9), rrule_type="monthly", month_by="last_day", count=3
        )
        self.assertEqual([day.day for day in self.days(recurrence)], [31, 28, 31])
        self.assert_same(recurrence)

    def test_short_months(self):
        values = {"rrule_type": "monthly", "month_by": "date", "day": 31, "count": 4}
        start = datetime(2027, 1, 31, 9)
        left_out = self.series(start, **values)
        self.assertEqual([day.month for day in self.days(left_out)], [1, 3, 5, 7])
        on_last = self.series(start, **values, short_month="last")
        self.assertEqual([day.day for day in self.days(on_last)], [31, 28, 31, 30])
        self.assert_same(on_last)

    def test_a_month_of_the_year(self):
        recurrence = self.series(
            datetime(2027, 11, 25, 9), rrule_type="yearly", year_month="11", month_by="day",
            byday="4", weekday="THU", count=3,
        )  # fmt: skip
        self.assertEqual(
            self.days(recurrence), [date(2027, 11, 25), date(2028, 11, 23), date(2029, 11, 22)]
        )
        self.assert_same(recurrence)
        name = recurrence.with_context(lang="en_US").get_recurrence_name()
        self.assertEqual(name, "Every 1 Years in November: the Fourth Thursday, 3 times")

    def test_working_days(self):
        recurrence = self.series(
            datetime(2027, 2, 4, 9), rrule_type="daily", workdays_only=True, count=4
        )
        self.assertEqual([day.day for day in self.days(recurrence)], [4, 5, 8, 9])
        self.assert_same(recurrence)

    def test_biweekly_is_the_same_in_every_language(self):
        starts = []
        for week_start in ("1", "7"):
            self.env["res.lang"]._lang_get(self.env.user.lang).week_start = week_start
            recurrence = self.series(
                datetime(2027, 2, 2, 9), rrule_type="weekly", interval=2, tue=True, sun=True,
                count=6,
            )  # fmt: skip
            starts.append(self.days(recurrence))
        self.assertEqual(starts[0], starts[1])

    def test_bounds(self):
        for values in (
            {"rrule_type": "daily", "interval": 0},
            {"rrule_type": "daily", "interval": 1000},
            {"rrule_type": "daily", "count": 0},
            {"rrule_type": "daily", "count": 721},
            {"rrule_type": "weekly"},
            {"rrule_type": "monthly", "month_by": "date", "day": 32},
            {"rrule_type": "monthly", "month_by": "date", "day": 0},
            {"rrule_type": "daily", "end_type": "end_date"},
            {"rrule_type": "daily", "end_type": "end_date", "until": date(2027, 1, 1)},
            {"rrule_type": "yearly", "year_month": "2", "month_by": "date", "day": 30},
        ):
            with (
                self.subTest(values), self.assertRaises(UserError), self.env.cr.savepoint(),
            ):  # fmt: skip
                self.series(datetime(2027, 2, 2, 9), **values)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestText(RuleCase):
    def by_text(self, text, start=datetime(2027, 3, 1, 9)):
        return self.series(start, rrule_type=False, rule_text=text, end_type="forever")

    def test_first_and_third_monday(self):
        recurrence = self.by_text("FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=5")
        self.assertEqual([day.day for day in self.days(recurrence)], [1, 15, 5, 19, 3])
        self.assertIn("BYDAY=1MO,3MO", self.assert_same(recurrence))

    def test_the_rule_of_odoo_s_own_field(self):
        """``rrule``, by which other programs give a rule, is kept as it is."""
        recurrence = self.series(
            datetime(2027, 3, 1, 9), rrule="FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=4", count=1
        )
        self.assertEqual([day.day for day in self.days(recurrence)], [1, 15, 1, 15])
        plain = self.series(datetime(2027, 3, 1, 9), rrule="RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3")
        self.assertEqual((plain.rrule_type, plain.count, plain.mon), ("weekly", 3, True))
        self.assertEqual(plain.rrule, "RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO")

    def test_what_is_wrong_with_it_is_said(self):
        wrong = {
            "": "FREQ=MONTHLY",
            "Every Monday": "FREQ=DAILY, WEEKLY, MONTHLY",
            "FREQ=MONTHLY;BYDAY=XX": "BYDAY=XX",
            "FREQ=DAILY;UNTIL=tomorrow": "20271231",
            "FREQ=DAILY;BYEASTER=1": "BYEASTER=1",
            "FREQ=DAILY;COUNT=2;UNTIL=20280101": "COUNT",
            "FREQ=SECONDLY": "every hour",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30": "no meeting",
            "FREQ=DAILY;RSCALE=CHINESE": "calendar",
            "FREQ=DAILY;COUNT=0": "COUNT=0",
        }
        for text, words in wrong.items():
            with (
                self.subTest(text),
                self.assertRaises(UserError) as caught,
                self.env.cr.savepoint(),
            ):
                self.env = self.env(context={**self.env.context, "lang": "en_US"})
                self.by_text(text)
            self.assertIn(words, str(caught.exception))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(alphabet="FREQ=DAILYWKMONTH;BUCST0123456789-,+ \n\x00é", max_size=60))
    def test_whatever_is_written_is_a_rule_or_told_in_words(self, text):
        problem = self.env["calendar.recurrence"]._rule_problem(text)
        if problem is None:
            Rule.parse(text)
        else:
            self.assertIsInstance(problem, str)

    def test_the_form_shows_the_next_dates_and_what_is_wrong(self):
        form = Form(self.env["calendar.event"].with_user(self.seller).with_context(lang="en_US"))
        form.name = "Tasting"
        form.start = datetime(2027, 3, 1, 9)
        form.recurrency = True
        form.rrule_type_ui = "text"
        form.rule_text = "FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=10"
        self.assertIn("Mon 15 Mar 2027", form.rule_preview)
        self.assertIn("10 dates", form.rule_preview)
        form.rule_text = "FREQ=MONTHLY;BYDAY=1MONDAY"
        self.assertFalse(form.rule_preview)
        self.assertIn("1MONDAY", form.rule_problem)
        form.rule_text = "FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=2"
        event = form.save()
        self.assertEqual(self.days(event.recurrence_id), [date(2027, 3, 1), date(2027, 3, 15)])
        again = Form(event)
        self.assertEqual(again.rrule_type_ui, "text")
        self.assertEqual(again.rule_text, "FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=2")

    def test_an_imported_rule_is_edited_in_the_form(self):
        recurrence = self.by_text("FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=6")
        events = self.meetings(recurrence)
        with Form(events[0].with_user(self.seller)) as form:
            form.rule_text = "FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=3"
            form.recurrence_update = "all_events"
        self.assertEqual(self.meetings(recurrence), events[:3])


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestCreated(RuleCase):
    def test_the_caller_has_a_meeting_of_the_series(self):
        """On a Wednesday, every Friday: Odoo archives what it gives back."""
        event = self.env["calendar.event"].create(
            {
                "name": "Tasting", "start": datetime(2027, 3, 3, 9),
                "stop": datetime(2027, 3, 3, 10), "recurrency": True, "rrule_type": "weekly",
                "fri": True, "interval": 1, "end_type": "count", "count": 3,
                "event_tz": "Europe/Madrid",
            }
        )  # fmt: skip
        self.assertTrue(event.active)
        self.assertEqual(event.start, datetime(2027, 3, 5, 9))
        self.assertEqual(event, self.meetings(event.recurrence_id)[0])
        self.assertEqual(len(self.meetings(event.recurrence_id)), 3)
        self.assert_same(event.recurrence_id)

    def test_a_meeting_that_begins_to_repeat(self):
        event = self.make_meeting(start=datetime(2027, 3, 3, 9))
        event.write(
            {
                "recurrency": True, "rrule_type": "monthly", "month_by": "date", "day": 10,
                "interval": 1, "end_type": "count", "count": 3, "event_tz": "Europe/Madrid",
            }
        )  # fmt: skip
        self.assertTrue(event.active)
        self.assertEqual([day.day for day in self.days(event.recurrence_id)], [10, 10, 10])
        self.assertIn(event, event.recurrence_id.calendar_event_ids)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestHorizon(RuleCase):
    def extend(self, moment):
        with self.at(moment), self.no_commit_progress():
            return self.env["calendar.recurrence"]._ical_extend()

    def no_commit_progress(self):
        from unittest.mock import patch

        # A test cannot commit.
        return patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_k: 99)

    def test_two_years_and_then_further(self):
        recurrence = self.series(
            datetime(2027, 2, 2, 9), rrule_type="weekly", tue=True, end_type="forever"
        )
        events = self.meetings(recurrence)
        self.assertEqual(len(events), 105)
        self.assertIn("RRULE:FREQ=WEEKLY;BYDAY=TU\r\n", self.text(events[:1]))
        self.answer_of(events[-1], self.customer).state = "accepted"
        events[3].unlink()
        self.assertEqual(self.extend(NOW + timedelta(days=10)), 0)
        made = self.extend(NOW + timedelta(days=100))
        self.assertEqual(made, 14)
        now = self.meetings(recurrence)
        self.assertEqual(len(now), 118)
        self.assertEqual(now[-1].start - now[-2].start, timedelta(days=7))
        self.assertEqual(now[-1].partner_ids, self.everybody)
        self.assertEqual(set(now.mapped("ical_uid")), {recurrence.sudo().ical_uid})
        self.assertEqual(recurrence.ical_exdates, ["2027-02-23T09:00:00"])
        self.assertEqual(self.extend(NOW + timedelta(days=100)), 0)

    def test_every_day_has_no_more_rows_than_odoo_has(self):
        recurrence = self.series(datetime(2027, 2, 2, 9), **DAILY_FOR_EVER)
        self.assertEqual(len(self.meetings(recurrence)), 720)
        self.extend(NOW + timedelta(days=60))
        coming = self.meetings(recurrence).filtered(
            lambda event: event.start > NOW + timedelta(days=60)
        )
        self.assertEqual(len(coming), 720)

    def test_new_ones_are_like_most_of_them(self):
        recurrence = self.series(
            datetime(2027, 2, 2, 9), rrule_type="monthly", month_by="date", day=2,
            end_type="forever",
        )  # fmt: skip
        self.meetings(recurrence)[-1].name = "Farewell"
        self.extend(NOW + timedelta(days=60))
        self.assertEqual(self.meetings(recurrence)[-1].name, "Tasting")

    def test_deleted_from_one_on_it_has_an_end(self):
        recurrence = self.series(
            datetime(2027, 2, 2, 9), rrule_type="weekly", tue=True, end_type="forever"
        )
        self.meetings(recurrence)[5].with_user(self.seller).action_mass_deletion("future_events")
        self.assertEqual(len(self.meetings(recurrence)), 5)
        self.assertEqual(self.extend(NOW + timedelta(days=300)), 0)
        self.assertIn("UNTIL=", self.assert_same(recurrence))

    def test_the_last_ones_were_taken_out_one_by_one(self):
        recurrence = self.series(
            datetime(2027, 2, 2, 9), rrule_type="weekly", tue=True, end_type="forever"
        )
        self.meetings(recurrence)[5:].unlink()
        self.assertEqual(self.extend(NOW + timedelta(days=300)), 0)

    def test_an_edit_of_all_goes_on_without_end(self):
        recurrence = self.series(
            datetime(2027, 2, 2, 9), rrule_type="weekly", tue=True, end_type="forever"
        )
        events = self.meetings(recurrence)
        events[0].write(
            {
                "start": datetime(2027, 2, 3, 10), "stop": datetime(2027, 2, 3, 11),
                "recurrence_update": "all_events",
            }
        )  # fmt: skip
        self.end_transaction()
        self.assertEqual(self.meetings(recurrence)[:104], events[:104])
        self.assertGreater(self.extend(NOW + timedelta(days=100)), 10)
        self.assertEqual({day.weekday() for day in self.days(recurrence)}, {2})

    def test_moved_from_one_on_it_goes_on_without_end(self):
        recurrence = self.series(
            datetime(2027, 2, 2, 9), rrule_type="weekly", tue=True, end_type="forever"
        )
        event = self.meetings(recurrence)[10]
        event.write(
            {
                "start": event.start + timedelta(hours=2),
                "stop": event.stop + timedelta(hours=2),
                "recurrence_update": "future_events",
            }
        )
        self.end_transaction()
        self.assertFalse(recurrence.ical_last)
        self.assertTrue(event.recurrence_id.ical_last)
        # Two years from where it begins, and then further.
        self.assertEqual(self.extend(NOW + timedelta(days=70 + 100)), 14)
        self.assertEqual(len(self.meetings(recurrence)), 10)

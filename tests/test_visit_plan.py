"""Visit plans: what is proposed, and what is said of bad input."""

import datetime
from datetime import date, timedelta
from unittest.mock import patch
from zoneinfo import ZoneInfo

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged

from ..models import calendar_visit_plan_preview
from ..models.calendar_visit_plan import PROTECTED
from .common import AutomationCase

#: A Monday in winter; the tests' plans begin in February.
NOW = datetime.datetime(2027, 1, 18, 10, 0)
BEGIN, END = date(2027, 2, 1), date(2027, 12, 31)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
UTC = datetime.timezone.utc


class VisitCase(AutomationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "no_mail_to_attendees": True})
        cls.gold = cls.env["res.partner.category"].create({"name": "GOLD"})
        cls.team = cls.env["crm.team"].create(
            {
                "name": "North",
                "user_id": cls.manager.id,
                "member_ids": [(6, 0, (cls.seller + cls.other_seller).ids)],
            }
        )
        cls.other_seller.tz = cls.manager.tz = "Europe/Madrid"
        cls.hours = cls.env.company.resource_calendar_id
        cls.hours.tz = "Europe/Madrid"
        cls.customers = cls.make_customers("Azure", "Bodega", "Cava")

    @classmethod
    def make_customers(cls, *names, **values):
        return cls.env["res.partner"].create(
            [
                {
                    "name": name,
                    "email": f"{name.lower()}@example.com",
                    "category_id": [(4, cls.gold.id)],
                    "user_id": cls.seller.id,
                    "zip": "28001",
                    "street": "Calle Mayor 1",
                    "city": "Madrid",
                    **values,
                }
                for name in names
            ]
        )

    @classmethod
    def make_plan(cls, user=None, **values):
        return (
            cls.env["calendar.visit.plan"]
            .with_user(user or cls.manager)
            .create(
                {
                    "name": "Gold customers",
                    "category_ids": [(6, 0, cls.gold.ids)],
                    "cadence": "date",
                    "month_day": 3,
                    "date_from": BEGIN,
                    "date_to": END,
                    **values,
                }
            )
        )

    def visits(self, plan, *states):
        domain = [("plan_id", "=", plan.id)]
        if states:
            domain.append(("state", "in", states))
        return self.env["calendar.visit"].search(domain, order="start, id")

    def book(self, plan):
        plan.action_preview()
        plan.action_book()
        return self.visits(plan, "booked")

    def follow(self, plan):
        """As the daily job does it, and the one that books."""
        with self.no_commit():
            plan.sudo()._follow_all()
            plan.sudo()._work()

    def local(self, moment, zone="Europe/Madrid"):
        return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))

    def assert_no_overlap(self, visits, gap=timedelta()):
        for mine in visits.grouped("user_id").values():
            mine = mine.sorted("start")
            for one, other in zip(mine, mine[1:], strict=False):
                self.assertLessEqual(one.stop + gap, other.start)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestPreview(VisitCase):
    def test_gold_customers_on_the_third_for_a_year(self):
        plan = self.make_plan()
        events = self.env["calendar.event"].search_count([])
        plan.action_preview()
        self.assertEqual(self.env["calendar.event"].search_count([]), events)
        visits = self.visits(plan)
        self.assertEqual(len(visits), 3 * 11)
        self.assertEqual(set(visits.mapped("state")), {"proposed"})
        self.assertEqual(visits.user_id, self.seller)
        for visit in visits:
            self.assertEqual(visit.target.day, 3)
            day = self.local(visit.start)
            self.assertLess(day.weekday(), 5)
            self.assertLessEqual(abs((day.date() - visit.target).days), 2)
            self.assertGreaterEqual(day.hour, 9)
            # Of a working day, it is the third itself.
            if visit.target.weekday() < 5:
                self.assertEqual(day.day, 3)
        self.assert_no_overlap(visits, timedelta(minutes=15))
        # In summer as in winter, the first visit is at nine.
        firsts = {self.local(min(mine.mapped("start"))).hour for mine in
                  visits.grouped("target").values()}  # fmt: skip
        self.assertEqual(firsts, {9})

    def test_holidays_leave_and_meetings_are_left_free(self):
        leaves = self.env["resource.calendar.leaves"]
        leaves.create(
            {
                "name": "Holiday",
                "calendar_id": self.hours.id,
                "date_from": datetime.datetime(2027, 2, 2, 23),
                "date_to": datetime.datetime(2027, 2, 3, 22, 59),
            }
        )
        resource = self.env["resource.resource"].create(
            {"name": "Seller", "user_id": self.seller.id, "calendar_id": self.hours.id,
             "tz": "Europe/Madrid"}
        )  # fmt: skip
        leaves.create(
            {
                "name": "Leave",
                "resource_id": resource.id,
                "calendar_id": self.hours.id,
                "date_from": datetime.datetime(2027, 3, 1, 0),
                "date_to": datetime.datetime(2027, 3, 4, 22),
            }
        )
        meeting = self.env["calendar.event"].create(
            {
                "name": "Secret",
                "privacy": "private",
                "start": datetime.datetime(2027, 5, 3, 6),
                "stop": datetime.datetime(2027, 5, 3, 13),
                "user_id": self.seller.id,
                "partner_ids": [(6, 0, self.seller.partner_id.ids)],
            }
        )
        self.env["calendar.event"].create(
            {
                "name": "Fair",
                "allday": True,
                "start_date": date(2027, 6, 3),
                "stop_date": date(2027, 6, 3),
                "start": datetime.datetime(2027, 6, 3, 8),
                "stop": datetime.datetime(2027, 6, 3, 18),
                "user_id": self.seller.id,
                "partner_ids": [(6, 0, self.seller.partner_id.ids)],
            }
        )
        plan = self.make_plan()
        plan.action_preview()
        by_month = self.visits(plan).grouped(lambda visit: visit.target.month)
        days = {month: {self.local(v.start).day for v in mine} for month, mine in by_month.items()}
        self.assertEqual(days[2], {4})
        self.assertEqual(days[3], {5})
        self.assertEqual(days[6], {4})
        for visit in by_month[5]:
            self.assertGreaterEqual(visit.start, meeting.stop + timedelta(minutes=15))

    def test_not_on_the_day_wanted(self):
        # Around midnight in UTC, it is the day of whoever visits that counts.
        self.seller.tz = "Pacific/Auckland"
        self.hours.tz = "Pacific/Auckland"
        plan = self.make_plan()
        plan.action_preview()
        visits = self.visits(plan)
        days = {
            month: set(mine.mapped("days_from_target"))
            for month, mine in visits.grouped(lambda visit: visit.target.month).items()
        }
        # The 3rd is a Saturday in April and July, a Sunday in October, else a working day.
        self.assertEqual({month for month in days if days[month] != {0}}, {4, 7, 10})
        self.assertEqual(days[4], {-1})
        self.assertEqual(days[10], {1})
        for visit in visits:
            day = self.local(visit.start, "Pacific/Auckland").date()
            self.assertEqual(visit.days_from_target, (day - visit.target).days)
        Visit = self.env["calendar.visit"].with_user(self.seller)
        for operator, value, expected in (
            ("!=", 0, lambda number: number), ("=", 0, lambda number: not number),
            ("=", False, lambda number: not number), ("<", 0, lambda number: number < 0),
            (">=", 1, lambda number: number >= 1), ("in", [-1, 1], lambda number: number),
        ):  # fmt: skip
            with self.subTest(operator=operator, value=value):
                found = Visit.search(
                    [("plan_id", "=", plan.id), ("days_from_target", operator, value)]
                )
                self.assertTrue(found)
                self.assertEqual(
                    set(found.ids),
                    set(visits.filtered(lambda one, at=expected: at(one.days_from_target)).ids),
                )
        moved = visits[0].with_user(self.manager)
        moved.start += DAY
        self.assertEqual(moved.days_from_target, 1)
        moved.start = False
        self.assertEqual(moved.days_from_target, 0)

    def test_a_visit_of_any_day_is_not_off(self):
        plan = self.make_plan(cadence="interval")
        action = plan.action_preview()
        self.assertTrue(action["context"]["visits_of_any_day"])
        self.assertEqual(set(self.visits(plan).mapped("days_from_target")), {0})

    def test_who_declined_or_is_shown_as_free_has_time(self):
        for number, values in enumerate([{"show_as": "free"}, {}]):
            meeting = self.env["calendar.event"].create(
                {
                    "name": "Maybe",
                    "start": datetime.datetime(2027, 2 + number, 3, 6),
                    "stop": datetime.datetime(2027, 2 + number, 3, 20),
                    "user_id": self.manager.id,
                    "partner_ids": [(6, 0, self.seller.partner_id.ids)],
                    **values,
                }
            )
        meeting.attendee_ids.state = "declined"
        plan = self.make_plan()
        plan.action_preview()
        first = self.visits(plan).filtered(lambda visit: visit.target.month in (2, 3))
        self.assertEqual({self.local(visit.start).day for visit in first}, {3})

    def test_each_in_his_own_time_zone(self):
        self.seller.tz = "Atlantic/Canary"
        plan = self.make_plan(hour_from=10, hour_to=12)
        plan.action_preview()
        hours = {self.local(v.start, "Atlantic/Canary").hour for v in self.visits(plan)}
        self.assertLessEqual(hours, {10, 11})

    def test_at_most_so_many_a_day_and_no_slot(self):
        self.make_customers("Dulce", "Ermita")
        plan = self.make_plan(per_day=1, tolerance_days=0, mon=True)
        plan.action_preview()
        visits = self.visits(plan)
        for mine in visits.grouped("target").values():
            found = mine.filtered("start")
            weekday = mine[0].target.weekday()
            self.assertEqual(len(found), 1 if weekday < 5 else 0)
            self.assertEqual(set((mine - found).mapped("problem")), {"no_slot"})
            self.assertEqual(set((mine - found).mapped("state")), {"unscheduled"})

    def test_marks(self):
        self.customers[0].user_id = False
        self.customers[1].email = False
        plan = self.make_plan()
        plan.action_preview()
        visits = self.visits(plan)
        nobody = visits.filtered(lambda visit: visit.partner_id == self.customers[0])
        self.assertEqual(set(nobody.mapped("problem")), {"no_responsible"})
        self.assertFalse(any(nobody.mapped("start")))
        self.assertEqual(visits.filtered("has_no_email").partner_id, self.customers[1])
        self.assertEqual(plan.no_email_count, 11)
        self.assertEqual(plan.unscheduled_count, 11)

    def test_a_team_takes_turns_and_neighbours_come_together(self):
        self.customers[1].zip = "08001"
        plan = self.make_plan(
            responsible_by="team", responsible_team_id=self.team.id, cadence="interval"
        )
        self.make_customers(*"DEFGHIJKL", zip="15001")
        plan.action_preview()
        visits = self.visits(plan)
        loads = [len(mine.partner_id) for mine in visits.grouped("user_id").values()]
        self.assertEqual(loads, [6, 6])
        # One customer, one visitor.
        for mine in visits.grouped("partner_id").values():
            self.assertEqual(len(mine.user_id), 1)
        months = visits.grouped(lambda visit: (visit.user_id, visit.period))
        for mine in months.values():
            zips = mine.sorted("start").mapped("partner_id.zip")
            self.assertEqual(zips, sorted(zips))
            # Evenly over the month: not all in one week.
            days = sorted(mine.mapped("start"))
            self.assertGreater(days[-1] - days[0], 15 * DAY)

    def test_segments(self):
        child = self.env["res.partner.category"].create(
            {"name": "GOLD plus", "parent_id": self.gold.id}
        )
        below = self.make_customers("Below", category_id=[(6, 0, child.ids)])
        contact = self.env["res.partner"].create(
            {"name": "Contact", "parent_id": below.id, "category_id": [(4, child.id)]}
        )
        archived = self.make_customers("Archived", active=False)
        colleague = self.seller.partner_id
        colleague.category_id = self.gold
        plan = self.make_plan()
        self.assertEqual(plan._customers(), self.customers + below)
        self.assertNotIn(contact, plan._customers())
        self.assertNotIn(archived, plan._customers())
        found = self.env["ir.filters"].create(
            {"name": "F", "model_id": "res.partner", "domain": "[('name', '=', 'Cava')]",
             "user_ids": [(6, 0, self.manager.ids)]}
        )  # fmt: skip
        plan.write({"segment_by": "filter", "filter_id": found.id})
        self.assertEqual(plan._customers(), self.customers[2])
        plan.write({"segment_by": "list", "partner_ids": [(6, 0, self.customers[:2].ids)]})
        self.assertEqual(plan._customers(), self.customers[:2])
        self.customers[0].user_id = self.other_seller
        plan.write({"segment_by": "salesperson", "salesperson_id": self.other_seller.id})
        self.assertEqual(plan._customers(), self.customers[0])
        plan.write({"segment_by": "team", "team_id": self.team.id})
        self.assertIn(below, plan._customers())

    def test_a_filter_holds_no_formula(self):
        for domain in ("[('user_id', '=', uid)]", "[('name', '=', __import__('os').name)]"):
            bad = self.env["ir.filters"].create(
                {"name": domain, "model_id": "res.partner", "domain": domain,
                 "user_ids": [(6, 0, self.manager.ids)]}
            )  # fmt: skip
            with self.assertRaises(ValidationError):
                self.make_plan(segment_by="filter", filter_id=bad.id)

    def test_by_hand(self):
        plan = self.make_plan()
        plan.action_preview()
        one, other = self.visits(plan).filtered(lambda visit: visit.target.month == 2)[:2]
        mine = one.with_user(self.manager)
        mine.start = datetime.datetime(2027, 2, 10, 9)
        self.assertEqual(mine.stop, datetime.datetime(2027, 2, 10, 10))
        self.assertEqual((mine.state, mine.problem, mine.by_hand), ("proposed", False, True))
        # Onto another proposal of the same person.
        other.with_user(self.manager).start = datetime.datetime(2027, 2, 10, 9, 30)
        self.assertEqual((other.state, other.problem), ("unscheduled", "clash"))
        other.with_user(self.manager).user_id = self.other_seller
        self.assertEqual((other.state, other.problem), ("proposed", False))
        # What was changed by hand stays, and is not booked over.
        plan.action_preview()
        self.assertEqual(one.start, datetime.datetime(2027, 2, 10, 9))
        self.assert_no_overlap(self.visits(plan, "proposed"))
        with self.assertRaises(AccessError):
            mine.write({"state": "booked"})
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            mine.write({"stop": mine.start - HOUR})

    def test_left_out_and_found_again(self):
        plan = self.make_plan()
        plan.action_preview()
        visit = self.visits(plan)[0]
        visit.with_user(self.manager).action_skip()
        self.assertEqual(visit.state, "cancelled")
        plan.action_preview()
        self.assertEqual(len(self.visits(plan)), 33)
        self.assertEqual(visit.state, "cancelled")
        visit.with_user(self.manager).action_find_time()
        self.assertEqual(visit.state, "proposed")
        self.assert_no_overlap(self.visits(plan, "proposed"))

    def test_the_customer_of_another_plan(self):
        self.book(self.make_plan())
        other = self.make_plan(name="Also gold")
        other.action_preview()
        visits = self.visits(other)
        self.assertEqual(set(visits.mapped("problem")), {"other_plan"})
        self.assertEqual(visits.other_plan_id.name, "Gold customers")
        other.allow_overlap = True
        other.action_preview()
        self.assertEqual(set(self.visits(other).mapped("state")), {"proposed"})

    def test_from_customers(self):
        Plan = self.env["calendar.visit.plan"].with_user(self.seller)
        values = Plan.with_context(
            active_model="res.partner", active_ids=self.customers[:2].ids
        ).default_get([name for name in Plan._fields if name not in PROTECTED])
        self.assertEqual(values["segment_by"], "list")
        self.assertEqual(values["partner_ids"], [(6, 0, self.customers[:2].ids)])
        self.assertEqual(values["user_id"], self.seller.id)
        values["name"] = "Mine"
        plan = Plan.create(values)
        plan.action_preview()
        self.assertEqual(self.visits(plan).user_id, self.seller)

    def test_visits_a_year_and_days_between(self):
        plan = self.make_plan(cadence="interval", interval_number=2, interval_unit="weeks")
        self.assertAlmostEqual(plan.visits_per_year, 26.1, 1)
        self.assertAlmostEqual(plan.cycle_days, 14, 1)
        plan.write({"cadence": "year", "visits_per_year": 10})
        self.assertAlmostEqual(plan.cycle_days, 36.5, 1)
        plan.write({"date_to": date(2028, 1, 31)})
        plan.action_preview()
        self.assertEqual(len(self.visits(plan)), 30)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestRhythm(VisitCase):
    """Any one of visits a year, days between visits and the rhythm gives the others."""

    def assert_rhythm(self, plan, cadence, number, unit, yearly, days):
        self.assertEqual(plan.cadence, cadence)
        self.assertEqual((plan.interval_number, plan.interval_unit), (number, unit))
        self.assertAlmostEqual(plan.visits_per_year, yearly, 1)
        self.assertAlmostEqual(plan.cycle_days, days, 1)

    def test_the_rhythm_is_typed(self):
        with Form(self.make_plan()) as form:
            self.assert_rhythm(form, "date", 1, "months", 12, 30.4)
            form.cadence = "interval"
            self.assert_rhythm(form, "interval", 1, "months", 12, 30.4)
            form.interval_unit = "weeks"
            form.interval_number = 2
            self.assert_rhythm(form, "interval", 2, "weeks", 26.1, 14)
            # In months again, where these are what is asked.
            form.cadence = "weekday"
            self.assert_rhythm(form, "weekday", 1, "months", 12, 30.4)
        self.assert_rhythm(form.record, "weekday", 1, "months", 12, 30.4)

    def test_days_between_visits_are_typed(self):
        for values in (
            {}, {"cadence": "weekday"}, {"cadence": "year", "visits_per_year": 10},
            {"cadence": "interval", "interval_number": 3, "interval_unit": "weeks"},
        ):  # fmt: skip
            with self.subTest(values):
                with Form(self.make_plan(**values)) as form:
                    form.cycle_days = 10
                    self.assert_rhythm(form, "interval", 10, "days", 36.5, 10)
                self.assert_rhythm(form.record, "interval", 10, "days", 36.5, 10)
                form.record.action_preview()
                starts = {visit.period for visit in self.visits(form.record)}
                self.assertEqual(min(starts), BEGIN)
                self.assertEqual(sorted(starts)[1], BEGIN + 10 * DAY)

    def test_visits_a_year_are_typed(self):
        for values in (
            {}, {"cadence": "weekday"}, {"cadence": "year", "visits_per_year": 10},
            {"cadence": "interval", "interval_number": 3, "interval_unit": "weeks"},
        ):  # fmt: skip
            with self.subTest(values):
                with Form(self.make_plan(**values)) as form:
                    form.visits_per_year = 26
                    self.assert_rhythm(form, "year", 2, "weeks", 26, 14)
                self.assert_rhythm(form.record, "year", 2, "weeks", 26, 14)

    def test_one_after_the_other(self):
        plan = self.make_plan(cadence="interval", interval_number=14, interval_unit="days")
        with Form(plan) as form:
            form.visits_per_year = 10
            self.assert_rhythm(form, "year", 37, "days", 10, 36.5)
        with Form(plan) as form:
            form.cycle_days = 14
            self.assert_rhythm(form, "interval", 14, "days", 26.1, 14)
            form.visits_per_year = 52
            self.assert_rhythm(form, "year", 1, "weeks", 52, 7)
            # Gone back to an interval, it is as often as before.
            form.cadence = "interval"
            self.assert_rhythm(form, "interval", 1, "weeks", 52.2, 7)
            form.cycle_days = 30.6
            self.assert_rhythm(form, "interval", 31, "days", 11.8, 31)
        self.assert_rhythm(plan, "interval", 31, "days", 11.8, 31)

    def test_a_new_plan_and_what_is_not_typed(self):
        with Form(self.env["calendar.visit.plan"].with_user(self.manager)) as form:
            form.name = "New"
            form.category_ids.add(self.gold)
            form.cycle_days = 20
        plan = form.record
        self.assert_rhythm(plan, "interval", 20, "days", 18.3, 20)
        # Saved for another reason, it stays as it is.
        plan.action_preview()
        number = plan.proposed_count
        self.assertTrue(number)
        with Form(plan) as form:
            form.name = "Another"
        self.assert_rhythm(plan, "interval", 20, "days", 18.3, 20)
        self.assertEqual(plan.proposed_count, number)

    def test_by_other_programs(self):
        plan = self.make_plan(cadence="date")
        plan.cycle_days = 10.4
        self.assert_rhythm(plan, "interval", 10, "days", 36.5, 10)
        plan.visits_per_year = 24
        self.assert_rhythm(plan, "year", 15, "days", 24, 15.2)
        other = self.make_plan(cadence="interval", cycle_days=7)
        self.assert_rhythm(other, "interval", 7, "days", 52.2, 7)

    def test_numbers_that_give_no_rhythm(self):
        plan = self.make_plan()
        for values in ({"cycle_days": 0}, {"cycle_days": -3}, {"visits_per_year": 400}):
            with self.subTest(values), self.assertRaises(ValidationError):
                with self.env.cr.savepoint():
                    plan.write(values)
        self.assert_rhythm(plan, "date", 1, "months", 12, 30.4)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestBadInput(VisitCase):
    def assert_told(self, plan, words):
        with self.assertRaisesRegex(UserError, words), self.env.cr.savepoint():
            plan.action_preview()
        self.assertFalse(self.visits(plan))

    def test_an_empty_segment(self):
        empty = self.env["res.partner.category"].create({"name": "Nobody"})
        self.assert_told(self.make_plan(category_ids=[(6, 0, empty.ids)]), "no customers")

    def test_an_archived_visitor(self):
        plan = self.make_plan(responsible_by="user", user_id=self.other_seller.id)
        self.other_seller.active = False
        self.assert_told(plan, "archived")

    def test_a_cadence_that_yields_nothing(self):
        for values in (
            {"cadence": "interval", "interval_number": 0}, {"month_day": 0}, {"month_day": 40},
            {"cadence": "year", "visits_per_year": -1}, {"date_to": BEGIN - DAY},
            {"hour_from": 12, "hour_to": 10}, {"duration": 0}, {"duration": 20},
            {"months_ahead": 0}, {"per_day": -1}, {"title": "%(nobody)s"},
            {day: False for day in ("mon", "tue", "wed", "thu", "fri")},
        ):  # fmt: skip
            with self.subTest(values), self.assertRaises(ValidationError):
                self.make_plan(**values)
        # No fifth Friday in February.
        plan = self.make_plan(
            cadence="weekday", month_week="5", month_weekday="4", date_to=date(2027, 2, 28)
        )
        self.assert_told(plan, "fits the rhythm")

    def test_a_period_that_is_over(self):
        plan = self.make_plan(date_from=date(2026, 1, 1), date_to=date(2026, 12, 31))
        self.assert_told(plan, "is over")

    def test_no_working_hours(self):
        plan = self.make_plan()
        self.hours.attendance_ids.unlink()
        self.assert_told(plan, "leave no time")
        other = self.make_plan(name="At night", hour_from=1, hour_to=3)
        self.assert_told(other, "leave no time")

    def test_nobody_in_the_team(self):
        self.team.member_ids = False
        plan = self.make_plan(responsible_by="team", responsible_team_id=self.team.id)
        self.assert_told(plan, "no members")

    def test_very_many_customers_are_asked_about(self):
        plan = self.make_plan()
        with patch.object(calendar_visit_plan_preview, "MANY_CUSTOMERS", 2):
            action = plan.action_preview()
            self.assertEqual(action["res_model"], "calendar.visit.plan.confirm")
            self.assertFalse(self.visits(plan))
            wizard = self.env[action["res_model"]].browse(action["res_id"])
            self.assertEqual(wizard.customer_count, 3)
            self.assertIn("3", action["name"])
            wizard.with_user(self.manager).action_confirm()
        self.assertEqual(len(self.visits(plan)), 33)
        with patch.object(calendar_visit_plan_preview, "MAX_VISITS", 30):
            self.assert_told(self.make_plan(name="Too many"), "33 visits")

    def test_nothing_to_book(self):
        with self.assertRaisesRegex(UserError, "preview first"):
            self.make_plan().action_book()

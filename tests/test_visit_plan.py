"""Visit plans: what is proposed, what is booked, and what becomes of it day by day."""

import datetime
from datetime import date, timedelta
from unittest.mock import patch
from zoneinfo import ZoneInfo

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, new_test_user, tagged

from ..models import calendar_visit_plan_book, calendar_visit_plan_preview
from ..models.calendar_visit_plan import PROTECTED
from ..models.calendar_visit_plan_book import BATCH
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


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestBooking(VisitCase):
    def test_meetings_are_as_the_plan_says(self):
        alarm = self.env["calendar.alarm"].search([("alarm_type", "=", "email")], limit=1)
        tag = self.env["calendar.event.type"].create({"name": "Visit"})
        self.team.technical_user_id = self.other_seller
        plan = self.make_plan(
            title="Visit of %(object_user)s to %(partner)s",
            description="<p>Call %(partner_email)s <script>x</script></p>",
            alarm_ids=[(6, 0, alarm.ids)],
            categ_ids=[(6, 0, tag.ids)],
            show_as="busy",
            privacy="confidential",
            invite_leader=True,
            invite_technical=True,
        )
        triggers = self.env["ir.cron.trigger"].search_count([])
        visits = self.book(plan)
        self.assertEqual(len(visits), 33)
        self.assertEqual(plan.state, "running")
        self.assertGreater(self.env["ir.cron.trigger"].search_count([]), triggers + 30)
        for visit in visits:
            event = visit.event_id
            self.assertEqual(event.name, f"Visit of Sergio Seller to {visit.partner_id.name}")
            self.assertIn(visit.partner_id.email, event.description)
            self.assertNotIn("script", event.description)
            self.assertEqual((event.start, event.stop), (visit.start, visit.stop))
            self.assertEqual(event.duration, 1)
            self.assertEqual(event.user_id, self.seller)
            self.assertEqual(event.team_id, self.team)
            self.assertEqual(event.customer_id, visit.partner_id)
            self.assertIn("Calle Mayor 1", event.location)
            self.assertEqual(event.alarm_ids, alarm)
            self.assertEqual(event.categ_ids, tag)
            self.assertEqual((event.show_as, event.privacy), ("busy", "confidential"))
            people = (self.seller + self.other_seller + self.manager).partner_id
            self.assertEqual(event.partner_ids, people + visit.partner_id)
            self.assertEqual(event.attendee_ids.partner_id, people + visit.partner_id)
            states = {a.partner_id: a.state for a in event.attendee_ids}
            self.assertEqual(states[self.seller.partner_id], "accepted")
            self.assertEqual(states[visit.partner_id], "needsAction")
            self.assertEqual(event.create_uid, self.manager)
            self.assertEqual(event.message_partner_ids, self.seller.partner_id)
        events = visits.event_id
        self.assertEqual(len(set(events.mapped("ical_uid"))), 33)
        self.assertEqual(set(events.mapped("ical_sequence")), {0})
        self.assertEqual(len(set(events.attendee_ids.mapped("access_token"))), 33 * 4)

    def test_rows_past_the_orm_are_those_of_the_orm(self):
        """The first meeting is made by Odoo, the second is a row like it."""
        plan = self.make_plan(description="<p>Agenda</p>")
        first, second = self.book(plan).event_id.sorted("id")[:2]
        own = {
            "id", "name", "start", "stop", "ical_uid", "customer_id", "location", "display_name",
        }  # fmt: skip
        names = [
            name for name, field in first._fields.items()
            if field.store and field.type not in ("one2many",) and name not in own
        ]  # fmt: skip
        made_by_odoo = self.env["calendar.event"].create(
            {"name": "Reference", "start": NOW + DAY, "stop": NOW + DAY + HOUR}
        )
        for name in names:
            if name not in ("partner_ids",):
                self.assertEqual(first[name], second[name], name)
        # No column is empty that Odoo fills for a new meeting.
        self.env.cr.execute(
            "SELECT to_jsonb(e) FROM calendar_event e WHERE id IN %s ORDER BY id",
            [(second.id, made_by_odoo.id)],
        )
        row, reference = (values for (values,) in self.env.cr.fetchall())
        empty = {name for name, value in row.items() if value is None}
        self.assertLessEqual(
            {name for name in empty if reference[name] is not None}, {"res_model", "res_id"}
        )

    def test_rules_hear_of_each_meeting(self):
        rule = self.make_rule(trigger="meeting_booked", notify_attendees=True)
        visits = self.book(self.make_plan())
        self.end_transaction()
        firings = self.Firing.search([("rule_id", "=", rule.id)])
        self.assertEqual(set(firings.mapped("res_id")), set(visits.event_id.ids))

    def test_a_meeting_that_came_in_between_is_never_doubled(self):
        plan = self.make_plan()
        plan.action_preview()
        visit = self.visits(plan)[0]
        self.env["calendar.event"].create(
            {
                "name": "Sooner",
                "start": visit.start + timedelta(minutes=30),
                "stop": visit.stop + HOUR,
                "user_id": self.seller.id,
                "partner_ids": [(6, 0, self.seller.partner_id.ids)],
            }
        )
        plan.action_book()
        self.assertEqual((visit.state, visit.problem), ("unscheduled", "clash"))
        self.assertFalse(visit.event_id)
        booked = self.visits(plan, "booked")
        self.assertFalse(any(v.start < visit.stop + HOUR and v.stop > visit.start for v in booked))
        # The next night finds another time for it.
        self.follow(plan)
        self.assertEqual(visit.state, "booked")

    def test_a_second_run_adds_only_what_is_missing(self):
        plan = self.make_plan()
        booked = self.book(plan)
        events = booked.event_id
        self.follow(plan)
        self.assertEqual(self.visits(plan), booked)
        self.assertEqual(self.visits(plan).event_id, events)
        plan.action_preview()
        self.assertEqual(self.visits(plan), booked)

    def test_in_parts_and_after_a_kill(self):
        self.make_customers(*(f"Customer {n}" for n in range(60)))
        plan = self.make_plan(
            responsible_by="team", responsible_team_id=self.team.id, cadence="interval", per_day=0
        )
        plan.action_preview()
        number = plan.proposed_count
        self.assertGreater(number, 2 * 300)
        action = plan.action_book()
        self.assertEqual(action["tag"], "display_notification")
        self.assertEqual(plan.state, "booking")
        self.assertFalse(self.visits(plan, "booked"))
        # The worker dies in its second part, which is rolled back.
        self.assertEqual(plan._book_part(), BATCH)
        with self.assertRaises(RuntimeError), self.env.cr.savepoint():
            plan._book_part()
            raise RuntimeError
        self.env.invalidate_all()
        self.assertEqual(plan.booked_count, BATCH)
        self.assertGreater(plan.progress, 50)
        with self.no_commit():
            plan.sudo()._work()
        self.assertEqual(plan.state, "running")
        self.assertEqual(plan.booked_count, number)
        self.assertEqual(len(self.visits(plan).event_id), number)
        self.assert_no_overlap(self.visits(plan))

    def test_it_can_be_stopped(self):
        self.make_customers(*(f"Customer {n}" for n in range(60)))
        plan = self.make_plan(
            responsible_by="team", responsible_team_id=self.team.id, cadence="interval", per_day=0
        )
        plan.action_preview()
        plan.action_book()
        plan._book_part()
        plan.action_stop()
        with self.no_commit():
            plan.sudo()._work()
        self.assertEqual(plan.booked_count, BATCH)
        plan.action_book()
        with self.no_commit():
            plan.sudo()._work()
        self.assertFalse(plan.proposed_count)

    def test_undone_as_a_whole(self):
        with self.at(NOW):
            plan = self.make_plan()
            visits = self.book(plan)
        moved = visits[5].event_id
        moved.with_user(self.seller).start += HOUR
        events = visits.event_id
        with freeze_time(datetime.datetime(2027, 3, 20)):
            past = visits.filtered(lambda visit: visit.start < datetime.datetime(2027, 3, 20))
            self.assertTrue(past)
            plan.action_cancel()
        self.assertEqual(plan.state, "cancelled")
        self.assertEqual(self.visits(plan), past | visits[5])
        self.assertEqual(events.exists(), (past | visits[5]).event_id)
        plan.action_draft()
        with freeze_time(datetime.datetime(2027, 3, 20)):
            plan.action_preview()
        self.assertEqual(len(self.visits(plan)), 33)

    def test_a_job_that_fails_says_why(self):
        plan = self.make_plan()
        plan.action_preview()
        self.env.flush_all()
        with (
            patch.object(calendar_visit_plan_book, "AT_ONCE", 0),
            self.no_commit(),
            patch.object(type(plan), "_make_meetings", side_effect=UserError("Oh dear")),
            patch.object(self.env.cr, "rollback"),
            self.assertLogs("odoo.addons.crm_automation", "ERROR"),
        ):
            plan.action_book()
            plan.sudo()._work()
        self.assertEqual((plan.state, plan.failure), ("stopped", "Oh dear"))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestFollowing(VisitCase):
    def test_joiners_get_what_is_left(self):
        plan = self.make_plan()
        self.book(plan)
        with freeze_time(datetime.datetime(2027, 9, 10)):
            late = self.make_customers("Late")
            self.follow(plan)
        mine = self.visits(plan, "booked").filtered(lambda visit: visit.partner_id == late)
        self.assertEqual([visit.target.month for visit in mine], [10, 11, 12])

    def test_leavers_are_cancelled_with_notice_and_changed_ones_kept(self):
        plan = self.make_plan()
        visits = self.book(plan)
        leaver = self.customers[0]
        mine = visits.filtered(lambda visit: visit.partner_id == leaver)
        mine[3].event_id.with_user(self.seller).name = "Contract!"
        events = mine.event_id
        leaver.category_id = False
        messages = self.env["mail.message"].search([], order="id desc", limit=1).id
        self.follow(plan)
        self.assertEqual(mine[3].event_id.exists(), mine[3].event_id)
        self.assertTrue(mine[3].is_leaver and mine[3].by_hand)
        self.assertEqual(set((mine - mine[3]).mapped("state")), {"left"})
        self.assertEqual(events.exists(), mine[3].event_id)
        told = self.env["mail.message"].search(
            [("id", ">", messages), ("partner_ids", "in", self.seller.partner_id.ids)]
        )
        self.assertEqual(len(told), 1)
        self.assertEqual(told.body.count("<li>"), 10)
        self.assertEqual(len(self.visits(plan, "booked")), 23)
        # And back again.
        leaver.category_id = self.gold
        self.follow(plan)
        self.assertEqual(len(self.visits(plan, "booked")), 33)
        self.assertFalse(mine[3].is_leaver)

    def test_frozen_segments_do_not_follow(self):
        plan = self.make_plan(is_dynamic=False)
        self.book(plan)
        self.customers[0].category_id = False
        self.make_customers("Late")
        self.follow(plan)
        self.assertEqual(self.visits(plan, "booked").partner_id, self.customers)
        self.assertEqual(len(self.visits(plan, "booked")), 33)

    def test_losing_nearly_all_is_asked_about(self):
        many = self.make_customers(*(f"Customer {n}" for n in range(25)))
        plan = self.make_plan(cadence="interval", interval_number=3)
        self.book(plan)
        booked = plan.booked_count
        many.category_id = False
        self.follow(plan)
        self.assertIn("25 of 28", plan.failure)
        self.assertEqual(plan.booked_count, booked)
        plan.action_follow()
        self.assertFalse(plan.failure)
        self.assertEqual(self.visits(plan, "booked").partner_id, self.customers)

    def test_another_salesperson(self):
        plan = self.make_plan()
        visits = self.book(plan)
        mine = visits.filtered(lambda visit: visit.partner_id == self.customers[0])
        mine[1].event_id.with_user(self.seller).name = "Contract!"
        self.customers[0].user_id = self.other_seller
        self.follow(plan)
        self.assertEqual(mine[1].user_id, self.seller)
        self.assertEqual((mine - mine[1]).user_id, self.other_seller)
        self.assertEqual((mine - mine[1]).event_id.user_id, self.other_seller)
        self.assertEqual(len(self.visits(plan, "booked")), 33)

    def test_a_plan_that_is_made_shorter(self):
        plan = self.make_plan()
        visits = self.book(plan)
        kept = visits[-1]
        kept.event_id.with_user(self.seller).name = "Contract!"
        early = visits.filtered(lambda visit: visit.period < date(2027, 7, 1))
        plan.date_to = date(2027, 6, 30)
        self.follow(plan)
        booked = self.visits(plan, "booked")
        self.assertEqual(booked - kept, early)
        self.assertIn(kept, booked)
        plan.date_to = END
        self.follow(plan)
        self.assertEqual(len(self.visits(plan, "booked")), 33)

    def test_an_owner_who_is_no_manager_any_more(self):
        plan = self.make_plan()
        self.book(plan)
        self.manager.group_ids -= self.env.ref("sales_team.group_sale_manager")
        self.manager.group_ids += self.env.ref("sales_team.group_sale_salesman")
        self.follow(plan)
        self.assertIn("sales managers", plan.failure)

    def test_the_horizon_rolls(self):
        plan = self.make_plan(cadence="interval", date_to=False, months_ahead=3)
        self.book(plan)
        self.assertEqual(len(self.visits(plan)), 9)
        with freeze_time(datetime.datetime(2027, 3, 1, 10)):
            self.follow(plan)
            self.assertEqual(len(self.visits(plan, "booked")), 12)
            self.follow(plan)
            self.assertEqual(len(self.visits(plan, "booked")), 12)
        self.assertEqual(plan.state, "running")

    def test_meetings_by_hand(self):
        plan = self.make_plan()
        visits = self.book(plan)
        deleted, archived, answered = visits[:3]
        archived.event_id.with_user(self.seller).active = False
        deleted.event_id.with_user(self.seller).unlink()
        answered.event_id.attendee_ids.write({"state": "accepted"})
        self.assertEqual(deleted.state, "cancelled")
        self.assertEqual(archived.state, "cancelled")
        self.assertFalse(answered.by_hand)
        self.follow(plan)
        self.assertEqual(len(self.visits(plan)), 33)
        self.assertEqual(len(self.visits(plan, "booked")), 31)
        archived.event_id.with_user(self.seller).active = True
        self.assertEqual(archived.state, "booked")

    def test_another_rhythm_keeps_what_is_booked(self):
        plan = self.make_plan()
        booked = self.book(plan)
        plan.write({"cadence": "interval", "interval_number": 1, "interval_unit": "weeks"})
        plan.action_preview()
        self.assertEqual(self.visits(plan, "booked"), booked)
        for mine in self.visits(plan).grouped("partner_id").values():
            weeks = [visit.start.isocalendar()[:2] for visit in mine]
            self.assertEqual(len(weeks), len(set(weeks)))
            self.assertGreater(len(weeks), 40)

    def test_an_archived_owner_and_the_end(self):
        plan = self.make_plan()
        self.book(plan)
        self.manager.active = False
        self.follow(plan)
        self.assertIn("archived", plan.failure)
        self.manager.active = True
        with freeze_time(datetime.datetime(2028, 1, 10)):
            self.follow(plan)
        self.assertEqual(plan.state, "done")
        self.assertFalse(plan.failure)

    def test_customers_are_written_to_once(self):
        plan = self.make_plan(tell_customer=True)
        mails = self.env["mail.mail"].search([])
        self.customers[1].email = False
        self.customers[2].write({"lang": "es_ES", "tz": "Atlantic/Canary"})
        visits = self.book(plan)
        new = self.env["mail.mail"].search([]) - mails
        self.assertEqual(new.recipient_ids, self.customers[0] + self.customers[2])
        for mail in new:
            self.assertEqual(mail.body_html.count("<li>"), 11)
            self.assertEqual(mail.attachment_ids.raw.count(b"BEGIN:VEVENT"), 11)
            self.assertEqual(mail.headers.count("auto-generated"), 1)
        self.follow(plan)
        self.assertEqual(self.env["mail.mail"].search([]) - mails, new)
        events = visits.event_id
        plan.action_cancel()
        cancelled = self.env["mail.mail"].search([]) - mails - new
        self.assertEqual(cancelled.recipient_ids, self.customers[0] + self.customers[2])
        # Those that customers have in their calendars stay, cancelled.
        self.assertEqual(len(events.exists()), 22)
        self.assertFalse(any(events.exists().mapped("active")))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestVisitSecurity(VisitCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leader = new_test_user(
            cls.env, "leader", "base.group_user,sales_team.group_sale_salesman",
            email="leader@example.com",
        )  # fmt: skip
        cls.employee = new_test_user(cls.env, "employee", "base.group_user")
        cls.team.user_id = cls.leader

    def test_who_sees_what(self):
        plan = self.make_plan(responsible_by="team", responsible_team_id=self.team.id)
        self.book(plan)
        Visit = self.env["calendar.visit"]
        domain = [("plan_id", "=", plan.id)]
        mine = Visit.with_user(self.seller).search(domain)
        self.assertEqual(mine.user_id, self.seller)
        self.assertEqual(len(Visit.with_user(self.leader).search(domain)), 33)
        self.assertEqual(len(Visit.with_user(self.manager).search(domain)), 33)
        stranger = new_test_user(
            self.env, "stranger", "base.group_user,sales_team.group_sale_salesman"
        )
        self.assertFalse(Visit.with_user(stranger).search(domain))
        self.assertFalse(self.env["calendar.visit.plan"].with_user(stranger).search([]))
        for model in ("calendar.visit.report", "calendar.visit.coverage", "calendar.visit.load"):
            Report = self.env[model]
            self.assertLessEqual(Report.with_user(self.seller).search([]).user_id, self.seller)
            self.assertFalse(Report.with_user(stranger).search([("user_id", "=", self.seller.id)]))
            self.assertIn(self.seller, Report.with_user(self.manager).search([]).user_id)
        for user in (self.portal, self.employee):
            for model in (
                "calendar.visit", "calendar.visit.plan", "calendar.visit.report",
                "calendar.visit.coverage", "calendar.visit.load", "calendar.visit.plan.confirm",
            ):  # fmt: skip
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])
            with self.assertRaises(AccessError):
                self.env["calendar.visit.dashboard"].with_user(user).figures()

    def test_a_salesperson_plans_his_own_visits_only(self):
        Plan = self.env["calendar.visit.plan"].with_user(self.seller)
        for values in (
            {"responsible_by": "user", "user_id": self.other_seller.id},
            {"responsible_by": "team", "responsible_team_id": self.team.id},
            {"responsible_by": "salesperson"},
            {"responsible_by": "user", "user_id": self.seller.id,
             "guest_ids": [(6, 0, self.manager.ids)]},
        ):  # fmt: skip
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.make_plan(user=self.seller, **values)
        plan = self.make_plan(user=self.seller, responsible_by="user", user_id=self.seller.id)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            plan.write({"user_id": self.other_seller.id})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            plan.write({"owner_id": self.manager.id})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            Plan.create({"name": "X", "owner_id": self.manager.id, "user_id": self.seller.id,
                         "responsible_by": "user"})  # fmt: skip
        plan.action_preview()
        visit = self.visits(plan)[0].with_user(self.seller)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            visit.user_id = self.other_seller
        plan.action_book()
        self.assertEqual(self.visits(plan, "booked").event_id.user_id, self.seller)

    def test_a_salesperson_does_not_touch_the_plans_of_others(self):
        plan = self.make_plan()
        self.book(plan)
        mine = plan.with_user(self.seller)
        for method in (
            "action_preview", "action_book", "action_stop", "action_cancel", "action_follow",
            "action_draft",
        ):  # fmt: skip
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                getattr(mine, method)()
        with self.assertRaises(AccessError):
            mine.name = "Mine"
        visit = self.visits(plan)[0].with_user(self.seller)
        for change in (
            lambda: visit.write({"start": NOW + DAY}), visit.action_skip, visit.action_find_time,
            visit.unlink,
        ):  # fmt: skip
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                change()

    def test_protected_fields(self):
        plan = self.make_plan()
        for values in ({"state": "running"}, {"owner_id": self.seller.id}, {"failure": "x"}):
            with self.assertRaises(AccessError):
                plan.write(values)
        self.book(plan)
        with self.assertRaises(UserError):
            plan.unlink()

    def test_another_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        plan = self.make_plan()
        self.manager.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        self.assertFalse(
            self.env["calendar.visit.plan"].with_user(self.manager).search([("id", "=", plan.id)])
        )

    def test_private_meetings_stay_private(self):
        """A clash says that the time is taken, and no more; coverage does not tell."""
        plan = self.make_plan()
        self.book(plan)
        self.env["calendar.event"].with_user(self.seller).create(
            {
                "name": "Secret",
                "privacy": "private",
                "start": NOW - DAY,
                "stop": NOW - DAY + HOUR,
                "customer_id": self.customers[0].id,
                "partner_ids": [(6, 0, self.seller.partner_id.ids)],
            }
        )
        self.env.flush_all()
        row = self.env["calendar.visit.coverage"].search(
            [("plan_id", "=", plan.id), ("partner_id", "=", self.customers[0].id)]
        )
        self.assertFalse(row.last_met)

"""What managers look at: coverage, compliance, load; the customer of a meeting; export."""

import base64
import datetime
from datetime import timedelta

from odoo.tests import freeze_time, tagged

from .test_visit_plan import NOW, VisitCase

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@tagged("post_install", "-at_install")
class TestReports(VisitCase):
    """SQL asks the real clock, so the plan of these tests is around today."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = datetime.date.today()
        cls.plan = cls.make_plan(
            cadence="interval",
            interval_number=2,
            interval_unit="weeks",
            date_from=cls.today,
            date_to=cls.today + timedelta(days=100),
        )
        cls.plan.action_preview()
        cls.plan.action_book()
        cls.booked = cls.env["calendar.visit"].search(
            [("plan_id", "=", cls.plan.id), ("state", "=", "booked")], order="start"
        )

    def over(self, visit, days):
        """The meeting was so many days ago, as planned."""
        start = datetime.datetime.combine(self.today - days * DAY, datetime.time(10))
        event = visit.event_id.with_context(visit_plan_works=True)
        event.write({"start": start, "stop": start + HOUR})
        visit.sudo().write({"start": start, "stop": start + HOUR})
        self.env.flush_all()

    def of_plan(self, model, **values):
        self.env.flush_all()
        self.env.invalidate_all()
        domain = [("plan_id", "=", self.plan.id), *((k, "=", v) for k, v in values.items())]
        return self.env[model].search(domain)

    def test_coverage(self):
        azure, bodega, cava = self.customers
        by_customer = self.booked.grouped("partner_id")
        self.over(by_customer[azure][0], 5)
        self.over(by_customer[bodega][0], 40)
        status = {row.partner_id: row.status for row in self.of_plan("calendar.visit.coverage")}
        self.assertEqual(status, {azure: "met", bodega: "overdue", cava: "never"})
        for row in self.of_plan("calendar.visit.coverage"):
            self.assertTrue(row.has_next)
            self.assertEqual(row.user_id, self.seller)
        # Whatever meeting with the customer counts, not the plan's alone.
        self.env["calendar.event"].create(
            {
                "name": "By chance",
                "start": datetime.datetime.now().replace(microsecond=0) - 3 * HOUR,
                "stop": datetime.datetime.now().replace(microsecond=0) - 2 * HOUR,
                "partner_ids": [(6, 0, (self.seller.partner_id + cava).ids)],
            }
        )
        row = self.of_plan("calendar.visit.coverage", partner_id=cava.id)
        self.assertEqual((row.status, row.days_since), ("met", 0))
        self.booked.filtered(lambda v: v.partner_id == cava).event_id.active = False
        self.assertFalse(self.of_plan("calendar.visit.coverage", partner_id=cava.id).has_next)

    def test_compliance(self):
        held, moved, cancelled, deleted = self.booked[:4]
        self.over(held, 3)
        moved.event_id.with_user(self.seller).start += HOUR
        cancelled.event_id.with_user(self.seller).active = False
        deleted.event_id.with_user(self.seller).unlink()
        answered = self.booked[5]
        answered.event_id.attendee_ids.filtered(
            lambda attendee: attendee.partner_id == answered.partner_id
        ).state = "accepted"
        rows = {row.visit_id: row for row in self.of_plan("calendar.visit.report")}
        self.assertEqual(len(rows), len(self.booked))
        self.assertEqual(rows[held].outcome, "held")
        self.assertFalse(rows[held].is_moved)
        self.assertEqual((rows[moved].outcome, rows[moved].is_moved), ("to_come", True))
        self.assertEqual(rows[moved].date, moved.event_id.start)
        self.assertEqual(rows[cancelled].outcome, "cancelled")
        self.assertEqual(rows[deleted].outcome, "cancelled")
        self.assertEqual(rows[answered].answer, "accepted")
        [group] = self.env["calendar.visit.report"]._read_group(
            [("plan_id", "=", self.plan.id)], [],
            ["planned_count:sum", "held_count:sum", "moved_count:sum", "cancelled_count:sum"],
        )  # fmt: skip
        self.assertEqual(group, (len(self.booked), 1, 1, 2))
        action = rows[held].action_open_visit()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("calendar.event", held.event_id.id)
        )

    def test_load(self):
        monday = self.today - self.today.weekday() * DAY + 14 * DAY
        self.env["calendar.event"].create(
            {
                "name": "Fair",
                "start": datetime.datetime.combine(monday + 2 * DAY, datetime.time(6)),
                "stop": datetime.datetime.combine(monday + 2 * DAY, datetime.time(7, 30)),
                "user_id": self.seller.id,
                "partner_ids": [(6, 0, self.seller.partner_id.ids)],
            }
        )
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "calendar_id": self.hours.id,
                "date_from": datetime.datetime.combine(monday - DAY, datetime.time(23)),
                "date_to": datetime.datetime.combine(monday, datetime.time(22, 59)),
            }
        )
        self.plan._refresh_capacity()
        self.env.flush_all()
        rows = self.env["calendar.visit.load"].search([("user_id", "=", self.seller.id)])
        self.assertEqual(sum(rows.mapped("booked_count")), len(self.booked))
        row = rows.filtered(lambda one: one.week == monday)
        self.assertEqual(row.capacity_hours, 32)
        self.assertEqual(row.other_hours, 1.5)
        used = row.booked_hours + row.other_hours
        self.assertAlmostEqual(row.load, 100 * used / 32, 2)
        visits = self.env["calendar.visit"].search(row.action_open_visits()["domain"])
        self.assertEqual(len(visits), row.booked_count)

    def test_figures_open_what_they_count(self):
        self.over(self.booked[0], 5)
        for user in (self.manager, self.seller):
            Dashboard = self.env["calendar.visit.dashboard"].with_user(user)
            figures = Dashboard.figures()
            self.assertEqual(len(figures), 6)
            for figure in figures[1:]:
                action = figure["action"]
                found = self.env[action["res_model"]].with_user(user).search(action["domain"])
                self.assertEqual(str(len(found)), figure["value"], figure["label"])

    def test_export(self):
        wizard = self.env["calendar.export.ical"]
        for user, number in ((self.manager, len(self.booked)), (self.other_seller, 0)):
            mine = wizard.with_user(user).with_context(
                active_model="calendar.visit.plan", active_ids=self.plan.ids
            )
            export = mine.create({})
            self.assertEqual((export.scope, export.plan_id), ("plan", self.plan))
            if not number:
                # A colleague without visits of this plan has nothing to export.
                self.assertFalse(export._events())
                continue
            export.action_export()
            self.assertEqual(export.number, number)
            self.assertEqual(base64.b64decode(export.file).count(b"BEGIN:VEVENT"), number)
            self.assertEqual(export.file_name, "Gold customers.ics")

    def test_the_customer_opens_his_visits(self):
        customer = self.customers[0].with_user(self.seller)
        self.assertTrue(customer.visit_count)
        action = customer.action_open_visits()
        found = self.env["calendar.visit"].with_user(self.seller).search(action["domain"])
        self.assertEqual(len(found), customer.visit_count)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestMeetingCustomer(VisitCase):
    def meeting(self, partners, **values):
        return self.env["calendar.event"].create(
            {
                "name": "Tasting",
                "start": NOW + DAY,
                "stop": NOW + DAY + HOUR,
                "user_id": self.seller.id,
                "partner_ids": [(6, 0, partners.ids)],
                **values,
            }
        )

    def test_the_only_outsider(self):
        azure, bodega, _cava = self.customers
        colleagues = (self.seller + self.other_seller).partner_id
        self.assertEqual(self.meeting(colleagues + azure).customer_id, azure)
        self.assertFalse(self.meeting(colleagues).customer_id)
        self.assertFalse(self.meeting(colleagues + azure + bodega).customer_id)
        contacts = self.env["res.partner"].create(
            [{"name": name, "parent_id": azure.id} for name in ("Ana", "Bea")]
        )
        self.assertEqual(self.meeting(colleagues + contacts[0]).customer_id, contacts[0])
        self.assertEqual(self.meeting(colleagues + contacts).customer_id, azure)

    def test_of_the_opportunity(self):
        azure, bodega, _cava = self.customers
        lead = self.make_lead(type="opportunity", partner_id=bodega.id, team_id=self.team.id)
        meeting = self.meeting(self.seller.partner_id + azure, opportunity_id=lead.id)
        self.assertEqual((meeting.customer_id, meeting.team_id), (bodega, self.team))

    def test_by_hand_and_later(self):
        azure, bodega, cava = self.customers
        meeting = self.meeting(self.seller.partner_id, customer_id=cava.id)
        self.assertEqual(meeting.customer_id, cava)
        meeting.partner_ids += azure
        self.assertEqual(meeting.customer_id, cava)
        late = self.meeting(self.seller.partner_id)
        late.partner_ids += bodega
        self.assertEqual(late.customer_id, bodega)

    def test_the_team_is_that_of_the_organizer(self):
        meeting = self.meeting(self.seller.partner_id)
        self.assertEqual(meeting.team_id, self.team)
        meeting.user_id = self.manager
        self.assertEqual(meeting.team_id, self.manager.sale_team_id)

    def test_the_customer_of_a_private_meeting_is_nobody_elses_business(self):
        meeting = self.meeting(self.seller.partner_id + self.customers[0], privacy="private")
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(meeting.with_user(self.other_seller).customer_id)
        self.env.invalidate_all()
        self.assertEqual(meeting.with_user(self.seller).customer_id, self.customers[0])

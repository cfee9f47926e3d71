"""What of a visit plan is booked, and what becomes of it day by day."""

import datetime
from datetime import date, timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from ..models import bulk, calendar_event_visit, calendar_visit_plan_book
from .test_visit_plan import DAY, END, HOUR, NOW, VisitCase

#: Visits of one part here: more than one person's, less than all.
PART = 500


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
        visits = self.book(plan)
        self.assertEqual(len(visits), 33)
        self.assertEqual(plan.state, "running")
        start = min(visits.event_id.mapped("start")) - timedelta(days=1)
        due = self.env["calendar.reminder"]._find(start, start + timedelta(days=800))
        self.assertLessEqual(set(visits.event_id.ids), {one.res_id for one in due})
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

    def test_other_calendars_hear_of_what_is_booked(self):
        agenda = self.env["caldav.collection"].sudo()._of(self.seller, "agenda")
        agenda._catch_up()
        token = agenda._token()
        events = self.book(self.make_plan()).event_id
        agenda._catch_up()
        changed, gone, _token, _is_all = agenda._changes_since(token)
        self.assertEqual(len(changed), len(events))
        self.assertFalse(gone)

    def test_where_another_module_has_a_hook_odoo_makes_them_all(self):
        with (
            patch.object(bulk, "KNOWN_MODULES", bulk.KNOWN_MODULES - {"crm"}),
            patch.object(calendar_event_visit, "insert_like") as insert_like,
        ):
            visits = self.book(self.make_plan())
        insert_like.assert_not_called()
        events = visits.event_id
        self.assertEqual(len(set(events.mapped("ical_uid"))), 33)
        for visit in visits:
            self.assertEqual(visit.event_id.customer_id, visit.partner_id)
            self.assertIn(visit.partner_id, visit.event_id.attendee_ids.partner_id)
            self.assertEqual(visit.event_id.message_partner_ids, self.seller.partner_id)

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
        part = plan._book_part(PART)
        self.assertTrue(0 < part <= PART)
        with self.assertRaises(RuntimeError), self.env.cr.savepoint():
            plan._book_part(PART)
            raise RuntimeError
        self.env.invalidate_all()
        self.assertEqual(plan.booked_count, part)
        self.assertAlmostEqual(plan.progress, 100 * part / number)
        # Nobody is left in the middle: each person's first meeting is the dear one.
        self.assertFalse(
            self.visits(plan, "booked").user_id & self.visits(plan, "proposed").user_id
        )
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
        number = plan.proposed_count
        plan.action_book()
        self.assertEqual(plan.progress, 0)
        part = plan._book_part(PART)
        plan.action_stop()
        with self.no_commit():
            plan.sudo()._work()
        self.env.invalidate_all()
        self.assertEqual(plan.booked_count, part)
        self.assertEqual(plan.proposed_count, number - part)
        self.assertAlmostEqual(plan.progress, 100 * part / number)
        self.assertTrue(0 < plan.progress < 100)
        plan.action_book()
        with self.no_commit():
            plan.sudo()._work()
        self.env.invalidate_all()
        self.assertFalse(plan.proposed_count)
        self.assertEqual(plan.progress, 100)

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
            # Each of the days has the link by which he answers.
            mine = visits.filtered(lambda visit, to=mail.recipient_ids: visit.partner_id == to)
            for visit in mine:
                guest = visit.event_id.attendee_ids.filtered(
                    lambda one, to=mail.recipient_ids: one.partner_id == to
                )
                self.assertIn(guest._rsvp_url(), mail.body_html)
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

"""When whom is reminded of what: once, and of what is still to take place."""

from datetime import datetime, timedelta

from odoo.fields import Command
from odoo.tests import tagged

from .common import DAY, HOUR, MINUTE, NOW
from .reminder import START, ReminderCase


@tagged("post_install", "-at_install")
class TestReminderLedger(ReminderCase):
    def test_once_at_its_moment_for_each_who_comes(self):
        meeting = self.meet(self.alarm(15), partners=self.other_partner | self.customer)
        self.assertFalse(self.remind(START - 16 * MINUTE))
        self.assertEqual(self.rows(meeting).mapped("state"), ["pending"] * 2)
        sent = self.remind(START - 15 * MINUTE)
        self.assertEqual({user for user, _one in sent}, {self.seller, self.other_seller})
        self.assertFalse(self.remind(START - 14 * MINUTE))
        self.assertEqual(self.rows(meeting).mapped("state"), ["done"] * 2)

    def test_who_declined_is_not_told(self):
        meeting = self.meet(self.alarm(15), partners=self.other_partner)
        self.remind(START - 20 * MINUTE)
        meeting.attendee_ids.filtered(
            lambda one: one.partner_id == self.other_partner
        ).state = "declined"
        sent = self.remind(START - 15 * MINUTE)
        self.assertEqual([user for user, _one in sent], [self.seller])
        meeting.attendee_ids.filtered(
            lambda one: one.partner_id == self.other_partner
        ).state = "accepted"
        sent = self.remind(START - 14 * MINUTE)
        self.assertEqual([user for user, _one in sent], [self.other_seller])

    def test_moved_in_between(self):
        meeting = self.meet(self.alarm(15))
        self.remind(START - 20 * MINUTE)
        meeting.write({"start": START + HOUR, "stop": START + 2 * HOUR})
        self.assertFalse(self.remind(START - 15 * MINUTE))
        self.assertEqual(len(self.remind(START + 45 * MINUTE)), 1)
        self.assertEqual(self.rows(meeting).mapped("state"), ["cancelled", "done"])

    def test_moved_and_moved_back(self):
        meeting = self.meet(self.alarm(15))
        self.remind(START - 20 * MINUTE)
        meeting.write({"start": START + HOUR, "stop": START + 2 * HOUR})
        self.remind(START - 19 * MINUTE)
        meeting.write({"start": START, "stop": START + HOUR})
        self.assertEqual(len(self.remind(START - 15 * MINUTE)), 1)
        self.assertFalse(self.remind(START - 14 * MINUTE))

    def test_moved_after_it_was_told_it_is_told_again(self):
        meeting = self.meet(self.alarm(15))
        self.assertEqual(len(self.remind(START - 15 * MINUTE)), 1)
        meeting.write({"start": START + DAY, "stop": START + DAY + HOUR})
        self.assertEqual(len(self.remind(START + DAY - 15 * MINUTE)), 1)

    def test_shortened_in_between(self):
        """What is reckoned from the end follows it; what is reckoned from the start stays."""
        end = self.alarm(10, trigger_related="end")
        meeting = self.meet(self.alarm(15), end, hours=2)
        self.assertEqual(len(self.remind(START - 15 * MINUTE)), 1)
        self.remind(START + 80 * MINUTE)
        meeting.stop = START + 90 * MINUTE
        sent = self.remind(START + 81 * MINUTE)
        self.assertEqual(len(sent), 1)
        self.assertFalse(self.remind(START + 110 * MINUTE))

    def test_cancelled_or_deleted_in_between(self):
        archived, deleted = self.meet(self.alarm(15)), self.meet(self.alarm(15))
        self.remind(START - 20 * MINUTE)
        archived.active = False
        rows = self.rows(deleted)
        deleted.unlink()
        self.assertFalse(self.remind(START - 15 * MINUTE))
        self.assertEqual((self.rows(archived) | rows).mapped("state"), ["cancelled"] * 2)

    def test_reminder_taken_off_or_archived(self):
        alarm, other = self.alarm(15), self.alarm(14)
        meeting = self.meet(alarm, other)
        self.remind(START - 20 * MINUTE)
        meeting.alarm_ids = [Command.unlink(alarm.id)]
        other.active = False
        self.assertFalse(self.remind(START - 14 * MINUTE))
        self.assertEqual(self.rows(meeting).mapped("state"), ["cancelled"] * 2)

    def test_booked_inside_the_lead_time(self):
        meeting = self.meet(self.alarm(2, "hours"))
        self.assertEqual(len(self.remind(NOW)), 1)
        self.assertEqual(self.rows(meeting).state, "done")

    def test_what_was_missed_is_caught_up_while_it_is_of_use(self):
        """Stock forgets what lies before its last call."""
        current, over = self.meet(self.alarm(15), hours=5), self.meet(self.alarm(15))
        sent = self.remind(START + 3 * HOUR)
        self.assertEqual([one["res_id"] for _user, one in sent], current.ids)
        self.assertFalse(self.rows(over))

    def test_too_late(self):
        after = self.meet(self.alarm(15, trigger_occurs="after", trigger_related="end"))
        self.remind(START + HOUR)
        self.assertFalse(self.remind(START + 2 * DAY))
        self.assertEqual(self.rows(after).state, "expired")

    def test_of_several_that_were_missed_the_last_one_is_enough(self):
        meeting = self.meet(self.alarm(30), self.alarm(45), self.alarm(50, kind="email"))
        self.remind(NOW)
        self.assertEqual(len(self.remind(START - 5 * MINUTE)), 1)
        told = {(row.alarm_id.duration, row.state) for row in self.rows(meeting)}
        self.assertEqual(told, {(30, "done"), (45, "skipped"), (50, "done")})

    def test_before_the_ledger_was_there_odoo_has_told(self):
        parameters = self.env["ir.config_parameter"]
        meeting = self.meet(self.alarm(15))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE calendar_event SET create_date = '2020-01-01' WHERE id = %s", meeting.ids
        )
        parameters.set_param("crm_automation.reminders_since", str(START - 10 * MINUTE))
        self.assertFalse(self.remind(START - 5 * MINUTE))
        self.assertFalse(self.rows(meeting))

    def test_after_the_start_and_the_end_again_and_at_a_fixed_time(self):
        alarms = (
            self.alarm(10, trigger_occurs="after"),
            self.alarm(0, trigger_related="end"),
            self.alarm(5, trigger_occurs="after", trigger_related="end"),
            self.alarm(1, "weeks"),
            self.alarm(30, repeat=2, repeat_minutes=10),
            self.alarm(0, trigger_at=datetime(2027, 6, 14, 7)),
        )
        meeting = self.meet(*alarms)
        moments = []
        for due in self.Reminder._find(NOW - 30 * DAY, NOW + 30 * DAY):
            self.assertEqual(due.res_id, meeting.id)
            moments.append((due.due_at, due.timing.number))
        self.assertEqual(
            moments,
            [
                (START - 7 * DAY, 0), (datetime(2027, 6, 14, 7), 0), (START - 30 * MINUTE, 0),
                (START - 20 * MINUTE, 1), (START - 10 * MINUTE, 2), (START + 10 * MINUTE, 0),
                (START + HOUR, 0), (START + 65 * MINUTE, 0),
            ],
        )  # fmt: skip

    def test_each_occurrence_of_a_series(self):
        alarm = self.alarm(15)
        first = self.meet(
            alarm, recurrency=True, rrule_type="daily", interval=1, end_type="count", count=4,
            event_tz="Europe/Madrid",
        )  # fmt: skip
        events = first.recurrence_id.calendar_event_ids.sorted("start")
        moved, removed = events[1], events[2]
        moved.write({"start": START + DAY + 3 * HOUR, "stop": START + DAY + 4 * HOUR})
        removed.unlink()
        found = self.Reminder._find(NOW, NOW + 10 * DAY)
        self.assertEqual(
            [due.due_at + 15 * MINUTE for due in found],
            [START, START + DAY + 3 * HOUR, START + 3 * DAY],
        )

    def test_a_day_before_over_both_changes_of_the_clock(self):
        """A day before is the same hour of the day before, whatever hours that day has."""
        alarm, hours = self.alarm(1, "days"), self.alarm(3, "hours")
        for change, early, late in (
            (datetime(2027, 3, 28), 9, 8), (datetime(2027, 10, 31), 8, 9),
        ):  # fmt: skip
            # 10 o'clock in Madrid, on the day after whose night the clock is changed.
            meeting = self.meet(alarm, hours, start=change + timedelta(hours=late))
            found = self.Reminder._find(change - 2 * DAY, change + 2 * DAY)
            moments = [due.due_at for due in found if due.res_id == meeting.id]
            self.assertEqual(
                moments,
                [change - DAY + timedelta(hours=early), change + timedelta(hours=late - 3)],
            )

    def test_whole_days_at_an_hour_of_the_day_before_in_the_reader_s_zone(self):
        alarm, three = self.alarm(15, allday_hour=18.5), self.alarm(3, "days")
        meeting = self.meet(
            alarm, three, partners=self.other_partner, allday=True, start=datetime(2027, 6, 20, 8),
            hours=10,
        )  # fmt: skip
        meeting.write({"start_date": "2027-06-20", "stop_date": "2027-06-21", "allday": True})
        found = self.Reminder._find(NOW, NOW + 30 * DAY)
        moments = {
            (due.partner_id, due.timing.alarm_id): due.due_at for due in found
        }  # fmt: skip
        madrid, new_york = self.seller_partner.id, self.other_partner.id
        self.assertEqual(
            moments,
            {
                (madrid, alarm.id): datetime(2027, 6, 19, 16, 30),
                (madrid, three.id): datetime(2027, 6, 17, 7),
                (new_york, alarm.id): datetime(2027, 6, 19, 22, 30),
                (new_york, three.id): datetime(2027, 6, 17, 13),
            },
        )

    def test_the_zone_of_a_user_is_changed_in_between(self):
        meeting = self.meet(self.alarm(15), allday=True, start=datetime(2027, 6, 20, 8), hours=10)
        # 9 o'clock in Madrid.
        self.remind(datetime(2027, 6, 19, 6, 50))
        self.assertEqual(self.rows(meeting).due_at, datetime(2027, 6, 19, 7))
        self.seller_partner.tz = "Atlantic/Canary"
        self.assertFalse(self.remind(datetime(2027, 6, 19, 7)))
        self.assertEqual(len(self.remind(datetime(2027, 6, 19, 8))), 1)
        self.seller_partner.tz = "Europe/Madrid"
        self.assertFalse(self.remind(datetime(2027, 6, 19, 9)))
        self.assertEqual(len(self.rows(meeting)), 1)

    def test_one_beyond_all_years_stops_nobody_else(self):
        """Such as there may be from before there were limits."""
        far = self.alarm(15) | self.alarm(15) | self.alarm(0, trigger_at=datetime(2027, 6, 14, 7))
        meeting = self.meet(self.alarm(15), *far)
        self.env.cr.execute(
            "UPDATE calendar_alarm SET duration_minutes = 2000000000, trigger_occurs = CASE"
            " WHEN id = %s THEN 'after' ELSE 'before' END, repeat = 1, repeat_minutes = 2000000000,"
            " trigger_at = CASE WHEN trigger_at IS NOT NULL THEN timestamp '9999-12-31' END"
            " WHERE id = ANY(%s)", (far[0].id, far.ids),
        )  # fmt: skip
        self.env["calendar.reminder.own"].create(
            {"user_id": self.other_seller.id, "uid": meeting.ical_uid, "key": "far", "minutes": 0,
             "kind": "notification", "related": "start", "repeat": 100, "every": 2_000_000_000}
        )  # fmt: skip
        meeting.partner_ids |= self.other_partner
        self.end_transaction()
        self.env.invalidate_all()
        told = self.remind(START - 15 * MINUTE)
        self.assertEqual([user for user, _one in told], [self.seller])
        self.assertFalse(self.remind(START))

    def test_odoo_s_own_job_has_nothing_left(self):
        meeting = self.meet(self.alarm(15), self.alarm(15, kind="email"))
        manager = self.env["calendar.alarm_manager"].with_context(lastcall=NOW)
        before = self.env["mail.mail"].search_count([])
        with self.at(START):
            manager._send_reminder()
            self.assertEqual(manager.with_user(self.seller).get_next_notif(), [])
        self.assertEqual(self.env["mail.mail"].search_count([]), before)
        self.assertTrue(meeting.alarm_ids)

    def test_a_save_calls_the_job_where_something_is_due_soon(self):
        job = self.env.ref("crm_automation.ir_cron_enqueuer")

        def calls():
            self.end_transaction()
            return self.env["ir.cron.trigger"].search_count([("cron_id", "=", job.id)])

        with self.at(NOW):
            start = calls()
            meeting = self.meet(self.alarm(15), start=NOW + 3 * HOUR)
            self.assertEqual(calls(), start)
            meeting.write({"start": NOW + 20 * MINUTE, "stop": NOW + HOUR})
            self.assertEqual(calls(), start + 1)
            self.meet(self.alarm(15), start=NOW + 20 * MINUTE)
            self.assertEqual(calls(), start + 2)
            self.meet(start=NOW + 20 * MINUTE)
            self.assertEqual(calls(), start + 2)

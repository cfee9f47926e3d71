"""A series that is changed: its meetings stay who they are."""

from datetime import date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import DAY, HOUR
from .test_ical_event import NOW, IcalCase

#: Kinds of rules, with the fields that say them. The series begins on a Tuesday.
KINDS = {
    "daily": {"rrule_type": "daily"},
    "every third day": {"rrule_type": "daily", "interval": 3},
    "working days": {"rrule_type": "daily", "workdays_only": True},
    "weekly": {"rrule_type": "weekly", "tue": True},
    "twice a week": {"rrule_type": "weekly", "tue": True, "fri": True},
    "biweekly": {"rrule_type": "weekly", "interval": 2, "tue": True, "sun": True},
    "day of the month": {"rrule_type": "monthly", "month_by": "date", "day": 16},
    "weekday of the month": {
        "rrule_type": "monthly", "month_by": "day", "byday": "3", "weekday": "TUE",
    },
    "last day": {"rrule_type": "monthly", "month_by": "last_day"},
    "yearly": {"rrule_type": "yearly"},
    "text": {"rrule_type": False, "rule_text": "FREQ=MONTHLY;BYDAY=1TU,3TU;COUNT=8"},
}  # fmt: skip


class EditCase(IcalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A rule of his own language would have its weeks begin on Sunday.
        cls.env["res.lang"]._lang_get("es_ES").week_start = "7"

    def weekly(self, count=6, **values):
        return self.series(
            datetime(2027, 3, 16, 9),
            **{"rrule_type": "weekly", "tue": True, "count": count, **values},
        )

    def edit(self, event, update="all_events", user=None, **values):
        """Save the meeting as a salesperson, for others of its series too."""
        event.with_user(user or self.seller).write({**values, "recurrence_update": update})
        self.end_transaction()
        self.env.invalidate_all()

    def later(self, event, shift=HOUR):
        return {"start": event.start + shift, "stop": event.stop + shift}


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestEditAll(EditCase):
    def test_every_meeting_stays_the_record_that_it_is(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        answers = {"accepted": events[0], "declined": events[2], "tentative": events[4]}
        for state, event in answers.items():
            self.answer_of(event, self.customer).state = state
        tokens = set(events.attendee_ids.mapped("access_token"))
        starts = events.mapped("start")
        self.edit(events[3], **self.later(events[3]))
        self.assertEqual(self.meetings(recurrence), events)
        self.assertEqual(events.mapped("start"), [start + HOUR for start in starts])
        for state, event in answers.items():
            self.assertEqual(self.answer_of(event, self.customer).state, state)
        self.assertEqual(set(events.attendee_ids.mapped("access_token")), tokens)
        left = (
            self.env["calendar.event"]
            .with_context(active_test=False)
            .search([("ical_uid", "=", recurrence.sudo().ical_uid)])
        )
        self.assertEqual(len(left), 6)
        self.assert_same(recurrence)

    def test_over_the_change_of_the_clocks_the_hour_on_the_wall_is_the_same(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        self.assertEqual([event.start.hour for event in events], [9, 9, 8, 8, 8, 8])
        # Changed in winter time, from ten to half past eleven.
        self.edit(events[0], **self.later(events[0], timedelta(minutes=90)))
        self.assertEqual(
            [(one.start.hour, one.start.minute) for one in events],
            [(10, 30), (10, 30), (9, 30), (9, 30), (9, 30), (9, 30)],
        )

    def test_a_removed_one_does_not_come_back(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        events[2].with_user(self.seller).unlink()
        archived = events[4]
        archived.active = False
        self.end_transaction()
        rest = self.meetings(recurrence)
        self.edit(rest[0], **self.later(rest[0], DAY + HOUR))
        self.assertEqual(self.meetings(recurrence), rest)
        self.assertEqual(recurrence.ical_exdates, ["2027-03-31T09:00:00", "2027-04-14T09:00:00"])
        self.assertFalse(archived.active)
        self.assert_same(recurrence)
        # It comes back to where it would be now.
        archived.active = True
        self.assertEqual(archived.start, datetime(2027, 4, 14, 9))
        self.assertEqual(recurrence.ical_exdates, ["2027-03-31T09:00:00"])

    def test_a_moved_one_stays_where_it_is_and_knows_its_place(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        third = events[2]
        third.with_user(self.seller).write(
            {"start": datetime(2027, 4, 1, 15), "stop": datetime(2027, 4, 1, 17)}
        )
        self.end_transaction()
        self.edit(events[0], **self.later(events[0]))
        self.assertEqual(third.start, datetime(2027, 4, 1, 15))
        self.assertEqual(third.stop, datetime(2027, 4, 1, 17))
        self.assertEqual(third.ical_recurrence_start, datetime(2027, 3, 30, 9))
        self.assert_same(recurrence)

    def test_the_one_that_was_moved_is_edited_with_all(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        events[2].write(self.later(events[2], 3 * HOUR))
        self.end_transaction()
        self.edit(events[2], **self.later(events[2]))
        self.assertEqual([event.start.hour for event in events], [10, 10, 12, 9, 9, 9])
        self.assertEqual(events[2].ical_recurrence_start.hour, 9)
        self.assert_same(recurrence)

    def test_what_one_says_by_itself_stays(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        events[1].write({"name": "With the new cellar master", "location": "Cellar"})
        guest = self.env["res.partner"].create({"name": "Guest", "email": "guest@example.com"})
        events[1].write({"partner_ids": [Command.link(guest.id)]})
        self.end_transaction()
        invited = [Command.unlink(self.customer.id), Command.link(self.manager.partner_id.id)]
        self.edit(events[0], name="Big tasting", location="Room 2", partner_ids=invited)
        self.assertEqual(set((events - events[1]).mapped("name")), {"Big tasting"})
        self.assertEqual(events[1].name, "With the new cellar master")
        self.assertEqual(events[1].location, "Cellar")
        self.assertIn(guest, events[1].partner_ids)
        self.assertEqual(events[1].attendee_ids.partner_id, events[1].partner_ids)
        for event in events:
            self.assertIn(self.manager.partner_id, event.attendee_ids.partner_id)
            self.assertNotIn(self.customer, event.partner_ids)
            self.assertEqual(len(event.attendee_ids), len(event.partner_ids))

    def test_the_one_that_says_it_by_itself_is_edited(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        events[1].name = "Special"
        self.edit(events[1], name="All the same")
        self.assertEqual(set(events.mapped("name")), {"All the same"})

    def test_longer(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        events[3].write({"stop": events[3].stop + 3 * HOUR})
        self.edit(events[0], stop=events[0].stop + HOUR)
        self.assertEqual(
            [event.stop - event.start for event in events],
            [2 * HOUR, 2 * HOUR, 2 * HOUR, 4 * HOUR, 2 * HOUR, 2 * HOUR],
        )

    def test_to_whole_days_and_back(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        self.edit(events[1], allday=True, start_date=date(2027, 3, 24), stop_date=date(2027, 3, 25))
        self.assertEqual(self.meetings(recurrence), events)
        self.assertEqual(events[0].start_date, date(2027, 3, 17))
        self.assertEqual(set(events.mapped("allday")), {True})
        self.assertTrue(recurrence.wed)
        self.assert_same(recurrence)
        start = datetime(2027, 3, 24, 15)
        self.edit(events[1], allday=False, start=start, stop=start + HOUR)
        self.assertEqual(self.meetings(recurrence), events)
        self.assertEqual(events[0].start, datetime(2027, 3, 17, 15))
        self.assert_same(recurrence)

    def test_to_another_day_of_the_week(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        self.edit(events[0], tue=False, wed=True)
        self.assertEqual(self.meetings(recurrence), events)
        self.assertEqual({event.start.weekday() for event in events}, {2})
        self.assert_same(recurrence)

    def test_every_second_one_goes(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        self.edit(events[0], interval=2, count=3)
        self.assertEqual(self.meetings(recurrence), events[0] + events[2] + events[4])
        gone = events[1] + events[3] + events[5]
        self.assertEqual((gone.mapped("active"), gone.recurrence_id), ([False] * 3, recurrence[:0]))
        self.assertNotIn(recurrence.sudo().ical_uid, gone.mapped("ical_uid"))
        self.assert_same(recurrence)

    def test_more_and_fewer(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        events[0].location = "By itself"
        self.edit(events[0], count=9)
        now = self.meetings(recurrence)
        self.assertEqual(now[:6], events)
        self.assertEqual(len(now), 9)
        # The new ones are like most of them.
        self.assertEqual(set(now[6:].mapped("location")), {False})
        self.assertEqual(now[8].attendee_ids.partner_id, self.everybody)
        self.edit(events[0], end_type="end_date", until=date(2027, 4, 1))
        self.assertEqual(self.meetings(recurrence), events[:3])
        self.assert_same(recurrence)

    def test_from_weeks_to_days(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        self.edit(events[0], rrule_type="daily", interval=7)
        self.assertEqual(self.meetings(recurrence), events)
        self.edit(events[0], rrule_type="monthly")
        self.assertEqual(self.meetings(recurrence)[0], events[0])
        self.assertEqual((recurrence.month_by, recurrence.day), ("date", 16))
        self.assertEqual(len(self.meetings(recurrence)), 6)
        self.assert_same(recurrence)

    def test_a_rule_without_any_meeting(self):
        recurrence = self.weekly()
        event = self.meetings(recurrence)[0]
        with self.assertRaises(UserError):
            self.edit(event, end_type="end_date", until=date(2027, 1, 1))

    def test_the_caller_keeps_his_dict(self):
        event = self.meetings(self.weekly())[0]
        values = {"name": "Other", "recurrence_update": "all_events"}
        event.write(values)
        self.assertEqual(values, {"name": "Other", "recurrence_update": "all_events"})

    def test_a_client_cannot_write_places_by_the_context(self):
        event = self.meetings(self.weekly())[0].with_user(self.seller)
        shouted = event.with_context(series_scope="all_events", ical_incoming=True)
        shouted.write(self.later(event))
        self.assertEqual(event.sudo().ical_recurrence_start, datetime(2027, 3, 16, 9))
        with self.assertRaises(AccessError):
            shouted.write({"ical_recurrence_start": False})

    def test_a_portal_user_edits_nothing(self):
        events = self.meetings(self.weekly())
        events.write({"partner_ids": [Command.link(self.portal.partner_id.id)]})
        with self.assertRaises(AccessError):
            self.edit(events[0], user=self.portal, name="Mine")

    def test_a_private_series_is_not_edited_by_others(self):
        recurrence = self.weekly(privacy="private")
        with self.assertRaises(AccessError):
            self.edit(self.meetings(recurrence)[0], user=self.manager, name="Mine")


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestEditFollowing(EditCase):
    def test_moved(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        self.answer_of(events[4], self.customer).state = "accepted"
        events[3].write({"location": "By itself"})
        self.edit(events[2], "future_events", **self.later(events[2], DAY))
        self.assertEqual(self.meetings(recurrence), events[:2])
        new = events[2].recurrence_id
        self.assertEqual(self.meetings(new), events[2:])
        self.assertEqual({event.start.weekday() for event in events[2:]}, {2})
        self.assertEqual(new.count, 4)
        self.assertEqual(self.answer_of(events[4], self.customer).state, "accepted")
        self.assertEqual(events[3].location, "By itself")
        self.assertNotEqual(new.sudo().ical_uid, recurrence.sudo().ical_uid)
        self.assertEqual(set(events[2:].mapped("ical_uid")), {new.sudo().ical_uid})
        self.assertEqual(recurrence.until, date(2027, 3, 29))
        self.assert_same(recurrence)
        self.assert_same(new)

    def test_removed_and_moved_ones_are_on_their_side(self):
        recurrence = self.weekly(count=8)
        events = self.meetings(recurrence)
        events[1].unlink()
        events[5].unlink()
        # The fourth was moved before the third, the second but one behind.
        events[3].write({"start": datetime(2027, 3, 20, 9), "stop": datetime(2027, 3, 20, 10)})
        events[0].write({"start": datetime(2027, 5, 2, 9), "stop": datetime(2027, 5, 2, 10)})
        self.end_transaction()
        self.edit(events[2], "future_events", **self.later(events[2]))
        new = events[2].recurrence_id
        self.assertEqual(events[3].recurrence_id, new)
        self.assertEqual(events[0].recurrence_id, recurrence)
        self.assertEqual(events[3].start, datetime(2027, 3, 20, 9))
        self.assertEqual(recurrence.ical_exdates, ["2027-03-23T09:00:00"])
        self.assertEqual(new.ical_exdates, ["2027-04-20T09:00:00"])
        self.assert_same(recurrence)
        self.assert_same(new)

    def test_from_the_first_it_is_the_same_series(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        uid = recurrence.sudo().ical_uid
        self.edit(events[0], "future_events", **self.later(events[0]))
        self.assertEqual(self.meetings(recurrence), events)
        self.assertEqual(recurrence.sudo().ical_uid, uid)

    def test_twice_a_week_is_split_within_the_week(self):
        recurrence = self.weekly(fri=True, count=8)
        events = self.meetings(recurrence)
        self.edit(events[3], "future_events", name="Other")
        self.assertEqual(self.meetings(recurrence), events[:3])
        self.assertEqual(self.meetings(events[3].recurrence_id), events[3:])
        self.assert_same(recurrence)
        self.assert_same(events[3].recurrence_id)

    def test_another_rule(self):
        recurrence = self.weekly()
        events = self.meetings(recurrence)
        self.edit(events[2], "future_events", interval=2, count=2)
        self.assertEqual(self.meetings(events[2].recurrence_id), events[2] + events[4])
        self.assertEqual((events[3] + events[5]).mapped("active"), [False, False])
        self.assertEqual(self.meetings(recurrence), events[:2])


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestEditProperty(EditCase):
    """Whatever the rule, the edit and the history."""

    def make(self, kind):
        values = {"count": 8, "tue": False, **KINDS[kind]}
        if kind == "text":
            values.pop("count")
        return self.series(datetime(2027, 3, 16, 9), **values)

    @settings(
        max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(
        st.sampled_from(sorted(KINDS)),
        st.sets(st.integers(0, 7), max_size=3),
        st.sets(st.integers(0, 7), max_size=2),
        st.integers(0, 7),
        st.integers(-9, 9),
        st.sampled_from(["all_events", "future_events"]),
    )
    def test_a_shift_keeps_every_meeting(self, kind, removed, moved, which, hours, update):
        with self.env.cr.savepoint() as savepoint:
            recurrence = self.make(kind)
            events = self.meetings(recurrence)
            self.assertEqual(len(events), 8)
            for number in moved:
                events[number].write(self.later(events[number], 2 * DAY + HOUR))
            gone = events.browse([events[number].id for number in removed])
            gone.unlink()
            self.end_transaction()
            left = (events - gone).sorted("start")
            before = {event: event.start for event in left}
            edited = left[which % len(left)]
            self.edit(edited, update, **self.later(edited, timedelta(hours=hours)))
            self.assertTrue(all(left.mapped("active")))
            together = self.meetings(recurrence) | self.meetings(edited.recurrence_id)
            self.assertEqual(set(together), set(left))
            self.assertEqual(edited.start, before[edited] + timedelta(hours=hours))
            for series in recurrence | edited.recurrence_id:
                self.assert_same(series)
            savepoint.close(rollback=True)

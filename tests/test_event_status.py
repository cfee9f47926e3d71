"""Tentative, confirmed, cancelled: of a meeting, in its text, and there and back."""

from datetime import datetime

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged

from .test_ical_event import NOW, IcalCase


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestEventStatus(IcalCase):
    def test_by_the_buttons(self):
        meeting = self.make_meeting().with_user(self.seller)
        self.assertEqual(meeting.event_status, "confirmed")
        meeting.action_status_tentative()
        self.end_transaction()
        self.assertEqual(meeting.event_status, "tentative")
        self.assertIn("STATUS:TENTATIVE", self.text(meeting))
        self.assertEqual(meeting.ical_sequence, 1)
        meeting.action_status_cancelled()
        self.end_transaction()
        self.assertEqual((meeting.event_status, meeting.active), ("cancelled", False))
        self.assertIn("STATUS:CANCELLED", self.text(meeting))
        meeting.action_status_confirmed()
        self.end_transaction()
        self.assertEqual((meeting.event_status, meeting.active), ("confirmed", True))
        self.assertIn("STATUS:CONFIRMED", self.text(meeting))

    def test_by_the_field(self):
        meeting = self.make_meeting(event_status="tentative")
        self.assertTrue(meeting.is_tentative)
        meeting.event_status = "cancelled"
        self.assertFalse(meeting.active)
        found = (
            self.env["calendar.event"]
            .with_context(active_test=False)
            .search([("event_status", "=", "cancelled"), ("id", "=", meeting.id)])
        )
        self.assertEqual(found, meeting)

    def test_of_a_series(self):
        recurrence = self.series(datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6)
        events = self.meetings(recurrence)
        scoped = events[2].with_user(self.seller).with_context(recurrence_update="all_events")
        scoped.action_status_tentative()
        self.assertEqual(set(events.mapped("event_status")), {"tentative"})
        self.assertIn("STATUS:TENTATIVE", self.assert_same(recurrence))
        events[1].with_user(self.seller).action_status_confirmed()
        self.assertEqual(events[1].event_status, "confirmed")
        self.assert_same(recurrence)
        following = events[4].with_user(self.seller).with_context(recurrence_update="future_events")
        following.action_status_cancelled()
        self.assertEqual(self.meetings(recurrence), events[:4])
        self.assertEqual(events[5].event_status, "cancelled")

    def test_private_of_others(self):
        meeting = self.make_meeting(privacy="private", partner_ids=[(5,)], is_tentative=True)
        seen = meeting.with_user(self.manager)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(seen.event_status)
        self.assertEqual(seen.display_name, "Busy")
        text = self.text(meeting, self.manager)
        self.assertIn("SUMMARY:Busy", text)
        self.assertNotIn("TENTATIVE", text)
        with self.assertRaises(AccessError):
            seen.action_status_cancelled()

    def test_a_portal_user_sets_none(self):
        meeting = self.make_meeting()
        meeting.partner_ids += self.portal.partner_id
        with self.assertRaises(AccessError):
            meeting.with_user(self.portal).action_status_cancelled()

    def test_there_and_back(self):
        meeting = self.make_meeting(is_tentative=True)
        text = self.text(meeting)
        owner = self.other_seller
        events = self.env["calendar.event"].with_user(owner)
        copy = text.replace(meeting.ical_uid, "copy@example.com").encode()
        [result] = events._ical_upsert(events._ical_compare(copy, owner), owner)
        self.assertEqual(result.record.event_status, "tentative")
        [again] = events._ical_compare(copy, owner)
        self.assertEqual(again.kind, "unchanged")
        newer = copy.replace(b"STATUS:TENTATIVE", b"STATUS:CONFIRMED").replace(
            b"SEQUENCE:0", b"SEQUENCE:7"
        )
        if b"SEQUENCE" not in newer:
            newer = newer.replace(b"STATUS:CONFIRMED", b"STATUS:CONFIRMED\r\nSEQUENCE:7")
        [result] = events._ical_upsert(events._ical_compare(newer, owner), owner)
        self.assertEqual(result.record.event_status, "confirmed")

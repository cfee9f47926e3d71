"""Reminders in a browser: what waits for it, what comes over the bus, later and seen."""

from datetime import timedelta
from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from odoo.addons.bus.models.bus import channel_with_db, dispatch, json_dump

from .reminder import ReminderCase


def send_at_once(bus, target, kind, message):
    """What the commit does, which a test has not got: the row, and the call of the socket."""
    channel = channel_with_db(bus.env.cr.dbname, target)
    bus.sudo().create(
        {
            "channel": json_dump(channel),
            "message": json_dump({"type": kind, "payload": message}),
        }
    )
    bus.env.flush_all()
    for socket in list(dispatch._channels_to_ws.get(channel, ())):
        socket.trigger_notification_dispatching()


@tagged("post_install", "-at_install")
class TestReminderTour(ReminderCase, HttpCase):
    def test_seen_put_off_and_tried(self):
        self.manager.tz = "Europe/Madrid"
        now = self.env.cr.now().replace(microsecond=0)
        meeting = self.meet(
            self.alarm(15), user=self.manager, start=now + timedelta(minutes=12),
            location="Cellar", videocall_location="https://meet.example.com/x",
        )  # fmt: skip
        with self.no_commit():
            self.Reminder._enqueue()
            self.Firing._drain()
        self.assertEqual(self.rows(meeting).state, "done")
        with patch.object(type(self.env["bus.bus"]), "_sendone", send_at_once):
            self.start_tour("/odoo", "crm_automation_reminder", login="rule_manager")
        rows = self.rows(meeting)
        self.assertEqual(len(rows), 3)
        self.assertTrue(rows.filtered(lambda row: not row.snooze and not row.own_key).dismissed_at)
        self.assertEqual(rows.filtered("snooze").state, "pending")
        self.assertTrue(rows.filtered("own_key").dismissed_at)

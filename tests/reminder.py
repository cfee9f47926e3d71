"""What the tests of reminders share."""

from datetime import timedelta
from unittest.mock import patch

from odoo.fields import Command

from ..models.calendar_reminder_run import BUS
from .common import NOW, AutomationCase

#: At NOW nothing is due yet; the meeting begins in an hour.
START = NOW + timedelta(hours=1)


class ReminderCase(AutomationCase):
    """Meetings with reminders, and a clock."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Reminder = cls.env["calendar.reminder"]
        cls.Alarm = cls.env["calendar.alarm"]
        cls.env["calendar.event"].search([]).active = False
        cls.env["ir.config_parameter"].set_param(
            "crm_automation.reminders_since", "2026-01-01 00:00:00"
        )
        cls.seller_partner = cls.seller.partner_id
        cls.other_partner = cls.other_seller.partner_id
        cls.other_partner.tz = "America/New_York"

    @classmethod
    def alarm(cls, duration=15, interval="minutes", kind="notification", **values):
        return cls.Alarm.create(
            {"name": "Alarm", "alarm_type": kind, "duration": duration, "interval": interval,
             **values}
        )  # fmt: skip

    @classmethod
    def meet(cls, *alarms, start=START, hours=1, partners=None, user=None, **values):
        user = user or cls.seller
        partners = (partners or cls.env["res.partner"]) | user.partner_id
        event = cls.env["calendar.event"].with_user(user).with_context(
            no_mail_to_attendees=True, skip_attendee_notification=True
        ).create(
            {
                "name": "Tasting", "start": start, "stop": start + timedelta(hours=hours),
                "user_id": user.id, "partner_ids": [Command.set(partners.ids)],
                "alarm_ids": [Command.set([one.id for one in alarms])], **values,
            }
        )  # fmt: skip
        cls.end_transaction()
        return event.sudo()

    def remind(self, moment):
        """Let the job look and the drainer work at a moment.

        :return: what went over the bus, (user, payload of one reminder)
        """
        sent = []

        def note(users, kind, message, **_options):
            if kind == BUS:
                sent.extend((user, one) for user in users for one in message)

        with self.at(moment), self.no_commit(), patch.object(
            type(self.env["res.users"]), "_bus_send", note
        ):  # fmt: skip
            self.Reminder._enqueue()
            self.Firing._drain()
        return sent

    def rows(self, event, state=None):
        domain = [("res_model", "=", event._name), ("res_id", "in", event.ids)]
        if state:
            domain.append(("state", "=", state))
        return self.Reminder.search(domain, order="due_at, id")

    def mails(self, event):
        """The mails that were queued for it."""
        return self.rows(event).mail_id

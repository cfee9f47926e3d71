"""OpenERP's two examples of repeated meetings in the browser, in Spanish."""

from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import AutomationData


@tagged("post_install", "-at_install")
class TestRecurrenceTours(AutomationData, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The browser is in the zone of the machine, which is UTC where tests run; shortly
        # before midnight the user's zone would have another day.
        (cls.seller + cls.manager).write({"lang": "es_ES", "tz": "UTC"})
        cls.env.ref("calendar.alarm_mail_1").with_context(
            lang="es_ES"
        ).name = "Correo electrónico - 3 Horas"

    def meetings(self, name):
        return self.env["calendar.event"].with_context(active_test=False).search(
            [("name", "=", name)], order="start"
        )  # fmt: skip

    def test_monthly_on_the_third_for_a_year(self):
        self.start_tour("/odoo", "crm_automation_meeting_monthly", login="seller")
        events = self.meetings("Visita mensual del tour")
        self.assertEqual(len(events), 12)
        self.assertEqual({event._get_start_date().day for event in events}, {3})
        self.assertEqual(events[11].start.date(), events[0].start.date() + relativedelta(months=11))
        self.assertEqual(set(events.mapped("show_as")), {"busy"})
        self.assertEqual(events.alarm_ids, self.env.ref("calendar.alarm_mail_1"))
        self.assertEqual(events.mapped("active").count(False), 1)
        self.assertFalse(events[1].active)
        self.assertEqual(events.mapped("event_status").count("tentative"), 1)

    def test_daily_until_a_date(self):
        self.start_tour("/odoo", "crm_automation_meeting_daily", login="seller")
        events = self.meetings("Feria del tour")
        self.assertEqual(len(events), 10)
        first = events[0].start
        self.assertEqual(
            [event.start.date() for event in events],
            [(first + timedelta(days=number)).date() for number in range(10)],
        )
        self.assertEqual(set(events.mapped("show_as")), {"busy"})
        # Whoever looks for a free hour finds none of these.
        busy = self.seller.partner_id._get_busy_calendar_events(first, events[9].stop)
        self.assertEqual(len(busy[self.seller.partner_id.id] & events), 10)
        events.privacy = "private"
        self.env.flush_all()
        self.env.invalidate_all()
        seen = events.with_user(self.manager)
        self.assertEqual(set(seen.mapped("display_name")), {"Ocupado"})
        self.assertEqual(set(seen.mapped("show_as")), {"busy"})
        self.assertGreaterEqual(events[9].stop, fields.Datetime.now())

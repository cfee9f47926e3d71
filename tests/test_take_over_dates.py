"""Odoo's own rules about dates taken over: nothing twice, nothing missed."""

from contextlib import contextmanager
from unittest.mock import patch

from odoo.tests import tagged

from .common import DAY, HOUR, MINUTE, NOW
from .test_take_over import TakeOverCase


@tagged("post_install", "-at_install")
class TestDates(TakeOverCase):
    """Nothing that is due is lost between the two, and nothing is done twice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.partner_id.tz = False
        cls.code = [{"state": "code", "code": "record.write({'city': (record.city or '') + 'x'})"}]

    @contextmanager
    def stock_job(self):
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda *_args, **_kwargs: 99
        ):
            yield

    def stock_looks(self, moment):
        with self.at(moment), self.stock_job():
            self.env["base.automation"]._cron_process_time_based_actions()
            self.env.flush_all()
        self.end_transaction()

    def look(self, moment):
        self.end_transaction()
        with self.at(moment), self.no_commit():
            self.Rule._enqueue_moments()
            self.Firing._drain()

    def lead_of(self, moment, **values):
        with self.at(moment):
            lead = self.make_lead(**values)
            self.env.flush_all()
        return lead

    def dated(self, **values):
        """Odoo's rule 5 minutes before the conversion date, a moment; or as the values say."""
        return self.make_stock(
            "on_time",
            actions=self.code,
            **{
                "trg_date_id": self.field("date_conversion").id,
                "trg_date_range": 5,
                "trg_date_range_type": "minutes",
                "trg_date_range_mode": "before",
                **values,
            },
        )

    def done(self, *leads):
        """How often either rule has acted on each lead."""
        return [len(lead.city or "") for lead in leads]

    def at_take_over(self, moment, stock):
        with self.at(moment):
            return self.take_over(stock)

    def test_the_rule(self):
        rule = self.take_over(self.dated())
        self.assertEqual((rule.trigger, rule.date_type), ("moment", "field"))
        self.assertEqual(rule.date_field_id, self.field("date_conversion"))
        self.assertEqual(
            (rule.delay_number, rule.delay_unit, rule.delay_before), (5, "minutes", "before")
        )

    def test_what_odoo_misses_is_done_and_nothing_twice(self):
        with self.at(NOW - 2 * DAY):
            stock = self.dated()
        by_odoo = self.lead_of(NOW - DAY, date_conversion=NOW + 5 * MINUTE)
        gap = self.lead_of(NOW - DAY, date_conversion=NOW + 10 * MINUTE)
        later = self.lead_of(NOW - DAY, date_conversion=NOW + 2 * HOUR)
        self.stock_looks(NOW + MINUTE)
        self.assertEqual(self.done(by_odoo, gap, later), [1, 0, 0])
        # Made inside the window: Odoo's next look begins after its moment.
        missed = self.lead_of(NOW + 2 * MINUTE, date_conversion=NOW + 5 * MINUTE)
        self.stock_looks(NOW + 3 * MINUTE)
        self.assertEqual(self.done(missed), [0], "stock misses it")
        # Made since Odoo's last look, with a moment before it; and one whose moment goes by
        # while neither looks.
        late = self.lead_of(NOW + 4 * MINUTE, date_conversion=NOW + 7 * MINUTE + MINUTE / 2)
        self.at_take_over(NOW + 7 * MINUTE, stock)
        everything = (by_odoo, gap, later, late)
        self.look(NOW + 7 * MINUTE)
        self.assertEqual(self.done(*everything), [1, 1, 0, 1])
        new = self.lead_of(NOW + 8 * MINUTE, date_conversion=NOW + 9 * MINUTE)
        self.look(NOW + 8 * MINUTE)
        self.assertEqual(self.done(new), [1], "made inside the window")
        self.look(NOW + 2 * HOUR)
        self.stock_looks(NOW + 2 * HOUR)
        self.assertEqual(self.done(*everything, new), [1, 1, 1, 1, 1])
        # Before its last look Odoo's rule kept no list: that one stays missed.
        self.assertEqual(self.done(missed), [0])

    def test_given_back_nothing_twice_either(self):
        with self.at(NOW - 2 * DAY):
            stock = self.dated()
        first = self.lead_of(NOW - DAY, date_conversion=NOW + 5 * MINUTE)
        second = self.lead_of(NOW - DAY, date_conversion=NOW + HOUR)
        third = self.lead_of(NOW - DAY, date_conversion=NOW + 2 * HOUR)
        self.stock_looks(NOW + MINUTE)
        self.at_take_over(NOW + 2 * MINUTE, stock)
        self.look(NOW + HOUR)
        self.assertEqual(self.done(first, second, third), [1, 1, 0])
        with self.at(NOW + HOUR + MINUTE):
            self.line(stock).action_give_back()
        self.stock_looks(NOW + HOUR + 2 * MINUTE)
        self.look(NOW + HOUR + 2 * MINUTE)
        self.assertEqual(self.done(first, second, third), [1, 1, 0])
        self.stock_looks(NOW + 3 * HOUR)
        self.assertEqual(self.done(first, second, third), [1, 1, 1])

    def test_switched_off_before_it_is_given_back(self):
        with self.at(NOW - 2 * DAY):
            stock = self.dated()
        first = self.lead_of(NOW - DAY, date_conversion=NOW + HOUR)
        second = self.lead_of(NOW - DAY, date_conversion=NOW + 2 * HOUR)
        self.stock_looks(NOW)
        rule = self.at_take_over(NOW + MINUTE, stock)
        self.look(NOW + HOUR)
        rule.action_disable()
        with self.at(NOW + 5 * HOUR):
            self.line(stock).action_give_back()
        self.stock_looks(NOW + 5 * HOUR + MINUTE)
        self.assertEqual(self.done(first, second), [1, 1])

    def test_a_rule_that_never_acted_changes_nothing(self):
        with self.at(NOW - 2 * DAY):
            stock = self.dated()
        self.stock_looks(NOW)
        before = stock.last_run
        with self.at(NOW + MINUTE):
            self.take_over(stock, enable=False)
        with self.at(NOW + HOUR):
            self.line(stock).action_give_back()
        self.assertEqual(stock.last_run, before)

    def test_a_day(self):
        """To Odoo's rule a day is over from midnight UTC; ours acts at 8:00 in Madrid."""
        with self.at(NOW - 9 * DAY):
            stock = self.dated(
                trg_date_id=self.field("date_deadline").id, trg_date_range=1,
                trg_date_range_type="day",
            )  # fmt: skip
        midnight = NOW.replace(hour=0)
        today = self.lead_of(NOW - 5 * DAY, date_deadline=(NOW + DAY).date())
        tomorrow = self.lead_of(NOW - 5 * DAY, date_deadline=(NOW + 2 * DAY).date())
        self.stock_looks(midnight + 10 * MINUTE)
        self.assertEqual(self.done(today, tomorrow), [1, 0])
        # Too late for Odoo's rule, which has done this day.
        missed = self.lead_of(midnight + HOUR, date_deadline=(NOW + DAY).date())
        self.at_take_over(midnight + 2 * HOUR, stock)
        for hours in range(2, 60, 2):
            self.look(midnight + hours * HOUR)
        self.assertEqual(self.done(today, tomorrow, missed), [1, 1, 1])
        skipped = self.firings(today)
        self.assertEqual(skipped.state, "skipped")
        self.assertIn("Odoo's own rule has done it", skipped.reason)

    def test_a_day_wherever_the_record_is(self):
        """Also where the clocks are a day away from UTC."""
        for zone in ("Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Honolulu"):
            with self.subTest(zone=zone):
                self.env.company.partner_id.tz = zone
                with self.at(NOW - 9 * DAY):
                    stock = self.dated(
                        trg_date_id=self.field("date_deadline").id, trg_date_range=1,
                        trg_date_range_type="day",
                    )  # fmt: skip
                leads = [
                    self.lead_of(NOW - 5 * DAY, date_deadline=(NOW + days * DAY).date())
                    for days in (-1, 0, 1, 2, 3)
                ]
                self.stock_looks(NOW - 2 * DAY)
                self.stock_looks(NOW)
                rule = self.at_take_over(NOW + HOUR, stock)
                for hours in range(1, 72, 3):
                    self.look(NOW + hours * HOUR)
                self.assertEqual(self.done(*leads), [1, 1, 1, 1, 1])
                rule.enabled = False

    def test_a_day_given_back(self):
        with self.at(NOW - 9 * DAY):
            stock = self.dated(
                trg_date_id=self.field("date_deadline").id, trg_date_range=1,
                trg_date_range_type="day",
            )  # fmt: skip
        midnight = NOW.replace(hour=0)
        self.stock_looks(midnight - 2 * HOUR)
        today = self.lead_of(NOW - 5 * DAY, date_deadline=(NOW + DAY).date())
        tomorrow = self.lead_of(NOW - 5 * DAY, date_deadline=(NOW + 2 * DAY).date())
        self.at_take_over(midnight - HOUR, stock)
        self.look(midnight + HOUR)
        with self.at(midnight + 2 * HOUR):
            # Before 8:00: today is Odoo's again.
            self.line(stock).action_give_back()
        for hours in range(3, 40, 3):
            self.stock_looks(midnight + hours * HOUR)
        self.assertEqual(self.done(today, tomorrow), [1, 1])

    def test_lost_leads_are_left_out_as_before(self):
        rule = self.take_over(self.dated())
        self.assertIn("active", rule.filter_domain)

    def test_after_the_creation_and_after_the_last_update(self):
        created = self.take_over(
            self.make_stock("on_time_created", actions=self.code, trg_date_range=2)
        )
        self.assertEqual((created.date_type, created.delay_number), ("create", 2))
        self.assertEqual((created.delay_unit, created.delay_before), ("hours", "after"))
        stock = self.make_stock("on_time_updated", actions=self.code, trg_date_range=2)
        line = self.line(stock)
        self.assertIn("sets itself off again", line.differences)
        self.assertEqual(self.take_over(stock).date_type, "last_update")

    def test_a_rule_that_never_ran_does_nothing_for_the_past(self):
        with self.at(NOW - 2 * DAY):
            stock = self.dated()
        past = self.lead_of(NOW - DAY, date_conversion=NOW - HOUR)
        self.assertIn("whole past", self.line(stock).differences)
        self.at_take_over(NOW, stock)
        self.look(NOW)
        self.assertEqual(self.done(past), [0])

    def test_working_days(self):
        """Both ways of counting: nothing is lost, and nothing is done twice."""
        calendar = self.env.company.resource_calendar_id
        for mode in ("before", "after"):
            with self.subTest(mode=mode):
                with self.at(NOW - 9 * DAY):
                    stock = self.dated(
                        trg_date_range=2, trg_date_range_type="day", trg_date_range_mode=mode
                    )
                    stock.trg_date_calendar_id = calendar
                leads = [
                    self.lead_of(NOW - 20 * DAY, date_conversion=NOW + hours * HOUR)
                    for hours in range(-140, 140, 10)
                ]
                self.stock_looks(NOW - 9 * DAY)
                for hours in range(-200, 0, 9):
                    self.stock_looks(NOW + hours * HOUR)
                by_odoo = self.done(*leads)
                line = self.line(stock)
                self.assertEqual(line.verdict, "part")
                self.assertIn("as the first one", line.reason)
                rule = self.at_take_over(NOW, stock)
                self.assertEqual(
                    (rule.delay_unit, rule.resource_calendar_id), ("workdays", calendar)
                )
                for hours in range(0, 240, 12):
                    self.look(NOW + hours * HOUR)
                self.assertIn(0, by_odoo)
                self.assertIn(1, by_odoo)
                self.assertEqual(self.done(*leads), [1] * len(leads))
                rule.enabled = False

"""By hand: send now, skip, postpone, and switching on with what is over."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..models.crm_automation_firing_call import LEAD
from .common import DAY, HOUR, MINUTE, NOW, AutomationCase
from .test_moment import MomentCase

BUTTONS = ("action_send_now", "action_send_anyway", "action_skip", "action_postpone")


class HandMixin:
    def by(self, firings, user=None):
        return firings.with_user(user or self.manager)

    def postpone(self, firings, **values):
        action = self.by(firings).action_postpone()
        wizard = self.env[action["res_model"]].with_user(self.manager)
        wizard.with_context(**action["context"]).create(values).action_postpone()


@tagged("post_install", "-at_install")
class TestByHand(HandMixin, AutomationCase):
    """A rule that acts two hours after a lead has become an opportunity."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.make_rule(delay_number=2, delay_unit="hours")
        cls.now = cls.env.cr.now().replace(microsecond=0)

    def pending(self, **values):
        lead = self.make_lead(**values)
        lead.type = "opportunity"
        self.end_transaction()
        return self.firings(lead)

    def test_send_now(self):
        firing = self.pending()
        drainers = self.Firing._drainers()
        domain = [("cron_id", "in", drainers.ids)]
        before = self.env["ir.cron.trigger"].search_count(domain)
        self.drain()
        self.assertEqual(firing.state, "pending")
        self.by(firing).action_send_now()
        self.assertEqual(self.env["ir.cron.trigger"].search_count(domain) - before, 2)
        self.drain()
        self.assertEqual(firing.state, "done")
        self.assertEqual(firing.delivery_ids.mapped("email"), ["seller@example.com"])
        self.assertIn("Sent by hand by Rosa Manager", firing.reason)

    def test_send_now_asks_the_conditions_all_the_same(self):
        firing = self.pending()
        self.env["crm.lead"].browse(firing.res_id).type = "lead"
        self.by(firing).action_send_now()
        self.drain()
        self.assertEqual(firing.state, "skipped")
        self.assertIn("no longer matched", firing.reason)
        # The reason has been seen, and it is sent nevertheless.
        self.by(firing).action_send_anyway()
        self.assertFalse(firing.finished_at)
        self.drain()
        self.assertEqual(firing.state, "done")

    def test_whoever_was_left_out_is_told_once_there_is_somebody(self):
        firing = self.pending(user_id=False)
        self.by(firing).action_send_now()
        self.drain()
        self.assertEqual((firing.state, firing.delivery_ids.state), ("skipped", "skipped"))
        self.env["crm.lead"].browse(firing.res_id).user_id = self.seller
        self.by(firing).action_send_anyway()
        self.drain()
        self.assertEqual(firing.state, "done")
        self.assertEqual(firing.delivery_ids.mapped("state"), ["queued"])

    def test_skip(self):
        firings = self.pending() + self.pending()
        self.by(firings).action_skip()
        self.assertEqual(firings.mapped("state"), ["skipped", "skipped"])
        self.assertIn("by hand by Rosa Manager", firings[0].reason)
        with self.at(self.now + timedelta(hours=3)):
            self.drain()
        self.assertFalse(firings.delivery_ids)

    def test_postpone(self):
        firing = self.pending()
        due = firing.due_at
        for step, later in (("hour", HOUR), ("day", DAY), ("week", 7 * DAY)):
            with self.subTest(step):
                planned = firing.run_at
                self.postpone(firing, step=step)
                self.assertEqual(firing.run_at, planned + later)
        self.assertEqual((firing.due_at, firing.state), (due, "pending"))
        self.assertIn("Postponed by hand by Rosa Manager", firing.reason)
        with self.at(due + MINUTE):
            self.drain()
        self.assertEqual(firing.state, "pending")
        armed = self.env["ir.cron.trigger"].search(
            [("cron_id", "in", self.Firing._drainers().ids), ("call_at", "=", firing.run_at - LEAD)]
        )
        self.assertTrue(armed)
        with self.at(firing.run_at):
            self.drain()
        self.assertEqual(firing.state, "done")

    def test_postpone_until_a_moment(self):
        firing = self.pending()
        until = self.now + 3 * DAY
        self.postpone(firing, step="until", until=until)
        self.assertEqual(firing.run_at, until)
        for wrong in (False, self.now - MINUTE):
            with self.subTest(wrong), self.assertRaises(UserError):
                self.postpone(firing, step="until", until=wrong)

    def test_each_button_for_its_outcomes_only(self):
        done, pending = self.pending(), self.pending()
        self.by(done).action_send_now()
        self.drain()
        self.assertEqual(done.state, "done")
        for method in BUTTONS:
            with self.subTest(method), self.assertRaises(UserError):
                getattr(self.by(done), method)()
        with self.assertRaises(UserError):
            self.by(pending).action_send_anyway()
        self.by(done + pending).action_skip()
        self.assertEqual((done.state, pending.state), ("done", "skipped"))

    def test_of_a_rule_that_is_off_nothing_is_sent_anyway(self):
        firing = self.pending()
        self.by(firing).action_skip()
        self.rule.with_user(self.manager).action_disable()
        with self.assertRaises(UserError):
            self.by(firing).action_send_anyway()
        self.assertEqual(firing.state, "skipped")

    def test_salesperson_and_portal_read_only(self):
        firing = self.pending()
        self.by(firing, self.seller).read(["state", "color"])
        for user in (self.seller, self.portal):
            for method in BUTTONS:
                with self.subTest((user.login, method)), self.assertRaises(AccessError):
                    getattr(self.by(firing, user), method)()
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.env["crm.automation.firing.postpone"].with_user(user).create(
                    {"firing_ids": [Command.set(firing.ids)]}
                )
        self.assertEqual(firing.state, "pending")

    def test_executions_of_another_company(self):
        firing = self.pending()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        firing.company_id = company
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            self.by(firing).action_skip()

    def test_what_waits_is_one_click_from_the_rule(self):
        firing = self.pending()
        self.rule.invalidate_recordset()
        self.assertEqual(self.rule.pending_count, 1)
        action = self.rule.with_user(self.manager).action_open_due_next()
        self.assertEqual(action["res_model"], "crm.automation.firing")
        self.assertEqual(action["context"]["search_default_rule_id"], self.rule.id)
        self.assertEqual(firing.color, self.rule.id % 11 + 1)


@tagged("post_install", "-at_install")
class TestMomentByHand(HandMixin, MomentCase):
    def expired(self):
        self.make_moment_rule(lateness_hours=1)
        meeting = self.make_meeting(NOW)
        with self.at(NOW - 20 * MINUTE), self.no_commit():
            self.end_transaction()
            self.Rule._enqueue_moments()
        self.look(NOW + DAY)
        return meeting, self.firings(meeting)

    def test_expired_and_sent_anyway(self):
        meeting, firing = self.expired()
        self.assertEqual(firing.state, "expired")
        with self.at(NOW + DAY):
            self.by(firing).action_send_anyway()
        self.look(NOW + DAY)
        self.assertEqual(self.states(meeting), ["done"])

    def test_postponed_beyond_the_limit_and_not_expired(self):
        self.make_moment_rule(lateness_hours=1)
        meeting = self.make_meeting(NOW)
        with self.at(NOW - 20 * MINUTE), self.no_commit():
            self.end_transaction()
            self.Rule._enqueue_moments()
            firing = self.firings(meeting)
            self.postpone(firing, step="until", until=NOW + 5 * HOUR)
        self.look(NOW)
        self.assertEqual(self.states(meeting), ["pending"])
        self.look(NOW + 5 * HOUR + MINUTE)
        self.assertEqual(self.states(meeting), ["done"])

    def test_lateness_counts_from_the_postponed_moment(self):
        self.make_moment_rule(lateness_hours=1)
        meeting = self.make_meeting(NOW)
        with self.at(NOW - 20 * MINUTE), self.no_commit():
            self.end_transaction()
            self.Rule._enqueue_moments()
            self.postpone(self.firings(meeting), step="until", until=NOW + 5 * HOUR)
        self.look(NOW + 7 * HOUR)
        self.assertEqual(self.states(meeting), ["expired"])

    def test_postponed_and_the_date_is_moved(self):
        """The new date has an execution of its own."""
        self.make_moment_rule()
        meeting = self.make_meeting(NOW)
        with self.at(NOW - 20 * MINUTE), self.no_commit():
            self.end_transaction()
            self.Rule._enqueue_moments()
            self.postpone(self.firings(meeting), step="hour")
        meeting.write({"start": NOW + DAY, "stop": NOW + DAY + HOUR})
        self.look(NOW + HOUR)
        self.assertEqual(self.states(meeting), ["skipped"])

    def test_sent_now_is_not_sent_again_at_its_moment(self):
        self.make_moment_rule()
        meeting = self.make_meeting(NOW)
        with self.at(NOW - 20 * MINUTE), self.no_commit():
            self.end_transaction()
            self.Rule._enqueue_moments()
            self.by(self.firings(meeting)).action_send_now()
        self.look(NOW - 19 * MINUTE)
        self.assertEqual(self.states(meeting), ["done"])
        self.look(NOW - 5 * MINUTE)
        self.assertEqual(self.states(meeting), ["done"])


@tagged("post_install", "-at_install")
class TestSwitchingOn(MomentCase):
    """At NOW, a rule is switched on that reminds of meetings five minutes before."""

    def setUp(self):
        super().setUp()
        self.rule = self.make_moment_rule(enabled=False)
        self.recent = self.make_meeting(NOW - HOUR, name="Recent")
        self.older = self.make_meeting(NOW - 3 * DAY, booked=NOW - 5 * DAY, name="Older")
        self.mine = self.rule.with_user(self.manager)

    def switch_on(self):
        action = self.mine.action_switch_on()
        self.assertEqual(action["res_model"], "crm.automation.rule.switch.on")
        return self.env[action["res_model"]].with_user(self.manager).browse(action["res_id"])

    def listed(self, wizard):
        return set(wizard.line_ids.mapped("res_id")) & {self.recent.id, self.older.id}

    def test_the_number_and_the_list_are_shown_first(self):
        with self.at(NOW):
            wizard = self.switch_on()
            self.assertFalse(self.rule.enabled)
            self.assertEqual(wizard.look_back_hours, 24)
            self.assertEqual(self.listed(wizard), {self.recent.id})
            self.assertEqual(wizard.number, len(wizard.line_ids))
            self.assertEqual(
                wizard.line_ids.filtered(lambda line: line.res_id == self.recent.id).moment,
                NOW - HOUR - 5 * MINUTE,
            )
            wizard.look_back_hours = 100
            wizard.action_look()
            self.assertEqual(self.listed(wizard), {self.recent.id, self.older.id})

    def test_without_the_tick_nothing_is_done_for_the_past(self):
        with self.at(NOW):
            self.switch_on().action_confirm()
        self.assertTrue(self.rule.enabled)
        self.assertEqual(self.rule.owner_id, self.manager)
        self.look(NOW + MINUTE)
        self.assertFalse(self.firings(self.recent + self.older))

    def test_neither_by_the_toggle(self):
        with self.at(NOW):
            self.mine.enabled = True
        self.look(NOW + MINUTE)
        self.assertFalse(self.firings(self.recent + self.older))

    def test_with_the_tick_for_exactly_those_listed(self):
        with self.at(NOW):
            wizard = self.switch_on()
            wizard.act_on_past = True
            wizard.action_confirm()
        firing = self.firings(self.recent)
        self.assertEqual((firing.state, firing.due_at, firing.run_at), ("pending", NOW, NOW))
        self.assertEqual(firing.payload, {"by_hand": True})
        self.look(NOW)
        self.assertEqual(self.states(self.recent), ["done"])
        self.assertFalse(self.firings(self.older))
        self.look(NOW + HOUR)
        self.assertEqual(len(self.firings(self.recent)), 1)

    def test_a_list_that_was_not_seen(self):
        with self.at(NOW):
            wizard = self.switch_on()
            wizard.write({"look_back_hours": 100, "act_on_past": True})
            with self.assertRaises(UserError):
                wizard.action_confirm()
        self.assertFalse(self.rule.enabled)

    def test_a_forged_line_is_left_alone(self):
        ahead = self.make_meeting(NOW + DAY)
        with self.at(NOW):
            wizard = self.switch_on()
            wizard.act_on_past = True
            for meeting in (ahead, self.older):
                self.env["crm.automation.rule.switch.on.line"].with_user(self.manager).create(
                    {"wizard_id": wizard.id, "res_id": meeting.id, "moment": NOW - HOUR}
                )
            wizard.action_confirm()
        self.assertTrue(self.firings(self.recent))
        self.assertFalse(self.firings(ahead + self.older))

    def test_what_has_changed_since_is_left_alone(self):
        with self.at(NOW):
            wizard = self.switch_on()
            wizard.act_on_past = True
            self.recent.active = False
            wizard.action_confirm()
        self.assertFalse(self.firings(self.recent))

    def test_what_was_done_before_is_not_offered(self):
        with self.at(NOW - 2 * HOUR):
            self.mine.action_enable()
        self.look(NOW - HOUR)
        self.assertEqual(self.states(self.recent), ["done"])
        with self.at(NOW):
            self.mine.action_disable()
            wizard = self.switch_on()
            self.assertFalse(self.listed(wizard))

    def test_nothing_is_asked_where_nothing_is_over(self):
        rule = self.make_moment_rule(enabled=False, name_pattern="No meeting is called this")
        with self.at(NOW):
            self.assertTrue(rule.with_user(self.manager).action_switch_on())
        self.assertTrue(rule.enabled)

    def test_salesperson_and_portal_cannot(self):
        for user in (self.seller, self.portal):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.rule.with_user(user).action_switch_on()
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.env["crm.automation.rule.switch.on"].with_user(user).create(
                    {"rule_id": self.rule.id, "look_back_hours": 1}
                )
        self.assertFalse(self.rule.enabled)

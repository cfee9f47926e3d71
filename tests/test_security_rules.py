"""What rules, plans, imports and both ledgers tell and lend to those who are no administrators."""

import contextlib

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import DAY, HOUR, MINUTE, TASTING, AutomationCase
from .reminder import START, ReminderCase
from .test_condition import ConditionCase
from .test_ical_import import NOW as IMPORT_NOW
from .test_ical_import import calendar, event
from .test_ical_import_screen import ScreenCase
from .test_visit_plan import VisitCase


@tagged("post_install", "-at_install")
class TestProcedures(ReminderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        code = cls.env["ir.actions.server"].create(
            {"name": "Note", "model_id": cls.env["ir.model"]._get_id("calendar.event"),
             "state": "code", "code": "record.message_post(body='by ' + env.user.name)"}
        )  # fmt: skip
        cls.procedure = cls.alarm(15, kind="procedure", server_action_id=code.id)
        cls.admin = cls.env.ref("base.user_admin")

    @contextlib.contextmanager
    def refused(self):
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            yield

    def test_a_meeting_that_odoo_made_lends_nobody_s_rights(self):
        """As the gateway and the jobs make them, for the one who organizes it."""
        meeting = self.env["calendar.event"].create(
            {"name": "From outside", "start": START, "stop": START + HOUR,
             "user_id": self.seller.id,
             "partner_ids": [Command.set((self.seller_partner + self.other_partner).ids)]}
        )  # fmt: skip
        mine = meeting.with_user(self.seller)
        plain = self.alarm(30)
        mine.alarm_ids = plain
        with self.refused():
            mine.alarm_ids += self.procedure
        mine.user_id = self.admin
        with self.refused():
            meeting.with_user(self.other_seller).alarm_ids = self.procedure
        self.assertEqual(meeting.alarm_ids, plain)

    def test_a_procedure_of_an_administrator_stays_with_whom_he_chose(self):
        meeting = self.env["calendar.event"].with_user(self.admin).create(
            {"name": "Set up", "start": START, "stop": START + HOUR, "user_id": self.seller.id,
             "alarm_ids": self.procedure.ids}
        )  # fmt: skip
        mine = meeting.with_user(self.seller)
        with self.refused():
            mine.user_id = self.other_seller
        meeting.user_id = self.other_seller
        meeting.with_user(self.other_seller).alarm_ids = False
        meeting.with_user(self.other_seller).user_id = self.seller
        self.assertEqual(meeting.user_id, self.seller)

    def test_the_same_of_tasks(self):
        project = self.env["project.project"].create({"name": "Vintage"})
        self.env.ref("project.group_project_user").user_ids += self.seller
        task = self.env["project.task"].create(
            {"name": "Prune", "project_id": project.id, "user_ids": self.seller.ids}
        )
        mine = task.with_user(self.seller)
        with self.refused():
            mine.alarm_ids = self.procedure
        task.alarm_ids = self.procedure
        with self.refused():
            mine.user_ids = self.admin
        own = task.with_user(self.seller).create(
            {"name": "Mine", "project_id": project.id, "user_ids": self.seller.ids}
        )
        own.alarm_ids = self.procedure
        self.assertEqual(own.alarm_ids, self.procedure)


@tagged("post_install", "-at_install")
class TestLedgersOfOthers(ReminderCase):
    def seen(self, meeting, user):
        """For whom reminders of it are, as far as a user sees."""
        self.env.invalidate_all()
        rows = self.Reminder.with_user(user).search([("res_id", "=", meeting.id)])
        return rows.partner_id

    def test_reminders_of_private_meetings(self):
        alarm = self.alarm(15)
        meeting = self.meet(alarm, partners=self.other_partner, privacy=False)
        self.remind(START - 15 * MINUTE)
        rows = self.rows(meeting).with_user(self.manager)
        both = self.seller_partner + self.other_partner
        self.assertEqual(self.seen(meeting, self.manager), both)
        for change in (
            lambda: meeting.write({"privacy": "private"}),
            lambda: self.seller.with_user(self.seller).write(
                {"calendar_default_privacy": "private"}
            ),
        ):
            change()
            self.assertFalse(self.seen(meeting, self.manager))
            with self.assertRaises(AccessError):
                rows.read(["partner_id", "address"])
            self.assertEqual(self.seen(meeting, self.seller), self.seller_partner)
            self.assertEqual(self.seen(meeting, self.other_seller), self.other_partner)
            meeting.privacy = False
        self.seller.with_user(self.seller).calendar_default_privacy = "public"
        self.assertEqual(self.seen(meeting, self.manager), both)

    def test_reminders_of_other_companies(self):
        alarm = self.alarm(15)
        meeting = self.meet(alarm, partners=self.manager.partner_id, privacy="public")
        task = self.env["project.task"].create(
            {"name": "Prune", "user_ids": self.seller.ids, "alarm_ids": alarm.ids,
             "project_id": self.env["project.project"].create({"name": "Vintage"}).id,
             "date_deadline": START}
        )  # fmt: skip
        self.end_transaction()
        self.remind(START - 15 * MINUTE)
        self.assertTrue(self.seen(task, self.manager))
        everybody = self.seller_partner + self.manager.partner_id
        self.assertEqual(self.seen(meeting, self.manager), everybody)
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.seller.write({"company_ids": [Command.link(elsewhere.id)], "company_id": elsewhere.id})
        task.project_id.company_id = elsewhere
        task.company_id = elsewhere
        self.assertEqual(self.rows(task).company_id, elsewhere)
        self.assertFalse(self.seen(task, self.manager))
        self.assertEqual(self.seen(meeting, self.manager), self.manager.partner_id)
        self.assertEqual(self.seen(task, self.seller), self.seller_partner)

    def test_recipients_of_notices_about_private_meetings(self):
        values = {"notify_responsible": False, "notify_attendees": True}
        made = self.make_rule(
            trigger="created", model_id=self.env["ir.model"]._get_id("calendar.event"), **values
        )
        gone = self.make_rule(trigger="meeting_cancelled", **values)
        start = START + 1000 * DAY
        private = self.meet(partners=self.customer, privacy="private", start=start)
        public = self.meet(partners=self.customer, privacy="public", start=start)
        self.drain()

        def seen(rule, meeting, user):
            self.env.invalidate_all()
            firing = self.Firing.search([("rule_id", "=", rule.id), ("res_id", "=", meeting)])
            self.assertEqual(len(firing.delivery_ids), 2)
            deliveries = self.env["crm.automation.delivery"].with_user(user)
            return deliveries.search_count([("firing_id", "=", firing.id)])

        ids = private.id, public.id
        self.assertEqual([seen(made, one, self.manager) for one in ids], [0, 2])
        self.assertEqual([seen(made, one, self.seller) for one in ids], [2, 2])
        (private + public).unlink()
        self.drain()
        self.assertEqual([seen(gone, one, self.manager) for one in ids], [0, 2])
        self.assertEqual([seen(gone, one, self.seller) for one in ids], [2, 2])


@tagged("post_install", "-at_install")
class TestHistoryOfOthers(ConditionCase):
    def test_no_pattern_asks_the_chatter_of_a_private_meeting(self):
        for privacy in ("private", "confidential", False):
            meeting = self.env["calendar.event"].with_user(self.seller).create(
                {**TASTING, "privacy": privacy}
            )  # fmt: skip
            if not privacy:
                self.seller.with_user(self.seller).calendar_default_privacy = "private"
            meeting.message_post(body="About truffles", message_type="comment")
            self.end_transaction()
            rules = [
                self.rule_on("calendar.event", **values)
                for values in ({"history_pattern": "truffles"}, {"history_max": 9})
            ]
            for rule in rules:
                self.assertFalse(rule._matching(meeting.ids))
                found, _notes = rule.with_user(self.manager)._match_now()
                self.assertNotIn(meeting.id, [row.res_id for row in found])
            meeting.sudo().partner_ids += self.manager.partner_id
            for rule in rules:
                self.assertEqual(rule._matching(meeting.ids), meeting.ids)

    def test_what_was_told_to_one_alone_is_no_history(self):
        lead = self.make("crm.lead")
        rule = self.rule_on("crm.lead", history_pattern="truffles")
        lead.message_notify(body="About truffles", partner_ids=self.seller.partner_id.ids)
        self.assertFalse(rule._matching(lead.ids))
        lead.message_post(body="About truffles", message_type="comment")
        self.assertEqual(rule._matching(lead.ids), lead.ids)


@tagged("post_install", "-at_install")
class TestContexts(AutomationCase):
    def test_nobody_silences_a_rule_or_names_another_as_its_cause(self):
        rule = self.make_rule()
        lead = self.make_lead()
        admin = self.env.ref("base.user_admin")
        for chain in ((rule.id,), [rule.id]):
            lead.type = "lead"
            self.end_transaction()
            self.firings(lead).unlink()
            lead.with_user(self.seller).with_context(
                automation_chain=chain, automation_actor_id=admin.id
            ).type = "opportunity"
            self.end_transaction()
            self.assertEqual(self.firings(lead).rule_id, rule)
            self.assertEqual(self.firings(lead).actor_id, self.seller)

    def test_values_and_tests_of_rules_of_other_companies(self):
        field = self.env["ir.model.fields"]._get("crm.lead", "description")
        rule = self.make_rule(
            value_ids=[Command.create({"field_id": field.id, "value": "of the others"})]
        )
        values = rule.value_ids
        Test = self.env["crm.automation.rule.test"].with_user(self.manager)
        self.assertTrue(Test.create({"rule_id": rule.id}).summary)
        self.assertTrue(values.with_user(self.seller).read(["value"]))
        rule.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.flush_all()
        self.env.invalidate_all()
        for user in (self.manager, self.seller):
            mine = values.with_user(user)
            self.assertFalse(mine.search([("id", "=", values.id)]))
            with self.assertRaises(AccessError):
                mine.read(["value"])
        for name in ("summary", "model_name"):
            with self.assertRaises(AccessError):
                Test.create({"rule_id": rule.id}).read([name])

    def test_a_job_that_was_deleted_keeps_nobody_from_saving(self):
        for name in ("invitations", "subscriptions", "import", "enqueuer", "visit_plan_work"):
            self.env.ref(f"crm_automation.ir_cron_{name}").unlink()
        meeting = self.env["calendar.event"].with_user(self.seller).create(
            {**TASTING, "partner_ids": [Command.link(self.customer.id)]}
        )  # fmt: skip
        guest = meeting.attendee_ids.filtered(lambda one: one.partner_id == self.customer)
        guest.sudo()._answer("accepted", source="mail")
        self.env["calendar.subscription"].with_user(self.seller).create(
            {"name": "Elsewhere", "url": "https://example.com/x.ics"}
        )
        self.env["calendar.import"]._wake_job()
        self.Rule._wake_enqueuer()
        self.end_transaction()
        self.assertTrue(self.env["calendar.invitation.outgoing"].search([]))
        self.assertFalse(self.env["ir.cron.trigger"].search([("cron_id", "=", False)]))


@tagged("post_install", "-at_install")
class TestPlansOfOthers(VisitCase):
    def test_no_plan_with_the_rights_of_another(self):
        admin = self.env.ref("base.user_admin")
        context = {"owner_id": admin.id, "state": "running", "failure": "x"}
        for name, value in context.items():
            if name != "failure":
                self.env["ir.default"].set(
                    "calendar.visit.plan", name, value, user_id=self.manager.id
                )
        smuggled = {f"default_{name}": value for name, value in context.items()}
        Plan = self.env["calendar.visit.plan"].with_user(self.manager)
        for env in (Plan, Plan.with_context(**smuggled)):
            plan = env.create({"name": "X", "category_ids": [Command.set(self.gold.ids)]})
            self.assertEqual(
                (plan.owner_id, plan.state, plan.failure), (self.manager, "draft", False)
            )

    def test_a_shared_filter_asks_for_no_more_than_who_changes_it_may_read(self):
        shared = self.env["ir.filters"].create(
            {"name": "All", "model_id": "res.partner", "domain": "[('zip', '=', '28001')]",
             "user_ids": False}
        )  # fmt: skip
        mine = shared.with_user(self.manager)
        secret = "[('signup_type', '=', 'x')]"
        mine.domain = secret
        mine.domain = "[('zip', '=', '28001')]"
        self.make_plan(
            user=self.env.ref("base.user_admin"), segment_by="filter", filter_id=shared.id
        )
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            mine.domain = secret
        mine.domain = "[('zip', '=', '28002')]"
        self.assertEqual(shared.domain, "[('zip', '=', '28002')]")


@tagged("post_install", "-at_install")
@freeze_time(IMPORT_NOW)
class TestImportsOfOthers(ScreenCase):
    def test_an_import_deletes_no_attachment_of_others(self):
        theirs = self.env["ir.attachment"].create(
            {"name": "contract.pdf", "raw": b"x", "res_model": "res.partner",
             "res_id": self.customer.id}
        )  # fmt: skip
        self.env["ir.default"].set(
            "calendar.import", "content_ids", theirs.ids, user_id=self.seller.id
        )
        file = self.attachment(calendar(event("new@x")))
        Import = self.env["calendar.import"].with_user(self.seller)
        context = {
            "default_content_ids": [Command.set(theirs.ids)], "default_state": "done",
            "default_done_count": 7,
        }  # fmt: skip
        for env in (Import, Import.with_context(**context)):
            one = env.create({"file_ids": [Command.set(file.ids)]})
            self.assertFalse(one.content_ids)
            self.assertEqual((one.state, one.done_count), ("draft", 0))
            # As it may be from before.
            mine = self.env["ir.attachment"].create(
                {"name": "read.ics", "raw": b"x", "res_model": one._name, "res_id": one.id}
            )
            one.sudo().content_ids = theirs + mine
            one.action_preview()
            self.assertTrue(theirs.exists())
            self.assertFalse(mine.exists())
            self.assertFalse(one.content_ids)

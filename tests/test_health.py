"""The health page: each fault is really made, found, and gone when it is mended."""

import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.modules.neutralize import neutralize_database
from odoo.tests import HttpCase, tagged, users
from odoo.tools import config, mute_logger

from .common import AutomationData
from .test_wire import WireCase, free_port

MAIL_LOGGERS = ("odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server")


class HealthData(AutomationData):
    """Everything in order: the jobs are planned, a server is entered, one rule is on."""

    @classmethod
    def make_healthy(cls):
        cls.jobs = cls.env["crm.automation.health"]._jobs()
        cls.jobs["all"].write(
            {
                "active": True,
                "nextcall": fields.Datetime.now() + timedelta(minutes=10),
                "lastcall": fields.Datetime.now(),
                "failure_count": 0,
            }
        )
        cls.env["ir.cron.trigger"].search([]).unlink()
        cls.env["mail.mail"].search([]).unlink()
        cls.env["ir.mail_server"].create({"name": "Post", "smtp_host": "post.example.com"})
        cls.env.company.alias_domain_id = cls.env["mail.alias.domain"].create(
            {"name": "health.example.com"}
        )
        cls.rule = cls.make_rule()

    def found(self, user=None):
        """Code to finding, as the manager or another user sees it."""
        self.env.flush_all()
        self.env.invalidate_all()
        health = self.env["crm.automation.health"].with_user(user or self.manager)
        return {finding["code"]: finding for finding in health.report()["findings"]}

    def banner(self):
        self.env.flush_all()
        return self.env["crm.automation.health"].with_user(self.manager).banner()


@tagged("post_install", "-at_install")
class TestHealth(HealthData, WireCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_healthy()
        cls.admin = cls.env.ref("base.user_admin")
        cls.admin.email = "admin@example.com"
        cls.health = cls.env["crm.automation.health"].with_user(cls.admin)

    def assertFinding(self, code, severity, *words, user=None):
        found = self.found(user)
        self.assertIn(code, found)
        self.assertEqual(found[code]["severity"], severity)
        self.assertTrue(found[code]["fix"])
        text = json.dumps(found[code], ensure_ascii=False)
        for word in words:
            self.assertIn(word, text)

    def convert(self):
        lead = self.make_lead()
        lead.type = "opportunity"
        self.end_transaction()
        self.env["ir.cron.trigger"].search([]).unlink()
        return self.firings(lead)

    def press(self, code, method):
        """The administrator presses the button of a finding."""
        buttons = self.found(self.admin)[code]["buttons"]
        [button] = [button for button in buttons if button.get("method") == method]
        return getattr(self.health, method)(*button["arguments"])

    def test_all_is_well(self):
        report = self.env["crm.automation.health"].with_user(self.manager).report()
        self.assertEqual(report["findings"], [])
        self.assertEqual(report["status"], "ok")
        self.assertFalse(self.banner())
        self.assertEqual(len(report["tables"]), 5)
        names = [row[0]["text"] for row in report["tables"][0]["rows"]]
        self.assertEqual(len(names), 4, "two drainers, the enqueuer, the mail queue")

    # -- jobs -----------------------------------------------------------------------

    def test_archived_drainers(self):
        self.jobs["drainers"][0].active = False
        self.assertNotIn("job_archived", self.found(), "the other one does the work")
        self.jobs["drainers"].active = False
        self.assertFinding("job_archived", "critical", "no rule acts")
        self.assertTrue(self.banner())
        self.press("job_archived", "action_activate_jobs")
        self.assertTrue(all(self.jobs["drainers"].mapped("active")))
        self.assertNotIn("job_archived", self.found())
        self.assertFalse(self.banner())

    def test_archived_mail_queue(self):
        self.jobs["mail"].active = False
        self.assertFinding("job_archived", "critical", "no mail leaves")
        self.assertIn(self.jobs["mail"].name, self.banner())

    def test_archived_enqueuer(self):
        self.jobs["enqueuers"].active = False
        self.assertFinding("job_archived", "warning", "no rule about a date acts")
        self.make_rule(
            trigger="moment",
            model_id=self.env["ir.model"]._get_id("crm.lead"),
            date_type="deadline",
        )
        self.assertFinding("job_archived", "critical", "no rule about a date acts")

    def test_only_the_jobs_of_the_page_can_be_activated(self):
        other = self.env.ref("base.autovacuum_job")
        other.active = False
        self.health.action_activate_jobs(other.ids)
        self.assertFalse(other.active)

    def test_deleted_job(self):
        self.jobs["enqueuers"].unlink()
        self.assertFinding("job_missing", "critical", "check rules about dates", "Upgrade")
        self.assertTrue(self.banner())

    def test_late_jobs(self):
        self.jobs["all"].nextcall = fields.Datetime.now() - timedelta(hours=1)
        self.assertFinding("jobs_late", "critical", "60 min", "restart")
        self.assertTrue(self.banner())
        with patch.dict(config.options, {"max_cron_threads": 0}):
            self.assertFinding("jobs_late", "critical", "max_cron_threads = 0")
        self.jobs["all"].nextcall = fields.Datetime.now() - timedelta(minutes=1)
        self.assertNotIn("jobs_late", self.found())

    def test_job_that_was_woken_and_does_not_come(self):
        drainer = self.jobs["drainers"][0]
        with self.at(fields.Datetime.now() - timedelta(minutes=10)):
            drainer._trigger()
        self.assertFinding("jobs_late", "critical", drainer.name)

    def test_job_that_does_not_end(self):
        drainer = self.jobs["drainers"][0]
        drainer.nextcall = fields.Datetime.now() - timedelta(minutes=10)
        drainer._add_progress(timed_out_counter=0)
        self.assertFinding("jobs_late", "warning", drainer.name, "has not ended")

    def test_failing_job(self):
        drainer = self.jobs["drainers"][0]
        drainer.sudo().code = "model._drain(1 / 0)"
        [job] = drainer.sudo().read(["failure_count", "first_failure_date", "active", "cron_name"])
        with (
            self.enter_registry_test_mode(),
            mute_logger("odoo.addons.base.models.ir_cron", "odoo.sql_db"),
        ):
            self.assertFalse(self.found())
            drainer.method_direct_trigger()
        self.assertFinding("job_failing", "warning", job["cron_name"])
        drainer.sudo().code = "model._drain()"
        drainer.failure_count = 0
        self.assertNotIn("job_failing", self.found())

    def test_run_now(self):
        self.health.action_run_jobs()
        triggers = self.env["ir.cron.trigger"].search([])
        self.assertEqual(triggers.cron_id, self.jobs["all"])

    # -- the ledger -----------------------------------------------------------------

    def test_overdue_executions(self):
        firing = self.convert()
        self.assertNotIn("overdue", self.found())
        firing.run_at = fields.Datetime.now() - timedelta(hours=1)
        self.assertFinding("overdue", "warning", "Corks", ": 1.")
        self.drain()
        self.assertNotIn("overdue", self.found())

    def fail_a_mail(self):
        """An execution that fails until it is given up."""
        self.rule.sudo().server_action_ids = self.env["ir.actions.server"].create(
            {
                "name": "Fails",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": "raise UserError('Kaput')",
            }
        )
        self.end_transaction()
        firing = self.convert()
        with mute_logger("odoo.addons.crm_automation.models.crm_automation_firing_drain"):
            while firing.state == "pending":
                firing.run_at = self.env.cr.now()
                self.drain()
        return firing

    def test_failed_executions(self):
        firing = self.fail_a_mail()
        self.assertEqual(firing.state, "failed")
        self.assertFinding("failures", "warning", ": 1.")
        tables = self.env["crm.automation.health"].with_user(self.manager).report()["tables"]
        [row] = tables[1]["rows"]
        self.assertEqual([cell["text"] for cell in row], [self.rule.name, "1", "1", "Kaput"])
        self.rule.sudo().server_action_ids = False
        self.end_transaction()
        self.press("failures", "action_retry_failed")
        self.drain()
        self.assertEqual(firing.state, "done")
        self.assertNotIn("failures", self.found())

    def test_why_somebody_was_left_out(self):
        self.env["crm.automation.delivery"].search([]).unlink()
        self.seller.email = False
        firing = self.convert()
        self.drain()
        self.assertEqual(firing.state, "skipped")
        report = self.env["crm.automation.health"].with_user(self.manager).report()
        self.assertEqual(report["status"], "ok")
        [row] = report["tables"][2]["rows"]
        self.assertEqual(row[0]["text"], firing.reason)
        opened = row[2]["buttons"][0]["action"]
        self.assertEqual(self.Firing.search(opened["domain"]), firing)

    def test_failures_of_other_companies_are_out_of_sight(self):
        firing = self.fail_a_mail()
        firing.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.assertNotIn("failures", self.found())

    # -- mail -----------------------------------------------------------------------

    def send(self, **options):
        self.env["ir.mail_server"].search([]).active = False
        with patch.dict(config.options, options), mute_logger(*MAIL_LOGGERS):
            self.send_queue()
        self.env["ir.mail_server"].with_context(active_test=False).search([]).active = True

    def test_server_that_refuses(self):
        self.inbox.refuse = 2
        firing = self.convert()
        self.drain()
        self.send()
        self.assertFinding("mail_refused", "warning", "Try again later")
        self.assertFalse(self.banner(), "one refusal is daily life")
        firing.delivery_ids.retry_at = self.env.cr.now()
        self.drain()
        self.send()
        self.assertFinding("mail_refused", "critical", "Try again later")
        self.assertIn("takes no mail", self.banner())
        firing.delivery_ids.retry_at = self.env.cr.now()
        self.drain()
        self.send()
        self.assertEqual(firing.delivery_state, "delivered")
        self.assertNotIn("mail_refused", self.found())
        self.assertFalse(self.banner())

    def test_server_that_is_down_since_the_last_mail_left(self):
        self.convert()
        self.drain()
        self.send()
        later = self.env.cr.now() + timedelta(minutes=1)
        with self.at(later):
            self.convert()
            self.convert()
            self.drain()
            self.send(smtp_port=free_port())
        self.assertFinding("mail_refused", "critical", "Refused: 2", "refused")

    def test_other_mails_of_odoo_tell_as_well(self):
        mails = self.env["mail.mail"].create(
            [{"email_to": f"{n}@example.com", "body_html": "x"} for n in range(2)]
        )
        self.send(smtp_port=free_port())
        self.assertEqual(set(mails.mapped("state")), {"exception"})
        self.assertFinding("mail_refused", "critical", "Refused: 2")

    def test_mails_that_wait_in_the_queue(self):
        with self.at(fields.Datetime.now() - timedelta(hours=1)):
            self.convert()
            self.drain()
        self.assertFinding("mail_waiting", "warning", "queue: 1")
        self.send()
        self.assertNotIn("mail_waiting", self.found())

    def test_mail_that_was_not_delivered(self):
        self.inbox.refuse = 1
        firing = self.convert()
        self.drain()
        self.send()
        firing.delivery_ids.mail_id.unlink()
        firing.delivery_ids.retry_at = self.env.cr.now()
        self.drain()
        self.send()
        self.assertFinding("undelivered", "warning", "seller@example.com", "was deleted")
        opened = self.found()["undelivered"]["buttons"][0]["action"]
        self.assertEqual(self.Firing.search(opened["domain"]), firing)

    def test_no_mail_server_is_entered(self):
        # Nor has a mail ever left.
        self.env["crm.automation.delivery"].search([]).unlink()
        self.env["ir.mail_server"].search([]).active = False
        self.assertFinding("no_mail_server", "info", "odoo.conf", "never")
        self.assertTrue(self.press("no_mail_server", "action_test_mail"))
        with patch.dict(config.options, {"smtp_port": free_port()}), self.assertRaises(UserError):
            self.press("no_mail_server", "action_test_mail")

    def test_connection_of_a_server(self):
        server = self.env["ir.mail_server"].search([])
        server.write({"smtp_host": "127.0.0.1", "smtp_port": self.smtp_port})
        answer = self.health.action_test_mail(server.id)
        self.assertEqual(answer["params"]["type"], "success")
        server.smtp_port = free_port()
        with self.assertRaises(UserError):
            self.health.action_test_mail(server.id)

    def test_answers_cannot_come_back(self):
        self.env.company.alias_domain_id = False
        self.assertFinding("no_way_back", "info", self.env.company.name)

    # -- rules and copies -------------------------------------------------------------

    def test_rule_that_is_on_and_idle(self):
        self.manager.active = False
        other = self.env["res.users"].search([("login", "=", "ana")])
        self.assertFinding("idle_rule", "warning", "Rosa Manager", user=other)

    def test_no_rule_is_on(self):
        self.rule.with_user(self.manager).action_disable()
        self.assertFinding("no_rule", "info")

    def test_neutralized_copy(self):
        neutralize_database(self.env.cr)
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertFinding("neutralized", "critical")
        self.assertEqual(set(self.found()), {"neutralized", "no_rule"})
        self.assertFalse(self.banner(), "Odoo has a ribbon of its own for that")

    def test_a_check_that_fails_hides_no_other(self):
        self.jobs["mail"].active = False
        health = type(self.env["crm.automation.health"])

        def broken(health):
            health.env.cr.execute("SELECT 1 / 0")

        with (
            patch.object(health, "_check_overdue", broken),
            mute_logger("odoo.addons.crm_automation.models.crm_automation_health", "odoo.sql_db"),
        ):
            self.assertEqual(set(self.found()), {"broken", "job_archived"})

    # -- cost and rights --------------------------------------------------------------

    def test_cost_does_not_grow(self):
        def queries():
            self.found()
            before = self.env.cr.sql_log_count
            self.found()
            return self.env.cr.sql_log_count - before

        firing = self.fail_a_mail()
        few = queries()
        self.env.cr.execute(
            """
            INSERT INTO crm_automation_firing (rule_id, res_model, res_id, occasion, due_at,
                run_at, state, reason, finished_at)
            SELECT rule_id, res_model, n, occasion, due_at, run_at, state, reason, finished_at
            FROM crm_automation_firing, generate_series(1000001, 1000400) n WHERE id = %s
            """,
            [firing.id],
        )
        self.assertEqual(queries(), few)
        self.banner()
        before = self.env.cr.sql_log_count
        self.banner()
        self.assertLessEqual(self.env.cr.sql_log_count - before, 25)

    @users("seller", "portal_user")
    def test_others_see_nothing(self):
        health = self.env["crm.automation.health"]
        with self.assertRaises(AccessError):
            health.report()
        self.assertFalse(health.banner())

    @users("rule_manager")
    def test_manager_changes_nothing_and_sees_no_secrets(self):
        server = self.env["ir.mail_server"].sudo().search([])
        server.write({"smtp_user": "login-of-post", "smtp_pass": "hush-hush"})
        self.jobs["all"].sudo().active = False
        health = self.env["crm.automation.health"]
        text = json.dumps(health.report())
        self.assertNotIn('"method"', text)
        for secret in ("login-of-post", "hush-hush", "post.example.com"):
            self.assertNotIn(secret, text)
        for call in (
            lambda: health.action_run_jobs(),
            lambda: health.action_activate_jobs(self.jobs["all"].ids),
            lambda: health.action_retry_failed(),
            lambda: health.action_test_mail(server.id),
        ):
            with self.assertRaises(AccessError):
                call()

    def test_no_secrets_for_administrators_either(self):
        self.env["ir.mail_server"].search([]).write(
            {"smtp_user": "login-of-post", "smtp_pass": "hush-hush"}
        )
        text = json.dumps(self.health.report())
        self.assertIn("post.example.com", text)
        self.assertNotIn("login-of-post", text)
        self.assertNotIn("hush-hush", text)


@tagged("post_install", "-at_install")
class TestHealthTour(HealthData, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_healthy()

    def test_from_the_banner_to_the_mended_job(self):
        self.jobs["drainers"].active = False
        self.end_transaction()
        self.start_tour("/odoo", "crm_automation_health", login="admin")
        self.env.invalidate_all()
        self.assertTrue(all(self.jobs["drainers"].mapped("active")))

"""What the tests share: people, a rule, and a stand-in for the commit."""

import contextlib
from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import TransactionCase, new_test_user

#: Loggers whose errors a test is about.
DECISION_LOG = "odoo.addons.crm_automation.models.crm_automation_rule_decision"
FIRING_LOG = "odoo.addons.crm_automation.models.crm_automation_firing_drain"

#: When stories about meetings and dates take place: a Tuesday. Madrid is two hours
#: ahead of UTC then.
NOW = datetime(2027, 6, 15, 10, 0)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

#: Values of a meeting of which nothing else matters.
TASTING = {"name": "Tasting", "start": "2030-01-07 09:00:00", "stop": "2030-01-07 10:00:00"}

CONTEXT = {"tracking_disable": True, "no_reset_password": True, "mail_create_nosubscribe": True}


class AutomationData:
    """Mixin with the people and records of the stories; no rule is switched on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, **CONTEXT})
        cls.Rule = cls.env["crm.automation.rule"]
        cls.Firing = cls.env["crm.automation.firing"]
        cls.Rule.search([]).enabled = False
        for code in ("en_US", "es_ES"):
            cls.env["res.lang"]._activate_lang(code)
        cls.env.company.partner_id.lang = "en_US"
        cls.manager = new_test_user(
            cls.env, "rule_manager", "base.group_user,sales_team.group_sale_manager",
            email="manager@example.com", name="Rosa Manager", lang="en_US",
        )  # fmt: skip
        cls.seller = new_test_user(
            cls.env, "seller", "base.group_user,sales_team.group_sale_salesman",
            email="seller@example.com", name="Sergio Seller", lang="es_ES", tz="Europe/Madrid",
        )  # fmt: skip
        cls.other_seller = new_test_user(
            cls.env, "other_seller", "base.group_user,sales_team.group_sale_salesman",
            email="other@example.com", name="Olga Other", lang="en_US",
        )  # fmt: skip
        cls.portal = new_test_user(cls.env, "portal_user", "base.group_portal")
        cls.customer = cls.env["res.partner"].create(
            {
                "name": "Azure & Sons",
                "lang": "en_US",
                "email": "azure@example.com",
                "phone": "+34 900 000 000",
            }
        )
        cls.env.company.email = "office@example.com"
        cls.end_transaction()

    @classmethod
    def end_transaction(cls):
        """As far as the rules can tell, the transaction is committed.

        A TransactionCase cannot commit. The commit runs the precommit hooks and
        forgets the transaction's memory, and so does this.
        """
        cls.env.cr.flush()
        cls.env.cr.postcommit.clear()

    @classmethod
    def make_rule(cls, user=None, **values):
        values = {
            "name": "Rule",
            "trigger": "lead_converted",
            "notify_responsible": True,
            "enabled": True,
            **values,
        }
        rule = cls.Rule.with_user(user or cls.manager).create(values)
        cls.end_transaction()
        return rule

    @classmethod
    def make_lead(cls, **values):
        lead = cls.env["crm.lead"].create(
            {"name": "Corks", "type": "lead", "user_id": cls.seller.id, **values}
        )
        cls.end_transaction()
        return lead

    def firings(self, record, state=None):
        domain = [("res_model", "=", record._name), ("res_id", "in", record.ids)]
        if state:
            domain.append(("state", "=", state))
        return self.Firing.search(domain)

    @contextlib.contextmanager
    def no_commit(self):
        """The jobs' commit becomes a flush (a TransactionCase cannot commit)."""
        with patch.object(
            type(self.Firing),
            "_commit_batch",
            lambda firing, *_a, **_k: firing.env.cr.flush() or 99,
        ):
            yield

    @contextlib.contextmanager
    def at(self, moment):
        """Let it be that moment (naive UTC), for Python and for the transaction.

        To the cursor, now is when the transaction began: in a test, once for all.
        """
        with freeze_time(moment), patch.object(self.env.cr, "now", lambda: moment):
            yield

    def drain(self):
        self.end_transaction()
        with self.no_commit():
            self.Firing._drain()


class AutomationCase(AutomationData, TransactionCase):
    """A TransactionCase with that data."""


class EveryObjectCase(AutomationCase):
    """Rules on any kind of record, tasks of a project among them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager.group_ids += cls.env.ref("project.group_project_manager")
        cls.project = cls.env["project.project"].create({"name": "Vintage"})

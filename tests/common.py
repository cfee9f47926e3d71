"""What the tests share: people, a rule, and a stand-in for the commit."""

import contextlib
from datetime import datetime, timedelta
from unittest.mock import patch

import freezegun
from freezegun import freeze_time

from odoo import Command
from odoo.tests import TransactionCase

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

# Each time that the clock is stopped, all modules are looked through for clocks. These have
# none that matters, and call nobody who asks what time it is.
freezegun.configure(
    extend_ignore_list=[
        "babel", "chardet", "charset_normalizer", "cryptography", "ctypes", "docutils", "encodings",
        "idna", "ldap", "lxml", "num2words", "numpy", "ofxparse", "OpenSSL", "openpyxl", "passlib",
        "PIL", "pkg_resources", "psycopg2", "pygments", "pypdf", "PyPDF2", "reportlab", "sass",
        "setuptools", "stdnum", "urllib3", "xlrd", "xlsxwriter", "xlwt", "zeep",
    ]
)  # fmt: skip

CONTEXT = {"tracking_disable": True, "no_reset_password": True, "mail_create_nosubscribe": True}


#: Whom nearly every test needs; what ``AutomationData.make_users`` takes.
PEOPLE = (
    {
        "login": "rule_manager", "name": "Rosa Manager", "email": "manager@example.com",
        "groups": "base.group_user,sales_team.group_sale_manager", "lang": "en_US",
    },
    {
        "login": "seller", "name": "Sergio Seller", "email": "seller@example.com",
        "groups": "base.group_user,sales_team.group_sale_salesman", "lang": "es_ES",
        "tz": "Europe/Madrid",
    },
    {
        "login": "other_seller", "name": "Olga Other", "email": "other@example.com",
        "groups": "base.group_user,sales_team.group_sale_salesman", "lang": "en_US",
    },
    {
        "login": "portal_user", "name": "portal_user (base.group_portal)",
        "email": "p.p@example.com", "groups": "base.group_portal",
    },
)  # fmt: skip


class AutomationData:
    """Mixin with the people and records of the stories; no rule is switched on, and the log
    is empty: the demo has one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, **CONTEXT})
        cls.Rule = cls.env["crm.automation.rule"]
        cls.Firing = cls.env["crm.automation.firing"]
        cls.Rule.search([]).enabled = False
        cls.Firing.search([]).unlink()
        cls.manager, cls.seller, cls.other_seller, cls.portal = cls.make_people(cls.env)
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

    @staticmethod
    def make_people(env):
        """Those of :data:`PEOPLE` and their languages, where they are not there yet.

        The database of the whole suite has them: making them takes a tenth of its time.
        """
        for code in ("en_US", "es_ES"):
            env["res.lang"]._activate_lang(code)
        env.company.partner_id.lang = "en_US"
        logins = [person["login"] for person in PEOPLE]
        known = {user.login: user for user in env["res.users"].search([("login", "in", logins)])}
        if len(known) < len(PEOPLE):
            return AutomationData.make_users(env, *PEOPLE)
        return env["res.users"].concat(*(known[login] for login in logins))

    @staticmethod
    def make_users(env, *people):
        """What ``new_test_user`` makes, all of them at once: that takes a third of the time.

        :param dict people: values of each; ``groups`` as that function has them. The
            password is the login, filled with x to eight letters.
        """
        return env["res.users"].create(
            [
                {
                    **{name: value for name, value in person.items() if name != "groups"},
                    "password": person["login"].ljust(8, "x"),
                    "group_ids": [
                        Command.set([env.ref(name).id for name in person["groups"].split(",")])
                    ],
                }
                for person in people
            ]
        )

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

import os

import pytest
import remote_servers

import session


@pytest.fixture(scope="session", autouse=True)
def registry():
    # INFO of thousands of forks would bury a failure; nothing listens to mail.
    return session.start(f"--smtp-port={os.environ['CRM_AUTOMATION_SMTP']}")


@pytest.fixture(scope="session", autouse=True)
def kept_servers():
    yield
    remote_servers.end_kept()


@pytest.fixture(autouse=True)
def one_rule(registry):
    """A database with one rule and no executions; the rule's id."""
    with session.environment() as env:
        env["crm.automation.firing"].search([]).unlink()
        env["mail.mail"].search([]).unlink()
        env["ir.cron.trigger"].search([]).unlink()
        rules = env["crm.automation.rule"].search([])
        rules.enabled = False
        ana = env["res.users"].search([("login", "=", "ana")])
        rule = env.ref("crm_automation.rule_lead_converted")
        rule.with_user(ana).write({"enabled": True, "notify_emails": False})
        return rule.id

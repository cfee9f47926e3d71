"""Uses the addon, so that its uninstall has something to clean up."""

import session

session.start()
with session.environment() as env:
    leads = env["crm.lead"].search([("type", "=", "lead"), ("user_id", "!=", False)], limit=3)
    leads.write({"type": "opportunity"})
with session.environment() as env:
    assert env["crm.automation.firing"].search_count([("state", "=", "pending")]), "no data"
    env["crm.automation.firing"]._drain()
    assert env["crm.automation.delivery"].search_count([]), "no data"

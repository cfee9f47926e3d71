"""Uses the addon, so that its uninstall has something to clean up."""

import session

session.start()
with session.environment() as env:
    leads = env["crm.lead"].search([("type", "=", "lead"), ("user_id", "!=", False)], limit=3)
    leads.write({"type": "opportunity"})
with session.environment() as env:
    own = env["crm.automation.firing"].search(
        [("res_model", "=", "crm.lead"), ("res_id", "in", leads.ids)]
    )
    assert "pending" in own.mapped("state"), "no data"
    env["crm.automation.firing"]._drain()
    assert own.delivery_ids, "no data"

"""Uses what an older version has left behind: rules, executions, the stages' states."""

import session

session.start()
with session.environment() as env:
    rules = env["crm.automation.rule"].search([("enabled", "=", True)])
    assert rules, "no rule is switched on any more"
    assert all(rule.enabled_since and rule.model_name for rule in rules), "rules without a start"
    assert not any(rules.mapped("problem")), rules.mapped("problem")
    # Those of the demo have ended in every way.
    demo = env["ir.model.data"].search([("model", "=", "crm.automation.firing")]).mapped("res_id")
    old = env["crm.automation.firing"].search([("id", "not in", demo)])
    assert old and set(old.mapped("state")) <= {"done", "skipped"}, old.mapped("state")
    assert "draft" in env["crm.stage"].search([]).mapped("business_state"), "no stage is draft"
    lead = env["crm.lead"].search([("type", "=", "lead"), ("user_id.email", "!=", False)], limit=1)
    lead.type = "opportunity"
with session.environment() as env:
    env["crm.automation.firing"]._drain()
    new = env["crm.automation.firing"].search([("res_id", "=", lead.id)], limit=1)
    assert new.state == "done", (new.state, new.reason)

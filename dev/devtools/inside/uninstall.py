"""Uninstalls the addon as the Apps screen does."""

import session

session.start()
with session.environment() as env:
    module = env["ir.module.module"].search([("name", "=", "crm_automation")])
    module.button_immediate_uninstall()
with session.environment() as env:
    module = env["ir.module.module"].search([("name", "=", "crm_automation")])
    assert module.state == "uninstalled", module.state
    env["crm.lead"].create({"name": "After the uninstall"}).write({"type": "opportunity"})

"""From the foundation to the rules with conditions, actions and dates."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    # What was pending of a rule that is on goes on; its start is now.
    cr.execute(
        "UPDATE crm_automation_rule SET enabled_since = now() AT TIME ZONE 'UTC'"
        " WHERE enabled AND enabled_since IS NULL"
    )
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["crm.stage"]._automation_first_stages_are_draft()

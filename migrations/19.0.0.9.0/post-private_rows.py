"""Who manages rules sees no longer whom private meetings are with.

Record rules are the administrator's once they are there: only those that he has left alone
are changed.
"""

from odoo import SUPERUSER_ID, api

DOMAINS = {
    "calendar_reminder_manager_rule": "[('is_private', '=', False)]",
    "crm_automation_delivery_manager_rule": (
        "['|', ('firing_id.responsible_id', '=', user.id), ('firing_id.is_private', '=', False)]"
    ),
}


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name, domain in DOMAINS.items():
        rule = env.ref(f"crm_automation.{name}", raise_if_not_found=False)
        if rule and rule.domain_force == "[(1, '=', 1)]":
            rule.domain_force = domain

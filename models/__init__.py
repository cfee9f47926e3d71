from . import (
    base,
    crm_automation_delivery,
    crm_automation_firing,
    crm_automation_notice,
    crm_automation_rule,
    crm_lead,
    mail_mail,
)

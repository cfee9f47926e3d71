from . import (
    base,
    crm_automation_delivery,
    crm_automation_firing,
    crm_automation_notice,
    crm_automation_rule,
    mail_mail,
)

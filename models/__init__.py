from . import base
from . import crm_automation_notice
from . import crm_automation_rule
from . import crm_automation_firing
from . import crm_automation_delivery
from . import mail_mail

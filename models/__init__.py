# What other models inherit from comes first.
from . import crm_automation_target

# isort: split
from . import (
    base,
    calendar_attendee,
    calendar_event,
    calendar_recurrence,
    crm_automation_delivery,
    crm_automation_firing,
    crm_automation_firing_drain,
    crm_automation_firing_insert,
    crm_automation_notice,
    crm_automation_notice_letter,
    crm_automation_notice_queue,
    crm_automation_recipe,
    crm_automation_rule,
    crm_automation_rule_action,
    crm_automation_rule_condition,
    crm_automation_rule_decision,
    crm_automation_rule_moment,
    crm_automation_rule_preview,
    crm_automation_rule_summary,
    crm_automation_rule_trigger,
    crm_automation_rule_value,
    crm_lead,
    crm_stage,
    crm_team,
    ir_actions_server,
    ir_filters,
    mail_mail,
    project_task,
)

from . import (
    base_partner_merge,
    caldav_calendar_preview,
    caldav_setup,
    calendar_export_ical,
    calendar_feed_address,
    calendar_invite,
    calendar_popover_delete,
    calendar_reminder_coming,
    calendar_series_exception,
    calendar_subscription_delete,
    calendar_visit_plan_confirm,
    crm_automation_firing_postpone,
    crm_automation_recipe_use,
    crm_automation_rule_switch_on,
    crm_automation_rule_test,
    crm_automation_rule_test_line,
    crm_automation_rule_test_record,
    crm_automation_take_over,
    mail_activity_schedule,
)

# isort: split
from . import (
    calendar_invite_letter,
    calendar_invite_people,
    calendar_invite_slot,
    crm_automation_take_over_action,
    crm_automation_take_over_differences,
    crm_automation_take_over_plan,
    crm_automation_take_over_words,
)

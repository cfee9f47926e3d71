# What other models inherit from comes first.
from . import crm_automation_pointer

# isort: split
from . import (
    calendar_elsewhere,
    calendar_ical_identity,
    calendar_run,
    crm_automation_ledger,
    crm_automation_target,
)

# isort: split
from . import (
    base,
    caldav_access,
    caldav_calendar_definition,
    caldav_calendar_property,
    caldav_calendar_writing,
    caldav_change,
    caldav_collection,
    caldav_collection_read,
    caldav_failure,
    caldav_file,
    caldav_forget,
    caldav_kept,
    caldav_key,
    caldav_member,
    caldav_object,
    caldav_overlay,
    caldav_place,
    caldav_record_uid,
    caldav_schedule,
    calendar_alarm,
    calendar_alarm_procedure,
    calendar_alarm_test,
    calendar_attendee,
    calendar_attendee_answer,
    calendar_attendee_delegation,
    calendar_attendee_invitation,
    calendar_attendee_mail,
    calendar_attendee_page,
    calendar_attendee_rights,
    calendar_attendee_rsvp,
    calendar_event,
    calendar_event_customer,
    calendar_event_guest,
    calendar_event_ical,
    calendar_event_identity,
    calendar_event_incoming,
    calendar_event_privacy,
    calendar_event_rule,
    calendar_event_series,
    calendar_event_status,
    calendar_event_visit,
    calendar_feed,
    calendar_ical_source,
    calendar_import,
    calendar_import_line,
    calendar_import_repair,
    calendar_import_undo,
    calendar_import_work,
    calendar_invitation_answers,
    calendar_invitation_facts,
    calendar_invitation_gateway,
    calendar_invitation_news,
    calendar_invitation_outgoing,
    calendar_invitation_proposal,
    calendar_invitation_review,
    calendar_invitation_seen,
    calendar_invitation_send,
    calendar_invite_source,
    calendar_recurrence,
    calendar_recurrence_check,
    calendar_recurrence_exception,
    calendar_recurrence_identity,
    calendar_recurrence_rule,
    calendar_recurrence_text,
    calendar_subscription,
    calendar_subscription_apply,
    calendar_subscription_read,
    calendar_subscription_run,
    calendar_visit,
    calendar_visit_dashboard,
    calendar_visit_load,
    calendar_visit_plan,
    calendar_visit_plan_again,
    calendar_visit_plan_book,
    calendar_visit_plan_capacity,
    calendar_visit_plan_follow,
    calendar_visit_plan_open,
    calendar_visit_plan_preview,
    calendar_visit_plan_rhythm,
    calendar_visit_plan_segment,
    calendar_visit_plan_time,
    calendar_visit_report,
    crm_automation_delivery,
    crm_automation_firing,
    crm_automation_firing_call,
    crm_automation_firing_drain,
    crm_automation_firing_hand,
    crm_automation_firing_insert,
    crm_automation_firing_queue_job,
    crm_automation_health,
    crm_automation_health_jobs,
    crm_automation_health_ledger,
    crm_automation_health_mail,
    crm_automation_health_queue_job,
    crm_automation_notice,
    crm_automation_notice_facts,
    crm_automation_notice_headline,
    crm_automation_notice_letter,
    crm_automation_notice_queue,
    crm_automation_recipe,
    crm_automation_rule,
    crm_automation_rule_action,
    crm_automation_rule_condition,
    crm_automation_rule_decision,
    crm_automation_rule_enqueue,
    crm_automation_rule_explain,
    crm_automation_rule_moment,
    crm_automation_rule_past,
    crm_automation_rule_preview,
    crm_automation_rule_stock,
    crm_automation_rule_summary,
    crm_automation_rule_switch,
    crm_automation_rule_trigger,
    crm_automation_rule_value,
    crm_automation_rule_watch,
    crm_automation_rule_workdays,
    crm_automation_step,
    crm_lead,
    crm_stage,
    crm_team,
    ical_fetch,
    ir_actions_server,
    ir_cron,
    ir_filters,
    ir_http,
    ir_mail_server,
    ir_ui_menu,
    mail_mail,
    mail_template,
    mail_thread,
    project_task,
    res_config_settings,
    res_partner,
    res_partner_busy,
)

# isort: split
# Take their headers from the notices of the rules.
from . import (
    calendar_invitation_letter,
    calendar_invitation_tell,
    calendar_reminder,
    calendar_reminder_delivery,
    calendar_reminder_find,
    calendar_reminder_letter,
    calendar_reminder_run,
    calendar_visit_plan_notice,
    mail_mail_again,
    res_users_invitation,
)

# isort: split
# Over what the others make of a meeting.
from . import caldav_touch

# isort: split
# Notes what the invited know before any of the others changes it.
from . import calendar_invitation_touch

# isort: split
# Over what meetings and tasks are made of.
from . import (
    calendar_reminder_access,
    calendar_reminder_activity,
    calendar_reminder_answer,
    calendar_reminder_own,
    calendar_reminder_summary,
    calendar_reminder_todo,
    calendar_reminder_touch,
)

# isort: split
# Over the calendars and texts that they add to.
from . import caldav_calendar, caldav_inbox, caldav_record, caldav_todo, caldav_todo_rule

# isort: split
# In step with other servers by what the others read and write.
from . import (
    caldav_account,
    caldav_account_calendar,
    caldav_account_connect,
    caldav_account_log,
    caldav_account_object,
    caldav_account_run,
    caldav_account_turn,
    caldav_account_wake,
    caldav_account_words,
)

# isort: split
# Above all others: it refuses before they begin.
from . import calendar_subscription_guard

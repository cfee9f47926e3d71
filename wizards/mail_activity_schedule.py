"""Odoo's window that schedules activities: with reminders."""

from odoo import fields, models

from ..models.calendar_reminder_activity import KINDS


class MailActivitySchedule(models.TransientModel):
    _inherit = "mail.activity.schedule"

    alarm_ids = fields.Many2many(
        "calendar.alarm",
        "mail_activity_schedule_calendar_alarm_rel",
        "schedule_id",
        "alarm_id",
        string="Reminders",
        domain=[("alarm_type", "in", KINDS)],
        help="Whoever has the activity is reminded, at the reminder's hour for whole days: of the "
        "day before, or of the day itself if it comes 0 minutes before.",
    )

    def _action_schedule_activities(self):
        activities = super()._action_schedule_activities()
        if activities and self.alarm_ids:
            activities.alarm_ids = self.alarm_ids
        return activities

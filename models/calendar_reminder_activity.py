"""Reminders on activities: the field, the words, and what wakes the job."""

from datetime import datetime, time, timedelta

from odoo import api, fields, models
from odoo.tools import format_date

#: What of an activity decides when its user is to be reminded.
ACTIVITY = frozenset({"date_deadline", "user_id", "active", "alarm_ids"})
#: Types of its reminders: it is a to-do already, and no business of others.
KINDS = ("notification", "email")
_DAY = timedelta(days=1)


class MailActivity(models.Model):
    _inherit = "mail.activity"

    alarm_ids = fields.Many2many(
        "calendar.alarm",
        "mail_activity_calendar_alarm_rel",
        "activity_id",
        "alarm_id",
        string="Reminders",
        domain=[("alarm_type", "in", KINDS)],
        help="Whoever has the activity is reminded, at the reminder's hour for whole days: of the "
        "day before, or of the day itself if it comes 0 minutes before.",
    )

    def _reminder_touched(self):
        """Wake the job for those that have reminders soon."""
        for activity in self.sudo():
            if activity.active and activity.alarm_ids and activity.date_deadline:
                day = datetime.combine(activity.date_deadline, time())
                self.env["calendar.reminder"]._wake_finder_for(
                    activity.alarm_ids, (day - _DAY, day, day + _DAY)
                )

    @api.model_create_multi
    def create(self, vals_list):
        activities = super().create(vals_list)
        activities._reminder_touched()
        return activities

    def write(self, vals):
        result = super().write(vals)
        if not ACTIVITY.isdisjoint(vals):
            self._reminder_touched()
        return result


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    @api.model
    def _title(self, record):
        if record._name == "mail.activity":
            return record.summary or record.activity_type_id.name or ""
        return super()._title(record)

    @api.model
    def _when(self, record, tz):
        if record._name == "mail.activity":
            day = format_date(self.env, record.date_deadline, date_format="EEEE d MMMM y")
            return self.env._("Due: %(moment)s", moment=day)
        return super()._when(record, tz)

    def _facts(self, record, reader):
        facts = super()._facts(record, reader)
        if record._name == "mail.activity" and record.res_name:
            facts.append((self.env._("About"), record.res_name))
        return facts

    def _payload(self, user, record):
        payload = super()._payload(user, record)
        if record._name == "mail.activity" and record.res_name:
            payload["lines"].insert(1, record.res_name)
        return payload

    @api.model
    def _place_of(self, record):
        if record._name == "mail.activity":
            # It has no chatter, and that of its document is read by others.
            return False, False
        return super()._place_of(record)

    @api.model
    def _reply_to(self, records):
        threads = {model: some for model, some in records.items() if model != "mail.activity"}
        return {**dict.fromkeys(records, {}), **super()._reply_to(threads)}

"""What wakes the job that looks for due reminders, and what of Odoo's own rests.

A save that leaves a reminder due within the half hour wakes it; all else it finds itself.
Odoo's job and its timers in the browser have nothing left to do for the types that the
ledger delivers, so nobody is reminded twice.
"""

import logging
from datetime import timedelta

from odoo import api, fields, models

from .calendar_alarm import OURS
from .crm_automation_rule_moment import LOOKAHEAD

_logger = logging.getLogger(__name__)

#: What of a meeting or task decides when it is to be reminded of, and whom.
EVENT = frozenset({"start", "stop", "allday", "active", "alarm_ids", "partner_ids", "user_id"})
TASK = frozenset(
    {"date_deadline", "planned_date_start", "active", "alarm_ids", "user_ids", "state"}
)
#: States of an attendee who is not reminded.
ABSENT = ("declined", "delegated")
#: Key of the transaction's memory: the job is called already.
WOKEN = "crm_automation.reminders"
_DAY = timedelta(days=1)


class CrmAutomationFiring(models.Model):
    _inherit = "crm.automation.firing"

    @api.model
    def _ledgers(self):
        return [*super()._ledgers(), self.env["calendar.reminder"]]


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    @api.model
    def _enqueue_moments(self):
        # Before the rules: reminders are for a moment.
        try:
            self.env["calendar.reminder"]._enqueue()
        except Exception:
            # No business of the rules.
            _logger.exception("Looking for due reminders failed")
            self.env.cr.rollback()
        return super()._enqueue_moments()


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    @api.model
    def _wake_finder(self):
        """Let the job look after this transaction's commit, called once for all."""
        memory = self.env.cr.postcommit.data
        if not memory.get(WOKEN):
            memory[WOKEN] = True
            self.env["crm.automation.rule"]._wake_enqueuer()

    @api.model
    def _wake_finder_for(self, alarms, dates):
        """Let the job look if one of the reminders may be due soon.

        :param alarms: ``calendar.alarm``
        :param dates: the dates that they are reckoned from
        """
        now = fields.Datetime.now()
        for alarm in alarms:
            for date in dates:
                if not date:
                    continue
                meaning = alarm._meaning()
                if meaning.at:
                    first = meaning.at
                else:
                    first = date + timedelta(minutes=meaning.offset)
                # Whole days, zones and clocks: better once too often.
                slack = timedelta(hours=1) if abs(first - date) < _DAY else _DAY
                last = first + timedelta(minutes=meaning.repeat * meaning.every)
                if first - slack <= now + LOOKAHEAD and last + slack >= now - self._lateness():
                    self._wake_finder()
                    return


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    # Finds the meetings whose end a reminder is reckoned from.
    _reminder_stop_idx = models.Index("(stop) WHERE active")

    def _reminder_touched(self):
        """Wake the job for those that have reminders soon."""
        now = fields.Datetime.now()
        for event in self.sudo():
            if event.active and event.stop and event.stop > now - _DAY and event.alarm_ids:
                dates = (event.start - _DAY, event.start) if event.allday else (event.start,)
                self.env["calendar.reminder"]._wake_finder_for(
                    event.alarm_ids, (*dates, event.stop)
                )

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        events._reminder_touched()
        return events

    def _after_insert(self):
        result = super()._after_insert()
        self._reminder_touched()
        return result

    def write(self, vals):
        is_watched = not EVENT.isdisjoint(vals)
        result = super().write(vals)
        if is_watched:
            self.exists()._reminder_touched()
        return result

    def _get_trigger_alarm_types(self):
        """Odoo's job is called for what is not the ledger's."""
        return [kind for kind in super()._get_trigger_alarm_types() if kind not in OURS]


class CalendarAlarmManager(models.AbstractModel):
    _inherit = "calendar.alarm_manager"

    def _get_events_by_alarm_to_notify(self, alarm_type):
        if alarm_type in OURS:
            return {}
        return super()._get_events_by_alarm_to_notify(alarm_type)

    @api.model
    def get_next_notif(self):
        """The browser is told at the moment itself, and plans nothing ahead."""
        return []

    def _notify_next_alarm(self, partner_ids):
        """There is nothing to tell ahead of time."""


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        result = super().write(vals)
        if "tz" in vals and any(user.active for user in self.sudo().user_ids):
            # His days begin elsewhere.
            self.env["calendar.reminder"]._wake_finder()
        return result


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    def write(self, vals):
        # Who comes after all is reminded.
        back = self.browse()
        if vals.get("state", "declined") not in ABSENT:
            back = self.filtered(lambda one: one.state in ABSENT)
        result = super().write(vals)
        back.event_id._reminder_touched()
        return result


class ProjectTask(models.Model):
    _inherit = "project.task"

    _reminder_start_idx = models.Index("(COALESCE(planned_date_start, date_deadline)) WHERE active")

    def _reminder_touched(self):
        """Wake the job for those that have reminders soon."""
        for task in self.sudo():
            if task.active and task.alarm_ids:
                dates = {task.date_deadline, task.planned_date_start} - {False}
                self.env["calendar.reminder"]._wake_finder_for(task.alarm_ids, dates)

    @api.model_create_multi
    def create(self, vals_list):
        tasks = super().create(vals_list)
        tasks._reminder_touched()
        return tasks

    def write(self, vals):
        is_watched = not TASK.isdisjoint(vals)
        result = super().write(vals)
        if is_watched:
            self._reminder_touched()
        return result

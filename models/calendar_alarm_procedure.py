"""Whose rights a procedure may have.

It runs with those of whoever answers for the meeting or task, if he, or an administrator,
has made it. Of what an administrator or Odoo itself has made, nobody else decides for whom
or that it runs: that would lend him the rights of any colleague.
"""

from odoo import models
from odoo.exceptions import AccessError


class CalendarAlarm(models.Model):
    _inherit = "calendar.alarm"

    def _is_procedure(self):
        return self.sudo().filtered(lambda alarm: alarm.alarm_type == "procedure")

    def _lent(self, records, responsible):
        """Record to its procedures and its responsible, of those that the user has not made.

        :param str responsible: name of the field
        """
        user = self.env.user
        if self.env.su or user._is_system():
            return {}
        return {
            record: (record.alarm_ids._is_procedure(), record[responsible][:1])
            for record in records.sudo()
            if record.create_uid != user and record.create_uid._is_system()
        }

    def _check_lent(self, before, responsible):
        """:raises AccessError: when a procedure has come to run that would not have before, or
        with the rights of somebody else

        :param dict before: as :meth:`_lent` gives it
        """
        for record, (procedures, user) in before.items():
            now = record.alarm_ids._is_procedure()
            if now - procedures or (now and record[responsible][:1] != user):
                raise AccessError(
                    self.env._(
                        "Only administrators set up procedures of what somebody else has made, or "
                        "give it to another responsible."
                    )
                )


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    def write(self, vals):
        if not {"alarm_ids", "user_id"}.intersection(vals):
            return super().write(vals)
        Alarm = self.env["calendar.alarm"]
        before = Alarm._lent(self, "user_id")
        result = super().write(vals)
        Alarm._check_lent(before, "user_id")
        return result


class ProjectTask(models.Model):
    _inherit = "project.task"

    def write(self, vals):
        if not {"alarm_ids", "user_ids"}.intersection(vals):
            return super().write(vals)
        Alarm = self.env["calendar.alarm"]
        before = Alarm._lent(self, "user_ids")
        result = super().write(vals)
        Alarm._check_lent(before, "user_ids")
        return result

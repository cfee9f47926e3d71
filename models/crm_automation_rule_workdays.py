"""Working days: which days count, by Odoo's working hours.

Owns the look into ``resource.calendar``: the days with hours, without those that
are wholly taken by a holiday of everybody. How days are counted is in
``engine/moments.py``.
"""

import datetime

import pytz

from odoo import api, models
from odoo.exceptions import ValidationError

from ..engine.moments import NoWorkday, step_workdays

#: Days that are looked up together.
BLOCK = 64


class Workdays:
    """Function of a ``date`` to whether anybody works on it.

    :param calendar: ``resource.calendar`` (sudo)
    """

    def __init__(self, calendar):
        self.calendar = calendar
        self.zone = pytz.timezone(calendar.tz or "UTC")
        self.blocks = {}

    def __call__(self, day):
        block = day.toordinal() // BLOCK
        if block not in self.blocks:
            self.blocks[block] = self._worked(datetime.date.fromordinal(max(block * BLOCK, 1)))
        return day in self.blocks[block]

    def _worked(self, first):
        start = self.zone.localize(datetime.datetime.combine(first, datetime.time()))
        end = start + datetime.timedelta(days=BLOCK + 1)
        intervals = self.calendar._work_intervals_batch(start, end)[False]
        return {begin.astimezone(self.zone).date() for begin, _end, _hours in intervals}


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    def _working_calendar(self):
        """The working hours that count: the rule's own, else those of the company."""
        company = self.company_id or self.owner_id.company_id or self.env.company
        return (self.resource_calendar_id or company.resource_calendar_id).sudo()

    def _workdays(self):
        """Function of a date to whether it is a working day; None for another unit."""
        if self.delay_unit != "workdays":
            return None
        # As long as the transaction: what it has read does not change for it.
        known = self.env.cr.postcommit.data.setdefault("crm_automation.workdays", {})
        calendar = self._working_calendar()
        if calendar.id not in known:
            known[calendar.id] = Workdays(calendar)
        return known[calendar.id]

    @api.constrains("delay_unit", "resource_calendar_id", "company_id")
    def _check_workdays(self):
        for rule in self.filtered(lambda rule: rule.delay_unit == "workdays"):
            calendar = rule._working_calendar()
            if not calendar:
                raise ValidationError(
                    self.env._("Choose the working hours whose working days count.")
                )
            try:
                step_workdays(datetime.date.today(), 1, Workdays(calendar))
            except NoWorkday as error:
                raise ValidationError(rule._why_it_failed(error)) from error

    def _why_it_failed(self, error):
        if isinstance(error, NoWorkday):
            return self.env._(
                "The working hours “%(calendar)s” have no day on which anybody works, so "
                "nothing can be reckoned in working days. Choose others, or give them hours.",
                calendar=self._working_calendar().name,
            )
        return super()._why_it_failed(error)

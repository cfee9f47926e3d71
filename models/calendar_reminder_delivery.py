"""What became of the mails of reminders, and that one which was not sent is tried again.

As for the notices of rules (``crm_automation_delivery.py``); the row of the reminder itself
is put off, since what it is about may be over by its next try.
"""

from odoo import api, models

from ..engine.retry import is_refused_for_good
from .crm_automation_delivery import PASSING_FAILURES


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    @api.model
    def _follow(self, mails, failure_type, failure_reason):
        """A mail that was not sent is tried again, as long as it is of use.

        :param mails: ``mail.mail`` that have just been tried
        """
        for row in self.search([("mail_id", "in", mails.ids), ("state", "=", "done")]):
            if row.mail_id.state != "sent":
                row._note_unsent(
                    failure_type or row.mail_id.failure_type,
                    failure_reason or row.mail_id.failure_reason,
                )

    @api.model
    def _follow_untold(self):
        """The same of mails whose connection was lost: Odoo leaves them as exceptions, and
        says nothing. Called by the mail queue's job alone."""
        untold = self.search([("state", "=", "done"), ("mail_id.state", "=", "exception")])
        for row in untold:
            reason = self.env._(
                "The connection to the outgoing mail server was lost while this mail was being "
                "sent."
            )
            row._note_unsent(row.mail_id.failure_type, reason)

    @api.model
    def _count_waiting(self, limit=None):
        """How many mails of reminders are in the queue."""
        waiting = [("state", "=", "done"), ("mail_id.state", "=", "outgoing")]
        return self.search_count(waiting, limit=limit)

    def _note_unsent(self, failure_type, reason):
        self.ensure_one()
        passes = failure_type in PASSING_FAILURES and not is_refused_for_good(reason)
        self.write({"state": "pending", "finished_at": False})
        self._put_off(
            reason or self.env._("The outgoing mail server gave no reason."), passes=passes
        )
        if self.state == "pending":
            self.env["crm.automation.firing"]._arm()


class CrmAutomationDelivery(models.Model):
    _inherit = "crm.automation.delivery"

    @api.model
    def _count_waiting(self, limit=None):
        reminders = self.env["calendar.reminder"].sudo()
        return super()._count_waiting(limit) + reminders._count_waiting(limit)

    @api.model
    def _follow_untold(self):
        self.env["calendar.reminder"].sudo()._follow_untold()
        return super()._follow_untold()

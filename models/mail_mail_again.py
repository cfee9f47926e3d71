"""Mails of the calendar that could not be sent are tried again: Odoo leaves them as they are.

Invitations, answers to them, and what is told about visits and answers. Notices of rules and
reminders have a row of their own that is tried again (``crm_automation_delivery``,
``calendar_reminder_delivery``).
"""

from odoo import api, fields, models

from ..engine.retry import is_refused_for_good, next_try
from .crm_automation_delivery import PASSING_FAILURES


class MailMail(models.Model):
    _inherit = "mail.mail"

    is_sent_again = fields.Boolean(
        "Sent Again After a Failure",
        copy=False,
        readonly=True,
        help="As long as the outgoing mail server may still take it, in growing intervals.",
    )
    failed_number = fields.Integer("Failed Tries", copy=False, readonly=True)
    again_at = fields.Datetime("Next Try", copy=False, readonly=True)

    _again_idx = models.Index("(again_at) WHERE is_sent_again")

    def _note_unsent(self, failure_type=None, failure_reason=None):
        """Put off those of these mails that are to be tried again.

        :param failure_type: as in ``mail.mail``; None for each mail's own
        """
        now = self.env.cr.now().replace(microsecond=0)
        for mail in self.filtered(lambda one: one.is_sent_again and one.state != "sent"):
            passes = (failure_type or mail.failure_type) in PASSING_FAILURES
            passes = passes and not is_refused_for_good(failure_reason or mail.failure_reason)
            number = mail.failed_number + 1
            again = next_try(number, now) if passes else None
            mail.write(
                {"failed_number": number, "again_at": again or False, "is_sent_again": bool(again)}
            )
        if self.filtered("again_at"):
            self.env["crm.automation.firing"]._arm()

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        self._note_unsent(failure_type, failure_reason)
        return super()._postprocess_sent_message(
            success_pids,
            success_emails,
            failure_reason=failure_reason,
            failure_type=failure_type,
        )


class CrmAutomationDelivery(models.Model):
    _inherit = "crm.automation.delivery"

    @api.model
    def _count_waiting(self, limit=None):
        waiting = [
            ("is_sent_again", "=", True), ("again_at", "=", False),
            ("state", "in", ("outgoing", "exception")),
        ]  # fmt: skip
        mails = self.env["mail.mail"].sudo().search_count(waiting, limit=limit)
        return super()._count_waiting(limit) + mails

    @api.model
    def _follow_untold(self):
        lost = [("is_sent_again", "=", True), ("state", "=", "exception"), ("again_at", "=", False)]
        self.env["mail.mail"].sudo().search(lost)._note_unsent()
        return super()._follow_untold()

    @api.model
    def _next_retry(self):
        mails = self.env["mail.mail"].sudo()
        first = mails.search(
            [("is_sent_again", "=", True), ("again_at", "!=", False)], order="again_at", limit=1
        )  # fmt: skip
        return min(filter(None, (super()._next_retry(), first.again_at)), default=None)

    @api.model
    def _retry_due(self):
        due = self.env["mail.mail"].sudo().search(
            [("is_sent_again", "=", True), ("again_at", "<=", self.env.cr.now())]
        )  # fmt: skip
        due.mark_outgoing()
        due.write({"again_at": False})
        return super()._retry_due()

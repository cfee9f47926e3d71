"""What became of a notice for each recipient: on its way, sent, not sent, why.

Owns the following of outgoing mails and their repetition; stock leaves a mail
that could not be sent as it is, for ever.
"""

from odoo import api, fields, models

from ..engine.retry import is_refused_for_good, next_try

#: Failures that another try may mend. A wrong address stays wrong.
PASSING_FAILURES = frozenset({"mail_smtp", "unknown", False})

ROLES = [
    ("responsible", "Responsible"),
    ("leader", "Team leader"),
    ("technical", "Technical responsible"),
    ("approver", "Approver or manager"),
    ("customer", "Customer"),
    ("attendees", "Attendee"),
    ("followers", "Follower"),
    ("watchers", "Watcher"),
    ("extra", "Extra address"),
]
STATES = [
    ("skipped", "Left out"),
    ("queued", "On its way"),
    ("retry", "Will be tried again"),
    ("sent", "Delivered"),
    ("failed", "Not delivered"),
]


class CrmAutomationDelivery(models.Model):
    _name = "crm.automation.delivery"
    _description = "Recipient of a Notice"
    _order = "firing_id, id"
    _rec_name = "email"

    firing_id = fields.Many2one(
        "crm.automation.firing", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="firing_id.company_id", store=True)
    role = fields.Selection(
        ROLES,
        required=True,
        readonly=True,
        help="What they have to do with the record, and are told for.",
    )
    partner_id = fields.Many2one(
        "res.partner", readonly=True, help="Empty: an address without a contact."
    )
    email = fields.Char(
        readonly=True, help="Where the notice was to go; empty: no address was known."
    )
    state = fields.Selection(
        STATES,
        required=True,
        readonly=True,
        help="Delivered: the outgoing mail server has taken it, or it is in Odoo's inbox or "
        "to-dos.",
    )
    reason = fields.Text(readonly=True, help="Why it was left out, or could not be sent.")
    mail_id = fields.Many2one("mail.mail", readonly=True, index="btree_not_null")
    message_id = fields.Char(
        "Message-ID",
        readonly=True,
        help="Under this name mail servers have the mail in their logs.",
    )
    tries = fields.Integer(readonly=True)
    retry_at = fields.Datetime("Next Try", readonly=True)
    sent_at = fields.Datetime(
        "Sent", readonly=True, help="When it was delivered; empty: not until now."
    )

    _retry_idx = models.Index("(retry_at) WHERE state = 'retry'")
    _queued_idx = models.Index("(mail_id) WHERE state = 'queued'")
    _queued_since_idx = models.Index("(create_date) WHERE state = 'queued'")
    _failed_idx = models.Index("(write_date) WHERE state = 'failed'")

    @api.model
    def _state_of_all(self, states):
        """The delivery state of an execution, from those of its recipients."""
        states = set(states) - {"skipped"}
        if not states:
            return "none"
        if states & {"queued", "retry"}:
            return "queued"
        if states == {"sent"}:
            return "delivered"
        return "partial" if "sent" in states else "failed"

    @api.model
    def _follow(self, mails, failure_type, failure_reason):
        """Note what the outgoing server said of these mails.

        :param mails: ``mail.mail`` that have just been tried
        :param failure_type: as in ``mail.mail``, or None
        """
        for delivery in self.search([("mail_id", "in", mails.ids)]):
            mail = delivery.mail_id
            now = self.env.cr.now().replace(microsecond=0)
            if mail.state == "sent":
                delivery.write({"state": "sent", "sent_at": now, "reason": False})
                continue
            delivery._note_failure(
                failure_type or mail.failure_type, failure_reason or mail.failure_reason, now
            )

    @api.model
    def _follow_untold(self):
        """Note what became of mails that Odoo has said nothing of.

        It leaves a mail whose connection was lost as an exception. Called by the mail
        queue's job alone: whoever else changed these rows could undo the note of a mail
        that has just been sent.
        """
        untold = self.search(
            [("state", "=", "queued"),
             "|", ("mail_id", "=", False), ("mail_id.state", "!=", "outgoing")]
        )  # fmt: skip
        now = self.env.cr.now().replace(microsecond=0)
        for delivery in untold:
            mail = delivery.mail_id
            if mail.state == "sent":
                delivery.write({"state": "sent", "sent_at": now, "reason": False})
            elif mail.state == "exception":
                reason = self.env._(
                    "The connection to the outgoing mail server was lost while this mail was "
                    "being sent."
                )
                delivery._note_failure(mail.failure_type, reason, now)
            else:
                reason = (
                    self.env._("The mail was cancelled.")
                    if mail
                    else self.env._("The mail was deleted.")
                )
                delivery.write({"state": "failed", "reason": reason})

    @api.model
    def _count_waiting(self, limit=None):
        return self.search_count([("state", "=", "queued")], limit=limit)

    @api.model
    def _wake_mailer(self):
        """Let the mail queue's job run, where mails of ours wait and nobody has woken it.

        Odoo puts it off by an hour when workers have died in it.
        """
        if not self._count_waiting(limit=1):
            return
        mailer = self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()
        due = [("cron_id", "=", mailer.id), ("call_at", "<=", fields.Datetime.now())]
        if not self.env["ir.cron.trigger"].sudo().search_count(due, limit=1):
            mailer._trigger()

    def _note_failure(self, failure_type, failure_reason, now):
        tries = self.tries + 1
        passes = failure_type in PASSING_FAILURES and not is_refused_for_good(failure_reason)
        again = next_try(tries, now) if passes else None
        self.write(
            {
                "state": "retry" if again else "failed",
                "retry_at": again,
                "tries": tries,
                "reason": failure_reason or self.env._("The outgoing mail server gave no reason."),
            }
        )
        if again:
            self.env["crm.automation.firing"]._arm()

    @api.model
    def _next_retry(self):
        """When the next failed mail is due to be queued again, or None."""
        self.env.cr.execute(
            "SELECT min(retry_at) FROM crm_automation_delivery WHERE state = 'retry'"
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _retry_due(self):
        """Queue failed mails again, as they are: the same Message-ID, so that a
        mail program that has got one already shows it once."""
        due = self.search([("state", "=", "retry"), ("retry_at", "<=", self.env.cr.now())])
        due.mail_id.mark_outgoing()
        due.write({"state": "queued", "retry_at": False})
        self._wake_mailer()

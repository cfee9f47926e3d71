from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from odoo import models


class MailMail(models.Model):
    _inherit = "mail.mail"

    def process_email_queue(self, email_ids=(), batch_size=1000):
        result = super().process_email_queue(email_ids=email_ids, batch_size=batch_size)
        if not email_ids:
            if self.env.cr._cnx.get_transaction_status() == TRANSACTION_STATUS_INERROR:
                # An error of the database, which super has put into the log: it has
                # undone the last mail's transaction, and only that.
                self.env.cr.rollback()
            self.env["crm.automation.delivery"].sudo()._follow_untold()
        return result

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        # Before super: it deletes the mails that are sent.
        self.env["crm.automation.delivery"].sudo()._follow(self, failure_type, failure_reason)
        return super()._postprocess_sent_message(
            success_pids,
            success_emails,
            failure_reason=failure_reason,
            failure_type=failure_type,
        )

from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from odoo import models


class MailMail(models.Model):
    _inherit = "mail.mail"

    def process_email_queue(self, email_ids=(), batch_size=1000):
        if email_ids:
            return super().process_email_queue(email_ids=email_ids, batch_size=batch_size)
        Delivery = self.env["crm.automation.delivery"].sudo()
        waiting = Delivery._count_waiting()
        result = super().process_email_queue(email_ids=email_ids, batch_size=batch_size)
        if self.env.cr._cnx.get_transaction_status() == TRANSACTION_STATUS_INERROR:
            # An error of the database, which super has put into the log: it has
            # undone the last mail's transaction, and only that.
            self.env.cr.rollback()
        Delivery._follow_untold()
        if 0 < Delivery._count_waiting() < waiting:
            # Stock ends at a lost connection and after 1,000 mails, and comes back in
            # an hour. Whoever has woken this run: that ends with it. Where nothing
            # got on, as with a server that is not allowed, it would run for ever.
            self.env["ir.cron"]._automation_wake("mail.ir_cron_mail_scheduler_action")
        return result

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        # Before super: it deletes the mails that are sent.
        self.env["crm.automation.delivery"].sudo()._follow(self, failure_type, failure_reason)
        self.env["calendar.reminder"].sudo()._follow(self, failure_type, failure_reason)
        return super()._postprocess_sent_message(
            success_pids,
            success_emails,
            failure_reason=failure_reason,
            failure_type=failure_type,
        )

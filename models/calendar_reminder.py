"""The ledger of reminders: one row for each reminder, meeting or task, and recipient.

Owns the row and its end. What is due is found in ``calendar_reminder_find.py``, delivered
in ``calendar_reminder_run.py``; the mail is ``calendar_reminder_letter.py``'s, what its
reader answers ``calendar_reminder_answer.py``'s. The rows are emptied by the drainers of
the executions (``crm_automation_firing_drain.py``), to the second as those.
"""

from datetime import timedelta

from odoo import api, fields, models

from .crm_automation_firing import STATES

#: Hours after its moment at which a reminder is of no use any more.
LATENESS = "crm_automation.reminder_lateness_hours"


class CalendarReminder(models.Model):
    _name = "calendar.reminder"
    _description = "Reminder of a Meeting or Task"
    _inherit = ["crm.automation.ledger"]
    _order = "due_at desc, id desc"
    _rec_name = "record_name"

    alarm_id = fields.Many2one(
        "calendar.alarm",
        "Reminder",
        readonly=True,
        ondelete="cascade",
        index=True,
        help="Which of the reminders it is; empty: one set in a calendar program, or the summary "
        "of the day.",
    )
    own_key = fields.Char(
        readonly=True, help="Names a reminder that somebody has set in his own program."
    )
    kind = fields.Selection(
        selection=lambda self: (
            self.env["calendar.alarm"]._fields["alarm_type"]._description_selection(self.env)
        ),
        string="Type",
        required=True,
        readonly=True,
        help="How people are reminded.",
    )
    res_model = fields.Char("Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        "Record ID", model_field="res_model", required=True, readonly=True
    )
    record_name = fields.Char(
        "About",
        compute="_compute_record_name",
        help="The meeting, task or activity; empty: it is gone, or you may not see it.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        "For",
        readonly=True,
        index=True,
        help="Who is reminded; empty: an address without a contact.",
    )
    address = fields.Char(readonly=True, help="Of whoever is invited without being a contact.")
    number = fields.Integer(
        readonly=True,
        default=0,
        aggregator=None,
        help="0, or which repetition of the reminder it is.",
    )
    snooze = fields.Integer(
        readonly=True, default=0, aggregator=None, help="0, or how often it was put off until now."
    )
    base_at = fields.Datetime(
        "Date", required=True, readonly=True, help="What the moment was reckoned from."
    )
    due_at = fields.Datetime(
        "Due", required=True, readonly=True, help="When people are to be reminded."
    )
    run_at = fields.Datetime("Next Try", required=True, readonly=True)
    state = fields.Selection(
        STATES,
        required=True,
        readonly=True,
        default="pending",
        string="Outcome",
        help="What has become of it. Done: it was shown, or is in the mail queue. Expired: it "
        "came too late to be of use.",
    )
    reason = fields.Text(readonly=True, help="Why it was not done, or not yet.")
    tries = fields.Integer(readonly=True, aggregator=None)
    finished_at = fields.Datetime(
        "Finished",
        readonly=True,
        index=True,
        help="When it was delivered, left out or given up; empty: it is still to come.",
    )
    dismissed_at = fields.Datetime(
        "Dismissed", readonly=True, help="When its reader put it away; empty: not until now."
    )
    late_at = fields.Datetime(
        "Will Be Late", readonly=True, help="When the recipient said so from the reminder."
    )
    mail_id = fields.Many2one("mail.mail", readonly=True, index="btree_not_null")

    _once = models.UniqueIndex(
        "(res_id, res_model, COALESCE(alarm_id, 0), COALESCE(own_key, ''), "
        "COALESCE(partner_id, 0), COALESCE(address, ''), base_at, number, snooze)"
    )
    _pending_idx = models.Index("(run_at, id) WHERE state = 'pending'")
    _shown_idx = models.Index(
        "(partner_id, due_at) WHERE state = 'done' AND kind = 'notification' "
        "AND dismissed_at IS NULL"
    )

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        for model, rows in self.grouped("res_model").items():
            records = self.env[model].browse(rows.mapped("res_id")).exists()
            names = {record.id: record.display_name for record in records._filtered_access("read")}
            for row in rows:
                row.record_name = names.get(row.res_id, "")

    def _record(self):
        """The meeting or task, past the rights; empty when it is gone."""
        self.ensure_one()
        model = self.env[self.res_model].sudo().with_context(active_test=False)
        return model.browse(self.res_id).exists()

    @api.model
    def _title(self, record):
        """What it is called. Hook for extensions."""
        return record["name"] or ""

    def _subjects(self):
        """Row to its meeting or task, past the rights; those that share a model are read
        together."""
        found = {}
        for name, rows in self.grouped("res_model").items():
            model = self.env[name].sudo().with_context(active_test=False)
            by_id = {one.id: one for one in model.browse(set(rows.mapped("res_id")))}
            found |= {row: by_id[row.res_id] for row in rows}
        return found

    def _finish(self, state, reason=False):
        """End rows.

        :param str state: done, skipped, failed, expired or cancelled
        :param str reason: a sentence for the log
        """
        self.write(
            {
                "state": state,
                "reason": reason,
                "finished_at": self.env.cr.now().replace(microsecond=0),
            }
        )

    @api.model
    def _lateness(self):
        hours = self.env["ir.config_parameter"].sudo().get_param(LATENESS, 24)
        return timedelta(hours=max(float(hours), 0))

    @api.autovacuum
    def _gc_old(self):
        return self._forget_old()

"""The run of a rule and its log, one row per rule, record and occasion.

Owns the row: its fields, its end, what is done by hand and how long it is kept.
How rows get into the ledger is in ``crm_automation_firing_insert.py``, how the
jobs empty it in ``crm_automation_firing_drain.py``; what is sent is in
``crm.automation.notice``.
"""

import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL

STATES = [
    ("pending", "Pending"),
    ("done", "Done"),
    ("skipped", "Skipped"),
    ("failed", "Failed"),
    ("expired", "Expired"),
    ("cancelled", "Cancelled"),
]
DELIVERY_STATES = [
    ("none", "No mail"),
    ("queued", "On its way"),
    ("delivered", "Delivered"),
    ("partial", "Partly delivered"),
    ("failed", "Not delivered"),
]


class CrmAutomationFiring(models.Model):
    _name = "crm.automation.firing"
    _description = "Execution of an Automated Action"
    _inherit = ["crm.automation.ledger"]
    _order = "due_at desc, id desc"
    _rec_name = "record_name"

    rule_id = fields.Many2one(
        "crm.automation.rule",
        required=True,
        readonly=True,
        ondelete="cascade",
        help="Its conditions have chosen the record, and it says what is done.",
    )
    company_id = fields.Many2one(
        "res.company", readonly=True, index=True, help="Of the record, else of the rule."
    )
    trigger = fields.Selection(
        selection=lambda self: (
            self.env["crm.automation.rule"]._fields["trigger"]._description_selection(self.env)
        ),
        readonly=True,
        string="What Happened",
        help="What the rule has waited for.",
    )
    res_model = fields.Char("Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        "Record ID", model_field="res_model", required=True, readonly=True
    )
    record_name = fields.Char(
        "Record", readonly=True, help="What the record was called when it happened."
    )
    responsible_id = fields.Many2one(
        "res.users", readonly=True, index=True, help="Responsible of the record at that moment."
    )
    actor_id = fields.Many2one(
        "res.users", "Done By", readonly=True, help="Who made the change that the rule waits for."
    )
    occasion = fields.Char(
        required=True,
        readonly=True,
        help="Names the transaction or the moment: a rule acts once per record and occasion.",
    )
    base_date = fields.Datetime(
        "Date",
        readonly=True,
        help="What the record's date was when the execution was planned.",
    )
    timing = fields.Integer(
        readonly=True,
        groups="base.group_system",
        aggregator=None,
        help="Names the delay that the moment was reckoned with.",
    )
    payload = fields.Json(
        readonly=True,
        groups="base.group_system",
        help="What the record will no longer tell when the job comes to it: values before the "
        "change, what was merged, a deleted record.",
    )
    chain = fields.Char(
        readonly=True, help="Rules whose actions led to this one, the first one first."
    )
    due_at = fields.Datetime(
        "Due", required=True, readonly=True, help="When the rule acts, its delay included."
    )
    run_at = fields.Datetime(
        "Next Try", readonly=True, help="Not before this moment; later than due after a failure."
    )
    state = fields.Selection(
        STATES,
        required=True,
        readonly=True,
        default="pending",
        string="Outcome",
        help="What has become of it. Done: its mails are in the queue; whether they arrived is "
        "said by each recipient's line.",
    )
    reason = fields.Text(readonly=True, help="Why it was not done, or not yet.")
    tries = fields.Integer(
        readonly=True, help="How often it was begun; after a failure it is tried again later."
    )
    finished_at = fields.Datetime(
        "Finished",
        readonly=True,
        index=True,
        help="When it was done, left out or given up; empty: it is still to come.",
    )
    duration = fields.Integer(
        "Duration (ms)", readonly=True, aggregator="avg", help="Time the work took."
    )
    delivery_ids = fields.One2many(
        "crm.automation.delivery",
        "firing_id",
        string="Recipients",
        readonly=True,
        help="Whom the notice went to, and what became of it for each of them.",
    )
    delivery_state = fields.Selection(
        DELIVERY_STATES,
        compute="_compute_delivery_state",
        store=True,
        string="Delivery",
        help="What became of the mails, all recipients taken together.",
    )

    _once = models.Constraint(
        "UNIQUE (rule_id, res_model, res_id, occasion)",
        "A rule acts once per record and occasion.",
    )
    _rule_idx = models.Index("(rule_id, base_date)")
    _record_idx = models.Index("(res_model, res_id)")
    _pending_idx = models.Index("(run_at, id) WHERE state = 'pending'")
    _failed_idx = models.Index("(finished_at) WHERE state = 'failed'")

    @api.depends("delivery_ids.state")
    def _compute_delivery_state(self):
        for firing in self:
            firing.delivery_state = self.delivery_ids._state_of_all(
                firing.delivery_ids.mapped("state")
            )

    @api.model
    def _sql_is_private(self, alias):
        # Of a meeting that was deleted the snapshot says it.
        return SQL(
            "(%s AND COALESCE(%s->'gone'->>'private', 'true') = 'true')",
            super()._sql_is_private(alias),
            SQL.identifier(alias, "payload"),
        )

    def _told(self):
        """Its payload as it lies in the cache: only to be read.

        The field's own value is a deep copy at each access, and this is asked several
        times for each notice. To whom it may be told is the caller's business.
        """
        if "payload" not in self._cache:
            self.sudo().fetch(["payload"])
        return self._cache["payload"] or {}

    def _finish(self, state, reason=False, delivery_state=None):
        """End firings.

        :param str state: done, skipped, failed, expired or cancelled
        :param str reason: a sentence for the log
        :param str delivery_state: where the deliveries were inserted past the ORM
        """
        values = {
            "state": state,
            "reason": reason,
            "finished_at": self.env.cr.now().replace(microsecond=0),
        }
        if delivery_state:
            values["delivery_state"] = delivery_state
        self.write(values)

    @api.model
    def _cancel_of_deleted(self, model, ids):
        """End what was planned for records that are deleted in this transaction.

        What a drainer is at work on is left to it: it finds the record gone.
        """
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            self.env.cr.execute(
                SQL(
                    """
                    SELECT id FROM crm_automation_firing
                    WHERE res_model = %s AND res_id IN %s AND state = 'pending' AND run_at > %s
                    AND payload->'gone' IS NULL
                    FOR NO KEY UPDATE SKIP LOCKED
                    """,
                    model,
                    tuple(ids) or (0,),
                    self.env.cr.now(),
                )
            )
            planned = self.browse(row[0] for row in self.env.cr.fetchall())
        except psycopg2.extensions.TransactionRollbackError:
            savepoint.close(rollback=True)
            return
        savepoint.close(rollback=False)
        planned._finish("cancelled", self.env._("The record was deleted."))

    # -- by hand ------------------------------------------------------------------

    def action_retry(self):
        """Run failed executions again, by hand of whoever may change rules."""
        self.rule_id.check_access("write")
        failed = self.sudo().filtered(
            # Of a deleted record that could not be asked, nothing is known.
            lambda firing: (
                firing.state == "failed" and firing.res_id and "failure" not in firing._told()
            )
        )
        now = self.env.cr.now().replace(microsecond=0)
        failed.write({"state": "pending", "run_at": now, "tries": 0, "finished_at": False})
        self._wake()
        return True

    @api.model
    def _action_of(self, domain):
        """The action that shows these executions."""
        action = self.env["ir.actions.actions"]._for_xml_id(
            "crm_automation.crm_automation_firing_action"
        )
        return {**action, "domain": domain, "context": {}}

    @api.autovacuum
    def _gc_old(self):
        return self._forget_old()

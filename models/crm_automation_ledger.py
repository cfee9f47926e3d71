"""What the ledgers that the drainers empty have in common: claiming, and what failed.

Two models are ledgers: the executions of rules, and the reminders of meetings and tasks.
A row has ``state`` (*pending* until it ends), ``run_at``, ``tries``, ``reason`` and
``finished_at``.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine.retry import next_try

GC_LIMIT = 5000


class CrmAutomationLedger(models.AbstractModel):
    _name = "crm.automation.ledger"
    _description = "Ledger"
    _inherit = ["crm.automation.pointer"]

    is_private = fields.Boolean(
        "Of a Private Meeting",
        compute="_compute_is_private",
        search="_search_is_private",
        help="Who takes part in it is as private as its subject. So is a meeting of which nobody "
        "can tell any more.",
    )

    @api.depends("res_model", "res_id")
    def _compute_is_private(self):
        private = self.sudo().search(
            Domain("id", "in", self.ids) & Domain("is_private", "=", True)
        )  # fmt: skip
        for row in self:
            row.is_private = row._origin.id in private._ids

    @api.model
    def _search_is_private(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.flush_model(["res_model", "res_id"])
        self.env["calendar.event"].flush_model(["privacy", "user_id"])
        self.env["res.users.settings"].flush_model(["user_id", "calendar_default_privacy"])
        private = Domain.custom(
            to_sql=lambda _model, alias, _query: self._sql_is_private(alias),
            predicate=lambda row: row.is_private,
        )
        return private if True in value else ~private

    @api.model
    def _sql_is_private(self, alias):
        """Whether a row of the ledger is about a private meeting.

        :param str alias: of the ledger's table
        """
        return SQL(
            """(%(model)s = 'calendar.event' AND NOT EXISTS (
                SELECT FROM calendar_event event
                  LEFT JOIN res_users_settings settings ON settings.user_id = event.user_id
                 WHERE event.id = %(id)s
                   AND COALESCE(event.privacy, settings.calendar_default_privacy, 'public')
                       <> 'private'))""",
            model=SQL.identifier(alias, "res_model"),
            id=SQL.identifier(alias, "res_id"),
        )

    @api.model
    def _claim(self, limit):
        """Lock and return pending rows that are due and not locked by others."""
        self.env.cr.execute(
            SQL(
                """
                SELECT id FROM %s
                WHERE state = 'pending' AND run_at <= %s
                ORDER BY run_at, id
                LIMIT %s
                FOR NO KEY UPDATE SKIP LOCKED
                """,
                SQL.identifier(self._table),
                self.env.cr.now(),
                limit,
            )
        )
        return self.browse(row[0] for row in self.env.cr.fetchall())

    def _begin_alone(self):
        """Before a claimed row is run, commit that it has failed.

        What takes all the memory or the time of a worker ends it without a word.
        Noted beforehand, it is put off as after any failure, and stops nobody else.

        :return: the row as it was, locked again
        """
        names = ["tries", "run_at", "reason", "state", "finished_at"]
        before = {values.pop("id"): values for values in self.read(names)}
        for row in self:
            row._put_off(
                self.env._("A process of the server ended while it was at this execution.")
            )
        self.env["crm.automation.firing"]._commit_batch(len(self), remaining=1)
        self.env.cr.execute(
            SQL(
                "SELECT id FROM %s WHERE id IN %s FOR NO KEY UPDATE SKIP LOCKED",
                SQL.identifier(self._table),
                tuple(self.ids) or (0,),
            )
        )
        locked = self.browse(row[0] for row in self.env.cr.fetchall())
        for row in locked:
            row.write(before[row.id])
        return locked

    def _put_off(self, reason, passes=True):
        """Note a failure, and when the next try is; after the last one, give up."""
        self.ensure_one()
        tries = self.tries + 1
        now = self.env.cr.now().replace(microsecond=0)
        again = next_try(tries, now) if passes else None
        self.write({"tries": tries, "reason": reason})
        if again:
            self.run_at = again
        else:
            self._finish("failed", reason)

    @api.model
    def _forget_old(self):
        """Forget what ended long ago (``crm_automation.log_days``, 180 by default).

        :return: what an autovacuum says: how many, and whether there are more
        """
        days = int(self.env["ir.config_parameter"].sudo().get_param("crm_automation.log_days", 180))
        limit = fields.Datetime.now() - timedelta(days=max(days, 1))
        old = self.search([("finished_at", "<", limit)], limit=GC_LIMIT)
        old.unlink()
        return len(old), len(old) == GC_LIMIT

    @api.model
    def _next_run(self):
        """When the next pending row is due, None without one."""
        self.env.cr.execute(
            SQL(
                "SELECT min(run_at) FROM %s WHERE state = 'pending'",
                SQL.identifier(self._table),
            )
        )
        return self.env.cr.fetchone()[0]

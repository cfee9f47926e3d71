"""What each run of an account has done: a line for each object that it has touched."""

from odoo import api, fields, models
from odoo.exceptions import UserError

RESULTS = [
    ("done", "Successful"),
    ("unchanged", "Unchanged"),
    ("partial", "To be continued"),
    ("asks", "Asks"),
    ("error", "Failed"),
]
KINDS = [
    ("created", "Created"),
    ("changed", "Changed"),
    ("merged", "Merged"),
    ("moved", "Moved"),
    ("deleted", "Deleted"),
    ("conflict", "Conflict"),
    ("failed", "Failed"),
]
#: Counted kinds, by the field of the run that counts them.
COUNTS = {
    "created": "created_count", "changed": "changed_count", "merged": "changed_count",
    "moved": "changed_count", "deleted": "deleted_count", "conflict": "conflict_count",
    "failed": "failed_count",
}  # fmt: skip


class CaldavAccountRun(models.Model):
    _name = "caldav.account.run"
    _inherit = ["calendar.run"]
    _description = "Run of a CalDAV Account"

    account_id = fields.Many2one("caldav.account", required=True, index=True, ondelete="cascade")
    user_id = fields.Many2one(related="account_id.user_id", store=True)
    result = fields.Selection(RESULTS, required=True)
    created_count = fields.Integer("Created")
    deleted_count = fields.Integer("Deleted")
    conflict_count = fields.Integer("Conflicts")
    failed_count = fields.Integer("Failed")
    request_count = fields.Integer("Requests")
    change_ids = fields.One2many("caldav.account.change", "run_id", "Changes")
    undo = fields.Selection(
        [("asked", "Being undone"), ("done", "Undone")], "Undoing", readonly=True
    )

    def action_undo(self):
        """Take back what it has done on both sides."""
        self.ensure_one()
        self.check_access("read")
        if self.undo or not self.change_ids.filtered("can_undo"):
            raise UserError(self.env._("There is nothing to take back."))
        run = self.sudo()
        run.undo = "asked"
        run.account_id.next_sync = self.env.cr.now()
        run.account_id._wake()
        return True


class CaldavAccountChange(models.Model):
    _name = "caldav.account.change"
    _description = "Change by a CalDAV Account"
    _order = "id desc"
    _rec_name = "summary"

    run_id = fields.Many2one("caldav.account.run", required=True, index=True, ondelete="cascade")
    account_id = fields.Many2one(related="run_id.account_id", store=True, index=True)
    calendar_id = fields.Many2one("caldav.account.calendar", ondelete="set null", index=True)
    uid = fields.Char("UID")
    summary = fields.Char("Title")
    date = fields.Datetime("When", required=True)
    kind = fields.Selection(KINDS, "What", required=True)
    side = fields.Selection([("here", "Odoo"), ("there", "The server")], "Where", required=True)
    reason = fields.Char()
    before_text = fields.Text(groups=fields.NO_ACCESS, help="What was there before, on that side.")
    after_print = fields.Char(groups=fields.NO_ACCESS)
    lost_text = fields.Text(
        groups=fields.NO_ACCESS, help="Of a conflict: the version that did not count."
    )
    has_lost = fields.Boolean("Has Another Version", compute="_compute_has", compute_sudo=True)
    can_undo = fields.Boolean(compute="_compute_has", compute_sudo=True)
    restored = fields.Boolean(readonly=True)
    undo = fields.Selection([("undone", "Undone"), ("left", "Left alone")], "Undoing")

    @api.depends("lost_text", "after_print", "kind", "undo")
    def _compute_has(self):
        for change in self:
            change.has_lost = bool(change.lost_text)
            change.can_undo = (
                change.kind in ("created", "changed", "merged", "deleted") and not change.undo
            )

    def action_restore(self):
        """The version that did not count is what Odoo has; the sync carries it on."""
        self.ensure_one()
        self.check_access("read")
        change = self.sudo()
        if not change.lost_text or not change.calendar_id:
            raise UserError(self.env._("There is no other version of it."))
        change.calendar_id._restore(change)
        return True

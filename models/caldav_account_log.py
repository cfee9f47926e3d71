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

    account_id = fields.Many2one(
        "caldav.account",
        required=True,
        index=True,
        ondelete="cascade",
        help="Which account was brought in step.",
    )
    user_id = fields.Many2one(related="account_id.user_id", store=True)
    result = fields.Selection(
        RESULTS,
        required=True,
        help="To be continued: the rest follows by itself. Asks: something waits for your "
        "decision.",
    )
    created_count = fields.Integer(
        "Created", help="Meetings and to-dos that came to one side from the other."
    )
    deleted_count = fields.Integer(
        "Deleted",
        help="Meetings and to-dos deleted on one side because they were gone on the other.",
    )
    conflict_count = fields.Integer(
        "Conflicts", help="What both sides had changed: one version has counted, or you are asked."
    )
    failed_count = fields.Integer(
        "Failed", help="What could not be read or written; each of the changes says why."
    )
    request_count = fields.Integer("Requests", help="How often the server was asked for something.")
    change_ids = fields.One2many(
        "caldav.account.change",
        "run_id",
        "Changes",
        help="One line for each meeting or to-do that was touched.",
    )
    undo = fields.Selection(
        [("asked", "Being undone"), ("done", "Undone")],
        "Undoing",
        readonly=True,
        help="Whether what was done is taken back; empty: it stands.",
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
    calendar_id = fields.Many2one(
        "caldav.account.calendar",
        ondelete="set null",
        index=True,
        help="Which calendar of the account it belongs to.",
    )
    uid = fields.Char("UID")
    summary = fields.Char("Title", help="What the meeting or to-do is called.")
    date = fields.Datetime("When", required=True, help="When the change was written.")
    kind = fields.Selection(
        KINDS,
        "What",
        required=True,
        help="Merged: both sides had changed different things, and both count. Conflict: they had "
        "changed the same, and one of them counts.",
    )
    side = fields.Selection(
        [("here", "Odoo"), ("there", "The server")],
        "Where",
        required=True,
        help="On which of the two it was done.",
    )
    reason = fields.Char(help="Why it failed, or which version counted; empty: an ordinary change.")
    before_text = fields.Text(groups=fields.NO_ACCESS, help="What was there before, on that side.")
    after_print = fields.Char(groups=fields.NO_ACCESS)
    lost_text = fields.Text(
        groups=fields.NO_ACCESS, help="Of a conflict: the version that did not count."
    )
    has_lost = fields.Boolean("Has Another Version", compute="_compute_has", compute_sudo=True)
    can_undo = fields.Boolean(compute="_compute_has", compute_sudo=True)
    restored = fields.Boolean(readonly=True)
    undo = fields.Selection(
        [("undone", "Undone"), ("left", "Left alone")],
        "Undoing",
        help="Left alone: it was changed again since, so that nothing was taken back.",
    )

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

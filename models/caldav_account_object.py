"""What both sides last agreed on of one object, and what has become of it since.

Written by the sync alone. A row whose ``dirty_here`` or ``dirty_there`` is set is work
to be done; so a run that ends anywhere is gone on with.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError

HOLDS = [
    ("brake", "Deletion to be confirmed"),
    ("conflict", "Changed on both sides"),
    ("unreadable", "Cannot be read"),
    ("refused", "Not taken"),
    ("elsewhere", "In another calendar already"),
    ("twice", "There twice"),
]
#: Of these, those about which its owner is asked.
ASKING = ("brake", "conflict", "refused", "unreadable")


class CaldavAccountObject(models.Model):
    _name = "caldav.account.object"
    _description = "Meeting in Step with a CalDAV Account"
    _order = "id"
    _rec_name = "summary"

    calendar_id = fields.Many2one(
        "caldav.account.calendar",
        required=True,
        index=True,
        ondelete="cascade",
        help="Which calendar of the account it belongs to.",
    )
    account_id = fields.Many2one(related="calendar_id.account_id", store=True, index=True)
    uid = fields.Char("UID")
    path = fields.Char("Address")
    summary = fields.Char("Title", help="What the meeting or to-do is called.")
    has_here = fields.Boolean("In Odoo", help="Whether Odoo had it when both sides last agreed.")
    has_there = fields.Boolean(
        "On the Server", help="Whether the server had it when both sides last agreed."
    )
    came_from = fields.Selection([("here", "Odoo"), ("there", "The server")])
    etag = fields.Char(groups=fields.NO_ACCESS)
    version = fields.Char(groups=fields.NO_ACCESS)
    print_here = fields.Char(groups=fields.NO_ACCESS)
    print_there = fields.Char(groups=fields.NO_ACCESS)
    #: of what was about to be written there, when nobody knows yet whether it was
    print_sent = fields.Char(groups=fields.NO_ACCESS)
    text_here = fields.Text(groups=fields.NO_ACCESS, help="Empty: the same as there.")
    text_there = fields.Text(groups=fields.NO_ACCESS)
    dirty_here = fields.Selection(
        [("changed", "Changed"), ("gone", "Gone")],
        help="What has become of it in Odoo since both sides last agreed; empty: nothing.",
    )
    dirty_there = fields.Selection(
        [("changed", "Changed"), ("gone", "Gone"), ("missing", "Missing")],
        help="Missing: no longer listed, which proves nothing.",
    )
    seen_etag = fields.Char(groups=fields.NO_ACCESS)
    is_allowed = fields.Boolean("Deletion Confirmed")
    choice = fields.Selection([("here", "Odoo"), ("there", "The server")], "Which Counts")
    hold = fields.Selection(
        HOLDS, "Problem", help="Why it is not brought in step: both sides keep what they have."
    )
    reason = fields.Char(help="What the server said, or what is wrong with it.")
    failures = fields.Integer()
    next_try = fields.Datetime()

    _path_unique = models.UniqueIndex("(calendar_id, path) WHERE path IS NOT NULL")
    _uid_unique = models.UniqueIndex(
        "(calendar_id, uid) WHERE uid IS NOT NULL AND hold IS DISTINCT FROM 'twice'"
    )
    _dirty = models.Index(
        "(calendar_id, id) WHERE dirty_here IS NOT NULL OR dirty_there IS NOT NULL"
    )

    def _base_here(self):
        return self.text_here or self.text_there or ""

    # --- What its owner says

    def _answer(self, holds, values):
        """:raises UserError: when nothing is asked"""
        self.check_access("read")
        rows = self.sudo().filtered(lambda row: row.hold in holds)
        if not rows:
            raise UserError(self.env._("There is nothing to decide about these."))
        rows.write({"hold": False, "reason": False, "failures": 0, "next_try": False, **values})
        accounts = rows.account_id
        accounts.write({"next_sync": self.env.cr.now()})
        accounts._wake()
        return True

    def action_delete(self):
        """What is gone on one side goes on the other."""
        return self._answer({"brake"}, {"is_allowed": True})

    def action_keep(self):
        """What is gone on one side is brought back there."""
        self.check_access("read")
        for row in self.sudo().filtered(lambda one: one.hold == "brake"):
            if row.dirty_here == "gone":
                row.write({"has_here": False, "dirty_here": False, "dirty_there": "changed",
                           "seen_etag": row.etag, "etag": False, "print_there": False})  # fmt: skip
            else:
                row.write({"has_there": False, "dirty_there": False, "dirty_here": "changed",
                           "print_here": False, "version": False})  # fmt: skip
        return self._answer({"brake"}, {})

    def action_take_here(self):
        """What Odoo has counts."""
        return self._answer({"conflict"}, {"choice": "here"})

    def action_take_there(self):
        """What the server has counts."""
        return self._answer({"conflict"}, {"choice": "there"})

    def action_retry(self):
        """Try it once more."""
        return self._answer({"refused", "unreadable", "elsewhere"}, {})

    @api.autovacuum
    def _gc_nothing(self):
        """Rows of what is nowhere any more."""
        self.search(
            [
                ("has_here", "=", False), ("has_there", "=", False), ("dirty_here", "=", False),
                ("dirty_there", "=", False), ("hold", "=", False),
            ]
        ).unlink()  # fmt: skip

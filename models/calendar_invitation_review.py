"""Messages about meetings that could not be taken at their word: somebody decides."""

import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

_logger = logging.getLogger(__name__)

REASONS = [
    ("sender", "The sender is not the one who speaks in it"),
    ("authentication", "The mail failed the sender's own checks (DMARC)"),
    ("stranger", "The sender is not invited"),
    ("not_invited", "The user is not invited"),
    ("claimed", "Several users have the address that it was sent to"),
    ("unknown", "There is no such meeting"),
    ("own", "It claims to change a meeting of ours"),
    ("organizer", "Another organizer than before, or none"),
    ("outdated", "It answers to what the meeting was before"),
    ("ahead", "It answers to what was never sent"),
    ("future", "It comes from the future"),
    ("delegated", "The invitation is passed on to somebody else"),
    ("time", "The proposed time cannot be read"),
    ("refused", "Odoo has no place for it"),
    ("unreadable", "It cannot be read"),
    ("limit", "It is larger than what is read"),
    ("method", "It asks for what is not supported"),
]
#: Of these there is something that can be done.
APPLICABLE = frozenset(
    {"sender", "authentication", "not_invited", "organizer", "outdated", "ahead", "future"}
)
#: Days that what was decided is kept, and what nobody has decided.
DAYS_KEPT, DAYS_OPEN = 90, 183
#: Messages of one sender that are put aside in a day.
MAX_A_DAY = 50


class CalendarInvitationReview(models.Model):
    _name = "calendar.invitation.review"
    _description = "Message About a Meeting to Review"
    _order = "received_at desc, id desc"
    _rec_name = "summary"

    received_at = fields.Datetime(
        "Received", required=True, readonly=True, help="When the mail came in."
    )
    method = fields.Char(
        "Kind of Message",
        readonly=True,
        help="What it wants: to invite (REQUEST), answer (REPLY), cancel (CANCEL), propose "
        "another time (COUNTER) or something else.",
    )
    reason = fields.Selection(
        REASONS,
        "Why It Is Here",
        required=True,
        readonly=True,
        help="What kept Odoo from doing as it says. Apply it only if you know that it is genuine.",
    )
    detail = fields.Char(
        "Details", readonly=True, help="What else was found out, for whoever looks closer."
    )
    sender = fields.Char(
        "From", readonly=True, help="Whom the mail says that it comes from, which can be forged."
    )
    address = fields.Char("Sender's Address", readonly=True, index="btree_not_null")
    subject = fields.Char(readonly=True, help="That of the mail, as it came.")
    summary = fields.Char(
        "Meeting Named", readonly=True, help="What the message calls the meeting."
    )
    uid = fields.Char(
        "iCalendar UID", readonly=True, help="The name by which Odoo has looked for the meeting."
    )
    user_id = fields.Many2one(
        "res.users", "For", readonly=True, index=True, ondelete="cascade",
        help="Whose meeting it is about; empty when nobody's.",
    )  # fmt: skip
    event_id = fields.Many2one(
        "calendar.event",
        "Meeting",
        readonly=True,
        ondelete="set null",
        help="The one in Odoo that it is about; empty: none was found.",
    )
    text = fields.Text(
        "Message",
        readonly=True,
        help="The calendar file of the mail, as it came; empty: it was too large to be kept.",
    )
    digest = fields.Char(readonly=True, index="btree_not_null")
    state = fields.Selection(
        [("todo", "To Review"), ("applied", "Applied"), ("dismissed", "Dismissed")],
        default="todo", required=True, readonly=True, index=True,
        help="Applied: somebody had it done all the same. Dismissed: nothing was done.",
    )  # fmt: skip
    decided_by_id = fields.Many2one(
        "res.users", readonly=True, help="Who has applied or dismissed it; empty: nobody until now."
    )
    is_applicable = fields.Boolean("Can Be Applied", compute="_compute_is_applicable")

    @api.depends("reason", "state", "text")
    def _compute_is_applicable(self):
        for review in self:
            review.is_applicable = (
                review.state == "todo" and review.reason in APPLICABLE and bool(review.text)
            )

    def action_apply(self):
        """Believe it all the same."""
        for review in self._to_decide():
            if not review.is_applicable:
                raise UserError(self.env._("Nothing can be done with this message."))
            self.env["calendar.invitation.gateway"].sudo()._apply_review(review.sudo())
            review.sudo().write({"state": "applied", "decided_by_id": self.env.user.id})
        return True

    def action_dismiss(self):
        """Leave it alone."""
        self._to_decide().sudo().write(
            {"state": "dismissed", "decided_by_id": self.env.user.id}
        )  # fmt: skip
        return True

    def _to_decide(self):
        """Those that wait; whoever sees them decides about them.

        :raises AccessError: when one of them is none of the user's business
        """
        self.check_access("read")
        if not self.env.user._is_internal():
            raise AccessError(self.env._("Only internal users review messages."))
        return self.filtered(lambda review: review.state == "todo")

    @api.model
    def _is_full(self, address):
        """Whether enough of a sender was put aside for today."""
        since = fields.Datetime.subtract(fields.Datetime.now(), days=1)
        count = self.search_count(
            [("address", "=", address or False), ("received_at", ">", since)], limit=MAX_A_DAY
        )
        return count >= MAX_A_DAY

    @api.autovacuum
    def _gc_decided(self):
        """Forget what was decided 90 days ago, and what has waited for half a year."""
        now = self.env.cr.now()
        decided = fields.Datetime.subtract(now, days=DAYS_KEPT)
        waiting = fields.Datetime.subtract(now, days=DAYS_OPEN)
        self.search(
            ["|", "&", ("state", "!=", "todo"), ("write_date", "<", decided),
             "&", ("state", "=", "todo"), ("received_at", "<", waiting)],
        ).unlink()  # fmt: skip

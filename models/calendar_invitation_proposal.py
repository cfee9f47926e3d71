"""Another time, proposed by somebody who is invited; the organizer takes it with one click."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_datetime

#: Proposals that one person may leave open for a meeting, and characters of a comment.
MAX_OPEN, MAX_COMMENT = 3, 2000
#: Proposals that one person makes for a meeting in a day: the organizer hears of each.
MAX_A_DAY = 10
#: Longest meeting that can be proposed.
MAX_LENGTH = timedelta(days=31)


class CalendarInvitationProposal(models.Model):
    _name = "calendar.invitation.proposal"
    _description = "Proposed Time of a Meeting"
    _order = "id desc"
    _rec_name = "proposer"

    attendee_id = fields.Many2one(
        "calendar.attendee", "Invited", required=True, readonly=True, ondelete="cascade",
        index=True,
    )  # fmt: skip
    proposer = fields.Char("Proposed By", related="attendee_id.common_name")
    event_id = fields.Many2one(
        "calendar.event", "Meeting", related="attendee_id.event_id", store=True, index=True
    )
    event_start = fields.Datetime("Now Begins", related="event_id.start")
    event_stop = fields.Datetime("Now Ends", related="event_id.stop")
    start = fields.Datetime(
        "Proposed Start",
        required=True,
        readonly=True,
        help="When the meeting would begin; it is moved there if the proposal is accepted.",
    )
    stop = fields.Datetime(
        "Proposed End",
        required=True,
        readonly=True,
        help="When the meeting would end; it is moved there if the proposal is accepted.",
    )
    comment = fields.Text(
        readonly=True, help="What the one who proposes it has to say to the organizer."
    )
    state = fields.Selection(
        [
            ("open", "To Decide"),
            ("accepted", "Accepted"),
            ("declined", "Declined"),
            ("replaced", "Replaced"),
        ],
        "Status",
        default="open",
        required=True,
        readonly=True,
        help="Replaced: the same person has proposed another time since.",
    )
    decided_by_id = fields.Many2one(
        "res.users", readonly=True, help="Who has accepted or declined it; empty: nobody."
    )
    is_clash = fields.Boolean(
        "Somebody is Busy",
        compute="_compute_is_clash",
        help="Somebody who takes part has another meeting at the proposed time.",
    )

    _in_order = models.Constraint("CHECK (start <= stop)", "The proposed time ends too early.")

    @api.depends("start", "stop", "event_id.attendee_ids")
    def _compute_is_clash(self):
        for proposal in self:
            event = proposal.sudo().event_id
            partners = event.attendee_ids.filtered(lambda one: one.state != "declined").partner_id
            busy = partners._busy_times(proposal.start, proposal.stop, but=event)
            proposal.is_clash = any(busy.values())

    @api.model
    def _propose(self, attendee, start, stop, comment=""):
        """Propose another time, in the name of whoever is invited; the organizer is told.

        :param attendee: ``calendar.attendee``
        :param datetime start, stop: naive UTC
        :param str comment: his words, plain text
        :return: the proposal (sudo); the open one, if it is the same again
        :raises UserError: for times that make no sense
        """
        attendee = attendee.sudo()
        event = attendee.event_id
        start, stop = (moment.replace(microsecond=0) for moment in (start, stop))
        if not start < stop <= start + MAX_LENGTH:
            raise UserError(self.env._("The proposed time has to end after it begins."))
        if start < fields.Datetime.now():
            raise UserError(self.env._("The proposed time is over already."))
        if (start, stop) == (event.start, event.stop):
            raise UserError(self.env._("This is the time of the meeting already."))
        Proposal = self.sudo()
        mine = Proposal.search([("attendee_id", "=", attendee.id), ("state", "=", "open")])
        same = mine.filtered(lambda one: (one.start, one.stop) == (start, stop))
        if same:
            return same[:1]
        Proposal._check_pause(attendee)
        mine[MAX_OPEN - 1 :].state = "replaced"
        proposal = Proposal.create(
            {
                "attendee_id": attendee.id,
                "start": start,
                "stop": stop,
                "comment": (comment or "")[:MAX_COMMENT] or False,
            }
        )
        proposal._tell_organizer()
        return proposal

    @api.model
    def _check_pause(self, attendee):
        """:raises UserError: when that person has made enough proposals for today"""
        since = fields.Datetime.subtract(self.env.cr.now(), days=1)
        made = [("attendee_id", "=", attendee.id), ("create_date", ">", since)]
        if self.search_count(made, limit=MAX_A_DAY) >= MAX_A_DAY:
            raise UserError(
                self.env._("You have proposed many times already: let the organizer decide first.")
            )

    def _tell_organizer(self):
        """A message on the meeting, to its organizer."""
        event = self.event_id
        organizer = event.user_id
        env = self.with_context(lang=organizer.lang or self.env.lang).env
        moment = format_datetime(env, self.start, tz=organizer.tz or "UTC")
        body = env._(
            "%(name)s proposes another time: %(moment)s (%(zone)s).",
            name=self.proposer,
            moment=moment,
            zone=organizer.tz or "UTC",
        )
        if self.comment:
            body += " " + env._("Comment: %(comment)s", comment=self.comment)
        event.message_post(
            body=body,
            author_id=self.attendee_id.partner_id.id or event.env.ref("base.partner_root").id,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
            partner_ids=organizer.partner_id.ids,
        )

    def _check_may_decide(self):
        """:raises AccessError: unless the user organizes the meetings or administers Odoo"""
        if self.env.su or self.env.user.has_group("base.group_system"):
            return
        if any(one.event_id.user_id != self.env.user for one in self.sudo()):
            raise AccessError(
                self.env._("Only the organizer of the meeting decides on another time.")
            )

    def _check_is_open(self):
        if any(one.state != "open" for one in self.sudo()):
            raise UserError(self.env._("This proposal is decided on already."))

    def action_accept(self):
        """Move the meeting to the proposed time. Who has proposed it comes then; the
        others are asked again."""
        self._check_may_decide()
        self._check_is_open()
        for proposal in self.sudo():
            event = proposal.event_id.with_user(self.env.user)
            if event.allday:
                raise UserError(
                    self.env._(
                        "A meeting of whole days is not moved to an hour: change it by hand."
                    )
                )
            proposal.write({"state": "accepted", "decided_by_id": self.env.uid})
            event.write({"start": proposal.start, "stop": proposal.stop})
            event._ask_again(proposal.attendee_id)
            if proposal.attendee_id.state != "accepted":
                proposal.attendee_id._answer("accepted", source="user")
        return True

    def action_decline(self):
        """Leave the meeting where it is."""
        self._check_may_decide()
        self._check_is_open()
        self.sudo().write({"state": "declined", "decided_by_id": self.env.uid})
        for proposal in self.sudo():
            proposal.attendee_id._refuse_proposal()
        return True


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    def _ask_again(self, but):
        """The answers were about another time: those who had said yes are asked again.

        :param but: attendee whose answer stands; the organizer's stands as well
        """
        self.ensure_one()
        mine = self.user_id.partner_id
        self.sudo().attendee_ids.filtered(
            lambda one: (
                one != but
                and one.state in ("accepted", "tentative", "declined")
                and not (one.partner_id and one.partner_id == mine)
            )
        ).write({"state": "needsAction"})

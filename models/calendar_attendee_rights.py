"""Who may answer an invitation, and who may change it.

Odoo lets every employee do both, for everybody, by RPC. Here an answer is given by
whoever is invited, by the organizer of the meeting, or by an administrator; who else
may change a meeting may invite people to it, and no more.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

#: Context of what Odoo does itself; no context that comes from outside holds these.
ALLOWED = "calendar_attendee_allowed"
RESETTING, RENDERING = object(), object()
#: What is part of an answer.
ANSWER = frozenset(
    {
        "state", "delegated_to_ids", "delegated_from_ids", "sent_by", "answered_at",
        "answer_comment", "answer_source", "itip_sequence", "itip_stamp",
    }
)  # fmt: skip
#: What nobody but the server writes, and what it is at first; beside the secret.
BLANK = {"rsvp_revision": 0, "delegations_made": 0, "told_number": 0, "told_on": False}
TOKENS = frozenset({"access_token", *BLANK})


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    may_answer = fields.Boolean(
        compute="_compute_may_answer", help="Whether you may answer this invitation."
    )

    @api.depends_context("uid")
    @api.depends("partner_id", "address", "event_id.user_id")
    def _compute_may_answer(self):
        user = self.env.user
        is_admin = user.has_group("base.group_system")
        for attendee in self:
            attendee.may_answer = (
                is_admin or attendee.sudo().event_id.user_id == user or attendee._is_of(user)
            )

    def _has_field_access(self, field, operation):
        """Who has the token answers: not even those who see the meeting read it."""
        if field.name == "access_token" and not self.env.su:
            return self.env.context.get(ALLOWED) is RENDERING
        return super()._has_field_access(field, operation)

    def _notify_attendees(self, mail_template, *args, **kwargs):
        """Odoo's templates write the token into a link, with the rights of the sender."""
        if isinstance(mail_template, models.BaseModel):
            mail_template = mail_template.with_context(**{ALLOWED: RENDERING})
        return super()._notify_attendees(mail_template, *args, **kwargs)

    @api.model
    def default_get(self, fields):
        """Nobody chooses the secret of an invitation by defaults of his own."""
        defaults = super().default_get(fields)
        blank = {**BLANK, "access_token": self._default_access_token()}
        return {**defaults, **{name: blank[name] for name in TOKENS & defaults.keys()}}

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [
                {name: value for name, value in vals.items() if name not in TOKENS}
                for vals in vals_list
            ]
        attendees = super().create(vals_list)
        if not self.env.su:
            # To be invited is no right to invite oneself.
            attendees._check_may_arrange(but=attendees)
            answered = [
                attendee.id
                for attendee, vals in zip(attendees, vals_list, strict=True)
                if attendee.state != "needsAction" or not ANSWER.isdisjoint(set(vals) - {"state"})
            ]
            self.browse(answered)._check_may_answer()
        return attendees

    def write(self, vals):
        if not self.env.su:
            self._check_may_write(vals)
        return super().write(vals)

    def _check_may_write(self, vals):
        names = set(vals)
        if names & TOKENS or "event_id" in names:
            raise AccessError(self.env._("An invitation is not moved to another meeting."))
        is_reset = self.env.context.get(ALLOWED) is RESETTING and vals.get("state") == "needsAction"
        if names & ANSWER - ({"state"} if is_reset else set()):
            self._check_may_answer()
        if names - ANSWER:
            self._check_may_arrange()
        if vals.get("state") == "delegated" and any(not one.delegated_to_ids for one in self):
            raise UserError(self.env._("Say who goes instead: by the button “Delegate”."))

    def unlink(self):
        if not self.env.su:
            self._check_may_arrange()
        return super().unlink()

    def _check_may_answer(self):
        """:raises AccessError: unless the user is invited himself, organizes or administers"""
        for attendee in self if not self.env.su else ():
            if not attendee.may_answer:
                raise AccessError(
                    self.env._(
                        "Only %(name)s, or the organizer of the meeting, can answer this "
                        "invitation.",
                        name=attendee.sudo().common_name,
                    )
                )

    def _check_may_arrange(self, but=None):
        """:raises AccessError: unless the user has to do with the meeting

        :param but: attendees that do not count
        """
        self.event_id._check_may_invite(but)


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    def _check_may_invite(self, but=None):
        """:raises AccessError: of a meeting that somebody else organizes, and to which the
        user is not invited himself

        :param but: attendees that do not count
        """
        for event in self - self._may_invite(but):
            raise AccessError(
                self.env._(
                    "Who is invited to “%(meeting)s” is decided by those who take part in it.",
                    meeting=event.display_name,
                )
            )

    def _may_invite(self, but=None):
        """Those of the meetings to which the user may invite; see :meth:`_check_may_invite`."""
        if self.env.su or self.env.user.has_group("base.group_system"):
            return self
        user = self.env.user
        uncounted = but.sudo() if but else self.env["calendar.attendee"]
        return self.filtered(
            lambda event: (
                event.sudo().user_id in (user, user.browse())
                or event.sudo().create_uid == user
                or any(one._is_of(user) for one in event.sudo().attendee_ids - uncounted)
            )
        )

    def _check_may_reassign(self, vals):
        """:raises AccessError: when somebody gives away, or takes, the meeting of others:
        whoever organizes it answers for all who are invited. Administrators of sales, and
        their rules, hand over the meetings of salespeople.

        :param vals: what is written
        """
        if self.env.user.has_group("sales_team.group_sale_manager"):
            return
        events = self.sudo()
        scope = vals.get("recurrence_update")
        if scope in ("all_events", "future_events"):
            events |= events.recurrence_id.calendar_event_ids
        if scope == "future_events":
            first = min(self.mapped("start"), default=None)
            events = events.filtered(lambda event: event.start >= first)
        user_id = vals["user_id"] or False
        given = events.filtered(lambda event: event.user_id.id != user_id)
        led = given.filtered(lambda event: self.env.user in event.user_id.crm_team_ids.user_id)
        others = (given - led).with_env(self.env)
        for event in others - others._may_invite():
            raise AccessError(
                self.env._(
                    "Who organizes “%(meeting)s” is decided by those who take part in it.",
                    meeting=event.display_name,
                )
            )

    def write(self, vals):
        if "user_id" in vals and not self.env.su:
            self._check_may_reassign(vals)
        if "attendee_ids" in vals:
            return super().write(vals)
        # Whoever moves a meeting makes Odoo forget the answers to it.
        resetting = self.with_context(**{ALLOWED: RESETTING})
        return super(CalendarEvent, resetting).write(vals)

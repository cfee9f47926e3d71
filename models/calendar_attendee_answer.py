"""An attendee's answer: the one way by which it is written.

Wherever it comes from, the state, the moment and the comment are kept, the meeting's
chatter says so, its organizer is told as he wants to be, and an organizer outside gets
the answer as a message (RFC 5546, 3.2.3).
"""

from odoo import fields, models
from odoo.exceptions import ValidationError

#: Characters of a comment that are kept.
MAX_COMMENT = 2000
SOURCES = [
    ("page", "The page of the invitation"),
    ("mail", "A mail program"),
    ("user", "Odoo"),
    ("caldav", "A calendar program"),
]


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    answered_at = fields.Datetime("Answered On", copy=False, readonly=True)
    answer_comment = fields.Text("Comment on the Answer", copy=False, readonly=True)
    answer_source = fields.Selection(SOURCES, "Answered By", copy=False, readonly=True)
    #: SEQUENCE and DTSTAMP of the last answer that came as a message (RFC 5546, 2.1.5)
    itip_sequence = fields.Integer("Version That Was Answered", copy=False, readonly=True)
    itip_stamp = fields.Datetime("Answer Was Made", copy=False, readonly=True)

    def _answer(self, state, comment="", source="user", at=None):
        """These attendees answer. All of them are of one person and one meeting or series.

        :param str state: one of the states of an attendee but "needs action"
        :param str comment: what he says to it, plain text
        :param str source: of :data:`SOURCES`
        :param datetime at: when he has answered (naive UTC); now by default
        :return: whether anything has changed
        :raises ValidationError: for a state that is no answer
        """
        answers = dict(self._fields["state"]._description_selection(self.env))
        answers.pop("needsAction", None)
        if state not in answers:
            raise ValidationError(self.env._("This is no answer: %(state)s", state=state))
        comment = (comment or "").strip()[:MAX_COMMENT]
        changed = self.filtered(
            lambda one: one.state != state or (comment and comment != one.answer_comment)
        )
        if not changed:
            return False
        changed.write(
            {
                "state": state,
                "answered_at": at or fields.Datetime.now(),
                "answer_comment": comment or False,
                "answer_source": source,
            }
        )
        for attendees in changed.grouped(
            lambda one: one.event_id.recurrence_id or one.event_id
        ).values():
            attendees._announce(state, comment)
        return True

    def _announce(self, state, comment):
        """Tell whom it concerns: the chatter, the organizer, an organizer outside."""
        first = self.sorted(lambda one: one.event_id.start)
        now = fields.Datetime.now()
        attendee = (first.filtered(lambda one: one.event_id.stop >= now) or first)[:1].sudo()
        event = attendee.event_id
        self._log_answer(attendee, state, comment)
        Outgoing = self.env["calendar.invitation.outgoing"]
        outside = event._invitation_original_organizer()
        if event.user_id and event._invitation_is_ours():
            if self.env.user != event.user_id and attendee.partner_id != event.user_id.partner_id:
                Outgoing._note(
                    [
                        {
                            "kind": "answer",
                            "uid": event.ical_uid,
                            "data": {
                                "event_id": event.id,
                                "attendee_id": attendee.id,
                                "name": attendee.common_name or attendee.email or "",
                                "state": state,
                                "comment": comment,
                                "number": len(self),
                            },
                        }
                    ]
                )
        elif outside and attendee.partner_id == event.user_id.partner_id:
            Outgoing._note(
                [
                    {
                        "kind": "reply",
                        "uid": event.ical_uid,
                        "data": {"attendee_ids": self.ids, "state": state, "comment": comment},
                    }
                ]
            )

    def _log_answer(self, attendee, state, comment):
        """A line in the chatter; who follows answers there is told by Odoo."""
        event = attendee.event_id
        name = attendee.common_name or attendee.email or ""
        texts = {
            "accepted": self.env._("%(name)s has accepted the invitation", name=name),
            "declined": self.env._("%(name)s has declined the invitation", name=name),
            "tentative": self.env._("%(name)s may come", name=name),
        }
        text = texts.get(state) or self.env._(
            "%(name)s has answered: %(answer)s",
            name=name,
            answer=dict(self._fields["state"]._description_selection(self.env)).get(state, state),
        )
        if comment:
            text = f"{text}: {comment}"
        author = attendee.partner_id.id or self.env.user.partner_id.id
        subtype = self.env.ref("calendar.subtype_invitation")
        has_followers = self.env["mail.followers"].sudo().search_count(
            [("res_model", "=", event._name), ("res_id", "=", event.id),
             ("subtype_ids", "in", subtype.ids)],
            limit=1,
        )  # fmt: skip
        if has_followers:
            event.message_post(author_id=author, body=text, subtype_id=subtype.id)
        else:
            event._message_log(author_id=author, body=text)

    # -- Odoo's buttons -------------------------------------------------------------------

    def do_accept(self):
        """Accept the invitation."""
        self._answer_by_button("accepted")
        return True

    def do_decline(self):
        """Decline the invitation."""
        self._answer_by_button("declined")
        return True

    def do_tentative(self):
        """Say that one may come."""
        self._answer_by_button("tentative")
        return True

    def _answer_by_button(self, state):
        for attendees in self.grouped(lambda one: one.partner_id or one.id).values():
            attendees._answer(state, source="user")

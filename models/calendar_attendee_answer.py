"""An attendee's answer: the one way by which it is written.

Wherever it comes from, the state, the moment and the comment are kept, the meeting's
chatter says so, its organizer is told as he wants to be, and an organizer outside gets
the answer as a message (RFC 5546, 3.2.3).
"""

from markupsafe import escape

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.mail import generate_tracking_message_id

#: Characters of a comment that are kept.
MAX_COMMENT = 2000
#: Answers of one person to one meeting or series that are told in a day; of more only the
#: last one is kept. Whoever has a link, or writes in his name, has no other limit.
MAX_TOLD = 30
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
    #: how many answers were told on the day of the last one
    told_number = fields.Integer(
        "Answers Told That Day", copy=False, readonly=True, groups="base.group_system"
    )
    told_on = fields.Date(
        "Answer Was Told On", copy=False, readonly=True, groups="base.group_system"
    )

    def _answer(self, state, comment="", source="user", at=None):
        """These attendees answer. All of them are of one person and one meeting or series.

        :param str state: one of the states of an attendee but "needs action"
        :param str comment: what he says to it, plain text
        :param str source: of :data:`SOURCES`
        :param datetime at: when he has answered (naive UTC); now by default
        :return: whether anything has changed
        :raises ValidationError: for a state that is no answer
        """
        return self._write_answer(state, comment, source, at)

    def _write_answer(self, state, comment, source, at=None, **more):
        """See :meth:`_answer`.

        :param more: values that are noted even if it is no news
        """
        answers = [key for key, _label in self._fields["state"].selection if key != "needsAction"]
        if state not in answers:
            raise ValidationError(self.env._("This is no answer: %(state)s", state=state))
        comment = (comment or "").strip()[:MAX_COMMENT]
        changed = self.filtered(
            lambda one: one.state != state or (comment and comment != one.answer_comment)
        )
        if more and self != changed:
            (self - changed).write(more)
        if not changed:
            return False
        values = {
            "state": state,
            "answered_at": at or fields.Datetime.now(),
            "answer_comment": comment or False,
            "answer_source": source,
            **more,
        }
        counts = {
            attendees: attendees._speaker()._count_told(source)
            for attendees in changed.grouped(
                lambda one: one.event_id.recurrence_id or one.event_id
            ).values()
        }
        if len(changed) == 1 and self.env.su and counts[changed]:
            # In one write: mails come in crowds.
            values.update(counts[changed])
            counts[changed] = {}
        changed.write(values)
        for attendees, count in counts.items():
            speaker = attendees._speaker().sudo()
            if count:
                speaker.write(count)
            if count is not None:
                speaker._announce(state, comment, source, attendees)
        return True

    def _speaker(self):
        """Of one person's places in a series the next one, by which it is told."""
        if len(self) == 1:
            return self
        first = self.sorted(lambda one: one.event_id.start)
        now = fields.Datetime.now()
        return (first.filtered(lambda one: one.event_id.stop >= now) or first)[:1]

    def _is_organizer(self):
        return self.partner_id and self.partner_id == self.event_id.user_id.partner_id

    def _announce(self, state, comment, source, attendees):
        """Tell whom it concerns: the chatter, the organizer, an organizer outside.

        :param attendees: all of this person's places that were answered
        """
        event, number = self.event_id, len(attendees)
        mine = self._is_organizer()
        values = []
        # Mails come in crowds: the job tells of many at once.
        is_logged = source != "mail"
        if is_logged:
            self._log_answers(event, [self._answer_facts(state, comment, number)])
        if event.user_id and event._invitation_is_ours():
            is_told = self.env.user != event.user_id and not mine
            if is_told or not is_logged:
                facts = self._answer_facts(state, comment, number)
                data = {**facts, "event_id": event.id, "told": is_told, "logged": is_logged}
                values = [{"kind": "answer", "uid": event.ical_uid, "data": data}]
        elif mine and event._invitation_original_organizer():
            data = {"attendee_ids": attendees.ids, "state": state, "comment": comment}
            values = [{"kind": "reply", "uid": event.ical_uid, "data": data}]
        self.env["calendar.invitation.outgoing"]._note(values, hurry=is_logged)

    def _count_told(self, source):
        """Whether one more answer of this person is told today.

        :return: values to write if it is, so that it counts; None if it is not
        """
        if source not in ("page", "mail") or self._is_organizer():
            return {}
        today, rows = fields.Date.today(), self.sudo()
        if self.recurrence_id:
            rows |= rows.search(
                [("event_id.recurrence_id", "=", self.recurrence_id.id),
                 ("partner_id", "=", self.partner_id.id), ("told_on", "=", today)],
            )  # fmt: skip
        told = {
            row.id: row.told_number for row in rows
            if row.told_on == today and row._key() == self._key()
        }  # fmt: skip
        if sum(told.values()) >= MAX_TOLD:
            return None
        return {"told_number": told.get(self.id, 0) + 1, "told_on": today}

    def _answer_facts(self, state, comment, number):
        """An answer as plain data: to one meeting, or to so many of a series."""
        return {
            "attendee_id": self.id,
            "partner_id": self.partner_id.id,
            "name": self.common_name or self._invitation_address() or "",
            "state": state,
            "comment": comment,
            "number": number,
        }

    @api.model
    def _log_answers(self, event, answers):
        """Lines in the chatter; who follows answers there is told by Odoo.

        :param answers: list of :meth:`_answer_facts`
        """
        subtype = self.env.ref("calendar.subtype_invitation")
        has_followers = self.env["mail.followers"].sudo().search_count(
            [("res_model", "=", event._name), ("res_id", "=", event.id),
             ("subtype_ids", "in", subtype.ids)],
            limit=1,
        )  # fmt: skip
        lines = {}
        for number, answer in enumerate(answers):
            author = answer["partner_id"] or self.env.user.partner_id.id
            text = self._answer_text(answer)
            if has_followers:
                event.message_post(author_id=author, body=text, subtype_id=subtype.id)
                continue
            # Past what Odoo works out for each line that it makes.
            lines[number] = {
                "model": event._name,
                "res_id": event.id,
                "record_name": event.name,
                "message_type": "notification",
                "subtype_id": self.env.ref("mail.mt_note").id,
                "is_internal": True,
                "author_id": author,
                "body": escape(text),
                "email_from": event.user_id.email_formatted or False,
                "reply_to": event.user_id.email_formatted or False,
                "message_id": generate_tracking_message_id(f"{event.id}-answer"),
            }
        if lines:
            self.env["crm.automation.notice"]._create_messages(lines, event)

    @api.model
    def _answer_text(self, answer):
        name = answer["name"]
        texts = {
            "accepted": self.env._("%(name)s has accepted the invitation", name=name),
            "declined": self.env._("%(name)s has declined the invitation", name=name),
            "tentative": self.env._("%(name)s may come", name=name),
        }
        text = texts.get(answer["state"])
        if text is None:
            states = dict(self._fields["state"]._description_selection(self.env))
            text = self.env._(
                "%(name)s has answered: %(answer)s",
                name=name,
                answer=states.get(answer["state"], answer["state"]),
            )
        return f"{text}: {answer['comment']}" if answer["comment"] else text

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

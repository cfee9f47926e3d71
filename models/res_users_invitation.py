"""How a user is told of answers to his invitations, and of invitations from outside."""

from collections import defaultdict
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models

from .crm_automation_notice_queue import HEADERS


class ResUsers(models.Model):
    _inherit = "res.users"

    invitation_notice = fields.Selection(
        [
            ("inbox", "In my inbox in Odoo"),
            ("mail", "By e-mail, at once"),
            ("digest", "By e-mail, once a day"),
        ],
        "Answers to My Invitations",
        default="inbox",
        required=True,
        help="How you are told of answers to your invitations, and of invitations from outside.",
    )
    invitation_digest_at = fields.Datetime("Answers Told Until", readonly=True, copy=False)

    @property
    def SELF_READABLE_FIELDS(self):
        return super().SELF_READABLE_FIELDS + ["invitation_notice"]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return super().SELF_WRITEABLE_FIELDS + ["invitation_notice"]

    @api.model
    def _invitation_digests(self):
        """Once a day: the answers since the last time; entry point of the scheduled job."""
        now = self.env.cr.now().replace(microsecond=0)
        users = self.sudo().search([("invitation_notice", "=", "digest"), ("share", "=", False)])
        for user in users:
            user._invitation_digest(user.invitation_digest_at or now - timedelta(days=1))
            user.invitation_digest_at = now

    def _invitation_digest(self, since):
        """Mail the answers to a user's meetings since a moment."""
        answers = self.env["calendar.attendee"].sudo().search(
            [("event_id.user_id", "=", self.id), ("answered_at", ">=", since),
             ("partner_id", "!=", self.partner_id.id)],
            order="answered_at", limit=1000,
        )  # fmt: skip
        invitations = self.env["calendar.invitation.seen"].sudo().search(
            [("user_id", "=", self.id), ("write_date", ">=", since), ("event_id", "!=", False)]
        ).event_id  # fmt: skip
        if not (answers or invitations) or not self.email_normalized:
            return
        speaker = self.with_context(lang=self.lang, tz=self.tz)
        Outgoing = speaker.env["calendar.invitation.outgoing"]
        by_meeting = defaultdict(list)
        for answer in answers:
            key = answer.event_id.recurrence_id or answer.event_id
            line = Outgoing._answer_line(
                {
                    "name": answer.common_name or "",
                    "state": answer.state,
                    "comment": answer.answer_comment,
                }
            )
            if line not in by_meeting[key]:
                by_meeting[key].append(line)
        body = Markup()
        for key, lines in by_meeting.items():
            event = key if key._name == "calendar.event" else key.calendar_event_ids[:1]
            items = Markup().join(Markup("<li>%s</li>") % line for line in lines)
            body += Markup("<p>%s, %s</p><ul>%s</ul>") % (
                event.name, Outgoing._moment_of(event), items,
            )  # fmt: skip
        if invitations:
            items = Markup().join(
                Markup("<li>%s, %s</li>") % (event.name, Outgoing._moment_of(event))
                for event in invitations
            )
            body += Markup("<p>%s</p><ul>%s</ul>") % (
                speaker.env._("Invitations from outside, new or changed:"), items,
            )  # fmt: skip
        self.env["mail.mail"].sudo().create(
            {
                "subject": speaker.env._("Answers to your invitations"),
                "body_html": body,
                "email_from": self.company_id.email_formatted or self.email_formatted,
                "recipient_ids": [fields.Command.set(self.partner_id.ids)],
                "headers": repr(HEADERS),
                "auto_delete": True,
            }
        )
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

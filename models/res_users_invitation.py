"""How a user is told of answers to his invitations, and of invitations from outside."""

from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL

from .crm_automation_notice_queue import HEADERS


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    awaits_digest = fields.Boolean("Answer Is to Be Told", copy=False, readonly=True)

    _awaits_digest_index = models.Index("(id) WHERE awaits_digest")


class CalendarInvitationSeen(models.Model):
    _inherit = "calendar.invitation.seen"

    awaits_digest = fields.Boolean()


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

    @property
    def SELF_READABLE_FIELDS(self):
        return super().SELF_READABLE_FIELDS + ["invitation_notice"]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return super().SELF_WRITEABLE_FIELDS + ["invitation_notice"]

    @api.model
    def _by_address(self, addresses):
        """The internal users of addresses.

        :param addresses: iterable of addresses in lower case
        :return: dict from those that somebody has to users (sudo): the one whose login it is,
            and nobody else; or all who have it as their e-mail address
        """
        users = self.sudo().browse()
        addresses = [address for address in addresses if address and "\0" not in address]
        if not addresses:
            return {}
        users.flush_model(["login", "active", "share", "partner_id"])
        users.partner_id.flush_model(["email_normalized"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT person.id, lower(person.login), partner.email_normalized
                  FROM res_users person JOIN res_partner partner ON partner.id = person.partner_id
                 WHERE person.active AND NOT person.share
                   AND (lower(person.login) = ANY(%(addresses)s)
                        OR partner.email_normalized = ANY(%(addresses)s))
                 ORDER BY person.id
                """,
                addresses=addresses,
            )
        )
        by_login, by_email = defaultdict(users.browse), defaultdict(users.browse)
        for user_id, login, email in rows:
            by_login[login] |= users.browse(user_id)
            by_email[email] |= users.browse(user_id)
        found = {**by_email, **by_login}
        return {address: found[address] for address in addresses if address in found}

    @api.model
    def _whose(self, addresses):
        """Dict from those of the addresses that are one user's alone to that user (sudo)."""
        claims = self._by_address(addresses)
        return {address: users for address, users in claims.items() if len(users) == 1}

    @api.model
    def _invitation_digests(self):
        """Once a day: what waits for it; entry point of the scheduled job."""
        waiting = [("awaits_digest", "=", True)]
        answers = self.env["calendar.attendee"].sudo().search(waiting, order="answered_at")
        invitations = self.env["calendar.invitation.seen"].sudo().search(waiting)
        by_organizer = answers.grouped(lambda one: one.event_id.user_id)
        by_guest = invitations.grouped("user_id")
        for user in {*by_organizer, *by_guest}:
            user._invitation_digest(
                by_organizer.get(user, answers.browse()),
                by_guest.get(user, invitations.browse()).event_id,
            )
        answers.write({"awaits_digest": False})
        invitations.write({"awaits_digest": False})

    def _invitation_digest(self, answers, invitations):
        """Mail a user the answers to his meetings, and his new invitations."""
        if not self.active or not self._is_internal() or not self.email_normalized:
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
                "is_sent_again": True,
                "auto_delete": True,
            }
        )
        self.env["ir.cron"]._automation_wake("mail.ir_cron_mail_scheduler_action")

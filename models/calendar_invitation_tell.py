"""What organizers are told of answers, and what goes to organizers outside."""

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import email_normalize, format_date, format_datetime
from odoo.tools.mail import generate_tracking_message_id

from ..ical import itip
from ..ical.errors import CannotAnswer
from ..ical.values import UTC
from .crm_automation_notice_queue import HEADERS
from .ical_kept import original_item
from .ical_meeting import moment, named_zone
from .ir_mail_server import METHOD

_STATUSES = {
    "accepted": "ACCEPTED", "declined": "DECLINED", "tentative": "TENTATIVE",
    "delegated": "DELEGATED",
}  # fmt: skip


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    def _invitation_original(self):
        """The item as it came from outside, or None: of a series, the series."""
        text = self.ical_text or self.recurrence_id.sudo().ical_text
        return original_item(text) if text else None


class CalendarInvitationOutgoing(models.Model):
    _inherit = "calendar.invitation.outgoing"

    def _tell_organizer(self):
        """Tell the organizer of these answers to his meeting, in one message."""
        Events = self.env["calendar.event"].sudo().with_context(active_test=False)
        for event_id, rows in self.grouped(lambda row: row.data["event_id"]).items():
            event = Events.browse(event_id).exists()
            if not event:
                continue
            user = event.user_id
            unlogged = [row.data for row in rows if not row.data["logged"]]
            if unlogged:
                event.attendee_ids._log_answers(event, unlogged)
            rows = rows.filtered(lambda row: row.data["told"])
            if not rows or not user.active or not user._is_internal():
                continue
            if user.invitation_notice == "digest":
                ids = [row.data["attendee_id"] for row in rows]
                attendees = self.env["calendar.attendee"].sudo().browse(ids).exists()
                attendees.write({"awaits_digest": True})
                continue
            speaker = self.with_context(lang=user.lang, tz=user.tz)
            lines = [speaker._answer_line(row.data) for row in rows]
            when = speaker._moment_of(event)
            subject = (
                lines[0]
                if len(lines) == 1
                else speaker.env._("%(number)s answers", number=len(lines))
            )
            speaker._tell_user(
                user,
                event,
                " ".join(f"{subject}: {event.name}".split())[:200],
                Markup("<p>%s, %s</p><ul>%s</ul>")
                % (event.name, when, Markup().join(Markup("<li>%s</li>") % one for one in lines)),
                author=self.env["res.partner"],
            )

    def _answer_line(self, data):
        states = dict(
            self.env["calendar.attendee"]._fields["state"]._description_selection(self.env)
        )
        words = {
            "accepted": self.env._("%(name)s has accepted", name=data["name"]),
            "declined": self.env._("%(name)s has declined", name=data["name"]),
            "tentative": self.env._("%(name)s may come", name=data["name"]),
        }
        text = words.get(data["state"]) or f"{data['name']}: {states.get(data['state'], '')}"
        if data.get("number", 1) > 1:
            text = self.env._(
                "%(answer)s (%(number)s meetings)", answer=text, number=data["number"]
            )
        return f"{text}. {data['comment']}" if data.get("comment") else text

    @api.model
    def _moment_of(self, event):
        if event.allday:
            return format_date(self.env, event.start.date())
        return format_datetime(self.env, event.start, dt_format="medium")

    @api.model
    def _tell_user(self, user, event, subject, body, author):
        """Tell one of Odoo's users, in his inbox or by mail as he wants."""
        message = self.env["calendar.invitation.letter"]._new_message(
            event,
            {
                "subject": subject,
                "body": body,
                "author_id": author.id,
                "email_from": user.company_id.email_formatted or user.email_formatted,
                "message_id": generate_tracking_message_id(f"{event.id}-invitation"),
                "partner_ids": [fields.Command.link(user.partner_id.id)],
            },
        )
        if user.invitation_notice == "mail" and user.email_normalized:
            self.env["mail.mail"].sudo().create(
                {
                    "mail_message_id": message.id,
                    "body_html": body,
                    "headers": repr(HEADERS),
                    "is_sent_again": True,
                    "auto_delete": True,
                    "recipient_ids": [fields.Command.set(user.partner_id.ids)],
                }
            )
            self.env["ir.cron"]._automation_wake("mail.ir_cron_mail_scheduler_action")
        else:
            thread = event or self.env["mail.thread"].sudo()
            thread._notify_thread_by_inbox(
                message, [{"id": user.partner_id.id, "uid": user.id, "notif": "inbox"}]
            )

    # -- to an organizer outside ---------------------------------------------------------

    def _send_reply(self):
        """Send one of Odoo's users' answer to who has invited him."""
        attendees = self.env["calendar.attendee"].sudo().browse(self.data["attendee_ids"]).exists()
        if attendees:
            self._reply_of(attendees, self.data["state"], self.data["comment"])

    @api.model
    def _reply_of(self, attendees, state, comment=""):
        """Send an answer to who has invited from outside, if somebody has.

        :param attendees: one person's, of one meeting or series
        """
        event = attendees[0].event_id
        original = event._invitation_original()
        if original is None or original.organizer is None or not original.organizer.email:
            return
        user = event.user_id
        items = self._answered_items(attendees, original)
        own = event._invitation_own_addresses(user)
        email = next((one.email for one in original.attendees if one.email in own), None)
        email = email or user.email_normalized
        if not email:
            raise CannotAnswer("the user has no address to answer from")
        message = itip.reply(items, email, _STATUSES[state], comment)
        self._send_message(user, event, message, message.organizer)

    def _answered_items(self, attendees, original):
        """The meeting, the series, or those of its occurrences that are answered."""
        series = attendees.event_id.recurrence_id
        if not series:
            return [original]
        mine = series.calendar_event_ids.attendee_ids.filtered(
            lambda one: one.partner_id == attendees[0].partner_id
        )
        whole = original_item(series.ical_text) or original
        if attendees == mine or len(attendees) >= len(mine):
            return [whole]
        items = []
        for event in attendees.event_id.sorted("start"):
            place = event.ical_recurrence_start or event.start
            zone = named_zone(series.event_tz)
            at = place.date() if event.allday else moment(place, zone)
            own = original_item(event.ical_text) if event.ical_text else None
            if own is not None and own.recurrence_id is not None:
                items.append(own)
            else:
                items.append(itip.occurrence(whole, at))
        return items

    def _send_refusal(self):
        """Tell an attendee that his proposal was not taken up (RFC 5546, 3.2.8)."""
        event = self.env["calendar.event"].sudo().browse(self.data["event_id"]).exists()
        email = email_normalize(self.data["email"])
        if not event or not email:
            return
        found = event.with_user(event.user_id).sudo()._ical_objects(whole_series=False)
        item = next(iter(found.values())).items[0]
        message = itip.decline_counter(item, email, self.data.get("comment") or "")
        self._send_message(event.user_id, event, message, email)

    @api.model
    def _send_message(self, user, event, message, to):
        """Queue a mail with a message from one of Odoo's users to one address."""
        words = {
            "ACCEPTED": self.env._("Accepted: %(name)s", name=event.name),
            "DECLINED": self.env._("Declined: %(name)s", name=event.name),
            "TENTATIVE": self.env._("Maybe: %(name)s", name=event.name),
        }
        status = message.items[0].attendees[0].status if message.items[0].attendees else ""
        refused = self.env._("Another time is not possible: %(name)s", name=event.name)
        subject = words.get(status, refused) if message.method == "REPLY" else refused
        comments = message.items[0].comments
        mail = self.env["mail.mail"].sudo().create(
            {
                "subject": " ".join(subject.split())[:200],
                "body_html": Markup("<p>%s: %s</p>%s")
                % (
                    user.name, subject,
                    Markup().join(Markup("<p>%s</p>") % one for one in comments),
                ),
                "author_id": user.partner_id.id,
                # The answer counts if it comes from who was invited.
                "email_from": user.email_formatted,
                "reply_to": user.email_formatted,
                "email_to": to,
                "headers": repr({**HEADERS, METHOD: message.method}),
                "is_sent_again": True,
                "auto_delete": True,
            }
        )  # fmt: skip
        now = self.env.cr.now().replace(microsecond=0, tzinfo=UTC)
        self.env["calendar.invitation.letter"]._attach(mail.mail_message_id, message.text(now))
        self.env["ir.cron"]._automation_wake("mail.ir_cron_mail_scheduler_action")
        return mail

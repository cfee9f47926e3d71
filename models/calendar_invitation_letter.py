"""The mails that carry messages about invitations: words, files, recipients.

Owns the rendering, once for all who read one language in one time zone, and the
batches. Who is told what was decided before (``invitation_plan``).
"""

from collections import defaultdict
from dataclasses import dataclass

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_date, format_datetime, format_time, formataddr
from odoo.tools.mail import generate_tracking_message_id

from ..ical.values import UTC
from .crm_automation_notice_queue import HEADERS
from .ir_mail_server import METHOD
from .notice_frame import MARKS, fill, split

#: Mails that came back after which an address gets no more.
BOUNCES = 5
#: Mails that are made with one call.
BATCH = 500
#: Names that are listed in one sentence.
NAMED = 20
#: The guests that a letter lists; the file has them all.
GUESTS = 50
#: The state of who has not answered yet.
OPEN = "needsAction"


@dataclass(slots=True)
class Reader:
    """Whoever gets a letter."""

    email: str
    name: str
    partner: object
    attendee: object

    @property
    def is_outside(self):
        """Whether he is no user of this database who works in it."""
        users = self.partner.user_ids.filtered("active")
        return not any(user._is_internal() for user in users)


class CalendarInvitationLetter(models.AbstractModel):
    _name = "calendar.invitation.letter"
    _description = "Letter About an Invitation"

    @api.model
    def _queue_parcel(self, meeting, parcel, emails, comment=""):
        """Queue the mails of one parcel.

        :param Meeting meeting: see ``calendar_invitation_send``
        :param Parcel parcel: what it is
        :param emails: addresses of those who get it
        :param str comment: a personal message, plain text
        :return: the mails
        """
        readers = self._readers(meeting, parcel, emails)
        kept = self._without_refused(meeting, readers)
        mails = self.env["mail.mail"].sudo()
        by_side = defaultdict(list)
        for reader in kept:
            by_side[reader.is_outside].append(reader)
        now = self.env.cr.now().replace(microsecond=0, tzinfo=UTC)
        for is_outside, side in by_side.items():
            message = meeting.message(parcel, {reader.email for reader in side}, is_outside)
            text = message.text(now)
            groups = defaultdict(list)
            for reader in side:
                groups[self._tongue(meeting, reader)].append(reader)
            for (lang, tz), group in groups.items():
                mails |= self.with_context(lang=lang, tz=tz)._queue_group(
                    meeting, parcel, message, text, group, comment
                )
        if mails:
            self.env["ir.cron"]._automation_wake("mail.ir_cron_mail_scheduler_action")
        return mails

    # -- who -----------------------------------------------------------------------

    def _readers(self, meeting, parcel, emails):
        known = {}
        for facts in (*(one for one in meeting.before.values() if one), *meeting.after.values()):
            known.update(facts["people"])
        attendees = {}
        events = meeting.active
        if parcel.ids:
            events = events.filtered(lambda event: event.id in parcel.ids) or events
        for attendee in events.attendee_ids:
            attendees.setdefault(attendee._invitation_address(), attendee)
        Partner = self.env["res.partner"].sudo()
        ids = {known[email][1] for email in emails if email in known} - {False}
        partners = Partner.browse(ids).exists()
        there = {partner.id: partner for partner in partners}
        nobody = self.env["calendar.attendee"].sudo()
        found = []
        for email in sorted(emails):
            name, partner_id = known.get(email, (email, False))
            partner = there.get(partner_id, Partner)
            found.append(Reader(email, name, partner, attendees.get(email, nobody)))
        return found

    def _without_refused(self, meeting, readers):
        """Without who wants no mail, and whose address does not work; the meeting says so."""
        blacklist = self.env["mail.blacklist"].sudo().search(
            [("email", "in", [reader.email for reader in readers])]
        )  # fmt: skip
        unsubscribed = set(blacklist.mapped("email"))
        kept, refused = [], []
        for reader in readers:
            bounced = reader.partner and reader.partner.message_bounce >= BOUNCES
            (refused if bounced or reader.email in unsubscribed else kept).append(reader)
        if refused and meeting.active:
            names = ", ".join(reader.name for reader in refused[:NAMED])
            meeting.active[:1]._message_log(
                body=self.env._(
                    "Not written to, as they want no mail or their address does not work: "
                    "%(names)s",
                    names=names,
                )
            )
        return kept

    def _tongue(self, meeting, reader):
        """(language, time zone) of a reader."""
        user = meeting.user
        installed = dict(self.env["res.lang"].get_installed())
        wanted = (reader.attendee.language, reader.partner.lang, user.lang, self.env.lang)
        lang = next((code for code in wanted if code in installed), "en_US")
        return lang, reader.partner.tz or user.tz or "UTC"

    # -- the words --------------------------------------------------------------------

    def _queue_group(self, meeting, parcel, content, text, readers, comment):
        """One message for all who read the language and zone of the environment, and a
        mail for each with his own link.

        :param Message content: what the file says, ``text`` the file itself
        """
        values = self._letter_values(meeting, parcel, comment)
        template = "crm_automation.invitation_letter"
        Qweb = self.env["ir.qweb"]
        marks = {"greeting": MARKS["content"], "url": MARKS["url"]}
        pieces = split(Qweb._render(template, {**values, **marks}))
        plain = Qweb._render(template, {**values, "greeting": "", "url": ""})
        user = meeting.user
        event = meeting.active[:1]
        message = self._new_message(
            event,
            {
                "subject": self._subject(parcel, values["name"]),
                "body": plain,
                "author_id": user.partner_id.id,
                # Who is careful believes only the one who organises it (RFC 6047, 3).
                "email_from": formataddr((user.name or "", content.organizer)),
                "reply_to": self._reply_to(meeting, event),
                "message_id": generate_tracking_message_id(f"{meeting.uid[:40]}-invitation"),
                "partner_ids": [
                    fields.Command.link(one.partner.id) for one in readers if one.partner
                ],
            },
        )
        self._attach(message, text)
        inbox = [one for one in readers if self._goes_to_inbox(one)]
        self._notify_inbox(event, message, inbox)
        return self._create_mails(
            message, parcel, pieces, [one for one in readers if one not in inbox]
        )

    @api.model
    def _new_message(self, event, values):
        """A message that nobody reads but those to whom it goes.

        :param event: its meeting, or empty
        :param dict values: its words and addresses
        """
        return self.env["mail.message"].sudo().create(
            {
                "model": event._name if event else False,
                "res_id": event.id,
                "message_type": "user_notification",
                "subtype_id": self.env.ref("mail.mt_note").id,
                "is_internal": True,
                **values,
            }
        )  # fmt: skip

    def _letter_values(self, meeting, parcel, comment):
        tz = self.env.context["tz"]
        facts = meeting.facts(parcel)
        first = facts[0]
        event = meeting.active.filtered(lambda one: one.id in meeting.after)[:1]
        if parcel.ids:
            event = meeting.active.filtered(lambda one: one.id in parcel.ids)[:1]
        event = event.with_context(**self.env.context)
        series = meeting.series.with_context(**self.env.context) if not parcel.ids else False
        times = [self._when(one, tz) for one in (facts if parcel.ids else facts[:1])]
        name = " ".join((first["name"] or "").split())
        cancels = parcel.method == "CANCEL"
        return {
            "name": name,
            "headline": self._headline(parcel, meeting.user.name),
            "times": times,
            "zone": "" if first["allday"] else tz,
            "repetition": series.name if series and not cancels else "",
            "location": first["location"],
            "link": event.videocall_location if event and not cancels else "",
            "description": event.description if event and not cancels else "",
            "guests": [] if cancels else self._guests(first["people"], event),
            "more": 0 if cancels else max(0, len(first["people"]) - GUESTS),
            "organizer": meeting.user.name,
            "comment": [line for line in (comment or "").splitlines() if line.strip()],
            "asks": not cancels,
            "company": meeting.user.company_id,
        }  # fmt: skip

    def _guests(self, people, event):
        """Who is invited, and what he has answered, in words.

        :param dict people: of the facts, by address
        :return: list of (name, answer), the answer empty where there is none
        """
        Attendee = self.env["calendar.attendee"]
        words = dict(Attendee._fields["state"]._description_selection(self.env))
        states = {one._invitation_address(): one.state for one in event.attendee_ids}
        return [
            (name, words[states[email]] if states.get(email, OPEN) != OPEN else "")
            for email, (name, _partner_id) in list(people.items())[:GUESTS]
        ]

    def _when(self, facts, tz):
        """The time of a meeting in words, in the language of the environment."""
        start, stop = (fields.Datetime.to_datetime(facts[name]) for name in ("start", "stop"))
        if facts["allday"]:
            first, last = (format_date(self.env, one.date(), date_format="full") for one in (
                start, stop))  # fmt: skip
            return first if start.date() == stop.date() else f"{first} – {last}"
        begin = format_datetime(self.env, start, tz=tz, dt_format="EEEE d MMMM y, HH:mm")
        same = format_date(
            self.env, fields.Datetime.context_timestamp(self, start).date()
        ) == format_date(self.env, fields.Datetime.context_timestamp(self, stop).date())
        if same:
            end = format_time(self.env, stop, tz=tz, time_format="HH:mm")
        else:
            end = format_datetime(self.env, stop, tz=tz, dt_format="EEEE d MMMM y, HH:mm")
        return f"{begin} – {end}"

    def _headline(self, parcel, organizer):
        headlines = {
            "new": self.env._("%(organizer)s invites you to a meeting.", organizer=organizer),
            "changed": self.env._("%(organizer)s has changed a meeting.", organizer=organizer),
            "cancelled": self.env._("%(organizer)s has cancelled a meeting.", organizer=organizer),
            "uninvited": self.env._(
                "%(organizer)s has withdrawn your invitation to a meeting.", organizer=organizer
            ),
        }
        return headlines[parcel.kind]

    def _subject(self, parcel, name):
        """One line, whatever the name of the meeting is: it becomes a header."""
        subjects = {
            "new": self.env._("Invitation: %(name)s", name=name),
            "changed": self.env._("Changed: %(name)s", name=name),
            "cancelled": self.env._("Cancelled: %(name)s", name=name),
            "uninvited": self.env._("Invitation withdrawn: %(name)s", name=name),
        }
        return " ".join(subjects[parcel.kind].split())[:200]

    # -- the mails ---------------------------------------------------------------------

    def _reply_to(self, meeting, event):
        """Answers in words go into the meeting's chatter, where Odoo receives mail."""
        user = meeting.user
        if event:
            found = event._notify_get_reply_to(default=False, author_id=user.partner_id.id)
            if found.get(event.id):
                return found[event.id]
        return user.email_formatted or user.company_id.email_formatted or False

    @api.model
    def _attach(self, message, text):
        """The message as a file: of the mail's message, with which it goes.

        :param str text: an iCalendar object with a METHOD
        """
        attachment = self.env["ir.attachment"].sudo().create(
            {
                "name": "invite.ics",
                "raw": text.encode(),
                "mimetype": "application/ics",
                "res_model": "mail.message",
                "res_id": message.id,
            }
        )  # fmt: skip
        message.write({"attachment_ids": [fields.Command.link(attachment.id)]})

    def _create_mails(self, message, parcel, pieces, readers):
        made = self.env["mail.mail"].sudo()
        for at in range(0, len(readers), BATCH):
            batch = self._create_batch(message, parcel, pieces, readers[at : at + BATCH])
            if len(readers) > BATCH:
                # Of thousands the cache would hold every letter.
                batch.flush_recordset()
                batch.invalidate_recordset(flush=False)
            made |= batch
        return made

    def _create_batch(self, message, parcel, pieces, readers):
        headers = repr({**HEADERS, METHOD: parcel.method})
        mails = self.env["mail.mail"].sudo().create(
            [
                {
                    "mail_message_id": message.id,
                    "body_html": self._body(pieces, reader, parcel),
                    "headers": headers,
                    "is_sent_again": True,
                    "auto_delete": True,
                    **self._address(reader),
                }
                for reader in readers
            ]
        )  # fmt: skip
        self.env["mail.notification"].sudo().create(
            [
                {
                    "author_id": message.author_id.id,
                    "mail_message_id": message.id,
                    "mail_mail_id": mail.id,
                    "res_partner_id": reader.partner.id,
                    "notification_type": "email",
                    "notification_status": "ready",
                    "is_read": True,
                }
                for reader, mail in zip(readers, mails, strict=True)
                if reader.partner
            ]
        )
        return mails

    def _address(self, reader):
        """Where a mail goes: the contact, unless his name would not make a header."""
        partner = reader.partner
        if partner.email_normalized == reader.email and (partner.name or "").isprintable():
            return {"recipient_ids": [fields.Command.set(partner.ids)]}
        return {"email_to": reader.email}

    def _body(self, pieces, reader, parcel):
        """The letter with the reader's name and link in their places."""
        greeting = self._greeting(reader)
        url = ""
        if parcel.method == "REQUEST" and reader.attendee:
            url = reader.attendee._rsvp_url()
        return Markup(fill(pieces, {"content": greeting, "url": url}))  # noqa: S704 - filled in escaped

    def _greeting(self, reader):
        return self.env._("Hello %(name)s,", name=reader.name)

    def _goes_to_inbox(self, reader):
        """Whether he reads what concerns him in Odoo."""
        users = reader.partner.user_ids.filtered("active")
        return any(user._is_internal() and user.notification_type == "inbox" for user in users)

    def _notify_inbox(self, event, message, readers):
        if not readers:
            return
        thread = event or self.env["mail.thread"].sudo()
        thread._notify_thread_by_inbox(
            message,
            [
                {
                    "id": reader.partner.id,
                    "uid": reader.partner.user_ids.filtered("active")[:1].id,
                    "notif": "inbox",
                }
                for reader in readers
            ],
        )

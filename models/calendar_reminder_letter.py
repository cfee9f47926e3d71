"""The mail of a reminder: when, where, who comes, and what its reader may answer.

Owns the words and the batches. The frame is rendered once for all letters that look alike
(``notice_frame.py``); an e-mail template of one's own is rendered by Odoo.
"""

from dataclasses import dataclass
from urllib.parse import quote_plus

from markupsafe import Markup

from odoo import api, models
from odoo.fields import Command
from odoo.tools import email_normalize
from odoo.tools.mail import generate_tracking_message_id

from .calendar_alarm import TEMPLATE_MODEL
from .calendar_attendee_page import safe_link
from .crm_automation_notice_queue import HEADERS
from .notice_frame import MARKS, fill, split
from .page_token import token_of

SCOPE = "crm_automation.reminder"
#: Guests that a letter lists.
GUESTS = 30
MAP = "https://www.openstreetmap.org/search?query="
#: Odoo's own text of a reminder: ours says more.
ODOO_TEMPLATE = "calendar.calendar_template_meeting_reminder"


@dataclass(slots=True)
class Reader:
    """Whoever gets a letter, and how he reads it."""

    email: str
    partner: object
    lang: str
    tz: str
    skip: str = ""


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    def _deliver_email(self):
        again = self.filtered(lambda row: row.mail_id.state == "exception")
        again.mail_id.mark_outgoing()
        again._finish("done")
        batch, readers = [], self._readers(self - again)
        for row in self - again:
            if readers[row].skip:
                row._finish("skipped", readers[row].skip)
            else:
                batch.append((row, readers[row]))
        if batch:
            self._queue(batch)
        if batch or again:
            self.env["crm.automation.rule"]._call_mail_queue()

    def _queue(self, batch):
        """Create the messages and mails of a batch; end its rows."""
        subjects = self.browse([row.id for row, _reader in batch])._subjects()
        records = {}
        for record in subjects.values():
            records.setdefault(record._name, record.browse())
            records[record._name] |= record
        reply_to = self._reply_to(records)
        values, letters = {}, []
        frames, rendered = {}, self._render_templates(batch)
        for row, reader in batch:
            record = subjects[row].with_env(
                self.with_context(lang=reader.lang, tz=reader.tz).env(su=True)
            )
            key, subject, body = row._letter(record, reader, rendered.get(row.id), frames)
            if key not in values:
                values[key] = row._message_values(
                    record, subject, reply_to[row.res_model].get(row.res_id)
                )
            letters.append((row, reader, key, body))
        notice = self.env["crm.automation.rule"]
        messages = {}
        for model in records:
            mine = {key: one for key, one in values.items() if key[0] == model}
            if mine:
                messages.update(notice._create_messages(mine, records[model]))
        self._create_mails(letters, messages)
        self.browse([row.id for row, *_rest in letters])._finish("done")

    def _letter(self, record, reader, own, frames):
        """A key that is the same for the same words, the subject, and the body for a reader.

        :param record: what it is about, in the language and zone of the reader
        :param own: (subject, body) of the reminder's own template, or None
        :param dict frames: what is rendered once for many; see :meth:`_body`
        """
        key = (self.res_model, self.res_id, self.alarm_id.id, reader.lang, reader.tz)
        if own:
            subject, body = own
            return (*key, self.id), subject, body
        speaker = self.with_env(record.env(su=self.env.su))
        subject = speaker.env._("Reminder: %(name)s", name=speaker._title(record))
        return key, subject, speaker._body(self, record, reader, frames)

    def _message_values(self, record, subject, reply_to):
        """The message of a letter, which all of its readers have in common."""
        author = self._author(record)
        company = self.env.company
        model, res_id = self._place_of(record)
        return {
            "model": model,
            "res_id": res_id,
            "message_type": "user_notification",
            "subtype_id": self.env.ref("mail.mt_note").id,
            "is_internal": True,
            # A line break in a subject would start a new header line.
            "subject": " ".join(subject.split())[:200],
            "body": Markup("<p>%s</p>") % subject,
            "author_id": author.partner_id.id or company.partner_id.id,
            "email_from": author.email_formatted if author.email else company.email_formatted,
            "reply_to": reply_to,
            "message_id": generate_tracking_message_id(f"{self.id}-reminder"),
            "attachment_ids": [Command.set(self._files(self.alarm_id, record))],
        }

    def _create_mails(self, letters, messages):
        """Put the letters into the mail queue.

        :param letters: list of (row, reader, key of the message, body)
        :param dict messages: ``mail.message`` by key
        """
        mails = self.env["mail.mail"].sudo().create(
            [
                {
                    "mail_message_id": messages[key].id,
                    "body_html": body,
                    "headers": repr(HEADERS),
                    "auto_delete": True,
                    **self._address_of(reader),
                }
                for _row, reader, key, body in letters
            ]
        )  # fmt: skip
        for (row, *_rest), mail in zip(letters, mails, strict=True):
            row.mail_id = mail

    @api.model
    def _place_of(self, record):
        """Model and id of where the messages belong; False for nowhere. Hook for extensions."""
        return record._name, record.id

    @api.model
    def _reply_to(self, records):
        """Model to record id to the address that brings an answer into its chatter."""
        return {
            model: some._notify_get_reply_to_batch(
                author_ids={one.id: self._author(one).partner_id.id for one in some}
            )
            for model, some in records.items()
        }

    @api.model
    def _author(self, record):
        """In whose name it is written: who organizes the meeting; of a task nobody's."""
        return record.user_id if record._name == "calendar.event" else self.env["res.users"]

    # -- who --------------------------------------------------------------------

    def _readers(self, rows):
        """Row to Reader."""
        blacklist = set()
        emails = {row: email_normalize(row.partner_id.sudo().email or row.address) for row in rows}
        if any(emails.values()):
            blacklist.update(
                self.env["mail.blacklist"].sudo().search(
                    [("email", "in", list(filter(None, emails.values())))]
                ).mapped("email")
            )  # fmt: skip
        languages = {code for code, _name in self.env["res.lang"].get_installed()}
        found = {}
        subjects = rows._subjects()
        for row in rows:
            partner = row.partner_id.sudo()
            user = self._author(subjects[row])
            wishes = (partner.lang, user.lang, self.env.company.partner_id.lang)
            lang = next((code for code in wishes if code in languages), "en_US")
            reader = Reader(emails[row], partner, lang, partner.tz or user.tz or "UTC")
            if not reader.email:
                reader.skip = self.env._(
                    "%(name)s has no valid e-mail address.", name=partner.name or row.address or "?"
                )
            elif reader.email in blacklist and not any(u.active for u in partner.user_ids):
                reader.skip = self.env._(
                    "%(address)s wants no mail (blacklist).", address=reader.email
                )
            found[row] = reader
        return found

    @api.model
    def _address_of(self, reader):
        """Where a mail goes: the contact, unless his name would not make a header."""
        partner = reader.partner
        if partner.email_normalized == reader.email and (partner.name or "").isprintable():
            return {"recipient_ids": [Command.set(partner.ids)]}
        return {"email_to": reader.email}

    # -- the words ----------------------------------------------------------------

    def _render_templates(self, batch):
        """Row id to (subject, body) of those whose reminder has a template of its own."""
        default = self.env.ref(ODOO_TEMPLATE, raise_if_not_found=False)
        found = {}
        groups = {}
        for row, reader in batch:
            template = row.alarm_id.sudo().mail_template_id
            # It is rendered past the rights, with ids of attendees.
            is_usable = template.model == TEMPLATE_MODEL and template != default
            if row.res_model == "calendar.event" and is_usable:
                groups.setdefault((template, reader.lang), []).append(row)
        for (template, lang), rows in groups.items():
            guests = {row: row._guest() for row in rows}
            ids = [guest.id for guest in guests.values() if guest]
            subjects = template._render_field("subject", ids, set_lang=lang)
            bodies = template._render_field(
                "body_html", ids, set_lang=lang, options={"post_process": True}
            )
            for row, guest in guests.items():
                if guest:
                    found[row.id] = subjects[guest.id], bodies[guest.id]
        return found

    def _guest(self, meeting=None):
        """The attendee whom it is for (sudo).

        :param meeting: what it is about, if that is at hand
        """
        guests = (self._record() if meeting is None else meeting.sudo()).attendee_ids
        if self.partner_id:
            return guests.filtered(lambda guest: guest.partner_id == self.partner_id)[:1]
        return guests.filtered(lambda guest: guest.address == self.address)[:1]

    def _body(self, row, record, reader, frames):
        """The mail's HTML, in the language of the environment.

        :param dict frames: keeps what is rendered once
        """
        company = (self._author(record).company_id or self.env.company).sudo()
        link = self._link(record)
        may_be_late = self._may_be_late(record)
        key = (self.env.lang, company.id, bool(link), may_be_late)
        if key not in frames:
            marks = {"headline": MARKS["headline"], "facts": MARKS["facts"], "url": MARKS["url"]}
            marks |= {"company": company, "link": link and MARKS["content"]}
            qweb = self.env["ir.qweb"]
            frames[key] = (
                split(
                    qweb._render(
                        "crm_automation.reminder_letter", {**marks, "may_be_late": may_be_late}
                    )
                ),
                split(
                    qweb._render(
                        "crm_automation.notice_fact",
                        {"label": MARKS["label"], "value": MARKS["value"]},
                    )
                ),
            )
        frame, fact = frames[key]
        facts = [fill(fact, {"label": label, "value": value})
                 for label, value in self._facts(record, reader)]  # fmt: skip
        values = {
            "headline": self._title(record),
            "facts": Markup("").join(facts),
            "url": row._url(record),
            "content": link,
        }
        return fill(frame, values)

    @api.model
    def _may_be_late(self, record):
        """Whether somebody waits at an hour."""
        return record._name == "calendar.event" and not record.allday

    @api.model
    def _link(self, record):
        if record._name != "calendar.event":
            return None
        return safe_link(record.videocall_location)

    def _facts(self, record, reader):
        """Pairs of label and value: when, where, who; of a task, of which project."""
        facts = [(self.env._("When"), self._when(record, reader.tz))]
        if record._name == "project.task":
            if record.project_id:
                facts.append((self.env._("Project"), record.project_id.display_name))
            if record.partner_id:
                facts.append((self.env._("Customer"), record.partner_id.name or ""))
        if record._name != "calendar.event":
            return facts
        if record.location:
            place = Markup('%s (<a href="%s%s">%s</a>)') % (
                record.location, MAP, quote_plus(record.location), self.env._("map"),
            )  # fmt: skip
            facts.append((self.env._("Where"), place))
        words = dict(record.attendee_ids._fields["state"]._description_selection(self.env))
        words["needsAction"] = self.env._("no answer yet")
        people = [
            Markup("%s <span style='color: #595959;'>%s</span>") % (
                guest.common_name or guest.email or "", words.get(guest.state, ""),
            )
            for guest in record.attendee_ids[:GUESTS]
        ]  # fmt: skip
        if len(record.attendee_ids) > GUESTS:
            people.append(Markup("… %s") % (len(record.attendee_ids) - GUESTS))
        facts.append((self.env._("Who"), Markup("<br/>").join(people)))
        return facts

    def _files(self, alarm, record):
        """Ids of what goes with the mails of a reminder."""
        files = self.env["ir.attachment"].sudo()
        own = alarm.sudo().with_context(bin_size=False)
        if own.attachment:
            files |= self._file_of(own)
        if own.with_ics and record._name == "calendar.event":
            text = record._get_ics_file().get(record.id)
            if text:
                files |= files.create(
                    {"name": "meeting.ics", "raw": text, "mimetype": "text/calendar",
                     "res_model": "mail.message"}
                )  # fmt: skip
        return files.ids

    @api.model
    def _file_of(self, alarm):
        """Its file as one that mails can have, made once."""
        Attachment = self.env["ir.attachment"].sudo()
        stored = Attachment.search(
            [("res_model", "=", alarm._name), ("res_field", "=", "attachment"),
             ("res_id", "=", alarm.id)], limit=1,
        )  # fmt: skip
        name = alarm.attachment_name or self.env._("attachment")
        known = Attachment.search(
            [("res_model", "=", alarm._name), ("res_id", "=", alarm.id), ("res_field", "=", False),
             ("checksum", "=", stored.checksum), ("name", "=", name)], limit=1,
        )  # fmt: skip
        return known or Attachment.create(
            {"name": name, "datas": alarm.attachment, "res_model": alarm._name, "res_id": alarm.id}
        )

    # -- the link -------------------------------------------------------------------

    def _token(self, record=None):
        """The secret in the link of this reminder; no table holds it.

        :param record: what it is about, if that is at hand
        """
        self.ensure_one()
        facts = (self.id, self.res_model, self.res_id, self.partner_id.id, self.address or "")
        if self.res_model == "calendar.event":
            # Whoever makes the links of an invitation useless means those of its reminders.
            revision = self._guest(record).sudo().rsvp_revision
            facts += (revision,) if revision else ()
        return token_of(self, SCOPE, facts)

    def _url(self, record=None):
        return f"{self.get_base_url()}/calendar/reminder/{self._token(record)}"

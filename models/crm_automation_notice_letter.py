"""The words of a notice: ready-made, one's own, or an e-mail template.

Owns the rendering, for each recipient in his language and time zone, with the
rights of the rule's owner.
"""

import contextlib
import datetime

from markupsafe import Markup, escape

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_amount, format_date, format_datetime, plaintext2html
from odoo.tools.mail import html2plaintext

from ..engine.keywords import replace_keywords
from .crm_automation_notice import OUTSIDE_ROLES
from .notice_frame import MARKS, fill, split

#: Facts of a record that a ready-made notice lists, those that the model has.
FACT_FIELDS = (
    "partner_id", "partner_name", "contact_name", "email_from", "phone", "expected_revenue",
    "amount_total", "employee_id", "holiday_status_id", "date_from", "date_to", "project_id",
    "stage_id", "state", "team_id", "user_id", "user_ids", "date_deadline", "start", "stop",
    "location", "lost_reason_id",
)  # fmt: skip
#: What of it a customer may read: nothing of what is said about him inside.
CUSTOMER_FACT_FIELDS = ("project_id", "user_id", "date_deadline", "start", "stop", "location")
#: Longest text of a changed field in a notice.
MAX_CHANGED = 200


class CrmAutomationNotice(models.AbstractModel):
    _inherit = "crm.automation.notice"

    sender = fields.Selection(
        [
            ("company", "The company"),
            ("responsible", "The responsible of the record"),
            ("other", "Another address"),
        ],
        required=True,
        default="company",
        string="Email From",
        help="Whose name and address the mail comes from; answers go there as well.",
    )
    sender_email = fields.Char(
        "Sender's Address",
        help="The mail server has to be allowed to send for this address.",
    )
    notify_reply_to = fields.Char(
        "Reply-To", help="Empty: answers come back to the record, where Odoo receives mail."
    )
    content = fields.Selection(
        [
            ("standard", "Ready-made text"),
            ("own", "My own text"),
            ("template", "An e-mail template"),
        ],
        required=True,
        default="standard",
        string="Text",
        help="The ready-made text says what happened and gives the facts of the record, in "
        "the language of each recipient.",
    )
    template_id = fields.Many2one(
        "mail.template",
        "E-mail Template",
        ondelete="restrict",
        domain="[('model_id', '=', model_id)]",
        help="Instead of a text of the rule: its subject, its text, its attachments.",
    )
    subject = fields.Char(
        translate=True,
        help="The keywords of the list below may stand in it.",
    )
    body = fields.Html(
        "Mail Body",
        translate=True,
        sanitize=True,
        help="The keywords of the list below may stand in it.",
    )
    with_last_message = fields.Boolean(
        "With the Last Message Received",
        help="OpenERP's reminder: what the customer wrote last, else the description.",
    )
    with_attachments = fields.Boolean(
        "With the Record's Attachments", help="All files of the record, up to 10 MB together."
    )

    def _company(self, record):
        """The company in whose name the notice is sent."""
        company = record.sudo()["company_id"] if "company_id" in record._fields else None
        return (company or self.company_id or self.owner_id.company_id).sudo()

    # -- what may be said ---------------------------------------------------------

    @api.model
    def _is_secret(self, record, partner=None):
        """Whether a record shows strangers nothing but that somebody is busy.

        :param partner: a recipient; an attendee reads all of it
        """
        if self._privacy(record) not in ("private", "confidential"):
            return False
        return not partner or partner not in self._participants(record.sudo())

    @api.model
    def _privacy(self, record):
        """The privacy of a meeting, as Odoo names it; None of anything else."""
        if record._name != "calendar.event" or not record:
            return None
        event = record.sudo()
        return event.privacy or event.user_id.calendar_default_privacy

    @api.model
    def _participants(self, event):
        """Partners who read all of a private meeting.

        Asked of the attendees: where the owner of the rule has looked at the
        meeting, Odoo has put "Busy" and no partners into the cache, and that is
        everybody's.
        """
        attendees = self.env["calendar.attendee"].sudo().search([("event_id", "=", event.id)])
        return attendees.partner_id | event.user_id.partner_id

    @contextlib.contextmanager
    def _unveiled(self, record, partner):
        """The record as the recipient may read it: a private meeting whole, if he takes
        part. What is read so must not stay in the cache either."""
        if not self._is_secret(record) or self._is_secret(record, partner):
            yield record
            return
        record.invalidate_recordset()
        try:
            yield record.sudo()
        finally:
            record.invalidate_recordset()

    def _name_for_log(self, record):
        if self._is_secret(record):
            return self.env._("Busy")
        return record.sudo().display_name

    def _name_for(self, record, partner):
        if self._is_secret(record, partner):
            return self.env._("Busy")
        if not self._is_secret(record):
            return record.display_name or ""
        with self._unveiled(record, partner) as reader:
            # Not the display name: that is "Busy" for the owner of the rule, sudo or not.
            return reader["name"] or ""

    # -- the letter -----------------------------------------------------------------

    def _letter(self, firing, record, company, recipient, rendered):
        """Subject and body for one recipient.

        :param record: the record in the recipient's language; empty when deleted
        :param dict rendered: of a template, (language, field, id) to text; and what
            is rendered once for all letters of a batch
        :return: dict with ``subject``, ``body``, ``note``, ``email_from``, ``author_id`` and
            ``reply_to`` for where Odoo receives no mail
        """
        headline, facts, content = None, [], None
        gone = firing._told().get("gone")
        if self.content == "template" and not gone:
            subject = rendered[recipient.lang, "subject", firing.res_id]
            content = rendered[recipient.lang, "body_html", firing.res_id]
        elif self.content == "own":
            values = gone["keywords"] if gone else self._keyword_values(record, recipient)
            subject = replace_keywords(self.subject, values)
            content = Markup(  # noqa: S704 - the body is sanitized, the values are escaped
                replace_keywords(
                    self.body, {key: escape(str(text)) for key, text in values.items()}
                )
            )
        else:
            subject, headline = self._headline(firing, record, recipient)
            facts = self._facts(firing, record, recipient)
        if self.with_last_message and record and not self._is_secret(record, recipient.partner):
            with self._unveiled(record, recipient.partner) as reader:
                last = self._last_message(reader, self._is_outside(recipient))
            if last:
                content = Markup("%s<blockquote>%s</blockquote>") % (
                    content or "", plaintext2html(last[:5000]),
                )  # fmt: skip
        url = record and recipient.internal and self._record_url(record)
        values = {"headline": headline, "content": content, "facts": facts, "url": url}
        body = self._body(company, recipient, values, rendered)
        email_from = self._email_from(record, company)
        return {
            # A line break in a subject would start a new header line.
            "subject": " ".join(str(subject).split()),
            "body": body,
            # What the chatter shows: the record's facts stand above it anyway.
            "note": body if content else Markup("<p>%s</p>") % headline,
            "email_from": email_from,
            "author_id": company.partner_id.id,
            # Where Odoo receives no mail: a customer answers his salesperson.
            "reply_to": email_from if recipient.internal else self._answer_to(record, email_from),
        }

    def _body(self, company, recipient, values, rendered):
        """The mail's HTML. The frame is rendered once for all letters that look alike.

        :param dict values: headline, content, facts, url; those that are empty are
            left out
        :param dict rendered: keeps the frames of a batch
        """
        there = tuple(name for name, value in values.items() if value)
        key = ("frame", self.env.lang, company.id, recipient.internal, there)
        if key not in rendered:
            frame = {name: name in there and MARKS[name] for name in values}
            frame |= {"company": company, "rule_name": self.name, "internal": recipient.internal}
            qweb = self.env["ir.qweb"]
            fact = {"label": MARKS["label"], "value": MARKS["value"]}
            rendered[key] = (
                split(qweb._render("crm_automation.notice_body", frame)),
                split(qweb._render("crm_automation.notice_fact", fact)),
            )
        frame, row = rendered[key]
        rows = [fill(row, {"label": label, "value": text}) for label, text in values["facts"]]
        return fill(frame, {**values, "facts": Markup("").join(rows)})

    def _email_from(self, record, company):
        address = company.email_formatted
        if self.sender == "responsible" and record:
            user = self._responsibles(record)[:1]
            address = (user.email_formatted if user.email else False) or address
        elif self.sender == "other" and self.sender_email:
            address = self.sender_email
        address = address or self.owner_id.sudo().email_formatted
        if not address:
            # For the log, not for the recipient, whose language it is here.
            owned = self.with_context(lang=self.owner_id.sudo().lang)
            raise UserError(
                owned.env._(
                    "There is no sender: neither the company %(company)s nor the owner of the "
                    "rule has an e-mail address.",
                    company=company.name,
                )
            )
        return address

    def _answer_to(self, record, default):
        user = self._responsibles(record)[:1] if record else record
        return user.email_formatted if user and user.email else default

    @api.model
    def _is_outside(self, recipient):
        """Whether somebody reads nothing internal."""
        return recipient.role in OUTSIDE_ROLES and not recipient.internal

    @api.model
    def _last_message(self, record, outside=False):
        """Text of the latest message from outside, else the description, which is
        the team's own.

        :param bool outside: somebody from outside reads it
        """
        if "message_ids" in record._fields:
            message = self.env["mail.message"].sudo().search(
                [
                    ("model", "=", record._name),
                    ("res_id", "=", record.id),
                    ("message_type", "in", ("email", "comment")),
                    ("is_internal", "=", False),
                    "|", ("author_id", "=", False), ("author_id.partner_share", "=", True),
                ],
                order="id desc", limit=1,
            )  # fmt: skip
            if message:
                return html2plaintext(message.body or "")
        if outside or "description" not in record._fields:
            return ""
        return html2plaintext(record["description"] or "")

    def _headline(self, firing, record, recipient):
        """Subject and first sentence of the ready-made text. Hook for extensions."""
        payload = firing._told()
        gone = payload.get("gone")
        name = gone["name"] if gone else self._name_for(record, recipient.partner)
        model = self.env["ir.model"]._get(firing.res_model).sudo().name
        values = {"name": name, "model": model}
        trigger = firing.trigger
        if trigger == "opportunities_merged":
            merged = payload.get("merged", ())
            values["names"] = ", ".join(
                self.env._("“%(name)s”", name=entry["name"])
                for entry in merged
                if entry["id"] != record.id
            )
        if trigger == "task_created":
            values["project"] = record.sudo().project_id.display_name
        if trigger in ("meeting_booked", "meeting_moved"):
            values["start"] = self._start_of(record, recipient.tz)
        if trigger == "invitation_answered":
            values["answers"] = self._answers(payload.get("answers", ()))
        if trigger in ("stage_entered", "state_reached"):
            field = "stage_id" if trigger == "stage_entered" else self._state_name(record)
            values["state"] = self._display(record, record._fields[field], recipient.tz)
        if trigger == "moment":
            values["date"] = self._moment_date(record, recipient.tz)
            if payload.get("moved"):
                values["old"] = self._old_date(record, payload["moved"], recipient.tz)
                subject = self.env._("Date moved: %(name)s")
                sentence = self.env._(
                    "The date of “%(name)s” (%(model)s) was moved from %(old)s to %(date)s."
                )
                return subject % values, sentence % values
        subject, sentence = self._sentences()[trigger]()
        return subject % values, sentence % values

    def _sentences(self):
        """Trigger to a function that gives subject and sentence, with places for values."""
        return {
            "lead_converted": lambda: (
                self.env._("Now an opportunity: %(name)s"),
                self.env._("The lead “%(name)s” has become an opportunity."),
            ),
            "opportunities_merged": lambda: (
                self.env._("Merged into %(name)s"),
                self.env._("%(names)s merged into “%(name)s”."),
            ),
            "won": lambda: (
                self.env._("Won: %(name)s"),
                self.env._("The opportunity “%(name)s” is won."),
            ),
            "lost": lambda: (
                self.env._("Lost: %(name)s"),
                self.env._("The opportunity “%(name)s” is lost."),
            ),
            "task_created": lambda: (
                self.env._("New task: %(name)s"),
                self.env._("The task “%(name)s” has been created in the project “%(project)s”."),
            ),
            "meeting_booked": lambda: (
                self.env._("New meeting: %(name)s"),
                self.env._("The meeting “%(name)s” has been booked: %(start)s."),
            ),
            "meeting_moved": lambda: (
                self.env._("Meeting moved: %(name)s"),
                self.env._("The meeting “%(name)s” has been moved. It is now: %(start)s."),
            ),
            "meeting_cancelled": lambda: (
                self.env._("Meeting cancelled: %(name)s"),
                self.env._("The meeting “%(name)s” has been cancelled."),
            ),
            "invitation_answered": lambda: (
                self.env._("Answer to the invitation: %(name)s"),
                self.env._("Answers to the invitation to “%(name)s”: %(answers)s."),
            ),
            "stage_entered": lambda: (
                self.env._("%(name)s: now %(state)s"),
                self.env._("“%(name)s” (%(model)s) is now in the stage “%(state)s”."),
            ),
            "state_reached": lambda: (
                self.env._("%(name)s: now %(state)s"),
                self.env._("“%(name)s” (%(model)s) is now in the state “%(state)s”."),
            ),
            "moment": lambda: (
                self.env._("Reminder: %(name)s"),
                self.env._("Reminder of “%(name)s” (%(model)s): %(date)s."),
            ),
            "created": lambda: (
                self.env._("New %(model)s: %(name)s"),
                self.env._("“%(name)s” (%(model)s) has been created."),
            ),
            "updated": lambda: (
                self.env._("Changed: %(name)s"),
                self.env._("“%(name)s” (%(model)s) has been changed."),
            ),
            "saved": lambda: (
                self.env._("Saved: %(name)s"),
                self.env._("“%(name)s” (%(model)s) has been created or changed."),
            ),
            "deleted": lambda: (
                self.env._("Deleted: %(name)s"),
                self.env._("“%(name)s” (%(model)s) has been deleted."),
            ),
            "called": lambda: (
                self.env._("About %(name)s"),
                self.env._("About “%(name)s” (%(model)s)."),
            ),
        }

    def _answers(self, answers):
        words = {
            "accepted": self.env._("%(name)s has accepted"),
            "declined": self.env._("%(name)s has declined"),
            "tentative": self.env._("%(name)s may come"),
        }
        # Who has answered twice meant it the second time.
        last = {answer["partner_id"] or answer["name"]: answer for answer in answers}
        return ", ".join(
            words[answer["state"]] % {"name": answer["name"]} for answer in last.values()
        )

    @api.model
    def _state_name(self, record):
        return "business_state" if "business_state" in record._fields else "state"

    @api.model
    def _in_zone(self, moment, tz):
        """A moment as a person reads it, with the name of the zone."""
        # A mail says the same moment several times, and so do many mails.
        said = self.env.cr.postcommit.data.setdefault("crm_automation.moments", {})
        key = (moment.replace(microsecond=0), tz, self.env.lang)
        if key not in said:
            said[key] = f"{format_datetime(self.env, moment, tz=tz)} ({tz})"
        return said[key]

    def _start_of(self, event, tz):
        row = event.sudo()
        if row.allday:
            return format_date(self.env, row.start_date)
        return self._in_zone(row.start, tz)

    def _moment_date(self, record, tz):
        """The date that the rule is about, as a person reads it."""
        if record._name == "calendar.event" and self._date_field_name() == "start":
            return self._start_of(record, tz)
        value = self._dates(record).get(record.id)
        if isinstance(value, datetime.datetime):
            return self._in_zone(value, tz)
        return format_date(self.env, value) if value else ""

    def _old_date(self, record, text, tz):
        """A date that the record no longer has, as a person reads it.

        :param str text: the date or moment as the ledger keeps it
        """
        field = record._fields[self._date_field_name()]
        is_day = field.type == "date" or ("allday" in record._fields and record.sudo().allday)
        if is_day:
            return format_date(self.env, fields.Date.to_date(text[:10]))
        moment = fields.Datetime.to_datetime(text[:19])
        return self._in_zone(moment, tz)

    @api.model
    def _record_url(self, record):
        base = record.sudo().get_base_url()
        return f"{base}/mail/view?model={record._name}&res_id={record.id}"

    def _facts(self, firing, record, recipient):
        """Label and value of what the record says, in the recipient's language.

        A field that the owner of the rule may not read is not among them, and a
        customer reads nothing of what the team thinks of him.
        """
        gone = firing._told().get("gone")
        outside = self._is_outside(recipient)
        names = CUSTOMER_FACT_FIELDS if outside else FACT_FIELDS
        if gone:
            known_model = self.env[firing.res_model]
            return [
                (self._fact_label(known_model, name), gone["facts"][name])
                for name in names
                if name in gone["facts"] and name in known_model._fields
            ]
        if not outside:
            names = (*self._changed_names(firing, record), *names)
        return list(self._texts(record, dict.fromkeys(names), recipient).values())

    def _fact_label(self, model, name):
        """What a fact is called; Odoo's own words for a meeting's times are commands."""
        if name == "start":
            return self.env._("Starts")
        if name == "stop":
            return self.env._("Ends")
        return self._field_label(model._name, name)

    @api.model
    @tools.ormcache("model_name", "name", "self.env.lang")
    def _field_label(self, model_name, name):
        """Odoo copies the labels of all fields of the model for each one asked for."""
        return self.env[model_name]._fields[name]._description_string(self.env)

    def _changed_names(self, firing, record):
        if firing.trigger not in ("updated", "saved"):
            return []
        old = firing._told().get("old", {})
        return [name for name in old if name in record._fields]

    def _texts(self, record, names, recipient=None, tz="UTC"):
        """Field name to label and value, those that are filled in and may be read."""
        partner = recipient and recipient.partner
        with self._unveiled(record, partner) as reader:
            return self._texts_of(
                record, reader, names, recipient.tz if recipient else tz,
                self._is_secret(record, partner),
            )  # fmt: skip

    def _texts_of(self, record, reader, names, tz, secret):
        found = {}
        for name in names:
            field = record._fields.get(name)
            if name == "partner_id" and record._name == "calendar.event":
                continue  # the organiser once more
            if not field or (secret and name not in ("start", "stop")):
                continue
            if not record._has_field_access(field, "read"):
                continue
            try:
                text = self._display(reader, field, tz)
            except AccessError:
                continue
            if text:
                found[name] = (self._fact_label(record, name), text[:MAX_CHANGED])
        return found

    def _display(self, record, field, tz):
        """One value as a person reads it; moments with the name of their zone."""
        value = record[field.name]
        if value is False or value is None:
            return ""
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        if field.relational:
            return ", ".join(row.display_name or "" for row in value)
        if isinstance(value, datetime.datetime):
            if record._name == "calendar.event" and record.sudo().allday:
                return format_date(self.env, value.date())
            return self._in_zone(value, tz)
        if isinstance(value, datetime.date):
            return format_date(self.env, value)
        if field.type == "monetary":
            currency = record[field.get_currency_field(record)]
            if not value:
                return ""
            return format_amount(self.env, value, currency) if currency else str(value)
        if field.type == "html":
            return html2plaintext(value)
        return str(value)

    def _keyword_values(self, record, recipient):
        """OpenERP's nine keywords for one record, as plain text."""
        user = self._responsibles(record)[:1]
        partner, email = self._customer(record)
        secret = self._is_secret(record, recipient.partner)
        description = ""
        if "description" in record._fields and not secret:
            with self._unveiled(record, recipient.partner) as reader:
                description = reader["description"]
        return {
            "object_id": record.id,
            "object_subject": self._name_for(record, recipient.partner),
            "object_description": html2plaintext(description or ""),
            "object_date": self._display(record, record._fields["create_date"], recipient.tz),
            "partner": partner.name or "/",
            "partner_email": partner.email or email or "/",
            "object_user": user.name or "/",
            "object_user_email": user.email or "/",
            "object_user_phone": user.phone or "/",
        }

    def _snapshot_for_log(self, record):
        """What the log says of a record that is about to be deleted."""
        return {
            "name": self._name_for_log(record),
            "private": self._privacy(record) == "private",
            "responsible_ids": self._responsibles(record).ids,
            "record_company_id": "company_id" in record._fields and record.sudo().company_id.id,
        }

    def _snapshot(self, record):
        """What a notice needs of a record that is about to be deleted.

        In the language and zone of the company: whoever reads it later, there
        is nothing left to be read again.

        :return: dict that JSON can keep
        """
        self.ensure_one()
        company = self._company(record)
        speaker = self.with_context(lang=company.partner_id.lang or self.env.lang)
        owned = self._owner_model().browse(record.id).with_context(lang=speaker.env.lang)
        tz = company.partner_id.tz or "UTC"
        stranger = speaker._recipient("extra", company)
        names = {}
        # Of a template too: without the record it cannot be filled in.
        if self.content != "own":
            texts = speaker._texts(owned, dict.fromkeys(FACT_FIELDS), tz=tz)
            names = {name: text for name, (_label, text) in texts.items()}
        return {
            **speaker._snapshot_for_log(record),
            "company_id": company.id,
            "people": self._people(record),
            "facts": names,
            "keywords": speaker._keyword_values(owned, stranger) if self.content == "own" else {},
        }

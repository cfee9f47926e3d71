"""The notice: who is told, in which language, with which words.

Owns recipients and rendering. When it is sent is the ledger's business
(``crm.automation.firing``), how it travels is the mail queue's. An abstract
model, so that whatever sends a notice has the same ticks and the same text.
"""

import collections
import dataclasses
import datetime
import re

from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import email_normalize, format_amount, format_date, format_datetime
from odoo.tools.mail import email_split, generate_tracking_message_id, html2plaintext

from ..engine.keywords import replace_keywords, unknown_keywords

#: Facts of a record that a ready-made notice lists, those that the model has.
FACT_FIELDS = (
    "partner_id",
    "partner_name",
    "contact_name",
    "email_from",
    "phone",
    "expected_revenue",
    "project_id",
    "stage_id",
    "team_id",
    "user_id",
    "date_deadline",
    "start",
    "location",
)
#: What of it a customer may read: nothing of what is said about him inside.
CUSTOMER_FACT_FIELDS = ("project_id", "user_id", "date_deadline", "start", "location")
#: One address, bare or behind a name: ``office@example.com``, ``Ana <a@b.es>``.
ADDRESS = re.compile(r"(?:[^<>@,;]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)")
#: Machines must not answer, and mail programs may file it as automatic
#: (RFC 3834, section 5). The second is Exchange's word for the same.
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


@dataclasses.dataclass
class Recipient:
    """Somebody who is to be told.

    :param str role: a role of ``crm.automation.delivery``
    :param partner: ``res.partner`` (sudo), empty for a bare address
    :param str email: normalized address, or False
    :param str lang: code of the language the text is written in
    :param str tz: name of the time zone that moments are given in
    :param bool internal: may open the record in Odoo's own screens
    :param str skip: why no mail is written, or None
    """

    role: str
    partner: object
    email: str
    lang: str
    tz: str
    internal: bool
    skip: str = None


class CrmAutomationNotice(models.AbstractModel):
    _name = "crm.automation.notice"
    _description = "Notice by E-Mail"

    notify_responsible = fields.Boolean(
        "Mail to Responsible", help="The salesperson, the assignees or the organiser."
    )
    notify_customer = fields.Boolean(
        "Mail to Customer", help="The customer of the record, or its e-mail address."
    )
    notify_emails = fields.Char(
        "Mail to These Emails", help="Further addresses, separated by commas."
    )
    notify_reply_to = fields.Char(
        "Reply-To", help="Empty: answers come back to the record, where Odoo receives mail."
    )
    content = fields.Selection(
        [("standard", "Ready-made text"), ("own", "My own text")],
        required=True,
        default="standard",
        string="Text",
        help="The ready-made text says what happened and gives the facts of the record, in "
        "the language of each recipient.",
    )
    subject = fields.Char(translate=True)
    body = fields.Html("Mail Body", translate=True, sanitize=True)

    @api.constrains("content", "subject", "body")
    def _check_text(self):
        for notice in self:
            unknown = unknown_keywords(notice.subject) + unknown_keywords(
                html2plaintext(notice.body or "")
            )
            if unknown:
                raise ValidationError(
                    self.env._(
                        "These words in the mail stand for nothing: %(words)s. Pick from the "
                        "list of keywords beside the text.",
                        words=", ".join(unknown),
                    )
                )
            if notice.content == "own" and not (notice.subject and notice.body):
                raise ValidationError(self.env._("Your own text needs a subject and a mail body."))

    @api.constrains("notify_emails", "notify_reply_to")
    def _check_addresses(self):
        for notice in self:
            for text in (notice.notify_emails, notice.notify_reply_to):
                parts = [part.strip() for part in (text or "").split(",") if part.strip()]
                wrong = [part for part in parts if not ADDRESS.fullmatch(part)]
                if wrong:
                    raise ValidationError(
                        self.env._(
                            "This is no e-mail address: %(address)s. Separate several by commas.",
                            address=", ".join(wrong),
                        )
                    )

    # -- recipients -------------------------------------------------------------

    @api.model
    def _responsibles(self, record):
        """Users who answer for a record. Hook for extensions.

        :return: ``res.users``, empty where the model has none
        """
        for name in ("user_id", "user_ids"):
            field = record._fields.get(name)
            if field and field.relational and field.comodel_name == "res.users":
                return record.sudo()[name]
        return self.env["res.users"]

    @api.model
    def _customer(self, record):
        """The customer: a partner, else a bare address. Hook for extensions.

        A task without one is done for the customer of its project.

        :return: pair of ``res.partner`` and address
        """
        if record._name == "project.task":
            task = record.sudo()
            return task.partner_id or task.project_id.partner_id, False
        field = record._fields.get("partner_id")
        partner = self.env["res.partner"]
        if field and field.relational and field.comodel_name == "res.partner":
            partner = record.sudo()["partner_id"]
        email = record.sudo()["email_from"] if "email_from" in record._fields else False
        return partner, email

    def _recipients(self, firing, record, company):
        """Everybody ticked, one entry for each address.

        :param firing: the ``crm.automation.firing``
        :param record: the record, with the rights of the rule's owner
        :param company: ``res.company`` that gives language and zone to strangers
        :rtype: list of Recipient
        """
        self.ensure_one()
        found = []
        if self.notify_responsible:
            users = self._responsibles(record)
            # The responsibles of what was merged into it are concerned as well.
            merged = (firing.payload or {}).get("merged", ())
            ids = [entry["user_id"] for entry in merged if entry["user_id"]]
            users |= self.env["res.users"].sudo().browse(ids).exists()
            found += [self._recipient("responsible", company, user.partner_id) for user in users]
            if not users:
                reason = self.env._("The record has no responsible.")
                found.append(self._recipient("responsible", company, skip=reason))
        if self.notify_customer:
            partner, email = self._customer(record)
            if partner or email:
                found.append(self._recipient("customer", company, partner, email))
            else:
                reason = self.env._("The record has no customer.")
                found.append(self._recipient("customer", company, skip=reason))
        for address in email_split(self.notify_emails or ""):
            found.append(self._recipient("extra", company, email=address))
        return self._deduplicate(found)

    def _recipient(self, role, company, partner=None, email=False, skip=None):
        partner = (partner or self.env["res.partner"]).sudo()
        address = email_normalize(partner.email or email)
        users = partner.with_context(active_test=False).user_ids
        languages = {code for code, _name in self.env["res.lang"].get_installed()}
        wishes = (partner.lang, company.partner_id.lang, self.env.lang)
        lang = next((code for code in wishes if code in languages), "en_US")
        if not skip:
            skip = self._skip_reason(role, partner, users, address)
        return Recipient(
            role=role,
            partner=partner,
            email=address,
            lang=lang,
            tz=partner.tz or company.partner_id.tz or "UTC",
            internal=any(user.active and not user.share for user in users),
            skip=skip,
        )

    def _skip_reason(self, role, partner, users, address):
        """Why this one gets no mail, or None. Hook for extensions."""
        if partner and not partner.active:
            return self.env._("%(name)s is archived.", name=partner.name)
        if role == "responsible" and users and not any(users.mapped("active")):
            return self.env._("The user %(name)s is archived.", name=partner.name)
        if not address:
            return self.env._("%(name)s has no valid e-mail address.", name=partner.name or "?")
        if role == "customer" and self.env["mail.blacklist"].sudo().search_count(
            [("email", "=", address)], limit=1
        ):
            return self.env._("%(address)s wants no mail (blacklist).", address=address)
        return None

    @api.model
    def _deduplicate(self, recipients):
        seen = set()
        kept = []
        for recipient in recipients:
            if recipient.email and recipient.email in seen:
                continue
            seen.add(recipient.email)
            kept.append(recipient)
        return kept

    # -- sending ------------------------------------------------------------------

    def _fire(self, firings):
        """Write the notices of these firings and queue their mails.

        All in the caller's transaction: the firings end as *done* if and only
        if their mails are in the queue.

        :param firings: ``crm.automation.firing`` of one rule, their records
            there and readable for the owner
        """
        self.ensure_one()
        owner_model = self._owner_model()
        records = owner_model.browse(firings.mapped("res_id"))
        by_id = {record.id: record for record in records}
        plan = []
        by_language = collections.defaultdict(list)
        for firing in firings:
            record = by_id[firing.res_id]
            company = self._company(record)
            recipients = self._recipients(firing, record, company)
            plan.append((firing, recipients))
            for recipient in recipients:
                if not recipient.skip:
                    by_language[recipient.lang].append((firing, company, recipient))
        letters = {}
        for lang, entries in by_language.items():
            # One environment for each language, not for each record: Odoo looks
            # through all environments of a transaction to make a new one.
            speaker = self.with_context(lang=lang)
            translated = records.with_context(lang=lang)
            in_language = {record.id: record for record in translated}
            for firing, company, recipient in entries:
                letters[firing.id, recipient.email] = speaker._letter(
                    firing, in_language[firing.res_id], company, recipient
                )
        self._queue(plan, letters, records)

    def _company(self, record):
        """The company in whose name the notice is sent."""
        company = record.sudo()["company_id"] if "company_id" in record._fields else None
        return (company or self.company_id or self.owner_id.company_id).sudo()

    def _letter(self, firing, record, company, recipient):
        """Subject and body for one recipient.

        :return: dict with ``subject``, ``body``, ``email_from``, ``author_id`` and
            ``reply_to`` for where Odoo receives no mail
        """
        if self.content == "own":
            values = self._keyword_values(record, recipient)
            subject = replace_keywords(self.subject, values)
            content = Markup(  # noqa: S704 - the body is sanitized, the values are escaped
                replace_keywords(self.body, {key: escape(text) for key, text in values.items()})
            )
            headline, facts = None, []
        else:
            subject, headline = self._headline(firing, record)
            content, facts = None, self._facts(record, recipient)
        body = self.env["ir.qweb"]._render(
            "crm_automation.notice_body",
            {
                "company": company,
                "headline": headline,
                "content": content,
                "facts": facts,
                "url": recipient.internal and self._record_url(record),
                "rule_name": self.name,
                "internal": recipient.internal,
            },
        )
        email_from = company.email_formatted or self.owner_id.sudo().email_formatted
        if not email_from:
            raise UserError(
                self.env._(
                    "There is no sender: neither the company %(company)s nor the owner of the "
                    "rule has an e-mail address.",
                    company=company.name,
                )
            )
        return {
            # A line break in a subject would start a new header line.
            "subject": " ".join(subject.split()),
            "body": body,
            "email_from": email_from,
            "author_id": company.partner_id.id,
            # Where Odoo receives no mail: a customer answers his salesperson.
            "reply_to": email_from if recipient.internal else self._answer_to(record, email_from),
        }

    def _answer_to(self, record, default):
        user = self._responsibles(record)[:1]
        return user.email_formatted if user.email else default

    def _headline(self, firing, record):
        """Subject and first sentence of the ready-made text. Hook for extensions."""
        name = record.display_name
        if firing.trigger == "lead_converted":
            return (
                self.env._("Now an opportunity: %(name)s", name=name),
                self.env._("The lead “%(name)s” has become an opportunity.", name=name),
            )
        if firing.trigger == "opportunities_merged":
            merged = (firing.payload or {}).get("merged", ())
            names = ", ".join(f"“{entry['name']}”" for entry in merged if entry["id"] != record.id)
            return (
                self.env._("Merged into %(name)s", name=name),
                self.env._("%(names)s merged into “%(name)s”.", names=names, name=name),
            )
        if firing.trigger == "task_created":
            return (
                self.env._("New task: %(name)s", name=name),
                self.env._(
                    "The task “%(name)s” has been created in the project “%(project)s”.",
                    name=name,
                    project=record.sudo().project_id.display_name,
                ),
            )
        model = self.env["ir.model"]._get(record._name).sudo().name
        return (
            self.env._("New %(model)s: %(name)s", model=model, name=name),
            self.env._("“%(name)s” (%(model)s) has been created.", name=name, model=model),
        )

    @api.model
    def _record_url(self, record):
        base = record.sudo().get_base_url()
        return f"{base}/mail/view?model={record._name}&res_id={record.id}"

    def _facts(self, record, recipient):
        """Label and value of what the record says, in the recipient's language.

        A field that the owner of the rule may not read is not among them, and a
        customer reads nothing of what the team thinks of him.
        """
        facts = []
        for name in CUSTOMER_FACT_FIELDS if recipient.role == "customer" else FACT_FIELDS:
            field = record._fields.get(name)
            if not field or not record._has_field_access(field, "read"):
                continue
            try:
                text = self._display(record, field, recipient.tz)
            except AccessError:
                continue
            if text:
                facts.append((field._description_string(self.env), text))
        return facts

    def _display(self, record, field, tz):
        """One value as a person reads it; moments with the name of their zone."""
        value = record[field.name]
        if value is False or value is None:
            return ""
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        if field.type in ("many2one", "many2many", "one2many"):
            return ", ".join(value.mapped("display_name"))
        if isinstance(value, datetime.datetime):
            return f"{format_datetime(self.env, value, tz=tz)} ({tz})"
        if isinstance(value, datetime.date):
            return format_date(self.env, value)
        if field.type == "monetary":
            currency = record[field.get_currency_field(record)]
            if not value:
                return ""
            return format_amount(self.env, value, currency) if currency else str(value)
        return str(value)

    def _keyword_values(self, record, recipient):
        """OpenERP's nine keywords for one record, as plain text."""
        user = self._responsibles(record)[:1]
        partner, email = self._customer(record)
        description = record["description"] if "description" in record._fields else ""
        return {
            "object_id": record.id,
            "object_subject": record.display_name or "",
            "object_description": html2plaintext(description or ""),
            "object_date": self._display(record, record._fields["create_date"], recipient.tz),
            "partner": partner.name or "/",
            "partner_email": partner.email or email or "/",
            "object_user": user.name or "/",
            "object_user_email": user.email or "/",
            "object_user_phone": user.phone or "/",
        }

    def _queue(self, plan, letters, records):
        """Create messages, mails and deliveries in three batches; end the firings.

        A message is what the chatter of the record shows and what answers refer
        to; there is one for each text, whoever gets it.
        """
        reply_to = self._reply_to(records)
        note_id = self.env.ref("mail.mt_note").id
        message_values, mail_keys = {}, []
        for firing, recipients in plan:
            for recipient in recipients:
                letter = letters.get((firing.id, recipient.email))
                if not letter or recipient.skip:
                    continue
                key = (firing.id, letter["subject"], letter["body"])
                message_values.setdefault(
                    key,
                    {
                        "model": firing.res_model,
                        "res_id": firing.res_id,
                        "message_type": "email_outgoing",
                        "subtype_id": note_id,
                        "is_internal": True,
                        "record_name": firing.record_name,
                        "subject": letter["subject"],
                        "body": letter["body"],
                        "email_from": letter["email_from"],
                        "author_id": letter["author_id"],
                        "reply_to": self.notify_reply_to
                        or reply_to[firing.res_id]
                        or letter["reply_to"],
                        "message_id": generate_tracking_message_id(
                            f"{firing.res_id}-{firing.res_model}"
                        ),
                    },
                )
                mail_keys.append((firing, recipient, key))
        Message = self.env["mail.message"].sudo()
        messages = dict(
            zip(message_values, Message.create(list(message_values.values())), strict=True)
        )
        mails = (
            self.env["mail.mail"]
            .sudo()
            .create(
                [
                    {
                        "mail_message_id": messages[key].id,
                        "body_html": key[2],
                        "headers": repr(HEADERS),
                        "auto_delete": True,
                        **self._address(recipient),
                    }
                    for _firing, recipient, key in mail_keys
                ]
            )
        )
        mail_of = {
            (firing.id, recipient.email): mail
            for (firing, recipient, _key), mail in zip(mail_keys, mails, strict=True)
        }
        deliveries = []
        for firing, recipients in plan:
            for recipient in recipients:
                mail = not recipient.skip and mail_of[firing.id, recipient.email]
                deliveries.append(
                    {
                        "firing_id": firing.id,
                        "role": recipient.role,
                        "partner_id": recipient.partner.id,
                        "email": recipient.email,
                        "state": "queued" if mail else "skipped",
                        "reason": recipient.skip,
                        "mail_id": mail.id if mail else False,
                        "message_id": mail.message_id if mail else False,
                    }
                )
        self.env["crm.automation.delivery"].sudo().create(deliveries)
        told = {firing.id for firing, _recipient, _key in mail_keys}
        done = self.env["crm.automation.firing"].browse(sorted(told))
        done._finish("done")
        for firing, recipients in plan:
            if firing.id not in told:
                reasons = dict.fromkeys(r.skip for r in recipients if r.skip)
                firing._finish(
                    "skipped", " ".join(reasons) or self.env._("Nobody is ticked to be told.")
                )
        if mails:
            self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _address(self, recipient):
        """Where the mail goes: the contact, or an address that is not his."""
        partner = recipient.partner
        if partner and email_normalize(partner.email) == recipient.email:
            return {"recipient_ids": [(6, 0, partner.ids)]}
        return {"email_to": recipient.email}

    def _reply_to(self, records):
        """Record id to the address that brings an answer back to its chatter.

        False where Odoo has no such address (no incoming mail is set up).
        """
        sudo = records.sudo()
        authors = {record.id: self._company(record).partner_id.id for record in sudo}
        return sudo._notify_get_reply_to_batch(author_ids=authors)

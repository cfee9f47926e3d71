"""The words of a notice: ready-made, one's own, or an e-mail template.

Owns the rendering, for each recipient in his language and time zone, with the
rights of the rule's owner. What the ready-made text says is in
``crm_automation_notice_headline.py``, what of a record may be told to whom in
``crm_automation_notice_facts.py``.
"""

from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html
from odoo.tools.mail import html2plaintext

from ..engine.keywords import replace_keywords
from .crm_automation_notice import OUTSIDE_ROLES
from .notice_frame import MARKS, fill, split

#: Longest text that is quoted.
MAX_QUOTED = 5000


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

    # -- the letter -----------------------------------------------------------------

    def _letter(self, firing, record, company, recipient, rendered):
        """Subject and body for one recipient.

        :param record: the record in the recipient's language; empty when deleted
        :param dict rendered: of a template, (language, field, id) to text; and what
            is rendered once for all letters of a batch
        :return: dict with ``subject``, ``body``, ``note``, ``email_from``, ``author_id`` and
            ``reply_to`` for where Odoo receives no mail
        """
        subject, values = self._words(firing, record, recipient, rendered)
        if last := self._last_words(record, recipient):
            values["content"] = Markup("%s<blockquote>%s</blockquote>") % (
                values["content"] or "", plaintext2html(last[:MAX_QUOTED]),
            )  # fmt: skip
        values["url"] = record and recipient.internal and self._record_url(record)
        body = self._body(company, recipient, values, rendered)
        email_from = self._email_from(record, company)
        return {
            # A line break in a subject would start a new header line.
            "subject": " ".join(str(subject).split()),
            "body": body,
            # What the chatter shows: the record's facts stand above it anyway.
            "note": body if values["content"] else Markup("<p>%s</p>") % values["headline"],
            "email_from": email_from,
            "author_id": company.partner_id.id,
            # Where Odoo receives no mail: a customer answers his salesperson.
            "reply_to": email_from if recipient.internal else self._answer_to(record, email_from),
        }

    def _words(self, firing, record, recipient, rendered):
        """Subject, and the ``headline``, ``content`` and ``facts`` of the body."""
        values = {"headline": None, "content": None, "facts": []}
        gone = firing._told().get("gone")
        if self.content == "template" and not gone:
            subject = rendered[recipient.lang, "subject", firing.res_id]
            values["content"] = rendered[recipient.lang, "body_html", firing.res_id]
        elif self.content == "own":
            keywords = gone["keywords"] if gone else self._keyword_values(record, recipient)
            subject = replace_keywords(self.subject, keywords)
            escaped = {key: escape(str(text)) for key, text in keywords.items()}
            # The body is sanitized.
            values["content"] = Markup(replace_keywords(self.body, escaped))  # noqa: S704
        else:
            subject, values["headline"] = self._headline(firing, record, recipient)
            values["facts"] = self._facts(firing, record, recipient)
        return subject, values

    def _last_words(self, record, recipient):
        """What was written last, if the rule quotes it and the recipient may read it."""
        partner = recipient.partner
        if not self.with_last_message or not record or self._is_secret(record, partner):
            return ""
        with self._unveiled(record, partner) as reader:
            return self._last_message(reader, self._is_outside(recipient))

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

    @api.model
    def _record_url(self, record):
        base = record.sudo().get_base_url()
        return f"{base}/mail/view?model={record._name}&res_id={record.id}"

"""From a notice to what is queued: messages, mails, inbox entries, to-dos.

Owns the batches. When it is sent is the ledger's business
(``crm.automation.firing``), how it travels is the mail queue's.
"""

import collections

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, email_normalize
from odoo.tools.mail import email_split, generate_tracking_message_id

from .base import CHAIN, Chain
from .bulk import insert_rows
from .crm_automation_firing_drain import UNTOLD

#: Machines must not answer, and mail programs may file it as automatic
#: (RFC 3834, section 5). The second is Exchange's word for the same.
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
MAX_ATTACHED = 10 * 2**20


class CrmAutomationNotice(models.AbstractModel):
    _inherit = "crm.automation.notice"

    def _fire(self, firings):
        """Do what the rule does for these firings, and queue its notices.

        All in the caller's transaction: the firings end as *done* if and only
        if their mails are in the queue.

        :param firings: ``crm.automation.firing`` of one rule and one chain, their
            records there and readable for the owner, or deleted with a snapshot
        """
        self.ensure_one()
        # Whatever this writes is its own doing, and is known by that to the rules.
        self = self.with_context(**{CHAIN: Chain(firings[:1]._chain())})
        gone = firings.filtered(lambda firing: firing._told().get("gone"))
        records = self._owner_model().browse((firings - gone).mapped("res_id"))
        corrections = firings.filtered(lambda firing: firing._told().get("moved"))
        acting = firings - gone - corrections
        if acting and self._compiled().has_actions:
            self._act(acting, records.browse(acting.mapped("res_id")))
        if records and self.watcher_emails:
            self._remember_watchers(records)
        if not self._tells_somebody():
            firings._finish("done")
            return
        by_id = {record.id: record for record in records}
        nothing = records.browse()
        plan, known = [], {}
        by_language = collections.defaultdict(list)
        for firing in firings:
            record = by_id.get(firing.res_id, nothing)
            company = self._company_of(firing, record)
            recipients = self._recipients(firing, record, company, known)
            plan.append((firing, recipients))
            for recipient in recipients:
                if not recipient.skip:
                    by_language[recipient.lang].append((firing, company, recipient))
        self._queue(plan, self._letters(by_language, records), records)

    def _letters(self, by_language, records):
        """Write to everybody in his language.

        :param dict by_language: language to a list of (firing, company, recipient)
        :param records: those of the firings that are there
        :return: dict from (id of the firing, address) to the letter
        """
        rendered = self._render_template(by_language)
        nothing = records.browse()
        letters = {}
        for lang, entries in by_language.items():
            # One environment for each language, not for each record: Odoo looks
            # through all environments of a transaction to make a new one.
            speaker = self.with_context(lang=lang)
            in_language = {record.id: record for record in records.with_context(lang=lang)}
            for firing, company, recipient in entries:
                letters[firing.id, recipient.email] = speaker._letter(
                    firing, in_language.get(firing.res_id, nothing), company, recipient, rendered
                )
        return letters

    def _company_of(self, firing, record):
        if record:
            return self._company(record)
        return self.env["res.company"].sudo().browse(firing._told()["gone"]["company_id"])

    def _render_template(self, by_language):
        """Of an e-mail template, (language, field, record id) to text: one pass a language."""
        if self.content != "template":
            return {}
        template = self.template_id.with_env(self._owner_model().env)
        rendered = {}
        for lang, entries in by_language.items():
            there = [f for f, _company, _to in entries if not f._told().get("gone")]
            ids = list(dict.fromkeys(firing.res_id for firing in there))
            for field, options in (
                ("subject", {}),
                ("body_html", {"options": {"post_process": True}}),
            ):
                texts = template._render_field(field, ids, set_lang=lang, **options)
                rendered.update({(lang, field, res_id): text for res_id, text in texts.items()})
        return rendered

    def _remember_watchers(self, records):
        """Add the rule's watchers to the record's own e-mail copies."""
        field = records._fields.get("email_cc")
        if not field or field.type != "char":
            return
        for record in records:
            known = {email_normalize(address) for address in email_split(record.email_cc or "")}
            new = [
                address for address in email_split(self.watcher_emails)
                if email_normalize(address) not in known
            ]  # fmt: skip
            if new:
                record.email_cc = ", ".join(filter(None, [record.email_cc, *new]))

    def _queue(self, plan, letters, records):
        """Create messages, mails and deliveries in batches; end the firings.

        A message is what the chatter of the record shows and what answers refer
        to; there is one for each text, whoever gets it.
        """
        reply_to = self._reply_to(records)
        subtype = self.env.ref("mail.mt_note")
        # Meetings take no to-dos: their people are mailed.
        takes_todos = self.channel == "activity" and hasattr(records, "activity_schedule")
        message_values, mail_keys, inside = {}, [], []
        for firing, recipients in plan:
            for recipient in recipients:
                letter = letters.get((firing.id, recipient.email))
                if not letter or recipient.skip:
                    continue
                record = records.browse(firing.res_id)
                if takes_todos and firing.res_id in reply_to and self._may_open(recipient, record):
                    inside.append((firing, recipient, letter))
                    continue
                key = (firing.id, letter["subject"], letter["body"])
                values = self._message_values(firing, letter, reply_to.get(firing.res_id), subtype)
                message_values.setdefault(key, values)
                mail_keys.append((firing, recipient, key))
        self._attach(message_values, mail_keys, records)
        messages = self._create_messages(message_values, records)
        by_inbox = [entry for entry in mail_keys if self._goes_to_inbox(entry[1])]
        mail_keys = [entry for entry in mail_keys if not self._goes_to_inbox(entry[1])]
        mails = self._create_mails(mail_keys, messages)
        self._notify_inbox(by_inbox, messages)
        self._schedule_todos(inside, records)
        mail_of = {
            (firing.id, recipient.email): mail
            for (firing, recipient, _key), mail in zip(mail_keys, mails, strict=True)
        }
        self._note_deliveries(plan, mail_of)
        if mails:
            self._call_mail_queue()

    def _call_mail_queue(self):
        """Let the mail queue's job run after the commit.

        The call itself is a row of this transaction. The workers are told of it by a
        connection of its own, which costs more than a letter: a drainer does that for
        its first batch and at its end (``UNTOLD``).
        """
        job = self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()
        if self.env.context.get(UNTOLD):
            self.env["ir.cron.trigger"].sudo().create(
                {"cron_id": job.id, "call_at": fields.Datetime.now()}
            )
        else:
            job._trigger()

    def _create_messages(self, message_values, records):
        """A ``mail.message`` (sudo) for each key.

        Their records are filled in by one statement: for each message that is created
        with its record, Odoo walks through all models that have a chatter.
        """
        places = [values.pop("res_id") for values in message_values.values()]
        messages = self.env["mail.message"].sudo().create(list(message_values.values()))
        placed = [
            SQL("(%s, %s)", message.id, res_id)
            for message, res_id in zip(messages, places, strict=True)
            if res_id
        ]
        if placed:
            messages.flush_recordset(["res_id"])
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE mail_message SET res_id = place.res_id
                    FROM (VALUES %s) AS place (id, res_id) WHERE mail_message.id = place.id
                    """,
                    SQL(", ").join(placed),
                )
            )
            messages.invalidate_recordset(["res_id"], flush=False)
            if "message_ids" in records._fields:
                records.invalidate_recordset(["message_ids"], flush=False)
        return dict(zip(message_values, messages, strict=True))

    def _message_values(self, firing, letter, reply_to, subtype):
        record = self.env[firing.res_model].browse(firing.res_id)
        # The chatter of a private meeting is read by people who see only "busy".
        open_record = reply_to is not None and not self._is_secret(record)
        return {
            "model": firing.res_model if open_record else False,
            "res_id": firing.res_id if open_record else False,
            "message_type": "email_outgoing",
            "subtype_id": subtype.id,
            "is_internal": True,
            "record_name": firing.record_name if open_record else False,
            "subject": letter["subject"],
            "body": letter["body"] if self.channel == "inbox" else letter["note"],
            "email_from": letter["email_from"],
            "author_id": letter["author_id"],
            "reply_to": self.notify_reply_to or reply_to or letter["reply_to"],
            "message_id": generate_tracking_message_id(f"{firing.res_id}-{firing.res_model}"),
        }

    def _attach(self, message_values, mail_keys, records):
        """The record's files, as its owner may read them, up to a limit."""
        if self.content == "template" and self.template_id.attachment_ids:
            for values in message_values.values():
                values["attachment_ids"] = [
                    (4, file.id) for file in self.template_id.attachment_ids
                ]
        if not self.with_attachments or not records:
            return
        files = self.env["ir.attachment"].with_env(records.env).search(
            [("res_model", "=", records._name), ("res_id", "in", records.ids),
             ("res_field", "=", False), ("type", "=", "binary")],
            order="id",
        )  # fmt: skip
        by_record = files.grouped("res_id")
        for firing, recipient, key in mail_keys:
            own = by_record.get(firing.res_id, files.browse())
            if own and self._is_secret(records.browse(firing.res_id), recipient.partner):
                own = files.browse()
            if sum(own.mapped("file_size")) > MAX_ATTACHED:
                own = files.browse()
                firing.reason = self.env._(
                    "Sent without the attachments: they have more than 10 MB together."
                )
            links = message_values[key].get("attachment_ids", [])
            known = {link[1] for link in links}
            message_values[key]["attachment_ids"] = links + [
                (4, file.id) for file in own if file.id not in known
            ]

    @api.model
    def _may_open(self, recipient, record):
        """Whether the recipient is a user of Odoo who finds the record there."""
        return bool(recipient.user) and record.with_user(recipient.user).has_access("read")

    def _goes_to_inbox(self, recipient):
        return self.channel == "inbox" and recipient.internal

    def _create_mails(self, mail_keys, messages):
        return (
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

    def _notify_inbox(self, entries, messages):
        """Entries in the inbox of Odoo's own users, and the sign in their browser."""
        for firing, recipient, key in entries:
            thread = self.env[firing.res_model].sudo().browse(firing.res_id)
            if not hasattr(thread, "_notify_thread_by_inbox"):
                thread = self.env["mail.thread"].sudo()
            thread._notify_thread_by_inbox(
                messages[key],
                [{"id": recipient.partner.id, "uid": recipient.user.id, "notif": "inbox"}],
            )

    def _schedule_todos(self, entries, records):
        # Odoo mails whoever gets a to-do: the to-do is instead of a mail.
        records = records.sudo().with_context(mail_activity_quick_update=True)
        for firing, recipient, letter in entries:
            records.browse(firing.res_id).activity_schedule(
                "mail.mail_activity_data_todo",
                summary=letter["subject"],
                note=letter["body"],
                user_id=recipient.user.id,
            )

    def _note_deliveries(self, plan, mail_of):
        """What becomes of it for each recipient; the firings are done, or say why not."""
        Delivery = self.env["crm.automation.delivery"]
        now = self.env.cr.now().replace(microsecond=0)
        rows, ends = [], collections.defaultdict(self.env["crm.automation.firing"].browse)
        for firing, recipients in plan:
            states = []
            for recipient in recipients:
                mail = not recipient.skip and mail_of.get((firing.id, recipient.email))
                states.append("skipped" if recipient.skip else "queued" if mail else "sent")
                rows.append(
                    {
                        "firing_id": firing.id,
                        "company_id": firing.company_id.id or None,
                        "role": recipient.role,
                        "partner_id": recipient.partner.id or None,
                        "email": recipient.email or None,
                        "state": states[-1],
                        "reason": recipient.skip,
                        "mail_id": mail.id if mail else None,
                        "message_id": mail.message_id if mail else None,
                        "sent_at": now if states[-1] == "sent" else None,
                        "tries": 0,
                    }
                )
            state, reason = self._end_of(firing, recipients)
            ends[state, reason, Delivery._state_of_all(states)] |= firing
        insert_rows(Delivery, rows)
        for (state, reason, delivery_state), firings in ends.items():
            firings._finish(state, reason, delivery_state)

    def _end_of(self, firing, recipients):
        """How a firing ends whose recipients were asked. :return: state and reason"""
        if any(not recipient.skip for recipient in recipients):
            return "done", firing.reason
        reasons = " ".join(dict.fromkeys(r.skip for r in recipients if r.skip))
        if self._compiled().has_actions:
            # The fields were changed; only the mail had nobody to go to.
            return "done", reasons
        return "skipped", reasons or self.env._("Nobody is ticked to be told.")

    def _address(self, recipient):
        """Where the mail goes: the contact, or an address that is not his."""
        partner = recipient.partner
        if partner and partner.email_normalized == recipient.email:
            return {"recipient_ids": [(6, 0, partner.ids)]}
        return {"email_to": recipient.email}

    def _reply_to(self, records):
        """Record id to the address that brings an answer back to its chatter.

        False where Odoo has no such address (no incoming mail is set up, or the
        records have no chatter).
        """
        if not records:
            return {}  # all deleted: Odoo would answer for no record at all
        sudo = records.sudo()
        if not hasattr(sudo, "_notify_get_reply_to_batch") or "message_ids" not in sudo._fields:
            return dict.fromkeys(sudo.ids, False)
        authors = {record.id: self._company(record).partner_id.id for record in sudo}
        return sudo._notify_get_reply_to_batch(author_ids=authors)

    @api.model
    def _why_sending_failed(self, error):
        """A sentence for the log that a salesperson understands. Hook for extensions."""
        text = str(error) or type(error).__name__
        if self.content == "template":
            return self.env._(
                "The e-mail template “%(template)s” could not be filled in for this record, so "
                "nothing was sent: %(error)s",
                template=self.template_id.sudo().name,
                error=text,
            )
        if isinstance(error, AccessError):
            return self.env._(
                "The owner of the rule, %(owner)s, may not do that: %(error)s",
                owner=self.owner_id.sudo().name,
                error=text,
            )
        if isinstance(error, UserError):
            return text
        return self.env._("It could not be done, and nothing was sent: %(error)s", error=text)

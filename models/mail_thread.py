import email
import re
from email.policy import SMTP, EmailPolicy
from functools import lru_cache

from odoo import api, models
from odoo.tools.mail import decode_message_header, email_split_and_format

#: What a mail has in which there is a calendar.
_CALENDAR = re.compile(rb"text/calendar", re.I)
#: Whom a mail was sent to: envelopes are not known, and not every server adds the first one.
_TO = ("Delivered-To", "To")
_RECIPIENTS = (*_TO, "Cc", "Resent-To", "Resent-Cc")


@lru_cache
def _remembering(kind):
    """The same kind of policy, for one mail."""
    return type("Remembering", (_Remembering, kind), {})


class _Remembering:
    """A policy that parses each header once.

    Python's own parses it at each look, and a gateway looks dozens of times at what
    each part is: that is more than half of the time a mail takes.
    """

    #: header as parsed, by name and text; one for each mail
    parsed = None

    def header_fetch_parse(self, name, value):
        if hasattr(value, "name"):
            return value
        key = name, value
        if key not in self.parsed:
            self.parsed[key] = super().header_fetch_parse(name, value)
        return self.parsed[key]


def _one_mail_s(policy):
    """The same policy for one mail, of which it parses each header once."""
    return _remembering(type(policy))().clone(**policy.__dict__, parsed={})


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def message_process(
        self, model, message, custom_values=None, save_original=False, strip_attachments=False,
        thread_id=None,
    ):  # fmt: skip
        """A mail that is a message about a meeting goes there, and nowhere else.

        Those come in crowds, and need little of what Odoo finds out about each mail.
        """
        if self._brings_mail() and self._process_meeting(message):
            return False
        return super().message_process(
            model, message, custom_values=custom_values, save_original=save_original,
            strip_attachments=strip_attachments, thread_id=thread_id,
        )  # fmt: skip

    def _brings_mail(self):
        """Whether this is what brings mail: that runs as Odoo itself or as an administrator.
        Everybody, portal users too, may call it by RPC with a mail of his own making."""
        return self.env.su or self.env.user._is_system()

    def _process_meeting(self, message):
        """Take in a mail as a message about a meeting.

        :param message: as :meth:`message_process` has it
        :return: whether it was one, and is done with; nothing is done otherwise
        """
        data = getattr(message, "data", message)
        data = data.encode() if isinstance(data, str) else data
        if not isinstance(data, bytes) or not _CALENDAR.search(data):
            return False
        mail = email.message_from_bytes(data, policy=_one_mail_s(SMTP))
        facts = self._facts_of_mail(mail)
        if self._detect_loop_headers(facts) or self._detect_is_bounce(mail, facts):
            return False
        known = [("message_id", "=", facts["message_id"])]
        if not facts["message_id"] or self.env["mail.message"].search_count(known, limit=1):
            return False
        return self.env["calendar.invitation.gateway"].sudo()._take_in(mail, facts)

    @api.model
    def _facts_of_mail(self, mail):
        """What is looked at of a message about a meeting, as ``message_parse`` has it."""

        def addresses(*names):
            texts = (decode_message_header(mail, name, separator=",") for name in names)
            return [one for text in texts if text for one in email_split_and_format(text)]

        sender = decode_message_header(mail, "From", separator=",")
        return {
            "message_id": (mail.get("Message-Id") or "").strip(),
            "subject": decode_message_header(mail, "Subject"),
            "email_from": next(iter(email_split_and_format(sender)), sender),
            "to": ",".join(addresses(*_TO)),
            "recipients": ",".join(addresses(*_RECIPIENTS)),
            "references": decode_message_header(mail, "References"),
            "in_reply_to": decode_message_header(mail, "In-Reply-To").strip(),
        }

    @api.model
    def message_parse(self, message, save_original=False):
        policy = message.policy
        if isinstance(policy, EmailPolicy) and not isinstance(policy, _Remembering):
            policy = _one_mail_s(policy)
            for part in message.walk():
                part.policy = policy
        return super().message_parse(message, save_original=save_original)

    @api.model
    def message_route(self, message, message_dict, model=None, thread_id=None, custom_values=None):
        """The same for mails that Odoo has parsed: those that have a calendar as a file."""
        if self._brings_mail() and not message_dict.get("is_bounce"):
            gateway = self.env["calendar.invitation.gateway"].sudo()
            if gateway._take_in(message, message_dict):
                return []
        return super().message_route(message, message_dict, model, thread_id, custom_values)

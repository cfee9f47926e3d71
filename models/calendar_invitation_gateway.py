"""Mails that are messages about meetings (RFC 6047): recognised, judged, taken in.

Owns the way in: which part of the mail it is, whether the sender is who speaks in it,
and what becomes of what cannot be believed. What attendees say is in
``calendar_invitation_answers``, what organizers say in ``calendar_invitation_news``.
"""

import logging
import re
from hashlib import blake2b

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize
from odoo.tools.mail import email_normalize_all

from ..ical import itip
from ..ical.charsets import as_utf8
from ..ical.errors import BadValue, IcalError, LimitExceeded, NoMethod

_logger = logging.getLogger(__name__)

#: Characters of an encoded part that are looked at: base64 takes a third more.
MAX_ENCODED = itip.MAIL.file_bytes * 3 // 2
#: Characters of a message that the review keeps.
MAX_KEPT = 200_000
#: What the receiving server has found out about the sender. Only a failure is believed:
#: anybody can write that all is well.
_FAILED = re.compile(r"\bdmarc\s*=\s*fail\b", re.I)


class Doubt(Exception):
    """A message that is not taken at its word.

    :param str code: of ``REASONS`` in ``calendar_invitation_review``
    :param event: the meeting, if it is known
    :param user: whose business it is
    """

    def __init__(self, code, event=None, user=None, detail=""):
        super().__init__(code)
        self.code = code
        self.event = event
        self.user = user
        self.detail = detail


class Mail:
    """What a mail says of itself, and the message that it carries.

    :param set recipients: addresses it was sent to
    :param bool is_trusted: somebody has decided that it is to be believed
    """

    def __init__(self, sender, recipients, failed=False, is_trusted=False):
        self.sender = sender
        self.recipients = recipients
        self.failed = failed
        self.is_trusted = is_trusted

    def check_sender(self, email, event=None, user=None):
        """:raises Doubt: when the sender is not the one of that address"""
        if self.is_trusted:
            return
        if not self.sender or self.sender != email:
            raise Doubt("sender", event, user, email or "")
        if self.failed:
            raise Doubt("authentication", event, user)


class CalendarInvitationGateway(models.AbstractModel):
    _name = "calendar.invitation.gateway"
    _description = "Messages About Meetings by Mail"

    @api.model
    def _take_in(self, message, message_dict):
        """Take in a mail if it is a message about a meeting.

        :param EmailMessage message: the mail
        :param dict message_dict: as ``message_parse`` gives it
        :return: whether it was one, and is done with
        """
        part, is_declared = _calendar_part(message)
        if part is None:
            return False
        mail = Mail(
            email_normalize(message_dict.get("email_from") or "", strict=False),
            {one.lower() for one in email_normalize_all(message_dict.get("recipients") or "")},
            any(_FAILED.search(str(one)) for one in message.get_all("Authentication-Results", ())),
        )
        data = _octets(part)
        try:
            if data is None:
                raise LimitExceeded("file_bytes", itip.MAIL.file_bytes)
            found = itip.read(data)
        except NoMethod:
            return False
        except IcalError as error:
            if not is_declared:
                # A file that somebody has attached, and no message.
                return False
            code = "limit" if isinstance(error, LimitExceeded) else "unreadable"
            doubt = Doubt(code, user=self._user_of(mail.recipients), detail=str(error)[:200])
            self._put_aside(doubt, mail, message_dict, None, data)
            return True
        return self._take(found, mail, message_dict, data)

    def _take(self, found, mail, message_dict, data):
        if found.method in itip.FROM_ATTENDEE:
            works = [(None, lambda: self._from_attendee(found, mail))]
        else:
            works = self._from_organizer(found, mail)
        for user, work in works:
            # What is doubtful for one is taken in for the others.
            doubt = self._doubt_of(work, user)
            if doubt:
                self._put_aside(doubt, mail, message_dict, found, data)
        return bool(works)

    def _doubt_of(self, work, user):
        """Do a part of the work, or nothing of it; the Doubt that was in the way, or None.

        :param work: a function
        :param user: whose business it is, or None
        """
        try:
            with self.env.cr.savepoint():
                work()
        except Doubt as doubt:
            return doubt
        except psycopg2.extensions.TransactionRollbackError:
            # The transaction is lost; whoever fetches mail comes again.
            raise
        except UserError as error:
            return Doubt("refused", user=user, detail=str(error)[:200])
        except Exception as error:
            _logger.exception("A message about a meeting cannot be taken in")
            return Doubt("refused", user=user, detail=f"{type(error).__name__}: {error}"[:200])
        return None

    def _put_aside(self, doubt, mail, message_dict, found, data):
        """Let somebody decide; the same message twice is one line for each user."""
        data = data or b""
        event = doubt.event
        user = doubt.user or (event.user_id if event else None)
        about = f"{doubt.code}\0{mail.sender}\0{user.id if user else ''}\0{doubt.detail}\0"
        digest = blake2b(about.encode() + data, digest_size=16).hexdigest()
        Review = self.env["calendar.invitation.review"]
        if Review.search_count([("digest", "=", digest)], limit=1):
            return
        if Review._is_full(mail.sender):
            _logger.warning(
                "Of %s too many messages about meetings wait for somebody: another one is left out",
                mail.sender,
            )
            return
        text = data.decode("utf-8", "replace").replace("\0", "")
        item = found.items[0] if found else None
        Review.create(
            {
                "received_at": fields.Datetime.now(),
                "method": found.method if found else False,
                "reason": doubt.code,
                "detail": (doubt.detail or "").replace("\0", "") or False,
                "sender": _one_line(message_dict.get("email_from")),
                "address": mail.sender or False,
                "subject": _one_line(message_dict.get("subject")),
                "summary": _one_line(item.summary if item else None)
                or self.env._("Meeting without a name"),
                "uid": _one_line(item.uid if item else None),
                "user_id": user.id if user else False,
                "event_id": event.id if event else False,
                "text": text if len(text) <= MAX_KEPT else False,
                "digest": digest,
            }
        )

    @api.model
    def _apply_review(self, review):
        """Take in a message that somebody has decided to believe."""
        mail = Mail(email_normalize(review.sender or "", strict=False), set(), is_trusted=True)
        try:
            found = itip.read(review.text.encode())
            user = review.user_id or self.env.user
            if found.method in itip.FROM_ATTENDEE:
                self._from_attendee(found, mail, user)
            else:
                self._news_for(found, mail, user)
        except (Doubt, IcalError) as error:
            reasons = dict(review._fields["reason"]._description_selection(self.env))
            text = reasons.get(error.code, str(error))
            raise UserError(
                self.env._("This message cannot be applied: %(reason)s", reason=text)
            ) from error

    def _user_of(self, addresses):
        """The internal user of one of these addresses, or None."""
        return next(iter(self.env["res.users"]._whose(sorted(addresses)).values()), None)


def _calendar_part(message):
    """(the part that is a calendar, whether it says that it is a message)

    The one that mail programs act on comes first: an alternative of the text
    (RFC 6047, 2.4). The file beside it says the same.
    """
    # A header is read anew each time that it is asked for.
    parts = [(part.get_content_type(), part) for part in message.walk() if not part.is_multipart()]
    calendars = [part for kind, part in parts if kind == "text/calendar"]
    for part in calendars:
        if part.get_param("method"):
            return part, True
    files = [
        part for kind, part in parts
        if kind in ("application/ics", "application/octet-stream")
        and (part.get_filename() or "").lower().endswith(".ics")
    ]  # fmt: skip
    found = (*calendars, *files)
    return (found[0], False) if found else (None, False)


def _octets(part):
    """The calendar as bytes; None when it is longer than what is read."""
    encoded = part.get_payload(decode=False)
    if len(encoded) > MAX_ENCODED:
        return None
    data = part.get_payload(decode=True) or b""
    charset = (part.get_content_charset() or "utf-8").lower()
    try:
        return as_utf8(data, charset)
    except BadValue:
        # Read as it is: the parser forgives.
        return data


def _one_line(text):
    return " ".join((text or "").replace("\0", "").split())[:200] or False

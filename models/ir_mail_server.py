"""Mail programs show their buttons for a calendar that is an alternative of the text
(RFC 6047, 2.4), beside the file that others offer to save."""

from odoo import models

from ..ical.itip import METHODS

#: Header of a mail in the queue whose file is a message of that METHOD. It tells how the
#: mail is built, and does not leave with it.
METHOD = "X-CRM-Automation-Method"


class IrMailServer(models.Model):
    _inherit = "ir.mail_server"

    def _build_email__(self, *args, headers=None, attachments=None, **kwargs):  # noqa: PLW3201
        headers = dict(headers or {})
        method = headers.pop(METHOD, None)
        if method not in METHODS:
            return super()._build_email__(*args, headers=headers, attachments=attachments, **kwargs)
        files = list(attachments or ())
        text = next((content for name, content, _mime in files if name.endswith(".ics")), None)
        # The file is put beside the alternatives, so they have to be complete before.
        message = super()._build_email__(*args, headers=headers, attachments=None, **kwargs)
        if text is not None:
            message.add_alternative(
                text.decode(),
                subtype="calendar",
                charset="utf-8",
                # Its line ends and lengths are part of it.
                cte="base64",
                params={"method": method},
            )
        for name, content, mime in files:
            maintype, _slash, subtype = (mime or "application/octet-stream").partition("/")
            message.add_attachment(content, maintype, subtype, filename=name)
        return message

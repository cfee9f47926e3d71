"""An e-mail address out of a text from outside. Plain Python."""

from odoo.tools import email_normalize

#: Characters of an address that mail servers take (RFC 5321, 4.5.3.1.3).
MAX_ADDRESS = 254


def short_address(text):
    """The address in lower case; False for what is none, or longer than any.

    Odoo's own way takes the square of the length of some texts, and fails at brackets that
    are many levels deep.
    """
    return len(text) <= MAX_ADDRESS and email_normalize(text)

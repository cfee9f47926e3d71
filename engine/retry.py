"""When a failed step is tried again, and when it is given up."""

import re
from datetime import timedelta

#: Waiting times after the first, second, … failure.
DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
#: How Odoo writes down that a mail server took the mail from nobody, or for nobody.
REFUSAL = re.compile(r"\bSMTP(?:RecipientsRefused|DataError): (.*)", re.DOTALL)
CODE = re.compile(r"\((\d{3}), ")


def is_refused_for_good(reason):
    """Whether a mail server has said of a mail that it will never take it.

    By RFC 5321, 4.2.1: a code of 500 or more is final, one of 400 may pass. What it
    says of the sender or the connection is about its own state or Odoo's settings.

    :param reason: text of the failure, as Odoo writes it, or None

    >>> is_refused_for_good("SMTPRecipientsRefused: {'a@b.es': (550, b'Unknown')}")
    True
    >>> is_refused_for_good("SMTPRecipientsRefused: {'a@b.es': (451, b'Greylisted (550, )')}")
    False
    >>> is_refused_for_good("SMTPDataError: (552, b'Too big')")
    True
    """
    refusal = REFUSAL.search(reason or "")
    codes = CODE.findall(refusal[1]) if refusal else []
    return bool(codes) and all(code >= "500" for code in codes)


def next_try(tries, now):
    """The moment of the next try, or None when there is none.

    :param int tries: how often it has failed, 1 or more
    :param datetime now: the moment of the last failure

    >>> from datetime import datetime
    >>> next_try(1, datetime(2026, 1, 1, 9, 0))
    datetime.datetime(2026, 1, 1, 9, 1)
    >>> next_try(6, datetime(2026, 1, 1, 9, 0)) is None
    True
    """
    if tries > len(DELAYS):
        return None
    return now + DELAYS[tries - 1]

"""A pasted list of addresses, taken apart.

Owns the reading alone: which of the addresses exist, or are contacts, is not known here.
"""

import re
from typing import NamedTuple

#: Characters of a list, and of one address (RFC 5321, 4.5.3.1.3), that are looked at.
MAX_TEXT, MAX_ADDRESS, MAX_NAME = 1_000_000, 254, 200
# RFC 5322's dot-atom before the @, letters of any alphabet included (RFC 6531).
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")
# Quoted stretches and what stands in angle brackets hold separators as plain text. A bracket
# in a bracket ends the search for its end: thousands that are never closed take no square.
_PART = re.compile(r'(?:"[^"\n]*"|<[^<>\n]*>|[^,;\n])+')
_NAMED = re.compile(r"(.*?)<([^<>]*)>\s*", re.S)


class Recipient(NamedTuple):
    """One of the list; the name may be empty."""

    name: str
    address: str


class Fault(NamedTuple):
    """What is no address: the text, and why as a code (see ``fault_of``)."""

    text: str
    code: str


def read(text):
    """Take a list apart: lines, commas and semicolons separate.

    :param str text: addresses, each alone or as ``Name <address>``
    :return: (list of Recipient, each address once; list of Fault)

    >>> read('Ana <ANA@Example.com>; "Ruiz, Luis" <luis@example.com>\\nana@example.com, eva@')
    ([Recipient(name='Ana', address='ana@example.com'), Recipient(name='Ruiz, Luis', \
address='luis@example.com')], [Fault(text='eva@', code='domain')])
    """
    if len(text) > MAX_TEXT:
        return [], [Fault(text[:40], "long")]
    found, faults = {}, []
    for part in _PART.findall(text):
        part = " ".join(part.split())
        if not part:
            continue
        named = _NAMED.fullmatch(part)
        name, address = named.groups() if named else ("", part)
        address = address.strip().removeprefix("mailto:").lower()
        code = fault_of(address)
        if code:
            faults.append(Fault(part[:100], code))
            continue
        name = " ".join(name.replace('"', " ").split())[:MAX_NAME]
        if not found.get(address):
            found[address] = name
    return [Recipient(name, address) for address, name in found.items()], faults


def fault_of(address):
    """Why it is no address: ``at``, ``local``, ``domain`` or ``long``; None when it is one.

    >>> [fault_of(one) for one in ("a@b.example", "a", "a@@b.example", "a b@c.example", "a@b")]
    [None, 'at', 'at', 'local', 'domain']
    """
    if address.count("@") != 1:
        return "at"
    if len(address) > MAX_ADDRESS:
        return "long"
    local, domain = address.split("@")
    if not _LOCAL.fullmatch(local) or len(local) > 64:
        return "local"
    labels = domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return "domain"
    return None

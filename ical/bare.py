"""A calendar as one looks at it, without what makes it anybody's own.

Works on the text, before anything is understood: what is left can still be split and
compared component by component.
"""

import codecs
import re
from collections import Counter

#: Who takes part (RFC 5545, 3.8.4.1 and 3.8.4.3): the reader does not.
PEOPLE = frozenset({b"ATTENDEE", b"ORGANIZER"})
#: The reminders of vCalendar 1.0 are properties.
ALARMS = frozenset({b"AALARM", b"DALARM", b"MALARM", b"PALARM"})
#: For whom it is meant, and whether the time is taken (3.8.1.3, 3.8.2.7).
ACCESS, TRANSPARENCY = b"CLASS", b"TRANSP"
_NAME = re.compile(rb"[ \t]*([A-Za-z-]+)[ \t]*[:;]")
_BEGIN_EVENT = re.compile(rb"[ \t]*BEGIN[ \t]*:[ \t]*VEVENT\b", re.I)
_EDGE = re.compile(rb"[ \t]*(BEGIN|END)[ \t]*:[ \t]*([A-Za-z-]+)", re.I)


def bare(data, access="", transparency=""):
    """The calendar without people and reminders.

    :param bytes data: the calendar
    :param str access: instead of what each event says of itself: PUBLIC, PRIVATE …
    :param str transparency: instead of what each event says: OPAQUE, TRANSPARENT
    :return: bytes

    >>> text = (b"BEGIN:VEVENT\\nUID:1\\nCLASS:PUBLIC\\n"
    ...         b"ATTENDEE;CN=A:mailto:a@\\n b.es\\nEND:VEVENT\\n")
    >>> print(bare(text, access="PRIVATE").decode(), end="")
    BEGIN:VEVENT
    CLASS:PRIVATE
    UID:1
    END:VEVENT
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode()
    said = {ACCESS: access.encode(), TRANSPARENCY: transparency.encode()}
    said = {name: value for name, value in said.items() if value}
    return b"".join(_kept(data.splitlines(keepends=True), said))


def _kept(lines, said):
    """The lines that stay, and those that are said instead of others.

    :param said: dict from the name of a property to its value
    """
    dropped = PEOPLE | ALARMS | said.keys()
    inside, around, dropping = [], Counter(), False
    for line in lines:
        # The line before goes on where one begins with a blank (3.1).
        if line[:1] not in b" \t" or not line.strip():
            edge = _EDGE.match(line)
            if edge:
                dropping = _cross(inside, around, edge[1].upper(), edge[2].upper())
            else:
                name = _NAME.match(line)
                dropping = around[b"VALARM"] > 0 or bool(
                    name and inside[-1:] == [b"VEVENT"] and name[1].upper() in dropped
                )
        if not dropping:
            yield line
            if said and _BEGIN_EVENT.match(line):
                yield from (name + b":" + value + b"\n" for name, value in said.items())


def _cross(inside, around, word, name):
    """Go into a component, or out of it. :return: whether that line is dropped

    :param list inside: names of the components around
    :param Counter around: how often each of them is there: some files only go deeper
    """
    was_alarm = around[b"VALARM"] > 0
    if word == b"BEGIN":
        inside.append(name)
        around[name] += 1
    elif around[name]:
        left = None
        while left != name:
            left = inside.pop()
            around[left] -= 1
    return was_alarm or around[b"VALARM"] > 0

"""Several calendars as one, without understanding their items.

What is stored as one text for each object is served as one file: the items as they
stand, and one VTIMEZONE for each zone that covers them all.
"""

import re

from .lines import Split, unfold
from .params import split_line
from .text import PRODID, fold, zone_lines
from .zones import by_name


def compose(texts, first, last=None, lines=()):
    """One calendar of many.

    :param texts: iterable of calendars, str, each with VTIMEZONE for what it needs
    :param date first, last: when the items are; without ``last`` there is no end
    :param lines: further content lines of the calendar itself
    :return: octets
    """
    known, custom, bodies = {}, {}, []
    for text in texts:
        chunks = [chunk for calendar in Split(text.encode()).calendars for chunk in calendar.chunks]
        renamed = {}
        for chunk in chunks:
            if chunk.name == "VTIMEZONE":
                tzid = _tzid(chunk)
                if by_name(tzid):
                    known[tzid] = True
                else:
                    _keep(custom, tzid, chunk.raw, renamed)
        for chunk in chunks:
            if chunk.name != "VTIMEZONE":
                bodies.append(_with_names(chunk.raw, renamed) if renamed else chunk.raw)
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}", *lines]
    for tzid in known:
        head += zone_lines(tzid, first, last)
    zones = [
        raw if name == tzid else _with_zone_name(raw, name)
        for name, (tzid, raw) in custom.items()
    ]  # fmt: skip
    return b"\r\n".join([fold(head)[:-2].encode(), *zones, *bodies, b"END:VCALENDAR", b""])


def _tzid(chunk):
    found = re.search(rb"^TZID[^:\n]*:([^\n]*)", chunk.own(), re.M | re.I)
    return found[1].decode().strip() if found else ""


def _keep(custom, tzid, raw, renamed):
    """A zone of the file's own: another one of that name gets another name."""
    name, count = tzid, 1
    while name in custom and custom[name] != (tzid, raw):
        count += 1
        name = f"{tzid} {count}"
    custom[name] = (tzid, raw)
    if name != tzid:
        renamed[tzid] = name


def _with_names(raw, renamed):
    return fold([_with_name(line, renamed) for line in _lines(raw)])[:-2].encode()


def _with_name(line, renamed):
    """A content line with its zone under the new name."""
    if "TZID" not in line.upper():
        return line
    name, params, value = split_line(line)
    new = renamed.get(params.get("TZID"))
    return f"{name}{params.put(TZID=new)}:{value}" if new else line


def _lines(raw):
    return unfold(raw).decode().rstrip("\n").split("\n")


def _with_zone_name(raw, name):
    lines = [f"TZID:{name}" if line[:4].upper() == "TZID" else line for line in _lines(raw)]
    return fold(lines)[:-2].encode()

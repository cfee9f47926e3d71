"""What is one user's own, laid over the text that all share.

Reminders are not part of a meeting but of whoever wants to be reminded, and so is
what his program notes about it (X-MOZ-LASTACK, X-APPLE-...). Works on lines: the
shared text is not parsed.
"""

from .errors import BrokenComponent
from .items import Component
from .lines import Split, unfold
from .params import split_line
from .parse import parse
from .text import dump, fold

#: In an own part without reminders: the shared ones were seen until then.
SEEN = "X-CRM-AUTOMATION-ACKNOWLEDGED"
#: How Thunderbird says the same.
LAST_SEEN = "X-MOZ-LASTACK"


def overlay(text, own):
    """The text as its owner sees it.

    In each component his reminders take the place of the shared ones, and his X-
    properties that of those with the same names. His component without RECURRENCE-ID
    counts for all that have none of their own.

    :param str text: a calendar, as it is stored
    :param str own: a calendar with his components, which hold nothing else but
        RECURRENCE-ID, X- properties and VALARM
    :return: str
    """
    mine = {chunk.identity()[1]: chunk for chunk in Split(own.encode()).chunks()}
    data = text.encode()
    pieces, at = [], 0
    for chunk in Split(data).chunks():
        found = mine.get(chunk.identity()[1], mine.get(None))
        if found is not None:
            pieces += [data[at : chunk.start], _laid(chunk, found).encode()]
            at = chunk.end
    return b"".join([*pieces, data[at:]]).decode()


def acknowledged(own, moment):
    """The own part of somebody who has seen his reminders up to a moment (RFC 9074, 6).

    Where he has reminders of his own, those say it; else the shared ones do when the text
    is laid out for him.

    :param str own: what he has so far, or None
    :param datetime moment: in UTC
    :return: str
    """
    stamp = f"{moment:%Y%m%dT%H%M%SZ}"
    if not own:
        return seen_shared(stamp)
    lines = ["BEGIN:VCALENDAR"]
    for chunk in Split(own.encode()).chunks():
        component = read_chunk(chunk)
        alarms = [piece for piece in component.children() if piece.name == "VALARM"]
        for alarm in alarms:
            _acknowledge(alarm, stamp)
        if not alarms and any(_name(line) == SEEN for line in component.lines()):
            kept = [piece for piece in component.content if _named(piece) != SEEN]
            component.content = [f"{SEEN}:{stamp}", *kept]
        dump(component, lines)
    return fold([*lines, "END:VCALENDAR"])


def seen_shared(stamp):
    """The own part of somebody who has the shared reminders and has seen them.

    :param str stamp: until when, as ACKNOWLEDGED says it
    """
    return fold(
        ["BEGIN:VCALENDAR", "BEGIN:VEVENT", f"{SEEN}:{stamp}", "END:VEVENT", "END:VCALENDAR"]
    )


def seen_until(own):
    """The stamp up to which reminders were seen, or None.

    :param str own: as :func:`own_part` gives it
    """
    stamps = []
    for chunk in Split(own.encode()).chunks():
        component = read_chunk(chunk)
        lines = component.lines()
        for alarm in component.children():
            lines += alarm.lines()
        stamps += [
            line.rpartition(":")[2] for line in lines if _name(line) in ("ACKNOWLEDGED", SEEN)
        ]
    return max(stamps, default=None)


def own_alarms(own):
    """The reminders that are its owner's own.

    :param str own: as :func:`own_part` gives it
    :return: list of (RECURRENCE-ID or None, tuple of Alarm), of the components in which he
        has a say; one in which he has merely seen the shared ones is none
    """
    found = []
    for chunk in Split(own.encode()).chunks():
        component = read_chunk(chunk)
        alarms = [piece for piece in component.children() if piece.name == "VALARM"]
        if not alarms and any(_name(line) == SEEN for line in component.lines()):
            continue
        lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:own", "DTSTART:20000101T000000Z"]
        lines += [line for line in component.lines() if _name(line) == "RECURRENCE-ID"]
        for alarm in alarms:
            dump(alarm, lines)
        for item in parse(fold([*lines, "END:VEVENT", "END:VCALENDAR"]).encode()).items:
            found.append((item.recurrence_id, item.alarms))
    return found


def own_part(text):
    """What of a calendar can be its reader's own, as :func:`overlay` takes it.

    :param str text: a calendar of one object, as his program has sent it
    :return: str
    """
    lines = ["BEGIN:VCALENDAR"]
    for chunk in Split(text.encode()).chunks():
        component = read_chunk(chunk)
        lines.append(f"BEGIN:{component.name}")
        for piece in component.content:
            if not isinstance(piece, str):
                if piece.name == "VALARM":
                    dump(piece, lines)
            elif _name(piece).startswith("X-") or _name(piece) == "RECURRENCE-ID":
                lines.append(piece)
        lines.append(f"END:{component.name}")
    return fold([*lines, "END:VCALENDAR"])


def _laid(chunk, own):
    shared, own = read_chunk(chunk), read_chunk(own)
    mine = [piece for piece in own.content if isinstance(piece, str) and _name(piece)[:2] == "X-"]
    names = {_name(piece) for piece in mine}
    seen = next((one.partition(":")[2] for one in mine if _name(one) == SEEN), None)
    if seen:
        mine = [one for one in mine if _name(one) not in (SEEN, LAST_SEEN)]
        mine.append(f"{LAST_SEEN}:{seen}")
        names.add(LAST_SEEN)
    lines, nested = [f"BEGIN:{shared.name}"], []
    for piece in shared.content:
        if isinstance(piece, str):
            if _name(piece) not in names:
                lines.append(piece)
        elif piece.name != "VALARM":
            nested.append(piece)
        elif seen:
            _acknowledge(piece, seen)
            nested.append(piece)
    lines += mine
    for piece in nested + [one for one in own.content if not isinstance(one, str)]:
        dump(piece, lines)
    lines.append(f"END:{shared.name}")
    # What is laid over ends without a line end, as the component did.
    return fold(lines)[:-2]


def _acknowledge(alarm, stamp):
    lines = [piece for piece in alarm.content if _named(piece) != "ACKNOWLEDGED"]
    alarm.content = [*lines, f"ACKNOWLEDGED:{stamp}"]


def _named(piece):
    return _name(piece) if isinstance(piece, str) else None


def _name(line):
    return split_line(line)[0].upper()


def read_chunk(chunk):
    """The component as lines and subcomponents."""
    top = Component("")
    stack = [top]
    for line in unfold(chunk.raw).decode().split("\n"):
        line = line.rstrip("\r")
        if line[:6].upper() == "BEGIN:":
            stack.append(Component(line[6:].strip().upper()))
        elif line[:4].upper() == "END:":
            done = stack.pop()
            if not stack:
                raise BrokenComponent("something ends in it that has not begun", chunk.line)
            stack[-1].content.append(done)
        elif line:
            stack[-1].content.append(line)
    if not top.content:
        raise BrokenComponent("it does not end", chunk.line)
    return top.content[0]

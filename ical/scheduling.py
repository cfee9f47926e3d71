"""What a calendar server says of the people of a meeting (RFC 6638, 7), and which version
of it an invited person has answered (3.2.10).

Works on lines: the text is not parsed, and what is not concerned stays as it stands.
"""

import re
from hashlib import blake2b

from .errors import BrokenComponent
from .items import Attendee, Organizer
from .lines import unfold
from .params import split_line
from .text import fold

#: Parameters that are between a program and its server (RFC 6638, 7.1 to 7.3): no message
#: has them.
AGENT, STATUS, FORCE = "SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"
OWN = (AGENT, STATUS, FORCE)
# Reminders by mail have attendees of their own. One that is not ended, ends with what it is
# in: a match from each BEGIN, whatever follows, or many of them take quadratic time.
_PEOPLE = re.compile(
    r"^BEGIN[ \t]*:[ \t]*VALARM\b(?s:.*?)"
    r"(?:^END[ \t]*:[ \t]*(?:VALARM|VEVENT|VTODO|VCALENDAR)\b|\Z)"
    r"|^(?:ATTENDEE|ORGANIZER)[;:][^\r\n]*(?:\r?\n[ \t][^\r\n]*)*",
    re.M | re.I,
)
#: What an answer changes (3.2.10), and what is written anew with it.
_ANSWER = ("PARTSTAT", "RSVP", STATUS, "X-RESPONSE-COMMENT")
_STAMPS = frozenset({"DTSTAMP", "LAST-MODIFIED"})
_KINDS = {"ATTENDEE": Attendee, "ORGANIZER": Organizer}


def agent(person):
    """Who tells this person of changes: SERVER, CLIENT or NONE (7.1).

    What nobody knows counts as NONE.

    :param CalAddress person: or None
    """
    word = (person.params.get(AGENT) or "SERVER").upper() if person is not None else "SERVER"
    return word if word in ("SERVER", "CLIENT") else "NONE"


def bare(person):
    """A person as a message names him.

    :param CalAddress person: or None
    """
    if person is None or all(person.params.raw(name) is None for name in OWN):
        return person
    return person.put(**dict.fromkeys(OWN))


def with_statuses(text, statuses):
    """The text with what has become of the message to each person (7.3).

    :param dict statuses: from address to the code
    """

    def change(person):
        status = statuses.get(person.email)
        return person if status is None else person.put(**{STATUS: status})

    return _changed(text, change)


def without(text, names, kinds=("ATTENDEE", "ORGANIZER")):
    """The text without these parameters of the people."""
    taken = dict.fromkeys(names)
    return _changed(text, lambda person: person.put(**taken), kinds)


def _changed(text, change, kinds=("ATTENDEE", "ORGANIZER")):
    def rewritten(match):
        found = _read(match[0])
        if found is None or found[0] not in kinds:
            return match[0]
        kind, person = found
        new = change(person)
        if new.params == person.params:
            return match[0]
        return fold([f"{kind}{new.params}:{new.uri}"])[:-2]

    return _PEOPLE.sub(rewritten, text)


def _read(lines):
    """(name, person) of a property as it stands, or None."""
    line = re.sub(r"\r?\n[ \t]", "", lines)
    try:
        name, params, value = split_line(line)
    except BrokenComponent:
        return None
    return (name, _KINDS[name](value, params)) if name in _KINDS else None


def is_of_several(text):
    """Whether a text may be of a meeting that somebody organizes; a quick look."""
    return "ORGANIZER" in text or "organizer" in text


def organizer_of(text):
    """The organizer's address as it stands in a text, or None."""
    for match in _PEOPLE.finditer(text):
        found = _read(match[0])
        if found and found[0] == "ORGANIZER":
            return found[1].email
    return None


def tag_of(text, addresses):
    """The Schedule-Tag of a user's object (3.2.10), or None of what is no meeting of several.

    It is another one when the meeting is, or what its user has done with it; what others
    answer leaves it as it is.

    :param set addresses: of the user
    """
    digest = blake2b(digest_size=12)
    lines, inside, kinds = [], 0, set()
    plain = unfold(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    for line in plain.replace("\r", "").split("\n"):
        word = line[:12].upper()
        # Zones and the lines of the calendar itself are no part of the meeting.
        if word in ("BEGIN:VEVENT", "BEGIN:VTODO"):
            inside += 1
        if inside:
            lines.append(_meaning(line, addresses, kinds))
        if word in ("END:VEVENT", "END:VTODO"):
            inside -= 1
    if kinds != {"ATTENDEE", "ORGANIZER"}:
        return None
    digest.update("\n".join(sorted(filter(None, lines))).encode("utf-8", "replace"))
    return digest.hexdigest()


def _meaning(line, addresses, kinds):
    """A line as far as it counts."""
    name = re.split("[;:]", line, maxsplit=1)[0].upper()
    if name in _STAMPS:
        return ""
    found = _read(line) if name in _KINDS else None
    if found is None:
        return line
    kind, person = found
    kinds.add(kind)
    if person.email in addresses:
        person = person.put(**{STATUS: None})
    else:
        person = person.put(**dict.fromkeys(_ANSWER))
    params = sorted(f"{key}={raw}" for key, raw in person.params)
    return ";".join([kind, *params]) + ":" + person.uri

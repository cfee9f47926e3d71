"""Splits a file into components, without understanding any of them.

Whatever needs no meaning (which objects are in the file, are they the ones we
have, where is the line that is wrong) is answered here, by searches over the
bytes: about a fiftieth of the time of a parse. The file is held once, as the
bytes that were given; a :class:`Chunk` is a pair of offsets until its text is
asked for.
"""

import re
from hashlib import blake2b
from itertools import chain

from .errors import BrokenComponent, LimitExceeded, NotACalendar, Repair
from .limits import DEFAULT, Budget

#: Steps along the rules of all time zones of a file: at least, for each octet, and at most. A
#: real zone takes some hundred.
ZONE_STEPS, OCTET_STEPS, MOST_STEPS = 20_000, 4, 2_000_000
#: Components that hold items and stand directly in a VCALENDAR.
ITEMS = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"})
#: None of these can stand inside another: seen there, the outer one has no END.
TOP = ITEMS | {"VTIMEZONE", "VCALENDAR", "VAVAILABILITY", "VPOLL"}

# Not "^" with re.M: the literal line end lets the engine leap from line to line.
# A continuation line begins with a space, so it cannot match (RFC 5545, 3.1).
_BORDER = re.compile(rb"\n(BEGIN|END)[ \t]*:[ \t]*([^\r\n]*)", re.I)
_FIRST_BORDER = re.compile(rb"(BEGIN|END)[ \t]*:[ \t]*([^\r\n]*)", re.I)
_EMPTY = re.compile(rb"\n{2,}")
_STAMP = re.compile(rb"\nDTSTAMP[^\n]*")
_UID = re.compile(rb"^UID(?:;[^:\n]*)?:([^\n]*)", re.M | re.I)
#: The parameter that says it, in the head of a line: vCalendar 1.0 leaves out its name.
_QUOTED = re.compile(rb';[ \t]*(?:ENCODING[ \t]*=[ \t]*)?"?QUOTED-PRINTABLE', re.I)
_BOM = b"\xef\xbb\xbf"


class Chunk:
    """One component of a file: where it stands, and its text on request.

    ``name`` in capitals, ``line`` of its BEGIN from 1, ``error`` when it cannot
    be read (no END, too large), ``nested`` the span of its subcomponents.
    """

    __slots__ = ("data", "name", "start", "end", "line", "nested", "error")

    def __init__(self, data, name, start, line):
        self.data = data
        self.name = name
        self.start = start
        self.end = start
        self.line = line
        self.nested = None
        self.error = None

    @property
    def raw(self):
        """The octets as they stand in the file."""
        return self.data[self.start : self.end]

    def unfolded(self):
        """The octets, one line per property, line ends LF.

        Before decoding: old programs fold in the middle of a character.
        """
        return unfold(self.raw)

    def own(self):
        """The unfolded octets without those of subcomponents (an alarm has a UID, too)."""
        if self.nested is None:
            return self.unfolded()
        first, last = self.nested
        return unfold(self.data[self.start : first] + b"\n" + self.data[last : self.end])

    def _value(self, name):
        """What follows the name of the component's own property, unfolded, or None."""
        start, end = self.start, self.end
        first, last = self.nested or (end, end)
        wanted = b"\n" + name
        at = self.data.find(wanted, start, first)
        if at < 0:
            at = self.data.find(wanted, last, end) if last < end else -1
            if at < 0:
                return None
        at += len(wanted)
        stop = self.data.find(b"\n", at, end)
        while stop >= 0 and self.data[stop + 1 : stop + 2] in (b" ", b"\t"):
            stop = self.data.find(b"\n", stop + 1, end)
        return unfold(self.data[at : stop if stop >= 0 else end]).strip()

    def identity(self):
        """(UID, RECURRENCE-ID, SEQUENCE), read off the text.

        RECURRENCE-ID is the raw text after the name, parameters included, or
        None; SEQUENCE is 0 where there is none (RFC 5545, 3.8.7.4).
        """
        uid = self._value(b"UID:")
        if uid is None:
            # Parameters, another case, a fold after the name.
            match = _UID.search(self.own())
            uid = match[1].strip() if match else None
        recurrence_id = self._value(b"RECURRENCE-ID")
        sequence = self._value(b"SEQUENCE:") or b""
        sequence = int(sequence[:9]) if sequence.isdigit() else 0
        return _text(uid), _text(recurrence_id), sequence

    def digest(self, context=b""):
        """What tells this component from a changed one: 16 octets.

        Without DTSTAMP, which many servers set to the moment of the download,
        and without regard to folding and line ends.

        :param bytes context: what else its meaning depends on, such as the
            digest of the file's own time zones
        """
        text = _STAMP.sub(b"", self.unfolded())
        return blake2b(text.rstrip(), digest_size=16, key=context[:64]).digest()

    def line_numbers(self):
        """The line of the file on which each unfolded line begins."""
        raw = self.raw
        numbers = []
        quoted = b"QUOTED-PRINTABLE" in raw.upper()
        soft = False
        for number, text in enumerate(raw.split(b"\n"), self.line):
            if not text.strip(b"\r"):
                continue
            if not (soft or text[:1] in (b" ", b"\t")):
                numbers.append(number)
            if quoted:
                soft = text.rstrip().endswith(b"=") and _is_quoted(text, soft)
        return numbers


def _is_quoted(text, soft):
    return soft or _QUOTED.search(text.partition(b":")[0]) is not None


def unfold(raw):
    """Join what was folded; line ends become LF (RFC 5545, 3.1).

    A soft line break of quoted-printable text (vCalendar 1.0) is joined, too.

    >>> unfold(b"A:1\\r\\n 2\\r\\nB:3\\r\\n")
    b'A:12\\nB:3\\n'
    """
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n")
    if b"\n\n" in raw:
        # An empty line means nothing, not even the end of a folded one.
        raw = _EMPTY.sub(b"\n", raw)
    if b"\n " in raw:
        raw = raw.replace(b"\n ", b"")
    if b"\n\t" in raw:
        raw = raw.replace(b"\n\t", b"")
    if b"=\n" in raw and b"QUOTED-PRINTABLE" in raw.upper():
        raw = _join_quoted(raw)
    return raw


def _join_quoted(raw):
    # The pieces of a line are joined once: it may have hundreds of thousands.
    lines, pieces, head = [], [], b""
    open_line = False
    for line in raw.split(b"\n"):
        if open_line:
            pieces[-1] = pieces[-1][:-1]
            head = (head + pieces[-1])[:200]
        elif pieces:
            lines.append(b"".join(pieces))
            pieces, head = [], b""
        pieces.append(line)
        start = (head + line[:200])[:200].partition(b":")[0]
        open_line = line.endswith(b"=") and _QUOTED.search(start) is not None
    return b"\n".join([*lines, b"".join(pieces)])


def _text(octets):
    return None if octets is None else decode(octets)[0]


def decode(octets):
    """(text, repair code or None): UTF-8, else what Windows and old Macs wrote.

    >>> decode("ñ".encode("latin-1"))
    ('ñ', 'bad_utf8')
    """
    for encoding, code in (("utf-8", None), ("cp1252", "bad_utf8")):
        try:
            return octets.decode(encoding), code
        except UnicodeDecodeError:
            continue
    return octets.decode("latin-1"), "bad_utf8"


class CalendarChunk:
    """One VCALENDAR of a file: its own lines, its components in order."""

    __slots__ = ("line", "pieces", "chunks", "bare", "zone_steps")

    def __init__(self, line, zone_steps, bare=False):
        self.line = line
        #: Budget of its time zones, and of those of the other calendars of the file
        self.zone_steps = zone_steps
        #: pairs (first line, octets) of the calendar's own properties
        self.pieces = []
        self.chunks = []
        #: whether there was no BEGIN:VCALENDAR
        self.bare = bare

    def own(self):
        """The calendar's own properties, unfolded."""
        return unfold(b"\n".join(octets for line, octets in self.pieces))

    def context(self):
        """Digest of what the meaning of all its components depends on.

        Its time zones (in any order), and the zone of its floating times.
        """
        zones = sorted(c.digest() for c in self.chunks if c.name == "VTIMEZONE")
        default = re.findall(rb"^X-WR-TIMEZONE[:;][^\n]*", self.own(), re.M | re.I)
        return blake2b(b"".join(zones + default), digest_size=16).digest()


class Split:
    """A file in components. ``calendars``, and the ``repairs`` of the file as a whole.

    :param bytes data: the file
    :raises LimitExceeded: larger, deeper or more components than allowed
    :raises NotACalendar: nothing in it begins
    """

    def __init__(self, data, limits=DEFAULT):
        if len(data) > limits.file_bytes:
            raise LimitExceeded("file_bytes", limits.file_bytes)
        self.limits = limits
        self.zone_steps = Budget(min(ZONE_STEPS + OCTET_STEPS * len(data), MOST_STEPS))
        self.repairs = []
        self.calendars = []
        self.data = self._plain(data)
        self._walk()
        if not self.calendars:
            raise NotACalendar("there is no BEGIN:VCALENDAR in it")

    def _plain(self, data):
        if data[:3] == _BOM:
            data = data[3:]
        elif data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            try:
                data = data.decode("utf-16").encode()
            except UnicodeDecodeError as error:
                raise NotACalendar("it is neither UTF-8 nor UTF-16") from error
            self.repairs.append(Repair("byte_order", 1))
        # Old Macs ended lines with CR alone.
        if b"\n" not in data and b"\r" in data:
            data = data.replace(b"\r", b"\n")
        return data

    def chunks(self):
        """All components that are items, of all calendars."""
        for calendar in self.calendars:
            for chunk in calendar.chunks:
                if chunk.name in ITEMS:
                    yield chunk

    def _walk(self):
        line, at = 1, 0
        walk = _Walk(self)
        first = _FIRST_BORDER.match(self.data)
        for match in chain([first] if first else [], _BORDER.finditer(self.data)):
            line += self.data.count(b"\n", at, match.start(1))
            at = match.start(1)
            walk.border(match, line)
        walk.finish(line + self.data.count(b"\n", at))


class _Walk:
    """One walk along the BEGINs and ENDs of a file.

    ``position`` is the end of the last border: what lies between it and the
    next one, outside of components, are the calendar's own lines.
    """

    def __init__(self, split):
        self.split = split
        self.data = split.data
        self.limits = split.limits
        self.calendar = None
        self.chunk = None
        self.stack = []
        self.count = 0
        self.position = 0

    def border(self, match, line):
        """A BEGIN or an END."""
        name = match[2].strip().upper().decode("ascii", "replace")
        if match[1][:1] in b"Bb":
            self.begin(name, match, line)
        else:
            self.end(name, match, line)

    def begin(self, name, match, line):
        """BEGIN:name"""
        self.count += 1
        if self.count > self.limits.components:
            raise LimitExceeded("components", self.limits.components, line)
        start = match.start(1)
        if self.chunk is not None and name in TOP:
            self._unclosed(start)
        if name == "VCALENDAR":
            self._piece(start, line)
            self._open(CalendarChunk(line, self.split.zone_steps), match)
        elif self.chunk is None:
            if self.calendar is None:
                self._open(CalendarChunk(line, self.split.zone_steps, bare=True), match)
                self.split.repairs.append(Repair("no_calendar", line))
            else:
                self._piece(start, line)
            self.chunk = Chunk(self.data, name, start, line)
            self.calendar.chunks.append(self.chunk)
            self.stack = [name]
        else:
            if len(self.stack) + 2 > self.limits.depth:
                raise LimitExceeded("depth", self.limits.depth, line)
            self.stack.append(name)
            if self.chunk.nested is None:
                self.chunk.nested = (start, start)

    def end(self, name, match, line):
        """END:name"""
        if name == "VCALENDAR":
            if self.chunk is not None:
                self._unclosed(match.start(1))
            else:
                self._piece(match.start(1), line)
            self.calendar = None
            self.position = match.end()
        elif self.chunk is not None and (name in self.stack or name in ITEMS):
            self._close(name, match, line)
        else:
            text = match[0].decode("latin-1").strip()
            self.split.repairs.append(Repair("stray_end", line, text))
            if self.chunk is None:
                self.position = match.end()

    def finish(self, line):
        """The end of the file."""
        if self.chunk is not None:
            self._unclosed(len(self.data))
        else:
            self._piece(len(self.data), line)

    def _open(self, calendar, match):
        self.calendar = calendar
        self.split.calendars.append(calendar)
        self.position = match.end()

    def _close(self, name, match, line):
        if name not in self.stack:
            # BEGIN:VTODO ... END:VEVENT: whoever wrote it meant the end.
            self.split.repairs.append(Repair("stray_end", line, f"END:{name}"))
            name = self.stack[0]
        while self.stack.pop() != name:
            pass
        chunk = self.chunk
        if self.stack:
            chunk.nested = (chunk.nested[0], match.end())
            return
        chunk.end = match.end()
        if chunk.end - chunk.start > self.limits.component_bytes:
            limit = self.limits.component_bytes
            chunk.error = LimitExceeded("component_bytes", limit, chunk.line)
        self.chunk = None
        self.position = match.end()

    def _piece(self, end, line):
        """Lines of the calendar itself, up to a border on that line."""
        if self.calendar is None:
            return
        octets = self.data[self.position : end]
        if octets.strip():
            if len(octets) > self.limits.line_bytes:
                raise LimitExceeded("line_bytes", self.limits.line_bytes, self.calendar.line)
            self.calendar.pieces.append((line - octets.count(b"\n"), octets))

    def _unclosed(self, end):
        chunk = self.chunk
        chunk.end = end
        chunk.error = BrokenComponent(f"BEGIN:{chunk.name} without its END", chunk.line)
        self.chunk, self.stack, self.position = None, [], end

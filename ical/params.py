"""One content line: name, parameters, value (RFC 5545, 3.1).

Parameters are kept as they are written, in order, quotes included, so that a
line can be written back the same; :class:`Params` reads and replaces them.
"""

import re
from functools import lru_cache

from .errors import BrokenComponent

#: RFC 5545, 3.1: ``name = iana-token / x-name``. Underscores and dots, which
#: real programs write, are let through.
NAME = re.compile(r"[A-Za-z0-9_.\-]+")

# One parameter: a name, and quoted or plain stretches. The alternatives of the
# inner group exclude each other, so that no input makes this quadratic. A bare
# name, ";QUOTED-PRINTABLE", is vCalendar 1.0.
_PARAM = re.compile(r';[ \t]*([A-Za-z0-9_.\-]*)[ \t]*(?:=((?:"[^"]*"|[^";:])*))?')

_WELL_FORMED = re.compile(r'(?:"[^"]*"|[^",;:]*)(?:,(?:"[^"]*"|[^",;:]*))*')

# RFC 6868, 3: the characters that a parameter cannot hold.
_CARET = {"^n": "\n", "^'": '"', "^^": "^"}
_CARET_READ = re.compile(r"\^[n'^]")


class Params(tuple):
    """Parameters of a property: pairs (NAME, raw value), in the order written.

    >>> p = Params([("CN", '"Ruiz, Ana"'), ("X-ID", "7")])
    >>> p.get("CN"), p.get("ROLE")
    ('Ruiz, Ana', None)
    >>> str(p.put(ROLE="CHAIR", X_ID=None))
    ';CN="Ruiz, Ana";ROLE=CHAIR'
    """

    __slots__ = ()

    def raw(self, name):
        """The value as written, or None."""
        for key, value in self:
            if key == name:
                return value
        return None

    def get(self, name, default=None):
        """The value without quotes and escapes, or the default."""
        value = self.raw(name)
        return default if value is None else unquote(value)

    def values(self, name):
        """The values of a parameter that holds several, as a tuple of str."""
        raw = self.raw(name)
        return tuple(unquote(part) for part in _split_values(raw)) if raw else ()

    def put(self, **changes):
        """A copy with parameters replaced in place, appended, or (None) taken out.

        Underscores of the names stand for hyphens. A tuple is a list of values.
        """
        if not self:
            # Most of what is written has none, and is given none or one.
            return Params(
                (key.replace("_", "-"), _write(value))
                for key, value in changes.items()
                if value is not None
            )
        changes = {key.replace("_", "-"): value for key, value in changes.items()}
        found = []
        done = set()
        for key, raw in self:
            if key in changes:
                value = changes[key]
                # One that is there twice is there once afterwards.
                if value is None or key in done:
                    continue
                done.add(key)
                if value != unquote(raw) or isinstance(value, tuple):
                    raw = _write(value)
            found.append((key, raw))
        found += [
            (key, _write(value)) for key, value in changes.items()
            if value is not None and key not in done
        ]  # fmt: skip
        return Params(found)

    def is_well_formed(self):
        """Whether each value is quoted as a whole or not at all (3.2)."""
        return all('"' not in raw or _WELL_FORMED.fullmatch(raw) for _, raw in self)

    def requoted(self):
        """A copy whose quotes are where they belong."""
        return Params((key, quote(unquote(raw))) for key, raw in self)

    def __str__(self):
        return "".join([f";{key}={raw}" for key, raw in self]) if self else ""


EMPTY = Params()


def unquote(raw):
    """A parameter's value without its quotes and RFC 6868's escapes.

    >>> unquote('"The ^^best^none^\\'"')
    'The ^best\\none"'
    """
    value = raw.replace('"', "") if '"' in raw else raw
    if "^" in value:
        value = _CARET_READ.sub(lambda found: _CARET[found[0]], value)
    return value.strip() if value[:1].isspace() or value[-1:].isspace() else value


def quote(value):
    """A parameter's value as RFC 5545, 3.2 and RFC 6868 want it written.

    >>> quote("Ruiz, Ana"), quote("ana"), quote('5" pipe')
    ('"Ruiz, Ana"', 'ana', "5^' pipe")
    """
    if value.isalnum():
        return value
    return _quote(value) if len(value) < 100 else _quote.__wrapped__(value)


@lru_cache(maxsize=2048)
def _quote(value):
    """The same few roles, zones and people stand in every file."""
    value = value.replace("^", "^^").replace('"', "^'")
    value = value.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "^n")
    value = "".join(c for c in value if c >= " " and c != "\x7f" or c == "\t")
    return f'"{value}"' if any(c in value for c in ",;:") or value != value.strip() else value


def _write(value):
    if isinstance(value, tuple):
        return ",".join(quote(part) for part in value)
    return quote(value)


def _split_values(raw):
    """Split at the commas that stand outside quotes."""
    if '"' not in raw:
        return raw.split(",")
    return re.findall(r'(?:"[^"]*"|[^",])+', raw)


#: Longer lines, such as files within a calendar, are not remembered.
SHORT = 400


def split_line(line):
    """Take a content line apart. Most are met several times on their way.

    :return: (name in capitals, :class:`Params`, value)
    :raises BrokenComponent: when it has no name or no colon

    >>> split_line("ATTENDEE;CN=\\"A: b\\":mailto:a@b.example")
    ('ATTENDEE', (('CN', '"A: b"'),), 'mailto:a@b.example')
    """
    return (_split_again if len(line) <= SHORT else _split)(line)


def _split(line):
    colon = line.find(":")
    semicolon = line.find(";", 0, colon) if colon >= 0 else line.find(";")
    if semicolon < 0:
        if colon <= 0:
            raise BrokenComponent("a line without a colon is no property")
        return line[:colon].strip().upper(), EMPTY, line[colon + 1 :]
    name = line[:semicolon].strip().upper()
    found = []
    at = semicolon
    while True:
        match = _PARAM.match(line, at)
        if match is None:
            break
        key, raw = match.groups()
        at = match.end()
        if raw is None:
            # vCalendar 1.0 leaves out the names of some parameters.
            key, raw = _bare(key.upper())
        if key:
            found.append((key.upper(), raw.strip()))
    if at >= len(line) or line[at] != ":":
        raise BrokenComponent("a line without a colon is no property")
    if not name:
        raise BrokenComponent("a line without a name is no property")
    return name, Params(found), line[at + 1 :]


_split_again = lru_cache(maxsize=4096)(_split)


def split_loosely(line):
    """Take a line apart whose quotes may be wrong.

    :return: (name, :class:`Params`, value, whether something was put right)
    :raises BrokenComponent: when it has no name or no colon
    """
    if '"' not in line:
        return *split_line(line), False
    try:
        name, params, value = split_line(line)
    except BrokenComponent:
        # A quote that is never closed.
        return *split_line(line.replace('"', "")), True
    if params.is_well_formed():
        return name, params, value, False
    return name, params.requoted(), value, True


def _bare(word):
    if word in ("QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT"):
        return "ENCODING", word
    if word in ("URL", "CONTENT-ID", "CID", "INLINE"):
        return "VALUE", word
    return ("TYPE", word) if word else ("", "")

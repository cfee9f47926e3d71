"""Character sets in which calendars are sent beside UTF-8.

Python knows more, some of which take the square of a text's length (punycode), or are no
character sets at all.
"""

import codecs
import re

from .errors import BadValue

_KNOWN = re.compile(
    r"utf-(?:8|16|32)(?:-[bl]e|-sig)?|ascii|iso8859-[0-9]{1,2}|cp[0-9]{3,4}|koi8-[rtu]|mac-roman"
    r"|shift_jis(?:x0213|_2004)?|euc_(?:jp|kr|jis_2004|jisx0213)|gb(?:2312|k|18030)|big5(?:hkscs)?"
    r"|johab|iso2022_(?:jp|kr).*|tis-620|hz"
)


def as_utf8(data, charset):
    """Octets in UTF-8 out of those in another character set.

    >>> as_utf8("ñ".encode("latin-1"), "ISO-8859-1").decode()
    'ñ'

    :raises BadValue: when it is none, or the octets are not in it
    """
    try:
        name = codecs.lookup(charset).name
        if not _KNOWN.fullmatch(name):
            raise BadValue(f"{charset[:40]!r} is no character set of calendars")
        return data if name in ("utf-8", "ascii") else data.decode(name).encode()
    except (LookupError, UnicodeError, ValueError, TypeError) as error:
        if isinstance(error, BadValue):
            raise
        raise BadValue(f"it is not in the character set {charset[:40]!r}") from error

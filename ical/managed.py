"""Attachments that a calendar server keeps (RFC 8607): ATTACH lines with MANAGED-ID.

Works on lines: what is not concerned stays as it stands.
"""

import re

from .errors import BrokenComponent
from .params import EMPTY, split_line
from .text import fold

_ATTACH = re.compile(r"^ATTACH[;:][^\r\n]*(?:\r?\n[ \t][^\r\n]*)*(?:\r?\n|\Z)", re.M | re.I)
_BEGIN = r"^BEGIN[ \t]*:[ \t]*{}[ \t]*\r?\n"


def managed_ids(text):
    """The MANAGED-IDs of a text, as a set.

    >>> sorted(managed_ids("ATTACH;MANAGED-ID=7;SIZE=2:https://a.example/7\\r\\nATTACH:x\\r\\n"))
    ['7']
    """
    if "MANAGED-ID" not in text.upper():
        return set()
    return {one for one in (_id_of(match[0]) for match in _ATTACH.finditer(text)) if one}


def with_file(text, component, managed_id, url, media_type, name, size):
    """The text with one more attachment, in each component of that name (3.5.1)."""
    params = EMPTY.put(MANAGED_ID=managed_id, FMTTYPE=media_type, SIZE=str(size), FILENAME=name)
    line = fold([f"ATTACH{params}:{url}"])
    begin = re.compile(_BEGIN.format(re.escape(component)), re.M | re.I)
    return begin.sub(lambda match: match[0] + line, text)


def without_file(text, managed_id):
    """The text without that attachment."""
    return _ATTACH.sub(lambda match: "" if _id_of(match[0]) == managed_id else match[0], text)


def _id_of(lines):
    """MANAGED-ID of a line as it stands, or None."""
    try:
        _name, params, _value = split_line(re.sub(r"\r?\n[ \t]", "", lines).rstrip("\r\n"))
    except BrokenComponent:
        return None
    return params.get("MANAGED-ID")

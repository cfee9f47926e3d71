"""XML that goes out. By hand: it is thousands of small pieces, each known beforehand."""

import re
from urllib.parse import quote

from .errors import REASONS
from .names import PREFIXES, dav, split

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
DECLARED = "".join(f' xmlns:{prefix}="{uri}"' for uri, prefix in PREFIXES.items())
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))
#: What stands in an address as it is.
_PLAIN = re.compile(r"[A-Za-z0-9/@:.~_-]*")


def escape(text):
    """Text as the content of an element; characters that XML has not are left out.

    >>> escape("a<b\\x00&\\r\\n")
    'a&lt;b&amp;&#13;\\n'
    """
    text = _BAD.sub("", text)
    for character, words in _ESCAPES:
        text = text.replace(character, words)
    return text


def attribute(text):
    """Text as the value of an attribute, in quotes."""
    return '"' + escape(text).replace('"', "&quot;").replace("\n", "&#10;") + '"'


def element(name, inner="", attributes=""):
    """An element of that name.

    :param str name: ``{namespace}local``
    :param str inner: XML
    :param str attributes: as they stand in the tag, with a blank before

    >>> element("{DAV:}href", "/a/"), element("{urn:x}y")
    ('<D:href>/a/</D:href>', '<y xmlns="urn:x"/>')
    """
    namespace, local = split(name)
    prefix = PREFIXES.get(namespace)
    if prefix:
        local = f"{prefix}:{local}"
    else:
        attributes = f" xmlns={attribute(namespace)}{attributes}"
    if not inner:
        return f"<{local}{attributes}/>"
    return f"<{local}{attributes}>{inner}</{local}>"


def href(path):
    """DAV:href of a path, not quoted yet."""
    return f"<D:href>{href_text(path)}</D:href>"


def href_text(path):
    """A path as it stands in an address.

    >>> href_text("/a b/ñ@x.ics")
    '/a%20b/%C3%B1@x.ics'
    """
    if _PLAIN.fullmatch(path):
        return path
    return escape(quote(path, safe="/@:!$'()*+,;=~-._", errors="surrogateescape"))


def status_line(status):
    return f"<D:status>HTTP/1.1 {status} {REASONS[status]}</D:status>"


def propstat(properties, status, condition=""):
    """:param str properties: XML of them"""
    error = f"<D:error>{condition}</D:error>" if condition else ""
    return (
        f"<D:propstat><D:prop>{properties}</D:prop>{status_line(status)}{error}</D:propstat>"
    )  # fmt: skip


def response(path, inner):
    """One resource of a multistatus."""
    return f"<D:response>{href(path)}{inner}</D:response>\n"


def failure(path, status, condition=""):
    """One resource that is not there, or beyond a limit."""
    error = f"<D:error>{condition}</D:error>" if condition else ""
    return response(path, status_line(status) + error)


def multistatus(responses, last=""):
    """The pieces of a multistatus.

    :param responses: iterable of str
    :param str last: further XML at its end
    """
    yield f"{HEAD}<D:multistatus{DECLARED}>\n"
    yield from responses
    yield f"{last}</D:multistatus>\n"


def document(name, inner=""):
    """A whole body with one root element."""
    return HEAD + element(name, inner, DECLARED) + "\n"


def error_body(error):
    """DAV:error of a refusal, or nothing where there is no word for it.

    What else there is to say stands behind the word (RFC 4918, 16): who does not know it
    passes over it.
    """
    if not error.condition:
        return ""
    inner = element(error.condition, "".join(map(href, error.hrefs)))
    if error.message:
        inner += element(dav("responsedescription"), escape(error.message))
    return document(dav("error"), inner)

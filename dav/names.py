"""Names of XML elements, as lxml writes them: ``{namespace}local``."""

DAV = "DAV:"
CALDAV = "urn:ietf:params:xml:ns:caldav"
CALENDARSERVER = "http://calendarserver.org/ns/"
APPLE = "http://apple.com/ns/ical/"

#: Prefixes that every answer declares.
PREFIXES = {DAV: "D", CALDAV: "C", CALENDARSERVER: "CS", APPLE: "A"}


def dav(local):
    """An element of WebDAV.

    >>> dav("href")
    '{DAV:}href'
    """
    return f"{{{DAV}}}{local}"


def caldav(local):
    """An element of CalDAV."""
    return f"{{{CALDAV}}}{local}"


def split(name):
    """(namespace, local name)

    >>> split("{DAV:}href"), split("x")
    (('DAV:', 'href'), ('', 'x'))
    """
    if name[:1] == "{":
        namespace, _, local = name[1:].partition("}")
        return namespace, local
    return "", name

"""Every refusal, as one tree; and the one table from refusals to HTTP statuses.

A refusal names the condition that failed, where an RFC has a word for it (RFC 4918,
16): the element that stands in ``DAV:error``.
"""

from .names import caldav, dav


class DavError(Exception):
    """Base of all that a request may be refused with.

    :param str message: for whoever reads the log of his program: in English, or Odoo's own
        words in the language of the user
    :param str condition: name of the element in DAV:error; by default the class's
    :param list hrefs: that the element holds
    :param dict headers: of the answer
    """

    condition = None

    def __init__(self, message="", condition=None, hrefs=(), headers=None):
        super().__init__(message)
        self.message = message
        self.condition = condition or self.condition
        self.hrefs = list(hrefs)
        self.headers = headers or {}


class BadRequest(DavError):
    """It is not what HTTP or XML is."""


class NotFound(DavError):
    """There is nothing there, or nothing that this user may know of."""


class Forbidden(DavError):
    """It is understood, and will not be done."""


class Conflict(DavError):
    """What has to be there first is not there."""


class NotAllowed(DavError):
    """That method does nothing here. ``headers`` has Allow."""


class Failed(DavError):
    """A condition of the request does not hold (RFC 9110, 13)."""


class TooLarge(DavError):
    """More than is taken."""


class WrongType(DavError):
    """Another kind of content than is taken here."""


class Unprocessable(DavError):
    """XML that is well-formed and says nothing that can be done."""


class TooMany(DavError):
    """An answer that would be too long."""

    condition = dav("number-of-matches-within-limits")


class InvalidToken(Forbidden):
    """A sync token that says nothing here (RFC 6578, 3.2)."""

    condition = dav("valid-sync-token")


class InvalidFilter(Forbidden):
    """RFC 4791, 7.8."""

    condition = caldav("valid-filter")


class UnknownCollation(Forbidden):
    """RFC 4791, 7.5.1."""

    condition = caldav("supported-collation")


class InvalidData(Forbidden):
    """What is sent is no iCalendar (RFC 4791, 5.3.2.1)."""

    condition = caldav("valid-calendar-data")


class InvalidObject(Forbidden):
    """It is iCalendar, and not one object (RFC 4791, 4.1)."""

    condition = caldav("valid-calendar-object-resource")


class WrongComponent(Forbidden):
    """The calendar does not take this kind of component (RFC 4791, 5.3.2.1)."""

    condition = caldav("supported-calendar-component")


class TooManyInstances(Forbidden):
    """It comes again, and may not here (RFC 4791, 5.3.2.1)."""

    condition = caldav("max-instances")


class UidTaken(Forbidden):
    """Another object has this UID (RFC 4791, 5.3.2.1)."""

    condition = caldav("no-uid-conflict")


class NoPrivilege(Forbidden):
    """The user may not do this (RFC 3744, 7.1.1)."""

    condition = dav("need-privileges")


#: Exceptions to statuses: the first one that fits.
STATUSES = (
    (BadRequest, 400), (NotFound, 404), (NotAllowed, 405), (Conflict, 409), (Failed, 412),
    (TooLarge, 413), (WrongType, 415), (Unprocessable, 422), (TooMany, 507), (Forbidden, 403),
)  # fmt: skip

REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 207: "Multi-Status", 301: "Moved Permanently",
    304: "Not Modified", 308: "Permanent Redirect",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 409: "Conflict", 412: "Precondition Failed",
    413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content",
    424: "Failed Dependency", 507: "Insufficient Storage",
}  # fmt: skip


def status_of(error):
    """The HTTP status of a refusal."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))

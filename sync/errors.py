"""What goes wrong with another server, each as one word that a screen translates."""

from ..engine.addresses import FetchError


class RemoteError(FetchError):
    """The server has answered, and it is no.

    :param str code: ``denied``, ``missing``, ``changed`` (a condition was not met), ``refused``
        (this object), ``full``, ``busy``, ``server``, ``odd`` (what it says is no answer)
    :param facts: ``status``, ``host``, ``retry_after`` (seconds), ``detail``
    """


class TokenLost(RemoteError):
    """The server does not know its own sync token any more: everything is listed anew."""


#: Statuses to codes; the rest by the hundred.
_CODES = {
    401: "denied", 407: "denied", 403: "forbidden", 404: "missing", 410: "missing",
    409: "conflict", 412: "changed", 413: "refused", 415: "refused", 422: "refused", 423: "busy",
    429: "busy", 503: "busy", 507: "full",
}  # fmt: skip
#: One object is the reason, not the account.
OF_ONE = frozenset({"forbidden", "refused", "conflict", "missing"})
#: One calendar is the reason: others of the same server may do.
OF_CALENDAR = frozenset(
    {"server", "odd", "endless", "cut", "encoding", "too_large", "redirects", "elsewhere"}
)
#: Nobody but the user can help.
NEEDS_USER = frozenset({"denied", "full", "certificate", "private", "port", "downgrade"})


def code_of(status):
    """
    >>> code_of(412), code_of(502), code_of(418)
    ('changed', 'server', 'refused')
    """
    if status in _CODES:
        return _CODES[status]
    return "server" if status >= 500 else "refused"

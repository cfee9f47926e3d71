"""Addresses from outside, read with care: what may be asked for, and errors in words.

Owns the administrator's list and the sentences; how it is done is in ``engine/fetch.py``.
Nothing of an address but its host is told in an error: the rest may be a secret.
"""

import os

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..engine.addresses import Allowed, FetchError
from ..engine.fetch import LIMIT, SECONDS, fetch

#: The parameter with the administrator's list.
ALLOWED = "crm_automation.fetch_allowed"
#: Names the locks of those who wait at a button.
BUTTON_LOCK = 7_304_914


class FetchFailed(UserError):
    """What was asked for could not be read; the message says why, and what to do.

    :param str code: of :class:`FetchError`
    :param int retry_after: seconds that the server asks to wait, or None
    """

    def __init__(self, message, code, retry_after=None):
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


class IcalFetch(models.AbstractModel):
    _name = "ical.fetch"
    _description = "Reading of Addresses from Outside"

    def _fetch(self, url, etag=None, modified=None, limit=LIMIT, timeout=SECONDS):
        """Read an address that somebody gave.

        :param str url: http, https or webcal; may hold a name and a password
        :param str etag, modified: what the last answer said of itself
        :param int limit: octets, as sent and unpacked
        :param float timeout: seconds for everything
        :return: Fetched, with ``status`` ok or unchanged
        :raises FetchFailed: with a sentence for the user
        """
        try:
            return fetch(
                url or "",
                etag=etag or "",
                modified=modified or "",
                limit=limit,
                seconds=timeout,
                allowed=self._allowed(),
                verify=self._certificates(),
            )
        except FetchError as error:
            raise FetchFailed(
                self._sentence(error), error.code, error.facts.get("retry_after")
            ) from None

    def _take_button(self):
        """Of a user who waits at a button, one address at a time: each holds one of the
        server's workers until the other side has answered.

        :raises UserError: when another one is going on
        """
        self.env.cr.execute(
            SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", BUTTON_LOCK, self.env.uid)
        )
        if not self.env.cr.fetchone()[0]:
            raise UserError(
                self.env._("Another address is being read for you: wait until that is done.")
            )

    def _allowed(self):
        text = self.env["ir.config_parameter"].sudo().get_param(ALLOWED)
        try:
            return Allowed.listed(text)
        except ValueError:
            # Written past the settings' check: nothing is allowed then.
            return Allowed()

    def _certificates(self):
        """Who is trusted: the file that the server names, as for other requests of Odoo."""
        return os.environ.get("REQUESTS_CA_BUNDLE") or True

    def _sentence(self, error):
        """What is wrong, and what to do about it."""
        facts = {"host": "", "status": "", "port": "", **error.facts}
        facts["megabytes"] = round(facts.get("limit", 0) / 1_000_000, 1)
        sentences = {
            **self._sentences_of_address(facts),
            **self._sentences_of_way(facts),
            **self._sentences_of_answer(facts),
        }
        return sentences.get(error.code) or self.env._(
            "What %(host)s answers cannot be understood. Check the address.", **facts
        )

    def _sentences_of_address(self, facts):
        """Of an address that is not asked at all."""
        return {
            "address": self.env._(
                "This is no address. It begins with https:// or webcal://, followed by the name "
                "of a server."
            ),
            "scheme": self.env._(
                "Only addresses that begin with https://, http:// or webcal:// can be read."
            ),
            "port": self.env._(
                "Port %(port)s of %(host)s is not one at which calendars are served. If it is the "
                "right one, ask an administrator to allow this host in the settings of the "
                "calendar.",
                **facts,
            ),
            "private": self.env._(
                "%(host)s lies in a private network, which is not read from here. If it is yours, "
                "ask an administrator to allow it in the settings of the calendar.",
                **facts,
            ),
        }

    def _sentences_of_way(self, facts):
        """Of the way there: the name, the connection, where one is sent on to."""
        return {
            "unknown_host": self.env._(
                "There is no server called %(host)s. Check the address.", **facts
            ),
            "unreachable": self.env._(
                "%(host)s does not answer. Check the address, or try again later.", **facts
            ),
            "timeout": self.env._("%(host)s took too long. Try again later.", **facts),
            "certificate": self.env._(
                "The certificate of %(host)s is not valid: somebody else might be answering. "
                "Nothing was read. Tell those who run that server.",
                **facts,
            ),
            "tls": self.env._(
                "No secure connection to %(host)s is possible. Check whether the address begins "
                "with http:// or https://.",
                **facts,
            ),
            "redirects": self.env._(
                "%(host)s sends from one address to the next without an end. Copy the address "
                "again from where you found it.",
                **facts,
            ),
            "redirect": self.env._(
                "%(host)s sends on to an address that cannot be read. Copy the address again from "
                "where you found it.",
                **facts,
            ),
            "downgrade": self.env._(
                "%(host)s sends on to an address without encryption. Copy the address again from "
                "where you found it.",
                **facts,
            ),
        }

    def _sentences_of_answer(self, facts):
        """Of what comes back."""
        return {
            "denied": self.env._(
                "%(host)s does not let us in (%(status)s). The address has changed, or needs a "
                "name and a password: https://name:password@host/…",
                **facts,
            ),
            "missing": self.env._(
                "%(host)s has nothing at this address any more (%(status)s). Copy the address "
                "again from where you found it.",
                **facts,
            ),
            "busy": self.env._("%(host)s is busy (%(status)s). It is enough to wait.", **facts),
            "server": self.env._(
                "%(host)s has a fault (%(status)s). It is enough to wait; if it stays so, tell "
                "those who run that server.",
                **facts,
            ),
            "status": self.env._(
                "%(host)s gave an answer that is no calendar (%(status)s). Check the address.",
                **facts,
            ),
            "too_large": self.env._(
                "What %(host)s sends is larger than %(megabytes)s MB. Ask there for a calendar "
                "with fewer years.",
                **facts,
            ),
            "cut": self.env._(
                "The answer of %(host)s broke off. Nothing of it was taken. Try again later.",
                **facts,
            ),
            "encoding": self.env._(
                "The answer of %(host)s is packed in a way that cannot be read. Tell those who "
                "run that server.",
                **facts,
            ),
        }

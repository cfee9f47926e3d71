"""Who is asking: a key of CalDAV, or the password of who has no second factor.

The slow hash is computed once; what it proved is remembered for some minutes under a
digest that says nothing outside of this process. Each request still proves by one query
that the key is there, or that the password is the same.
"""

import hmac
import os
import time
from collections import OrderedDict
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import AccessDenied
from odoo.tools import SQL

from odoo.addons.base.models.res_users import INDEX_SIZE, KEY_CRYPT_CONTEXT

from ..engine.throttle import Throttle

#: Scope of the keys. Keys without a scope open nothing here.
SCOPE = "caldav"
#: Seconds for which what was proved is remembered, and for how many it is.
REMEMBERED, MANY = 300, 2_000
#: Longest name and secret that are looked at.
MAX_LENGTH = 300
#: A name is guessed from many addresses, an address guesses many names: so many tries of the
#: one, so many names of the other.
THROTTLE = {"login": Throttle(free=8), "address": Throttle(free=20)}
_SECRET = os.urandom(32)
_PROVED = OrderedDict()


class Proof(NamedTuple):
    """:param int key_id: of the key; None: it was the password
    :param str hash: of the password, as it was then
    """

    user_id: int
    key_id: int | None
    hash: str | None
    until: float


class TooManyFailures(AccessDenied):
    """:param float seconds: to wait"""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds


class CaldavAccess(models.AbstractModel):
    _name = "caldav.access"
    _description = "Access of Calendar Programs"

    @api.model
    def _user_id(self, login, secret, address, program=None):
        """The user whose name and key, or password, these are.

        :param str address: from which it is asked
        :param str program: what asks says it is
        :raises AccessDenied: for every reason alike
        :raises TooManyFailures: whatever the secret is
        """
        if not (_is_text(login) and _is_text(secret)):
            raise AccessDenied()
        digest = self._digest(login, secret)
        proof = _PROVED.get(digest)
        if proof and proof.until > time.monotonic() and self._holds(proof):
            return proof.user_id
        _PROVED.pop(digest, None)
        failures = self.env["caldav.failure"]
        who = {"login": login.lower(), "address": address}
        counted = failures._counted(who)
        user_id, stored = self._user_of(login)
        # A key cannot be guessed: who has one is not kept out by others who are wrong.
        proof = self._proof_of_key(user_id, secret)
        seconds = max(
            (THROTTLE[kind].pause(number) - ago for kind, (number, ago) in counted.items()),
            default=0,
        )
        if proof is None and seconds > 0:
            raise TooManyFailures(seconds)
        proof = proof or self._proof_of_password(user_id, stored, login, secret)
        if proof is None:
            failures._note(who)
            raise AccessDenied()
        if counted:
            failures._clear(who)
        if proof.key_id:
            # As often as it is proved: no request has to look whether it is time.
            self.env["caldav.key"]._note_use(proof.key_id, program)
        _PROVED[digest] = proof
        while len(_PROVED) > MANY:
            _PROVED.popitem(last=False)
        return proof.user_id

    def _digest(self, login, secret):
        text = "\0".join((self.env.cr.dbname, login, secret))
        return hmac.digest(_SECRET, text.encode("utf-8", "surrogatepass"), "sha256")

    def _holds(self, proof):
        """Whether what was proved is still so."""
        if proof.key_id:
            query = SQL(
                """
                SELECT TRUE FROM res_users_apikeys key JOIN res_users ON res_users.id = user_id
                 WHERE key.id = %s AND user_id = %s AND res_users.active AND scope = %s
                   AND NOT share
                   AND (expiration_date IS NULL OR expiration_date >= now() AT TIME ZONE 'UTC')
                """,
                proof.key_id, proof.user_id, SCOPE,
            )  # fmt: skip
            return bool(self.env.execute_query(query))
        found = self.env.execute_query(
            SQL(
                "SELECT password FROM res_users WHERE id = %s AND active AND NOT share",
                proof.user_id,
            )
        )
        return found == [(proof.hash,)]

    def _user_of(self, login):
        """(id, hash of the password) of the user of that name, or of nobody."""
        rows = self.env.execute_query(
            SQL(
                "SELECT id, password FROM res_users WHERE lower(login) = lower(%s)"
                " AND active AND NOT share ORDER BY login = %s DESC LIMIT 1",
                login,
                login,
            )
        )
        return rows[0] if rows else (None, None)

    def _proof_of_key(self, user_id, secret):
        key_id = self._key_id(user_id, secret)
        return Proof(user_id, key_id, None, time.monotonic() + REMEMBERED) if key_id else None

    def _proof_of_password(self, user_id, stored, login, secret):
        if not self._is_password(user_id, login, secret):
            return None
        return Proof(user_id, None, stored, time.monotonic() + REMEMBERED)

    def _key_id(self, user_id, secret):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, key FROM res_users_apikeys
                 WHERE user_id = %s AND index = %s AND scope = %s
                   AND (expiration_date IS NULL OR expiration_date >= now() AT TIME ZONE 'UTC')
                """,
                user_id, secret[:INDEX_SIZE], SCOPE,
            )
        )  # fmt: skip
        for key_id, key in rows:
            if KEY_CRYPT_CONTEXT.verify(secret, key):
                return key_id
        return None

    def _is_password(self, user_id, login, secret):
        """Whether it is the user's password. It takes as long when there is no such user."""
        users = self.env["res.users"]
        user = users.browse(user_id) if user_id else users
        if not user or user._mfa_type() or user._rpc_api_keys_only():
            users._crypt_context().dummy_verify()
            return False
        try:
            user.with_user(user)._check_credentials(
                {"type": "password", "login": login, "password": secret}, {"interactive": True}
            )
        except AccessDenied:
            return False
        return True


def _is_text(word):
    """Whether it may be a name or a secret: no other octets are ever looked up."""
    try:
        (word or "").encode()
    except UnicodeEncodeError:
        return False
    return bool(word) and len(word) <= MAX_LENGTH and "\0" not in word

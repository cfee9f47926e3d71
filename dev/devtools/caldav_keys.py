"""Keys of CalDAV for the users of a demo, made without starting Odoo."""

import base64
import hashlib
import secrets

#: As ``res.users.apikeys`` keeps them (passlib's pbkdf2_sha512).
ROUNDS, INDEX_SIZE = 6000, 8


def make_keys(cluster, database, logins):
    """One key for each login, valid until it is revoked.

    :return: dict from login to key
    """
    keys = {login: secrets.token_hex(20) for login in logins}
    for login, key in keys.items():
        cluster.psql(
            "INSERT INTO res_users_apikeys (name, user_id, scope, index, key)"
            f" SELECT 'Demo', id, 'caldav', '{key[:INDEX_SIZE]}', '{hashed(key)}'"
            f" FROM res_users WHERE login = '{login}'",
            database,
        )
    return keys


def hashed(key):
    """The key as the database has it."""
    salt = secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha512", key.encode(), salt, ROUNDS)
    return f"$pbkdf2-sha512${ROUNDS}${_base64(salt)}${_base64(digest)}"


def _base64(octets):
    """Without padding, and with a dot for the plus, as passlib has it."""
    return base64.b64encode(octets).decode().rstrip("=").replace("+", ".")

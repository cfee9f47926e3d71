"""A secret kept where others may read: sealed with a key that lies elsewhere.

AES-GCM: what was changed, or put into another place, does not open.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12


class CannotOpen(Exception):
    """The key is another one, or the text is not what was sealed here."""


def seal(text, key, place):
    """:param str text: the secret
    :param str key: long and random; whoever has it can open
    :param str place: where it belongs: it opens nowhere else
    :return: str

    >>> unseal(seal("pssst", "k" * 40, "a"), "k" * 40, "a")
    'pssst'
    """
    nonce = os.urandom(NONCE)
    sealed = AESGCM(_derived(key)).encrypt(nonce, text.encode(), place.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(sealed, key, place):
    """:raises CannotOpen: see there

    >>> unseal(seal("pssst", "k" * 40, "a"), "k" * 40, "b")
    Traceback (most recent call last):
    ...
    crm_automation.engine.secret_box.CannotOpen
    """
    try:
        octets = base64.b64decode(sealed, validate=True)
        opened = AESGCM(_derived(key)).decrypt(octets[:NONCE], octets[NONCE:], place.encode())
        return opened.decode()
    except (ValueError, InvalidTag) as error:
        raise CannotOpen from error


def _derived(key):
    return HKDF(hashes.SHA256(), 32, None, b"crm_automation account").derive(key.encode())

"""The secret in the address of a page that is for one reader: ``<id>-<digest>``.

It is computed, so no table holds it and no query finds it. Plain Python over records.
"""

from odoo.tools import consteq, hmac

#: Letters of the digest that stand in a link: 128 bits.
DIGEST = 32
#: Longest secret that is looked at.
MAX_TOKEN = 100


def token_of(record, scope, facts):
    """The secret of a record.

    :param str scope: what it is for; none of another is one of this
    :param tuple facts: with other ones it is another secret
    """
    return f"{record.id}-{hmac(record.sudo().env, scope, facts)[:DIGEST]}"


def find_by_token(model, token, name):
    """Whose secret it is (sudo); nobody's if it was revoked or never was one.

    :param str token: as it stands in an address, from outside
    :param str name: of the method that gives the secret of a record
    """
    nobody = model.sudo().browse()
    res_id, separator, digest = (token or "")[:MAX_TOKEN].partition("-")
    # Digits of other alphabets are none here.
    if not (separator and res_id.isascii() and res_id.isdigit() and len(res_id) < 10):
        return nobody
    record = nobody.browse(int(res_id)).exists()
    if not record or not digest.isascii():
        return nobody
    return record if consteq(getattr(record, name)(), f"{int(res_id)}-{digest}") else nobody

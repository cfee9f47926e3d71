"""OpenERP's nine ``%(…)s`` keywords in the text of a notice.

Owns the words and the replacing. A lone per cent sign is text (``50 % off``),
and an unknown keyword is an error at the time of saving, not of sending.
"""

import re

KEYWORDS = (
    "object_id",
    "object_subject",
    "object_description",
    "object_date",
    "partner",
    "partner_email",
    "object_user",
    "object_user_email",
    "object_user_phone",
)

_KEYWORD = re.compile(r"%\(([^()%\s]*)\)s?")


def unknown_keywords(text, known=KEYWORDS):
    """Keywords in the text that do not exist or are not written ``%(…)s``.

    >>> unknown_keywords("Dear %(partner)s, 50 % off for %(object_subject)s")
    []
    >>> unknown_keywords("%(partner_name)s and %(partner)")
    ['%(partner_name)s', '%(partner)']
    """
    return [
        match.group(0)
        for match in _KEYWORD.finditer(text or "")
        if match.group(1) not in known or not match.group(0).endswith("s")
    ]


def replace_keywords(text, values):
    """The text with each keyword replaced by its value.

    :param str text: text or HTML
    :param dict values: keyword to text, escaped by the caller where the text
        is HTML
    :return: the text; an unknown keyword stays as it is

    >>> replace_keywords("Hi %(partner)s: 100%", {"partner": "Azure %(partner)s"})
    'Hi Azure %(partner)s: 100%'
    """
    return _KEYWORD.sub(lambda match: str(values.get(match.group(1), match.group(0))), text or "")

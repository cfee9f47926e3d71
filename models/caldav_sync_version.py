"""Objects out of their texts, and back: those of the last step are remembered."""

from functools import lru_cache

from ..ical.versions import not_to_be_sent, read_version, write_version

#: Objects of which the text was just made: it need not be read.
_MADE = {}


@lru_cache(maxsize=768)
def version_of(text):
    """The object of a text; nobody changes it.

    :raises IcalError: when it cannot be read
    """
    return _MADE.pop(text, None) or read_version(text or "")


@lru_cache(maxsize=768)
def print_of(text):
    """A word that is the same for what says the same.

    :raises IcalError: when it cannot be read
    """
    return version_of(text).fingerprint()


def not_inviting(text):
    """The text for a server that is to invite nobody; see ``not_to_be_sent``."""
    if not any(word in text for word in ("ATTENDEE", "ORGANIZER", "METHOD")):
        return text
    version = not_to_be_sent(version_of(text))
    told = write_version(version)
    _MADE[told] = version
    version_of(told)
    _MADE.pop(told, None)
    return told

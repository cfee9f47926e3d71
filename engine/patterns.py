"""Regular expressions of users: checked, and bounded in time.

Python's own ``re`` cannot be stopped, and one pattern such as ``(a+)+$`` can
hold a worker for hours. The ``regex`` package reads the same language and takes
a time limit.
"""

import time

import regex

#: Longest pattern, longest text looked at, seconds for all texts of one call.
MAX_PATTERN = 500
MAX_TEXT = 20_000
SECONDS = 0.5


class PatternError(ValueError):
    """The pattern cannot be read; the text says what is wrong."""


class PatternTimeout(Exception):
    """The pattern takes too long."""


def compile_pattern(pattern):
    """The pattern, ready for use.

    :raises PatternError: when it cannot be read or is too long

    >>> compile_pattern("urgent.*").search("an urgent case") is not None
    True
    >>> compile_pattern("(")
    Traceback (most recent call last):
    ...
    engine.patterns.PatternError: missing ) at position 1
    """
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"more than {MAX_PATTERN} characters")
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise PatternError(str(error)) from error


def matching(pattern, texts, seconds=SECONDS):
    """Which texts the pattern is found in; upper and lower case differ.

    :param str pattern: a regular expression
    :param texts: iterable of texts; None and False are the empty text
    :param float seconds: for all of them together
    :return: list of bool
    :raises PatternError: when the pattern cannot be read
    :raises PatternTimeout: when the time is over

    >>> matching("^GOLD", ["GOLD customer", "gold", None])
    [True, False, False]
    """
    compiled = compile_pattern(pattern)
    end = time.monotonic() + seconds
    found = []
    for text in texts:
        left = end - time.monotonic()
        if left <= 0:
            raise PatternTimeout(pattern)
        try:
            found.append(bool(compiled.search((text or "")[:MAX_TEXT], timeout=left)))
        except TimeoutError as error:
            raise PatternTimeout(pattern) from error
    return found

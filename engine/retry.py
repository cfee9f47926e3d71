"""When a failed step is tried again, and when it is given up."""

from datetime import timedelta

#: Waiting times after the first, second, … failure.
DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)


def next_try(tries, now):
    """The moment of the next try, or None when there is none.

    :param int tries: how often it has failed, 1 or more
    :param datetime now: the moment of the last failure

    >>> from datetime import datetime
    >>> next_try(1, datetime(2026, 1, 1, 9, 0))
    datetime.datetime(2026, 1, 1, 9, 1)
    >>> next_try(6, datetime(2026, 1, 1, 9, 0)) is None
    True
    """
    if tries > len(DELAYS):
        return None
    return now + DELAYS[tries - 1]

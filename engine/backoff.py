"""When something that is read on a schedule is read again."""

from datetime import timedelta

FIRST = timedelta(minutes=15)
LONGEST = timedelta(days=1)
#: A server may ask for more than a day, and be believed no longer than this.
LONGEST_ASKED = timedelta(days=7)


def next_read(failures, interval, asked=None):
    """How long to wait, as timedelta.

    :param int failures: how often in a row it has failed; 0 after a success
    :param timedelta interval: the schedule's own
    :param int asked: seconds that the server has asked to wait, or None

    >>> hour = timedelta(hours=1)
    >>> [str(next_read(failures, hour)) for failures in (0, 1, 2, 3)]
    ['1:00:00', '0:15:00', '0:30:00', '1:00:00']
    >>> next_read(50, hour) == LONGEST
    True
    >>> str(next_read(1, hour, asked=3600))
    '1:00:00'
    """
    # Beyond, the power of two has no end.
    wait = min(FIRST * 2 ** min(failures - 1, 20), LONGEST) if failures else interval
    if asked:
        wait = max(wait, min(timedelta(seconds=asked), LONGEST_ASKED))
    return wait

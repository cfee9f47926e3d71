"""The next times that several people have in common.

Owns the search alone; moments are of one kind, naive UTC or all with a zone.
"""

import datetime

#: Proposed meetings begin at a quarter of an hour.
STEP = datetime.timedelta(minutes=15)


def common_times(work, busy, length, after, number):
    """The first stretches within working time in which nobody is busy.

    :param work: list of (begin, end) in their order, in which all of them work
    :param busy: list of (begin, end) in which any of them has something else
    :param timedelta length: of the meeting
    :param datetime after: not before this
    :param int number: how many
    :return: list of begins, no two of them overlapping

    >>> hour = lambda n, m=0: datetime.datetime(2027, 6, 15, n, m)
    >>> found = common_times([(hour(9), hour(14))], [(hour(9, 40), hour(11))],
    ...     datetime.timedelta(hours=1), hour(8), 3)
    >>> [f"{at:%H:%M}" for at in found]
    ['11:00', '12:00', '13:00']
    """
    if length <= datetime.timedelta():
        return []
    taken = sorted(busy)
    found = []
    for begin, end in work:
        at = _rounded_up(max(begin, after))
        while at + length <= end and len(found) < number:
            # Whatever overlaps; the latest end of it is where it goes on.
            ends = [stop for start, stop in taken if start < at + length and stop > at]
            if ends:
                at = _rounded_up(max(ends))
            else:
                found.append(at)
                at = _rounded_up(at + length)
        if len(found) >= number:
            break
    return found


def overlap(lists):
    """The stretches that lie in every one of the lists.

    >>> overlap([[(1, 5), (7, 9)], [(2, 8)]])
    [(2, 5), (7, 8)]
    """
    common = None
    for one in lists:
        if common is None:
            common = list(one)
            continue
        met, left, right = [], 0, 0
        while left < len(common) and right < len(one):
            begin = max(common[left][0], one[right][0])
            end = min(common[left][1], one[right][1])
            if begin < end:
                met.append((begin, end))
            if common[left][1] < one[right][1]:
                left += 1
            else:
                right += 1
        common = met
    return common or []


def _rounded_up(moment):
    over = (moment - moment.min.replace(tzinfo=moment.tzinfo)) % STEP
    return moment + (STEP - over) % STEP

"""The diary of one person: where there is time for a visit.

Owns the search for a free stretch of time. Moments are naive UTC; a day is the one of
the person's own time zone.
"""

import bisect
import datetime
from collections import defaultdict

#: Visits begin at a quarter of an hour.
STEP = datetime.timedelta(minutes=15)
DAY = datetime.timedelta(days=1)


class Diary:
    """Free time, day by day.

    :param dict work: date to a list of (begin, end), in their order
    :param timedelta length: of a visit
    :param timedelta gap: kept free before and after whatever is booked
    :param int per_day: visits a day at most; 0 for no limit
    """

    def __init__(self, work, length, gap=datetime.timedelta(), per_day=0):
        self.length = length
        self.gap = gap
        self.per_day = per_day
        self.free = {day: kept for day, parts in work.items() if (kept := self._long(parts))}
        self.visits = defaultdict(int)
        self.days = sorted(self.free)
        #: (first, last) of searches that have found nothing: free time only gets less
        self.full = set()

    def _long(self, parts):
        return [(begin, end) for begin, end in parts if end - begin >= self.length]

    def block(self, begin, end):
        """Something else is booked then."""
        begin, end = begin - self.gap, end + self.gap
        # The day of a time zone is at most a day off that of UTC.
        for day in self._between(begin.date() - DAY, end.date() + DAY):
            if day in self.free:
                self._cut(day, begin, end)

    def block_days(self, first, last):
        """Something else takes these whole days."""
        for day in self._between(first, last):
            self.free.pop(day, None)

    def count(self, day):
        """A visit that is booked on that day."""
        self.visits[day] += 1
        if self.per_day and self.visits[day] >= self.per_day:
            self.free.pop(day, None)

    def open_days(self, first, last):
        """Days with time for a visit, as things stand before anything is booked."""
        return self._between(first, last)

    def book(self, first, last, target):
        """Find a time for a visit, and take it.

        The nearest day to the target that has time, the later one of two; on it, the
        earliest time.

        :return: when it begins, None if there is no time between the two days
        """
        if (first, last) in self.full:
            return None
        for day in self._nearest(first, last, target):
            for begin, end in self.free.get(day, ()):
                start = rounded_up(begin)
                if start + self.length <= end:
                    self._cut(day, start - self.gap, start + self.length + self.gap)
                    self.count(day)
                    return start
        self.full.add((first, last))
        return None

    def _between(self, first, last):
        return self.days[
            bisect.bisect_left(self.days, first) : bisect.bisect_right(self.days, last)
        ]

    def _nearest(self, first, last, target):
        days = self._between(first, last)
        later = bisect.bisect_left(days, target)
        earlier = later - 1
        while later < len(days) or earlier >= 0:
            if earlier < 0 or (
                later < len(days) and days[later] - target <= target - days[earlier]
            ):
                yield days[later]
                later += 1
            else:
                yield days[earlier]
                earlier -= 1

    def _cut(self, day, begin, end):
        left = []
        for first, last in self.free[day]:
            if last <= begin or first >= end:
                left.append((first, last))
            else:
                left += [(first, begin), (end, last)]
        left = self._long(left)
        if left:
            self.free[day] = left
        else:
            del self.free[day]


def rounded_up(moment):
    """
    >>> rounded_up(datetime.datetime(2027, 2, 1, 9, 50))
    datetime.datetime(2027, 2, 1, 10, 0)
    """
    over = (moment - datetime.datetime.min) % STEP
    return moment + (STEP - over) % STEP


def spread(index, number, days):
    """The day for the one of so many who come one after the other, evenly.

    >>> [spread(n, 4, list(range(8))) for n in range(4)]
    [1, 3, 5, 7]
    """
    return days[int((index + 0.5) / number * len(days))]

"""Cadences: the periods in each of which a customer is visited once.

Owns the arithmetic of days, weeks, months and visits a year. Who is visited by whom,
and where there is time, is not its business (see ``diary.py``).
"""

import calendar
import datetime
from typing import NamedTuple

DAYS_IN_YEAR = 365.25
#: Days of a unit, on average.
UNIT_DAYS = {"days": 1, "weeks": 7, "months": DAYS_IN_YEAR / 12}
DAY = datetime.timedelta(days=1)
#: Periods that are walked through: what is planned for ever ends somewhere.
MAX_PERIODS = 20_000


class CadenceError(ValueError):
    """The cadence gives no periods."""


class Period(NamedTuple):
    """Days of which one is taken, first and last included."""

    first: datetime.date
    last: datetime.date
    #: day that is wanted; None if any day will do
    target: datetime.date | None = None


class Cadence(NamedTuple):
    """How often: the fields of a visit plan.

    ``kind`` is ``interval`` (every ``number`` ``unit``), ``date`` (``day`` of the month),
    ``weekday`` (the ``week``-th ``weekday`` of the month: 1 to 5, or -1, the last; 0 is
    Monday), both in every ``number``-th month, or ``year`` (``per_year`` visits).
    """

    kind: str
    number: int = 1
    unit: str = "months"
    day: int = 1
    week: int = 1
    weekday: int = 0
    per_year: float = 12

    def days(self):
        """Days from one visit to the next, on average.

        >>> round(Cadence("interval", 2, "weeks").days())
        14
        >>> round(Cadence("year", per_year=10).days(), 1)
        36.5
        """
        if self.kind == "year":
            return DAYS_IN_YEAR / self.per_year
        return self.number * UNIT_DAYS["months" if self.kind in ("date", "weekday") else self.unit]

    def yearly(self):
        """Visits a year, on average."""
        return DAYS_IN_YEAR / self.days()

    def check(self):
        """:raises CadenceError: when nothing can come of it"""
        good = {
            "interval": self.number > 0,
            "date": self.number > 0 and 1 <= self.day <= 31,
            "weekday": self.number > 0,
            "year": 0 < self.per_year <= 366,
        }[self.kind]
        if not good:
            raise CadenceError(self.kind)

    def periods(self, begin, end, since=None, horizon=None):
        """The periods that begin within ``begin`` and ``end``, in their order.

        :param date begin: where the cadence begins
        :param date end: last day, at which a period is cut
        :param date since: leave out what ends before this day
        :param date horizon: leave out what begins after this day
        :return: list of Period

        >>> for period in Cadence("date", day=31).periods(
        ...     datetime.date(2027, 1, 15), datetime.date(2027, 3, 20)):
        ...     print(period.first, period.last, period.target)
        2027-01-01 2027-01-31 2027-01-31
        2027-02-01 2027-02-28 2027-02-28
        """
        self.check()
        found = []
        for index in range(MAX_PERIODS):
            first, after = self._start(begin, index), self._start(begin, index + 1)
            if first > min(end, horizon or end):
                break
            target = self._target(first)
            wanted = self.kind not in ("date", "weekday") or (
                target is not None and begin <= target <= end
            )
            last = min(after - DAY, end)
            if wanted and (since is None or (target or last) >= since):
                found.append(Period(first, last, target))
        return found

    def _start(self, begin, index):
        if self.kind == "year":
            year, part = divmod(index, self.per_year)
            first = shift_months(begin, 12 * int(year))
            length = (shift_months(begin, 12 * (int(year) + 1)) - first).days
            return first + datetime.timedelta(days=round(part / self.per_year * length))
        if self.kind in ("date", "weekday"):
            return shift_months(begin.replace(day=1), index * self.number)
        if self.unit == "months":
            return shift_months(begin, index * self.number)
        return begin + datetime.timedelta(days=index * self.number * UNIT_DAYS[self.unit])

    def _target(self, first):
        """The day that is wanted in the month; None if there is none."""
        if self.kind == "date":
            return first.replace(day=min(self.day, calendar.monthrange(first.year, first.month)[1]))
        if self.kind == "weekday":
            return weekday_of_month(first, self.week, self.weekday)
        return None


def interval_of(days):
    """So many days as months or weeks, where these are about as long, else as days.

    :return: pair of number and unit

    >>> interval_of(30.4), interval_of(14), interval_of(36.5)
    ((1, 'months'), (2, 'weeks'), (36, 'days'))
    """
    for unit in ("months", "weeks", "days"):
        number = round(days / UNIT_DAYS[unit])
        if number and abs(number * UNIT_DAYS[unit] - days) <= 1:
            return number, unit
    return 1, "days"


def shift_months(day, months):
    """The same day so many months later, or the last one of a shorter month.

    >>> shift_months(datetime.date(2027, 1, 31), 1)
    datetime.date(2027, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def weekday_of_month(first, week, weekday):
    """The ``week``-th ``weekday`` of a month, None where there is no fifth one.

    >>> weekday_of_month(datetime.date(2027, 2, 1), -1, 4)
    datetime.date(2027, 2, 26)
    >>> weekday_of_month(datetime.date(2027, 2, 1), 5, 4)
    """
    length = calendar.monthrange(first.year, first.month)[1]
    days = [
        first.replace(day=day)
        for day in range(1, length + 1)
        if first.replace(day=day).weekday() == weekday
    ]
    if week == -1:
        return days[-1]
    return days[week - 1] if week <= len(days) else None

"""RRULE and EXRULE: the value type RECUR (RFC 5545, 3.3.10).

:class:`Rule` reads one, writes it, and walks along its wall times.

The walk is our own and not dateutil's, which cannot be stopped: a rule that
matches nothing (``FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30``) makes it search to the
year 9999 whatever UNTIL says, and one that starts long ago
(``FREQ=SECONDLY`` from 2020) makes it count every second. Here each step is
counted, and what lies before the span in question is jumped over. The tests
hold the walk against dateutil's over random rules.
"""

import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import product

from .errors import BadRule, BadValue, LimitExceeded, UnsupportedRule
from .limits import DEFAULT
from .values import read_date, read_date_time, read_loosely, write_moment

FREQUENCIES = ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_BYDAY = re.compile(r"([+-]?\d{1,2})?\s*(MO|TU|WE|TH|FR|SA|SU)")
#: Part: (least, greatest, whether negative numbers count from the end)
_RANGES = {
    "BYSECOND": (0, 60, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}
_SPANS = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600, "DAILY": 86400, "WEEKLY": 604800}
_DAY = timedelta(days=1)
#: As many days as there are.
_ALL_DAYS = date.max.toordinal()
#: Rules that are kept understood, and characters of the longest one.
KNOWN, KNOWN_CHARACTERS = 500, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One recurrence rule, its parts as the RFC names them.

    ``byday`` holds pairs (number or 0, index of the weekday, Monday 0). ``other``
    are parts that are unknown (X-), kept for writing. ``loose`` says that the
    text was not quite right.
    """

    freq: str
    interval: int = 1
    count: int | None = None
    until: date | datetime | None = None
    bysecond: tuple = ()
    byminute: tuple = ()
    byhour: tuple = ()
    byday: tuple = ()
    bymonthday: tuple = ()
    byyearday: tuple = ()
    byweekno: tuple = ()
    bymonth: tuple = ()
    bysetpos: tuple = ()
    wkst: int | None = None
    other: tuple = ()
    loose: bool = field(default=False, compare=False)

    @classmethod
    def parse(cls, text):
        """Read the value of an RRULE.

        :raises BadRule: when it is none
        :raises UnsupportedRule: RSCALE of another calendar, SKIP (RFC 7529)

        >>> Rule.parse("FREQ=MONTHLY;BYDAY=-1FR").byday
        ((-1, 4),)
        """
        return _known(text) if len(text) <= KNOWN_CHARACTERS else cls._read(text)

    @classmethod
    def _read(cls, text):
        found = {}
        loose = False
        for part in text.strip().upper().split(";"):
            key, sign, value = (word.strip() for word in part.partition("="))
            if not sign or not value:
                # A semicolon at the end, "COUNT=", a stray word.
                if key in ("FREQ", "UNTIL"):
                    raise BadRule(f"the rule's {key} has no value: {text[:80]!r}")
                loose = True
                continue
            if key in found:
                loose = True
                continue
            found[key] = value
        values, more_loose = _read_parts(found, text)
        return cls(**values, loose=loose or more_loose)

    def __str__(self):
        """The rule as RFC 5545 wants it, FREQ first (old iCal reads no other order)."""
        parts = [f"FREQ={self.freq}"]
        if self.until is not None:
            parts.append(f"UNTIL={write_moment(self.until)}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        for key in ("BYSECOND", "BYMINUTE", "BYHOUR"):
            parts += self._part(key)
        if self.byday:
            days = ",".join(f"{n or ''}{WEEKDAYS[day]}" for n, day in self.byday)
            parts.append(f"BYDAY={days}")
        for key in ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS"):
            parts += self._part(key)
        if self.wkst is not None:
            parts.append(f"WKST={WEEKDAYS[self.wkst]}")
        return ";".join(parts + [f"{key}={value}" for key, value in self.other])

    def _part(self, key):
        values = getattr(self, key.lower())
        return [f"{key}={','.join(map(str, values))}"] if values else []

    def walls(self, start, first, last, limits=DEFAULT, budget=None):
        """The wall times of the rule, in order.

        :param datetime start: DTSTART, without tzinfo; the rule's own first
            time need not be it
        :param datetime first: the earliest one of interest
        :param datetime last: the last one of interest; UNTIL as a wall time is
            the caller's business, since it takes the time zone
        :param Budget budget: steps that it has together with others
        :return: generator of datetime without tzinfo
        :raises LimitExceeded: after ``limits.steps`` steps
        """
        return _Walk(self, start, first, last, limits, budget).walls()


#: A calendar has thousands of series and a dozen rules.
_known = lru_cache(maxsize=KNOWN)(Rule._read)


def _read_parts(found, text):
    """(fields, whether something was put right) of the parts of a rule."""
    freq = found.pop("FREQ", None)
    if freq not in FREQUENCIES:
        raise BadRule(f"the rule has no known FREQ: {text[:80]!r}")
    if found.get("RSCALE", "GREGORIAN") not in ("GREGORIAN", "GREGORY"):
        raise UnsupportedRule(f"a rule of another calendar: {text[:80]!r}")
    if found.get("SKIP", "OMIT") != "OMIT":
        raise UnsupportedRule(f"a rule that moves dates which do not exist: {text[:80]!r}")
    values, other = {"freq": freq}, []
    loose = False
    for key, value in found.items():
        if key in ("RSCALE", "SKIP") or key.startswith("X-"):
            other.append((key, value))
        elif key == "UNTIL":
            values["until"], changed = _until(value, text)
            loose |= changed
        else:
            read = _read_part(key, value, text)
            loose |= read is None
            values.update(read or {})
    return {**values, "other": tuple(other)}, loose


def _read_part(key, value, text):
    """The field of one part; None when it says nothing."""
    if key in _RANGES:
        return {key.lower(): _numbers(key, value, text)}
    if key == "BYDAY":
        return {"byday": _days(value, text)}
    if key == "WKST" and value in WEEKDAYS:
        return {"wkst": WEEKDAYS.index(value)}
    if key in ("INTERVAL", "COUNT"):
        number = _number(value, text)
        # COUNT=-1 is how some say "forever"; INTERVAL=0 says nothing.
        return {key.lower(): number} if number >= (key == "INTERVAL") else None
    # "UNTL=20261231": a series without end is not what was meant.
    raise BadRule(f"{key[:20]!r} is no part of a rule, or {value[:20]!r} none of it: {text[:80]!r}")


def _number(value, text):
    if not re.fullmatch(r"[+-]?\d{1,9}", value):
        raise BadRule(f"{value[:20]!r} is no number: {text[:80]!r}")
    return int(value)


def _numbers(key, value, text):
    least, greatest, negative = _RANGES[key]
    numbers = []
    for word in value.split(","):
        number = _number(word.strip(), text)
        size = abs(number) if negative else number
        if not least <= size <= greatest:
            raise BadRule(f"{key} may not be {number}: {text[:80]!r}")
        numbers.append(number)
    return tuple(dict.fromkeys(numbers))


def _days(value, text):
    days = []
    for word in value.split(","):
        found = _BYDAY.fullmatch(word.strip())
        number = int(found[1] or 0) if found else 0
        if not found or abs(number) > 53 or (found[1] and not number):
            raise BadRule(f"{word[:20]!r} is no weekday: {text[:80]!r}")
        days.append((number, WEEKDAYS.index(found[2])))
    return tuple(dict.fromkeys(days))


def _until(value, text):
    for read, loose in ((read_date, False), (read_date_time, False), (read_loosely, True)):
        try:
            return read(value), loose
        except BadValue:
            continue
    raise BadRule(f"UNTIL is no date: {text[:80]!r}")


class _Walk:
    """One walk along a rule: period by period, each day of a period filtered.

    That all BY parts together are filters over the days of the period, with
    defaults taken from DTSTART, is the table of 3.3.10 read the other way
    round: "expand" and "limit" give the same set.
    """

    def __init__(self, rule, start, first, last, limits, budget=None):
        self.rule = rule
        self.budget = budget
        self.start = start
        self.first = first
        self.last = last
        self.limits = limits
        self.steps = 0
        self.wkst = rule.wkst or 0
        self.bymonth = frozenset(rule.bymonth)
        self.bymonthday = frozenset(rule.bymonthday)
        self.byyearday = frozenset(rule.byyearday)
        self.byweekno = frozenset(rule.byweekno)
        # 3.3.10: a number in BYDAY means something in MONTHLY and YEARLY only.
        numbered = rule.freq in ("MONTHLY", "YEARLY")
        self.plain = frozenset(day for n, day in rule.byday if not n or not numbered)
        self.nth = frozenset((n, day) for n, day in rule.byday if n) if numbered else frozenset()
        self.weekdays = bool(rule.byday)
        self._defaults()
        times = rule.byhour or (start.hour,), rule.byminute or (start.minute,)
        self.hours, self.minutes = (tuple(sorted(part)) for part in times)
        # Python's clocks have no leap second.
        self.seconds = tuple(sorted({min(s, 59) for s in rule.bysecond or (start.second,)}))

    def _defaults(self):
        # "Information, not contained in the rule, ... [is] derived from DTSTART."
        rule, start = self.rule, self.start
        if rule.byweekno or rule.byyearday or rule.bymonthday or rule.byday:
            return
        if rule.freq == "YEARLY":
            self.bymonth = self.bymonth or frozenset([start.month])
        if rule.freq in ("YEARLY", "MONTHLY"):
            self.bymonthday = frozenset([start.day])
        elif rule.freq == "WEEKLY":
            self.plain, self.weekdays = frozenset([start.weekday()]), True

    def walls(self):
        count = self.rule.count
        given = 0
        if count == 0:
            return
        if self._is_even():
            yield from self._even()
            return
        for found in self._periods():
            for wall in self._positions(found):
                if wall < self.start:
                    continue
                if wall > self.last:
                    return
                given += 1
                if wall >= self.first:
                    yield wall
                if given == count:
                    return

    def _is_even(self):
        """Whether each time comes as long after the one before: nothing has to be looked at
        between, nor counted one by one."""
        rule = self.rule
        return rule.freq in ("DAILY", "WEEKLY") and not (
            rule.byday or rule.bymonthday or rule.byyearday or rule.byweekno or rule.bymonth
            or rule.bysetpos or rule.byhour or rule.byminute or rule.bysecond
        )  # fmt: skip

    def _even(self):
        days = (1 if self.rule.freq == "DAILY" else 7) * self.rule.interval
        # Further than all time: only the first one.
        span = timedelta(days=min(days, _ALL_DAYS))
        number = max(0, -((self.start - self.first) // span))
        end = (self.last - self.start) // span
        if self.rule.count is not None:
            end = min(end, self.rule.count - 1)
        for turn in range(number, end + 1):
            self._step(2)
            yield self.start + turn * span

    def _step(self, weight=1):
        self.steps += weight
        if self.steps > self.limits.steps:
            raise LimitExceeded("steps", self.limits.steps)
        if self.budget is not None:
            self.budget.take(weight)

    def _skip(self, span):
        """How many whole periods lie before the span of interest.

        None are skipped when all have to be counted. One more is kept, so that
        the period into which ``first`` falls is whole.
        """
        if self.rule.count is not None or self.first <= self.start:
            return 0
        return max(0, (self.first - self.start) // span - 1)

    def _positions(self, found):
        """BYSETPOS: of the period's times, those at these places (3.3.10)."""
        if not self.rule.bysetpos or not found:
            return found
        places = {n - 1 if n > 0 else len(found) + n for n in self.rule.bysetpos}
        return [found[n] for n in sorted(places) if 0 <= n < len(found)]

    def _periods(self):
        """The times of each period, one list after the other, up to ``last``."""
        rule = self.rule
        if rule.freq in ("SECONDLY", "MINUTELY", "HOURLY"):
            yield from self._short_periods()
            return
        for days in self._day_sets():
            self._step(1 + len(days) // 8)
            days = [day for day in days if self._matches(day)]
            if days:
                self._step(len(days) * len(self.hours) * len(self.minutes) * len(self.seconds))
            yield [
                datetime(day.year, day.month, day.day, *time)
                for day in days
                for time in product(self.hours, self.minutes, self.seconds)
            ]

    def _day_sets(self):
        rule, start, interval = self.rule, self.start.date(), self.rule.interval
        last = self.last.date()
        if rule.freq == "YEARLY":
            yield from self._years(start, last, interval)
        elif rule.freq == "MONTHLY":
            number = start.year * 12 + start.month - 1
            number += self._skip(31 * interval * _DAY) * interval if interval < 9999 else 0
            while number <= last.year * 12 + last.month - 1:
                yield _month(*divmod(number, 12))
                number += interval
        else:
            span = (1 if rule.freq == "DAILY" else 7) * interval
            if rule.freq == "WEEKLY":
                start = start.toordinal() - (start.weekday() - self.wkst) % 7
            else:
                start = start.toordinal()
            if span < 4_000_000:
                start += self._skip(timedelta(days=span)) * span
            width = 1 if rule.freq == "DAILY" else 7
            while start <= last.toordinal():
                # The week of a DTSTART in the year 1 may begin before it.
                yield [
                    date.fromordinal(n) for n in range(max(start, 1), start + width)
                    if n <= _ALL_DAYS
                ]  # fmt: skip
                start += span

    def _years(self, start, last, interval):
        year = start.year
        if interval < 9999:
            year += self._skip(366 * interval * _DAY) * interval
        months = sorted(self.bymonth) or range(1, 13)
        while year <= last.year:
            yield [day for month in months for day in _month(year, month - 1)]
            year += interval

    def _short_periods(self):
        """HOURLY, MINUTELY, SECONDLY: from period to period, over whole days at once."""
        rule = self.rule
        unit = _SPANS[rule.freq]
        span = timedelta(seconds=unit * rule.interval)
        # The start of the period that DTSTART is in.
        at = self.start.replace(
            second=0 if unit > 1 else self.start.second,
            minute=0 if unit > 60 else self.start.minute,
        )
        at += self._skip(span) * span
        hours, minutes, seconds = map(frozenset, (rule.byhour, rule.byminute, rule.bysecond))
        try:
            while at <= self.last:
                self._step()
                if not self._matches(at.date()):
                    at = _jump(at, span, at.replace(hour=0, minute=0, second=0) + _DAY)
                elif hours and at.hour not in hours:
                    at = _jump(at, span, at.replace(minute=0, second=0) + timedelta(hours=1))
                elif unit <= 60 and minutes and at.minute not in minutes:
                    at = _jump(at, span, at.replace(second=0) + timedelta(minutes=1))
                elif unit == 1 and seconds and at.second not in seconds:
                    at += span
                else:
                    found = self._within(at, unit)
                    self._step(len(found) - 1)
                    yield found
                    at += span
        except OverflowError:
            # The year 9999 is over.
            return

    def _within(self, at, unit):
        if unit == 1:
            return [at]
        if unit == 60:
            return [at.replace(second=second) for second in self.seconds]
        return [
            at.replace(minute=minute, second=second)
            for minute in self.minutes for second in self.seconds
        ]  # fmt: skip

    def _matches(self, day):
        if self.bymonth and day.month not in self.bymonth:
            return False
        if self.bymonthday and day.day not in self.bymonthday:
            length = monthrange(day.year, day.month)[1]
            if day.day - length - 1 not in self.bymonthday:
                return False
        if self.weekdays and day.weekday() not in self.plain and not self._is_nth(day):
            return False
        if self.byyearday:
            number, length = day.timetuple().tm_yday, 365 + _leap(day.year)
            if number not in self.byyearday and number - length - 1 not in self.byyearday:
                return False
        if self.byweekno:
            number, weeks = _week(day, self.wkst)
            if number not in self.byweekno and number - weeks - 1 not in self.byweekno:
                return False
        return True

    def _is_nth(self, day):
        if not self.nth:
            return False
        # Of the year in a YEARLY rule without BYMONTH, else of the month.
        if self.rule.freq == "YEARLY" and not self.rule.bymonth:
            number, length = day.timetuple().tm_yday, 365 + _leap(day.year)
        else:
            number, length = day.day, monthrange(day.year, day.month)[1]
        weekday = day.weekday()
        return (
            ((number + 6) // 7, weekday) in self.nth
            or (-((length - number) // 7 + 1), weekday) in self.nth
        )  # fmt: skip


def _month(year, month):
    """The days of a month, counted from 0."""
    if not 1 <= year <= 9999:
        return []
    return [date(year, month + 1, n) for n in range(1, monthrange(year, month + 1)[1] + 1)]


def _leap(year):
    return int(year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))


def _week(day, wkst):
    """(number of the day's week, number of weeks of the week's year).

    Week 1 is the first with at least four days in the year (3.3.10, BYWEEKNO).
    """
    middle = day.toordinal() - (day.weekday() - wkst) % 7 + 3
    year = date.fromordinal(min(middle, date.max.toordinal())).year
    number = (middle - date(year, 1, 1).toordinal()) // 7 + 1
    final = date(year, 12, 28)
    final_middle = final.toordinal() - (final.weekday() - wkst) % 7 + 3
    return number, (final_middle - date(year, 1, 1).toordinal()) // 7 + 1


def _jump(at, span, target):
    """The first period that begins at or after the target."""
    return at + -(-(target - at) // span) * span

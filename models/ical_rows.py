"""The items of one UID as what Odoo keeps: a meeting, or a series with its meetings."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..ical.errors import LimitExceeded
from ..ical.expand import at_home, occurrences
from ..ical.limits import Limits
from ..ical.recurrence import MAX_COUNT, to_fields
from ..ical.rules import Rule
from ..ical.values import UTC, is_date
from .ical_row import CannotKeep, kept_text, zone_name
from .ical_taken import MAX_DESCRIPTIONS, short

#: How far ahead a series without end has its meetings.
HORIZON = timedelta(days=730)
#: Meetings of a series that are kept at once, and of these, how many that are over
#: when there are more.
MAX_ROWS = MAX_COUNT
PAST_ROWS = 90
#: Characters of a description where all those of a series would be too many.
MAX_SHORT = MAX_DESCRIPTIONS // MAX_ROWS
#: What Odoo says of a rule that it has no fields for.
NO_RULE = {"rrule_type": False, "end_type": "forever", "interval": 1, "count": 1}
#: Fields of a rule that came from elsewhere is never told in.
NO_MORE = {
    "year_month": False, "short_month": "skip", "workdays_only": False, "rule_text": False,
    "ical_start": False,
}  # fmt: skip
#: Spans around now that are tried, in days, when a series is too dense to be told as a whole.
_SPANS = ((365, 730), (30, 60), (2, 5))
_FAR = datetime(8999, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_LIMITS = Limits()


@dataclass(slots=True)
class Plan:
    """What Odoo is to have of a UID.

    :param rows: list of Row; one without ``place`` when it is a single meeting
    :param dict series: values of the recurrence; None of a single meeting
    :param bool partial: only some meetings of a series were told of
    """

    rows: list
    series: dict | None = None
    partial: bool = False


class SeriesReader:
    """Makes plans of items.

    :param RowReader reader: which knows what an item says
    :param datetime now: naive UTC
    :param int week_start: first day of the week that Odoo uses for this owner, Monday 0
    :param time_zones: names of the zones that Odoo has
    :param Budget budget: steps for all series of a file
    """

    def __init__(self, reader, now, week_start, time_zones, budget=None):
        self.reader = reader
        self.budget = budget
        self.now = now.replace(tzinfo=UTC)
        self.week_start = week_start
        self.time_zones = time_zones

    def plan(self, items):
        """What Odoo is to have of these items of one UID.

        :raises CannotKeep: when it has no place for them
        """
        main = next((item for item in items if item.recurrence_id is None), None)
        if main is not None and len(items) == 1 and not main.recurs:
            return Plan([self.reader.single(main)])
        if main is not None and not main.recurs and not main.exdates:
            # Changed occurrences of a meeting that does not repeat (any more).
            if all(one is main or one.sequence < main.sequence for one in items):
                return Plan([self.reader.single(main)])
        return self._series(main, items)

    def _series(self, main, items):
        found, first, last = self._window(items)
        rows = []
        for one in found:
            place = self._place(main, one)
            times = self.reader.times(one.item, one.start, one.stop)
            row = self.reader.row(one.item, *times, place=place)
            if one.item.recurrence_id is None or one.recurrence_id != one.item.recurrence_id:
                # The text of the series is kept with the series, and that of a change
                # of all that follow with the first of them.
                row.text = None
            rows.append(row)
        if not rows:
            raise CannotKeep("no_occurrence")
        if sum(len(row.description) for row in rows) > MAX_DESCRIPTIONS:
            for row in rows:
                row.description = short(row.description, MAX_SHORT)
        rows.sort(key=lambda row: (row.place, row.start))
        series = self._recurrence(main, main or items[0], rows, first, last)
        return Plan(rows, series, main is None)

    def more(self, items, last, room):
        """What comes after what is kept of a series without end.

        :param datetime last: naive UTC, up to which its meetings are kept
        :param int room: how many more may be kept
        :return: (list of (start, stop, place), the new ``last`` or None at the end)
        :raises IcalError: when the rule gives too many
        """
        main = next((item for item in items if item.recurrence_id is None), None)
        if main is None:
            return [], None
        first, horizon = last.replace(tzinfo=UTC), self.now + HORIZON
        endless = any(_is_endless(rule) for rule in main.rules)
        found = occurrences(items, first, horizon if endless else _FAR, self.reader.zone, _LIMITS)
        rows = []
        for one in found:
            start, stop, _allday = self.reader.times(one.item, one.start, one.stop)
            if start >= last:
                rows.append((start, stop, self._place(main, one)))
        kept = [row for row in rows if row[0].replace(tzinfo=UTC) < horizon][: max(0, room)]
        if len(kept) < len(rows):
            return kept, rows[len(kept)][0]
        return kept, horizon.replace(tzinfo=None) if endless else None

    # -- which meetings ------------------------------------------------------

    def _window(self, items):
        """(occurrences, first, last): the ones that are kept, and from when to when
        they are all there are; None where nothing was cut off."""
        starts = [self._utc(item, item.start or item.recurrence_id) for item in items]
        starts += [self._utc(item, item.recurrence_id) for item in items if item.recurrence_id]
        endless = any(_is_endless(rule) for item in items for rule in item.rules)
        anchor = max(self.now, min(starts))
        try:
            begin, horizon = min(starts) - 2 * _DAY, anchor + HORIZON
            spans = [(begin, horizon if endless else _FAR)]
            spans += [(anchor - back * _DAY, anchor + ahead * _DAY) for back, ahead in _SPANS]
        except OverflowError as error:
            raise CannotKeep("year") from error
        found = None
        for first, last in spans:  # noqa: B007
            try:
                found = occurrences(
                    items, first, last, self.reader.zone, _LIMITS, self.budget
                )  # fmt: skip
                break
            except LimitExceeded:
                continue
            except OverflowError as error:
                raise CannotKeep("year") from error
        if found is None:
            raise CannotKeep("too_many")
        cut_first = first if first > begin else None
        cut_last = last if last != _FAR else None
        return self._cut(found, cut_first, cut_last, horizon)

    def _cut(self, found, first, last, horizon):
        """At most MAX_ROWS of them, those that are over last."""
        if len(found) > MAX_ROWS and last is None:
            kept = [one for one in found if self._utc(one.item, one.start) < horizon]
            if len(kept) < len(found):
                found, last = kept, horizon
        if len(found) > MAX_ROWS:
            over = sum(self._utc(one.item, one.stop) < self.now for one in found)
            at = max(0, min(over - PAST_ROWS, len(found) - MAX_ROWS))
            if at:
                first = self._utc(found[at].item, found[at].start)
            if at + MAX_ROWS < len(found):
                end = found[at + MAX_ROWS]
                last = self._utc(end.item, end.start)
            found = found[at : at + MAX_ROWS]
        return found, first, last

    def _utc(self, item, moment):
        try:
            return self.reader.moment(item, moment).replace(tzinfo=UTC)
        except OverflowError as error:
            raise CannotKeep("year") from error

    def _place(self, main, one):
        """The start that the series gives it, as Odoo has it."""
        at = one.recurrence_id if one.recurrence_id is not None else one.start
        item = main or one.item
        if main is not None and is_date(at) and not is_date(main.start):
            # Outlook names an occurrence by its day.
            at = datetime.combine(at, main.start.timetz().replace(tzinfo=None))
            at = at.replace(tzinfo=main.start.tzinfo)
        elif main is not None and is_date(main.start) and not is_date(at):
            at = at.date()
        return self.reader.moment(item, at)

    # -- the rule ------------------------------------------------------------

    def _recurrence(self, main, first_item, rows, first, last):
        values = dict(NO_RULE)
        start = at_home(first_item, first_item.start or first_item.recurrence_id)
        zone = self._zone(start)
        if main is not None and len(main.rules) == 1 and zone is not None:
            values = to_fields(main.rules[0], start, self.week_start) or values
        rdates, exdates = (), ()
        if main is None:
            rdates = sorted({row.place for row in rows})
        elif main.exdates or main.exrules or main.rdates or self._has_gaps(rows):
            base = self._rule_places(main, first, last)
            active = {row.place for row in rows if row.active}
            if any(row.active for row in rows):
                exdates = sorted(base - active)
            rdates = sorted(active - base)
        return {
            **NO_MORE,
            **values,
            "week_start": str(self.week_start),
            "event_tz": zone or "UTC",
            "ical_sequence": first_item.sequence,
            "ical_text": kept_text(main, self.reader.contacts) if main else False,
            "ical_exdates": [place.isoformat() for place in exdates] or False,
            "ical_rdates": [place.isoformat() for place in rdates] or False,
            "ical_first": first and first.replace(tzinfo=None),
            "ical_last": last and last.replace(tzinfo=None),
        }

    def _has_gaps(self, rows):
        """Whether what is kept may differ from what the rule gives."""
        return any(not row.active or row.text for row in rows)

    def _rule_places(self, main, first, last):
        bare = replace(main, exdates=(), exrules=(), rdates=())
        begin = first or self._utc(main, main.start) - 2 * _DAY
        try:
            found = occurrences([bare], begin, last or _FAR, self.reader.zone, _LIMITS, self.budget)
        except LimitExceeded:
            return set()
        places = {self._place(main, one) for one in found}
        if first is not None:
            places = {place for place in places if place.replace(tzinfo=UTC) >= first}
        if last is not None:
            places = {place for place in places if place.replace(tzinfo=UTC) < last}
        return places

    def _zone(self, start):
        """The name of the zone of a series, or None for one that Odoo has not got."""
        if is_date(start) or start.tzinfo is None:
            zone = self.reader.zone
        else:
            zone = start.tzinfo
        name = zone_name(zone, start.year)
        return name if name in self.time_zones else None


def _is_endless(text):
    rule = Rule.parse(text)
    return rule.count is None and rule.until is None

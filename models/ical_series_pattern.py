"""The rule and exceptions of a series, out of its rows. Plain Python over records."""

from dataclasses import replace

from ..ical.recurrence import MAX_COUNT, from_fields
from ..ical.rules import Rule
from ..ical.values import UTC, is_date
from .calendar_recurrence_identity import RULE
from .ical_kept import original_item
from .ical_meeting import moment
from .ical_pattern import Clock, Kept, Member, find_pattern


class SeriesPattern:
    """One series, over rows of it.

    :param recurrence: the series, read as superuser
    :param events: the meetings that count, by start
    :param bool allday: whether its meetings are of whole days
    :param tzinfo zone: where its times are
    """

    def __init__(self, recurrence, events, allday, zone):
        self.series = recurrence.sudo()
        self.events = events
        self.allday = allday
        self.zone = zone
        self.clock = Clock(None if allday else zone)

    def pattern(self):
        """(the meetings with their places, the rule and exceptions that give them)"""
        members = [Member(self.at(event), self.place(event), event) for event in self.events]
        pattern = find_pattern(
            self._rules(members), members, self._stored("ical_exdates"),
            self._stored("ical_rdates"), self.clock, self.kept(),
        )  # fmt: skip
        return members, pattern

    def at(self, event):
        return self.clock.at(event.start)

    def place(self, event):
        """The start that the rule gives it; None if it was moved before that was kept."""
        start = event.ical_recurrence_start or (event.follow_recurrence and event.start)
        return self.clock.at(start) if start else None

    def moment(self, place):
        return place if is_date(place) else moment(place, self.zone)

    def _stored(self, name):
        places = self.series._ical_moments(name)
        return [place.date() for place in places] if self.allday else places

    def kept(self):
        """What of the series is kept in Odoo, when that is not all of it."""
        series = self.series
        if not (series.ical_first or series.ical_last):
            return None
        original = original_item(series.ical_text)
        if original is None:
            return None
        begin = original.start
        if series.ical_start:
            begin = series.ical_start.date() if self.allday else series.ical_start
        elif not is_date(begin):
            zone = original.calendar_zone or self.zone
            begin = begin if begin.tzinfo else begin.replace(tzinfo=zone)
            begin = begin.astimezone(UTC).replace(tzinfo=None)
        if is_date(begin) != self.allday:
            return None
        first, last = series.ical_first, series.ical_last
        if self.allday:
            first, last = first and first.date(), last and last.date()
        return Kept(begin, first or None, last or None)

    def _rules(self, members):
        """Texts of the rule, the most likely first."""
        original = original_item(self.series.ical_text)
        values = {name: self.series[name] for name in RULE}
        if values["end_type"] == "count" and values["count"] >= MAX_COUNT:
            # What Odoo makes of "for ever" when it saves it.
            values["end_type"] = "forever"
        first = self.moment(min(member.place or member.at for member in members))
        texts = original.rules[:1] if original else ()
        if not values["rrule_type"]:
            texts = [values["rule_text"], *texts] if values["rule_text"] else texts
            return self._rules_without_fields(texts, values, first)
        # Odoo took the first day of the week from whoever saved the series.
        weeks = dict.fromkeys([int(values["week_start"] or 0), 0, 6, 5])
        return list(dict.fromkeys([*texts, *(from_fields(values, first, day) for day in weeks)]))

    def _rules_without_fields(self, texts, values, first):
        """The rule as it came; ended earlier, where Odoo has put an end to it."""
        if values["end_type"] != "end_date":
            return list(texts)
        until = Rule.parse(from_fields({**values, "rrule_type": "daily"}, first)).until
        return [str(replace(Rule.parse(text), count=None, until=until)) for text in texts]

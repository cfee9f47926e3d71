"""A series as items: one with the rule, and one for each meeting that differs."""

from collections import Counter
from dataclasses import replace

from ..ical.recurrence import MAX_COUNT, from_fields
from ..ical.rules import Rule
from ..ical.values import UTC, is_date
from .calendar_recurrence_identity import RULE
from .ical_kept import original_item
from .ical_meeting import moment, named_zone, utc
from .ical_pattern import Clock, Kept, Member, find_pattern


class SeriesWriter:
    """One series, over the rows of it that may be seen.

    :param MeetingWriter writer: which knows what may be said of them
    :param recurrence: the series; of the rows its times are known anyway, so its
        rule is read as superuser (portal users may not read series at all)
    :param events: its meetings, cancelled ones included, by start
    """

    def __init__(self, writer, recurrence, events):
        self.writer = writer
        self.series = recurrence.sudo()
        self.cancelled = events.filtered(lambda event: not event.active)
        # A series of which nothing is left is cancelled as a whole.
        self.events = (events - self.cancelled) or events
        if self.events == self.cancelled:
            self.cancelled = events.browse()
        self.hidden = all(event.id in writer.hidden for event in self.events)
        facts = {event: writer.facts(event) for event in self.events}
        usual, _number = Counter(facts.values()).most_common(1)[0]
        self.template = next(event for event in self.events if facts[event] == usual)
        self.differs = {event for event in self.events if facts[event] != usual}
        self.allday = self.template.allday
        self.zone = named_zone(self.series.event_tz) if self.series.event_tz else (
            writer.zone(self.template.user_id))  # fmt: skip
        self.uid = self.series.ical_uid
        if self.hidden:
            self.uid = events._ical_busy_uid("series", recurrence.id)

    def items(self):
        """(items, the one with the rule first; items of changed meetings by their id)"""
        members, pattern = self._pattern()
        changed = {
            member.event.id: self._occurrence(member.event, member.place)
            for member in members
            if member.at != member.place or member.event in self.differs
        }
        gone = {
            event.id: self._occurrence(event, self._place(event) or self._at(event))
            for event in self.cancelled
        }
        items = [self._master(pattern), *changed.values()]
        return items, {**changed, **gone}

    def alone(self, events):
        """The item of each of these meetings: its UID and its place tell of which series."""
        members, _pattern = self._pattern()
        places = {member.event: member.place for member in members}
        return {
            event: self._occurrence(
                event, places.get(event) or self._place(event) or self._at(event)
            )
            for event in events
        }

    def _pattern(self):
        """(the meetings with their places, the rule and exceptions that give them)"""
        members = [self._member(event) for event in self.events]
        pattern = find_pattern(
            self._rules(members), members, self._stored("ical_exdates"),
            self._stored("ical_rdates"), Clock(None if self.allday else self.zone),
            self._kept(),
        )  # fmt: skip
        return members, pattern

    def _at(self, event):
        return event.start.date() if self.allday else event.start

    def _place(self, event):
        """The start that the rule gives it; None if it was moved before that was kept."""
        start = event.ical_recurrence_start or (event.follow_recurrence and event.start)
        if not start:
            return None
        return start.date() if self.allday else start

    def _member(self, event):
        return Member(self._at(event), self._place(event), event)

    def _stored(self, name):
        places = self.series._ical_moments(name)
        return [place.date() for place in places] if self.allday else places

    def _kept(self):
        """What of the series is kept in Odoo, when that is not all of it."""
        series = self.series
        if not (series.ical_first or series.ical_last):
            return None
        original = original_item(series.ical_text)
        if original is None:
            return None
        begin = original.start
        if not is_date(begin):
            zone = original.calendar_zone or self.zone
            begin = begin if begin.tzinfo else begin.replace(tzinfo=zone)
            begin = begin.astimezone(UTC).replace(tzinfo=None)
        if is_date(begin) != self.allday:
            return None
        first, last = series.ical_first, series.ical_last
        if self.allday:
            first, last = first and first.date(), last and last.date()
        return Kept(begin, first or None, last or None)

    def _moment(self, place):
        return place if is_date(place) else moment(place, self.zone)

    def _rules(self, members):
        """Texts of the rule, the most likely first."""
        original = original_item(self.series.ical_text)
        values = {name: self.series[name] for name in RULE}
        if values["end_type"] == "count" and values["count"] >= MAX_COUNT:
            # What Odoo makes of "for ever" when it saves it.
            values["end_type"] = "forever"
        first = self._moment(min(member.place or member.at for member in members))
        texts = original.rules[:1] if original else ()
        if not values["rrule_type"]:
            return self._rules_without_fields(texts, values, first)
        # Odoo took the first day of the week from whoever saved the series.
        return list(
            dict.fromkeys([*texts, *(from_fields(values, first, day) for day in (0, 6, 5))])
        )

    def _rules_without_fields(self, texts, values, first):
        """The rule as it came; ended earlier, where Odoo has put an end to it."""
        if values["end_type"] != "end_date":
            return list(texts)
        until = Rule.parse(from_fields({**values, "rrule_type": "daily"}, first)).until
        return [str(replace(Rule.parse(text), count=None, until=until)) for text in texts]

    def _master(self, pattern):
        event = self.template
        start = self._moment(pattern.start)
        if self.allday:
            end = start + (event.stop.date() - event.start.date())
            end = end.fromordinal(end.toordinal() + 1)
        else:
            end = moment(pattern.start + (event.stop - event.start), self.zone)
        more = {}
        if not self.hidden:
            shown = [one for one in self.events if one.id not in self.writer.hidden]
            more["sequence"] = self.series.ical_sequence
            more["created"] = utc(min(one.create_date for one in shown))
            more["modified"] = utc(max(one.write_date for one in shown))
        return self.writer.build(
            event, self.uid, start, end,
            text=False if event.id in self.writer.hidden else self.series.ical_text,
            rules=(pattern.rule,) if pattern.rule else (),
            exdates=tuple(map(self._moment, pattern.exdates)),
            rdates=tuple(map(self._moment, pattern.rdates)),
            **more,
        )  # fmt: skip

    def _occurrence(self, event, place):
        start, end = self.writer.span(event, self.zone)
        more = {}
        if event.id not in self.writer.hidden:
            # Never older than the series that it is part of.
            more["sequence"] = max(event.ical_sequence, self.series.ical_sequence)
        return self.writer.build(
            event, self.uid, start, end, recurrence_id=self._moment(place), **more
        )

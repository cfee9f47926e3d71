"""A series as items: one with the rule, and one for each meeting that differs."""

from collections import Counter

from .ical_meeting import moment, named_zone, utc
from .ical_series_pattern import SeriesPattern


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
        self.pattern = SeriesPattern(self.series, self.events, self.allday, self.zone)
        self.uid = self.series.ical_uid
        if self.hidden:
            self.uid = events._ical_busy_uid("series", recurrence.id)

    def items(self):
        """(items, the one with the rule first; items of changed meetings by their id)"""
        members, pattern = self.pattern.pattern()
        changed = {
            member.event.id: self._occurrence(member.event, member.place)
            for member in members
            if member.at != member.place
            or member.event in self.differs
            or self._crosses_a_change(member.event)
        }
        gone = {
            event.id: self._occurrence(event, self.pattern.place(event) or self.pattern.at(event))
            for event in self.cancelled
        }
        items = [self._master(pattern), *changed.values()]
        return items, {**changed, **gone}

    def alone(self, events):
        """The item of each of these meetings: its UID and its place tell of which series."""
        members, _pattern = self.pattern.pattern()
        places = {member.event: member.place for member in members}
        return {
            event: self._occurrence(
                event, places.get(event) or self.pattern.place(event) or self.pattern.at(event)
            )
            for event in events
        }

    def _crosses_a_change(self, event):
        """Whether clocks change during it: its length on the wall is another than its own."""
        if self.allday:
            return False
        start, stop = (utc(at).astimezone(self.zone) for at in (event.start, event.stop))
        return start.utcoffset() != stop.utcoffset()

    def _master(self, pattern):
        event = self.template
        start = self.pattern.moment(pattern.start)
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
            exdates=tuple(map(self.pattern.moment, pattern.exdates)),
            rdates=tuple(map(self.pattern.moment, pattern.rdates)),
            **more,
        )  # fmt: skip

    def _occurrence(self, event, place):
        start, end = self.writer.span(event, self.zone)
        more = {}
        if event.id not in self.writer.hidden:
            # Never older than the series that it is part of.
            more["sequence"] = max(event.ical_sequence, self.series.ical_sequence)
        return self.writer.build(
            event, self.uid, start, end, recurrence_id=self.pattern.moment(place), **more
        )

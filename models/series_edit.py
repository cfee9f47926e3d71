"""A series that is changed as a whole, or from one meeting on. Plain Python over records.

Odoo archives the meetings of the series but one and makes new ones: who has accepted,
what was moved, renamed or removed by itself is lost. Here every meeting stays the record
that it is; those alone are made that there were not, and those archived that the new rule
has no place for.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import UserError

from ..ical.replan import successors
from ..ical.rules import Rule
from .calendar_ical_identity import FROM_ELSEWHERE, INCOMING
from .calendar_recurrence_identity import RULE
from .ical_meeting import named_zone
from .ical_plan import as_start
from .ical_row import DAY_STOP
from .ical_series_pattern import SeriesPattern
from .series_spread import Spread, like_most

#: Key of the transaction's memory: series that were changed, and not cancelled in part.
EDITED = "crm_automation.series_edited"
#: Who takes part hears of it once, for all; identity and places are said here.
QUIETLY = {
    "active_test": False,
    "no_mail_to_attendees": True,
    "skip_attendee_notification": True,
    "skip_contact_description": True,
    "mail_create_nolog": True,
    "dont_notify": True,
    INCOMING: FROM_ELSEWHERE,
}
_DAY = timedelta(days=1)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: What is the meeting's own when it is, and not in the fields that all share.
_SPAN = frozenset({"start", "stop", "start_date", "stop_date", "duration", "allday"})


class SeriesEdit:
    """One edit.

    :param event: the meeting in which it was made; not written yet
    :param dict values: new values of fields of meetings, those of its time among them
    :param dict rule: new values of fields of the series
    :param bool following: only that meeting and those after it
    """

    def __init__(self, event, values, rule, following=False):
        self.env = event.env
        self.series = event.recurrence_id
        events = self.env["calendar.event"].with_context(**QUIETLY)
        self.event = events.browse(event.id)
        self.rows = events.search([("recurrence_id", "=", self.series.id)], order="start, id")
        self.values = {name: value for name, value in values.items() if name not in _SPAN}
        self.rule = dict(rule)
        self.current = self.series._rule_values()
        zone = self.current["event_tz"] or self.env.context.get("tz") or self.env.user.tz
        active = self.rows.filtered("active") or self.rows
        self.old = SeriesPattern(self.series, active.sudo(), event.allday, named_zone(zone))
        members, self.pattern = self.old.pattern()
        self.places = {member.event.id: member.place for member in members}
        for row in (self.rows - active).sudo():
            self.places[row.id] = self.old.place(row) or self.old.at(row)
        self.excluded = set(self.pattern.exdates)
        self.excluded |= {self.old.clock.at(at) for at in self.series._ical_moments("ical_exdates")}
        self.added = set(self.pattern.rdates)
        self.split = self._split(active) if following else None
        if self.split is not None:
            self._leave_the_earlier()
        self._take_span(values)

    # -- what is asked for ---------------------------------------------------

    def _split(self, active):
        """The place from which on it is another series; None where that is all of it."""
        split = self.places[self.event.id]
        return split if any(self.places[row.id] < split for row in active) else None

    def _leave_the_earlier(self):
        self.rows = self.rows.filtered(lambda row: self.places[row.id] >= self.split)
        self.earlier_added = {place for place in self.added if place < self.split}
        self.excluded = {place for place in self.excluded if place >= self.split}
        self.added -= self.earlier_added

    def _take_span(self, values):
        """The time that the meeting is to have, and by how much the series moves."""
        event = self.event
        to_time, to_date = fields.Datetime.to_datetime, fields.Date.to_date
        self.allday = values.get("allday", event.allday)
        start, stop = event.start, event.stop
        if self.allday:
            start = to_date(values.get("start_date") or values.get("start")) or start.date()
            length = stop.date() - event.start.date()
            stop = to_date(values.get("stop_date") or values.get("stop")) or start + length
            start, stop = as_start(start), datetime.combine(max(start, stop), DAY_STOP)
        else:
            start = to_time(values.get("start")) or start
            stop = to_time(values.get("stop")) or start + (stop - event.start)
            if values.get("duration") and not values.get("stop"):
                stop = start + timedelta(hours=values["duration"])
            if stop < start:
                raise UserError(self.env._("The meeting would end before it begins."))
        self.start, self.stop = start, stop
        zone = self.rule.get("event_tz") or self.old.zone
        self.clock = self.series._rule_clock(
            {"event_tz": zone if isinstance(zone, str) else str(zone)}, self.allday
        )
        was = self.old.clock.wall(self.old.clock.at(event.start))
        self.shift = self.clock.wall(self.clock.at(start)) - was
        self.day_shift = (was + self.shift).date() - was.date()

    @property
    def is_time_changed(self):
        return (self.start, self.stop, self.allday) != (
            self.event.start, self.event.stop, self.event.allday,
        )  # fmt: skip

    # -- the new rule --------------------------------------------------------

    def _new_rule(self, begin):
        """The fields of the rule as they are to be.

        :param begin: wall time at which the series is to begin
        """
        values = dict(self.current)
        if not values["rrule_type"]:
            # As far as it goes, if somebody has put an end to it.
            values.update(rule_text=self.pattern.rule, end_type="forever", until=False)
        is_known = values["rrule_type"] or values["rule_text"]
        asked = self._asked_rule(begin)
        has_rule = asked.get("rrule_type") or asked.get("rule_text")
        if not (is_known or has_rule) or (
            self.day_shift and not (values["rrule_type"] or has_rule)
        ):
            raise UserError(
                self.env._(
                    "This series repeats by a rule that cannot be moved to other days. Change "
                    "single meetings of it, or choose how it repeats from now on."
                )
            )  # fmt: skip
        old = Rule.parse(self.pattern.rule) if self.pattern.rule else None
        if not values["week_start"]:
            values["week_start"] = str(old.wkst or 0) if old else "0"
        if self.split is not None:
            self._count_the_rest(values, old)
        if self.day_shift:
            self._shift_rule(values, begin)
        kind = asked.get("rrule_type")
        if kind and kind != values["rrule_type"]:
            values.update(rule_text=False, **self._rule_of_day(begin))
        elif asked.get("rule_text"):
            values.update(rrule_type=False, end_type="forever", until=False)
        return {**values, **asked}

    def _asked_rule(self, begin):
        asked = {name: value for name, value in self.rule.items() if name in RULE}
        if self.rule.get("rrule"):
            start = begin.date() if self.allday else begin
            text = self.rule["rrule"].strip().removeprefix("RRULE:")
            asked |= self.series._rule_from_text(text, start)
        return asked

    def _count_the_rest(self, values, rule):
        """Of a number of meetings, those before are behind."""
        if rule is None or rule.count is None:
            return
        begin = self.old.clock.wall(self.pattern.start)
        before = self.old.clock.wall(self.split) - timedelta(seconds=1)
        left = max(1, rule.count - sum(1 for _ in rule.walls(begin, begin, before)))
        if values["rrule_type"]:
            values["count"] = left
        else:
            values["rule_text"] = str(replace(rule, count=left))

    def _shift_rule(self, values, begin):
        """What the rule says of days moves with the meetings."""
        if values["end_type"] == "end_date" and values["until"]:
            values["until"] += self.day_shift
        kind = values["rrule_type"]
        days = [values[name] for name in _WEEKDAYS]
        turn = self.day_shift.days % 7
        values.update(zip(_WEEKDAYS, days[-turn:] + days[:-turn] if turn else days, strict=True))
        was = begin - self.shift
        if kind == "yearly" and values["year_month"]:
            values["year_month"] = str(begin.month)
        if values["month_by"] == "day":
            is_last = values["byday"] == "-1" and (begin + 7 * _DAY).month != begin.month
            values["weekday"] = _WEEKDAYS[begin.weekday()].upper()
            values["byday"] = "-1" if is_last else str((begin.day + 6) // 7)
        elif values["month_by"] == "last_day" and (begin + _DAY).day != 1:
            values.update(month_by="date", day=begin.day)
        elif values["month_by"] == "date" and values["day"]:
            # The day that was asked for, unless the month is too short for it.
            day = values["day"] + self.day_shift.days
            same = was.month == begin.month and 1 <= day <= 31
            values["day"] = day if same else begin.day

    def _rule_of_day(self, begin):
        """Fields of a rule of another kind, as the day on which it begins has them."""
        name = _WEEKDAYS[begin.weekday()]
        return {
            **dict.fromkeys(_WEEKDAYS, False),
            name: True,
            "weekday": name.upper(),
            "byday": str((begin.day + 6) // 7),
            "day": begin.day,
            "year_month": False,
            "workdays_only": False,
        }

    # -- the meetings --------------------------------------------------------

    def apply(self):
        """Write it.

        :return: the series that the meeting is of now
        """
        begin = self.old.clock.wall(self._begin()) + self.shift
        values = self._new_rule(begin)
        self.new_begin = as_start(self.clock.place(begin))
        first = self._new_first()
        starts, last = self.series._rule_places(values, self.new_begin, self.allday, first)
        if not starts:
            raise UserError(self.env._("With this rule the series would have no meeting."))
        walls = [self.clock.wall(self.clock.at(start)) for start in starts]
        start = begin.date() if self.allday else begin
        after = self._successors(walls, self.series._rule_of(values, start), last)
        template = like_most(self.rows)
        kept = {row: after[place] for row, place in self._row_places() if place in after}
        dropped = self.rows.filtered(lambda row: row not in kept)
        kept_rows = self.rows - dropped
        spans = self._spans(kept, template)
        series = self._write_series(values, last, after, walls)
        self._write_spans(series, spans, kept)
        self._drop(dropped)
        Spread(self.event, kept_rows, self.values).apply()
        if template not in kept:
            template = self.event if self.event in kept else kept_rows[:1] or self.event
        self._create(series, template, set(walls) - set(after.values()))
        if series.base_event_id not in kept_rows.filtered("active"):
            series._select_new_base_event()
        self.env.cr.postcommit.data.setdefault(EDITED, set()).update((series.id, self.series.id))
        return series

    def _begin(self):
        """The old place at which the new rule begins."""
        if self.split is not None:
            return self.split
        if {"rrule_type", "rule_text", "rrule"}.isdisjoint(self.rule):
            return self.pattern.start
        # Of another rhythm, gaps at the beginning say nothing.
        active = self.rows.filtered("active") or self.rows
        return min(self.places[row.id] for row in active)

    def _row_places(self):
        return [(row, self.places[row.id]) for row in self.rows]

    def _new_first(self):
        """Where what is kept of the series begins, moved with it."""
        first = self.series.sudo().ical_first
        if not first or self.split is not None:
            return None
        return as_start(
            self.clock.place(self.old.clock.wall(self.old.clock.at(first)) + self.shift)
        )

    def _successors(self, walls, rule, last):
        """Dict from the old place of each meeting, or gap, to its new wall time."""
        old = Rule.parse(self.pattern.rule) if self.pattern.rule else None
        places = {place for _row, place in self._row_places()} | self.excluded
        by_wall = {self.old.clock.wall(place): place for place in places}
        added = {self.old.clock.wall(place) for place in self.added}
        found = successors(set(by_wall) - added, walls, self.shift, (old, rule))
        # What no rule gives moves with the series.
        found |= {wall: wall + self.shift for wall in added if wall in by_wall}
        mine = self.old.clock.wall(self.places[self.event.id])
        free = set(walls) - set(found.values())
        if mine not in found and free:
            # Whoever has saved this meeting goes on looking at it.
            found[mine] = min(free, key=lambda wall: (abs(wall - mine - self.shift), wall))
        edge = last and self.clock.wall(self.clock.at(last))
        for place in self.excluded:
            wall = self.old.clock.wall(place)
            if wall not in found and edge and wall + self.shift >= edge:
                # A gap where the meetings are still to be made.
                found[wall] = wall + self.shift
        return {by_wall[wall]: new for wall, new in found.items()}

    def _spans(self, kept, template):
        """Dict from meeting to (start, stop, allday, its place) as they are to be."""
        was = self._length(self.event, self.event.allday)
        usual = self._length(template, self.event.allday)
        asked = self._length_of(self.start, self.stop, self.allday)
        spans = {}
        for row, wall in kept.items():
            place = self.clock.place(wall)
            start = as_start(place)
            if self.old.at(row) != self.places[row.id]:
                span = (row.start, row.stop, row.allday)
                if row == self.event:
                    span = (self.start, self.stop, self.allday)
                spans[row] = (*span, start)
                continue
            length = self._length(row, self.event.allday)
            if row == self.event or length in (was, usual):
                length = asked if self.is_time_changed else length
            stop = start + length
            if self.allday:
                stop = datetime.combine(start.date() + length, DAY_STOP)
            spans[row] = (start, stop, self.allday, start)
        return spans

    def _length(self, row, allday):
        return self._length_of(row.start, row.stop, allday)

    @staticmethod
    def _length_of(start, stop, allday):
        return stop.date() - start.date() if allday else stop - start

    # -- writing -------------------------------------------------------------

    def _write_series(self, values, last, after, walls):
        """The series with its new rule and gaps; another one for what follows."""
        series = self.series.with_context(**QUIETLY)
        fields_ = {name: values[name] for name in RULE}
        if self.split is None:
            changed = {
                n: v for n, v in fields_.items() if (self.current[n] or False) != (v or False)
            }
            if changed:
                series.write(changed)
            if changed or self.is_time_changed:
                series._ical_raise()
        else:
            self._end_series(series)
            exrules = series.sudo().ical_exrules
            series = series.create(
                {**self.series.copy_data()[0], **fields_, "base_event_id": self.event.id}
            )
            series.sudo().ical_exrules = exrules
        rows = {place for _row, place in self._row_places()}
        gaps = {after[place] for place in self.excluded if place in after}
        given = set(walls)
        added = {after[place] for place in rows if place in after} - given
        whole = series.sudo()
        whole.write(
            {
                "ical_exdates": self._moments(gaps),
                "ical_rdates": self._moments(added),
                "ical_last": last,
                "ical_first": self._new_first(),
                "ical_start": self._new_start(),
            }
        )
        return series

    def _new_start(self):
        """Said where the rows do not tell it: those before are not kept."""
        is_part = self.old.kept() is not None and self.split is None
        return self.new_begin if is_part else False

    def _moments(self, walls):
        return self._texts(map(self.clock.place, walls))

    @staticmethod
    def _texts(places):
        return [as_start(place).isoformat() for place in sorted(places)] or False

    def _end_series(self, series):
        """The series ends before the meeting from which on it is another."""
        series._series_end(as_start(self.split), self.old.allday)
        series.sudo().ical_rdates = self._texts(self.earlier_added)

    def _write_spans(self, series, spans, kept):
        moved = self.event.browse()
        for row, (start, stop, allday, _place) in spans.items():
            values = {}
            if (start, stop, allday) != (row.start, row.stop, row.allday):
                values.update(start=start, stop=stop, allday=allday)
                if allday:
                    values.update(start_date=start.date(), stop_date=stop.date())
                moved += row
            follows = start == spans[row][3] and row.active
            if row.follow_recurrence != follows:
                values["follow_recurrence"] = follows
            if values:
                row.write({"follow_recurrence": follows, **values})
        rows = self.event.concat(*kept)
        if self.split is not None:
            base = self.series.base_event_id
            rows.write({"recurrence_id": series.id})
            rows.sudo().write({"ical_uid": series.sudo().ical_uid, "ical_sequence": 0})
            if base in rows:
                self.series._select_new_base_event()
        self._write_places(spans)
        if self.split is None:
            moved._ical_raise()

    def _write_places(self, spans):
        stay = self.event.browse()
        for row, (start, _stop, _allday, place) in spans.items():
            known = row.sudo()
            if start == place and row.active:
                stay += row if known.ical_recurrence_start else stay.browse()
            elif known.ical_recurrence_start != place:
                known.ical_recurrence_start = place
        stay.sudo().write({"ical_recurrence_start": False})

    def _drop(self, rows):
        """The new rule has no place for them."""
        if not rows:
            return
        rows.write({"active": False, "recurrence_id": False, "follow_recurrence": False})
        # The series keeps its name in other calendars.
        rows.sudo()._ical_renew()

    def _create(self, series, template, walls):
        starts = [as_start(self.clock.place(wall)) for wall in sorted(walls)]
        gaps = series._series_gaps(starts, self.new_begin, self.allday)
        starts = [start for start in starts if start not in gaps]
        if not starts:
            return
        [values] = template.copy_data()
        length = template.stop - template.start
        # Of a record, Odoo would take its guests for those that there are already.
        template.browse().with_context(is_calendar_event_new=True).create(
            [
                {
                    **values,
                    "active": True,
                    "start": start,
                    "stop": start + length,
                    "recurrence_id": series.id,
                    "follow_recurrence": True,
                }
                for start in starts
            ]
        )

"""What of a series does not take place: single dates, and all dates of a rule.

An exception is a place of the series (EXDATE), and its meeting, if there was one, is
cancelled. OpenERP's exception rule (EXRULE, gone from RFC 5545) is kept for the meetings
that are still to be made; to other programs its dates are told one by one.
"""

from datetime import datetime, time, timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..ical.errors import BadRule, LimitExceeded
from ..ical.rules import Rule
from .ical_meeting import named_zone
from .ical_plan import as_start
from .ical_series_pattern import SeriesPattern
from .series_spread import like_most


class CalendarRecurrence(models.Model):
    _inherit = "calendar.recurrence"

    def _series_rows(self):
        """Its meetings, cancelled ones included."""
        return self.env["calendar.event"].with_context(active_test=False).search(
            [("recurrence_id", "in", self.ids)], order="start, id"
        )  # fmt: skip

    def _series_pattern(self):
        """Its SeriesPattern, over the meetings that take place."""
        rows = self._series_rows().sudo()
        rows = rows.filtered("active") or rows
        return SeriesPattern(self, rows, rows[:1].allday, named_zone(self.event_tz))

    def _series_exceptions(self):
        """What does not take place, and what takes place at another time.

        :return: (list of places as ``start``, meetings that were moved)
        """
        self.ensure_one()
        series = self._series_pattern()
        members, pattern = series.pattern()
        gone = {as_start(place) for place in pattern.exdates}
        moved = [member.event.id for member in members if member.at != member.place]
        return (
            sorted(gone | set(self._ical_moments("ical_exdates"))),
            self.env["calendar.event"].browse(moved),
        )

    def _series_end(self, start, allday):
        """No meeting from that place on.

        :param datetime start: the place, as Odoo has it
        """
        clock = self._rule_clock(self._rule_values(), allday)
        place = clock.at(start)
        day = clock.wall(place).date() - timedelta(days=1)
        self.write({"end_type": "end_date", "until": day})
        gaps = [at for at in self._ical_moments("ical_exdates") if clock.at(at) < place]
        self._ical_put_exdates(gaps)
        self.sudo().ical_last = False
        self._ical_raise()

    def _series_gaps(self, starts, begin, allday):
        """Which of these places are left out.

        :param starts: places, as Odoo's ``start``
        :param datetime begin: where the series begins
        :return: set of datetime
        """
        gone = set(self._ical_moments("ical_exdates")).intersection(starts)
        clock = self._rule_clock(self._rule_values(), allday)
        days = {}
        for start in starts:
            days.setdefault(clock.wall(clock.at(start)).date(), []).append(start)
        for text in self.sudo().ical_exrules or ():
            for day in self._exrule_days(
                text, clock.wall(clock.at(begin)), max(days, default=None)
            ):
                gone.update(days.get(day, ()))
        return gone

    def _exrule_days(self, text, begin, last):
        """The days of a rule.

        :param begin: wall time from which on it counts
        :param date last: the last day of interest
        :raises UserError: for one that gives too many
        """
        if last is None:
            return set()
        try:
            rule = Rule.parse(text)
            end = datetime.combine(last, time.max)
            if rule.until is not None:
                until = datetime.combine(fields.Date.to_date(rule.until), time.max)
                end = min(end, until)
            return {wall.date() for wall in rule.walls(begin, begin, end)}
        except (BadRule, LimitExceeded) as error:
            raise UserError(self.env._("This rule cannot be followed.")) from error

    # -- by hand ---------------------------------------------------------------

    def _series_leave_out(self, days):
        """Let the meetings of these days not take place.

        :param days: iterable of date, on the clock of the series
        :raises UserError: when there is none on one of them
        """
        self.ensure_one()
        series = self._series_pattern()
        members, pattern = series.pattern()
        at_day = {}
        for member in members:
            at_day.setdefault(series.clock.wall(member.place).date(), []).append(member.event.id)
        ahead = self._series_days_ahead(series, pattern, days)
        events = self.env["calendar.event"]
        later = []
        for day in sorted(days):
            if day in at_day:
                events += events.browse(at_day[day])
            elif day in ahead:
                later.append(ahead[day])
            else:
                raise UserError(
                    self.env._(
                        "There is no meeting of the series on %(day)s.",
                        day=format_date(self.env, day),
                    )
                )
        active = events.filtered("active")
        if active and not (self._series_rows().filtered("active") - active):
            raise UserError(
                self.env._("Nothing would be left of the series: cancel it as a whole instead.")
            )
        if later:
            self._ical_drop(later)
        active.write({"active": False})

    def _series_days_ahead(self, series, pattern, days):
        """Dict from days, on which meetings are still to be made, to their places."""
        last = self.sudo().ical_last
        if not last or not days or max(days) < last.date():
            return {}
        begin = self.sudo().ical_start or as_start(pattern.start)
        rule = self._rule_of(self._rule_values(), series.clock.wall(series.clock.at(begin)))
        wall = series.clock.wall(series.clock.at(begin))
        first = series.clock.wall(series.clock.at(last))
        try:
            walls = list(rule.walls(wall, first, datetime.combine(max(days), time.max)))
        except LimitExceeded as error:
            raise UserError(self._rule_too_much(error)) from error
        return {each.date(): as_start(series.clock.place(each)) for each in walls}

    def _exrule_hits(self, text):
        """The days of meetings of the series that a rule would take out."""
        series = self._series_pattern()
        members, pattern = series.pattern()
        days = {series.clock.wall(member.place).date() for member in members if member.event.active}
        return days & self._exrule_days(text, series.clock.wall(pattern.start), max(days))

    def _series_leave_out_rule(self, text):
        """Let the meetings on the days of a rule not take place, also those still to be made."""
        self.ensure_one()
        problem = self._rule_problem(text)
        if problem:
            raise UserError(problem)
        days = self._exrule_hits(text)
        if not days and not self.sudo().ical_last:
            raise UserError(self.env._("The rule has no date on which there is a meeting."))
        self._series_leave_out(days)
        known = self.sudo().ical_exrules or []
        if text not in known:
            self.sudo().ical_exrules = [*known, text]

    def _series_forget_rule(self, text):
        """The rule takes nothing out any more; what it has taken out stays so."""
        self.sudo().ical_exrules = [one for one in self.sudo().ical_exrules or () if one != text]

    def _series_bring_back(self, place):
        """Let the meeting of that place take place again.

        :param datetime place: as Odoo's ``start``
        :return: the meeting
        """
        self.ensure_one()
        rows = self._series_rows()
        known = rows.filtered(
            lambda row: not row.active
            and place == (row.sudo().ical_recurrence_start or row.start)
        )[:1]  # fmt: skip
        if known:
            known.active = True
            return known
        usual = like_most(rows)
        [values] = usual.copy_data()
        event = self.env["calendar.event"].with_context(
            skip_contact_description=True, no_mail_to_attendees=True
        ).create(
            {
                **values,
                "active": True,
                "start": place,
                "stop": place + (usual.stop - usual.start),
                "recurrence_id": self.id,
                "follow_recurrence": True,
            }
        )  # fmt: skip
        self._ical_restore([place])
        return event

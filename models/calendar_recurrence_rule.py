"""How a series repeats: Odoo's fields, those that it lacks, and any rule as text.

Owns the way from the fields to a rule and its places. Odoo's own, by dateutil, takes
the first day of the week from the language of whoever saves, and cuts what has no end
at 720 meetings.
"""

import re
from dataclasses import replace

from dateutil import rrule as dateutil_rrule

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..ical.errors import BadRule, LimitExceeded
from ..ical.recurrence import from_fields, to_fields
from ..ical.rules import Rule
from .calendar_ical_identity import FROM_ELSEWHERE, INCOMING
from .calendar_recurrence_identity import RULE
from .ical_kept import original_item
from .ical_meeting import named_zone
from .ical_pattern import Clock
from .ical_plan import as_start, planned
from .ical_rows import MAX_ROWS

WEEK_START = [
    ("0", "Monday"), ("1", "Tuesday"), ("2", "Wednesday"), ("3", "Thursday"), ("4", "Friday"),
    ("5", "Saturday"), ("6", "Sunday"),
]  # fmt: skip
SHORT_MONTH = [("skip", "Leave short months out"), ("last", "On the last day of short months")]
MONTHS = [
    ("1", "January"), ("2", "February"), ("3", "March"), ("4", "April"), ("5", "May"),
    ("6", "June"), ("7", "July"), ("8", "August"), ("9", "September"), ("10", "October"),
    ("11", "November"), ("12", "December"),
]  # fmt: skip
FIFTH = [("4", "Fourth"), ("5", "Fifth")]
#: The fields that Odoo has not got, as a meeting shows them too.
MORE_FIELDS = frozenset({"year_month", "short_month", "workdays_only", "rule_text"})


class CalendarRecurrence(models.Model):
    _inherit = "calendar.recurrence"

    month_by = fields.Selection(selection="_selection_month_by")
    byday = fields.Selection(selection_add=FIFTH)
    year_month = fields.Selection(MONTHS, "Month")
    short_month = fields.Selection(SHORT_MONTH, "Short Months", default="skip")
    workdays_only = fields.Boolean("Working Days Only")
    week_start = fields.Selection(
        WEEK_START,
        "First Day of the Week",
        help="Which days are one week matters where not every week counts.",
    )
    rule_text = fields.Char("Rule", help="A rule that there are no fields for (RFC 5545).")

    @api.model
    def _selection_month_by(self):
        """By a method: Odoo's Spanish has one word for the first two, and it would stay."""
        by_date = self.env._("Day of the month")
        by_weekday = self.env._("Weekday")
        last_day = self.env._("Last day of the month")
        return [("date", by_date), ("day", by_weekday), ("last_day", last_day)]

    @api.model_create_multi
    def create(self, vals_list):
        # A series is the same whoever saves it, and in whatever language.
        return super().create([self._rule_in_fields({"week_start": "0", **v}) for v in vals_list])

    def _rule_in_fields(self, vals):
        """Values of a new series, with ``rrule`` said by the other fields."""
        if not vals.get("rrule"):
            return vals
        event = self.env["calendar.event"].browse(vals.get("base_event_id") or ())
        found = self._rule_from_rrule(vals["rrule"], event, vals)
        return {**{name: value for name, value in vals.items() if name != "rrule"}, **found}

    def write(self, vals):
        if vals.get("rrule_type") and "rule_text" not in vals:
            vals = {**vals, "rule_text": False}
        elif vals.get("rule_text"):
            # What the text says of its end is all there is.
            vals = {"end_type": "forever", **vals, "rrule_type": False}
        return super().write(vals)

    @api.depends(
        "byday", "until", "rrule_type", "month_by", "interval", "count", "end_type", "mon", "tue",
        "wed", "thu", "fri", "sat", "sun", "day", "weekday", *sorted(MORE_FIELDS), "week_start",
    )  # fmt: skip
    def _compute_rrule(self):
        """Not by ``write``, as Odoo does it: what is computed is not to be read back."""
        for recurrence in self:
            recurrence.rrule = recurrence._rrule_serialize()

    @api.constrains(*RULE)
    def _check_rule(self):
        for recurrence in self:
            if not recurrence._ical_is_incoming():
                recurrence._check_rule_values(recurrence._rule_values())

    # -- the rule ------------------------------------------------------------

    def _rule_values(self):
        """The fields of the rule as a dict; a rule that came as text is said as such."""
        self.ensure_one()
        values = {name: self[name] for name in RULE}
        if not values["rrule_type"] and not values["rule_text"]:
            original = original_item(self.sudo().ical_text)
            if original and len(original.rules) == 1:
                # What other programs add to a rule is not for everybody to read.
                rule = Rule.parse(original.rules[0])
                values["rule_text"] = str(replace(rule, other=()))
        return values

    @api.model
    def _rule_of(self, values, start):
        """The rule that the fields say.

        :param dict values: the fields of :data:`RULE`
        :param start: where the series begins, a date or a wall time
        :rtype: Rule
        :raises UserError: when they say none, in words
        """
        self._check_rule_values(values)
        if values.get("rrule_type"):
            return Rule.parse(from_fields(values, start, int(values.get("week_start") or 0)))
        rule = Rule.parse(values["rule_text"])
        if values.get("end_type") == "end_date" and values.get("until"):
            daily = {"rrule_type": "daily", "end_type": "end_date", "until": values["until"]}
            rule = replace(rule, count=None, until=Rule.parse(from_fields(daily, start)).until)
        return rule

    @api.model
    def _rule_places(self, values, start, allday, first=None, room=MAX_ROWS):
        """The places of the rule that the fields say, as far as they have rows at once.

        :param datetime start: where the series begins, as Odoo has it
        :param datetime first: the first place of interest
        :param int room: how many of those to come may have rows
        :return: (list of ``start``, from where on they are still to be made or None)
        :raises UserError: when there is none, in words
        """
        clock = self._rule_clock(values, allday)
        place = clock.at(start)
        rule = self._rule_of(values, place if allday else clock.wall(place))
        try:
            found, last = planned(
                rule, place, clock, fields.Datetime.now(), first and clock.at(first), room
            )
        except LimitExceeded as error:
            raise UserError(self._rule_too_much(error)) from error
        return [as_start(one) for one in found], last and as_start(last)

    @api.model
    def _rule_clock(self, values, allday):
        zone = values.get("event_tz") or self.env.context.get("tz") or self.env.user.tz
        return Clock(None if allday else named_zone(zone))

    def _rrule_serialize(self):
        """RRULE alone: Odoo's has a DTSTART in front, which is when it was saved."""
        self.ensure_one()
        values = self._rule_values()
        if not values["rrule_type"] and not values["rule_text"]:
            return ""
        start = self.base_event_id.start or fields.Datetime.now()
        return f"RRULE:{self._rule_of(values, start)}"

    def _inverse_rrule(self):
        for recurrence in self.filtered("rrule"):
            event = recurrence.base_event_id or recurrence.calendar_event_ids[:1]
            known = {"event_tz": recurrence.event_tz}
            values = self._rule_from_rrule(recurrence.rrule, event, known)
            recurrence.with_context(dont_notify=True).write(values)

    def _rule_from_rrule(self, text, event, values):
        """The fields of a rule that another program has given, for the series of that meeting."""
        text = re.sub(r"^(DTSTART[^\n]*\n)?(RRULE:)?", "", text.strip())
        if not event:
            return {"rrule_type": False, "rule_text": text}
        clock = self._rule_clock(values, event.allday)
        wall = clock.wall(clock.at(event.start))
        return self._rule_from_text(text, wall.date() if event.allday else wall)

    @api.model
    def _rule_from_text(self, text, start):
        """Fields where they say exactly that, else the text."""
        try:
            found = to_fields(text, start, 0)
        except BadRule as error:
            raise UserError(self._rule_problem(text)) from error
        if found:
            return {**found, "rule_text": False}
        return {"rrule_type": False, "rule_text": text, "end_type": "forever"}

    # -- what Odoo asks of it ------------------------------------------------

    def _range_calculation(self, event, duration):
        self.ensure_one()
        places, last = self._rule_places(self._rule_values(), event.start, event.allday)
        series = self.sudo().with_context(**{INCOMING: FROM_ELSEWHERE})
        if series.ical_last != (last or False):
            series.ical_last = last
        gone = self._series_gaps(places, event.start, event.allday)
        return {(start, start + duration) for start in places if start not in gone}

    def _get_occurrences(self, dtstart):
        self.ensure_one()
        return self._rule_places(self._rule_values(), dtstart, self._is_allday())[0]

    def _get_rrule(self, dtstart=None):
        self.ensure_one()
        rule = self._rule_of(self._rule_values(), dtstart or fields.Datetime.now())
        return dateutil_rrule.rrulestr(str(rule), dtstart=dtstart)

    def _get_lang_week_start(self):
        return dateutil_rrule.weekday(int(self[:1].week_start or 0))

    def _get_outliers(self):
        """Those that were moved by themselves, unless that is all there are."""
        moved = self.calendar_event_ids.filtered(
            lambda event: event.ical_recurrence_start not in (False, event.start)
        )
        stay = (self.calendar_event_ids - moved).recurrence_id
        return moved.filtered(lambda event: event.recurrence_id in stay)

    # -- in words ------------------------------------------------------------

    def get_recurrence_name(self):
        if not self.rrule_type:
            values = self._rule_values()
            return values["rule_text"] and self.env._(
                "By the rule %(rule)s", rule=values["rule_text"]
            )
        is_more = (
            (self.rrule_type == "daily" and self.workdays_only)
            or (self.rrule_type == "monthly" and (
                self.month_by == "last_day" or (self.month_by == "date" and self.workdays_only)))
            or (self.rrule_type == "yearly" and self.year_month)
        )  # fmt: skip
        if not is_more:
            return super().get_recurrence_name()
        return self._rule_ending(self._rule_day_words())

    def _rule_label(self, name):
        return dict(self._fields[name]._description_selection(self.env)).get(self[name]) or ""

    def _rule_day_words(self):
        day = self.env._("day %(day)s", day=self.day)
        if self.month_by == "day":
            day = self.env._(
                "the %(position)s %(weekday)s",
                position=self._rule_label("byday"),
                weekday=self._rule_label("weekday"),
            )
        elif self.month_by == "last_day":
            day = self.env._("the last day")
        if self.workdays_only and self.month_by != "day":
            day = self.env._("%(day)s (working days)", day=day)
        if self.rrule_type == "daily":
            return self.env._("Every %(interval)s Days (working days)", interval=self.interval)
        if self.rrule_type == "monthly":
            return self.env._("Every %(interval)s Months: %(day)s", interval=self.interval, day=day)
        month = self._rule_label("year_month")
        return self.env._(
            "Every %(interval)s Years in %(month)s: %(day)s",
            interval=self.interval, month=month, day=day,
        )  # fmt: skip

    def _rule_ending(self, words):
        if self.end_type == "count":
            return self.env._("%(rule)s, %(count)s times", rule=words, count=self.count)
        if self.end_type == "end_date":
            return self.env._(
                "%(rule)s, until %(until)s", rule=words, until=format_date(self.env, self.until)
            )
        return words

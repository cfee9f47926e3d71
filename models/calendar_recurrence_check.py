"""What is wrong with a rule, in words that tell what to write instead."""

from odoo import api, models
from odoo.exceptions import UserError

from ..ical.errors import BadRule, UnsupportedRule
from ..ical.rules import FREQUENCIES, Rule
from .ical_rows import MAX_ROWS

#: Every so many days, weeks, months or years.
MAX_INTERVAL = 999
#: A meeting that takes place more often is a mistake.
TOO_OFTEN = ("SECONDLY", "MINUTELY")
_WEEKDAY_FIELDS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class CalendarRecurrence(models.Model):
    _inherit = "calendar.recurrence"

    @api.model
    def _check_rule_values(self, values):
        """:raises UserError: when the fields say no rule, in words"""
        problem = self._rule_values_problem(values)
        if problem:
            raise UserError(problem)

    def _rule_values_problem(self, values):
        """What is wrong with the fields of a rule, or None."""
        kind = values.get("rrule_type")
        if not kind:
            return self._rule_problem(values.get("rule_text"))
        if not 1 <= values.get("interval", 1) <= MAX_INTERVAL:
            return self.env._(
                "A meeting repeats every 1 to %(most)s days, weeks, months or years.",
                most=MAX_INTERVAL,
            )
        if kind == "weekly" and not any(values.get(name) for name in _WEEKDAY_FIELDS):
            return self.env._("Choose at least one day of the week.")
        if kind == "monthly" or (kind == "yearly" and values.get("year_month")):
            problem = self._rule_day_problem(values)
            if problem:
                return problem
        return self._rule_end_problem(values)

    def _rule_day_problem(self, values):
        month_by = values.get("month_by")
        if month_by == "date" and not 1 <= (values.get("day") or 0) <= 31:
            return self.env._("The day of the month is a number from 1 to 31.")
        if month_by == "day" and not (values.get("weekday") and values.get("byday")):
            return self.env._("Choose which weekday of the month it is.")
        return None

    def _rule_end_problem(self, values):
        end = values.get("end_type")
        if end == "count" and not 1 <= (values.get("count") or 0) <= MAX_ROWS:
            return self.env._(
                "A meeting is repeated 1 to %(most)s times. Choose an end date, or no end, for "
                "more.",
                most=MAX_ROWS,
            )
        if end == "end_date" and not values.get("until"):
            return self.env._("Say until when the meeting is repeated.")
        return None

    @api.model
    def _rule_problem(self, text):
        """What is wrong with a rule as text, or None."""
        if not (text or "").strip():
            return self.env._("Write the rule, for example FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=10")
        if len(text) > 500:
            return self.env._("The rule is longer than 500 characters.")
        try:
            rule = Rule.parse(text)
        except UnsupportedRule:
            return self.env._("The rule counts by another calendar, or moves dates (RSCALE, SKIP).")
        except BadRule:
            return self._rule_part_problem(text)
        if rule.freq in TOO_OFTEN:
            return self.env._("A meeting repeats every hour at most.")
        if rule.count is not None and rule.until is not None:
            return self.env._("The rule ends by COUNT or by UNTIL, not by both.")
        if rule.count == 0:
            return self.env._("COUNT=0 gives no meeting.")
        return None

    def _rule_part_problem(self, text):
        """Which part of it cannot be read, and what would be right."""
        parts = [part.strip() for part in text.strip().upper().split(";") if part.strip()]
        freq = next((part for part in parts if part.startswith("FREQ=")), None)
        if freq is None or freq[5:] not in FREQUENCIES:
            return self.env._("The rule begins with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY.")
        for part in parts:
            try:
                Rule.parse(f"FREQ=DAILY;{part}" if part != freq else part)
            except BadRule:
                return self.env._(
                    "“%(part)s” is no part of a rule. %(hint)s",
                    part=part[:60],
                    hint=self._rule_hint(part.partition("=")[0]),
                )
        return self.env._("The rule cannot be read.")

    def _rule_hint(self, key):
        hints = {
            "BYDAY": self.env._("Weekdays are MO,TU,WE,TH,FR,SA,SU; 2TU is the second Tuesday, "
                                "-1FR the last Friday."),
            "UNTIL": self.env._("The last day is written like 20271231."),
            "INTERVAL": self.env._("A number, such as INTERVAL=2 for every second."),
            "COUNT": self.env._("A number, such as COUNT=10 for ten meetings."),
            "BYMONTHDAY": self.env._("Days are 1 to 31, or -1 for the last one."),
            "BYMONTH": self.env._("Months are 1 to 12."),
            "BYSETPOS": self.env._("A number, such as BYSETPOS=-1 for the last of its dates."),
            "BYHOUR": self.env._("Hours are 0 to 23."),
            "BYMINUTE": self.env._("Minutes are 0 to 59."),
            "WKST": self.env._("The first day of the week, such as WKST=MO."),
        }  # fmt: skip
        return hints.get(key) or self.env._(
            "Parts are FREQ, INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, "
            "separated by semicolons."
        )

    @api.model
    def _rule_too_much(self, error):
        """In words, why a rule was not followed to its end."""
        if error.limit == "occurrences":
            return self.env._(
                "The series has more than %(most)s meetings that are over: let it begin later.",
                most=error.value,
            )
        return self.env._("The rule gives no date, or far too many dates.")

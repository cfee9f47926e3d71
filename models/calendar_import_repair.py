"""What was understood although it was written wrongly, in the user's words."""

from odoo import models


class CalendarImport(models.Model):
    _inherit = "calendar.import"

    def _repair_words(self):
        """Sentences by the code of the repair; see ``ical.errors.REPAIRS``."""
        return {
            "bad_utf8": self.env._("The text is not UTF-8; it was read as Windows text."),
            "control_characters": self.env._("Control characters were left out."),
            "byte_order": self.env._("The text is UTF-16; it was converted."),
            "no_calendar": self.env._("The calendar does not say that it is one."),
            "no_version": self.env._("The calendar names no version."),
            "no_prodid": self.env._("The calendar does not say which program wrote it."),
            "unfolded": self.env._("A line that continues the one before was joined to it."),
            "line_dropped": self.env._("A line that says nothing was left out."),
            "stray_end": self.env._("An end did not belong to its beginning."),
            "no_uid": self.env._("It has no identifier; one was made from its content."),
            "duplicate_uid": self.env._("The file has it twice; the newer one counts."),
            "empty_value": self.env._("An empty value was left out."),
            "value_dropped": self.env._("A value that cannot be read was left out."),
            "repeated": self.env._("It says something twice; the first time counts."),
            "date_without_value": self.env._("A date was not marked as such."),
            "date_with_time": self.env._("A date had a time, which was left out."),
            "time_without_zone": self.env._(
                "The time zone is unknown; the time is taken as yours."
            ),
            "utc_with_zone": self.env._("A time in UTC named a time zone as well; UTC counts."),
            "loose_time": self.env._("A time was written in an unusual way."),
            "no_such_time": self.env._("A time that the clock does not have was moved."),
            "end_kind": self.env._(
                "The start is a day and the end a time, or the other way round."
            ),
            "end_not_after_start": self.env._("It ends when it begins."),
            "end_before_start": self.env._("It ended before it began; both were exchanged."),
            "end_and_duration": self.env._("It has both an end and a duration; the end counts."),
            "bad_rule_part": self.env._("A part of the repetition was put right."),
            "zone_by_offset": self.env._("The time zone is known by its distance from UTC only."),
            "bad_zone": self.env._("A time zone of the file has no usable rules."),
            "quoted_printable": self.env._("Text of an old calendar format was converted."),
            "vcalendar_1": self.env._("It is of an old calendar format and was converted."),
            "bad_alarm": self.env._("A reminder that cannot be read was left out."),
            "attachment_too_large": self.env._("An attachment is too large and was left out."),
            "loose_parameter": self.env._("A detail was written in an unusual way."),
        }

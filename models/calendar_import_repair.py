"""What was understood although it was written wrongly, in the user's words."""

from odoo import models


class CalendarImport(models.Model):
    _inherit = "calendar.import"

    def _repair_words(self):
        """Sentences by the code of the repair; see ``ical.errors.REPAIRS``."""
        _ = self.env._
        return {
            "bad_utf8": _("The text is not UTF-8; it was read as Windows text."),
            "control_characters": _("Control characters were left out."),
            "byte_order": _("The text is UTF-16; it was converted."),
            "no_calendar": _("The calendar does not say that it is one."),
            "no_version": _("The calendar names no version."),
            "no_prodid": _("The calendar does not say which program wrote it."),
            "unfolded": _("A line that continues the one before was joined to it."),
            "line_dropped": _("A line that says nothing was left out."),
            "stray_end": _("An end did not belong to its beginning."),
            "no_uid": _("It has no identifier; one was made from its content."),
            "duplicate_uid": _("The file has it twice; the newer one counts."),
            "empty_value": _("An empty value was left out."),
            "value_dropped": _("A value that cannot be read was left out."),
            "repeated": _("It says something twice; the first time counts."),
            "date_without_value": _("A date was not marked as such."),
            "date_with_time": _("A date had a time, which was left out."),
            "time_without_zone": _("The time zone is unknown; the time is taken as yours."),
            "utc_with_zone": _("A time in UTC named a time zone as well; UTC counts."),
            "loose_time": _("A time was written in an unusual way."),
            "no_such_time": _("A time that the clock does not have was moved."),
            "end_kind": _("The start is a day and the end a time, or the other way round."),
            "end_not_after_start": _("It ends when it begins."),
            "end_before_start": _("It ended before it began; both were exchanged."),
            "end_and_duration": _("It has both an end and a duration; the end counts."),
            "bad_rule_part": _("A part of the repetition was put right."),
            "zone_by_offset": _("The time zone is known by its distance from UTC only."),
            "bad_zone": _("A time zone of the file has no usable rules."),
            "quoted_printable": _("Text of an old calendar format was converted."),
            "vcalendar_1": _("It is of an old calendar format and was converted."),
            "bad_alarm": _("A reminder that cannot be read was left out."),
            "attachment_too_large": _("An attachment is too large and was left out."),
            "loose_parameter": _("A detail was written in an unusual way."),
        }

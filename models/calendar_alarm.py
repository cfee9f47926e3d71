"""Reminders as OpenERP and iCalendar know them: before or after, start or end, again.

Owns what a reminder is. When it is due for whom is ``calendar_reminder_find.py``'s
business, what then happens that of ``calendar_reminder_run.py``.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..ical.alarms import MAX_OFFSET, MAX_REPEAT, MOST_REPEATED, YEARS, Meaning

#: Types that are delivered by the ledger; those of other modules stay theirs.
OURS = ("notification", "email", "activity", "procedure", "sms")
#: Of these a reminder is one for all who take part, not one for each.
FOR_ALL = ("procedure", "sms")
#: What the templates of a reminder's mail are about.
TEMPLATE_MODEL = "calendar.attendee"
_MINUTES = {"minutes": 1, "hours": 60, "days": 1440, "weeks": 10080}
_DAY = 1440
#: The same as for what comes from outside, in minutes.
_MAX_MINUTES = MAX_OFFSET // timedelta(minutes=1)
MAX_ATTACHED = 10 * 2**20
#: A larger file would be in the text of each meeting.
MAX_INLINE = 64 * 2**10


class CalendarAlarm(models.Model):
    _inherit = "calendar.alarm"

    _interval_selection = {"minutes": "Minutes", "hours": "Hours", "days": "Days", "weeks": "Weeks"}

    active = fields.Boolean(
        default=True, help="An archived reminder is not offered any more, and reminds nobody."
    )
    alarm_type = fields.Selection(
        selection_add=[("activity", "To-do in Odoo"), ("procedure", "Procedure (server action)")],
        ondelete={"activity": "set default", "procedure": "set default"},
    )
    interval = fields.Selection(
        selection_add=[("weeks", "Weeks")], ondelete={"weeks": lambda alarms: alarms._to_days()}
    )
    trigger_occurs = fields.Selection(
        [("before", "Before"), ("after", "After")],
        "Triggers",
        required=True,
        default="before",
        help="Whether it reminds before or after that moment.",
    )
    trigger_related = fields.Selection(
        [("start", "The event starts"), ("end", "The event ends")],
        "Related to",
        required=True,
        default="start",
        help="The moment from which the time is reckoned.",
    )
    trigger_at = fields.Datetime(
        "At a Fixed Time", help="At this moment, whenever the meeting or the task is."
    )
    allday_hour = fields.Float(
        "Hour for Whole Days",
        default=9.0,
        help="Of a meeting of whole days people are reminded at this hour of the day before, or "
        "so many days before, in their own time zone.",
    )
    repeat = fields.Integer(help="How often it comes again, until it is dismissed.")
    repeat_minutes = fields.Integer(
        "Every (minutes)",
        default=5,
        help="Minutes from one repetition to the next.",
    )
    server_action_id = fields.Many2one(
        "ir.actions.server",
        "Procedure",
        ondelete="restrict",
        groups="base.group_system",
        help="Runs once for each meeting or task, with the rights of whoever answers for it, and "
        "only if that is who created it, or an administrator created it.",
    )
    attachment = fields.Binary(attachment=True, help="A file that goes with the reminder's mail.")
    attachment_name = fields.Char()
    with_ics = fields.Boolean("With the Calendar File", help="Add the meeting as an .ics file.")

    @api.depends("interval", "duration")
    def _compute_duration_minutes(self):
        for alarm in self:
            alarm.duration_minutes = alarm.duration * _MINUTES.get(alarm.interval, 0)

    def _to_days(self):
        for alarm in self:
            alarm.write({"interval": "days", "duration": alarm.duration * 7})

    @api.onchange(
        "duration", "interval", "alarm_type", "notify_responsible", "trigger_occurs",
        "trigger_related", "trigger_at",
    )  # fmt: skip
    def _onchange_duration_interval(self):
        result = super()._onchange_duration_interval()
        if self.trigger_at:
            kind = dict(self._fields["alarm_type"]._description_selection(self.env))
            self.name = f"{kind.get(self.alarm_type, '')} - {self.trigger_at} UTC"
        elif (self.trigger_occurs, self.trigger_related) != ("before", "start"):
            places = {
                ("before", "end"): self.env._("before the end"),
                ("after", "start"): self.env._("after the start"),
                ("after", "end"): self.env._("after the end"),
            }
            place = places.get((self.trigger_occurs, self.trigger_related))
            self.name = f"{self.name} {place}" if place else self.name
        return result

    # -- checks ---------------------------------------------------------------

    @api.constrains("duration", "interval", "repeat", "repeat_minutes", "trigger_at", "allday_hour")
    def _check_numbers(self):
        for alarm in self:
            if alarm.duration < 0:
                raise ValidationError(self.env._("Say before or after instead of a minus."))
            if not 0 <= alarm.repeat <= MAX_REPEAT or (alarm.repeat and alarm.repeat_minutes < 1):
                raise ValidationError(
                    self.env._(
                        "A reminder comes again up to %(number)s times, some minutes apart.",
                        number=MAX_REPEAT,
                    )
                )
            again = alarm.repeat * alarm.repeat_minutes
            if max(alarm.duration_minutes, again) > _MAX_MINUTES:
                raise ValidationError(
                    self.env._(
                        "A reminder is at most %(days)s days away, its repetitions as well.",
                        days=_MAX_MINUTES // _DAY,
                    )
                )
            if alarm.trigger_at and alarm.trigger_at.year not in YEARS:
                raise ValidationError(
                    self.env._("The fixed time is in a year that nobody lives in.")
                )
            if not 0 <= alarm.allday_hour < 24:
                raise ValidationError(self.env._("The hour for whole days is one of the day."))

    @api.constrains("alarm_type", "repeat")
    def _check_repeated(self):
        for alarm in self:
            most = MOST_REPEATED.get(alarm.alarm_type, MAX_REPEAT)
            if alarm.repeat > most == 0:
                raise ValidationError(self.env._("Procedures and text messages do not come again."))
            if alarm.repeat > most:
                raise ValidationError(
                    self.env._("A mail comes again up to %(number)s times.", number=most)
                )

    @api.constrains("mail_template_id")
    def _check_template(self):
        for alarm in self:
            if alarm.mail_template_id and alarm.mail_template_id.model != TEMPLATE_MODEL:
                raise ValidationError(
                    self.env._("The template of a reminder is one for the attendees of meetings.")
                )

    @api.constrains("attachment")
    def _check_attachment(self):
        for alarm in self.with_context(bin_size=False):
            if alarm.attachment and len(alarm.attachment) * 3 // 4 > MAX_ATTACHED:
                raise ValidationError(self.env._("A reminder's file is at most 10 MB large."))

    def _check_procedure(self, values):
        """Procedures are code: only administrators say which, and when they run.

        :param list values: what is to be written
        """
        if self.env.su or self.env.user.has_group("base.group_system"):
            return
        wanted = any(
            one.get("alarm_type") == "procedure" or "server_action_id" in one for one in values
        )
        if wanted or any(
            alarm.alarm_type == "procedure" or alarm.server_action_id for alarm in self.sudo()
        ):
            raise AccessError(
                self.env._("Only administrators set up reminders that run a procedure.")
            )

    @api.constrains("alarm_type", "server_action_id")
    def _check_has_procedure(self):
        for alarm in self.sudo():
            if alarm.alarm_type == "procedure" and not alarm.server_action_id:
                raise ValidationError(self.env._("Choose the procedure that the reminder runs."))

    @api.model_create_multi
    def create(self, vals_list):
        self._check_procedure(vals_list)
        alarms = super().create(vals_list)
        # Everybody sets default values of his own.
        alarms._check_procedure([])
        return alarms

    def write(self, vals):
        self._check_procedure([vals])
        return super().write(vals)

    def unlink(self):
        self._check_procedure([])
        return super().unlink()

    # -- what it means --------------------------------------------------------

    def _meaning(self, allday=False):
        """What it says for meetings, or for those of whole days.

        :rtype: Meaning
        """
        self.ensure_one()
        repeat = min(self.repeat, MOST_REPEATED.get(self.alarm_type, MAX_REPEAT))
        again = {"repeat": repeat, "every": self.repeat_minutes if repeat else 0}
        if self.trigger_at:
            return Meaning(self.alarm_type, at=self.trigger_at, **again)
        offset, related = self.duration_minutes, self.trigger_related
        if self.trigger_occurs == "before":
            offset = -offset
            if allday and related == "start":
                # 0 is the day itself, anything up to a day the day before.
                offset = offset // _DAY * _DAY + round(self.allday_hour * 60)
        return Meaning(self.alarm_type, offset, related, **again)

    @api.model
    def _values_of(self, meaning, allday=False):
        """Values of a reminder that means this.

        :param Meaning meaning: see there
        """
        values = {
            "alarm_type": meaning.kind, "repeat": meaning.repeat, "duration": 0,
            "interval": "minutes",
        }  # fmt: skip
        if meaning.repeat:
            values["repeat_minutes"] = meaning.every
        if meaning.at is not None:
            return {**values, "trigger_at": meaning.at}
        offset = meaning.offset
        values["trigger_related"] = meaning.related
        is_before = offset < 0 or not offset and not (allday and meaning.related == "start")
        if allday and meaning.related == "start" and (is_before or 0 <= offset < _DAY):
            days = -(offset // _DAY)
            hour = (offset % _DAY) / 60
            return {**values, "duration": days, "interval": "days", "allday_hour": hour}
        values["trigger_occurs"] = "before" if is_before else "after"
        number = abs(offset)
        for interval, minutes in (("days", _DAY), ("hours", 60), ("minutes", 1)):
            if not number % minutes and (number or interval == "minutes"):
                return {**values, "duration": number // minutes, "interval": interval}
        return values

    @api.model
    def _words_of(self, values):
        """The name that a reminder with these values is offered."""
        draft = self.new(values)
        draft._onchange_duration_interval()
        return draft.name

"""The summary in the morning: what the day brings, for each user who wants it.

At his hour, in his language and time zone, and only when there is something. A row of the
ledger for each user and day, so that it comes once.
"""

import logging
from datetime import datetime, time, timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL, format_date, format_datetime, format_time

from ..ical.values import UTC
from .bulk import insert_rows
from .crm_automation_notice_queue import HEADERS
from .crm_automation_rule_moment import LOOKAHEAD
from .ical_meeting import named_zone, utc

_logger = logging.getLogger(__name__)

#: Names the rows of the ledger that are summaries.
KEY = "summary"
#: So late it is no summary of the morning any more.
LATE = timedelta(hours=4)
_DAY = timedelta(days=1)
#: Lines of one kind that it lists.
MAX_LINES = 50


class ResUsers(models.Model):
    _inherit = "res.users"

    reminder_summary = fields.Boolean(
        "Summary of the Day",
        help="A mail in the morning: today's meetings, and the tasks and activities that are due. "
        "Only on days that bring something.",
    )
    reminder_summary_hour = fields.Float(
        "At",
        default=7.5,
        help="The hour in your time zone at which it leaves.",
    )

    _reminder_summary_idx = models.Index("(id) WHERE reminder_summary AND active")
    _reminder_summary_hour_check = models.Constraint(
        "CHECK (reminder_summary_hour >= 0 AND reminder_summary_hour < 24)",
        "The hour of the summary is one of the day.",
    )

    @property
    def SELF_READABLE_FIELDS(self):
        return super().SELF_READABLE_FIELDS + ["reminder_summary", "reminder_summary_hour"]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return super().SELF_WRITEABLE_FIELDS + ["reminder_summary", "reminder_summary_hour"]

    def write(self, vals):
        result = super().write(vals)
        if "reminder_summary" in vals or "reminder_summary_hour" in vals:
            self.env["calendar.reminder"].sudo()._wake_finder()
        return result

    def _reminder_summary_moment(self, day):
        """When a user's summary of a day is due, naive UTC."""
        # The last half minute of a day belongs to its last minute.
        minutes = min(round(self.reminder_summary_hour * 60), 1439)
        at = datetime.combine(day, time(minutes // 60, minutes % 60), named_zone(self.tz))
        return at.astimezone(UTC).replace(tzinfo=None)


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    kind = fields.Selection(
        selection=lambda self: [
            *self.env["calendar.alarm"]._fields["alarm_type"]._description_selection(self.env),
            (KEY, self.env._("Summary of the day")),
        ],
        help="How people are reminded.",
    )

    @api.model
    def _enqueue_due(self, now):
        number = super()._enqueue_due(now)
        return number + self._enqueue_summaries(now)

    @api.model
    def _enqueue_summaries(self, now):
        """Insert the summaries that are due until the next look."""
        rows = []
        domain = [("reminder_summary", "=", True), ("share", "=", False)]
        for user in self.env["res.users"].sudo().search(domain):
            try:
                rows += self._summary_rows(user, now)
            except (ValueError, OverflowError):
                # It is one transaction for all: one user's settings are to stop nobody else's.
                _logger.exception("Summary of user %s cannot be planned", user.id)
        insert_rows(self, rows, SQL("ON CONFLICT DO NOTHING"))
        if rows and min(row["due_at"] for row in rows) <= now:
            self.env["crm.automation.firing"]._wake()
        return len(rows)

    @api.model
    def _summary_rows(self, user, now):
        today = utc(now).astimezone(named_zone(user.tz)).date()
        rows = []
        for day in (today, today + _DAY):
            moment = user._reminder_summary_moment(day)
            if now - LATE <= moment <= now + LOOKAHEAD:
                rows.append(
                    {
                        "own_key": KEY, "kind": KEY, "res_model": user._name,
                        "res_id": user.id, "partner_id": user.partner_id.id, "number": 0,
                        "snooze": 0, "base_at": datetime.combine(day, time()),
                        "due_at": moment, "run_at": moment, "state": "pending", "tries": 0,
                    }
                )  # fmt: skip
        return rows

    def _moments(self):
        summaries = self.filtered(lambda row: row.kind == KEY)
        found = super(CalendarReminder, self - summaries)._moments()
        for row in summaries:
            user = row._record()
            is_wanted = user.active and not user.share and user.reminder_summary
            found[row] = user._reminder_summary_moment(row.base_at.date()) if is_wanted else None
        return found

    def _expire(self, now):
        summaries = self.filtered(lambda row: row.kind == KEY)
        late = summaries.filtered(lambda row: row.due_at < now - LATE)
        late._finish("expired", self.env._("It would have come too late."))
        return late | super(CalendarReminder, self - summaries)._expire(now)

    # -- the mail -------------------------------------------------------------------

    def _deliver_summary(self):
        mails = []
        for row in self:
            user = row._record()
            speaker = row.with_user(user).with_context(
                lang=user.lang, tz=user.tz or "UTC", allowed_company_ids=user.company_ids.ids
            )
            parts = speaker._summary_parts(user, row.base_at.date())
            if not any(lines for _title, _count, lines in parts):
                row._finish("skipped", self.env._("There is nothing on this day."))
            elif not user.email_normalized:
                row._finish(
                    "skipped", self.env._("%(name)s has no valid e-mail address.", name=user.name)
                )
            else:
                mails.append((row, speaker._summary_mail(user, row.base_at.date(), parts)))
        made = self.env["mail.mail"].sudo().create([values for _row, values in mails])
        for (row, _values), mail in zip(mails, made, strict=True):
            row.mail_id = mail
        self.browse([row.id for row, _values in mails])._finish("done")
        if made:
            self.env["crm.automation.rule"]._call_mail_queue()

    @api.model
    def _summary_parts(self, user, day):
        """List of (title, short count, lines), of what the user may see himself."""
        zone = named_zone(user.tz)
        begin, end = (
            datetime.combine(one, time(), zone).astimezone(UTC).replace(tzinfo=None)
            for one in (day, day + _DAY)
        )
        meetings = self._summary_meetings(user, day, begin, end)
        tasks = self._summary_tasks(user, end)
        overdue = tasks.filtered(lambda task: task.date_deadline < begin)
        tasks -= overdue
        todos = self._summary_todos(user, day)
        late = todos.filtered(lambda todo: todo.date_deadline < day)
        todos -= late
        return [
            (
                self.env._("Meetings"), self.env._("meetings: %(number)s", number=len(meetings)),
                self._summary_lines(meetings, user),
            ),
            (
                self.env._("Tasks due today"),
                self.env._("tasks due: %(number)s", number=len(tasks)),
                self._summary_lines(tasks, user, "HH:mm"),
            ),
            (
                self.env._("Activities due today"),
                self.env._("activities due: %(number)s", number=len(todos)),
                self._summary_todo_lines(todos),
            ),
            (
                self.env._("Overdue"),
                self.env._("overdue: %(number)s", number=len(overdue) + len(late)),
                self._summary_lines(overdue, user) + self._summary_todo_lines(late, "d MMM"),
            ),
        ]  # fmt: skip

    @api.model
    def _summary_meetings(self, user, day, begin, end):
        """Those of the day that the user has not declined.

        :param begin, end: of the day, naive UTC
        """
        return self.env["calendar.event"].search(
            [
                ("attendee_ids", "any", [("partner_id", "=", user.partner_id.id),
                                         ("state", "not in", ("declined", "delegated"))]),
                "|", "&", "&", ("allday", "=", False), ("start", "<", end), ("stop", ">", begin),
                "&", "&", ("allday", "=", True), ("start_date", "<=", day),
                ("stop_date", ">=", day),
            ], order="start", limit=MAX_LINES,
        )  # fmt: skip

    @api.model
    def _summary_tasks(self, user, end):
        return self.env["project.task"].search(
            [
                ("user_ids", "in", user.ids), ("date_deadline", "<", end),
                ("state", "not in", ("1_done", "1_canceled")),
            ], order="date_deadline", limit=MAX_LINES,
        )  # fmt: skip

    @api.model
    def _summary_todos(self, user, day):
        return self.env["mail.activity"].search(
            [("user_id", "=", user.id), ("date_deadline", "<=", day)],
            order="date_deadline", limit=MAX_LINES,
        )  # fmt: skip

    @api.model
    def _summary_lines(self, records, user, time_format="d MMM, HH:mm"):
        """List of (when, name, record), of meetings or tasks."""
        return [
            (self._summary_time(one, user, time_format), one.display_name, one) for one in records
        ]

    @api.model
    def _summary_todo_lines(self, todos, date_format=None):
        """The same of activities; without a format they are of the day."""
        return [
            (
                format_date(self.env, one.date_deadline, date_format=date_format)
                if date_format else "",
                f"{one.summary or one.activity_type_id.name}: {one.res_name or ''}",
                one,
            )
            for one in todos
        ]  # fmt: skip

    @api.model
    def _summary_time(self, record, user, time_format):
        tz = user.tz or "UTC"
        if record._name == "calendar.event":
            if record.allday:
                return self.env._("All day")
            return format_time(self.env, record.start, tz=tz, time_format="HH:mm")
        return format_datetime(self.env, record.date_deadline, tz=tz, dt_format=time_format)

    @api.model
    def _summary_mail(self, user, day, parts):
        """Values of the mail."""
        counts = ", ".join(count for _title, count, lines in parts if lines)
        subject = self.env._("Today: %(counts)s", counts=counts)
        company = user.company_id
        base = self.get_base_url()
        shown = [
            (title, [
                (when, name, f"{base}/mail/view?model={one._name}&res_id={one.id}"
                 if one._name != "mail.activity" else
                 f"{base}/mail/view?model={one.res_model}&res_id={one.res_id}")
                for when, name, one in lines
            ])
            for title, _count, lines in parts if lines
        ]  # fmt: skip
        body = self.env["ir.qweb"]._render(
            "crm_automation.reminder_summary",
            {
                "company": company, "parts": shown, "zone": user.tz or "UTC",
                "day": format_date(self.env, day, date_format="EEEE d MMMM y"),
            },
        )  # fmt: skip
        return {
            "subject": subject,
            "body_html": Markup(body),  # noqa: S704 - rendered by QWeb
            "email_from": company.email_formatted or user.email_formatted,
            "recipient_ids": [fields.Command.set(user.partner_id.ids)],
            "headers": repr(HEADERS),
            "auto_delete": True,
        }

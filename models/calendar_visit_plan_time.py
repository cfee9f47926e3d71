"""When there is time for visits: working hours, holidays, leave, and what is booked.

Owns the look into working hours and calendars, for all persons at once. The search for
a free hour is in ``engine/diary.py``.
"""

import datetime
from collections import defaultdict
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..engine.diary import Diary
from .calendar_visit_plan import WEEKDAYS

DAY = datetime.timedelta(days=1)
UTC = datetime.timezone.utc


class Booked(NamedTuple):
    """A meeting for which somebody has no time for others; all day, or from a moment on."""

    start: datetime.datetime
    stop: datetime.datetime
    allday: bool


class CalendarVisitPlan(models.Model):
    _inherit = "calendar.visit.plan"

    mon = fields.Boolean(default=True, help="Whether visits are made on this day of the week.")
    tue = fields.Boolean(default=True, help="Whether visits are made on this day of the week.")
    wed = fields.Boolean(default=True, help="Whether visits are made on this day of the week.")
    thu = fields.Boolean(default=True, help="Whether visits are made on this day of the week.")
    fri = fields.Boolean(default=True, help="Whether visits are made on this day of the week.")
    sat = fields.Boolean(help="Whether visits are made on this day of the week.")
    sun = fields.Boolean(help="Whether visits are made on this day of the week.")
    hour_from = fields.Float(
        "From Hour",
        required=True,
        default=9,
        help="No visit begins before this hour, in the time zone of whoever makes it.",
    )
    hour_to = fields.Float(
        "To Hour", required=True, default=18, help="In the time zone of who visits."
    )
    travel_minutes = fields.Integer(
        "Minutes Between Meetings", default=15, help="Kept free before and after each visit."
    )
    per_day = fields.Integer("Visits a Day at Most", default=6, help="0: no limit.")

    @api.constrains("hour_from", "hour_to", "duration", *WEEKDAYS)
    def _check_hours(self):
        for plan in self:
            if not 0 <= plan.hour_from < plan.hour_to <= 24:
                raise ValidationError(
                    self.env._("The hours of the visits are between 0:00 and 24:00.")
                )
            if not 0 < plan.duration <= plan.hour_to - plan.hour_from:
                raise ValidationError(
                    self.env._("A visit has to fit into the hours of the day that are chosen.")
                )
            if not any(plan[day] for day in WEEKDAYS):
                raise ValidationError(self.env._("Choose at least one day of the week."))

    def _length(self):
        return datetime.timedelta(minutes=round(self.duration * 60))

    def _zone(self, user):
        """The time zone in which somebody works."""
        return ZoneInfo(user.tz or self._working_calendar(user).tz or "UTC")

    def _working_calendar(self, user):
        company = user.company_id if self.company_id not in user.company_ids else self.company_id
        return (user.resource_calendar_id or company.resource_calendar_id).sudo()

    def _diaries(self, users, first, last):
        """The free time of each, within the days and hours of the plan.

        :param users: ``res.users`` (sudo)
        :param date first: first day
        :param date last: last day
        :return: dict from user to Diary
        :raises UserError: when nobody has any
        """
        self.ensure_one()
        gap = datetime.timedelta(minutes=self.travel_minutes)
        hours = self._work_intervals(users, first, last)
        diaries = {
            user: Diary(self._plan_hours(user, hours[user]), self._length(), gap, self.per_day)
            for user in users
        }
        if users and not any(diary.free for diary in diaries.values()):
            raise UserError(
                self.env._(
                    "The working hours “%(calendar)s” leave no time for a visit on the days of "
                    "the week and the hours that are chosen.",
                    calendar=", ".join(
                        {self._working_calendar(user).name or "-" for user in users}
                    ),
                )
            )
        for user, booked in self._booked(users, first, last).items():
            self._block(diaries[user], booked)
        for user, days in self._visit_days(users, first, last).items():
            for day in days:
                diaries[user].count(day)
        return diaries

    @api.model
    def _block(self, diary, booked):
        for one in booked:
            if one.allday:
                diary.block_days(one.start.date(), one.stop.date())
            else:
                diary.block(one.start, one.stop)

    def _plan_hours(self, user, intervals):
        """His working hours, cut to the days and hours of the plan.

        :return: dict from date to a list of (begin, end), naive UTC
        """
        zone = self._zone(user)
        wanted = [self[day] for day in WEEKDAYS]
        work = defaultdict(list)
        for start, stop in intervals:
            # Whoever works over midnight is not visiting then.
            day = start.astimezone(zone).date()
            if not wanted[day.weekday()]:
                continue
            midnight = datetime.datetime.combine(day, datetime.time(), zone)
            low = max(start, self._at_hour(midnight, self.hour_from))
            high = min(stop, self._at_hour(midnight, self.hour_to))
            if low < high:
                work[day].append(
                    tuple(at.astimezone(UTC).replace(tzinfo=None) for at in (low, high))
                )
        return work

    def _at_hour(self, midnight, hour):
        """The moment when clocks show that hour of the day."""
        return (midnight.replace(tzinfo=None) + datetime.timedelta(hours=hour)).replace(
            tzinfo=midnight.tzinfo
        )

    def _work_intervals(self, users, first, last):
        """Working hours without holidays and leave. Hook for extensions.

        :return: dict from user to a list of (begin, end), with time zone
        """
        result, together = {}, defaultdict(list)
        for user in users:
            together[self._working_calendar(user), self._zone(user).key].append(user)
        for (calendar, key), members in together.items():
            zone = pytz.timezone(key)
            begin = zone.localize(datetime.datetime.combine(first, datetime.time()))
            end = zone.localize(datetime.datetime.combine(last + DAY, datetime.time()))
            if not calendar:
                whole = self._whole_days(zone, first, last)
                result.update(dict.fromkeys(members, whole))
                continue
            resources = {user: self._resource(user) for user in members}
            found = calendar._work_intervals_batch(
                begin, end, resources=self.env["resource.resource"].union(*resources.values()),
                tz=zone,
            )  # fmt: skip
            # Of those without leave of their own, one list serves all.
            lists = {
                res_id: [(start, stop) for start, stop, _hours in intervals]
                for res_id, intervals in found.items()
            }
            result.update({user: lists[resource.id] for user, resource in resources.items()})
        return result

    def _resource(self, user):
        """Him as Odoo's working hours know him, with his leave (sudo); may be empty."""
        mine = user.resource_ids.sudo()
        return (mine.filtered(lambda one: one.company_id == self.company_id) or mine)[:1]

    @api.model
    def _whole_days(self, zone, first, last):
        """Without working hours, the plan's own days and hours are all there is."""
        days = (first + number * DAY for number in range((last - first).days + 1))
        midnights = (datetime.datetime.combine(day, datetime.time()) for day in days)
        return [
            (zone.localize(at), zone.localize(at + DAY - datetime.timedelta(minutes=1)))
            for at in midnights
        ]

    @api.model
    def _booked(self, users, first, last):
        """What is in their calendars, private meetings included.

        :return: dict from user to a list of Booked
        """
        if not users:
            return {}
        self.env["calendar.event"].flush_model()
        self.env["calendar.attendee"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT attendee.partner_id, event.start, event.stop, event.allday
                  FROM calendar_event event
                  JOIN calendar_attendee attendee ON attendee.event_id = event.id
                 WHERE attendee.partner_id IN %s AND event.active AND event.show_as = 'busy'
                   AND COALESCE(attendee.state, '') <> 'declined'
                   AND event.stop > %s AND event.start < %s
                """,
                users.partner_id._ids,
                datetime.datetime.combine(first - DAY, datetime.time()),
                datetime.datetime.combine(last + 2 * DAY, datetime.time()),
            )
        )
        by_partner = {user.partner_id.id: user for user in users}
        result = defaultdict(list)
        for partner_id, start, stop, allday in self.env.cr.fetchall():
            result[by_partner[partner_id]].append(Booked(start, stop, bool(allday)))
        return result

    @api.model
    def _visit_days(self, users, first, last):
        """The days of the visits that they have already, of any plan.

        :return: dict from user to a list of dates, one for each visit
        """
        visits = self.env["calendar.visit"].sudo().search_fetch(
            [("user_id", "in", users.ids), ("state", "=", "booked"),
             ("start", ">=", first - DAY), ("start", "<", last + 2 * DAY)],
            ["user_id", "start"],
        )  # fmt: skip
        zones = {user: self._zone(user) for user in users}
        result = defaultdict(list)
        for visit in visits:
            moment = visit.start.replace(tzinfo=UTC).astimezone(zones[visit.user_id])
            result[visit.user_id].append(moment.date())
        return result

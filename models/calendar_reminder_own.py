"""Reminders that a user has set in his own program: his, and not everybody's.

What his program has sent of a meeting (``caldav.overlay``) takes the place of the shared
notifications, for him alone: in what his programs read, and here. Mails go on, as they are
what the organizer wants. Owns the table that says what is in the overlays, which the
finder asks, and its part in the finder.
"""

import hashlib
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..ical.alarms import MAX_OFFSET, Meaning, from_meaning, to_meaning
from ..ical.overlay import own_alarms
from ..ical.values import UTC, is_date
from .calendar_reminder_find import Due, Timing
from .ical_meeting import named_zone
from .ical_row import DAY_START

#: More than whole days, zones and clocks can shift a moment.
SLACK = timedelta(days=2)


class CalendarReminderOwn(models.Model):
    """A row for each reminder; one without ``kind`` says that the user has no reminder of
    this meeting, or of this one of the series."""

    _name = "calendar.reminder.own"
    _description = "Reminder That a User Has Set in His Own Program"
    _log_access = False

    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    uid = fields.Char("UID", required=True)
    place = fields.Datetime(help="Of one meeting of a series: where the series has it.")
    key = fields.Char(index=True)
    kind = fields.Char()
    minutes = fields.Integer()
    related = fields.Char()
    moment = fields.Datetime()
    repeat = fields.Integer()
    every = fields.Integer()

    _whose = models.Index("(uid, user_id)")

    @api.model
    def _note(self, user, uid, text):
        """Note what is in a user's part of an object.

        :param str text: as ``ical.overlay.own_part`` gives it, or None
        """
        self.env.cr.execute(
            SQL("DELETE FROM calendar_reminder_own WHERE user_id = %s AND uid = %s", user.id, uid)
        )
        rows = []
        zone = named_zone(user.tz)
        for place, alarms in own_alarms(text) if text else ():
            common = {"user_id": user.id, "uid": uid, "place": _naive(place, zone)}
            meanings = {meaning for alarm in alarms if (meaning := to_meaning(alarm))}
            rows += [{**common, **_columns(common, meaning)} for meaning in meanings or [None]]
        if rows:
            columns = sorted(rows[0])
            self.env.cr.execute(
                SQL(
                    "INSERT INTO calendar_reminder_own (%s) VALUES %s",
                    SQL(", ").join(map(SQL.identifier, columns)),
                    SQL(", ").join(SQL("%s", tuple(row[name] for name in columns)) for row in rows),
                )
            )
        self.invalidate_model(flush=False)
        self.env["calendar.reminder"]._wake_finder()

    def _timings(self, allday):
        """The timings of these reminders, by key and repetition."""
        found = []
        for own in self:
            meaning = own._meaning()
            alarm = from_meaning(meaning, "")
            found += [
                Timing(None, "notification", alarm, number, allday, own.key)
                for number in range(meaning.repeat + 1)
            ]
        return found

    def _meaning(self):
        return Meaning(
            "notification", None if self.moment else self.minutes, self.related,
            self.moment or None, self.repeat, self.every,
        )  # fmt: skip


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    @api.model
    def _candidates(self, alarms, first, last, partners, with_known):
        yield from super()._candidates(alarms, first, last, partners, with_known)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT own.id, event.allday, event.id, person.partner_id, event.start, event.stop,
                       event.create_date
                  FROM calendar_reminder_own own
                  JOIN res_users person ON person.id = own.user_id AND person.active
                  JOIN calendar_event event ON event.active AND event.ical_uid = own.uid
                       AND %(place)s
                  JOIN calendar_attendee guest ON guest.event_id = event.id
                       AND guest.partner_id = person.partner_id
                       AND COALESCE(guest.state, '') NOT IN ('declined', 'delegated')
                 WHERE own.kind IS NOT NULL
                   AND COALESCE(own.moment,
                                CASE own.related WHEN 'end' THEN event.stop ELSE event.start END
                                + own.minutes * interval '1 minute')
                       BETWEEN %(first)s - LEAST(own.repeat::bigint * own.every, %(longest)s)
                                         * interval '1 minute'
                           AND %(last)s
                """,
                place=self._own_place(),
                # Whole days, zones and clocks: the moment itself is reckoned after this.
                first=first - SLACK,
                last=last + SLACK,
                # Rows of before there was a limit are to stop nobody's reminders.
                longest=MAX_OFFSET // timedelta(minutes=1),
            )
        )
        owns = self.env["calendar.reminder.own"].sudo().browse({row[0] for row in rows})
        timings = {
            (own.id, allday): own._timings(allday) for own in owns for allday in (False, True)
        }
        found = []
        for own_id, allday, res_id, partner_id, start, stop, created in rows:
            for timing in timings[own_id, bool(allday)]:
                base = stop if timing.alarm.related == "END" else start
                if partners is None or partner_id in partners.ids:
                    found.append(
                        Due(timing, "calendar.event", res_id, partner_id, None, base, created)
                    )
        known = set() if with_known else self._known_own({due.key for due in found})
        yield from (due for due in found if due.key not in known)

    @api.model
    def _own_place(self):
        """SQL condition: the reminder ``own`` is one of the meeting ``event``."""
        place = SQL("COALESCE(event.ical_recurrence_start, event.start)")
        return SQL(
            """
            (own.place = %(place)s OR own.place IS NULL AND NOT EXISTS (
                SELECT FROM calendar_reminder_own one
                 WHERE one.uid = own.uid AND one.user_id = own.user_id AND one.place = %(place)s))
            """,
            place=place,
        )

    @api.model
    def _known_own(self, keys):
        """Keys of those that the ledger has already."""
        rows = self.search_fetch(
            [("own_key", "in", list({key[3] for key in keys})), ("snooze", "=", 0),
             ("state", "!=", "cancelled")],
            ["res_model", "res_id", "own_key", "partner_id", "base_at", "number"],
        )  # fmt: skip
        return {
            (row.res_model, row.res_id, None, row.own_key, row.partner_id.id, None, row.base_at,
             row.number)
            for row in rows
        }  # fmt: skip

    def _timings_of_rows(self):
        found = super()._timings_of_rows()
        keys = [row.own_key for row in self if row.own_key and not row.alarm_id]
        if keys:
            owns = self.env["calendar.reminder.own"].sudo().search([("key", "in", keys)])
            found |= {
                (timing.own_key, timing.number, allday): timing
                for allday in (False, True)
                for timing in owns._timings(allday)
            }
        return found


class CaldavOverlay(models.Model):
    _inherit = "caldav.overlay"

    @api.model
    def _put(self, user, uid, text):
        is_changed = super()._put(user, uid, text)
        if is_changed:
            self.env["calendar.reminder.own"].sudo()._note(user, uid, text)
        return is_changed


def _columns(common, meaning):
    """The columns of a reminder, or of none."""
    if meaning is None:
        return dict.fromkeys(("key", "kind", "minutes", "related", "moment", "repeat", "every"))
    words = repr((common["user_id"], common["uid"], str(common["place"]), meaning))
    return {
        "key": hashlib.sha256(words.encode()).hexdigest()[:32],
        "kind": "notification",
        "minutes": meaning.offset or 0,
        "related": meaning.related,
        "moment": meaning.at,
        "repeat": meaning.repeat,
        "every": meaning.every,
    }


def _naive(place, zone):
    """A RECURRENCE-ID as Odoo has the places of meetings, or None."""
    if place is None:
        return None
    if is_date(place):
        return datetime.combine(place, DAY_START)
    place = place if place.tzinfo is not None else place.replace(tzinfo=zone)
    return place.astimezone(UTC).replace(tzinfo=None)

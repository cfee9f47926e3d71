"""Reminders that a user has set in his own program: his, and not everybody's.

What his program has sent of a meeting or to-do (``caldav.overlay``) takes the place of the shared
notifications, for him alone: in what his programs read, and here. Mails go on, as they are
what the organizer wants. Owns the table that says what is in the overlays, which the
finder asks, and its part in the finder.
"""

import hashlib
import logging
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..ical.alarms import MAX_OFFSET, Meaning, from_meaning, to_meaning
from ..ical.errors import IcalError
from ..ical.items import Todo
from ..ical.overlay import own_alarms
from ..ical.values import UTC, is_date
from .calendar_reminder_find import Due, Timing
from .calendar_reminder_todo import OWN_COLUMNS
from .ical_meeting import named_zone
from .ical_row import DAY_START
from .ical_taken import alarms_of

_logger = logging.getLogger(__name__)

#: More than whole days, zones and clocks can shift a moment.
SLACK = timedelta(days=2)
#: Rows of one object: all of one's own, of each of its meetings.
MAX_ROWS = 1000


class CalendarReminderOwn(models.Model):
    """A row for each reminder; one without ``kind`` says that the user has no reminder of
    this meeting or to-do, or of this one of the series."""

    _name = "calendar.reminder.own"
    _description = "Reminder That a User Has Set in His Own Program"
    _log_access = False

    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    uid = fields.Char("UID", required=True)
    task_id = fields.Many2one("project.task", ondelete="cascade", index="btree_not_null")
    activity_id = fields.Many2one("mail.activity", ondelete="cascade", index="btree_not_null")
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
        todo = self._todo(user, uid, text)
        for place, alarms in own_alarms(text) if text else ():
            common = {"user_id": user.id, "uid": uid, "place": _naive(place, zone), **todo}
            meanings = set(map(to_meaning, alarms_of(alarms)))
            rows += [{**common, **_columns(common, meaning)} for meaning in meanings or [None]]
            if len(rows) >= MAX_ROWS:
                break
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

    @api.model
    def _note_all(self):
        """Note what is in the overlays and in the to-dos from before there was this table."""
        noted = SQL(
            "SELECT FROM calendar_reminder_own own"
            " WHERE own.user_id = overlay.user_id AND own.uid = overlay.uid"
        )
        rows = self.env.execute_query(
            SQL("SELECT id FROM caldav_overlay overlay WHERE NOT EXISTS (%s)", noted)
        )
        for overlay in self.env["caldav.overlay"].browse(row[0] for row in rows):
            self._try(overlay, lambda one: self._note(one.user_id, one.uid, one.text))
        sources = self.env["calendar.ical.source"].search(
            [("component", "=", Todo.NAME), ("text", "ilike", "BEGIN:VALARM")]
        )
        for source in sources:
            self._try(source, lambda one: one._take_reminders())
        # They say the reminders that came with them as everybody's.
        self.env.cr.execute("DELETE FROM caldav_object WHERE sees = 'todo'")

    def _try(self, record, do):
        """One text that cannot be read is to stop nobody else's reminders."""
        try:
            with self.env.cr.savepoint():
                do(record)
        except IcalError:
            _logger.warning("The reminders in %s cannot be read", record, exc_info=True)

    @api.model
    def _todo(self, user, uid, text):
        """Values of the columns that say which task or activity it is."""
        values = dict.fromkeys(OWN_COLUMNS.values())
        if text and f"BEGIN:{Todo.NAME}" in text:
            found = self.env["caldav.collection"].sudo()._todos_of(user, [uid])
            record, _text = found.get(uid, (None, None))
            if record:
                values[OWN_COLUMNS[record._name]] = record.id
        return values

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
        rows = []
        for query in self._own_queries():
            rows += self.env.execute_query(
                SQL(
                    """
                    SELECT id, allday, res_model, res_id, partner_id, start, stop, created
                      FROM (%(query)s) AS found
                     WHERE kind IS NOT NULL
                       AND COALESCE(moment,
                                    CASE related WHEN 'end' THEN stop ELSE start END
                                    + minutes * interval '1 minute')
                           BETWEEN %(first)s - LEAST(repeat::bigint * every, %(longest)s)
                                             * interval '1 minute'
                               AND %(last)s
                    """,
                    query=query,
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
        for own_id, allday, model, res_id, partner_id, start, stop, created in rows:
            for timing in timings[own_id, bool(allday)]:
                base = stop if timing.alarm.related == "END" else start
                if base and (partners is None or partner_id in partners.ids):
                    found.append(Due(timing, model, res_id, partner_id, None, base, created))
        known = set() if with_known else self._known_own({due.key for due in found})
        yield from (due for due in found if due.key not in known)

    @api.model
    def _own_queries(self):
        """SQL of own reminders with what they are about: of meetings, tasks and activities."""
        own = SQL("own.id, own.kind, own.related, own.minutes, own.moment, own.repeat, own.every")
        return [
            SQL(
                """
                SELECT %s, event.allday, 'calendar.event' AS res_model, event.id AS res_id,
                       person.partner_id, event.start, event.stop, event.create_date AS created
                  FROM calendar_reminder_own own
                  JOIN res_users person ON person.id = own.user_id AND person.active
                  JOIN calendar_event event ON event.active AND event.ical_uid = own.uid
                       AND %s
                  JOIN calendar_attendee guest ON guest.event_id = event.id
                       AND guest.partner_id = person.partner_id
                       AND COALESCE(guest.state, '') NOT IN ('declined', 'delegated')
                 WHERE own.task_id IS NULL AND own.activity_id IS NULL
                """,
                own,
                self._own_place(),
            ),
            SQL(
                """
                SELECT %s, FALSE AS allday, 'project.task' AS res_model, task.id AS res_id,
                       person.partner_id,
                       COALESCE(task.planned_date_start, task.date_deadline) AS start,
                       task.date_deadline AS stop, task.create_date AS created
                  FROM calendar_reminder_own own
                  JOIN res_users person ON person.id = own.user_id AND person.active
                  JOIN project_task task ON task.id = own.task_id AND task.active
                       AND task.state NOT IN ('1_done', '1_canceled')
                  JOIN project_task_user_rel works
                       ON works.task_id = task.id AND works.user_id = own.user_id
                 WHERE own.place IS NULL
                """,
                own,
            ),
            SQL(
                """
                SELECT %s, TRUE AS allday, 'mail.activity' AS res_model, activity.id AS res_id,
                       person.partner_id, activity.date_deadline::timestamp AS start,
                       activity.date_deadline::timestamp AS stop, activity.create_date AS created
                  FROM calendar_reminder_own own
                  JOIN res_users person ON person.id = own.user_id AND person.active
                  JOIN mail_activity activity ON activity.id = own.activity_id
                       AND activity.active AND activity.user_id = own.user_id
                 WHERE own.place IS NULL
                """,
                own,
            ),
        ]

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

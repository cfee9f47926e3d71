"""Which reminders are due soon, for whom, and when exactly.

The database is asked for the meetings and tasks that begin or end in a window, through
the index on that date; the moment itself is reckoned as calendar programs do it
(``ical.alarms.times``), so that a phone and Odoo speak at the same time.
"""

import datetime
from dataclasses import dataclass, replace
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL

from ..ical.alarms import from_meaning, times
from ..ical.errors import BadValue
from ..ical.values import UTC, is_date
from .bulk import insert_rows
from .calendar_alarm import FOR_ALL, OURS
from .crm_automation_rule_moment import LOOKAHEAD
from .ical_meeting import named_zone, utc
from .ical_todo import day_or_time

#: Since when reminders are the ledger's: what was over then, Odoo has done.
SINCE = "crm_automation.reminders_since"
MAX_CONFLICTS = 10
PART = 1000
#: Timings that one query asks for: anybody's program may add some.
MAX_TIMINGS = 500
#: A day may have an hour more or less.
_CLOCK = timedelta(hours=1)
#: A day begins up to so much earlier or later elsewhere, and Odoo says 8 o'clock.
_ZONES = timedelta(hours=36)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Timing:
    """When one reminder comes, for one kind of record.

    ``alarm`` is the VALARM that says the same; ``number`` which of its repetitions.
    """

    alarm_id: int
    kind: str
    alarm: object
    number: int
    allday: bool
    own_key: str | None = None

    def window(self, first, last):
        """Between which dates of records its moment may lie in a window."""
        if not isinstance(self.alarm.trigger, timedelta):
            return None
        ahead = self.alarm.trigger + self.number * (self.alarm.duration or timedelta(0))
        slack = _ZONES if self.allday else _CLOCK if abs(ahead) >= _DAY else timedelta(0)
        return first - ahead - slack, last - ahead + slack

    def fixed(self):
        """The fixed time at which it comes."""
        return _naive(self.alarm.trigger + self.number * (self.alarm.duration or timedelta(0)))


@dataclass(slots=True)
class Due:
    """One reminder for one recipient: a row to be, and what it is about."""

    timing: Timing
    res_model: str
    res_id: int
    partner_id: int
    address: str
    base_at: datetime.datetime
    created: datetime.datetime
    due_at: datetime.datetime = None
    span: object = None

    @property
    def key(self):
        timing = self.timing
        return (
            self.res_model, self.res_id, timing.alarm_id, timing.own_key, self.partner_id,
            self.address, self.base_at, timing.number,
        )  # fmt: skip

    def is_over(self, now):
        """Whether what it is about has ended meanwhile: then it is of no use."""
        return self.span.is_over(self.due_at, now)

    def values(self):
        """The row of the ledger."""
        return {
            "alarm_id": self.timing.alarm_id,
            "own_key": self.timing.own_key,
            "kind": self.timing.kind,
            "res_model": self.res_model,
            "res_id": self.res_id,
            "partner_id": self.partner_id,
            "address": self.address,
            "number": self.timing.number,
            "snooze": 0,
            "base_at": self.base_at,
            "due_at": self.due_at,
            "run_at": self.due_at,
            "state": "pending",
            "tries": 0,
        }


class Span:
    """When a meeting or task is.

    :param start, stop: naive UTC as Odoo has them, None for none
    :param allday: whether it is of whole days, whose hours say nothing
    :param home: zone of whoever organizes it, where *a day before* is reckoned; or None
    :param is_todo: whether it is to be done until then, and is of use after that as well
    """

    __slots__ = ("start", "stop", "allday", "home", "is_todo")

    def __init__(self, start, stop, allday, home, is_todo=False):
        self.start = start
        self.is_todo = is_todo
        self.stop = stop
        self.allday = bool(allday)
        self.home = home

    def base(self, timing):
        """What a reminder's moment is reckoned from, as the ledger has it."""
        return self.stop if timing.alarm.related == "END" else self.start

    def is_over(self, moment, now):
        """Whether a meeting has ended since a moment before its end."""
        if self.is_todo:
            # What was to be done by then is still to be done.
            return False
        stop = self.stop
        if self.allday:
            stop = datetime.datetime.combine(stop.date() + _DAY, datetime.time())
        return moment < stop <= now

    def moment(self, timing, zone=None):
        """When a reminder comes, naive UTC; None without the date that it wants.

        :param zone: of the recipient, where days begin; None for that of the organizer
        """
        if self.base(timing) is None:
            return None
        home = self.home or zone or UTC
        if self.is_todo and timing.own_key:
            start, stop = self._as_programs_have_it(home)
        elif self.allday:
            start, stop = self.start.date(), self.stop.date() + _DAY
        else:
            start, stop = (at and utc(at).astimezone(home) for at in (self.start, self.stop))
        try:
            return _naive(times(timing.alarm, start, stop, zone or home)[timing.number])
        except (BadValue, OverflowError):
            # Beyond the years that there are.
            return None

    def _as_programs_have_it(self, zone):
        """Start and end of a to-do as its VTODO says them, where a day begins at midnight."""
        if self.allday:
            return self.start.date(), self.stop.date()
        start, stop = (at and utc(at).astimezone(zone) for at in (self.start, self.stop))
        stop = stop and day_or_time(stop)
        return start.date() if stop and is_date(stop) else start, stop


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    # -- the job ---------------------------------------------------------------

    @api.model
    def _enqueue(self):
        """Put what is due soon into the ledger, and commit."""
        Firing = self.env["crm.automation.firing"]
        for attempt in range(1, MAX_CONFLICTS + 1):
            try:
                Firing._commit_batch()
                self._enqueue_due(fields.Datetime.now())
                self._review(fields.Datetime.now())
                Firing._arm()
                Firing._commit_batch()
                return
            except psycopg2.extensions.TransactionRollbackError:
                self.env.cr.rollback()
                if attempt == MAX_CONFLICTS:
                    raise

    @api.model
    def _enqueue_due(self, now):
        """Insert what is due until the next look; what was missed as well."""
        since = self._since(now)
        found = self._find(now - self._lateness(), now + LOOKAHEAD)
        rows = [
            due.values() for due in found
            if (due.due_at >= since or due.created > since) and not due.is_over(now)
        ]  # fmt: skip
        for at in range(0, len(rows), PART):
            insert_rows(
                self,
                rows[at : at + PART],
                SQL(
                    """
                    ON CONFLICT (res_id, res_model, COALESCE(alarm_id, 0), COALESCE(own_key, ''),
                                 COALESCE(partner_id, 0), COALESCE(address, ''), base_at, number,
                                 snooze)
                    DO UPDATE SET state = 'pending', reason = NULL, finished_at = NULL,
                                  tries = 0, due_at = EXCLUDED.due_at, run_at = EXCLUDED.run_at
                    WHERE calendar_reminder.state = 'cancelled'
                    """
                ),
            )
        if rows and min(row["due_at"] for row in rows) <= now:
            # At once: Odoo looks for triggers of a later second once a minute only.
            self.env["crm.automation.firing"]._wake()
        return len(rows)

    @api.model
    def _since(self, now):
        """When the ledger took reminders over from Odoo's own job."""
        parameters = self.env["ir.config_parameter"].sudo()
        value = parameters.get_param(SINCE)
        if not value:
            parameters.set_param(SINCE, fields.Datetime.to_string(now))
            return now
        return fields.Datetime.to_datetime(value)

    @api.model
    def _review(self, now):
        """Of what is planned, correct the moments: somebody's time zone may be another."""
        self.env.cr.execute(
            """
            SELECT id FROM calendar_reminder
             WHERE state = 'pending' AND snooze = 0 AND tries = 0
             ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
            """
        )
        rows = self.browse(row[0] for row in self.env.cr.fetchall())
        for row, moment in rows._moments().items():
            if moment is None:
                row._finish("cancelled", self.env._("It is not to be reminded of any more."))
            elif moment != row.due_at:
                row.write({"due_at": moment, "run_at": moment})

    # -- finding ---------------------------------------------------------------

    @api.model
    def _find(self, first, last, partners=None, with_known=False):
        """What is due in a window.

        :param datetime first, last: moments in naive UTC
        :param partners: only what is for them
        :param bool with_known: also what the ledger has already
        :return: list of Due, in order
        """
        self.env.flush_all()
        alarms = self.env["calendar.alarm"].sudo().search([("alarm_type", "in", OURS)])
        found = {}
        for due in self._candidates(alarms, first, last, partners, with_known):
            found.setdefault(due.key, due)
        self._reckon(found.values())
        kept = [due for due in found.values() if due.due_at and first <= due.due_at <= last]
        return sorted(kept, key=lambda due: (due.due_at, due.key[:2]))

    @api.model
    def _timings(self, alarms, allday):
        """The timings of reminders for meetings of whole days, or for all else."""
        timings = []
        for alarm in alarms:
            meaning = alarm._meaning(allday)
            made = from_meaning(replace(meaning, kind="notification"), "")
            timings += [
                Timing(alarm.id, alarm.alarm_type, made, number, allday)
                for number in range(meaning.repeat + 1)
            ]
        return timings

    @api.model
    def _candidates(self, alarms, first, last, partners, with_known):
        """Pairs (timing, what a query has found) of reminders that may be due."""
        for allday in (False, True):
            by_column = {"start": [], "stop": [], None: []}
            for timing in self._timings(alarms, allday):
                try:
                    window = timing.window(first, last)
                    if window is None and not first <= timing.fixed() <= last:
                        continue
                except OverflowError:
                    # One from before there were limits is to stop nobody else's.
                    continue
                column = "stop" if timing.alarm.related == "END" else "start"
                by_column[column if window else None].append((timing, window))
            for column, timings in by_column.items():
                for at in range(0, len(timings), MAX_TIMINGS):
                    part = timings[at : at + MAX_TIMINGS]
                    for query in self._queries(column, part, allday, with_known):
                        yield from self._dues(query, part, partners)

    @api.model
    def _queries(self, column, timings, allday, with_known):
        """Queries as ``_meetings_query``, one for each kind of record. Hook for extensions."""
        return [self._meetings_query(column, timings, allday, with_known)]

    @api.model
    def _dues(self, query, timings, partners):
        if partners is not None:
            query = SQL(
                "SELECT * FROM (%s) AS found WHERE partner_id = ANY(%s)", query, partners.ids
            )
        for number, *values in self.env.execute_query(query):
            yield Due(timings[number][0], *values)

    @api.model
    def _timings_as_values(self, timings):
        """SQL of a table (number, alarm_id, again, audience, low, high)."""
        return SQL(
            "(VALUES %s) AS timing (number, alarm_id, again, audience, low, high)",
            SQL(", ").join(
                SQL(
                    "(%s, %s, %s, %s, %s::timestamp, %s::timestamp)",
                    number, timing.alarm_id, timing.number, _audience(timing.kind),
                    *(window or (None, None)),
                )
                for number, (timing, window) in enumerate(timings)
            ),
        )  # fmt: skip

    @api.model
    def _unknown(self, model, res_id, partner, address, base, with_known):
        """SQL condition: the ledger has no row of it."""
        if with_known:
            return SQL("TRUE")
        return SQL(
            """
            NOT EXISTS (
                SELECT FROM calendar_reminder known
                 WHERE known.res_id = %s AND known.res_model = %s
                   AND COALESCE(known.alarm_id, 0) = timing.alarm_id
                   AND COALESCE(known.own_key, '') = ''
                   AND COALESCE(known.partner_id, 0) = COALESCE(%s, 0)
                   AND COALESCE(known.address, '') = COALESCE(%s, '')
                   AND known.base_at = %s AND known.number = timing.again AND known.snooze = 0
                   AND known.state <> 'cancelled')
            """,
            res_id, model, partner, address, base,
        )  # fmt: skip

    @api.model
    def _meetings_query(self, column, timings, allday, with_known):
        """Reminders of meetings: (number, model, id, partner_id, address, base_at, create_date).

        Who has declined or sent somebody else is not reminded.

        :param str column: ``start`` or ``stop``, which lies in a window; None for any
        """
        base = SQL.identifier("event", column or "start")
        manager = self.env["calendar.alarm_manager"]
        return SQL(
            """
            SELECT timing.number, 'calendar.event', event.id, person.partner_id, person.address,
                   %(base)s, event.create_date
              FROM %(timings)s
              JOIN calendar_event event ON event.active AND %(window)s AND %(days)s
              JOIN calendar_alarm_calendar_event_rel rel
                   ON rel.calendar_event_id = event.id AND rel.calendar_alarm_id = timing.alarm_id
              JOIN LATERAL (
                   SELECT guest.partner_id,
                          CASE WHEN guest.partner_id IS NULL THEN guest.address END AS address
                     FROM calendar_attendee guest
                    WHERE guest.event_id = event.id AND timing.audience <> 'all'
                      AND (timing.audience <> 'shown' OR NOT %(own)s)
                      AND COALESCE(guest.state, '') NOT IN ('declined', 'delegated')
                      AND (timing.audience = 'mail' OR EXISTS (
                           SELECT FROM res_users person WHERE person.active AND NOT person.share
                              AND person.partner_id = guest.partner_id))
                   UNION ALL
                   SELECT NULL, NULL WHERE timing.audience = 'all') AS person ON TRUE
             WHERE (timing.audience <> 'mail' OR (TRUE %(synchronised)s)) AND %(unknown)s
            """,
            base=base,
            timings=self._timings_as_values(timings),
            window=self._between(base, column, timings),
            days=SQL("event.allday") if allday else SQL("event.allday IS NOT TRUE"),
            own=self._has_own(SQL("event.ical_uid"), SQL("guest.partner_id")),
            # Google and Outlook remind of what is theirs.
            synchronised=manager._get_notify_alert_extra_conditions() or SQL(),
            unknown=self._unknown(
                "calendar.event", SQL("event.id"), SQL("person.partner_id"), SQL("person.address"),
                base, with_known,
            ),
        )  # fmt: skip

    @api.model
    def _has_own(self, uid, partner):
        """SQL condition: somebody has his own reminders of a meeting instead."""
        return SQL(
            """
            EXISTS (SELECT FROM calendar_reminder_own own
                      JOIN res_users whose ON whose.id = own.user_id
                     WHERE own.uid = %s AND whose.partner_id = %s)
            """,
            uid,
            partner,
        )

    @api.model
    def _between(self, base, column, timings):
        """SQL condition: the date is in the window of its timing.

        And in what all windows span, which PostgreSQL can judge beforehand: only so it
        takes the index on the date.
        """
        if column is None:
            return SQL("TRUE")
        first = min(window[0] for _timing, window in timings)
        last = max(window[1] for _timing, window in timings)
        return SQL(
            "%(base)s BETWEEN timing.low AND timing.high"
            " AND %(base)s BETWEEN %(first)s AND %(last)s",
            base=base,
            first=first,
            last=last,
        )

    # -- the moment ------------------------------------------------------------

    @api.model
    def _reckon(self, dues):
        """Note of each when it is due, None if it is not to be reminded of any more."""
        by_model = {}
        for due in dues:
            by_model.setdefault(due.res_model, set()).add(due.res_id)
        spans = {model: self._spans(model, ids) for model, ids in by_model.items()}
        zones = self._zones({due.partner_id for due in dues if due.partner_id})
        for due in dues:
            due.span = spans[due.res_model].get(due.res_id)
            due.due_at = due.span and due.span.moment(due.timing, zones.get(due.partner_id))

    @api.model
    def _spans(self, model, ids):
        """Id to Span, of those that still take place. Hook for extensions.

        Asked of the database: the cache may have nothing of a private meeting.
        """
        query = SQL(
            """
            SELECT event.id, event.start, event.stop, event.allday, partner.tz
              FROM calendar_event event
         LEFT JOIN res_users ON res_users.id = event.user_id
         LEFT JOIN res_partner partner ON partner.id = res_users.partner_id
             WHERE event.id = ANY(%s) AND event.active
            """,
            list(ids),
        )
        return {
            res_id: Span(start, stop, allday, named_zone(tz) if tz else None)
            for res_id, start, stop, allday, tz in self.env.execute_query(query)
        }

    @api.model
    def _zones(self, partner_ids):
        """Id of a partner to his zone, None where nobody knows it."""
        rows = self.env.execute_query(
            SQL("SELECT id, tz FROM res_partner WHERE id = ANY(%s)", list(partner_ids))
        )
        return {partner_id: named_zone(tz) if tz else None for partner_id, tz in rows}

    def _moments(self):
        """Row to when it is due by now, or None if it is not to be any more."""
        wanted = self._still_wanted()
        timings = self._timings_of_rows()
        spans = {
            model: self._spans(model, rows.mapped("res_id"))
            for model, rows in self.grouped("res_model").items()
        }
        zones = self._zones(self.partner_id.ids)
        found = dict.fromkeys(self)
        for row in self & wanted:
            span = spans[row.res_model].get(row.res_id)
            timing = span and timings.get(
                (row.alarm_id.id or row.own_key, row.number, bool(span.allday))
            )
            if timing and span.base(timing) == row.base_at:
                found[row] = (
                    row.due_at if row.snooze else span.moment(timing, zones.get(row.partner_id.id))
                )
        return found

    def _timings_of_rows(self):
        """(reminder, repetition, whole days) to the timing that it has by now."""
        alarms = self.alarm_id.filtered("active")
        return {
            (timing.alarm_id, timing.number, allday): timing
            for allday in (False, True)
            for timing in self._timings(alarms, allday)
        }

    def _still_wanted(self):
        """Those whose meeting still has the reminder, and whose recipient takes part in it.
        Hook for extensions."""
        return self._of_query(
            SQL(
                """
                SELECT row.id FROM calendar_reminder row
                 WHERE row.id = ANY(%(ids)s) AND row.res_model = 'calendar.event'
                   AND (row.own_key IS NOT NULL OR EXISTS (
                        SELECT FROM calendar_alarm_calendar_event_rel rel
                          JOIN calendar_event event ON event.id = rel.calendar_event_id
                         WHERE rel.calendar_event_id = row.res_id
                           AND rel.calendar_alarm_id = row.alarm_id
                           AND (row.kind <> 'notification' OR NOT %(own)s)))
                   AND (row.kind = ANY(%(for_all)s) OR EXISTS (
                        SELECT FROM calendar_attendee guest
                         WHERE guest.event_id = row.res_id
                           AND (guest.partner_id = row.partner_id OR (
                                row.partner_id IS NULL AND guest.address = row.address))
                           AND COALESCE(guest.state, '') NOT IN ('declined', 'delegated')))
                """,
                ids=self.ids,
                for_all=list(FOR_ALL),
                own=self._has_own(SQL("event.ical_uid"), SQL("row.partner_id")),
            )
        )

    @api.model
    def _of_query(self, query):
        return self.browse(row[0] for row in self.env.execute_query(query))


def _audience(kind):
    """Whom a kind of reminder reaches: users, everybody by mail, or all at once."""
    if kind in FOR_ALL:
        return "all"
    return {"email": "mail", "notification": "shown"}.get(kind, "user")


def _naive(moment):
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)

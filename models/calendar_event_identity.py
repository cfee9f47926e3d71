"""The identity of a meeting: UID, SEQUENCE, and its place in its series.

A meeting of a series is known by the series' UID and the start that the rule gives
it (RECURRENCE-ID), wherever it is moved to.
"""

from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL

#: Fields whose change attendees have to know: DTSTART, DTEND, STATUS, and the series.
WATCHED = frozenset(
    {
        "start", "stop", "start_date", "stop_date", "duration", "allday", "active",
        "is_tentative", "recurrence_id",
    }
)  # fmt: skip


class Place(NamedTuple):
    """When a meeting is, and of which series."""

    start: object
    stop: object
    allday: bool
    active: bool
    recurrence: object
    is_tentative: bool


class CalendarEvent(models.Model):
    _name = "calendar.event"
    _inherit = ["calendar.event", "calendar.ical.identity"]

    ical_uid = fields.Char(index=True)
    ical_recurrence_start = fields.Datetime(
        "Original Start",
        copy=False,
        readonly=True,
        help="Start that the series had for this meeting, before it was moved or removed.",
    )

    def _ical_protected(self):
        return super()._ical_protected() | {"ical_recurrence_start"}

    def _ical_key(self):
        return (self.ical_uid, self.id) if self.recurrence_id else self.ical_uid

    @api.model_create_multi
    def create(self, vals_list):
        self._ical_refuse(vals_list)
        ids = {int(vals["recurrence_id"]) for vals in vals_list if vals.get("recurrence_id")}
        recurrences = self.env["calendar.recurrence"].browse(ids)
        recurrences._check_may_change()
        series = {one.id: one.ical_uid for one in recurrences.sudo()}
        new = [
            {
                **self._ical_blank(),
                # As those: no default out of a context puts it into a series.
                "recurrence_id": False,
                "ical_uid": series.get(vals.get("recurrence_id")) or self._ical_new_uid(),
                **vals,
            }
            for vals in vals_list
        ]
        events = super().create(new)
        events._ical_remember_new()
        return events

    def _ical_remember_new(self):
        """Of what is new in this transaction, SEQUENCE does not rise."""
        memory = self._ical_before()
        memory.update({event._ical_key(): -1 for event in self.sudo() if event.recurrence_id})

    def _after_insert(self):
        """These meetings were inserted past the ORM: what create() does beside the rows."""
        found = self.env.execute_query(
            SQL(
                "SELECT ical_uid, id FROM calendar_event "
                "WHERE id = ANY(%s) AND recurrence_id IS NOT NULL",
                self.ids,
            )
        )
        self._ical_before().update(dict.fromkeys(found, -1))
        self._automation_created()

    def write(self, vals):
        self._ical_refuse([vals])
        if vals.get("recurrence_id") and not self.env.su:
            recurrence = self.env["calendar.recurrence"].browse(int(vals["recurrence_id"]))
            if self.sudo().recurrence_id != recurrence:
                recurrence._check_may_change()
        # What is done to a whole series is noted there.
        is_told = self._ical_is_incoming() or self._ical_series_scope()
        if WATCHED.isdisjoint(vals) or is_told:
            return super().write(vals)
        before = {event: event._ical_place() for event in self.sudo()}
        result = super().write(vals)
        self._ical_follow(before)
        return result

    def _ical_place(self):
        return Place(
            self.start, self.stop, self.allday, self.active, self.recurrence_id, self.is_tentative
        )

    def _ical_follow(self, before):
        """Take down what has become of the meetings' times, and of their places.

        :param before: dict from meeting to what its Place was
        """
        now = {event: event._ical_place() for event in before}
        changed = {event: old for event, old in before.items() if now[event] != old}
        self._ical_follow_series(changed, now)
        moved = self.sudo().browse()
        for event, old in changed.items():
            if now[event][:3] != old[:3]:
                moved += event
                if old.recurrence and now[event].recurrence == old.recurrence:
                    event._ical_keep_place(old.start)
        moved += self.sudo().browse(
            [
                event.id
                for event, old in changed.items()
                if now[event].is_tentative != old.is_tentative
            ]
        )
        switched = {event: old for event, old in changed.items() if now[event].active != old.active}
        moved += self._ical_follow_active(switched)
        if not self.env.context.get("is_calendar_event_new"):
            moved._ical_raise()

    def _ical_follow_series(self, before, now):
        """Meetings that have come into a series, or left one."""
        joined = defaultdict(self.sudo().browse)
        for event, old in before.items():
            series = now[event].recurrence
            if series and series != old.recurrence:
                joined[series] += event
            elif old.recurrence and not series and event.ical_recurrence_start:
                event.write({"ical_recurrence_start": False})
        for recurrence, events in joined.items():
            events._ical_join(recurrence)

    def _ical_follow_active(self, before):
        """Meetings that were cancelled or have come back: of a series, their places.

        :return: those that are of no series
        """
        gone, back = defaultdict(list), defaultdict(list)
        single = self.sudo().browse()
        for event, old in before.items():
            if event.recurrence_id:
                starts = (back if event.active else gone)[event.recurrence_id]
                starts.append(event.ical_recurrence_start or old.start)
            else:
                single += event
        for recurrence, starts in gone.items():
            recurrence._ical_drop(starts)
        for recurrence, starts in back.items():
            recurrence._ical_restore(starts)
        used = single._ical_uids_in_use()
        others = single.filtered(lambda event: (event.ical_uid, event.user_id) in used)
        # What a series has left behind is no object of its own, unless it comes back.
        others.filtered("active")._ical_renew()
        return single - others

    def _ical_keep_place(self, start):
        """Remember the start that the series has for it."""
        if not self.ical_recurrence_start and not self.env.context.get("is_calendar_event_new"):
            self.write({"ical_recurrence_start": start})

    def _ical_join(self, recurrence):
        """They are meetings of that series from now on."""
        uid = recurrence.sudo().ical_uid
        self.filtered(
            lambda event: event.ical_uid != uid or event.ical_recurrence_start
        ).write({"ical_uid": uid, "ical_recurrence_start": False})  # fmt: skip

    def _ical_renew(self):
        """They are meetings of their own from now on."""
        if not self:
            return
        self.flush_recordset(self._ical_protected())
        self.env.cr.execute(
            SQL(
                """
                UPDATE calendar_event
                   SET ical_uid = gen_random_uuid()::text, ical_sequence = 0, ical_text = NULL,
                       ical_recurrence_start = NULL
                 WHERE id IN %s RETURNING ical_uid
                """,
                self._ids,
            )
        )
        self._ical_before().update((uid, -1) for (uid,) in self.env.cr.fetchall())
        self.invalidate_recordset(self._ical_protected(), flush=False)

    def _ical_uids_in_use(self):
        """Pairs (UID, organizer) that a series has, or another meeting that is not cancelled."""
        if not self:
            return set()
        mine = [("ical_uid", "in", self.mapped("ical_uid"))]
        series = self.env["calendar.recurrence"].sudo().search(mine)
        others = self.sudo().search([*mine, ("id", "not in", self.ids)])
        return {
            *((one.ical_uid, one._ical_owner()) for one in series),
            *((one.ical_uid, one.user_id) for one in others),
        }

    def unlink(self):
        gone = defaultdict(list)
        for event in self.sudo():
            if event.recurrence_id and event.active and not self._ical_is_incoming():
                gone[event.recurrence_id].append(event.ical_recurrence_start or event.start)
        result = super().unlink()
        for recurrence, starts in gone.items():
            if recurrence.exists():
                recurrence._ical_drop(starts)
        return result

    def _break_recurrence(self, future=True):
        """A meeting that leaves a series which goes on is another one."""
        series = {event: event.recurrence_id for event in self}
        detached = super()._break_recurrence(future=future)
        for event, recurrence in series.items():
            if recurrence.exists():
                event._ical_renew()
            else:
                event._ical_raise()
        return detached

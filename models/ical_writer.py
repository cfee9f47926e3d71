"""Writes what a comparison has found. Plain Python over records.

As the owner, past his rights: what he may change was judged before. Nobody is told
of anything, unless the options say so, and no rule is set off.
"""

import logging
from datetime import timedelta
from functools import lru_cache

import psycopg2

from odoo import fields
from odoo.fields import Command
from odoo.tools import SQL

from .bulk import create_alike
from .ical_html import as_saved
from .ical_incoming import Result
from .ical_people import PeopleWriter
from .ical_row import kept_text
from .ical_snapshot import take
from .ical_values import KEPT

_logger = logging.getLogger(__name__)

#: Meetings that are written with one statement, as far as their objects allow.
BATCH = 1000


class Writer(PeopleWriter):
    """Writes for one owner.

    :param env: of whoever imports
    :param todos: who writes to-dos; see ``ical_todo``
    """

    def __init__(self, env, owner, options, todos):
        super().__init__(env, owner, options)
        self.asker = env
        self.series = self.env["calendar.recurrence"]
        self.todos = todos
        self.has_alarm_soon = False

    def results(self, outcomes):
        """One Result for each outcome, in their order."""
        done = {}
        batch, size = [], 0
        work = [outcome for outcome in outcomes if outcome.action]
        for outcome in work:
            batch.append(outcome)
            rows = getattr(outcome.plan, "rows", ())
            size += max(1, len(rows))
            if size >= BATCH:
                done.update(self._written(batch))
                batch, size = [], 0
        done.update(self._written(batch))
        if self.has_alarm_soon:
            self.env["calendar.alarm_manager"]._notify_next_alarm(self.owner.partner_id.ids)
        for result in done.values():
            # Nobody outside writes with what is allowed in here.
            result.record = result.record and self.asker[result.record._name].browse(
                result.record.id
            )
        return [done.get(id(outcome)) or _untouched(outcome) for outcome in outcomes]

    def _written(self, batch):
        """Write together; what makes the batch fail is found by halving it."""
        if not batch:
            return {}
        try:
            with self.env.cr.savepoint():
                results = self._write(batch)
                self._note(results.values())
                self.env.flush_all()
                return results
        except psycopg2.extensions.TransactionRollbackError:
            # The transaction is lost; whoever opened it repeats it.
            raise
        except Exception as error:
            self._forget()
            if len(batch) == 1:
                return self._failed(batch[0], error)
        half = len(batch) // 2
        return {**self._written(batch[:half]), **self._written(batch[half:])}

    def _failed(self, outcome, error):
        _logger.info("An object of a calendar cannot be written: %r", error)
        args = getattr(error, "args", None) or [type(error).__name__]
        # What the database says is nothing for users.
        is_sql = isinstance(error, psycopg2.Error)
        detail = type(error).__name__ if is_sql else str(args[0])[:300]
        return {id(outcome): Result(outcome, "error", reason="not_written", detail=detail)}

    def _write(self, batch):
        results = {}
        created = [one for one in batch if one.action == "create" and one.component != "VTODO"]
        results.update(self._create(created))
        todos = [one for one in batch if one.component == "VTODO"]
        results.update(self.todos.results(self, todos))
        for outcome in batch:
            if id(outcome) in results:
                continue
            record = outcome.record.with_env(self.env)
            result = Result(outcome, outcome.kind, record)
            if outcome.action == "update":
                self._update(outcome, result)
            elif outcome.action == "answer":
                guests, state = outcome.plan
                result.before = take(guests.event_id)
                guests.with_env(self.env).write({"state": state})
            results[id(outcome)] = result
        return results

    def _note(self, results):
        """Remember what was taken in, for the next time."""
        rows = []
        results = [one for one in results if one.outcome.key and one.record]
        there = {
            record
            for records in _together(one.record for one in results).values()
            for record in records.exists()
        }
        for result in results:
            outcome = result.outcome
            record = result.record
            if record not in there:
                continue
            # What is older than Odoo's is looked at again.
            digest = None if outcome.kind == "older" else outcome.digest
            text = None
            if outcome.component == "VTODO" and outcome.kind in ("new", "changed", "cancelled"):
                text = kept_text(outcome.items[0])
            rows.append((outcome.component, outcome.key, digest, record, text))
        self.env["calendar.ical.source"]._note(self.owner, self.options.source, rows)

    # -- new meetings --------------------------------------------------------

    def _create(self, outcomes):
        if not outcomes:
            return {}
        self._make_contacts(outcomes)
        series = [outcome for outcome in outcomes if outcome.plan.series is not None]
        recurrences = self._create_series(
            [(outcome.key, outcome.plan.series) for outcome in series]
        )
        recurrence_of = dict(zip(map(id, series), recurrences, strict=True))
        new, owners = [], []
        for outcome in outcomes:
            recurrence = recurrence_of.get(id(outcome))
            for row in outcome.plan.rows:
                new.append((row, outcome.key, recurrence))
                owners.append(outcome)
        events = self._make_meetings(new)
        results, made = {}, {}
        for event, outcome in zip(events, owners, strict=True):
            made.setdefault(id(outcome), []).append(event.id)
        for outcome in outcomes:
            ids = made[id(outcome)]
            recurrence = recurrence_of.get(id(outcome))
            record = recurrence or self.events.browse(ids[0])
            created = {"calendar.event": ids}
            if recurrence:
                created["calendar.recurrence"] = [recurrence.id]
            results[id(outcome)] = Result(outcome, outcome.kind, record, created)
        self._settle_series(recurrences)
        if self.options.send_mail:
            self._invite(events)
        return results

    def _make_meetings(self, new):
        """The first by Odoo, the others as rows like it: an import may bring thousands.

        :param new: list of (Row, UID, recurrence or None)
        :return: the meetings, in their order
        """
        guests = [self._guest_values(row) for row, _uid, _recurrence in new]
        self._look_up_customers(guests)
        field = self.events._fields["description"]

        def clean(html):
            return field.convert_to_column_insert(html, self.events)

        @lru_cache(maxsize=KEPT)
        def saved(html):
            return as_saved(html, clean) if html else None

        events = create_alike(
            self.events,
            [
                self._new_values(row, uid, recurrence, of_row)
                for (row, uid, recurrence), of_row in zip(new, guests, strict=True)
            ],
            known={
                "description": lambda values: saved(values["description"]),
                "start_date": lambda values: values["allday"] and values["start"].date() or None,
                "stop_date": lambda values: values["allday"] and values["stop"].date() or None,
            },
            same={"res_model"},
        )
        self._make_guests(events, [row for row, _uid, _recurrence in new], guests)
        events._after_insert()
        now = fields.Datetime.now()
        coming = [
            event.id
            for event, (row, _uid, _recurrence) in zip(events, new, strict=True)
            if row.alarms and row.active and row.stop > now
        ]
        self._set_up_alarms(self.events.browse(coming))
        return events

    def _create_series(self, pairs):
        """The recurrences, before their meetings: past the ORM's making of those."""
        return self.series.create(
            [{**values, "ical_uid": uid, "base_event_id": False} for uid, values in pairs]
        )

    def _settle_series(self, recurrences):
        """Each has its first meeting as base."""
        if not recurrences:
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE calendar_recurrence series SET base_event_id = (
                    SELECT id FROM calendar_event
                     WHERE recurrence_id = series.id
                     ORDER BY active DESC, follow_recurrence DESC, start, id LIMIT 1)
                 WHERE id IN %(ids)s;
                UPDATE calendar_event SET recurrency = TRUE
                 WHERE recurrence_id IN %(ids)s AND recurrency IS NOT TRUE
                """,
                ids=recurrences._ids,
            )
        )
        recurrences.invalidate_recordset(["base_event_id"], flush=False)
        self.events.invalidate_model(["recurrency"], flush=False)

    def _set_up_alarms(self, events):
        """Odoo's job has to know when its next e-mail reminder is due: once for all."""
        now = fields.Datetime.now()
        coming = events.filtered(
            lambda event: event.alarm_ids and event.active and event.stop > now
        )
        if not coming:
            return
        loud = {name: value for name, value in coming.env.context.items() if name != "dont_notify"}
        loud_env = coming.env(context=loud)
        coming.recurrence_id.with_env(loud_env)._setup_alarms()
        types = coming._get_trigger_alarm_types()
        moments = {
            (alarm.alarm_type in types, event.start - timedelta(minutes=alarm.duration_minutes))
            for event in coming
            if not event.recurrence_id
            for alarm in event.alarm_ids
        }
        mails = [moment for is_mail, moment in moments if is_mail and moment > now]
        if mails:
            self.env["ir.cron"]._automation_wake("calendar.ir_cron_scheduler_alarm", at=mails)
        # His browser is told of the next one, as far as browsers look ahead.
        soon = now + timedelta(days=1)
        self.has_alarm_soon |= any(moment < soon for _is_mail, moment in moments)

    def _invite(self, events):
        """The invitations of Odoo, to who is not the owner; of a series one."""
        now = fields.Datetime.now()
        singles = events.filtered(lambda event: not event.recurrence_id and event.start > now)
        coming = events.filtered(lambda event: event.recurrence_id and event.start > now)
        firsts = self.events.union(
            *(rows.sorted("start")[:1] for rows in coming.grouped("recurrence_id").values())
        )
        told = {
            name: value for name, value in events.env.context.items()
            if name not in ("no_mail_to_attendees", "skip_attendee_notification")
        }  # fmt: skip
        invited = (singles | firsts).filtered("active").with_env(events.env(context=told))
        invited.attendee_ids._send_invitation_emails()

    # -- what has changed ----------------------------------------------------

    def _update(self, outcome, result):
        difference = outcome.plan
        record = outcome.record.with_env(self.env)
        is_series = record._name == "calendar.recurrence"
        events = record
        if is_series:
            events = self.events.search([("recurrence_id", "=", record.id)])
        if self.options.lock:
            events.lock_for_update(allow_referencing=True)
        result.before = take(events, record if is_series else None)
        if difference.plan is None:
            self.events.browse([one.id for one in difference.archives]).write({"active": False})
            self._raise_to(events, record, outcome.items[0].sequence)
            return
        self._make_contacts([outcome])
        series = self._update_series(outcome, result, record, events)
        self._write_rows(difference, series)
        if difference.creates:
            new = [(row, outcome.key, series) for row in difference.creates]
            result.created["calendar.event"] = self._make_meetings(new).ids
        if difference.archives and series:
            self.events.browse([one.id for one in difference.archives]).write({"active": False})
        if series:
            self._settle_series(series)
            if difference.plan.partial:
                self._count_exceptions(difference.plan, series)
        elif not difference.writes:
            self._keep_other(difference.plan, events)
        self._set_up_alarms(events)

    def _update_series(self, outcome, result, record, events):
        """The series that the meetings are to have: as it was, another, a new one, or none."""
        plan = outcome.plan.plan
        if record._name == "calendar.recurrence":
            if plan.series is None:
                result.record = self._end_series(record, events, outcome.plan)
                return self.series
            if not plan.partial:
                record.write(plan.series)
            return record
        if plan.series is None:
            return self.series
        result.record = self._create_series([(outcome.key, plan.series)])
        result.created["calendar.recurrence"] = result.record.ids
        return result.record

    def _write_rows(self, difference, series):
        for event, names, row in difference.writes:
            event = event.with_env(self.env)
            values = self._values(row, names)
            values.update(ical_sequence=row.sequence, ical_text=row.text or False)
            if series:
                values.update(self._place_values(row, series))
            guests = self._guest_values(row) if "guests" in names else {}
            if guests:
                contacts = [guest for guest in guests if isinstance(guest, int)]
                values["partner_ids"] = [Command.set(contacts)]
            event.write(values)
            if guests:
                self._write_guests(event, row, guests)

    def _keep_other(self, plan, events):
        """What Odoo has no field for, of a meeting that is as it was."""
        row = plan.rows[0]
        events.write({"ical_text": row.text or False, "ical_sequence": row.sequence})

    def _end_series(self, series, events, difference):
        """A series becomes one meeting; what is left of it is no object of its own."""
        event = difference.writes[0][0] if difference.writes else None
        event = (event or series.base_event_id or events[:1]).with_env(self.env)
        rest = events - event
        uid = self.events._ical_new_uid()
        event.write({"recurrence_id": False, "recurrency": False, "ical_recurrence_start": False})
        rest.write({"active": False, "ical_uid": uid})
        series.write({"ical_uid": uid})
        return event

    def _count_exceptions(self, plan, series):
        """Of some meetings of a series it was told that they do not take place, or do."""
        excluded = set(series._ical_moments("ical_exdates"))
        excluded |= {row.place for row in plan.rows if not row.active}
        excluded -= {row.place for row in plan.rows if row.active}
        series._ical_put_exdates(excluded)

    def _raise_to(self, events, record, sequence):
        for one in {events, record}:
            one.filtered(lambda each: each.ical_sequence < sequence).write(
                {"ical_sequence": sequence}
            )


def _untouched(outcome):
    return Result(outcome, outcome.kind, outcome.record, reason=outcome.reason)


def _together(records):
    """Recordsets by model."""
    found = {}
    for record in records:
        ids = found.setdefault(record._name, (record.browse(), []))[1]
        ids.append(record.id)
    return {name: model.browse(ids) for name, (model, ids) in found.items()}

"""Writes what a comparison has found. Plain Python over records.

As the owner, past his rights: what he may change was judged before. Nobody is told
of anything, unless the options say so, and no rule is set off.
"""

import logging
from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.fields import Command
from odoo.tools import SQL, email_normalize
from odoo.tools.misc import clean_context

from .base import QUIET, SILENCE
from .calendar_ical_identity import FROM_ELSEWHERE, INCOMING
from .ical_html import html_of
from .ical_incoming import Result
from .ical_row import is_person, kept_text
from .ical_snapshot import take

_logger = logging.getLogger(__name__)

#: Meetings that are written with one statement, as far as their objects allow.
BATCH = 1000
#: Nothing is said to anybody: no mail, no subscription, no log line for each meeting.
SILENT = {
    "tracking_disable": True,
    "mail_create_nosubscribe": True,
    "mail_create_nolog": True,
    "mail_notrack": True,
    "no_mail_to_attendees": True,
    "skip_attendee_notification": True,
    "dont_notify": True,
    "skip_contact_description": True,
    "no_calendar_sync": True,
    INCOMING: FROM_ELSEWHERE,
    QUIET: SILENCE,
}


class Writer:
    """Writes for one owner.

    :param env: of whoever imports
    :param todos: who writes to-dos; see ``ical_todo``
    """

    def __init__(self, env, owner, options, todos):
        self.asker = env
        owner_ = owner.sudo()
        context = {
            **clean_context(env.context),
            **SILENT,
            "lang": owner_.lang,
            "tz": owner_.tz,
            "active_test": False,
        }
        self.env = env(user=owner.id, su=True, context=context)
        self.owner = owner_.with_env(self.env)
        self.options = options
        self.todos = todos
        self.events = self.env["calendar.event"]
        self.series = self.env["calendar.recurrence"]
        self.has_alarm_soon = False
        self._alarms = None
        self._categories = {}
        self._made = {}

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

    def _forget(self):
        """What was looked up may have been made in what was rolled back."""
        self._alarms = None
        self._categories = {}
        self._made = {}

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
        values, owners, rows = [], [], []
        for outcome in outcomes:
            recurrence = recurrence_of.get(id(outcome))
            for row in outcome.plan.rows:
                values.append(self._new_values(row, outcome.key, recurrence))
                owners.append(outcome)
                rows.append(row)
        events = self.events.create(values)
        for event, row in zip(events, rows, strict=True):
            self._link_delegates(event, row)
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
        self._set_up_alarms(events)
        if self.options.send_mail:
            self._invite(events)
        return results

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

    def _new_values(self, row, uid, recurrence=None):
        guests = self._guest_ids(row)
        values = {
            **self._values(row),
            "user_id": self.owner.id,
            "partner_ids": [Command.set([one for one in guests if isinstance(one, int)])],
            "attendee_ids": [
                Command.create({**_who(guest), **said}) for guest, said in guests.items()
            ],
            "ical_uid": uid,
            "ical_sequence": row.sequence,
            "ical_text": row.text or False,
        }
        if recurrence is not None:
            values.update(self._place_values(row), recurrence_id=recurrence.id)
        return values

    def _place_values(self, row):
        follows = row.active and row.start == row.place
        return {
            "follow_recurrence": follows,
            "ical_recurrence_start": False if follows else row.place,
        }

    def _values(self, row, names=None):
        """Values of the fields of Odoo, of all or some of the fields of Row."""
        values = {
            "name": row.name,
            "description": html_of(row.description) or False,
            "location": row.location or False,
            "start": row.start,
            "stop": row.stop,
            "allday": row.allday,
            "privacy": row.privacy or False,
            "show_as": row.show_as,
            "active": row.active,
            "videocall_location": row.videocall_location or False,
        }
        if names is None or "alarms" in names:
            values["alarm_ids"] = [Command.set([self._alarm(one) for one in sorted(row.alarms)])]
        if names is None or "categories" in names:
            values["categ_ids"] = [
                Command.set([self._category(one) for one in sorted(row.categories)])
            ]
        if names is None:
            return values
        kept = {*names, "alarm_ids", "categ_ids"}
        if not kept.isdisjoint(("start", "stop", "allday")):
            kept |= {"start", "stop", "allday"}
        return {name: value for name, value in values.items() if name in kept}

    def _guest_ids(self, row):
        """dict from contacts, and addresses without one, to values of attendees"""
        return {
            self._made.get(guest, guest): {**self._said(row, guest), "state": state}
            for guest, state in row.guests.items()
        }

    def _said(self, row, guest):
        said = (row.parts or {}).get(guest) or {}
        return {name: value or False for name, value in said.items() if name != "delegates"}

    def _make_contacts(self, outcomes):
        """Contacts of the attendees without one, if that is wanted; as the owner may."""
        if not self.options.make_contacts:
            return
        wanted = {}
        for outcome in outcomes:
            for item in outcome.items:
                for attendee in item.attendees:
                    if attendee.email and is_person(attendee):
                        wanted.setdefault(attendee.email, attendee.name or attendee.email)
        needed = {
            guest
            for outcome in outcomes
            for row in self._rows_of(outcome)
            for guest in row.guests
            if isinstance(guest, str) and guest not in self._made
        }
        emails = sorted(needed & set(wanted))
        if not emails:
            return
        Partner = self.env["res.partner"].with_user(self.owner).with_context(**SILENT)
        partners = Partner.create(
            [{"name": wanted[email][:200], "email": email} for email in emails]
        )
        self._made.update(zip(emails, partners.ids, strict=True))

    def _rows_of(self, outcome):
        plan = outcome.plan
        if hasattr(plan, "rows"):
            return plan.rows
        return [row for _event, _names, row in plan.writes] + plan.creates

    def _alarm(self, meaning):
        """The reminder of that type so many minutes before; made if there is none."""
        if self._alarms is None:
            found = self.env["calendar.alarm"].search([], order="id desc")
            self._alarms = {(one.alarm_type, one.duration_minutes): one.id for one in found}
        if meaning not in self._alarms:
            kind, minutes = meaning
            interval, number = "minutes", minutes
            for name, unit in (("days", 1440), ("hours", 60)):
                if minutes and not minutes % unit:
                    interval, number = name, minutes // unit
                    break
            alarm = self.env["calendar.alarm"].new(
                {"alarm_type": kind, "duration": number, "interval": interval}
            )
            alarm._onchange_duration_interval()
            self._alarms[meaning] = alarm.create(
                {
                    "name": alarm.name,
                    "alarm_type": kind,
                    "duration": number,
                    "interval": interval,
                }
            ).id
        return self._alarms[meaning]

    def _category(self, name):
        """The meeting type of that name, in any case; made if there is none."""
        key = name.lower()
        if key not in self._categories:
            Type = self.env["calendar.event.type"]
            found = Type.search([("name", "=ilike", _literal(name))], limit=1)
            self._categories[key] = (found or Type.create({"name": name})).id
        return self._categories[key]

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
            self.env.ref("calendar.ir_cron_scheduler_alarm")._trigger(at=mails)
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
        made = self.events
        if difference.creates:
            made = self.events.create(
                [self._new_values(row, outcome.key, series) for row in difference.creates]
            )
            for event, row in zip(made, difference.creates, strict=True):
                self._link_delegates(event, row)
            result.created["calendar.event"] = made.ids
        if difference.archives and series:
            self.events.browse([one.id for one in difference.archives]).write({"active": False})
        if series:
            self._settle_series(series)
            if difference.plan.partial:
                self._count_exceptions(difference.plan, series)
        elif not difference.writes:
            self._keep_other(difference.plan, events)
        self._set_up_alarms(events | made)

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
                values.update(self._place_values(row), recurrence_id=series.id)
            guests = self._guest_ids(row) if "guests" in names else {}
            if guests:
                contacts = [guest for guest in guests if isinstance(guest, int)]
                values["partner_ids"] = [Command.set(contacts)]
            event.write(values)
            if guests:
                self._write_guests(event, row, guests)

    def _write_guests(self, event, row, guests):
        """Their answers, and those who are invited without a contact."""
        there = {guest._key(): guest for guest in event.attendee_ids}
        for key, guest in there.items():
            if isinstance(key, str) and key not in guests:
                guest.unlink()
        for key, said in guests.items():
            guest = there.get(key)
            if guest is None:
                self.env["calendar.attendee"].create({**_who(key), **said, "event_id": event.id})
                continue
            new = {name: value for name, value in said.items() if guest[name] != value}
            if new:
                guest.write(new)
        self._link_delegates(event, row)

    def _link_delegates(self, event, row):
        """DELEGATED-TO, as far as the delegates are attendees here."""
        if not any("delegates" in said for said in (row.parts or {}).values()):
            return
        by_email = {}
        for guest in event.attendee_ids:
            by_email.setdefault(email_normalize(guest.email or "", strict=False), guest)
        for guest in event.attendee_ids:
            said = row.parts.get(guest._key()) or {}
            for address in said.get("delegates", ()):
                delegate = by_email.get(address)
                if delegate and delegate not in guest | guest._delegators():
                    guest.delegated_to_ids |= delegate

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


def _who(guest):
    """Who an attendee is: a contact, or an address alone."""
    return {"address": guest} if isinstance(guest, str) else {"partner_id": guest}


def _untouched(outcome):
    return Result(outcome, outcome.kind, outcome.record, reason=outcome.reason)


def _together(records):
    """Recordsets by model."""
    found = {}
    for record in records:
        ids = found.setdefault(record._name, (record.browse(), []))[1]
        ids.append(record.id)
    return {name: model.browse(ids) for name, (model, ids) in found.items()}


def _literal(name):
    """A name as a pattern that means itself."""
    return name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

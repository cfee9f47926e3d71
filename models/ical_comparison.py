"""A file held against what Odoo has, before anything is written.

Plain Python over records: what is unchanged since the last time is told by its
digest alone; what is new or has changed is read, planned, and put into words.
"""

from dataclasses import dataclass, field, replace

import pytz

from odoo import fields
from odoo.tools import SQL, format_date, format_datetime, get_lang

from ..ical.errors import BadRule, IcalError, UnsupportedRule
from ..ical.parse import parse_item
from ..ical.recurrence import MAX_COUNT
from ..ical.sequence import ANSWERS, latest, order
from ..ical.text import item_lines
from ..ical.values import UTC
from .calendar_recurrence_identity import RULE
from .ical_incoming import UID_BYTES, Group, Outcome
from .ical_kept import original_item
from .ical_meeting import named_zone
from .ical_row import COMPARED, CannotKeep, Row, RowReader, is_cancelled
from .ical_rows import Plan, SeriesReader

#: Objects that are read and looked up together.
BATCH = 1000
#: Properties that Odoo has fields for, or that say when the text was made.
_TOLD = frozenset(
    {
        "BEGIN", "END", "UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "RECURRENCE-ID",
        "SUMMARY", "DESCRIPTION", "LOCATION", "DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE",
        "RDATE", "CLASS", "TRANSP", "CATEGORIES",
    }
)  # fmt: skip
#: Properties that Odoo writes without having been told.
_WRITTEN = frozenset({"STATUS", "URL", "CONFERENCE", "ORGANIZER", "ATTENDEE"})


@dataclass(slots=True)
class Known:
    """What Odoo has of a UID."""

    record: object
    organises: bool
    active: bool


@dataclass(slots=True)
class Difference:
    """What has to be done so that Odoo has what was read.

    :param writes: list of (event, names of the fields of Row that differ, Row)
    :param creates: list of Row
    :param archives: events that the series has no more
    :param bool rule: whether the rule of the series differs
    :param bool other: whether only what Odoo has no field for differs
    """

    plan: object
    writes: list = field(default_factory=list)
    creates: list = field(default_factory=list)
    archives: list = field(default_factory=list)
    rule: bool = False
    other: bool = False

    def __bool__(self):
        return bool(self.writes or self.creates or self.archives or self.rule or self.other)


class Comparison:
    """Compares for one owner.

    :param env: of whoever imports: what he may not see is not shown to him
    :param owner: res.users
    :param Options options: see there
    :param todos: who compares to-dos; see ``ical_todo``
    """

    def __init__(self, env, owner, options, todos):
        self.env = env
        self.owner = owner
        self.options = options
        self.todos = todos
        self.events = env["calendar.event"].sudo().with_context(active_test=False)
        self.sources = env["calendar.ical.source"].sudo()
        self.zone = named_zone(owner.sudo().tz or env.context.get("tz"))
        language = get_lang(env, owner.sudo().lang)
        self.week_start = int(language.week_start) - 1
        self.now = fields.Datetime.now()
        self._labels = env["calendar.event"].fields_get(None, ["string"])
        self._noted_calendars = set()

    def outcomes(self, incoming):
        """One Outcome for each object of the file, in its order."""
        groups = incoming.groups
        known = self.sources._known(
            self.owner, self.options.source, [group.uid for group in groups if group.uid]
        )
        found, fresh = {}, []
        models = {name: self.env[name] for name in {entry[1] for entry in known.values()}}
        for number, group in enumerate(groups):
            entry = known.get((group.component, group.uid))
            if entry and entry[0] == group.digest and not self.options.force:
                found[number] = [
                    Outcome(
                        group.uid, "unchanged", group.component, models[entry[1]].browse(entry[2]),
                        line=group.line, digest=group.digest,
                    )
                ]  # fmt: skip
            else:
                fresh.append(number)
        for at in range(0, len(fresh), BATCH):
            numbers = fresh[at : at + BATCH]
            for number, outcomes in zip(
                numbers, self._batch(incoming, [groups[n] for n in numbers]), strict=True
            ):
                found[number] = outcomes
        return [outcome for number in range(len(groups)) for outcome in found[number]]

    # -- reading -------------------------------------------------------------

    def _batch(self, incoming, groups):
        read = [self._read(incoming, group) for group in groups]
        items = [item for one in read for item in one[0]]
        contacts = self._contacts(items)
        untitled = self.env._("Meeting")
        reader = RowReader(self.owner, self.zone, contacts, self.options, untitled)
        self.reader = reader
        self.planner = SeriesReader(reader, self.now, self.week_start, pytz.all_timezones_set)
        uids = {item.uid for item in items}
        known = self._find([uid for uid in uids if len(uid.encode()) <= UID_BYTES])
        self.todos.look_up(items)
        outcomes = []
        for group, (items, refused) in zip(groups, read, strict=True):
            one = self._outcome(group, items, known) if items else None
            outcomes.append([*([one] if one else ()), *refused])
        return outcomes

    def _read(self, incoming, group):
        """(items, outcomes of what cannot be read or taken)"""
        if group.component in ("VJOURNAL", "VFREEBUSY"):
            reason = "journal" if group.component == "VJOURNAL" else "freebusy"
            return [], [self._refused(group, reason)]
        if group.component == "VTODO" and self.options.todo_as == "none":
            return [], [self._refused(group, "todo")]
        items, failed, main_failed = [], [], False
        for chunk, number in group.chunks:
            calendar = incoming.calendar(number)
            try:
                item = parse_item(chunk, calendar, incoming.limits)
                # An error of the rule would else be found out only when it is walked.
                items.append(self._with_file_repairs(item, calendar, number))
            except IcalError as error:
                main_failed |= not chunk.identity()[1]
                failed.append(self._failure(group, chunk, error))
        if main_failed:
            items = []
        if failed:
            # As long as a part cannot be read it is told of each time.
            group.digest = None
        items = latest(items)
        items.sort(key=lambda item: item.recurrence_id is not None)
        return items, failed

    def _with_file_repairs(self, item, calendar, number):
        """What is wrong with the file as such is told with its first object."""
        if number in self._noted_calendars or not calendar.repairs:
            return item
        self._noted_calendars.add(number)
        return replace(item, repairs=(*calendar.repairs, *item.repairs))

    def _failure(self, group, chunk, error):
        reason = error.code
        if isinstance(error, BadRule) and not isinstance(error, UnsupportedRule):
            reason = "bad_rule"
        return Outcome(
            group.uid, "error", group.component, reason=reason, detail=error.message,
            line=error.line or chunk.line, summary=_summary_of(chunk),
        )  # fmt: skip

    def _refused(self, group, reason):
        chunk = group.chunks[0][0]
        return Outcome(
            group.uid, "refused", group.component, reason=reason, line=group.line,
            summary=_summary_of(chunk), digest=group.digest,
        )  # fmt: skip

    def _contacts(self, items):
        """The contacts of all attendees, by address: one question for all."""
        emails = {
            attendee.email for item in items for attendee in item.attendees if attendee.email
        }  # fmt: skip
        if not emails:
            return {}
        partners = self.env["res.partner"].with_user(self.owner).search_fetch(
            [("email_normalized", "in", sorted(emails))],
            ["email_normalized", "is_company", "partner_share"],
        )  # fmt: skip
        found = {}
        # A user comes first, then a person, then a company; of several the oldest.
        for partner in partners.sorted(lambda one: (one.partner_share, one.is_company, one.id)):
            found.setdefault(partner.email_normalized, partner.id)
        return found

    def _find(self, uids):
        """What the owner has of these UIDs: a dict to Known, in one question."""
        if not uids:
            return {}
        self.events.flush_model(["ical_uid", "user_id", "partner_ids", "recurrence_id", "active"])
        self.env.cr.execute(
            SQL(
                """
                SELECT event.ical_uid, event.recurrence_id, MIN(event.id),
                       BOOL_OR(event.user_id = %(user)s), BOOL_OR(event.active)
                  FROM calendar_event event
                 WHERE event.ical_uid = ANY(%(uids)s)
                   AND (event.user_id = %(user)s OR EXISTS (
                            SELECT FROM calendar_event_res_partner_rel guest
                             WHERE guest.calendar_event_id = event.id
                               AND guest.res_partner_id = %(partner)s))
                 GROUP BY event.ical_uid, event.recurrence_id,
                          CASE WHEN event.recurrence_id IS NULL THEN event.id END
                """,
                uids=uids,
                user=self.owner.id,
                partner=self.owner.sudo().partner_id.id,
            )
        )
        series = self.env["calendar.recurrence"].sudo().with_context(active_test=False)
        best = {}
        for uid, recurrence_id, event_id, organises, active in self.env.cr.fetchall():
            rank = (bool(organises), bool(active), bool(recurrence_id), -event_id)
            if uid not in best or rank > best[uid][0]:
                record = (
                    series.browse(recurrence_id) if recurrence_id else self.events.browse(event_id)
                )
                best[uid] = rank, Known(record, bool(organises), bool(active))
        return {uid: pair[1] for uid, pair in best.items()}

    # -- judging -------------------------------------------------------------

    def _outcome(self, group, items, known):
        main = items[0]
        outcome = Outcome(
            main.uid, "new", group.component, items=items, line=main.line,
            summary=main.summary or "", start=main.start or main.recurrence_id or main.stop,
            repairs=[repair for item in items for repair in item.repairs], digest=group.digest,
            action="create",
        )  # fmt: skip
        try:
            if len(main.uid.encode()) > UID_BYTES:
                raise CannotKeep("uid")
            if main.method in ANSWERS:
                raise CannotKeep("answer")
            if group.component == "VTODO":
                self.todos.judge(outcome)
            else:
                self._judge(outcome, known.get(main.uid))
        except CannotKeep as error:
            outcome.kind, outcome.action = "refused", ""
            outcome.reason, outcome.detail = error.code, error.detail
        except IcalError as error:
            outcome.kind, outcome.action = "error", ""
            outcome.reason, outcome.detail = error.code, error.message
        if outcome.record:
            outcome.record = self.env[outcome.record._name].browse(outcome.record.id)
        return outcome

    def _judge(self, outcome, known):
        items = outcome.items
        cancelled = all(is_cancelled(item) for item in items)
        if known is None:
            if any(item.start is None for item in items) or (
                cancelled and items[0].method == "CANCEL"
            ):
                raise CannotKeep("unknown")
            outcome.plan = self.planner.plan(items)
            if not any(row.active for row in outcome.plan.rows):
                outcome.kind = "cancelled"
            return
        outcome.record = known.record
        self._check_visible(known.record)
        if cancelled and items[0].method == "CANCEL" and items[0].recurrence_id is None:
            self._judge_cancellation(outcome, known)
            return
        if any(item.start is None for item in items):
            items = [
                replace(item, start=item.recurrence_id) if item.start is None else item
                for item in items
            ]
        outcome.plan = self._difference(known.record, self.planner.plan(items), items)
        self._decide(outcome, known, cancelled)

    def _check_visible(self, record):
        """Nothing is told of what whoever imports may not see."""
        events = record if record._name == "calendar.event" else record.calendar_event_ids[:1]
        event = events.with_env(self.env)
        if not self.env.su and event._check_private_event_conditions():
            raise CannotKeep("private")

    def _judge_cancellation(self, outcome, known):
        rows = self._rows(known.record)
        if not known.active:
            outcome.kind, outcome.action = "unchanged", "keep"
        elif not known.organises:
            raise CannotKeep("not_organizer")
        elif self._is_older(outcome, known.record, rows):
            outcome.kind, outcome.action = "older", "keep"
        else:
            outcome.kind, outcome.action = "cancelled", "update"
            outcome.plan = Difference(None, archives=list(rows.filtered("active")))

    def _decide(self, outcome, known, cancelled):
        difference = outcome.plan
        rows = self._rows(known.record)
        if not difference:
            outcome.kind, outcome.action = "unchanged", "keep"
            return
        if not known.organises:
            self._decide_answer(outcome, rows)
            return
        if self._is_older(outcome, known.record, rows) and not self.options.force:
            outcome.kind, outcome.action = "older", "keep"
            return
        outcome.kind, outcome.action = "changed", "update"
        if cancelled and known.active:
            outcome.kind = "cancelled"
        outcome.changes = self._words(outcome, known.record)

    def _decide_answer(self, outcome, rows):
        """Of the meeting of somebody else only the owner's own answer is taken."""
        partner = self.owner.sudo().partner_id
        answer = next(
            (
                attendee.status
                for attendee in outcome.items[0].attendees
                if attendee.email in self.reader.addresses
            ),
            None,
        )
        state = {
            "ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative",
        }.get(answer)  # fmt: skip
        guests = rows.attendee_ids.filtered(
            lambda guest: guest.partner_id == partner and guest.state != state
        )
        sequence = max(rows.mapped("ical_sequence"))
        others = self._only_answer(outcome.plan)
        if state and guests and others and outcome.items[0].sequence >= sequence:
            outcome.kind, outcome.action = "changed", "answer"
            states = dict(guests._fields["state"]._description_selection(self.env))
            label = guests._fields["state"]._description_string(self.env)
            outcome.changes = [(label, states.get(guests[0].state) or "", states[state])]
            outcome.plan = (guests, state)
            return
        if others:
            outcome.kind, outcome.action = "unchanged", "keep"
            return
        raise CannotKeep("not_organizer")

    def _only_answer(self, difference):
        if difference.creates or difference.archives or difference.rule:
            return False
        return all(set(names) <= {"guests"} for _event, names, _row in difference.writes)

    def _is_older(self, outcome, record, rows):
        """Whether Odoo's is newer: SEQUENCE, then when it was made (RFC 5546, 2.1.5)."""
        item = outcome.items[0]
        if item.recurrence_id is not None and record._name == "calendar.recurrence":
            return item.sequence < record.ical_sequence
        taken = self._taken_at(record)
        written = max([*rows.mapped("write_date"), record.write_date])
        sequence, stamp = record.ical_sequence, written.replace(tzinfo=UTC, microsecond=0)
        original = original_item(record.ical_text) if taken else None
        if original is not None and (written - taken).total_seconds() < 1:
            # Nobody has touched it since it came.
            sequence, stamp = order(original)
        return order(item) < (sequence, stamp)

    def _taken_at(self, record):
        """When the record was last taken in from anywhere, or None."""
        name = "event_id" if record._name == "calendar.event" else "recurrence_id"
        self.env.cr.execute(
            SQL(
                "SELECT MAX(write_date) FROM calendar_ical_source WHERE %s = %s AND user_id = %s",
                SQL.identifier(name),
                record.id,
                self.owner.id,
            )
        )
        return self.env.cr.fetchone()[0]

    # -- differences ---------------------------------------------------------

    def _rows(self, record):
        if record._name == "calendar.event":
            return record
        return self.events.search([("recurrence_id", "=", record.id)], order="start, id")

    def _difference(self, record, plan, items):
        events = self._rows(record)
        if plan.partial and record._name == "calendar.event":
            plan = Plan(plan.rows[:1])
        difference = Difference(plan)
        pairs = self._pairs(record, events, plan, difference)
        for event, row in pairs:
            names = self._differing(event, row)
            if names:
                difference.writes.append((event, names, row))
        if plan.series is not None and not plan.partial:
            difference.rule = self._rule_differs(record, plan, difference)
        if not difference:
            difference.other = self._other_differs(record, items)
        return difference

    def _pairs(self, record, events, plan, difference):
        """Pairs (event, Row) of what is there; what is not goes into the difference."""
        if plan.series is None:
            event = record
            if record._name == "calendar.recurrence":
                event = record.base_event_id or events.filtered("active")[:1] or events[:1]
                difference.archives += list((events - event).filtered("active"))
                # A series of one meeting is told as one.
                difference.rule = bool(difference.archives or record.rrule_type)
            return [(event, plan.rows[0])]
        free = {}
        for event in events.sorted(lambda one: (one.active, one.follow_recurrence)):
            free[event.ical_recurrence_start or event.start] = event
        pairs = []
        for row in plan.rows:
            event = free.pop(row.place, None)
            if event is None and record._name == "calendar.event":
                # The meeting that begins to repeat is the first of its series.
                event = record if record in free.values() and not pairs else None
                free = {} if event else free
            if event is not None:
                pairs.append((event, row))
            elif row.active:
                difference.creates.append(row)
        if not plan.partial:
            first, last = plan.series["ical_first"], plan.series["ical_last"]
            for place, event in free.items():
                inside = (first is None or place >= first) and (last is None or place < last)
                if event.active and inside:
                    difference.archives.append(event)
        return pairs

    def _differing(self, event, row):
        """Names of the fields of Row in which the event differs."""
        now = self._row_of(event)
        row.guests = self._same_guests(event, row.guests)
        found = []
        for name in COMPARED:
            old, new = getattr(now, name), getattr(row, name)
            if name == "description":
                old, new = " ".join(old.split()), " ".join(new.split())
            elif name == "privacy":
                old, new = (None if one == "public" else one for one in (old, new))
            elif name == "categories":
                old, new = ({one.lower() for one in names} for names in (old, new))
            elif name == "videocall_location" and new is None:
                continue
            if old != new:
                found.append(name)
        if now.place != row.place and row.place is not None and not found:
            found.append("place")
        return found

    def _row_of(self, event):
        return Row(
            start=event.start,
            stop=event.stop,
            allday=event.allday,
            name=" ".join(event.name.split()),
            description=event._ical_description(),
            location=" ".join((event.location or "").split()),
            privacy=event.privacy or None,
            show_as=event.show_as,
            active=event.active,
            videocall_location=event.videocall_location or None,
            categories=frozenset(event.categ_ids.mapped("name")),
            alarms=frozenset(
                (alarm.alarm_type, alarm.duration_minutes) for alarm in event.alarm_ids
            ),
            guests={guest.partner_id.id: guest.state for guest in event.attendee_ids},
            place=(event.ical_recurrence_start or event.start) if event.recurrence_id else None,
        )

    def _same_guests(self, event, guests):
        """The guests of a row, by the contacts that the event has of their addresses."""
        partners = event.attendee_ids.partner_id
        by_email = {one.email_normalized: one.id for one in partners if one.email_normalized}
        emails = {partner_id: email for email, partner_id in self.reader.contacts.items()}
        found = {}
        for guest, state in guests.items():
            email = guest if isinstance(guest, str) else emails.get(guest)
            found[by_email.get(email, guest)] = state
        for guest in event.attendee_ids:
            # Who has no address is in no file.
            if not guest.partner_id.email_normalized:
                found.setdefault(guest.partner_id.id, guest.state)
        return found

    def _rule_differs(self, record, plan, difference):
        if record._name == "calendar.event":
            return True
        series = plan.series
        is_cut = series["ical_last"] is not None
        if not (difference.creates or difference.archives or difference.writes or is_cut):
            # The same meetings: said otherwise perhaps, but the same.
            return False
        if not series["rrule_type"]:
            known = original_item(record.ical_text)
            new = original_item(series["ical_text"])
            return (known.rules if known else ()) != (new.rules if new else ())
        kept = {name: record[name] for name in RULE}
        if kept["end_type"] == "count" and kept["count"] >= MAX_COUNT:
            # What Odoo makes of "for ever" when it saves it.
            kept["end_type"] = "forever"
        return any(
            (kept[name] or False) != (value or False)
            for name, value in series.items()
            if name in RULE and name != "event_tz"
        )

    def _other_differs(self, record, items):
        """Whether something differs that Odoo has no field for."""
        # The reminders of a series are compared meeting by meeting.
        whole = record._name == "calendar.event"
        new = _other_lines(items[0], whole)
        original = original_item(record.ical_text)
        if original is not None:
            return new != _other_lines(original, whole)
        return any(_name_of(line) not in _WRITTEN for line in _other_lines(items[0], False))

    # -- in words ------------------------------------------------------------

    def _words(self, outcome, record):
        """The changes as (label, old, new), for whoever decides about them."""
        difference = outcome.plan
        words, count = [], 0
        for event, names, row in difference.writes:
            now = self._row_of(event)
            found = [
                (self._label(name), self._shown(name, now), self._shown(name, row))
                for name in names
                if name != "place"
            ]
            for one in found:
                if one not in words:
                    words.append(one)
            count += bool(found)
            if len(words) > 12:
                break
        if difference.rule:
            old = record.name if record._name == "calendar.recurrence" else ""
            rules = outcome.items[0].rules
            words.append((self.env._("Repetition"), old or "", "; ".join(rules)))
        if difference.creates:
            number = len(difference.creates)
            words.append((self.env._("Meetings that are added"), "", str(number)))
        if difference.archives:
            number = len(difference.archives)
            words.append((self.env._("Meetings that are cancelled"), str(number), ""))
        if difference.other:
            words.append((self.env._("Properties that Odoo has no field for"), "", ""))
        return words

    def _label(self, name):
        names = {
            "categories": "categ_ids", "alarms": "alarm_ids", "guests": "attendee_ids",
        }  # fmt: skip
        return self._labels[names.get(name, name)]["string"]

    def _shown(self, name, row):
        value = getattr(row, name)
        if name in ("start", "stop"):
            if row.allday:
                return format_date(self.env, value.date())
            return format_datetime(self.env, value)
        if name in ("privacy", "show_as"):
            field_ = self.env["calendar.event"]._fields[name]
            return dict(field_._description_selection(self.env)).get(value) or ""
        if name in ("allday", "active"):
            return self.env._("Yes") if value else self.env._("No")
        if name == "categories":
            return ", ".join(sorted(value))
        if name == "alarms":
            return ", ".join(
                self.env._("%(minutes)s minutes before", minutes=minutes)
                for _kind, minutes in sorted(value, key=lambda pair: pair[1])
            )
        if name == "guests":
            return self._shown_guests(value)
        return str(value or "")[:500]

    def _shown_guests(self, guests):
        states = dict(
            self.env["calendar.attendee"]._fields["state"]._description_selection(self.env)
        )
        partners = self.env["res.partner"].sudo()
        names = [
            f"{guest if isinstance(guest, str) else partners.browse(guest).name} "
            f"({states.get(state, '')})"
            for guest, state in guests.items()
        ]
        return ", ".join(sorted(names))


def _name_of(line):
    return line.split(":", 1)[0].split(";", 1)[0].upper()


def _other_lines(item, with_alarms):
    """The lines that say what Odoo has no field for; components as a whole."""
    lines, inside = [], []
    for line in item_lines(item):
        name = _name_of(line)
        if name == "BEGIN":
            inside.append(line[6:].strip().upper())
        if "VALARM" in inside:
            if with_alarms and name not in ("ACKNOWLEDGED", "X-WR-ALARMUID"):
                lines.append(line)
        elif len(inside) > 1 or name not in _TOLD:
            lines.append(line)
        if name == "END":
            inside.pop()
    return sorted(lines)


def _summary_of(chunk):
    if chunk.end - chunk.start > 1_000_000:
        return ""
    for line in chunk.own().decode("utf-8", "replace").split("\n"):
        if line[:7].upper() == "SUMMARY":
            return line.partition(":")[2][:200].strip()
    return ""


__all__ = ["Comparison", "Difference", "Group", "Known"]

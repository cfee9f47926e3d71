"""A file held against what Odoo has, before anything is written.

Plain Python over records: what is unchanged since the last time is told by its
digest alone; what is new or has changed is read, planned, and put into words.
"""

from dataclasses import dataclass, replace

import pytz

from odoo import fields
from odoo.tools import SQL, get_lang

from ..ical.errors import BadRule, IcalError, UnsupportedRule
from ..ical.limits import Budget
from ..ical.parse import parse_item
from ..ical.sequence import ANSWERS, latest, order
from ..ical.values import UTC
from .ical_difference import Differ, Difference
from .ical_incoming import UID_BYTES, Outcome
from .ical_kept import original_item
from .ical_meeting import named_zone
from .ical_row import CannotKeep, RowReader, is_cancelled
from .ical_rows import SeriesReader
from .ical_words import Words
from .short_address import short_address

#: Objects that are read and looked up together.
BATCH = 1000
#: Steps along the rules of all series of a file: ten thousand of them take a tenth.
FILE_STEPS = 200_000_000
#: Attendees of all meetings of a series: each is a row of its own.
MAX_GUESTS = 100_000


@dataclass(slots=True)
class Known:
    """What Odoo has of a UID."""

    record: object
    organises: bool
    active: bool


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
        self.budget = Budget(FILE_STEPS)
        self.words = Words(env)
        self._noted_calendars = set()

    def outcomes(self, incoming):
        """One Outcome for each object of the file, in its order."""
        groups = incoming.groups
        known = self.sources._known(
            self.owner, self.options.source, [group.uid for group in groups if group.uid]
        )
        found, fresh = {}, []
        ids = {}
        for _digest, name, res_id in known.values():
            ids.setdefault(name, []).append(res_id)
        # Whoever looks at one of them reads them all.
        models = {name: self.env[name].with_prefetch(found_) for name, found_ in ids.items()}
        for number, group in enumerate(groups):
            entry = known.get((group.component, group.uid))
            if entry and entry[0] == group.digest and not self.options.force:
                record = self._one_of(models[entry[1]], entry[2])
                found[number] = [
                    Outcome(
                        group.uid, "unchanged", group.component, record,
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

    def _one_of(self, models, res_id):
        return models.browse(res_id).with_prefetch(models._prefetch_ids)

    # -- reading -------------------------------------------------------------

    def _batch(self, incoming, groups):
        read = [self._read(incoming, group) for group in groups]
        items = [item for one in read for item in one[0]]
        contacts = self._contacts(items)
        untitled = self.env._("Meeting")
        reader = RowReader(self.owner, self.zone, contacts, self.options, untitled)
        self.reader = reader
        self.differ = Differ(self.events, reader)
        self.planner = SeriesReader(
            reader, self.now, self.week_start, pytz.all_timezones_set, self.budget
        )
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
        found = {email: email for email in self._invited_alone(emails)}
        # A user comes first, then a person, then a company; of several the oldest.
        for partner in partners.sorted(lambda one: (one.partner_share, one.is_company, one.id)):
            if not isinstance(found.get(partner.email_normalized), int):
                found[partner.email_normalized] = partner.id
        return found

    def _invited_alone(self, emails):
        """Those of the addresses that the owner has invited without having a contact, or
        invites now."""
        if self.options.invite:
            return {one for one in emails if short_address(one)}
        found = self.env["calendar.attendee"].sudo().search_fetch(
            [("address", "in", sorted(emails)), ("partner_id", "=", False),
             ("event_id.user_id", "=", self.owner.id)],
            ["address"],
        )  # fmt: skip
        return set(found.mapped("address"))

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
            self._check_guests(outcome.plan)
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
        plan = self.planner.plan(items)
        self._check_guests(plan, known.record)
        outcome.plan = self.differ.difference(known.record, plan, items)
        self._decide(outcome, known, cancelled)

    def _check_guests(self, plan, record=None):
        """:raises CannotKeep: when they are more than are kept, and than there are already"""
        number = sum(len(row.guests) for row in plan.rows)
        if number > MAX_GUESTS and not (
            record and number <= len(self.differ.rows(record).attendee_ids)
        ):
            raise CannotKeep("guests")

    def _check_visible(self, record):
        """Nothing is told of what whoever imports may not see."""
        events = record if record._name == "calendar.event" else record.calendar_event_ids[:1]
        event = events.with_env(self.env)
        if not self.env.su and event._check_private_event_conditions():
            raise CannotKeep("private")

    def _judge_cancellation(self, outcome, known):
        rows = self.differ.rows(known.record)
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
        rows = self.differ.rows(known.record)
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
        outcome.changes = self.words.words(outcome, known.record)

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
        taken = self.sources._taken_at(record, self.owner)
        # Odoo writes series itself, when one of their reminders goes off.
        written = max(rows.mapped("write_date"))
        sequence, stamp = record.ical_sequence, written.replace(tzinfo=UTC, microsecond=0)
        original = original_item(record.ical_text) if taken else None
        if original is not None and (written - taken).total_seconds() < 1:
            # Nobody has touched it since it came.
            sequence, stamp = order(original)
        return order(item) < (sequence, stamp)


def _summary_of(chunk):
    if chunk.end - chunk.start > 1_000_000:
        return ""
    for line in chunk.own().decode("utf-8", "replace").split("\n"):
        if line[:7].upper() == "SUMMARY":
            return line.partition(":")[2][:200].strip()
    return ""

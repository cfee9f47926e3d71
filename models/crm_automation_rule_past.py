"""What a rule would have done: its moments that are over, and what has happened.

Owns the look back. For rules about dates the moments are exact. What has happened
to records is put together from what Odoo keeps of it (creation, tracked changes,
dates of conversion and closing); what it does not keep is said.
"""

import collections
import datetime

from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..engine.changes import Change
from .crm_automation_rule_moment import LAST_ACTION
from .record_fields import state_field

#: Records that one look back goes through.
LOOK_LIMIT = 2_000
#: An execution within this time of an event is taken for its execution.
NEAR = datetime.timedelta(minutes=2)

#: When the rule would have acted on a record, because of what had happened when; both
#: are False where that is not known. ``matches``: it satisfies the conditions now.
PastMoment = collections.namedtuple("PastMoment", ["res_id", "moment", "happened", "matches"])

#: Triggers that a new record sets off.
AT_CREATION = frozenset(
    {"created", "saved", "task_created", "meeting_booked", "stage_entered", "state_reached"}
)
#: Trigger to the field whose tracked changes are it, and the value that it must get.
TRACKED = {
    "lead_converted": (("type",), ("opportunity",)),
    "won": (("won_status",), ("won",)),
    "lost": (("won_status",), ("lost",)),
    "stage_entered": (("stage_id",), ()),
    "meeting_moved": (("start", "stop"), ()),
    "meeting_cancelled": (("active",), (0,)),
}
#: Trigger to the date that Odoo keeps of it, and what the record must be.
DATED = {
    "lead_converted": ("date_conversion", Domain("type", "=", "opportunity")),
    "won": ("date_closed", Domain("won_status", "=", "won")),
    "lost": ("date_closed", Domain("won_status", "=", "lost")),
}


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    def _would_have_fired(self, days):
        """What would have been done in the last days, with the current user's rights.

        :return: pair of a list of PastMoment, those that match first, and a list of
            sentences: what cannot be known, what was left out
        """
        self.ensure_one()
        with self._nothing_stays():
            rule = self._as_mine()
            now = fields.Datetime.now()
            first = now - datetime.timedelta(days=days)
            if rule.trigger == "moment":
                found, notes = rule._past_moments(first, now), []
                if rule.date_type in (LAST_ACTION, "last_update"):
                    notes.append(
                        self.env._("Of several such dates of one record only the last is known.")
                    )
            else:
                found, notes = rule._past_events(first, now)
                if found is None:
                    found, more = rule._matching_now()
                    notes += more
            if len(found) >= LOOK_LIMIT:
                notes.append(self._note_limit())
            return sorted(found, key=_latest_matching_first), notes

    def _match_now(self):
        """Records that satisfy the conditions now, with the current user's rights.

        :return: as ``_would_have_fired``; the moments are False
        """
        with self._nothing_stays():
            return self._as_mine()._matching_now()

    def _matching_now(self):
        domain = self._condition_domain()
        records = self._owner_model().search(domain, limit=LOOK_LIMIT, order="id desc")
        notes = [self._note_limit()] if len(records) == LOOK_LIMIT else []
        records = self._matching_texts(records)
        return [PastMoment(record.id, False, False, True) for record in records], notes

    def _note_limit(self):
        return self.env._("Only the latest %(number)s records were looked at.", number=LOOK_LIMIT)

    # -- moments ----------------------------------------------------------------------

    def _past_moments(self, first, last, limit=LOOK_LIMIT, only_matching=False):
        """Moments between two others, of the records that match, and of others.

        :param int limit: records looked at
        :param bool only_matching: leave the others out
        :return: list of PastMoment
        """
        model = self._owner_model()
        if not self._may_read_date(model):
            raise AccessError(self.env._("You may not read the date that the rule is about."))
        window = self._window_domain(*self._value_window(first, last))
        domain = window & self._condition_domain()
        records = model.search(domain, limit=limit, order="id desc")
        matching = self._matching_texts(records)
        if not only_matching and len(records) < limit:
            records |= model.search(window, limit=limit - len(records), order="id desc")
        dates = self._dates(records)
        moments = {
            record: self._moment(record, dates[record.id])
            for record in records
            if record.id in dates and (not only_matching or record in matching)
        }
        return [
            PastMoment(record.id, moment, moment, record in matching)
            for record, moment in moments.items()
            if first <= moment <= last
        ]

    # -- events -----------------------------------------------------------------------

    def _past_events(self, first, last):
        """What Odoo has kept of the events that the rule waits for.

        :return: pair of a list of PastMoment, None where it keeps nothing of them,
            and of sentences
        """
        found = set()
        notes = []
        known = self.trigger in AT_CREATION and not (
            self.trigger == "state_reached" and self.state_from_ids
        )
        if known:
            found |= self._created_between(first, last)
        if self.trigger in DATED:
            known = True
            found |= self._dated_between(first, last)
        names, values = self._tracked_of_trigger()
        tracked, lost = self._split_tracked(names)
        if tracked:
            known = True
            found |= self._changed_between(tracked, values, first, last)
        if lost:
            notes.append(
                self.env._(
                    "Odoo keeps no history of these fields, so their changes are missing: "
                    "%(names)s.",
                    names=self._some_labels(lost),
                )
            )
        if not known or (names and not tracked and self.trigger in ("updated", "state_reached")):
            notes.insert(0, self._note_unknown())
            return None, notes
        notes.insert(
            0,
            self.env._(
                "The conditions were asked of the records as they are now; records that were "
                "deleted since are missing."
            ),
        )
        if self.state_from_ids or self._is_filter(self.before_domain):
            notes.append(
                self.env._("What the records were before their change is not known any more.")
            )
        return self._with_matches(_once_each(found)), notes

    def _note_unknown(self):
        return self.env._(
            "Odoo does not keep when this happened: %(when)s. These are the records that "
            "satisfy the conditions now.",
            when=self._label("trigger"),
        )

    def _some_labels(self, names, limit=10):
        model = self.env[self.model_name]
        labels = [model._fields[name]._description_string(self.env) for name in sorted(names)]
        more = self.env._("and %(number)s more", number=len(labels) - limit)
        return ", ".join(labels[:limit] + ([more] if len(labels) > limit else []))

    def _with_matches(self, found):
        """Pairs of record id and moment as PastMoments, of records that may be read."""
        latest = sorted(found, key=lambda pair: pair[1], reverse=True)[:LOOK_LIMIT]
        mine = Domain("id", "in", [res_id for res_id, _moment in latest])
        model = self._owner_model()
        readable = set(model.search(mine).ids)
        matching = set(self._matching_texts(model.search(mine & self._condition_domain())).ids)
        zone = self.env.user.tz or "UTC"
        return [
            PastMoment(
                res_id,
                self._delayed(moment, zone),
                moment,
                res_id in matching,
            )
            for res_id, moment in latest
            if res_id in readable
        ]

    def _created_between(self, first, last):
        # Odoo tells nobody when a private meeting of others was booked.
        records = self._search_between("create_date", first, last).filtered("create_date")
        name = {"stage_entered": "stage_id", "state_reached": self._state_name(records)}.get(
            self.trigger
        )
        if name:
            # Of one that has moved on nobody knows any more what it was created in.
            moved = self._ever_changed(name, records.ids)
            records = records.filtered(lambda record: record[name] and record.id not in moved)
        return {
            (record.id, record.create_date)
            for record in records
            if self._was_triggered_by_creation(record)
        }

    def _was_triggered_by_creation(self, record):
        if self.trigger == "task_created":
            return self._is_triggered_task_created(Change(record.id, True, {}), record)
        if self.trigger == "meeting_booked":
            event = record.sudo()
            is_first = event.recurrence_id.base_event_id in (event, event.browse())
            return is_first and event.stop >= event.create_date
        return True

    def _ever_changed(self, name, ids):
        """Ids of the records whose history tells of another value of this field."""
        rows = self.env["mail.tracking.value"].sudo().search(
            [
                ("field_id", "=", self.env["ir.model.fields"]._get(self.model_name, name).id),
                ("mail_message_id.model", "=", self.model_name),
                ("mail_message_id.res_id", "in", ids),
            ]
        )  # fmt: skip
        return set(rows.mail_message_id.mapped("res_id"))

    def _dated_between(self, first, last):
        name, domain = DATED[self.trigger]
        return {(row.id, row[name]) for row in self._search_between(name, first, last, domain)}

    def _search_between(self, name, first, last, domain=Domain.TRUE):
        window = Domain(name, ">=", first) & Domain(name, "<=", last)
        return self._owner_model().search(window & domain, limit=LOOK_LIMIT, order=f"{name} desc")

    def _tracked_of_trigger(self):
        """:return: names of the fields whose change the rule waits for, and the values
        that they must get; none: any"""
        if self.trigger in ("updated", "saved"):
            return self._trigger_fields(), ()
        if self.trigger == "state_reached":
            values = self.state_to_ids.sudo().mapped("value")
            return (state_field(self.env[self.model_name]),), tuple(values)
        if self.trigger == "stage_entered":
            return ("stage_id",), tuple((self.lead_stage_ids or self.task_stage_ids).ids)
        return TRACKED.get(self.trigger, ((), ()))

    def _split_tracked(self, names):
        """:return: those of the fields whose history Odoo keeps and the current user may
        read, and those whose history it does not keep"""
        model = self._owner_model()
        fields_ = [model._fields[name] for name in names]
        kept = {field.name for field in fields_ if getattr(field, "tracking", None)}
        readable = {name for name in kept if model._has_field_access(model._fields[name], "read")}
        return readable, {field.name for field in fields_} - kept

    def _changed_between(self, names, values, first, last):
        """Pairs of record id and moment of the tracked changes of these fields."""
        Fields = self.env["ir.model.fields"].sudo()
        rows = self.env["mail.tracking.value"].sudo().search(
            [
                ("field_id", "in", [Fields._get(self.model_name, name).id for name in names]),
                ("mail_message_id.model", "=", self.model_name),
                ("mail_message_id.date", ">=", first),
                ("mail_message_id.date", "<=", last),
            ],
            limit=LOOK_LIMIT,
        )  # fmt: skip
        wanted = self._as_tracked(names, values)
        return {
            (row.mail_message_id.res_id, row.mail_message_id.date)
            for row in rows
            if not wanted or row.new_value_char in wanted or row.new_value_integer in wanted
        }

    def _as_tracked(self, names, values):
        """Values as the history keeps them: of a selection the label, in the language
        of whoever changed it."""
        model = self.env[self.model_name]
        wanted = set()
        for name in names:
            field = model._fields[name]
            for value in values:
                if field.type != "selection":
                    wanted.add(value)
                    continue
                for code, _language in self.env["res.lang"].get_installed():
                    labels = field._description_selection(self.with_context(lang=code).env)
                    wanted.add(dict(labels).get(value))
        return wanted

    # -- the log -----------------------------------------------------------------------

    def _log_of(self, moments):
        """What the log says of moments of this rule.

        :param moments: list of PastMoment
        :return: list of the executions, empty where there is none
        """
        firings = self.env["crm.automation.firing"].search(
            [("rule_id", "=", self.id), ("res_id", "in", [row.res_id for row in moments])]
        )
        by_record = firings.grouped("res_id")
        found = []
        for row in moments:
            mine = by_record.get(row.res_id, firings.browse())
            if row.moment:
                slack = datetime.timedelta() if self.trigger == "moment" else NEAR
                near, start = (row.moment - slack, row.moment + slack), str(row.moment)
                mine = mine.browse(
                    firing.id
                    for firing in mine
                    if near[0] <= firing.due_at <= near[1] or firing.occasion.startswith(start)
                )
            found.append(mine[:1])
        return found

    def _log_in_words(self, firing, row):
        """What was really done, or why nothing was.

        :param firing: the execution of the moment, or empty
        :param PastMoment row: the moment
        """
        if firing:
            state = firing._fields["state"]
            words = dict(state._description_selection(self.env))[firing.state]
            return f"{words}: {firing.reason}" if firing.reason else words
        if not row.matches or not row.happened:
            return ""
        if not self.enabled or not self.enabled_since:
            return self.env._("Nothing: the rule is switched off.")
        if row.happened < self.enabled_since:
            return self.env._("Nothing: the rule was switched on later.")
        return self.env._("Nothing in the log.")


def _latest_matching_first(row):
    age = -row.moment.timestamp() if row.moment else 0
    return (not row.matches, age, -row.res_id)


def _once_each(found):
    """Pairs of record id and moment, one of those that are seconds apart: a change
    and the note in the history that tells of it."""
    kept = []
    for res_id, moment in sorted(found):
        if kept and kept[-1][0] == res_id and moment - kept[-1][1] <= NEAR:
            continue
        kept.append((res_id, moment))
    return kept

"""What has happened: whether a change is what a rule waits for.

Owns the meaning of each trigger about a record's change. What is told by the
method in which it happens, and what becomes of it, is in
``crm_automation_rule_decision.py``.
"""

import contextlib
import dataclasses

from odoo import api, fields, models
from odoo.exceptions import MissingError

from .base import CHANGES
from .record_fields import plain_value, state_field
from .series_edit import EDITED

#: One execution for a whole series of meetings, however many are written.
SERIES_TRIGGERS = frozenset({"meeting_booked", "meeting_moved", "meeting_cancelled"})


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    def _triggered(self, trigger, model, changes):
        """Those of the net changes that are what the trigger waits for.

        Asks the database nothing where the values are in the cache, as they
        are for what has just been written.
        """
        if trigger == "moment":
            self._wake_for(model, changes)
            return self._corrections(model, changes)
        records = self.env[model].browse([change.res_id for change in changes])
        is_triggered = getattr(self, f"_is_triggered_{trigger}")
        hits = []
        for change, record in zip(changes, records, strict=True):
            if change.chain and change.chain[-1] == self.id:
                continue  # its own doing
            # A record deleted since has nothing left to be read.
            with contextlib.suppress(MissingError):
                if is_triggered(change, record):
                    hits.append(change)
        if trigger in SERIES_TRIGGERS and hits:
            return self._one_of_each_series(trigger, model, hits, changes)
        return hits

    def _has_changed(self, change, record, name):
        if name not in change.old:
            return False
        old, new = change.old[name], plain_value(record, name)
        if record._fields[name].type == "many2many":
            # Another order of the same is no change.
            return set(old) != set(new)
        return old != new

    def _is_triggered_created(self, change, _record):
        return change.created

    def _is_triggered_updated(self, change, record):
        if change.created:
            return False
        watched = set(self._trigger_fields())
        return any(self._has_changed(change, record, name) for name in watched & change.old.keys())

    def _is_triggered_saved(self, change, record):
        return change.created or self._is_triggered_updated(change, record)

    def _is_triggered_lead_converted(self, change, lead):
        """A lead that the transaction found as a lead is now an opportunity.

        One that is created as an opportunity was never converted.
        """
        return (
            not change.created and change.old.get("type") == "lead" and lead.type == "opportunity"
        )

    def _is_triggered_won(self, change, lead):
        return self._has_become(change, lead, "won_status", "won")

    def _is_triggered_lost(self, change, lead):
        return self._has_become(change, lead, "won_status", "lost")

    def _has_become(self, change, record, name, value):
        return record[name] == value and (change.created or self._has_changed(change, record, name))

    def _is_triggered_stage_entered(self, change, record):
        """Also for a record that is created in a stage."""
        return bool(record.stage_id) and (
            change.created or self._has_changed(change, record, "stage_id")
        )

    def _is_triggered_state_reached(self, change, record):
        name = state_field(record)
        if change.created:
            # There was no state before.
            return not self.state_from_ids and bool(record[name])
        return self._has_changed(change, record, name)

    def _is_triggered_task_created(self, change, task):
        """A new task of a project, no template and no copy made by a recurrence."""
        if not change.created or not task.project_id:
            return False
        if task.is_template or task.has_template_ancestor or task.has_project_template:
            return False
        top = task.parent_id or task
        return not top.recurrence_id or top.id == min(top.recurrence_id.task_ids.ids)

    def _is_triggered_meeting_booked(self, change, event):
        """A new meeting that is still to come; of a series, the one it was booked by."""
        if not change.created or not event.active:
            return False
        if event.recurrence_id and event.recurrence_id.base_event_id != event:
            return False
        return bool(self._next_meeting(event))

    def _is_triggered_meeting_moved(self, change, event):
        if change.created or not event.active or not change.old.get("active", True):
            return False
        if not any(self._has_changed(change, event, name) for name in ("start", "stop")):
            return False
        if self._has_changed(change, event, "recurrence_id"):
            # The meeting by which Odoo moves a whole series.
            return bool(self._next_meeting(event))
        return event.stop >= fields.Datetime.now()

    @api.model
    def _next_meeting(self, event):
        """The meeting if it is still to come, else the next one of its series."""
        now = fields.Datetime.now()
        if event.stop >= now:
            return event
        to_come = event.recurrence_id.calendar_event_ids.filtered(lambda other: other.stop >= now)
        return to_come.sorted("start")[:1]

    def _is_triggered_meeting_cancelled(self, change, event):
        if change.created or event.active or not change.old.get("active"):
            return False
        return change.old.get("stop", event.stop) >= fields.Datetime.now()

    def _one_of_each_series(self, trigger, model, hits, changes):
        """Of the meetings of one series, the first.

        A series that is changed may lose meetings, or go on as another one: that is no
        cancellation.
        """
        records = self.env[model]
        series_of = {
            change.res_id: series
            for change in changes
            if (series := change.old.get("recurrence_id"))
        }
        moved = {
            series_of[record.id]
            for record in records.browse(series_of).exists()
            if record.active and record.recurrence_id.id not in (False, series_of[record.id])
        }
        moved |= self.env.cr.postcommit.data.get(EDITED, set())
        kept = {}
        for change in hits:
            record = records.browse(change.res_id)
            series = change.old.get("recurrence_id") or record.recurrence_id.id
            if trigger == "meeting_cancelled" and series in moved:
                continue
            key = f"series {series}" if series else change.res_id
            best = kept.get(key)
            if not best or record.start < records.browse(best.res_id).start:
                kept[key] = change
        if trigger == "meeting_cancelled":
            return list(kept.values())
        # Of a series that has begun, the next meeting is what people want to know.
        return [
            dataclasses.replace(change, res_id=self._next_meeting(records.browse(change.res_id)).id)
            for change in kept.values()
        ]

    @api.model
    def _first_of_each_series(self, events):
        changes = self.env.cr.postcommit.data.get(CHANGES)
        known = changes.everything(events._name) if changes else ()
        old = {change.res_id: change.old for change in known}
        kept = {}
        for event in events.sorted("start"):
            series = event.recurrence_id.id or old.get(event.id, {}).get("recurrence_id")
            kept.setdefault(series or f"event {event.id}", event)
        return events.browse([event.id for event in kept.values()])

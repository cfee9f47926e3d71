"""Rules about dates: before or after a date of the record, or its creation.

Owns which date a rule means and the moment that it leads to. What is due is put
into the ledger by the enqueuer, in ``crm_automation_rule_enqueue.py``; a save that
books or moves a date only wakes that job.
"""

import dataclasses
import datetime
import logging

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..engine.moments import moment_of

_logger = logging.getLogger(__name__)

#: What OpenERP's trigger dates are called by today's models.
DATE_FIELDS = {
    "create": ("create_date",),
    "last_update": ("write_date",),
    "date": ("start", "date_order", "date_from", "invoice_date", "date_start", "date"),
    "deadline": (
        "date_deadline", "validity_date", "commitment_date", "invoice_date_due", "date_to",
        "date_end", "stop",
    ),
}  # fmt: skip
#: Units of a delay that are lengths of time, whatever the zone.
LENGTHS = frozenset({"minutes", "hours"})
#: The last entry of the chatter, else the creation.
LAST_ACTION = "last_action"
#: Executions stand in the ledger this long before they are due. The job comes
#: more often than that.
LOOKAHEAD = datetime.timedelta(minutes=30)


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    date_type = fields.Selection(
        [
            ("create", "Creation Date"),
            ("last_update", "Last Update"),
            ("last_action", "Last Action Date"),
            ("date", "Date"),
            ("deadline", "Deadline"),
            ("field", "Another Date Field"),
        ],
        default="date",
        string="Trigger Date",
        help="Last action: the last message or note in the record's history, else its creation.",
    )
    date_field_id = fields.Many2one(
        "ir.model.fields",
        ondelete="set null",
        domain="[('model_id', '=', model_id), ('ttype', 'in', ('date', 'datetime')), "
        "('store', '=', True)]",
        help="The date of the record from which the delay is reckoned.",
    )
    date_hour = fields.Float(
        "At Hour",
        default=8.0,
        help="A date without an hour means this hour of that day: in the time zone of the "
        "record, else of the company, else of the responsible.",
    )
    date_is_day = fields.Boolean(compute="_compute_date_is_day")
    lateness_hours = fields.Float(
        "Lateness Limit (Hours)",
        default=24.0,
        help="If the server was down or the record came late, the rule still acts up to so many "
        "hours after its moment; later the execution expires, with a line in the log.",
    )

    moved_policy = fields.Selection(
        [
            ("again", "Act again at the new moment"),
            ("correction", "Tell at once that it was moved, and act again"),
            ("nothing", "Nothing: once for each record"),
        ],
        required=True,
        default="again",
        string="When the Date Moves Afterwards",
        help="What is done when the rule has acted already and the date is moved then.",
    )
    resource_calendar_id = fields.Many2one(
        "resource.calendar",
        "Working Hours",
        ondelete="restrict",
        help="Whose working days and holidays count; empty: those of the company.",
    )
    checked_at = fields.Datetime(
        readonly=True, copy=False, help="When the job last looked for what is due by this rule."
    )

    @api.depends("date_type", "date_field_id", "model_name", "trigger")
    def _compute_date_is_day(self):
        for rule in self:
            name = rule.trigger == "moment" and rule._date_field_name()
            rule.date_is_day = bool(name) and self.env[rule.model_name]._fields[name].type == "date"

    def _date_field_name(self):
        """Name of the field that holds the date; None for the last action, and
        where the model has no such date."""
        self.ensure_one()
        model = self.env.get(self.model_name) if self.model_name else None
        if model is None or self.date_type == LAST_ACTION:
            return None
        if self.date_type == "field":
            names = (self.date_field_id.sudo().name,)
        else:
            names = DATE_FIELDS.get(self.date_type, ())
        for name in names:
            field = model._fields.get(name)
            if field and field.type in ("date", "datetime") and field.store:
                return name
        return None

    @api.constrains("trigger", "date_type", "date_field_id", "model_id", "lateness_hours")
    def _check_date(self):
        for rule in self.filtered(lambda rule: rule.trigger == "moment"):
            if rule.date_type == "field" and not rule.date_field_id:
                raise ValidationError(self.env._("Choose the date field that the rule is about."))
            if rule.date_type != LAST_ACTION and not rule._date_field_name():
                raise ValidationError(
                    self.env._(
                        "Records of this object have no “%(date)s”: choose “Another Date Field”.",
                        date=rule._label("date_type"),
                    )
                )
            if rule.date_type == LAST_ACTION:
                if "message_ids" not in self.env[rule.model_name]._fields:
                    raise ValidationError(self.env._("Records of this object have no history."))
                if rule.delay_before == "before":
                    raise ValidationError(
                        self.env._("Nobody knows when a last action will be: choose “After”.")
                    )
            if not 0 <= rule.lateness_hours <= 8784 or not 0 <= rule.date_hour < 24:
                raise ValidationError(
                    self.env._(
                        "The hour must be between 0:00 and 23:59, the lateness limit at most a "
                        "year (8784 hours)."
                    )
                )

    def _why_idle(self):
        if reason := super()._why_idle():
            return reason
        if (
            self.trigger == "moment"
            and self.date_type != LAST_ACTION
            and not self._date_field_name()
        ):
            return self.env._(
                "The date field of this rule no longer exists, so the rule does nothing. Choose "
                "another one."
            )
        return False

    # -- moments --------------------------------------------------------------

    def _moment(self, record, value):
        """When the rule acts for a record, as naive UTC.

        :param value: the date or datetime that counts
        """
        # A length of time is the same in every zone, and most rules have one.
        is_length = self.delay_unit in LENGTHS and isinstance(value, datetime.datetime)
        zone = "UTC" if is_length else self._record_zone(record)
        return self._delayed(value, zone, self.delay_before == "before")

    def _delayed(self, value, zone, before=False):
        """A date and the rule's delay.

        :param value: naive ``datetime`` in UTC, or a ``date``
        :param str zone: whose calendar counts
        :return: naive ``datetime`` in UTC
        """
        return moment_of(
            value, self.delay_number, self.delay_unit, before, zone, self.date_hour,
            self._workdays(),
        )  # fmt: skip

    def _plain_delay(self):
        """The delay as a length of time; of days and months, LOOKAHEAD or more."""
        if self.delay_unit in LENGTHS:
            return datetime.timedelta(**{self.delay_unit: self.delay_number})
        return LOOKAHEAD if self.delay_number else datetime.timedelta()

    def _record_zone(self, record):
        """Time zone whose calendar counts: the record's, the company's, the responsible's."""
        row = record.sudo()
        # A meeting's own is that of its series; asked of the meeting, Odoo reckons the
        # whole series for it.
        if "recurrence_id" in row._fields and row.recurrence_id:
            row = row.recurrence_id
        name = "event_tz" if row._name == "calendar.recurrence" else "tz"
        if name in row._fields and row[name]:
            return row[name]
        return (
            self._company(record).partner_id.tz
            or self._responsibles(record)[:1].tz
            or self.owner_id.tz
            or "UTC"
        )

    def _dates(self, records):
        """Record id to the date that counts, those without one left out."""
        name = self._date_field_name()
        if name:
            return {row.id: self._date_of(row, name) for row in records.sudo() if row[name]}
        dates = {row.id: row.create_date for row in records.sudo()}
        dates.update(self._last_actions(records.ids))
        return dates

    @api.model
    def _date_of(self, row, name):
        """The date that a field holds.

        A meeting of a whole day has none but its days: Odoo fills in 8:00 and
        18:00 UTC, wherever it is.
        """
        if row._name == "calendar.event" and row.allday and name in ("start", "stop"):
            return row[f"{name}_date"]
        return row[name]

    def _last_actions(self, ids):
        """Record id to the moment of the last entry of its history that is no notice of ours."""
        self.env["mail.message"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT res_id, max(date) FROM mail_message
                WHERE model = %s AND res_id IN %s AND message_type <> 'email_outgoing'
                GROUP BY res_id
                """,
                self.model_name,
                tuple(ids) or (0,),
            )
        )
        return dict(self.env.cr.fetchall())

    def _wake_for(self, model, changes):
        """Dates were booked or moved: wake the enqueuer if one is due before it comes anyway."""
        name = self._date_field_name()
        if not name:
            return
        soon = fields.Datetime.now() + LOOKAHEAD
        records = self.env[model].browse([change.res_id for change in changes]).exists()
        by_id = {record.id: record for record in records}
        for change in changes:
            record = by_id.get(change.res_id)
            if record and (change.created or self._has_changed(change, record, name)):
                value = self._dates(record).get(record.id)
                if value and self._moment(record, value) <= soon:
                    self._wake_enqueuer()
                    return

    def _corrections(self, model, changes):
        """The changes that move a date which people were told of already.

        :return: list of Change, with the old date in ``moved``
        """
        name = self._date_field_name()
        if self.moved_policy != "correction" or not name:
            return []
        records = {row.id: row for row in self.env[model].browse(c.res_id for c in changes)}
        old = {
            change.res_id: change.old[name] for change in changes
            if change.old.get(name) and self._has_changed(change, records[change.res_id], name)
        }  # fmt: skip
        if not old:
            return []
        told = self.env["crm.automation.firing"].search_fetch(
            [("rule_id", "=", self.id), ("res_model", "=", model), ("res_id", "in", list(old)),
             ("state", "=", "done"), ("base_date", "!=", False)],
            ["res_id", "base_date"],
        )  # fmt: skip
        there = {(firing.res_id, firing.base_date) for firing in told}
        return [
            dataclasses.replace(change, facts={"moved": old[change.res_id]})
            for change in changes
            if (change.res_id, fields.Datetime.to_datetime(old.get(change.res_id))) in there
            and records[change.res_id][name]
        ]

    def _is_due_at(self, record, value, due_at):
        """Whether the record's date still leads to the moment of an execution.

        :param value: the date that counts now, or None
        """
        return bool(value) and self._moment(record, value) == due_at

    def _is_too_late(self, value, due_at, now):
        """Beyond the lateness limit; or a reminder of what has begun already."""
        if now > due_at + datetime.timedelta(hours=self.lateness_hours):
            return True
        if self.delay_before != "before" or not self.delay_number:
            return False
        return isinstance(value, datetime.datetime) and now > value

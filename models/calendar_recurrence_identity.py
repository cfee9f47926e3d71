"""The identity of a series: one UID that outlives Odoo's rewriting of it.

Odoo moves a series by deleting it and making another one from its base meeting;
whoever has the old one in his calendar has to see it moved, not doubled.
"""

from datetime import datetime

from odoo import api, fields, models

#: RRULE, in Odoo's fields and ours.
RULE = (
    "rrule_type", "interval", "end_type", "count", "until", "month_by", "day", "weekday", "byday",
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "event_tz", "week_start", "year_month",
    "short_month", "workdays_only", "rule_text",
)  # fmt: skip


class CalendarRecurrence(models.Model):
    _name = "calendar.recurrence"
    _inherit = ["calendar.recurrence", "calendar.ical.identity"]

    # Every employee may read every series, and so those of private meetings.
    ical_uid = fields.Char(groups=fields.NO_ACCESS)
    ical_text = fields.Text(groups=fields.NO_ACCESS)
    ical_exdates = fields.Json(
        "Excluded Dates",
        copy=False,
        readonly=True,
        help="Starts of the meetings that were taken out of the series (UTC).",
    )
    ical_rdates = fields.Json(
        "Additional Dates",
        copy=False,
        readonly=True,
        help="Starts of the meetings that the rule of the series does not give (UTC).",
    )

    ical_exrules = fields.Json(
        "Exception Rules",
        copy=False,
        readonly=True,
        help="Rules whose dates are left out, also of the meetings that are still to be made.",
    )

    ical_first = fields.Datetime(
        "Kept From",
        copy=False,
        readonly=True,
        help="The series has earlier meetings, which are not kept in Odoo.",
    )
    ical_last = fields.Datetime(
        "Kept Until",
        copy=False,
        readonly=True,
        help="From here on the meetings of the series are still to be made.",
    )
    ical_start = fields.Datetime(
        "Begins",
        copy=False,
        readonly=True,
        help="Start of a series that is not kept in Odoo as a whole, since it was changed.",
    )

    # Not unique: two users may have the same meeting from elsewhere, each his own.
    _ical_uid_index = models.Index("(ical_uid)")

    def _ical_protected(self):
        return super()._ical_protected() | {
            "ical_exdates", "ical_rdates", "ical_exrules", "ical_first", "ical_last",
            "ical_start",
        }  # fmt: skip

    def _ical_owner(self):
        """Who organises the series."""
        self.ensure_one()
        events = self.sudo().with_context(active_test=False)
        return (events.base_event_id or events.calendar_event_ids[:1]).user_id

    def _check_may_change(self):
        """:raises AccessError: unless the user may change all meetings of the series.

        Whatever belongs to a series is told of it as a whole.
        """
        events = self.sudo().with_context(active_test=False).calendar_event_ids
        self._check_may_take(events.with_env(self.env))

    def _check_may_take(self, events):
        """:raises AccessError: unless the user may change these meetings"""
        if events and not self.env.su:
            events.check_access("write")
            events._check_calendar_privacy_write_permissions()

    @api.model_create_multi
    def create(self, vals_list):
        self._ical_refuse(vals_list)
        # Said expressly, so that no default out of a context takes its place.
        vals_list = [{"base_event_id": False, **vals} for vals in vals_list]
        Event = self.env["calendar.event"].sudo()
        bases = [Event.browse(int(vals["base_event_id"] or 0) or ()) for vals in vals_list]
        self._check_may_take(Event.union(*bases).with_env(self.env))
        uids = [base.ical_uid for base in bases if base.ical_uid]
        series = self.sudo().search([("ical_uid", "in", uids)]) if uids else self.sudo().browse()
        taken = {(one.ical_uid, one._ical_owner()) for one in series}
        memory = self._ical_before()
        identities = []
        for base in bases:
            uid = base.ical_uid
            if uid and (uid, base.user_id) not in taken:
                # A meeting begins to repeat, or its series is made anew.
                before = memory.setdefault(uid, base.ical_sequence)
            else:
                uid, before = self._ical_new_uid(), -1
            taken.add((uid, base.user_id))
            identity = {**self._ical_blank(), "ical_uid": uid, "ical_sequence": before + 1}
            identities.append(identity)
        if self.env.su:
            return super().create(
                [{**identity, **vals} for identity, vals in zip(identities, vals_list, strict=True)]
            )
        # Everybody makes series, and nobody writes their identity; their meetings take it
        # over as they come in.
        members = [vals.get("calendar_event_ids") for vals in vals_list]
        recurrences = super().create([{**vals, "calendar_event_ids": []} for vals in vals_list])
        for recurrence, identity, events in zip(recurrences, identities, members, strict=True):
            recurrence.sudo().write(identity)
            if events:
                recurrence.write({"calendar_event_ids": events})
        return recurrences

    def write(self, vals):
        self._ical_refuse([vals])
        if vals.get("base_event_id") and not self.env.su:
            base = self.env["calendar.event"].browse(int(vals["base_event_id"]))
            # Odoo itself makes another meeting of the series its first one.
            if self != base.sudo().recurrence_id:
                self._check_may_take(base)
        if not set(RULE).intersection(vals) or self._ical_is_incoming():
            return super().write(vals)
        before = {recurrence: recurrence._ical_rule() for recurrence in self}
        result = super().write(vals)
        changed = self.filtered(lambda recurrence: recurrence._ical_rule() != before[recurrence])
        changed._ical_raise()
        # What Odoo has made of it by another rule is all there is.
        changed.sudo().filtered("ical_last").ical_last = False
        return result

    def _compute_rrule(self):
        """Odoo writes the rule, reads it again, and writes what it has read: of each one."""
        incoming = self.filtered("rrule_type") if self._ical_is_incoming() else self.browse()
        for recurrence in incoming:
            recurrence.rrule = recurrence._rrule_serialize()
        return super(CalendarRecurrence, self - incoming)._compute_rrule()

    def _ical_rule(self):
        return tuple(self[name] for name in RULE)

    def unlink(self):
        """Its UID goes on with the base meeting, if that stays."""
        memory = self._ical_before()
        for recurrence in self.sudo():
            memory.setdefault(recurrence.ical_uid, recurrence.ical_sequence)
        left = self.sudo().calendar_event_ids.sorted("start")
        bases = self.sudo().base_event_id & left
        result = super().unlink()
        # Two meetings of their own cannot have one UID.
        seen = set()
        doubles = self.env["calendar.event"].sudo()
        for event in bases + (left.exists() - bases):
            if event.ical_uid in seen:
                doubles += event
            seen.add(event.ical_uid)
        doubles._ical_renew()
        return result

    def _ical_drop(self, starts):
        """Meetings were taken out of the series: remember their places (EXDATE).

        :param starts: the places, datetime as Odoo has them
        """
        self.ensure_one()
        if self.sudo().calendar_event_ids.filtered("active"):
            self._ical_put_exdates(set(self._ical_moments("ical_exdates")) | set(starts))
        # Without any meeting left, the series as such is cancelled.
        self._ical_raise()

    def _ical_restore(self, starts):
        """Meetings are back in their places."""
        self.ensure_one()
        self._ical_put_exdates(set(self._ical_moments("ical_exdates")) - set(starts))
        self._ical_raise()

    def _ical_put_exdates(self, moments):
        self.sudo().ical_exdates = [moment.isoformat() for moment in sorted(moments)] or False

    def _ical_moments(self, name):
        """``ical_exdates`` or ``ical_rdates`` as list of datetime."""
        return [datetime.fromisoformat(text) for text in self.sudo()[name] or ()]

"""What a meeting and a series of meetings are known by in other calendars.

Owns the fields that hold the identity, their protection, and the SEQUENCE of a
transaction: it rises once, however many steps Odoo takes.
"""

import uuid
from collections import defaultdict

from odoo import fields, models
from odoo.exceptions import AccessError

#: Key of the transaction's memory: SEQUENCE as it was before, by UID, or by UID and
#: id for one meeting of a series; -1 of what the transaction has made itself. It
#: hangs on ``postcommit.data``, which lives exactly as long as the transaction.
BEFORE = "crm_automation.ical_sequences"
#: Context key of what is taken in from another calendar: its identity comes with it.
#: Its value is an object, which no client can send.
INCOMING = "ical_incoming"
FROM_ELSEWHERE = object()
#: Context key of a save that is about other meetings of the series too, and its values by
#: what Odoo calls them.
SCOPE = "series_scope"
SCOPES = {"all_events": object(), "future_events": object()}


class CalendarIcalIdentity(models.AbstractModel):
    _name = "calendar.ical.identity"
    _description = "Identity in Other Calendars"

    ical_uid = fields.Char(
        "iCalendar UID",
        copy=False,
        readonly=True,
        help="Name of the meeting in all calendars; the meetings of a series share one.",
    )
    ical_sequence = fields.Integer(
        "iCalendar Sequence",
        copy=False,
        readonly=True,
        help="Version of the meeting: rises when it is moved, repeated otherwise or cancelled.",
    )
    ical_text = fields.Text(
        "Original iCalendar Text",
        copy=False,
        readonly=True,
        help="A meeting that came from another calendar, as it came: what Odoo has no field for "
        "is given back from it.",
    )

    def _ical_protected(self):
        """Names of the fields that only the addon itself writes, as superuser."""
        return {"ical_uid", "ical_sequence", "ical_text"}

    def _ical_refuse(self, vals_list):
        """:raises AccessError: when somebody writes a protected field from outside."""
        if self.env.su:
            return
        for vals in vals_list:
            names = self._ical_protected().intersection(vals)
            if names:
                raise AccessError(
                    self.env._(
                        "The identity of a meeting in other calendars cannot be written by hand "
                        "(%(fields)s).",
                        fields=", ".join(sorted(names)),
                    )
                )

    def _ical_is_incoming(self):
        """Whether an import writes, which says itself what the identity is."""
        return self.env.context.get(INCOMING) is FROM_ELSEWHERE

    def _ical_series_scope(self):
        """Of which meetings of the series a save is, as Odoo calls them; or None."""
        value = self.env.context.get(SCOPE)
        return next((name for name, scope in SCOPES.items() if scope is value), None)

    def _ical_blank(self):
        """Values of the protected fields in a new record.

        Said expressly, so that no default out of a context takes their place.
        """
        return {**dict.fromkeys(self._ical_protected(), False), "ical_sequence": 0}

    def _ical_new_uid(self):
        """A UID that this transaction makes; its SEQUENCE begins at 0."""
        uid = str(uuid.uuid4())
        self._ical_before()[uid] = -1
        return uid

    def _ical_before(self):
        return self.env.cr.postcommit.data.setdefault(BEFORE, {})

    def _ical_raise(self):
        """Raise SEQUENCE, once in a transaction (RFC 5546, 2.1.4)."""
        memory = self._ical_before()
        raised = defaultdict(self.sudo().browse)
        for record in self.sudo():
            key = record._ical_key()
            before = memory.get(key)
            if before is None or record.ical_sequence > before + 1:
                before = memory[key] = record.ical_sequence
            if record.ical_sequence != before + 1:
                raised[before + 1] += record
        for sequence, records in raised.items():
            records.write({"ical_sequence": sequence})

    def _ical_key(self):
        """What the transaction's memory knows the record by."""
        return self.ical_uid

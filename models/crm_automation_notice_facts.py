"""What a notice tells of a record, and to whom.

Owns what is kept from strangers, the values as a person reads them, the keywords, and what
is kept of a record that is about to be deleted.
"""

import contextlib
import datetime

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError
from odoo.tools import format_amount, format_date, format_datetime
from odoo.tools.mail import html2plaintext

#: Facts of a record that a ready-made notice lists, those that the model has.
FACT_FIELDS = (
    "partner_id", "partner_name", "contact_name", "email_from", "phone", "expected_revenue",
    "amount_total", "employee_id", "holiday_status_id", "date_from", "date_to", "project_id",
    "stage_id", "state", "team_id", "user_id", "user_ids", "date_deadline", "start", "stop",
    "location", "lost_reason_id",
)  # fmt: skip
#: What of it a customer may read: nothing of what is said about him inside.
CUSTOMER_FACT_FIELDS = ("project_id", "user_id", "date_deadline", "start", "stop", "location")
#: Longest text of a changed field in a notice.
MAX_CHANGED = 200


class CrmAutomationNotice(models.AbstractModel):
    _inherit = "crm.automation.notice"

    # -- what may be said ---------------------------------------------------------

    @api.model
    def _is_secret(self, record, partner=None):
        """Whether a record shows strangers nothing but that somebody is busy.

        :param partner: a recipient; an attendee reads all of it
        """
        if self._privacy(record) not in ("private", "confidential"):
            return False
        return not partner or partner not in self._participants(record.sudo())

    @api.model
    def _privacy(self, record):
        """The privacy of a meeting, as Odoo names it; None of anything else."""
        if record._name != "calendar.event" or not record:
            return None
        event = record.sudo()
        return event.privacy or event.user_id.calendar_default_privacy

    @api.model
    def _participants(self, event):
        """Partners who read all of a private meeting.

        Asked of the attendees: where the owner of the rule has looked at the
        meeting, Odoo has put "Busy" and no partners into the cache, and that is
        everybody's.
        """
        attendees = self.env["calendar.attendee"].sudo().search([("event_id", "=", event.id)])
        return attendees.partner_id | event.user_id.partner_id

    @contextlib.contextmanager
    def _unveiled(self, record, partner):
        """The record as the recipient may read it: a private meeting whole, if he takes
        part. What is read so must not stay in the cache either."""
        if not self._is_secret(record) or self._is_secret(record, partner):
            yield record
            return
        record.invalidate_recordset()
        try:
            yield record.sudo()
        finally:
            record.invalidate_recordset()

    def _name_for_log(self, record):
        if self._is_secret(record):
            return self.env._("Busy")
        return record.sudo().display_name

    def _name_for(self, record, partner):
        if self._is_secret(record, partner):
            return self.env._("Busy")
        if not self._is_secret(record):
            return record.display_name or ""
        with self._unveiled(record, partner) as reader:
            # Not the display name: that is "Busy" for the owner of the rule, sudo or not.
            return reader["name"] or ""

    # -- what the record says -----------------------------------------------------

    def _facts(self, firing, record, recipient):
        """Label and value of what the record says, in the recipient's language.

        A field that the owner of the rule may not read is not among them, and a
        customer reads nothing of what the team thinks of him.
        """
        gone = firing._told().get("gone")
        outside = self._is_outside(recipient)
        names = CUSTOMER_FACT_FIELDS if outside else FACT_FIELDS
        if gone:
            known_model = self.env[firing.res_model]
            return [
                (self._fact_label(known_model, name), gone["facts"][name])
                for name in names
                if name in gone["facts"] and name in known_model._fields
            ]
        if not outside:
            names = (*self._changed_names(firing, record), *names)
        return list(self._texts(record, dict.fromkeys(names), recipient).values())

    def _fact_label(self, model, name):
        """What a fact is called; Odoo's own words for a meeting's times are commands."""
        if name == "start":
            return self.env._("Starts")
        if name == "stop":
            return self.env._("Ends")
        return self._field_label(model._name, name)

    @api.model
    @tools.ormcache("model_name", "name", "self.env.lang")
    def _field_label(self, model_name, name):
        """Odoo copies the labels of all fields of the model for each one asked for."""
        return self.env[model_name]._fields[name]._description_string(self.env)

    def _changed_names(self, firing, record):
        if firing.trigger not in ("updated", "saved"):
            return []
        old = firing._told().get("old", {})
        return [name for name in old if name in record._fields]

    def _texts(self, record, names, recipient=None, tz="UTC"):
        """Field name to label and value, those that are filled in and may be read."""
        partner = recipient and recipient.partner
        with self._unveiled(record, partner) as reader:
            return self._texts_of(
                record, reader, names, recipient.tz if recipient else tz,
                self._is_secret(record, partner),
            )  # fmt: skip

    def _texts_of(self, record, reader, names, tz, secret):
        found = {}
        for name in names:
            field = record._fields.get(name)
            if name == "partner_id" and record._name == "calendar.event":
                continue  # the organiser once more
            if not field or (secret and name not in ("start", "stop")):
                continue
            if not record._has_field_access(field, "read"):
                continue
            try:
                text = self._display(reader, field, tz)
            except AccessError:
                continue
            if text:
                found[name] = (self._fact_label(record, name), text[:MAX_CHANGED])
        return found

    def _display(self, record, field, tz):
        """One value as a person reads it; moments with the name of their zone."""
        value = record[field.name]
        if value is False or value is None:
            return ""
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        if field.relational:
            return ", ".join(row.display_name or "" for row in value)
        if isinstance(value, datetime.datetime):
            if record._name == "calendar.event" and record.sudo().allday:
                return format_date(self.env, value.date())
            return self._in_zone(value, tz)
        if isinstance(value, datetime.date):
            return format_date(self.env, value)
        if field.type == "monetary":
            currency = record[field.get_currency_field(record)]
            if not value:
                return ""
            return format_amount(self.env, value, currency) if currency else str(value)
        if field.type == "html":
            return html2plaintext(value)
        return str(value)

    # -- its dates ----------------------------------------------------------------

    @api.model
    def _in_zone(self, moment, tz):
        """A moment as a person reads it, with the name of the zone."""
        # A mail says the same moment several times, and so do many mails.
        said = self.env.cr.postcommit.data.setdefault("crm_automation.moments", {})
        key = (moment.replace(microsecond=0), tz, self.env.lang)
        if key not in said:
            said[key] = f"{format_datetime(self.env, moment, tz=tz)} ({tz})"
        return said[key]

    def _start_of(self, event, tz):
        row = event.sudo()
        if row.allday:
            return format_date(self.env, row.start_date)
        return self._in_zone(row.start, tz)

    def _moment_date(self, record, tz):
        """The date that the rule is about, as a person reads it."""
        if record._name == "calendar.event" and self._date_field_name() == "start":
            return self._start_of(record, tz)
        value = self._dates(record).get(record.id)
        if isinstance(value, datetime.datetime):
            return self._in_zone(value, tz)
        return format_date(self.env, value) if value else ""

    def _old_date(self, record, text, tz):
        """A date that the record no longer has, as a person reads it.

        :param str text: the date or moment as the ledger keeps it
        """
        field = record._fields[self._date_field_name()]
        is_day = field.type == "date" or ("allday" in record._fields and record.sudo().allday)
        if is_day:
            return format_date(self.env, fields.Date.to_date(text[:10]))
        moment = fields.Datetime.to_datetime(text[:19])
        return self._in_zone(moment, tz)

    # -- all of it, for later -----------------------------------------------------

    def _keyword_values(self, record, recipient):
        """OpenERP's nine keywords for one record, as plain text."""
        user = self._responsibles(record)[:1]
        partner, email = self._customer(record)
        secret = self._is_secret(record, recipient.partner)
        description = ""
        if "description" in record._fields and not secret:
            with self._unveiled(record, recipient.partner) as reader:
                description = reader["description"]
        return {
            "object_id": record.id,
            "object_subject": self._name_for(record, recipient.partner),
            "object_description": html2plaintext(description or ""),
            "object_date": self._display(record, record._fields["create_date"], recipient.tz),
            "partner": partner.name or "/",
            "partner_email": partner.email or email or "/",
            "object_user": user.name or "/",
            "object_user_email": user.email or "/",
            "object_user_phone": user.phone or "/",
        }

    def _snapshot_for_log(self, record):
        """What the log says of a record that is about to be deleted."""
        return {
            "name": self._name_for_log(record),
            "private": self._privacy(record) == "private",
            "responsible_ids": self._responsibles(record).ids,
            "record_company_id": "company_id" in record._fields and record.sudo().company_id.id,
        }

    def _snapshot(self, record):
        """What a notice needs of a record that is about to be deleted.

        In the language and zone of the company: whoever reads it later, there
        is nothing left to be read again.

        :return: dict that JSON can keep
        """
        self.ensure_one()
        company = self._company(record)
        speaker = self.with_context(lang=company.partner_id.lang or self.env.lang)
        owned = self._owner_model().browse(record.id).with_context(lang=speaker.env.lang)
        tz = company.partner_id.tz or "UTC"
        stranger = speaker._recipient("extra", company)
        names = {}
        # Of a template too: without the record it cannot be filled in.
        if self.content != "own":
            texts = speaker._texts(owned, dict.fromkeys(FACT_FIELDS), tz=tz)
            names = {name: text for name, (_label, text) in texts.items()}
        return {
            **speaker._snapshot_for_log(record),
            "company_id": company.id,
            "people": self._people(record),
            "facts": names,
            "keywords": speaker._keyword_values(owned, stranger) if self.content == "own" else {},
        }

"""Records as items of a configurable calendar, as the user who looks sees them."""

from dataclasses import replace
from datetime import datetime, time, timedelta

from odoo.tools import format_amount, format_date, format_datetime
from odoo.tools.misc import formatLang

from ..ical.alarms import from_meaning
from ..ical.items import Attendee, Event, Organizer, Todo
from ..ical.values import is_date
from .caldav_todo import PRIORITIES
from .ical_html import plain_text
from .ical_meeting import utc

DAY = timedelta(days=1)
#: What stands between the values of one property.
BETWEEN = {"SUMMARY": ": ", "LOCATION": ", ", "DESCRIPTION": "\n"}


class RecordWriter:
    """:param definition: caldav.calendar.definition, with the user's language"""

    def __init__(self, definition):
        self.definition = definition
        self.lines = {}
        for line in definition.line_ids:
            self.lines.setdefault(line.property, []).append(line)

    def item(self, uid, record):
        """:rtype: Event or Todo"""
        values = {
            "uid": uid,
            "summary": self._words("SUMMARY", record) or record.display_name or None,
            "description": self._description(record),
            "location": self._words("LOCATION", record),
            "categories": self._categories(record),
            "status": self._word("STATUS", record),
            "priority": self._priority(record),
            "url": self._words("URL", record) or self._link(record),
            "organizer": next(iter(self._people("ORGANIZER", record, Organizer)), None),
            "attendees": tuple(self._people("ATTENDEE", record, Attendee)),
            "start": self._moment("DTSTART", record),
        }
        if record._log_access:
            changed = utc(record.write_date)
            values |= {"stamp": changed, "modified": changed, "created": utc(record.create_date)}
        if values["start"] is not None:
            values["duration"] = self._duration(record)
        is_event = self.definition.component == "VEVENT"
        return (self._event if is_event else self._todo)(record, values)

    def _event(self, record, values):
        end = self._moment("DTEND", record)
        if end is not None and is_date(end):
            # The last day of a record is one of its days, the end of an event is none.
            end += DAY
        if end is not None and end <= values["start"]:
            end = None
        return Event(
            end=end,
            transparency=None if self.definition.is_busy else "TRANSPARENT",
            alarms=self._alarms(values["start"]),
            **values,
        )

    def _todo(self, record, values):
        due, completed = self._moment("DUE", record), self._moment("COMPLETED", record)
        start = values["start"]
        if start is not None and due is not None and due <= start:
            # It is due after it begins (RFC 5545, 3.8.2.3): when it is due counts.
            values["start"] = None
        if completed is not None and is_date(completed):
            completed = utc(datetime.combine(completed, time()))
        if completed is not None and not self.lines.get("STATUS"):
            values["status"] = "COMPLETED"
        return Todo(
            due=due, completed=completed, percent=self._percent(record),
            alarms=self._alarms(due or values["start"], is_due=bool(due)), **values,
        )  # fmt: skip

    def _alarms(self, at, is_due=False):
        """Its reminders; of what is due those are before that."""
        if at is None:
            return ()
        found = []
        for alarm in self.definition.alarm_ids:
            meaning = replace(alarm._meaning(is_date(at)), kind="notification")
            if is_due:
                meaning = replace(meaning, related="end")
            found.append(from_meaning(meaning, alarm.name))
        return tuple(found)

    # --- Values

    def _moment(self, name, record):
        for line in self.lines.get(name, ()):
            value = record[line.field_id.name]
            if value:
                return value if is_date(value) else utc(value)
        return None

    def _duration(self, record):
        for line in self.lines.get("DURATION", ()):
            hours = float(line.constant) if line.source == "constant" else (
                record[line.field_id.name])  # fmt: skip
            if hours > 0:
                return timedelta(minutes=round(hours * 60))
        return None

    def _percent(self, record):
        for line in self.lines.get("PERCENT-COMPLETE", ()):
            return min(max(round(record[line.field_id.name]), 0), 100)
        return None

    def _words(self, name, record):
        found = [self._text(line, record) for line in self.lines.get(name, ())]
        return BETWEEN.get(name, "").join(text for text in found if text) or None

    def _description(self, record):
        """Several values one below the other, and which is which."""
        lines = self.lines.get("DESCRIPTION", ())
        if len(lines) < 2:
            return self._words("DESCRIPTION", record)
        rows = []
        for line in lines:
            text = self._text(line, record)
            if text and line.source == "field":
                label = record._fields[line.field_id.name]._description_string(record.env)
                text = f"{label}: {text}"
            rows.append(text)
        return "\n".join(row for row in rows if row) or None

    def _categories(self, record):
        found = []
        for line in self.lines.get("CATEGORIES", ()):
            field = record._fields.get(line.field_id.name)
            if line.source == "constant":
                found += [one.strip() for one in line.constant.split(",")]
            elif field.type == "many2many":
                found += record[field.name].mapped("display_name")
            else:
                found.append(self._text(line, record))
        return tuple(dict.fromkeys(one for one in found if one))

    def _word(self, name, record):
        """Of STATUS and PRIORITY: what the value means, or the value where it is a word."""
        for line in self.lines.get(name, ()):
            if line.source == "constant":
                return line.constant.strip()
            value = record[line.field_id.name]
            if line.field_id.ttype == "boolean":
                value = "true" if value else "false"
            value = str(value or "")
            found = line._mapped().get(value) if line.mapping else value.upper()
            if found and line._is_word(found):
                return found
        return None

    def _priority(self, record):
        for line in self.lines.get("PRIORITY", ()):
            if line.source == "field" and line.field_id.ttype == "selection" and not line.mapping:
                return PRIORITIES.get(record[line.field_id.name])
        word = self._word("PRIORITY", record)
        return int(word) if word else None

    def _text(self, line, record):
        """The value of a line as the user reads it in Odoo."""
        if line.source == "constant":
            return line.constant
        field = record._fields[line.field_id.name]
        value = record[field.name]
        if field.type in ("integer", "float", "monetary"):
            return _number(record, field, value)
        if not value:
            return ""
        if field.type == "many2one":
            return self._linked(line.property, value)
        if field.type == "many2many":
            return ", ".join(value.mapped("display_name"))
        if field.type == "selection":
            return dict(field._description_selection(record.env)).get(value, "")
        if field.type == "html":
            return plain_text(value)
        if field.type == "datetime":
            return format_datetime(record.env, value, tz=record.env.context.get("tz"))
        if field.type == "date":
            return format_date(record.env, value)
        return value

    def _linked(self, name, value):
        """Its name, which Odoo shows to whoever sees the record; of a contact as place the
        address, for those who may read it."""
        if name == "LOCATION" and value._name == "res.partner" and value.has_access("read"):
            rows = value._display_address(without_company=True).split("\n")
            address = ", ".join(row.strip() for row in rows if row.strip())
            return address or value.display_name
        return value.sudo().display_name

    def _people(self, name, record, kind):
        for line in self.lines.get(name, ()):
            people = record[line.field_id.name]._filtered_access("read")
            for one in people:
                if one.email:
                    yield kind.of(one.email, CN=one.display_name)

    def _link(self, record):
        return f"{record.get_base_url()}/mail/view?model={record._name}&res_id={record.id}"


def _number(record, field, value):
    if field.type == "monetary":
        currency = record[field.get_currency_field(record)]
        return format_amount(record.env, value, currency) if currency else str(value)
    if field.type == "float":
        digits = field.get_digits(record.env)
        return formatLang(record.env, value, digits=digits[1] if digits else 2)
    return str(value)

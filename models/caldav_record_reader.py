"""What a program has changed of a record's item, as values of the record's fields.

Programs always send everything. What says the same as what they were served stays as Odoo
has it, and so does what Odoo has no editable field for; ``caldav_record_writer`` is the way
out.
"""

import re
from datetime import datetime, time, timedelta

from odoo.exceptions import UserError

from ..ical.values import UTC, is_date
from .caldav_calendar_writing import FRAMED
from .caldav_record_writer import BETWEEN
from .ical_html import html_of
from .ical_meeting import named_zone
from .ical_row import YEARS, CannotKeep
from .ical_todo import DAY_END, priority_of

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
#: Done, at a moment that the program does not name.
_DONE = object()
#: It is no value of the field: that stays as it is.
_KEPT = object()
_EMPTY = (None, "", False)


class RecordReader:
    """:param definition: caldav.calendar.definition, with the user's language
    :param model: of the records, as the user sees it
    """

    def __init__(self, definition, model):
        self.definition = definition
        self.model = model
        self.env = model.env
        self.zone = named_zone(self.env.user.tz)
        self.lines = definition.line_ids.grouped("property")

    def values(self, sent, record=None, served=None):
        """Values of fields, of what was changed only.

        :param Item sent: as a program has sent it
        :param record: whose item it is; None for a new one
        :param Item served: as the program had got it
        :raises CannotKeep: a date that Odoo cannot write
        :raises UserError: something that is none of the field's values
        """
        found = {}
        record = record or self.model.browse()
        for lines in self.lines.values():
            for line in lines:
                if not line._may_be_written(self.model, lines):
                    continue
                field = self.model._fields[line.field_id.name]
                said = self._said(line, field, sent)
                known = self._said(line, field, served) if served else None
                if said == known or (not served and said in _EMPTY):
                    continue
                value = self._value(line, field, said, known, record, sent)
                if value is not _KEPT and not (field.required and _is_nothing(field, value)):
                    found[field.name] = value
        return found

    # --- What an item says in a property

    def _said(self, line, field, item):
        """Of two items the same, where they say the same."""
        name = line.property
        if name in _TEXTS:
            return _TEXTS[name](item)
        if name in _MOMENTS:
            return _MOMENTS[name](self, item, field)
        return {
            "DURATION": self._minutes, "COMPLETED": self._completed, "STATUS": self._status,
            "PERCENT-COMPLETE": self._percent, "PRIORITY": self._priority,
        }[name](item)  # fmt: skip

    def _start(self, item, field):
        return self._moment(item.start, field)

    def _end(self, item, field):
        stop = item.stop
        if stop is None or field.type != "date":
            return self._moment(stop, field)
        # The last day of a record is one of its days, the end of an event is none.
        if is_date(stop):
            return stop - _DAY
        if self._instant(stop) > self._instant(item.start):
            stop -= timedelta(seconds=1)
        return self._local(stop).date()

    def _due(self, item, field):
        due = item.due if item.due is not None or item.duration is None else item.stop
        return self._moment(due, field, DAY_END)

    def _minutes(self, item):
        start, stop = item.start, item.stop
        if start is None or stop is None:
            return None
        if is_date(start) and is_date(stop):
            return (stop - start) // _MINUTE
        return round((self._instant(stop) - self._instant(start)) / _MINUTE)

    def _completed(self, item):
        if item.completed is not None:
            return self._instant(item.completed)
        return _DONE if _is_done(item) else None

    def _status(self, item):
        if item.NAME == "VTODO" and not item.status:
            # What programs leave out of what is open.
            return "COMPLETED" if _is_done(item) else "NEEDS-ACTION"
        return item.status

    def _percent(self, item):
        if item.percent is None:
            return 100 if _is_done(item) else 0
        return item.percent

    def _priority(self, item):
        return str(item.priority or 0)

    # --- Days and times

    def _moment(self, moment, field, day_time=time()):
        """A moment as the field has it; days and times are where the user is."""
        if moment is None:
            return None
        _check_year(moment)
        if field.type == "date":
            return moment if is_date(moment) else self._local(moment).date()
        return self._instant(moment, day_time)

    def _instant(self, moment, day_time=time()):
        """In naive UTC, as Odoo has it."""
        _check_year(moment)
        if is_date(moment):
            moment = datetime.combine(moment, day_time)
        return self._local(moment).astimezone(UTC).replace(tzinfo=None, microsecond=0)

    def _local(self, moment):
        if moment.tzinfo is None:
            return moment.replace(tzinfo=self.zone)
        return moment.astimezone(self.zone)

    # --- Values of fields

    def _value(self, line, field, said, known, record, sent):
        name = line.property
        if name in _TEXTS:
            return self._of_text(field, self._bare(line, said))
        if name in ("STATUS", "PRIORITY"):
            return self._of_word(line, field, said, record)
        if name == "COMPLETED":
            return self._of_completed(field, said, known)
        if name == "DURATION":
            return self._of_minutes(field, said)
        if name == "DTEND" and _is_short(sent):
            has_end = record[field.name] if record else is_date(sent.start)
            if not has_end:
                # It does not say when it ends, as the record does not.
                return _KEPT
        if name == "PERCENT-COMPLETE":
            return said
        # An event begins: that is not taken away.
        return said or (_KEPT if name == "DTSTART" and sent.NAME == "VEVENT" else False)

    def _of_minutes(self, field, minutes):
        if minutes is None or minutes < 0:
            return _KEPT
        return round(minutes / 60) if field.type == "integer" else minutes / 60

    def _of_completed(self, field, said, known):
        if said is _DONE:
            if known is not None:
                return _KEPT
            said = self.env.cr.now().replace(microsecond=0)
        return self._moment(said and said.replace(tzinfo=UTC), field) or False

    def _bare(self, line, text):
        """A text without the fixed words around the value."""
        lines = self.lines[line.property]
        if line.property not in FRAMED or len(lines) < 2:
            return text
        at, between = list(lines).index(line), BETWEEN[line.property]
        before = between.join(_one_line(one.constant) for one in lines[:at])
        after = between.join(_one_line(one.constant) for one in lines[at + 1 :])
        if text == between.join(words for words in (before, after) if words):
            return ""
        text = text.removeprefix(before + between) if before else text
        return text.removesuffix(between + after) if after else text

    def _of_text(self, field, text):
        if field.type == "html":
            return html_of(text) or False
        if field.type == "text":
            return text or False
        text = " ".join(text.split())
        if field.type == "char":
            return text or False
        if field.type in ("integer", "float"):
            return self._number(field, text)
        if not text:
            return False
        return (self._named if field.type == "many2one" else self._labelled)(field, text)

    def _number(self, field, text):
        found = _number_of(self.env, text or "0")
        if found is None or (field.type == "integer" and found % 1):
            raise UserError(
                self.env._(
                    "“%(value)s” is no number for the field “%(field)s”.",
                    value=text, field=self._label(field),
                )
            )  # fmt: skip
        return int(found) if field.type == "integer" else found

    def _labelled(self, field, text):
        values = dict(field._description_selection(self.env))
        for value, label in values.items():
            if label == text:
                return value
        raise UserError(
            self.env._(
                "The field “%(field)s” has no value “%(value)s”; it has %(values)s.",
                field=self._label(field), value=text, values=", ".join(values.values()),
            )
        )  # fmt: skip

    def _named(self, field, text):
        """The record of that name: none is made."""
        comodel = self.env[field.comodel_name]
        found = comodel.browse()
        if comodel._rec_name or comodel._rec_names_search:
            # Odoo may look for the name in more than the name.
            found = comodel.search([("display_name", "=", text)], limit=100)
        found = found.filtered(lambda one: one.display_name == text)
        if len(found) == 1:
            return found.id
        words = {"name": text, "field": self._label(field)}
        if found:
            raise UserError(
                self.env._("There are several “%(name)s” for the field “%(field)s”.", **words)
            )
        raise UserError(
            self.env._("There is no “%(name)s” for the field “%(field)s”.", **words)
        )  # fmt: skip

    def _of_word(self, line, field, word, record):
        """The value that STATUS or PRIORITY means; the present one where it means that."""
        meant = [
            value for value in self._meant(line, field, word)
            if _is_value(field, value, self.env)
        ]  # fmt: skip
        if not meant or (record and record[field.name] in meant):
            return _KEPT
        return meant[0]

    def _meant(self, line, field, word):
        """Values that mean a word of STATUS or PRIORITY."""
        if line.mapping:
            return [_typed(field, value) for value, one in line._mapped().items() if one == word]
        if not word or not line._is_word(word):
            return []
        if field.type == "selection" and line.property == "PRIORITY":
            return [priority_of(int(word))]
        if field.type == "selection":
            return [one for one in field.get_values(self.env) if one.upper() == word]
        return [_typed(field, word)]

    def _label(self, field):
        return field._description_string(self.env)


def _one_line(text):
    return " ".join((text or "").split())


def _rows(text):
    return "\n".join(row.rstrip() for row in (text or "").strip().splitlines())


_TEXTS = {
    "SUMMARY": lambda item: _one_line(item.summary),
    "DESCRIPTION": lambda item: _rows(item.description),
    "LOCATION": lambda item: _one_line(item.location),
    "CATEGORIES": lambda item: ", ".join(item.categories),
    "URL": lambda item: item.url or "",
}
_MOMENTS = {
    "DTSTART": RecordReader._start, "DTEND": RecordReader._end, "DUE": RecordReader._due,
}  # fmt: skip


def _is_done(item):
    return item.completed is not None or item.status == "COMPLETED" or item.percent == 100


def _is_short(item):
    """Whether an event is as long as one that does not say how long it is."""
    if item.start is None or item.stop is None:
        return True
    return item.stop == (item.start + _DAY if is_date(item.start) else item.start)


def _is_nothing(field, value):
    return field.type not in ("boolean", "integer", "float") and value in _EMPTY


def _typed(field, text):
    """The value that a mapping names by a word."""
    if field.type == "boolean":
        return text == "true"
    if field.type == "integer":
        return int(text) if text.lstrip("-").isdigit() else None
    return text


def _is_value(field, value, env):
    """Whether the field has that value: what a mapping names may be gone."""
    if field.type == "selection":
        return value in field.get_values(env)
    return value is not None


def _check_year(moment):
    if moment.year not in YEARS:
        raise CannotKeep("year", str(moment.year))


def _number_of(env, text):
    """A number as the user's language writes it, or None."""
    language = env["res.lang"]._get_data(code=env.lang or "en_US")
    thousands, point = language.thousands_sep or "", language.decimal_point or "."
    text = re.sub(r"\s", "", text)
    digits = rf"\d+|\d{{1,3}}(?:{re.escape(thousands)}\d{{2,3}})+" if thousands.strip() else r"\d+"
    if len(text) > 30 or not re.fullmatch(rf"-?(?:{digits})(?:{re.escape(point)}\d+)?", text):
        return None
    return float(text.replace(thousands, "").replace(point, "."))

"""What a comparison has found, in words for whoever decides about it."""

from functools import cached_property

from odoo.tools import format_date, format_datetime

from .ical_difference import row_of

#: Changes of one object that are put into words.
SHOWN = 12


class Words:
    """Puts changes into the language of the environment's user."""

    def __init__(self, env):
        self.env = env

    @cached_property
    def _labels(self):
        return self.env["calendar.event"].fields_get(None, ["string"])

    def words(self, outcome, record):
        """The changes as (label, old, new), for whoever decides about them."""
        difference = outcome.plan
        words, count = [], 0
        for event, names, row in difference.writes:
            now = row_of(event)
            found = [
                (self._label(name), self._shown(name, now), self._shown(name, row))
                for name in names
                if name != "place"
            ]
            for one in found:
                if one not in words:
                    words.append(one)
            count += bool(found)
            if len(words) > SHOWN:
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
            return format_datetime(self.env, value, dt_format="short")
        if name in ("privacy", "show_as"):
            field_ = self.env["calendar.event"]._fields[name]
            return dict(field_._description_selection(self.env)).get(value) or ""
        if name in ("allday", "active"):
            return self.env._("Yes") if value else self.env._("No")
        if name == "categories":
            return ", ".join(sorted(value))
        if name == "alarms":
            Alarm = self.env["calendar.alarm"]
            return ", ".join(
                Alarm._words_of(Alarm._values_of(one, row.allday))
                for one in sorted(value, key=repr)
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

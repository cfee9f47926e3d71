"""What is changed of all meetings of a series, and what stays one's own. Plain Python.

A meeting that says something else than the others, a name, a place, goes on saying it,
unless that is what was changed in it.
"""

from collections import Counter

from odoo.fields import Command


def like_most(rows):
    """Of meetings of a series, the last one that is like most of them."""
    rows = rows.filtered("active") or rows
    facts = {row: _facts(row.sudo()) for row in rows}
    [(usual, _number)] = Counter(facts.values()).most_common(1)
    return next(row for row in reversed(rows) if facts[row] == usual)


def _facts(row):
    return (
        row.name, row.location, row.description, row.user_id, row.privacy, row.show_as,
        row.partner_ids, row.alarm_ids, row.categ_ids, row.stop - row.start,
    )  # fmt: skip


class Spread:
    """New values for the meetings of a series.

    :param event: the meeting in which they were written; not written yet
    :param rows: the meetings that are to have them, that one among them
    :param dict values: as ``write`` takes them
    """

    def __init__(self, event, rows, values):
        self.event = event
        self.rows = rows | event
        self.values = {**values}
        self._known, self._usuals = {}, {}
        if "partner_ids" in values:
            # Odoo makes them of the partners, for each meeting its own.
            self.values.pop("attendee_ids", None)

    def apply(self):
        plain, lists = {}, {}
        for name, value in self.values.items():
            field = self.event._fields[name]
            (lists if field.type in ("one2many", "many2many") else plain)[name] = value
        batches = {}
        for row in self.rows:
            names = frozenset(name for name in plain if self._is_usual(row, name))
            batches.setdefault(names, self.event.browse())
            batches[names] += row
        for names, rows in batches.items():
            if names:
                rows.write({name: plain[name] for name in names})
        for name, commands in lists.items():
            self._write_list(name, commands)

    def _is_usual(self, row, name):
        """Whether a meeting has what most have, or what the one had that was changed."""
        if row == self.event:
            return True
        return self._value(row, name) in (self._value(self.event, name), self._usual(name))

    def _value(self, row, name):
        if (row, name) not in self._known:
            self._known[row, name] = row.sudo()[name] or False
        return self._known[row, name]

    def _usual(self, name):
        if name not in self._usuals:
            rows = self.rows.filtered("active") or self.rows
            counted = Counter(self._value(row, name) for row in rows)
            self._usuals[name] = counted.most_common(1)[0][0]
        return self._usuals[name]

    def _write_list(self, name, commands):
        """Whoever was added is added to all, and who was taken out is taken out of all."""
        field = self.event._fields[name]
        if field.type == "one2many":
            self.event.write({name: commands})
            return
        old = set(self.event[name].ids)
        new = self._after(old, commands)
        if new is None:
            self.event.write({name: commands})
            return
        added, removed = new - old, old - new
        batches = {}
        for row in self.rows:
            batches.setdefault(frozenset(row[name].ids), self.event.browse())
            batches[frozenset(row[name].ids)] += row
        for ids, rows in batches.items():
            wanted = (ids | added) - removed
            if wanted != ids:
                rows.write({name: [Command.set(sorted(wanted))]})

    @staticmethod
    def _after(ids, commands):
        """The ids after the commands; None where a record is to be made."""
        if commands and isinstance(commands[0], int):
            return set(commands)
        found = set(ids)
        for command in commands:
            code = command[0]
            if code == Command.LINK:
                found.add(command[1])
            elif code in (Command.UNLINK, Command.DELETE):
                found.discard(command[1])
            elif code == Command.CLEAR:
                found.clear()
            elif code == Command.SET:
                found = set(command[2])
            else:
                return None
        return found

"""Taking an import back: what it made goes, what it changed is as it was.

What somebody has changed since is left alone, and said so.
"""

from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from .ical_snapshot import put_back
from .ical_values import SILENT

#: Lines that one transaction takes back.
BATCH = 100


class CalendarImport(models.Model):
    _inherit = "calendar.import"

    def _to_undo(self):
        """The lines that can be taken back, the last ones first."""
        return (
            self.env["calendar.import.line"]
            .sudo()
            .search([("import_id", "=", self.id), ("result", "=", "written")], order="id desc")
        )

    def _count_to_undo(self):
        return self.env["calendar.import.line"].search_count(
            [("import_id", "=", self.id), ("result", "=", "written")]
        )

    def _undo_steps(self):
        """Take back batch after batch. :return: generator of (done, left)"""
        self.env["calendar.event"]._ical_check_owner(self.owner_id)
        lines = self._to_undo()
        context = {**SILENT, "active_test": False}
        env = self.env(user=self.owner_id.id, su=True, context={**self.env.context, **context})
        for at in range(0, len(lines), BATCH):
            batch = lines[at : at + BATCH]
            for line in batch:
                line.result = "undone" if self._undo_line(env, line) else "left"
            yield len(batch), len(lines) - at - len(batch)
        if not lines:
            yield 0, 0

    def _undo_line(self, env, line):
        """:return: False when it was left alone"""
        created, before = line.created or {}, line.before or {}
        made = {model: env[model].browse(ids).exists() for model, ids in created.items()}
        changed = {
            model: env[model].browse(int(one) for one in rows).exists()
            for model, rows in before.items()
        }
        if any(self._is_touched(records, line) for records in (*made.values(), *changed.values())):
            return False
        # The meetings of a series first, for what is left of it is nothing.
        put_back(env, before)
        for model in ("calendar.event", "calendar.recurrence", "project.task", "mail.activity"):
            records = made.get(model)
            if records:
                records.exists().unlink()
        if before and line.uid:
            self._forget_digest(line)
        return True

    def _is_touched(self, records, line):
        """Whether somebody has changed one of them since."""
        if records._name == "calendar.recurrence":
            # Odoo writes series itself, when one of their reminders goes off.
            return False
        since = line.written_at + timedelta(seconds=1)
        return any(record.write_date > since for record in records)

    def _forget_digest(self, line):
        """The same file is a change again."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE calendar_ical_source SET digest = NULL
                 WHERE user_id = %s AND component = %s AND uid = %s
                """,
                self.owner_id.id,
                line.component,
                line.uid,
            )
        )

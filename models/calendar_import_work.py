"""The work of an import: reading the files, the preview, and the writing in batches."""

import logging

import psycopg2

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_date, format_datetime

from ..engine.archive import ArchiveError, calendar_files
from ..ical.errors import IcalError
from ..ical.values import UTC, is_date
from .bulk import insert_rows, update_rows
from .ical_incoming import Outcome
from .ical_meeting import named_zone

_logger = logging.getLogger(__name__)

#: Objects that are written at once while the user waits; more are left to the job.
AT_ONCE = 300
#: Objects that one transaction of the job writes.
BATCH = 250
#: Objects that one import may have.
MAX_OBJECTS = 50_000
#: Warnings and changes of one object that are shown.
SHOWN = 12
_RESULT_COLUMNS = {
    "kind": "varchar", "reason": "text", "result": "varchar", "res_model": "varchar",
    "res_id": "int", "created": "jsonb", "before": "jsonb", "written_at": "timestamp",
}  # fmt: skip


class CalendarImport(models.Model):
    _inherit = "calendar.import"

    # -- reading -------------------------------------------------------------

    def _contents(self):
        """The calendar files: list of (name, bytes).

        :raises UserError: when they cannot be read, with what to do
        """
        if self.origin == "url":
            uploads = self._fetched()
        else:
            # With the rights of the user: an attachment may be somebody else's.
            uploads = [(one.name, one.raw or b"") for one in self.file_ids]
        if not uploads:
            raise UserError(self.env._("Choose at least one calendar file."))
        found = []
        for name, content in uploads:
            try:
                found += calendar_files(name, content)
            except ArchiveError as error:
                raise UserError(self._archive_problem(error)) from None
        return found

    def _fetched(self):
        """What the address gives; kept, so that what was previewed is imported."""
        if not self.url:
            raise UserError(self.env._("Enter the address of the calendar."))
        if not self.content_ids:
            self.env["ical.fetch"]._take_button()
            fetched = self.env["ical.fetch"]._fetch(self.url)
            self.sudo().content_ids = self.env["ir.attachment"].create(
                {
                    "name": f"{self.name}.ics",
                    "raw": fetched.content,
                    "res_model": self._name,
                    "res_id": self.id,
                }
            )
        return [(one.name, one.raw or b"") for one in self.content_ids]

    def _archive_problem(self, error):
        name = error.name
        return {
            "too_large": self.env._(
                "%(name)s is larger than 50 MB. Export a shorter period, or import its parts one "
                "by one.",
                name=name,
            ),
            "too_many": self.env._("%(name)s holds more than 2,000 files. Divide it.", name=name),
            "bomb": self.env._(
                "%(name)s unpacks to far more than a calendar would. It is not read.", name=name
            ),
            "nested": self.env._(
                "%(name)s is an archive within an archive. Unpack it first.", name=name
            ),
            "locked": self.env._("%(name)s needs a password. Unpack it first.", name=name),
            "broken": self.env._("%(name)s is a damaged archive. Download it again.", name=name),
            "empty": self.env._(
                "There is no calendar file in %(name)s. Choose an .ics file.", name=name
            ),
        }[error.code]

    def _compared(self):
        """List of (file number, file name, Outcome) of all files; nothing is written."""
        events = self.env["calendar.event"]
        options = self._options()
        found = []
        for number, (name, content) in enumerate(self._contents()):
            try:
                outcomes = events._ical_compare(content, self.owner_id, options)
            except IcalError as error:
                outcomes = [
                    Outcome(None, "error", "", reason=error.code, detail=error.message, line=1)
                ]
            found += [(number, name, outcome) for outcome in outcomes]
            if len(found) > MAX_OBJECTS:
                raise UserError(
                    self.env._(
                        "These are more than %(limit)s meetings. Export a shorter period.",
                        limit=MAX_OBJECTS,
                    )
                )
        return found

    def _preview(self):
        """Read and compare; the lines say what would be done."""
        compared = self._compared()
        # One flush of what was decided so far, then all lines by one statement.
        self.env.flush_all()
        rows = [self._line_values(*one) for one in compared]
        for at in range(0, len(rows), 5000):
            insert_rows(self.env["calendar.import.line"], rows[at : at + 5000])
        self.sudo().write(
            {
                "state": "preview",
                "total_count": sum(
                    bool(outcome.action and outcome.kind not in ("unchanged", "older"))
                    for _number, _name, outcome in compared
                ),
                "done_count": 0,
            }
        )

    def _line_values(self, number, name, outcome):
        changes = [
            f"{label}: {old} → {new}" if old or new else label
            for label, old, new in outcome.changes[:SHOWN]
        ]
        repairs = list(dict.fromkeys(self._repair_text(repair) for repair in outcome.repairs))
        record = outcome.record
        return {
            "import_id": self.id,
            "file_name": name[:200],
            "file_number": number,
            "line": outcome.line or 0,
            "component": outcome.component,
            "uid": (outcome.key or "")[:1000] or None,
            "summary": self._summary(outcome),
            "when": self._when(outcome.start or self._start_of(outcome)),
            "kind": outcome.kind,
            "changes": "\n".join(changes) or None,
            "reason": self._reason_text(outcome) or None,
            "repairs": "\n".join(repairs[:SHOWN]) or None,
            "res_model": record._name if record else None,
            "res_id": record.id if record else None,
        }

    def _summary(self, outcome):
        if outcome.summary:
            return " ".join(outcome.summary.split())[:500].replace("\0", "")
        record = self._record_of(outcome)
        return record.display_name if record else ""

    def _start_of(self, outcome):
        """When what was not read is, as Odoo has it."""
        record = self._record_of(outcome)
        if not record or record._name != "calendar.event":
            return None
        if record.allday:
            return record.start.date()
        return record.start.replace(tzinfo=UTC)

    def _record_of(self, outcome):
        """The meeting, task or activity of what is unchanged; of a series its first meeting."""
        record = outcome.record
        if outcome.kind != "unchanged" or not record:
            return None
        return record.base_event_id if record._name == "calendar.recurrence" else record

    def _when(self, moment):
        if moment is None:
            return None
        try:
            if is_date(moment):
                return format_date(self.env, moment)
            zone = named_zone(self.env.user.tz)
            if moment.tzinfo is not None:
                moment = moment.astimezone(zone)
            return format_datetime(
                self.env, moment.replace(tzinfo=None), tz="UTC", dt_format="short"
            )
        except (ValueError, OverflowError):
            return str(moment)

    def _reason_text(self, outcome):
        if not outcome.reason:
            return ""
        return self.env["calendar.event"]._ical_reason(outcome.reason, outcome.detail)

    def _repair_text(self, repair):
        words = self._repair_words().get(repair.code, repair.message)
        return self.env._("Line %(line)s: %(what)s", line=repair.line, what=words)

    # -- writing -------------------------------------------------------------

    def _start(self):
        """Do it now, or wake the job."""
        if self.total_count > AT_ONCE:
            self._wake_job()
            return
        self._work(commit=False)

    @api.model
    def _run_waiting(self):
        """The job: imports and their undoing, one after the other."""
        waiting = self.sudo().search([("state", "in", ("running", "undoing"))], order="write_date")
        for one in waiting:
            user = one.user_id
            work = one.with_user(user).with_context(lang=user.lang, tz=user.tz)
            work._work(commit=True)
            if not self.env["ir.cron"]._commit_progress(1):
                return

    def _work(self, commit):
        """Write, or take back, with the rights of whoever imports.

        :param bool commit: whether each batch is committed, and a failure kept as state
        """
        end = {"running": "done", "undoing": "undone"}[self.state]
        if not commit:
            for done, _left in self._steps():
                self.sudo().done_count += done
        else:
            try:
                if not self._committed_steps():
                    return
            except Exception as error:
                self.env.cr.rollback()
                self._fail(error)
                return
        self.sudo().write({"state": end, "done_at": self.env.cr.now()})

    def _steps(self):
        return self._import_steps() if self.state == "running" else self._undo_steps()

    def _committed_steps(self):
        """:return: whether it came to its end"""
        for done, left in self._steps():
            self.sudo().done_count += done
            self.env.flush_all()
            has_time = self.env["ir.cron"]._commit_progress(0, remaining=left)
            if left and self._is_to_stop():
                self.sudo().state = "stopped"
                return False
            if left and not has_time:
                self._wake_job()
                return False
        return True

    def _wake_job(self):
        self.env["ir.cron"]._automation_wake("crm_automation.ir_cron_import")

    def _fail(self, error):
        """What has kept the job from its end, as the user is told of it."""
        if isinstance(error, psycopg2.extensions.TransactionRollbackError):
            # Another transaction was at the same meetings: once more.
            self._wake_job()
            return
        if isinstance(error, UserError):
            problem = str(error)
        else:
            _logger.error("An import of a calendar has failed", exc_info=error)
            problem = self.env._("Something unexpected happened; see the server's log.")
        self.sudo().write({"state": "failed", "problem": problem})

    def _is_to_stop(self):
        self.invalidate_recordset(["is_stopping"])
        return self.is_stopping

    def _import_steps(self):
        """Write batch after batch. :return: generator of (written, left)"""
        events = self.env["calendar.event"]
        options = self._options()
        lines = self._lines_by_place()
        work = [one for one in self._compared() if one[2].action]
        for at in range(0, len(work), BATCH):
            batch = work[at : at + BATCH]
            results = events._ical_upsert([one[2] for one in batch], self.owner_id, options)
            yield self._keep_results(batch, results, lines), len(work) - at - len(batch)
        if not work:
            yield 0, 0

    def _lines_by_place(self):
        """Lines by (file, component, UID); there is one, except of what cannot be read."""
        self.env.cr.execute(
            "SELECT file_number, component, uid, id FROM calendar_import_line "
            "WHERE import_id = %s AND result IS NULL",
            [self.id],
        )
        return {tuple(row[:3]): row[3] for row in self.env.cr.fetchall()}

    def _keep_results(self, batch, results, lines):
        """Write down what has become of them. :return: how many have changed anything"""
        rows, added = [], []
        now = self.env.cr.now().isoformat(" ")
        for (number, name, outcome), result in zip(batch, results, strict=True):
            if result.kind in ("unchanged", "older"):
                continue
            failed = result.kind in ("error", "refused")
            values = {
                "kind": outcome.kind,
                "reason": self._result_text(result) or None,
                "result": "failed" if failed else "written",
                "res_model": result.record._name if result.record else None,
                "res_id": result.record.id if result.record else None,
                "created": result.created or None,
                "before": result.before or None,
                "written_at": None if failed else now,
            }
            key = (number, outcome.component, (outcome.key or "")[:1000] or None)
            if key in lines:
                rows.append({"id": lines[key], **values})
            else:
                added.append(self._line_values(number, name, outcome))
        update_rows(self.env["calendar.import.line"], rows, _RESULT_COLUMNS)
        insert_rows(self.env["calendar.import.line"], added)
        return len(rows) + len(added)

    def _result_text(self, result):
        if not result.reason:
            return ""
        return self.env["calendar.event"]._ical_reason(result.reason, result.detail)

"""An import of calendar files, as its user sees it: chosen, previewed, done, undone."""

from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .ical_incoming import Options

#: What only the import itself writes.
PROTECTED = frozenset(
    {
        "user_id", "state", "line_ids", "total_count", "done_count", "problem", "is_stopping",
        "done_at", "content_ids",
    }
)  # fmt: skip


class CalendarImport(models.Model):
    _name = "calendar.import"
    _description = "Import of Calendars"
    _order = "id desc"

    name = fields.Char(
        compute="_compute_name",
        store=True,
        help="The files that are read, or the host of the address.",
    )
    user_id = fields.Many2one(
        "res.users",
        "Imported by",
        required=True,
        readonly=True,
        ondelete="cascade",
        default=lambda self: self.env.user,
    )
    owner_id = fields.Many2one(
        "res.users",
        "Into the Calendar of",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
        help="Whose meetings they become.",
    )
    may_choose_owner = fields.Boolean(compute="_compute_may_choose_owner")
    origin = fields.Selection(
        [("file", "Files"), ("url", "An address on the Internet")],
        "From",
        required=True,
        default="file",
        help="A file of your computer, or an address that is read now.",
    )
    file_ids = fields.Many2many(
        "ir.attachment",
        "calendar_import_attachment_rel",
        string="Files to Import",
        help="Calendar files (.ics), as many as you like, or a ZIP archive of them.",
    )
    url = fields.Char(
        "Address", help="https:// or webcal://, as other calendars give it for subscribing."
    )
    content_ids = fields.Many2many(
        "ir.attachment", "calendar_import_content_rel", string="What Was Read", readonly=True
    )
    make_contacts = fields.Boolean(
        "Make contacts of unknown attendees",
        help="Attendees are found among the contacts by their e-mail address. The others stay "
        "with the meeting as addresses, unless this is ticked.",
    )
    send_mail = fields.Boolean(
        "Send invitations", help="Without it nobody is told of the imported meetings."
    )
    todo_as = fields.Selection(
        [
            ("task", "Tasks"),
            ("activity", "Activities of mine"),
            ("none", "They are not imported"),
        ],
        "To-dos Become",
        required=True,
        default="task",
        help="What becomes of the to-dos in the file.",
    )
    project_id = fields.Many2one(
        "project.project", help="Without a project they become private tasks."
    )
    state = fields.Selection(
        [
            ("draft", "To prepare"),
            ("preview", "Preview"),
            ("running", "Importing"),
            ("done", "Imported"),
            ("stopped", "Stopped"),
            ("failed", "Failed"),
            ("undoing", "Being undone"),
            ("undone", "Undone"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        help="Up to the preview nothing is written. What was imported can be undone.",
    )
    line_ids = fields.One2many(
        "calendar.import.line",
        "import_id",
        "Objects",
        readonly=True,
        help="One line for each meeting, series or to-do of the files, and what becomes of it.",
    )
    total_count = fields.Integer("To Write", readonly=True, copy=False)
    done_count = fields.Integer("Written", readonly=True, copy=False)
    progress = fields.Float(
        compute="_compute_progress", help="How much is written already, in per cent."
    )
    is_stopping = fields.Boolean("Stops After This Batch", readonly=True, copy=False)
    problem = fields.Text(
        readonly=True,
        copy=False,
        help="Why nothing could be read, or why it broke off; empty: all went well.",
    )
    done_at = fields.Datetime(
        "Imported on", readonly=True, copy=False, help="When the last of it was written."
    )
    new_count = fields.Integer(
        "New Ones",
        compute="_compute_counts",
        help="Meetings, series and to-dos that Odoo did not have before.",
    )
    changed_count = fields.Integer(
        "Changed Ones",
        compute="_compute_counts",
        help="Those that Odoo has, and that the file brings up to date.",
    )
    cancelled_count = fields.Integer(
        "Cancelled Ones",
        compute="_compute_counts",
        help="Those that do not take place, by what the file says.",
    )
    unchanged_count = fields.Integer(
        "Unchanged Ones",
        compute="_compute_counts",
        help="Those that Odoo has just so, or in a later version; nothing is written of them.",
    )
    refused_count = fields.Integer(
        "Not Imported",
        compute="_compute_counts",
        help="Those that cannot be read, or that Odoo has no place for; each line says why.",
    )
    left_count = fields.Integer(
        "Left Alone",
        compute="_compute_counts",
        help="Those that somebody has changed since, so that undoing did not touch them.",
    )

    @api.depends("file_ids.name", "url", "origin")
    def _compute_name(self):
        for one in self:
            if one.origin == "url":
                # The rest of such an address is a secret.
                one.name = urlsplit(one.url or "").hostname or self.env._("Address")
            else:
                names = one.file_ids.mapped("name")
                one.name = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
            one.name = one.name or self.env._("Import iCal")

    @api.depends_context("uid")
    def _compute_may_choose_owner(self):
        self.may_choose_owner = self.env.user.has_group("sales_team.group_sale_manager")

    @api.depends("done_count", "total_count")
    def _compute_progress(self):
        for one in self:
            one.progress = 100.0 * one.done_count / one.total_count if one.total_count else 0.0

    @api.depends("line_ids.kind", "line_ids.result")
    def _compute_counts(self):
        groups = self.env["calendar.import.line"]._read_group(
            [("import_id", "in", self.ids)], ["import_id", "kind", "result"], ["__count"]
        )
        counts, left = {}, {}
        for one, kind, result, count in groups:
            counts[one.id, kind] = counts.get((one.id, kind), 0) + count
            left[one.id] = left.get(one.id, 0) + (count if result == "left" else 0)
        for one in self:
            for name in ("new", "changed", "cancelled"):
                one[f"{name}_count"] = counts.get((one.id, name), 0)
            one.unchanged_count = sum(
                counts.get((one.id, kind), 0) for kind in ("unchanged", "older")
            )
            one.refused_count = sum(counts.get((one.id, kind), 0) for kind in ("refused", "error"))
            one.left_count = left.get(one.id, 0)

    @api.model_create_multi
    def create(self, vals_list):
        self._refuse_protected(vals_list)
        if not self.env.su:
            # Said expressly, so that no default out of a context takes their place.
            own = {**dict.fromkeys(PROTECTED, False), "user_id": self.env.uid, "state": "draft"}
            vals_list = [{**vals, **own} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        self._refuse_protected([vals])
        chosen = {"file_ids", "url", "origin", "owner_id", "todo_as", "project_id"}
        if chosen.intersection(vals) and not self.env.su:
            if any(one.state not in ("draft", "preview") for one in self):
                raise UserError(self.env._("This import is over. Begin another one."))
            # What was shown is not what would be done any more.
            self.filtered(lambda one: one.state == "preview").sudo()._back_to_draft()
        return super().write(vals)

    def _refuse_protected(self, vals_list):
        """:raises AccessError: when somebody writes from outside what the import says"""
        if self.env.su:
            return
        for vals in vals_list:
            names = PROTECTED.intersection(vals)
            if names:
                raise AccessError(
                    self.env._(
                        "These fields are written by the import itself: %(fields)s.",
                        fields=", ".join(sorted(names)),
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_at_work(self):
        if any(one.state in ("running", "undoing") for one in self):
            raise UserError(self.env._("This import is at work. Stop it first."))

    def _back_to_draft(self):
        self.line_ids.unlink()
        self.content_ids.filtered(
            lambda one: one.res_model == self._name and one.res_id in self.ids
        ).unlink()
        self.write({"state": "draft", "problem": False, "content_ids": False})

    def _options(self):
        """As the engine wants them."""
        return Options(
            make_contacts=self.make_contacts,
            todo_as=self.todo_as,
            project=self.project_id or None,
            send_mail=self.send_mail,
        )

    def _check_state(self, *states):
        """Lock the import.

        :raises UserError: when somebody else, or another window, was faster
        """
        self.ensure_one()
        self.check_access("write")
        self.lock_for_update(allow_referencing=True)
        if self.state not in states:
            raise UserError(self.env._("This import has gone on meanwhile. Reload the page."))

    # -- buttons -------------------------------------------------------------

    def action_preview(self):
        """Read the files, and show what an import would do. Writes no meeting."""
        self._check_state("draft", "preview", "failed")
        self.sudo()._back_to_draft()
        self._preview()
        return True

    def action_import(self):
        """Import: at once when it is little, else by the job, which is woken."""
        self._check_state("preview", "stopped", "failed")
        self.sudo().write({"state": "running", "is_stopping": False, "problem": False})
        self._start()
        return True

    def action_stop(self):
        """Stop after the batch that is being written."""
        self._check_state("running", "undoing")
        self.sudo().is_stopping = True
        return True

    def action_undo(self):
        """Take the import back as a whole; what was changed since is left alone."""
        self._check_state("done", "stopped", "failed")
        self.sudo().write(
            {
                "state": "undoing",
                "is_stopping": False,
                "problem": False,
                "total_count": self._count_to_undo(),
                "done_count": 0,
            }
        )
        self._start()
        return True

    def action_lines(self):
        """All objects as a table that can be searched and grouped."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_automation.calendar_import_line_action"
        )
        action["domain"] = [("import_id", "=", self.id)]
        kind = self.env.context.get("import_kind")
        action["context"] = {f"search_default_{kind}": 1} if kind else {}
        return action

    def action_meetings(self):
        """The meetings that were made or changed."""
        self.ensure_one()
        lines = self.line_ids.filtered(lambda line: line.result == "written")
        ids = lines.filtered(lambda line: line.res_model == "calendar.event").mapped("res_id")
        series = lines.filtered(lambda line: line.res_model == "calendar.recurrence")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Imported Meetings"),
            "res_model": "calendar.event",
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
            "domain": ["|", ("id", "in", ids), ("recurrence_id", "in", series.mapped("res_id"))],
        }

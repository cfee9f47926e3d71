"""Who of those that manage reminders sees which: the company of a reminder.

Whether it is about a private meeting, the ledger says.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: Paths to the company, by model.
COMPANY = {"calendar.event": "user_id.company_id", "project.task": "company_id"}


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    company_id = fields.Many2one(
        "res.company",
        compute="_compute_company_id",
        search="_search_company_id",
        compute_sudo=True,
        help="Of the task, or of the organizer of the meeting.",
    )

    @api.depends("res_model", "res_id")
    def _compute_company_id(self):
        self.company_id = False
        for name, rows in self.grouped("res_model").items():
            path = COMPANY.get(name)
            records = self.env[name].browse(rows.mapped("res_id")).exists() if path else ()
            companies = {record.id: record.mapped(path) for record in records}
            for row in rows:
                row.company_id = companies.get(row.res_id)

    @api.model
    def _search_company_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.flush_model(["res_model", "res_id"])
        self.env["calendar.event"].flush_model(["user_id"])
        self.env["res.users"].flush_model(["company_id"])
        self.env["project.task"].flush_model(["company_id"])
        ids = [one for one in value if one]
        return Domain.custom(
            to_sql=lambda _model, alias, _query: self._sql_company(alias, ids, False in value),
            predicate=lambda row: row.company_id.id in value,
        )

    @api.model
    def _sql_company(self, alias, ids, or_none):
        """Whether a reminder is of one of these companies.

        :param str alias: of the table
        :param bool or_none: or of none
        """
        company = SQL(
            """CASE %(model)s
               WHEN 'calendar.event' THEN (
                    SELECT organizer.company_id FROM calendar_event event
                      JOIN res_users organizer ON organizer.id = event.user_id
                     WHERE event.id = %(id)s)
               WHEN 'project.task' THEN (
                    SELECT task.company_id FROM project_task task WHERE task.id = %(id)s)
               END""",
            model=SQL.identifier(alias, "res_model"),
            id=SQL.identifier(alias, "res_id"),
        )
        return SQL(
            "(%(company)s = ANY(%(ids)s) OR (%(none)s AND %(company)s IS NULL))",
            company=company,
            ids=ids,
            none=or_none,
        )

"""Leads and tasks: people are invited to a meeting about them."""

from odoo import models


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def action_invite(self):
        """The wizard of invitations, for a new meeting about this lead."""
        self.ensure_one()
        return self.env["calendar.invite"]._open(record=self)


class ProjectTask(models.Model):
    _inherit = "project.task"

    def action_invite(self):
        """The wizard of invitations, for a new meeting about this task."""
        self.ensure_one()
        return self.env["calendar.invite"]._open(record=self)

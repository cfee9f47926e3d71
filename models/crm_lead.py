from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "crm.automation.target"]

    # Asked for by every rule about dates, every few minutes.
    date_deadline = fields.Date(index=True)

    @api.depends("won_status", "stage_id.business_state")
    def _compute_business_state(self):
        return super()._compute_business_state()

    @api.model
    def _business_state_domains(self):
        at_work = Domain("won_status", "=", "pending")
        return {
            "done": Domain("won_status", "=", "won"),
            "cancelled": Domain("won_status", "=", "lost"),
            "draft": at_work
            & (Domain("stage_id", "=", False) | Domain("stage_id.business_state", "=", "draft")),
            "pending": at_work & Domain("stage_id.business_state", "=", "pending"),
        }

    @api.model
    def _business_state_sources(self):
        return ("won_status", "stage_id")

    def _automation_set_state(self, state):
        """Bring leads into a business state, as a person would."""
        if state == "done":
            self.action_set_won()
        elif state == "cancelled":
            self.action_set_lost()
        else:
            for lead in self:
                stage = lead._automation_stage(state)
                if not lead.active:
                    lead.action_unarchive()
                if lead.stage_id != stage:
                    lead.stage_id = stage

    def _automation_stage(self, state):
        """The stage of a lead's pipeline that means the state: its own, else the first.

        :raises UserError: when there is none
        """
        self.ensure_one()
        # Won is done, whatever else the stage says.
        domain = [("business_state", "=", state), ("is_won", "=", False)]
        stage = self.stage_id.filtered_domain(domain) or self._stage_find(domain=domain)
        if not stage:
            field = self._fields["business_state"]
            raise UserError(
                self.env._(
                    "The pipeline of “%(lead)s” has no stage that means “%(state)s”. Choose it on "
                    "one of the stages.",
                    lead=self.display_name,
                    state=dict(field._description_selection(self.env))[state],
                )
            )
        return stage

    def _merge_opportunity(self, user_id=False, team_id=False, auto_unlink=True, max_length=5):
        """The one method through which every merge goes: the wizard, the dialogs of
        conversion, the assignment of leads and other programs.

        What is merged is noted before (it is deleted on the way), the event is
        told after: a merge that is refused has not happened.
        """
        if not self._automation_awaits("opportunities_merged"):
            return super()._merge_opportunity(user_id, team_id, auto_unlink, max_length)
        before = [
            {
                "id": lead.id,
                "name": lead.display_name,
                "user_id": lead.user_id.id,
                "state": lead.business_state,
            }
            for lead in self.sudo()
        ]
        head = super()._merge_opportunity(user_id, team_id, auto_unlink, max_length)
        # The survivor is among them: the merge may have taken it from somebody.
        head._automation_event("opportunities_merged", {"merged": before})
        return head

from odoo import models


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def _merge_opportunity(self, user_id=False, team_id=False, auto_unlink=True, max_length=5):
        """The one method through which every merge goes: the wizard, the dialogs of
        conversion, the assignment of leads and other programs.

        What is merged is noted before (it is deleted on the way), the event is
        told after: a merge that is refused has not happened.
        """
        if not self._automation_awaits("opportunities_merged"):
            return super()._merge_opportunity(user_id, team_id, auto_unlink, max_length)
        before = [
            {"id": lead.id, "name": lead.display_name, "user_id": lead.user_id.id}
            for lead in self.sudo()
        ]
        head = super()._merge_opportunity(user_id, team_id, auto_unlink, max_length)
        # The survivor is among them: the merge may have taken it from somebody.
        head._automation_event("opportunities_merged", {"merged": before})
        return head

from odoo import fields, models


class CalendarSubscriptionDelete(models.TransientModel):
    _name = "calendar.subscription.delete"
    _description = "Deleting a Subscription"

    subscription_id = fields.Many2one(
        "calendar.subscription",
        required=True,
        ondelete="cascade",
        help="What is deleted, and read no longer.",
    )
    event_count = fields.Integer(related="subscription_id.event_count")
    meetings = fields.Selection(
        [
            ("remove", "They go with it"),
            ("keep", "They stay, as meetings of mine"),
        ],
        "Its Meetings",
        required=True,
        default="remove",
        help="Those that were changed here stay in any case.",
    )

    def action_delete(self):
        """Delete the subscription, and do with its meetings what was chosen."""
        self.ensure_one()
        subscription = self.subscription_id
        subscription.check_access("unlink")
        subscription._settle(self.meetings == "keep")
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_automation.calendar_subscription_action"
        )

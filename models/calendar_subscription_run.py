"""What each reading of a subscribed calendar has done."""

from odoo import fields, models

RESULTS = [
    ("done", "Successful"),
    ("unchanged", "Unchanged"),
    ("asks", "Asks"),
    ("error", "Failed"),
]


class CalendarSubscriptionRun(models.Model):
    _name = "calendar.subscription.run"
    _inherit = ["calendar.run"]
    _description = "Reading of a Subscribed Calendar"

    subscription_id = fields.Many2one(
        "calendar.subscription", required=True, index=True, ondelete="cascade"
    )
    result = fields.Selection(RESULTS, required=True)
    created_count = fields.Integer("New")
    cancelled_count = fields.Integer("Cancelled")
    removed_count = fields.Integer("Removed")
    failed_count = fields.Integer("Not Taken")

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
        "calendar.subscription",
        required=True,
        index=True,
        ondelete="cascade",
        help="Which calendar was read.",
    )
    result = fields.Selection(
        RESULTS,
        required=True,
        help="Unchanged: the calendar is as it was. Asks: what is gone there waits for your "
        "decision.",
    )
    created_count = fields.Integer("New", help="Meetings that Odoo did not have before.")
    cancelled_count = fields.Integer(
        "Cancelled", help="Meetings that do not take place, by what the calendar says."
    )
    removed_count = fields.Integer(
        "Removed", help="Meetings that were archived or deleted here because they are gone there."
    )
    failed_count = fields.Integer(
        "Not Taken", help="Meetings that Odoo has no place for; the remarks say why."
    )

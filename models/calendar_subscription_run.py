"""What each reading of a subscribed calendar has done."""

from datetime import timedelta

from odoo import api, fields, models

#: Days that a reading is remembered.
DAYS_KEPT = 90

RESULTS = [
    ("done", "Successful"),
    ("unchanged", "Unchanged"),
    ("asks", "Asks"),
    ("error", "Failed"),
]


class CalendarSubscriptionRun(models.Model):
    _name = "calendar.subscription.run"
    _description = "Reading of a Subscribed Calendar"
    _order = "date desc, id desc"
    _rec_name = "date"

    subscription_id = fields.Many2one(
        "calendar.subscription", required=True, index=True, ondelete="cascade"
    )
    date = fields.Datetime("When", required=True, index=True)
    last_date = fields.Datetime(
        "Until", help="Readings that found nothing changed, one after the other, are one line."
    )
    times = fields.Integer(default=1)
    result = fields.Selection(RESULTS, required=True)
    created_count = fields.Integer("New")
    changed_count = fields.Integer("Changed")
    cancelled_count = fields.Integer("Cancelled")
    removed_count = fields.Integer("Removed")
    failed_count = fields.Integer("Not Taken")
    duration = fields.Float("Seconds", digits=(10, 2), aggregator="avg")
    message = fields.Text("Remarks", help="Why it failed, or what was not taken and why.")

    @api.autovacuum
    def _gc_runs(self):
        """Forget what is older than 90 days."""
        before = self.env.cr.now() - timedelta(days=DAYS_KEPT)
        self.search([("date", "<", before), ("last_date", "<", before)]).unlink()

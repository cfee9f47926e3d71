"""What the histories of subscribed calendars and of accounts have in common.

A line is a run; runs that were alike, one after the other, are one line.
"""

from datetime import timedelta

from odoo import api, fields, models

#: Days that a run is remembered, and with it what it has replaced.
DAYS_KEPT = 90


class CalendarRun(models.AbstractModel):
    """A model that has it has ``result``, a selection."""

    _name = "calendar.run"
    _description = "Run"
    _order = "date desc, id desc"
    _rec_name = "date"

    date = fields.Datetime(
        "When",
        required=True,
        index=True,
        help="When it ended; of several alike in a row, the first one.",
    )
    last_date = fields.Datetime(
        "Until", help="Runs that were alike, one after the other, are one line."
    )
    times = fields.Integer(default=1, help="How many in a row ended just like this.")
    changed_count = fields.Integer(
        "Changed", help="What was there already and has got other values."
    )
    duration = fields.Float("Seconds", digits=(10, 2), aggregator="avg", help="How long it took.")
    message = fields.Text("Remarks", help="Why it failed, or what was not taken and why.")

    def _is_again(self, result, message, **more):
        """Whether a run was like this last one: then it is counted here.

        :param more: values to write in that case
        """
        if not self or (self.result, self.message or False) != (result, message or False):
            return False
        now = self.env.cr.now().replace(microsecond=0)
        self.write({"last_date": now, "times": self.times + 1, **more})
        return True

    @api.autovacuum
    def _gc_runs(self):
        """Forget what is older than 90 days."""
        if self._abstract:
            return
        before = self.env.cr.now() - timedelta(days=DAYS_KEPT)
        self.search([("date", "<", before), ("last_date", "<", before)]).unlink()

"""What is changed in Odoo goes out within seconds: the log of changes wakes the jobs."""

from odoo import api, models, tools

from .caldav_sync_here import SYNCING

#: Key of the transaction's memory. On ``precommit.data``: what a savepoint takes back is
#: said again.
WOKEN = "crm_automation.accounts"


class CaldavChange(models.Model):
    _inherit = "caldav.change"

    @api.model
    def _note(self, uids, user=None):
        result = super()._note(uids, user)
        self.env["caldav.account"]._wake_for_changes()
        return result


class CaldavAccount(models.Model):
    _inherit = "caldav.account"

    @api.model
    def _wake_for_changes(self):
        """Somebody has changed a meeting in this transaction."""
        memory = self.env.cr.precommit.data
        if not self.env.registry.ready or memory.get(WOKEN) or self.env.context.get(SYNCING):
            return
        if not self._some_go_out():
            return
        memory[WOKEN] = True
        self._wake()

    @api.model
    @tools.ormcache()
    def _some_go_out(self):
        """Whether anybody has a calendar that goes out."""
        Calendar = self.env["caldav.account.calendar"].sudo()
        return bool(
            Calendar.search_count(
                [
                    ("enabled", "=", True), ("direction", "!=", "in"),
                    ("account_id.enabled", "=", True),
                ], limit=1,
            )
        )  # fmt: skip

    def write(self, vals):
        result = super().write(vals)
        if "enabled" in vals:
            self.env.registry.clear_cache()
        return result


class CaldavAccountCalendar(models.Model):
    _inherit = "caldav.account.calendar"

    def write(self, vals):
        result = super().write(vals)
        if {"enabled", "direction"}.intersection(vals):
            self.env.registry.clear_cache()
        return result

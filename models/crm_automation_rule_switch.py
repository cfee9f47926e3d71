"""Switching on a rule about dates: what is over already is shown, and left alone
unless the person who switches it on wants it done as well."""

import datetime

from odoo import fields, models
from odoo.exceptions import UserError

#: How far back somebody is asked about what is over.
ASK_DAYS = 30
#: Records that a rule may be told to act on at its switching on.
MAX_PAST = 1_000
#: Records with a date near enough that are looked at for it.
LOOK_LIMIT = 10_000


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    pending_count = fields.Integer(
        compute="_compute_pending_count",
        string="Due Next",
        help="Executions that are planned, and not done yet.",
    )

    def _compute_pending_count(self):
        groups = self.env["crm.automation.firing"]._read_group(
            [("rule_id", "in", self.ids), ("state", "=", "pending")], ["rule_id"], ["__count"]
        )
        counts = dict(groups)
        for rule in self:
            rule.pending_count = counts.get(rule, 0)

    def action_switch_on(self):
        """Switch on; where moments are over already, ask what is to become of them."""
        self.ensure_one()
        self.check_access("write")
        if self.trigger != "moment" or self._why_idle():
            return self.action_enable()
        hours = max(self.lateness_hours, 24 * ASK_DAYS)
        if not self._over(datetime.timedelta(hours=hours)):
            return self.action_enable()
        wizard = self.env["crm.automation.rule.switch.on"].create(
            {"rule_id": self.id, "look_back_hours": self.lateness_hours}
        )
        wizard._look()
        return wizard._reopen()

    def _over(self, look_back):
        """Moments that are over and were not taken care of, with the rights of the
        current user, who is about to own the rule.

        :return: dict of record id to moment, the latest first
        """
        rule = self._as_mine()
        now = self.env.cr.now().replace(microsecond=0)
        found = rule._past_moments(now - look_back, now, LOOK_LIMIT, only_matching=True)
        latest = sorted(found, key=lambda row: (row.moment, row.res_id), reverse=True)
        moments = {row.res_id: row.moment for row in latest}
        there = self.env["crm.automation.firing"].sudo()._moments_there(self, moments)
        return {res_id: moment for res_id, moment in moments.items() if res_id not in there}

    def _switch_on_with_past(self, wanted, look_back):
        """Switch on, and act on what is over.

        :param dict wanted: record id to the moment that somebody has seen in a list
        :raises UserError: when it is more than a person can have looked at
        """
        self.ensure_one()
        self.check_access("write")
        if self.enabled:
            raise UserError(self.env._("The rule is switched on already."))
        if len(wanted) > MAX_PAST:
            raise UserError(
                self.env._(
                    "These are more than %(number)s records: look back less far.", number=MAX_PAST
                )
            )
        # What has changed since, or was never in the list, is left alone.
        over = self._over(look_back)
        moments = {
            res_id: moment for res_id, moment in wanted.items() if over.get(res_id) == moment
        }
        self.action_enable()
        self.env["crm.automation.firing"].sudo()._insert_by_hand(self.sudo(), moments)

    def action_open_due_next(self):
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "crm_automation.crm_automation_firing_due_action"
        )
        context = {"search_default_pending": 1, "search_default_rule_id": self.id}
        return {**action, "context": context}

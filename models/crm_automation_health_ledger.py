"""The health of the ledger: what is overdue, and what has failed, with the reasons."""

import collections
from datetime import timedelta

from odoo import api, fields, models

from .crm_automation_health import COUNTED, LATE, WEEK

#: How many of the latest lines of the log say why somebody was not told.
RECENT = 500
MOST_FREQUENT = 5


class CrmAutomationHealth(models.AbstractModel):
    _inherit = "crm.automation.health"

    @api.model
    def _checks(self):
        return [*super()._checks(), "_check_overdue", "_check_failures"]

    @api.model
    def _tables(self):
        return [*super()._tables(), "_table_failures", "_table_left_out"]

    @api.model
    def _overdue_domain(self):
        return [("state", "=", "pending"), ("run_at", "<=", self._ago(LATE))]

    @api.model
    def _check_overdue(self):
        Firing = self.env["crm.automation.firing"]
        oldest = Firing.search(self._overdue_domain(), order="run_at, id", limit=1)
        if not oldest:
            return []
        number = Firing.search_count(self._overdue_domain(), limit=COUNTED + 1)
        return [
            self._finding(
                "overdue",
                "warning",
                self.env._("Overdue executions: %(number)s.", number=self._number(number)),
                self.env._(
                    "If no scheduled action is late above, the jobs are working on it: look again "
                    "in some minutes; for more at a time, duplicate the action “work off "
                    "executions”."
                ),
                detail=self.env._(
                    "The oldest: “%(rule)s” for “%(record)s”, due at %(moment)s.",
                    rule=oldest.rule_id.name,
                    record=oldest.record_name or "",
                    moment=self._when(oldest.run_at),
                ),
                buttons=[
                    self._opens(self.env._("Show Them"), Firing._action_of(self._overdue_domain())),
                    self._does(self.env._("Run Now"), "action_run_jobs"),
                ],
            )
        ]

    @api.model
    def _failed_domain(self):
        return [("state", "=", "failed"), ("finished_at", ">=", self._ago(WEEK))]

    @api.model
    def _check_failures(self):
        Firing = self.env["crm.automation.firing"]
        number = Firing.search_count(self._failed_domain(), limit=COUNTED + 1)
        if not number:
            return []
        return [
            self._finding(
                "failures",
                "warning",
                self.env._(
                    "Executions that have failed in the last 7 days: %(number)s.",
                    number=self._number(number),
                ),
                self.env._("Read the reasons below, mend them, and run the executions again."),
                buttons=[
                    self._opens(self.env._("Show Them"), Firing._action_of(self._failed_domain())),
                    self._does(self.env._("Run All Again"), "action_retry_failed"),
                ],
            )
        ]

    @api.model
    def _table_failures(self):
        """Failures by rule; of the last thousand."""
        Firing = self.env["crm.automation.firing"]
        now = fields.Datetime.now()
        local = fields.Datetime.context_timestamp(self, now)
        midnight = now - timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
        failed = Firing.search(self._failed_domain(), order="finished_at desc", limit=COUNTED)
        rows = [
            [
                self._cell(rule.name),
                self._cell(str(len(own.filtered(lambda f: f.finished_at >= midnight)))),
                self._cell(str(len(own))),
                self._cell(
                    own[0].reason,
                    buttons=[
                        self._opens(
                            self.env._("Show Them"),
                            Firing._action_of([*self._failed_domain(), ("rule_id", "=", rule.id)]),
                        )
                    ],
                ),
            ]
            for rule, own in failed.grouped("rule_id").items()
        ]
        return self._grid(
            self.env._("Failed Executions by Rule"),
            [
                self.env._("Rule"),
                self.env._("Today"),
                self.env._("Last 7 Days"),
                self.env._("Last Reason"),
            ],
            rows,
            empty=self.env._("None in the last 7 days."),
        )

    @api.model
    def _table_left_out(self):
        """Why somebody was not told: the most frequent reasons of late. No fault as such."""
        Firing = self.env["crm.automation.firing"]
        Delivery = self.env["crm.automation.delivery"]
        recent = [("finished_at", ">=", self._ago(WEEK))]
        firings = Firing.search_fetch(
            recent, ["state", "reason"], order="finished_at desc", limit=RECENT
        )
        deliveries = Delivery.search_fetch([], ["state", "reason"], order="id desc", limit=RECENT)
        reasons = collections.Counter(
            row.reason or "" for row in (*firings, *deliveries) if row.state == "skipped"
        )
        rows = [
            [
                self._cell(reason),
                self._cell(str(number)),
                self._cell(
                    buttons=[
                        self._opens(
                            self.env._("Show Them"),
                            Firing._action_of(
                                [
                                    "|",
                                    "&", ("state", "=", "skipped"), ("reason", "=", reason),
                                    "&", ("delivery_ids.state", "=", "skipped"),
                                    ("delivery_ids.reason", "=", reason),
                                ]
                            ),
                        )
                    ]
                ),
            ]
            for reason, number in reasons.most_common(MOST_FREQUENT)
        ]  # fmt: skip
        return self._grid(
            self.env._("Why Somebody Was Not Told"),
            [self.env._("Reason"), self.env._("Number"), ""],
            rows,
            empty=self.env._("Nobody was left out of late."),
        )

    @api.model
    def action_retry_failed(self):
        """Run again what has failed in the last 7 days."""
        self._check_administrator()
        failed = self.env["crm.automation.firing"].search(
            self._failed_domain(), order="finished_at desc", limit=COUNTED
        )
        failed.action_retry()
        return self._done(self.env._("They will be run again now."))

"""What leads, tasks and meetings have in common for the rules.

Owns OpenERP's five states, computed from what each model has today, and the
button that leads from a record to its executions.
"""

from odoo import api, fields, models
from odoo.fields import Domain

BUSINESS_STATES = [
    ("draft", "Draft"),
    ("open", "Open"),
    ("pending", "Pending"),
    ("done", "Closed"),
    ("cancelled", "Cancelled"),
]


class CrmAutomationTarget(models.AbstractModel):
    _name = "crm.automation.target"
    _description = "Record with a Business State and Executions"

    business_state = fields.Selection(
        BUSINESS_STATES,
        compute="_compute_business_state",
        search="_search_business_state",
        help="OpenERP's states. Draft: not taken up yet. Open: at work. Pending: waiting for "
        "somebody. Done and cancelled: ended well or not.",
    )
    automation_firing_count = fields.Integer(
        "Executions",
        compute="_compute_automation_firing_count",
        help="What rules have done, or will do, because of this record.",
    )

    @api.model
    def _business_state_domains(self):
        """State to Domain; each record satisfies exactly one of them.

        To be given by each model; what is in none of the others is *open*.
        """
        raise NotImplementedError

    @api.model
    def _business_state_sources(self):
        """Names of the stored fields that the state comes from."""
        raise NotImplementedError

    @api.model
    def _automation_settable_states(self):
        """States that an action can bring records into. Hook for extensions."""
        return [state for state, _label in BUSINESS_STATES]

    def _compute_business_state(self):
        domains = self._business_state_domains()
        # As superuser: the state is no secret to somebody who can read the record.
        rows = self.sudo().with_context(active_test=False)
        for record, row in zip(self, rows, strict=True):
            record.business_state = next(
                (state for state, domain in domains.items() if row.filtered_domain(domain)), "open"
            )

    @api.model
    def _search_business_state(self, operator, value):
        if operator not in ("in", "not in"):
            return NotImplemented
        domains = self._business_state_domains()
        domains["open"] = ~Domain.OR(domains.values())
        found = Domain.OR([domains[state] for state in value if state in domains])
        return ~found if operator == "not in" else found

    def _compute_automation_firing_count(self):
        Firing = self.env["crm.automation.firing"]
        counts = {}
        if Firing.has_access("read"):
            domain = [("res_model", "=", self._name), ("res_id", "in", self.ids)]
            counts = dict(Firing._read_group(domain, ["res_id"], ["__count"]))
        for record in self:
            record.automation_firing_count = counts.get(record.id, 0)

    def action_open_automation_firings(self):
        self.ensure_one()
        return self.env["crm.automation.firing"]._action_of(
            [("res_model", "=", self._name), ("res_id", "=", self.id)]
        )

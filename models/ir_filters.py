from contextlib import suppress

from odoo import models
from odoo.exceptions import AccessError, ValidationError


class IrFilters(models.Model):
    _inherit = "ir.filters"

    def write(self, vals):
        """Rules keep the conditions of their saved filters."""
        result = super().write(vals)
        self.env.registry.clear_cache()
        if not self.env.su and {"domain", "model_id"}.intersection(vals):
            self._check_may_ask()
        return result

    def _check_may_ask(self):
        """Rules and visit plans ask by it with the rights of their owners.

        :raises AccessError: of one that is used by them, when it asks for what whoever has
            changed it may not read himself
        """
        used = self.browse()
        for name in ("crm.automation.rule", "calendar.visit.plan"):
            model = self.env[name].sudo().with_context(active_test=False)
            used |= model.search([("filter_id", "in", self.ids)]).filter_id.with_env(self.env)
        for one in used:
            try:
                # What is wrong otherwise, they tell themselves.
                with suppress(ValidationError, ValueError, TypeError, KeyError):
                    domain = self.env["crm.automation.rule"]._literal(one.domain)
                    self.env[one.model_id].search(domain, limit=1)
            except AccessError as error:
                raise AccessError(
                    self.env._(
                        "The filter uses something that you may not read yourself:\n%(error)s",
                        error=error,
                    )
                ) from error

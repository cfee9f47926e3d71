from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine.addresses import Allowed
from .ical_fetch import ALLOWED


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    fetch_allowed = fields.Char(
        "Hosts in Private Networks",
        config_parameter=ALLOWED,
        help="Calendars of users are read from the internet only. What is named here is read as "
        "well: hosts (nas.example, *.corp.example, nas.example:5001) and networks (10.1.0.0/16), "
        "with commas between. Every user can then have it read.",
    )

    @api.constrains("fetch_allowed")
    def _check_fetch_allowed(self):
        for settings in self:
            try:
                Allowed.listed(settings.fetch_allowed)
            except ValueError as error:
                raise ValidationError(
                    self.env._("%(entry)s is neither a host nor a network.", entry=error.args[0])
                ) from error

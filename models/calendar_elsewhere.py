"""What a user has on another server: an account, a subscribed calendar.

His alone, as many as he may have. What is found out there is written by the addon only.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError


class CalendarElsewhere(models.AbstractModel):
    _name = "calendar.elsewhere"
    _description = "A User's Own on Another Server"

    user_id = fields.Many2one(
        "res.users",
        "Owner",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.user,
    )
    enabled = fields.Boolean("Switched On", default=True)
    failures = fields.Integer("Failed in a Row", readonly=True, copy=False)

    @api.model
    def _protected(self):
        """Names of the fields that only the addon itself writes, as superuser."""
        return {"user_id", "state", "message", "failures"}

    def _refuse(self, vals):
        names = self._protected().intersection(vals)
        if names and not self.env.su:
            raise AccessError(
                self.env._(
                    "This cannot be written by hand (%(fields)s).", fields=", ".join(sorted(names))
                )
            )

    @api.model
    def _blank(self):
        """The protected fields of a new one.

        Said expressly, so that no default out of a context takes their place.
        """
        columns = [name for name in self._protected() if self._fields[name].column_type]
        own = {"user_id": self.env.uid, "state": "new", "failures": 0}
        return {**dict.fromkeys(columns, False), **own}

    @api.model_create_multi
    def create(self, vals_list):
        blank, new = self._blank(), []
        for vals in vals_list:
            if vals.get("user_id") == self.env.uid:
                vals = {name: value for name, value in vals.items() if name != "user_id"}
            self._refuse(vals)
            new.append({**blank, **vals})
        return super().create(new)

    @api.model
    def _has_more_than(self, limit):
        """Whether the user has more of them; the superuser may have any number."""
        own = [("user_id", "=", self.env.uid)]
        return not self.env.su and self.search_count(own, limit=limit + 1) > limit

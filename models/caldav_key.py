"""The keys of a user's calendar programs: made, listed, revoked.

The key itself is one of Odoo's API keys, which keeps no more than its hash. Here is what
its owner wants to know of it.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from odoo.addons.base.models.res_users import check_identity

from .caldav_access import SCOPE
from .last_use import note_use

#: How often the last use is written down.
NOTED_EVERY = timedelta(minutes=10)
#: Days before its end at which the owner of a key is told.
WARNED = 14


class CaldavKey(models.Model):
    _name = "caldav.key"
    _description = "Key of a Calendar Program"
    _order = "id desc"

    name = fields.Char(
        "Program or Device",
        required=True,
        readonly=True,
        help="What logs in with the key, as you have named it: your phone, for one.",
    )
    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="cascade")
    apikey_id = fields.Integer(required=True, readonly=True, index=True)
    expires_at = fields.Datetime("Valid until", readonly=True, help="Empty: until it is revoked.")
    ends_soon = fields.Boolean(compute="_compute_ends_soon")
    is_warned = fields.Boolean(readonly=True)
    last_used_at = fields.Datetime(
        "Last Used",
        readonly=True,
        help="When a program last came in with it, to within ten minutes; empty: never.",
    )
    last_program = fields.Char("Last Used by", readonly=True, help="What the program calls itself.")

    @api.depends("expires_at")
    def _compute_ends_soon(self):
        soon = fields.Datetime.now() + timedelta(days=WARNED)
        for key in self:
            key.ends_soon = bool(key.expires_at and key.expires_at < soon)

    @api.model
    def _make(self, name, days):
        """A new key of the user.

        :param int days: of its life; 0 is for ever
        :return: (the key, to be shown once; caldav.key)
        :raises AccessError: when he has no calendar
        """
        user = self.env.user
        if not user._is_internal():
            raise AccessError(self.env._("Only internal users have a calendar."))
        expires_at = fields.Datetime.now() + timedelta(days=days) if days else False
        # Odoo lets a user's keys live for 90 days: these open his calendar only.
        secret = self.env["res.users.apikeys"].sudo()._generate(SCOPE, name, expires_at)
        [(apikey_id,)] = self.env.execute_query(
            SQL("SELECT max(id) FROM res_users_apikeys WHERE user_id = %s", user.id)
        )
        key = self.sudo().create(
            {"name": name, "user_id": user.id, "apikey_id": apikey_id, "expires_at": expires_at}
        )  # fmt: skip
        return secret, key

    @api.model
    def _of_user(self):
        """The keys of the user that are there still; he may have revoked one elsewhere."""
        keys = self.search([("user_id", "=", self.env.uid)])
        there = {
            apikey_id
            for (apikey_id,) in self.env.execute_query(
                SQL(
                    "SELECT id FROM res_users_apikeys WHERE user_id = %s AND scope = %s",
                    self.env.uid,
                    SCOPE,
                )
            )
        }
        return keys.filtered(lambda key: key.apikey_id in there)

    @check_identity
    def action_revoke(self):
        """Let the programs that have it in no longer."""
        if self.user_id != self.env.user:
            raise AccessError(self.env._("These are the keys of somebody else."))
        self.env["res.users.apikeys"].browse(self.mapped("apikey_id"))._remove()
        self.sudo().unlink()
        return {**self.env["caldav.setup"].action_open(), "target": "main"}

    @api.model
    def _note_use(self, apikey_id, program):
        """Write down who came with it, now and then."""
        which = SQL(
            "apikey_id = %s AND (last_used_at IS NULL OR last_used_at < %s)",
            apikey_id,
            self.env.cr.now() - NOTED_EVERY,
        )
        note_use(self.browse(), which, program)

    @api.model
    def _look_after(self):
        """Drop what was revoked elsewhere; tell the owners of keys that end soon."""
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM caldav_key WHERE NOT EXISTS ("
            "SELECT FROM res_users_apikeys key WHERE key.id = apikey_id)"
        )
        self.invalidate_model(flush=False)
        soon = fields.Datetime.now() + timedelta(days=WARNED)
        for key in self.search([("expires_at", "<", soon), ("is_warned", "=", False)]):
            env = self.env(context={"lang": key.user_id.lang})
            key.user_id.partner_id.activity_schedule(
                "mail.mail_activity_data_todo",
                key.expires_at.date(),
                env._(
                    "The key “%(name)s” of your calendar programs ends: make a new one",
                    name=key.name,
                ),
                user_id=key.user_id.id,
            )
            key.is_warned = True

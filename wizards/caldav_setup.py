"""*Synchronize my Calendar*: what a user needs to set up his calendar programs."""

import base64
import io
from urllib.parse import quote

import qrcode

from odoo import api, fields, models

from odoo.addons.base.models.res_users import check_identity


class CaldavSetup(models.TransientModel):
    _name = "caldav.setup"
    _description = "Synchronize my Calendar"

    url = fields.Char(
        "Address",
        compute="_compute_address",
        help="Calendar programs ask for it when you add an account (CalDAV).",
    )
    calendar_url = fields.Char(
        "Address of the Calendar",
        compute="_compute_address",
        help="For programs that want one calendar, not an account: it is that of your agenda.",
    )
    login = fields.Char(
        "User Name",
        compute="_compute_address",
        help="The program logs in with it; its password is a key, not yours.",
    )
    qr_code = fields.Binary(
        "Address as QR Code",
        compute="_compute_address",
        help="For the camera of your phone, so that nothing has to be typed.",
    )
    is_plain = fields.Boolean(compute="_compute_address")
    key_ids = fields.Many2many(
        "caldav.key",
        compute="_compute_key_ids",
        string="My Keys",
        help="Programs that may read and change your calendar. Revoke what you use no longer.",
    )
    name = fields.Char(
        "Key for", required=True, default=lambda self: self.env._("My phone"),
        help="A key for each program or device: so you can revoke one alone.",
    )  # fmt: skip
    days = fields.Selection(
        [("90", "3 months"), ("365", "1 year"), ("730", "2 years"), ("0", "Until I revoke it")],
        "Valid for", required=True, default="365",
        help="After that the program needs a new key.",
    )  # fmt: skip

    @api.depends_context("uid")
    def _compute_address(self):
        base = self.get_base_url()
        login = self.env.user.login
        for setup in self:
            setup.url = f"{base}/caldav/"
            setup.calendar_url = f"{base}/caldav/calendars/{quote(login, safe='@')}/agenda/"
            setup.login = login
            setup.is_plain = base.startswith("http://")
            setup.qr_code = _qr_code(setup.url)

    def _compute_display_name(self):
        self.display_name = self.env._("Synchronize my Calendar")

    @api.model
    def action_open(self):
        """The screen, with nothing in it that another visit has left."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Synchronize my Calendar"),
            "res_model": self._name,
            "res_id": self.create({}).id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    @api.depends_context("uid")
    def _compute_key_ids(self):
        self.key_ids = self.env["caldav.key"]._of_user()

    @check_identity
    def action_make_key(self):
        """Make a key and show it, this once."""
        self.ensure_one()
        secret, _key = self.env["caldav.key"]._make(self.name, int(self.days))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Key for %(name)s", name=self.name),
            "res_model": "caldav.key.show",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_key": secret, "default_login": self.login, "default_url": self.url,
            },
        }  # fmt: skip

    def action_apple_profile(self):
        """The settings for Apple's devices, as a file."""
        return {"type": "ir.actions.act_url", "url": "/caldav-setup/apple", "target": "download"}


class CaldavKeyShow(models.TransientModel):
    """Shows a key once: its fields are in no table."""

    _name = "caldav.key.show"
    _description = "Key of a Calendar Program, Shown Once"

    url = fields.Char(
        "Address",
        store=False,
        readonly=True,
        help="Calendar programs ask for it when you add an account (CalDAV).",
    )
    login = fields.Char(
        "User Name",
        store=False,
        readonly=True,
        help="The program logs in with it; its password is a key, not yours.",
    )
    key = fields.Char(
        "Password",
        store=False,
        readonly=True,
        help="It is put into the program once, and cannot be shown again.",
    )

    def action_done(self):
        """Back to the list of keys."""
        return {**self.env["caldav.setup"].action_open(), "target": "main"}


def _qr_code(text):
    """A PNG of it, in base64."""
    octets = io.BytesIO()
    qrcode.make(text, box_size=4, border=2).save(octets, format="PNG")
    return base64.b64encode(octets.getvalue())

from odoo import fields, models


class CalendarFeedAddress(models.TransientModel):
    """Shows an address once: its fields are in no table."""

    _name = "calendar.feed.address"
    _description = "Address of a Feed"

    url = fields.Char(
        "Address",
        store=False,
        readonly=True,
        help="Whoever has it reads the calendar without a password. It is shown only this once.",
    )
    subscribe_url = fields.Char(
        "Address to Subscribe",
        store=False,
        readonly=True,
        help="Opens the calendar program of this device, where there is one.",
    )

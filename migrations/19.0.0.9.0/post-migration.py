"""What users have set in their programs counts as their own reminders at once, and not only
when the program writes again."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    api.Environment(cr, SUPERUSER_ID, {})["calendar.reminder.own"]._note_all()

"""iCalendar: meetings and series get the UID that they keep."""

from odoo.addons.crm_automation.hooks import fill_ical_uids


def migrate(cr, version):
    fill_ical_uids(cr)

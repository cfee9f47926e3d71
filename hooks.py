"""What happens around the addon: at import and after its installation."""

import importlib.util
import logging

_logger = logging.getLogger(__name__)


def check_urllib3():
    """Say it clearly where urllib3-future has replaced urllib3.

    Some packages (releases of the library ``caldav`` among them) bring niquests, which
    brings urllib3-future, which installs itself as ``urllib3``. Odoo's outgoing mail
    server then fails with an error that names none of them.
    """
    if not importlib.util.find_spec("urllib3_future"):
        return
    try:
        from urllib3.contrib.pyopenssl import PyOpenSSLContext  # noqa: F401
    except ImportError:
        _logger.error(
            "The Python package urllib3-future has replaced urllib3 in this "
            "environment, and Odoo cannot send mail over TLS with it. Run: "
            "pip uninstall -y niquests urllib3-future; "
            "pip install --force-reinstall urllib3"
        )


def fill_ical_uids(cr):
    """Give a UID to the meetings that have none; those of a series share its own.

    One statement for each table, however many rows there are.
    """
    cr.execute(
        "UPDATE calendar_recurrence SET ical_uid = gen_random_uuid()::text WHERE ical_uid IS NULL"
    )
    cr.execute(
        """
        UPDATE calendar_event event
           SET ical_uid = COALESCE(
                   (SELECT ical_uid FROM calendar_recurrence WHERE id = event.recurrence_id),
                   gen_random_uuid()::text)
         WHERE ical_uid IS NULL
        """
    )


def post_init_hook(env):
    """The first stage of each pipeline is OpenERP's *draft*; meetings get a UID."""
    env["crm.stage"]._automation_first_stages_are_draft()
    fill_ical_uids(env.cr)
    env.invalidate_all()


def uninstall_hook(env):
    """Without this addon's rules, those of Odoo's act again that they stood for."""
    rules = env["crm.automation.rule"].with_context(active_test=False)
    rules.search([("stock_taken_over", "=", True)])._give_back()
    # Odoo alone would take each reminder for one before the start.
    reminders = env["calendar.alarm"].sudo().with_context(active_test=False)
    reminders.search(
        [
            "|", "|", "|", ("active", "=", False), ("trigger_at", "!=", False),
            ("trigger_occurs", "=", "after"), ("trigger_related", "=", "end"),
        ]
    ).unlink()  # fmt: skip
    # Odoo alone has no place for attendees without a contact.
    env["calendar.attendee"].sudo().search([("partner_id", "=", False)]).unlink()

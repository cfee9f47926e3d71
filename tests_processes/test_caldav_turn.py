"""The turns of a user's programs end, whatever becomes of the request that has one."""

import importlib
import time

import pytest

import odoo.sql_db

import session

USER = 99


@pytest.fixture(autouse=True)
def controller(registry):
    """The module, which is there with the registry."""
    return importlib.import_module("odoo.addons.crm_automation.controllers.caldav")


def is_free(controller):
    """Whether another connection gets the turn."""
    with odoo.sql_db.db_connect(session.DATABASE).cursor() as cr:
        cr.execute("SELECT pg_try_advisory_lock(%s, %s)", [controller.TURNS, USER])
        [found] = cr.fetchone()
        cr.execute("SELECT pg_advisory_unlock_all()")
        return found


def take(controller, end):
    cr = odoo.sql_db.db_connect(session.DATABASE).cursor()
    controller._take_turn(cr, USER)
    assert not is_free(controller)
    cr.execute("SELECT 1")
    end(cr)
    return cr


def test_it_ends_with_the_request(controller):
    for end in (lambda cr: cr.commit(), lambda cr: cr.rollback()):
        with take(controller, end):
            assert is_free(controller)


def test_it_ends_with_a_request_that_has_failed(controller):
    """Odoo closes the cursor then, and rolls back while it does."""
    cr = take(controller, lambda cr: cr.close())
    assert cr.closed
    assert is_free(controller)


def test_it_ends_where_the_database_is_gone(controller):
    """The lock goes with the connection."""
    cr = odoo.sql_db.db_connect(session.DATABASE).cursor()
    controller._take_turn(cr, USER)
    assert not is_free(controller)
    cr.connection.close()
    cr.close()
    # PostgreSQL hears of it as soon as its process is given time, not before `close` returns.
    end = time.monotonic() + 20
    while not is_free(controller) and time.monotonic() < end:
        time.sleep(0.05)
    assert is_free(controller)

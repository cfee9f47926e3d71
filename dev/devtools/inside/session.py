"""Opens a database inside the environment that has Odoo.

``ODOO_OPTIONS`` (one option a line) and ``ODOO_DATABASE`` come from
``devtools.workshop``.
"""

import contextlib
import os

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

DATABASE = os.environ["ODOO_DATABASE"]


def start(*options):
    """Configure Odoo, once per process, and build the registry."""
    config.parse_config(
        [*os.environ["ODOO_OPTIONS"].split("\n"), "--log-level=warn", *options], setup_logging=True
    )
    return Registry(DATABASE)


@contextlib.contextmanager
def environment(uid=SUPERUSER_ID):
    """An environment in a transaction of its own, committed at the end."""
    with Registry(DATABASE).cursor() as cr:
        yield api.Environment(cr, uid, {})

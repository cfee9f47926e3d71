"""A pytest plugin: each worker of pytest-xdist has files of its own.

pytest-odoo gives each worker a copy of the database, but one filestore for all. A file
that one of them writes is unknown to the database of the other, which deletes it.
"""

import os
import shutil
from unittest import mock

import pytest

import odoo.tools


@pytest.fixture(scope="session", autouse=True)
def own_filestore(load_registry):
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if not worker:
        yield
        return
    shared = odoo.tools.config.filestore("")
    mine = f"{shared}-{worker}"
    shutil.rmtree(mine, ignore_errors=True)
    # Hard links: a file never changes, it only goes.
    shutil.copytree(shared, mine, copy_function=os.link)
    with mock.patch.object(odoo.tools.config, "filestore", lambda _database: mine):
        yield
    shutil.rmtree(mine, ignore_errors=True)

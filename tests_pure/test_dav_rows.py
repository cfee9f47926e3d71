"""What the RFCs ask of a server, asked of the protocol without a database."""

import pytest
from crm_automation.tests.rows import ROWS

from dav_memory import Client

PURE = [row for row in ROWS if not row.is_http]


@pytest.mark.parametrize("row", PURE, ids=[row.name for row in PURE])
def test_row(row):
    row.ask(Client())


def test_how_many():
    """Fewer than that would be a row that was lost."""
    assert len(ROWS) >= 160

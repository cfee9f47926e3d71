"""Who guesses is counted by all workers together."""

import pytest

import session
from caldav_account import Account, running

#: Failures of one name that are without a wait (models/caldav_access.py).
FREE = 8


@pytest.fixture
def account(tmp_path, registry):
    with running(tmp_path / "odoo.log", workers=3) as found:
        yield found
    with session.environment() as env:
        env["caldav.failure"].search([]).unlink()


def test_no_worker_gives_more_tries_than_one(account):
    guesser = Account(account.url, "wrong")
    statuses = [
        guesser.ask("PROPFIND", guesser.home, Depth="0")[0] for _ in range(3 * FREE)
    ]  # fmt: skip
    assert statuses[:FREE] == [401] * FREE
    assert statuses[FREE] == 429
    # A wait of a second may end meanwhile, the next ones are longer.
    assert statuses.count(401) <= FREE + 2
    assert account.ask("PROPFIND", account.home, Depth="0")[0] == 207
    # Who has a key has ended it: it was he.
    assert guesser.ask("PROPFIND", guesser.home, Depth="0")[0] == 401

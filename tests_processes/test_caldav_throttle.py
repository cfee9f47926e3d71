"""Who guesses is counted by all workers together."""

import pytest

import session
from caldav_account import Account, running

#: Failures of one name that are without a wait (models/caldav_access.py).
FREE = 8
#: Further ones: each doubles a wait of a second.
MORE = 8


@pytest.fixture
def account(tmp_path, registry):
    with session.environment() as env:
        env["caldav.failure"].search([]).unlink()
    with running(tmp_path / "odoo.log", workers=3) as found:
        yield found
    with session.environment() as env:
        env["caldav.failure"].search([]).unlink()


def test_no_worker_gives_more_tries_than_one(account):
    guesser = Account(account.url, "wrong")

    def tries(number):
        return [guesser.ask("PROPFIND", guesser.home, Depth="0")[0] for _ in range(number)]

    assert tries(FREE) == [401] * FREE
    with session.environment() as env:
        failures = env["caldav.failure"]
        # One of the name and one of the address, whichever worker was asked.
        assert failures.search_count([]) == 2 * FREE
        # More of them, by whom else: a wait that a slow machine does not sit out.
        for _more in range(MORE):
            failures._note({"login": "luis"})
    assert tries(2 * FREE) == [429] * 2 * FREE, "each worker knows it"
    # Who has a key is not kept out by others who are wrong.
    assert account.ask("PROPFIND", account.home, Depth="0")[0] == 207

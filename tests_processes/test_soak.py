"""Everything at once on workers that are killed: rules, reminders, programs, an account."""

import os
import subprocess
from pathlib import Path

import pytest

SOAK = Path(__file__).resolve().parents[1] / "dev" / "soak"
MINUTES = "10"


@pytest.mark.skipif(not os.environ.get("CRM_AUTOMATION_LONG"), reason="only with --long")
def test_soak():
    """A short soak; ``./dev/soak`` takes an hour."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [SOAK, MINUTES],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0
    assert done.stdout.count(" PASS") == done.stdout.count("CHECK ") > 10

"""Once and only once while workers are killed, PostgreSQL restarts and mail fails."""

import os
import subprocess
from pathlib import Path

CHAOS = Path(__file__).resolve().parents[1] / "dev" / "chaos"
LONG = bool(os.environ.get("CRM_AUTOMATION_LONG"))


def test_chaos():
    """The whole proof, as ``./dev/chaos`` gives it; short unless ``--long``."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [CHAOS, *([] if LONG else ["--short"])],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0
    assert done.stdout.count(" PASS") == done.stdout.count("CHECK ") == 7

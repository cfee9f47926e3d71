"""The instrument that measures CalDAV servers checks their answers, too: all of them.

It is not the project's own. It is looked for beside the checkout, in ``../shared/bench``,
or where ``CRM_AUTOMATION_INSTRUMENT`` says.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from caldav_account import forget_meetings, running

SCRIPT = Path(
    os.environ.get("CRM_AUTOMATION_INSTRUMENT")
    or Path(__file__).parents[2] / "shared/bench/caldav_bench.py"
)
LONG = bool(os.environ.get("CRM_AUTOMATION_LONG"))
EVENTS = 2_000 if LONG else 60


@pytest.mark.skipif(not SCRIPT.is_file(), reason=f"no instrument in {SCRIPT}")
def test_its_checks(tmp_path, registry):
    forget_meetings()
    with running(tmp_path / "odoo.log", workers=2) as account:
        done = subprocess.run(
            [sys.executable, SCRIPT, "--url", f"{account.url}/caldav/", "--user", account.login,
             "--password", account.key, "--events", str(EVENTS), "--seconds", "3",
             "--heavy", "1"], capture_output=True, text=True, timeout=3_000,
        )  # fmt: skip
    told = done.stdout + done.stderr
    assert not re.findall("^(?:FAIL|SKIP) .*", done.stdout, re.M), told
    assert len(re.findall("^PASS ", done.stdout, re.M)) >= 20, told
    assert done.returncode == 0, told

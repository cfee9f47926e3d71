"""khal, the command line's calendar: what it sees in files, for plain tests and Odoo tests.

``CRM_AUTOMATION_KHAL`` says where it is (``./dev/test`` installs it, where it can be
had); else it is looked for on the path.
"""

import os
import shutil
import subprocess
from pathlib import Path

KHAL = os.environ.get("CRM_AUTOMATION_KHAL") or shutil.which("khal")
MISSING = "khal is not installed"
_CONFIG = """[calendars]
[[visits]]
path = {folder}/visits
type = calendar
[sqlite]
path = {folder}/khal.db
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
default_timezone = UTC
local_timezone = UTC
"""


def listed(folder, texts, first, last):
    """What khal lists of some calendars, times in UTC.

    :param folder: an empty folder for its files
    :param texts: calendars, one for each UID, as khal wants them
    :param date first, last: the days, both included
    :return: set of ("YYYY-MM-DD HH:MM", title)
    """
    folder = Path(folder)
    (folder / "visits").mkdir()
    (folder / "config").write_text(_CONFIG.format(folder=folder))
    for number, text in enumerate(texts):
        (folder / "visits" / f"{number}.ics").write_bytes(text.encode())
    done = subprocess.run(
        [KHAL, "-c", str(folder / "config"), "list", "--notstarted", "--day-format", "",
         "--format", "{start-long-full}|{title}", str(first), str(last)],
        capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder), "TZ": "UTC"},
    )  # fmt: skip
    # What lasts for days is listed on each of them.
    return {tuple(line.split("|", 1)) for line in done.stdout.splitlines() if "|" in line}

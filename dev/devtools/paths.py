"""Where things lie: the checkout, and the state in the user's cache folder."""

import hashlib
import os
import re
from pathlib import Path

ADDON = "crm_automation"
CHECKOUT = Path(__file__).resolve().parents[2]


def state_dir():
    """Folder of everything the tools make; ``./dev/clean`` removes it.

    ``CRM_AUTOMATION_STATE`` names another one.
    """
    chosen = os.environ.get("CRM_AUTOMATION_STATE")
    if chosen:
        return Path(chosen).resolve()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / f"{ADDON}-dev"


def checkout_name():
    """A word for this checkout that is safe in a database's name.

    Two clones on one machine share Odoo, the environment and the template
    database, but have each their own demo and test databases.
    """
    digest = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:6]
    name = re.sub(r"[^a-z0-9]+", "_", CHECKOUT.name.lower()).strip("_")[:20]
    return f"{name or 'checkout'}_{digest}"


def chaos_name():
    """Of the cluster and the database of this checkout's ``./dev/chaos``."""
    return f"chaos_{checkout_name()}"


def soak_name():
    """Of the cluster and the database of this checkout's ``./dev/soak``."""
    return f"soak_{checkout_name()}"


def subdir(*names):
    path = state_dir().joinpath(*names)
    path.mkdir(parents=True, exist_ok=True)
    return path

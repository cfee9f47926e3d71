"""Calendar programs of Debian, unpacked beside the checkout and not installed."""

import hashlib
import shutil
import subprocess

from .paths import subdir
from .say import say

#: The programs, and the libraries that they bring.
PACKAGES = ("cadaver", "calcurse", "libneon27", "libneon27-gnutls")


def root():
    """The folder under which they are, as under /; None where they cannot be had."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return None
    key = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:10]
    home = subdir("clients") / key
    if (home / "complete").is_file():
        return str(home / "root")
    shutil.rmtree(home, ignore_errors=True)
    (home / "root").mkdir(parents=True)
    done = subprocess.run(
        ["apt-get", "download", *PACKAGES], cwd=home, capture_output=True, text=True
    )
    if done.returncode:
        say(f"  Note: without Debian's calendar programs: {done.stderr.strip()[-300:]}")
        return None
    for package in home.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, home / "root"], check=True)
    (home / "complete").touch()
    return str(home / "root")

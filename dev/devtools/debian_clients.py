"""Calendar programs and servers of Debian, unpacked beside the checkout, not installed."""

import hashlib
import shutil
import subprocess

from .paths import subdir
from .say import say

#: The programs, and the libraries that they bring.
PACKAGES = ("cadaver", "calcurse", "libneon27", "libneon27-gnutls")
#: CalDAV servers to be compared with, and the PHP that they are written in.
SERVERS = (
    "php-sabre-dav", "php-sabre-vobject", "davical", "libawl-php", "php8.2-cli", "php8.2-common",
    "php8.2-mbstring", "php8.2-opcache", "php8.2-pgsql", "php8.2-sqlite3", "php8.2-xml",
    "libargon2-1", "libedit2", "libmagic1", "libonig5", "libsodium23", "libxslt1.1",
)  # fmt: skip


def root(packages=PACKAGES):
    """The folder under which they are, as under /; None where they cannot be had."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return None
    key = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:10]
    home = subdir("clients") / key
    if (home / "complete").is_file():
        return str(home / "root")
    shutil.rmtree(home, ignore_errors=True)
    (home / "root").mkdir(parents=True)
    done = subprocess.run(
        ["apt-get", "download", *packages], cwd=home, capture_output=True, text=True
    )
    if done.returncode:
        say(f"  Note: without Debian's {packages[0]} and others: {done.stderr.strip()[-300:]}")
        return None
    for package in home.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, home / "root"], check=True)
    (home / "complete").touch()
    return str(home / "root")
